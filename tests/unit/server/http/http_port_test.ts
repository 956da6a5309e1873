/**
 * The port for programs, over connections in memory, with a real room behind it: what it answers to what.
 *
 * @module
 */

import { REFUSALS } from "../../../../src/protocol/reasons.ts";
import { AdvisedError } from "../../../../src/base/advised_error.ts";
import { FileError } from "../../../../src/base/private_file.ts";
import { WireError } from "../../../../src/protocol/records.ts";
import { StalledError } from "../../../../src/server/http/http_answer.ts";
import { HttpPort } from "../../../../src/server/http/http_port.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
} from "../../../kit/assert.ts";
import { Folder, freePort } from "../../../kit/folder.ts";
import { withLateLog, withMethod } from "../../../kit/log_kit.ts";
import { overhear } from "../../../kit/overhear.ts";
import {
  type Answered,
  answerIn,
  type Asked,
  exchange,
  readToEnd,
  requestBytes,
} from "../../../kit/http.ts";
import { HttpSetup, OTHER_TOKEN, TOKEN } from "../../../kit/http_setup.ts";
import { ManualClock } from "../../../kit/memory_stream.ts";
import type { Person } from "../../../../src/server/people/person.ts";
import { writeAll } from "../../../../src/base/write_all.ts";

const say = (body: string, more: Asked = {}): Asked => ({ body, ...more });

Deno.test("POST /say says each line in the log, under the token's name, and answers with the numbers", async () => {
  await using room = await HttpSetup.create();
  const ana = await room.setup.connect();
  await ana.join("ana");
  assertEquals((await room.ask(say("hello"))).said, { seq: 3 });
  const lines = await room.ask(say("one\r\n\n  \ntwo\nthree"));
  assertEquals(lines.said, { seq: 6, all: [4, 5, 6] });
  const json = { fields: { "content-type": "application/json" } };
  const text = "two\nlines";
  const said = await room.ask(say(JSON.stringify({ text }), json));
  assertEquals([said.status, said.said], [200, { seq: 7 }]);
  const other = await room.ask(say("from elsewhere", { token: OTHER_TOKEN }));
  assertEquals(other.said, { seq: 9 });
  await ana.until("said", ({ text }) => text === "from elsewhere");
  assertEquals(
    ana.of("said").map(({ text }) => text),
    ["hello", "one", "two", "three", text, "from elsewhere"],
  );
  const joined = ana.of("joined").map(({ name }) => name);
  assertEquals(joined, ["http", "backup"]);
  // What it is stands where members look who is there.
  const absent = ana.of("absent").map(({ text }) => text);
  assertEquals(absent, ["a program, by HTTP", "a program, by HTTP"]);
  assertEquals(room.setup.room.size, 3);
});

Deno.test("POST /say takes a body in pieces, and one that waits to be asked for", async () => {
  await using room = await HttpSetup.create();
  const whole = requestBytes(say("piece by piece", { token: TOKEN }));
  const { port } = room;
  {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port });
    for (const byte of whole) await writeAll(conn, Uint8Array.of(byte));
    assertEquals(answerIn(await readToEnd(conn)).said, { seq: 2 });
  }
  const fields = { expect: "100-continue" };
  const waiting = requestBytes(say("asked for", { token: TOKEN, fields }));
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await writeAll(conn, waiting.subarray(0, -9));
  const asked = "HTTP/1.1 100 Continue\r\n\r\n";
  const buffer = new Uint8Array(asked.length);
  for (let at = 0; at < buffer.length;) {
    at += await conn.read(buffer.subarray(at)) ?? assert(false) ?? 0;
  }
  assertEquals(new TextDecoder().decode(buffer), asked);
  await writeAll(conn, waiting.subarray(-9));
  assertEquals(answerIn(await readToEnd(conn)).said, { seq: 3 });
});

Deno.test("request that can't be done is answered with why, and changes nothing", async () => {
  await using room = await HttpSetup.create();
  const text = (type: string) => ({ fields: { "content-type": type } });
  const json = text("application/json");
  const cases: readonly [Asked, number, string][] = [
    [say(""), 400, REFUSALS["text-empty"]],
    [say(" \n \u200b"), 400, REFUSALS["text-empty"]],
    [say("x".repeat(4_097)), 400, REFUSALS["text-too-long"]],
    [say(`fits\n${"x".repeat(4_097)}`), 400, REFUSALS["text-too-long"]],
    [{ body: Uint8Array.of(0xff, 0xfe) }, 400, "The text must be UTF-8"],
    [say("{", json), 400, "The body is not JSON"],
    [say('"hello"', json), 400, 'The body must be {"text": "…"}'],
    [say('{"text":1}', json), 400, 'The body must be {"text": "…"}'],
    [
      say('{"text":"\\ud800"}', json),
      400,
      "The text has half of a surrogate pair",
    ],
    [
      say("x", { fields: { "idempotency-key": "x".repeat(256) } }),
      400,
      "An Idempotency-Key has 1 to 255 characters",
    ],
    [
      say("hi", text("text/plain; charset=utf-16")),
      415,
      "The text must be UTF-8",
    ],
    [
      say("hi", text("multipart/form-data; boundary=x")),
      415,
      'The body must be text/plain, or application/json with {"text": …}',
    ],
    [say("x".repeat(65_537)), 413, "A request has at most 65536 bytes"],
    [say("x\n".repeat(101)), 413, "A request has at most 100 lines"],
    [
      {
        fields: { "transfer-encoding": "chunked" },
        body: "1\r\nx\r\n0\r\n\r\n",
      },
      411,
      "The request must have a Content-Length",
    ],
    [
      say("longer", { fields: { "content-length": "3" } }),
      400,
      "More follows the body than it should have",
    ],
    [
      { method: "GET", path: "/events", fields: { "last-event-id": "x" } },
      400,
      "The Last-Event-ID is not a message's number",
    ],
    [{ method: "GET" }, 405, "/say is for POST"],
    [{ path: "/events" }, 405, "/events is for GET"],
    [{ path: "/" }, 404, "There are POST /say and GET /events here"],
    [{ path: "/__proto__" }, 404, "There are POST /say and GET /events here"],
    [
      say("hi", { fields: { origin: "http://127.0.0.1" } }),
      403,
      "This port is for programs, not for web pages",
    ],
    [
      say("hi", { fields: { host: "rebound.example" } }),
      421,
      "The Host of the request is not this server's: call it by its address, or by 127.0.0.1",
    ],
    [
      say("hi", { fields: { authorization: "Basic eDp5" } }),
      401,
      "The request needs a header: Authorization: Bearer TOKEN",
    ],
    [
      say("hi", { token: "x".repeat(43) }),
      401,
      "That token is not one of this server's",
    ],
  ];
  for (const [asked, status, error] of cases) {
    const answer = await room.ask(asked);
    const told = [answer.status, answer.said.error];
    assertEquals(told, [status, error], JSON.stringify(asked).slice(0, 100));
    const { fields, said: { said } } = answer;
    assertEquals([fields.get("retry-after"), said], [null, undefined]);
    assertEquals(answer.fields.get("connection"), "close");
    assertEquals(answer.fields.get("access-control-allow-origin"), null);
    const way = status === 401 ? "Bearer" : null;
    assertEquals(answer.fields.get("www-authenticate"), way);
    if (status === 405) {
      assertEquals(answer.fields.get("allow"), error.split(" ").at(-1) ?? "");
    }
  }
  assertEquals(await room.setup.logged(), []);
  const { said: { seq } } = await room.ask(
    say("hi", { fields: { host: "LOCALHOST:8090" } }),
  );
  assertEquals(seq, 2);
});

Deno.test("head of a request that is none, or too long, is answered with why", async () => {
  await using room = await HttpSetup.create();
  const cases = [
    ["GARBAGE\r\n\r\n", 400],
    ["GET /events HTTP/1.1\r\n\r\n", 400], // without a host
    [`GET /events HTTP/1.1\r\nx: ${"x".repeat(8_192)}`, 431],
  ] as const;
  for (const [bytes, status] of cases) {
    const text = await exchange(room.port, new TextEncoder().encode(bytes));
    assertEquals(answerIn(text).status, status, bytes.slice(0, 40));
  }
});

Deno.test("answers are counted by their status, and readers while they read", async () => {
  await using room = await HttpSetup.create();
  const { answers, http, port } = room;
  await room.ask(say("one"));
  await room.ask(say("two\nthree"));
  await room.ask(say(""));
  await room.ask(say("four", { token: "x".repeat(43) }));
  await exchange(port, new TextEncoder().encode("GARBAGE\r\n\r\n"));
  assertEquals(answers, { 200: 2, 400: 2, 401: 1 });
  assertEquals(http.readers, 0);
  await using _one = await room.events();
  await using _two = await room.events();
  assertEquals([http.readers, answers["200"]], [2, 4]);
  await http.close();
  assertEquals(http.readers, 0);
});

Deno.test("name that is somebody's is refused with the sentence that members get, and tried again with the next request", async () => {
  await using room = await HttpSetup.create();
  const ana = await room.setup.connect();
  await ana.join("HTTP");
  const answer = await room.ask(say("hi"));
  assertEquals([answer.status, answer.said.reason], [409, "name-taken"]);
  assert(answer.said.error?.startsWith(`${REFUSALS["name-taken"]}: HTTP, `));
  // The invite for it opens the room to nobody.
  assertEquals(room.setup.people.access.openInvites, []);
  await ana.send({ kind: "rename", name: "ana" }, { kind: "release", id: 1 });
  await ana.until("answered");
  assertEquals((await room.ask(say("hi"))).said, { seq: 4 });
});

Deno.test("who is removed comes again, and who is banned is refused, also with another token of the name", async () => {
  await using room = await HttpSetup.create();
  const { setup } = room;
  await room.ask(say("one"));
  const person = personOf(room);
  {
    await using stream = await room.events();
    setup.room.remove(person, "removed by ana");
    await stream.ended();
  }
  assertEquals((await room.ask(say("two"))).said, { seq: 5 });
  await using stream = await room.events();
  setup.people.ban(person, Date.UTC(2100, 0), "");
  setup.room.remove(person, "banned by ana");
  await stream.ended();
  await room.replaceTokens(`http ${OTHER_TOKEN}\n`);
  for (const asked of [say("three"), { method: "GET", path: "/events" }]) {
    const refused = await room.ask({ token: OTHER_TOKEN, ...asked });
    const { status, said: { reason, error } } = refused;
    const words = `${REFUSALS.removed}: until 2100-01-01 00:00 UTC`;
    assertEquals([status, reason, error], [403, "removed", words]);
  }
  const kinds = (await setup.logged()).map(([_, what]) => what);
  assertEquals(kinds, ["joined", "said", "left", "joined", "said", "left"]);
});

function personOf({ setup: { people } }: HttpSetup): Person {
  const person = people.names.lastOwner("http");
  assert(person);
  return person;
}

Deno.test("slow mode and rates hold as for members, and say when to try again", async () => {
  await using room = await HttpSetup.create({
    rates: { burst: 25, perSecond: 1, bytesPerMessage: 1_024 },
  });
  const { people } = room.setup;
  people.set({ slow: 30 });
  const two = await room.ask(say("first\nsecond"));
  assertEquals([two.status, two.said.reason], [429, "too-soon"]);
  assertEquals([two.said.error, two.said.said], [REFUSALS["too-soon"], [2]]);
  assertEquals(two.fields.get("retry-after"), "30");
  people.set({ slow: 0 });
  const many = await room.ask(say("more\n".repeat(99)));
  assertEquals(many.status, 200); // is paid for later
  const late = await room.ask(say("too much"));
  assertEquals(late.status, 429);
  const wait = Number(late.fields.get("retry-after"));
  assert(wait >= 1 && wait <= 99, String(wait));
  assertEquals(
    late.said.error,
    `More was said than one member may say at once: wait ${wait} s`,
  );
});

Deno.test("wrong tokens bring pauses, which nobody with a right one waits for", async () => {
  await using room = await HttpSetup.create();
  const { clock } = room;
  const before = clock.pending;
  const wrong = say("hi", { token: "x".repeat(43) });
  for (let count = 0; count < 5; count++) {
    assertEquals((await room.ask(wrong)).status, 401);
  }
  await clock.waiting(before, 1_000);
  const paused: Promise<Answered>[] = [];
  while (paused.length < 32) {
    paused.push(room.ask(wrong));
    await clock.waiting(before + paused.length, 1_000);
  }
  assertEquals((await room.ask(wrong)).status, 401); // one more is told at once
  assertEquals((await room.ask(say("right"))).status, 200);
  await clock.waiting(before + 32, 1_000);
  const ended = [250, 250, 500, 1_000, 2_000, 3_999].map((ms) => {
    const { pending } = clock;
    clock.advance(ms);
    return pending - clock.pending;
  });
  assertEquals(ended, [1, 1, 1, 1, 1, 0]);
  paused.push(room.ask(wrong)); // there are places again
  await clock.waiting(before + 28, 1_000);
  // Those who wait are answered when the port closes.
  await room.http.close();
  const statuses = (await Promise.all(paused)).map(({ status }) => status);
  assertEquals(statuses, paused.map(() => 401));
});

Deno.test("requests that don't come to their end are given up, and keep nobody out", async () => {
  await using room = await HttpSetup.create();
  const { clock } = room;
  const { port } = room;
  const silent: Deno.Conn[] = [];
  for (let count = 0; count < 128; count++) {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    silent.push(conn);
    await writeAll(conn, new TextEncoder().encode("POST /say HTTP/1.1\r\n"));
  }
  const asked = say("hi");
  const full = await room.ask(asked);
  assertEquals([full.status, full.said.error, full.fields.get("retry-after")], [
    503,
    "Too many requests at a time",
    "1",
  ]);
  clock.advance(999);
  assertEquals((await room.ask(asked)).status, 503);
  clock.advance(1);
  assertEquals((await room.ask(asked)).status, 200);
  const [first, ...others] = silent.map((conn) =>
    readToEnd(conn).catch(() => "")
  );
  assertEquals(await first, "");
  assertEquals((await room.ask(asked)).status, 200);
  clock.advance(1_000); // two seconds, as this port allows
  assertEquals(await Promise.all(others), others.map(() => ""));
  for (const conn of silent) conn.close();
});

Deno.test("line is said once, however often it comes under the same key, also at the same time and in another run", async () => {
  await using room = await HttpSetup.create();
  const { setup } = room;
  const key = { "idempotency-key": "job 7" };
  const both = await Promise.all(
    [1, 2].map(() => room.ask(say("done\nreally", { fields: key }))),
  );
  for (const { said } of both) assertEquals(said, { seq: 3, all: [2, 3] });
  assertEquals((await room.ask(say("done", { fields: key }))).said, { seq: 2 });
  // Another text, line or key is another line.
  const others = [
    say("done!", { fields: key }),
    say("done", { fields: { "idempotency-key": "job 8" } }),
    say("done"),
  ];
  for (const other of others) await room.ask(other);
  // In another stay, as after a restart.
  await using stream = await room.events();
  setup.room.remove(personOf(room), "removed by ana");
  await stream.ended();
  const again = await room.ask(say("done\nreally\nmore", { fields: key }));
  assertEquals(again.said, { seq: 9, all: [2, 3, 9] });
  const texts = (await setup.logged()).filter(([, what]) => what === "said")
    .map(([, , text]) => text);
  assertEquals(texts, ["done", "really", "done!", "done", "done", "more"]);
});

Deno.test("a request that comes again under its key is known while another's line has its number alone", async () => {
  await using room = await HttpSetup.create();
  const request = say("done", { fields: { "idempotency-key": "job 7" } });
  const { seq } = (await room.ask(request)).said;
  const ana = await room.setup.connect();
  await ana.join("ana");
  const { history } = room.setup;
  const { head } = history;
  const recall = history.recall.bind(history);
  history.recall = (line) => line === head ? undefined : recall(line);
  assertEquals((await room.ask(request)).said.seq, seq);
});

Deno.test("line can't be forged in the log, whatever stands in the text", async () => {
  await using room = await HttpSetup.create();
  const forged = "x\r2026-11-23T17:06:07.004Z k3df9q2mx7ta41cz.Yk3xQ0p1a2c.1";
  const texts = [
    `${forged} | ana: hi`,
    "\u001b[2J\u0007",
    "x\u2028\u2029\u0085x",
    "\u202egnp.exe",
    "back\\slash \\n",
    "ana: hi",
    " | ",
  ];
  const json = { fields: { "content-type": "application/json" } };
  for (const text of texts) {
    const { status } = await room.ask(say(JSON.stringify({ text }), json));
    assertEquals(status, 200, text);
  }
  const broken = "a\nb\r\nc";
  await room.ask(say(JSON.stringify({ text: broken }), json));
  const said = (await room.setup.logged()).slice(1).map(([, , text]) => text);
  assertEquals(said, [...texts, broken]);
  const log = await Deno.readTextFile(`${room.setup.folder}/chat.log`);
  assertEquals(log.split("\n").length, texts.length + 3);
  assert(/^[ -~\n]*$/.test(log), log);
});

Deno.test("sealed room is for clients, and every request is told so", async () => {
  await using room = await HttpSetup.create({ isSealed: true });
  for (const asked of [say("hi"), { method: "GET", path: "/events" }]) {
    const { status, said } = await room.ask(asked);
    assertEquals(status, 409);
    assertEquals(
      said.error,
      "The room is sealed: only its members' clients can say and read anything there",
    );
  }
});

Deno.test("name is the same person with another token, in another run, and however it is written", async () => {
  await using room = await HttpSetup.create();
  await room.ask(say("one"));
  const { id } = personOf(room);
  await room.replaceTokens(`nobody ${TOKEN}\n`);
  await room.ask(say("two"));
  await room.replaceTokens(`HTTP ${OTHER_TOKEN}\n`);
  const { status } = await room.ask(say("three", { token: OTHER_TOKEN }));
  assertEquals(status, 200);
  assertEquals(personOf(room).id, id);
});

Deno.test("room that is full, and a log that can't be written, are told as what may pass", async () => {
  await using room = await HttpSetup.create();
  for (let count = 0; count < 9; count++) {
    const member = await room.setup.connect();
    await member.join(`ana${count}`);
  }
  const full = await room.ask(say("hi"));
  assertEquals([full.status, full.said.reason], [503, "room-full"]);
  assertEquals(full.fields.get("retry-after"), "10");
  await using other = await HttpSetup.create();
  await other.ask(say("hi"));
  await other.setup.log.close();
  const failed = await other.ask(say("more"));
  assertEquals([failed.status, failed.said.reason], [503, "log-failed"]);
  assertEquals(failed.said.error, REFUSALS["log-failed"]);
});

Deno.test("HttpPort.close() lets be said what was taken, and answers it", async () => {
  await using room = await HttpSetup.create();
  await room.ask(say("first"));
  await using stream = await room.events();
  const texts = Array.from({ length: 20 }, (_, at) => `line ${at}`);
  const answers = texts.map((text) => room.ask(say(text)).catch(() => null));
  await stream.until(() => stream.texts.length > 0);
  await room.http.close();
  await stream.ended();
  const seqs = new Set<number>();
  for (const answer of await Promise.all(answers)) {
    if (answer?.status !== 200) continue;
    seqs.add(answer.said.seq ?? 0);
  }
  const said = (await room.setup.logged()).filter(([, what]) =>
    what === "said"
  );
  assert(seqs.size > 0);
  assertEquals(said.length, seqs.size + 1); // what is in the log was answered
});

Deno.test("HttpPort.close() waits for no request that hasn't come yet", async () => {
  await using room = await HttpSetup.create();
  const { port } = room;
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await writeAll(conn, new TextEncoder().encode("POST /say HTTP/1.1\r\n"));
  await room.clock.turn();
  await room.http.close(); // while the clock stands still
  assertEquals(await readToEnd(conn), "");
});

Deno.test("HttpPort.close() waits a second for what is being said, and another for its answer, and then ends it", async () => {
  await using room = await HttpSetup.create();
  const { clock, port } = room;
  await withLateLog(room.setup.log, async (comes) => {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port });
    await writeAll(conn, requestBytes(say("hi", { token: TOKEN })));
    let isEnded = false;
    const reading = readToEnd(conn).finally(() => isEnded = true);
    await comes;
    let isClosed = false;
    const closing = room.http.close().then(() => isClosed = true);
    for (const ms of [999, 1, 999]) {
      await clock.waiting(2, 1_000); // the request, and what closes
      clock.advance(ms);
      await clock.turn();
      assertEquals([isClosed, isEnded], [false, false]);
    }
    await clock.waiting(2, 1_000);
    clock.advance(1);
    await closing;
    assertEquals(await reading, "");
    assertEquals(clock.pending, 1); // nothing ticks any more
  });
});

Deno.test("HttpPort goes on after somebody who couldn't be accepted, and looks at its tokens' file for each request", async () => {
  const errors = [new Deno.errors.ConnectionReset("gone")];
  await using room = await HttpSetup.create({}, errors);
  assertEquals((await room.ask(say("hi"))).status, 200);
  assertEquals(errors, []);
  errors.push(new Error("full"));
  const { clock } = room;
  const heard = await overhear("warning", async () => {
    const { pending } = clock;
    const asked = room.ask(say("later"));
    await clock.waiting(pending + 2, 1_000);
    clock.advance(250);
    assertEquals((await asked).status, 200);
  });
  assertEquals(heard.map((it) => it.split(".")[0]), [
    "warning gate: Cannot accept a connection: full",
  ]);
  await using stream = await room.events();
  await room.replaceTokens(`http ${OTHER_TOKEN}\n`);
  assertEquals((await room.ask(say("hi"))).status, 401);
  await stream.ended();
});

Deno.test("HttpPort tells its owner what is to be known of it, and how a program comes", async () => {
  await using folder = await Folder.make();
  const path = await folder.write("tokens", `backup ${TOKEN}\n`);
  const none = await folder.write("none", "");
  const at = async (host: string, tokens: string | undefined) => {
    const made: string[] = [];
    using port = await HttpPort.open({
      address: { host, port: 0 },
      tokens,
      requestTime: 2_000,
      onMade: (it) => void made.push(it),
    });
    const { listening, warning, example } = port;
    return { listening, warning, example, made };
  };
  const here = await at("127.0.0.1", path);
  assertEquals(here, {
    listening: here.listening,
    warning: undefined,
    example: { name: "backup", url: `http://${here.listening}` },
    made: [],
  });
  assertMatch(here.listening, /^127\.0\.0\.1:[1-9]\d*$/);
  assertEquals((await at("localhost", path)).warning, undefined);
  const open = await at("0.0.0.0", path);
  const [, number] = open.listening.split(":");
  assertEquals(open.example?.url, `http://127.0.0.1:${number}`);
  assertEquals(
    open.warning,
    `What programs say to ${open.listening} crosses the network as it is, with their tokens: put a proxy with TLS before it`,
  );
  const sealed = await at("0.0.0.0", undefined);
  assertEquals([sealed.warning, sealed.example], [
    "The room is sealed: every request by --http is refused",
    undefined,
  ]);
  assertEquals((await at("127.0.0.1", none)).example, undefined);
  const fresh = folder.file("fresh");
  assertEquals((await at("127.0.0.1", fresh)).made, [fresh]);
});

Deno.test("HttpPort.open() fails where another listens, and leaves the port free where the tokens can't be used", async () => {
  await using folder = await Folder.make();
  const tokens = await folder.write("tokens", "backup");
  const address = { host: "127.0.0.1", port: freePort() };
  const options = { address, requestTime: 2_000, onMade: () => {} };
  const wrong = () => HttpPort.open({ ...options, tokens });
  await assertRejects(wrong, FileError, tokens);
  using _clock = new ManualClock(); // nothing is waited for
  using port = await HttpPort.open({ ...options, tokens: undefined });
  const { message } = await assertRejects(wrong, AdvisedError);
  assertEquals(message, `Port ${address.port} is in use`);
  assertEquals(port.readers, 0);
  await port.close();
  await port.close();
});

Deno.test("what a request fails of is told to the owner by whose fault it is", async () => {
  await using room = await HttpSetup.create();
  const { history } = room.setup;
  await room.ask(say("one"));
  const heard = async (level: string, what: () => Promise<unknown>) =>
    (await overhear(level, what)).filter((it) => it.includes("127.0.0.1: "));
  assertEquals(
    await heard("info", () => room.ask(say("hi", { token: "x".repeat(43) }))),
    ["warning http: 127.0.0.1: That token is not one of this server's"],
  );
  const { ConnectionReset, BrokenPipe, Interrupted, ConnectionAborted } =
    Deno.errors;
  const broken = "debug http: 127.0.0.1: no";
  const told: readonly [Error, string][] = [
    [new Error("no"), "error http: 127.0.0.1: the request failed: no"],
    [new StalledError("no"), "info http: 127.0.0.1: no"],
    [new WireError("no"), broken],
    [new Deno.errors.BadResource("no"), broken],
    [new ConnectionReset("no"), broken],
    [new BrokenPipe("no"), broken],
    [new Interrupted("no"), broken],
    [new ConnectionAborted("no"), broken],
  ];
  for (const [error, words] of told) {
    const fail = () => () => Promise.reject(error);
    const failed = await heard(
      "debug",
      () =>
        withMethod(history, "start", fail, async () => {
          await using stream = await room.events(1).catch(() => undefined);
          await stream?.ended();
        }),
    );
    assertEquals(failed, [words]);
  }
  const cut = await heard("debug", async () => {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port: room.port });
    const bytes = requestBytes(say("broken off", { token: TOKEN }));
    await writeAll(conn, bytes.subarray(0, -1));
    await conn.closeWrite();
    assertEquals(await readToEnd(conn), "");
  });
  assertEquals(cut, [
    "debug http: 127.0.0.1: The body of a request broke off",
  ]);
  const looked = await heard("debug", async () => {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port: room.port });
    await conn.closeWrite();
    assertEquals(await readToEnd(conn), "");
  });
  assertEquals(looked, []);
});
