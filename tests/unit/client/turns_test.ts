/**
 * Which server is tried when, and how long the pauses are.
 *
 * @module
 */

import { nextPause } from "../../../src/client/reconnect.ts";
import { Turns } from "../../../src/client/turns.ts";
import { assert, assertEquals } from "../../kit/assert.ts";

/** Whose turn it is, so many times, and what stands before each that comes after a pause. */
const order = (turns: Turns, times: number) =>
  Array.from(
    { length: times },
    () => turns.next() ? turns.now : `~${turns.now}`,
  );

Deno.test("Turns go round all servers, with a pause after each round, and also to those that are learned of", () => {
  const turns = new Turns("a", ["b", "c"]);
  assertEquals([turns.now, turns.all], ["a", ["a", "b", "c"]]);
  assertEquals(order(turns, 4), ["b", "c", "~a", "b"]);
  assertEquals(turns.all, ["b", "a", "c"]);
  turns.add(["b", "d", "a"]);
  assertEquals(turns.all, ["b", "a", "c", "d"]);
  assertEquals(order(turns, 6), ["c", "~d", "a", "b", "c", "~d"]);
  const alone = new Turns("a");
  assertEquals([alone.all, alone.goesOn], [["a"], false]);
  assertEquals(order(alone, 2), ["~a", "~a"]);
});

Deno.test("Turns say whether another server is tried at once, and begin a round anew when a connection stood", () => {
  const turns = new Turns("a", ["b"]);
  assertEquals(turns.goesOn, true);
  assertEquals(order(turns, 1), ["b"]);
  assertEquals(turns.goesOn, false);
  turns.stood(false);
  assertEquals(turns.goesOn, true);
  assertEquals(order(turns, 2), ["a", "~b"]);
  turns.stood(true); // that one is worth another attempt
  assertEquals(order(turns, 3), ["a", "b", "~a"]);
});

Deno.test("nextPause() doubles up to half a minute, and is half to whole of that by chance", () => {
  const { random } = Math;
  try {
    for (const [chance, part] of [[0, 1 / 2], [1 / 2, 3 / 4]] as const) {
      Math.random = () => chance;
      for (const [attempt, whole] of [1, 2, 4, 8, 16, 30, 30].entries()) {
        assertEquals(nextPause(attempt), whole * 1_000 * part);
      }
    }
  } finally {
    Math.random = random;
  }
  assert(nextPause(2_000) <= 30_000);
});
