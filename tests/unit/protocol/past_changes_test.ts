/** Tests what counts of what was changed about a line. */

import type { LogEntry } from "../../../src/protocol/line.ts";
import { PastChanges } from "../../../src/protocol/past_changes.ts";
import { assertEquals } from "../../kit/assert.ts";
import { madeUpPerson, madeUpStay } from "../../kit/people.ts";

const LINE = entryOf(9, "ana", "said", "the password is swordfish");

function entryOf(
  seq: number,
  name: string,
  what: LogEntry["what"],
  text: string,
): LogEntry {
  const [person, stay] = [madeUpPerson(name), madeUpStay(name)];
  const to = what === "said" ? null : 9;
  return { seq, at: 2_000, person, stay, n: seq, what, name, text, to };
}

/** Keeps a change of line 9, as a search that goes backwards meets it. */
function keep(
  changes: PastChanges,
  name: string,
  what: "edited" | "deleted" | "reacted",
  seq: number,
  text = "",
): void {
  const read = () => entryOf(seq, name, what, text);
  changes.keep({ to: 9, what, person: madeUpPerson(name), read });
}

for (const what of ["edited", "deleted"] as const) {
  Deno.test(`PastChanges lets whom a line was ${what} by stand, however many others claim to have done it`, () => {
    const changes = new PastChanges();
    for (let seq = 5_000; seq > 4_000; seq--) keep(changes, "mal", what, seq);
    keep(changes, "ana", what, 10, what === "edited" ? "edited" : "");
    const said = what === "edited" ? "edited" : null;
    assertEquals(changes.text(LINE), said);
    assertEquals(changes.of(LINE).map(({ seq }) => seq), [10]);
  });
}

Deno.test("PastChanges keeps a person's reaction, however often another one reacts", () => {
  const changes = new PastChanges();
  for (let seq = 5_000; seq > 20; seq--) {
    keep(changes, "mal", "reacted", seq, "👍");
  }
  keep(changes, "bob", "reacted", 10, "❤️");
  assertEquals(changes.of(LINE).map(({ seq }) => seq), [10, 5_000]);
});
