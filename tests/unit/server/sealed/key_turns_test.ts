/** Tests how often the key of a sealed room may be changed. */

import { KeyTurns } from "../../../../src/server/sealed/key_turns.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";

/** Changes of the key, each at its time; which of them are taken. */
const taken = (turns: KeyTurns, ...times: number[]) =>
  times.map((at) => turns.take(at) !== undefined);

const EIGHT = [0, 1, 2, 3, 4, 5, 6, 7];
const ALL = EIGHT.map(() => true);

Deno.test("KeyTurns lets the key be changed 8 times on end, and again after 10 s", () => {
  const turns = new KeyTurns();
  assertEquals(taken(turns, ...EIGHT), ALL);
  assertEquals(taken(turns, 8, 10_006, 10_007), [false, false, true]);
  const atOnce = EIGHT.map(() => 5);
  assertEquals(taken(new KeyTurns(), ...atOnce, 5), [...ALL, false]);
});

Deno.test("KeyTurns counts neither a change that was taken back, nor what is before a clock was put back", () => {
  const turns = new KeyTurns();
  for (let count = 0; count < 20; count++) {
    const undo = turns.take(count);
    assert(undo);
    undo();
  }
  assertEquals(taken(turns, ...EIGHT.map((at) => at + 100)), ALL);
  assertEquals(taken(turns, 108, 50), [false, true]);
  turns.take(51)?.();
  const six = EIGHT.slice(2);
  assertEquals(taken(turns, ...six.map((at) => at + 50), 60, 61), [
    ...[...ALL.slice(1), false],
  ]);
});

Deno.test("KeyTurns.count() counts a change that another server has let through, however many went before", () => {
  const turns = new KeyTurns();
  for (const at of [...EIGHT, 8]) turns.count(at);
  assertEquals(taken(turns, 9), [false]);
  turns.count(9)();
  assertEquals(taken(turns, 10_010), [true]);
});
