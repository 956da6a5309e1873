/**
 * Lines of a sealed room, which its server orders and can't read: sealed under the epoch's content key, signed by who
 * says them.
 *
 *     E.BLOB      the epoch's number, a dot and, in base64url:
 *
 *     seen, number, 8 ‖ chain value, 32 ‖ Ed25519 signature, 64 ‖ AES-256-GCM of the words
 *
 *     words       kind, 1 ‖ to or 0, 8 ‖ size of the text, 2 ‖ text, UTF-8 ‖ zeros, up to a Padmé length of 128 at least
 *
 * The AES key is KDF(Ce, "line", room ‖ sender ‖ stay), the nonce the line's own number n, which comes once in a stay; the
 * associated data, A, is room ‖ e ‖ sender ‖ stay ‖ n. The signature is over label ‖ A ‖ seen ‖ ciphertext. *Seen* is the
 * last line that its sender had: who was shown another history gives that away. It also tells a line that is said again:
 * the first one stands between *seen* and it.
 *
 * @module
 */

import {
  type Bytes,
  CipherState,
  concat,
  DecryptionError,
  decryptMessage,
  deriveKey,
  encryptMessage,
  fromBase64url,
  KEY_SIZE,
  labelled,
  SIGNATURE_SIZE,
  TAG_SIZE,
  toBase64url,
  uint64,
} from "../../crypto_utils.ts";
import { sign, type SigningKeyPair, verify } from "../crypto/ed25519.ts";
import {
  type ChangeKind,
  isAbout,
  isChange,
  isSpoken,
  type SpokenKind,
  type Words,
  wordsRefusal,
} from "../protocol/line.ts";
import { parseOffer } from "../protocol/offer.ts";
import { MAX_ENTRY_LENGTH } from "../protocol/reasons.ts";
import { padmeLength } from "../protocol/records.ts";

/** The shortest plaintext, bytes, so that a "yes" looks like a sentence. */
const LEAST_SIZE = 128;
const SEEN_SIZE = 8 + KEY_SIZE;

/** Above all numbers that a key seals under. */
const MAX_NUMBER = 2 ** 32;
/** What stands before the text, bytes: kind ‖ to ‖ size. */
const HEAD_SIZE = 1 + 8 + 2;

/** The kinds of line that can be sealed; the place of one here, from 1 on, is what stands for it. */
const SEALED_KINDS: readonly (SpokenKind | ChangeKind)[] = [
  "said",
  "acted",
  "replied",
  "offered",
  "edited",
  "deleted",
  "reacted",
];

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
// Base64url that ends in no bits which are no byte: one line has one text.
const form =
  /^(?<e>0|[1-9]\d{0,14})\.(?<blob>(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?)$/;

/** Whose line it is, and which of them. */
export interface LinePlace {
  /** The room's id, 32 bytes. */
  readonly room: Bytes;
  /** The number of the epoch. */
  readonly e: number;
  /** The sender's id, 32 bytes. */
  readonly sender: Bytes;
  /** The sender's stay, 8 bytes. */
  readonly stay: Bytes;
  /** The sender's number for it in that stay. */
  readonly n: number;
}

/** The last line that somebody had. */
export interface Seen {
  /** Its number; 0 for none. */
  readonly seq: number;
  /** The chain's value there, 32 bytes. */
  readonly value: Bytes;
}

/** A sealed line as it stands in the log. */
export interface SealedText {
  /** The number of its epoch. */
  readonly e: number;
  /** What its sender had seen. */
  readonly seen: Seen;
  /** What the signature covers of it: seen ‖ ciphertext. */
  readonly signed: Bytes;
  /** 64 bytes. */
  readonly signature: Bytes;
  /** Ciphertext ‖ tag. */
  readonly ciphertext: Bytes;
}

/** The number of the epoch that a sealed line names; undefined for a text that is none. */
export function epochOf(text: string): number | undefined {
  if (text.length > MAX_ENTRY_LENGTH) return undefined;
  const e = form.exec(text)?.groups?.["e"];
  return e === undefined ? undefined : Number(e);
}

/** A sealed line's parts; undefined for a text that is none. */
export function parseSealed(text: string): SealedText | undefined {
  const e = epochOf(text);
  if (e === undefined) return undefined;
  const bytes = fromBase64url(text.slice(text.indexOf(".") + 1));
  const head = SEEN_SIZE + SIGNATURE_SIZE;
  if (bytes.length < head + LEAST_SIZE + TAG_SIZE) return undefined;
  const seq = Number(new DataView(bytes.buffer).getBigUint64(0));
  if (!Number.isSafeInteger(seq)) return undefined;
  const ciphertext = bytes.slice(head);
  return {
    e,
    seen: { seq, value: bytes.slice(8, SEEN_SIZE) },
    signed: concat(bytes.subarray(0, SEEN_SIZE), ciphertext),
    signature: bytes.slice(SEEN_SIZE, head),
    ciphertext,
  };
}

/** What is authenticated of a line beside its words. */
function associatedData({ room, e, sender, stay, n }: LinePlace): Bytes {
  return concat(room, uint64(e), sender, stay, uint64(n));
}

/**
 * The cipher of all lines of a stay in an epoch; each line's own is that `at` its number.
 * @param contentKey That of the epoch, 32 bytes.
 */
export function lineCipher(
  contentKey: Bytes,
  { room, sender, stay }: Pick<LinePlace, "room" | "sender" | "stay">,
): Promise<CipherState> {
  return CipherState.create(deriveKey(contentKey, "line", room, sender, stay));
}

/** The greatest number that was sealed with a cipher. */
const sealedUpTo = new WeakMap<CipherState, number>();

/**
 * A line, sealed and signed. What is sent again is the same text: it isn't sealed again.
 * @param cipher As `lineCipher` makes it. A nonce can't repeat: with one cipher numbers only grow, and another one is of
 * another epoch or stay.
 * @throws {RangeError} for a number that isn't greater than all that were sealed with that cipher, and for words that
 * nobody would take.
 */
export async function sealLine(
  words: Words,
  place: LinePlace,
  seen: Seen,
  cipher: CipherState,
  signing: Pick<SigningKeyPair, "privateKey">,
): Promise<string> {
  if (!areWords(words)) {
    throw new RangeError("Cannot seal a line: its words are wrong");
  }
  const { e, n } = place;
  if (n <= (sealedUpTo.get(cipher) ?? -1)) {
    throw new RangeError(`Cannot seal line ${n}: its number was used`);
  }
  sealedUpTo.set(cipher, n);
  const ad = associatedData(place);
  const own = await cipher.at(n);
  const ciphertext = await encryptMessage(own, formatWords(words), ad);
  const head = concat(uint64(seen.seq), seen.value);
  const signature = await sign(signing, labelled("line", ad, head, ciphertext));
  return `${e}.${toBase64url(concat(head, signature, ciphertext))}`;
}

/** Whether a line is its sender's, of that stay and number. @param verifyKey The sender's. */
export function isSenders(
  { signed, signature }: SealedText,
  place: LinePlace,
  verifyKey: CryptoKey,
): Promise<boolean> {
  const bytes = labelled("line", associatedData(place), signed);
  return verify(verifyKey, signature, bytes);
}

/**
 * The words of a line. @param cipher As `lineCipher` makes it.
 * @returns Undefined for words that no client of ours seals.
 * @throws {DecryptionError}
 */
export async function openLine(
  { ciphertext }: SealedText,
  place: LinePlace,
  cipher: CipherState,
): Promise<Words | undefined> {
  if (place.n >= MAX_NUMBER) throw new DecryptionError(); // no key seals so many
  const own = await cipher.at(place.n);
  return readWords(
    await decryptMessage(own, ciphertext, associatedData(place)),
  );
}

/** Words as they are sealed. */
function formatWords({ what, to, text }: Words): Bytes {
  const bytes = encoder.encode(text);
  const size = HEAD_SIZE + bytes.length;
  const plaintext = new Uint8Array(padmeLength(Math.max(LEAST_SIZE, size)));
  const view = new DataView(plaintext.buffer);
  view.setUint8(0, SEALED_KINDS.indexOf(what as SpokenKind) + 1);
  view.setBigUint64(1, BigInt(to ?? 0));
  view.setUint16(9, bytes.length);
  plaintext.set(bytes, HEAD_SIZE);
  return plaintext;
}

/**
 * The words in a plaintext; undefined unless they are as a server would take them in an open room, and written as
 * `sealLine` does.
 */
export function readWords(plaintext: Bytes): Words | undefined {
  if (plaintext.length < LEAST_SIZE) return undefined;
  const { buffer, byteOffset } = plaintext;
  const view = new DataView(buffer, byteOffset);
  const what = SEALED_KINDS[view.getUint8(0) - 1];
  const to = Number(view.getBigUint64(1)) || null;
  const end = HEAD_SIZE + view.getUint16(9);
  const isPadded =
    plaintext.length === padmeLength(Math.max(LEAST_SIZE, end)) &&
    plaintext.subarray(end).every((byte) => byte === 0);
  if (what === undefined || !isPadded) return undefined;
  try {
    const text = decoder.decode(plaintext.subarray(HEAD_SIZE, end));
    const words = { what, to, text };
    return areWords(words) ? words : undefined;
  } catch {
    return undefined; // no UTF-8
  }
}

function areWords({ what, to, text }: Words): boolean {
  if (!isSpoken(what) && !isChange({ what })) return false;
  if (!text.isWellFormed()) return false;
  const isAnother = Number.isSafeInteger(to) && Number(to) > 0;
  if (isAbout(what) ? !isAnother : to !== null) return false;
  if (what === "deleted") return text === "";
  if (what === "offered") return parseOffer(text) !== null;
  return wordsRefusal({ what, text }) === undefined;
}
