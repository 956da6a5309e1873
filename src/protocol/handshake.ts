/**
 * The handshake that makes a channel of a stream.
 *
 *     client                                                             server
 *       version ‖ e ‖ { invite id ‖ ML-KEM key }              ──────▶    (a spoken code: ‖ number ‖ CPace share)
 *                    ◀──────   e, ee, s, es ‖ { ML-KEM ciphertext }       (a spoken code: ‖ CPace share)
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
import type { Cpace } from "../crypto/cpace.ts";
import { generateKeyPair, type KeyPair } from "../crypto/x25519.ts";
import {
  type Bytes,
  concat,
  deriveKey,
  EMPTY,
  equalBytes,
  HandshakeError,
  KEY_SIZE,
  labelled,
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
/** An invite's number, and a spoken code's, bytes. */
const INVITE_ID_SIZE = 4;
const CODE_NUMBER_SIZE = 4;
/** What CPace sends, bytes: an encoded ristretto255 element. */
const CPACE_SHARE_SIZE = 32;
/** What the first payload has more for a spoken code, bytes: its number and CPace's share. */
const GUESS_SIZE = CODE_NUMBER_SIZE + CPACE_SHARE_SIZE;
/** In place of an invite's number: the client is a member, which its X25519 key proves. */
export const MEMBER_ID = 0xffff_fffe;
/** In place of an invite's number: the client has a spoken code, and runs CPace beside the first two messages. */
export const CODE_ID = 0xffff_fffd;
/** In place of an invite's key for a member: 32 zeros, so that the psk comes of ML-KEM's secret alone. */
export const MEMBER_KEY: Bytes = new Uint8Array(KEY_SIZE);

/** What a server needs to take part in a handshake. */
export interface AcceptOptions {
  /** The server's static key. */
  readonly keyPair: KeyPair;
  /** The key that belongs to an invite's number, 32 bytes; undefined if there is none. */
  readonly inviteKey: (id: number) => Bytes | undefined;
  /** The spoken code of a number, undefined if there is none. Default: there are none. */
  readonly code?: (number: number) => OpenCode | undefined;
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

/** A spoken code as a server knows it. */
export interface OpenCode {
  /** The invite that it stands for. */
  readonly inviteId: number;
  /** The words, UTF-8. */
  readonly password: Bytes;
  /** Begins a guess: the third message that is to come. @returns Whether there may be another. */
  readonly guess: () => boolean;
  /** That message came. @param wasRight Whether it was sealed by one who knows the words. */
  readonly guessed: (wasRight: boolean) => void;
}

/** A spoken code as a client knows it. */
export interface CodeGuess {
  /** The number. */
  readonly number: number;
  /** The words, UTF-8. */
  readonly password: Bytes;
}

/** What a client needs to take part in a handshake. */
export interface ConnectOptions {
  /** The client's static key. */
  readonly keyPair: KeyPair;
  /** Which invite it holds. */
  readonly inviteId: number;
  /** The invite's key, 32 bytes. */
  readonly inviteKey: Bytes;
  /** The spoken code, for `CODE_ID`; then there is no invite's key. */
  readonly code?: CodeGuess | undefined;
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
  const { handshake, inviteId, secret, guess } = await answer(
    stream,
    reader,
    { ...options, turns },
  );
  reader.awaitLittle();
  const third = expectHandshake(await reader.handshakeRecord());
  // An unknown invite fails where a wrong key does, and as late.
  const mayGuess = guess?.code?.guess() ?? true;
  const key = keyOf(inviteId, options);
  handshake.setPsk(
    guess && mayGuess ? codePsk(guess.key, secret) : hybridPsk(key, secret),
  );
  try {
    await turns.run(() => handshake.readMessage(third));
  } catch (error) {
    if (mayGuess) guess?.code?.guessed(false);
    await turnAway(stream, HandshakeRefusal.key);
    throw error;
  }
  guess?.code?.guessed(true);
  const invite = guess?.code?.inviteId ?? inviteId;
  const channel = new Channel(stream, reader, handshake, invite);
  // The link may have been replaced while this handshake waited for its turn.
  const isReplaced = !guess && !equalBytes(keyOf(inviteId, options), key);
  const refusal = isReplaced
    ? HandshakeRefusal.key
    : options.turnedAway?.(invite, channel.remoteKey);
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
): Promise<Answered> {
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
  const { reply, ...answered } = await options.turns.run(() =>
    answerTo(first.subarray(1), handshake, options)
  );
  await writeAll(stream, record(RecordType.handshake, reply));
  return { handshake, ...answered };
}

/** The key of an invite, or a random one if there is no such invite. */
function keyOf(inviteId: number, { inviteKey }: AcceptOptions): Bytes {
  if (inviteId === MEMBER_ID) return MEMBER_KEY;
  return inviteKey(inviteId) ?? randomBytes(KEY_SIZE);
}

/** What is known once the first message is answered. */
interface Answered {
  readonly handshake: Handshake;
  readonly inviteId: number;
  /** ML-KEM's, 32 bytes. */
  readonly secret: Bytes;
  /** For `CODE_ID`: CPace's key, 64 bytes, and the code if there is one of that number. */
  readonly guess?: { readonly key: Bytes; readonly code: OpenCode | undefined };
}

/** What the first message asks for, and the second. */
async function answerTo(
  first: Bytes,
  handshake: Handshake,
  { kem = defaultKem, ...options }: AcceptOptions,
): Promise<Omit<Answered, "handshake"> & { reply: Bytes }> {
  const hello = await handshake.readMessage(first);
  const size = INVITE_ID_SIZE + KEM_KEY_SIZE;
  const view = new DataView(hello.buffer, hello.byteOffset, hello.length);
  const inviteId = hello.length < size ? 0 : view.getUint32(0);
  const isGuess = inviteId === CODE_ID;
  if (hello.length !== size + (isGuess ? GUESS_SIZE : 0)) {
    throw new WireError("Cannot shake hands: the payload has another size");
  }
  const { ciphertext, secret } = await kem
    .encapsulate(hello.subarray(INVITE_ID_SIZE, size)).catch((cause) => {
      throw new HandshakeError("Cannot use the client's ML-KEM key", { cause });
    });
  if (!isGuess) {
    return {
      inviteId,
      secret,
      reply: await handshake.writeMessage(ciphertext),
    };
  }
  const number = view.getUint32(size);
  const code = options.code?.(number);
  // Whether there is such a code shows nowhere before the third message.
  const password = code?.password ?? randomBytes(KEY_SIZE);
  const sid = first.slice(0, KEY_SIZE);
  const cpace = await beginCpace({ number, password }, sid);
  const key = cpace.key("responder", hello.subarray(size + CODE_NUMBER_SIZE));
  const reply = await handshake.writeMessage(concat(ciphertext, cpace.share));
  return { inviteId, secret, guess: { key, code }, reply };
}

/** One side's run of CPace. @param sid The client's ephemeral key, 32 bytes. */
async function beginCpace(
  { number, password }: CodeGuess,
  sid: Bytes,
): Promise<Cpace> {
  // Loaded when first needed: it takes 15 ms, and most programs never meet a spoken code.
  const { Cpace } = await import("../crypto/cpace.ts");
  return new Cpace({ password, ci: labelled("code", uint32(number)), sid });
}

function uint32(value: number): Bytes {
  const bytes = new Uint8Array(CODE_NUMBER_SIZE);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** The psk of a client with a spoken code. @param key CPace's, 64 bytes. @param secret ML-KEM's, 32 bytes. */
function codePsk(key: Bytes, secret: Bytes): Bytes {
  return deriveKey(key, "code", secret);
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
  const { code } = options;
  const ephemeralKey = code && await generateKeyPair();
  const handshake = createHandshake({
    role: "initiator",
    prologue: PROTOCOL_BYTES,
    staticKey: options.keyPair,
    ephemeralKey,
  });
  const cpace = code && ephemeralKey &&
    await beginCpace(code, ephemeralKey.publicKey);
  const kemKey = await (options.kem ?? defaultKem).generate();
  const hello = new Uint8Array(INVITE_ID_SIZE + KEM_KEY_SIZE);
  new DataView(hello.buffer).setUint32(0, options.inviteId);
  hello.set(kemKey.encapsulationKey, INVITE_ID_SIZE);
  const guess = code && cpace
    ? concat(uint32(code.number), cpace.share)
    : EMPTY;
  const first = await handshake.writeMessage(concat(hello, guess));
  const version = new Uint8Array([PROTOCOL_VERSION]);
  await writeAll(stream, record(RecordType.handshake, concat(version, first)));

  const reply = await handshake.readMessage(await fromServer(reader));
  const size = KEM_CIPHERTEXT_SIZE + (cpace ? CPACE_SHARE_SIZE : 0);
  if (reply.length !== size) {
    throw new HandshakeError(
      "Cannot shake hands: the payload has another size",
    );
  }
  const serverKey = handshake.remoteStaticKey;
  if (!serverKey) throw new HandshakeError("Cannot shake hands without a key");
  options.checkServer(serverKey);

  const secret = await kemKey.decapsulate(
    reply.subarray(0, KEM_CIPHERTEXT_SIZE),
  );
  handshake.setPsk(
    cpace
      ? codePsk(
        cpace.key("initiator", reply.subarray(KEM_CIPHERTEXT_SIZE)),
        secret,
      )
      : hybridPsk(options.inviteKey, secret),
  );
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
