/**
 * The room over an order that it shares with other servers: what it proposes when, what it does with what they have
 * decided, and with what it can't have decided. The order is the test's own.
 *
 * @module
 */

import { AdvisedError } from "../../../src/base/advised_error.ts";
import type { Event } from "../../../src/protocol/events.ts";
import type { Item, Of, Seat } from "../../../src/server/batch.ts";
import { shortId } from "../../../src/crypto/person_id.ts";
import { OTHERS_GUEST } from "../../../src/server/cluster/items.ts";
import { Mailbox } from "../../../src/server/mailbox.ts";
import { nextTurn } from "../../../src/server/next_turn.ts";
import type { RoomOptions } from "../../../src/server/room.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
} from "../../kit/assert.ts";
import { Folder } from "../../kit/folder.ts";
import { madeUp, newStay } from "../../kit/people.ts";
import { overhear } from "../../kit/overhear.ts";
import { until } from "../../kit/turns.ts";
import {
  type Insider,
  nameOf,
  outcome,
  Setup,
  SharedOrder,
  type Sizes,
} from "../../kit/room_setup.ts";

/** A room that shares its order, and ana, who is in. */
interface Scene extends Insider {
  readonly setup: Setup;
  readonly order: SharedOrder;
}

/** Does something in a room that shares its order, with ana in it. */
async function inRoom(
  run: (scene: Scene) => Promise<void>,
  options: Partial<RoomOptions> & Sizes = {},
): Promise<void> {
  const order = new SharedOrder();
  await using setup = await Setup.create({ order, ...options });
  order.head = () => setup.log.head;
  const ana = await setup.join("ana", { key: "ana" });
  order.proposed.length = 0;
  await run({ setup, order, ...ana });
}

/** Waits until the room has done what it can. */
async function rest({ room }: SharedOrder): Promise<void> {
  for (let time = 0; time < 10; time++) {
    await room?.between(() => {});
    await nextTurn();
  }
}

/** Waits until the log couldn't be written, and the room waits before it tries again. */
async function untilBroken({ room, clock }: Setup): Promise<void> {
  await until(() => !room.healthy && clock.pending === 1);
}

/** Somebody comes by another server, which has decided it. */
function comesElsewhere(
  word: string,
  { stay = newStay(), id = 50, after = 0, ...others }: Partial<
    Pick<Of<"join">, "id"> & Of<"join">["request"]
  > = {},
): Of<"join"> {
  const request = {
    guest: OTHERS_GUEST,
    candidate: madeUp(word),
    name: nameOf(word),
    stay,
    n: 0,
    after,
    from: 0,
    ...others,
  };
  return { kind: "join", server: "there", id, request, answer: () => {} };
}

/** Has others decide something. */
function decide(order: SharedOrder, ...items: Item[]): void {
  order.given.push({ items, at: Date.now() });
  order.room?.wake();
}

// ── What is proposed ───────────────────────────────────────────────────────────────────────────────────

Deno.test("Room proposes what fits, up to the last byte, and the rest in its order after that", () =>
  inRoom(async ({ setup, order, seat: ana }) => {
    const seats = [ana];
    for (const name of ["ben", "carla", "dora"]) {
      seats.push((await setup.join(name)).seat);
    }
    order.maxSize = 20;
    const cases: readonly (readonly [() => void, string[][]])[] = [
      [
        () => seats.forEach((it) => setup.room.away(it, "lunch")),
        [["away", "away"], ["away", "away"]],
      ],
      [
        () => ["e", "f", "g"].forEach((it) => void setup.ask(it)),
        [["join", "join"], ["join"]],
      ],
      [
        () => [1, 2, 3].forEach((id) => setup.room.got(`${id}`, id)),
        [["got", "got"], ["got"]],
      ],
      // What does not fit has all wait that its member does after it, and nobody else.
      [() => {
        setup.room.away(ana, "a");
        void setup.say(ana, { n: 1, text: "x" }, { n: 2, text: "y" });
        setup.room.away(ana, "b");
        setup.room.away(seats[1] as Seat, "c");
      }, [["away", "away"], ["say"], ["away"]]],
    ];
    for (const [ask, expected] of cases) {
      order.proposed.length = 0;
      ask();
      await order.until(() => order.proposed.length >= expected.length);
      assertEquals(order.proposed, expected);
    }
  }));

Deno.test("Room has nothing overtake what does not fit and is no member's, as of people", () =>
  inRoom(async ({ setup, order }) => {
    order.maxSize = 20;
    order.sizeOf = (item) => item.kind === "got" ? item.id : 10;
    for (const id of [15, 10, 5]) setup.room.got("somebody", id);
    await order.until(() => order.proposed.length === 2);
    assertEquals(order.proposed, [["got"], ["got", "got"]]);
  }));

Deno.test("Room proposes somebody's lines in pieces where they are more than fit, and has all said that wait for them", () =>
  inRoom(async ({ setup, order, seat, guest }) => {
    order.maxSize = 30;
    const counts: number[] = [];
    const propose = order.propose.bind(order);
    order.propose = (items) => {
      counts.push(
        ...items.map((it) => it.kind === "say" ? it.lines.length : 0),
      );
      assert(counts.length < 20, "it proposes pieces without end");
      propose(items);
    };
    const lines = [1, 2, 3, 4, 5, 6, 7].map((n) => ({ n, text: `${n}` }));
    const taken: number[] = [];
    const first = setup.say(seat, ...lines).then(() => taken.push(7));
    const next = setup.say(seat, { n: 8, text: "8" }).then(() => taken.push(8));
    await Promise.all([first, next]);
    await guest.untilLine(9);
    assertEquals(order.proposed, [["say"], ["say"], ["say", "say"]]);
    assertEquals(counts, [3, 3, 1, 1]);
    const numbers = guest.of("said").map(({ n }) => n);
    assertEquals([numbers, taken], [[1, 2, 3, 4, 5, 6, 7, 8], [7, 8]]);
    // What would fit before the rest of them comes after it all the same.
    order.maxSize = 35;
    order.sizeOf = (item) => item.kind === "say" ? 10 * item.lines.length : 1;
    order.proposed.length = 0;
    const more = [11, 12, 13, 14, 15].map((n) => ({ n, text: `${n}` }));
    const saying = setup.say(seat, ...more);
    setup.room.away(seat, "lunch");
    await saying;
    await guest.until("absent");
    assertEquals(order.proposed, [["say"], ["say", "away"]]);
    // A single line, or what is none, is proposed, however large it is.
    order.maxSize = 5;
    await setup.say(seat, { n: 16, text: "16" }, { n: 17, text: "17" });
    await guest.until("said", ({ n }) => n === 17);
    order.sizeOf = () => 50;
    setup.room.away(seat, "");
    await guest.until("absent", ({ text }) => text === "");
  }));

Deno.test("Room has what may be refused wait while others have their turn, and all that its member does after it, but nobody else", () =>
  inRoom(async ({ setup, order, ...ana }) => {
    const ben = await setup.join("ben");
    const dora = await setup.join("dora");
    order.mayDecide = false;
    order.proposed.length = 0;
    const asked = setup.ask("carla");
    const rule = { kind: "rule", seat: { ...ben.seat }, line: { control: {} } };
    order.room?.submit(rule as unknown as Item);
    setup.room.rename(ana.seat, nameOf("anna"));
    setup.room.release(ana.seat, 4);
    setup.room.release(dora.seat, 5);
    setup.room.away(ana.seat, "lunch");
    setup.room.away(ben.seat, "tea");
    await ben.guest.until("absent");
    await rest(order);
    assertEquals(order.proposed, [["away"]]);
    assertEquals(setup.clock.pending, 0); // the order wakes the room
    order.mayDecide = true;
    order.room?.wake();
    await ana.guest.until("answered");
    await dora.guest.until("answered");
    await asked;
    await ana.guest.until("absent", ({ text }) => text === "lunch");
    assertEquals(order.proposed.length, 2);
    assertEquals(ana.guest.of("notice").map(({ text }) => text), [
      "Given up: ana",
    ]);
  }));

Deno.test("Room proposes nothing that is refused as things are, and takes back what it tried", () =>
  inRoom(async ({ setup, order, ...ana }) => {
    const ben = await setup.join("ben");
    order.isFree = false;
    order.proposed.length = 0;
    setup.room.rename(ana.seat, nameOf("dora"));
    setup.room.rename(ben.seat, nameOf("dora"));
    const asked = ["carla", "eve"].map((name) => setup.ask(name));
    await rest(order);
    assertEquals([order.proposed, ana.seat.member.name.shown], [[], "ana"]);
    order.isFree = true;
    order.given.push({ items: [], at: Date.now() }); // which is carried out after the proposal is tried
    order.room?.wake();
    const answers = (await Promise.all(asked)).map(([_, it]) => outcome(it));
    assertEquals(answers, ["in", "room-full"]);
    assertEquals((await ben.guest.until("refused")).reason, "name-taken");
    assertEquals(order.proposed, [["rename", "join"]]);
    assertEquals(ben.seat.member.name.shown, "ben");
    await ben.guest.until("renamed");
    assertEquals([ana.seat.member.name.shown, setup.room.size], ["dora", 3]);
    for (const name of ["x", "y"]) setup.room.rename(ana.seat, nameOf(name));
    await ben.guest.until("renamed", ({ name }) => name === "y");
    const logged = (await setup.logged()).slice(-2);
    assertEquals(logged.map(({ name, text }) => [name, text]), [
      ["dora", "x"], // the last that was tried was taken back first
      ["x", "y"],
    ]);
  }, { maxMembers: 3 }));

Deno.test("Room drops what is larger than servers can share, and goes on", () =>
  inRoom(async ({ setup, order, seat, guest }) => {
    order.maxItemSize = 10;
    await setup.say(seat); // nothing
    await setup.say(seat, { n: 1, text: "x" }, { n: 2, text: "too much" });
    setup.room.away(seat, "lunch"); // is just as large as may be
    await guest.until("absent");
    assertEquals([order.proposed, guest.of("said")], [[["away"]], []]);
    assertEquals(guest.of("notice"), []); // which is for control lines
  }));

Deno.test("Room tells a keeper that its control line is larger than servers can share, and the server's owner", async () => {
  const [said, ...more] = await overhear(
    "error",
    () =>
      inRoom(async ({ order, seat, guest }) => {
        order.maxItemSize = 9;
        const line = { control: { verb: "keys", removed: [] } };
        const rule = { kind: "rule", seat, id: 7, line } as unknown as Item;
        order.room?.submit(rule);
        assertEquals((await guest.until("answered")).id, 7);
        const [notice, ...others] = guest.of("notice");
        assertMatch(notice?.text ?? "", /raise NATS's max_payload$/);
        assertEquals([others, order.proposed], [[], []]);
      }),
  );
  assertMatch(said ?? "", /^error room: .* max_payload/);
  assertEquals(more, []);
});

Deno.test("Room proposes again what is void, before what was asked for later, and though nothing else comes", () =>
  inRoom(async ({ order, seat, guest }) => {
    const away = (text: string) => ({ kind: "away", seat, text }) as const;
    order.void.push(away("first"));
    order.room?.submit(away("second"));
    await guest.until("absent");
    assertEquals(order.proposed, [["away", "away"]]);
    assertEquals(guest.of("absent").map(({ text }) => text), ["second"]);
    const next = order.next.bind(order);
    order.next = () => {
      order.next = next;
      order.void.push(away("third")); // is passed over
      return undefined;
    };
    order.room?.wake();
    await guest.until("absent", ({ text }) => text === "third");
  }));

Deno.test("Room tells members what has happened where what was to come next is void", () =>
  inRoom(async ({ setup, order, seat, guest }) => {
    Object.defineProperty(order, "hasNext", { value: true });
    setup.room.away(seat, "lunch");
    await guest.until("absent");
  }));

// ── Coming and going ───────────────────────────────────────────────────────────────────────────────────

Deno.test("Room sends those away who want to come in while nothing can be ordered, and has the others wait", () =>
  inRoom(async ({ setup, order, seat, guest }) => {
    order.isUp = order.isFree = false;
    assertEquals(setup.room.isUp, false);
    setup.room.away(seat, "lunch");
    const [ben, answer] = await setup.ask("ben");
    assertEquals([outcome(answer), ben.goodbyes], ["behind", ["adrift"]]);
    await rest(order);
    assertEquals([guest.of("absent"), guest.goodbyes], [[], []]);
    order.isUp = order.isFree = true;
    order.room?.wake();
    await guest.until("absent");
    assertEquals([setup.room.isUp, setup.room.size], [true, 1]);
    assertEquals(ben.goodbyes, ["adrift"]);
  }));

Deno.test("Room.join() gives a guest no place that has gone, or that came by another server since it asked", () =>
  inRoom(async ({ setup, order }) => {
    const stay = newStay();
    order.mayDecide = false;
    const gone = setup.ask("ben", { key: "ben" });
    setup.guests.at(-1)?.dismiss("lost");
    const late = setup.ask("eve", { key: "eve", stay });
    const other = setup.ask("eve", { key: "eve" }); // of another stay
    decide(order, comesElsewhere("eve", { stay, id: order.room?.nextId ?? 0 }));
    await rest(order);
    order.mayDecide = true;
    order.room?.wake();
    const all = await Promise.all([gone, late, other]);
    const answers = all.map(([_, it]) => outcome(it));
    assertEquals(answers, ["behind", "behind", "in"]);
    const goodbyes = all.map(([guest]) => guest.goodbyes);
    assertEquals(goodbyes, [["lost", "adrift"], ["adrift"], []]);
    // Who asks after that takes its own place.
    const again = await setup.ask("eve", { key: "eve", stay });
    assertEquals(outcome(again[1]), "in");
  }));

Deno.test("Room.leave() tells nobody of those who go since this server stops, while others are there to go to", () =>
  inRoom(async ({ setup, order, seat, guest }) => {
    const [ben, eve] = [await setup.join("ben"), await setup.join("eve")];
    setup.room.leave(ben.seat, "stopped");
    setup.room.away(seat, "lunch");
    await guest.until("absent");
    assertEquals(setup.room.size, 3);
    setup.room.leave(ben.seat, "left");
    order.hasOthers = false;
    setup.room.leave(eve.seat, "stopped");
    await guest.until("left", ({ id }) => id === eve.seat.id);
    const reasons = guest.of("left").map(({ reason }) => reason);
    assertEquals(reasons, ["left", "stopped"]);
  }));

Deno.test("Room.stop() waits a second and a half for an order that can't be had", () =>
  inRoom(async ({ setup, order, seat }) => {
    order.isFree = false;
    setup.room.away(seat, "lunch");
    let isOver = false;
    setup.running.then(() => isOver = true);
    setup.room.stop();
    setup.clock.advance(1_499);
    await rest(order);
    assertEquals(isOver, false);
    setup.clock.advance(1);
    await setup.running;
    assertEquals(setup.clock.pending, 0);
  }));

Deno.test("Room.stop() waits for what is proposed, and no longer", () =>
  inRoom(async ({ setup, order }) => {
    let isOver = false;
    setup.running.then(() => isOver = true);
    order.isFree = false;
    setup.room.stop();
    await rest(order);
    assertEquals(isOver, false);
    order.isFree = true;
    order.room?.wake();
    await setup.running;
    assertEquals(setup.clock.pending, 0);
  }));

Deno.test("Room numbers connections after the highest that was given, here or by another server", () =>
  inRoom(async ({ setup, order, ...ana }) => {
    assertEquals([ana.seat.id, order.room?.nextId], [1, 2]);
    decide(order, comesElsewhere("ben", { id: 50 }));
    await ana.guest.until("joined", ({ id }) => id === 50);
    assertEquals(order.room?.nextId, 51);
    decide(order, comesElsewhere("carla", { id: 7 }));
    await ana.guest.until("joined", ({ id }) => id === 7);
    assertEquals((await setup.join("dora")).seat.id, 51);
    assertEquals(order.room?.seat(7)?.server, "there");
    assertEquals(order.room?.seat(1)?.server, "here");
    assertEquals(order.room?.members.size, 4);
  }));

Deno.test("Room renews no key for those who were connected elsewhere, and at once for one who is removed here", () =>
  inRoom(async ({ setup, order, guest }) => {
    decide(order, comesElsewhere("ben"), comesElsewhere("eve", { id: 51 }));
    await guest.until("joined", ({ id }) => id === 51);
    assertEquals(guest.of("ratchet"), []);
    const seatOf = (id: number) => order.room?.seat(id) as Seat;
    const { person } = seatOf(51).member;
    setup.room.leave(seatOf(50), "left");
    await guest.until("left", ({ id }) => id === 50);
    setup.room.remove(person, "removed by ana");
    await guest.until("left", ({ id }) => id === 51);
    assertEquals(guest.epochs.length, 1);
    const carla = await setup.join("carla");
    setup.room.leave(carla.seat, "left");
    await guest.until("left", ({ id }) => id === carla.seat.id);
    assertEquals(guest.epochs.length, 2);
    setup.clock.advance(1); // far less than the pause between two renewals
    const dora = await setup.join("dora");
    setup.room.remove(dora.seat.member.person, "removed by ana");
    await guest.until("left", ({ id }) => id === dora.seat.id);
    assertEquals(guest.epochs.length, 3);
  }));

Deno.test("Room has all leave that were connected by a server that is gone, or comes anew, in the order of their ids", () =>
  inRoom(async ({ setup, order, guest }) => {
    const coming = (word: string, id: number, server: string) => ({
      ...comesElsewhere(word, { id }),
      server,
    });
    decide(
      order,
      coming("ben", 60, "b"),
      coming("bo", 50, "b"),
      coming("carla", 55, "c"),
    );
    await guest.until("joined", ({ id }) => id === 55);
    decide(order, { kind: "gone", server: "b", reason: "stopped" });
    decide(order, { kind: "server", id: "c", address: "c.example:5000" });
    await guest.until("left", ({ id }) => id === 55);
    assertEquals(guest.of("left").map(({ id, reason }) => [id, reason]), [
      [50, "stopped"],
      [60, "stopped"],
      [55, "lost"],
    ]);
    assertEquals(setup.room.size, 1);
  }));

Deno.test("Room has happen what others have decided, whatever it would have refused itself", () =>
  inRoom(async ({ setup, order, seat, guest }) => {
    decide(
      order,
      comesElsewhere("ben", { name: nameOf("ana") }),
      comesElsewhere("carla", { id: 51 }),
      comesElsewhere("dora", { id: 52 }),
      { kind: "rename", seat, name: nameOf("dora") },
    );
    await guest.until("renamed");
    assertEquals(setup.room.size, 4);
    assertEquals([seat.member.name.shown, guest.of("refused")], ["dora", []]);
  }, { maxMembers: 2 }));

Deno.test("Room takes over who is in from another server, but nobody whom it doesn't know, and sends those away who were connected here", () =>
  inRoom(async ({ setup, order, ...ana }) => {
    await setup.join("ben", { key: "ben" });
    const seat = (id: number, word: string, name = word) => ({
      id,
      server: "there",
      person: madeUp(word).id,
      name,
      stay: newStay(),
      n: 7,
      since: 1,
      active: 2,
      away: "lunch",
    });
    const seats = [
      seat(20, "ana", "Anna"),
      seat(21, "eve"),
      seat(22, "ben", "no name"),
      seat(23, "ana", "Anna"),
    ];
    order.room?.restore({ nextId: 30, servers: [], seats });
    assertEquals(setup.guests.map(({ goodbyes }) => goodbyes), [
      ["adrift"],
      ["adrift"],
    ]);
    assertEquals([setup.room.size, order.room?.nextId], [1, 30]);
    const [member, ...others] = order.room?.members ?? [];
    const { person } = ana.seat.member;
    assert(member && person === member.person);
    assertEquals(others, []);
    const { name: { shown }, since, active, away } = member;
    assertEquals([shown, since, active, away], ["Anna", 1, 2, "lunch"]);
    assertEquals(member.seats.map(({ id, n }) => [id, n]), [[20, 7], [23, 7]]);
    assertEquals([1, 21, 22].map((id) => order.room?.seat(id)), [
      undefined,
      undefined,
      undefined,
    ]);
  }));

// ── What others are told, and what is kept ─────────────────────────────────────────────────────────────

Deno.test("Room tells what waits, and where its servers are, between two batches, and not by a key that one who left has", () =>
  inRoom(async ({ setup, order, guest }) => {
    await order.room?.tellWaiting(true);
    const waiting: Event<"waiting"> = await guest.until("waiting");
    assertEquals(waiting, { kind: "waiting", is: true });
    setup.broadcaster.expire(true);
    await setup.room.tellServers("a.example:1,b.example:2");
    const servers = await guest.until("servers");
    assertEquals(servers.list, "a.example:1,b.example:2");
    assertEquals(guest.epochs.length, 2);
    assertEquals(guest.of("batch").at(-1)?.seq, 2); // the number of the line to come
    // What is asked for while something is done is done as well, though nothing else comes.
    await order.room?.between(() => {});
    const done = await order.room?.between(() => "done");
    assertEquals(done, "done");
    const failing = () =>
      order.room?.between(() => Promise.reject(new RangeError("x")));
    await assertRejects(async () => await failing(), RangeError);
  }));

Deno.test("Room writes to members once where several batches come together, eight at most", () =>
  inRoom(async ({ setup, order, seat, guest }) => {
    await rest(order);
    let flushes = 0;
    const { ring } = setup.broadcaster;
    const flush = ring.flush.bind(ring);
    ring.flush = () => {
      flushes++;
      flush();
    };
    const together = async (count: number) => {
      flushes = 0;
      for (let at = 1; at <= count; at++) {
        const text = `${count} ${at}`;
        order.given.push({ items: [{ kind: "away", seat, text }], at: 1 });
      }
      order.room?.wake();
      await guest.until("absent", (it) => it.text === `${count} ${count}`);
      await rest(order);
      return flushes;
    };
    assertEquals(await together(7), 1);
    assertEquals(await together(8), 1);
    assertEquals(await together(17), 3);
  }));

Deno.test("Room says to its order of each batch whether all that came of it is in its files", async () => {
  await using folder = await Folder.make();
  using mailbox = Mailbox.open(folder.file("chat.waiting"));
  const taken: Uint8Array[] = [];
  const take = (secret: Uint8Array) => void taken.push(secret);
  const link = { isKept: true, take };
  await inRoom(async ({ setup, order, seat, guest }) => {
    const files = [link, mailbox, setup.people.journal];
    for (const lacking of [undefined, ...files]) {
      for (const it of files) {
        const value = it !== lacking;
        Object.defineProperty(it, "isKept", { value, configurable: true });
      }
      const { length } = order.settled;
      setup.room.away(seat, `${length}`);
      await order.until(() => order.settled.length > length);
      assertEquals(order.settled.at(-1), lacking === undefined);
    }
    const secret = new Uint8Array(32).fill(7);
    setup.room.link(secret);
    await order.until(() => taken.length > 0);
    assertEquals(taken, [secret]);
    const { length } = order.settled;
    setup.broadcaster.expire(true);
    setup.room.leave({ ...seat }, "left"); // of which nothing comes
    await order.until(() => order.settled.length > length);
    assertEquals([setup.room.size, order.settled.at(-1)], [1, false]);
    await rest(order);
    assertEquals(guest.epochs.length, 1); // nor is anybody told anything
  }, { link, mailbox });
});

Deno.test("Room proposes what has happened to the people, for all servers", () =>
  inRoom(async ({ setup, order, seat: { member: { person } } }) => {
    const at = Date.now() + 86_400_000;
    setup.room.happen([{ kind: "there", person: person.id, at }]);
    await order.until(() => order.settled.length > 1);
    assertEquals([order.proposed, person.there], [[["people"]], at]);
  }));

Deno.test("Room without a link of its own goes on where others have another, tells what is set, and asks its order whether it has caught up", () =>
  inRoom(async ({ setup, order, guest }) => {
    setup.room.link(new Uint8Array(32));
    setup.people.set({ topic: "hills" });
    setup.room.tellSettings();
    await guest.until("room", ({ topic }) => topic === "hills");
    const caughtUp = Promise.resolve();
    order.caughtUp = () => caughtUp;
    assertEquals(setup.room.caughtUp() === caughtUp, true);
  }));

Deno.test("Room tries what is decided again until the log can be written, and takes nothing new meanwhile", () =>
  inRoom(async ({ setup, seat, guest }) => {
    const eve = await setup.join("eve");
    setup.breakLog();
    setup.room.rename(seat, nameOf("anna"));
    await untilBroken(setup);
    const said = setup.say(seat, { n: 1, text: "x" });
    setup.room.away(seat, "lunch");
    setup.room.leave(eve.seat, "left");
    const asked = setup.ask("ben");
    assertEquals([guest.of("refused"), guest.of("renamed")], [[], []]);
    setup.clock.advance(1_000); // and in vain: what came is refused now
    await said;
    assertEquals(outcome((await asked)[1]), "log-failed");
    await until(() => setup.clock.pending === 1);
    await guest.until("refused");
    const failed = { kind: "refused", reason: "log-failed", detail: "" };
    assertEquals<unknown>(guest.of("refused"), [{ ...failed, n: 1 }]);
    assertEquals([setup.room.healthy, guest.of("absent")], [false, []]);
    setup.mend();
    setup.clock.advance(1_000);
    await guest.until("renamed");
    await guest.until("absent");
    await guest.until("left");
    assertEquals([setup.room.healthy, seat.member.name.shown], [true, "anna"]);
    // Nothing has come of what was refused.
    await setup.say(seat, { n: 1, text: "y" });
    await guest.until("said", ({ text }) => text === "y");
    assertEquals(setup.room.size, 1);
  }));

Deno.test("Room tells members what has happened before that which can't be logged", () =>
  inRoom(async ({ setup, order, seat, guest }) => {
    setup.breakLog();
    const away: Item = { kind: "away", seat, text: "lunch" };
    const rename: Item = { kind: "rename", seat, name: nameOf("anna") };
    for (const it of [away, rename]) order.given.push({ items: [it], at: 1 });
    order.room?.wake();
    await untilBroken(setup);
    await guest.until("absent");
    assertEquals(guest.of("renamed"), []);
    setup.mend();
    setup.clock.advance(1_000);
    await guest.until("renamed");
  }));

Deno.test("Room.stop() gives up what is decided and can't be logged", () =>
  inRoom(async ({ setup, seat }) => {
    setup.breakLog();
    setup.room.rename(seat, nameOf("anna"));
    await untilBroken(setup);
    setup.room.stop();
    setup.clock.advance(1_000);
    await setup.running;
    assertEquals(setup.clock.pending, 0);
  }));

Deno.test("Room tells one whom others have let in all that it missed, also what isn't in memory any more", () =>
  inRoom(async ({ setup, order, seat }) => {
    for (let n = 1; n <= 9; n++) await setup.say(seat, { n, text: `${n}` });
    await rest(order);
    const guest = setup.guest("ben");
    const item = comesElsewhere("ben", { id: 9, guest, after: 1 });
    decide(order, { ...item, server: "here" });
    await guest.until("welcome");
    const seqs = guest.of("past").map(({ seq }) => seq);
    assertEquals(seqs, [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  }, { window: 4 }));

Deno.test("Room tells one whom others have let in no line twice that the log has already, as after a crash", () =>
  inRoom(async ({ setup, order }) => {
    const guest = setup.guest("ben");
    const item = { ...comesElsewhere("ben", { guest }), server: "here" };
    const { candidate: { id }, request: { stay } } = { ...guest, ...item };
    const at = Date.now();
    const joined = { what: "joined", at, stay, n: 0, name: "ben" } as const;
    await setup.log.append([{ ...joined, person: shortId(id), text: "" }]);
    order.head = () => 1;
    order.given.push({ items: [item], at });
    order.room?.wake();
    await guest.until("welcome");
    assertEquals(guest.of("past").map(({ seq }) => seq), [1, 2]);
    assertEquals(setup.log.head, 2);
  }));

Deno.test("Room.run() rejects where the log isn't the room's, with the advice that comes with that", () =>
  inRoom(async ({ setup, seat }) => {
    const failure = new AdvisedError("It is another's", "Move it away.");
    setup.log.appendFrom = () => Promise.reject(failure);
    setup.room.rename(seat, nameOf("anna"));
    assertEquals(await assertRejects(() => setup.running), failure);
    Object.assign(setup, { running: Promise.resolve() });
  }));

/** Measures that write down what is counted. */
function measuring() {
  const counted: Record<string, (number | string)[]> = {};
  const count = (name: string) => {
    const all: (number | string)[] = counted[name] = [];
    return {
      add: (amount = 1, label?: string) => void all.push(label ?? amount),
      observe: (value: number) => void all.push(value),
    };
  };
  const measures = {
    messages: count("messages"),
    deliveries: count("deliveries"),
    epochs: count("epochs"),
    batchSize: count("batchSize"),
    logWrite: count("logWrite"),
    receivedBytes: count("received"),
    handshakesRefused: count("refused"),
    departures: count("departures"),
    httpAnswers: count("http"),
  };
  return { counted, measures };
}

Deno.test("Room counts messages, to how many they go, batches, writes to the log, and keys by kind", async () => {
  const { counted, measures } = measuring();
  await inRoom(async ({ setup, order, ...ana }) => {
    order.head = undefined;
    const ben = await setup.join("ben");
    const { append } = setup.log;
    setup.log.append = (entries) => {
      setup.clock.advance(250);
      return append(entries);
    };
    const lines = [1, 2, 3].map((n) => ({ n, text: "x" }));
    await setup.say(ana.seat, ...lines);
    await ben.guest.until("said");
    setup.room.leave(ben.seat, "left");
    await ana.guest.until("left");
    setup.room.away(ana.seat, "lunch"); // is no line of the log
    await ana.guest.until("absent");
    await rest(order);
    assertEquals(counted, {
      messages: [0, 0, 3, 0],
      deliveries: [0, 0, 6, 0],
      epochs: ["ratchet", "ratchet", "fresh"],
      batchSize: [1, 1, 3, 1],
      logWrite: [0, 0, 0.25, 0.25],
      received: [],
      refused: [],
      departures: [],
      http: [],
    });
  }, { measures });
});
