/** Tests what counts of what was changed about a line. */

import type { ChangeKind, LogEntry } from "../../../src/protocol/line.ts";
import { PastChanges } from "../../../src/protocol/past_changes.ts";
import { assertEquals } from "../../kit/assert.ts";
import { STAY } from "../../kit/log_kit.ts";
import { madeUpPerson } from "../../kit/people.ts";

const persons = new Map<string, string>(); // made up once: a test keeps many changes
const personOf = (name: string) => {
  const person = persons.get(name) ?? madeUpPerson(name);
  persons.set(name, person);
  return person;
};

const LINE = entryOf(9, "ana", "said", "the password is swordfish");

function entryOf(
  seq: number,
  name: string,
  what: LogEntry["what"],
  text: string,
  to = 9,
): LogEntry {
  const person = personOf(name);
  const about = what === "said" ? null : to;
  const who = { person, stay: STAY, name };
  return { seq, at: 2_000, ...who, n: seq, what, text, to: about };
}

/** Keeps a change of line 9, as a search that goes backwards meets it. */
function keep(
  changes: PastChanges,
  name: string,
  what: ChangeKind,
  seq: number,
  text = "",
): void {
  keepAs(changes, name, what, entryOf(seq, name, what, text));
}

/** Keeps what looks like a change of line 9, or another one, and is that entry, or none. */
function keepAs(
  changes: PastChanges,
  name: string,
  what: ChangeKind,
  entry: LogEntry | null,
  to = 9,
): void {
  changes.keep({ to, what, person: personOf(name), read: () => entry });
}

/** The numbers of what counts for line 9. */
const seqsOf = (changes: PastChanges) => changes.of(LINE).map(({ seq }) => seq);

Deno.test("PastChanges tells the last edit and the last reaction of each, oldest first", () => {
  const changes = new PastChanges();
  assertEquals([changes.isEmpty, changes.text(LINE)], [true, LINE.text]);
  keep(changes, "dan", "reacted", 21, "🎉");
  keep(changes, "ana", "edited", 20, "second");
  keep(changes, "bob", "reacted", 19, "🎉");
  keep(changes, "cy", "reacted", 18);
  keep(changes, "ana", "edited", 17, "first");
  keep(changes, "cy", "reacted", 16, "👀"); // which it took back
  keep(changes, "ana", "reacted", 15, "👍");
  keep(changes, "bob", "reacted", 14, "👍");
  assertEquals([seqsOf(changes), changes.text(LINE)], [
    [15, 19, 20, 21],
    "second",
  ]);
  assertEquals(changes.isEmpty, false);
});

Deno.test("PastChanges tells of what was deleted that alone", () => {
  const changes = new PastChanges();
  keep(changes, "bob", "reacted", 20, "👍");
  keep(changes, "ana", "edited", 19, "later");
  keep(changes, "ana", "deleted", 18);
  keep(changes, "ana", "edited", 17, "first");
  assertEquals([seqsOf(changes), changes.text(LINE)], [[18], null]);
});

Deno.test("PastChanges leaves out what only looks as if it changed the line", () => {
  const changes = new PastChanges();
  keepAs(changes, "ana", "edited", null);
  keepAs(changes, "ana", "edited", entryOf(19, "ana", "edited", "x", 8));
  keepAs(changes, "ana", "edited", entryOf(18, "ana", "replied", "x"));
  keepAs(changes, "bob", "edited", entryOf(17, "bob", "edited", "x"));
  assertEquals([seqsOf(changes), changes.text(LINE)], [[], LINE.text]);
});

Deno.test("PastChanges knows which lines may say something else, until it forgets them", () => {
  const changes = new PastChanges();
  keepAs(changes, "ana", "edited", entryOf(20, "ana", "edited", "x", 5), 5);
  keepAs(changes, "ana", "deleted", entryOf(19, "ana", "deleted", "", 7), 7);
  keep(changes, "bob", "reacted", 18, "👍");
  const reworded = [4, 5, 6, 7, 9].filter((seq) => changes.isReworded(seq));
  assertEquals(reworded, [5, 7]);
  const ranges = [[1, 4], [1, 5], [5, 5], [6, 6], [6, 7], [7, 9], [8, 9]];
  assertEquals(
    ranges.filter(([first = 0, last = 0]) => changes.areReworded(first, last)),
    [[1, 5], [5, 5], [6, 7], [7, 9]],
  );
  changes.forget(6, 7);
  assertEquals([5, 7].map((seq) => changes.isReworded(seq)), [true, false]);
  assertEquals([changes.isEmpty, seqsOf(changes)], [false, [18]]);
  changes.forget(1, 9);
  assertEquals([changes.isEmpty, seqsOf(changes)], [true, []]);
});

for (const what of ["edited", "deleted"] as const) {
  Deno.test(`PastChanges lets whom a line was ${what} by stand, however many others claim to have done it`, () => {
    const changes = new PastChanges();
    for (let seq = 5_000; seq > 4_000; seq--) keep(changes, "mal", what, seq);
    keep(changes, "ana", what, 10, what === "edited" ? "edited" : "");
    const said = what === "edited" ? "edited" : null;
    assertEquals(changes.text(LINE), said);
    assertEquals(seqsOf(changes), [10]);
  });
}

Deno.test("PastChanges keeps a person's reaction, however often another one reacts", () => {
  const changes = new PastChanges();
  for (let seq = 5_000; seq > 20; seq--) {
    keep(changes, "mal", "reacted", seq, "👍");
  }
  keep(changes, "bob", "reacted", 10, "❤️");
  assertEquals(seqsOf(changes), [10, 5_000]);
});

Deno.test("PastChanges looks at the newest 16 of each kind that one person made of one line", () => {
  const changes = new PastChanges();
  for (let count = 0; count < 15; count++) {
    keepAs(changes, "ana", "edited", null);
  }
  keep(changes, "ana", "edited", 30, "the 16th");
  keepAs(changes, "ana", "edited", entryOf(29, "ana", "edited", "", 8), 8);
  assertEquals(changes.text(LINE), "the 16th");
  keep(changes, "ana", "reacted", 28, "👍");
  assertEquals(seqsOf(changes), [28, 30]);
  const others = new PastChanges();
  for (let count = 0; count < 16; count++) {
    keepAs(others, "ana", "edited", null);
  }
  keep(others, "ana", "edited", 30, "the 17th");
  assertEquals(others.text(LINE), LINE.text);
});

Deno.test("PastChanges tells the newest 100 reactions to a line", () => {
  const changes = new PastChanges();
  for (let seq = 200; seq > 99; seq--) {
    keep(changes, `person ${seq}`, "reacted", seq, "👍");
  }
  const newest = Array.from({ length: 100 }, (_, at) => 101 + at);
  assertEquals(seqsOf(changes), newest);
});

Deno.test("PastChanges keeps 65,536 reactions at a time, and all else", () => {
  const changes = new PastChanges();
  const entry = entryOf(70_000, "bob", "reacted", "👍");
  for (let to = 65_545; to > 9; to--) {
    keepAs(changes, "bob", "reacted", entry, to);
  }
  keep(changes, "bob", "reacted", 70_000, "👍");
  for (const seq of [69_999, 69_998]) {
    keep(changes, "ana", "edited", seq, "edited");
  }
  assertEquals(seqsOf(changes), [69_999]);
  changes.forget(1, 10); // two edits and one reaction: there is place for one
  keep(changes, "bob", "reacted", 69_997, "👍");
  keep(changes, "cy", "reacted", 69_996, "👍");
  assertEquals(seqsOf(changes), [69_997]);
});
