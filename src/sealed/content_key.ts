/**
 * Content keys, under which the lines of a sealed room are sealed: C0, C1, …, one for each epoch. The server has none of
 * them. A `keys` line commits to the new one and holds the one before it, sealed by the new one; each recipient's copy,
 * its wrap, is sealed to its card.
 *
 *     commit  H("commit", room ‖ e ‖ Ce)
 *     back    AES-256-GCM of an earlier key, most often Ce, under KDF(Ce+1, "back", room ‖ e + 1)
 *     wrap    X-Wing ciphertext ‖ AES-256-GCM of Ce under KDF(its secret, "wrap", ciphertext ‖ room ‖ e ‖ both ids)
 *     blob    AES-256-GCM of room ‖ number ‖ digest under KDF(an invite's secret, "blob")
 *
 * Each of these AES keys seals one message alone, under nonce zero. A wrap isn't signed: the commitment proves it.
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
  labelledDigest,
  randomBytes,
  TAG_SIZE,
  toBase64url,
  uint64,
} from "../../crypto_utils.ts";
import {
  XWING_CIPHERTEXT_SIZE,
  xwingEncapsulate,
  type XwingKey,
} from "../crypto/xwing.ts";

/** A wrap, bytes. */
export const WRAP_SIZE: number = XWING_CIPHERTEXT_SIZE + KEY_SIZE + TAG_SIZE;
/** An invite's blob, bytes. */
export const BLOB_SIZE: number = KEY_SIZE + 8 + KEY_SIZE + TAG_SIZE;

/** Which key of which room. */
export interface KeyPlace {
  /** The room's id, 32 bytes. */
  readonly room: Bytes;
  /** The number of the epoch, from 0 on. */
  readonly e: number;
}

/** Between whom a wrap is. */
export interface Wrapping extends KeyPlace {
  /** The id of the person who made it, 32 bytes. */
  readonly by: Bytes;
  /** The id of the person or invite that it is for, 32 bytes. */
  readonly to: Bytes;
}

/** What an invite tells of the room that it opens, so that nobody can show its owner another one. */
export interface Anchor {
  /** The room's id, 32 bytes. */
  readonly room: Bytes;
  /** The number of the control line that its maker had seen last. */
  readonly seq: number;
  /** The digest of all control lines up to that one, 32 bytes. */
  readonly digest: Bytes;
}

/** A content key, 32 bytes. */
export function freshContentKey(): Bytes {
  return randomBytes(KEY_SIZE);
}

/** What proves a content key, 32 bytes in base64url. @param key 32 bytes. */
export function commitment({ room, e }: KeyPlace, key: Bytes): string {
  return toBase64url(labelledDigest("commit", room, uint64(e), key));
}

/** An earlier content key, sealed by one, base64url. @param before 32 bytes. @param key That of epoch `e`, 32 bytes. */
export async function sealBack(
  place: KeyPlace,
  before: Bytes,
  key: Bytes,
): Promise<string> {
  return toBase64url(await sealOnce(backKey(place, key), before));
}

/** The content key before one. @param key That of epoch `e`, 32 bytes. @throws {DecryptionError} */
export async function openBack(
  place: KeyPlace,
  back: string,
  key: Bytes,
): Promise<Bytes> {
  return await openOnce(backKey(place, key), decoded(back));
}

function backKey({ room, e }: KeyPlace, key: Bytes): Bytes {
  return deriveKey(key, "back", room, uint64(e));
}

/**
 * A content key for one recipient, base64url.
 * @param key 32 bytes. @param sealKey The recipient's X-Wing key, 1,216 bytes, a proper one, as in every card that a
 * membership takes.
 */
export async function sealWrap(
  wrapping: Wrapping,
  key: Bytes,
  sealKey: Bytes,
): Promise<string> {
  const { ciphertext, secret } = await xwingEncapsulate(sealKey);
  const sealed = await sealOnce(wrapKey(wrapping, secret, ciphertext), key);
  return toBase64url(concat(ciphertext, sealed));
}

/**
 * The content key in a wrap, 32 bytes.
 * @param commit What the `found` or `keys` line of its epoch commits to. @throws {DecryptionError} for another one.
 */
export async function openWrap(
  wrapping: Wrapping,
  wrap: string,
  sealKey: Pick<XwingKey, "decapsulate">,
  commit: string,
): Promise<Bytes> {
  const bytes = decoded(wrap);
  if (bytes.length !== WRAP_SIZE) throw new DecryptionError();
  const ciphertext = bytes.slice(0, XWING_CIPHERTEXT_SIZE);
  const secret = await sealKey.decapsulate(ciphertext).catch(() => {
    throw new DecryptionError(); // a key of low order, by somebody who doesn't keep to the rules
  });
  const key = await openOnce(
    wrapKey(wrapping, secret, ciphertext),
    bytes.subarray(XWING_CIPHERTEXT_SIZE),
  );
  if (commitment(wrapping, key) !== commit) throw new DecryptionError();
  return key;
}

function wrapKey(
  { room, e, by, to }: Wrapping,
  secret: Bytes,
  ciphertext: Bytes,
): Bytes {
  return deriveKey(secret, "wrap", ciphertext, room, uint64(e), by, to);
}

/** An invite's blob, base64url. @param secret The link's, 32 bytes. */
export async function sealBlob(
  { room, seq, digest }: Anchor,
  secret: Bytes,
): Promise<string> {
  const plaintext = concat(room, uint64(seq), digest);
  return toBase64url(await sealOnce(deriveKey(secret, "blob"), plaintext));
}

/** What an invite's blob says. @param secret The link's, 32 bytes. @throws {DecryptionError} */
export async function openBlob(blob: string, secret: Bytes): Promise<Anchor> {
  const bytes = decoded(blob);
  if (bytes.length !== BLOB_SIZE) throw new DecryptionError();
  const plaintext = await openOnce(deriveKey(secret, "blob"), bytes);
  const view = new DataView(plaintext.buffer);
  const seq = Number(view.getBigUint64(KEY_SIZE));
  if (!Number.isSafeInteger(seq)) throw new DecryptionError();
  return {
    room: plaintext.slice(0, KEY_SIZE),
    seq,
    digest: plaintext.slice(KEY_SIZE + 8),
  };
}

/** Seals the only message of a key. */
async function sealOnce(key: Bytes, message: Bytes): Promise<Bytes> {
  return await encryptMessage(await CipherState.create(key), message);
}

/** Opens the only message of a key. @throws {DecryptionError} */
async function openOnce(key: Bytes, sealed: Bytes): Promise<Bytes> {
  return await decryptMessage(await CipherState.create(key), sealed);
}

/** The bytes of base64url text. @throws {DecryptionError} for text that is none. */
function decoded(text: string): Bytes {
  try {
    return fromBase64url(text);
  } catch {
    throw new DecryptionError();
  }
}

/** How the content key of an epoch is proven, and how the one before it is found. */
export interface KeyEpoch {
  /** As `commitment` makes it. */
  readonly commit: string;
  /** As `sealBack` makes it; undefined for epoch 0. */
  readonly back: string | undefined;
  /** The number of the epoch whose key is in that, an earlier one. */
  readonly backTo: number;
}

/** The content keys that somebody has: who has one has all that came before it. */
export class ContentKeys {
  readonly #keys = new Map<number, Bytes>();
  #highest = -1;

  /** The number of the latest epoch whose key is known; -1 for none. */
  get highest(): number {
    return this.#highest;
  }

  /** Keeps the key of an epoch, 32 bytes. */
  add(e: number, key: Bytes): void {
    this.#keys.set(e, key);
    this.#highest = Math.max(this.#highest, e);
  }

  /**
   * The key of an epoch, 32 bytes; undefined where neither it nor a later one is known.
   * @param room The room's id, 32 bytes. @param epochs Of the room, as its control lines tell them.
   */
  async get(
    e: number,
    room: Bytes,
    epochs: readonly KeyEpoch[],
  ): Promise<Bytes | undefined> {
    for (let at = this.#highest; at > e && !this.#keys.has(e); at--) {
      await this.#openBack(at, room, epochs);
    }
    const key = this.#keys.get(e);
    // What was known of a room that went another way since isn't its key.
    return key && isKeyOf({ room, e }, key, epochs) ? key : undefined;
  }

  /** Takes the key that leads back from an epoch, where that one's is known. */
  async #openBack(
    e: number,
    room: Bytes,
    epochs: readonly KeyEpoch[],
  ): Promise<void> {
    const { back, backTo = e } = epochs[e] ?? {};
    const key = this.#keys.get(e);
    if (!key || back === undefined || this.#keys.has(backTo)) return;
    const before = await openBack({ room, e }, back, key).catch(() => {});
    if (before && isKeyOf({ room, e: backTo }, before, epochs)) {
      this.#keys.set(backTo, before);
    }
  }
}

/** Whether a key is the one to which an epoch's line commits. */
function isKeyOf(
  place: KeyPlace,
  key: Bytes,
  epochs: readonly KeyEpoch[],
): boolean {
  return commitment(place, key) === epochs[place.e]?.commit;
}
