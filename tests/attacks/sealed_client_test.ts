/**
 * What a hostile server, or member, of a sealed room tries on the clients: nothing false is shown as said, and what can
 * be seen of it is said, with the number of the line.
 *
 * @module
 */

import { JoinError } from "../../src/client/join_error.ts";
import type { InviteSecret } from "../../src/client/sealed/coming_in.ts";
import { roomFolder } from "../../src/client/sealed/room_folder.ts";
import { Known } from "../../src/client/known.ts";
import { randomBytes, toBase64url } from "../../crypto_utils.ts";
import { readCard } from "../../src/crypto/identity.ts";
import { commitment, sealWrap } from "../../src/sealed/content_key.ts";
import { parseControl } from "../../src/sealed/control_line.ts";
import type { Event } from "../../src/protocol/events.ts";
import type { LogEntry } from "../../src/protocol/line.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "../kit/assert.ts";
import {
  madeUpId,
  madeUpPerson,
  madeUpStay,
  newIdentity,
} from "../kit/people.ts";
import { Folder } from "../kit/folder.ts";
import { type SealedClient, SealedSetup } from "../kit/sealed_setup.ts";
import { SealedServer } from "../kit/sealed_server.ts";
import { texts } from "../kit/session_setup.ts";

/** Two members, and what the second one is told can be altered. */
async function two(setup: SealedSetup) {
  const ana = await setup.found();
  const bob = await setup.bring(ana, "bob");
  return { ana, bob, server: setup.server };
}

/** Alters what one client is told of sealed lines. */
function alterFor(
  { server, session }: SealedClient,
  change: (event: Event<"sealed">) => Event,
): void {
  server.alter = (events, seat) =>
    seat.person !== session.id
      ? events
      : events.map((it) => it.kind === "sealed" ? change(it) : it);
}

/** The seat of a client. */
function seatOf({ server, session }: SealedClient) {
  const seat = server.seats.find(({ person }) => person === session.id);
  assert(seat);
  return seat;
}

/** The first warning; nothing was said. */
async function warned({ view }: SealedClient) {
  const { reason, line, name } = await view.until("warning");
  assertEquals(view.of("said"), []);
  return { reason, line, name };
}

function flip(text: string, at: number): string {
  const other = text[at] === "A" ? "B" : "A";
  return text.slice(0, at) + other + text.slice(at + 1);
}

// ── Lines ──────────────────────────────────────────────────────────────────────────────────────────────

for (
  const [what, at] of [["seen", 10], ["signature", 80], ["words", 200]] as const
) {
  Deno.test(`a line whose ${what} the server alters is not shown, but warned of`, async () => {
    await using setup = new SealedSetup();
    const { ana, bob, server } = await two(setup);
    alterFor(bob, (event) => ({ ...event, text: flip(event.text, at) }));
    await ana.say("as I said it");
    assertEquals(await warned(bob), {
      reason: "signature-wrong",
      line: server.log.length,
      name: "ana",
    });
  });
}

Deno.test("a line that the server gives to another member is not shown", async () => {
  await using setup = new SealedSetup();
  const { ana, bob } = await two(setup);
  const { id } = seatOf(bob);
  alterFor(bob, (event) => ({ ...event, id }));
  await ana.say("mine");
  assertEquals((await warned(bob)).reason, "signature-wrong");
});

Deno.test("a line of somebody who is no member is not shown, nor is that one in /who", async () => {
  await using setup = new SealedSetup();
  const ana = await setup.found();
  const { server } = setup;
  const eve = madeUpId("eve");
  const here = {
    kind: "here",
    id: 99,
    name: "eve",
    person: eve,
    stay: madeUpStay("eve"),
    since: 0,
    active: 0,
    away: "",
  } as const;
  server.alterHere = (events) => [...events, here];
  const bob = await setup.bring(ana, "bob");
  assertEquals((await bob.view.until("warning")).reason, "presence-wrong");
  assertEquals(
    bob.session.conversation.present.map(({ name }) => name).toSorted(),
    ["ana", "bob"],
  );
  alterFor(bob, (event) => ({ ...event, id: 99 }));
  await ana.say("as eve");
  const { reason, person } = await bob.view.until("warning", 1);
  assertEquals([reason, person], ["not-member", madeUpPerson("eve")]);
  assertEquals(bob.view.of("said"), []);
});

Deno.test("a line that comes again under another number is not shown again", async () => {
  await using setup = new SealedSetup();
  const { ana, bob, server } = await two(setup);
  await ana.say("once");
  const { seq } = await bob.view.until("said");
  const line = server.log[seq - 1];
  assert(line);
  const { id } = seatOf(ana);
  const { n, text } = line;
  const again = { ...line, seq: server.log.length + 1 };
  await server.forge(again, { kind: "sealed", id, n, text });
  const { reason, line: at } = await bob.view.until("warning");
  assertEquals([reason, at], ["number-repeated", again.seq]);
  assertEquals(bob.view.of("said").length, 1);
});

/** What somebody is shown who comes when the server has altered the past. */
async function newcomerAfter(
  setup: SealedSetup,
  ana: SealedClient,
  alterPast: (lines: LogEntry[]) => LogEntry[],
): Promise<SealedClient> {
  setup.server.alterPast = alterPast;
  return await setup.bring(ana, "cy");
}

const swap = (lines: LogEntry[], one: string, other: string) =>
  lines.map((it) => {
    const to = it.text === one ? other : it.text === other ? one : undefined;
    const from = lines.find(({ text }) => text === to);
    return from ? { ...from, seq: it.seq, at: it.at } : it;
  });

Deno.test("two lines of a member that the server exchanges are found out", async () => {
  await using setup = new SealedSetup();
  const { ana } = await two(setup);
  for (const text of ["one", "two"]) await ana.say(text);
  const { seq } = await ana.view.until("said", 1);
  const [first, second] = setup.server.log.slice(seq - 2, seq);
  assert(first && second);
  const cy = await newcomerAfter(
    setup,
    ana,
    (lines) => swap(lines, first.text, second.text),
  );
  assertEquals(texts(cy.view.of("said")), ["two"]);
  const { reason, line } = await cy.view.until("warning");
  assertEquals([reason, line], ["number-repeated", seq]);
});

Deno.test("a line of an old epoch is not shown among those of another one", async () => {
  await using setup = new SealedSetup();
  const { ana, bob, server } = await two(setup);
  await ana.say("under the first key");
  const { seq } = await ana.view.until("said");
  const old = server.log[seq - 1];
  assert(old);
  await ana.operate("kick", "bob");
  await bob.running.catch(() => {});
  await ana.say("under the second");
  const { seq: last } = await ana.view.until("said", 1);
  const cy = await newcomerAfter(
    setup,
    ana,
    (lines) =>
      lines.flatMap((it) =>
        it.seq === seq ? [] : it.seq === last ? [{ ...old, seq: last }] : [it]
      ),
  );
  assertEquals(await warned(cy), {
    reason: "epoch-wrong",
    line: last,
    name: "ana",
  });
});

Deno.test("a line whose sender was shown another history is not shown", async () => {
  await using setup = new SealedSetup();
  const ana = await setup.found();
  const invite = await ana.invite();
  const bob = await setup.client("bob", {
    invite,
    chain: {
      seen: { seq: 0, value: new Uint8Array(32) },
      seenDiffers: () => true,
    },
  });
  await bob.in();
  await ana.say("yes");
  assertEquals((await warned(bob)).reason, "seen-differs");
});

Deno.test("a line whose sender had seen what this client can't look at is marked, and that is explained once", async () => {
  await using setup = new SealedSetup();
  const ana = await setup.found();
  const invite = await ana.invite();
  const seen = { seq: 0, value: new Uint8Array(32) };
  const chain = { seen, seenDiffers: () => undefined };
  const bob = await setup.client("bob", { invite, chain });
  await bob.in();
  await ana.say("one");
  await ana.say("two");
  await bob.view.until("said", 1);
  assertEquals(bob.view.of("said").map(({ unchecked }) => unchecked), [
    true,
    true,
  ]);
  const notes = bob.view.notes.filter((it) => it.includes("marked ⚠"));
  assertEquals(notes.length, 1);
  await bob.say("three");
  await ana.view.until("said", 2);
  assertEquals(ana.view.of("said").map(({ unchecked }) => unchecked), [
    undefined,
    undefined,
    undefined,
  ]);
});

Deno.test("a line that is said again to a newcomer, who was not told the first one, is marked at least", async () => {
  await using setup = new SealedSetup();
  const { ana, server } = await two(setup);
  await ana.say("yes");
  await ana.say("between");
  const { seq } = await ana.view.until("said");
  await ana.view.until("said", 1);
  const line = server.log[seq - 1];
  assert(line);
  server.start = seq + 1; // what newcomers are told begins after it
  const again = { ...line, seq: server.log.length + 1 };
  const { n, text } = line;
  await server.forge(again, { kind: "sealed", id: seatOf(ana).id, n, text });
  const cy = await setup.bring(ana, "cy");
  const said = cy.view.of("said").filter(({ text }) => text === "yes");
  assertEquals(said.map(({ seq, unchecked }) => [seq, unchecked]), [
    [again.seq, true],
  ]);
});

Deno.test("a member can't change what another one said", async () => {
  await using setup = new SealedSetup();
  const ana = await setup.found();
  await ana.say("my words");
  const { seq } = await ana.view.until("said");
  const { server } = setup;
  server.alterPast = (lines) => lines.filter((it) => it.seq !== seq); // or its own client would refuse
  server.readsLog = false; // for the same reason
  const value = server.chainAt(seq);
  assert(value);
  const chain = { seen: { seq, value }, seenDiffers: () => undefined }; // it knows the line
  const bob = await setup.bring(ana, "bob", { chain });
  await bob.session.change("edited", seq, "other words");
  const { reason, name } = await ana.view.until("warning");
  assertEquals([reason, name], ["change-wrong", "bob"]);
  assertEquals(ana.view.of("edited"), []);
});

Deno.test("a change of a line that a client doesn't know, which may be another's, is marked, and the server isn't asked for the line", async () => {
  await using setup = new SealedSetup();
  const { ana, bob, server } = await two(setup);
  await ana.say("my words");
  const { seq } = await bob.view.until("said");
  await bob.say("and mine");
  const own = await bob.view.until("said", 1);
  server.start = server.log.length; // what newcomers are told begins there
  server.alterPast = (lines) => lines.filter((it) => it.seq !== seq);
  server.readsLog = false; // or its own client would refuse
  const cy = await setup.bring(ana, "cy");
  const dan = await setup.bring(ana, "dan");
  server.heard.length = 0;
  await dan.session.change("edited", seq, "other words");
  await cy.session.change("deleted", own.seq, "");
  await bob.say("known to all");
  const { seq: known } = await cy.view.until("said");
  await bob.view.until("said", 2); // or its client has no such line yet
  await cy.view.until("edited"); // dan's, whose client asks for the line first
  await bob.session.change("edited", known, "known to everybody");
  await cy.view.until("edited", 1);
  const edits = cy.view.of("edited");
  assertEquals(edits.map(({ to, unchecked }) => [to, unchecked]), [
    [seq, true],
    [known, undefined],
  ]);
  await ana.view.until("edited");
  assertEquals(ana.view.of("edited").map(({ to }) => to), [known]);
  const asked = server.heard.filter(({ kind }) => kind === "page");
  assertEquals(asked.length, 2); // by those who change
});

// ── Who is a member ────────────────────────────────────────────────────────────────────────────────────

Deno.test("a control line that nobody signed changes nothing", async () => {
  await using setup = new SealedSetup();
  const { ana, bob, server } = await two(setup);
  const invite = server.control.find(({ text }) => text.startsWith("invite"));
  assert(invite);
  const text = invite.text.replace(/"uses":\d+/, '"uses":9')
    .replace(/"count":\d+/, '"count":99');
  const { name, person, stay } = invite;
  const seq = server.log.length + 1;
  await server.forge({ ...invite, seq, text }, {
    kind: "ruled",
    name,
    person,
    stay,
    n: 0,
    text,
  });
  const { reason, line } = await bob.view.until("warning");
  assertEquals([reason, line], ["control-wrong", seq]);
  await ana.say("still here");
  assertEquals((await bob.view.until("said")).text, "still here");
});

Deno.test("who joins without an invite is no member: nobody is shown, and nobody gives a key", async () => {
  await using setup = new SealedSetup();
  const { ana, bob, server } = await two(setup);
  const person = madeUpId("eve");
  const entry: LogEntry = {
    seq: server.log.length + 1,
    at: 2_000,
    person: madeUpPerson("eve"),
    stay: madeUpStay("eve"),
    n: 0,
    what: "joined",
    name: "eve",
    text: "",
    to: null,
  };
  await server.forge(entry, {
    kind: "joined",
    id: 99,
    name: "eve",
    person,
    stay: entry.stay,
    n: 0,
  });
  assertEquals((await bob.view.until("warning")).reason, "presence-wrong");
  assertEquals(bob.session.conversation.present.length, 2);
  await server.inTurn(() => server.needed(person, 0));
  await ana.operate("keeper", "bob"); // a key is given to all
  assertEquals(server.wraps.has(person), false);
});

Deno.test("a member whom the server shows under another name is called by its own", async () => {
  await using setup = new SealedSetup();
  const { ana, bob } = await two(setup);
  setup.server.alterHere = (events) =>
    events.map((it) =>
      it.kind === "here" && it.name === "bob" ? { ...it, name: "ana" } : it
    );
  const cy = await setup.bring(ana, "cy");
  assertEquals((await cy.view.until("warning")).reason, "presence-wrong");
  await bob.say("I am bob");
  assertEquals((await cy.view.until("said")).name, "bob");
});

Deno.test("a key that is not the room's is not used, and warned of", async () => {
  await using setup = new SealedSetup();
  const { ana, bob, server } = await two(setup);
  await bob.leave();
  const own = server.wraps.get(bob.session.id);
  assert(own);
  server.wraps.set(bob.session.id, { ...own, data: flip(own.data, 5) });
  server.withholds = false;
  const again = await setup.client("bob", {}, bob.identity, bob.known);
  await again.in();
  assertEquals((await again.view.until("warning")).reason, "key-wrong");
  await ana.say("with the right one");
  assertEquals((await again.view.until("said")).text, "with the right one");
});

/** A keeper's `keys` line by another client than ours. */
async function changeKey(
  setup: SealedSetup,
  keeper: SealedClient,
  given: { readonly commit?: string; readonly back?: string } = {},
): Promise<void> {
  const { server } = setup;
  const { epoch, lastKeys: prev, seq: seen, digest } = server.membership;
  const text = await setup.sign(keeper, {
    verb: "keys",
    e: epoch + 1,
    prev,
    seen,
    digest: toBase64url(digest),
    commit: toBase64url(randomBytes(32)),
    back: toBase64url(randomBytes(48)),
    backTo: epoch,
    ...{ made: [], removed: [], barred: [], freed: [] },
    ...given,
  });
  await server.inTurn(async () => {
    await server.rule(seatOf(keeper), text);
  });
}

Deno.test("a server that says without end that somebody lacks the key is given a few wraps in each epoch, and a member has its own", async () => {
  await using setup = new SealedSetup();
  const { ana, bob, server } = await two(setup);
  const seat = seatOf(ana);
  const flood = async () => {
    server.heard.length = 0;
    const { epoch } = server.membership;
    const who = bob.session.id;
    for (let at = 0; at < 20; at++) {
      const needed = Array<Event>(10).fill({ kind: "needed", who, e: 0 });
      await server.inTurn(() => seat.tell(...needed));
    }
    await setup.bring(ana, `guest${epoch}`);
    await ana.operate("kick", `guest${epoch}`); // which changes the key
    return server.heard.filter((it) =>
      it.kind === "wrap" && it.to === who && it.e === epoch
    ).length;
  };
  for (let epoch = 0; epoch < 2; epoch++) {
    const wraps = await flood();
    assert(wraps >= 1 && wraps <= 4);
  }
  await ana.say("still here");
  assertEquals((await bob.view.until("said")).text, "still here");
});

Deno.test("a keeper whose key nobody can open keeps nobody from going on: another keeper removes it", async () => {
  await using setup = new SealedSetup();
  const { ana, bob } = await two(setup);
  const cy = await setup.bring(ana, "cy");
  await ana.operate("keeper", "bob");
  await bob.untilTold("ana made bob a keeper");
  await changeKey(setup, bob);
  await ana.untilTold("bob changed the key");
  const told = await ana.operate("ban", "bob");
  assertStringIncludes(told.join(), "bob reads nothing from line");
  await ana.say("on we go");
  assertEquals((await cy.view.until("said")).text, "on we go");
  const dan = await setup.bring(ana, "dan");
  assertEquals(texts(dan.view.of("said")), ["on we go"]);
});

Deno.test("a key that doesn't lead back is warned of, by line and keeper, and takes nothing from who had the one before", async () => {
  await using folder = await Folder.make();
  await using setup = new SealedSetup();
  const { server } = setup;
  const ana = await setup.found();
  const sealing = { stores: roomFolder(folder.path) };
  const cy = await setup.bring(ana, "cy", sealing);
  const bob = await setup.bring(ana, "bob");
  await ana.operate("keeper", "bob");
  await bob.untilTold("ana made bob a keeper");
  await ana.say("before");
  await cy.view.until("said");
  const { room, epoch } = server.membership;
  assert(room);
  const e = epoch + 1;
  const key = randomBytes(32);
  for (const { identity, session } of [ana, cy]) {
    const ids = { by: bob.identity.id, to: identity.id };
    const { sealKey } = readCard(identity.card);
    const data = await sealWrap({ room, e, ...ids }, key, sealKey);
    const wrap = { kind: "wrap", to: session.id, e, next: true, data } as const;
    await server.inTurn(() => server.wrap(wrap, bob.session.id));
  }
  await changeKey(setup, bob, { commit: commitment({ room, e }, key) });
  const { line, name, reason } = await cy.view.until("warning");
  assertEquals([line, name, reason], [
    server.membership.seq,
    "bob",
    "back-wrong",
  ]);
  await ana.say("after");
  assertEquals((await cy.view.until("said", 1)).text, "after");
  await cy.leave();
  const again = await setup.client("cy", sealing, cy.identity, cy.known);
  await again.in();
  assertEquals(texts(again.view.of("said")), ["before", "after"]);
});

// ── Coming in ──────────────────────────────────────────────────────────────────────────────────────────

/** Fails unless somebody who comes by an invite stays out, since the room isn't the one that it is for. */
async function assertStaysOut(
  setup: SealedSetup,
  invite: InviteSecret,
): Promise<void> {
  const { heard } = setup.server;
  const { length } = heard;
  const { running } = await setup.client("cy", { invite });
  await assertRejects(
    () => running,
    JoinError,
    "not the one that your link is for",
  );
  const kinds = heard.slice(length).map(({ kind }) => kind);
  assertEquals(kinds.filter((it) => it === "enter" || it === "join"), []);
}

Deno.test("a newcomer whom the server shows fewer control lines than its link knows of stays out", async () => {
  await using setup = new SealedSetup();
  const { ana, bob, server } = await two(setup);
  const { length } = server.log;
  await ana.operate("kick", "bob");
  await bob.running.catch(() => {});
  const invite = await ana.invite();
  await ana.leave();
  server.rollBack(length);
  server.takesAll = true;
  assert(server.control.length > 0);
  await assertStaysOut(setup, invite);
});

Deno.test("a newcomer to whom the server gives what another link knows of stays out", async () => {
  await using setup = new SealedSetup();
  const { ana, server } = await two(setup);
  const invite = await ana.invite();
  const other = server.blobs.get((await ana.invite()).id);
  assert(other);
  server.blobs.set(invite.id, other);
  await assertStaysOut(setup, invite);
});

Deno.test("a client whose link, or memory, says that the room is sealed never joins it openly", async () => {
  await using setup = new SealedSetup();
  const { server } = setup;
  const ana = await setup.found();
  const link = await ana.invite();
  await ana.leave();
  server.isOpen = true;
  for (
    const [name, identity, known, sealing] of [
      ["cy", undefined, undefined, { invite: link }],
      ["ana", ana.identity, ana.known, {}],
    ] as const
  ) {
    const heard = server.heard.length;
    const client = await setup.client(name, sealing, identity, known);
    await client.say("for the room alone");
    const error = await assertRejects(() => client.running, JoinError);
    assertStringIncludes(error.message, "says that it is not");
    const kinds = server.heard.slice(heard).map(({ kind }) => kind);
    assertEquals(kinds, ["follow", "ping"]);
  }
});

Deno.test("a member to whom the server shows another room, or an older one, stays out and is told why", async () => {
  await using folder = await Folder.make();
  await using setup = new SealedSetup();
  const sealing = { stores: roomFolder(`${folder.path}/rooms`) };
  const ana = await setup.found("ana", sealing);
  await ana.invite();
  const { membership, log } = setup.server;
  await ana.leave();
  const { identity, known } = ana;
  setup.server.rollBack(log.length - 3);
  const older = await setup.client("ana", sealing, identity, known);
  await assertRejects(
    () => older.running,
    JoinError,
    "no longer knows who came in or was removed from line",
  );
  const goesOn = await setup.client(
    "ana",
    { ...sealing, confirm: () => Promise.resolve(true) },
    identity,
    known,
  );
  await goesOn.in();
  assert(goesOn.session.conversation.hasBegun);
  await goesOn.leave();
  assert(membership.room);
  const other = new SealedServer();
  const copied = await Known.load(undefined, () => {});
  copied.entered(other.keyPair.publicKey, "chat.example:5000");
  copied.seal("A".repeat(43));
  const elsewhere = await setup.client("ana", {}, identity, copied);
  await assertRejects(
    () => elsewhere.running,
    JoinError,
    "another sealed room",
  );
});

Deno.test("a control line that the server kept back and tells later, under its old number, does not count unless a person says so", async () => {
  await using folder = await Folder.make();
  await using setup = new SealedSetup();
  const { server } = setup;
  const ana = await setup.found();
  const sealing = { stores: roomFolder(folder.path) };
  const bob = await setup.bring(ana, "bob", sealing);
  const { identity, known } = bob;
  const { id } = seatOf(ana);
  server.alter = (events, seat) =>
    seat.person === bob.session.id
      ? events.map((it) =>
        it.kind === "ruled" ? { kind: "sealed", id, n: 99, text: "0.AA" } : it
      )
      : events;
  await ana.invite();
  const { seq } = server.membership;
  await ana.say("after it");
  await bob.view.until("warning", 1);
  await bob.leave();
  server.alter = (events) => events;
  const again = await setup.client("bob", sealing, identity, known);
  await assertRejects(
    () => again.running,
    JoinError,
    `kept control line ${seq} of the room from you: you saw lines up to ${
      seq + 1
    } without it`,
  );
  const confirm = () => Promise.resolve(true);
  const goesOn = await setup.client(
    "bob",
    { ...sealing, confirm },
    identity,
    known,
  );
  await goesOn.in();
  await goesOn.leave();
  await (await setup.client("bob", sealing, identity, known)).in(); // what was taken counts
});

Deno.test("where the server says that its log is shorter, nothing that was said is shown again, and no control line that was held back counts", async () => {
  await using setup = new SealedSetup();
  const { server } = setup;
  const ana = await setup.found();
  const bob = await setup.bring(ana, "bob");
  const control = server.membership.seq;
  for (let at = 0; at < 5; at++) await ana.say(`line ${at}`);
  await bob.view.until("said", 4);
  const [invite] = server.membership.openInvites(Date.now());
  assert(invite);
  const held = await setup.sign(ana, {
    verb: "close",
    invite: invite.number,
  });
  const [said] = server.log.filter(({ what }) => what === "sealed");
  assert(said);
  const here = seatOf(ana);
  server.alter = (events, seat) => seat.person === bob.session.id ? events : [];
  server.rollBack(control + 1);
  seatOf(bob).end();
  await bob.comesBack();
  await bob.view.until("entered", 1);
  await server.inTurn(async () => {
    await server.append(here, "sealed", said.n, said.text);
    await server.rule(here, held);
  });
  await bob.view.until("warning", 1);
  assertEquals(
    bob.view.of("warning").map(({ reason }) => reason),
    ["number-repeated", "control-late"],
  );
  assertEquals(bob.view.of("said").length, 5);
});

Deno.test("control lines that went another way since a backup are found out, however many there are", async () => {
  await using folder = await Folder.make();
  await using setup = new SealedSetup();
  const ana = await setup.found();
  const sealing = { stores: roomFolder(folder.path) };
  const bob = await setup.bring(ana, "bob", sealing);
  await setup.loseKeeper(ana, bob);
  const confirm = () => Promise.resolve(true);
  const sure = await setup.client("ana", { confirm }, ana.identity, ana.known);
  await sure.in();
  for (let count = 0; count < 3; count++) await sure.invite();
  await sure.operate("invites");
  const again = await setup.client("bob", sealing, bob.identity, bob.known);
  await assertRejects(
    () => again.running,
    JoinError,
    "says otherwise than before who came in or was removed",
  );
});

Deno.test("what is said after a restored backup is not sealed under a key of the time that was given up", async () => {
  await using folder = await Folder.make();
  await using setup = new SealedSetup();
  const { server } = setup;
  const ana = await setup.found();
  const confirm = () => Promise.resolve(true);
  const bob = await setup.bring(ana, "bob", {
    stores: roomFolder(folder.path),
    confirm,
  });
  await setup.bring(ana, "eve");
  const { length } = server.log;
  await ana.operate("keeper", "bob"); // another key, which eve has, too
  await bob.untilTold("ana made bob a keeper");
  await ana.leave();
  server.rollBack(length);
  for (const seat of server.seats.slice()) seat.end();
  const sure = await setup.client("ana", { confirm }, ana.identity, ana.known);
  await sure.in();
  await sure.operate("kick", "eve");
  await bob.comesBack();
  await bob.say("eve is gone");
  const { text } = await sure.view.until("said");
  assertEquals(text, "eve is gone");
});

// ── What only the server says ──────────────────────────────────────────────────────────────────────────

/** What a server makes up: an invite of its own, and words. */
const MADE_UP: readonly Event[] = [
  {
    kind: "invited",
    address: "evil.example:1",
    id: 7,
    secret: toBase64url(randomBytes(32)),
    uses: 1,
    until: null,
    note: "",
  },
  { kind: "notice", text: "ana asked me to tell you" },
];

Deno.test("a keeper who asks for an invite is given its own, whatever the server answers to any number", async () => {
  await using setup = new SealedSetup();
  const { server } = setup;
  const ana = await setup.found();
  server.beforeRule = async () => {
    for (let id = 0; id < 20; id++) {
      await seatOf(ana).tell(...MADE_UP, { kind: "answered", id });
    }
  };
  const { id } = await ana.invite();
  assert(server.inviteKeys.has(id));
  await ana.say("after it");
  await ana.view.until("said");
  assertEquals(
    ana.view.of("invited").some(({ link }) => link.includes("evil.example")),
    false,
  );
});

Deno.test("an invite and words that nobody asked for are not shown to a member", async () => {
  await using setup = new SealedSetup();
  const { ana, bob, server } = await two(setup);
  for (let id = 0; id < 20; id++) {
    const events: Event[] = [...MADE_UP, { kind: "answered", id }];
    await server.inTurn(() => seatOf(bob).tell(...events));
  }
  await ana.say("after it");
  await bob.view.until("said");
  assertEquals(bob.view.of("invited"), []);
  assertEquals(
    bob.view.notes.filter((it) => it.includes("ana asked me")),
    [],
  );
});

Deno.test("a member whom the server alone calls removed comes back", async () => {
  await using setup = new SealedSetup();
  const { ana, bob, server } = await two(setup);
  const seat = seatOf(bob);
  const entered = bob.view.of("entered").length;
  await server.inTurn(() => seat.tell({ kind: "bye", reason: "removed" }));
  seat.end();
  await Promise.race([bob.comesBack(), bob.running]);
  await bob.view.until("entered", entered);
  await ana.say("still here");
  assertEquals((await bob.view.until("said")).text, "still here");
});

Deno.test("an invite that ends later than a date can be is no control line", async () => {
  await using setup = new SealedSetup();
  const ana = await setup.found();
  const { card } = await newIdentity();
  const text = await setup.sign(ana, {
    verb: "invite",
    invite: 0x8000_0000 + 77,
    card: toBase64url(card),
    uses: 1,
    until: 8_640_000_000_000_000, // the last time that a date can be
  });
  assert(parseControl(text));
  const later = text.replace("8640000000000000", "8640000000000001");
  assert(later !== text);
  assertEquals(parseControl(later), undefined);
});
