/**
 * Tests of what a client remembers of the last lines.
 *
 * @module
 */

import { RecentLines } from "../../../src/protocol/recent_lines.ts";
import type { LineKind, LogEntry } from "../../../src/protocol/line.ts";
import { assertEquals } from "../../kit/assert.ts";

function line(seq: number, what: LineKind, person = "ben"): LogEntry {
  const rest = { at: 0, stay: "", n: 0, name: person, to: null };
  return { seq, what, person, text: `line ${seq}`, ...rest };
}

Deno.test("RecentLines tells what was said, newest first, from what only happened", () => {
  const lines = new RecentLines();
  const kinds: readonly LineKind[] = ["joined", "said", "acted", "renamed"]
    .concat(["replied", "offered", "left"]) as LineKind[];
  kinds.forEach((kind, at) => lines.add({ line: line(at + 10, kind) }));
  lines.addOther(9);
  lines.add({ line: line(5, "said", "ana") }); // found in the history
  assertEquals(lines.numbers(), [15, 14, 12, 11, 5]);
  assertEquals(lines.numbers("ana"), [5]);
  const moves = [9, 10, 13, 16];
  assertEquals(
    moves.map((seq) => lines.isNothingSaid(seq)),
    moves.map(Boolean),
  );
  assertEquals([11, 5, 99].some((seq) => lines.isNothingSaid(seq)), false);
  assertEquals([lines.find(11)?.line.text, lines.find(10)], [
    "line 11",
    undefined,
  ]);
});

Deno.test("RecentLines forgets the oldest of 2,000", () => {
  const lines = new RecentLines();
  for (let seq = 1; seq <= 2_002; seq++) lines.add({ line: line(seq, "said") });
  assertEquals([lines.find(2), lines.find(3)?.line.seq], [undefined, 3]);
  assertEquals(lines.numbers().length, 2_000);
});
