/**
 * What must hold of every run: what clients showed, against the log.
 *
 * @module
 */

import type { LogEntry } from "../../src/protocol/line.ts";
import { assert, assertEquals } from "./assert.ts";
import type { JsonClient } from "./client.ts";
import { isJoining } from "./stay.ts";

/**
 * Fails unless all that a client showed stands in the log under the same number, in order, without a gap
 * from the first to the last, and nothing twice.
 */
export function assertFollows(client: JsonClient, log: readonly LogEntry[]) {
  const events = client.shown.filter(({ seq, server, key = "", at = "" }) =>
    seq !== undefined && (server === undefined ||
      isJoining(log[seq - 1], { person: key, at: Date.parse(at) }))
  );
  for (const event of events) {
    const { type, seq, at, name, text, reason, newName } = event;
    const entry = log[(seq ?? 0) - 1];
    assert(entry !== undefined, `line ${seq} was shown and is not in the log`);
    const { n: _n, stay: _stay, ...logged } = entry;
    const words = text ?? reason ?? newName ?? "";
    const person = event.key;
    const shown = { seq, at: Date.parse(at ?? ""), name, person, what: type };
    assertEquals({ ...shown, to: event.to ?? null, text: words }, logged);
  }
  // A client is told of its own joining before what it missed; all else comes in order.
  const entrances = client.entrances.map(({ seq }) => seq);
  const others = events.map(({ seq = 0 }) => seq)
    .filter((seq) => !entrances.includes(seq));
  assertEquals(others, others.toSorted((a, b) => a - b), "out of order");
  const all = events.map(({ seq = 0 }) => seq).sort((a, b) => a - b);
  const [first = 0] = all;
  assertEquals(all, all.map((_, at) => first + at), "missing, or doubled");
}

/** Fails unless the log has these texts of a member, each once, in this order, and no other. */
export function assertSaid(
  log: readonly LogEntry[],
  name: string,
  texts: readonly string[],
) {
  const said = log.filter((it) => it.what === "said" && it.name === name);
  assertEquals(said.map(({ text }) => text), texts);
}
