/**
 * The last lines of the log in memory.
 *
 * @module
 */

import { LogWindow } from "../../../src/log/recent.ts";
import { assertEquals, assertThrows } from "../../kit/assert.ts";
import type { LogEntry } from "../../../src/protocol/line.ts";

function entry(seq: number): LogEntry {
  const id = { person: "k3df9q2mx7ta41cz", stay: "Yk3xQ0p1a2c" };
  const who = { ...id, n: seq, name: "ana", to: null };
  return { seq, at: 0, what: "said", text: `line ${seq}`, ...who };
}

Deno.test("LogWindow gives the last lines, and none in place of one that isn't ours", () => {
  const window = new LogWindow(4);
  for (const seq of [1, 2, 3, 4, 5, 7]) window.keep(entry(seq)); // line 6 isn't ours
  const numbers = (after: number) =>
    window.entries(after, 7).map(({ seq }) => seq);

  assertEquals(window.oldest(7), 3);
  assertEquals(numbers(3), [4, 5, 7]);
  assertEquals(numbers(6), [7]);
  assertEquals(numbers(7), []);
  assertThrows(() => numbers(2), RangeError, "memory begins after line 3");
});

Deno.test("LogWindow counts what somebody said, and what is sealed as if it were, among the last lines that are there", () => {
  const window = new LogWindow(16);
  const kinds = ["said", "sealed", "ruled", "joined", "sealed", "reacted"];
  for (const [at, what] of kinds.entries()) {
    window.keep({ ...entry(at + 1), what: what as LogEntry["what"] });
  }
  const starts = (most: number, head = 6) =>
    [0, 1, 2, 3, 4].map((count) => window.saidStart(count, most, head));
  assertEquals(starts(16), [6, 4, 1, 0, 0]);
  assertEquals(starts(5), [6, 4, 1, 1, 1]); // line 1 isn't looked at
  assertEquals(starts(4), [6, 4, 4, 4, 4]);
  assertEquals(starts(16, 4), [4, 1, 0, 0, 0]);
  window.keep(entry(17)); // in place of line 1
  assertEquals(starts(99, 17), [17, 16, 4, 1, 1]);
});

Deno.test("LogWindow remembers the last 1,024 lines that were deleted, and none that were otherwise changed", () => {
  const window = new LogWindow(4);
  const change = (what: LogEntry["what"], to: number) =>
    window.keep({ ...entry(9), what, to, text: "x" });
  change("edited", 1);
  change("reacted", 1);
  assertEquals(window.isDeleted(1), false);
  for (let to = 1; to <= 1_024; to++) change("deleted", to);
  assertEquals([1, 1_024, 1_025].map((it) => window.isDeleted(it)), [
    true,
    true,
    false,
  ]);
  change("deleted", 1_025);
  assertEquals([1, 2, 1_025].map((it) => window.isDeleted(it)), [
    false,
    true,
    true,
  ]);
});

Deno.test("LogWindow begins with line 1 until it is full, and finds a line by its number", () => {
  const window = new LogWindow(4);
  assertEquals([0, 3, 4, 5].map((head) => window.oldest(head)), [0, 0, 0, 1]);
  window.keep(entry(5));
  assertEquals(window.find(5), entry(5));
  assertEquals([1, 9].map((seq) => window.find(seq)), [undefined, undefined]);
});
