/** Tests which clock of a server is believed. */

import { ClockWatch } from "../../../../src/server/sealed/clock_watch.ts";
import { assertEquals } from "../../../kit/assert.ts";
import { withMethod } from "../../../kit/log_kit.ts";
import { overhear } from "../../../kit/overhear.ts";

const START = Date.UTC(2026, 10, 23);
const DAY = 86_400_000;

/** Runs a test at a time that stands still; what it is given has it go on, ms. */
function test(
  name: string,
  fn: (pass: (ms: number) => void) => Promise<void> | void,
): void {
  Deno.test(name, () => {
    let now = 1_000;
    const pass = (ms: number) => void (now += ms);
    return withMethod(
      performance,
      "now",
      () => () => now,
      () => Promise.resolve(fn(pass)),
    );
  });
}

test("ClockWatch holds a clock against what it said at the start, or at last as it was right", (pass) => {
  const clock = new ClockWatch(START);
  const believed = (...days: number[]) =>
    days.map((it) => clock.isRight(START + it * DAY));
  assertEquals(believed(2, 0, -2, 0.5), [false, true, false, true]);
  assertEquals(believed(1.5, 2.5, 3.6), [true, true, false]); // it was set by a day each
  assertEquals(believed(1.5, 0.4), [true, false]);
  pass(3 * DAY);
  assertEquals(believed(3.4, 3.6, 5.5, 5.7), [false, true, false, false]);
});

test("ClockWatch believes what a clock says first whose time at the start isn't known", () => {
  const clock = new ClockWatch();
  const ats = [-1_000, -998, -1_000].map((day) => START + day * DAY);
  assertEquals(ats.map((at) => clock.isRight(at)), [true, false, true]);
});

test("ClockWatch says once by how many days a clock jumped, and which way, and anew when it jumps once more", async () => {
  const clock = new ClockWatch(START);
  const said = await overhear("error", () => {
    for (const days of [2, 2, 3, 0, 3, -2, -2]) {
      clock.isRight(START + days * DAY);
    }
    return Promise.resolve();
  });
  const words = (jump: string) =>
    `error room: The clock jumped by ${jump}: no control lines are taken, since invites end by it. Set it right, or start the server again if it is right now`;
  assertEquals(said, [
    words("2 days forward"),
    words("3 days forward"),
    words("3 days forward"),
    words("2 days back"),
  ]);
});
