/**
 * Tests of what a client remembers of the last lines.
 *
 * @module
 */

import { RecentLines } from "../../../src/protocol/recent_lines.ts";
import type { LineKind, LogEntry } from "../../../src/protocol/line.ts";
import { assertEquals } from "../../kit/assert.ts";

function line(
  seq: number,
  what: LineKind,
  person = "ben",
  to: number | null = null,
): LogEntry {
  const rest = { at: 0, stay: "", n: 0, name: person, to };
  return { seq, what, person, text: `line ${seq}`, ...rest };
}

Deno.test("RecentLines tells what was said, newest first, from what only happened", () => {
  const lines = new RecentLines();
  const kinds: readonly LineKind[] = ["joined", "said", "acted", "renamed"]
    .concat(["replied", "offered", "left", "sealed"]) as LineKind[];
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
  // A sealed line may come to be something that somebody said.
  assertEquals([11, 5, 17, 99].some((seq) => lines.isNothingSaid(seq)), false);
  assertEquals([lines.find(11)?.line.text, lines.find(10)], [
    "line 11",
    undefined,
  ]);
  lines.add({ line: line(9, "said") }); // it is known by now
  assertEquals(lines.isNothingSaid(9), false);
});

Deno.test("RecentLines has what was said as it is by now", () => {
  const lines = new RecentLines();
  for (const seq of [1, 2, 3]) lines.add({ line: line(seq, "said") });
  lines.add({ line: line(4, "edited", "ben", 1) });
  lines.add({ line: line(5, "edited", "eve", 2) }); // which isn't hers
  lines.add({ line: line(6, "deleted", "ben", 3) });
  lines.add({ line: line(7, "edited", "ben", 3) }); // which is gone
  lines.add({ line: line(8, "edited", "ben", 99) });
  assertEquals([1, 2, 3].map((seq) => lines.find(seq)?.line.text), [
    "line 4",
    "line 2",
    "",
  ]);
  assertEquals([lines.find(99), lines.numbers()], [undefined, [2, 1]]);
  assertEquals([4, 5, 6, 7, 8].every((it) => lines.isNothingSaid(it)), true);
});

Deno.test("RecentLines forgets the oldest of 2,000 that were said, and of as many others", () => {
  const lines = new RecentLines();
  for (let seq = 1; seq <= 2_002; seq++) lines.add({ line: line(seq, "said") });
  assertEquals([lines.find(2), lines.find(3)?.line.seq], [undefined, 3]);
  assertEquals(lines.numbers().length, 2_000);
  for (let seq = 3_001; seq <= 5_002; seq++) lines.addOther(seq);
  const others = [3_002, 3_003, 5_002].map((seq) => lines.isNothingSaid(seq));
  assertEquals(others, [false, true, true]);
  assertEquals(lines.numbers().length, 2_000);
});
