/**
 * The room: one order for everybody, who may come in, what a newcomer and one who left can read, and what
 * happens when the log can't be written. The log is a real one; guests are the tests' own, and read with real
 * epoch keys what a real outlet writes to them.
 *
 * @module
 */

import { DecryptionError, fromBase64url } from "../../../crypto_utils.ts";
import { HEADER_SIZE } from "../../../src/protocol/records.ts";
import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";
import { newStay } from "../../kit/people.ts";
import type { LogEntry } from "../../../src/protocol/line.ts";
import { EpochReader } from "../../../src/crypto/epoch.ts";
import {
  assertFollows,
  bare,
  isIn,
  opened,
  opensAny,
  outcome,
  secretOf,
  SERVER_KEY,
  Setup,
} from "../../kit/room_setup.ts";

Deno.test("Room.join() gives a newcomer a key that opens nothing from before, and everything after", async () => {
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  for (let n = 1; n <= 3; n++) {
    await setup.say(ana.seat, { n, text: `secret ${n}` });
    await ana.guest.untilLine(1 + n);
  }
  const ben = await setup.join("ben");
  for (let n = 4; n <= 6; n++) {
    await setup.say(ana.seat, { n, text: `for both ${n}` });
  }
  await ben.guest.untilLine(8);
  await ana.guest.untilLine(8);
  const texts = ben.guest.of("said").map(({ text }) => text);
  assertEquals(texts, ["for both 4", "for both 5", "for both 6"]);

  const [epoch] = ben.guest.epochs;
  assert(epoch);
  const key = fromBase64url(epoch.key);
  const after = ben.guest.broadcasts.length;
  const before = ana.guest.broadcasts.slice(0, -after);
  assertEquals(before.length, 4); // three secrets, and the newcomer's own joining
  for (const record of before) assert(!await opensAny(key, record));
  for (const record of ben.guest.broadcasts) {
    assert(await opensAny(key, record)); // the test would know
  }
});

Deno.test("Room.join() refuses a name that is taken or looks like one that is, and anybody when it is full", async () => {
  await using setup = await Setup.create({ maxMembers: 2 });
  await setup.join("bill");
  for (const name of ["bill", "BILL", "Bi11", "ｂｉｌｌ"]) {
    assertEquals(outcome((await setup.ask(name))[1]), "name-taken");
  }
  await setup.join("anna");
  assertEquals(outcome((await setup.ask("carla"))[1]), "room-full");
  assertEquals(outcome((await setup.ask("anna"))[1]), "name-taken");
  assertEquals(setup.room.size, 2);
  assertEquals(setup.history.head, 2); // nothing of that is in the log
});

Deno.test("Room.join() says until when one is banned who was here, and of whom it doesn't know nothing but that", async () => {
  await using setup = await Setup.create();
  const { people } = setup;
  const ana = await setup.join("ana", { key: "ana" });
  setup.room.leave(ana.seat, "left");
  const { person } = ana.seat.member;
  const cases = [
    [Date.UTC(2100, 0, 2, 3, 4), "until 2100-01-02 03:04 UTC"],
    [null, ""],
  ] as const;
  for (const [until, detail] of cases) {
    people.ban(person, until, "");
    const [, answer] = await setup.ask("ana", { key: "ana" });
    assertEquals(answer, { reason: "removed", detail });
  }
  people.unban(person);
  people.access.refusal = () => "removed";
  const [, answer] = await setup.ask("eve");
  assertEquals(answer, { reason: "removed", detail: "" });
});

Deno.test("Room.join() lets a guest in that has gone meanwhile, whose connection gives up the place", async () => {
  await using setup = await Setup.create();
  const asked = setup.ask("ana");
  setup.guests.at(-1)?.dismiss("lost");
  const [_, admission] = await asked;
  assert(isIn(admission));
  assertEquals(setup.room.size, 1);
  setup.room.leave(admission, "lost");
  const ben = await setup.join("ben");
  await ben.guest.until("welcome");
  assertEquals(ben.guest.of("here").length, 1);
});

Deno.test("Room.join() settles names and places among those who ask at once", async () => {
  await using setup = await Setup.create({ maxMembers: 2 });
  const names = ["ana", "ANA", "ben", "carla"];
  const asked = await Promise.all(names.map((name) => setup.ask(name)));
  const answers = asked.map(([_, it]) => outcome(it));
  assertEquals(answers, ["in", "name-taken", "in", "room-full"]);
});

Deno.test("Room.join() gathers those who come soon after another, and announces them together", async () => {
  await using setup = await Setup.create({
    admissionPause: (members) => 50 * members,
    expecting: () => true,
  });
  const { clock } = setup;
  const ana = await setup.join("ana");
  const asked = Promise.all(["ben", "carla"].map((name) => setup.ask(name)));
  clock.advance(49);
  await setup.say(ana.seat, { n: 1, text: "is anybody coming?" });
  await ana.guest.untilLine(2);
  assertEquals(setup.room.size, 1);
  clock.advance(1);
  await asked;
  assertEquals(setup.writes, [1, 1, 2]);
  const later = setup.ask("dora");
  clock.advance(149); // the more there are to be told, the longer
  await setup.say(ana.seat, { n: 2, text: "all here?" });
  await ana.guest.untilLine(5);
  assertEquals(setup.room.size, 3);
  clock.advance(1);
  await later;
});

Deno.test("Room.join() keeps nobody waiting for others where no others are on the way", async () => {
  await using setup = await Setup.create({
    admissionPause: () => 50,
    expecting: () => false,
  });
  await setup.join("ana");
  await setup.join("ben");
  assertEquals(setup.writes, [1, 1]);
});

Deno.test("Room.join() lets a stay that comes back take its own place, under any name, without a line of the log and with another key", async () => {
  await using setup = await Setup.create({ maxMembers: 2 });
  const wish = { key: "ana", stay: newStay() };
  const ana = await setup.join("ana", { ...wish, n: 10 });
  const ben = await setup.join("ben");
  assertEquals(outcome((await setup.ask("ana"))[1]), "name-taken");
  assertEquals(ana.guest.goodbyes, []);

  await setup.say(ana.seat, { n: 11, text: "first" });
  const again = await setup.join("anna", { ...wish, after: 2, n: 11 });
  assertEquals(ana.guest.goodbyes, ["replaced"]);
  assertEquals(setup.room.size, 2);
  const welcome = await again.guest.until("welcome");
  assertEquals([welcome.name, welcome.seq], ["ana", 3]);
  // What the old connection sends from here on is dropped; what the new one sends isn't.
  await setup.say(ana.seat, { n: 12, text: "too late" });
  await setup.say(again.seat, { n: 12, text: "in time" });
  await ben.guest.untilLine(4);
  const entries = (await setup.logged()).slice(2).map(bare);
  assertEquals(entries, [
    { seq: 3, what: "said", n: 11, text: "first" },
    { seq: 4, what: "said", n: 12, text: "in time" },
  ]);
  await assertFollows(setup, ben.guest, 2);
  await assertFollows(setup, again.guest, 3);
  setup.room.leave(ana.seat, "lost"); // its connection ends now, and has nothing to say about the new one
  await setup.say(again.seat, { n: 13, text: "still here" });
  await ben.guest.untilLine(5);
  assertEquals(setup.room.size, 2);
  const moves = ben.guest.events.filter(({ kind }) =>
    kind === "beside" || kind === "parted"
  );
  assertEquals<unknown>(moves, [
    {
      kind: "beside",
      id: again.seat.id,
      of: ana.seat.id,
      stay: wish.stay,
    },
    { kind: "parted", id: ana.seat.id },
  ]);
  assertEquals(await opened(ana.guest, ben.guest.broadcasts), []);
});

Deno.test("Room.join() lets a person in by several connections, which is there until the last one leaves", async () => {
  await using setup = await Setup.create({ maxMembers: 2 });
  const ben = await setup.join("ben");
  const desk = await setup.join("ana", { key: "ana" });
  const laptop = await setup.join("anna", { key: "ana", after: 0 });
  const { name } = await laptop.guest.until("welcome");
  assertEquals([setup.room.size, name], [2, "ana"]);
  assertEquals(laptop.guest.of("here").map(({ name }) => name), ["ben", "ana"]);
  assertEquals(laptop.guest.of("beside").map(({ of }) => of), [desk.seat.id]);
  await setup.say(laptop.seat, { n: 1, text: "by the laptop" });
  await setup.say(desk.seat, { n: 1, text: "by the desk" });
  await desk.guest.untilLine(4);
  setup.room.leave(desk.seat, "left");
  await ben.guest.until("parted", ({ id }) => id === desk.seat.id);
  await setup.say(desk.seat, { n: 2, text: "too late" });
  await setup.say(laptop.seat, { n: 2, text: "still here" });
  await ben.guest.untilLine(5);
  setup.room.leave(laptop.seat, "left");
  await ben.guest.until("left", ({ id }) => id === laptop.seat.id);
  assertEquals(setup.room.size, 1);
  const logged = await setup.logged();
  assertEquals(logged.map(({ what, text }) => [what, text]), [
    ["joined", ""],
    ["joined", ""],
    ["said", "by the laptop"],
    ["said", "by the desk"],
    ["said", "still here"],
    ["left", "left"],
  ]);
  const stays = logged.slice(1).map(({ stay }) => stay);
  const [d, l] = [desk.seat.stay, laptop.seat.stay];
  assertEquals(stays, [d, l, d, l, l]);
  await assertFollows(setup, ben.guest, 1);
});

Deno.test("Room.remove() ends all connections of a person, whatever else they do in the batch, and everybody knows who has left", async () => {
  await using setup = await Setup.create();
  const ben = await setup.join("ben");
  const ana = await setup.join("ana", { key: "ana" });
  const asked = setup.ask("ana", { key: "ana" });
  setup.room.leave(ana.seat, "lost");
  setup.room.remove(ana.seat.member.person, "removed by ben");
  const [second, admission] = await asked;
  assert(isIn(admission));
  const left = await ben.guest.until("left");
  assertEquals([left.id, left.reason], [admission.id, "removed by ben"]);
  const kinds = ben.guest.events.map(({ kind }) => kind);
  assert(kinds.indexOf("beside") < kinds.indexOf("left")); // or nobody could say who has left
  await setup.say(ben.seat, { n: 1, text: "among ourselves" });
  await ben.guest.until("said");
  assertEquals(second.goodbyes, ["removed"]);
  assertEquals(ben.guest.of("beside").map(({ id }) => id), [admission.id]);
  assertEquals([setup.room.size, ben.guest.failure], [1, undefined]);
  // Not one word after it is under a key that the removed one had.
  for (const { key } of [...ana.guest.epochs, ...second.epochs]) {
    const record = ben.guest.broadcasts.at(-1);
    assert(record && !await opensAny(fromBase64url(key), record));
  }
});

Deno.test("Room.join() lets a person in by 16 connections, and one of those that comes back", async () => {
  await using setup = await Setup.create({ maxMembers: 1 });
  const stays = Array.from({ length: 16 }, () => newStay());
  for (const stay of stays) await setup.join("ana", { key: "ana", stay });
  const [_, answer] = await setup.ask("ana", { key: "ana" });
  assertEquals(outcome(answer), "too-often-here");
  const [stay = ""] = stays;
  await setup.join("ana", { key: "ana", stay });
  assertEquals([setup.room.size, setup.history.head], [1, 1]);
});

Deno.test("Room.join() lets in the last alone of two connections of a stay that come at once", async () => {
  await using setup = await Setup.create();
  const wish = { key: "ana", stay: newStay(), after: 0 };
  const asked = await Promise.all([
    setup.ask("ana", wish),
    setup.ask("ana", wish),
  ]);
  const [[first], [second, admission]] = asked;
  assertEquals(setup.room.size, 1);
  assertEquals(first.goodbyes, ["replaced"]);
  assertEquals(second.goodbyes, []);
  assert(isIn(admission));
  await setup.say(admission, { n: 1, text: "for one alone" });
  await second.untilLine(2);
  assertEquals(second.of("said").length, 1);
  // Whoever was sent away gets no key for what comes after.
  for (const { key } of first.epochs) {
    for (const record of second.broadcasts) {
      assert(!await opensAny(fromBase64url(key), record));
    }
  }
});

Deno.test("Room.join() owes each guest every line after the one it names, once, and those of its own batch", async () => {
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  for (let n = 1; n <= 5; n++) await setup.say(ana.seat, { n, text: `${n}` });
  await ana.guest.untilLine(6);
  // All in one batch: lines before and after the joinings, which also see each other.
  const taken = setup.say(ana.seat, { n: 6, text: "before" });
  const asking = [0, 2, 6].map((after) =>
    setup.ask(`guest${after}`, { after, n: after })
  );
  const last = setup.say(ana.seat, { n: 7, text: "after" });
  const asked = await Promise.all(asking);
  await Promise.all([taken, last]);
  assertEquals(setup.writes.at(-1), 5);
  await setup.say(ana.seat, { n: 8, text: "later" });
  await ana.guest.untilLine(12);
  for (const [at, after] of [0, 2, 6].entries()) {
    const [guest] = asked[at] ?? [];
    assert(guest);
    await assertFollows(setup, guest, after + 1);
    const past = guest.of("past").map(({ seq }) => seq);
    const sorted = past.toSorted((a, b) => a - b);
    assertEquals(past, sorted); // oldest first
    assertEquals(guest.of("here").length, 4);
  }
});

Deno.test("Room.join() shows newcomers of one batch who is there in the same bytes, which nobody else can open", async () => {
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  const asked = await Promise.all(["ben", "cleo"].map((it) => setup.ask(it)));
  const guests = asked.map(([guest]) => guest);
  for (const guest of guests) await guest.until("welcome");
  const [ben, cleo] = guests;
  assert(ben && cleo);
  assertEquals(setup.writes.at(-1), 2);
  const [record] = ben.shared;
  assert(record && record === cleo.shared[0]);
  assertEquals(ana.guest.shared.includes(record), false);
  // Beside that, what both are told in the same words is packed once, and what is each one's own takes one record.
  assertEquals([ben.passed.length, cleo.passed.length], [2, 2]);
  assert(ben.passed[0] && ben.passed[0] === cleo.passed[0]);

  const later = await setup.join("dora");
  await later.guest.until("welcome");
  const header = record.subarray(0, HEADER_SIZE);
  const body = record.subarray(HEADER_SIZE);
  const secrets = [ana.guest, ben, cleo, later.guest].flatMap((guest) => [
    ...guest.epochs,
    ...guest === ben || guest === cleo ? [] : guest.of("sharing"),
  ]);
  assertEquals(secrets.length, 6);
  for (const secret of secrets) {
    const reader = await EpochReader.create(SERVER_KEY, secretOf(secret));
    await assertRejects(() => reader.open(body, header), DecryptionError);
  }
});

Deno.test("Room.join() sends a guest that is too far behind to catch up first", async () => {
  await using setup = await Setup.create({ window: 8 });
  const ana = await setup.join("ana");
  const lines = Array.from({ length: 20 }, (_, at) => ({
    n: at + 1,
    text: `${at}`,
  }));
  await setup.say(ana.seat, ...lines);
  await ana.guest.untilLine(21);
  assertEquals(outcome((await setup.ask("ben", { after: 12 }))[1]), "behind");
  assertEquals(setup.room.size, 1);
  const pieces: LogEntry[] = [];
  for await (const piece of setup.history.past(12)) pieces.push(...piece);
  assertEquals(pieces.map(({ seq }) => seq), [
    13,
    14,
    15,
    16,
    17,
    18,
    19,
    20,
    21,
  ]);
  const ben = await setup.join("ben", { after: 13 });
  await assertFollows(setup, ben.guest, 14);
});

Deno.test("Room.join() tells a newcomer one key, though another's leaving renewed it in the same batch", async () => {
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  const ben = await setup.join("ben");
  setup.writes.length = 0;
  setup.room.leave(ana.seat, "left");
  const carla = await setup.join("carla");
  await carla.guest.until("welcome");
  assertEquals(setup.writes, [2]);
  assertEquals(carla.guest.epochs.length, 1);
  await setup.say(ben.seat, { n: 1, text: "hello" });
  await carla.guest.untilLine(5);
  await ben.guest.untilLine(5);
  assertEquals(ben.guest.epochs.length, 2);
  assertEquals(carla.guest.epochs[0]?.number, 5); // two ratchets, a fresh one, and a ratchet after it
});

Deno.test("Room.join() puts the one back whose place it would have taken, had the log been written", async () => {
  await using setup = await Setup.create();
  const wish = { key: "ana", stay: newStay(), after: 0 };
  const ana = await setup.join("ana", wish);
  setup.breakLog();
  const ben = setup.ask("ben"); // without a line to write, a place would be taken all the same
  assertEquals(outcome((await setup.ask("ana", wish))[1]), "log-failed");
  assertEquals(outcome((await ben)[1]), "log-failed");
  assertEquals(ana.guest.goodbyes, []);
  setup.mend();
  await setup.say(ana.seat, { n: 1, text: "still here" });
  await ana.guest.untilLine(2);
  await assertFollows(setup, ana.guest, 1);
});

Deno.test("Room tells newcomers in groups who lack the same long past all of it, once and in order", async () => {
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  const text = "x".repeat(4_000); // some twenty fill a record
  for (let n = 1; n <= 60; n++) await setup.say(ana.seat, { n, text });
  await ana.guest.untilLine(61);
  const taken = setup.say(ana.seat, { n: 61, text: "before" });
  const lacking = [0, 20, 0, 20, 61, 30];
  const asking = lacking.map((after, at) => setup.ask(`g${at}`, { after }));
  const last = setup.say(ana.seat, { n: 62, text: "after" });
  const asked = await Promise.all(asking);
  await Promise.all([taken, last]);
  for (const [at, [guest]] of asked.entries()) {
    await guest.untilLine(setup.history.head);
    await assertFollows(setup, guest, (lacking[at] ?? NaN) + 1);
  }
  const longest = asked.map(([{ shared }]) => shared.length);
  assertEquals(longest, [2, 2, 2, 2, 1, 1]); // who is there, and what several lack
});
