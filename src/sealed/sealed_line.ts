/**
 * Lines of a sealed room, which its server orders and can't read: sealed under the epoch's content key, signed by who
 * says them.
 *
 *     E.BLOB      the epoch's number, a dot and, in base64url:
 *
 *     seen, number, 8 ‖ chain value, 32 ‖ Ed25519 signature, 64 ‖ AES-256-GCM of [kind, to, text], padded with spaces
 *
 * The AES key is KDF(Ce, "line", room ‖ sender ‖ stay), the nonce the line's own number n, which comes once in a stay; the
 * associated data, A, is room ‖ e ‖ sender ‖ stay ‖ n. The signature is over label ‖ A ‖ seen ‖ ciphertext. *Seen* is the last line
 * that its sender had: who was shown another history gives that away.
 *
 * @module
 */

import {
  type Bytes,
  CipherState,
  concat,
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
import { isAbout, isChange, isSpoken, type Words } from "../protocol/line.ts";
import { parseOffer } from "../protocol/offer.ts";
import { isEmoji } from "../protocol/reaction.ts";
import { MAX_ENTRY_LENGTH, textRefusal } from "../protocol/reasons.ts";
import { padmeLength } from "../protocol/records.ts";

/** The shortest plaintext, bytes, so that a "yes" looks like a sentence. */
const LEAST_SIZE = 128;
const SEEN_SIZE = 8 + KEY_SIZE;
const SPACE = 0x20;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const form = /^(?<e>0|[1-9]\d{0,14})\.(?<blob>[\w-]+)$/;

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
  const e = form.exec(text)?.groups?.["e"];
  return e === undefined || text.length > MAX_ENTRY_LENGTH
    ? undefined
    : Number(e);
}

/** A sealed line's parts; undefined for a text that is none. */
export function parseSealed(text: string): SealedText | undefined {
  const e = epochOf(text);
  if (e === undefined) return undefined;
  let bytes: Bytes;
  try {
    bytes = fromBase64url(text.slice(text.indexOf(".") + 1));
  } catch {
    return undefined; // base64url that ends in bits which are no byte
  }
  const head = SEEN_SIZE + SIGNATURE_SIZE;
  if (bytes.length < head + LEAST_SIZE + TAG_SIZE) return undefined;
  const seen = bytes.subarray(0, SEEN_SIZE);
  const seq = new DataView(bytes.buffer).getBigUint64(0);
  const ciphertext = bytes.slice(head);
  return {
    e,
    seen: { seq: Number(seq), value: bytes.slice(8, SEEN_SIZE) },
    signed: concat(seen, ciphertext),
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

/**
 * A line, sealed and signed. Under one epoch a number is to be sealed once: what is sent again is the same text.
 * @param cipher As `lineCipher` makes it.
 */
export async function sealLine(
  words: Words,
  place: LinePlace,
  seen: Seen,
  cipher: CipherState,
  signing: Pick<SigningKeyPair, "privateKey">,
): Promise<string> {
  const bytes = encoder.encode(
    JSON.stringify([words.what, words.to, words.text]),
  );
  const size = padmeLength(Math.max(LEAST_SIZE, bytes.length));
  const padded = new Uint8Array(size).fill(SPACE);
  padded.set(bytes);
  const ad = associatedData(place);
  const own = await cipher.at(place.n);
  const ciphertext = await encryptMessage(own, padded, ad);
  const head = concat(uint64(seen.seq), seen.value);
  const signature = await sign(
    signing,
    labelled("line", ad, head, ciphertext),
  );
  return `${place.e}.${toBase64url(concat(head, signature, ciphertext))}`;
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
  const own = await cipher.at(place.n);
  return readWords(
    await decryptMessage(own, ciphertext, associatedData(place)),
  );
}

/** The words in a plaintext; undefined unless they are as a server would take them in an open room. */
export function readWords(plaintext: Uint8Array): Words | undefined {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(plaintext));
  } catch {
    return undefined;
  }
  if (!Array.isArray(value) || value.length !== 3) return undefined;
  const words = { what: value[0], to: value[1], text: value[2] } as Words;
  return areWords(words) ? words : undefined;
}

function areWords({ what, to, text }: Words): boolean {
  if (typeof what !== "string" || typeof text !== "string") return false;
  if (!isSpoken(what) && !isChange({ what })) return false;
  if (!text.isWellFormed()) return false;
  const isAnother = Number.isSafeInteger(to) && Number(to) > 0;
  if (isAbout(what) ? !isAnother : to !== null) return false;
  switch (what) {
    case "deleted":
      return text === "";
    case "reacted":
      return text === "" || isEmoji(text);
    case "offered":
      return parseOffer(text) !== null;
    default:
      return textRefusal(text) === undefined;
  }
}
