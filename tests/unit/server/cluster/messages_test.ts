/**
 * Messages between servers of a room: who hears them, what becomes of questions, and that nothing that is sent again, changed or
 * made up does harm.
 *
 * @module
 */

import type { Bytes } from "../../../../crypto_utils.ts";
import { pause } from "../../../../src/base/timing.ts";
import { Freshness, Recent } from "../../../../src/server/cluster/freshness.ts";
import { freshServerId } from "../../../../src/server/cluster/keys.ts";
import {
  MAX_MESSAGE,
  Messages,
} from "../../../../src/server/cluster/messages.ts";
import type { Message } from "../../../../src/server/cluster/siblings.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
} from "../../../kit/assert.ts";
import { clusterKeys } from "../../../kit/cluster_keys.ts";
import { MemoryNats, type MemoryWire } from "../../../kit/memory_wire.ts";

const keys = await clusterKeys("room");
/** For questions that are answered: long enough on the slowest machine. */
const LONG = 60_000;

/** A server that notes what it hears. */
class Server implements AsyncDisposable {
  readonly wire: MemoryWire;
  readonly messages: Messages;
  readonly heard: { readonly message: Message; readonly from: string }[] = [];
  #more = Promise.withResolvers<void>();

  constructor(nats: MemoryNats, by = keys) {
    this.wire = nats.wire();
    this.messages = new Messages(this.wire, by, freshServerId());
    this.messages.hear("news", (message, from) => {
      this.heard.push({ message, from });
      this.#more.resolve();
      this.#more = Promise.withResolvers();
      return undefined;
    });
  }

  get id(): string {
    return this.messages.own;
  }

  /** The numbers that it has heard, once it has heard one. */
  async numbers(last: number): Promise<unknown[]> {
    while (!this.heard.some(({ message }) => message["n"] === last)) {
      await this.#more.promise;
    }
    return this.heard.map(({ message }) => message["n"]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.messages[Symbol.asyncDispose]();
  }
}

Deno.test("What a server tells all, the others hear once and in order, and it doesn't itself", async () => {
  const nats = new MemoryNats();
  await using a = new Server(nats);
  await using b = new Server(nats);
  await using c = new Server(nats);
  const numbers = Array.from({ length: 200 }, (_, n) => n);
  a.messages.tell("news", { n: 0 });
  await Promise.all([b.numbers(0), c.numbers(0)]);
  for (const n of numbers.slice(1)) {
    a.messages.tell("news", { n, filled: "x".repeat(n % 7 * 20_000) });
  }
  assertEquals(await b.numbers(199), numbers);
  assertEquals(await c.numbers(199), numbers);
  assertEquals(a.heard, []);
  assert(b.heard.every(({ from }) => from === a.id));
});

Deno.test("What is for one server, it alone hears", async () => {
  const nats = new MemoryNats();
  await using a = new Server(nats);
  await using b = new Server(nats);
  await using c = new Server(nats);
  a.messages.tell("news", { n: 1 }, b.id);
  a.messages.tell("news", { n: 2 });
  assertEquals(await b.numbers(2), [1, 2]);
  assertEquals(await c.numbers(2), [2]);
});

Deno.test("NATS can read neither a question nor its answer", async () => {
  const nats = new MemoryNats();
  await using a = new Server(nats);
  await using b = new Server(nats);
  b.messages.hear("card", () => ({ answer: "a secret" }));
  const said = { question: "secret" };
  const heard = await a.messages.ask("card", said, { time: LONG });
  assertEquals(heard?.message, { answer: "a secret" });
  for (const { data } of nats.sent) {
    const text = new TextDecoder("latin1").decode(data);
    assert(!/secret|question|answer/.test(text));
  }
});

Deno.test("A question to one or to all gets the first answer, and from whom it is", async () => {
  const nats = new MemoryNats();
  await using a = new Server(nats);
  await using b = new Server(nats);
  await using c = new Server(nats);
  b.messages.hear("sum", ({ x, y }) => ({ sum: Number(x) + Number(y) }));
  c.messages.hear("sum", () => undefined); // another may know it
  const numbers = { x: 2, y: 3 };
  const all = await a.messages.ask("sum", numbers, { time: LONG });
  assertEquals(all, { from: b.id, message: { sum: 5 } });
  const one = await a.messages.ask("sum", numbers, { time: LONG, to: b.id });
  assertEquals(one, { from: b.id, message: { sum: 5 } });
});

Deno.test("A question that nobody answers, or one's own end, gives nothing", async () => {
  const nats = new MemoryNats();
  const a = new Server(nats);
  await using b = new Server(nats);
  b.messages.hear("none", () => undefined);
  b.messages.hear("broken", () => {
    throw new TypeError("a defect");
  });
  for (const topic of ["none", "unheard", "broken"]) {
    const asked = nats.sent.length + 1;
    assertEquals(await a.messages.ask(topic, {}, { time: 1 }), undefined);
    while (nats.sent.length < asked) await pause(1); // sealing may take longer
  }
  const pending = a.messages.ask("none", {}, { time: LONG });
  const ending = a[Symbol.asyncDispose]();
  assertEquals(await pending, undefined);
  assertEquals(await a.messages.ask("none", {}, { time: LONG }), undefined);
  await ending;
});

Deno.test("While a server is cut off, what it says gets lost, and what it says after that doesn't", async () => {
  const nats = new MemoryNats();
  await using a = new Server(nats);
  await using b = new Server(nats);
  a.messages.tell("news", { n: 1 });
  await b.numbers(1);
  a.wire.cut();
  a.messages.tell("news", { n: 2 });
  a.wire.join();
  a.messages.tell("news", { n: 3 });
  assertEquals(await b.numbers(3), [1, 3]);
});

Deno.test("A message of more than 900 kB isn't sent, and one of 900 kB is", async () => {
  const nats = new MemoryNats();
  await using a = new Server(nats);
  await using b = new Server(nats);
  const bare = JSON.stringify({ topic: "news", body: { n: 1, x: "" } }).length;
  const x = "x".repeat(MAX_MESSAGE - bare);
  const long = { n: 1, x: `${x}x` };
  const why = "Cannot send a message of 900001 bytes";
  assertThrows(() => a.messages.tell("news", long), RangeError, why);
  await assertRejects(
    () => a.messages.ask("news", long, { time: LONG }),
    RangeError,
    "the most is 900000",
  );
  a.messages.tell("news", { n: 1, x });
  assertEquals(await b.numbers(1), [1]);
});

// ── What whoever runs NATS may try ─────────────────────────────────────────────────────────────────────

Deno.test("What comes twice is heard once", async () => {
  const nats = new MemoryNats();
  nats.pass = (_, data) => [data, data, data];
  await using a = new Server(nats);
  await using b = new Server(nats);
  let asked = 0;
  b.messages.hear("count", () => ({ asked: ++asked }));
  a.messages.tell("news", { n: 1 });
  const options = { time: LONG };
  const answer = await a.messages.ask("count", {}, options);
  assertEquals(answer?.message, { asked: 1 });
  a.messages.tell("news", { n: 2 });
  assertEquals(await b.numbers(2), [1, 2]);
  assertEquals(asked, 1);
});

Deno.test("What was heard isn't heard when it is sent again later", async () => {
  const nats = new MemoryNats();
  await using a = new Server(nats);
  await using b = new Server(nats);
  for (const n of [1, 2, 3]) a.messages.tell("news", { n });
  await b.numbers(3);
  for (const { subject, data } of [...nats.sent]) {
    nats.send(subject, data);
  }
  a.messages.tell("news", { n: 4 });
  assertEquals(await b.numbers(4), [1, 2, 3, 4]);
});

Deno.test("What a server said that is dead by now doesn't make it live for one that has just started", async () => {
  const nats = new MemoryNats();
  const dead = new Server(nats);
  await using a = new Server(nats);
  for (const n of [1, 2]) dead.messages.tell("news", { n });
  await a.numbers(2);
  const recorded = [...nats.sent];
  await dead[Symbol.asyncDispose]();
  await using b = new Server(nats);
  const again = () => {
    for (const { subject, data } of recorded) {
      nats.send(subject, data);
    }
  };
  again();
  a.messages.tell("news", { n: 3 });
  assertEquals(await b.numbers(3), [3]);
  again();
  a.messages.tell("news", { n: 4 });
  assertEquals(await b.numbers(4), [3, 4]);
});

Deno.test("What is sent to another server than it was meant for isn't heard there", async () => {
  const nats = new MemoryNats();
  await using a = new Server(nats);
  await using b = new Server(nats);
  await using c = new Server(nats);
  a.messages.tell("news", { n: 1 }, b.id);
  await b.numbers(1);
  const told = nats.sent.filter(({ subject }) => subject.endsWith(b.id));
  for (const { data } of told) {
    nats.send(`to.${c.id}`, data);
    nats.send("news", data);
  }
  a.messages.tell("news", { n: 2 });
  assertEquals(await c.numbers(2), [2]);
  assertEquals(await b.numbers(2), [1, 2]);
});

Deno.test("What is changed, cut short, made up or another room's isn't heard, and what comes after it is", async () => {
  const nats = new MemoryNats();
  await using a = new Server(nats);
  await using b = new Server(nats);
  await using impostor = new Server(nats, await clusterKeys("room", "another"));
  await using other = new Server(nats, await clusterKeys("another"));
  const subject = "news";
  const changed = (data: Bytes): Bytes[] => {
    const bit = data.slice();
    bit[60] = (bit[60] ?? 0) ^ 1;
    const version = data.slice();
    version[0] = 9;
    return [
      bit,
      version,
      data.slice(0, 40),
      data.slice(0, -1),
      data.slice(0, 0),
    ];
  };
  nats.pass = (_, data) => changed(data);
  a.messages.tell("news", { n: 1 });
  impostor.messages.tell("news", { n: 2 });
  // Sealing takes its time.
  while (nats.sent.length < 2) await pause(1);
  nats.pass = (_, data) => [data];
  impostor.messages.tell("news", { n: 3 });
  other.messages.tell("news", { n: 4 });
  nats.send(subject, new TextEncoder().encode('{"topic":"news"}'));
  a.messages.tell("news", { n: 5 });
  assertEquals(await b.numbers(5), [5]);
});

Deno.test("A question takes no notice of the answer to another one, which is sent again", async () => {
  const nats = new MemoryNats();
  await using a = new Server(nats);
  await using b = new Server(nats);
  b.messages.hear("which", ({ n }) => ({ n }));
  const ask = (n: number) => a.messages.ask("which", { n }, { time: LONG });
  assertEquals((await ask(1))?.message, { n: 1 });
  const answers = nats.sent.filter(({ subject }) => subject.endsWith(a.id));
  for (const { subject, data } of answers) nats.send(subject, data);
  assertEquals((await ask(2))?.message, { n: 2 });
});

// ── Which messages are new ─────────────────────────────────────────────────────────────────────────────

Deno.test("Each number of a server counts once, in whatever order they come, and none from before it was met", () => {
  const freshness = new Freshness();
  assertEquals(freshness.knows("a"), false);
  assertEquals(freshness.take("a", 9), false);
  freshness.meet("a", 5);
  const taken = [4, 5, 7, 6, 6, 7, 5, 4_000, 4_000, 8, 2_976, 2_975, 3_999]
    .map((k) => freshness.take("a", k));
  const is = [0, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0, 1].map(Boolean);
  // 4,000 is the last: of those before 2,977 nothing is known any more.
  assertEquals(taken, is.with(10, false));
  freshness.meet("a", 0); // was met
  assertEquals(freshness.take("a", 3), false);
  for (let k = 4_001; k < 20_000; k++) assert(freshness.take("a", k));
  for (let k = 4_001; k < 20_000; k++) assert(!freshness.take("a", k));
});

Deno.test("Of a server's own messages those of the last seconds are recent", () => {
  const recent = new Recent();
  const START = 1_000_000;
  assertEquals(recent.from(0, START), 0);
  for (let k = 0; k < 100; k++) recent.sent(k, START + k * 1_000);
  const now = START + 99_000;
  const from = recent.from(100, now);
  // At least 5 s of them, and no more than 15 s.
  assert(from <= 94 && from >= 84, String(from));
  assertEquals(recent.from(100, now + 60_000), 100);
  recent.sent(100, now + 60_000);
  assertEquals(recent.from(101, now + 60_001), 100);
});
