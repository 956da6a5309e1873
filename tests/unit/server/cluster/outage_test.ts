/**
 * When members are told that the stream can't be used, in time that a test moves.
 *
 * @module
 */

import { Outage } from "../../../../src/server/cluster/outage.ts";
import { assertEquals } from "../../../kit/assert.ts";
import { ManualClock } from "../../../kit/memory_stream.ts";

Deno.test("members are told once that the stream is away for 2 s, and once that it is back", () => {
  using clock = new ManualClock();
  const told: boolean[] = [];
  using outage = new Outage((is) => void told.push(is));
  for (let time = 0; time < 2; time++) {
    outage.set(false);
    clock.advance(1_000);
    outage.set(false); // which is no news
    clock.advance(999);
    assertEquals(told.splice(0), []);
    clock.advance(1);
    outage.set(false);
    clock.advance(9_000);
    assertEquals(told.splice(0), [true]);
    outage.set(true);
    outage.set(true);
    assertEquals(told.splice(0), [false]);
  }
});

Deno.test("members are told nothing of a stream that is back within 2 s, nor after the end", () => {
  using clock = new ManualClock();
  const told: boolean[] = [];
  const outage = new Outage((is) => void told.push(is));
  outage.set(true);
  outage.set(false);
  clock.advance(1_999);
  outage.set(true);
  clock.advance(9_000);
  outage.set(false);
  outage[Symbol.dispose]();
  outage.set(true);
  outage.set(false); // as the connection to it ends, too
  assertEquals(clock.pending, 0);
  clock.advance(9_000);
  assertEquals([told, clock.pending], [[], 0]);
  outage.set(false); // the way to it is closed
  assertEquals(clock.pending, 0);
  const away = new Outage((is) => void told.push(is));
  away.set(false);
  clock.advance(2_000);
  away[Symbol.dispose]();
  away.set(true);
  assertEquals(told, [true]);
});
