/**
 * AES-256-GCM by `crypto.subtle`, and keys: cipher states with their counters, digests and derived keys,
 * passphrases. Runs unchanged in a browser.
 *
 * Every sealed byte of the chat passes through `encryptMessage` and `decryptMessage`: in the handshake
 * (`src/crypto/noise.ts`), in each channel, and in the room's epochs (`src/crypto/epoch.ts`).
 *
 * @module
 */

import { hkdf as deriveHkdf } from "@noble/hashes/hkdf.js";
import { sha256 as hashSha256 } from "@noble/hashes/sha2.js";

/** Bytes over memory of their own, which is what `crypto.subtle` takes. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** The name that prologue, key derivations and signatures are bound to. A new version is a new name. */
export const PROTOCOL_NAME = "encrypted-chat/2";

// Sizes that the specifications fix, in bytes.

/** X25519 and Ed25519 keys, AES-256 keys, SHA-256 digests, ML-KEM shared secrets. */
export const KEY_SIZE = 32;
/** AES-GCM's authentication tag. */
export const TAG_SIZE = 16;
/** An Ed25519 signature (RFC 8032 section 5.1.6). */
export const SIGNATURE_SIZE = 64;
/** The largest Noise message (Noise section 3). */
export const MAX_MESSAGE_SIZE = 65_535;

// Limits that we chose.

/** Records under one key; far below where AES-GCM's guarantees begin to wear (RFC 9001 section 6.6). */
const MAX_RECORDS = 2 ** 32;
/** PBKDF2 rounds, OWASP's figure for HMAC-SHA-256. */
const PASSPHRASE_ROUNDS = 600_000;
/** A passphrase salt, bytes. */
export const SALT_SIZE = 16;

const subtle = crypto.subtle;
const utf8 = new TextEncoder();
/** No bytes. */
export const EMPTY: Bytes = new Uint8Array(0);
const ZERO = new Uint8Array(1);
/** 4 zero bytes ‖ 2^64 − 1: no message has it, since a key's messages are far fewer. */
const GREATEST_NONCE = new Uint8Array(12).fill(0xff, 4);
/** `PROTOCOL_NAME` in UTF-8. */
export const PROTOCOL_BYTES: Bytes = utf8.encode(PROTOCOL_NAME);

/** A sealed message did not open. It never says why: wrong key, altered, replayed, reordered or cut short. */
export class DecryptionError extends Error {
  /** "DecryptionError". */
  override readonly name = "DecryptionError";
  /** Takes no reason, so that none can leak. */
  constructor() {
    super("Cannot open the message");
  }
}

/** A handshake cannot go on: a step out of turn, or a message that doesn't authenticate. */
export class HandshakeError extends Error {
  /** "HandshakeError". */
  override readonly name = "HandshakeError";
}

// ── Bytes ──────────────────────────────────────────────────────────────────────────────────────────────

/** `size` bytes from the system's random source. */
export function randomBytes(size: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(size));
}

/** The parts, one after the other. */
export function concat(...parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(
    parts.reduce((size, part) => size + part.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A whole number as 8 bytes, big-endian. */
export function uint64(value: number): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

// A library's, because they must be synchronous: a handshake takes eighteen of them one after the other, and by
// `crypto.subtle` each would wait for another thread, which costs more than hashing a few blocks does.

/** SHA-256 (FIPS 180-4), 32 bytes. */
export function sha256(bytes: Uint8Array): Bytes {
  return hashSha256(bytes) as Bytes;
}

/** SHA-256 (FIPS 180-4) of all chunks, in hexadecimal digits: 64 of them. */
export async function sha256Hex(
  chunks: AsyncIterable<Uint8Array>,
): Promise<string> {
  const hash = hashSha256.create();
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest().toHex();
}

/** Whether two byte strings are the same; for public values, its time depends on them. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** Base64url without padding (RFC 4648 section 5). */
export function toBase64url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

/**
 * The bytes of base64url text.
 * @throws {SyntaxError} if the text is no base64url.
 */
export function fromBase64url(text: string): Bytes {
  return Uint8Array.fromBase64(text, { alphabet: "base64url" });
}

/** Bytes or a text, in UTF-8, as a field that others may follow: u32 length, big-endian ‖ bytes. */
export function field(value: Uint8Array | string): Bytes {
  const bytes = typeof value === "string" ? utf8.encode(value) : value;
  const sized = new Uint8Array(4 + bytes.length);
  new DataView(sized.buffer).setUint32(0, bytes.length);
  sized.set(bytes, 4);
  return sized;
}

/** Checks a length. @param what Names the bytes, as in "an AES key". @throws {RangeError} for another length. */
export function requireSize(
  bytes: Uint8Array,
  size: number,
  what: string,
): void {
  if (bytes.length !== size) {
    throw new RangeError(
      `Cannot use ${what} of ${bytes.length} bytes: it has ${size}`,
    );
  }
}

/** A copy over memory of its own, which nobody else can change. */
export function copyOf(bytes: Uint8Array): Bytes {
  return new Uint8Array(bytes);
}

/** HKDF-SHA-256 (RFC 5869), extract and expand in one call; `size` bytes. */
export function hkdf(
  ikm: Bytes,
  salt: Bytes,
  info: Bytes,
  size: number,
): Bytes {
  return deriveHkdf(hashSha256, ikm, salt, info, size) as Bytes;
}

/**
 * What a digest, a derived key or a signature for one purpose covers: protocol name ‖ 0 ‖ label ‖ 0 ‖ fields.
 * @param fields Of fixed sizes, but for the last, or made by `field`, so that no two lists give the same bytes.
 */
export function labelled(label: string, ...fields: Uint8Array[]): Bytes {
  return concat(PROTOCOL_BYTES, ZERO, utf8.encode(label), ZERO, ...fields);
}

/** A digest for one purpose: SHA-256 over `labelled`, 32 bytes. */
export function labelledDigest(label: string, ...fields: Uint8Array[]): Bytes {
  const hash = hashSha256.create().update(labelled(label)); // a field may be long: it isn't copied
  for (const field of fields) hash.update(field);
  return hash.digest() as Bytes;
}

/** A key for one purpose: HKDF-SHA-256 (RFC 5869) of `key` with `labelled` as its info, 32 bytes. */
export function deriveKey(
  key: Bytes,
  label: string,
  ...fields: Uint8Array[]
): Bytes {
  return hkdf(key, EMPTY, labelled(label, ...fields), KEY_SIZE);
}

// ── Cipher states ──────────────────────────────────────────────────────────────────────────────────────

let seal: (
  cipher: CipherState,
  message: Bytes,
  ad: Bytes,
) => Promise<ArrayBuffer>;
let open: (
  cipher: CipherState,
  sealed: Bytes,
  ad: Bytes,
) => Promise<ArrayBuffer>;

/**
 * One AES-256-GCM key, for one direction, and the counter of its next message (Noise section 5.1). Only
 * `encryptMessage` and `decryptMessage` can use the key, and only with the counter that is next; `at` chooses it.
 */
export class CipherState {
  readonly #key: Bytes;
  // The runtime's form of the key takes 3 KiB, and a server has thousands of keys that rest: it is made again
  // when it is needed again.
  #imported: WeakRef<CryptoKey> | undefined;
  #counter: number;
  #failed = false;
  #period = Infinity; // messages under each key
  #nextRekey = Infinity; // the counter of the first message under another key
  #era: Promise<CryptoKey> | undefined; // the key of the messages from now on, while it is being made

  /**
   * A cipher state of its own over a key of 32 bytes. The runtime takes the key when it is first needed.
   * @throws {RangeError} for a key of another size.
   */
  constructor(key: Uint8Array, counter = 0) {
    requireSize(key, KEY_SIZE, "an AES key");
    this.#key = copyOf(key);
    this.#counter = counter;
  }

  /** The same, once the runtime has the key. @throws {RangeError} for a key of another size. */
  static async create(key: Uint8Array, counter = 0): Promise<CipherState> {
    const cipher = new CipherState(key, counter);
    await cipher.#current();
    return cipher;
  }

  /**
   * The same key, for the message of that number. For messages that carry their numbers: who seals one so answers for
   * it that no number comes twice under the key.
   */
  async at(counter: number): Promise<CipherState> {
    const cipher = new CipherState(this.#key, counter);
    await this.#current();
    cipher.#imported = this.#imported;
    return cipher;
  }

  /** The key of the next message, or a promise where that must be waited for. */
  #current(): CryptoKey | Promise<CryptoKey> {
    return this.#era ?? this.#imported?.deref() ??
      this.#make(importAesKey(this.#key));
  }

  #make(making: Promise<CryptoKey>): Promise<CryptoKey> {
    const era = making.then((key) => {
      if (this.#era === era) { // else there is a later one by now
        this.#imported = new WeakRef(key);
        this.#era = undefined;
      }
      return key;
    });
    return this.#era = era;
  }

  /**
   * Replaces the key after each `period` messages (Noise section 4.2): who learns one later opens few of the others.
   * To be called before the first message.
   */
  rekeyEvery(period: number): void {
    this.#period = this.#nextRekey = period;
  }

  /** Goes on to the next message. @returns Its key, or a promise where that must be waited for. */
  #step(): CryptoKey | Promise<CryptoKey> {
    const key = this.#current();
    if (this.#counter++ < this.#nextRekey) return key;
    this.#nextRekey += this.#period;
    return this.#make(this.#rekey(key));
  }

  /** The key after this one: the first 32 bytes of 32 zeros, sealed under the greatest nonce. */
  async #rekey(before: CryptoKey | Promise<CryptoKey>): Promise<CryptoKey> {
    const zeros = new Uint8Array(KEY_SIZE);
    const parameters = { name: "AES-GCM", iv: GREATEST_NONCE };
    const sealed = await subtle.encrypt(parameters, await before, zeros);
    const raw = new Uint8Array(sealed, 0, KEY_SIZE);
    this.#key.set(raw);
    raw.fill(0);
    return importAesKey(this.#key); // which takes a copy at once
  }

  /**
   * The key that follows on this one by HKDF-SHA-256 (RFC 5869), 32 bytes; doesn't lead back. This one is wiped, and
   * seals and opens nothing more.
   */
  ratchet(info: Bytes): Bytes {
    const next = hkdf(this.#key, EMPTY, info, KEY_SIZE);
    this.#key.fill(0);
    this.#counter = MAX_RECORDS;
    return next;
  }

  /** The counter of the next message. */
  get counter(): number {
    return this.#counter;
  }

  /** The nonce of the next message: 4 zero bytes ‖ counter, 64 bits big-endian (Noise section 12.4). */
  #nonce(): Bytes {
    if (this.#counter >= MAX_RECORDS) {
      throw new RangeError(
        `Cannot use a key for more than ${MAX_RECORDS} messages`,
      );
    }
    const nonce = new Uint8Array(12);
    new DataView(nonce.buffer).setBigUint64(4, BigInt(this.#counter));
    return nonce;
  }

  static {
    // A nonce can't repeat: the counter moves on in the same turn of the event loop in which it is read, and
    // never back. A message that fails to seal costs a number.
    seal = async (cipher, message, additionalData) => {
      const iv = cipher.#nonce();
      let key = cipher.#step();
      if (key instanceof Promise) {
        // What is sealed is what was given, whatever becomes of the buffer while the key is imported.
        message = copyOf(message);
        additionalData = copyOf(additionalData);
        key = await key;
      }
      return await subtle.encrypt(
        { name: "AES-GCM", iv, additionalData },
        key,
        message,
      );
    };
    // Several messages may be in the works at once, each with the counter it was handed in order. One that
    // fails gives its number back (Noise section 5.1) unless later ones are out: then none of them counts.
    open = async (cipher, sealed, additionalData) => {
      const iv = cipher.#nonce();
      const key = cipher.#step();
      const next = cipher.#counter;
      try {
        const message = await subtle.decrypt(
          { name: "AES-GCM", iv, additionalData },
          key instanceof Promise ? await key : key,
          sealed,
        );
        if (cipher.#failed) throw new DecryptionError();
        return message;
      } catch {
        if (cipher.#counter === next) cipher.#counter--;
        else cipher.#failed = true;
        throw new DecryptionError(); // whatever the runtime said, the caller learns nothing of it
      }
    };
  }
}

function importAesKey(key: Bytes): Promise<CryptoKey> {
  return subtle.importKey("raw", key, "AES-GCM", false, ["encrypt", "decrypt"]);
}

/**
 * Seals a message under the cipher's next counter.
 * @param message At most 65,519 bytes.
 * @param associatedData Authenticated with the message and not sent.
 * @returns Ciphertext ‖ tag: 16 bytes more than the message.
 * @throws {RangeError} for a message that is too long, or a key that is used up.
 *
 * @example
 * ```ts
 * import { CipherState, decryptMessage, encryptMessage, randomBytes } from "./crypto_utils.ts";
 * const key = randomBytes(32);
 * const sealed = await encryptMessage(await CipherState.create(key), new TextEncoder().encode("hello"));
 * const opened = await decryptMessage(await CipherState.create(key), sealed);
 * if (new TextDecoder().decode(opened) !== "hello") throw new Error("not the same");
 * ```
 */
export async function encryptMessage(
  cipher: CipherState,
  message: Uint8Array,
  associatedData: Uint8Array = EMPTY,
): Promise<Bytes> {
  if (message.length > MAX_MESSAGE_SIZE - TAG_SIZE) {
    throw new RangeError(
      `Cannot seal ${message.length} bytes: the most is ${
        MAX_MESSAGE_SIZE - TAG_SIZE
      }`,
    );
  }
  return new Uint8Array(
    await seal(cipher, message as Bytes, associatedData as Bytes),
  );
}

/**
 * Opens a sealed message, if it is exactly the next one.
 * @param sealed Ciphertext ‖ tag, 16 to 65,535 bytes.
 * @param associatedData What it was sealed with.
 * @returns The message: 16 bytes less.
 * @throws {DecryptionError} for anything else: altered, cut short, replayed, reordered, another key's.
 */
export async function decryptMessage(
  cipher: CipherState,
  sealed: Uint8Array,
  associatedData: Uint8Array = EMPTY,
): Promise<Bytes> {
  if (sealed.length < TAG_SIZE || sealed.length > MAX_MESSAGE_SIZE) {
    throw new DecryptionError();
  }
  return new Uint8Array(
    await open(cipher, sealed as Bytes, associatedData as Bytes),
  );
}

// ── Passphrases ───────────────────────────────────────────────────────────────────────

/**
 * The key that a passphrase stands for: PBKDF2-HMAC-SHA-256, 600,000 rounds, over the passphrase in NFC.
 * @param salt 16 bytes.
 * @returns 32 bytes.
 */
export function passphraseKey(
  passphrase: string,
  salt: Uint8Array,
): Promise<Bytes> {
  requireSize(salt, SALT_SIZE, "a salt");
  return pbkdf2(
    utf8.encode(passphrase.normalize("NFC")),
    copyOf(salt),
    PASSPHRASE_ROUNDS,
    KEY_SIZE,
  );
}

/** PBKDF2-HMAC-SHA-256 (RFC 8018 section 5.2); `size` bytes. */
export async function pbkdf2(
  password: Bytes,
  salt: Bytes,
  iterations: number,
  size: number,
): Promise<Bytes> {
  const key = await subtle.importKey("raw", password, "PBKDF2", false, [
    "deriveBits",
  ]);
  const parameters = { name: "PBKDF2", hash: "SHA-256", salt, iterations };
  return new Uint8Array(await subtle.deriveBits(parameters, key, size * 8));
}
