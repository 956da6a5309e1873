/**
 * What servers that share a sealed room carry out of what another one has decided.
 *
 * @module
 */

import { toBase64url } from "../../../../crypto_utils.ts";
import { ChatLog } from "../../../../src/log/chat_log.ts";
import type { Event } from "../../../../src/protocol/events.ts";
import { parseName } from "../../../../src/protocol/names.ts";
import { parseControl } from "../../../../src/sealed/control_line.ts";
import {
  Batch,
  HERE,
  type Member,
  type Seat,
} from "../../../../src/server/batch.ts";
import { OTHERS_GUEST } from "../../../../src/server/cluster/items.ts";
import type { Person } from "../../../../src/server/people/person.ts";
import { Roster } from "../../../../src/server/roster.ts";
import { SealedRoom } from "../../../../src/server/sealed/sealed_room.ts";
import { SealedState } from "../../../../src/server/sealed/sealed_state.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";
import { ROOM_KEY } from "../../../kit/connection_setup.ts";
import { Folder } from "../../../kit/folder.ts";
import { SealedServer } from "../../../kit/sealed_members.ts";
import { replaced } from "../../../kit/replaced.ts";

const DAY = 86_400_000;

type Taken = Parameters<SealedRoom["take"]>;

/** What a server's room takes from now on. */
function watched({ room }: SealedServer): Taken[] {
  const all: Taken[] = [];
  const { take } = room;
  room.take = (...args) => {
    all.push(args);
    return take.apply(room, args);
  };
  return all;
}

/** A room of ana and ben, keepers, of which another server carries out what the first one has taken. */
async function decided(): Promise<[SealedServer, Taken[]]> {
  const server = await SealedServer.create();
  const taken = watched(server);
  const ana = await server.found();
  await server.bring(ana, "cleo");
  const ben = await server.bring(ana, "ben");
  await server.rekey(ana, { made: [ben.who.full] });
  await server.invite(ana);
  await server.rekey(ben);
  return [server, taken];
}

/** The room of another server. @param now Its time. */
async function another(folder: Folder, now?: () => number) {
  const address = "127.0.0.1:5000";
  const log = await ChatLog.open(folder.file("chat.log"), { address });
  const path = folder.file("chat.control");
  const room = await SealedRoom.open(path, ROOM_KEY, log, () => {}, now);
  return { log, room };
}

/** Carries a control line out. */
function carryOut(room: SealedRoom, taken: Taken): readonly unknown[] {
  const [line, entry, seq, staged] = taken;
  const said = room.take(line, entry, seq, staged, true);
  assert(typeof said === "object", `${seq}: ${JSON.stringify(said)}`);
  room.keep();
  room.settle();
  return said.wraps;
}

Deno.test("control lines that one server has taken come to the same on another, whatever its clock says, with their keys", async () => {
  const [server, taken] = await decided();
  await using _server = server;
  await using folder = await Folder.make();
  const { now } = Date;
  const { log, room } = await (async () => {
    using _now = replaced(Date, "now", () => now() + 30 * DAY);
    return await another(folder);
  })();
  using _room = room;
  for (const it of taken) carryOut(room, it);
  const { digest, epoch, members } = server.membership;
  assertEquals(toBase64url(room.membership.digest), toBase64url(digest));
  assertEquals(room.membership.epoch, epoch);
  for (const { id } of members.values()) {
    assertEquals(room.wrapFor(id), server.room.wrapFor(id));
  }
  await log.close();
});

Deno.test("control lines that a crash left in chat.control are carried out once more without effect, and no others in their place", async () => {
  const [server, taken] = await decided();
  await using _server = server;
  await using folder = await Folder.make();
  const { log, room } = await another(folder, () => Date.now());
  using _room = room;
  for (const it of taken) carryOut(room, it);
  const { digest } = room.membership;
  for (const it of taken) assertEquals(carryOut(room, it), []);
  assertEquals(room.membership.digest, digest);
  const [, second, third] = taken;
  assert(second && third);
  const [line, entry, , staged] = second;
  const [other] = third;
  assertEquals(room.take(other, entry, 2, staged, true), "control-wrong");
  assertEquals(room.take(line, entry, 2, staged, false), "control-wrong"); // which isn't decided
  await log.close();
});

Deno.test("lines of a decided entry are taken by the key of their place, whatever key a crash left, and wait for no slow mode", async () => {
  const [server] = await decided();
  await using _server = server;
  const { room, setup: { people } } = server;
  const [first, second] = room.lines.filter(({ text }) =>
    parseControl(text)?.control.verb === "keys"
  );
  const [person] = [...server.membership.members.values()]
    .filter(({ id }) => !server.membership.isKeeper(id))
    .map(({ id }) => people.persons.find(id));
  const name = parseName("cleo");
  assert(first && second && person && typeof name === "object");
  const told: Event[] = [];
  const guest = {
    ...OTHERS_GUEST,
    tell: (...events: Event[]) => void told.push(...events),
  };
  const state = new SealedState(room, new Roster());
  const lines = [0, 0, 1, 1, 2, 2].map((e, nth) => ({
    n: nth + 1,
    text: `${e}.${"A".repeat(64)}`,
  }));
  /** The numbers of those that are taken as the entry's first, where slow mode holds for an hour. */
  const taken = (place: number, isDecided: boolean) => {
    const since = { since: 0, active: 0, away: "" };
    const member: Member = { person, name, seats: [], ...since };
    const seat: Seat = { id: 1, member, guest, stay: "", server: HERE, n: 0 };
    const say = { kind: "say" as const, seat, lines, taken() {} };
    const batch = new Batch(0, place, isDecided);
    return state.taken(say, 3_600, batch).map(({ n }) => n);
  };
  assertEquals(taken(first.seq, true), [1, 2]);
  assertEquals(taken(second.seq, true), [3, 4]);
  assertEquals(taken(second.seq + 1, true), [5, 6]);
  assertEquals(told, []);
  assertEquals(taken(second.seq + 1, false), [5]);
  const refused = { kind: "refused", n: 6, reason: "too-soon", detail: "" };
  assertEquals<unknown>(told.splice(0), [refused]);
  // Which of them may be proposed: those that won't be taken are no matter of slow mode.
  const timely = (n: number, who: Person) => {
    const since = { since: 0, active: 0, away: "" };
    const member: Member = { person: who, name, seats: [], ...since };
    const seat: Seat = { id: 1, member, guest, stay: "", server: HERE, n };
    return state.timely(seat, lines, 3_600).map(({ n }) => n);
  };
  person.spoke = -Infinity;
  assertEquals(timely(0, person), [1, 2, 3, 4, 5]);
  assertEquals<unknown>(told.splice(0), [refused]);
  assertEquals(timely(5, person), [1, 2, 3, 4, 5]);
  assertEquals<unknown>(told.splice(0), [refused]);
  const [keeper = ""] = server.membership.keepers;
  const ana = people.persons.find(keeper);
  assert(ana);
  assertEquals(timely(0, ana), [1, 2, 3, 4, 5, 6]);
  assertEquals(told, []);
});
