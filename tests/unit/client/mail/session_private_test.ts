/**
 * A session's private messages, with a server of the test's own at the other end, which may be hostile: what is shown,
 * what is said, and how often.
 *
 * @module
 */

import {
  type Bytes,
  fromBase64url,
  toBase64url,
} from "../../../../crypto_utils.ts";
import { type Identity, readCard } from "../../../../src/crypto/identity.ts";
import { fullId, shortId, spokenId } from "../../../../src/crypto/person_id.ts";
import { Known } from "../../../../src/client/known.ts";
import { openMailRoom } from "../../../../src/client/mail/mail_room.ts";
import { PrivateMessages } from "../../../../src/client/mail/private_messages.ts";
import { SeenFile } from "../../../../src/client/mail/seen_file.ts";
import { SeenHere } from "../../../../src/client/mail/seen.ts";
import type { SessionOptions } from "../../../../src/client/session.ts";
import type { Event, Kind } from "../../../../src/protocol/events.ts";
import {
  openPrivate,
  type PrivateMessage,
  sealPrivate,
} from "../../../../src/sealed/private_message.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";
import { Folder } from "../../../kit/folder.ts";
import { madeUpId, newIdentity, newStay } from "../../../kit/people.ts";
import {
  CLIENT,
  CLIENT_ID,
  CLIENT_PERSON,
  hereEvent,
  SERVER,
  Setup,
  TestView,
  type Visit,
} from "../../../kit/session_setup.ts";

const [BO, EVE, LOW] = await Promise.all([
  newIdentity(),
  newIdentity(),
  newIdentity(),
]);
const DAY = 86_400_000;
const room = SERVER.publicKey;

const idOf = ({ id }: Identity) => fullId(id);
const personOf = (identity: Identity) => shortId(idOf(identity));
const spoken = (identity: Identity) => spokenId(personOf(identity));

function cardEvent(
  id: number,
  identity: Identity,
  name: string,
): Event<"card"> {
  return { kind: "card", id, name, card: toBase64url(identity.card) };
}

/** What a letter says, before it is sealed. */
type Written = Partial<Omit<PrivateMessage, "to">>;

/** A letter to the client. */
async function letter(
  id: number,
  from: Identity,
  written: Written = {},
  { to = CLIENT, place = room }: {
    readonly to?: Identity;
    readonly place?: Bytes;
  } = {},
): Promise<Event<"letter">> {
  const message = {
    stay: newStay(),
    n: 1,
    time: Date.now(),
    text: `letter ${id}`,
    ...written,
  };
  const { data, own } = await sealPrivate(
    from,
    readCard(to.card),
    place,
    message,
  );
  const sealed = toBase64url(from === CLIENT ? own : data);
  return { kind: "letter", id, from: idOf(from), data: sealed };
}

/** Answers what the client asks for cards, as long as it asks, and says what it had taken. */
async function until<K extends Kind>(
  visit: Visit,
  kind: K,
  cards: Readonly<Record<string, readonly [Identity, string]>> = {},
): Promise<Event<K>> {
  for (;;) {
    const event = await visit.next<Kind>(["look", kind]);
    if (event.kind === "look") {
      const [identity, name] = cards[event.who] ?? [];
      await visit.tell(
        identity
          ? cardEvent(event.id, identity, name ?? "")
          : { kind: "nobody", id: event.id },
      );
    } else return event as Event<K>;
  }
}

const CARDS = {
  [personOf(BO)]: [BO, "bo"],
  [personOf(EVE)]: [EVE, "eve"],
  bo: [BO, "bo"],
  eve: [EVE, "eve"],
} as const;

/** What was shown of private messages. */
function shown({ view }: Setup): string[] {
  return view.of("private").map(({ name, to, text, state }) =>
    `${name} to ${to.name}: ${text}${state ? ` (${state})` : ""}`
  );
}

/** What was said of those that aren't shown. */
function unread({ view }: Setup): string[] {
  return view.of("private-unread").map(({ name, reason }) =>
    `${name}: ${reason}`
  );
}

/** Enters, with Bo in the room where it is said so. */
async function enter(
  setup: Setup,
  isHere = false,
): Promise<[Visit, Promise<void>]> {
  const [visit, running] = await setup.enter();
  if (isHere) {
    const { stay } = hereEvent(3, "bo", idOf(BO));
    const joined = { id: 3, name: "bo", person: idOf(BO), stay, n: 0 };
    await visit.broadcast(2, { kind: "joined", ...joined });
    await setup.view.until("joined");
  }
  return [visit, running];
}

async function leave(setup: Setup, visit: Visit, running: Promise<void>) {
  setup.session.leave();
  visit.end();
  await running;
}

// ── What comes ─────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("Session asks for its letters, shows each, and says that it has them when it has all", async () => {
  await using setup = new Setup();
  const [visit, running] = await enter(setup, true);
  assertEquals(await visit.next("collect"), { kind: "collect", after: null });
  const time = Date.now() - 3 * DAY;
  await visit.tell(
    await letter(5, BO, { time, text: "hello" }),
    await letter(7, EVE),
  );
  const got = await until(visit, "got", CARDS);
  assertEquals(got, { kind: "got", id: 7 });
  assertEquals(shown(setup), ["bo to ana: hello", "eve to ana: letter 7"]);
  const [first] = setup.view.of("private");
  assertEquals(first, {
    type: "private",
    at: time,
    name: "bo",
    person: personOf(BO),
    to: { name: "ana", person: CLIENT_PERSON },
    text: "hello",
    own: false,
  });
  await leave(setup, visit, running);
});

Deno.test("Session shows what its person wrote on another machine as its own, with the name of the recipient", async () => {
  await using setup = new Setup();
  const [visit, running] = await enter(setup);
  await visit.tell(
    await letter(1, CLIENT, { text: "from my telephone" }, { to: BO }),
    await letter(2, CLIENT, { text: "to one whom the server hides" }, {
      to: LOW,
    }),
  );
  await until(visit, "got", CARDS);
  assertEquals(shown(setup), [
    "ana to bo: from my telephone",
    `ana to ${spoken(LOW)}: to one whom the server hides`,
  ]);
  assertEquals(setup.view.of("private").map(({ own }) => own), [true, true]);
  await leave(setup, visit, running);
});

Deno.test("Session shows nothing of a letter that is repeated, altered, re-addressed, another's or of another room", async () => {
  await using setup = new Setup();
  const [visit, running] = await enter(setup);
  const right = await letter(1, BO, { text: "once" });
  const altered = fromBase64url(right.data);
  altered[1_200] = (altered[1_200] ?? 0) ^ 1;
  await visit.tell(
    right,
    { ...right, id: 2 },
    right,
    { ...right, id: 3, data: toBase64url(altered) },
    { ...right, id: 4, from: idOf(EVE) },
    { ...right, id: 5, from: CLIENT_ID },
    await letter(6, BO, {}, { to: EVE }),
    await letter(7, BO, {}, { place: EVE.id }),
    { ...right, id: 8, data: "_".repeat(1_857) }, // which isn't base64url
  );
  await until(visit, "got", CARDS);
  assertEquals(shown(setup), ["bo to ana: once"]);
  assertEquals(unread(setup), [
    "bo: altered",
    "eve: altered",
    "ana: altered",
    "bo: altered",
    "bo: altered",
    "bo: altered",
  ]);
  await leave(setup, visit, running);
});

Deno.test("Session shows nothing of a letter that is altered, wherever that is, and says so each time", async () => {
  await using setup = new Setup();
  const [visit, running] = await enter(setup, true);
  const right = await letter(1, BO);
  const bytes = fromBase64url(right.data);
  let id = 1;
  for (let place = 0; place < bytes.length; place += 7) {
    const altered = bytes.slice();
    altered[place] = (altered[place] ?? 0) ^ 0x10;
    await visit.tell({ ...right, id: id++, data: toBase64url(altered) });
    await until(visit, "got", CARDS);
  }
  assertEquals(shown(setup), []);
  assertEquals(unread(setup).length, id - 1);
  await leave(setup, visit, running);
});

Deno.test("Session shows no letter of more than eight days ago or more than a day ahead, and says why", async () => {
  await using setup = new Setup();
  const [visit, running] = await enter(setup, true);
  const now = Date.now();
  const times = [-9 * DAY, -8 * DAY - 60_000, -8 * DAY + 60_000, 0].concat([
    DAY - 60_000,
    DAY + 60_000,
    4_000 * DAY,
  ]);
  for (const [id, offset] of times.entries()) {
    await visit.tell(await letter(id, BO, { time: now + offset }));
  }
  while (
    (await until(visit, "got", CARDS)).id < times.length - 1
  ) { /* the last comes */ }
  assertEquals(shown(setup), [2, 3, 4].map((id) => `bo to ana: letter ${id}`));
  assertEquals(unread(setup), ["bo: old", "bo: old", "bo: early", "bo: early"]);
  await leave(setup, visit, running);
});

Deno.test("Session shows no letter whose sender's card is swapped, unsigned or withheld", async () => {
  const unsigned = BO.card.slice();
  unsigned[1_300] = (unsigned[1_300] ?? 0) ^ 1;
  const looks: ((id: number) => Event)[] = [
    (id) => cardEvent(id, EVE, "bo"),
    (id) => ({ ...cardEvent(id, BO, "bo"), card: toBase64url(unsigned) }),
    (id) => ({ kind: "nobody", id }),
  ];
  for (const [at, answer] of looks.entries()) {
    await using setup = new Setup();
    const [visit, running] = await enter(setup);
    await visit.tell(await letter(at, BO));
    const { id, who } = await visit.next("look");
    assertEquals(who, personOf(BO));
    await visit.tell(answer(id));
    await visit.next("got");
    assertEquals(shown(setup), []);
    assertEquals(unread(setup), [`${spoken(BO)}: unknown`]);
    await leave(setup, visit, running);
  }
});

Deno.test("Session doesn't show a letter under a name that was another's as far as it knows, whatever the server says", async () => {
  const known = await Known.load(undefined, () => {});
  await using setup = new Setup({ known });
  const [visit, running] = await enter(setup, true);
  await visit.tell(await letter(1, EVE, { text: "I am bo" }));
  await until(visit, "got", { [personOf(EVE)]: [EVE, "bo"] });
  assertEquals(shown(setup), [`${spoken(EVE)} to ana: I am bo`]);
  assertEquals(known.find("bo")?.id, idOf(BO));
  await leave(setup, visit, running);
});

Deno.test("Session doesn't show what it has seen, after a lost connection and in a later run, however the server repeats it", async () => {
  await using folder = await Folder.make();
  const path = folder.file("private");
  const first = await letter(11, BO, { text: "first" });
  const second = await letter(12, BO, { text: "second" });
  for (const run of [0, 1]) {
    using seen = SeenFile.load(path, (text) => assert(false, text));
    await using setup = new Setup({ seen });
    const [visit, running] = await enter(setup);
    assertEquals(await visit.next("collect"), { kind: "collect", after: 0 });
    await visit.tell(first);
    await until(visit, "got", CARDS);
    visit.end();
    const again = await setup.acceptAgain();
    await again.next("join");
    await again.admit(2);
    // It has dealt with that one, and says so; this server tells it again all the same.
    assertEquals(await again.next("collect"), { kind: "collect", after: 11 });
    await again.tell(first, second);
    await until(again, "got", CARDS);
    const texts = setup.view.of("private").map(({ text }) => text);
    assertEquals(texts, run === 0 ? ["first", "second"] : []);
    await leave(setup, again, running);
  }
});

Deno.test("Session takes what came when the connection broke from the next one, and shows it once", async () => {
  await using setup = new Setup();
  const [visit, running] = await enter(setup);
  const sent = await letter(4, BO, { text: "in the middle" });
  await visit.next("collect");
  await visit.tell(sent);
  await visit.next("look"); // it was opening it
  visit.end();
  const again = await setup.acceptAgain();
  await again.next("join");
  await again.admit(2);
  assertEquals(await again.next("collect"), { kind: "collect", after: null });
  await again.tell(sent);
  await until(again, "got", CARDS);
  assertEquals(shown(setup), ["bo to ana: in the middle"]);
  await leave(setup, again, running);
});

Deno.test("letters of one's own that were being opened when the connection broke are shown by the next one", async () => {
  const view = new TestView();
  const mail = new PrivateMessages({
    view,
    seen: new SeenHere(),
    stay: newStay(),
    identity: () => CLIENT,
    name: () => "ana",
    changed: () => {},
  });
  const link = { serverKey: room, present: [] };
  const { own } = await sealPrivate(CLIENT, readCard(BO.card), room, {
    stay: newStay(),
    n: 1,
    time: Date.now(),
    text: "from another machine",
  });
  const data = toBase64url(own);
  const copy: Event<"letter"> = {
    kind: "letter",
    id: 1,
    from: CLIENT_ID,
    data,
  };
  mail.joined(openMailRoom(link, () => {}));
  mail.heard(copy);
  mail.parted();
  mail.joined(openMailRoom(link, (request) => {
    if (request.kind === "look") mail.heard(cardEvent(request.id, BO, "bo"));
  }));
  mail.heard(copy);
  assertEquals((await view.until("private")).to.name, "bo");
});

// ── What it sends ──────────────────────────────────────────────────────────────────────────────────────────

/** What a message says to its recipient, and the copy to its sender. */
async function opened(
  { data, own }: Event<"private">,
  to: Identity = BO,
): Promise<[PrivateMessage, PrivateMessage]> {
  const card = readCard(CLIENT.card);
  return await Promise.all([
    openPrivate(to, card, room, fromBase64url(data)),
    openPrivate(CLIENT, card, room, fromBase64url(own)),
  ]);
}

Deno.test("Session seals a message to who is here, and shows it once the server says what became of it", async () => {
  await using setup = new Setup();
  const [visit, running] = await enter(setup, true);
  await setup.session.write("BO", "at six", 7);
  await setup.session.write("bo", "or seven");
  assertEquals(setup.view.standing?.waiting, 2);
  const first = await until(visit, "private", CARDS);
  const second = await until(visit, "private", CARDS);
  assertEquals([first.n, second.n], [1, 2]);
  assertEquals(first.to, idOf(BO));
  const [message, copy] = await opened(first);
  assertEquals([message.text, message.n, message.to], ["at six", 1, idOf(BO)]);
  assertEquals(copy, message);
  assertEquals(shown(setup), []);
  await visit.tell(
    { kind: "privately", n: 1, state: "delivered" },
    { kind: "privately", n: 2, state: "waiting" },
    { kind: "privately", n: 2, state: "waiting" }, // once is enough
    { kind: "privately", n: 9, state: "waiting" },
  );
  const news = await setup.view.until("private", 1);
  assertEquals(shown(setup), [
    "ana to bo: at six (delivered)",
    "ana to bo: or seven (waiting)",
  ]);
  assertEquals([setup.view.of("private")[0]?.id, news.id], [7, undefined]);
  assertEquals(setup.view.standing?.waiting, 0);
  await leave(setup, visit, running);
  assertEquals(setup.session.conversation.failedAny, false);
});

/** What is refused before anything is sent. */
async function refusals(
  write: readonly (readonly [string, string])[],
  options: {
    readonly isHere?: boolean;
    readonly cards?: Parameters<typeof until>[2];
    readonly session?: Partial<SessionOptions>;
  } = {},
): Promise<string[]> {
  const { isHere = false, cards = CARDS, session = {} } = options;
  await using setup = new Setup(session);
  const [visit, running] = await enter(setup, isHere);
  for (const [to, text] of write) await setup.session.write(to, text);
  await setup.session.say("and now to all");
  const answering = until(visit, "say", cards);
  await setup.view.until("refused", write.length - 1);
  await answering;
  await leave(setup, visit, running);
  assertEquals(setup.session.conversation.failedAny, true);
  return setup.view.of("refused").map(({ text, reason, detail }) =>
    `${text}: ${reason}${detail === "" ? "" : ` (${detail})`}`
  );
}

Deno.test("Session sends no message to oneself, without words or too long", async () => {
  const long = "x".repeat(4_097);
  assertEquals(
    await refusals([
      ["ana", "hello"],
      ["ANA", "hello"],
      [CLIENT_PERSON, "hello"],
      [spokenId(CLIENT_PERSON), "hello"],
      ["bo", " \u200b"],
      ["bo", long],
    ], { isHere: true }),
    [
      "/msg ana hello: private-self",
      "/msg ANA hello: private-self",
      `/msg ${CLIENT_PERSON} hello: private-self`,
      `/msg ${spokenId(CLIENT_PERSON)} hello: private-self`,
      "/msg bo  \u200b: text-empty",
      `/msg bo ${long}: text-too-long`,
    ],
  );
});

Deno.test("Session sends no message to nobody, and none under a card that isn't that person's", async () => {
  const here = { isHere: true };
  assertEquals(await refusals([["kim", "hello"]]), [
    "/msg kim hello: nobody-known",
  ]);
  const swapped = { [personOf(BO)]: [EVE, "bo"] } as const;
  assertEquals(await refusals([["bo", "hello"]], { ...here, cards: swapped }), [
    "/msg bo hello: keys-wrong",
  ]);
  const byId = await refusals([[personOf(BO), "hello"]], { cards: swapped });
  assertEquals(byId, [`/msg ${personOf(BO)} hello: keys-wrong`]);
  const own = { cards: { old: [CLIENT, "ana"] } } as const;
  assertEquals(await refusals([["old", "hello"]], own), [
    "/msg old hello: private-self",
  ]);
});

Deno.test("Session sends no message to a name that was somebody else's, until it is told whom by the id", async () => {
  const known = await Known.load(undefined, () => {});
  known.entered(room, "chat.example:5000");
  known.met({ name: "bo", id: madeUpId("the bo of before") });
  const before = spokenId(shortId(madeUpId("the bo of before")));
  assertEquals(await refusals([["bo", "hello"]], { session: { known } }), [
    `/msg bo hello: person-changed (it is ${
      spoken(BO)
    } now, and you knew ${before}. To write to either, give the id in place of the name)`,
  ]);
  await using setup = new Setup({ known });
  const [visit, running] = await enter(setup);
  await setup.session.write(personOf(BO), "hello");
  const sent = await until(visit, "private", CARDS);
  assertEquals((await opened(sent))[0].text, "hello");
  await visit.tell({ kind: "privately", n: 1, state: "waiting" });
  await setup.view.until("private");
  assertEquals(shown(setup), [`ana to ${spoken(BO)}: hello (waiting)`]);
  await leave(setup, visit, running);
});

Deno.test("Session remembers the id of somebody whom it wrote to by a new name", async () => {
  const known = await Known.load(undefined, () => {});
  await using setup = new Setup({ known });
  const [visit, running] = await enter(setup);
  await setup.session.write("bo", "hello");
  await until(visit, "private", CARDS);
  assertEquals(known.find("bo")?.id, idOf(BO));
  await leave(setup, visit, running);
});

Deno.test("Session says why a message was not taken", async () => {
  await using setup = new Setup();
  const [visit, running] = await enter(setup, true);
  await setup.session.write("bo", "hello", 3);
  await until(visit, "private", CARDS);
  await visit.tell({ kind: "privately", n: 1, state: "mailbox-full" });
  const { text, reason, id } = await setup.view.until("refused");
  assertEquals([text, reason, id], ["/msg bo hello", "mailbox-full", 3]);
  assertEquals(shown(setup), []);
  await leave(setup, visit, running);
});

Deno.test("Session sends what had no answer again, byte for byte and in order, and what was written while it was away", async () => {
  await using setup = new Setup();
  const [visit, running] = await enter(setup, true);
  await setup.session.write("bo", "first");
  await setup.session.write("bo", "second");
  const first = await until(visit, "private", CARDS);
  const second = await until(visit, "private", CARDS);
  await visit.tell({ kind: "privately", n: 1, state: "delivered" });
  await setup.view.until("private");
  visit.end();
  await setup.view.until("disconnected");
  await setup.session.write("bo", "third");
  assertEquals(setup.view.standing?.waiting, 2);
  const again = await setup.acceptAgain();
  await again.next("join");
  await again.admit(3);
  assertEquals(await until(again, "private", CARDS), second);
  const third = await until(again, "private", CARDS);
  assertEquals([first.n, third.n], [1, 3]);
  assertEquals((await opened(third))[0].text, "third");
  await again.tell(
    { kind: "privately", n: 2, state: "delivered" },
    { kind: "privately", n: 3, state: "delivered" },
  );
  await setup.session.conversation.settled();
  assertEquals(shown(setup).length, 3);
  await leave(setup, again, running);
});

Deno.test("Session sends a message whose recipient it looked up when the connection broke over the next one", async () => {
  const known = await Known.load(undefined, () => {});
  known.entered(room, "chat.example:5000");
  known.met({ name: "bo", id: idOf(BO) }); // so that it looks by the id, too
  await using setup = new Setup({ known });
  const [visit, running] = await enter(setup);
  await setup.session.write("bo", "hello");
  await visit.next("look");
  visit.end();
  const again = await setup.acceptAgain();
  await again.next("join");
  await again.admit(2);
  const sent = await until(again, "private", CARDS);
  assertEquals((await opened(sent))[0].text, "hello");
  await leave(setup, again, running);
});

Deno.test("Session shows which messages may be lost when it ends without an answer", async () => {
  await using setup = new Setup();
  const [visit, running] = await enter(setup, true);
  await setup.session.write("bo", "hello");
  await until(visit, "private", CARDS);
  visit.end();
  await setup.view.until("disconnected");
  setup.session.leave();
  await running;
  setup.session.conversation.showLost();
  assertEquals(setup.view.of("lost").map(({ text }) => text), [
    "/msg bo hello",
  ]);
  assertEquals(setup.session.conversation.failedAny, true);
});

Deno.test("Session shows no copy of what it sent itself, in this run or a later one", async () => {
  await using folder = await Folder.make();
  const path = folder.file("private");
  let copy: Event<"letter"> | undefined;
  for (const _ of [0, 1]) {
    using seen = SeenFile.load(path, (text) => assert(false, text));
    await using setup = new Setup({ seen });
    const [visit, running] = await enter(setup, true);
    if (!copy) {
      await setup.session.write("bo", "hello");
      const { own } = await until(visit, "private", CARDS);
      await visit.tell({ kind: "privately", n: 1, state: "delivered" });
      copy = { kind: "letter", id: 5, from: CLIENT_ID, data: own };
    }
    await visit.tell(copy);
    await until(visit, "got", CARDS);
    const states = setup.view.of("private").map(({ state }) => state);
    assertEquals(states.filter((it) => it === undefined), []);
    await leave(setup, visit, running);
  }
});

Deno.test("Session shows in a later run what one before sent that was ended before the server had answered", async () => {
  await using folder = await Folder.make();
  const path = folder.file("private");
  let copy: Event<"letter"> | undefined;
  for (const run of [0, 1, 2]) {
    using seen = SeenFile.load(path, (text) => assert(false, text));
    await using setup = new Setup({ seen });
    const [visit, running] = await enter(setup, true);
    if (!copy) {
      await setup.session.write("bo", "did it go?");
      const { own } = await until(visit, "private", CARDS);
      copy = { kind: "letter", id: 5, from: CLIENT_ID, data: own };
    }
    await visit.tell(copy);
    await until(visit, "got", CARDS);
    assertEquals(shown(setup), run === 1 ? ["ana to bo: did it go?"] : []);
    await leave(setup, visit, running);
  }
});
