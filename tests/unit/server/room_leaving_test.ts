/**
 * The room: one order for everybody, who may come in, what a newcomer and one who left can read, and what
 * happens when the log can't be written. The log is a real one; guests are the tests' own, and read with real
 * epoch keys what a real outlet writes to them.
 *
 * @module
 */

import { DecryptionError, fromBase64url } from "../../../crypto_utils.ts";
import type { Event } from "../../../src/protocol/events.ts";
import { HERE } from "../../../src/server/batch.ts";
import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";
import {
  assertFollows,
  GivenOrder,
  type Insider,
  nameOf,
  opened,
  opensAny,
  Setup,
} from "../../kit/room_setup.ts";
import { until } from "../../kit/turns.ts";

Deno.test("Room.leave() ends what the one who left can read at once, where no key was renewed lately", async () => {
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  const ben = await setup.join("ben");
  const count = ben.guest.broadcasts.length;
  setup.room.leave(ana.seat, "left");
  ana.guest.dismiss("left");
  await ben.guest.until("left");
  await setup.say(ben.seat, { n: 1, text: "among ourselves" });
  await ben.guest.until("said");
  const later = ben.guest.broadcasts.slice(count);
  assertEquals(later.length, 2);
  assertEquals(await opened(ana.guest, ben.guest.broadcasts), []);
  for (const record of later) {
    for (const { key } of ana.guest.epochs) {
      assert(!await opensAny(fromBase64url(key), record));
    }
  }
  assertEquals(ben.guest.failure, undefined);
});

Deno.test("Room.leave() gives the line a number that can be read, also after the highest that there is, and nothing comes of a second one", async () => {
  await using setup = await Setup.create();
  const ben = await setup.join("ben");
  const { seat } = await setup.join("ana", { n: Number.MAX_SAFE_INTEGER });
  setup.room.leave(seat, "left");
  const { n } = await ben.guest.until("left");
  assertEquals(n, Number.MAX_SAFE_INTEGER);
  const { length } = ben.guest.broadcasts;
  setup.room.leave(seat, "left");
  setup.room.remove(seat.member.person, "removed by ben");
  setup.room.rename(seat, ben.seat.member.name);
  setup.room.release(seat, 1);
  setup.room.away(seat, "lunch");
  await setup.say(seat, { n, text: "x" });
  await setup.say(ben.seat, { n: 1, text: "alone" });
  await ben.guest.until("said");
  assertEquals(ben.guest.broadcasts.length, length + 1);
  assertEquals(setup.writes, [1, 1, 1, 1]);
});

Deno.test("Room.leave() renews the key within 900 ms of the last renewal, however many leave", async () => {
  await using setup = await Setup.create();
  const { clock } = setup;
  const [ana, ben, carla, dmitri] = [
    await setup.join("ana"),
    await setup.join("ben"),
    await setup.join("carla"),
    await setup.join("dmitri"),
  ];
  const { guest } = dmitri;
  let n = 0;
  const say = async (text: string) => {
    await setup.say(dmitri.seat, { n: ++n, text });
    await guest.until("said", (event) => event.text === text);
  };
  const leave = async ({ seat, guest: leaver }: Insider) => {
    // As its connection does first of all, so that it still knows the key of before.
    leaver.dismiss("left");
    setup.room.leave(seat, "left");
    await guest.until("left", ({ id }) => id === seat.id);
  };
  await leave(ana); // renews
  assertEquals(guest.epochs.length, 2);
  clock.advance(100);
  await leave(ben);
  clock.advance(300);
  await leave(carla);
  await say("at 400");
  clock.advance(499);
  await say("at 899");
  assertEquals(guest.epochs.length, 2);
  clock.advance(1);
  await say("at 900");
  await say("and after");
  assertEquals(guest.epochs.length, 3);
  clock.advance(5_000);
  await say("much later");
  assertEquals(guest.epochs.length, 3); // nobody has left since

  const said = (events: readonly Event[]) =>
    events.flatMap((event) => event.kind === "said" ? [event.text] : []);
  const { broadcasts } = guest;
  assertEquals(await opened(ana.guest, broadcasts), []);
  for (const leaver of [ben, carla]) {
    const read = said(await opened(leaver.guest, broadcasts));
    assertEquals(read, ["at 400", "at 899"]);
  }
});

Deno.test("Room.leave() is logged and told when the log can be written again", async () => {
  await using setup = await Setup.create();
  const { clock } = setup;
  const ana = await setup.join("ana");
  const ben = await setup.join("ben");
  const carla = await setup.join("carla");
  setup.breakLog();
  setup.room.leave(ana.seat, "lost");
  await setup.say(ben.seat, { n: 1, text: "x" });
  await ben.guest.until("refused");
  setup.room.leave(carla.seat, "silent");
  await setup.say(ben.seat, { n: 2, text: "y" });
  await ben.guest.until("refused", ({ n }) => n === 2);
  assertEquals(ben.guest.of("left"), []);
  setup.mend();
  clock.advance(999);
  await setup.say(ben.seat, { n: 3, text: "mended" });
  await ben.guest.until("said");
  assertEquals(ben.guest.of("left"), []);
  clock.advance(1);
  await until(() => ben.guest.of("left").length === 2);
  const reasons = ben.guest.of("left").map(({ reason }) => reason);
  assertEquals(reasons, ["lost", "silent"]);
  assertEquals(setup.room.size, 1);
  await assertFollows(setup, ben.guest, 2);
});

Deno.test("Room.leave() takes the key from the one who left as soon as anything can be said again", async () => {
  await using setup = await Setup.create();
  const { clock } = setup;
  const ana = await setup.join("ana");
  const ben = await setup.join("ben");
  await ana.guest.until("joined", ({ id }) => id === ben.seat.id);
  await ana.guest.until("ratchet");
  setup.breakLog();
  ana.guest.outlet.abandon(); // as its connection does
  setup.room.leave(ana.seat, "lost");
  await setup.say(ben.seat, { n: 1, text: "refused" });
  await ben.guest.until("refused");
  setup.mend();
  await setup.say(ben.seat, { n: 2, text: "among ourselves" });
  await ben.guest.until("said");
  assertEquals(await opened(ana.guest, ben.guest.broadcasts), []);
  clock.advance(1_000);
  await until(() => ben.guest.of("left").length === 1);
});

Deno.test("Room.leave() comes after all that the member said, though that had to wait", async () => {
  await using setup = await Setup.create();
  const { clock } = setup;
  const ana = await setup.join("ana");
  const ben = await setup.join("ben");
  await ana.guest.untilLine(2);
  setup.congest(true);
  const saying = setup.say(ben.seat, { n: 1, text: "one last thing" });
  setup.room.leave(ben.seat, "left");
  await setup.join("carla");
  assertEquals(setup.room.size, 3);
  setup.congest(false);
  clock.advance(5);
  await saying;
  await ana.guest.until("left");
  const logged = await setup.logged();
  assertEquals(
    logged.slice(-2).map(({ what, text }) => [what, text]),
    [["said", "one last thing"], ["left", "left"]],
  );
  await assertFollows(setup, ana.guest, 1);
});

Deno.test("Room.remove() removes a person once the log can be written again, where it can't now, and those who leave beside it leave", async () => {
  await using setup = await Setup.create();
  const { clock } = setup;
  const ben = await setup.join("ben");
  const eve = await setup.join("eve");
  const ana = await setup.join("ana");
  setup.breakLog();
  setup.room.leave(ana.seat, "lost"); // in the same batch
  setup.room.remove(eve.seat.member.person, "removed by ben");
  await setup.say(ben.seat, { n: 1, text: "not logged" });
  await ben.guest.until("refused");
  setup.mend();
  clock.advance(1_000);
  await until(() => ben.guest.of("left").length === 2);
  const left = ben.guest.of("left").map(({ id, reason }) => [id, reason]);
  assertEquals(left, [
    [ana.seat.id, "lost"],
    [eve.seat.id, "removed by ben"],
  ]);
  assertEquals(eve.guest.goodbyes, ["removed"]);
  assertEquals(setup.room.size, 1);
});

Deno.test("Room takes the key from connections of this server that the others took for gone", async () => {
  const order = new GivenOrder();
  await using setup = await Setup.create({ order });
  const ana = await setup.join("ana");
  const gone = { kind: "gone", server: HERE, reason: "lost" } as const;
  const at = Date.now();
  order.given.push({ items: [gone], at, behind: setup.log.head });
  const ben = await setup.join("ben");
  assertEquals(ana.guest.goodbyes, ["adrift"]);
  await setup.say(ben.seat, { n: 1, text: "among ourselves" });
  await ben.guest.until("said");
  const follower = await (await ana.guest.lastReader()).ratchet();
  for (const { body, header } of ben.guest.broadcasts) {
    await assertRejects(() => follower.open(body, header), DecryptionError);
  }
});

Deno.test("Room has in the log the connection by which others are told that somebody left, whichever was the last", async () => {
  await using setup = await Setup.create();
  const ben = await setup.join("ben");
  const desk = await setup.join("ana", { key: "ana" });
  const [, laptop] = await setup.ask("ana", { key: "ana" });
  assert(typeof laptop === "object" && "stay" in laptop);
  await setup.say(desk.seat, { n: 5, text: "hello" });
  // Both in one turn of the room's: others hear of the first alone, which ends after its person has left.
  setup.room.leave(desk.seat, "lost");
  setup.room.leave(laptop, "good night");
  const told = await ben.guest.until("left");
  const logged = (await setup.logged()).find(({ what }) => what === "left");
  assertEquals([told.id, ben.guest.of("parted")], [desk.seat.id, []]);
  assertEquals([told.n, told.reason], [6, "good night"]);
  assertEquals([logged?.stay, logged?.n], [desk.seat.stay, 6]);
});

Deno.test("Room does nothing that one asks for who has left, tells nobody that one is away who leaves, and numbers a leaving no higher than can be read", async () => {
  await using setup = await Setup.create();
  const { room } = setup;
  const ben = await setup.join("ben");
  const most = Number.MAX_SAFE_INTEGER;
  const ana = await setup.join("ana", { n: most });
  room.away(ana.seat, "lunch");
  room.leave(ana.seat, "left");
  room.away(ana.seat, "tea");
  room.rename(ana.seat, nameOf("anna"));
  room.release(ana.seat, 1);
  await setup.say(ben.seat, { n: 1, text: "x" });
  await ben.guest.until("said");
  assertEquals(ben.guest.of("left").map(({ n }) => n), [most]);
  assertEquals([ben.guest.of("absent"), ben.guest.of("renamed")], [[], []]);
  assertEquals(ana.guest.of("answered"), []);
  const logged = (await setup.logged()).slice(2);
  assertEquals(logged.map(({ what }) => what), ["left", "said"]);
});
