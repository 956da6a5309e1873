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

Deno.test("Limiter whose limit is changed lets those go on who run, and as many more as there is place for", async () => {
  const turns = new Limiter(3);
  const started: number[] = [];
  const ends = Array.from({ length: 7 }, () => Promise.withResolvers<void>());
  const works = ends.map(({ promise }, at) =>
    turns.run(() => {
      started.push(at);
      return promise;
    })
  );
  const end = async (at: number) => {
    ends[at]?.resolve();
    await works[at];
  };
  turns.most = 1;
  assertEquals([started.length, turns.isFull], [3, true]);
  for (const at of [0, 1]) await end(at);
  assertEquals(started.length, 3);
  await end(2);
  assertEquals(started.length, 4);
  turns.most = 3;
  await Promise.resolve();
  assertEquals(started.length, 6);
  turns.most = 9;
  await Promise.resolve();
  assertEquals([started.length, turns.isFull], [7, false]);
  for (const at of [3, 4, 5, 6]) await end(at);
});
