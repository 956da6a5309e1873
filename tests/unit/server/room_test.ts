/**
 * The room: one order for everybody, who may come in, what a newcomer and one who left can read, and what
 * happens when the log can't be written. The log is a real one; guests are the tests' own, and read with real
 * epoch keys what a real outlet writes to them.
 *
 * @module
 */

import { Broadcaster } from "../../../src/server/broadcaster.ts";
import { ChatLog } from "../../../src/log/chat_log.ts";
import type { Event } from "../../../src/protocol/events.ts";
import { spokenId } from "../../../src/crypto/person_id.ts";
import { REFUSALS } from "../../../src/protocol/reasons.ts";
import { Room } from "../../../src/server/room.ts";
import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";
import { Folder } from "../../kit/folder.ts";
import { madeUp, newStay, openPeople } from "../../kit/people.ts";
import {
  assertFollows,
  type Insider,
  live,
  nameOf,
  outcome,
  SERVER_KEY,
  Setup,
  TestGuest,
} from "../../kit/room_setup.ts";
import { overhear } from "../../kit/overhear.ts";
import { until } from "../../kit/turns.ts";

// ── One order ──────────────────────────────────────────────────────────────────────────────────────────

Deno.test("Room.say() gives all members, the sender included, the one order that the log has", async () => {
  await using setup = await Setup.create();
  const insiders: Insider[] = [];
  for (const name of ["ana", "ben", "carla", "dmitri", "eve"]) {
    insiders.push(await setup.join(name));
  }
  const talk = async ({ seat }: Insider, who: number) => {
    for (let n = 1; n <= 40; n += 2) {
      const lines = [n, n + 1].map((n) => ({ n, text: `${who} says ${n}` }));
      await setup.say(seat, ...lines);
      for (let turn = 0; turn < who; turn++) await Promise.resolve();
    }
  };
  await Promise.all(insiders.map(talk));
  await insiders[0]?.guest.untilLine(5 + 200);
  for (const [who, { guest }] of insiders.entries()) {
    await assertFollows(setup, guest, who + 1);
    const said = guest.of("said");
    assertEquals(said.length, 200);
    for (const { seat: { id } } of insiders) {
      const own = said.filter((event) => event.id === id).map(({ n }) => n);
      assertEquals(own, Array.from({ length: 40 }, (_, at) => at + 1));
    }
  }
});

// ── Coming in ──────────────────────────────────────────────────────────────────────────────────────────

Deno.test("Room.join() shows a newcomer who is there and its greeting, and those who are there the newcomer", async () => {
  const hello: Event = { kind: "notice", text: "hello" };
  await using setup = await Setup.create({ greeting: () => [hello] });
  const ana = await setup.join("Ana", { n: 41 });
  const ben = await setup.join("Ben", { n: 6 });
  const { id: person } = ben.guest.candidate;
  const joined = await ana.guest.until(
    "joined",
    ({ id }) => id === ben.seat.id,
  );
  assertEquals(joined, {
    kind: "joined",
    id: ben.seat.id,
    name: "Ben",
    person,
    stay: ben.seat.stay,
    n: 6,
  });
  const welcome = await ben.guest.until("welcome");
  assertEquals([welcome.id, welcome.seq], [ben.seat.id, 2]);
  const here = (
    { guest: { candidate }, seat: { id, stay, member: { since } } }: Insider,
    name: string,
  ) => ({
    kind: "here",
    id,
    name,
    person: candidate.id,
    stay,
    since,
    active: since,
    away: "",
  });
  const own = here(ben, "Ben");
  assertEquals<unknown>(ben.guest.of("here"), [here(ana, "Ana"), own]);
  assertEquals<unknown>(ana.guest.of("here"), [here(ana, "Ana")]);
  const kinds = ben.guest.events.map(({ kind }) => kind);
  assertEquals(
    kinds,
    ["past", "sharing", "epoch", "notice", "room", "here", "here", "welcome"],
  );
  assertEquals<unknown>(ben.guest.of("notice"), [hello]);
  assertEquals([setup.room.size, setup.history.head], [2, 2]);
});

// ── Leaving ────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("Room.leave() tells everybody why, frees the place, and keeps the name", async () => {
  await using setup = await Setup.create({ maxMembers: 2 });
  const ana = await setup.join("ana", { key: "ana", n: 7 });
  const ben = await setup.join("ben");
  setup.room.leave(ana.seat, "silent");
  setup.room.leave(ana.seat, "lost"); // only the first counts
  const left = await ben.guest.until("left");
  const { id } = ana.seat;
  assertEquals(left, { kind: "left", id, n: 8, reason: "silent" });
  const [other, refused] = await setup.ask("ana");
  assertEquals(outcome(refused), "name-taken"); // it is still hers
  const { candidate } = other;
  const wish = { candidate, name: nameOf("ana"), stay: newStay() };
  assertEquals(setup.room.refusal(wish)?.reason, "name-taken");
  const again = await setup.join("ana", { key: "ana" });
  await again.guest.until("welcome");
  const present = [ben.seat.id, again.seat.id];
  assertEquals(again.guest.of("here").map((it) => it.id), present);
  assert(again.seat.id > ben.seat.id); // never one that somebody had
  const words = (await setup.logged()).map(({ what }) => what);
  assertEquals(words, ["joined", "joined", "left", "joined"]);
});

// ── The log can't be written ───────────────────────────────────────────────────────────────────────────

Deno.test("Room.release() gives up what was a member's other name when its rename is written, and nothing where that fails", async () => {
  await using setup = await Setup.create();
  const { guest, seat } = await setup.join("old");
  setup.breakLog();
  setup.room.rename(seat, nameOf("new"));
  setup.room.release(seat, 1);
  await guest.until("refused");
  await guest.until("answered", ({ id }) => id === 1);
  const text = REFUSALS["log-failed"];
  assertEquals(guest.of("notice"), [{ kind: "notice", text }]);
  const { person } = seat.member;
  assertEquals([seat.member.name.shown, person.names], ["old", ["old"]]);
  setup.mend();
  setup.room.rename(seat, nameOf("new"));
  setup.room.release(seat, 2);
  await guest.until("notice", ({ text }) => text === "Given up: old");
  await guest.until("answered", ({ id }) => id === 2);
  assertEquals(person.names, ["new"]);
  setup.room.release(seat, 3);
  await guest.until("notice", (it) => it.text === "You have no other name");
  for (const name of ["newer", "newest"]) setup.room.rename(seat, nameOf(name));
  setup.room.release(seat, 4);
  await guest.until("notice", ({ text }) => text === "Given up: new, newer");
  const ben = await setup.join("old");
  assertEquals(setup.room.size, 2);
  await setup.say(seat, { n: 1, text: "two of us" });
  await ben.guest.until("said");
});

Deno.test("Room.say() and Room.join() are refused while the log can't be written, and nobody is told", async () => {
  await using setup = await Setup.create({ maxMembers: 2 });
  assertEquals(setup.room.healthy, true);
  const ana = await setup.join("ana");
  ana.seat.member.active = 5;
  assertEquals(setup.room.healthy, true);
  const { journal } = setup.people;
  const isWritten = async (id: string) =>
    (await Deno.readTextFile(`${setup.folder}/chat.people`)).includes(id);
  assertEquals(await isWritten(ana.guest.candidate.id), true);
  setup.breakLog();
  const { append } = setup.log;
  setup.log.append = (entries) => {
    journal.tryToKeep(); // as happens each second
    return append(entries);
  };
  const said = await overhear("error", async () => {
    await setup.say(ana.seat, { n: 1, text: "lost" }, { n: 2, text: "too" });
    await ana.guest.until("refused", ({ n }) => n === 2);
  });
  assertEquals(said, [
    "error room: the disk is full. Nothing is delivered until that works",
  ]);
  const refused = {
    kind: "refused",
    reason: "log-failed",
    detail: "",
  } as const;
  assertEquals(ana.guest.of("refused"), [
    { ...refused, n: 1 },
    { ...refused, n: 2 },
  ]);
  const [guest, answer] = await setup.ask("ben");
  assertEquals(outcome(answer), "log-failed");
  assertEquals([guest.events, setup.room.size], [[], 1]);
  assertEquals(await isWritten(guest.candidate.id), false);
  setup.people.set({ topic: "hills" });
  journal.keep(); // which waits for nothing by now
  assertEquals([journal.isKept, await isWritten("hills")], [true, true]);
  const { n, member: { active } } = ana.seat;
  assertEquals([n, active, setup.room.healthy], [0, 5, false]);

  setup.mend();
  const ben = await setup.join("ben"); // name and place are free
  await setup.say(ana.seat, { n: 3, text: "heard" });
  await ben.guest.untilLine(3);
  await assertFollows(setup, ana.guest, 1);
  assertEquals(ana.guest.of("said").map(({ n }) => n), [3]);
  assertEquals([setup.history.head, setup.room.healthy], [3, true]);
});

// ── Congestion ─────────────────────────────────────────────────────────────────────────────────────────

Deno.test("Room.say() waits while everybody is slow; coming and going don't", async () => {
  await using setup = await Setup.create();
  const { clock } = setup;
  const ana = await setup.join("ana");
  const ben = await setup.join("ben");
  await ana.guest.untilLine(2);
  setup.congest(true);
  let taken = false;
  const saying = setup.say(ana.seat, { n: 1, text: "patience" })
    .then(() => taken = true);
  const carla = await setup.join("carla");
  setup.room.leave(ben.seat, "lost");
  await carla.guest.until("left");
  clock.advance(5);
  await setup.join("dmitri");
  assertEquals([taken, ana.guest.of("said").length], [false, 0]);
  setup.congest(false);
  clock.advance(5);
  await saying;
  await ana.guest.until("said");
  await assertFollows(setup, ana.guest, 1);
});

Deno.test("Room looks at a congested log once a pause, however many wait", async () => {
  await using setup = await Setup.create();
  const { clock } = setup;
  const ana = await setup.join("ana");
  setup.congest(true);
  const saying: Promise<void>[] = [];
  for (let n = 1; n <= 20; n++) {
    saying.push(setup.say(ana.seat, { n, text: "x" }));
    await until(() => setup.looks >= n);
  }
  const timers = clock.pending;
  clock.advance(4);
  const { looks } = setup;
  saying.push(setup.say(ana.seat, { n: 21, text: "x" }));
  await until(() => setup.looks > looks);
  setup.congest(false);
  clock.advance(1); // the pause is over, whoever came meanwhile
  await Promise.all(saying);
  await ana.guest.untilLine(22);
  assertEquals(timers, 1);
});

Deno.test("Room sets no pause where everybody is slow and nothing waits", async () => {
  await using setup = await Setup.create();
  const { seat, guest } = await setup.join("ana");
  setup.congest(true);
  setup.room.away(seat, "lunch");
  await guest.until("absent");
  assertEquals(setup.clock.pending, 0);
});

Deno.test("Room looks at a congested log after its pause, though who comes waits longer", async () => {
  await using setup = await Setup.create({ admissionPause: () => 500 });
  const { clock } = setup;
  const ana = await setup.join("ana");
  const asked = setup.ask("ben");
  await until(() => clock.pending > 0);
  setup.congest(true);
  const saying = setup.say(ana.seat, { n: 1, text: "x" });
  await until(() => setup.looks > 0);
  assertEquals(clock.pending, 1);
  setup.congest(false);
  clock.advance(5);
  await saying;
  await ana.guest.untilLine(2);
  assertEquals(setup.room.size, 1);
  clock.advance(495);
  await asked;
});

// ── The end ────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("Room.stop() ends the room when all that was submitted before is done", async () => {
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  const ben = await setup.join("ben");
  const taken = setup.say(ana.seat, { n: 1, text: "last words" });
  setup.room.leave(ana.seat, "stopped");
  setup.room.leave(ben.seat, "stopped");
  setup.room.stop();
  await taken;
  await setup.running;
  const words = (await setup.logged()).map(({ what }) => what);
  assertEquals(words, ["joined", "joined", "said", "left", "left"]);
  assertEquals(setup.room.size, 0);
});

Deno.test("Room.stop() waits for what waits while everybody is slow, however long, and leaves no timer behind", async () => {
  await using setup = await Setup.create();
  const { clock } = setup;
  const ana = await setup.join("ana");
  setup.congest(true);
  const taken = setup.say(ana.seat, { n: 1, text: "last words" });
  setup.room.stop();
  let isOver = false;
  setup.running.then(() => isOver = true);
  for (let time = 0; time < 400; time++) {
    clock.advance(5); // two seconds, a look at a time
    for (let turn = 0; turn < 9; turn++) await Promise.resolve();
  }
  assertEquals(isOver, false);
  setup.congest(false);
  clock.advance(5);
  await Promise.all([taken, setup.running]);
  const words = (await setup.logged()).map(({ what }) => what);
  assertEquals(words, ["joined", "said"]);
  assertEquals(clock.pending, 0);
});

Deno.test("Room leaves no timer behind for what has come off meanwhile", async () => {
  await using setup = await Setup.create();
  const { clock } = setup;
  const { seat, guest } = await setup.join("ana");
  setup.congest(true);
  const saying = setup.say(seat, { n: 1, text: "patience" });
  await until(() => setup.looks > 0);
  setup.congest(false);
  setup.room.away(seat, "lunch"); // wakes the room before its pause is over
  await saying;
  await guest.until("said");
  assertEquals(clock.pending, 1);
  setup.room.stop();
  await setup.running;
  assertEquals(clock.pending, 0);
});

Deno.test("Room.stop() doesn't wait for a log that can't be written, and leaves no timer behind", async () => {
  await using setup = await Setup.create();
  const { clock } = setup;
  const members = [
    await setup.join("ana"),
    await setup.join("ben"),
    await setup.join("carla"),
  ];
  setup.breakLog();
  for (const { seat } of members.slice(0, 2)) {
    setup.room.leave(seat, "lost");
    const [_, answer] = await setup.ask("dmitri");
    assertEquals(outcome(answer), "log-failed");
  }
  for (const { seat } of members) setup.room.leave(seat, "stopped");
  setup.room.stop();
  await setup.running;
  assertEquals(clock.pending, 0);
});

Deno.test("Room keeps the log, every member's lines and the epochs in step, whatever happens when", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    await live(seed).catch((cause) => {
      throw new Error(`seed ${seed}`, { cause });
    });
  }
});

Deno.test("Room.run() rejects, and doesn't go on unheard, where the ring can't hold a record", async () => {
  await using folder = await Folder.make();
  const path = folder.file("chat.log");
  await using log = await ChatLog.open(path, { address: "127.0.0.1:5000" });
  const broadcaster = await Broadcaster.create(SERVER_KEY, 100);
  using people = openPeople(folder.file("chat.people"));
  const room = new Room({ log, broadcaster, people, maxMembers: 9 });
  const candidate = madeUp("ana");
  const guest = new TestGuest(candidate, broadcaster.ring);
  const name = nameOf("a".repeat(32));
  const rest = { stay: newStay(), n: 0, after: 0, from: 0 };
  room.join({ guest, candidate, name, ...rest });
  await assertRejects(() => room.run(), RangeError, "the ring is full");
});

// ── Names, absences, answers and searches ──────────────────────────────────────────────────────────────

Deno.test("Room.say() logs and tells each line in its own way, in order", async () => {
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  await setup.say(
    ana.seat,
    { n: 1, text: "hello" },
    { n: 2, what: "acted", text: "waves" },
    { n: 3, what: "replied", to: 2, text: "yes" },
  );
  await ana.guest.until("replied");
  const { id } = ana.seat;
  const told = ana.guest.events.filter((event) =>
    "id" in event && "text" in event
  );
  assertEquals<unknown>(told, [
    { kind: "said", id, n: 1, text: "hello" },
    { kind: "acted", id, n: 2, text: "waves" },
    { kind: "replied", id, n: 3, to: 2, text: "yes" },
  ]);
  const logged = (await setup.logged()).slice(1);
  assertEquals(logged.map(({ what, to, text }) => [what, to, text]), [
    ["said", null, "hello"],
    ["acted", null, "waves"],
    ["replied", 2, "yes"],
  ]);
});

Deno.test("Room.rename() gives another name in its place among the lines, and keeps the old one too", async () => {
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  const before = setup.say(ana.seat, { n: 1, text: "before" });
  setup.room.rename(ana.seat, nameOf("Anna"));
  await Promise.all([
    before,
    setup.say(ana.seat, { n: 2, text: "after" }),
  ]);
  const { id } = ana.seat;
  const renamed = await ana.guest.until("renamed");
  assertEquals(renamed, { kind: "renamed", id, n: 1, name: "Anna" });
  await ana.guest.until("said", ({ n }) => n === 2);
  const logged = await setup.logged();
  assertEquals(logged.map(({ what, name, text }) => [what, name, text]), [
    ["joined", "ana", ""],
    ["said", "ana", "before"],
    ["renamed", "ana", "Anna"],
    ["said", "Anna", "after"],
  ]);
  assertEquals(outcome((await setup.ask("anna"))[1]), "name-taken");
  assertEquals(outcome((await setup.ask("ana"))[1]), "name-taken");
  const ben = await setup.join("ben");
  await ben.guest.until("welcome");
  assertEquals(ben.guest.of("here").map((it) => it.name), ["Anna", "ben"]);
});

Deno.test("Room.rename() refuses a name that is taken, and lets a member respell its own", async () => {
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  const ben = await setup.join("ben");
  setup.room.rename(ana.seat, nameOf("BEN"));
  setup.room.rename(ana.seat, nameOf("ANA"));
  await ana.guest.until("renamed");
  const whose = spokenId(ben.seat.member.person.short);
  const day = new Date(ben.seat.member.since).toISOString().slice(0, 10);
  const detail = `ben, ${whose}, since ${day}`;
  assertEquals(ana.guest.of("refused"), [
    { kind: "refused", n: null, reason: "name-taken", detail },
  ]);
  const logged = (await setup.logged()).slice(2);
  assertEquals(logged.map(({ what, text }) => [what, text]), [
    ["renamed", "ANA"],
  ]);
});

Deno.test("Room.rename() is taken back where the log can't be written", async () => {
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  setup.breakLog();
  setup.room.rename(ana.seat, nameOf("anna"));
  const refused = await ana.guest.until("refused");
  const failed = { kind: "refused", reason: "log-failed", detail: "" } as const;
  assertEquals(refused, { ...failed, n: null });
  assertEquals(ana.seat.member.name.shown, "ana");
  setup.mend();
  assertEquals(outcome((await setup.ask("ana"))[1]), "name-taken");
  await setup.join("anna");
  assertEquals(ana.guest.of("renamed"), []);
});

Deno.test("Room.away() tells everybody without a line of the log, and who comes later", async () => {
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  setup.room.away(ana.seat, "lunch");
  const { id } = ana.seat;
  const absent = await ana.guest.until("absent");
  assertEquals(absent, { kind: "absent", id, text: "lunch" });
  assertEquals(setup.history.head, 1);
  const ben = await setup.join("ben");
  await ben.guest.until("welcome");
  assertEquals(ben.guest.of("here").map(({ away }) => away), ["lunch", ""]);
  setup.room.away(ana.seat, "");
  await ben.guest.until("absent", ({ text }) => text === "");
  await setup.say(ana.seat, { n: 1, text: "back" });
  await ben.guest.untilLine(3);
  await assertFollows(setup, ben.guest, 2);
});

Deno.test("Room.away() tells nobody what everybody knows", async () => {
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  const { room } = setup;
  room.away(ana.seat, ""); // as it is
  room.away(ana.seat, "lunch");
  room.away(ana.seat, ""); // and back, before anybody was told
  await setup.say(ana.seat, { n: 1, text: "one" });
  await ana.guest.untilLine(2);
  room.away(ana.seat, "lunch");
  await ana.guest.until("absent");
  room.away(ana.seat, "lunch");
  await setup.say(ana.seat, { n: 2, text: "two" });
  await ana.guest.untilLine(3);
  room.away(ana.seat, "tea");
  await ana.guest.until("absent", ({ text }) => text === "tea");
  assertEquals(
    ana.guest.of("absent").map(({ text }) => text),
    ["lunch", "tea"],
  );
});

Deno.test("Room.away() is told where the log can't be written", async () => {
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  setup.breakLog();
  const saying = setup.say(ana.seat, { n: 1, text: "lost" });
  setup.room.away(ana.seat, "lunch");
  await saying;
  assertEquals((await ana.guest.until("refused")).reason, "log-failed");
  assertEquals((await ana.guest.until("absent")).text, "lunch");
  setup.mend();
});

Deno.test("Room.away() comes after a batch's lines, and leaves their numbers right however it is split", async () => {
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  const others: Insider[] = [];
  for (let at = 0; at < 50; at++) others.push(await setup.join(`o${at}`));
  const { head } = setup.history;
  const before = ana.guest.broadcasts.length;
  for (const { seat } of others) {
    setup.room.away(seat, "\0".repeat(256)); // together too long for one record
  }
  const lines = Array.from({ length: 20 }, (_, at) => ({
    n: at + 1,
    text: "x".repeat(4_096),
  }));
  await setup.say(ana.seat, ...lines);
  const last = others.at(-1)?.seat.id;
  await ana.guest.until("absent", ({ id }) => id === last);
  assert(ana.guest.broadcasts.length - before > 2);
  const kinds = ana.guest.events.map(({ kind }) => kind);
  assert(kinds.lastIndexOf("said") < kinds.indexOf("absent"));
  assertEquals(ana.guest.of("batch").at(-1)?.seq, head + 21);
  await setup.say(ana.seat, { n: 21, text: "next" });
  await ana.guest.untilLine(head + 21);
  await assertFollows(setup, ana.guest, 1);
});
