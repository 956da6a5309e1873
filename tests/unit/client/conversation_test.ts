/**
 * A client's part in the room, over connections that the test leads into it: what it asks for, what it makes of what it
 * hears, and what it shows.
 *
 * @module
 */

import { randomBytes, toBase64url } from "../../../crypto_utils.ts";
import {
  Conversation,
  type ConversationOptions,
} from "../../../src/client/conversation.ts";
import type {
  Past,
  RoomLink,
  SealedRequest,
  ServerRequest,
} from "../../../src/client/link.ts";
import { Known } from "../../../src/client/known.ts";
import type {
  News,
  Present,
  RequestId,
  Standing,
  View,
} from "../../../src/client/view.ts";
import { agreement, chainEvent } from "../../../src/protocol/chain.ts";
import type { HeardLine } from "../../../src/protocol/changes.ts";
import type { Event } from "../../../src/protocol/events.ts";
import { formatOffer } from "../../../src/protocol/offer.ts";
import type { Line } from "../../../src/protocol/line.ts";
import { assertEquals, assertMatch } from "../../kit/assert.ts";
import { numbered, said, valueFor } from "../../kit/log_kit.ts";
import { madeUpId, madeUpPerson, madeUpStay } from "../../kit/people.ts";
import type { NewsOf } from "../../kit/session_setup.ts";

const KEY = randomBytes(32);
const ADDRESS = "a.example:1";
const SELF = {
  id: madeUpId("ana"),
  person: madeUpPerson("ana"),
  card: "",
  stay: madeUpStay("ana"),
};

function present(name: string, more: Partial<Present> = {}): Present {
  const [id, person] = [madeUpId(name), madeUpPerson(name)];
  const times = { since: 0, active: 0, away: "" };
  return { id, person, name, connections: 1, ...times, ...more };
}

/** A line as it is heard. */
function heard(
  seq: number,
  name: string,
  text: string,
  more: Partial<HeardLine> = {},
): HeardLine {
  const who = { name, person: madeUpPerson(name), stay: madeUpStay(name) };
  return {
    seq,
    at: 500,
    n: seq,
    what: "said",
    to: null,
    text,
    ...who,
    ...more,
  };
}

/** A connection that leads into the room. */
class TestLink implements RoomLink {
  readonly serverKey = KEY;
  present = [present("ana"), present("ben")];
  readonly asked: (ServerRequest | SealedRequest)[] = [];
  readonly said: Line[] = [];
  readonly joined: unknown[] = [];
  isClosed = false;

  get count(): number {
    return this.present.length;
  }

  join(name: string, n: number, after: number | null): Promise<undefined> {
    this.joined.push([name, n, after]);
    return Promise.resolve(undefined);
  }

  say(lines: readonly Line[]): Promise<void> {
    this.said.push(...lines);
    return Promise.resolve();
  }

  ask(...requests: readonly (ServerRequest | SealedRequest)[]): Promise<void> {
    this.asked.push(...requests.filter(({ kind }) => kind !== "agree"));
    return Promise.resolve();
  }

  close(): void {
    this.isClosed = true;
  }
}

/** What is shown, kept: news, and notes with what they are about. */
class Shown implements View {
  readonly news: News[] = [];
  readonly #notes: (readonly [text: string, id: RequestId | undefined])[] = [];
  standing: Standing | undefined;

  show(news: News): void {
    this.news.push(news);
  }

  stand(standing: Standing): void {
    this.standing = standing;
  }

  note(text: string, id?: RequestId): void {
    this.#notes.push([text, id]);
  }

  ask(): Promise<null> {
    return Promise.resolve(null);
  }

  /** The notes since the last call. */
  get notes(): (readonly [text: string, id: RequestId | undefined])[] {
    return this.#notes.splice(0);
  }

  /** The texts of these. */
  get texts(): string[] {
    return this.notes.map(([text]) => text);
  }

  /** The news of a type since the last call, without those of others. */
  take<T extends News["type"]>(type: T): NewsOf<T>[] {
    const all = this.news.splice(0);
    return all.filter((it) => it.type === type) as NewsOf<T>[];
  }
}

const FILE = { name: "x", size: 1, digest: "0".repeat(64) };
const NO_PAST: Past = { start: undefined, lines: [] };

/** A client that isn't in yet. */
class Talk {
  readonly view: Shown & Partial<View> = new Shown();
  readonly conversation: Conversation;

  constructor(options: Partial<ConversationOptions> = {}) {
    const main = { address: ADDRESS, view: this.view, ...options };
    this.conversation = new Conversation(main, SELF, "ana");
  }

  /** Leads into the room, by a name, behind so many lines. */
  enter(
    link = new TestLink(),
    missed: readonly HeardLine[] = [],
    welcome: Partial<Event<"welcome">> = {},
    joining: number | null = null,
    past = NO_PAST,
  ): TestLink {
    const { seq = 0 } = missed.at(-1) ?? {};
    const whole = {
      kind: "welcome",
      id: 1,
      at: 900,
      name: "ana",
      seq,
    } as const;
    this.conversation.entered(
      link,
      { ...whole, ...welcome },
      missed,
      joining,
      past,
    );
    return link;
  }

  /** Hears lines. */
  hear(...lines: readonly HeardLine[]): void {
    for (const line of lines) {
      this.conversation.happened(line, line.person === SELF.person);
    }
  }
}

/** Lets everything happen that waits for nothing else. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

/** As a line of this client's comes back. */
const mine = (seq: number, n: number, text: string, more = {}) =>
  heard(seq, "ana", text, { n, ...more });

// ── Where it stands ────────────────────────────────────────────────────────────────────────────────────

Deno.test("Conversation tells the view where the client stands, whenever that changes", async () => {
  const talk = new Talk();
  const { view, conversation } = talk;
  conversation.stand();
  const out = { name: "ana", connected: false, members: 0, waiting: 0 };
  assertEquals(view.standing, out);
  await conversation.say({ to: null, text: "one" });
  assertEquals([view.standing?.waiting, conversation.waiting], [1, 1]);
  conversation.rename("anna");
  assertEquals(view.standing?.name, "anna");
  talk.enter(new TestLink(), [], { name: "anna" });
  const inside = { name: "anna", connected: true, members: 2, waiting: 1 };
  assertEquals(view.standing, inside);
  conversation.happened(mine(1, 1, "one"), true);
  assertEquals(view.standing, { ...inside, waiting: 0 });
  conversation.sealed();
  assertEquals(view.standing, { ...inside, waiting: 0, sealed: true });
  conversation.doubt(5);
  assertEquals(view.standing?.differs, true);
  assertEquals(view.take("history-differs"), [
    { type: "history-differs", from: 5, exact: false },
  ]);
  assertEquals(conversation.disconnected(), true);
  assertEquals(view.standing?.connected, false);
  assertEquals(conversation.disconnected(), false);
  assertEquals(conversation.present, []);
});

Deno.test("Conversation has the keepers of a sealed room alone, and while it is connected", () => {
  const talk = new Talk();
  const { conversation } = talk;
  const keepers = [present("ben")];
  talk.enter(Object.assign(new TestLink(), { keepers }));
  assertEquals([conversation.isSealed, conversation.keepers], [
    false,
    undefined,
  ]);
  conversation.sealed();
  assertEquals([conversation.isSealed, conversation.keepers], [true, keepers]);
  conversation.disconnected();
  assertEquals(conversation.keepers, []);
});

// ── Coming in ──────────────────────────────────────────────────────────────────────────────────────────

Deno.test("Conversation asks to be let in by its name, behind what it has said and seen", async () => {
  const talk = new Talk();
  const { conversation, view } = talk;
  const link = new TestLink();
  await conversation.join(link);
  for (const text of ["one", "two"]) {
    await conversation.say({ to: null, text });
  }
  await conversation.join(link);
  assertEquals(conversation.hasBegun, false);
  talk.enter(link, [heard(4, "ben", "x")]);
  talk.hear(mine(5, 1, "one"));
  talk.hear(heard(3, "ben", "opened late"));
  conversation.disconnected();
  await conversation.join(link);
  assertEquals(link.joined, [["ana", 0, null], ["ana", 0, null], [
    "ana",
    1,
    5,
  ]]);
  assertEquals(conversation.hasBegun, true);
  assertEquals(view.texts, []);
});

Deno.test("Conversation says how it came in: by which server, to how many, behind how many lines of others", () => {
  const named: string[] = [];
  let proven = 0;
  const talk = new Talk({
    named: (name) => named.push(name),
    proven: () => void proven++,
  });
  const { conversation, view } = talk;
  const joined = heard(3, "ben", "", { what: "joined" });
  talk.enter(
    new TestLink(),
    [heard(1, "ben", "a"), heard(2, "ana", "b"), joined, heard(9, "ben", "c")],
    {},
    8,
  );
  const [first, ...rest] = view.news.splice(0);
  assertEquals(first, {
    type: "entered",
    address: ADDRESS,
    name: "ana",
    others: 1,
    seq: 8,
    at: 900,
    person: SELF.person,
    earlier: 3,
    again: false,
    waiting: 0,
  });
  assertEquals(rest.map(({ type }) => type), [
    ...["said", "said", "joined", "said", "current"],
  ]);
  assertEquals([named, proven], [["ana"], 1]);
  conversation.disconnected();
  conversation.address = "b.example:2";
  talk.enter(new TestLink(), [
    heard(9, "ana", "c"),
    heard(10, "ana", "d"),
    heard(11, "ben", "e"),
  ], {
    name: "anna",
    seq: 12,
  });
  const [again] = view.take("entered");
  assertEquals(
    [again?.seq, again?.earlier, again?.again, again?.moved, again?.address],
    [12, 1, true, true, "b.example:2"],
  );
  assertEquals([named, proven, conversation.name], [
    ["ana", "anna"],
    2,
    "anna",
  ]);
  conversation.disconnected();
  talk.enter();
  assertEquals(view.take("entered")[0]?.moved, undefined);
});

Deno.test("Conversation shows the last lines of the past at first, as many as it is told to, among which so many were said", async () => {
  const joined = heard(2, "cem", "", { what: "joined" });
  const past = [
    heard(1, "ben", "a"),
    joined,
    heard(3, "ben", "b"),
    heard(5, "ben", "c"),
  ];
  const cases: [history: number | undefined, shown: number[]][] = [
    [undefined, [1, 2, 3, 5]],
    [0, [5]], // which came after its joining
    [1, [3, 5]],
    [2, [1, 2, 3, 5]],
    [9, [1, 2, 3, 5]],
  ];
  for (const [history, shown] of cases) {
    const talk = new Talk(history === undefined ? {} : { history });
    const { view, conversation } = talk;
    const link = talk.enter(new TestLink(), past, {}, 4);
    const lines = view.news.flatMap((it) =>
      "seq" in it && "past" in it ? [it] : []
    );
    assertEquals(lines.map(({ seq }) => seq), shown);
    assertEquals(lines.every((it) => it.past), true);
    // What isn't shown can be answered, and what is no line of somebody's can't.
    await conversation.say({ what: "replied", to: 1, text: "yes" });
    await conversation.say({ what: "replied", to: 4, text: "to its joining" });
    assertEquals(link.said.map(({ to }) => to), [1]);
    assertEquals(view.take("refused").map(({ reason }) => reason), [
      "reply-unknown",
    ]);
  }
  // Where all that was said is shown, so is what came before it.
  const talk = new Talk({ history: 1 });
  talk.enter(new TestLink(), [{ ...joined, seq: 1 }, heard(2, "ben", "a")]);
  assertEquals(talk.view.news.map(({ type }) => type), [
    ...["entered", "joined", "said", "current"],
  ]);
});

Deno.test("Conversation asks for the name that it wanted where it comes in by another, and the first time only in a sealed room", () => {
  for (const isSealed of [false, true]) {
    const talk = new Talk();
    const { conversation } = talk;
    if (isSealed) conversation.sealed();
    const first = talk.enter(new TestLink(), [], { name: "ana1" });
    const renames = (link: TestLink) =>
      link.asked.flatMap((it) => it.kind === "rename" ? [it.name] : []);
    assertEquals(renames(first), isSealed ? ["ana"] : []);
    conversation.disconnected();
    conversation.rename("anna");
    const second = talk.enter(new TestLink(), [], { name: "ana1" });
    assertEquals(renames(second), ["anna"]);
    conversation.disconnected();
    const third = talk.enter(new TestLink(), [], { name: "anna" });
    assertEquals([renames(third), conversation.name], [[], "anna"]);
  }
  // By another connection of the same person, whose name it is.
  const talk = new Talk();
  talk.conversation.sealed();
  const link = new TestLink();
  link.present = [present("ana", { connections: 2 })];
  talk.enter(link, [], { name: "ana1" });
  assertEquals(link.asked.filter(({ kind }) => kind === "rename"), []);
});

Deno.test("Conversation comes back by the name that it had where another, that it asked for meanwhile, is refused", () => {
  const talk = new Talk();
  const { conversation, view } = talk;
  const refused = { reason: "name-taken", detail: "Anna" };
  assertEquals(conversation.keepName(refused), false);
  talk.enter();
  conversation.disconnected();
  assertEquals(conversation.keepName(refused), false);
  conversation.rename("anna");
  assertEquals(conversation.keepName(refused), true);
  assertEquals([conversation.name, view.standing?.name], ["ana", "ana"]);
  assertEquals(view.take("refused"), [
    { type: "refused", text: "anna", ...refused, id: undefined },
  ]);
});

Deno.test("Conversation remembers where it was, whom it met and when, and says so after more than a week", async () => {
  const notes: string[] = [];
  const known = await Known.load(undefined, (text) => notes.push(text));
  const talk = new Talk({ known, others: ["b.example:2"] });
  const { view, conversation } = talk;
  const week = 7 * 86_400_000;
  known.entered(KEY, ADDRESS);
  known.isHere(Date.now() - week - 7_200_000);
  talk.enter();
  const absence =
    "This machine was last here 7 days ago. Private messages wait for 7 days: older ones did not come to it";
  assertEquals(view.texts, [absence]);
  assertEquals(known.roomAt("b.example:2")?.addresses, [
    ADDRESS,
    "b.example:2",
  ]);
  assertEquals(known.find("ben")?.id, madeUpId("ben"));
  assertEquals(known.find("ana"), undefined); // oneself
  const cem = present("cem");
  conversation.happened(
    heard(1, "cem", "", { what: "joined" }),
    false,
    cem,
  );
  conversation.happened(heard(2, "dan", "hi"), false, present("dan"));
  assertEquals([known.find("cem")?.id, known.find("dan")], [cem.id, undefined]);
  conversation.disconnected();
  const lines = numbered([said(0), said(1), said(2)]);
  const start = chainEvent(1, valueFor(lines, 1));
  const past = { start, lines: lines.slice(2) };
  talk.enter(new TestLink(), [], { seq: 3 }, null, past);
  assertEquals(view.texts, [
    "WARNING: the server does not show line 2: something else is in its log there, or it hides it. /agree tells whether others see the same",
  ]);
  await turns();
  assertEquals([known.seen?.seq, notes], [3, []]);
});

// ── What it asks for ───────────────────────────────────────────────────────────────────────────────────

Deno.test("Conversation says why it can't ask, by what the request is called", () => {
  const talk = new Talk();
  const { conversation, view } = talk;
  conversation.rename("ana", 1);
  conversation.release(2);
  conversation.operate("kick", "eve", "", 0, 3);
  conversation.operate("kick", "x".repeat(257), "", 0, 3);
  conversation.operate("topic", "", "x".repeat(4_097), 0, 3);
  conversation.search("x".repeat(257), 1, 3);
  conversation.operate("keeper", "eve", "", 0, 4);
  conversation.away("", 5);
  conversation.accept(6);
  conversation.agree(undefined, 7);
  for (let count = 0; count < 16; count++) {
    conversation.search("x", 1, `${count}`);
  }
  assertEquals(view.notes, [
    ['You go by "ana" already', 1],
    ["Not connected", 2],
    ["Not connected", 3],
    ["Cannot find anybody of that name: it has more than 256 characters", 3],
    ["Cannot send that topic: it has more than 4096 characters", 3],
    ["Cannot search for that: it has more than 256 characters", 3],
    ["Only a sealed room has keepers; here it is /op", 4],
    ["You are not away", 5],
    ["There is nothing to accept", 6],
    [
      "Cannot compare the history up to line 0: the server has not told where it begins",
      7,
    ],
    ...Array.from(
      { length: 16 },
      () => ["Not connected; will be asked on reconnect", undefined] as const,
    ),
  ]);
  conversation.search("x", 1, 8);
  conversation.away("x".repeat(257), 9);
  assertEquals(view.notes, [
    ["Cannot search: too many searches are open", 8],
    ["Cannot be away with that text: it has more than 256 characters", 9],
  ]);
  conversation.away("away", 10);
  conversation.away("away", 11);
  conversation.away("tea\x1b", 12);
  conversation.away("tea\x1b", 13);
  assertEquals(view.notes, [
    ["You are away already", 11],
    ["You are away already: tea\\u001b", 13],
  ]);
});

Deno.test("Conversation asks the server for what may be asked", () => {
  const talk = new Talk();
  const { conversation, view } = talk;
  conversation.sealed();
  const link = talk.enter();
  conversation.rename("anna");
  conversation.release();
  conversation.operate("keeper", "eve", "words", 2);
  conversation.away("  ");
  conversation.search("red", 5, undefined, 9);
  assertEquals(link.asked, [
    { kind: "rename", name: "anna" },
    { kind: "release", id: 1 },
    ...[{
      kind: "operate",
      id: 2,
      what: "keeper",
      who: "eve",
      text: "words",
      count: 2,
    }],
    { kind: "find", id: 1, words: "red", before: 9, count: 5 },
  ] as ServerRequest[]);
  assertEquals(view.texts, ["You are not away"]);
  assertEquals(conversation.name, "ana");
});

Deno.test("Conversation tells the server of a sealed room neither why somebody is away nor last words", () => {
  const talk = new Talk();
  const { conversation, view } = talk;
  conversation.sealed();
  const link = talk.enter();
  const hidden =
    "The others see that you are away, not why: the server of a sealed room could read it";
  conversation.away("lunch", 1);
  assertEquals(view.notes, [[hidden, 1]]);
  conversation.away("away", 2);
  assertEquals(view.notes, [["You are away already", 2]]);
  assertEquals(link.asked, [{ kind: "away", text: "away" }]);
  assertEquals(conversation.lastWords("bye"), "");
  assertEquals(view.texts, [
    "Last words are not sent in a sealed room: its server could read them",
  ]);
  const open = new Talk();
  assertEquals(open.conversation.lastWords("bye"), "bye");
  assertEquals(open.conversation.lastWords("x".repeat(256))?.length, 256);
  assertEquals(open.conversation.lastWords("x".repeat(257)), null);
});

Deno.test("Conversation is away as another client of the person is, until that is back", () => {
  const talk = new Talk();
  const { conversation, view } = talk;
  const link = new TestLink();
  link.present = [present("ana", { away: "lunch" })];
  talk.enter(link);
  conversation.away("lunch");
  assertEquals([view.texts, link.asked], [["You are away already: lunch"], []]);
  conversation.absent(present("ben"), "tea", false);
  conversation.absent(present("ana"), "", true);
  assertEquals(
    view.take("away-message").map(({ name, text, own }) => [name, text, own]),
    [
      ["ben", "tea", false],
      ["ana", "", true],
    ],
  );
  conversation.away("tea", 5);
  conversation.disconnected();
  link.asked.length = 0;
  talk.enter(link); // this client's own word counts
  assertEquals(link.asked, [{ kind: "away", text: "tea" }]);
  conversation.away("tea");
  assertEquals(view.texts, ["You are away already: tea"]);
});

Deno.test("Conversation.agree() shows what others compare, up to any line that it knows", () => {
  const talk = new Talk();
  const { conversation, view } = talk;
  const lines = numbered(Array.from({ length: 9 }, (_, at) => said(at)));
  const past = {
    start: chainEvent(3, valueFor(lines, 3)),
    lines: lines.slice(3),
  };
  talk.enter(new TestLink(), [], { seq: 9 }, null, past);
  view.news.length = 0;
  conversation.agree(undefined, 1);
  conversation.agree(5, 2);
  const digits = (seq: number) => agreement(valueFor(lines, seq));
  assertEquals(view.news, [
    { type: "agreement", upTo: 9, digits: digits(9), id: 1 },
    { type: "agreement", upTo: 5, digits: digits(5), id: 2 },
  ]);
  assertEquals(conversation.seen, { seq: 9, value: valueFor(lines, 9) });
  conversation.agree(2, 3);
  assertMatch(
    view.texts.join(),
    /^Cannot compare the history up to line 2: this client knows those from 3 to 9$/,
  );
  assertEquals(new Talk().conversation.seen, undefined);
});

Deno.test("Conversation.accept() takes the server's history, tells the link, and marks lines no more", () => {
  const talk = new Talk();
  const { conversation, view } = talk;
  const lines = numbered([said(0)]);
  let accepted = 0;
  const link = Object.assign(new TestLink(), {
    accepted: () => void accepted++,
  });
  const past = { start: chainEvent(1, valueFor(lines, 1)), lines: [] };
  talk.enter(link, [], { seq: 1 }, null, past);
  conversation.doubt(1);
  talk.hear(heard(2, "ben", "doubted"));
  assertEquals(view.take("said")[0]?.doubted, true);
  conversation.accept(7);
  assertEquals(accepted, 1);
  assertEquals(view.texts, [
    "Accepted: history is what the server has from now on",
  ]);
  assertEquals(view.take("done"), [{ type: "done", id: 7 }]);
  assertEquals(view.standing?.differs, undefined);
  talk.hear(heard(3, "ben", "sure"));
  assertEquals(view.take("said")[0]?.doubted, undefined);
  conversation.doubt(1);
  conversation.disconnected();
  conversation.accept();
  assertEquals(view.take("done"), []);
  talk.enter(new TestLink(), [], { seq: 1 }, null, past); // which has no use for that
  conversation.doubt(1);
  conversation.accept();
  assertEquals(view.take("done"), []);
});

// ── What it says ───────────────────────────────────────────────────────────────────────────────────────

Deno.test("Conversation doesn't say what the others would refuse about a line that it knows", async () => {
  const talk = new Talk();
  const { conversation, view } = talk;
  const link = talk.enter(new TestLink(), [
    heard(1, "ben", "bens"),
    heard(2, "ana", "own"),
    heard(3, "ana", "gone"),
    heard(4, "ana", "", { what: "deleted", to: 3 }),
    heard(5, "ana", "👍", { what: "reacted", to: 1 }),
  ]);
  const cases: [line: Omit<Line, "n">, reason: string | undefined][] = [
    [{ what: "replied", to: 1, text: "a" }, undefined],
    [{ what: "replied", to: 3, text: "a" }, undefined],
    [{ what: "replied", to: 4, text: "a" }, undefined], // told with line 3 alone
    [{ what: "replied", to: 99, text: "a" }, undefined], // the server may know it
    [{ what: "edited", to: 1, text: "a" }, "change-not-yours"],
    [{ what: "edited", to: 2, text: "a" }, undefined],
    [{ what: "edited", to: 3, text: "a" }, "message-deleted"],
    [{ what: "deleted", to: 2, text: "" }, undefined],
    [{ what: "reacted", to: 1, text: "👍" }, "reaction-same"],
    [{ what: "reacted", to: 1, text: "👎" }, undefined],
    [{ what: "reacted", to: 1, text: "" }, undefined],
    [{ what: "reacted", to: 2, text: "" }, "reaction-none"],
    [{ what: "reacted", to: 3, text: "👍" }, "message-deleted"],
  ];
  view.news.length = 0;
  for (const [line, reason] of cases) {
    const before = link.said.length;
    const n = await conversation.say(line, "r");
    await turns();
    const [refused] = view.take("refused");
    assertEquals([refused?.reason, n === null], [reason, reason !== undefined]);
    assertEquals(refused?.id, reason && "r");
    assertEquals(link.said.length - before, reason ? 0 : 1);
  }
  assertEquals(conversation.failedAny, true);
});

Deno.test("Conversation looks up in a sealed room what an old line is before it says something about it", async () => {
  const talk = new Talk();
  const { conversation, view } = talk;
  conversation.sealed();
  const old = new Map<number, HeardLine | "unreadable">([
    [1, heard(1, "ben", "bens")],
    [2, heard(2, "ana", "own")],
    [3, heard(3, "ben", "", { what: "joined" })],
    [4, heard(4, "ben", "x", { wrong: "altered" })],
    [5, heard(5, "ben", "", { what: "sealed" })],
    [6, "unreadable"],
  ]);
  const asked: number[] = [];
  const recall = (seq: number) => {
    asked.push(seq);
    return Promise.resolve(old.get(seq));
  };
  const link = Object.assign(new TestLink(), { recall });
  talk.enter(link, [heard(20, "ben", "new")]);
  view.news.length = 0;
  const say = async (what: "replied" | "edited", to: number) => {
    await conversation.say({ what, to, text: "a" });
    await turns();
    return view.take("refused")[0]?.reason;
  };
  const answers = [];
  for (const to of [1, 2, 3, 4, 5, 6, 7]) {
    answers.push([await say("replied", to), await say("edited", to)]);
  }
  const unknown = "reply-unknown";
  assertEquals(answers, [
    [undefined, "change-not-yours"],
    [undefined, undefined],
    [unknown, unknown],
    [unknown, unknown],
    [undefined, undefined],
    [undefined, undefined],
    [unknown, unknown],
  ]);
  assertEquals(asked, [1, 2, 3, 4, 5, 6, 7].flatMap((to) => [to, to]));
  assertEquals(await say("replied", 21), unknown); // ahead of all
  assertEquals(await say("replied", 20), undefined); // which it remembers
  assertEquals(asked.length, 14);
});

Deno.test("Conversation knows what its person can change, answer or edit, newest first", () => {
  const talk = new Talk();
  const { conversation } = talk;
  assertEquals(conversation.lastOwn, undefined);
  const offer = formatOffer(FILE);
  talk.enter(new TestLink(), [
    heard(1, "ben", "a"),
    heard(2, "ana", "b"),
    heard(3, "ana", offer, { what: "offered" }),
  ]);
  assertEquals(conversation.numbers("spoken"), [3, 2, 1]);
  assertEquals(conversation.numbers("own"), [3, 2]);
  assertEquals(conversation.lastOwn, 2);
});

Deno.test("Conversation says again what it is told to, and shows at its end what may be lost", async () => {
  const talk = new Talk();
  const { conversation, view } = talk;
  conversation.resend(); // which does nothing while it is away
  const link = talk.enter();
  await conversation.say({ to: null, text: "one" });
  await conversation.say({ what: "reacted", to: 5, text: "👍" });
  await turns();
  conversation.resend();
  await turns();
  assertEquals(link.said.map(({ text }) => text), ["one", "👍", "one", "👍"]);
  assertEquals(conversation.failedAny, false);
  conversation.showLost();
  assertEquals(view.take("lost"), [
    { type: "lost", text: "one" },
    { type: "lost", text: "/react 5 👍" },
  ]);
  assertEquals(conversation.failedAny, true);
});

Deno.test("Conversation.settled() waits for what was said, asked for and searched, and for nothing once the client leaves", async () => {
  for (const leaves of [false, true]) {
    const talk = new Talk();
    const { conversation } = talk;
    const idle = Promise.withResolvers<void>();
    let isSettled = false;
    const settled = conversation.settled().then(() => isSettled = true);
    const settles = async () => {
      await turns();
      return isSettled;
    };
    await conversation.say({ to: null, text: "one" });
    conversation.search("red", 1);
    assertEquals(await settles(), false);
    talk.enter(Object.assign(new TestLink(), { idle: () => idle.promise }));
    assertEquals(await settles(), false);
    if (leaves) conversation.leave();
    else talk.hear(mine(1, 1, "one"));
    assertEquals(await settles(), false);
    idle.resolve();
    assertEquals(await settles(), leaves);
    if (!leaves) conversation.found(1, [], false);
    await settled;
  }
});

// ── What it hears ──────────────────────────────────────────────────────────────────────────────────────

Deno.test("Conversation shows a line with what it answers, what was changed about it, and what request it was", async () => {
  const talk = new Talk();
  const { conversation, view } = talk;
  talk.enter(new TestLink(), [heard(1, "ben", "well?")]);
  view.news.length = 0;
  await conversation.say({ what: "replied", to: 1, text: "yes" }, "r");
  await conversation.say({ to: null, text: "more" }, "m");
  talk.hear(
    mine(2, 1, "yes", { what: "replied", to: 1 }),
    heard(3, "ana", "elsewhere", { n: 2, stay: madeUpStay("other") }),
    heard(4, "ben", "no", { what: "replied", to: 99, unchecked: true }),
    mine(5, 2, "more"),
    mine(6, 2, "left", { what: "left" }),
  );
  const shown = view.news.map((it) => it as NewsOf<"said">);
  assertEquals(
    shown.map(({ type, own, mine, id, past }) => [type, own, mine, id, past]),
    [
      ["replied", true, true, "r", false],
      ["said", true, undefined, undefined, false],
      ["replied", false, undefined, undefined, false],
      ["said", true, true, "m", false],
      ["left", true, true, undefined, false],
    ] as unknown[][],
  );
  const ben = { name: "ben", person: madeUpPerson("ben") };
  assertEquals(shown[0]?.quoted, { ...ben, text: "well?" });
  assertEquals([shown[1]?.quoted, shown[2]?.quoted], [undefined, undefined]);
  assertEquals(shown.map(({ unchecked }) => unchecked ?? false), [
    ...[false, false, true, false, false],
  ]);
  talk.hear(heard(7, "ben", "", { what: "ruled", told: "ben is a keeper" }));
  const [ruled] = view.take("ruled");
  assertEquals([ruled?.told, ruled?.changed], ["ben is a keeper", undefined]);
  assertEquals(conversation.waiting, 0);
});

Deno.test("Conversation goes by a name once it has it, by whatever client, and knows whose request that was", () => {
  const named: string[] = [];
  const talk = new Talk({ named: (name) => named.push(name) });
  const { conversation, view } = talk;
  const link = talk.enter();
  conversation.rename("anna", "r");
  const renamed = (text: string, more: Partial<HeardLine> = {}) =>
    heard(1, "ana", text, { what: "renamed", ...more });
  talk.hear(renamed("annie", { stay: madeUpStay("other") }));
  assertEquals(conversation.name, "annie");
  talk.hear(renamed("anna"));
  talk.hear(heard(2, "ben", "benny", { what: "renamed" }));
  assertEquals(view.take("renamed").map(({ id }) => id), [
    undefined,
    "r",
    undefined,
  ]);
  assertEquals([conversation.name, view.standing?.name], ["anna", "anna"]);
  assertEquals(named, ["ana", "annie", "anna"]);
  conversation.rename("eve", "e");
  conversation.refused(null, "name-taken", "Eve");
  assertEquals(view.take("refused"), [
    {
      type: "refused",
      text: "eve",
      reason: "name-taken",
      detail: "Eve",
      id: "e",
    },
  ]);
  conversation.rename("kim");
  conversation.disconnected(); // before there is an answer
  assertEquals([conversation.name, link.isClosed], ["kim", false]);
});

Deno.test("Conversation needs nobody who remembers names or deals with files and mail", async () => {
  const talk = new Talk();
  const { conversation, view } = talk;
  talk.enter(new TestLink(), [
    heard(1, "ben", "a", { what: "deleted", to: 9 }),
  ]);
  conversation.happened(
    heard(2, "ben", "", { what: "joined" }),
    false,
    present("ben"),
  );
  talk.hear(heard(3, "ana", "anna", { what: "renamed" }));
  talk.hear(
    heard(4, "ben", formatOffer(FILE), { what: "offered" }),
    heard(5, "ben", "", { what: "deleted", to: 4 }),
  );
  conversation.ticked();
  conversation.file({ kind: "limits", fileSize: 1 });
  conversation.mail({ kind: "nobody", id: 1 });
  await conversation.flush(0);
  conversation.disconnected();
  assertEquals([conversation.name, view.texts], ["anna", []]);
});

Deno.test("Conversation becomes somebody else before it has been in", () => {
  const { conversation, view } = new Talk();
  const carla = {
    id: madeUpId("carla"),
    person: madeUpPerson("carla"),
    card: "",
    stay: SELF.stay,
  };
  conversation.become(carla, "carla");
  assertEquals([conversation.name, view.standing?.name], ["carla", "carla"]);
  const line = heard(1, "carla", "x", { stay: SELF.stay });
  conversation.happened(line, true);
  assertEquals(view.take("said")[0]?.mine, true);
});

Deno.test("Conversation compares what it is told of the history: line by line, by values and by pages", async () => {
  const talk = new Talk();
  const { conversation, view } = talk;
  const lines = numbered(Array.from({ length: 9 }, (_, at) => said(at)));
  const from = (seq: number) => {
    return { start: chainEvent(seq, valueFor(lines, seq)), lines: [] };
  };
  conversation.foresee({ ...from(3), lines: lines.slice(3) });
  const seen = (seq: number) => ({ seq, value: valueFor(lines, seq) });
  assertEquals(conversation.seenDiffers(seen(8), 9), false);
  assertEquals(conversation.seenDiffers({ ...seen(8), seq: 7 }, 9), true);
  talk.enter(new TestLink(), [], { seq: 3 }, null, from(3));
  for (const line of lines.slice(3)) conversation.took(line);
  assertEquals(conversation.seen, seen(9));
  conversation.disconnected();
  const asked: Event<"agree">[] = [];
  const link = new TestLink();
  link.ask = (...requests) => {
    asked.push(...requests.flatMap((it) => it.kind === "agree" ? [it] : []));
    return Promise.resolve();
  };
  const silent = { start: chainEvent(9, undefined), lines: [] };
  talk.enter(link, [], { seq: 9 }, null, silent);
  await turns();
  assertEquals(asked.map(({ seq }) => seq), [9]);
  const [{ id = 0 } = {}] = asked;
  const value = toBase64url(new Uint8Array(32).fill(1));
  conversation.agreed({ kind: "agreed", id, seq: 9, value });
  for (let second = 0; second < 9; second++) {
    await turns();
    conversation.ticked();
    for (const { id, seq } of asked.splice(0)) {
      conversation.agreed({ kind: "agreed", id, seq, value });
    }
  }
  const page = conversation.page(9, 5);
  conversation.paged(2 ** 32, from(3), true);
  assertEquals(await page, { ...from(3), more: true });
  assertEquals(view.take("history-differs").at(-1)?.exact, false);
});

Deno.test("Conversation shows a line that is refused once, by what it is called", async () => {
  const talk = new Talk();
  const { conversation, view } = talk;
  talk.enter();
  await conversation.say({ what: "deleted", to: 5, text: "" }, "d");
  view.news.length = 0;
  for (let times = 0; times < 2; times++) {
    conversation.refused(1, "reply-unknown", "x");
  }
  assertEquals(view.news, [
    {
      type: "refused",
      text: "/delete 5",
      reason: "reply-unknown",
      detail: "x",
      id: "d",
    },
  ]);
  assertEquals(view.standing?.waiting, 0);
});

Deno.test("Conversation says what was found, with warnings in place of what doesn't fit, or that nothing can be", () => {
  const talk = new Talk();
  const { conversation, view } = talk;
  const link = talk.enter();
  view.news.length = 0;
  for (const id of ["a", "b", "c"]) conversation.search(id, 5, id);
  const wrong = heard(2, "eve", "red", { wrong: "altered" });
  const bens = heard(1, "ben", "red");
  const edited = heard(3, "ben", "blue", { what: "edited", to: 1 });
  conversation.found(1, [bens, wrong, edited], true, 1);
  const [found] = view.take("found");
  const eve = { name: "eve", person: madeUpPerson("eve") };
  assertEquals(found?.lines[1], {
    type: "warning",
    line: 2,
    ...eve,
    reason: "altered",
  });
  assertEquals([found?.words, found?.id, found?.more, found?.backTo], [
    "a",
    "a",
    true,
    1,
  ]);
  const [line] = found?.lines ?? [];
  assertEquals(
    line?.type === "said" && [line.text, line.past, line.changed?.edited],
    [
      "blue",
      true,
      true,
    ],
  );
  conversation.found(1, [], false);
  conversation.refused(null, "log-unreadable", "");
  conversation.unsearched(3);
  conversation.unsearched(3);
  assertEquals(view.take("found"), []);
  const unread = view.notes;
  assertEquals(unread.map(([, id]) => id), ["b", "c"]);
  assertEquals(unread[0]?.[0], unread[1]?.[0]);
  void conversation.page(9, 5);
  conversation.refused(null, "log-unreadable", ""); // a page, of which nobody is told
  assertEquals([view.notes, link.asked.at(-1)?.kind], [[], "page"]);
  // What was found can be answered, but for what doesn't fit.
  assertEquals(conversation.numbers("spoken"), [1]);
  conversation.search("none", 1);
  conversation.found(4, [], false);
  assertEquals("backTo" in (view.take("found")[0] ?? {}), false);
});

Deno.test("Conversation tells an operator what came of it, and when that is all", () => {
  const talk = new Talk();
  const { conversation, view } = talk;
  talk.enter();
  conversation.operate("invite", "", "", 1, "i");
  conversation.operate("kick", "eve", "", 0);
  view.news.length = 0;
  const secret = toBase64url(randomBytes(32));
  const made = { uses: 3, until: null, note: "for eve" };
  const refused = {
    kind: "refused",
    n: null,
    reason: "room-full",
    detail: "",
  } as const;
  conversation.answered(1, [
    { kind: "notice", text: "one" },
    { kind: "invited", address: "192.0.2.7:5000", id: 7, secret, ...made },
    refused,
  ]);
  conversation.answered(2, [{ kind: "notice", text: "out" }]);
  assertEquals(view.notes, [["one", "i"], ["The room is full", "i"], [
    "out",
    undefined,
  ]]);
  const [invited, done, ...more] = view.news.splice(0);
  assertEquals(invited?.type === "invited" && { ...invited, link: "" }, {
    type: "invited",
    link: "",
    ...made,
    id: "i",
  });
  assertEquals([done, more], [{ type: "done", id: "i" }, []]);
  conversation.address = "https://chat.example";
  conversation.answered(3, [
    { kind: "invited", address: "192.0.2.7:5000", id: 7, secret, ...made },
  ]);
  const [page] = view.take("invited");
  assertMatch(page?.link ?? "", /^chat:\/\/chat\.example:5000\/#/);
  assertMatch(page?.web ?? "", /^https:\/\/chat\.example\/#/);
  conversation.operate("kick", "eve", "", 0, "k");
  conversation.disconnected();
  conversation.answered(9, [
    { kind: "invited", address: "192.0.2.7:5000", id: 7, secret, ...made },
  ]);
  assertEquals(view.take("invited"), []); // which was of that connection
  assertEquals(view.notes, [[
    "Perhaps not done: the connection was lost",
    "k",
  ]]);
});

Deno.test("Conversation shows of the room's settings what is new, and what was told early once it is in", () => {
  const learned: string[] = [];
  const talk = new Talk({ learned: (list) => learned.push(list) });
  const { conversation, view } = talk;
  const greeted: string[] = [];
  view.greet = (text) => greeted.push(text);
  const room = (topic: string, slow: number) =>
    conversation.told({ kind: "room", topic, slow });
  assertEquals(conversation.topic, "");
  new Talk().conversation.told({ kind: "servers", list: "b:2" });
  conversation.told({ kind: "servers", list: "b:2" });
  conversation.told({ kind: "motd", text: "Hi\nyou\x1b" });
  room("Te\x1ba", 5);
  assertEquals([view.notes, greeted, learned], [[], [], ["b:2"]]);
  talk.enter();
  assertEquals([view.notes, greeted.splice(0)], [[], [
    "Topic: Te\\u001ba",
    "Slow mode: one message every 5 s",
    "Hi",
    "you\\u001b",
  ]]);
  assertEquals(conversation.topic, "Te\x1ba");
  room("Te\x1ba", 5);
  room("Te\x1ba", 0);
  room("", 0);
  room("", 9);
  conversation.told({ kind: "motd", text: "again" });
  assertEquals(view.texts, [
    "Slow mode is off",
    "No topic any more",
    "Slow mode: one message every 9 s",
  ]);
  assertEquals(greeted, ["again"]);
  conversation.disconnected();
  conversation.told({ kind: "motd", text: "of a connection that breaks" });
  conversation.disconnected();
  talk.enter();
  assertEquals([view.notes, greeted], [[], ["again"]]);
  conversation.slowed();
  assertEquals(view.texts, [
    "You are sending faster than the server accepts; sending more slowly",
  ]);
});

Deno.test("Conversation tells whether what is said waits at the server, to a view that shows it by that", () => {
  const held: boolean[] = [];
  const talk = new Talk();
  const { conversation, view } = talk;
  view.held = (is) => held.push(is);
  conversation.told({ kind: "waiting", is: true });
  talk.enter();
  conversation.told({ kind: "waiting", is: true });
  assertEquals(held, [true]);
  conversation.disconnected();
  conversation.told({ kind: "motd", text: "" }); // says nothing of that
  talk.enter();
  assertEquals(held, [true, false]);
});

Deno.test("Conversation tells what deals with files which are offered, by whom, and which no longer", () => {
  const told: unknown[] = [];
  const tell = (what: string) => (...rest: readonly unknown[]) =>
    void told.push([what, ...rest]);
  const talk = new Talk({
    files: {
      joined: ({ epoch }) => void told.push(["joined", epoch]),
      parted: tell("parted"),
      offered: (line, own) => void told.push(["offered", line.seq, own]),
      withdrawn: tell("withdrawn"),
      heard: tell("heard"),
    },
  });
  const { conversation } = talk;
  const text = formatOffer(FILE);
  const offer = (seq: number, name: string, more: Partial<HeardLine> = {}) =>
    heard(seq, name, text, { what: "offered", ...more });
  const drop = (seq: number, name: string, to: number) =>
    heard(seq, name, "", { what: "deleted", to });
  const link = new TestLink();
  talk.enter(
    Object.assign(link, {
      fileRoom: (ask: (event: Event<"fetch">) => void) => {
        ask({ kind: "fetch", id: 1, offer: 1, from: 0, size: 1 });
        return { epoch: 4 };
      },
    }) as unknown as TestLink,
    [
      offer(1, "ana"),
      offer(2, "ben"),
      drop(3, "ben", 2),
      offer(4, "ben", { wrong: "altered" }),
    ],
  );
  assertEquals(told.splice(0), [["offered", 1, true], ["joined", 4]]);
  assertEquals(link.asked.map(({ kind }) => kind), ["fetch"]);
  talk.hear(
    offer(5, "ben"),
    offer(6, "ana", { stay: madeUpStay("other") }),
    heard(7, "ana", "an answer", { what: "replied", to: 1 }),
    drop(7, "ben", 1), // whose it isn't
    drop(8, "ana", 1),
    drop(9, "ben", 99),
  );
  assertEquals(told.splice(0), [
    ["offered", 5, false],
    ["offered", 6, false],
    ["withdrawn", 1],
  ]);
  const limits = { kind: "limits", fileSize: 5 } as const;
  conversation.file(limits);
  conversation.disconnected();
  conversation.disconnected();
  assertEquals(told.splice(0), [["heard", limits], ["parted"]]);
  talk.enter();
  assertEquals(told, [["joined", 0]]);
});
