/**
 * Tests of `src/base/timing.ts`; that no timer is left behind is watched by the test runner.
 *
 * @module
 */

import { pause, within } from "../../../src/base/timing.ts";
import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";

Deno.test("within() says whether something came in time", async () => {
  const { promise: never } = Promise.withResolvers<void>();
  assertEquals(await within(60_000, Promise.resolve()), true);
  assertEquals(await within(1, never), false);
});

Deno.test("within() rejects as what it waits for, in time, and not when that comes late", async () => {
  await assertRejects(
    () => within(60_000, Promise.reject(new RangeError("no"))),
    RangeError,
    "no",
  );
  const { promise, reject } = Promise.withResolvers<void>();
  assertEquals(await within(1, promise), false);
  reject(new RangeError("too late for anybody"));
});

Deno.test("pause() resolves after its time, and without a timer for none", async () => {
  let isOver = false;
  const paused = pause(0).then(() => isOver = true);
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  assert(isOver); // no timer runs before all promises have
  await paused;
  const start = performance.now();
  await pause(5);
  assert(performance.now() - start >= 4); // timers count in whole milliseconds
});
