/**
 * When a server collects garbage, with a clock, a heap and a room of the test's own.
 *
 * @module
 */

import { IdleCollection } from "../../../src/server/idle_collection.ts";
import { assert, assertEquals } from "../../kit/assert.ts";
import { runToEnd } from "../../kit/command.ts";
import { ManualClock } from "../../kit/memory_stream.ts";
import { taskWords } from "../../kit/program.ts";
import { replaced } from "../../kit/replaced.ts";

const MEBIBYTE = 1_048_576;

/** A heap that shrinks to 10 MiB, which takes 50 ms. */
class Setup {
  activity = 0;
  expecting = false;
  size = 10 * MEBIBYTE;
  now = 0;
  collections = 0;

  make(): IdleCollection {
    return new IdleCollection({
      activity: () => this.activity,
      expecting: () => this.expecting,
      size: () => this.size,
      collect: () => {
        this.collections++;
        this.size = 10 * MEBIBYTE;
        this.now += 50;
      },
      now: () => this.now,
    });
  }

  /** Lets as much time pass as must be between two collections. */
  rest(): void {
    this.now += 1_000;
  }
}

Deno.test("IdleCollection collects when nothing has happened between two looks, and once more at the next", () => {
  const setup = new Setup();
  using collection = setup.make();
  setup.size = 90 * MEBIBYTE;
  collection.look();
  setup.activity++;
  collection.look();
  assertEquals(setup.collections, 0);
  collection.look();
  assertEquals(setup.collections, 1);
  setup.rest();
  collection.look();
  assertEquals(setup.collections, 2);
});

Deno.test("IdleCollection collects no more in the same rest, whatever signs of life leave behind", () => {
  const setup = new Setup();
  using collection = setup.make();
  for (let look = 0; look < 100; look++) {
    setup.size += 20 * MEBIBYTE;
    setup.rest();
    collection.look();
  }
  assertEquals(setup.collections, 2);
  setup.activity++;
  collection.look();
  collection.look();
  assertEquals(setup.collections, 3);
});

Deno.test("IdleCollection waits while something is under way", () => {
  const setup = new Setup();
  using collection = setup.make();
  setup.size = 90 * MEBIBYTE;
  setup.expecting = true;
  collection.look();
  collection.look();
  assertEquals(setup.collections, 0);
  setup.expecting = false;
  collection.look();
  assertEquals(setup.collections, 1);
});

for (
  const { before, after, worth } of [
    { before: 10, after: 26, worth: 16 },
    { before: 100, after: 150, worth: 50 },
  ]
) {
  Deno.test(`IdleCollection leaves a heap of ${before} MiB alone that has grown by less than ${worth} MiB`, () => {
    const setup = new Setup();
    setup.size = before * MEBIBYTE;
    using collection = setup.make();
    setup.size = after * MEBIBYTE - 1;
    collection.look();
    collection.look();
    assertEquals(setup.collections, 0);
    setup.size++;
    collection.look();
    assertEquals(setup.collections, 1);
  });
}

Deno.test("IdleCollection counts from the least that V8 had since the last collection", () => {
  const setup = new Setup();
  setup.size = 60 * MEBIBYTE;
  using collection = setup.make();
  setup.size = 20 * MEBIBYTE; // V8 has given back by itself
  collection.look();
  setup.size = 36 * MEBIBYTE;
  collection.look();
  assertEquals(setup.collections, 1);
});

Deno.test("IdleCollection takes 5 % of the time at most", () => {
  const setup = new Setup();
  using collection = setup.make();
  setup.size = 90 * MEBIBYTE;
  collection.look();
  collection.look();
  assertEquals(setup.collections, 1);
  setup.now += 999;
  collection.look();
  assertEquals(setup.collections, 1);
  setup.now++;
  collection.look();
  assertEquals(setup.collections, 2);
});

Deno.test("IdleCollection looks once a second until it is disposed of, by V8's own function and sizes, and never where that is missing", () => {
  using clock = new ManualClock();
  const asked: unknown[] = [];
  const room = { activity: () => 0, expecting: () => false };
  let heapTotal = 0;
  using _memory = replaced(Deno, "memoryUsage", () => ({ heapTotal }));
  {
    using _gc = replaced(globalThis, "gc", undefined);
    using _none = new IdleCollection(room);
    assertEquals(clock.pending, 0);
  }
  const collect = (options: unknown) => void asked.push(options);
  using _gc = replaced(globalThis, "gc", collect);
  {
    using _own = new IdleCollection(room);
    heapTotal = 16 * MEBIBYTE;
    clock.advance(1_999);
    assertEquals(asked, []);
    clock.advance(1);
    assertEquals(asked, [{ type: "major" }]);
  }
  assertEquals(clock.pending, 0);
});

Deno.test("the server's task gives IdleCollection the function that it needs", async () => {
  const [deno = "", ...words] = taskWords("server");
  const flag = words.find((word) => word.startsWith("--v8-flags="));
  assert(flag);
  const program = 'gc({ type: "major" })';
  const { code } = await runToEnd([deno, "eval", flag, program]);
  assertEquals(code, 0);
});
