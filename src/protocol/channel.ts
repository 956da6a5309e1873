/**
 * One secured connection: the handshake, then sealed records both ways. Knows nothing of rooms, names or
 * terminals.
 *
 *     client                                                             server
 *       version ‖ e ‖ { invite id ‖ ML-KEM key }              ──────▶
 *                    ◀──────   e, ee, s, es ‖ { ML-KEM ciphertext ‖ passphrase salt }
 *       (is that the server's key? if not, nothing more is sent)
 *       s, se, psk                                            ──────▶    (else: a refusal, and the end)
 *       direct, direct, …            ◀─────▶                   direct, shared, broadcast, …
 *
 * @module
 */

import {
  type Bytes,
  concat,
  decryptMessage,
  encryptMessage,
  HandshakeError,
  PROTOCOL_NAME,
  randomBytes,
  SALT_SIZE,
  TAG_SIZE,
} from "../../crypto_utils.ts";
import { encodeEvent, type Event, packEvents, unpackEvents } from "./events.ts";
import { Turns } from "../base/limiter.ts";
import {
  directHeader,
  encodeHeader,
  HEADER_SIZE,
  MAX_HANDSHAKE_RECORD_SIZE,
  MAX_RECORD_SIZE,
  RecordSplitter,
  RecordType,
  WireError,
  type WireRecord,
} from "./records.ts";
import type { KeyPair } from "../crypto/x25519.ts";
import {
  createHandshake,
  type Handshake,
  type Transport,
} from "../crypto/noise.ts";
import {
  hybridPsk,
  type Kem,
  kem as defaultKem,
  KEM_CIPHERTEXT_SIZE,
  KEM_KEY_SIZE,
} from "../crypto/kem.ts";

/** The version that a client's first byte asks for; part of the prologue by the protocol's name. */
export const PROTOCOL_VERSION = 1;
/** An invite's number, bytes. */
const INVITE_ID_SIZE = 4;
/** What an idle connection keeps for its next bytes, and what a busy one reads at a time. */
const IDLE_BUFFER_SIZE = 256;
const BUSY_BUFFER_SIZE = 16_384;

/** Why a server ends a handshake, and what a client says of it. */
export const CHANNEL_REFUSALS: Readonly<Record<number, string>> = {
  1: "The server speaks another version of the protocol",
  2: "The key does not open this room",
  3: "The server has no place for another connection just now",
};

/** The codes of `CHANNEL_REFUSALS`. */
export const ChannelRefusal = { version: 1, key: 2, busy: 3 } as const;

/** The server refused the handshake. */
export class RefusedError extends Error {
  /** "RefusedError". */
  override readonly name = "RefusedError";
  /** Says what the code means. @param code One of `ChannelRefusal`, or one that this version doesn't know. */
  constructor(readonly code: number) {
    super(CHANNEL_REFUSALS[code] ?? `The server refused, with code ${code}`);
  }
}

/**
 * The peer went before its next message, as one does that only looks whether somebody listens, or with which
 * key.
 */
export class GoneError extends WireError {
  /** Says so. @param answered Whether it had our answer. @param cause The stream's error, where there was one. */
  constructor(readonly answered: boolean, cause?: unknown) {
    super("Cannot shake hands: the connection ended", { cause });
  }
}

/** The parts of a TCP connection that a channel uses. */
export interface Stream {
  /** Reads at least one byte; null at the end. */
  read(into: Uint8Array): Promise<number | null>;
  /** Writes at least one byte, and says how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends both directions. */
  close(): void;
}

/** What a server needs to take part in a handshake. */
export interface AcceptOptions {
  /** The server's static key. */
  readonly keyPair: KeyPair;
  /** The salt for passphrases, 16 bytes. */
  readonly salt: Bytes;
  /** The key that belongs to an invite's number, undefined where there is none. */
  readonly inviteKey: (id: number) => Bytes | undefined;
  /** In which turn this handshake's messages are worked on; at once, where it is left out. */
  readonly turns?: Turns;
  /** For tests: which ML-KEM to use. */
  readonly kem?: Kem;
}

/** What a client needs to take part in a handshake. */
export interface ConnectOptions {
  /** The client's static key. */
  readonly keyPair: KeyPair;
  /** Which invite it holds. */
  readonly inviteId: number;
  /** Throws unless this is the server's key; called before the third message is sent. */
  readonly checkServer: (serverKey: Bytes) => void | Promise<void>;
  /** The invite's key, or the passphrase's under this salt. */
  readonly inviteKey: (salt: Bytes) => Bytes | Promise<Bytes>;
  /** For tests: which ML-KEM to use. */
  readonly kem?: Kem;
}

/** Writes all of it; a socket may take less at a time. */
export async function writeAll(stream: Stream, bytes: Uint8Array) {
  for (let at = 0; at < bytes.length;) {
    at += await stream.write(bytes.subarray(at));
  }
}

function record(type: RecordType, body: Uint8Array): Bytes {
  return concat(encodeHeader(type, body.length), body);
}

/**
 * Reads records off a stream. Thousands of connections each wait here, so that it keeps little while it does: a
 * small buffer, and no more async functions than it takes.
 */
class RecordReader {
  readonly #stream: Stream;
  readonly #splitter = new RecordSplitter(MAX_HANDSHAKE_RECORD_SIZE);
  #buffer = new Uint8Array(IDLE_BUFFER_SIZE);
  #busySize = MAX_HANDSHAKE_RECORD_SIZE; // of the buffer, once a read has filled it
  #heard = false;
  #trusted = false; // whether a sealed record has come

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  /**
   * The next record of the handshake.
   * @throws {GoneError} for an end, or a reset, between two messages.
   * @throws {WireError} where the stream ends within one, or can't be one.
   */
  async handshakeRecord(): Promise<WireRecord> {
    for (;;) {
      const record = this.#splitter.shift();
      if (record) return record;
      let read: number | null;
      try {
        read = await this.#stream.read(this.#buffer);
      } catch (error) {
        throw this.#splitter.unfinished
          ? error
          : new GoneError(this.#heard, error);
      }
      if (this.#take(read)) continue;
      throw this.#splitter.unfinished
        ? new WireError("Cannot shake hands: the connection ended")
        : new GoneError(this.#heard);
    }
  }

  /** What comes next is short, and may be long in coming. */
  awaitLittle(): void {
    this.#resize(IDLE_BUFFER_SIZE);
  }

  endHandshake(): void {
    this.#busySize = BUSY_BUFFER_SIZE;
    this.#splitter.raiseLimit(MAX_RECORD_SIZE);
    this.#resize(IDLE_BUFFER_SIZE);
  }

  /** As `Channel.read`. */
  async records(): Promise<WireRecord[] | null> {
    for (;;) {
      const records: WireRecord[] = [];
      for (let next; (next = this.#splitter.shift());) {
        records.push(this.#expectSealed(next));
      }
      if (records.length > 0) return records;
      if (!this.#take(await this.#stream.read(this.#buffer))) return null;
    }
  }

  /** @returns Whether anything was read. */
  #take(read: number | null): boolean {
    if (read === null) return false;
    this.#heard = true;
    this.#splitter.push(this.#buffer.subarray(0, read));
    if (read === this.#buffer.length) this.#resize(this.#busySize);
    else if (read < IDLE_BUFFER_SIZE) this.#resize(IDLE_BUFFER_SIZE);
    return true;
  }

  #resize(size: number): void {
    if (this.#buffer.length !== size) this.#buffer = new Uint8Array(size);
  }

  #expectSealed(record: WireRecord): WireRecord {
    const { type, body } = record;
    if (type === RecordType.refusal && !this.#trusted) {
      throw new RefusedError(body[0] ?? 0);
    }
    if (type === RecordType.handshake || type === RecordType.refusal) {
      throw new WireError(`Cannot go on: a record of type ${type} came late`);
    }
    this.#trusted = true;
    return record;
  }
}

/**
 * The server's side of a handshake.
 * @throws {HandshakeError} for a peer that doesn't hold the key; it has been sent one refusal, the same
 * for every reason but its version. @throws {WireError} for bytes that are no handshake; no reply is sent.
 */
export async function acceptChannel(
  stream: Stream,
  options: AcceptOptions,
): Promise<Channel> {
  const reader = new RecordReader(stream);
  const { turns = new Turns(1) } = options;
  const { handshake, inviteId, secret } = await answer(
    stream,
    reader,
    { ...options, turns },
  );
  reader.awaitLittle();
  const third = expectHandshake(await reader.handshakeRecord());
  // An unknown invite fails where a wrong key does, and as late.
  const inviteKey = options.inviteKey(inviteId) ?? randomBytes(32);
  handshake.setPsk(hybridPsk(inviteKey, secret));
  try {
    await turns.take(() => handshake.readMessage(third));
  } catch (error) {
    await turnAway(stream, ChannelRefusal.key);
    throw error;
  }
  return new Channel(stream, reader, handshake);
}

/**
 * The first two messages. Apart from the third, so that a stranger who goes no further makes the server keep
 * none of their bytes.
 */
async function answer(
  stream: Stream,
  reader: RecordReader,
  options: AcceptOptions & { readonly turns: Turns },
): Promise<{ handshake: Handshake; inviteId: number; secret: Bytes }> {
  const first = expectHandshake(await reader.handshakeRecord());
  if (first[0] !== PROTOCOL_VERSION) {
    await turnAway(stream, ChannelRefusal.version);
    throw new HandshakeError(`Cannot speak version ${first[0]}`);
  }
  const handshake = createHandshake({
    role: "responder",
    prologue: prologue(),
    staticKey: options.keyPair,
  });
  const { inviteId, secret, reply } = await options.turns.take(() =>
    answerTo(first.subarray(1), handshake, options)
  );
  await writeAll(stream, record(RecordType.handshake, reply));
  return { handshake, inviteId, secret };
}

/** What the first message asks for, and the second. */
async function answerTo(
  first: Bytes,
  handshake: Handshake,
  { kem = defaultKem, salt }: AcceptOptions,
): Promise<{ inviteId: number; secret: Bytes; reply: Bytes }> {
  const hello = await handshake.readMessage(first);
  if (hello.length !== INVITE_ID_SIZE + KEM_KEY_SIZE) {
    throw new WireError("Cannot shake hands: the payload has another size");
  }
  const inviteId = new DataView(hello.buffer).getUint32(0);
  const { ciphertext, secret } = await kem
    .encapsulate(hello.subarray(INVITE_ID_SIZE)).catch((cause) => {
      throw new HandshakeError("Cannot use the client's ML-KEM key", { cause });
    });
  const reply = await handshake.writeMessage(concat(ciphertext, salt));
  return { inviteId, secret, reply };
}

/** Refuses a client that may be gone already: its bad handshake counts, and not that it didn't wait. */
async function turnAway(stream: Stream, code: number): Promise<void> {
  await refuse(stream, code).catch(() => {});
}

/** Tells a client that its connection goes no further, and why. */
export async function refuse(stream: Stream, code: number): Promise<void> {
  await writeAll(stream, record(RecordType.refusal, new Uint8Array([code])));
}

/**
 * The client's side of a handshake.
 * @throws {RefusedError} where the server says no. @throws {HandshakeError} where what answers can't be
 * such a server; and whatever `checkServer` throws.
 */
export async function connectChannel(
  stream: Stream,
  options: ConnectOptions,
): Promise<Channel> {
  const reader = new RecordReader(stream);
  const handshake = createHandshake({
    role: "initiator",
    prologue: prologue(),
    staticKey: options.keyPair,
  });
  const kemKey = await (options.kem ?? defaultKem).generate();
  const hello = new Uint8Array(INVITE_ID_SIZE + KEM_KEY_SIZE);
  new DataView(hello.buffer).setUint32(0, options.inviteId);
  hello.set(kemKey.encapsulationKey, INVITE_ID_SIZE);
  const first = await handshake.writeMessage(hello);
  const version = new Uint8Array([PROTOCOL_VERSION]);
  await writeAll(stream, record(RecordType.handshake, concat(version, first)));

  const reply = await handshake.readMessage(await fromServer(reader));
  if (reply.length !== KEM_CIPHERTEXT_SIZE + SALT_SIZE) {
    throw new HandshakeError(
      "Cannot shake hands: the payload has another size",
    );
  }
  const serverKey = handshake.remoteStaticKey;
  if (!serverKey) throw new HandshakeError("Cannot shake hands without a key");
  await options.checkServer(serverKey);

  const secret = await kemKey.decapsulate(
    reply.subarray(0, KEM_CIPHERTEXT_SIZE),
  );
  const inviteKey = await options.inviteKey(reply.slice(KEM_CIPHERTEXT_SIZE));
  handshake.setPsk(hybridPsk(inviteKey, secret));
  const third = await handshake.writeMessage();
  await writeAll(stream, record(RecordType.handshake, third));
  return new Channel(stream, reader, handshake);
}

function prologue(): Uint8Array {
  return new TextEncoder().encode(PROTOCOL_NAME);
}

async function fromServer(reader: RecordReader): Promise<Bytes> {
  const record = await reader.handshakeRecord();
  const { type, body } = record;
  if (type === RecordType.refusal) throw new RefusedError(body[0] ?? 0);
  return expectHandshake(record);
}

function expectHandshake({ type, body }: WireRecord): Bytes {
  if (type === RecordType.handshake) return body;
  throw new WireError(`Cannot shake hands: a record of type ${type} came`);
}

/**
 * A connection after its handshake. Seals and opens direct records; hands broadcasts and shared records over as
 * they are, since their keys belong to the room.
 */
export class Channel {
  /** The other side's static key, as the handshake proved it, 32 bytes. */
  readonly remoteKey: Bytes;
  readonly #stream: Stream;
  readonly #reader: RecordReader;
  readonly #transport: Transport;
  #sending: Promise<void> | undefined;

  /** Use `acceptChannel` or `connectChannel`. */
  constructor(stream: Stream, reader: RecordReader, handshake: Handshake) {
    const remoteKey = handshake.remoteStaticKey;
    if (!remoteKey) throw new HandshakeError("Cannot go on without a key");
    this.remoteKey = remoteKey;
    this.#stream = stream;
    this.#reader = reader;
    this.#transport = handshake.split();
    reader.endHandshake();
  }

  /**
   * All records that have arrived, at least one; null where the stream has ended.
   * @throws {WireError} for bytes that are no record. @throws {RefusedError} where the first thing that a
   * server says after the handshake is a refusal.
   */
  read(): Promise<WireRecord[] | null> {
    return this.#reader.records();
  }

  /**
   * The events of a direct record. May be called for several at once, in the order in which they came.
   * @throws {DecryptionError} for a record that isn't exactly the next one.
   * @throws {EventError} for one that is no list of events.
   */
  async open({ header, body }: WireRecord): Promise<Event[]> {
    return unpackEvents(
      await decryptMessage(this.#transport.receive, body, header),
    );
  }

  /** A direct record around a plaintext. Records must be sent in the order of the calls. */
  async seal(plaintext: Bytes): Promise<Bytes> {
    const header = directHeader(plaintext.length);
    const sealing = encryptMessage(this.#transport.send, plaintext, header);
    return concat(header, await sealing);
  }

  /**
   * Seals and writes events, after all that was sent before; for the side that has no other writer.
   * @throws whatever the stream's write throws.
   */
  send(...events: Event[]): Promise<void> {
    const sealing = packEvents(events.map(encodeEvent)).map((plaintext) =>
      this.seal(plaintext)
    );
    this.#sending = this.#write(sealing, this.#sending);
    return this.#sending;
  }

  async #write(
    sealing: readonly Promise<Bytes>[],
    before: Promise<void> | undefined,
  ): Promise<void> {
    const records = await Promise.all(sealing);
    await before; // one failed write ends the stream, so whoever waits behind it fails the same way
    for (const record of records) await writeAll(this.#stream, record);
  }

  /** Ends the connection. Only the first call counts. */
  close(): void {
    try {
      this.#stream.close();
    } catch {
      // Closed before, by the other side or by us: it is closed, which is all that was asked.
    }
  }
}

/** The size of a direct record around `size` bytes of plaintext; for bounds. */
export function directSize(size: number): number {
  return HEADER_SIZE + size + TAG_SIZE;
}
