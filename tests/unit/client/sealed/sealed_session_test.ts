/**
 * A client's stay in a sealed room, against a small server of the test's own: founding, inviting, saying, removing.
 *
 * @module
 */

import { JoinError } from "../../../../src/client/join_error.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "../../../kit/assert.ts";
import { toBase64url } from "../../../../crypto_utils.ts";
import { SEALED_INVITE } from "../../../../src/sealed/membership.ts";
import { madeUpId, newIdentity } from "../../../kit/people.ts";
import type { Seen } from "../../../../src/client/chain_compare.ts";
import type { Sealing } from "../../../../src/client/session.ts";
import type { RoomStores } from "../../../../src/client/sealed/room_file.ts";
import { CHAIN_START } from "../../../../src/protocol/chain.ts";
import type { MemoryStream } from "../../../kit/memory_stream.ts";
import { SealedSetup } from "../../../kit/sealed_setup.ts";
import { texts } from "../../../kit/session_setup.ts";

/** Rooms that are kept in memory. */
function inMemory(): RoomStores {
  const rooms = new Map<string, string>();
  return (room) => ({
    read: () => Promise.resolve(rooms.get(room)),
    write: (text) => Promise.resolve(void rooms.set(room, text)),
    append: (line) =>
      Promise.resolve(void rooms.set(room, (rooms.get(room) ?? "") + line)),
  });
}

Deno.test("a founder's client makes an invite, by which another one comes, and both read what the server can't", async () => {
  await using setup = new SealedSetup();
  const { server } = setup;
  const ana = await setup.found("ana", { makesInvite: "if none is open" });
  const [made] = ana.view.of("invited");
  assert(made?.founding);
  assertEquals([made.uses, ana.view.news[0]?.type], [100, "invited"]);
  const bob = await setup.bring(ana, "bob");
  await ana.say("hello, bob");
  assertEquals((await bob.view.until("said")).text, "hello, bob");
  await bob.session.reply(bob.view.of("said")[0]?.seq ?? 0, "hello yourself");
  const { text, name, quoted } = await ana.view.until("replied");
  assertEquals([text, name, quoted?.text], [
    "hello yourself",
    "bob",
    "hello, bob",
  ]);
  assertEquals(server.log.filter(({ text }) => text.includes("hello")), []);
  assertEquals(server.faults, []);
  assertEquals([...ana.view.of("warning"), ...bob.view.of("warning")], []);
});

Deno.test("what was said before is read by who comes later, and by who comes back", async () => {
  await using setup = new SealedSetup();
  const ana = await setup.found();
  await ana.say("one");
  await ana.say("two");
  await ana.view.until("said", 1);
  const bob = await setup.bring(ana, "bob");
  assertEquals(texts(bob.view.of("said")), ["one", "two"]);
  await bob.leave();
  await ana.say("three");
  await ana.view.until("said", 2);
  const again = await setup.client("bob", {}, bob.identity, bob.known);
  await again.in();
  assertEquals(texts(again.view.of("said")), ["one", "two", "three"]);
  assertEquals(again.view.of("warning"), []);
});

// ── Keepers ────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("who is removed is gone, reads nothing from the line that is told on, and open invites end", async () => {
  await using setup = new SealedSetup();
  const { server } = setup;
  const ana = await setup.found();
  const bob = await setup.bring(ana, "bob");
  const eve = await setup.bring(ana, "eve");
  const link = await ana.invite(3);
  const [told = ""] = await ana.operate("kick", "eve");
  const { epochStart } = server.membership;
  assertStringIncludes(
    told,
    `eve reads nothing from line ${epochStart + 1} on`,
  );
  assertStringIncludes(told, "All open invites have ended");
  await assertRejects(() => eve.running, JoinError, "You were removed");
  await bob.say("without eve");
  assertEquals((await ana.view.until("said")).text, "without eve");
  const last = server.log.at(-1);
  assertEquals(last?.text.split(".")[0], "1"); // the epoch
  assert(
    ![...server.wraps.values()].some(({ to, e }) =>
      to === eve.session.id && e === 1
    ),
  );
  const late = await setup.client("late", { invite: link });
  await assertRejects(() => late.running, JoinError);
  const words = bob.view.of("ruled").map(({ told }) => told);
  assert(
    words.some((it) => it?.startsWith("ana removed eve: eve reads nothing")),
  );
});

Deno.test("a keeper bans, lists who is banned, frees, and makes another a keeper", async () => {
  await using setup = new SealedSetup();
  const { server } = setup;
  const ana = await setup.found();
  const bob = await setup.bring(ana, "bob");
  const eve = await setup.bring(ana, "eve");
  assertStringIncludes(ana.view.notes.join("\n"), "You are the only keeper");
  assertEquals(await bob.operate("kick", "eve"), [
    "Only keepers of the room may do that: ask one of them",
  ]);
  await ana.operate("keeper", "bob");
  await bob.untilTold("ana made bob a keeper");
  await bob.operate("ban", "eve");
  await ana.untilTold("bob banned eve");
  const [banned = ""] = await ana.operate("bans");
  assertStringIncludes(banned, "eve (");
  const invite = await bob.invite();
  const again = await setup.client("eve", { invite }, eve.identity);
  await assertRejects(() => again.running, JoinError, "banned");
  assertStringIncludes((await ana.operate("unban", "eve"))[0] ?? "", "eve may");
  const { identity } = eve;
  const back = await setup.client(
    "eve",
    { invite: await bob.invite() },
    identity,
  );
  await back.in();
  assertEquals(await bob.operate("kick", "ana"), [
    "That person has been a keeper for longer than you",
  ]);
  assertEquals(server.membership.keepers, [ana.session.id, bob.session.id]);
});

Deno.test("invites are listed with their notes, and a closed one lets in nobody", async () => {
  await using setup = new SealedSetup();
  const ana = await setup.found();
  assertEquals(await ana.operate("invites"), ["No invite is open"]);
  const invite = await ana.invite();
  await ana.operate("invite", "0", "Rahul", 2);
  const [first = "", second = ""] = await ana.operate("invites");
  assertStringIncludes(first, `${invite.id}: lets in 1 person, until `);
  assertStringIncludes(second, " (Rahul): lets in 2 persons, by ana");
  await ana.operate("revoke", String(invite.id));
  const late = await setup.client("late", { invite });
  await assertRejects(() => late.running, JoinError);
  assertEquals((await ana.operate("invites")).length, 1);
});

Deno.test("two keepers who remove somebody in the same instant do it in one order, and nobody else loses the key", async () => {
  await using setup = new SealedSetup();
  const { server } = setup;
  const ana = await setup.found();
  const [bob, cy, dan] = [
    await setup.bring(ana, "bob"),
    await setup.bring(ana, "cy"),
    await setup.bring(ana, "dan"),
  ];
  await ana.operate("keeper", "bob");
  await bob.untilTold("ana made bob a keeper");
  const before = server.membership.epoch;
  const [one, two] = await Promise.all([
    ana.operate("kick", "cy"),
    bob.operate("kick", "dan"),
  ]);
  assertStringIncludes(one.join(), "cy reads nothing from line");
  assertStringIncludes(two.join(), "dan reads nothing from line");
  assertEquals(server.membership.epoch, before + 2);
  await ana.say("just us");
  assertEquals((await bob.view.until("said")).text, "just us");
  await bob.say("yes");
  assertEquals((await ana.view.until("said", 1)).text, "yes");
  assertEquals([...ana.view.of("warning"), ...bob.view.of("warning")], []);
  for (const it of [cy, dan]) await it.running.catch(() => {});
});

Deno.test("two machines of one keeper make invites at once, and each has its own", async () => {
  await using setup = new SealedSetup();
  const { server } = setup;
  const ana = await setup.found();
  const other = await setup.client("ana", {}, ana.identity, ana.known);
  await other.in();
  const made = await Promise.all([ana.invite(), other.invite()]);
  await Promise.all([ana.operate("invites"), other.operate("invites")]);
  const open = server.membership.openInvites(Date.now());
  assertEquals(
    open.map(({ number }) => number).toSorted(),
    made.map(({ id }) => id).toSorted(),
  );
  await other.say("from there");
  const { own, mine } = await ana.view.until("said");
  assertEquals([own, mine], [true, undefined]);
});

Deno.test("a link that was used up has the key changed, once a day, and nobody is kept from reading", async () => {
  await using setup = new SealedSetup();
  const { server } = setup;
  const ana = await setup.found();
  const bob = await (await setup.client("bob", { invite: await ana.invite() }))
    .in();
  await bob.view.until("ruled", 3); // found, invite, join, keys
  assertEquals(server.membership.epoch, 1);
  const cy = await (await setup.client("cy", { invite: await ana.invite() }))
    .in();
  await ana.view.until("joined", 1);
  await bob.say("under the second key");
  for (const { view } of [ana, bob, cy]) {
    assertEquals((await view.until("said")).text, "under the second key");
  }
  assertEquals(server.membership.epoch, 1);
});

// ── Keys ───────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("lines that were sealed under the key before go out again in order, once, when the key changes", async () => {
  await using setup = new SealedSetup();
  const { server } = setup;
  const ana = await setup.found();
  const bob = await setup.bring(ana, "bob");
  const said = Array.from({ length: 200 }, (_, at) => `line ${at}`);
  const changes = (async () => {
    for (const name of ["x", "y", "z"]) {
      await setup.bring(ana, name);
      await ana.operate("kick", name);
    }
  })();
  for (const text of said) {
    await bob.say(text);
    if (server.membership.epoch < 3) await ana.operate("invites");
  }
  await changes;
  await bob.session.conversation.settled();
  await ana.view.until("said", said.length - 1);
  assertEquals(texts(ana.view.of("said")), said);
  assertEquals(ana.view.of("warning"), []);
  assertEquals(server.faults, []);
});

Deno.test("lines whose key is withheld are placeholders, and shown as said once it comes", async () => {
  await using setup = new SealedSetup();
  const { server } = setup;
  const ana = await setup.found();
  const bob = await setup.bring(ana, "bob");
  const eve = await setup.bring(ana, "eve");
  server.withholds = true;
  await ana.operate("kick", "eve");
  await ana.say("for those who have the key");
  const { seq, name } = await bob.view.until("sealed");
  assertEquals(name, "ana");
  assertStringIncludes(
    bob.view.notes.join("\n"),
    "The room's key has not come",
  );
  await bob.say("waits");
  server.withholds = false;
  const wrapped = server.wraps.get(bob.session.id);
  assert(wrapped);
  const [seat] = server.seats.filter(({ person }) => person === bob.session.id);
  await server.inTurn(async () => await seat?.tell(wrapped));
  const said = await bob.view.until("said");
  assertEquals([said.seq, said.text], [seq, "for those who have the key"]);
  assertEquals((await ana.view.until("said", 1)).text, "waits");
  await bob.view.until("said", 1);
  assertEquals(texts(bob.view.of("said")), [
    "for those who have the key",
    "waits",
  ]);
  await eve.running.catch(() => {});
});

Deno.test("a keeper's client gives the key to a member who lacks it, and to nobody else", async () => {
  await using setup = new SealedSetup();
  const { server } = setup;
  const ana = await setup.found();
  const bob = await setup.bring(ana, "bob");
  await bob.leave();
  server.wraps.delete(bob.session.id);
  await server.inTurn(() => server.needed(madeUpId("eve"), 0));
  const again = await setup.client("bob", {}, bob.identity, bob.known);
  await again.in();
  await ana.say("for bob");
  assertEquals((await again.view.until("said")).text, "for bob");
  assertEquals([...server.wraps.keys()].includes(madeUpId("eve")), false);
});

Deno.test("a key comes with its line for everybody, though another line of its keeper's came between", async () => {
  await using setup = new SealedSetup();
  const { server } = setup;
  const ana = await setup.found();
  const bob = await setup.bring(ana, "bob");
  await setup.bring(ana, "cy");
  const [seat] = server.seats;
  assert(seat);
  let isFirst = true;
  server.beforeRule = async (text) => {
    if (!isFirst || !text.startsWith("keys")) return;
    isFirst = false;
    const rename = { verb: "rename", name: "anna" } as const; // by another machine
    await server.rule(seat, await setup.sign(ana, rename));
  };
  const [told = ""] = await ana.operate("kick", "cy");
  assertStringIncludes(told, "cy reads nothing from line");
  assert(!isFirst);
  await ana.say("for bob");
  assertEquals((await bob.view.until("said")).text, "for bob");
  assertEquals(server.heard.filter(({ kind }) => kind === "need"), []);
});

Deno.test("a removal and an invite at the same time give each what it needs", async () => {
  await using setup = new SealedSetup();
  const { server } = setup;
  const ana = await setup.found();
  const bob = await setup.bring(ana, "bob");
  await setup.bring(ana, "cy");
  const [, invite] = await Promise.all([
    ana.operate("kick", "cy"),
    ana.invite(),
  ]);
  await ana.say("for bob");
  assertEquals((await bob.view.until("said")).text, "for bob");
  assertEquals(server.heard.filter(({ kind }) => kind === "need"), []);
  const dan = await (await setup.client("dan", { invite })).in();
  assertEquals((await dan.view.until("said")).text, "for bob");
  assertEquals(server.faults, []);
});

Deno.test("a keeper's client ends an invite whose time is over by its own clock, whatever the server's says", async () => {
  await using setup = new SealedSetup();
  const { server } = setup;
  const ana = await setup.found();
  const [seat] = server.seats;
  assert(seat);
  server.clockOff = -86_400_000;
  const { card } = await newIdentity();
  const over = {
    verb: "invite",
    invite: SEALED_INVITE + 7,
    card: toBase64url(card),
    uses: 3,
    until: Date.now() - 1,
  } as const;
  await server.inTurn(async () => {
    await server.rule(seat, await setup.sign(ana, over));
  });
  await ana.untilTold("ana made an invite for 3 persons");
  assert(server.membership.isOpen(over.invite, Date.now() + server.clockOff));
  await ana.leave();
  const again = await setup.client("ana", {}, ana.identity, ana.known);
  await again.untilTold("ana ended an invite");
  assertStringIncludes(
    again.view.notes.join("\n"),
    "The server's clock is 24 hours behind yours",
  );
});

// ── What a session knows of the room ───────────────────────────────────────────────────────────────────

Deno.test("a line says what its sender's client has counted of the log", async () => {
  await using setup = new SealedSetup();
  const { server } = setup;
  const ana = await setup.found();
  const seen: Seen[] = [];
  await setup.bring(ana, "bob", {
    chain: {
      seen: { seq: 0, value: CHAIN_START },
      seenDiffers: (it) => {
        seen.push(it);
        return false;
      },
    },
  });
  const { length: seq } = server.log;
  await ana.say("with all that was before");
  await ana.view.until("said");
  await setup.clients[1]?.view.until("said");
  assertEquals(seen, [{ seq, value: server.chainAt(seq) }]);
});

Deno.test("a line whose sender had counted other lines than the server tells is warned of, in the past and as it comes", async () => {
  await using setup = new SealedSetup();
  const { server } = setup;
  const ana = await setup.found();
  await ana.say("one");
  await ana.view.until("said"); // or "two" tells nothing of it
  await ana.say("two");
  const { seq } = await ana.view.until("said", 1);
  server.alterPast = (lines) =>
    lines.map((it) => it.seq === seq - 1 ? { ...it, at: it.at + 1 } : it);
  const invite = await ana.invite();
  const bob = await (await setup.client("bob", { invite })).in();
  await ana.view.until("joined", 0);
  await ana.say("three");
  await bob.view.until("warning", 1);
  const { length } = server.log;
  assertEquals(
    bob.view.of("warning").map(({ line, reason }) => [line, reason]),
    [[seq, "seen-differs"], [length, "seen-differs"]],
  );
  assertEquals(texts(bob.view.of("said")), ["one"]);
});

Deno.test("where the server has an older log, a person is asked whether to go on; without an answer, or anybody to ask, the client stays out", async () => {
  await using setup = new SealedSetup();
  const ana = await setup.found();
  const stores = inMemory();
  const bob = await setup.bring(ana, "bob", { stores });
  await setup.loseKeeper(ana, bob);
  const questions: string[] = [];
  const answer = (yes: boolean) => ({
    confirm: (question: string) => {
      questions.push(question);
      return Promise.resolve(yes);
    },
  });
  const again = (sealing: Sealing) =>
    setup.client("bob", { stores, ...sealing }, bob.identity, bob.known);
  for (const sealing of [{}, answer(false)]) {
    const { running } = await again(sealing);
    await assertRejects(() => running, JoinError, "no longer knows");
  }
  await (await again(answer(true))).in();
  assertEquals(questions.length, 2);
});

Deno.test("Session.kept() waits until what is known of a sealed room is kept, and tells of what can't be", async () => {
  await using setup = new SealedSetup();
  const written = Promise.withResolvers<void>();
  const ana = await setup.found("ana", {
    stores: () => ({
      read: () => Promise.resolve(undefined),
      write: () => written.promise,
      append: () => Promise.resolve(),
    }),
  });
  let isKept = false;
  const kept = ana.session.kept().then(() => isKept = true);
  await ana.say("meanwhile");
  await ana.view.until("said");
  assertEquals(isKept, false);
  written.reject(new Error("the disk is full"));
  await kept;
  const words = "What this client knows of the room is not saved";
  assertStringIncludes(ana.view.notes.at(-1) ?? "", words);
});

// ── What is not said ───────────────────────────────────────────────────────────────────────────────────

Deno.test("nothing that a person types goes to the server openly: away words, last words, notes of invites, a topic", async () => {
  await using setup = new SealedSetup();
  const { server } = setup;
  const ana = await setup.found();
  const bob = await setup.bring(ana, "bob");
  bob.session.conversation.away("secret-lunch");
  assertEquals((await ana.view.until("away-message")).text, "away");
  await ana.operate("topic", "", "secret-topic");
  await ana.operate("slow", "", "secret-slow", 5);
  await ana.operate("invite", "7", "secret-note", 1);
  await ana.operate("kick", "secret-name");
  await ana.session.write("bob", "secret-letter");
  bob.session.conversation.search("secret-search", 1);
  await ana.say("secret-line");
  await ana.view.until("said");
  bob.session.leave("secret-words");
  const { text } = await ana.view.until("left");
  assertEquals(text, "left");
  assertEquals(JSON.stringify(server.heard).includes("secret-"), false);
  assertStringIncludes((await ana.operate("invites")).join(), "secret-note");
  const said = [...ana.view.notes, ...bob.view.notes].join("\n");
  assertStringIncludes(said, "The others see that you are away, not why");
  assertStringIncludes(said, "A sealed room has no topic");
  assertStringIncludes(said, "Last words are not sent");
});

Deno.test("why somebody is away stays with the client also where it was typed before the client knew that the room is sealed", async () => {
  await using setup = new SealedSetup();
  const ana = await setup.found();
  const bob = await setup.client("bob", { invite: await ana.invite() });
  bob.session.conversation.away("secret-lunch", 7);
  await bob.in();
  assertEquals((await ana.view.until("away-message")).text, "away");
  assertEquals((await bob.view.until("away-message")).id, 7);
  assertEquals(JSON.stringify(setup.server.heard).includes("secret-"), false);
});

Deno.test("no words are shown that only the server says: a topic, why somebody is away or left", async () => {
  await using setup = new SealedSetup();
  const { server } = setup;
  const ana = await setup.found();
  const bob = await setup.bring(ana, "bob");
  const [, seat] = server.seats;
  assert(seat);
  await server.inTurn(async () => {
    const text = "send me your keys";
    await server.tellAll(
      server.log.length + 1,
      2_000,
      { kind: "absent", id: seat.id, text },
      { kind: "room", topic: text, slow: 0 },
    );
  });
  server.lastWords = "send me your keys";
  assertEquals((await ana.view.until("away-message")).text, "away");
  await bob.leave();
  assertEquals((await ana.view.until("left")).text, "left");
  const cy = await setup.bring(ana, "cy");
  const shown = JSON.stringify([...ana.view.news, ...cy.view.news]);
  assertEquals(shown.includes("send me"), false);
  assertEquals(ana.view.notes.join().includes("send me"), false);
});

// ── Names ──────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("another name is signed, and one that is taken is refused", async () => {
  await using setup = new SealedSetup();
  const { server } = setup;
  const ana = await setup.found();
  const bob = await setup.bring(ana, "bob");
  bob.session.conversation.rename("ana");
  assertEquals((await bob.view.until("refused")).reason, "name-taken");
  bob.session.conversation.rename("bobby");
  const { name, text } = await ana.view.until("renamed");
  assertEquals([name, text], ["bob", "bobby"]);
  await bob.say("it is me");
  assertEquals((await ana.view.until("said")).name, "bobby");
  assertEquals(
    ana.session.conversation.present.map(({ name }) => name).toSorted(),
    ["ana", "bobby"],
  );
  assertEquals(server.membership.member(bob.session.id)?.name, "bobby");
  assertEquals(ana.view.of("warning"), []);
});

// ── Connections that end ───────────────────────────────────────────────────────────────────────────────

Deno.test("a client whose connection ends while it waits for a page of the past comes back, and goes on", async () => {
  await using setup = new SealedSetup();
  const { server } = setup;
  const ana = await setup.found();
  await ana.say("a needle");
  const { seq } = await ana.view.until("said");
  server.alterPast = (lines) => lines.filter((it) => it.seq !== seq);
  const bob = await setup.bring(ana, "bob");
  const { conversation } = bob.session;
  const waits = [
    () => Promise.resolve(conversation.search("needle", 100)),
    () => bob.session.reply(seq, "which one?"),
  ];
  for (const [at, wait] of waits.entries()) {
    server.alterPast = () => {
      server.alterPast = (lines) => lines;
      throw new Error("a fault of the server's, which ends the connection");
    };
    await wait();
    await bob.comesBack(at);
    await bob.view.until("entered", at + 1);
  }
  assertEquals((await bob.view.until("found")).lines.length, 1);
  assertEquals((await ana.view.until("replied")).text, "which one?");
});

Deno.test("a founder whose connection ends before its first invite is answered is told so, also where its line has come", async () => {
  for (const hasCome of [false, true]) {
    await using setup = new SealedSetup();
    const { server } = setup;
    if (!hasCome) {
      server.beforeRule = () => {
        server.beforeRule = () => Promise.resolve();
        throw new Error("a fault of the server's, which ends the connection");
      };
    } else {
      const append = server.append.bind(server);
      server.append = async (...line) => {
        await append(...line);
        const [seat, what] = line;
        if (what === "ruled" && seat.isIn) seat.end();
      };
    }
    const ana = await setup.client("ana", {
      invite: setup.foundingLink,
      makesInvite: "if none is open",
    });
    await assertRejects(() => ana.running, JoinError, "connection lost");
    assertEquals(ana.view.news, []);
  }
});

Deno.test("a founder whose first invite is answered behind more than may wait comes in", async () => {
  await using setup = new SealedSetup();
  const { server } = setup;
  server.beforeRule = async () => {
    const [seat] = server.seats;
    for (let at = 0; at < 2_100; at++) {
      await seat?.tell({ kind: "room", topic: "", slow: 0 });
    }
  };
  const ana = await setup.found("ana", { makesInvite: "if none is open" });
  assertEquals(ana.view.of("entered").length, 1);
});

Deno.test("an answer whether to go on with a server's control lines counts for the connection that it is about alone", async () => {
  await using setup = new SealedSetup();
  const { server } = setup;
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<boolean>();
  const confirm = () => {
    asked.resolve();
    return answer.promise;
  };
  const ana = await setup.found("ana", { confirm });
  const { digestAt } = server;
  server.digestAt = () => toBase64url(new Uint8Array(32)); // of others
  server.seats[0]?.end();
  await ana.comesBack();
  await asked.promise;
  server.digestAt = digestAt;
  server.seats.at(-1)?.end();
  await ana.comesBack(1);
  await ana.view.until("entered", 1);
  answer.resolve(true);
  await ana.say("still here");
  assertEquals((await ana.view.until("said")).text, "still here");
  const { keepers } = ana.session.conversation;
  assertEquals(keepers?.map(({ name }) => name), ["ana"]);
});

Deno.test("settled() doesn't fail where the connection can't be written to, and the client comes back", async () => {
  await using setup = new SealedSetup();
  const { server } = setup;
  const dial = server.dial.bind(server);
  let last: MemoryStream | undefined;
  server.dial = async () => last = await dial() as MemoryStream;
  const ana = await setup.found();
  last?.outgoing.fail(new Deno.errors.BrokenPipe());
  await ana.session.conversation.settled();
  await ana.comesBack();
  await ana.view.until("entered", 1);
});

Deno.test("a log that the server can't read, which it says while a control line waits, is no refusal of that line", async () => {
  await using setup = new SealedSetup();
  const { server } = setup;
  const ana = await setup.found();
  const [seat] = server.seats;
  const reason = "log-unreadable"; // to who asked for a page before
  server.beforeRule = async () =>
    await seat?.tell({ kind: "refused", n: null, reason, detail: "" });
  const { id } = await ana.invite();
  assertEquals(server.membership.openInvites(0).map((it) => it.number), [id]);
  assertEquals(ana.view.notes.at(-1), "The server cannot read its log now");
});
