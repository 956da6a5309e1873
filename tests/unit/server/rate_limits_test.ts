/**
 * Tests of `src/server/rate_limits.ts`.
 *
 * @module
 */

import {
  Allowance,
  isLoopback,
  networkOf,
  Pauses,
  Purse,
  Purses,
  type Rates,
  Tally,
  TokenBucket,
} from "../../../src/server/rate_limits.ts";
import { assert, assertEquals } from "../../kit/assert.ts";

/** A clock that the test moves, ms. */
function clock(): { now: () => number; pass: (ms: number) => void } {
  let time = 0;
  return {
    now: () => time,
    pass: (ms) => {
      time += ms;
    },
  };
}

Deno.test("TokenBucket lets a burst through and then no more than its rate", () => {
  const { now, pass } = clock();
  const bucket = new TokenBucket(60, 20, now);
  assertEquals(bucket.take(60), 0);
  assertEquals(bucket.take(20), 1_000);
  pass(1_000);
  assertEquals(bucket.take(10), 500);
  pass(10_000);
  assertEquals(bucket.take(60), 0); // never more than the burst is saved up
  assertEquals(bucket.take(1), 50);
});

Deno.test("TokenBucket holds to its rate over any pattern of taking", () => {
  const { now, pass } = clock();
  const bucket = new TokenBucket(100, 50, now);
  let taken = 0;
  for (let step = 1; step <= 1_000; step++) {
    const amount = step * 7919 % 40;
    taken += amount;
    pass(bucket.take(amount)); // a client that waits as long as it is told
    assert(taken <= 100 + 50 * now() / 1_000 + 1e-6, `${taken} at ${now()}`);
  }
});

Deno.test("TokenBucket without a rate lets everything through", () => {
  const bucket = new TokenBucket(1, 0, () => 0);
  assertEquals([bucket.take(1e9), bucket.take(1e9)], [0, 0]);
});

const RATES: Rates = { burst: 10, perSecond: 2, bytesPerMessage: 100 };

Deno.test("Purse makes whoever spends wait for lines and for bytes, and is full when both are back", () => {
  const { now, pass } = clock();
  const purse = new Purse(RATES, now);
  assertEquals([purse.take(10, 1_000), purse.isFull], [0, false]);
  assertEquals(purse.take(2, 0), 1_000);
  assertEquals(purse.take(0, 400), 2_000);
  pass(6_999); // by now it has all its lines
  assertEquals(purse.isFull, false);
  pass(1);
  assertEquals(purse.isFull, true);
  purse.take(1, 0);
  assertEquals(purse.isFull, false);
});

Deno.test("Allowance pays once for what was spent, and not for the bytes that were asked for", () => {
  const allowance = new Allowance(new Purse(RATES, () => 0));
  allowance.spend(4);
  allowance.spend(6);
  assertEquals(allowance.settle(1_000), 0);
  allowance.spend(2);
  assertEquals([allowance.settle(0), allowance.settle(0)], [1_000, 1_000]);
  allowance.excuse(300);
  assertEquals(allowance.settle(700), 2_000);
  assertEquals(allowance.settle(200), 3_000);
  allowance.excuse(900);
  assertEquals(allowance.settle(100), 3_000); // what is left of that pays for nothing
});

Deno.test("Allowance.payFor() has all connections of a person pay from the purse of the first, and nobody else", () => {
  const purses = new Purses();
  const [first, second, other] = ["ana", "ana", "ben"].map((person) => {
    const allowance = new Allowance(new Purse(RATES, () => 0));
    allowance.payFor(person, purses);
    return allowance;
  });
  assertEquals(first?.settle(1_000), 0);
  assertEquals([second?.settle(200), other?.settle(200)], [1_000, 0]);
});

Deno.test("Purses forgets those from which nothing is missing, when there are many, and no other", () => {
  const { now, pass } = clock();
  const purses = new Purses();
  const kept = new Map<string, Purse>();
  const come = (person: string, spent: number) => {
    const own = new Purse(RATES, now);
    own.take(spent, 0);
    kept.set(person, purses.of(person, own));
  };
  /** Whether somebody still has the purse that it had first. */
  const isKnown = (person: string) =>
    purses.of(person, new Purse(RATES, now)) === kept.get(person);
  for (let n = 1; n <= 200; n++) come(`in debt ${n}`, 10);
  for (let n = 201; n <= 256; n++) come(`rich ${n}`, 0);
  assert(isKnown("rich 201") && isKnown("rich 256"));
  come("one more", 0);
  assertEquals(isKnown("in debt 1"), true);
  assertEquals(["rich 201", "rich 256"].map(isKnown), [false, false]);
  // From here on twice as many as are left are remembered before the next look.
  for (let n = 1; n <= 198; n++) come(`later ${n}`, 0);
  assert(isKnown("later 1") && isKnown("in debt 200"));
  pass(10_000); // all is paid for
  come("the last", 0);
  assertEquals(["later 1", "in debt 200"].map(isKnown), [false, false]);
});

Deno.test("networkOf() takes an IPv4 address as it is and of IPv6 the first 64 bits", () => {
  const cases = [
    ["192.0.2.7", "192.0.2.7"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:DB8:1:2::9", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["fe80::", "fe80:0:0:0::/64"],
    ["::", "0:0:0:0::/64"],
    ["1:2:3::", "1:2:3:0::/64"],
    ["1::2:3:4:5:6:7", "1:0:2:3::/64"],
    ["1:2:3:4:5:6:7::", "1:2:3:4::/64"],
    ["::2:3:4:5:6:7:8", "0:2:3:4::/64"],
    // What only looks like an IPv4 address in another form.
    ["2001:db8::ffff:192.0.2.7", "2001:db8:0:0::/64"],
    ["::ffff:1234:5678", "0:0:0:0::/64"],
  ] as const;
  for (const [address, network] of cases) {
    assertEquals(networkOf(address), network);
  }
});

Deno.test("isLoopback() knows this machine's own addresses", () => {
  const own = ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"];
  const others = ["192.0.2.7", "10.127.0.1", "::2", "128.0.0.1"];
  assertEquals(own.map(isLoopback), own.map(() => true));
  assertEquals(others.map(isLoopback), others.map(() => false));
});

Deno.test("Tally counts up and down and forgets what is at zero", () => {
  const tally = new Tally();
  tally.add("a");
  tally.add("a");
  tally.add("b");
  tally.remove("a");
  assertEquals([tally.of("a"), tally.of("b"), tally.of("c")], [1, 1, 0]);
  tally.remove("a");
  assertEquals([tally.of("a"), tally.total], [0, 1]);
});

Deno.test("Pauses grow, end, and concern no other network", () => {
  const { now, pass } = clock();
  pass(1_000_000);
  const pauses = new Pauses(5, now);
  const found: number[] = [];
  for (let count = 0; count < 12; count++) {
    found.push(pauses.of("192.0.2.7"));
    pauses.add("192.0.2.7");
  }
  assertEquals(found, [
    ...[0, 0, 0, 0, 0],
    ...[250, 500, 1_000, 2_000, 4_000, 8_000, 8_000],
  ]);
  assertEquals(pauses.of("192.0.2.8"), 0);
  pass(600_000);
  assertEquals(pauses.of("192.0.2.7"), 250); // five of them are forgiven
  pass(600_000);
  assertEquals(pauses.of("192.0.2.7"), 0);
});

Deno.test("Pauses never begin where it isn't done more often than allowed", () => {
  const { now, pass } = clock();
  const pauses = new Pauses(60, now);
  for (let count = 0; count < 1_000; count++) {
    assertEquals(pauses.of("192.0.2.7"), 0);
    pauses.add("192.0.2.7");
    pass(10_000);
  }
});

Deno.test("Pauses remember a bounded number of networks, the latest", () => {
  const pauses = new Pauses(5, () => 0);
  for (let count = 0; count < 6; count++) pauses.add("first");
  for (let count = 0; count < 6; count++) pauses.add("second");
  for (let other = 0; other < 9_999; other++) pauses.add(`other ${other}`);
  assertEquals(pauses.of("first"), 0);
  assertEquals(pauses.of("second"), 500);
  pauses.add("second"); // by now it is the latest
  pauses.add("third");
  assertEquals(pauses.of("second"), 1_000);
});
