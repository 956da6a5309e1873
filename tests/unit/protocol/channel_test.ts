/**
 * One secured connection over a stream in memory: what gets through the handshake and what ends it, and what
 * becomes of records that somebody changed on their way.
 *
 * @module
 */

import {
  type Bytes,
  concat,
  DecryptionError,
  HandshakeError,
  PROTOCOL_NAME,
  randomBytes,
} from "../../../crypto_utils.ts";
import type { Channel } from "../../../src/protocol/channel.ts";
import { type Event, EventError } from "../../../src/protocol/events.ts";
import {
  directHeader,
  encodeHeader,
  HEADER_SIZE,
  NO_RECORDS,
  RecordType,
  WireError,
} from "../../../src/protocol/records.ts";
import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";
import { flipped } from "../../kit/bytes.ts";
import {
  type MemoryStream,
  seededRandom,
  streamPair,
} from "../../kit/memory_stream.ts";
import { importKeyPair } from "../../../src/crypto/x25519.ts";
import { createHandshake } from "../../../src/crypto/noise.ts";
import {
  type Kem,
  KEM_KEY_SIZE,
  libraryKem,
  nativeKem,
} from "../../../src/crypto/kem.ts";
import {
  GoneError,
  RefusedError,
} from "../../../src/protocol/record_reader.ts";
import { HandshakeRefusal } from "../../../src/protocol/reasons.ts";
import {
  acceptChannel,
  type AcceptOptions,
  connectChannel,
  type ConnectOptions,
  refuse,
} from "../../../src/protocol/handshake.ts";
import {
  MEMBER_ID,
  MEMBER_KEY,
  PROTOCOL_VERSION,
} from "../../../src/protocol/hello.ts";
import {
  LocalResponder,
  type Responder,
} from "../../../src/protocol/responder.ts";
import { RESPONDERS } from "../../kit/responders.ts";

const INVITE_ID = 7;
const INVITE_KEY = randomBytes(32);
const SERVER_KEY = randomBytes(32);
const SERVER = await importKeyPair(SERVER_KEY);
const CLIENT = await importKeyPair(randomBytes(32));
const KEY_REFUSAL = refusalRecord(HandshakeRefusal.key);

const hasNative = "encapsulateBits" in crypto.subtle;
const KEMS: readonly (readonly [string, Kem, boolean])[] = [
  ["the library's", libraryKem, false],
  ["the native", nativeKem, !hasNative],
];

function refusalRecord(...body: readonly number[]): Bytes {
  const header = encodeHeader(RecordType.refusal, body.length);
  return concat(header, Uint8Array.from(body));
}

function accept(
  stream: MemoryStream,
  { kem, ...options }: Partial<AcceptOptions> & { kem?: Kem } = {},
): Promise<Channel> {
  const inviteKey = (id: number) => id === INVITE_ID ? INVITE_KEY : undefined;
  return closing(
    stream,
    acceptChannel(stream, {
      responder: new LocalResponder(SERVER, { kem }),
      inviteKey,
      ...options,
    }),
  );
}

function connect(
  stream: MemoryStream,
  options: Partial<ConnectOptions> = {},
): Promise<Channel> {
  return closing(
    stream,
    connectChannel(stream, {
      keyPair: CLIENT,
      inviteId: INVITE_ID,
      inviteKey: INVITE_KEY,
      checkServer: () => {},
      ...options,
    }),
  );
}

/** Closes the stream where a handshake fails, as whoever runs it does. */
async function closing<T>(stream: MemoryStream, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!stream.closed) stream.close();
    throw error;
  }
}

interface Ends {
  readonly client: Channel;
  readonly server: Channel;
  readonly up: MemoryStream["outgoing"];
  readonly down: MemoryStream["outgoing"];
}

async function channels(): Promise<Ends> {
  const [near, far] = streamPair();
  const [client, server] = await Promise.all([connect(near), accept(far)]);
  return { client, server, up: near.outgoing, down: far.outgoing };
}

function say(n: number, text = "hello"): Event<"say"> {
  return { kind: "say", n, text };
}

/** The next `count` events that a channel brings. */
async function receive(channel: Channel, count: number): Promise<Event[]> {
  const events: Event[] = [];
  while (events.length < count) {
    const records = await channel.read();
    assert(records, "the stream has ended");
    const opened = records.map((record) => channel.open(record));
    events.push(...(await Promise.all(opened)).flat());
  }
  return events;
}

// ── The handshake ──────────────────────────────────────────────────────────────────────────────────────

for (const [clientName, clientKem, noClient] of KEMS) {
  for (const [serverName, serverKem, noServer] of KEMS) {
    Deno.test({
      name:
        `connectChannel() with ${clientName} ML-KEM and acceptChannel() with ${serverName} understand each other`,
      ignore: noClient || noServer,
      fn: async () => {
        const [near, far] = streamPair();
        const shown: Bytes[] = [];
        const [client, server] = await Promise.all([
          connect(near, {
            kem: clientKem,
            checkServer: (key) => void shown.push(key),
          }),
          accept(far, { kem: serverKem }),
        ]);
        assertEquals(client.remoteKey, SERVER.publicKey);
        assertEquals(server.remoteKey, CLIENT.publicKey);
        assertEquals(shown, [SERVER.publicKey]);
        assertEquals([client.inviteId, server.inviteId], [
          INVITE_ID,
          INVITE_ID,
        ]);
        await client.send(say(1));
        assertEquals(await receive(server, 1), [say(1)]);
        await server.send({ kind: "pong" });
        assertEquals(await receive(client, 1), [{ kind: "pong" }]);
      },
    });
  }
}

for (const size of [1, 2, 3, 100, 1_231]) {
  Deno.test(`connectChannel() and acceptChannel() bear pieces of ${size} bytes both ways, written and read`, async () => {
    const [near, far] = streamPair();
    for (const flow of [near.incoming, near.outgoing]) {
      flow.pieceSize = size;
      flow.capacity = size;
    }
    const [client, server] = await Promise.all([connect(near), accept(far)]);
    const text = "x".repeat(2_000);
    const sent = [say(1, text), say(2), say(3, text)];
    const [, events] = await Promise.all([
      client.send(...sent),
      receive(server, 3),
    ]);
    assertEquals(events, sent);
  });
}

for (
  const [fault, options] of [
    ["an unknown invite", { inviteId: INVITE_ID + 1 }],
    ["an unknown invite with a key of zeros", {
      inviteId: INVITE_ID + 1,
      inviteKey: new Uint8Array(32),
    }],
    ["a wrong key", { inviteKey: randomBytes(32) }],
  ] as const
) {
  for (const [where, begin] of RESPONDERS) {
    Deno.test(`acceptChannel() refuses ${fault} at the third message, always with the same words${where}`, async () => {
      using responder = await begin(SERVER_KEY);
      const [near, far] = streamPair();
      const accepting = assertRejects(
        () => accept(far, { responder }),
        HandshakeError,
        "the message does not open",
      );
      const client = await connect(near, options);
      await accepting;
      assertEquals(far.outgoing.written.length, 2);
      assertEquals(far.outgoing.written[1], KEY_REFUSAL);
      const error = await assertRejects(
        () => client.read(),
        RefusedError,
        "The link or code does not open this room",
      );
      assertEquals(error.code, HandshakeRefusal.key);
    });
  }
}

/** Waits until it is so, a few turns of the event loop later at most. */
async function noticed(isGone: () => boolean): Promise<void> {
  for (let turn = 0; !isGone(); turn++) {
    assert(turn < 100, "nobody has noticed");
    await new Promise((resolve) => setTimeout(resolve));
  }
}

for (
  const [how, rest, fault] of [
    ["goes", [], GoneError],
    ["sends what is no record", [0, 0, 9], WireError],
  ] as const
) {
  Deno.test(`acceptChannel() notices while it works for a client that this one ${how}, and says so`, async () => {
    const [near, far] = streamPair();
    connect(near).catch(() => {});
    const asked = Promise.withResolvers<() => boolean>();
    const turn = Promise.withResolvers<never>();
    const accepting = accept(far, {
      responder: {
        answer: (_first, _passwordOf, isGone = () => false) => {
          asked.resolve(isGone);
          return turn.promise;
        },
      },
    });
    const isGone = await asked.promise;
    assertEquals(isGone(), false);
    if (rest.length > 0) await near.write(Uint8Array.from(rest));
    else near.close();
    const rejected = assertRejects(() => accepting, fault);
    await noticed(isGone);
    turn.reject(new Error("not wanted any more"));
    await rejected;
  });
}

for (
  const bad of [
    new HandshakeError("no key"),
    new WireError("a payload of another size"),
  ]
) {
  Deno.test(`acceptChannel() says of a first message that it has ${bad.message}, though its client goes meanwhile`, async () => {
    const asked = Promise.withResolvers<() => boolean>();
    const turn = Promise.withResolvers<never>();
    const answer: Responder["answer"] = (_first, _passwordOf, isGone) => {
      if (isGone) asked.resolve(isGone);
      return turn.promise;
    };
    const [near, far] = streamPair();
    connect(near).catch(() => {});
    const accepting = accept(far, { responder: { answer } });
    const isGone = await asked.promise;
    near.close();
    const ended = accepting.catch((error) => error);
    await noticed(isGone);
    turn.reject(bad);
    assertEquals(await ended, bad);
  });
}

Deno.test("acceptChannel() tells a client of another version so, and reads no further", async () => {
  for (const version of [0, 1, 2, 4, 255]) {
    const [near, far] = streamPair();
    near.outgoing.alter = (bytes) => {
      const altered = bytes.slice();
      altered[HEADER_SIZE] = version;
      return [altered];
    };
    const accepting = assertRejects(
      () => accept(far),
      HandshakeError,
      `Cannot speak version ${version}`,
    );
    const error = await assertRejects(() => connect(near), RefusedError);
    await accepting;
    assertEquals(error.code, HandshakeRefusal.version);
    assertEquals(near.outgoing.written.length, 1);
    assertEquals(far.outgoing.written, [
      refusalRecord(HandshakeRefusal.version, PROTOCOL_VERSION),
    ]);
  }
});

Deno.test("connectChannel() says which side is the older one, where the server tells its version", async () => {
  const table: [number[], string][] = [
    [[], "The server speaks another version of the protocol"],
    [[4], "The server speaks version 4 and this client 3: update the client"],
    [[1], "The server speaks version 1 and this client 3: update the server"],
    [[4, 9, 9], "version 4 and this client 3"], // what comes behind it is for a later version
  ];
  for (const [more, text] of table) {
    const [near, far] = streamPair();
    far.outgoing.inject(refusalRecord(HandshakeRefusal.version, ...more));
    const error = await assertRejects(() => connect(near), RefusedError, text);
    assertEquals(error.code, HandshakeRefusal.version);
  }
});

Deno.test("connectChannel() says why a server won't even begin", async () => {
  const codes = [[HandshakeRefusal.busy, "no room"], [99, "code 99"]] as const;
  for (const [code, text] of codes) {
    const [near, far] = streamPair();
    await refuse(far, code);
    const error = await assertRejects(() => connect(near), RefusedError, text);
    assertEquals(error.code, code);
  }
});

for (const [where, begin] of RESPONDERS) {
  Deno.test(`acceptChannel() lets a member in by its own key alone, and turns anybody else away who comes without an invite${where}`, async () => {
    using responder = await begin(SERVER_KEY);
    const member = { inviteId: MEMBER_ID, inviteKey: MEMBER_KEY };
    const asked: [number, Bytes][] = [];
    const turnedAway = (id: number, key: Bytes) => {
      asked.push([id, key]);
      return asked.length === 1 ? undefined : HandshakeRefusal.busy;
    };
    const [near, far] = streamPair();
    const [client, server] = await Promise.all([
      connect(near, member),
      accept(far, { responder, turnedAway }),
    ]);
    await client.send(say(1));
    assertEquals(await receive(server, 1), [say(1)]);
    const [second, other] = streamPair();
    const accepting = assertRejects(
      () => accept(other, { responder, turnedAway }),
      HandshakeError,
      "The server has no room for another connection right now",
    );
    const refused = await connect(second, member);
    await accepting;
    const error = await assertRejects(() => refused.read(), RefusedError);
    assertEquals(error.code, HandshakeRefusal.busy);
    assertEquals(asked, [
      [MEMBER_ID, CLIENT.publicKey],
      [MEMBER_ID, CLIENT.publicKey],
    ]);
  });
}

Deno.test("connectChannel() never sends its third message to a server that checkServer rejects", async () => {
  const wrong = new RangeError("not the server that I know");
  const fail = () => {
    throw wrong;
  };
  const faults: Partial<ConnectOptions>[] = [
    { checkServer: fail },
  ];
  for (const fault of faults) {
    const [near, far] = streamPair();
    const accepting = assertRejects(() => accept(far), WireError);
    const error = await assertRejects(() => connect(near, fault));
    await accepting;
    assertEquals(error, wrong);
    assertEquals(near.outgoing.written.length, 1);
    assertEquals(far.outgoing.written.length, 1);
  }
});

/** What a client hears first; without that it has no channel that is good for anything. */
async function firstWord(channel: Channel): Promise<void> {
  if (await channel.read() === null) throw new WireError("the stream ended");
}

/** Both ends' outcome where `alter` stands between them. */
async function tampered(
  responder: Responder,
  upwards: boolean,
  turn: number,
  alter: (record: Bytes) => Bytes,
  last: boolean,
): Promise<PromiseSettledResult<unknown>[]> {
  const [near, far] = streamPair();
  const flow = upwards ? near.outgoing : far.outgoing;
  flow.alter = (record, at) => {
    if (at !== turn) return [record];
    // A record that claims to be longer than it is would be waited for until somebody's time is up.
    if (last) queueMicrotask(() => flow.end());
    return [alter(record)];
  };
  return await Promise.allSettled([
    connect(near).then((channel) => closing(near, firstWord(channel))),
    accept(far, { responder }).then((channel) =>
      channel.send({ kind: "pong" })
    ),
  ]);
}

for (
  const [name, upwards, turn, size] of [
    ["first", true, 0, 1_240],
    ["second", false, 0, 1_187],
    ["third", true, 1, 67],
  ] as const
) {
  for (const [where, begin] of RESPONDERS) {
    Deno.test(`connectChannel() and acceptChannel() both fail where any byte of the ${name} message is changed${where}`, async () => {
      using responder = await begin(SERVER_KEY);
      let seen = 0;
      const flip = (at: number) =>
        tampered(responder, upwards, turn, (record) => {
          seen = record.length;
          return flipped(record, at);
        }, at < 2);
      for (let start = 0; start < size; start += 64) {
        const count = Math.min(64, size - start);
        const attempts = Array.from(
          { length: count },
          (_, at) => flip(start + at),
        );
        for (const [at, ends] of (await Promise.all(attempts)).entries()) {
          const states = ends.map(({ status }) => status);
          assertEquals(states, ["rejected", "rejected"], `byte ${start + at}`);
        }
      }
      assertEquals(seen, size);
    });

    Deno.test(`connectChannel() and acceptChannel() both fail where the ${name} message breaks off${where}`, async () => {
      using responder = await begin(SERVER_KEY);
      for (const kept of [0, 1, HEADER_SIZE, size - 1]) {
        const cut = (record: Bytes) => record.subarray(0, kept);
        const ends = await tampered(responder, upwards, turn, cut, true);
        const states = ends.map(({ status }) => status);
        assertEquals(states, ["rejected", "rejected"]);
      }
    });
  }
}

for (const [where, begin] of RESPONDERS) {
  Deno.test(`acceptChannel() lets nobody in by a recorded session: it fails at the third message${where}`, async () => {
    using responder = await begin(SERVER_KEY);
    const { client, up } = await channels();
    await client.send(say(1), say(2));
    const recording = concat(...up.written);

    const [near, far] = streamPair();
    near.outgoing.inject(recording);
    await assertRejects(
      () => accept(far, { responder }),
      HandshakeError,
      "does not open",
    );
    const [reply, ...rest] = far.outgoing.written;
    assertEquals(reply?.[2], RecordType.handshake);
    assertEquals(rest, [KEY_REFUSAL]);
  });
}

Deno.test("connectChannel() takes no recorded server: its second message doesn't open", async () => {
  const { server, down } = await channels();
  await server.send({ kind: "pong" });
  const [near, far] = streamPair();
  far.outgoing.inject(concat(...down.written));
  await assertRejects(() => connect(near), HandshakeError, "does not open");
  assertEquals(near.outgoing.written.length, 1);
});

for (const [where, begin] of RESPONDERS) {
  Deno.test(`acceptChannel() answers random first bytes with nothing${where}`, async () => {
    using responder = await begin(SERVER_KEY);
    const random = seededRandom(2);
    for (let round = 0; round < 200; round++) {
      const [near, far] = streamPair();
      const bytes = randomBytes(random(3_000));
      // In turn: anything at all, a record of the right type, one of the right length and version, too.
      if (round % 3 > 0) bytes.set([0x04, 0xd8, RecordType.handshake]);
      if (round % 3 > 1) bytes.set([PROTOCOL_VERSION], HEADER_SIZE);
      else if (bytes[HEADER_SIZE] !== undefined) {
        bytes[HEADER_SIZE] = PROTOCOL_VERSION;
      }
      near.outgoing.inject(bytes);
      near.outgoing.end();
      const error = await assertRejects(() => accept(far, { responder }));
      assert(error instanceof WireError || error instanceof HandshakeError);
      assertEquals(far.outgoing.written, []);
    }
  });
}

Deno.test("acceptChannel() takes nothing but handshake records, of 2,048 bytes at most", async () => {
  const header = (type: RecordType) => encodeHeader(type, 100);
  const cases: readonly (readonly [Bytes, string])[] = [
    [header(RecordType.direct), "a record of type 2 came"],
    [header(RecordType.broadcast), "a record of type 3 came"],
    [encodeHeader(RecordType.handshake, 2_046), "its length is 2049"],
  ];
  for (const [bytes, reason] of cases) {
    const [near, far] = streamPair();
    near.outgoing.inject(concat(bytes, new Uint8Array(2_046)));
    await assertRejects(() => accept(far), WireError, reason);
    assertEquals(far.outgoing.written, []);
  }
});

/** A client's first record around a payload of the test's own. */
async function firstRecord(payload: Uint8Array): Promise<Bytes> {
  const prologue = new TextEncoder().encode(PROTOCOL_NAME);
  const handshake = createHandshake({ role: "initiator", prologue });
  const message = await handshake.writeMessage(payload);
  const version = Uint8Array.of(PROTOCOL_VERSION);
  const header = encodeHeader(RecordType.handshake, message.length + 1);
  return concat(header, version, message);
}

for (const [where, begin] of RESPONDERS) {
  Deno.test(`acceptChannel() refuses a payload of another size, and an ML-KEM key that isn't one${where}`, async () => {
    using responder = await begin(SERVER_KEY);
    const sizes = [0, 4, 4 + KEM_KEY_SIZE - 1, 4 + KEM_KEY_SIZE + 1];
    for (const size of sizes) {
      const [near, far] = streamPair();
      near.outgoing.inject(await firstRecord(new Uint8Array(size)));
      await assertRejects(
        () => accept(far, { responder }),
        WireError,
        "the payload has another size",
      );
      assertEquals(far.outgoing.written, []);
    }
    const [near, far] = streamPair();
    const bad = new Uint8Array(4 + KEM_KEY_SIZE).fill(0xff);
    near.outgoing.inject(await firstRecord(bad));
    await assertRejects(
      () => accept(far, { responder }),
      HandshakeError,
      "ML-KEM key",
    );
    assertEquals(far.outgoing.written, []);
  });
}

Deno.test("connectChannel() refuses an answer whose payload has another size", async () => {
  const [near, far] = streamPair();
  const connecting = assertRejects(
    () => connect(near),
    HandshakeError,
    "the payload has another size",
  );
  const buffer = new Uint8Array(2_048);
  let size = 0;
  while (size < 1_240) size += await far.read(buffer.subarray(size)) ?? 0;
  const responder = createHandshake({
    role: "responder",
    prologue: new TextEncoder().encode(PROTOCOL_NAME),
    staticKey: SERVER,
  });
  await responder.readMessage(buffer.subarray(HEADER_SIZE + 1, size));
  const reply = await responder.writeMessage(new Uint8Array(1_000));
  const header = encodeHeader(RecordType.handshake, reply.length);
  far.outgoing.inject(concat(header, reply));
  await connecting;
});

Deno.test("acceptChannel() and connectChannel() come to nothing where their ML-KEM secrets differ", async () => {
  const [near, far] = streamPair();
  // A server whose ciphertext holds another secret than the one it goes on with.
  const lying: Kem = {
    generate: (seed) => libraryKem.generate(seed),
    encapsulate: async (key) => {
      const { ciphertext } = await libraryKem.encapsulate(key);
      return { ciphertext, secret: randomBytes(32) };
    },
  };
  const accepting = assertRejects(
    () => accept(far, { kem: lying }),
    HandshakeError,
  );
  await connect(near);
  await accepting;
});

// ── Records ────────────────────────────────────────────────────────────────────────────────────────────

type Meddle = (records: readonly Bytes[]) => readonly Bytes[];

const MEDDLING: readonly (readonly [string, Meddle])[] = [
  ["replayed", ([a, b, c]) => [a, b, b, c] as Bytes[]],
  ["swapped", ([a, b, c]) => [a, c, b] as Bytes[]],
  ["dropped", ([a, _, c]) => [a, c] as Bytes[]],
  ["dropped at the start", ([_, b, c]) => [b, c] as Bytes[]],
  ["replayed from the start", ([a, b, c]) => [a, b, c, a] as Bytes[]],
];

for (const side of ["client", "server"] as const) {
  for (const [name, meddle] of MEDDLING) {
    Deno.test(`Channel.open() gives the ${side} up to the last good record where one is ${name}`, async () => {
      const ends = await channels();
      const [from, to, flow] = side === "client"
        ? [ends.server, ends.client, ends.down]
        : [ends.client, ends.server, ends.up];
      const records: Bytes[] = [];
      flow.alter = (record) => {
        records.push(record);
        return [];
      };
      const events = [say(1), say(2), say(3)];
      for (const event of events) await from.send(event);
      const arriving = meddle(records);
      flow.inject(concat(...arriving));

      const read = await to.read() ?? [];
      assertEquals(read.length, arriving.length);
      const good = arriving.findIndex((record, at) => record !== records[at]);
      assert(good >= 0);
      for (const [at, record] of read.slice(0, good).entries()) {
        assertEquals(await to.open(record), [say(at + 1)]);
      }
      // Those behind the bad one are no good either: none is counted as if it were not there.
      const rest = await Promise.allSettled(
        read.slice(good).map((record) => to.open(record)),
      );
      for (const result of rest) {
        assert(result.status === "rejected");
        assert(result.reason instanceof DecryptionError);
      }
    });
  }
}

Deno.test("Channel.open() refuses a record in which any byte was changed", async () => {
  const { client, server } = await channels();
  const sealed = await client.seal(
    new TextEncoder().encode('[["say",1,"hello"]]'),
  );
  for (let at = 0; at < sealed.length; at++) {
    const bad = flipped(sealed, at);
    const header = bad.subarray(0, HEADER_SIZE);
    const body = bad.subarray(HEADER_SIZE);
    const record = {
      type: RecordType.direct,
      header,
      body,
      before: NO_RECORDS,
    };
    await assertRejects(() => server.open(record), DecryptionError);
  }
  const header = sealed.subarray(0, HEADER_SIZE);
  const body = sealed.subarray(HEADER_SIZE);
  const record = { type: RecordType.direct, header, body, before: NO_RECORDS };
  assertEquals(await server.open(record), [say(1)]);
});

Deno.test("Channel.open() refuses a record that its own side sealed", async () => {
  const { client } = await channels();
  const sealed = await client.seal(new TextEncoder().encode('[["ping"]]'));
  const record = {
    type: RecordType.direct,
    header: sealed.subarray(0, HEADER_SIZE),
    body: sealed.subarray(HEADER_SIZE),
    before: NO_RECORDS,
  };
  await assertRejects(() => client.open(record), DecryptionError);
});

Deno.test("Channel.open() refuses a sealed record that holds no events", async () => {
  const { client, server, up } = await channels();
  const plaintext = new TextEncoder().encode("hello");
  up.inject(await client.seal(plaintext));
  const [record] = await server.read() ?? [];
  assert(record);
  await assertRejects(() => server.open(record), EventError);
});

Deno.test("Channel.read() takes a refusal as the server's first word, and never later", async () => {
  const early = await channels();
  early.down.inject(refusalRecord(HandshakeRefusal.busy));
  await assertRejects(() => early.client.read(), RefusedError, "no room");

  const late = await channels();
  await late.server.send({ kind: "pong" });
  assertEquals((await late.client.read())?.length, 1);
  late.down.inject(refusalRecord(HandshakeRefusal.key));
  await assertRejects(
    () => late.client.read(),
    WireError,
    "a record of type 4 came late",
  );

  const together = await channels();
  const pong = await together.server.seal(
    new TextEncoder().encode('[["pong"]]'),
  );
  together.down.inject(concat(pong, refusalRecord(HandshakeRefusal.key)));
  await assertRejects(() => together.client.read(), WireError, "came late");
});

Deno.test("Channel.read() takes no more handshake records", async () => {
  const { server, up } = await channels();
  const header = encodeHeader(RecordType.handshake, 100);
  up.inject(concat(header, new Uint8Array(100)));
  await assertRejects(
    () => server.read(),
    WireError,
    "a record of type 1 came late",
  );
});

Deno.test("Channel.read() gives what arrived before the end, then null", async () => {
  const { client, server, up } = await channels();
  await client.send(say(1));
  up.end();
  assertEquals(await receive(server, 1), [say(1)]);
  assertEquals(await server.read(), null);
});

Deno.test("Channel.read() takes at once what came behind the third message, up to 2,048 bytes", async () => {
  const [near, far] = streamPair();
  const up = near.outgoing;
  const sizes: number[] = []; // of what is read into
  const inviteKey = () => INVITE_KEY;
  const accepting = acceptChannel({
    read: (into) => {
      sizes.push(into.length);
      return far.read(into);
    },
    write: (bytes) => far.write(bytes),
    close: () => far.close(),
  }, { responder: new LocalResponder(SERVER), inviteKey });
  const checkServer = () => void (up.held = true);
  const client = await connect(near, { checkServer });
  const long = say(1, "x".repeat(1_900)); // as long as a `join`
  await client.send(long);
  up.held = false;
  assertEquals(await receive(await accepting, 1), [long]);
  assertEquals(sizes, [256, 2_048, 256, 2_048]);
});

Deno.test("Channel.read() drops a record that the end cut short", async () => {
  const { client, server, up } = await channels();
  const sealed = await client.seal(new TextEncoder().encode('[["ping"]]'));
  up.inject(sealed.subarray(0, -1));
  up.end();
  assertEquals(await server.read(), null);
});

Deno.test("Channel.send() splits what doesn't fit one record, and keeps the order of its calls", async () => {
  const { client, server, up } = await channels();
  up.capacity = 1_000;
  const batches = Array.from({ length: 20 }, (_, batch) =>
    Array.from(
      { length: 30 },
      (_, at) => say(1 + batch * 30 + at, "x".repeat(3_000)),
    ));
  const sending = batches.map((batch) => client.send(...batch));
  assertEquals(await receive(server, 600), batches.flat());
  await Promise.all(sending);
});

Deno.test("Channel.send() fails with the stream, and so does every call behind it", async () => {
  const { client, up } = await channels();
  up.capacity = 0;
  const sending = [1, 2, 3].map((n) => client.send(say(n)));
  up.fail(new Deno.errors.BrokenPipe("gone"));
  for (const sent of await Promise.allSettled(sending)) {
    assert(sent.status === "rejected");
    assert(sent.reason instanceof Deno.errors.BrokenPipe);
  }
  await assertRejects(() => client.send(say(4)), Deno.errors.BrokenPipe);
  assertEquals(up.written.length, 2); // the handshake's
});

Deno.test("Channel.close() ends the stream, and may be called again", async () => {
  const { client, server } = await channels();
  client.close();
  client.close();
  assertEquals(await server.read(), null);
  await assertRejects(() => client.read(), Deno.errors.BadResource);
});

Deno.test("Channel.seal() binds the header: the same ciphertext under another doesn't open", async () => {
  const [near, far] = streamPair();
  const [client, server] = await Promise.all([connect(near), accept(far)]);
  const sealed = await client.seal(new TextEncoder().encode('[["ping"]]'));
  assertEquals(sealed.subarray(0, HEADER_SIZE), directHeader(10));
  const body = sealed.subarray(HEADER_SIZE);
  const header = encodeHeader(RecordType.broadcast, body.length);
  const record = {
    type: RecordType.broadcast,
    header,
    body,
    before: NO_RECORDS,
  };
  await assertRejects(() => server.open(record), DecryptionError);
});

Deno.test("Channel.send() puts nothing on the wire that can be read there", async () => {
  const { client, up } = await channels();
  const marker = "a text that must not be seen";
  await client.send(say(1, marker), { kind: "bye", reason: marker });
  const wire = new TextDecoder("latin1").decode(concat(...up.written));
  assert(!wire.includes("must not") && !wire.includes("say"));
});
