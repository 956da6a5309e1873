/**
 * Tests of `src/base/notify.ts`.
 *
 * @module
 */

import { Notify } from "../../../src/base/notify.ts";
import { assertEquals } from "../../kit/assert.ts";

Deno.test("Notify wakes all who wait, and nobody who comes after", async () => {
  const signal = new Notify();
  const woken: string[] = [];
  const waits = async (who: string) => {
    await signal.wait();
    woken.push(who);
  };
  const first = [waits("ana"), waits("ben")];
  signal.notify();
  const late = waits("cleo");
  await Promise.all(first);
  assertEquals(woken, ["ana", "ben"]);
  signal.notify();
  await late;
  assertEquals(woken, ["ana", "ben", "cleo"]);
});

Deno.test("Notify keeps no signal that is given while nobody waits", async () => {
  const signal = new Notify();
  signal.notify();
  let woken = false;
  const waiting = signal.wait().then(() => woken = true);
  await Promise.resolve();
  assertEquals(woken, false);
  signal.notify();
  await waiting;
  assertEquals(woken, true);
});
