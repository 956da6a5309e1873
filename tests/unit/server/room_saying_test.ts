/**
 * The room: one order for everybody, who may come in, what a newcomer and one who left can read, and what
 * happens when the log can't be written. The log is a real one; guests are the tests' own, and read with real
 * epoch keys what a real outlet writes to them.
 *
 * @module
 */

import { assert, assertEquals } from "../../kit/assert.ts";
import { assertFollows, RING_SIZE, Setup } from "../../kit/room_setup.ts";

Deno.test("Room.say() takes what was submitted together as one write to the log and one broadcast", async () => {
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  const ben = await setup.join("ben");
  setup.writes.length = 0;
  const before = ben.guest.broadcasts.length;
  const taken: Promise<void>[] = [];
  for (let n = 1; n <= 100; n++) {
    for (const { seat } of [ana, ben]) {
      taken.push(setup.say(seat, { n, text: `line ${n}` }));
    }
  }
  await Promise.all(taken);
  await ben.guest.untilLine(202);
  assertEquals(setup.writes, [200]);
  assertEquals(ben.guest.broadcasts.length - before, 1);
  assertEquals(ben.guest.of("batch").at(-1)?.seq, 3);
  await assertFollows(setup, ben.guest, 2);
});

Deno.test("Room.say() splits what fits no single record, without a gap in the numbers", async () => {
  await using setup = await Setup.create();
  const { guest, seat } = await setup.join("ana");
  const lines = Array.from({ length: 100 }, (_, at) => ({
    n: at + 1,
    text: "x".repeat(4_096),
  }));
  await setup.say(seat, ...lines);
  await guest.untilLine(101);
  assert(guest.broadcasts.length > 6);
  await assertFollows(setup, guest, 1);
});

Deno.test("Room.say() carries out more than the ring holds, in as many batches as it takes", async () => {
  await using setup = await Setup.create({ ring: 2 * RING_SIZE });
  const { guest, seat } = await setup.join("ana");
  // Each event is many times longer than its text.
  const taken = Array.from({ length: 25 }, (_, chunk) => {
    const lines = Array.from({ length: 4_000 }, (_, at) => ({
      n: 1_000_000_000 + chunk * 4_000 + at,
      text: "x",
    }));
    return setup.say(seat, ...lines);
  });
  await Promise.race([Promise.all(taken), setup.running]);
  await Promise.race([guest.untilLine(100_001), setup.running]);
  assertEquals(guest.of("said").length, 100_000);
  assertEquals(guest.dropped, false);
});

Deno.test("Room.say() drops what a member says after it has left", async () => {
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  const ben = await setup.join("ben");
  const said = setup.say(ana.seat, { n: 1, text: "in time" });
  setup.room.leave(ana.seat, "left");
  await setup.say(ana.seat, { n: 2, text: "too late" });
  await said;
  await setup.say(ben.seat, { n: 1, text: "the end" });
  await ben.guest.until("said", ({ text }) => text === "the end");
  const texts = ben.guest.of("said").map(({ text }) => text);
  assertEquals(texts, ["in time", "the end"]);
  await assertFollows(setup, ben.guest, 2);
});
