/**
 * What waits between a connection and a sealed room: its order, what is taken together, and when there is place.
 *
 * @module
 */

import { LineQueue } from "../../../../src/client/sealed/line_queue.ts";
import { MAX_AT_ONCE } from "../../../../src/client/sealed/take_lines.ts";
import { nextTurn } from "../../../../src/server/next_turn.ts";
import { assert, assertEquals, assertRejects } from "../../../kit/assert.ts";
import { isDone, until } from "../../../kit/turns.ts";

Deno.test("LineQueue carries out one thing after the other, takes lines in a row together, 256 at the most, and ends once all is done", async () => {
  const queue = new LineQueue<number>();
  const done: (number | string)[] = [];
  const alone = (name: string) =>
    queue.push({
      alone: async () => {
        await nextTurn(); // though it takes its time
        done.push(name);
      },
    });
  const together = (count: number) => {
    for (let at = 0; at < count; at++) queue.push({ together: at });
  };
  together(2);
  alone("a");
  alone("b");
  together(MAX_AT_ONCE + 1);
  const running = queue.run(async (lines) => {
    assert(lines.length > 0, "it goes on and on");
    assertEquals(lines, lines.map((_, at) => (lines[0] ?? 0) + at));
    await nextTurn();
    done.push(lines.length);
  });
  assertEquals(await isDone(running), false);
  await until(() => done.length === 5);
  assertEquals(done, [2, "a", "b", MAX_AT_ONCE, 1]);
  alone("c"); // wakes it
  together(3);
  await until(() => done.length === 7);
  assertEquals(done.slice(5), ["c", 3]);
  queue.end(); // wakes it, too
  await running;
});

Deno.test("LineQueue whose taker fails ends with that", async () => {
  for (const kind of ["alone", "together"] as const) {
    const queue = new LineQueue<number>();
    const fail = () => Promise.reject(new TypeError("no line"));
    queue.push(kind === "alone" ? { alone: fail } : { together: 1 });
    await assertRejects(() => queue.run(fail), TypeError, "no line");
  }
});

Deno.test("LineQueue.ready() waits while 2,048 wait, until there is place or the end", async () => {
  for (const way of ["place", "end"] as const) {
    const queue = new LineQueue<number>();
    for (let at = 1; at < 2_048; at++) queue.push({ together: at });
    assertEquals(await isDone(queue.ready()), true);
    queue.push({ together: 0 });
    const ready = queue.ready();
    assertEquals(await isDone(ready), false);
    queue.push({ together: 0 }); // which is no place
    assertEquals(await isDone(ready), false);
    if (way === "end") queue.end();
    const taken: number[] = [];
    const running = queue.run((lines) => {
      assert(lines.length > 0, "it goes on and on");
      taken.push(lines.length);
      return Promise.resolve();
    });
    await ready;
    queue.end();
    await running;
    assertEquals(taken.length, 9);
    await queue.ready();
  }
});

Deno.test("LineQueue.passed() says when all before it is carried out, and that it never will be once that has ended, or failed", async () => {
  const queue = new LineQueue<number>();
  const done: unknown[] = [];
  const take = (lines: readonly number[]) => {
    done.push(lines);
    return Promise.resolve();
  };
  queue.push({ together: 1 });
  const passed = queue.passed().then((isSo) => done.push(isSo));
  const running = queue.run(take);
  await passed;
  assertEquals(done, [[1], true]);
  queue.end();
  await running;
  assertEquals(await queue.passed(), false);

  const failing = new LineQueue<number>();
  failing.push({ together: 1 });
  for (let at = 1; at < 2_048; at++) failing.push({ alone: () => {} });
  const waiting = [failing.passed(), failing.ready().then(() => "ready")];
  const fails = () => Promise.reject(new Error("no line"));
  await assertRejects(() => failing.run(fails), Error, "no line");
  assertEquals(await Promise.all(waiting), [false, "ready"]);
});
