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

Deno.test("LogWindow counts what somebody said, and what is sealed as if it were", () => {
  const window = new LogWindow(16);
  const kinds = ["said", "sealed", "ruled", "joined", "sealed", "reacted"];
  for (const [at, what] of kinds.entries()) {
    window.keep({ ...entry(at + 1), what: what as LogEntry["what"] });
  }
  assertEquals([1, 2, 3, 4].map((count) => window.saidStart(count, 16, 6)), [
    4,
    1,
    0,
    0,
  ]);
});
