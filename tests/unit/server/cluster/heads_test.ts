/**
 * How a server hears what the others have: for how long it asks, and when it has heard enough.
 *
 * @module
 */

import { Notify } from "../../../../src/base/notify.ts";
import type { Other } from "../../../../src/server/cluster/beginning.ts";
import { Heads } from "../../../../src/server/cluster/heads.ts";
import type { Message } from "../../../../src/server/cluster/siblings.ts";
import { assertEquals } from "../../../kit/assert.ts";
import { DrivenClock } from "../../../kit/driven_clock.ts";
import {
  MemoryCompany,
  type MemorySiblings,
} from "../../../kit/memory_siblings.ts";
import { replaced } from "../../../kit/replaced.ts";

const PATIENCE = { asking: 500, strangers: 1_500, known: 10_000, start: 0 };
const OWN = { isSettled: true, stream: "s", begun: 1, place: 9, head: 20 };

function has(place: number): Omit<Other, "id"> {
  return { isSettled: false, stream: "s", begun: 1, place, head: 3 };
}

/** A server that asks, as "a", and the others. */
function setUp() {
  const company = new MemoryCompany();
  const siblings = company.join("a");
  const heads = new Heads(siblings, PATIENCE, () => OWN);
  return { company, siblings, heads };
}

/** Another server, which answers each question a little later. @returns What it heard. */
function answering(other: MemorySiblings, answer: () => Message): Message[] {
  const heard: Message[] = [];
  other.hear("heads", (message, from) => {
    heard.push(message);
    queueMicrotask(() => other.tell("heads", answer(), from));
    return undefined;
  });
  return heard;
}

const never = () => false;

Deno.test("a server that knows of no others asks for 1.5 s, each half second, and says what it has", () =>
  DrivenClock.with(async (clock) => {
    const { company, heads } = setUp();
    const heard = answering(company.join("b"), () => has(7));
    const others = await clock.until(heads.ask(0, never));
    assertEquals(others, [{ id: "b", ...has(7) }]);
    assertEquals(clock.now, 1_500);
    const asked = { asks: true, ...OWN };
    assertEquals(heard, [asked, asked, asked]);
    assertEquals(clock.set.filter((it) => it < 500), []);
  }));

Deno.test("a server that knows of others waits until it has heard as many, at most 10 s, and of none that it heard before", () =>
  DrivenClock.with(async (clock) => {
    const { company, heads } = setUp();
    answering(company.join("b"), () => has(7));
    const c = company.join("c");
    answering(c, () => has(8));
    const both = await clock.until(heads.ask(2, never));
    assertEquals([both.map(({ id }) => id), clock.now], [["b", "c"], 0]);
    c.isSilent = true;
    const one = await clock.until(heads.ask(2, never));
    assertEquals([one.map(({ id }) => id), clock.now], [["b"], 10_000]);
  }));

Deno.test("a server asks again while what others say may be other soon", () =>
  DrivenClock.with(async (clock) => {
    const { company, heads } = setUp();
    let place = 6;
    answering(company.join("b"), () => has(++place));
    const isFinal = (it: Other) => it.place === 9;
    const others = await clock.until(heads.ask(1, never, isFinal));
    assertEquals([others.map((it) => it.place), clock.now], [[9], 1_000]);
  }));

Deno.test("a server asks no more once it has heard of one that is enough", () =>
  DrivenClock.with(async (clock) => {
    const { company, heads } = setUp();
    answering(company.join("b"), () => has(7));
    for (const expected of [0, 5]) {
      const asking = heads.ask(expected, (it) => it.place === 7, never);
      assertEquals((await clock.until(asking)).length, 1);
    }
    assertEquals(clock.now, 0);
  }));

Deno.test("a server answers who asks, it alone, and nobody who only says what it has", () => {
  const { company } = setUp();
  const [b, c] = [company.join("b"), company.join("c")];
  const heard: unknown[] = [];
  for (const it of [b, c]) {
    it.hear("heads", (message) => void heard.push([it.own, message]));
  }
  for (const asks of [false, undefined, 1]) {
    b.tell("heads", { asks, ...has(7) }, "a");
  }
  assertEquals(heard, []);
  b.tell("heads", { asks: true, ...has(7) }, "a");
  assertEquals(heard, [["b", { asks: false, ...OWN }]]);
});

Deno.test("what a server says counts for itself, whatever id it names", () =>
  DrivenClock.with(async (clock) => {
    const { company, heads } = setUp();
    answering(company.join("b"), () => ({ id: "c", ...has(7) }));
    const [other] = await clock.until(heads.ask(1, never));
    assertEquals(other?.id, "b");
  }));

Deno.test("a server that hears nobody lets go of what it has waited for in vain", () =>
  DrivenClock.with(async (clock) => {
    const { heads } = setUp();
    const waits: Promise<void>[] = [];
    const { wait } = Notify.prototype;
    const noted = function (this: Notify) {
      const waiting = wait.call(this);
      waits.push(waiting);
      return waiting;
    };
    using _ = replaced(Notify.prototype, "wait", noted);
    for (let time = 0; time < 2; time++) {
      assertEquals(await clock.until(heads.ask(0, never)), []);
    }
    assertEquals([waits.length, new Set(waits).size], [6, 6]);
  }));
