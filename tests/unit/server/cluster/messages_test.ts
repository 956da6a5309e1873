/**
 * Messages between servers of a room: who hears them, what becomes of questions, and that nothing that is sent again, changed or
 * made up does harm.
 *
 * @module
 */

import type { Bytes } from "../../../../crypto_utils.ts";
import {
  openEnvelope,
  sealEnvelope,
} from "../../../../src/server/cluster/envelope.ts";
import { freshServerId } from "../../../../src/server/cluster/keys.ts";
import { Messages } from "../../../../src/server/cluster/messages.ts";
import type { Message } from "../../../../src/server/cluster/siblings.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
} from "../../../kit/assert.ts";
import { clusterKeys } from "../../../kit/cluster_keys.ts";
import { cryptoIdle } from "../../../kit/crypto_idle.ts";
import { ManualClock } from "../../../kit/memory_stream.ts";
import { MemoryNats, type MemoryWire } from "../../../kit/memory_wire.ts";
import { overhear } from "../../../kit/overhear.ts";
import { replaced } from "../../../kit/replaced.ts";

/** As docs/protocol.md has it. */
const MAX_MESSAGE = 900_000;

const keys = await clusterKeys("room");
/** For questions that are answered. */
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

/** A test between servers, by a clock that stands still: whoever waits in vain waits for nothing then, which ends the test. */
function messagesTest(
  name: string,
  test: (nats: MemoryNats, clock: ManualClock) => Promise<void>,
): void {
  Deno.test(name, async () => {
    using clock = new ManualClock();
    await test(new MemoryNats(), clock);
  });
}

messagesTest(
  "What a server tells all, the others hear once and in order, and it doesn't itself",
  async (nats) => {
    await using a = new Server(nats);
    await using b = new Server(nats);
    await using c = new Server(nats);
    const numbers = Array.from({ length: 60 }, (_, n) => n);
    a.messages.tell("news", { n: 0 });
    await Promise.all([b.numbers(0), c.numbers(0)]);
    for (const n of numbers.slice(1)) {
      a.messages.tell("news", { n, filled: "x".repeat(n % 7 * 20_000) });
    }
    assertEquals(await b.numbers(59), numbers);
    assertEquals(await c.numbers(59), numbers);
    assertEquals(a.heard, []);
    assert(b.heard.every(({ from }) => from === a.id));
  },
);

messagesTest("What is for one server, it alone hears", async (nats) => {
  await using a = new Server(nats);
  await using b = new Server(nats);
  await using c = new Server(nats);
  a.messages.tell("news", { n: 1 }, b.id);
  a.messages.tell("news", { n: 2 });
  assertEquals(await b.numbers(2), [1, 2]);
  assertEquals(await c.numbers(2), [2]);
});

messagesTest(
  "NATS can read neither a question nor its answer",
  async (nats) => {
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
  },
);

messagesTest(
  "A question to one or to all gets the first answer, and from whom it is",
  async (nats) => {
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
  },
);

messagesTest(
  "A question that nobody answers in time, or one's own end, gives nothing",
  async (nats, clock) => {
    const a = new Server(nats);
    await using b = new Server(nats);
    b.messages.hear("none", () => undefined);
    b.messages.hear("broken", () => {
      throw new TypeError("a defect");
    });
    const errors = await overhear("warning", async () => {
      for (const topic of ["none", "unheard", "broken"]) {
        const asked = a.messages.ask(topic, {}, { time: 1_000, to: b.id });
        await pass(clock, 999);
        assertEquals(clock.pending, 1);
        await pass(clock, 1);
        assertEquals(await asked, undefined);
        assertEquals(clock.pending, 0);
      }
    });
    assertEquals(errors.length, 1);
    assertMatch(errors[0] ?? "", /asks \("broken"\): a defect$/);
    const answers = nats.sent.filter(({ subject }) => subject === `to.${a.id}`);
    assertEquals(answers.length, 1); // that it is there
    const pending = a.messages.ask("none", {}, { time: LONG });
    const ending = a[Symbol.asyncDispose]();
    assertEquals(await pending, undefined);
    assertEquals(await a.messages.ask("none", {}, { time: LONG }), undefined);
    await ending;
  },
);

messagesTest(
  "While a server is cut off, what it says gets lost, and what it says after that doesn't",
  async (nats) => {
    await using a = new Server(nats);
    await using b = new Server(nats);
    a.messages.tell("news", { n: 1 });
    await b.numbers(1);
    a.wire.cut();
    a.messages.tell("news", { n: 2 });
    a.wire.join();
    a.messages.tell("news", { n: 3 });
    assertEquals(await b.numbers(3), [1, 3]);
  },
);

messagesTest(
  "A message of more than 900 kB isn't sent, and one of 900 kB is",
  async (nats) => {
    await using a = new Server(nats);
    await using b = new Server(nats);
    const bare =
      JSON.stringify({ topic: "news", body: { n: 1, x: "" } }).length;
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
  },
);

// ── What whoever runs NATS may try ─────────────────────────────────────────────────────────────────────

messagesTest("What comes twice is heard once", async (nats) => {
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

messagesTest(
  "What was heard isn't heard when it is sent again later",
  async (nats) => {
    await using a = new Server(nats);
    await using b = new Server(nats);
    for (const n of [1, 2, 3]) a.messages.tell("news", { n });
    await b.numbers(3);
    for (const { subject, data } of [...nats.sent]) {
      nats.send(subject, data);
    }
    a.messages.tell("news", { n: 4 });
    assertEquals(await b.numbers(4), [1, 2, 3, 4]);
  },
);

messagesTest(
  "What a server said that is dead by now doesn't make it live for one that has just started",
  async (nats) => {
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
  },
);

messagesTest(
  "What is sent to another server than it was meant for isn't heard there",
  async (nats) => {
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
  },
);

messagesTest(
  "What is changed, cut short, made up or another room's isn't heard, and what comes after it is",
  async (nats) => {
    await using a = new Server(nats);
    await using b = new Server(nats);
    await using impostor = new Server(
      nats,
      await clusterKeys("room", "another"),
    );
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
    const told = await overhear("warning", async () => {
      nats.pass = (_, data) => changed(data);
      a.messages.tell("news", { n: 1 });
      impostor.messages.tell("news", { n: 2 });
      await cryptoIdle();
      assertEquals(nats.sent.length, 2);
      nats.pass = (_, data) => [data];
      impostor.messages.tell("news", { n: 3 });
      other.messages.tell("news", { n: 4 });
      nats.send(subject, new TextEncoder().encode('{"topic":"news"}'));
      a.messages.tell("news", { n: 5 });
      assertEquals(await b.numbers(5), [5]);
    });
    assert(told.length > 0);
    const skipped = "warning servers: Skipped a message of another server: ";
    for (const line of told) {
      assert(line.startsWith(skipped) || line.includes(" more like it"), line);
    }
  },
);

messagesTest(
  "A question takes no notice of the answer to another one, which is sent again and does nothing",
  async (nats) => {
    await using a = new Server(nats);
    await using b = new Server(nats);
    b.messages.hear("which", ({ n }) => ({ n }));
    const ask = (n: number) => a.messages.ask("which", { n }, { time: LONG });
    assertEquals((await ask(1))?.message, { n: 1 });
    const answers = nats.sent.filter(({ subject }) => subject.endsWith(a.id));
    const told = await overhear("warning", async () => {
      for (const { subject, data } of answers) nats.send(subject, data);
      assertEquals((await ask(2))?.message, { n: 2 });
    });
    assertEquals(told, []);
  },
);

/** What a server would say, sealed by hand. @param k Its number there. */
async function sealedBy(
  server: string,
  k: number,
  said: unknown,
): Promise<Bytes> {
  const content = new TextEncoder().encode(JSON.stringify(said));
  const place = { purpose: "message", server, k } as const;
  return await sealEnvelope(keys, place, content);
}

messagesTest("What no server says isn't heard, and is told", async (nats) => {
  await using a = new Server(nats);
  await using b = new Server(nats);
  a.messages.tell("news", { n: 0 });
  await b.numbers(0);
  const right = { topic: "news", body: { n: 1 } };
  const wrong = [
    ...[1, null, "x".repeat(65)].map((topic) => ({ ...right, topic })),
    ...[1, null, "x".repeat(65)].map((ask) => ({ ...right, ask })),
    ...[1, null, "x".repeat(65)].map((answers) => ({ answers, body: {} })),
    ...[1, null, "me"].map((to) => ({ ...right, to })),
    ...[1, null, "text", [], undefined].map((body) => ({ ...right, body })),
    { ...right, answers: "id" },
    { body: { n: 1 } },
  ];
  const data = await Promise.all(
    wrong.map((said, at) => sealedBy(a.id, 100 + at, said)),
  );
  for (let at = 0; at < data.length; at += 10) { // more aren't told at once
    const some = data.slice(at, at + 10);
    const warned = await overhear("warning", async () => {
      for (const each of some) b.wire.receive("news", each);
      await cryptoIdle();
    });
    const why = "Skipped a message of another server: it says nothing";
    const said = warned.filter((line) => line.includes(why));
    assertEquals(said.length, some.length);
  }
  const whole = { ...right, ask: "x".repeat(64), to: b.id };
  b.wire.receive(
    "news",
    await sealedBy(a.id, 200, { ...whole, body: { n: 2 } }),
  );
  assertEquals(await b.numbers(2), [0, 2]);
});

/** A size of which whole numbers come to the limits, and a message that counts for so much. */
const COUNTED = 524_288;
function counted(body: Message): Message {
  const length = COUNTED - 512 - 45 - 8 * 16; // without the header, and what eight pieces have beside
  const bare = JSON.stringify({ topic: "news", body: { ...body, x: "" } });
  return { ...body, x: "x".repeat(length - bare.length) };
}

messagesTest(
  "Of messages that come faster than they open, those beyond 32 MiB are dropped, and later ones aren't",
  async (nats) => {
    await using a = new Server(nats);
    await using b = new Server(nats);
    a.messages.tell("news", { n: 0 });
    await b.numbers(0);
    const most = 32 * 1_048_576 / COUNTED;
    const news = (n: number, body: Message) =>
      sealedBy(a.id, n + 100, { topic: "news", body });
    const first = await news(1, counted({ n: 1 }));
    const second = await news(2, { n: 2 });
    assertEquals(first.length, COUNTED - 512);
    const warned = await overhear("warning", async () => {
      for (let i = 0; i < most; i++) b.wire.receive("news", first);
      b.wire.receive("news", second);
      assertEquals(await b.numbers(1), [0, 1]);
      await cryptoIdle();
      b.wire.receive("news", second);
      assertEquals(await b.numbers(2), [0, 1, 2]);
    });
    const dropped = warned.filter((it) => it.includes("too many come at once"));
    assertEquals(dropped.length, 1);
  },
);

/** Hears all that can be heard, and lets a time pass, ms. */
async function pass(clock: ManualClock, ms: number): Promise<void> {
  for (let i = 0; i < 3; i++) await cryptoIdle();
  clock.advance(ms);
  for (let i = 0; i < 3; i++) await cryptoIdle();
}

messagesTest(
  "Of servers that don't show that they are there, 4 MiB are held for 3 s, and count for nothing then",
  async (nats, clock) => {
    await using b = new Server(nats);
    const dead = freshServerId();
    const data = await Promise.all(
      Array.from(
        { length: 9 },
        (_, n) => sealedBy(dead, n, { topic: "news", body: counted({ n }) }),
      ),
    );
    for (let round = 0; round < 2; round++) {
      const warned = await overhear("warning", async () => {
        for (const each of data) nats.send("news", each);
        await pass(clock, 2_999);
        assertEquals(
          nats.sent.filter(({ subject }) => subject === `to.${dead}`).length,
          round + 1,
        );
        await pass(clock, 1);
      });
      const count = (why: string) =>
        warned.filter((line) => line.includes(why)).length;
      assertEquals([count("servers that don't answer"), count("an old one")], [
        1,
        8,
      ]);
    }
    assertEquals(b.heard, []);
  },
);

messagesTest(
  "Of 32 servers that aren't known yet messages are held, and of no more",
  async (nats, clock) => {
    await using b = new Server(nats);
    const say = (server: string) =>
      sealedBy(server, 0, { topic: "news", body: { n: 0 } });
    const ids = Array.from({ length: 33 }, freshServerId);
    const [first = ""] = ids;
    const warned = await overhear("warning", async () => {
      for (const id of [...ids, first]) nats.send("news", await say(id));
      await pass(clock, 0);
    });
    assertEquals(
      warned.filter((it) => it.includes("servers that don't answer")).length,
      1,
    );
    assertEquals(
      nats.sent.filter(({ subject }) => subject !== "news").length,
      32,
    );
    await pass(clock, 3_000);
    assertEquals(b.heard, []);
  },
);

messagesTest(
  "A server shows itself that it is there, and from which number on, as a number",
  async (nats) => {
    await using b = new Server(nats);
    const tried: readonly (readonly [
      answers: boolean,
      from: unknown,
      heard: readonly unknown[],
    ])[] = [
      [true, 1, [1, 2]],
      [true, "1", []],
      [true, -1, []],
      [true, undefined, []],
      [false, 0, []],
    ];
    for (const [isItself, from, heard] of tried) {
      const server = freshServerId();
      const other = freshServerId();
      const meeting = Promise.withResolvers<Bytes>();
      nats.pass = (subject, data) => {
        if (subject === `to.${server}`) meeting.resolve(data);
        return [data];
      };
      for (const n of [0, 1, 2]) {
        const body = { n };
        nats.send("news", await sealedBy(server, n, { topic: "news", body }));
      }
      const { value } = await openEnvelope(
        keys,
        "message",
        await meeting.promise,
      );
      assertEquals([value["topic"], value["to"]], ["meet", server]);
      const answer = { to: b.id, answers: value["ask"], body: { from } };
      const by = isItself ? server : other;
      nats.send(`to.${b.id}`, await sealedBy(by, 9, answer));
      await cryptoIdle();
      const numbers = b.heard.splice(0).map(({ message }) => message["n"]);
      assertEquals(numbers, heard, String(from));
    }
  },
);

messagesTest(
  "A server that has just started hears what another one said in the last 5 s, and nothing older",
  async (nats, clock) => {
    await using a = new Server(nats);
    await pass(clock, 60_000);
    for (const n of [1, 2, 3]) {
      a.messages.tell("news", { n });
      await pass(clock, n < 3 ? 5_000 : 0);
    }
    await using b = new Server(nats);
    for (const { data } of [...nats.sent]) nats.send("news", data);
    a.messages.tell("news", { n: 4 });
    assertEquals(await b.numbers(4), [2, 3, 4]);
    await pass(clock, 10_000);
    await using c = new Server(nats);
    for (const { data } of [...nats.sent]) nats.send("news", data);
    a.messages.tell("news", { n: 5 });
    assertEquals(await c.numbers(5), [5]);
  },
);

messagesTest(
  "At its end a server waits for what it is sealing, hears nothing more, and says nothing of what it holds of strangers",
  async (nats) => {
    await using a = new Server(nats);
    const b = new Server(nats);
    a.messages.tell("news", { n: 0 });
    await b.numbers(0);
    const { length } = nats.sent;
    const more = await sealedBy(a.id, 100, { topic: "news", body: { n: 1 } });
    const said = { topic: "news", body: {} };
    const strange = await sealedBy(freshServerId(), 0, said);
    const told = await overhear("warning", async () => {
      b.wire.receive("news", strange);
      await cryptoIdle();
      assertEquals(nats.sent.length, length + 1); // to the stranger
      b.messages.tell("news", { n: 2 });
      b.wire.receive("news", more);
      await Promise.resolve(); // it is being opened
      await b[Symbol.asyncDispose]();
      // Perhaps the first asks by now who the second is.
      const sent = nats.sent.slice(length + 1).filter(({ subject }) =>
        subject !== `to.${b.id}`
      );
      assertEquals(sent.map(({ subject }) => subject), ["news"]);
      await cryptoIdle();
    });
    assertEquals([told, b.heard.length], [[], 1]);
  },
);

messagesTest(
  "Who asks whether a server is there, and wants no answer, gets none",
  async (nats) => {
    await using a = new Server(nats);
    await using b = new Server(nats);
    a.messages.tell("news", { n: 0 });
    await b.numbers(0);
    const { length } = nats.sent;
    b.wire.receive(
      "news",
      await sealedBy(a.id, 9, { topic: "meet", body: {} }),
    );
    await cryptoIdle();
    assertEquals(nats.sent.length, length);
  },
);

messagesTest(
  "A defect of sealing or opening is told as an error, with what it is",
  async (nats) => {
    await using a = new Server(nats);
    await using b = new Server(nats);
    a.messages.tell("news", { n: 0 });
    await b.numbers(0);
    const data = await sealedBy(a.id, 9, { topic: "news", body: { n: 1 } });
    const told = await overhear("warning", async () => {
      const fail = () => Promise.reject(new TypeError("a defect"));
      using _ = replaced(SubtleCrypto.prototype, "importKey", fail);
      a.messages.tell("news", { n: 2 });
      await cryptoIdle();
      b.wire.receive("news", data);
      await cryptoIdle();
    });
    assertEquals(told, [
      "error servers: Cannot send a message to other servers: a defect",
      "error servers: a defect",
    ]);
    a.messages.tell("news", { n: 3 });
    assertEquals(await b.numbers(3), [0, 3]);
  },
);

messagesTest(
  "A message that can't be sent is told, and those after it are sent",
  async (nats) => {
    await using a = new Server(nats);
    await using b = new Server(nats);
    const send = a.wire.send.bind(a.wire);
    const errors = await overhear("error", async () => {
      a.wire.send = () => {
        throw new TypeError("a defect");
      };
      a.messages.tell("news", { n: 1 });
      await cryptoIdle();
      a.wire.send = send;
      a.messages.tell("news", { n: 2 });
      assertEquals(await b.numbers(2), [2]);
    });
    assertEquals(errors.length, 1);
    assertMatch(
      errors[0] ?? "",
      /Cannot send a message to other servers: a def/,
    );
  },
);

messagesTest(
  "What another server asks for is answered to it, and what goes wrong there is told here",
  async (nats) => {
    await using a = new Server(nats);
    await using b = new Server(nats);
    b.messages.hear("broken", () => {
      throw new TypeError("a defect");
    });
    const warned = await overhear("error", async () => {
      a.messages.tell("broken", {});
      a.messages.tell("news", { n: 1 });
      await b.numbers(1);
      await cryptoIdle();
    });
    assertEquals(warned.length, 1);
    assertMatch(warned[0] ?? "", /asks \("broken"\): a defect/);
    b.messages.hear("sum", () => ({ sum: 5 }));
    a.messages.tell("sum", {}); // which wants no answer
    await a.messages.ask("sum", {}, { time: LONG });
    const answers = nats.sent.filter(({ subject }) => subject === `to.${a.id}`);
    assertEquals(answers.length, 2); // to "meet", and that one
  },
);
