/**
 * Who enters a sealed room by which line, and what is asked for there, as its state says by itself.
 *
 * @module
 */

import type { Event } from "../../../../src/protocol/events.ts";
import {
  Batch,
  type Entering,
  HERE,
  type Member,
  type Seat,
} from "../../../../src/server/batch.ts";
import { OTHERS_GUEST } from "../../../../src/server/cluster/items.ts";
import { Roster } from "../../../../src/server/roster.ts";
import { SealedState } from "../../../../src/server/sealed/sealed_state.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";
import { nameOf } from "../../../kit/room_setup.ts";
import {
  type Insider,
  type OpenInvite,
  SealedServer,
} from "../../../kit/sealed_members.ts";
import {
  NOTHING,
  parsed,
  type Somebody,
  somebody,
} from "../../../kit/sealed_room.ts";

/** A room, its state with nobody in, ana, its keeper, and ben. */
async function sealed() {
  const [server, ana] = await SealedServer.founded();
  const ben = await server.bring(ana, "ben");
  const roster = new Roster();
  const state = new SealedState(server.room, roster);
  return { server, roster, state, ana, ben };
}

/** Somebody asks to be let in. @returns Why it isn't, and the lines that came of it. */
function enter(
  { server: { room }, state }: Awaited<ReturnType<typeof sealed>>,
  { full: id }: Somebody,
  entering: Entering | undefined,
  { name = "cleo", isDecided = false, place = room.next.seq + 9 } = {},
) {
  const request = {
    ...{ guest: OTHERS_GUEST, stay: "", n: 0, after: 0, from: 0 },
    candidate: { id, key: "", card: "", invite: 0 },
    name: nameOf(name),
    entering,
  };
  const batch = new Batch(Date.now(), place, isDecided);
  const refused = state.enter(request, batch);
  const lines = batch.entries.map(({ text }) => text);
  for (const it of batch.undo.reverse()) it();
  return [refused, lines.map((text) => text.split(" ", 1)[0])];
}

/** With what somebody comes by an invite. */
async function by(
  { server }: Awaited<ReturnType<typeof sealed>>,
  invite: OpenInvite,
  who: Somebody,
  name = "cleo",
): Promise<Entering> {
  const { text } = await server.entering(who, invite, name);
  const line = parsed(text);
  return { line, invite: invite.self.full, staged: NOTHING };
}

Deno.test("SealedState knows the name of who is a member, and of nobody else", async () => {
  const { server, state, ana, ben } = await sealed();
  await using _server = server;
  const candidate = { key: "", card: "", invite: 0 };
  const ids = [ana.who.full, (await somebody("eve")).full];
  const names = ids.map((id) =>
    state.nameOf({ candidate: { id, ...candidate } })
  );
  assertEquals(names.map((it) => it?.shown), ["ana", undefined]);
  ana.client.channel.close();
  await ben.client.until("left");
  const again = await server.back(ana.who, "whatever");
  assertEquals(again.client.of("welcome")[0]?.name, "ana");
});

Deno.test("SealedState lets one enter by its own line and an open invite, a member without any, and says to others why not", async () => {
  const room = await sealed();
  const { server, ana, ben } = room;
  await using _server = server;
  const [invite, other] = [await server.invite(ana), await server.invite(ana)];
  const cleo = await somebody("cleo");
  const joining = await by(room, invite, cleo);
  const without = { line: undefined, invite: undefined, staged: NOTHING };
  assertEquals(enter(room, cleo, undefined), ["room-sealed", []]);
  assertEquals(enter(room, cleo, without), ["removed", []]);
  assertEquals(enter(room, ben.who, without), [undefined, []]);
  assertEquals(enter(room, cleo, joining), [undefined, ["join"]]);
  const named = { name: "cleopatra" };
  assertEquals(enter(room, cleo, joining, named), ["control-wrong", []]);
  const byOther = { ...joining, invite: other.self.full };
  assertEquals(enter(room, cleo, byOther), ["invite-used", []]);
  const { number } = invite;
  await server.rule(ana, { verb: "close", invite: number });
  await server.rekey(ana, { removed: [ben.who.full] });
  assertEquals(enter(room, cleo, joining), ["invite-used", []]);
});

Deno.test("SealedState lets in whom others have let in, by a line that a crash left here, too, which the log has once more", async () => {
  const room = await sealed();
  const { server, ana, ben } = room;
  await using _server = server;
  const cleo = await somebody("cleo");
  const joining = await by(room, await server.invite(ana), cleo);
  const without = { line: undefined, invite: undefined, staged: NOTHING };
  const isDecided = true;
  for (const who of [ben.who, cleo]) {
    assertEquals(enter(room, who, without, { isDecided }), [undefined, []]);
  }
  const named = { name: "cleopatra", isDecided };
  assertEquals(enter(room, cleo, joining, named), [undefined, ["join"]]);
  const said = server.room.lines.find(({ text }) => text.startsWith("join "));
  assert(said);
  const { seq: place, text } = said;
  const its = { ...without, line: parsed(text) };
  const decided = { isDecided, name: "ben" };
  const once = enter(room, ben.who, its, { ...decided, place });
  assertEquals(once, [undefined, ["join"]]);
  assertEquals(enter(room, ben.who, its, decided), [undefined, []]);
});

Deno.test("SealedState keeps no content key of a batch that is taken back", async () => {
  const { server, state, ana, ben } = await sealed();
  await using _server = server;
  const { room } = server;
  const wrap = { by: ana.who.full, to: ben.who.full, e: 0, data: "new" };
  const batch = new Batch(Date.now(), room.next.seq + 9, false);
  const seat = {} as Seat; // which is nobody's matter here
  state.give({ kind: "give", seat, wrap }, batch);
  assertEquals(batch.given, [wrap]);
  for (const it of batch.undo) it();
  room.keep();
  room.settle();
  assert(room.wrapFor(ben.who.full)?.data !== "new");
});

Deno.test("SealedState tells keepers who lacks a key, but none of them of itself", async () => {
  const { server, roster, state, ana, ben } = await sealed();
  await using _server = server;
  await server.rekey(ana, { made: [ben.who.full] });
  const told: [string, Event][] = [];
  const comes = ({ who }: Insider, id: number): Seat => {
    const person = server.setup.people.persons.find(who.full);
    assert(person);
    const name = nameOf(`m${id}`);
    const rest = { since: 0, active: 0, away: "" };
    const member: Member = { person, name, seats: [], ...rest };
    const tell = (...events: Event[]) =>
      void told.push(
        ...events.map((it) => [name.shown, it] as [string, Event]),
      );
    const guest = { ...OTHERS_GUEST, tell };
    const seat = { id, member, guest, stay: "", server: HERE, n: 0 };
    roster.add(member);
    roster.take(seat);
    return seat;
  };
  const [first] = [comes(ana, 1), comes(ben, 2)];
  assert(first);
  state.need({ kind: "need", seat: first, e: 1 });
  const needed = { kind: "needed", who: ana.who.full, e: 1 };
  assertEquals<unknown>(told, [["m2", needed]]);
  assertEquals<unknown>(state.needs, [needed]);
});
