/**
 * What members and keepers do in a sealed room: control lines, content keys, sealed lines, files.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "../../../kit/assert.ts";
import {
  assertThrownOut,
  type Client,
  fetchOf,
} from "../../../kit/connection_setup.ts";
import { ManualClock } from "../../../kit/memory_stream.ts";
import { quiet } from "../../../kit/room_client.ts";
import { joinEvent, madeUpId } from "../../../kit/people.ts";
import {
  answer,
  followed,
  holdLog,
  type Insider,
  SealedServer,
} from "../../../kit/sealed_members.ts";
import { somebody } from "../../../kit/sealed_room.ts";
import { replaced } from "../../../kit/replaced.ts";
import type { Event } from "../../../../src/protocol/events.ts";
import { admissionKey } from "../../../../src/keys/invite.ts";
import { MEMBER_ID, MEMBER_KEY } from "../../../../src/protocol/hello.ts";
import { OPERATIONS } from "../../../../src/protocol/reasons.ts";
import { PIECE_OVERHEAD } from "../../../../src/protocol/offer.ts";
import { HandshakeError, toBase64url } from "../../../../crypto_utils.ts";

/** A room of ana, its keeper, and some others. */
async function roomOf(
  ...names: string[]
): Promise<[SealedServer, ...Insider[]]> {
  const [server, ana] = await SealedServer.founded();
  const others: Insider[] = [];
  for (const name of names) others.push(await server.bring(ana, name));
  return [server, ana, ...others];
}

const DAY = 86_400_000;

const kinds = ({ events }: Client, ...wanted: string[]) =>
  events.map(({ kind }) => kind).filter((kind) => wanted.includes(kind));

/** Keeps the log, or what stands beside it, from being written. @returns Mends that. */
function breakLog({ setup: { log } }: SealedServer): () => void {
  const { append } = log;
  log.append = () => Promise.reject(new Error("the disk is full"));
  return () => void (log.append = append);
}

Deno.test("the key is told to each who is there before the line with which it counts, and kept for who is away", async () => {
  const [server, ana, ben, cleo] = await roomOf("ben", "cleo");
  await using _server = server;
  assert(ana && ben && cleo);
  cleo.client.channel.close();
  await ana.client.until("left");
  assertEquals(await server.rekey(ana), undefined);
  await ben.client.until("ruled", ({ text }) => text.startsWith("keys"));
  assertEquals(kinds(ben.client, "wrapped", "ruled").slice(-2), [
    "wrapped",
    "ruled",
  ]);
  assertEquals(ben.client.of("wrapped").at(-1)?.e, 1);
  assertEquals(server.room.wrapFor(cleo.who.full)?.e, 1);
  const back = await server.back(cleo.who, "cleo");
  assertEquals(back.client.of("wrapped").at(-1)?.e, 1);
});

Deno.test("who comes by a second connection in the batch in which the key changes has it on both", async () => {
  const [server, ana, ben] = await roomOf("ben");
  await using _server = server;
  assert(ana && ben);
  const [, wraps, rule] = await server.rekeying(ana);
  await ana.client.send(...wraps);
  const second = await server.byKey(ben.who);
  await followed(second, server.membership.seq);
  const go = holdLog(server);
  await ana.client.send(await server.seal(ana, 1, "holds the batch"));
  await quiet(ana.client);
  const asked = server.asked();
  const joined = server.join(ben.who, second, "ben");
  await asked;
  await ana.client.send(rule);
  await quiet(ana.client);
  go();
  await joined;
  for (const client of [ben.client, second]) {
    await client.until("wrapped", ({ e }) => e === 1);
  }
});

Deno.test("two keepers who change the key in the same instant: one does, the other is told that it is late, and its keys count nowhere", async () => {
  const [server, ana, ben] = await roomOf("ben");
  await using _server = server;
  assert(ana && ben);
  assertEquals(await server.rekey(ana, { made: [ben.who.full] }), undefined);
  const [[key, first, one], [, second, other]] = [
    await server.rekeying(ana),
    await server.rekeying(ben),
  ];
  const go = holdLog(server);
  await ana.client.send(...first, one);
  await quiet(ana.client);
  await ben.client.send(...second, other);
  await quiet(ben.client);
  go();
  assertEquals(await answer(ana.client, one.id), undefined);
  assertEquals(await answer(ben.client, other.id), "keys-late");
  server.keys.push(key);
  assertEquals(server.membership.epoch, 2);
  for (const { who } of [ana, ben]) {
    assertEquals(server.room.wrapFor(who.full)?.by, ana.who.full);
  }
  assertEquals(await server.rekey(ben), undefined);
});

Deno.test("content keys of a keeper who comes a moment after another one's change of the key replace none of that one's", async () => {
  const [server, ana, ben] = await roomOf("ben");
  await using _server = server;
  assert(ana && ben);
  assertEquals(await server.rekey(ana, { made: [ben.who.full] }), undefined);
  // Ben made his keys before he heard of ana's change.
  const [, second, other] = await server.rekeying(ben);
  assertEquals(await server.rekey(ana), undefined);
  await ben.client.send(...second, other);
  assertEquals(await answer(ben.client, other.id), "keys-late");
  for (const { who } of [ana, ben]) {
    assertEquals(server.room.wrapFor(who.full)?.by, ana.who.full);
  }
  const byBen = ana.client.of("wrapped").filter(({ by }) =>
    by === ben.who.full
  );
  assertEquals(byBen, []);
});

const RULES: readonly (readonly [
  string,
  (server: SealedServer, by: Insider, of: Insider) => Promise<Event<"rule">>,
  string,
])[] = [
  [
    "changes the key",
    async (it, by) => (await it.rekeying(by))[2],
    "not-keeper",
  ],
  [
    "removes a keeper",
    async (it, by, of) =>
      (await it.rekeying(by, { removed: [of.who.full] }))[2],
    "not-keeper",
  ],
  [
    "makes itself a keeper",
    async (it, by) => (await it.rekeying(by, { made: [by.who.full] }))[2],
    "not-keeper",
  ],
  [
    "makes an invite",
    async (it, by) => (await it.inviting(by))[2],
    "not-keeper",
  ],
  [
    "closes an invite",
    (it, by) => it.wish(by, { verb: "close", invite: 0x8000_0001 }),
    "not-keeper",
  ],
  [
    "takes another's name",
    (it, by) => it.wish(by, { verb: "rename", name: "ana" }),
    "name-taken",
  ],
  [
    "takes a name that is none",
    (it, by) => it.wish(by, { verb: "rename", name: "a\u202eb" }),
    "control-wrong",
  ],
  ["says what another signed", async (it, by, of) => ({
    ...await it.wish(of, { verb: "rename", name: "zoe" }),
    id: 77 + by.who.full.length,
  }), "control-wrong"],
  [
    "says a line again",
    (it, by) => it.wish(by, { verb: "rename", name: "zoe", count: 1 }),
    "control-wrong",
  ],
  [
    "says no control line",
    (_it, by) =>
      Promise.resolve({
        kind: "rule",
        id: by.who.full.length,
        text: "rename",
      }),
    "control-wrong",
  ],
];

for (const [what, make, reason] of RULES) {
  Deno.test(`a member that ${what} is refused: ${reason}`, async () => {
    const [server, ana, ben] = await roomOf("ben");
    await using _server = server;
    assert(ana && ben);
    const { digest } = server.membership;
    const wish = await make(server, ben, ana);
    await ben.client.send(wish);
    assertEquals(await answer(ben.client, wish.id), reason);
    assertEquals(server.membership.digest, digest);
  });
}

Deno.test("an invite that comes without what the server needs to know of it isn't made", async () => {
  const [server, ana] = await roomOf();
  await using _server = server;
  assert(ana);
  const [, , rule] = await server.inviting(ana);
  const [, staged, other] = await server.inviting(ana);
  await ana.client.send(rule);
  assertEquals(await answer(ana.client, rule.id), "control-wrong");
  await ana.client.send(...staged, { ...rule, id: 900 });
  assertEquals(await answer(ana.client, 900), "control-wrong");
  await ana.client.send(other);
  assertEquals(await answer(ana.client, other.id), "control-wrong");
  assertEquals(server.membership.invites.size, 0);
});

Deno.test("who is barred by a control line is banned until another one frees it, and whom the server doesn't know is nobody", async () => {
  const [server, ana, ben] = await roomOf("ben");
  await using _server = server;
  assert(ana && ben);
  const { persons } = server.setup.people;
  const { full } = ben.who;
  const banned = () => persons.banned.map(({ id }) => id);
  const change = { removed: [full], barred: [full, madeUpId("nobody")] };
  assertEquals(await server.rekey(ana, change), undefined);
  assertEquals((await ben.client.until("bye")).reason, "removed");
  assertEquals(banned(), [full]);
  assertEquals(await server.rekey(ana), undefined); // of which nothing like that comes
  assertEquals(banned(), [full]);
  const freed = [full, madeUpId("nobody")];
  assertEquals(await server.rekey(ana, { freed }), undefined);
  assertEquals(banned(), []);
});

Deno.test("a keeper who removes itself is told that this is done, and then that it is removed", async () => {
  const [server, ana, ben] = await roomOf("ben");
  await using _server = server;
  assert(ana && ben);
  assertEquals(await server.rekey(ana, { made: [ben.who.full] }), undefined);
  const removed = [ana.who.full];
  assertEquals(await server.rekey(ana, { removed }), undefined);
  assertEquals((await ana.client.until("bye")).reason, "removed");
  assertEquals(kinds(ana.client, "answered", "bye").slice(-2), [
    "answered",
    "bye",
  ]);
  assertEquals(server.setup.room.size, 1);
});

Deno.test("a closed invite lets nobody in, and neither does one whose time is over", async () => {
  const [server, ana] = await roomOf();
  await using _server = server;
  assert(ana);
  const closed = await server.invite(ana);
  const over = await server.invite(ana, { until: Date.now() - 1 });
  const { number: invite } = closed;
  assertEquals(await server.rule(ana, { verb: "close", invite }), undefined);
  for (const it of [closed, over]) {
    const ben = await somebody("ben");
    await assertRejects(() => server.by(it, ben), HandshakeError);
  }
});

Deno.test("a rename is told by the server's line, too, and takes the name from nobody", async () => {
  const [server, ana, ben] = await roomOf("ben");
  await using _server = server;
  assert(ana && ben);
  assertEquals(
    await server.rule(ben, { verb: "rename", name: "benno" }),
    undefined,
  );
  assertEquals((await ana.client.until("renamed")).name, "benno");
  assertEquals((await server.log()).slice(-2), [["ruled", "rename"], [
    "renamed",
    "benno",
  ]]);
  const again = await server.back(ben.who, "whatever");
  assertEquals(again.client.of("welcome")[0]?.name, "benno");
});

Deno.test("an invite that is made in the instant in which another keeper changes the key is refused: its link would open nothing", async () => {
  const [server, ana, ben] = await roomOf("ben");
  await using _server = server;
  assert(ana && ben);
  await server.rekey(ana, { made: [ben.who.full] });
  const [, staged, rule] = await server.inviting(ben);
  const [key, wraps, rekey] = await server.rekeying(ana);
  const go = holdLog(server);
  await ana.client.send(...wraps, rekey);
  await quiet(ana.client);
  await ben.client.send(...staged, rule);
  await quiet(ben.client);
  go();
  assertEquals(await answer(ana.client, rekey.id), undefined);
  assertEquals(await answer(ben.client, rule.id), "keys-late");
  server.keys.push(key);
  const invite = await server.invite(ben);
  assertEquals(server.room.wrapForInvite(invite.number)?.e, 2);
});

Deno.test("what a keeper has sent ahead goes with its connection", async () => {
  const [server, ana, ben] = await roomOf("ben");
  await using _server = server;
  assert(ana && ben);
  const [key, wraps, rule] = await server.rekeying(ana);
  await ana.client.send(...wraps);
  await quiet(ana.client);
  const second = await server.back(ana.who, "ana");
  await second.client.send(rule);
  assertEquals(await answer(second.client, rule.id), undefined);
  server.keys.push(key);
  await ben.client.until("ruled", ({ text }) => text.startsWith("keys"));
  await quiet(ben.client);
  assertEquals(ben.client.of("wrapped").filter(({ e }) => e === 1), []);
});

Deno.test("a member who was away through twenty changes of the key, and who comes by an invite from before them, are given the last", async () => {
  const [server, ana, ben] = await roomOf("ben");
  await using _server = server;
  assert(ana && ben);
  const invite = await server.invite(ana);
  ben.client.channel.close();
  await ana.client.until("left");
  for (let e = 1; e <= 20; e++) {
    assertEquals(await server.rekey(ana), undefined);
  }
  const back = await server.back(ben.who, "ben");
  await quiet(back.client);
  assertEquals(back.client.of("wrapped").map(({ e }) => e), [20, 20]);
  const late = await server.enter(invite, "late");
  const [first] = late.client.of("wrapped");
  assertEquals([first?.to, first?.e], [invite.self.full, 20]);
});

// ── The clock ──────────────────────────────────────────────────────────────────────────────────────────

for (const [way, days] of [["forward", 2], ["back", -2]] as const) {
  Deno.test(`no control line is taken while the clock is two days off after a jump ${way}, and it ends no invite; words are taken`, async () => {
    const [server, ana] = await roomOf();
    await using _server = server;
    assert(ana);
    const invite = await server.invite(ana, { until: Date.now() + DAY });
    const open = await server.invite(ana);
    const late = await somebody("late");
    const client = await server.by(open, late);
    await followed(client);
    const { now } = Date;
    {
      using _now = replaced(Date, "now", () => now() + days * DAY);
      assertEquals(await server.rekey(ana), "clock-wrong");
      const enter = await server.entering(late, open, "late");
      await client.send(enter, joinEvent(late, "late"));
      assertEquals((await client.until("refused")).reason, "clock-wrong");
      await ana.client.send(await server.seal(ana, 1, "at a wrong time"));
      await ana.client.until("sealed");
      // The file grows until it is written anew, without what nobody needs.
      const own = await server.wrap(ana.who, ana.who);
      for (let time = 0; time < 60; time++) {
        await ana.client.send(own);
        await quiet(ana.client);
      }
    }
    assertEquals(await server.rekey(ana), undefined);
    const ben = await server.enter(invite, "ben");
    assertEquals(ben.client.of("welcome").length, 1);
  });
}

// ── Words that the server could read ───────────────────────────────────────────────────────────────────

Deno.test("of what operators do, keepers set slow mode alone: a topic could be read, and the rest is for control lines", async () => {
  const [server, ana, ben] = await roomOf("ben");
  await using _server = server;
  assert(ana && ben);
  let id = 0;
  const outcome = async ({ client }: Insider, what: string, count = 0) => {
    const wish = { kind: "operate", who: "", text: "hills", count } as const;
    await client.send({ ...wish, id: ++id, what });
    return await answer(client, id);
  };
  assertEquals(await outcome(ben, "slow", 9), "not-keeper");
  assertEquals(await outcome(ana, "slow", 5), undefined);
  assertEquals(await outcome(ana, "topic"), "topic-sealed");
  for (const what of OPERATIONS) {
    if (what === "topic" || what === "slow") continue;
    assertEquals(await outcome(ana, what), "keepers-own", what);
  }
  assertEquals(server.setup.people.settings, { topic: "", slow: 5 });
});

Deno.test("why somebody is away, or leaves, are words that the server takes from nobody", async () => {
  const [server, ana, ben] = await roomOf("ben");
  await using _server = server;
  assert(ana && ben);
  await ben.client.send({ kind: "away", text: "at the choir" });
  assertEquals((await ana.client.until("absent")).text, "away");
  await ben.client.send({ kind: "away", text: "" });
  await ana.client.until("absent", ({ text }) => text === "");
  await ben.client.send({ kind: "bye", reason: "to the choir" });
  assertEquals((await ana.client.until("left")).reason, "left");
  for (const file of ["chat.control", "chat.log", "chat.people"]) {
    const text = await Deno.readTextFile(`${server.setup.folder}/${file}`);
    assertEquals(text.includes("choir"), false, file);
  }
});

// ── Content keys ───────────────────────────────────────────────────────────────────────────────────────

Deno.test("only keepers give others a content key: of the present epoch, with a line of their own, and on coming in", async () => {
  const [server, ana, ben, cleo] = await roomOf("ben", "cleo");
  await using _server = server;
  assert(ana && ben && cleo);
  const invite = await server.invite(ana);
  const forged = async (to: Parameters<SealedServer["wrap"]>[1]) => ({
    ...await server.wrap(ben.who, to),
  });
  const { full } = cleo.who;
  const before = server.room.wrapFor(full);
  await ben.client.send(await forged(cleo.who), await forged(invite.self));
  await ben.client.send(
    { ...await forged(cleo.who), e: 1 },
    await server.wish(ben, { verb: "rename", name: "benno" }),
  );
  const eve = await somebody("eve");
  const client = await server.by(invite, eve);
  await client.send({ kind: "follow", after: 0 });
  await client.send(
    { ...await server.wrap(eve, cleo.who) },
    await server.entering(eve, invite, "eve"),
  );
  await server.join(eve, client, "eve");
  await quiet(ben.client);
  assertEquals(server.room.wrapFor(full), before);
  assertEquals(server.room.wrapForInvite(invite.number)?.by, ana.who.full);
  assertEquals(cleo.client.of("wrapped").map(({ by }) => by), [
    ana.who.full, // the invite's
    full,
  ]);
});

Deno.test("who lacks a key has the keepers told, also those who come later, until one gives it", async () => {
  const [server, ana, ben] = await roomOf("ben");
  await using _server = server;
  assert(ana && ben);
  await server.rekey(ana, {}, (id) => id !== ben.who.full);
  await ben.client.send({ kind: "need", e: 1 });
  const { who, e } = await ana.client.until("needed");
  assertEquals([who, e], [ben.who.full, 1]);
  const second = await server.back(ana.who, "ana");
  assertEquals((await second.client.until("needed")).who, ben.who.full);
  await second.client.send(await server.wrap(ana.who, ben.who));
  const wrapped = await ben.client.until("wrapped", ({ e }) => e === 1);
  assertEquals([wrapped.by, wrapped.to], [ana.who.full, ben.who.full]);
  const third = await server.back(ana.who, "ana");
  await quiet(third.client);
  assertEquals(third.client.of("needed"), []);
  assertEquals(ben.client.of("needed"), []);
});

Deno.test("who lacks a key and left is nobody of whom keepers are told, and neither is one who was given it in a batch", async () => {
  const [server, ana, ben, cleo] = await roomOf("ben", "cleo");
  await using _server = server;
  assert(ana && ben && cleo);
  await server.rekey(ana, {}, (id) => id === ana.who.full);
  for (const { client } of [ben, cleo]) {
    await client.send({ kind: "need", e: 1 });
  }
  for (const { who } of [ben, cleo]) {
    await ana.client.until("needed", (it) => it.who === who.full);
  }
  assertEquals([ben, cleo].flatMap(({ client }) => client.of("needed")), []);
  ben.client.channel.close();
  await ana.client.until("left");
  const second = await server.back(ana.who, "ana");
  await quiet(second.client);
  assertEquals(second.client.of("needed"), [
    { kind: "needed", who: cleo.who.full, e: 1 },
  ]);
  await server.rekey(ana);
  await cleo.client.until("wrapped", ({ e }) => e === 2);
  const third = await server.back(ana.who, "ana");
  await quiet(third.client);
  assertEquals(third.client.of("needed"), []);
});

Deno.test("nobody is told of the need for a key that there isn't", async () => {
  const [server, ana, ben] = await roomOf("ben");
  await using _server = server;
  assert(ana && ben);
  await ben.client.send({ kind: "need", e: 7 });
  await quiet(ben.client);
  await ben.client.send(await server.seal(ben, 1, "after it"));
  await ana.client.until("sealed");
  assertEquals(ana.client.of("needed"), []);
});

Deno.test("no more keys wait for a line than there are recipients; of others than keepers, two", async () => {
  const [server, ana, ben] = await roomOf("ben");
  await using _server = server;
  assert(ana && ben);
  const [key, wraps, rule] = await server.rekeying(ana);
  const [own] = wraps;
  assert(own);
  const strangers = Array.from({ length: 4 }, (_, at) => ({
    ...own,
    to: toBase64url(new Uint8Array(32).fill(at + 1)),
  }));
  await ana.client.send(...strangers, ...wraps, rule);
  assertEquals(await answer(ana.client, rule.id), undefined);
  server.keys.push(key);
  const [first, second] = [ana, ben].map(({ who }) =>
    server.room.wrapFor(who.full)?.e
  );
  assertEquals([first, second].toSorted(), [0, 1]); // five places, of which four were taken
  const invite = await server.invite(ana, { uses: 2 });
  for (const count of [1, 2]) {
    const eve = await somebody(`eve${count}`);
    const client = await server.by(invite, eve);
    await followed(client);
    await client.send(
      ...strangers.slice(0, count).map((it) => ({ ...it, next: false })),
      await server.wrap(eve, eve),
      await server.entering(eve, invite, `eve${count}`),
    );
    await server.join(eve, client, `eve${count}`);
    const by = count < 2 ? eve.full : undefined;
    assertEquals(server.room.wrapFor(eve.full)?.by, by);
  }
});

// ── Files that can't be written ────────────────────────────────────────────────────────────────────────

for (const file of ["log", "control file"]) {
  Deno.test(`a control line that the ${file} can't take is refused, has changed nothing, and can be said once there is place`, async () => {
    const [server, ana, ben] = await roomOf("ben");
    await using _server = server;
    assert(ana && ben);
    const { digest } = server.membership;
    const before = server.room.wrapFor(ben.who.full);
    const mend = file === "log" ? breakLog(server) : breakControl();
    assertEquals(await server.rekey(ana), "log-failed");
    assertEquals(server.membership.digest, digest);
    assertEquals(server.room.next, server.membership);
    assertEquals(server.room.wrapFor(ben.who.full), before);
    mend();
    assertEquals(ben.client.of("wrapped").map(({ e }) => e), [0, 0]);
    assertEquals(await server.rekey(ana), undefined);
    assertEquals(server.membership.epoch, 1);
    await ben.client.until("wrapped", ({ e }) => e === 1);
  });
}

Deno.test("changes of the key that can't be written down are none after which a keeper must pause", async () => {
  const [server, ana, ben] = await roomOf("ben");
  await using _server = server;
  assert(ana && ben);
  await server.rekey(ana, { made: [ben.who.full] });
  const mend = breakLog(server);
  for (let time = 0; time < 9; time++) {
    assertEquals(await server.rekey(ana), "log-failed");
  }
  mend();
  assertEquals(await server.rekey(ana), undefined);
});

Deno.test("a keeper that removes itself gives the others the key with which it goes", async () => {
  const [server, ana, ben] = await roomOf("ben");
  await using _server = server;
  assert(ana && ben);
  await server.rekey(ana, { made: [ben.who.full] });
  await server.rekey(ben, { removed: [ben.who.full] });
  assertEquals(server.membership.member(ben.who.full), undefined);
  const { by, e } = server.room.wrapFor(ana.who.full) ?? {};
  assertEquals([by, e], [ben.who.full, 2]);
});

/** Keeps files with checksums from being written. @returns Mends that. */
function breakControl(): () => void {
  const { writeSync } = Deno.FsFile.prototype;
  Deno.FsFile.prototype.writeSync = function (bytes) {
    if (new TextDecoder().decode(bytes).includes('"ruled"')) {
      throw new Error("the disk is full");
    }
    return writeSync.call(this, bytes);
  };
  return () => void (Deno.FsFile.prototype.writeSync = writeSync);
}

Deno.test("who follows while a control line is being written is told of it only once it is", async () => {
  const [server, ana] = await roomOf();
  await using _server = server;
  assert(ana);
  const invite = await server.invite(ana, { uses: 2 });
  const { seq } = server.membership;
  const go = holdLog(server);
  const rekeyed = server.rekey(ana);
  await quiet(ana.client);
  const client = await server.by(invite, await somebody("ben"));
  await client.send({ kind: "follow", after: 0 });
  await quiet(client);
  assertEquals(client.of("followed")[0]?.seq, seq);
  assertEquals(client.of("past").at(-1)?.seq, seq);
  assertEquals(client.of("wrapped")[0]?.e, 0);
  go();
  assertEquals(await rekeyed, undefined);
  const { seq: later } = server.membership;
  assert(later > seq);
  assertEquals(await followed(client, seq), later);
  assertEquals(client.of("past").at(-1)?.seq, later);
});

// ── Sealed lines ───────────────────────────────────────────────────────────────────────────────────────

Deno.test("a line that is sealed under an older key is dropped without a word, and taken under the same number once it is sealed anew", async () => {
  const [server, ana, ben] = await roomOf("ben");
  await using _server = server;
  assert(ana && ben);
  const old = await server.seal(ben, 1, "one");
  const late = await server.seal(ben, 2, "two");
  await server.rekey(ana);
  await ben.client.send(old, late);
  await ben.client.send(
    await server.seal(ben, 1, "one"),
    await server.seal(ben, 2, "two"),
    await server.seal(ben, 2, "twice"),
  );
  const lines = () =>
    ana.client.of("sealed").map(({ n, text }) => [n, text[0]]);
  await ana.client.until("sealed", ({ n }) => n === 2);
  await quiet(ben.client);
  assertEquals(lines(), [[1, "1"], [2, "1"]]);
  assertEquals(ben.client.of("refused"), []);
});

Deno.test("slow mode holds members, keepers aside, and counts only lines that are taken", async () => {
  const [server, ana, ben] = await roomOf("ben");
  await using _server = server;
  assert(ana && ben);
  server.setup.people.set({ topic: "", slow: 60 });
  const old = await server.seal(ben, 1, "one");
  await server.rekey(ana);
  await ben.client.send(old);
  await ben.client.send(await server.seal(ben, 1, "one"));
  await ben.client.send(await server.seal(ben, 2, "two"));
  const { n, reason } = await ben.client.until("refused");
  assertEquals([n, reason], [2, "too-soon"]);
  await ana.client.send(
    await server.seal(ana, 1, "one"),
    await server.seal(ana, 2, "two"),
  );
  await ben.client.until("sealed", ({ id, n }) => id === 1 && n === 2);
  assertEquals(ben.client.of("sealed").length, 3);
});

const MISUSES: readonly Event[] = [
  { kind: "reply", n: 1, to: 1, text: "hello" },
  { kind: "react", n: 1, to: 1, text: "👍" },
  { kind: "seal", n: 1, text: "hello" },
  { kind: "seal", n: 1, text: "0.AAA!" },
  { kind: "rename", name: "zoe" },
  { kind: "find", id: 1, words: "a", before: null, count: 1 },
  { kind: "enter", text: "x" },
  { kind: "follow", after: 0 },
];

for (const event of MISUSES) {
  Deno.test(`who sends ${JSON.stringify(event)} inside a sealed room is sent away`, async () => {
    const [server, ana] = await roomOf();
    await using _server = server;
    assert(ana);
    await ana.client.send(event);
    await assertThrownOut(ana.client);
  });
}

// ── Files ──────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("who said a sealed line can hold it as an offer, and passes sealed pieces on, which are longer", async () => {
  const [server, ana, ben] = await roomOf("ben");
  await using _server = server;
  assert(ana && ben);
  await ana.client.send(
    await server.seal(ana, 1, "an offer, for all the server knows"),
  );
  await ben.client.until("sealed");
  const { head } = server.setup.history;
  await ben.client.send({ kind: "hold", offer: head });
  await quiet(ben.client);
  await ben.client.send(fetchOf(head));
  assertEquals((await ben.client.until("missing")).reason, "gone");
  await ana.client.send({ kind: "hold", offer: head });
  await quiet(ana.client);
  await ben.client.send(fetchOf(head, 2));
  const { id, size } = await ana.client.until("fetch");
  const data = toBase64url(new Uint8Array(size + PIECE_OVERHEAD));
  await ana.client.send({ kind: "piece", id, data });
  assertEquals((await ben.client.until("piece")).data, data);
});

Deno.test("no more of a sealed file is passed on than the largest file that may be offered has", async () => {
  const [server, ana, ben] = await roomOf("ben");
  await using _server = server;
  assert(ana && ben);
  await ana.client.send(await server.seal(ana, 1, "an offer"));
  await ben.client.until("sealed");
  const { head } = server.setup.history;
  await ana.client.send({ kind: "hold", offer: head });
  await quiet(ana.client);
  await ben.client.send({ ...fetchOf(head), from: 99_992 });
  assertEquals((await ben.client.until("missing")).reason, "gone");
  assertEquals(ana.client.of("fetch"), []);
  await ben.client.send({ ...fetchOf(head), from: 99_991 });
  assertEquals((await ana.client.until("fetch")).from, 99_991);
});

Deno.test("a keeper that changes the key again and again must pause, and meanwhile the others can remove it", async () => {
  const [server, ana, mal] = await roomOf("mal");
  await using _server = server;
  assert(ana && mal);
  assertEquals(await server.rekey(ana, { made: [mal.who.full] }), undefined);
  const [key, wraps, rule] = await server.rekeying(ana, {
    removed: [mal.who.full],
  });
  let changes = 0;
  let refused: string | undefined;
  while (refused === undefined && changes < 100) {
    refused = await server.rekey(mal);
    if (refused === undefined) changes++;
  }
  assertEquals([changes, refused], [8, "keys-again"]);
  await ana.client.send(...wraps, rule);
  assertEquals(await answer(ana.client, rule.id), "keys-late");
  assert(key);
  assertEquals(
    await server.rekey(ana, { removed: [mal.who.full] }),
    undefined,
  );
  assertEquals(server.membership.isKeeper(mal.who.full), false);
});

/** A content key that is of no use to anybody. */
const NO_KEY: Event<"wrap"> = {
  kind: "wrap",
  to: madeUpId("nobody"),
  e: 0,
  next: false,
  data: "-_".repeat(779),
};

/** What a member, or a guest, of a sealed room may send so often without being slowed, where it may say 40 lines at once. */
const SEALED_COSTS: readonly (readonly ["member" | "guest", number, Event])[] =
  [
    ["member", 2, { kind: "rule", id: 1, text: "" }],
    ["member", 2, { kind: "need", e: 0 }],
    ["member", 40, NO_KEY],
    ["member", 40, {
      kind: "admit",
      invite: 1,
      key: madeUpId("nobody"),
      blob: "-_".repeat(59),
    }],
    ["guest", 2, { kind: "follow", after: 1_000 }],
    ["guest", 40, { kind: "enter", text: "" }],
    ["guest", 10, NO_KEY],
  ];

for (const [who, most, event] of SEALED_COSTS) {
  Deno.test(`a ${who} of a sealed room is slowed down that sends more than ${most} × ${event.kind} where it may say 40 lines`, async () => {
    using clock = new ManualClock();
    const [server, ana, ben] = await roomOf("ben");
    await using _server = server;
    assert(ana && ben);
    const invite = await server.invite(ana);
    const isGuest = who === "guest";
    const client = await server.setup.connect(
      isGuest ? await somebody("cleo") : ben.who,
      { burst: 40, perSecond: 1, bytesPerMessage: 65_536 },
      isGuest
        ? { inviteId: invite.number, inviteKey: admissionKey(invite.secret) }
        : { inviteId: MEMBER_ID, inviteKey: MEMBER_KEY },
    );
    if (!isGuest) {
      await client.send({ kind: "follow", after: server.membership.seq });
      await server.join(ben.who, client, "ben");
      clock.advance(40_000); // which is paid for by now
    }
    for (let count = 0; count < most; count++) await client.send(event);
    await quiet(ana.client);
    assertEquals(client.of("slowed"), []);
    await client.send(event);
    await client.until("slowed");
    clock.advance(40_000); // it is heard again, and its end is noticed
  });
}
