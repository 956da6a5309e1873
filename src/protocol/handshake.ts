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

import { writeAll } from "../base/write_all.ts";
import { createHandshake, type Secured } from "../crypto/noise.ts";
import {
  hybridPsk,
  type Kem,
  kem as defaultKem,
  KEM_CIPHERTEXT_SIZE,
  KEM_KEY_SIZE,
} from "../crypto/kem.ts";
import { generateKeyPair, type KeyPair } from "../crypto/x25519.ts";
import {
  type Bytes,
  concat,
  EMPTY,
  equalBytes,
  HandshakeError,
  KEY_SIZE,
  PROTOCOL_BYTES,
  randomBytes,
} from "../../crypto_utils.ts";
import { Channel } from "./channel.ts";
import {
  CODE_ID,
  CODE_NUMBER_SIZE,
  type CodeGuess,
  CPACE_SHARE_SIZE,
  GUESS_SIZE,
  INVITE_ID_SIZE,
  MEMBER_ID,
  MEMBER_KEY,
  PROTOCOL_VERSION,
} from "./hello.ts";
import { HANDSHAKE_REFUSALS, HandshakeRefusal } from "./reasons.ts";
import type { Halfway, Responder } from "./responder.ts";
import {
  GoneError,
  RecordReader,
  RefusedError,
  type Stream,
} from "./record_reader.ts";
import {
  encodeHeader,
  RecordType,
  WireError,
  type WireRecord,
} from "./records.ts";

/** What a server needs to take part in a handshake. */
export interface AcceptOptions {
  /** Does the cryptography. */
  readonly responder: Responder;
  /** The key that belongs to an invite's number, 32 bytes; undefined if there is none. */
  readonly inviteKey: (id: number) => Bytes | undefined;
  /** The spoken code of a number, undefined if there is none. Default: there are none. */
  readonly code?: (number: number) => OpenCode | undefined;
  /** Why a client that has proved that key of its own may not come in by that invite, a `HandshakeRefusal`. Default: all may. */
  readonly turnedAway?: (
    inviteId: number,
    clientKey: Bytes,
  ) => number | undefined;
  /** Does what the client has to wait for. Default: just does it. */
  readonly work?: <T>(task: () => Promise<T>) => Promise<T>;
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
  const { work = (task) => task() } = options;
  const answered = await answer(stream, reader, { ...options, work });
  using halfway = answered.halfway;
  const { code } = answered;
  const { inviteId } = halfway;
  const third = expectHandshake(await answered.coming);
  // An unknown invite fails where a wrong key does, and as late.
  const isGuess = inviteId === CODE_ID;
  const mayGuess = code?.guess();
  const key = keyOf(inviteId, options);
  let secured: Secured;
  try {
    secured = await work(() =>
      halfway.finish(third, isGuess && mayGuess ? undefined : key)
    );
  } catch (error) {
    if (mayGuess) code?.guessed(false);
    if (error instanceof HandshakeError) {
      await turnAway(stream, HandshakeRefusal.key);
    }
    throw error;
  }
  code?.guessed(true);
  const invite = code?.inviteId ?? inviteId;
  const channel = new Channel(stream, reader, secured, invite);
  // The link may have been replaced while this handshake waited for its turn.
  const isReplaced = !isGuess && !equalBytes(keyOf(inviteId, options), key);
  const refusal = isReplaced
    ? HandshakeRefusal.key
    : options.turnedAway?.(invite, channel.remoteKey);
  if (refusal === undefined) return channel;
  await turnAway(stream, refusal);
  throw new HandshakeError(
    `Cannot let the client in: ${HANDSHAKE_REFUSALS[refusal]}`,
  );
}

/** What is known after the first two messages. */
interface Answered {
  readonly halfway: Halfway;
  readonly code: OpenCode | undefined;
  /** The third. */
  readonly coming: Promise<WireRecord>;
}

/**
 * The first two messages. Apart from the third, so that a stranger who goes no further makes the server keep
 * none of their bytes.
 */
async function answer(
  stream: Stream,
  reader: RecordReader,
  options: AcceptOptions & Required<Pick<AcceptOptions, "work">>,
): Promise<Answered> {
  const first = expectHandshake(await reader.handshakeRecord());
  if (first[0] !== PROTOCOL_VERSION) {
    await turnAway(stream, HandshakeRefusal.version);
    throw new HandshakeError(`Cannot speak version ${first[0]}`);
  }
  let code: OpenCode | undefined;
  const passwordOf = (number: number) => {
    code = options.code?.(number);
    // Whether there is such a code shows nowhere before the third message.
    return code?.password ?? randomBytes(KEY_SIZE);
  };
  let isGone = false;
  const coming = reader.handshakeRecord(); // looked for from now on, so that it shows if the client goes
  coming.catch(() => isGone = true);
  const { reply, halfway } = await options.work(() =>
    options.responder.answer(first.subarray(1), passwordOf, () => isGone)
  ).catch(async (error) => {
    // A bad message is one whether or not its client is gone by now.
    const isBad = error instanceof HandshakeError ||
      error instanceof WireError && !(error instanceof GoneError);
    if (isGone && !isBad) await coming; // which says how
    throw error;
  });
  try {
    await writeAll(stream, record(RecordType.handshake, reply));
  } catch (error) {
    halfway[Symbol.dispose]();
    throw error;
  }
  return { halfway, code, coming };
}

/** The key of an invite, or a random one if there is no such invite. */
function keyOf(inviteId: number, { inviteKey }: AcceptOptions): Bytes {
  if (inviteId === MEMBER_ID) return MEMBER_KEY;
  return inviteKey(inviteId) ?? randomBytes(KEY_SIZE);
}

/** Refuses a client that may be gone already: its bad handshake counts, and not that it didn't wait. */
async function turnAway(stream: Stream, code: number): Promise<void> {
  await refuse(stream, code).catch(() => {});
}

/** Tells a client that its connection goes no further, and why; one of another version also which this one is. */
export async function refuse(stream: Stream, code: number): Promise<void> {
  const isVersion = code === HandshakeRefusal.version;
  const body = isVersion ? [code, PROTOCOL_VERSION] : [code];
  await writeAll(stream, record(RecordType.refusal, new Uint8Array(body)));
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
  const ephemeralKey = await generateKeyPair();
  const handshake = createHandshake({
    role: "initiator",
    prologue: PROTOCOL_BYTES,
    staticKey: options.keyPair,
    ephemeralKey,
  });
  const run = code &&
    new (await import("./code_run.ts")).CodeRun(
      "initiator",
      code,
      ephemeralKey.publicKey,
    );
  const kemKey = await (options.kem ?? defaultKem).generate();
  const helloSize = INVITE_ID_SIZE + KEM_KEY_SIZE;
  const hello = new Uint8Array(helloSize + (run ? GUESS_SIZE : 0));
  const view = new DataView(hello.buffer);
  view.setUint32(0, options.inviteId);
  hello.set(kemKey.encapsulationKey, INVITE_ID_SIZE);
  if (code && run) {
    view.setUint32(helloSize, code.number);
    hello.set(run.share, helloSize + CODE_NUMBER_SIZE);
  }
  const first = await handshake.writeMessage(hello);
  const version = new Uint8Array([PROTOCOL_VERSION]);
  await writeAll(stream, record(RecordType.handshake, concat(version, first)));

  const reply = await handshake.readMessage(await fromServer(reader));
  const size = KEM_CIPHERTEXT_SIZE + (run ? CPACE_SHARE_SIZE : 0);
  if (reply.length !== size) {
    throw new HandshakeError(
      "Cannot shake hands: the payload has another size",
    );
  }
  options.checkServer(handshake.remoteStaticKey ?? EMPTY); // which the message had

  const secret = await kemKey.decapsulate(
    reply.subarray(0, KEM_CIPHERTEXT_SIZE),
  );
  handshake.setPsk(
    run
      ? run.psk(reply.subarray(KEM_CIPHERTEXT_SIZE), secret)
      : hybridPsk(options.inviteKey, secret),
  );
  const third = await handshake.writeMessage();
  await writeAll(stream, record(RecordType.handshake, third));
  return new Channel(stream, reader, handshake.split(), options.inviteId);
}

async function fromServer(reader: RecordReader): Promise<Bytes> {
  const record = await reader.handshakeRecord();
  const { type, body } = record;
  if (type === RecordType.refusal) {
    throw new RefusedError(body[0] ?? 0, body[1]);
  }
  return expectHandshake(record);
}

function expectHandshake({ type, body }: WireRecord): Bytes {
  if (type === RecordType.handshake) return body;
  throw new WireError(`Cannot shake hands: a record of type ${type} came`);
}
