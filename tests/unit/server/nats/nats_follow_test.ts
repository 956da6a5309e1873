/**
 * Following a stream whose consumers lose things, fall silent or are lost themselves: entries come in order, each once, or it
 * is said that they never will. NATS is in memory here, and says what a real one would.
 *
 * @module
 */

import type { Msg, Subscription } from "@nats-io/transport-node";
import {
  type StreamEntry,
  StreamError,
  StreamLostError,
  type StreamState,
} from "../../../../src/server/cluster/wire.ts";
import { follow } from "../../../../src/server/nats/nats_follow.ts";
import type { RoomStream } from "../../../../src/server/nats/nats_stream.ts";
import { assertEquals, assertRejects } from "../../../kit/assert.ts";
import { ManualClock } from "../../../kit/memory_stream.ts";

/** How often something is waited for: more, and it never comes. */
const MAX_TURNS = 10;
const { setTimeout: later } = globalThis;

/** What one consumer pushes. */
class Consumer {
  /** Whether it is over. */
  isOver = false;
  /** How often flow control was answered. */
  responses = 0;
  #pushed = 0;
  #received = 0;
  readonly #queue: Msg[] = [];
  #wake: () => void = () => {};

  constructor(readonly subject: string) {}

  /** The library's way to hear it. */
  get subscription(): Subscription {
    return {
      getReceived: () => this.#received,
      unsubscribe: () => {
        this.isOver = true;
        this.#wake();
      },
      [Symbol.asyncIterator]: () => this.#messages(),
    } as unknown as Subscription;
  }

  async *#messages(): AsyncGenerator<Msg> {
    for (;;) {
      const next = this.#queue.shift();
      if (next) yield next;
      else if (this.isOver) return;
      else await new Promise<void>((wake) => this.#wake = wake);
    }
  }

  #say(message: Partial<Msg>): void {
    this.#queue.push(message as Msg);
    this.#received++;
    this.#wake();
  }

  /** Pushes an entry. @param seq Its place. @param skipped How many before it got lost. */
  push(
    seq: number,
    { skipped = 0, nanos = nanosOf(seq), domain = "", end = "" } = {},
  ): void {
    this.#pushed += 1 + skipped;
    const rest = `chat_r.c.1.${seq}.${this.#pushed}.${nanos}.0`;
    const data = new Uint8Array([seq]);
    this.#say({ reply: `$JS.ACK.${domain}${rest}${end}`, data });
  }

  /** Says that there is nothing new. */
  beat(headers: Readonly<Record<string, string | number>> = {}): void {
    const all = { "Nats-Last-Consumer": this.#pushed, ...headers };
    const get = (name: string) => `${(all as typeof headers)[name] ?? ""}`;
    this.#say({ headers: { get } as unknown as NonNullable<Msg["headers"]> });
  }

  /** Says nothing at all. */
  sayNothing(): void {
    this.#say({});
  }

  /** Asks whether all before is consumed. */
  ask(): void {
    const respond = () => (this.responses++, true);
    this.#say({ reply: "$JS.FC.chat_r.c", respond });
  }
}

function nanosOf(seq: number): string {
  return `${1_764_061_567_000 + seq}999999`;
}

/** A stream, and one who follows it from entry 1 on. */
class Followed implements AsyncDisposable {
  readonly clock = new ManualClock();
  /** What it holds. */
  state: StreamState | undefined = { made: "m", first: 1, last: 9 };
  /** Entries that it lacks all the same. */
  readonly lacking = new Set<number>();
  /** The connection, with what of the library is used. */
  readonly connection = {
    isUp: true,
    library: {
      subscribe: (subject: string) => {
        const consumer = new Consumer(subject);
        this.consumers.push(consumer);
        return consumer.subscription;
      },
      publish: (subject: string) => void this.published.push(subject),
    },
  };
  /** Consumers, and from where on each is. */
  readonly consumers: Consumer[] = [];
  readonly from: number[] = [];
  /** Consumers that were ended. */
  readonly ended: string[] = [];
  /** What was published. */
  readonly published: string[] = [];
  /** What looking, or pushing, fails with next. */
  readonly failing = { look: [] as unknown[], push: [] as unknown[] };
  looks = 0;
  readonly came: StreamEntry[] = [];
  #error: unknown;
  #seen = 0; // consumers
  readonly #ending = new AbortController();
  #isOver = false;

  constructor() {
    const fail = (errors: unknown[]) => {
      const error = errors.shift();
      if (error !== undefined) throw error;
    };
    const { connection } = this;
    const stream = {
      connection,
      look: () => {
        this.looks++;
        fail(this.failing.look);
        return Promise.resolve(this.state);
      },
      entry: (seq: number) =>
        Promise.resolve(this.lacking.has(seq) ? undefined : {}),
      push: (subject: string, from: number, heartbeat: number) => {
        fail(this.failing.push);
        assertEquals([subject, heartbeat], [this.last.subject, 500]);
        this.from.push(from);
        return Promise.resolve(`consumer ${this.from.length}`);
      },
      endPush: (name: string) => void this.ended.push(name),
    };
    void (async () => {
      const { signal } = this.#ending;
      const entries = follow(stream as unknown as RoomStream, 1, "m", signal);
      for await (const entry of entries) this.came.push(entry);
    })().catch((error) => void (this.#error = error))
      .finally(() => this.#isOver = true);
  }

  /** The present consumer. */
  get last(): Consumer {
    const last = this.consumers.at(-1);
    if (!last) throw new Error("there is no consumer yet");
    return last;
  }

  /** Lets all be done, and so much time pass, ms. @throws what following has failed with. */
  async pass(ms: number): Promise<void> {
    for (const time of [0, ms]) {
      this.clock.advance(time);
      for (let i = 0; i < 3; i++) await new Promise((go) => later(go));
    }
    if (this.#error !== undefined) throw this.#error;
  }

  /** Waits for the next consumer, with 50 ms for each look. */
  async next(): Promise<Consumer> {
    for (let turn = 0; this.from.length <= this.#seen; turn++) {
      if (turn > MAX_TURNS) throw new Error("There is no other consumer");
      await this.pass(50);
    }
    this.#seen = this.from.length;
    return this.last;
  }

  /** The places of what came. */
  get places(): number[] {
    return this.came.map(({ seq }) => seq);
  }

  /** Ends it. */
  async end(): Promise<void> {
    this.#ending.abort();
    await this.pass(0);
    assertEquals(this.#isOver, true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.#error === undefined) await this.end();
      assertEquals(this.clock.pending, 0);
    } finally {
      this.clock[Symbol.dispose]();
    }
  }
}

function followTest(
  name: string,
  test: (it: Followed) => Promise<void>,
): void {
  Deno.test(name, async () => {
    await using it = new Followed();
    await test(it);
  });
}

followTest(
  "entries come as NATS pushes them, with their times, in either form that it has",
  async (it) => {
    const consumer = await it.next();
    consumer.push(1);
    consumer.push(2, { domain: "hub.account.", end: ".random" });
    consumer.push(3, { domain: "hub.account." });
    await it.pass(0);
    assertEquals(it.came.map(({ seq, at, data }) => [seq, at, [...data]]), [
      [1, 1_764_061_567_001, [1]],
      [2, 1_764_061_567_002, [2]],
      [3, 1_764_061_567_003, [3]],
    ]);
    await it.end();
    assertEquals([it.from, it.ended, consumer.isOver], [
      [1],
      ["consumer 1"],
      true,
    ]);
    assertEquals(it.looks, 1);
  },
);

followTest(
  "what gets lost on the way comes by another consumer, which begins with the last entry that came",
  async (it) => {
    const first = await it.next();
    first.push(1);
    first.push(2);
    first.push(4); // which is further than was pushed
    const second = await it.next();
    second.push(2);
    second.push(3, { skipped: 1 }); // one of its messages is missing
    const third = await it.next();
    for (const seq of [2, 3]) third.push(seq);
    third.beat();
    third.push(4);
    third.beat({ "Nats-Last-Consumer": 4 }); // the last one is missing
    const fourth = await it.next();
    for (const seq of [4, 5]) fourth.push(seq);
    await it.pass(0);
    assertEquals(it.places, [1, 2, 3, 4, 5]);
    assertEquals(it.from, [1, 2, 2, 4]);
    assertEquals(it.ended.length, 3);
  },
);

followTest(
  "NATS is answered once all before is consumed, and where its question got lost",
  async (it) => {
    const consumer = await it.next();
    consumer.push(1);
    consumer.ask();
    consumer.beat({ "Nats-Consumer-Stalled": "$JS.FC.stalled" });
    consumer.beat({ "Nats-Last-Consumer": "" });
    consumer.sayNothing();
    await it.pass(0);
    assertEquals([consumer.responses, it.published], [1, ["$JS.FC.stalled"]]);
    consumer.push(2);
    await it.pass(0);
    assertEquals([it.places, it.from], [[1, 2], [1]]);
  },
);

followTest(
  "a consumer that is silent for four of its heartbeats is replaced, and one that isn't stays",
  async (it) => {
    const first = await it.next();
    first.beat();
    await it.pass(2_000);
    assertEquals(first.isOver, false);
    first.beat();
    for (let time = 0; time < 6; time++) {
      await it.pass(1_900);
      first.beat();
    }
    assertEquals([it.from, first.isOver], [[1], false]);
    await it.pass(1_900);
    assertEquals(first.isOver, false);
    await it.pass(600);
    assertEquals(first.isOver, true);
    await it.next();
    assertEquals([it.from, it.ended], [[1, 1], ["consumer 1"]]);
  },
);

followTest(
  "a consumer whose connection is lost is replaced once there is another",
  async (it) => {
    const first = await it.next();
    it.connection.isUp = false;
    it.failing.look.push(new StreamError("away"), new StreamError("away"));
    first.beat();
    await it.pass(500);
    assertEquals(first.isOver, true);
    it.connection.isUp = true;
    await it.pass(99);
    assertEquals(it.looks, 1);
    await it.pass(1);
    assertEquals(it.looks, 2);
    const second = await it.next();
    second.push(1);
    await it.pass(0);
    assertEquals([it.places, it.looks], [[1], 4]);
  },
);

followTest(
  "a consumer that can't be had is asked for again, and its messages aren't heard any more",
  async (it) => {
    it.failing.push.push(new Error("no leader"), new StreamError("no answer"));
    await it.next();
    assertEquals([it.consumers.map(({ isOver }) => isOver), it.ended], [
      [true, true, false],
      [],
    ]);
  },
);

/** Following fails for good. */
async function assertLost(it: Followed, why: string): Promise<void> {
  await assertRejects(
    async () => {
      for (let turn = 0; turn < 50; turn++) await it.pass(250);
    },
    StreamLostError,
    why,
  );
}

followTest(
  "what isn't in the stream any more is lost, and nothing comes after it",
  async (it) => {
    const consumer = await it.next();
    consumer.push(1);
    it.lacking.add(2);
    consumer.push(3);
    await assertLost(it, "The stream in NATS lacks entry 2");
    assertEquals(it.places, [1]);
  },
);

for (
  const [name, state, why, looks] of [
    [
      "was made anew",
      { made: "other", first: 1, last: 9 },
      "The stream in NATS was made anew",
      1,
    ],
    [
      "begins later",
      { made: "m", first: 3, last: 9 },
      "begins with entry 3; 2 is wanted",
      1,
    ],
    [
      "ends before, however often one looks",
      { made: "m", first: 1, last: 0 },
      "ends with entry 0; 2 is wanted",
      8,
    ],
    ["is gone, however often one looks", undefined, "is gone", 8],
  ] as const
) {
  followTest(`a stream is lost that ${name}`, async (it) => {
    const consumer = await it.next();
    consumer.push(1);
    await it.pass(0);
    it.state = state;
    consumer.push(5, { skipped: 3 });
    await assertLost(it, why);
    assertEquals([it.places, it.looks], [[1], 1 + looks]);
  });
}

followTest(
  "a stream of which NATS doesn't know yet that it is longer is looked for again, each 250 ms",
  async (it) => {
    const first = await it.next();
    first.push(1);
    await it.pass(0);
    it.state = { made: "m", first: 1, last: 0 };
    first.push(5, { skipped: 3 });
    await it.pass(100);
    await it.pass(249);
    assertEquals(it.looks, 2);
    it.state = undefined;
    await it.pass(1);
    assertEquals(it.looks, 3);
    it.state = { made: "m", first: 2, last: 1 }; // all of it is old
    const second = await it.next();
    assertEquals(it.from, [1, 2]); // nothing before is there to be compared
    second.push(2);
    await it.pass(0);
    assertEquals(it.places, [1, 2]);
  },
);

followTest(
  "a stream is lost that has another entry at a place than before",
  async (it) => {
    const first = await it.next();
    first.push(1);
    first.push(5, { skipped: 3 });
    const second = await it.next();
    second.push(1, { nanos: nanosOf(7) });
    await assertLost(it, "was set back: it has another entry 1 than before");
    assertEquals(it.from, [1, 1]); // the one before is asked for, to be compared
  },
);

followTest(
  "a stream is lost whose consumer goes further back than asked",
  async (it) => {
    const first = await it.next();
    for (const seq of [1, 2]) first.push(seq);
    first.push(5, { skipped: 3 });
    const second = await it.next();
    second.push(1, { nanos: nanosOf(2) });
    await assertLost(it, "was set back: it has another entry 1 than before");
  },
);

followTest(
  "a stream is lost whose first consumer begins before what is wanted",
  async (it) => {
    const first = await it.next();
    first.push(0);
    await assertLost(it, "was set back: it has another entry 0 than before");
  },
);

Deno.test("following ends at once where it is ended, or where something is wrong that nobody knows", async () => {
  {
    await using it = new Followed();
    await it.end();
    assertEquals(it.consumers, []);
  }
  await using it = new Followed();
  const consumer = await it.next();
  it.failing.look.push(new TypeError("a defect"));
  consumer.push(5, { skipped: 3 });
  await assertRejects(
    async () => {
      for (let turn = 0; turn < 5; turn++) await it.pass(100);
    },
    TypeError,
    "a defect",
  );
});
