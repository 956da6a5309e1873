/**
 * The handshake that makes a channel of a stream.
 *
 *     client                                                             server
 *       version ‖ e ‖ { invite id ‖ ML-KEM key }              ──────▶
 *                    ◀──────   e, ee, s, es ‖ { ML-KEM ciphertext }
 *       (is that the server's key? if not, nothing more is sent)
 *       s, se, psk                                            ──────▶    (else: a refusal, and the end)
 *       direct, direct, …            ◀─────▶                   direct, shared, broadcast, …
 *
 * @module
 */

import { Limiter } from "../base/limiter.ts";
import { writeAll } from "../base/write_all.ts";
import { createHandshake, type Handshake } from "../crypto/noise.ts";
import {
  hybridPsk,
  type Kem,
  kem as defaultKem,
  KEM_CIPHERTEXT_SIZE,
  KEM_KEY_SIZE,
} from "../crypto/kem.ts";
import type { KeyPair } from "../crypto/x25519.ts";
import {
  type Bytes,
  concat,
  HandshakeError,
  KEY_SIZE,
  PROTOCOL_BYTES,
  randomBytes,
} from "../../crypto_utils.ts";
import { Channel } from "./channel.ts";
import { HANDSHAKE_REFUSALS, HandshakeRefusal } from "./reasons.ts";
import { RecordReader, RefusedError, type Stream } from "./record_reader.ts";
import {
  encodeHeader,
  RecordType,
  WireError,
  type WireRecord,
} from "./records.ts";

/** The version that a client's first byte asks for; part of the prologue by the protocol's name. */
export const PROTOCOL_VERSION = 2;
/** An invite's number, bytes. */
const INVITE_ID_SIZE = 4;
/** In place of an invite's number: the client is a member, which its X25519 key proves. */
export const MEMBER_ID = 0xffff_fffe;
/** In place of an invite's key for a member: 32 zeros, so that the psk comes of ML-KEM's secret alone. */
export const MEMBER_KEY: Bytes = new Uint8Array(KEY_SIZE);

/** What a server needs to take part in a handshake. */
export interface AcceptOptions {
  /** The server's static key. */
  readonly keyPair: KeyPair;
  /** The key that belongs to an invite's number, 32 bytes; undefined if there is none. */
  readonly inviteKey: (id: number) => Bytes | undefined;
  /** Why a client that has proved that key of its own may not come in by that invite, a `HandshakeRefusal`. Default: all may. */
  readonly turnedAway?: (
    inviteId: number,
    clientKey: Bytes,
  ) => number | undefined;
  /** Limits how many handshakes are worked on at a time. Default: no limit. */
  readonly turns?: Limiter;
  /** For tests: which ML-KEM to use. */
  readonly kem?: Kem;
}

/** What a client needs to take part in a handshake. */
export interface ConnectOptions {
  /** The client's static key. */
  readonly keyPair: KeyPair;
  /** Which invite it holds. */
  readonly inviteId: number;
  /** The invite's key, 32 bytes. */
  readonly inviteKey: Bytes;
  /** Throws unless this is the server's key; called before the third message is sent. */
  readonly checkServer: (serverKey: Bytes) => void;
  /** For tests: which ML-KEM to use. */
  readonly kem?: Kem;
}

function record(type: RecordType, body: Uint8Array): Bytes {
  return concat(encodeHeader(type, body.length), body);
}

/**
 * The server's side of a handshake.
 * @throws {HandshakeError} for a peer that doesn't hold the key; a wrong
 * version and a third message that doesn't open are answered with a refusal, anything else with nothing.
 * @throws {WireError} for bytes that are no handshake; no reply is sent.
 */
export async function acceptChannel(
  stream: Stream,
  options: AcceptOptions,
): Promise<Channel> {
  const reader = new RecordReader(stream);
  const { turns = new Limiter(1) } = options;
  const { handshake, inviteId, secret } = await answer(
    stream,
    reader,
    { ...options, turns },
  );
  reader.awaitLittle();
  const third = expectHandshake(await reader.handshakeRecord());
  // An unknown invite fails where a wrong key does, and as late.
  const inviteKey = inviteId === MEMBER_ID
    ? MEMBER_KEY
    : options.inviteKey(inviteId) ?? randomBytes(KEY_SIZE);
  handshake.setPsk(hybridPsk(inviteKey, secret));
  try {
    await turns.run(() => handshake.readMessage(third));
  } catch (error) {
    await turnAway(stream, HandshakeRefusal.key);
    throw error;
  }
  const channel = new Channel(stream, reader, handshake, inviteId);
  const refusal = options.turnedAway?.(inviteId, channel.remoteKey);
  if (refusal === undefined) return channel;
  await turnAway(stream, refusal);
  throw new HandshakeError(
    `Cannot let the client in: ${HANDSHAKE_REFUSALS[refusal]}`,
  );
}

/**
 * The first two messages. Apart from the third, so that a stranger who goes no further makes the server keep
 * none of their bytes.
 */
async function answer(
  stream: Stream,
  reader: RecordReader,
  options: AcceptOptions & { readonly turns: Limiter },
): Promise<{ handshake: Handshake; inviteId: number; secret: Bytes }> {
  const first = expectHandshake(await reader.handshakeRecord());
  if (first[0] !== PROTOCOL_VERSION) {
    await turnAway(stream, HandshakeRefusal.version);
    throw new HandshakeError(`Cannot speak version ${first[0]}`);
  }
  const handshake = createHandshake({
    role: "responder",
    prologue: PROTOCOL_BYTES,
    staticKey: options.keyPair,
  });
  const { inviteId, secret, reply } = await options.turns.run(() =>
    answerTo(first.subarray(1), handshake, options)
  );
  await writeAll(stream, record(RecordType.handshake, reply));
  return { handshake, inviteId, secret };
}

/** What the first message asks for, and the second. */
async function answerTo(
  first: Bytes,
  handshake: Handshake,
  { kem = defaultKem }: AcceptOptions,
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
  const reply = await handshake.writeMessage(ciphertext);
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
 * @throws {RefusedError} if the server says no. @throws {HandshakeError} if what answers can't be
 * such a server; and whatever `checkServer` throws.
 */
export async function connectChannel(
  stream: Stream,
  options: ConnectOptions,
): Promise<Channel> {
  const reader = new RecordReader(stream);
  const handshake = createHandshake({
    role: "initiator",
    prologue: PROTOCOL_BYTES,
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
  if (reply.length !== KEM_CIPHERTEXT_SIZE) {
    throw new HandshakeError(
      "Cannot shake hands: the payload has another size",
    );
  }
  const serverKey = handshake.remoteStaticKey;
  if (!serverKey) throw new HandshakeError("Cannot shake hands without a key");
  options.checkServer(serverKey);

  const secret = await kemKey.decapsulate(reply);
  handshake.setPsk(hybridPsk(options.inviteKey, secret));
  const third = await handshake.writeMessage();
  await writeAll(stream, record(RecordType.handshake, third));
  return new Channel(stream, reader, handshake, options.inviteId);
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
