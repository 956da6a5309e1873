/**
 * Streams of events: what is told, from where on, and what reading the past costs.
 *
 * @module
 */

import type { HttpPlace } from "../../../../src/server/http/http_desk.ts";
import { HttpRoom } from "../../../../src/server/http/http_room.ts";
import { lineStream } from "../../../../src/server/http/line_stream.ts";
import { identityFor, Speaker } from "../../../../src/server/http/speaker.ts";
import { REFUSALS } from "../../../../src/protocol/reasons.ts";
import { parseName } from "../../../../src/protocol/names.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";
import { say, type Setup, UNLIMITED } from "../../../kit/connection_setup.ts";
import type { EventStream } from "../../../kit/http.ts";
import { Desk, refusal } from "../../../kit/http_desk.ts";
import {
  OTHER_TOKEN,
  placeIn,
  roomWithTokens,
  SECRET,
} from "../../../kit/http_setup.ts";
import { leftOpen } from "../../../kit/log_kit.ts";

Deno.test("GET /events tells each line once it is in the log, with its number, its kind and what is about it", async () => {
  await using room = await Desk.create();
  const ana = await room.setup.connect();
  await ana.join("ana");
  await using stream = await room.events();
  await ana.send(say(1, "hello"));
  await ana.until("said");
  await ana.send(
    { kind: "act", n: 2, text: "waves" },
    { kind: "edit", n: 3, to: 3, text: "hello!" },
    { kind: "reply", n: 4, to: 3, text: "yes" },
    { kind: "react", n: 5, to: 3, text: "👍" },
    { kind: "delete", n: 6, to: 3 },
    { kind: "rename", name: "anna" },
  );
  await ana.until("renamed"); // what programs say takes another way
  await room.answer({ body: "from me" });
  await stream.until(() => stream.texts.includes("from me"));
  const told = stream.events.map(({ id, type, data }) => {
    assertEquals([data["v"], data["type"], data["seq"]], [1, type, id]);
    assertEquals(data["past"], false);
    assertEquals(data["own"], data["name"] === "http");
    return [id, type, data["text"], data["quoted"]];
  });
  const quoted = (text: string) => ({ name: "ana", text });
  const changes = told.filter(([, type]) => type !== "renamed");
  assertEquals(changes.slice(0, 6), [
    [3, "said", "hello", undefined],
    [4, "acted", "waves", undefined],
    [5, "edited", "hello!", quoted("hello")],
    [6, "replied", "yes", quoted("hello!")],
    [7, "reacted", "👍", quoted("hello!")],
    [8, "deleted", undefined, quoted("hello!")],
  ]);
  const [head = ""] = stream.text.split("\r\n\r\n");
  assert(head.startsWith("HTTP/1.1 200 OK"), head);
  assert(head.includes("content-type: text/event-stream"), head);
});

Deno.test("stream goes on after the last event that was seen, and begins no earlier than its person may read", async () => {
  await using room = await Desk.create({ history: 1 });
  const ana = await room.setup.connect();
  await ana.join("ana");
  await ana.send(say(1), say(2), say(3));
  await ana.until("said", ({ n }) => n === 3);
  const numbers = (stream: EventStream) => stream.events.map(({ id }) => id);
  {
    await using stream = await room.events(0);
    await stream.until(() => numbers(stream).includes(5));
    assertEquals(numbers(stream), [4, 5]); // what a newcomer is shown, and its own joining
    assertEquals(stream.events.map(({ data }) => data["past"]), [true, true]);
    await ana.send(say(4));
    await stream.until(() => numbers(stream).includes(6));
    assertEquals(stream.events.at(-1)?.data["past"], false);
  }
  await ana.send(say(5), say(6));
  await ana.until("said", ({ n }) => n === 6);
  await using again = await room.events(6);
  await again.until(() => numbers(again).includes(8));
  assertEquals(numbers(again), [7, 8]);
  // One that this log doesn't have, as after a backup was put back: what a newcomer is shown.
  await using beyond = await room.events(99);
  await beyond.until(() => numbers(beyond).length > 0);
  assertEquals(numbers(beyond), [8]);
  // One that comes first now may read no more than that, either.
  await using other = await room.events(0, OTHER_TOKEN);
  await other.until(() => numbers(other).includes(9));
  assertEquals(numbers(other), [8, 9]);
});

Deno.test("stream tells a long past from the files, each line once, and what is said meanwhile after it", async () => {
  await using room = await Desk.create({ window: 16 });
  await room.answer({ body: "first" });
  const ana = await room.setup.connect();
  await ana.join("ana");
  for (let n = 1; n <= 1_000; n += 100) {
    await ana.send(...Array.from({ length: 100 }, (_, at) => say(n + at)));
  }
  await ana.until("said", ({ n }) => n === 700);
  await using stream = await room.events(1);
  await stream.until(() => stream.texts.includes("line 1000"));
  assertEquals(
    stream.events.map(({ id }) => id),
    numbersTo(2, 1_003),
  );
});

Deno.test("streams of one name are limited, and those of another are not counted with them", async () => {
  await using room = await Desk.create();
  const streams: EventStream[] = [];
  for (let count = 0; count < 16; count++) streams.push(await room.events());
  assertEquals(await refusal(room.events()), {
    status: 429,
    message: REFUSALS["too-often-here"],
    retryAfter: 10,
  });
  {
    await using _other = await room.events(undefined, OTHER_TOKEN);
  }
  // One that goes leaves its place.
  await streams.pop()?.[Symbol.asyncDispose]();
  streams.push(await anotherStream(room));
  for (const stream of streams) await stream[Symbol.asyncDispose]();
});

/** Another stream, once there is a place for it. */
async function anotherStream(room: Desk): Promise<EventStream> {
  for (let turn = 0; room.desk.readers > 15; turn++) {
    assert(turn < 10_000, "none goes");
    await room.clock.turn();
  }
  return await room.events();
}

function numbersTo(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

/** Has ana say so many lines, a hundred at a time. */
async function talk(setup: Setup, count: number): Promise<void> {
  const ana = await setup.connect();
  await ana.join("ana");
  for (let n = 0; n < count; n += 100) {
    const length = Math.min(100, count - n);
    await ana.send(...Array.from({ length }, (_, at) => say(n + 1 + at)));
  }
  await ana.until("said", ({ n }) => n === count);
}

/** A name's place in the room, apart from those that the port has. */
async function speakerIn(place: HttpPlace, rates = UNLIMITED) {
  const name = parseName("quiet");
  assert(typeof name !== "string");
  const own = new HttpRoom({ ...place, rates });
  const secret = SECRET.slice();
  const speaker = new Speaker(name, await identityFor(secret, name), own);
  return { own, speaker };
}

Deno.test("stream holds few lines and no file while its reader takes nothing, also of a long past", async () => {
  const options = { window: 16, history: 1_000 };
  const [setup] = await roomWithTokens(options); // by the real clock: the chain's counting goes on
  await using room = setup;
  await talk(room, 600);
  const { own, speaker } = await speakerIn(placeIn(room, options, {}));
  const guest = await speaker.enter();
  const isOver = () => false;
  const lines = lineStream(own, speaker, guest, { after: 0, isOver });
  while (!await room.log.chainChecked()); // what counts the chain has the file open as well
  const sizes: number[] = [];
  /** Reads on. @returns Whether it has come to the last line. */
  const read = async () => {
    const { value = "", done } = await lines.next();
    assert(!done, "it has ended");
    const count = value.match(/^id: /gm)?.length ?? 0;
    if (count > 0) sizes.push(count);
    return value.includes('"line 600"');
  };
  const open = await leftOpen(async () => {
    while (sizes.length === 0) await read();
  });
  assertEquals(open, []);
  while (!await read());
  speaker.end("stopped");
  assert(Math.max(...sizes) === 16, sizes.join());
});

Deno.test("stream shows now and then that it is there", async () => {
  await using room = await Desk.create();
  await using stream = await room.events();
  room.clock.advance(19_000);
  await room.clock.turn();
  assertEquals(stream.text.split(":\n\n").length, 2); // as it began
  room.clock.advance(1_000);
  await stream.until(() => stream.text.split(":\n\n").length === 3);
  const { own, speaker } = await speakerIn(room.place);
  const guest = await speaker.enter();
  let now = 0;
  const lines = lineStream(own, speaker, guest, {
    after: null,
    isOver: () => false,
    now: () => now,
  });
  const next = async () => (await lines.next()).value;
  assertEquals(await next(), ":\n\n");
  for (const at of [20_000, 40_000]) {
    const coming = next();
    now = at - 1;
    speaker.tick();
    now = at;
    await Promise.resolve();
    speaker.tick();
    assertEquals(await coming, ":\n\n");
  }
  const ending = next();
  speaker.end("stopped");
  assertEquals(await ending, undefined);
});

Deno.test("stream's comments come 20 s after what it told last, be that a line", async () => {
  await using room = await Desk.create();
  const ana = await room.setup.connect();
  await ana.join("ana");
  const { own, speaker } = await speakerIn(room.place);
  const guest = await speaker.enter();
  let now = 0;
  const rest = { after: null, isOver: () => false, now: () => now };
  const lines = lineStream(own, speaker, guest, rest);
  await lines.next();
  const coming = lines.next();
  now = 15_000;
  await ana.send(say(1));
  assert((await coming).value?.includes('"line 1"'));
  const next = lines.next();
  for (now of [20_000, 34_999]) {
    speaker.tick();
    await Promise.resolve();
  }
  await ana.send(say(2));
  assert((await next).value?.includes('"line 2"'), "no comment was due");
  speaker.end("stopped");
});

Deno.test("stream quotes nothing of before its person may read, though that is in memory", async () => {
  await using room = await Desk.create({ history: 1 });
  const ana = await room.setup.connect();
  await ana.join("ana");
  await ana.send(say(1, "secret"), say(2, "shown"));
  await ana.until("said", ({ n }) => n === 2);
  await using stream = await room.events();
  await ana.send(
    { kind: "reply", n: 3, to: 2, text: "to a secret" },
    { kind: "reply", n: 4, to: 3, text: "to another" },
  );
  await stream.until(() => stream.events.at(-1)?.id === 6);
  const quoted = stream.events.map(({ data }) => data["quoted"]);
  assertEquals(quoted.slice(-2), [null, { name: "ana", text: "shown" }]);
});

Deno.test("stream that reads nothing of the past pays for nothing, whatever others of its name owe", async () => {
  await using room = await Desk.create({ history: 100 });
  await talk(room.setup, 90);
  const rates = { burst: 20, perSecond: 0.01, bytesPerMessage: 1_024 };
  const { own, speaker } = await speakerIn(room.place, rates);
  const guest = await speaker.enter();
  let isGone = false;
  const isOver = () => isGone;
  const past = lineStream(own, speaker, guest, { after: 0, isOver });
  for (let piece = 0; piece < 3; piece++) await past.next(); // a comment, 32 lines
  const owing = past.next(); // for 12 of them
  const live = lineStream(own, speaker, guest, { after: null, isOver });
  await live.next();
  const ben = await room.setup.connect();
  await ben.join("ben");
  let text = "";
  for (let n = 1; n <= 40; n += 10) {
    await ben.send(...Array.from({ length: 10 }, (_, at) => say(n + at)));
  }
  while (!text.includes('"line 40"')) text += (await live.next()).value ?? "";
  isGone = true;
  speaker.end("stopped");
  assertEquals((await live.next()).value, undefined);
  assertEquals((await owing).value, undefined);
});

Deno.test("stream pays for each line of the past, and for none after that", async () => {
  await using room = await Desk.create({ history: 100 });
  await talk(room.setup, 20);
  const { own, speaker } = await speakerIn(room.place);
  const guest = await speaker.enter();
  let paid = 0;
  speaker.payFor = (lines) => Promise.resolve(void (paid += lines));
  const isOver = () => false;
  const lines = lineStream(own, speaker, guest, { after: 0, isOver });
  const read = async (last: string) => {
    let text = "";
    while (!text.includes(last)) text += (await lines.next()).value ?? "";
  };
  await read('"line 20"');
  const ben = await room.setup.connect();
  await ben.join("ben");
  await ben.send(say(1, "new"));
  await read('"new"');
  assertEquals(paid, 22); // of which two tell who came
  speaker.end("stopped");
});

Deno.test("who reads more of the past at once than a member may say doesn't keep its name from speaking", async () => {
  await using room = await Desk.create({
    history: 100,
    rates: { burst: 25, perSecond: 1, bytesPerMessage: 1_024 },
  });
  await talk(room.setup, 100);
  await using stream = await room.events(0);
  await stream.until(() => stream.events.length >= 32); // 7 more than are paid for
  const { status } = await room.answer({ body: "alert" });
  assertEquals(status, 200);
});

Deno.test("reader that goes while it owes for the past leaves its place at once", async () => {
  await using room = await Desk.create({
    history: 200,
    rates: { burst: 200, perSecond: 0.01, bytesPerMessage: 1_024 },
  });
  await talk(room.setup, 180);
  await using first = await room.events(0);
  await first.until(() => first.texts.length === 180); // which is paid for
  const streams: EventStream[] = [];
  for (let count = 1; count < 16; count++) streams.push(await room.events(0));
  for (const stream of streams) await stream[Symbol.asyncDispose]();
  await using another = await anotherStream(room);
  assert(!another.hasEnded);
});

Deno.test("who comes again and again reads no more of the past than it has paid for", async () => {
  await using room = await Desk.create({ history: 100 });
  await talk(room.setup, 90);
  const rates = { burst: 20, perSecond: 0.01, bytesPerMessage: 1_024 };
  const { own, speaker } = await speakerIn(room.place, rates);
  const guest = await speaker.enter();
  let isGone = false;
  const comes = () =>
    lineStream(own, speaker, guest, { after: 0, isOver: () => isGone });
  const first = comes();
  for (let piece = 0; piece < 3; piece++) await first.next(); // a comment, 32 lines
  const leaving = first.next();
  isGone = true;
  speaker.tick();
  assertEquals((await leaving).value, undefined);
  isGone = false;
  const second = comes();
  assertEquals((await second.next()).value, ":\n\n");
  const reading = second.next();
  speaker.end("stopped");
  assertEquals((await reading).value, undefined);
});
