/** Tests which clock of a server is believed. */

import { ClockWatch } from "../../../../src/server/sealed/clock_watch.ts";
import { assertEquals } from "../../../kit/assert.ts";

const DAY = 86_400_000;

Deno.test("ClockWatch holds a clock against what it said at the start", () => {
  const now = Date.now();
  const clock = new ClockWatch(now);
  const believed = [now + 2 * DAY, now, now - 2 * DAY, now + DAY / 2]
    .map((at) => clock.isRight(at));
  assertEquals(believed, [false, true, false, true]);
});

Deno.test("ClockWatch believes what a clock says first whose time at the start isn't known", () => {
  const now = Date.now() - 1_000 * DAY;
  const clock = new ClockWatch();
  const believed = [now, now + 2 * DAY, now].map((at) => clock.isRight(at));
  assertEquals(believed, [true, false, true]);
});
