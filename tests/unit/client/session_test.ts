/**
 * A client's stay across connections: what is sent, what is sent again and what isn't, and how it ends. The
 * server is the test's own, word by word, and once a real room behind a network that keeps failing.
 *
 * @module
 */

import { toBase64url } from "../../../crypto_utils.ts";
import { JoinError } from "../../../src/client/join_error.ts";
import { Known } from "../../../src/client/known.ts";
import { fullId } from "../../../src/crypto/person_id.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "../../kit/assert.ts";
import { HandshakeRefusal, REFUSALS } from "../../../src/protocol/reasons.ts";
import { acceptChannel, refuse } from "../../../src/protocol/handshake.ts";
import { CODE_ID, MEMBER_ID, MEMBER_KEY } from "../../../src/protocol/hello.ts";
import { formatOffer } from "../../../src/protocol/offer.ts";
import { writeAll } from "../../../src/base/write_all.ts";
import {
  ACCEPT,
  CLIENT,
  CLIENT_ID,
  eve,
  HANDSHAKE,
  past,
  Setup,
  shared,
  texts,
  Visit,
  words,
} from "../../kit/session_setup.ts";
import { utf8 } from "../../kit/bytes.ts";
import {
  madeUpId,
  madeUpPerson,
  madeUpStay,
  newIdentity,
} from "../../kit/people.ts";

// ── Inside ─────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("Session.run() enters, tells what happens, and ends with leave()", async () => {
  const known = await Known.load(undefined, () => {});
  await using setup = new Setup({ known });
  const { session, view } = setup;
  const running = session.run();
  const visit = await setup.accept();
  const join = await visit.next("join");
  assertEquals([join.name, join.after], ["ana", null]);
  assertEquals([session.conversation.present, view.standing?.connected], [
    [],
    false,
  ]);
  await visit.admit(7, past(5, 1, "earlier", madeUpPerson("ben")));
  const entered = await view.until("entered");
  assertEquals(
    [entered.seq, entered.others, entered.again, entered.earlier],
    [7, 1, false, 1],
  );
  await visit.broadcast(8, {
    kind: "joined",
    id: 3,
    name: "carla",
    person: madeUpId("carla"),
    stay: madeUpStay("carla"),
    n: 0,
  }, { kind: "said", id: 2, n: 1, text: "hello" });
  await view.until("said", 1);
  const present = session.conversation.present.map(({ name }) => name);
  assertEquals(present.toSorted(), ["ana", "ben", "carla"]);
  assertEquals(view.standing?.members, 3);
  await visit.broadcast(10, { kind: "left", id: 2, n: 2, reason: "lost" });
  await view.until("left");
  assertEquals(view.standing?.members, 2);
  // What was missed comes first, then what happens now.
  const kinds = view.news.map(({ type }) => type);
  assertEquals(kinds.slice(0, 4), ["entered", "said", "current", "joined"]);
  const lines = view.news.flatMap((it) =>
    it.type === "joined" || it.type === "left" || it.type === "said"
      ? [[it.seq, it.type, it.name, it.text, it.own, it.past]]
      : []
  );
  assertEquals(lines, [
    [5, "said", "ben", "earlier", false, true],
    [8, "joined", "carla", "", false, false],
    [9, "said", "ben", "hello", false, false],
    [10, "left", "ben", "lost", false, false],
  ]);
  await setup.leave(visit, running);
  await session.kept(); // of a sealed room, which this isn't
  assertEquals(session.conversation.present, []);
  const address = "chat.example:5000";
  assertEquals(known.roomAt(address)?.addresses, [address]);
});

// ── Away and back ──────────────────────────────────────────────────────────────────────────────────────

Deno.test("Session.say() sends what was typed while away when it is back, once", async () => {
  await using setup = new Setup();
  const { session, view } = setup;
  const [visit, running] = await setup.enter(4);
  visit.end();
  const { reason } = await view.until("disconnected");
  assertEquals(reason, "connection lost");
  for (const text of ["one", "two", "three"]) await session.say(text);
  assertEquals(session.conversation.waiting, 3);
  assertEquals(view.standing, {
    name: "ana",
    connected: false,
    members: 0,
    waiting: 3,
  });
  const again = await setup.acceptAgain();
  const join = await again.next("join");
  assertEquals([join.name, join.after], ["ana", 4]);
  await again.admit(6, past(5, 9, "meanwhile", madeUpPerson("ben")));
  const says = await again.says(3);
  assertEquals(texts(says), ["one", "two", "three"]);
  assertEquals(says[0]?.n, join.n + 1);
  const entered = await view.until("entered", 1);
  assertEquals([entered.again, entered.waiting], [true, 3]);
  await again.echo(7, says);
  await session.conversation.settled();
  await setup.leave(again, running);
});

// ── Not let in ─────────────────────────────────────────────────────────────────────────────────────────

Deno.test("Session asks for another name between two connections, as often as it takes", async () => {
  await using setup = new Setup();
  setup.names.push("ben", "carla");
  const running = setup.session.run();
  let visit = await setup.accept();
  await setup.session.say("hello");
  const names: string[] = [];
  for (let asked = 0; asked < 2; asked++) {
    names.push((await visit.next("join")).name);
    const detail = `${["Ana", "bеn"][asked]}, whose it is`;
    const refused = { kind: "refused", n: null, detail } as const;
    await visit.tell({ ...refused, reason: "name-taken" });
    await visit.untilEnd(); // while somebody hesitates, no place is taken
    visit = await setup.accept();
  }
  const last = await visit.next("join");
  assertEquals([...names, last.name], ["ana", "ben", "carla"]);
  assertEquals(setup.questions, [
    'The name "ana" is taken (Ana, whose it is). Choose another',
    'The name "ben" looks like one that is taken (bеn, whose it is). Choose another',
  ]);
  await visit.admit(1);
  // The name is the one that the server says.
  assertEquals((await setup.view.until("entered")).name, "ana");
  assertEquals(setup.view.standing?.name, "ana");
  const says = await visit.says(1);
  assertEquals(says[0]?.n, last.n + 1);
  await visit.echo(2, says);
  await setup.leave(visit, running);
  assertEquals(setup.dialled.length, 3);
});

Deno.test("Session comes by another name as whoever is told with it, until it has been in: from then on as the same", async () => {
  const others = [await newIdentity(), await newIdentity()];
  const left = [...others];
  await using setup = new Setup({
    askName: () => {
      const identity = left.shift();
      return Promise.resolve(identity ? { identity, name: "ben" } : null);
    },
  });
  const running = setup.session.run();
  const refused = { kind: "refused", n: null, detail: "" } as const;
  const taken = async (visit: Visit) => {
    const { card } = await visit.next("join");
    await visit.tell({ ...refused, reason: "name-taken" });
    return card;
  };
  const cards = [await taken(await setup.accept())];
  const visit = await setup.accept();
  visit.person = fullId(others[0]?.id ?? new Uint8Array());
  cards.push((await visit.next("join")).card);
  await visit.admit(1);
  await setup.view.until("entered");
  visit.end();
  cards.push(await taken(await setup.acceptAgain()));
  const last = await setup.accept();
  last.person = visit.person;
  cards.push((await last.next("join")).card);
  const [first, ben] = [CLIENT, ...others].map(({ card }) => toBase64url(card));
  assertEquals(cards, [first, ben, ben, ben]);
  await last.admit(2);
  assertEquals(setup.session.id, visit.person);
  await setup.view.until("entered", 1);
  await last.next("rename");
  await setup.leave(last, running);
});

Deno.test("Session shows what it was told of the past once, though it had to ask twice", async () => {
  await using setup = new Setup();
  setup.names.push("ben");
  const running = setup.session.run();
  let visit = await setup.accept();
  const earlier = past(1, 1, "earlier", madeUpPerson("ben"));
  await visit.next("join");
  const refused = { kind: "refused", n: null, detail: "" } as const;
  await visit.tell(earlier, { ...refused, reason: "name-taken" });
  visit = await setup.accept();
  await visit.next("join");
  await visit.admit(2, earlier);
  await setup.view.until("entered");
  await setup.session.say("x"); // goes out after the past was shown
  const says = await visit.says(1);
  assertEquals(setup.view.of("said").length, 1);
  await visit.echo(3, says);
  await setup.leave(visit, running);
});

for (const reason of ["name-taken", "room-full", "log-failed"] as const) {
  Deno.test(`Session.run() rejects where the first joining is refused with "${reason}"`, async () => {
    await using setup = new Setup();
    setup.names.push(null);
    const running = setup.session.run();
    const visit = await setup.accept();
    await visit.next("join");
    await visit.tell({ kind: "refused", n: null, reason, detail: "" });
    const error = await assertRejects(
      () => running,
      JoinError,
      REFUSALS[reason],
    );
    assert(error.advice.length > 0);
    assertEquals(setup.questions.length, reason === "name-taken" ? 1 : 0);
    setup.assertAllClosed();
  });
}

for (
  const [reason, words] of [
    ["replaced", "The server ended the connection: "],
    ["misused", "The server ended the connection: "],
    ["removed", "You were removed from the room"],
  ] as const
) {
  Deno.test(`Session.run() rejects where the server ends the connection as "${reason}"`, async () => {
    await using setup = new Setup();
    const [visit, running] = await setup.enter();
    await visit.dismiss(reason);
    await assertRejects(
      () => running,
      JoinError,
      words,
    );
    assertEquals(setup.view.of("disconnected"), []);
    setup.assertAllClosed();
  });
}

for (const reason of ["slow", "silent", "stopped", "lost"] as const) {
  Deno.test(`Session comes back where the server ends the connection as "${reason}"`, async () => {
    await using setup = new Setup();
    const [visit, running] = await setup.enter();
    await visit.dismiss(reason);
    const again = await setup.acceptAgain();
    await again.next("join");
    await again.admit(2);
    await setup.view.until("entered", 1);
    await setup.leave(again, running);
  });
}

for (
  const [what, { event, keyFirst, flip }, reason] of [
    [
      "says what it may not",
      { event: words, keyFirst: true, flip: 0 },
      '"said"',
    ],
    [
      "comes before its key",
      { event: eve, keyFirst: false, flip: 0 },
      "no key",
    ],
    ["was altered", { event: eve, keyFirst: true, flip: 1 }, "Cannot open"],
  ] as const
) {
  Deno.test(`Session comes back where a shared record ${what}`, async () => {
    await using setup = new Setup();
    const [visit, running] = await setup.enter();
    const { key, bytes } = await shared(event);
    if (keyFirst) await visit.tell(key);
    const last = (bytes.at(-1) ?? 0) ^ flip;
    await writeAll(visit.stream, bytes.with(-1, last));
    assertStringIncludes(
      (await setup.view.until("disconnected")).reason,
      reason,
    );
    assertEquals(setup.view.of("said"), []);
    const again = await setup.acceptAgain();
    await again.next("join");
    await again.admit(2);
    await setup.view.until("entered", 1);
    await setup.leave(again, running);
  });
}

for (const code of Object.values(HandshakeRefusal)) {
  Deno.test(`Session.run() rejects where its first handshake is refused with code ${code}`, async () => {
    await using setup = new Setup();
    const running = setup.session.run();
    await refuse(await setup.arrival(), code);
    // Whose link is refused may be a member all the same: it is tried once.
    if (code === HandshakeRefusal.key) {
      await refuse(await setup.arrival(), code);
    }
    const error = await assertRejects(() => running, JoinError);
    assertEquals(setup.dialled.length, code === HandshakeRefusal.key ? 2 : 1);
    assert(error.advice.length > 0);
    setup.assertAllClosed();
  });
}

Deno.test("Session that comes by its own key from the first tries no other way, and says who it isn't known as", async () => {
  const member = { inviteId: MEMBER_ID, inviteKey: MEMBER_KEY };
  const cases = [
    [{ comesAsMember: true, sealing: {} }, "does not open this room"],
    [
      { handshake: { ...HANDSHAKE, ...member } },
      'The room does not know you as "ana"',
    ],
  ] as const;
  for (const [options, words] of cases) {
    await using setup = new Setup(options);
    const running = setup.session.run();
    const ways: number[] = [];
    const turnedAway = (way: number) => {
      ways.push(way);
      return HandshakeRefusal.key;
    };
    const stream = await setup.arrival();
    await assertRejects(() => acceptChannel(stream, { ...ACCEPT, turnedAway }));
    await assertRejects(() => running, JoinError, words);
    assertEquals([ways, setup.dialled.length], [[MEMBER_ID], 1]);
    setup.assertAllClosed();
  }
});

Deno.test("Session that comes by a spoken code tries no other way, and comes back by its own key without the code", async () => {
  const password = utf8("crossover clockwork");
  const handshake = {
    ...HANDSHAKE,
    inviteId: CODE_ID,
    inviteKey: MEMBER_KEY,
    code: { number: 5, password },
  };
  await using refused = new Setup({ handshake });
  const entering = refused.session.run();
  const accepting = assertRejects(() => refused.accept()); // there are no codes
  await assertRejects(() => entering, JoinError, "does not open this room");
  await accepting;
  assertEquals(refused.dialled.length, 1);
  refused.assertAllClosed();

  await using setup = new Setup({ handshake });
  const running = setup.session.run();
  const code = () => ({
    inviteId: 1,
    password,
    guess: () => true,
    guessed: () => {},
  });
  const visit = await Visit.accept(await setup.arrival(), { ...ACCEPT, code });
  await visit.next("join");
  await visit.admit(1);
  await setup.view.until("entered");
  visit.end();
  const again = await setup.acceptAgain();
  await again.next("join");
  await again.admit(2);
  await setup.view.until("entered", 1);
  await setup.leave(again, running);
});

// ── Leaving ────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("Session.leave() before run() keeps it from dialling", async () => {
  await using setup = new Setup();
  setup.session.leave();
  await setup.session.run();
  assertEquals(setup.dialled, []);
});

// ── What else a member may ask ─────────────────────────────────────────────────────────────────────────

Deno.test("Session.act() speaks in the third person, offer() offers a file, write() writes to one alone, and leave() says last words", async () => {
  await using setup = new Setup();
  const { session, view } = setup;
  assertEquals(session.id, CLIENT_ID);
  const [visit, running] = await setup.enter();
  await session.act("waves", "w");
  const { n, text } = await visit.next("act");
  assertEquals(text, "waves");
  await visit.broadcast(2, { kind: "acted", id: 1, n, text });
  assertEquals((await view.until("acted")).id, "w");
  const file = formatOffer({ name: "x", size: 1, digest: "0".repeat(64) });
  const offering = session.offer(file, "o");
  const offer = await visit.next("offer");
  assertEquals([offer.text, await offering], [file, offer.n]);
  await visit.broadcast(3, { ...offer, kind: "offered", id: 1 });
  assertEquals((await view.until("offered")).id, "o");
  await session.write("eve", "psst", "p");
  const { id, who } = await visit.next("look");
  assertEquals(who, "eve");
  assertEquals(view.standing?.waiting, 1);
  await visit.tell({ kind: "nobody", id });
  assertEquals((await view.until("refused")).id, "p");
  assertEquals(view.standing?.waiting, 0);
  session.leave("good night");
  assertEquals((await visit.next("bye")).reason, "good night");
  await visit.dismiss("left");
  await running;
});

Deno.test("Session.rename() asks for another name, and goes by it once it is told so", async () => {
  await using setup = new Setup();
  const { session, view } = setup;
  const [visit, running] = await setup.enter();
  session.conversation.rename("anna");
  assertEquals((await visit.next("rename")).name, "anna");
  assertEquals(view.standing?.name, "ana");
  await visit.broadcast(2, { kind: "renamed", id: 1, n: 0, name: "anna" });
  const renamed = await view.until("renamed");
  assertEquals([renamed.name, renamed.text, renamed.own], [
    "ana",
    "anna",
    true,
  ]);
  assertEquals(view.standing?.name, "anna");
  visit.end();
  const again = await setup.acceptAgain();
  assertEquals((await again.next("join")).name, "anna");
  await again.admit(3);
  await view.until("entered", 1);
  await setup.leave(again, running);
});

Deno.test("Session.away() tells who typed it, and nobody else, what is so already", async () => {
  await using setup = new Setup();
  const { session, view } = setup;
  const [visit, running] = await setup.enter();
  session.conversation.away("");
  assertEquals(view.notes, ["You are not away"]);
  session.conversation.away("lunch");
  session.conversation.away("lunch");
  assertEquals((await visit.next("away")).text, "lunch");
  assertEquals(view.notes.slice(1), ["You are away already: lunch"]);
  session.conversation.away("tea");
  assertEquals((await visit.next("away")).text, "tea");
  // Back, by another client of the same person.
  await visit.broadcast(2, { kind: "absent", id: 1, text: "" });
  await view.until("away-message");
  session.conversation.away("");
  assertEquals(view.notes.slice(2), ["You are not away"]);
  await setup.leave(visit, running); // its goodbye is the next thing that the server hears
});

Deno.test("Session asks for nothing with a text that would end the connection", async () => {
  await using setup = new Setup();
  const { session, view } = setup;
  const [visit, running] = await setup.enter();
  const long = "x".repeat(257);
  session.conversation.away(long);
  session.conversation.search(long, 1);
  session.conversation.operate("kick", long, "", 0);
  session.conversation.operate("topic", "", "x".repeat(4_097), 0);
  session.leave(long);
  assertEquals(view.notes, [
    "Cannot be away with that text: it has more than 256 characters",
    "Cannot search for that: it has more than 256 characters",
    "Cannot find anybody of that name: it has more than 256 characters",
    "Cannot send that topic: it has more than 4096 characters",
    "Cannot leave with that text: it has more than 256 characters",
  ]);
  session.conversation.away("half \ud83d"); // the visit opens only what is well formed
  assertEquals((await visit.next("away")).text, "half \ufffd");
  session.conversation.search("half \ud83d", 1);
  assertEquals((await visit.next("find")).words, "half \ufffd");
  await setup.leave(visit, running);
});

Deno.test("Session.away() comes back from where another client of the person went", async () => {
  await using setup = new Setup();
  const { session, view } = setup;
  const running = session.run();
  const visit = await setup.accept();
  await visit.next("join");
  visit.away = "lunch";
  await visit.admit(1);
  await view.until("entered");
  session.conversation.away("");
  assertEquals((await visit.next("away")).text, "");
  assertEquals(view.notes, []);
  await setup.leave(visit, running);
});

Deno.test("Session.change() doesn't send a change of what another has said, nor take back a reaction that there isn't", async () => {
  await using setup = new Setup();
  const { session, view } = setup;
  const [visit, running] = await setup.enter();
  await visit.broadcast(2, { kind: "said", id: 2, n: 1, text: "well?" });
  await view.until("said");
  await session.change("edited", 2, "no");
  await session.change("deleted", 2, "");
  await session.change("reacted", 2, "");
  const reasons = view.of("refused").map(({ text, reason }) => [text, reason]);
  assertEquals(reasons, [
    ["no", "change-not-yours"],
    ["/delete 2", "change-not-yours"],
    ["/react 2", "reaction-none"],
  ]);
  await session.change("reacted", 2, "👍");
  const { n, text } = await visit.next("react");
  assertEquals(text, "👍");
  const reacted = { kind: "reacted", id: 1, to: 2 } as const;
  await visit.broadcast(3, { ...reacted, n, text });
  await view.until("reacted");
  await session.change("reacted", 2, "");
  const none = await visit.next("react");
  assertEquals(none.text, "");
  await visit.broadcast(4, { ...reacted, n: none.n, text: "" });
  await view.until("reacted", 1);
  await setup.leave(visit, running);
});

Deno.test("Session.reply() doesn't send an answer to a line that nobody said", async () => {
  await using setup = new Setup();
  const { session, view } = setup;
  const [visit, running] = await setup.enter();
  await visit.broadcast(
    2,
    { kind: "said", id: 2, n: 1, text: "well?" },
    { kind: "renamed", id: 2, n: 1, name: "benny" },
  );
  await view.until("renamed");
  for (const to of [1, 3]) await session.reply(to, "to nothing");
  const reasons = view.of("refused").map(({ reason }) => reason);
  assertEquals(reasons, ["reply-unknown", "reply-unknown"]);
  await session.reply(2, "yes");
  const { n, to } = await visit.next("reply");
  assertEquals(to, 2);
  // What this client hasn't seen, the server may know.
  await session.reply(900, "perhaps");
  assertEquals((await visit.next("reply")).to, 900);
  const replied = { kind: "replied", id: 1, to, text: "yes" } as const;
  await visit.broadcast(4, { ...replied, n }, { ...replied, n: n + 1 });
  const { quoted } = await view.until("replied", 1);
  const ben = { name: "ben", person: madeUpPerson("ben") };
  assertEquals(quoted, { ...ben, text: "well?" });
  await setup.leave(visit, running);
});

Deno.test("Session.away() is said again after a lost connection, until the member is back", async () => {
  await using setup = new Setup();
  const { session, view } = setup;
  const [visit, running] = await setup.enter();
  session.conversation.away("lunch");
  assertEquals((await visit.next("away")).text, "lunch");
  await visit.broadcast(2, { kind: "absent", id: 1, text: "lunch" });
  const told = await view.until("away-message");
  assertEquals([told.name, told.text, told.own], ["ana", "lunch", true]);
  visit.end();
  const again = await setup.acceptAgain();
  await again.next("join");
  await again.admit(3);
  assertEquals((await again.next("away")).text, "lunch");
  session.conversation.away("");
  assertEquals((await again.next("away")).text, "");
  again.end();
  const third = await setup.acceptAgain(1);
  await third.next("join");
  await third.admit(5);
  await view.until("entered", 2);
  await setup.leave(third, running); // says nothing before its goodbye
});

Deno.test("Session.search() shows what was found apart from the lines of the room", async () => {
  await using setup = new Setup();
  const { session, view } = setup;
  const [visit, running] = await setup.enter(9);
  session.conversation.search("red", 5);
  const { id, words, before, count } = await visit.next("find");
  assertEquals([words, before, count], ["red", null, 5]);
  await visit.tell(past(3, 1, "red"), { kind: "found", id, more: true });
  const found = await view.until("found");
  assertEquals([found.words, found.more], ["red", true]);
  const lines = found.lines.map((it) =>
    it.type === "warning" ? it : [it.seq, it.text]
  );
  assertEquals(lines, [[3, "red"]]);
  assertEquals(view.of("said"), []);
  await visit.broadcast(10, { kind: "said", id: 2, n: 1, text: "next" });
  await view.until("said");
  await setup.leave(visit, running);
});

Deno.test("Session.search() asks for lines before one, and is told of the room's topic", async () => {
  await using setup = new Setup();
  const { session, view } = setup;
  const [visit, running] = await setup.enter(9);
  assertEquals(session.conversation.topic, "");
  await visit.tell({ kind: "room", topic: "Rehearsal", slow: 0 });
  session.conversation.search("", 100, "older", 7);
  const { id, words, before, count } = await visit.next("find");
  assertEquals([words, before, count], ["", 7, 100]);
  await visit.tell({ kind: "found", id, more: false });
  assertEquals((await view.until("found")).id, "older");
  assertEquals(session.conversation.topic, "Rehearsal");
  await setup.leave(visit, running);
});

Deno.test("Session.search() asks again for what wasn't answered, once it is back", async () => {
  await using setup = new Setup();
  const { session, view } = setup;
  const [visit, running] = await setup.enter(9);
  session.conversation.search("red", 5);
  assertEquals((await visit.next("find")).words, "red");
  visit.end();
  await view.until("disconnected");
  session.conversation.search("blue", 5);
  assertEquals(view.notes, [
    "Not connected; will be asked on reconnect",
  ]);
  const again = await setup.acceptAgain();
  await again.next("join");
  await again.admit(10);
  const finds = [await again.next("find"), await again.next("find")];
  assertEquals(finds.map(({ words }) => words), ["red", "blue"]);
  for (const { id } of finds) {
    await again.tell({ kind: "found", id, more: false });
  }
  await view.until("found", 1);
  assertEquals(view.of("found").map(({ words }) => words), ["red", "blue"]);
  await setup.leave(again, running);
});

Deno.test("Session.search() says so where too many answers are waited for", async () => {
  await using setup = new Setup();
  const { session, view } = setup;
  const [visit, running] = await setup.enter(9);
  for (let n = 0; n < 17; n++) session.conversation.search(`${n}`, 5);
  assertEquals(view.notes, [
    "Cannot search: too many searches are open",
  ]);
  for (let n = 0; n < 16; n++) {
    assertEquals((await visit.next("find")).words, `${n}`);
  }
  await setup.leave(visit, running);
});

Deno.test("Conversation.showLost() tells of each line that may be lost when the stay has ended", async () => {
  await using setup = new Setup();
  const { session, view } = setup;
  const [visit, running] = await setup.enter();
  for (const text of ["one", "two"]) await session.say(text);
  const says = await visit.says(2);
  await visit.echo(2, says.slice(0, 1));
  await view.until("said");
  visit.end();
  await view.until("disconnected");
  await session.say("three");
  assertEquals([view.of("lost"), session.conversation.failedAny], [[], false]);
  session.leave();
  await running;
  session.conversation.showLost();
  assertEquals(texts(view.of("lost")), ["two", "three"]);
  assertEquals(session.conversation.failedAny, true);
});
