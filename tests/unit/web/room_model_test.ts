/**
 * Tests of what a page's room makes of news.
 *
 * @module
 */

import { mayFound } from "../../../src/client/sealed/founding.ts";
import { Ignored } from "../../../src/client/ignored.ts";
import type { RoomNews } from "../../../src/client/view.ts";
import {
  RoomModel,
  type RoomModelOptions,
} from "../../../src/web/room_model.ts";
import type { Message, Row } from "../../../src/web/rows.ts";
import { assert, assertEquals } from "../../kit/assert.ts";

const NOON = new Date(2026, 10, 23, 12).getTime();
const DAY = 86_400_000;

/** A room of which every change shows when `paint` is called. */
function begin(options: RoomModelOptions = {}) {
  const tasks: (() => void)[] = [];
  const model = new RoomModel({
    now: () => NOON,
    later: (task) => void tasks.push(task),
    ...options,
  });
  const paint = () => tasks.splice(0).forEach((task) => task());
  const shown = () => {
    paint();
    return model.rows.value.map(words);
  };
  return { model, paint, shown, tasks };
}

/** A room that the client is in. */
function inRoom(
  options: RoomModelOptions = {},
  past: readonly RoomNews[] = [],
) {
  const room = begin(options);
  enter(room.model, past);
  return room;
}

function enter(
  model: RoomModel,
  past: readonly RoomNews[],
  more: { again?: boolean; waiting?: number } = {},
) {
  const { again = false, waiting = 0 } = more;
  const standing = { name: "ana", connected: true, members: 2, waiting };
  model.stand(standing);
  const rest = { person: "key of ana", earlier: past.length, again, waiting };
  const seq = past.length === 0 ? 100 : Math.max(...past.map((it) => it.seq));
  model.show({
    ...{ type: "entered", address: "here:1", name: "ana", others: 1 },
    ...{ seq, at: NOON, ...rest },
  });
  for (const line of past) model.show({ ...line, past: true });
  model.show({ type: "current" });
}

/** A row in a few words. */
function words(row: Row): string {
  switch (row.kind) {
    case "day":
      return "day";
    case "new":
      return "new";
    case "note":
    case "aside":
      return `${row.kind}: ${row.text}`;
    case "private":
      return `${row.name} to ${row.to.name}: ${row.text}`;
    case "message":
      return messageWords(row);
  }
}

function messageWords(row: Message): string {
  const quoted = row.quoted ? `[${row.quoted.text}] ` : "";
  const marks = [
    row.edited ? " (edited)" : "",
    row.deleted ? " (deleted)" : "",
    ...row.reactions.map(({ text, name }) => ` ${text}${name}`),
    row.isMention ? " !" : "",
  ].join("");
  return `${row.name} ${row.seq}: ${quoted}${row.text}${marks}`;
}

function line(
  seq: number,
  name: string,
  text: string,
  more: Partial<RoomNews> = {},
): RoomNews {
  const person = `key of ${name}`;
  const rest = { own: name === "ana", past: false, to: null };
  return {
    ...{ type: "said", seq, at: NOON, name, person, text, ...rest, ...more },
  };
}

const WELCOME =
  "note: Joined here:1 as ana; 1 other is here. /help shows the commands.";

Deno.test("a page's room shows what was said before below its day, and then the welcome", () => {
  const { shown } = inRoom({}, [
    line(1, "bob", "hi", { at: NOON - DAY }),
    line(2, "bob", "", { type: "left", at: NOON - DAY }),
    line(3, "cy", "hello"),
  ]);
  assertEquals(shown(), ["day", "bob 1: hi", "day", "cy 3: hello", WELCOME]);
});

Deno.test("a page's room has its signals change once for all news of a moment", () => {
  const { model, paint, tasks } = inRoom();
  paint();
  let changes = 0;
  const stop = model.rows.subscribe(() => changes++);
  for (let seq = 101; seq < 1_101; seq++) model.show(line(seq, "bob", "hi"));
  assertEquals(tasks.length, 1);
  paint();
  assertEquals(changes, 2); // the first is the subscription's
  assertEquals(model.rows.value.length, 1_002);
  stop();
});

Deno.test("edits, deletions and reactions show in the message that they change, and in what quotes it", () => {
  const { model, shown } = inRoom();
  model.show(line(101, "bob", "at five"));
  const quoted = { name: "bob", person: "key of bob", text: "at five" };
  model.show(line(102, "ana", "yes", { type: "replied", to: 101, quoted }));
  model.show(line(103, "cy", "👍", { type: "reacted", to: 101 }));
  model.show(line(104, "bob", "at six", { type: "edited", to: 101 }));
  model.show(line(105, "eve", "at nine", { type: "edited", to: 101 }));
  assertEquals(shown().slice(2), [
    "bob 101: at six (edited) 👍cy",
    "ana 102: [at six] yes",
  ]);
  model.show(line(106, "cy", "🎉", { type: "reacted", to: 101 }));
  model.show(line(107, "dan", "👍", { type: "reacted", to: 101 }));
  model.show(line(108, "dan", "", { type: "reacted", to: 101 }));
  assertEquals(shown()[2], "bob 101: at six (edited) 🎉cy");
  model.show(line(109, "bob", "", { type: "deleted", to: 101 }));
  assertEquals(shown().slice(2), [
    "bob 101:  (edited) (deleted)",
    "ana 102: [] yes",
  ]);
});

Deno.test("what changes a message that isn't shown is told as a sentence", () => {
  const { model, shown } = inRoom();
  model.show(line(101, "bob", "👍", { type: "reacted", to: 7 }));
  assertEquals(shown().at(-1), "aside: bob reacts to 7: 👍");
});

Deno.test("lines stand in the order of their numbers, each once", () => {
  const { model, shown } = inRoom();
  for (const seq of [101, 103, 102, 103]) {
    model.show(line(seq, "bob", `${seq}`));
  }
  model.note("Topic: huts");
  model.show(line(104, "bob", "last"));
  assertEquals(shown().slice(2), [
    "bob 101: 101",
    "bob 102: 102",
    "bob 103: 103",
    "note: Topic: huts",
    "bob 104: last",
  ]);
});

Deno.test("older lines are put in front, and answers quote what they bring", () => {
  const { model, shown } = inRoom({}, [
    line(50, "ana", "yes", { type: "replied", to: 41 }),
  ]);
  model.loading();
  shown();
  assert(model.hasOlder.value && model.isLoading.value);
  assertEquals(model.first, 50);
  const older = [
    line(40, "bob", "", { type: "joined" }),
    line(41, "bob", "coming?"),
    line(50, "ana", "yes", { type: "replied", to: 41 }),
  ];
  model.show({ type: "found", words: "", lines: older, more: false });
  assertEquals(shown(), [
    "day",
    "bob 41: coming?",
    "ana 50: [coming?] yes",
    WELCOME,
  ]);
  assertEquals(model.first, 40);
  assert(!model.hasOlder.value && !model.isLoading.value);
});

Deno.test("what was searched for isn't put into the room", () => {
  const { model, shown } = inRoom();
  const lines = [line(3, "bob", "hut")];
  model.show({ type: "found", words: "hut", lines, more: true });
  assertEquals(shown(), ["day", WELCOME]);
  assertEquals(model.found.value?.lines, lines);
});

Deno.test("what comes while nobody looks is unread, from a mark on", () => {
  const { model, shown } = inRoom();
  model.look(false);
  model.show(line(101, "ana", "mine"));
  model.show(line(102, "bob", "one"));
  model.show(line(103, "bob", "two"));
  assertEquals(shown().slice(2), [
    "ana 101: mine",
    "new",
    "bob 102: one",
    "bob 103: two",
  ]);
  assertEquals(model.unread.value, 2);
  assertEquals(model.readUpTo.value, 100);
  model.look(true);
  assertEquals(shown()[3], "new"); // for who looks for it
  assertEquals(model.unread.value, 0);
  assertEquals(model.readUpTo.value, 103);
  model.sending("hello");
  assert(!shown().includes("new"));
});

Deno.test("who comes again has the mark where it had read to, and no welcome", () => {
  const { model, shown } = inRoom({ readUpTo: 1 }, [
    line(1, "bob", "one"),
    line(2, "bob", "two"),
  ]);
  assertEquals(shown(), ["day", "bob 1: one", "new", "bob 2: two"]);
  assertEquals(model.unread.value, 0);
});

Deno.test("the own name and chosen words are mentions in what others say", () => {
  const { model, shown } = inRoom({ words: () => "lunch,deploy" });
  model.show(line(101, "bob", "hi Ana!"));
  model.show(line(102, "bob", "banana"));
  model.show(line(103, "bob", "Lunch?"));
  model.show(line(104, "ana", "ana"));
  assertEquals(shown().slice(2), [
    "bob 101: hi Ana! !",
    "bob 102: banana",
    "bob 103: Lunch? !",
    "ana 104: ana",
  ]);
});

Deno.test("nothing of ignored persons is shown, and all of it again when they no longer are", () => {
  const ignored = new Ignored();
  const eve = { id: "x", name: "eve", person: "key of eve" };
  const { model, shown } = inRoom({ ignored });
  const quoted = { ...eve, text: "buy" };
  model.show(line(101, "eve", "buy"));
  model.show(line(102, "bob", "no", { type: "replied", to: 101, quoted }));
  model.show(line(103, "eve", "👍", { type: "reacted", to: 102 }));
  const all = ["eve 101: buy", "bob 102: [buy] no 👍eve"];
  assertEquals(shown().slice(2), all);
  ignored.add(eve);
  model.refresh();
  assertEquals(shown().slice(2), ["bob 102: no"]);
  model.look(false);
  model.show(line(104, "eve", "ana"));
  shown();
  assertEquals(model.unread.value, 0);
  ignored.remove(eve);
  model.refresh();
  assertEquals(shown().slice(2), [...all, "eve 104: ana !"]);
});

Deno.test("what is typed stands there until it is in the log, or was refused", () => {
  const { model, shown } = inRoom();
  const [one, two] = [model.sending("one"), model.sending("two")];
  shown();
  assertEquals(model.pending.value.map(({ text }) => text), ["one", "two"]);
  model.show(line(101, "ana", "one", { mine: true, id: one }));
  model.show({
    ...{ type: "refused", text: "two", reason: "too-soon", detail: "" },
    id: two,
  });
  shown();
  const [left] = model.pending.value;
  assertEquals(
    left?.refused,
    'Not sent: "two": Slow mode: wait a little before the next message',
  );
  model.dismiss(two);
  shown();
  assertEquals(model.pending.value, []);
});

Deno.test("a private message stands there until it is taken or kept, or can't be sent", () => {
  const { model, shown } = inRoom();
  const bob = { name: "bob", person: "key of bob" };
  const [one, two] = ["one", "two"].map((it) => model.sending(it, null, bob));
  const own = {
    name: "ana",
    person: "key of ana",
    to: bob,
    own: true,
  } as const;
  model.show({ type: "private", at: NOON, ...own, text: "one", id: one });
  model.fail("Cannot write to bob", two);
  assertEquals(shown().slice(2), ["ana to bob: one"]);
  const left = model.pending.value.map(({ text, refused }) => [text, refused]);
  assertEquals(left, [["two", "Cannot write to bob"]]);
  model.fail("Cannot do that", 99);
  assertEquals(shown().at(-1), "note: Cannot do that");
});

Deno.test("a lost connection and the return stand there in the terminal's words", () => {
  const { model, shown } = inRoom();
  const lost = { type: "disconnected", reason: "lost" } as const;
  model.show({ ...lost, seconds: 1 });
  model.show({ ...lost, seconds: 2 });
  assertEquals(model.nextAttempt.value, NOON + 2_000);
  model.stand({ name: "ana", connected: false, members: 0, waiting: 1 });
  enter(model, [line(101, "bob", "hi")], { again: true, waiting: 1 });
  assertEquals(shown().slice(2), [
    "note: Connection lost. Trying again in 1 s; what you type is kept.",
    "note: Back. Missed 1 message; sent 1.",
    "new",
    "bob 101: hi",
  ]);
  assertEquals(model.nextAttempt.value, null);
});

Deno.test("what others wrote can't end a sentence of this program's early", () => {
  const { model, shown } = inRoom();
  model.show(line(101, "bob", "bye\u202e", { type: "left" }));
  model.note("a\u001b[31mb");
  assertEquals(shown().slice(2), [
    "aside: bob left (bye\\u202e)",
    "note: a\\u001b[31mb",
  ]);
});

Deno.test("what a question means is explained without words that a page has no place to type", async () => {
  const { model, shown } = begin();
  const answer = mayFound(model);
  model.question.value?.answer("/help");
  await Promise.resolve();
  while (model.question.value === null) await Promise.resolve();
  const explained = shown().at(-1) ?? "";
  assert(/first keeper.*Close this question to leave\.$/.test(explained));
  model.question.value.answer(null);
  assertEquals(await answer, false);
});

Deno.test("a question waits for one answer", async () => {
  const { model } = begin();
  const answer = model.ask("Found it? [y/N]");
  assertEquals(model.question.value?.text, "Found it? [y/N]");
  model.question.value?.answer("y");
  assertEquals(await answer, "y");
  assertEquals(model.question.value, null);
});

Deno.test("a room keeps its last 20,000 rows, and more only while its reader is further up", () => {
  const { model, paint } = inRoom();
  model.look(false);
  for (let seq = 101; seq <= 25_100; seq++) model.show(line(seq, "bob", "hi"));
  paint();
  assert(model.rows.value.length > 25_000);
  model.look(true);
  model.show(line(25_101, "bob", "hi"));
  paint();
  assert(model.rows.value.length <= 20_002); // with two marks
  assertEquals(model.first, 25_101 - 19_999);
  assert(model.hasOlder.value);
});
