/**
 * Who is gone from the room because nothing is heard of it, in time that a test moves.
 *
 * @module
 */

import { Leases } from "../../../../src/server/cluster/lease.ts";
import { assertEquals } from "../../../kit/assert.ts";
import { MemoryCompany } from "../../../kit/memory_siblings.ts";
import { ManualClock } from "../../../kit/memory_stream.ts";

/** A server, "b" beside it, and the time. */
function setUp() {
  const clock = new ManualClock();
  const company = new MemoryCompany();
  const siblings = company.join("a");
  const other = company.join("b");
  const told: unknown[] = [];
  other.hear("alive", ({ stops }) => void told.push(stops));
  const is = { in: true, current: true };
  const gone: unknown[] = [];
  const others = ["b"];
  const leases = new Leases({
    siblings,
    others: () => others,
    isIn: () => is.in,
    isCurrent: () => is.current,
    silent: (...what) => void gone.push(what),
  });
  return {
    clock,
    /** What "b" is told. */
    told,
    is,
    others,
    leases,
    /** "b" lives. */
    live: (stops = false) => other.tell("alive", { stops }),
    /** Time passes. @returns Who is gone. */
    pass(ms: number): unknown[] {
      clock.advance(ms);
      return gone.splice(0);
    },
    [Symbol.dispose]() {
      leases[Symbol.dispose]();
      assertEquals(clock.pending, 0);
      clock[Symbol.dispose]();
    },
  };
}

Deno.test("a server that is unheard for 5 s is lost, and that is said each second until it isn't in any more", () => {
  using it = setUp();
  assertEquals(it.pass(4_999), []);
  assertEquals(it.pass(1), [["b", "lost"]]);
  assertEquals(it.pass(2_000), [["b", "lost"], ["b", "lost"]]);
  it.others.pop();
  assertEquals(it.pass(10_000), []);
});

Deno.test("a server has its 5 s from when it was heard last, or when it came", () => {
  using it = setUp();
  it.pass(3_500);
  it.live();
  assertEquals(it.pass(4_999), []);
  assertEquals(it.pass(501), [["b", "lost"]]);
  it.live();
  it.others.push("c");
  assertEquals(it.pass(5_999), [["b", "lost"]]);
  assertEquals(it.pass(1), [["b", "lost"], ["c", "lost"]]);
});

Deno.test("a server that said that it stops has stopped when it is silent, and no other one has", () => {
  using it = setUp();
  it.others.push("c");
  it.live(true);
  it.live();
  assertEquals(it.pass(5_000), [["b", "stopped"]]);
  assertEquals(it.pass(1_000), [["b", "stopped"], ["c", "lost"]]);
});

Deno.test("a server says each second that it lives while it is in, and from its stop on, at once, that it stops", () => {
  using it = setUp();
  it.pass(2_000);
  assertEquals(it.told, [false, false, false]);
  it.is.in = false;
  it.pass(2_000);
  it.is.in = true;
  assertEquals(it.told.splice(0).length, 3);
  it.leases.stop();
  it.pass(1_000);
  assertEquals(it.told, [true, true]);
});

Deno.test("a server that isn't up to date says that it lives, and that nobody is gone", () => {
  using it = setUp();
  it.is.current = false;
  assertEquals(it.pass(9_000), []);
  assertEquals(it.told.length, 10);
  it.is.current = true;
  it.pass(5_000);
  it.is.current = false;
  assertEquals(it.pass(1_000), []);
});

Deno.test("nobody is gone until 5 s after a server was out itself, or couldn't hear", () => {
  using it = setUp();
  it.pass(1_000);
  it.is.in = false;
  assertEquals(it.pass(9_000), []);
  it.is.in = true;
  assertEquals(it.pass(4_000), []);
  assertEquals(it.pass(1_000), [["b", "lost"]]);
});

Deno.test("nobody is gone until 5 s after this process stood still for more than a second", () => {
  for (const [still, lost] of [[1_000, 4_000], [1_001, 9_000]] as const) {
    using it = setUp();
    it.pass(3_000);
    const { now } = performance;
    performance.now = () => now() + still; // until the clock is given back
    let passed = 4_000;
    while (it.pass(1_000).length === 0 && passed < 20_000) passed += 1_000;
    assertEquals(passed, lost, `${still} ms`);
  }
});
