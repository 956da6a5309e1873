/**
 * One client's requests in a sealed room, without its connection: what they cost, who is told what, and what is staged.
 *
 * @module
 */

import { toBase64url } from "../../../../crypto_utils.ts";
import { type Event, EventError } from "../../../../src/protocol/events.ts";
import type { Seat } from "../../../../src/server/batch.ts";
import type { Shared } from "../../../../src/server/broadcaster.ts";
import {
  type Asker,
  isSealedEvent,
  type SealedEvent,
  SealedRequests,
} from "../../../../src/server/sealed/sealed_requests.ts";
import { assert, assertEquals, assertRejects } from "../../../kit/assert.ts";
import {
  type Insider,
  type OpenInvite,
  SealedServer,
} from "../../../kit/sealed_members.ts";
import { NOTHING, type Somebody, somebody } from "../../../kit/sealed_room.ts";

const NOBODY = toBase64url(new Uint8Array(32).fill(1));

/** Somebody who asks, and what comes of it. */
class Asking implements Asker {
  spent = 0;
  readonly told: Event[] = [];
  readonly pieces: number[] = [];
  /** Whether it goes once it is told lines. */
  goes = false;
  readonly requests: SealedRequests;

  constructor(
    { room, setup }: SealedServer,
    readonly known: string | undefined,
    readonly inviteId: number,
    readonly seat: Seat | undefined = undefined,
  ) {
    this.requests = new SealedRequests(room, setup.room);
  }

  tellPaid(_shared: Shared, lines: number): Promise<boolean> {
    this.pieces.push(lines);
    return Promise.resolve(!this.goes);
  }

  answer(...events: Event[]): void {
    this.told.push(...events);
  }

  spend(lines: number): void {
    this.spent += lines;
  }

  /** Asks for something. @returns What it cost. */
  async ask(event: SealedEvent): Promise<number> {
    const before = this.spent;
    await this.requests.carryOut(event, this);
    return this.spent - before;
  }

  /** Follows. @returns What it is told beside lines. */
  async follow(after = 0): Promise<Event[]> {
    await this.ask({ kind: "follow", after });
    return this.told.splice(0);
  }
}

/** A room that ana has founded, ana, and what she asks for inside. */
async function founded(): Promise<[SealedServer, Insider, Asking]> {
  const server = await SealedServer.create();
  const { room } = server.setup;
  const { join } = room;
  let seat: Seat | undefined;
  room.join = async (request) => {
    const admission = await join.call(room, request);
    if (typeof admission === "object" && "member" in admission) {
      seat = admission;
    }
    return admission;
  };
  const ana = await server.found();
  room.join = join;
  return [server, ana, new Asking(server, ana.who.full, 0, seat)];
}

/** What the room is given from now on. */
function given({ setup: { room } }: SealedServer): Event<"wrap">["to"][] {
  const all: string[] = [];
  room.give = (_seat, { to }) => void all.push(to);
  return all;
}

Deno.test("isSealedEvent() knows the events that are about a sealed room", () => {
  const events: Event[] = [
    { kind: "follow", after: 0 },
    { kind: "enter", text: "" },
    { kind: "rule", id: 1, text: "" },
    { kind: "wrap", to: NOBODY, e: 0, next: false, data: "" },
    { kind: "admit", invite: 1, key: "", blob: "" },
    { kind: "need", e: 0 },
  ];
  assertEquals(events.map(isSealedEvent), events.map(() => true));
  assertEquals(isSealedEvent({ kind: "away", text: "" }), false);
});

Deno.test("each request in a sealed room costs as much as it weighs, and those of members are theirs alone", async () => {
  const [server, ana, inside] = await founded();
  await using _server = server;
  const invite = await server.invite(ana);
  const guest = new Asking(server, undefined, invite.number);
  const wrap = { ...await server.wrap(ana.who, ana.who), to: NOBODY };
  const admit = { kind: "admit", invite: 1, key: "", blob: "" } as const;
  const rule = { kind: "rule", id: 7, text: "nothing" } as const;
  const need = { kind: "need", e: 0 } as const;
  const enter = { kind: "enter", text: "nothing" } as const;
  assertEquals(await guest.ask({ kind: "follow", after: 0 }), 20);
  assertEquals(await guest.ask(enter), 1);
  assertEquals(await guest.ask(wrap), 4);
  assertEquals(await inside.ask(wrap), 1);
  assertEquals(await inside.ask(admit), 1);
  assertEquals(await inside.ask(need), 20);
  assertEquals(await inside.ask(rule), 20);
  const said = () => server.room.lines.length;
  const before = said();
  const { text: joining } = await server.entering(ana.who, invite, "ana");
  const founding = server.room.lines[0]?.text ?? "";
  for (const text of [joining, founding]) await inside.ask({ ...rule, text });
  assertEquals(said(), before); // nobody enters inside
  const wrong = [
    { kind: "refused", n: null, reason: "control-wrong", detail: "" },
    { kind: "answered", id: 7 },
  ] as const;
  assertEquals(inside.told, [...wrong, ...wrong, ...wrong]);
  for (const event of [admit, rule, need]) {
    const why = "Cannot do that outside the room";
    await assertRejects(() => guest.ask(event), EventError, why);
  }
  await assertRejects(
    () => inside.ask(enter),
    EventError,
    "Cannot enter twice",
  );
  const twice = "Cannot follow inside the room";
  await assertRejects(() => inside.follow(), EventError, twice);
});

Deno.test("a sealed room tells those alone who are members, or come by an open invite, and says to others why not", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  const ben = await server.bring(ana, "ben");
  const eve = await server.bring(ana, "eve");
  await server.rekey(ana, {
    removed: [ben.who.full, eve.who.full],
    barred: [eve.who.full],
  });
  const { number: open } = await server.invite(ana);
  const closed = open - 1;
  const reason = async (known: Somebody | undefined, invite: number) => {
    const asking = new Asking(server, known?.full, invite);
    const [first] = await asking.follow();
    const isTold = asking.pieces.length > 0;
    assertEquals(isTold, first?.kind !== "refused");
    return first?.kind === "refused" ? first.reason : "told";
  };
  const table = [
    [ana.who, open, "told"],
    [ana.who, closed, "told"],
    [ben.who, open, "told"],
    [ben.who, closed, "removed"],
    [eve.who, open, "removed"],
    [eve.who, closed, "removed"],
    [undefined, open, "told"],
    [undefined, closed, "invite-used"],
  ] as const;
  for (const [known, invite, expected] of table) {
    assertEquals(await reason(known, invite), expected);
  }
});

Deno.test("who follows is told its key, that of its invite unless it is a member, where the lines end, and what goes with the invite", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  const { room } = server;
  const invite = await server.invite(ana);
  const { seq } = server.membership;
  const [first] = room.lines;
  assert(first);
  const wrapped = (id: string) => ({ kind: "wrapped", ...room.wrapFor(id) });
  const end = {
    ...{ kind: "followed", seq, digest: "" },
    blob: room.blobOf(invite.number),
  };
  assert(end.blob !== "");
  const guest = new Asking(server, undefined, invite.number);
  const ofInvite = wrapped(invite.self.full);
  assertEquals<unknown>(await guest.follow(), [ofInvite, end]);
  assertEquals(guest.pieces, [2]);
  const digest = room.digestAt(first.seq);
  assertEquals<unknown>(await guest.follow(first.seq), [
    ofInvite,
    { ...end, digest },
  ]);
  assertEquals(guest.pieces, [2, 1]);
  const known = new Asking(server, ana.who.full, invite.number);
  assertEquals<unknown>(await known.follow(), [wrapped(ana.who.full), end]);
  const unknown = new Asking(server, NOBODY, invite.number);
  assertEquals<unknown>(await unknown.follow(), [ofInvite, end]);
  const other = new Asking(server, ana.who.full, 7);
  const { blob } = (await other.follow()).at(-1) as Event<"followed">;
  assertEquals(blob, "");
});

Deno.test("a client may follow 16 times, and one that goes is told no more lines", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  const { room } = server;
  room.nextLines = (_share, after) => {
    const piece = { start: after, count: 1, last: after + 1 };
    const shared = Promise.resolve({ records: [] } as unknown as Shared);
    return after < 3 ? { shared, ...piece } : undefined;
  };
  const asking = new Asking(server, ana.who.full, 0);
  for (let at = 1; at <= 16; at++) {
    asking.goes = at === 16;
    await asking.follow();
    assertEquals(asking.pieces.splice(0).length, asking.goes ? 1 : 3);
  }
  const why = "Cannot follow that often";
  await assertRejects(() => asking.follow(), EventError, why);
});

/** Somebody who comes by an invite, has followed, and enters by a line. */
async function newcomer(
  server: SealedServer,
  invite: OpenInvite,
  name = "ben",
): Promise<[Asking, Somebody]> {
  const who = await somebody(name);
  const asking = new Asking(server, undefined, invite.number);
  await asking.follow();
  await asking.ask(await server.entering(who, invite, name));
  return [asking, who];
}

Deno.test("who enters is told the control lines since it followed, up to where its past begins", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  const invite = await server.invite(ana);
  const [asking, who] = await newcomer(server, invite);
  asking.pieces.length = 0;
  await server.rekey(ana);
  const { seq } = server.membership;
  const enter = (start: number) =>
    asking.requests.entering(who.full, start, asking);
  const line = await enter(seq - 1);
  assert(typeof line === "object");
  assertEquals(line.invite, invite.self.full);
  assertEquals(line.line?.control.verb, "join");
  assertEquals(asking.pieces, []);
  await enter(seq);
  assertEquals(asking.pieces, [1]);
  await enter(seq); // another try
  await enter(0);
  assertEquals(asking.pieces, [1]);
  const back = new Asking(server, ana.who.full, 7);
  await back.follow();
  assertEquals(await back.requests.entering(ana.who.full, seq, back), {
    line: undefined,
    invite: undefined,
    staged: NOTHING,
  });
});

Deno.test("nobody enters without following, without a line, by one that isn't its own, or by an invite that is closed meanwhile", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  const ben = await server.bring(ana, "ben");
  const invite = await server.invite(ana);
  const [asking, who] = await newcomer(server, invite, "cleo");
  const refusal = async (it: Asking, id = who.full) => {
    const entering = await it.requests.entering(id, 0, it);
    return typeof entering === "string" ? entering : "in";
  };
  const early = new Asking(server, undefined, invite.number);
  assertEquals(await refusal(early), "room-sealed");
  await early.follow();
  assertEquals(await refusal(early), "not-member");
  const rename = await server.wish(ben, { verb: "rename", name: "cleo" });
  for (const text of ["nothing", rename.text]) {
    await early.ask({ kind: "enter", text });
    assertEquals(await refusal(early, ben.who.full), "in"); // as the member that it is
    assertEquals(await refusal(early), "control-wrong");
  }
  assertEquals(await refusal(asking, NOBODY), "control-wrong");
  const dan = await server.bring(ana, "dan");
  const [was, barred] = [ben, dan].map(({ who }) =>
    new Asking(server, who.full, invite.number)
  );
  assert(was && barred);
  for (const it of [was, barred]) await it.follow();
  await barred.ask(await server.entering(dan.who, invite, "dan"));
  assertEquals(await refusal(asking), "in");
  const removed = [ben.who.full, dan.who.full];
  await server.rekey(ana, { removed, barred: [dan.who.full] });
  assertEquals(await refusal(was, ben.who.full), "removed");
  assertEquals(await refusal(barred, dan.who.full), "removed");
  await server.rule(ana, { verb: "close", invite: invite.number });
  assertEquals(await refusal(asking), "invite-used");
  const other = await server.invite(ana); // its line is by the one that is closed
  const late = new Asking(server, undefined, other.number);
  await late.follow();
  await late.ask(await server.entering(who, invite, "cleo"));
  assertEquals(await refusal(late), "invite-used");
});

Deno.test("keys are staged as their sender's: two by a guest, as many by a keeper as there are recipients and two more, and gone with a line", async () => {
  const [server, ana, keeper] = await founded();
  await using _server = server;
  const invite = await server.invite(ana);
  const { room } = server.setup;
  const passed = given(server);
  const wrap = { ...await server.wrap(ana.who, ana.who), e: 1 };
  const to = (at: number) => toBase64url(new Uint8Array(32).fill(at));
  const stage = async (asking: Asking, next: boolean) => {
    for (let at = 1; at <= 9; at++) {
      await asking.ask({ ...wrap, to: to(at), next });
    }
  };
  const [guest, who] = await newcomer(server, invite);
  await stage(guest, false);
  const entering = async () => {
    const it = await guest.requests.entering(who.full, 0, guest);
    assert(typeof it === "object");
    return it.staged;
  };
  const { wraps, admission } = await entering();
  assertEquals([...wraps.keys()], [to(1), to(2)]);
  assertEquals(wraps.get(to(1))?.by, who.full);
  assertEquals(admission, undefined);
  assertEquals((await entering()).wraps.size, 2); // for another try

  const staged: unknown[] = [];
  room.rule = ({ staged: { wraps, admission } }) =>
    void staged.push([[...wraps.keys()], admission]);
  await stage(keeper, true);
  const admitted = { invite: 3, key: "key", blob: "blob" };
  await keeper.ask({ kind: "admit", ...admitted });
  const wish = await server.wish(ana, { verb: "rename", name: "anna" });
  for (const _ of [1, 2]) await keeper.ask(wish);
  assertEquals(staged, [
    [[to(1), to(2), to(3), to(4)], admitted],
    [[], undefined],
  ]);
  assertEquals(passed, []);
});

Deno.test("a member's key of the present epoch for somebody who is to have it is passed on at once, and one of another epoch isn't staged as the next", async () => {
  const [server, ana, keeper] = await founded();
  await using _server = server;
  const ben = await server.bring(ana, "ben");
  const invite = await server.invite(ana);
  const passed = given(server);
  const staged: string[][] = [];
  server.setup.room.rule = ({ staged: { wraps } }) =>
    void staged.push([...wraps.keys()]);
  const wrap = await server.wrap(ana.who, ben.who);
  const { full } = ben.who;
  const wish = await server.wish(ana, { verb: "rename", name: "anna" });
  await keeper.ask(wrap);
  await keeper.ask({ ...wrap, to: invite.self.full });
  assertEquals(passed.splice(0), [full, invite.self.full]);
  await keeper.ask({ ...wrap, to: NOBODY }); // who may be there in an instant
  const [one, two] = [1, 2].map((at) =>
    toBase64url(new Uint8Array(32).fill(at + 1))
  );
  await keeper.ask({ ...wrap, e: 2, next: true, to: one ?? "" });
  await keeper.ask({ ...wrap, e: 0, next: true, to: two ?? "" });
  await keeper.ask({ ...wrap, e: 1, next: true });
  await keeper.ask({ ...wrap, e: 7, to: invite.self.full });
  await keeper.ask(wish);
  assertEquals([passed, staged], [[], [[NOBODY, full, invite.self.full]]]);
  const [guest, who] = await newcomer(server, invite, "cleo");
  await guest.ask(wrap); // a guest's is staged
  const entering = await guest.requests.entering(who.full, 0, guest);
  assert(typeof entering === "object");
  assertEquals([passed, [...entering.staged.wraps.keys()]], [[], [full]]);
});
