/**
 * docs/protocol_example.json, the worked example of docs/protocol.md: real ends of a connection say it again, byte
 * for byte, and its records open with the keys that it publishes.
 *
 * All of its keys count up (00 01 02 …), so that nobody takes one for a real key. Here they stand in for the
 * system's random bytes, in the order in which the two ends ask for them. The clock stands still.
 *
 * @module
 */

import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import {
  type Bytes,
  CipherState,
  concat,
  copyOf,
  decryptMessage,
  deriveKey,
  EMPTY,
  hkdf,
  PROTOCOL_BYTES,
  PROTOCOL_NAME,
  sha256,
  toBase64url,
} from "../../../crypto_utils.ts";
import example from "../../../docs/protocol_example.json" with { type: "json" };
import { EpochReader } from "../../../src/crypto/epoch.ts";
import { hybridPsk, type Kem, kem } from "../../../src/crypto/kem.ts";
import { createHandshake, type Handshake } from "../../../src/crypto/noise.ts";
import { type Identity, identityOf } from "../../../src/crypto/identity.ts";
import { fullId, shortId } from "../../../src/crypto/person_id.ts";
import { importKeyPair } from "../../../src/crypto/x25519.ts";
import {
  admissionKey,
  formatInvite,
  ROOM_INVITE_ID,
} from "../../../src/keys/invite.ts";
import { ChatLog } from "../../../src/log/chat_log.ts";
import type { Channel } from "../../../src/protocol/channel.ts";
import type { Event } from "../../../src/protocol/events.ts";
import {
  acceptChannel,
  connectChannel,
} from "../../../src/protocol/handshake.ts";
import { PROTOCOL_VERSION } from "../../../src/protocol/hello.ts";
import { LocalResponder } from "../../../src/protocol/responder.ts";
import {
  directData,
  encodeHeader,
  HEADER_SIZE,
  NO_RECORDS,
  RecordType,
  type WireRecord,
} from "../../../src/protocol/records.ts";
import { Broadcaster } from "../../../src/server/broadcaster.ts";
import { Connection } from "../../../src/server/connection.ts";
import { Mailbox } from "../../../src/server/mailbox.ts";
import { FileRelay } from "../../../src/server/file_relay.ts";
import { History } from "../../../src/server/history.ts";
import type { People } from "../../../src/server/people/people.ts";
import { Purses } from "../../../src/server/rate_limits.ts";
import { Room } from "../../../src/server/room.ts";
import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";
import { utf8 } from "../../kit/bytes.ts";
import { streamPair } from "../../kit/memory_stream.ts";
import { replaced } from "../../kit/replaced.ts";
import { joinEvent, openPeople } from "../../kit/people.ts";

type Example = typeof example;

// ── Its keys ───────────────────────────────────────────────────────────────────────────────────────────

/** Bytes that count up. */
function counting(first: number, size = 32): Bytes {
  return Uint8Array.from({ length: size }, (_, index) => first + index);
}

const CLIENT_SEED = counting(0x00);
const CLIENT_EPHEMERAL = counting(0x20);
const SERVER_STATIC = counting(0x40);
const SERVER_EPHEMERAL = counting(0x60);
const ML_KEM_SEED = counting(0x80, 64);
const ML_KEM_RANDOMNESS = counting(0xf0);
const ROOM_KEY = counting(0xc0);
const ANA_STAY = toBase64url(counting(0xe0, 8));
const BO_SEED = counting(0xd0);
const BO_STAY = toBase64url(counting(0xe8, 8));

/** What the system's random source gives in a conversation, in order: AES keys, and private keys of key pairs. */
const RANDOM = [
  ...[counting(0x10), counting(0x30)], // the first epoch
  ...[CLIENT_EPHEMERAL, SERVER_EPHEMERAL],
  ...[counting(0x50), counting(0x70)], // what is shared with Ana
  ...[counting(0x01), counting(0x02)], // Bo's handshake
  ...[counting(0x03), counting(0x04)], // what is shared with Bo
  ...[counting(0x90), counting(0xb0)], // the epoch after Bo left
];

const SERVER = await importKeyPair(SERVER_STATIC);
const ANA = await identityOf(CLIENT_SEED);
const BO = await identityOf(BO_SEED);
const CLIENT_STATIC = deriveKey(CLIENT_SEED, "noise");
const KEM_KEY = await kem.generate(ML_KEM_SEED);
const NOON = Date.UTC(2026, 10, 23, 12);

/** ML-KEM-768 whose randomness is given. */
const FIXED_KEM: Kem = {
  generate: () => Promise.resolve(KEM_KEY),
  encapsulate(key) {
    const made = ml_kem768.encapsulate(key, ML_KEM_RANDOMNESS);
    const { cipherText, sharedSecret } = made;
    const [ciphertext, secret] = [copyOf(cipherText), copyOf(sharedSecret)];
    return Promise.resolve({ ciphertext, secret });
  },
};

/** What stands before a raw private key in PKCS#8 (RFC 8410 section 7). */
const PKCS8 = {
  X25519: "302e020100300506032b656e04220420",
  Ed25519: "302e020100300506032b657004220420",
};

/** The key pair of a raw private key, as `crypto.subtle.generateKey` gives a random one. */
async function keyPairOf(
  name: keyof typeof PKCS8,
  raw: Bytes,
): Promise<CryptoKeyPair> {
  const { subtle } = crypto;
  const isForSigning = name === "Ed25519";
  const pkcs8 = Uint8Array.fromHex(PKCS8[name] + raw.toHex());
  const privateKey = await subtle.importKey("pkcs8", pkcs8, name, true, [
    isForSigning ? "sign" : "deriveBits",
  ]);
  const { kty, crv, x } = await subtle.exportKey("jwk", privateKey);
  const jwk = { kty, crv, x } as JsonWebKey;
  const usages: KeyUsage[] = isForSigning ? ["verify"] : [];
  const publicKey = await subtle.importKey("jwk", jwk, name, true, usages);
  return { publicKey, privateKey };
}

/** Puts what the example has in the place of the system's random source and clock. */
function fixSystem(): Disposable {
  const left = [...RANDOM];
  const next = () => {
    const bytes = left.shift();
    assert(bytes, "more random bytes are asked for than the example has");
    return bytes;
  };
  const fill = (into: Uint8Array) => {
    into.set(next());
    return into;
  };
  const generate = (name: keyof typeof PKCS8) => keyPairOf(name, next());
  const system = new DisposableStack();
  system.use(replaced(crypto, "getRandomValues", fill));
  system.use(replaced(crypto.subtle, "generateKey", generate));
  system.use(replaced(Date, "now", () => NOON));
  return system;
}

// ── What our code says ─────────────────────────────────────────────────────────────────────────────────

/** A server with a room. */
class Server implements AsyncDisposable {
  readonly #running: Promise<void>;

  private constructor(
    readonly folder: string,
    readonly log: ChatLog,
    readonly broadcaster: Broadcaster,
    readonly people: People,
    readonly room: Room,
    readonly mailbox: Mailbox,
  ) {
    this.#running = room.run();
  }

  static async start(): Promise<Server> {
    const folder = await Deno.makeTempDir();
    const address = "127.0.0.1:5000";
    const log = await ChatLog.open(`${folder}/chat.log`, { address });
    const broadcaster = await Broadcaster.create(SERVER.publicKey, 1_048_576);
    const greeting: Event[] = [{ kind: "limits", fileSize: 16_777_216 }];
    const people = openPeople(`${folder}/chat.people`, ROOM_KEY);
    const sizes = { maxMembers: 9, history: 50 };
    const mailbox = Mailbox.open(`${folder}/chat.waiting`);
    const main = { log, broadcaster, people, mailbox };
    const room = new Room({ ...sizes, ...main, greeting: () => greeting });
    return new Server(folder, log, broadcaster, people, room, mailbox);
  }

  async connect({ keyPair }: Identity): Promise<Client> {
    const [near, far] = streamPair();
    const rates = { burst: 1, perSecond: 0, bytesPerMessage: 1 };
    const [channel, accepted] = await Promise.all([
      connectChannel(near, {
        keyPair,
        inviteId: ROOM_INVITE_ID,
        inviteKey: admissionKey(ROOM_KEY),
        checkServer: (key) => assertEquals(key, SERVER.publicKey),
        kem: FIXED_KEM,
      }),
      acceptChannel(far, {
        responder: new LocalResponder(SERVER, { kem: FIXED_KEM }),
        inviteKey: (id) => this.people.access.inviteKey(id),
      }),
    ]);
    const [first = EMPTY, third = EMPTY] = near.outgoing.written;
    const [second = EMPTY] = far.outgoing.written;
    const connection = new Connection(far, accepted, {
      room: this.room,
      people: this.people,
      purses: new Purses(),
      history: new History(this.log, 50),
      ring: this.broadcaster.ring,
      relay: new FileRelay({ maxFileSize: 16_777_216, maxTransfers: 1 }),
      mailbox: this.mailbox,
      rates,
    });
    const client = new Client(channel, near.outgoing.written, connection.run());
    client.handshake.push(first.toHex(), second.toHex(), third.toHex());
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.room.stop();
    await this.#running;
    await this.log[Symbol.asyncDispose]();
    this.people[Symbol.dispose]();
    this.mailbox[Symbol.dispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** A client that keeps every record of its connection, in hexadecimal digits. */
class Client {
  readonly handshake: string[] = [];
  readonly records: { from: string; record: string }[] = [];
  #arrived: WireRecord[] = [];

  constructor(
    readonly channel: Channel,
    readonly written: readonly Bytes[],
    readonly served: Promise<unknown>,
  ) {}

  /** Says something. @param answers How many records the server says then. */
  async say(event: Event, answers: number): Promise<void> {
    await this.channel.send(event);
    const record = this.written.at(-1) ?? EMPTY;
    this.records.push({ from: "client", record: record.toHex() });
    await this.hear(answers);
  }

  /** Takes so many of the server's records. */
  async hear(count: number): Promise<void> {
    while (this.#arrived.length < count) {
      const more = await this.channel.read();
      assert(more, "the server has ended the connection");
      this.#arrived.push(...more);
    }
    for (const { header, body } of this.#arrived.splice(0, count)) {
      const record = concat(header, body).toHex();
      this.records.push({ from: "server", record });
    }
  }

  async leave(): Promise<void> {
    await this.say({ kind: "bye", reason: "left" }, 1);
    assertEquals(await this.channel.read(), null);
    this.channel.close();
    await this.served;
  }
}

/**
 * Ana joins and speaks. Bo joins, Ana speaks, Bo leaves, Ana leaves.
 * @returns Ana, who has kept it all, and the chain's values for all lines, in hexadecimal digits.
 */
async function converse(): Promise<[Client, string[]]> {
  using _system = fixSystem();
  await using server = await Server.start();
  const ana = await server.connect(ANA);
  const n = 2_876_500;
  await ana.say(joinEvent(ANA, "Ana", { stay: ANA_STAY, n }), 3);
  await ana.say({ kind: "say", n: n + 1, text: "hello" }, 1);
  const bo = await server.connect(BO);
  await bo.say(joinEvent(BO, "Bo", { stay: BO_STAY, n: 7 }), 3);
  await ana.hear(1);
  await ana.say({ kind: "say", n: n + 2, text: "Hi, Bo" }, 1);
  await bo.hear(1);
  await bo.leave();
  await ana.hear(2);
  await ana.leave();
  const values: string[] = [];
  for (let seq = 1; seq <= server.log.head; seq++) {
    values.push((await server.log.chainAt(seq))?.toHex() ?? "");
  }
  return [ana, values];
}

/** Ana's handshake, message by message. @param psk 32 bytes. @param ciphertext ML-KEM's. */
async function shakeHands(
  psk: Bytes,
  ciphertext: Bytes,
): Promise<Example["handshake"]> {
  const options = { prologue: PROTOCOL_BYTES, psk };
  const client = createHandshake({
    ...options,
    role: "initiator",
    staticKey: CLIENT_STATIC,
    ephemeralKey: CLIENT_EPHEMERAL,
  });
  const server = createHandshake({
    ...options,
    role: "responder",
    staticKey: SERVER_STATIC,
    ephemeralKey: SERVER_EPHEMERAL,
  });
  const messages: Example["handshake"] = [];
  const pass = async (writer: Handshake, payload: Bytes, before = EMPTY) => {
    const [from, reader] = writer === client
      ? ["client", server] as const
      : ["server", client] as const;
    const message = await writer.writeMessage(payload);
    assertEquals(await reader.readMessage(message), payload);
    const hash = writer.handshakeHash;
    assertEquals(reader.handshakeHash, hash);
    const body = concat(before, message);
    const header = encodeHeader(RecordType.handshake, body.length);
    messages.push({
      from,
      payload: payload.toHex(),
      hash: hash.toHex(),
      record: concat(header, body).toHex(),
    });
  };
  const version = Uint8Array.of(PROTOCOL_VERSION);
  const inviteId = new Uint8Array(4);
  const hello = concat(inviteId, KEM_KEY.encapsulationKey);
  await pass(client, hello, version);
  await pass(server, ciphertext);
  await pass(client, EMPTY);
  return messages;
}

// ── The example ────────────────────────────────────────────────────────────────────────────────────────

async function pairOf(
  raw: Bytes,
): Promise<{ private: string; public: string }> {
  const { publicKey } = await importKeyPair(raw);
  return { private: raw.toHex(), public: publicKey.toHex() };
}

/** What of the example the two ends say by themselves. */
async function made() {
  const { ciphertext } = await FIXED_KEM.encapsulate(KEM_KEY.encapsulationKey);
  const secret = await KEM_KEY.decapsulate(ciphertext);
  const psk = hybridPsk(admissionKey(ROOM_KEY), secret);
  const [{ handshake, records }, chain] = await converse();
  const messages = await shakeHands(psk, ciphertext);
  assertEquals(messages.map(({ record }) => record), handshake);
  const name = utf8("Noise_XXpsk3_25519_AESGCM_SHA256");
  return {
    protocol: PROTOCOL_NAME,
    keys: {
      clientSeed: CLIENT_SEED.toHex(),
      clientStatic: await pairOf(CLIENT_STATIC),
      clientEphemeral: await pairOf(CLIENT_EPHEMERAL),
      serverStatic: await pairOf(SERVER_STATIC),
      serverEphemeral: await pairOf(SERVER_EPHEMERAL),
      mlKemSeed: ML_KEM_SEED.toHex(),
      mlKemRandomness: ML_KEM_RANDOMNESS.toHex(),
      mlKemSecret: secret.toHex(),
      roomKey: ROOM_KEY.toHex(),
    },
    card: ANA.card.toHex(),
    person: { id: ANA.id.toHex(), short: shortId(fullId(ANA.id)) },
    invite: formatInvite({
      host: "127.0.0.1",
      port: 5000,
      serverKey: SERVER.publicKey,
      id: ROOM_INVITE_ID,
      secret: ROOM_KEY,
    }),
    initialHash: sha256(concat(name, PROTOCOL_BYTES)).toHex(),
    handshake: messages,
    psk: psk.toHex(),
    records,
    chain,
  };
}

/** How many records of a type the server had sent before the record at that index. */
function countBefore({ records }: Example, index: number, type: RecordType) {
  return records.slice(0, index).filter(({ record }) =>
    Uint8Array.fromHex(record)[2] === type
  ).length;
}

/** The plaintext of the record at that index, by the keys that the example publishes. */
async function opened(example: Example, index: number): Promise<string> {
  const { transport, epochs, records } = example;
  const sent = records[index];
  assert(sent, `there is no record ${index}`);
  const { from, epoch, counter, record } = sent;
  const bytes = Uint8Array.fromHex(record);
  const header = bytes.subarray(0, HEADER_SIZE);
  const body = bytes.subarray(HEADER_SIZE);
  let plaintext: Bytes;
  if (epoch === undefined) {
    const key = from === "client" ? transport.client : transport.server;
    const cipher = await CipherState.create(Uint8Array.fromHex(key), counter);
    const before = from === "client" ? NO_RECORDS : {
      broadcast: countBefore(example, index, RecordType.broadcast),
      shared: countBefore(example, index, RecordType.shared),
    };
    const data = directData(header, before);
    plaintext = await decryptMessage(cipher, body, data);
  } else {
    const found = epochs.find(({ number }) => number === epoch);
    assert(found, `there is no epoch ${epoch}`);
    const key = Uint8Array.fromHex(found.key);
    const verifyKey = Uint8Array.fromHex(found.verifyKey);
    const secret = { number: epoch, counter, key, verifyKey };
    const reader = await EpochReader.create(SERVER.publicKey, secret);
    plaintext = await reader.open(body, header);
  }
  return new TextDecoder().decode(plaintext);
}

/** @throws if anything in the example is not what the two ends say, or does not open as it says. */
async function check(
  given: Example,
  expected: Awaited<ReturnType<typeof made>>,
): Promise<void> {
  const { transport: _transport, epochs: _epochs, ...rest } = given;
  const records = given.records.map(({ from, record }) => ({ from, record }));
  assertEquals({ ...rest, records }, expected);
  const plaintexts = given.records.map((_, index) => opened(given, index));
  assertEquals(
    await Promise.all(plaintexts),
    given.records.map(({ plaintext }) => plaintext),
  );
}

Deno.test("worked example is what a client and a server say, byte for byte", async () => {
  await check(example, await made());
});

Deno.test("worked example has a ratchet by HKDF, and one signing key on both sides of it", () => {
  const [before, after] = [2, 3].map((wanted) =>
    example.epochs.find(({ number }) => number === wanted)
  );
  assert(before && after);
  const info = utf8(`${PROTOCOL_NAME} ratchet`);
  const key = hkdf(Uint8Array.fromHex(before.key), EMPTY, info, 32);
  assertEquals(key.toHex(), after.key);
  assertEquals(before.verifyKey, after.verifyKey);
});

/** Copies of a value, each with one change: a digit of a text, at its start, in its middle and at its end. */
function* changed(value: unknown): Generator<unknown> {
  if (typeof value === "number") yield value + 1;
  if (typeof value === "string") {
    for (const index of [0, value.length >> 1, value.length - 1]) {
      const digit = value[index] === "0" ? "1" : "0";
      yield value.slice(0, index) + digit + value.slice(index + 1);
    }
  }
  if (typeof value !== "object" || value === null) return;
  for (const [name, part] of Object.entries(value)) {
    for (const other of changed(part)) {
      const copy = structuredClone(value);
      Reflect.set(copy, name, other);
      yield copy;
    }
  }
}

Deno.test("worked example is refused with any part of it changed", async () => {
  const expected = await made();
  let count = 0;
  for (const other of changed(example)) {
    await assertRejects(() => check(other as Example, expected));
    count++;
  }
  assert(count > 200, `${count} changes`);
});
