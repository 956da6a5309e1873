/**
 * Which messages of other servers are new, and which of one's own are recent.
 *
 * @module
 */

import { Freshness, Recent } from "../../../../src/server/cluster/freshness.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";

Deno.test("Each number of a server counts once, in whatever order they come, and none from before it was met", () => {
  const freshness = new Freshness();
  assertEquals(freshness.knows("a"), false);
  assertEquals(freshness.take("a", 9), false);
  freshness.meet("a", 5);
  const taken = [4, 5, 7, 6, 6, 7, 5, 4_000, 4_000, 8, 2_976, 2_975, 3_999]
    .map((k) => freshness.take("a", k));
  const is = [0, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0, 1].map(Boolean);
  // 4,000 is the last: of those before 2,977 nothing is known any more.
  assertEquals(taken, is.with(10, false));
  freshness.meet("a", 0); // was met
  assertEquals(freshness.take("a", 3), false);
  for (let k = 4_001; k < 6_000; k++) assert(freshness.take("a", k));
  for (let k = 4_001; k < 6_000; k++) assert(!freshness.take("a", k));
});

Deno.test("Of a server's messages the last 1,024 numbers are known, also once older ones are forgotten", () => {
  const freshness = new Freshness();
  freshness.meet("a", 0);
  for (let k = 0; k <= 2_048; k++) freshness.take("a", k);
  const again = [1_024, 1_025, 2_048].map((k) => freshness.take("a", k));
  assertEquals(again, [false, false, false]);
  freshness.meet("b", 0);
  freshness.take("b", 4_000);
  const late = [2_976, 2_977].map((k) => freshness.take("b", k));
  assertEquals(late, [false, true]);
});

Deno.test("A message is recent for 5 s at least, and for 15 s at most", () => {
  const recent = new Recent();
  const START = 1_000_000;
  assertEquals(recent.from(7, START), 7);
  recent.sent(10, START);
  assertEquals(recent.from(99, START), 10);
  recent.sent(11, START + 4_999);
  recent.sent(12, START + 5_000);
  assertEquals(recent.from(99, START + 14_999), 10);
  assertEquals(recent.from(99, START + 15_000), 99);
  recent.sent(20, START + 14_999);
  assertEquals(recent.from(99, START + 14_999), 12);
  recent.sent(30, START + 24_999);
  assertEquals(recent.from(99, START + 24_999), 30);
});
