/**
 * Streams of events: what is told, from where on, and what becomes of those who don't read.
 *
 * @module
 */

import "../../../kit/fast_timers.ts";
import { HttpRoom } from "../../../../src/server/http/http_room.ts";
import { lineStream } from "../../../../src/server/http/line_stream.ts";
import { identityFor, Speaker } from "../../../../src/server/http/speaker.ts";
import { parseName } from "../../../../src/protocol/names.ts";
import { Purses } from "../../../../src/server/rate_limits.ts";
import { writeAll } from "../../../../src/base/write_all.ts";
import { pause } from "../../../../src/base/timing.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";
import { output } from "../../../kit/command.ts";
import { say, UNLIMITED } from "../../../kit/connection_setup.ts";
import {
  type EventStream,
  readToEnd,
  requestBytes,
} from "../../../kit/http.ts";
import { HttpSetup, OTHER_TOKEN, TOKEN } from "../../../kit/http_setup.ts";

Deno.test("GET /events tells each line once it is in the log, with its number, its kind and what is about it", async () => {
  await using room = await HttpSetup.create();
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
  await room.ask({ body: "from me" });
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
  await using room = await HttpSetup.create({ history: 1 });
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
  await using room = await HttpSetup.create({ window: 16 });
  await room.ask({ body: "first" });
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
  await using room = await HttpSetup.create();
  const streams: EventStream[] = [];
  for (let count = 0; count < 16; count++) streams.push(await room.events());
  const asked = { method: "GET", path: "/events" };
  const { status, said: { reason } } = await room.ask(asked);
  assertEquals([status, reason], [429, "too-often-here"]);
  {
    await using _other = await room.events(undefined, OTHER_TOKEN);
  }
  // One that goes leaves its place.
  await streams.pop()?.[Symbol.asyncDispose]();
  streams.push(await anotherStream(room));
  for (const stream of streams) await stream[Symbol.asyncDispose]();
});

Deno.test("reader that doesn't read costs others nothing, is given up, and finds all of it when it comes again", async () => {
  await using room = await HttpSetup.create();
  await room.ask({ body: "first" });
  const ana = await room.setup.connect();
  await ana.join("ana");
  const { port } = room;
  const streams: EventStream[] = [];
  using idle = await Deno.connect({ hostname: "127.0.0.1", port });
  const asked = { method: "GET", path: "/events", token: TOKEN };
  await writeAll(idle, requestBytes(asked));
  await using reader = await room.events();
  const text = "x".repeat(4_096);
  const count = 3_000; // 12 MB: more than the system holds for a connection
  for (let n = 1; n <= count; n += 50) {
    await ana.send(...Array.from({ length: 50 }, (_, at) => say(n + at, text)));
  }
  const end = count + 3;
  await reader.until(() => reader.last === end);
  // There is a place for another only once the server has given it up.
  for (let others = 0; others < 14; others++) streams.push(await room.events());
  streams.push(await anotherStream(room));
  for (const stream of streams) await stream[Symbol.asyncDispose]();
  const got = await readToEnd(idle).catch(() => "");
  const last = Number(got.match(/^id: (\d+)$/gm)?.at(-1)?.slice(4));
  assert(last < count, String(last));
  // The last may have come in part only.
  await using again = await room.events(last - 1);
  await again.until(() => again.last === end);
  assertEquals(again.events.map(({ id }) => id), numbersTo(last, end));
  assertEquals(reader.texts.length, count);
  assertEquals((await room.ask({ body: "still there" })).status, 200);
});

/** Another stream, once there is a place for it. */
async function anotherStream(room: HttpSetup): Promise<EventStream> {
  for (;;) {
    const stream = await room.events().catch(() => undefined);
    if (stream) return stream;
    await pause(50);
  }
}

function numbersTo(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

/** Has ana say so many lines, a hundred at a time. */
async function talk({ setup }: HttpSetup, count: number): Promise<void> {
  const ana = await setup.connect();
  await ana.join("ana");
  for (let n = 0; n < count; n += 100) {
    const length = Math.min(100, count - n);
    await ana.send(...Array.from({ length }, (_, at) => say(n + 1 + at)));
  }
  await ana.until("said", ({ n }) => n === count);
}

/** A name's place in the room, apart from those that the port has. */
async function placeIn({ setup }: HttpSetup, rates = UNLIMITED) {
  const name = parseName("quiet");
  assert(typeof name !== "string");
  const own = new HttpRoom({
    room: setup.room,
    people: setup.people,
    history: setup.history,
    relay: setup.relay,
    mailbox: setup.mailbox,
    ring: setup.broadcaster.ring,
    purses: new Purses(),
    rates,
  });
  const secret = HttpSetup.secret.slice();
  const speaker = new Speaker(name, await identityFor(secret, name), own);
  return { own, speaker };
}

Deno.test("stream holds few lines and no file while its reader takes nothing, also of a long past", async () => {
  await using room = await HttpSetup.create({ window: 16, history: 1_000 });
  await talk(room, 600);
  const { own, speaker } = await placeIn(room);
  const guest = await speaker.enter();
  const isOver = () => false;
  const lines = lineStream(own, speaker, guest, { after: 0, isOver });
  const sizes: number[] = [];
  const log = await Deno.realPath(`${room.setup.folder}/chat.log`);
  const isLinux = Deno.build.os === "linux"; // which tells
  // Twice, by the log itself, to add and to read: the chain's counting, too, has it open now and then.
  const isFree = async () => !isLinux || await opened(log) === 2;
  await until(isFree);
  for await (const text of lines) {
    const count = text.match(/^id: /gm)?.length ?? 0;
    if (count > 0) sizes.push(count);
    if (sizes.length === 1) await until(isFree);
    if (text.includes('"line 600"')) break;
  }
  speaker.end("stopped");
  assert(Math.max(...sizes) === 16, sizes.join());
});

/** Looks again and again, some hundred times. @throws if it is never so. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let time = 0; time < 300; time++) if (await isSo()) return;
  throw new Error("It is never so");
}

/** How often this process has a file open; 0 where the system doesn't tell, or another was closed meanwhile. */
async function opened(path: string): Promise<number> {
  const list = await output("ls", "-l", `/proc/${Deno.pid}/fd`) ?? "";
  return list.split("\n").filter((it) => it.endsWith(` ${path}`)).length;
}

Deno.test("stream shows now and then that it is there", async () => {
  await using room = await HttpSetup.create();
  const { own, speaker } = await placeIn(room);
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

Deno.test("who reads more of the past at once than a member may say doesn't keep its name from speaking", async () => {
  await using room = await HttpSetup.create({
    history: 100,
    rates: { burst: 25, perSecond: 1, bytesPerMessage: 1_024 },
  });
  await talk(room, 100);
  await using stream = await room.events(0);
  await stream.until(() => stream.events.length >= 32); // 7 more than are paid for
  const { status } = await room.ask({ body: "alert" });
  assertEquals(status, 200);
});

Deno.test("reader that goes while it owes for the past leaves its place at once", async () => {
  await using room = await HttpSetup.create({
    history: 200,
    rates: { burst: 200, perSecond: 0.01, bytesPerMessage: 1_024 },
  });
  await talk(room, 180);
  await using first = await room.events(0);
  await first.until(() => first.texts.length === 180); // which is paid for
  const streams: EventStream[] = [];
  for (let count = 1; count < 16; count++) streams.push(await room.events(0));
  for (const stream of streams) await stream[Symbol.asyncDispose]();
  await using another = await anotherStream(room);
  assert(!another.hasEnded);
});

Deno.test("who comes again and again reads no more of the past than it has paid for", async () => {
  await using room = await HttpSetup.create({ history: 100 });
  await talk(room, 90);
  const rates = { burst: 20, perSecond: 0.01, bytesPerMessage: 1_024 };
  const { own, speaker } = await placeIn(room, rates);
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
