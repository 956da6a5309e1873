/**
 * A server's end of one connection, with a client of the test's own at the other end of a stream in memory and a
 * real room behind it: what a client may say when, signs of life, and goodbyes.
 *
 * @module
 */

import {
  concat,
  fingerprint,
  fromBase64url,
  randomBytes,
} from "../../../crypto_utils.ts";
import type { Bytes } from "../../../crypto_utils.ts";
import { Broadcaster } from "../../../src/server/broadcaster.ts";
import type { Channel } from "../../../src/protocol/channel.ts";
import { ChatLog } from "../../../src/log/chat_log.ts";
import { FileRelay } from "../../../src/server/file_relay.ts";
import { Connection } from "../../../src/server/connection.ts";
import {
  encodeEvent,
  type Event,
  packEvents,
  unpackEvents,
} from "../../../src/protocol/events.ts";
import { Room } from "../../../src/server/room.ts";
import {
  encodeHeader,
  RecordType,
  type WireRecord,
} from "../../../src/protocol/records.ts";
import { assert, assertEquals } from "../../kit/assert.ts";
import {
  ManualClock,
  type MemoryStream,
  streamPair,
} from "../../kit/memory_stream.ts";
import type { Goodbye } from "../../../src/protocol/reasons.ts";
import type { Rates } from "../../../src/server/rate_limits.ts";
import { History } from "../../../src/server/history.ts";
import { importKeyPair, type KeyPair } from "../../../src/crypto/x25519.ts";
import { EpochReader } from "../../../src/crypto/epoch.ts";
import {
  acceptChannel,
  connectChannel,
} from "../../../src/protocol/handshake.ts";

const SERVER = await importKeyPair(randomBytes(32));
const INVITE_KEY = randomBytes(32);
const UNLIMITED: Rates = { burst: 1, perSecond: 0, bytesPerMessage: 1 };

/** A client that reads all that it is sent, and says what the test wants. */
class Client {
  readonly events: Event[] = [];
  /** How many records came. */
  records = 0;
  /** Resolves when the connection has ended. */
  readonly ended: Promise<void>;
  failure: unknown;
  #reader: EpochReader | undefined;
  #sharedReader: EpochReader | undefined;
  #over = false;
  #more = Promise.withResolvers<void>();

  constructor(
    readonly channel: Channel,
    readonly stream: MemoryStream,
    readonly connection: Connection,
    /** Resolves when the server has done with it. */
    readonly served: Promise<Goodbye>,
  ) {
    this.ended = this.#read();
  }

  send(...events: Event[]): Promise<void> {
    return this.channel.send(...events);
  }

  /** Sends a record without any event. */
  async sendNothing(): Promise<void> {
    this.inject(await this.channel.seal(new TextEncoder().encode("[]")));
  }

  /** Sends a record that `send` would not make. */
  inject(...records: Bytes[]): void {
    this.stream.outgoing.inject(concat(...records));
  }

  /** Events, sealed and not yet sent. */
  async seal(...events: Event[]): Promise<Bytes> {
    const [plaintext] = packEvents(events.map(encodeEvent));
    assert(plaintext);
    return await this.channel.seal(plaintext);
  }

  async join(name: string, n = 0, after: number | null = null) {
    await this.send({ kind: "join", name, n, after });
    return await this.until("welcome");
  }

  async #read(): Promise<void> {
    try {
      for (let records; (records = await this.channel.read());) {
        for (const record of records) await this.#take(record);
      }
    } catch (error) {
      this.failure = error;
    }
    this.channel.close();
    this.#over = true;
    this.#more.resolve();
  }

  async #take(record: WireRecord): Promise<void> {
    this.records++;
    for (const event of await this.#open(record)) {
      this.events.push(event);
      if (event.kind === "ratchet") {
        this.#reader = await this.#reader?.ratchet();
      }
      if (event.kind !== "epoch" && event.kind !== "sharing") continue;
      const reader = await EpochReader.create(SERVER.publicKey, {
        ...event,
        key: fromBase64url(event.key),
        verifyKey: fromBase64url(event.verifyKey),
      });
      if (event.kind === "epoch") this.#reader = reader;
      else this.#sharedReader = reader;
    }
    this.#more.resolve();
    this.#more = Promise.withResolvers<void>();
  }

  async #open(record: WireRecord): Promise<Event[]> {
    if (record.type === RecordType.direct) {
      return await this.channel.open(record);
    }
    const isShared = record.type === RecordType.shared;
    const reader = isShared ? this.#sharedReader : this.#reader;
    assert(reader, "a record before its key");
    return unpackEvents(await reader.open(record.body, record.header));
  }

  /** Waits until an event is among those that came, and returns the first. */
  async until<K extends Event["kind"]>(
    kind: K,
    fits: (event: Event<K>) => boolean = () => true,
  ): Promise<Event<K>> {
    for (;;) {
      const found = this.of(kind).find(fits);
      if (found) return found;
      assert(!this.#over, `no "${kind}" came: ${this.failure ?? "the end"}`);
      await this.#more.promise;
    }
  }

  of<K extends Event["kind"]>(kind: K): Event<K>[] {
    return this.events.filter((it) => it.kind === kind) as Event<K>[];
  }
}

/** A running room with a log of its own, and the connections to it. */
class Setup implements AsyncDisposable {
  readonly #clients: Client[] = [];
  readonly relay = new FileRelay({ maxFileSize: 100_000, maxTransfers: 2 });
  readonly #running: Promise<void>;

  private constructor(
    readonly folder: string,
    readonly log: ChatLog,
    readonly broadcaster: Broadcaster,
    readonly room: Room,
    readonly history: History,
  ) {
    this.#running = room.run();
  }

  static async create(history = 0): Promise<Setup> {
    const folder = await Deno.makeTempDir();
    const address = "127.0.0.1:5000";
    const log = await ChatLog.open(`${folder}/chat.log`, { address });
    const broadcaster = await Broadcaster.create(SERVER.publicKey, 1_048_576);
    const room = new Room({ log, broadcaster, maxMembers: 9 });
    const past = new History(log, history);
    return new Setup(folder, log, broadcaster, room, past);
  }

  async connect(given?: KeyPair, rates = UNLIMITED): Promise<Client> {
    const [near, far] = streamPair();
    const keyPair = given ?? await importKeyPair(randomBytes(32));
    const [channel, accepted] = await Promise.all([
      connectChannel(near, {
        keyPair,
        inviteId: 0,
        checkServer: () => {},
        inviteKey: () => INVITE_KEY,
      }),
      acceptChannel(far, {
        keyPair: SERVER,
        salt: new Uint8Array(16),
        inviteKey: () => INVITE_KEY,
      }),
    ]);
    const connection = new Connection(far, accepted, {
      room: this.room,
      history: this.history,
      ring: this.broadcaster.ring,
      relay: this.relay,
      rates,
    });
    const client = new Client(channel, near, connection, connection.run());
    this.#clients.push(client);
    return client;
  }

  /** What the log says of each line: number, kind and text. */
  async logged(): Promise<[number, string, string][]> {
    const lines: [number, string, string][] = [];
    for await (const piece of this.log.past(0, this.log.head)) {
      for (const { n, what, text } of piece) lines.push([n, what, text]);
    }
    return lines;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { channel, served } of this.#clients) {
      channel.close();
      await served;
    }
    this.room.stop();
    await this.#running;
    await this.log.close();
    await Deno.remove(this.folder, { recursive: true });
  }
}

const say = (n: number, text = `line ${n}`): Event<"say"> => ({
  kind: "say",
  n,
  text,
});

/** Checks that a connection was ended without a goodbye. */
async function assertThrownOut({ ended, served, events }: Client) {
  await Promise.all([ended, served]);
  assertEquals(events.filter(({ kind }) => kind === "bye"), []);
}

// ── Joining ────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("Connection lets a client in under its key's fingerprint, and passes on what it says", async () => {
  await using setup = await Setup.create();
  const ana = await setup.connect();
  const keyPair = await importKeyPair(randomBytes(32));
  const ben = await setup.connect(keyPair);
  await ana.join("ana");
  const { id } = await ben.join("ben", 6);
  const key = fingerprint(keyPair.publicKey);
  assertEquals(ben.connection.fingerprint, key);
  const joined = await ana.until("joined");
  assertEquals(joined, { kind: "joined", id, name: "ben", key, n: 6 });
  await ben.send(say(7, "hello"), say(8, "again"));
  for (const client of [ana, ben]) {
    await client.until("said", ({ n }) => n === 8);
    assertEquals(client.of("said"), [
      { kind: "said", id, n: 7, text: "hello" },
      { kind: "said", id, n: 8, text: "again" },
    ]);
  }
});

Deno.test("Connection tells a client why it can't join, and lets it ask again", async () => {
  await using setup = await Setup.create();
  const ana = await setup.connect();
  await ana.join("ana");
  const ben = await setup.connect();
  const cases = [
    ["", "name-invalid"],
    ["two words", "name-invalid"],
    ["bеn", "name-mixed"], // with a Cyrillic letter
    ["ANA", "name-taken"],
  ] as const;
  for (const [name, reason] of cases) {
    ben.events.length = 0;
    await ben.send({ kind: "join", name, n: 0, after: null });
    const refused = await ben.until("refused");
    assertEquals(refused, { kind: "refused", n: null, reason });
  }
  await ben.join("ben");
  assertEquals(setup.room.size, 2);
});

Deno.test("Connection shows a newcomer as much of the past as it should see, and one that returns all it missed", async () => {
  await using setup = await Setup.create(2);
  const ana = await setup.connect();
  await ana.join("ana");
  await ana.send(...[1, 2, 3].map((n) => say(n)));
  await ana.until("said", ({ n }) => n === 3);
  const ben = await setup.connect();
  await ben.join("ben");
  assertEquals(ben.of("past").map(({ seq }) => seq), [3, 4, 5]);
  const carla = await setup.connect();
  await carla.join("carla", 0, 1);
  assertEquals(carla.of("past").map(({ seq }) => seq), [2, 3, 4, 5, 6]);
});

Deno.test("Connection lets one that missed thousands of lines catch up from the log, each line once", async () => {
  await using setup = await Setup.create();
  const ana = await setup.connect();
  await ana.join("ana");
  for (let n = 1; n <= 3_000; n += 100) {
    await ana.send(...Array.from({ length: 100 }, (_, at) => say(n + at)));
  }
  const ben = await setup.connect();
  const welcome = ben.join("ben", 0, 0); // while they are still coming in
  await ana.until("said", ({ n }) => n === 3_000);
  const { seq } = await welcome;
  const last = (await ana.until("joined")).n;
  assertEquals(last, 0);
  // The rest comes as broadcasts, where it was let in before the last line.
  if (!ben.of("past").some(({ n }) => n === 3_000)) {
    await ben.until("said", ({ n }) => n === 3_000);
  }
  const heard = ben.of("batch").length > 0
    ? ben.of("said").length // what came after its joining
    : 0;
  const numbers = ben.of("past").map((it) => it.seq);
  const expected = Array.from(
    { length: 3_002 - heard },
    (_, at) => at + 1,
  );
  assertEquals(numbers, expected);
  assertEquals(ben.of("past")[seq - 1]?.what, "joined");
});

Deno.test("Connection gives one that returns with its key its place, and ends the old one with a reason", async () => {
  await using setup = await Setup.create();
  const keyPair = await importKeyPair(randomBytes(32));
  const old = await setup.connect(keyPair);
  await old.join("ana");
  await old.send(say(1));
  await old.until("said");
  const again = await setup.connect(keyPair);
  await again.join("ana", 1, 2);
  assertEquals((await old.until("bye")).reason, "replaced");
  await Promise.all([old.ended, old.served]);
  await again.send(say(2));
  await again.until("said");
  assertEquals(await setup.logged(), [
    [0, "joined", ""],
    [1, "said", "line 1"],
    [2, "left", "replaced"],
    [1, "joined", ""],
    [2, "said", "line 2"],
  ]);
});

// ── What a client may not do ───────────────────────────────────────────────────────────────────────────

const join: Event = { kind: "join", name: "ana", n: 5, after: null };
const FROM_SERVER: readonly Event[] = [
  { kind: "refused", n: 1, reason: "name-taken" },
  {
    kind: "past",
    seq: 1,
    at: 0,
    key: "x",
    n: 1,
    what: "said",
    to: null,
    name: "x",
    text: "x",
  },
  {
    kind: "here",
    id: 1,
    name: "x",
    key: "x",
    since: 0,
    active: 0,
    away: "",
  },
  { kind: "slowed" },
  { kind: "rekeyed", key: "x" },
  { kind: "found", id: 1, more: false },
  { kind: "epoch", number: 1, counter: 0, key: "x", verifyKey: "x" },
  { kind: "welcome", id: 1, seq: 1, at: 0 },
  { kind: "batch", seq: 1, at: 0 },
  { kind: "joined", id: 1, name: "x", key: "x", n: 1 },
  { kind: "left", id: 1, n: 1, reason: "left" },
  { kind: "said", id: 1, n: 1, text: "x" },
  { kind: "acted", id: 1, n: 1, text: "x" },
  { kind: "replied", id: 1, n: 1, to: 1, text: "x" },
  { kind: "renamed", id: 1, n: 1, name: "x" },
  { kind: "absent", id: 1, text: "x" },
  { kind: "ratchet" },
];

const MISUSES: readonly (readonly [string, readonly Event[]])[] = [
  ["speaks before it has joined", [say(6)]],
  ["joins a second time", [join, { ...join, name: "ben" }]],
  ["says a number again", [join, say(6), say(6)]],
  ["says a number below the one it joined with", [join, say(5)]],
  ["says a lower number", [join, say(9), say(8)]],
  ["speaks after a refused joining", [{ ...join, name: "" }, say(6)]],
  ...FROM_SERVER.map((event) =>
    [`sends "${event.kind}", which is the server's to say`, [event]] as const
  ),
];

for (const [what, events] of MISUSES) {
  Deno.test(`Connection ends without a goodbye where a client ${what}`, async () => {
    await using setup = await Setup.create();
    const witness = await setup.connect();
    await witness.join("witness");
    const client = await setup.connect();
    // In one record, and in one each: no difference.
    await client.send(...events);
    await assertThrownOut(client);
    const second = await setup.connect();
    for (const event of events) second.send(event).catch(() => {});
    await assertThrownOut(second);
    for (const { reason } of witness.of("left")) {
      assertEquals(reason, "misused");
    }
    await witness.send(say(1)); // nobody else notices
    await witness.until("said", ({ n }) => n === 1);
  });
}

Deno.test("Connection says a misbehaving member's good lines before the bad one, and tells why it went", async () => {
  await using setup = await Setup.create();
  const witness = await setup.connect();
  await witness.join("witness");
  const client = await setup.connect();
  await client.join("ana");
  await client.send(say(1), { kind: "ping" }, say(1));
  const left = await witness.until("left");
  assertEquals(left.reason, "misused");
  assertEquals(witness.of("said").map(({ n }) => n), [1]);
});

const broadcast = concat(
  encodeHeader(RecordType.broadcast, 200),
  randomBytes(200),
);
const garbage = concat(encodeHeader(RecordType.direct, 200), randomBytes(200));

for (
  const [what, records] of [
    ["a broadcast", [broadcast]],
    ["a shared record", [
      concat(encodeHeader(RecordType.shared, 200), randomBytes(200)),
    ]],
    ["a direct record that doesn't open", [garbage]],
    ["several that don't open", [garbage, garbage, garbage]],
    ["one that doesn't open and a broadcast at once", [garbage, broadcast]],
    ["a handshake record", [
      concat(encodeHeader(RecordType.handshake, 50), randomBytes(50)),
    ]],
    ["a record of no type", [Uint8Array.of(0, 50, 77)]],
    ["a refusal", [
      concat(encodeHeader(RecordType.refusal, 1), Uint8Array.of(1)),
    ]],
  ] as const
) {
  Deno.test(`Connection ends without a goodbye where a client sends ${what}`, async () => {
    await using setup = await Setup.create();
    const witness = await setup.connect();
    await witness.join("witness");
    const client = await setup.connect();
    await client.join("ana");
    client.inject(...records);
    await assertThrownOut(client);
    await witness.until("left");
  });
}

Deno.test("Connection skips events of kinds that it doesn't know", async () => {
  await using setup = await Setup.create();
  const client = await setup.connect();
  await client.join("ana");
  const text = new TextEncoder().encode('[["dance",1],["ping"]]');
  client.inject(await client.channel.seal(text));
  await client.until("pong");
});

Deno.test("Connection refuses a text that is too long, by its number, and takes the lines around it", async () => {
  await using setup = await Setup.create();
  const client = await setup.connect();
  await client.join("ana");
  await client.send(
    say(1),
    say(2, "€".repeat(1_366)),
    say(3, ""),
    say(4, "x".repeat(4_096)),
  );
  await client.until("said", ({ n }) => n === 4);
  assertEquals(client.of("refused"), [
    { kind: "refused", n: 2, reason: "text-too-long" },
    { kind: "refused", n: 3, reason: "text-empty" },
  ]);
  assertEquals(client.of("said").map(({ n }) => n), [1, 4]);
});

// ── Signs of life ──────────────────────────────────────────────────────────────────────────────────────

Deno.test("Connection answers each ping, inside the room and outside", async () => {
  await using setup = await Setup.create();
  const client = await setup.connect();
  await client.send({ kind: "ping" });
  await client.until("pong");
  await client.join("ana");
  await client.send({ kind: "ping" }, say(1), { kind: "pong" });
  await client.until("said");
  assertEquals(client.of("pong").length, 2);
});

/** Waits until the server has dealt with all that was sent, and listens for more. */
async function quiet(client: Client): Promise<void> {
  const count = client.of("pong").length;
  await client.send({ kind: "ping" });
  while (client.of("pong").length === count) {
    await client.until("pong", () => client.of("pong").length > count);
  }
}

function tick({ connection }: Client, times: number): void {
  for (let time = 0; time < times; time++) connection.tick();
}

Deno.test("Connection.tick() pings a client that said nothing for 30 s, once", async () => {
  await using setup = await Setup.create();
  const client = await setup.connect();
  await client.join("ana");
  await quiet(client);
  tick(client, 29);
  await quiet(client); // a sign of life: it begins anew
  assertEquals(client.of("ping").length, 0);
  tick(client, 30);
  await client.until("ping");
  tick(client, 59);
  await client.send({ kind: "pong" });
  await quiet(client);
  assertEquals(client.of("ping").length, 1);
  tick(client, 89);
  await quiet(client);
  assertEquals(client.of("bye"), []);
});

Deno.test("Connection.tick() lets a client go that said nothing for 90 s", async () => {
  await using setup = await Setup.create();
  const witness = await setup.connect();
  await witness.join("witness");
  const client = await setup.connect();
  await client.join("ana");
  await quiet(client);
  tick(client, 90);
  assertEquals((await client.until("bye")).reason, "silent");
  await Promise.all([client.ended, client.served]);
  assertEquals((await witness.until("left")).reason, "silent");
  tick(client, 200); // nothing is left to look after
});

Deno.test("Connection.tick() drops a client under whose write nothing moved for 10 s", async () => {
  await using setup = await Setup.create();
  const witness = await setup.connect();
  await witness.join("witness");
  const client = await setup.connect();
  await client.join("ana");
  await quiet(client);
  tick(client, 1);
  client.stream.incoming.capacity = 0;
  client.connection.tell({ kind: "ping" });
  while (!client.connection.outlet.writing) await client.send({ kind: "pong" });
  tick(client, 9);
  await witness.send(say(1));
  await witness.until("said");
  assertEquals(witness.of("left"), []);
  tick(client, 1);
  await assertThrownOut(client);
  assertEquals((await witness.until("left")).reason, "slow");
});

Deno.test("Connection.tick() bears with a client that takes a byte every 9 s", async () => {
  await using setup = await Setup.create();
  const client = await setup.connect();
  await client.join("ana");
  await quiet(client);
  tick(client, 1);
  client.stream.incoming.held = true;
  client.stream.incoming.capacity = 0;
  const { outlet } = client.connection;
  client.connection.tell({ kind: "ping" });
  while (!outlet.writing) await client.send({ kind: "pong" });
  for (let taken = 1; taken <= 8; taken++) {
    tick(client, 9);
    const { moved } = outlet;
    client.stream.incoming.capacity = taken;
    while (outlet.moved === moved) await Promise.resolve();
  }
  client.stream.incoming.capacity = Number.POSITIVE_INFINITY;
  client.stream.incoming.held = false;
  await client.until("ping");
});

// ── Goodbyes ───────────────────────────────────────────────────────────────────────────────────────────

Deno.test("Connection answers a goodbye with one, and closes", async () => {
  await using setup = await Setup.create();
  const witness = await setup.connect();
  await witness.join("witness");
  const client = await setup.connect();
  await client.join("ana", 4);
  await client.send(say(5), { kind: "bye", reason: "left" }, say(6));
  assertEquals((await client.until("bye")).reason, "left");
  await Promise.all([client.ended, client.served]);
  assertEquals(client.failure, undefined);
  assertEquals(client.events.at(-1)?.kind, "bye"); // nothing comes after it
  const left = await witness.until("left");
  assertEquals([left.n, left.reason], [6, "left"]);
  assertEquals(witness.of("said").map(({ n }) => n), [5]);
});

Deno.test("Connection tells the room that a client was lost, whichever way its stream ends", async () => {
  await using setup = await Setup.create();
  const witness = await setup.connect();
  await witness.join("witness");
  const ends: ((client: Client) => void)[] = [
    ({ channel }) => channel.close(),
    ({ stream }) => stream.outgoing.end(),
    ({ stream }) => stream.outgoing.fail(new Deno.errors.ConnectionReset()),
  ];
  for (const [at, end] of ends.entries()) {
    const client = await setup.connect();
    const { id } = await client.join(`guest${at}`);
    end(client);
    await client.served;
    const left = await witness.until("left", (event) => event.id === id);
    assertEquals(left.reason, "lost");
  }
});

Deno.test("Connection.dismiss() says the first reason only, after all that came before it", async () => {
  await using setup = await Setup.create();
  const ana = await setup.connect();
  await ana.join("ana");
  const ben = await setup.connect();
  await ben.join("ben");
  await ana.until("joined");
  await ben.send(...[1, 2, 3].map((n) => say(n)));
  await ben.until("said", ({ n }) => n === 3);
  ana.connection.dismiss("stopped");
  ana.connection.dismiss("slow");
  await Promise.all([ana.ended, ana.served]);
  assertEquals(ana.failure, undefined);
  assertEquals(ana.of("said").length, 3);
  assertEquals(ana.events.at(-1), { kind: "bye", reason: "stopped" });
  assertEquals((await ben.until("left")).reason, "stopped");
});

Deno.test("Connection.dismiss() lets out what was said before the goodbye, and nothing from after it", async () => {
  await using setup = await Setup.create();
  const ana = await setup.connect();
  await ana.join("ana");
  const ben = await setup.connect();
  await ben.join("ben");
  await ana.until("ratchet");
  await quiet(ana);
  ana.stream.incoming.capacity = 0;
  await ben.send(say(1));
  await ben.until("said");
  ana.connection.dismiss("stopped");
  await ben.send(say(2));
  await ben.until("said", ({ n }) => n === 2);
  ana.stream.incoming.capacity = Number.POSITIVE_INFINITY;
  await Promise.all([ana.ended, ana.served]);
  assertEquals(ana.failure, undefined);
  assertEquals(ana.of("said").map(({ n }) => n), [1]);
  assertEquals(ana.events.at(-1)?.kind, "bye");
});

Deno.test("Connection.dismiss() takes what a client still sends, so that no reset takes the goodbye from it", async () => {
  using clock = new ManualClock();
  await using setup = await Setup.create();
  const witness = await setup.connect();
  await witness.join("witness");
  const client = await setup.connect();
  await client.join("ana");
  client.stream.incoming.held = true;
  client.connection.dismiss("stopped");
  await witness.until("left");
  for (const n of [1, 2, 3]) await client.send(say(n));
  client.stream.incoming.held = false;
  await Promise.all([client.ended, client.served]);
  assertEquals(client.failure, undefined);
  assertEquals(client.events.at(-1), { kind: "bye", reason: "stopped" });
  assertEquals(witness.of("said"), []);
  assertEquals(clock.pending, 0);
});

Deno.test("Connection.dismiss() gives a client that doesn't read a second to hear it", async () => {
  using clock = new ManualClock();
  await using setup = await Setup.create();
  const client = await setup.connect();
  await client.join("ana");
  client.stream.incoming.capacity = 0;
  client.connection.dismiss("stopped");
  clock.advance(999);
  await client.send({ kind: "ping" }); // the stream still stands
  clock.advance(1);
  await Promise.all([client.ended, client.served]);
  assertEquals(client.of("bye"), []);
  assertEquals(clock.pending, 0);
});

Deno.test("Connection gives way at once where the ring needs the place of one that is saying goodbye", async () => {
  using _clock = new ManualClock(); // on which no goodbye's time runs out
  await using setup = await Setup.create();
  const client = await setup.connect();
  await client.join("ana");
  client.stream.incoming.capacity = 0;
  client.connection.tell({ kind: "ping" });
  while (!client.connection.outlet.writing) await client.send({ kind: "pong" });
  client.connection.dismiss("stopped");
  client.connection.outlet.drop();
  await client.connection.outlet.settled();
  await Promise.all([client.ended, client.served]);
});

Deno.test("Connection leaves the room again where it ended while it was let in", async () => {
  await using setup = await Setup.create();
  const witness = await setup.connect();
  await witness.join("witness");
  const client = await setup.connect();
  setup.room.join = async (request) => {
    const admission = await Room.prototype.join.call(setup.room, request);
    client.connection.dismiss("stopped"); // in the room, and its connection doesn't know yet
    return admission;
  };
  await client.send(join);
  await client.served;
  assertEquals((await witness.until("left")).reason, "stopped");
  assertEquals(setup.room.size, 1);
});

// ── What else a member may ask ─────────────────────────────────────────────────────────────────────────

Deno.test("Connection gives a member another name, or says why not", async () => {
  await using setup = await Setup.create();
  const ana = await setup.connect();
  const { id } = await ana.join("ana");
  await ana.send({ kind: "rename", name: "two words" });
  assertEquals(await ana.until("refused"), {
    kind: "refused",
    n: null,
    reason: "name-invalid",
  });
  await ana.send({ kind: "rename", name: "anna" }, say(1));
  await ana.until("said");
  assertEquals(ana.of("renamed"), [{
    kind: "renamed",
    id,
    n: 0,
    name: "anna",
  }]);
});

Deno.test("Connection tells everybody that a member is away", async () => {
  await using setup = await Setup.create();
  const ana = await setup.connect();
  const ben = await setup.connect();
  const { id } = await ana.join("ana");
  await ben.join("ben");
  await ana.send({ kind: "away", text: "lunch" });
  assertEquals(await ben.until("absent"), {
    kind: "absent",
    id,
    text: "lunch",
  });
});

Deno.test("Connection answers a search with the lines and then with its end", async () => {
  await using setup = await Setup.create();
  const ana = await setup.connect();
  await ana.join("ana");
  await ana.send(say(1, "red"), say(2, "blue"), say(3, "red"));
  await ana.until("said", ({ n }) => n === 3);
  ana.events.length = 0;
  await ana.send({ kind: "find", id: 7, words: "red", before: null, count: 1 });
  const found = await ana.until("found");
  assertEquals(found, { kind: "found", id: 7, more: true });
  assertEquals(ana.of("past").map(({ seq, text }) => [seq, text]), [[
    4,
    "red",
  ]]);
  assertEquals(ana.events.at(-1)?.kind, "found");
});

Deno.test("Connection passes on an answer to a line there is, and refuses one to a line there isn't", async () => {
  await using setup = await Setup.create();
  const ana = await setup.connect();
  const { id } = await ana.join("ana");
  const reply = (n: number, to: number): Event => ({
    kind: "reply",
    n,
    to,
    text: "yes",
  });
  await ana.send(reply(1, 0), reply(2, 99), reply(3, 1));
  assertEquals(await ana.until("replied"), {
    kind: "replied",
    id,
    n: 3,
    to: 1,
    text: "yes",
  });
  assertEquals(ana.of("refused"), [
    { kind: "refused", n: 1, reason: "reply-unknown" },
    { kind: "refused", n: 2, reason: "reply-unknown" },
  ]);
});

for (
  const event of [
    { kind: "rename", name: "ana" },
    { kind: "find", id: 1, words: "", before: null, count: 1 },
    { kind: "act", n: 1, text: "waves" },
    { kind: "reply", n: 1, to: 1, text: "yes" },
  ] as const
) {
  Deno.test(`Connection ends without a goodbye where somebody outside sends "${event.kind}"`, async () => {
    await using setup = await Setup.create();
    const client = await setup.connect();
    await client.send(event);
    await assertThrownOut(client);
  });
}

Deno.test("Connection reads one that says too much no faster than it may, and tells it so once", async () => {
  using clock = new ManualClock();
  await using setup = await Setup.create();
  const ana = await setup.connect(undefined, {
    burst: 2,
    perSecond: 1,
    bytesPerMessage: 1_024,
  });
  await ana.join("ana");
  await ana.send(say(1), say(2), say(3), say(4)); // two more than it may at once
  await ana.until("slowed");
  await ana.send(say(5));
  const witness = await setup.connect();
  await witness.join("witness");
  clock.advance(1_999);
  await quiet(witness);
  assertEquals(ana.of("said").map(({ n }) => n), [1, 2, 3, 4]);
  clock.advance(1);
  await ana.until("said", ({ n }) => n === 5);
  await ana.send(say(6));
  await quiet(witness); // by now it waits again
  assertEquals(ana.of("said").at(-1)?.n, 5);
  clock.advance(1_000);
  await ana.until("said", ({ n }) => n === 6);
  assertEquals(ana.of("slowed").length, 1);
  await quiet(witness);
  clock.advance(1_000); // it is heard again, and its end is noticed
});

/** What a member may send so often without being slowed, where it may say 40 lines at once. */
const COSTS: readonly (readonly [string, number, Event | undefined])[] = [
  ["ping", 40, { kind: "ping" }],
  ["pong", 40, { kind: "pong" }],
  ["a record with nothing in it", 40, undefined],
  ["missing", 40, { kind: "missing", id: 9, reason: "gone" }],
  ["piece that nobody asked for", 40, { kind: "piece", id: 9, data: "AAAA" }],
  [
    "fetch",
    40,
    { kind: "fetch", id: 1, offer: 9, from: 0, size: 1 },
  ],
  ["away", 2, { kind: "away", text: "lunch" }],
  ["rename", 2, { kind: "rename", name: "ana2" }],
  [
    "find",
    2,
    { kind: "find", id: 1, words: "", before: null, count: 1 },
  ],
];

for (const [what, most, event] of COSTS) {
  Deno.test(`Connection slows one down that sends more than ${most} × ${what} where it may say 40 lines`, async () => {
    using clock = new ManualClock();
    await using setup = await Setup.create();
    const rates = { burst: 40, perSecond: 1, bytesPerMessage: 1_024 };
    const ana = await setup.connect(undefined, rates);
    await ana.join("ana");
    const send = () => event ? ana.send(event) : ana.sendNothing();
    for (let count = 0; count < most; count++) await send();
    const witness = await setup.connect();
    await witness.join("witness");
    await quiet(witness);
    assertEquals(ana.of("slowed"), []);
    await send();
    await ana.until("slowed");
    clock.advance(40_000); // it is heard again, and its end is noticed
  });
}

Deno.test("Connection slows one down that asks again and again to be let in, and is refused", async () => {
  using clock = new ManualClock();
  await using setup = await Setup.create();
  const rates = { burst: 40, perSecond: 1, bytesPerMessage: 1_024 };
  const ana = await setup.connect(undefined, rates);
  const wish = { kind: "join", name: "not a name", n: 0, after: null } as const;
  await ana.send(wish, wish);
  await ana.until("refused");
  const witness = await setup.connect();
  await witness.join("witness");
  await quiet(witness);
  assertEquals(ana.of("slowed"), []);
  await ana.send(wish);
  await ana.until("slowed");
  assertEquals(ana.of("refused").length, 3);
  clock.advance(40_000);
});

Deno.test("Connection answers all that comes in one record in one record, in order", async () => {
  await using setup = await Setup.create();
  const ana = await setup.connect();
  await ana.join("ana");
  const before = ana.records;
  const ping: Event = { kind: "ping" };
  const empty = Array.from({ length: 300 }, (_, at) => say(at + 1, ""));
  await ana.send(...empty, ...Array<Event>(300).fill(ping), fetchOf(9));
  await ana.until("missing");
  assertEquals(ana.records - before, 1);
  assertEquals(ana.of("pong").length, 300);
  assertEquals(
    ana.of("refused").map(({ n }) => n),
    empty.map(({ n }) => n),
  );
});

// ── Files ──────────────────────────────────────────────────────────────────────────────────────────────

const DIGEST = "0123456789abcdef".repeat(4);

function offer(n: number, size = 9): Event<"offer"> {
  const text = `hut.jpg (${size} bytes, SHA-256 ${DIGEST})`;
  return { kind: "offer", n, text };
}

function fetchOf(offer: number, id = 1, size = 9): Event<"fetch"> {
  return { kind: "fetch", id, offer, from: 0, size };
}

/** Two members, of whom the first has offered a file and holds it. */
async function withOffer(setup: Setup): Promise<[Client, Client, number]> {
  const ana = await setup.connect();
  const ben = await setup.connect();
  await ana.join("ana");
  await ben.join("ben");
  await ana.send(offer(1));
  await ben.until("offered");
  const { head } = setup.history;
  await ana.send({ kind: "hold", offer: head }, { kind: "ping" });
  await ana.until("pong");
  return [ana, ben, head];
}

Deno.test("Connection logs an offer, tells everybody, and carries a piece from who holds the file to who asks", async () => {
  await using setup = await Setup.create();
  const [ana, ben, seq] = await withOffer(setup);
  const { text } = offer(1);
  assertEquals((await setup.logged()).at(-1), [1, "offered", text]);
  await ben.send(fetchOf(seq, 31));
  const { id, ...asked } = await ana.until("fetch");
  assertEquals(asked, { kind: "fetch", offer: seq, from: 0, size: 9 });
  await ana.send({ kind: "piece", id, data: "AAAAAAAAAAAA" });
  const piece = await ben.until("piece");
  assertEquals(piece, { kind: "piece", id: 31, data: "AAAAAAAAAAAA" });
  assertEquals(ana.of("piece"), []);
});

Deno.test("Connection refuses the offer of a file that is too large, and logs nothing", async () => {
  await using setup = await Setup.create();
  const ana = await setup.connect();
  await ana.join("ana");
  await ana.send(offer(1, 100_001), offer(2, 100_000));
  const refused = await ana.until("refused");
  assertEquals(refused, { kind: "refused", n: 1, reason: "file-too-large" });
  await ana.until("offered");
  assertEquals((await setup.logged()).length, 2);
});

Deno.test("Connection takes nobody's word for holding a file but who offered it", async () => {
  await using setup = await Setup.create();
  const ana = await setup.connect();
  const eve = await setup.connect();
  const ben = await setup.connect();
  await ana.join("ana");
  await eve.join("eve");
  await ben.join("ben");
  await ana.send(offer(1), say(2));
  await ben.until("said");
  const { head } = setup.history;
  const held = [head - 1, head, head + 1, 0, 2 ** 53 - 1];
  const holds = held.map((offer) => ({ kind: "hold", offer }) as const);
  await eve.send(...holds, { kind: "ping" });
  await eve.until("pong");
  for (const [at, { offer }] of holds.entries()) {
    await ben.send(fetchOf(offer, at, 1));
    await ben.until("missing", ({ id }) => id === at);
  }
  assertEquals(eve.of("fetch"), []);
  assertEquals(ben.of("missing").length, held.length);
});

Deno.test("Connection that ends leaves nobody waiting for its file", async () => {
  await using setup = await Setup.create();
  const [ana, ben, seq] = await withOffer(setup);
  await ben.send(fetchOf(seq, 5));
  await ana.until("fetch");
  ana.channel.close();
  const missing = await ben.until("missing");
  assertEquals(missing, { kind: "missing", id: 5, reason: "gone" });
});

Deno.test("Connection doesn't slow a member down for the pieces that it was asked for", async () => {
  await using setup = await Setup.create();
  const keyPair = await importKeyPair(randomBytes(32));
  // A thousand bytes at once, and then next to none: a piece that counted would hold the next line up.
  const rates = { burst: 1_000, perSecond: 0.001, bytesPerMessage: 1 };
  const ana = await setup.connect(keyPair, rates);
  const ben = await setup.connect();
  await ana.join("ana");
  await ben.join("ben");
  await ana.send(offer(1, 10_000));
  await ben.until("offered");
  const { head } = setup.history;
  await ana.send({ kind: "hold", offer: head }, { kind: "ping" });
  await ana.until("pong");
  await ben.send(fetchOf(head, 1, 9_000));
  const { id } = await ana.until("fetch");
  await ana.send({ kind: "piece", id, data: "A".repeat(12_000) });
  await ben.until("piece");
  await ana.send(say(2));
  await ben.until("said");
  assertEquals(ana.of("slowed"), []);
});

const STRANGE_FILE_EVENTS: readonly (readonly [string, Event])[] = [
  ["a piece larger than was asked for", fetchOf(1, 1, 16_385)],
  ["no bytes", fetchOf(1, 1, 0)],
];

for (const [what, event] of STRANGE_FILE_EVENTS) {
  Deno.test(`Connection throws out a client that fetches ${what}`, async () => {
    await using setup = await Setup.create();
    const ana = await setup.connect();
    await ana.join("ana");
    await ana.send(event);
    await assertThrownOut(ana);
  });
}

for (
  const event of [offer(1), { kind: "hold", offer: 1 }, fetchOf(1)] as const
) {
  Deno.test(`Connection throws out a client that says "${event.kind}" outside the room`, async () => {
    await using setup = await Setup.create();
    const ana = await setup.connect();
    await ana.send(event);
    await assertThrownOut(ana);
  });
}

Deno.test("Connection throws out a holder that answers with a piece of another size", async () => {
  await using setup = await Setup.create();
  const [ana, ben, seq] = await withOffer(setup);
  await ben.send(fetchOf(seq));
  const { id } = await ana.until("fetch");
  await ana.send({ kind: "piece", id, data: "AAAA" });
  await assertThrownOut(ana);
  await ben.until("missing");
  assertEquals(ben.of("piece"), []);
});
