/**
 * Tests of `src/server/handshake_limits.ts`.
 *
 * @module
 */

import {
  type HandshakeLimits,
  Handshakes,
} from "../../../src/server/handshake_limits.ts";
import { sourceAt } from "../../../src/server/rate_limits.ts";
import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";

const LIMITS: HandshakeLimits = {
  max: 1_000,
  maxPerNetwork: 1_000,
  newPerNetwork: 1_000,
  countLoopback: false,
  failedPerNetwork: 5,
};

/** Handshakes on a clock that the test moves, and which of them gave way. */
function setup(limits: Partial<HandshakeLimits> = {}) {
  let time = 0;
  const handshakes = new Handshakes({ ...LIMITS, ...limits }, () => time);
  const ended: string[] = [];
  return {
    handshakes,
    ended,
    pass: (ms: number) => void (time += ms),
    begin: (address: string, name = address) =>
      handshakes.begin(sourceAt(address), () => ended.push(name)),
  };
}

Deno.test("Handshakes has no place for one more where the others have only begun", () => {
  const { handshakes, ended, begin, pass } = setup({ maxPerNetwork: 2 });
  assert(begin("192.0.2.7"));
  const second = begin("192.0.2.7");
  assert(second);
  pass(999);
  assertEquals(begin("192.0.2.7"), undefined);
  assert(begin("192.0.2.8"), "another network has places of its own");
  handshakes.end(second);
  handshakes.end(second); // only the first call counts
  assert(begin("192.0.2.7"));
  assertEquals(begin("192.0.2.7"), undefined);
  assertEquals([handshakes.size, ended], [3, []]);
  const alone = begin("192.0.2.9");
  assert(alone);
  for (const _ of [1, 2]) handshakes.end(alone); // the last of its network
  assertEquals(handshakes.size, 3);
});

Deno.test("Handshakes ends the oldest from a network for a new one from there, once it has had a second", () => {
  const { handshakes, ended, begin, pass } = setup({ maxPerNetwork: 2 });
  begin("2001:db8::9", "elsewhere");
  begin("192.0.2.7", "first");
  pass(500);
  begin("192.0.2.7", "second");
  pass(500);
  assert(begin("192.0.2.7", "third"));
  assertEquals(begin("192.0.2.7", "fourth"), undefined);
  assertEquals([handshakes.size, ended], [3, ["first"]]);
});

Deno.test("Handshakes counts who comes from this machine by a proxy as anybody else", () => {
  const limits = { newPerNetwork: 2, countLoopback: false };
  const { handshakes } = setup(limits);
  const source = { ...sourceAt("127.0.0.1"), isHere: false };
  const begin = () => handshakes.begin(source, () => {});
  for (const _ of [1, 2, 3]) begin();
  assertEquals(begin()?.pause, 500);
});

Deno.test("Handshakes ends the oldest of all where there is no place at all", () => {
  const { handshakes, ended, begin, pass } = setup({ max: 3 });
  for (const at of [1, 2, 3]) begin(`192.0.2.${at}`);
  assertEquals(begin("192.0.2.4"), undefined);
  pass(1_000);
  assert(begin("192.0.2.4"));
  assert(begin("192.0.2.5"));
  assertEquals([handshakes.size, ended], [3, ["192.0.2.1", "192.0.2.2"]]);
});

Deno.test("Handshakes ends those that have had their time, which doesn't begin before their pause ends", () => {
  const { handshakes, pass } = setup({ newPerNetwork: 1 });
  const ended: string[] = [];
  const stop = (name: string) => (why: string) => ended.push(`${name} ${why}`);
  const first = handshakes.begin(sourceAt("192.0.2.7"), stop("first"));
  const second = handshakes.begin(sourceAt("192.0.2.7"), stop("second"));
  assertEquals([first?.pause, second?.pause], [0, 250]);
  pass(999);
  handshakes.expire(1_000);
  assertEquals(ended, []);
  pass(1);
  handshakes.expire(1_000);
  assertEquals(ended, ["first late"]);
  if (first) handshakes.end(first);
  pass(250);
  handshakes.expire(1_000);
  assertEquals(ended, ["first late", "second late"]);
});

Deno.test("Handshakes gives the answer to a request more time, and no more claim to its place", () => {
  const { handshakes, ended, begin, pass } = setup({ max: 1 });
  const answer = begin("192.0.2.7", "answer");
  if (answer) answer.extra = 5_000;
  pass(5_999);
  handshakes.expire(1_000);
  assertEquals(ended, []);
  pass(1);
  handshakes.expire(1_000);
  assertEquals(ended, ["answer"]);
  assert(begin("192.0.2.8"));
});

Deno.test("Handshakes counts no time that the server takes, whatever else waits, and counts the peer's anew after it", async () => {
  const { handshakes, ended, begin, pass } = setup({ max: 2 });
  const patient = begin("192.0.2.7", "patient");
  const silent = begin("192.0.2.8", "silent");
  assert(patient && silent);
  const { promise, resolve } = Promise.withResolvers<string>();
  pass(900);
  const work = handshakes.work(patient, () => promise);
  pass(5_000);
  assert(begin("192.0.2.9", "newcomer")); // for the one whose peer is silent
  assertEquals(ended, ["silent"]);
  pass(5_000);
  assert(begin("192.0.2.10"));
  assertEquals(begin("192.0.2.11"), undefined);
  assertEquals(ended, ["silent", "newcomer"]);
  resolve("done");
  assertEquals(await work, "done");
  handshakes.expire(10_000);
  pass(999);
  assertEquals(begin("192.0.2.12"), undefined);
  pass(1);
  assert(begin("192.0.2.13")); // the one that came last has been waited for longer
  assertEquals(ended, ["silent", "newcomer", "192.0.2.10"]);
  pass(8_999);
  assertEquals(handshakes.hasLate(10_000), false);
  pass(1);
  assertEquals(handshakes.hasLate(10_000), true);
  handshakes.expire(10_000);
  assertEquals(ended, ["silent", "newcomer", "192.0.2.10", "patient"]);
});

Deno.test("Handshakes forgets one that ends while the server works for it, and one whose work fails is waited for again", async () => {
  const { handshakes, ended, begin, pass } = setup({ maxPerNetwork: 1 });
  const first = begin("192.0.2.7", "first");
  assert(first);
  await handshakes.work(first, () => {
    handshakes.end(first);
    return Promise.resolve();
  });
  assertEquals(handshakes.size, 0);
  pass(60_000);
  assertEquals(handshakes.hasLate(1), false);
  const second = begin("192.0.2.7", "second");
  assert(second);
  const broken = () => Promise.reject(new RangeError("broken"));
  await assertRejects(() => handshakes.work(second, broken), RangeError);
  pass(1_000);
  assert(begin("192.0.2.7"));
  assertEquals(ended, ["second"]);
});

Deno.test("Handshakes doesn't count a pause twice that its peer had to wait before", async () => {
  const { handshakes, ended, begin, pass } = setup({ newPerNetwork: 1 });
  begin("192.0.2.7");
  const paused = begin("192.0.2.7", "paused");
  assert(paused);
  assertEquals(paused.pause, 250);
  pass(250);
  await handshakes.work(paused, () => Promise.resolve());
  handshakes.end(paused);
  const again = begin("192.0.2.7", "again");
  assert(again);
  await handshakes.work(again, () => Promise.resolve());
  pass(1_000);
  handshakes.expire(1_000);
  assertEquals(ended, ["192.0.2.7", "again"]);
});

Deno.test("Handshakes takes an IPv6 network for one, whatever its last 64 bits", () => {
  const { begin } = setup({ maxPerNetwork: 1 });
  assert(begin("2001:db8:1:2::1"));
  assertEquals(begin("2001:db8:1:2:ffff::2"), undefined);
  assert(begin("2001:db8:1:3::1"));
});

Deno.test("Handshakes lets a network wait that failed too often, or came too often", () => {
  const { handshakes, begin } = setup({ newPerNetwork: 8 });
  const pauses: number[] = [];
  for (let count = 0; count < 11; count++) {
    pauses.push(begin("192.0.2.7")?.pause ?? -1);
  }
  assertEquals(pauses, [0, 0, 0, 0, 0, 0, 0, 0, 250, 500, 1_000]);
  assertEquals(begin("192.0.2.7")?.cause, "new");

  const failing: number[] = [];
  for (let count = 0; count < 7; count++) {
    const unfinished = begin("192.0.2.8");
    assert(unfinished);
    failing.push(unfinished.pause);
    handshakes.fail(unfinished);
  }
  assertEquals(failing, [0, 0, 0, 0, 0, 250, 500]);
  assertEquals(begin("192.0.2.8")?.cause, "failed");
  assertEquals(begin("192.0.2.9")?.pause, 0);
});

Deno.test("Handshakes counts how often this machine comes only where that is asked for", () => {
  for (const [countLoopback, pause] of [[false, 0], [true, 500]] as const) {
    const { begin } = setup({ newPerNetwork: 2, countLoopback });
    for (const _ of [1, 2, 3]) begin("127.0.0.1");
    assertEquals(begin("127.0.0.1")?.pause, pause);
  }
});

Deno.test("Handshakes.clear() ends all that are unfinished", () => {
  const { handshakes, ended, begin } = setup();
  const done = begin("192.0.2.1");
  assert(done);
  begin("192.0.2.2");
  begin("192.0.2.2");
  handshakes.end(done);
  handshakes.clear();
  assertEquals(ended, ["192.0.2.2", "192.0.2.2"]);
});
