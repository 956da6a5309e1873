/**
 * Tests of `src/base/limiter.ts`.
 *
 * @module
 */

import { assertEquals, assertRejects } from "../../kit/assert.ts";
import { Limiter } from "../../../src/base/limiter.ts";

Deno.test("Limiter lets so many work at a time, first come, first served, also after a failure", async () => {
  const turns = new Limiter(2);
  const started: number[] = [];
  const ends = Array.from({ length: 5 }, () => Promise.withResolvers<number>());
  const works = ends.map(({ promise }, at) =>
    turns.run(() => {
      started.push(at);
      return promise;
    })
  );
  assertEquals(started, [0, 1]);
  ends[1]?.reject(new Error("it fell over"));
  await assertRejects(async () => await works[1], Error, "it fell over");
  assertEquals(started, [0, 1, 2]);
  ends[0]?.resolve(10);
  assertEquals(await works[0], 10);
  assertEquals(started, [0, 1, 2, 3]);
  for (const end of ends) end.resolve(20);
  assertEquals(await works[4], 20);
  assertEquals(started, [0, 1, 2, 3, 4]);
  assertEquals(await turns.run(() => Promise.resolve(30)), 30);
});
