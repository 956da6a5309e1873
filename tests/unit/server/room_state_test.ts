/**
 * What becomes of each thing that is asked for, by the state of a room alone: what it is refused, what a batch comes to,
 * and what is taken back with it.
 *
 * @module
 */

import { ChatLog } from "../../../src/log/chat_log.ts";
import type { Event } from "../../../src/protocol/events.ts";
import {
  Batch,
  HERE,
  type Item,
  type Member,
  type Of,
  type Seat,
} from "../../../src/server/batch.ts";
import { OTHERS_GUEST } from "../../../src/server/cluster/items.ts";
import type { People } from "../../../src/server/people/people.ts";
import { RoomState } from "../../../src/server/room_state.ts";
import { assert, assertEquals } from "../../kit/assert.ts";
import { Folder } from "../../kit/folder.ts";
import { ADDRESS } from "../../kit/log_kit.ts";
import { madeUp, newStay, openPeople } from "../../kit/people.ts";
import { nameOf } from "../../kit/room_setup.ts";
import { SealedServer } from "../../kit/sealed_members.ts";
import { NOTHING, parsed } from "../../kit/sealed_room.ts";

/** The state of an open room that nobody is in, and its people. */
async function withState(
  use: (state: RoomState, people: People) => void,
): Promise<void> {
  await using folder = await Folder.make();
  const log = await ChatLog.open(folder.file("chat.log"), { address: ADDRESS });
  try {
    using people = openPeople(folder.file("chat.people"));
    use(
      new RoomState({ log, people, maxMembers: 9, server: () => HERE }),
      people,
    );
  } finally {
    await log.close();
  }
}

/** A batch in which something happens. @param isDecided Whether others have decided it. */
function batchOf(
  state: RoomState,
  items: readonly Item[],
  { isDecided = false, at = 1 } = {},
): Batch {
  const batch = new Batch(at, 1, isDecided);
  for (const item of items) state.apply(item, batch);
  return batch;
}

function takeBack({ undo }: Batch): void {
  for (const it of undo.reverse()) it();
}

/** Somebody comes. */
function coming(
  word: string,
  { id, server = HERE }: { id?: number; server?: string } = {},
): Of<"join"> {
  const request = {
    guest: OTHERS_GUEST,
    candidate: madeUp(word),
    name: nameOf(word),
    stay: newStay(),
    ...{ n: 0, after: 0, from: 0 },
  };
  const answer = () => {};
  return { kind: "join", request, answer, server, ...id && { id } };
}

/** Somebody is in. */
function comes(state: RoomState, word: string): Seat {
  const [joined] = batchOf(state, [coming(word)]).joined;
  assert(joined);
  return joined.seat;
}

Deno.test("RoomState refuses a rename, a release and a control line of a connection that has left, and takes them of one that is in", () =>
  withState((state) => {
    const seat = comes(state, "ana");
    batchOf(state, [{ kind: "leave", seat, reason: "left" }]);
    const line = { control: { verb: "close", invite: 1 } } as Of<
      "rule"
    >["line"];
    const items: Item[] = [
      { kind: "rename", seat, name: nameOf("anna") },
      { kind: "release", seat, id: 1 },
      { kind: "rule", seat, id: 2, line, staged: NOTHING },
    ];
    const batch = new Batch(1, 1, false);
    for (const it of items) assertEquals(state.apply(it, batch), false);
    assertEquals([batch.isEmpty, batch.undo.length], [true, 0]);
    const other = comes(state, "ben");
    const possible = items.slice(0, 2).map((it) => ({ ...it, seat: other }));
    for (const it of possible as Item[]) assert(state.apply(it, batch));
  }));

Deno.test("RoomState of an open room makes nothing of what only a sealed room has", () =>
  withState((state) => {
    const seat = comes(state, "ana");
    const wrap = { by: "", to: "", e: 0, data: "" };
    const line = { control: { verb: "rename", name: "anna" } } as Of<
      "rule"
    >["line"];
    const batch = batchOf(state, [
      { kind: "need", seat, e: 0 },
      { kind: "give", seat, wrap },
      { kind: "rule", seat, id: 1, line, staged: NOTHING },
    ]);
    assertEquals([batch.isEmpty, seat.member.name.shown], [true, "ana"]);
  }));

Deno.test("RoomState notes in the batch which servers come and go", () =>
  withState((state) => {
    const items: Item[] = [
      { kind: "server", id: "a", address: "a.example:5000" },
      { kind: "gone", server: "a", reason: "lost" },
    ];
    assertEquals<unknown>(batchOf(state, items).servers, items);
  }));

Deno.test("RoomState drops a line whose number was said before", () =>
  withState((state) => {
    const seat = comes(state, "ana");
    const say = (...numbers: number[]) => {
      const lines = numbers.map((n) => ({ n, text: `${n}` }));
      const batch = batchOf(state, [{ kind: "say", seat, lines, taken() {} }]);
      return batch.entries.map(({ n }) => n);
    };
    assertEquals([say(1, 2), say(1, 2, 3), say(3)], [[1, 2], [3], []]);
    assertEquals(seat.n, 3);
  }));

Deno.test("RoomState removes nobody who isn't in", () =>
  withState((state) => {
    const ana = comes(state, "ana");
    const remove = (person: Member["person"]): Of<"remove"> => ({
      ...{ kind: "remove", person, words: "removed" },
    });
    const { person } = ana.member;
    assertEquals(batchOf(state, [remove(person)]).removing.length, 1);
    assertEquals(batchOf(state, [remove(person)]).removing, []);
  }));

const COMINGS = [
  "which leaves last",
  "which leaves before another comes",
];

for (const [nth, how] of COMINGS.entries()) {
  Deno.test(`RoomState tells that a person left by the connection that all know, where others of it come and go in the same batch, ${how}`, () =>
    withState((state) => {
      const desk = comes(state, "ana");
      const there = { server: "there" };
      const gone: Item = { kind: "gone", server: "there", reason: "lost" };
      const leave: Item = { kind: "leave", seat: desk, reason: "left" };
      const [second, third] = [50, 51].map((id) =>
        coming("ana", { id, ...there })
      );
      assert(second && third);
      const items = nth === 0
        ? [second, gone, leave]
        : [second, leave, third, gone];
      const { entries, encoded } = batchOf(state, items, { isDecided: true });
      const left = entries.filter(({ what }) => what === "left");
      assertEquals(left.map(({ stay, n }) => [stay, n]), [[desk.stay, 1]]);
      assertEquals(JSON.parse(encoded.at(-1) ?? "").slice(0, 2), [
        "left",
        desk.id,
      ]);
      assertEquals(state.members.size, 0);
    }));
}

Deno.test("RoomState keeps a name for its owner who is in, whenever that was noted last, or was in lately", () =>
  withState((state, people) => {
    const { member: { person } } = comes(state, "ana");
    const wish = {
      candidate: madeUp("ben"),
      name: nameOf("ANA"),
      stay: newStay(),
    };
    person.there = 0;
    assertEquals(state.refusal(wish)?.reason, "name-taken");
    batchOf(state, [{ kind: "remove", person, words: "removed" }]);
    person.there = 0;
    assertEquals(state.refusal(wish), undefined);
    people.saw(person, Date.now());
    assertEquals(state.refusal(wish)?.reason, "name-taken");
  }));

Deno.test("RoomState takes back when a person was there last, with the batch in which it came or left", () =>
  withState((state) => {
    const seat = comes(state, "ana");
    const { member: { person } } = seat;
    const at = 10 * 86_400_000;
    const leave: Item = { kind: "leave", seat, reason: "left" };
    const there = () => person.there;
    const before = there();
    const left = batchOf(state, [leave], { at });
    assertEquals(there(), at);
    takeBack(left);
    assertEquals([there(), state.members.has(seat)], [before, true]);
    batchOf(state, [leave]);
    const came = batchOf(state, [coming("ana")], { at });
    assertEquals(there(), at);
    takeBack(came);
    assertEquals([there(), state.members.size], [before, 0]);
  }));

Deno.test("RoomState refuses a control line that takes a name that another person owns, and takes any other", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  const ben = await server.bring(ana, "ben");
  await server.rule(ana, { verb: "rename", name: "anna" }); // "ana" is hers still
  const { room, setup: { log, people } } = server;
  const options = { log, people, maxMembers: 9, sealed: room };
  const state = new RoomState({ ...options, server: () => HERE });
  const person = people.persons.find(ben.who.full);
  assert(person);
  const told: Event[] = [];
  const guest = {
    ...OTHERS_GUEST,
    tell: (...events: Event[]) => void told.push(...events),
  };
  const rest = { name: nameOf("ben"), since: 0, active: 0, away: "" };
  const member: Member = { person, seats: [], ...rest };
  const seat = { id: 1, member, guest, stay: ben.stay, server: HERE, n: 0 };
  state.members.add(member);
  const rule = async (name: string, isDecided = false) => {
    const { text, id } = await server.wish(ben, { verb: "rename", name });
    const item = { seat, id, line: parsed(text), staged: NOTHING };
    const batch = new Batch(Date.now(), room.next.seq + 9, isDecided);
    const isDone = state.apply({ kind: "rule", ...item }, batch);
    const renamed = member.name.shown;
    takeBack(batch);
    return [isDone, renamed, told.splice(0).map(({ kind }) => kind)];
  };
  assertEquals(await rule("benno"), [false, "ben", []]); // who isn't in
  state.members.take(seat);
  assertEquals(await rule("benno"), [true, "benno", []]);
  assertEquals(await rule("ana"), [false, "ben", ["refused", "answered"]]);
  assertEquals(await rule("ana", true), [true, "ana", []]);
  assertEquals(member.name.shown, "ben");
  // What a keeper says of keys can be done, too.
  const keeper = people.persons.find(ana.who.full);
  assert(keeper);
  const hers: Member = { ...member, person: keeper, seats: [] };
  const by = { ...seat, id: 2, member: hers, stay: ana.stay };
  state.members.add(hers);
  state.members.take(by);
  const [, , { text, id }] = await server.rekeying(ana, {
    removed: [ben.who.full],
  });
  const line = parsed(text);
  const batch = new Batch(Date.now(), room.next.seq + 9, false);
  const keys = { kind: "rule", seat: by, id, line, staged: NOTHING } as const;
  assertEquals([state.apply(keys, batch), told], [true, []]);
  assertEquals(batch.removed, [seat]);
  takeBack(batch);
});
