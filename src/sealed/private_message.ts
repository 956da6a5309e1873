/**
 * A private message: words from one person to another, which nobody between them opens or alters.
 *
 *     sealed     X-Wing ciphertext, 1,120 bytes ‖ AES-256-GCM of the padded content
 *     key        KDF(X-Wing secret, "private", X-Wing ciphertext ‖ id of the sender ‖ id of who opens it), used once
 *     content    id of the recipient, 32 ‖ stay, 8 ‖ u64 n ‖ i64 time ‖ signature, 64 ‖ u16 size of the text ‖ text ‖ zeros
 *     signature  of the sender, over label "private" ‖ both ids ‖ room, 32 ‖ stay ‖ u64 n ‖ i64 time ‖ text
 *
 * It is sealed twice: to its recipient, and to its sender, whose other machines open that copy. The signature names the
 * recipient in both, so that none of the two can be passed on as words to somebody else.
 *
 * @module
 */

import {
  type Bytes,
  CipherState,
  concat,
  copyOf,
  DecryptionError,
  decryptMessage,
  deriveKey,
  encryptMessage,
  equalBytes,
  fromBase64url,
  KEY_SIZE,
  labelled,
  SIGNATURE_SIZE,
  TAG_SIZE,
  toBase64url,
  uint64,
} from "../../crypto_utils.ts";
import { importVerifyKey, sign, verify } from "../crypto/ed25519.ts";
import type { Card, Identity } from "../crypto/identity.ts";
import {
  XWING_CIPHERTEXT_SIZE,
  xwingEncapsulate,
  xwingKey,
} from "../crypto/xwing.ts";
import { MAX_TIME } from "../protocol/events.ts";
import { textRefusal } from "../protocol/reasons.ts";
import { padmeLength } from "../protocol/records.ts";

/** A stay, bytes. */
const STAY_SIZE = 8;
/** What stands before the text. */
const HEAD_SIZE = KEY_SIZE + STAY_SIZE + 8 + 8 + SIGNATURE_SIZE + 2;
/** The least padded content, bytes: short texts have all the same length. */
const LEAST_CONTENT = 256;

/** What somebody writes to somebody. */
export interface PrivateMessage {
  /** The full id of its recipient. */
  readonly to: string;
  /** The run of the client in which it was written, 8 bytes in base64url. */
  readonly stay: string;
  /** Its number there, from 1 on; lines count apart. With the sender and the stay it tells it from all others. */
  readonly n: number;
  /** When, ms since 1970, by the sender's clock. */
  readonly time: number;
  /** 1 to 4,096 bytes of UTF-8, some of which can be seen. */
  readonly text: string;
}

/** A message as it is sent. */
export interface SealedMessage {
  /** For its recipient. */
  readonly data: Bytes;
  /** For its sender's other machines. */
  readonly own: Bytes;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Seals a message to its recipient and to its sender.
 * @param from The sender. @param to The recipient's card, which was checked.
 * @param room 32 bytes: an open room's server key, a sealed room's id.
 * @throws {RangeError} | {HandshakeError} for a card to whose keys nothing can be sealed.
 */
export async function sealPrivate(
  from: Identity,
  to: Card,
  room: Bytes,
  message: Omit<PrivateMessage, "to">,
): Promise<SealedMessage> {
  const text = encoder.encode(message.text);
  const numbers = numbersOf(message);
  const signed = signedBytes(from.id, to.id, room, numbers, text);
  const signature = await sign(from.signing, signed);
  const size = Uint8Array.of(text.length >> 8, text.length & 0xff);
  const content = padded(concat(to.id, numbers, signature, size, text));
  const { publicKey: ownKey } = await xwingKey(from.sealSeed);
  const [data, own] = await Promise.all([
    sealTo(to.sealKey, from.id, to.id, content),
    sealTo(ownKey, from.id, from.id, content),
  ]);
  return { data, own };
}

/**
 * Opens what was sealed to somebody: a message of another's, or the copy of one of its own.
 * @param self Who opens it. @param from The sender's card, which was checked. @param room As for `sealPrivate`.
 * @throws {DecryptionError} for all that the sender has not sealed so: altered, to or from somebody else, of another
 * room.
 */
export async function openPrivate(
  self: Identity,
  from: Card,
  room: Bytes,
  sealed: Bytes,
): Promise<PrivateMessage> {
  const content = await openTo(self, from.id, sealed);
  const { to, numbers, signature, text } = readContent(content);
  const isOwn = equalBytes(from.id, self.id);
  if (!isOwn && !equalBytes(to, self.id)) throw new DecryptionError();
  const signed = signedBytes(from.id, to, room, numbers, text);
  const key = await importVerifyKey(from.verifyKey)
    .catch(() => Promise.reject(new DecryptionError()));
  if (!await verify(key, signature, signed)) throw new DecryptionError();
  return { to: toBase64url(to), ...readNumbers(numbers), text: readText(text) };
}

// ── What is said ─────────────────────────────────────────────────────────────────────────────────────────

function numbersOf(
  { stay, n, time }: Pick<PrivateMessage, "stay" | "n" | "time">,
): Bytes {
  const at = new Uint8Array(8);
  new DataView(at.buffer).setBigInt64(0, BigInt(time));
  return concat(fromBase64url(stay), uint64(n), at);
}

function signedBytes(
  from: Bytes,
  to: Bytes,
  room: Bytes,
  numbers: Bytes,
  text: Bytes,
): Bytes {
  return labelled("private", from, to, room, numbers, text);
}

/** Filled up with zeros to its Padmé length, so that its length says little of the text's. */
function padded(content: Bytes): Bytes {
  const whole = new Uint8Array(
    Math.max(LEAST_CONTENT, padmeLength(content.length)),
  );
  whole.set(content);
  return whole;
}

/** The parts of a content. @throws {DecryptionError} for one that its sender can't have made. */
function readContent(content: Bytes) {
  if (content.length < LEAST_CONTENT) throw new DecryptionError();
  let at = 0;
  const take = (size: number) => content.slice(at, at += size);
  const to = take(KEY_SIZE);
  const numbers = take(STAY_SIZE + 8 + 8);
  const signature = take(SIGNATURE_SIZE);
  const [high = 0, low = 0] = take(2);
  const text = take(high << 8 | low);
  const whole = HEAD_SIZE + text.length;
  const isWhole = at === whole && at <= content.length &&
    content.length === Math.max(LEAST_CONTENT, padmeLength(whole)) &&
    content.subarray(at).every((byte) => byte === 0);
  if (!isWhole) throw new DecryptionError();
  return { to, numbers, signature, text };
}

function readNumbers(
  numbers: Bytes,
): Pick<PrivateMessage, "stay" | "n" | "time"> {
  const view = new DataView(numbers.buffer);
  const n = Number(view.getBigUint64(STAY_SIZE));
  const time = Number(view.getBigInt64(STAY_SIZE + 8));
  const isRight = Number.isSafeInteger(n) && n >= 1 &&
    Math.abs(time) <= MAX_TIME;
  if (!isRight) throw new DecryptionError();
  return { stay: toBase64url(numbers.subarray(0, STAY_SIZE)), n, time };
}

function readText(bytes: Bytes): string {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    throw new DecryptionError(); // no UTF-8
  }
  if (textRefusal(text) !== undefined) throw new DecryptionError();
  return text;
}

// ── How it is sealed ─────────────────────────────────────────────────────────────────────────────────────

async function sealTo(
  sealKey: Bytes,
  sender: Bytes,
  opener: Bytes,
  content: Bytes,
): Promise<Bytes> {
  const { ciphertext, secret } = await xwingEncapsulate(sealKey);
  const cipher = await cipherOf(secret, ciphertext, sender, opener);
  return concat(ciphertext, await encryptMessage(cipher, content));
}

async function openTo(
  self: Identity,
  sender: Bytes,
  sealed: Bytes,
): Promise<Bytes> {
  if (sealed.length < XWING_CIPHERTEXT_SIZE + TAG_SIZE) {
    throw new DecryptionError();
  }
  const ciphertext = copyOf(sealed.subarray(0, XWING_CIPHERTEXT_SIZE));
  const key = await xwingKey(self.sealSeed);
  const secret = await key.decapsulate(ciphertext)
    .catch(() => Promise.reject(new DecryptionError())); // an X25519 key of low order
  const cipher = await cipherOf(secret, ciphertext, sender, self.id);
  return await decryptMessage(cipher, sealed.subarray(XWING_CIPHERTEXT_SIZE));
}

/** A cipher for one message: its key is never made again, so that a nonce of zero can't repeat. */
function cipherOf(
  secret: Bytes,
  ciphertext: Bytes,
  sender: Bytes,
  opener: Bytes,
): Promise<CipherState> {
  const key = deriveKey(secret, "private", ciphertext, sender, opener);
  return CipherState.create(key);
}
