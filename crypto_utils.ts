/**
 * All cryptography of the chat: AES-256-GCM cipher states with their counters, the Noise handshake and
 * its hybrid with ML-KEM, passphrases, epochs and their signatures, fingerprints. It knows no sockets, no files,
 * no rooms and nothing of Deno: what it needs of a runtime is `crypto.subtle` and `node:crypto`.
 *
 * The flow, from bytes to a conversation:
 *
 *     invite or passphrase ─┐
 *     ML-KEM-768 secret ────┴─ hybridPsk ── createHandshake (XXpsk3) ── split ─┬─ send    ┐ CipherState,
 *                                                                            └─ receive ┤ one per direction
 *     Epoch (server) ── describe, sent inside `send` ── EpochReader (member) ────────────┘ and per epoch
 *
 * Every sealed byte of every one of them passes through `encryptMessage` and `decryptMessage`.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from "node:crypto";

/** Bytes over memory of their own, which is what `crypto.subtle` takes. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** The name that prologue, key derivations and signatures are bound to. A new version is a new name. */
export const PROTOCOL_NAME = "encrypted-chat/1";

// Sizes that the specifications fix, in bytes.

/** X25519 and Ed25519 keys, AES-256 keys, SHA-256 digests, ML-KEM shared secrets. */
export const KEY_SIZE = 32;
/** AES-GCM's authentication tag. */
export const TAG_SIZE = 16;
/** An Ed25519 signature (RFC 8032 section 5.1.6). */
export const SIGNATURE_SIZE = 64;
/** The largest Noise message (Noise section 3). */
export const MAX_MESSAGE_SIZE = 65_535;
/** An ML-KEM-768 encapsulation key (FIPS 203 table 3). */
export const KEM_KEY_SIZE = 1_184;
/** An ML-KEM-768 ciphertext (FIPS 203 table 3). */
export const KEM_CIPHERTEXT_SIZE = 1_088;

// Limits that we chose.

/** Records under one key; far below where AES-GCM's guarantees begin to wear (RFC 9001 section 6.6). */
const MAX_RECORDS = 2 ** 32;
/** PBKDF2 rounds, OWASP's figure for HMAC-SHA-256. */
const PASSPHRASE_ROUNDS = 600_000;
/** A passphrase salt, bytes. */
export const SALT_SIZE = 16;
/** A fingerprint: six bytes of a digest, shown as twelve hexadecimal digits. */
const FINGERPRINT_SIZE = 6;

const subtle = crypto.subtle;
const utf8 = new TextEncoder();
const EMPTY: Bytes = new Uint8Array(0);
const PROTOCOL_BYTES = utf8.encode(PROTOCOL_NAME);

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

// SHA-256, HKDF and X25519 are the runtime's by `node:crypto`, and all else by `crypto.subtle`. A handshake takes
// twenty-two of them one after the other. By `crypto.subtle` each digest waits for another thread, and an X25519
// key pair takes three times as long.

function sha256(bytes: Uint8Array): Bytes {
  return own(createHash("sha256").update(bytes).digest());
}

/** SHA-256 (FIPS 180-4) of all chunks, in hexadecimal digits: 64 of them. */
export async function sha256Hex(
  chunks: AsyncIterable<Uint8Array>,
): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest("hex");
}

/** Whether two byte strings are the same; for public values, its time depends on them. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

/** Base64url without padding (RFC 4648 section 5). */
export function toBase64url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

/**
 * The bytes of base64url text.
 * @throws {SyntaxError} where the text is no base64url.
 */
export function fromBase64url(text: string): Bytes {
  return Uint8Array.fromBase64(text, { alphabet: "base64url" });
}

function requireSize(bytes: Uint8Array, size: number, what: string): void {
  if (bytes.length !== size) {
    throw new RangeError(
      `Cannot use ${what} of ${bytes.length} bytes: it has ${size}`,
    );
  }
}

/** A copy that nobody else can change, over memory that `crypto.subtle` takes. */
function own(bytes: Uint8Array): Bytes {
  return new Uint8Array(bytes);
}

function uint64(value: number): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

/** HKDF-SHA-256 (RFC 5869), extract and expand in one call; `size` bytes. */
export function hkdf(
  ikm: Bytes,
  salt: Bytes,
  info: Bytes,
  size: number,
): Bytes {
  return new Uint8Array(hkdfSync("sha256", ikm, salt, info, size));
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
 * `encryptMessage` and `decryptMessage` can use the key, and only with the counter that is next.
 */
export class CipherState {
  readonly #key: Bytes;
  // The runtime's form of the key takes 3 KiB, and a server has thousands of keys that rest: it is made again
  // when it is needed again.
  #imported: WeakRef<CryptoKey>;
  #counter: number;
  #failed = false;

  private constructor(key: Bytes, imported: CryptoKey, counter: number) {
    this.#key = key;
    this.#imported = new WeakRef(imported);
    this.#counter = counter;
  }

  /**
   * A cipher state of its own over a key of 32 bytes.
   * @throws {RangeError} for a key of another size.
   */
  static async create(key: Uint8Array, counter = 0): Promise<CipherState> {
    requireSize(key, KEY_SIZE, "an AES key");
    const copy = own(key);
    return new CipherState(copy, await importAesKey(copy), counter);
  }

  async #import(): Promise<CryptoKey> {
    const key = await importAesKey(this.#key);
    this.#imported = new WeakRef(key);
    return key;
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
      cipher.#counter++;
      const known = cipher.#imported.deref();
      // What is sealed is what was given, whatever becomes of the buffer while the key is imported.
      const text = known ? message : own(message);
      const ad = known ? additionalData : own(additionalData);
      return await subtle.encrypt(
        { name: "AES-GCM", iv, additionalData: ad },
        known ?? await cipher.#import(),
        text,
      );
    };
    // Several messages may be in the works at once, each with the counter it was handed in order. One that
    // fails gives its number back (Noise section 5.1) unless later ones are out: then none of them counts.
    open = async (cipher, sealed, additionalData) => {
      const iv = cipher.#nonce();
      const next = ++cipher.#counter;
      try {
        const message = await subtle.decrypt(
          { name: "AES-GCM", iv, additionalData },
          cipher.#imported.deref() ?? await cipher.#import(),
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

// ── X25519 (RFC 7748) ──────────────────────────────────────────────────────────────────────────────────

/** What stands before a raw key in its DER forms, PKCS#8 and SPKI (RFC 8410 sections 7 and 4). */
const PKCS8_X25519 = Uint8Array.fromHex("302e020100300506032b656e04220420");
const SPKI_X25519 = Uint8Array.fromHex("302a300506032b656e032100");

/** An X25519 key pair: the public half as 32 raw bytes, the private half where only the runtime reaches. */
export interface KeyPair {
  /** 32 bytes. */
  readonly publicKey: Bytes;
  /** Derives shared secrets. */
  readonly privateKey: KeyObject;
}

/**
 * The key pair of a raw private key.
 * @param privateKey 32 bytes.
 * @throws {RangeError} for another size.
 */
export function importKeyPair(privateKey: Uint8Array): KeyPair {
  requireSize(privateKey, KEY_SIZE, "an X25519 private key");
  const pkcs8 = concat(PKCS8_X25519, privateKey);
  const key = Buffer.from(pkcs8.buffer); // the same memory, so that it is the only copy
  const imported = createPrivateKey({ key, format: "der", type: "pkcs8" });
  pkcs8.fill(0);
  return pairOf(imported, createPublicKey(imported));
}

function generateKeyPair(): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync("x25519");
  return pairOf(privateKey, publicKey);
}

function pairOf(privateKey: KeyObject, publicKey: KeyObject): KeyPair {
  const spki = publicKey.export({ format: "der", type: "spki" });
  return { publicKey: own(spki.subarray(SPKI_X25519.length)), privateKey };
}

/**
 * The X25519 shared secret, 32 bytes.
 * @throws {HandshakeError} for a low-order public key, whose secret would be zero (RFC 7748 section 6.1).
 */
export function agree({ privateKey }: KeyPair, publicKey: Uint8Array): Bytes {
  requireSize(publicKey, KEY_SIZE, "an X25519 public key");
  const key = Buffer.from(concat(SPKI_X25519, publicKey).buffer);
  const theirs = createPublicKey({ key, format: "der", type: "spki" });
  let secret: Bytes | undefined;
  try {
    secret = own(diffieHellman({ privateKey, publicKey: theirs }));
  } catch {
    // Deno 2.9 throws for a secret of zeros, 2.6 gives it.
  }
  if (secret && secret.reduce((any, byte) => any | byte) !== 0) return secret;
  throw new HandshakeError(
    "Cannot agree on a secret: the public key is of low order",
  );
}

// ── Noise (revision 34) ────────────────────────────────────────────────────────────────────────────────

/** The handshakes that are spoken here. */
export type Pattern = "XX" | "XXpsk3";
/** Who sends the first message. */
export type Role = "initiator" | "responder";

/** Options of `createHandshake`. */
export interface HandshakeOptions {
  /** The initiator writes first. */
  readonly role: Role;
  /** "XXpsk3" where nothing is said. */
  readonly pattern?: Pattern;
  /** What both sides must already agree on; empty where nothing is said. */
  readonly prologue?: Uint8Array;
  /** A raw private key of 32 bytes, or a pair imported before; made fresh where nothing is said. */
  readonly staticKey?: Uint8Array | KeyPair;
  /** 32 bytes; may also be given by `setPsk` at any time before the third message. */
  readonly psk?: Uint8Array;
  /** For known-answer tests only: a raw private key of 32 bytes. */
  readonly ephemeralKey?: Uint8Array;
}

/** What a finished handshake leaves: one cipher state for each direction. */
export interface Transport {
  /** Seals what this side says. */
  readonly send: CipherState;
  /** Opens what the other side says. */
  readonly receive: CipherState;
}

/** What stands around the payload in each message, bytes: `e`; `e` and sealed `s`; sealed `s`; and tags. */
const FIELDS: Readonly<Record<Pattern, readonly number[]>> = {
  XX: [KEY_SIZE, 2 * (KEY_SIZE + TAG_SIZE), KEY_SIZE + 2 * TAG_SIZE],
  XXpsk3: [
    KEY_SIZE + TAG_SIZE, // the psk makes a key of `e`, so that even the first payload has a tag
    2 * (KEY_SIZE + TAG_SIZE),
    KEY_SIZE + 2 * TAG_SIZE,
  ],
};

/** Noise's SymmetricState (section 5.2): chaining key `ck`, handshake hash `h`, key `k` with its counter. */
class SymmetricState {
  #ck: Bytes;
  #h: Bytes;
  #k: Bytes | undefined;
  #n = 0;
  #cipher: CipherState | undefined; // over `k` and `n`, made when first needed, and then ahead of `n`

  private constructor(ck: Bytes, h: Bytes) {
    this.#ck = ck;
    this.#h = h;
  }

  static initialize(pattern: Pattern, prologue: Bytes): SymmetricState {
    const name = utf8.encode(`Noise_${pattern}_25519_AESGCM_SHA256`);
    let h: Bytes = new Uint8Array(32);
    if (name.length <= h.length) h.set(name);
    else h = sha256(name);
    const state = new SymmetricState(h, h);
    state.mixHash(prologue);
    return state;
  }

  get h(): Bytes {
    return this.#h;
  }

  /** A copy to work on, so that a message that fails leaves this one as it was. */
  clone(): SymmetricState {
    const copy = new SymmetricState(this.#ck, this.#h);
    copy.#k = this.#k;
    copy.#n = this.#cipher?.counter ?? this.#n;
    return copy;
  }

  mixHash(data: Uint8Array): void {
    this.#h = sha256(concat(this.#h, data));
  }

  mixKey(ikm: Bytes): void {
    const output = hkdf(ikm, this.#ck, EMPTY, 2 * KEY_SIZE);
    this.#ck = output.slice(0, KEY_SIZE);
    this.#rekey(output.slice(KEY_SIZE));
  }

  mixKeyAndHash(ikm: Bytes): void {
    const output = hkdf(ikm, this.#ck, EMPTY, 3 * KEY_SIZE);
    this.#ck = output.slice(0, KEY_SIZE);
    this.mixHash(output.subarray(KEY_SIZE, 2 * KEY_SIZE));
    this.#rekey(output.slice(2 * KEY_SIZE));
  }

  #rekey(k: Bytes): void {
    this.#k = k;
    this.#n = 0;
    this.#cipher = undefined;
  }

  // A key of the handshake seals at most two fields, under counters 0 and 1 of one cipher state; it is
  // derived from this side's fresh ephemeral before that, so no two handshakes share it.
  async encryptAndHash(plaintext: Uint8Array): Promise<Bytes> {
    let ciphertext = own(plaintext);
    if (this.#k) {
      this.#cipher ??= await CipherState.create(this.#k, this.#n);
      ciphertext = await encryptMessage(this.#cipher, plaintext, this.#h);
    }
    this.mixHash(ciphertext);
    return ciphertext;
  }

  async decryptAndHash(ciphertext: Uint8Array): Promise<Bytes> {
    let plaintext = own(ciphertext);
    if (this.#k) {
      this.#cipher ??= await CipherState.create(this.#k, this.#n);
      plaintext = await decryptMessage(this.#cipher, ciphertext, this.#h);
    }
    this.mixHash(ciphertext);
    return plaintext;
  }

  /** Whether fields are sealed by now, and so carry a tag. */
  get tagSize(): number {
    return this.#k ? TAG_SIZE : 0;
  }

  async split(role: Role): Promise<Transport> {
    const output = hkdf(EMPTY, this.#ck, EMPTY, 2 * KEY_SIZE);
    const [first, second] = await Promise.all([
      CipherState.create(output.subarray(0, KEY_SIZE)),
      CipherState.create(output.subarray(KEY_SIZE)),
    ]);
    return role === "initiator"
      ? { send: first, receive: second }
      : { send: second, receive: first };
  }
}

/** Reads a message's fields from its start; what is short fails as anything wrong with a message does. */
class Fields {
  #at = 0;
  constructor(private readonly message: Uint8Array) {}

  take(size: number): Uint8Array {
    if (this.#at + size > this.message.length) throw new DecryptionError();
    return this.message.subarray(this.#at, this.#at += size);
  }

  rest(): Uint8Array {
    return this.message.subarray(this.#at);
  }
}

/** What the two sides know while they shake hands: Noise's HandshakeState (section 5.3). */
interface Keys {
  s: KeyPair;
  e: KeyPair;
  rs?: Bytes;
  re?: Bytes;
}

/** Makes what stands before a message's payload. */
type FieldsWriter = (
  symmetric: SymmetricState,
  keys: Keys,
) => Bytes | Promise<Bytes>;

/**
 * One side of a Noise XX or XXpsk3 handshake. Its three messages are written and read in turn:
 *
 *     initiator   write e ─────────────▶ read e
 *                 read e, ee, s, es ◀─── write e, ee, s, es     responder
 *                 write s, se, psk ────▶ read s, se, psk
 *                 split                  split
 *
 * A message that doesn't authenticate is a `HandshakeError` and changes nothing.
 */
export class Handshake {
  readonly #role: Role;
  readonly #pattern: Pattern;
  readonly #options: HandshakeOptions;
  #psk: Bytes | undefined;
  #keys: Keys | undefined;
  #symmetric: SymmetricState | undefined;
  #turn = 0;
  #busy = false;
  #transport: Transport | undefined;

  /** Use `createHandshake`. */
  constructor(options: HandshakeOptions) {
    this.#role = options.role;
    this.#pattern = options.pattern ?? "XXpsk3";
    this.#options = { ...options, prologue: own(options.prologue ?? EMPTY) };
    if (options.role !== "initiator" && options.role !== "responder") {
      throw new TypeError(
        `Cannot take part in a handshake as "${options.role}"`,
      );
    }
    if (this.#pattern !== "XX" && this.#pattern !== "XXpsk3") {
      throw new TypeError(
        `Cannot use the handshake pattern "${options.pattern}"`,
      );
    }
    if (options.staticKey instanceof Uint8Array) {
      requireSize(options.staticKey, KEY_SIZE, "a static key");
    }
    if (options.ephemeralKey) {
      requireSize(options.ephemeralKey, KEY_SIZE, "an ephemeral key");
    }
    if (options.psk) this.setPsk(options.psk);
  }

  /**
   * Gives the pre-shared key that the third message mixes in.
   * @param psk 32 bytes.
   * @throws {RangeError} for another size.
   */
  setPsk(psk: Uint8Array): void {
    requireSize(psk, KEY_SIZE, "a pre-shared key");
    this.#psk = own(psk);
  }

  /** The hash of all that was said so far, 32 bytes; at the end, the same on both sides (section 11.2). */
  get handshakeHash(): Bytes {
    return this.#symmetric ? own(this.#symmetric.h) : EMPTY;
  }

  /** The other side's static public key, 32 bytes, once a message carried it. */
  get remoteStaticKey(): Bytes | undefined {
    return this.#keys?.rs;
  }

  /** Whether all three messages have passed. */
  get done(): boolean {
    return this.#transport !== undefined;
  }

  /**
   * The next message, with a payload inside.
   * @param payload As long as the message stays within 65,535 bytes.
   * @throws {HandshakeError} out of turn. @throws {RangeError} for a message that would be too long.
   */
  writeMessage(payload: Uint8Array = EMPTY): Promise<Bytes> {
    return this.#step("write", async (symmetric, keys) => {
      // Checked before anything is sealed: a second try would seal other text under the same nonce.
      const size = payload.length + (FIELDS[this.#pattern][this.#turn] ?? 0);
      if (size > MAX_MESSAGE_SIZE) throw tooLong(size);
      const writers: FieldsWriter[] = [
        this.#writeE,
        this.#writeEEeSEs,
        this.#writeSSePsk,
      ];
      const fields = await writers[this.#turn]?.call(this, symmetric, keys) ??
        EMPTY;
      return concat(fields, await symmetric.encryptAndHash(payload));
    });
  }

  /**
   * Reads the other side's message and returns its payload.
   * @throws {HandshakeError} out of turn, or for a message that doesn't authenticate.
   * @throws {RangeError} for a message over 65,535 bytes.
   */
  readMessage(message: Uint8Array): Promise<Bytes> {
    return this.#step("read", async (symmetric, keys) => {
      if (message.length > MAX_MESSAGE_SIZE) throw tooLong(message.length);
      const readers = [this.#readE, this.#readEEeSEs, this.#readSSePsk];
      const fields = new Fields(message);
      await readers[this.#turn]?.call(this, symmetric, keys, fields);
      return await symmetric.decryptAndHash(fields.rest());
    });
  }

  /**
   * The cipher states of the finished handshake.
   * @throws {HandshakeError} before its third message.
   */
  split(): Transport {
    if (!this.#transport) {
      throw new HandshakeError("Cannot split: the handshake is not finished");
    }
    return this.#transport;
  }

  /** Runs one message on copies and keeps them only when all of it went well. */
  async #step(
    action: "write" | "read",
    run: (symmetric: SymmetricState, keys: Keys) => Promise<Bytes>,
  ): Promise<Bytes> {
    const writer: Role = this.#turn % 2 === 0 ? "initiator" : "responder";
    const turn: "write" | "read" = writer === this.#role ? "write" : "read";
    if (this.done) {
      throw new HandshakeError(
        `Cannot ${action} a message: the handshake is finished`,
      );
    }
    if (this.#busy || turn !== action) {
      throw new HandshakeError(
        `Cannot ${action} a message: it is not the ${this.#role}'s turn to`,
      );
    }
    if (this.#turn === 2 && this.#pattern === "XXpsk3" && !this.#psk) {
      throw new HandshakeError(
        `Cannot ${action} the third message: no pre-shared key was given`,
      );
    }
    this.#busy = true;
    try {
      const { role } = this.#options;
      const symmetric = this.#symmetric?.clone() ??
        SymmetricState.initialize(
          this.#pattern,
          this.#options.prologue as Bytes,
        );
      const keys = { ...this.#keys ?? ownKeys(this.#options) };
      const result = await run(symmetric, keys);
      if (this.#turn === 2) this.#transport = await symmetric.split(role);
      this.#symmetric = symmetric;
      this.#keys = keys;
      this.#turn++;
      return result;
    } catch (cause) {
      if (cause instanceof DecryptionError) {
        throw new HandshakeError(
          "Cannot go on with the handshake: the message does not open",
          { cause },
        );
      }
      throw cause;
    } finally {
      this.#busy = false;
    }
  }

  // -> e
  #writeE(symmetric: SymmetricState, { e }: Keys): Bytes {
    this.#mixEphemeral(symmetric, e.publicKey);
    return e.publicKey;
  }

  #readE(symmetric: SymmetricState, keys: Keys, fields: Fields): void {
    keys.re = own(fields.take(KEY_SIZE));
    this.#mixEphemeral(symmetric, keys.re);
  }

  // <- e, ee, s, es
  async #writeEEeSEs(
    symmetric: SymmetricState,
    { s, e, re }: Keys,
  ): Promise<Bytes> {
    this.#mixEphemeral(symmetric, e.publicKey);
    symmetric.mixKey(agree(e, known(re)));
    const sealedS = await symmetric.encryptAndHash(s.publicKey);
    symmetric.mixKey(agree(s, known(re)));
    return concat(e.publicKey, sealedS);
  }

  async #readEEeSEs(
    symmetric: SymmetricState,
    keys: Keys,
    fields: Fields,
  ): Promise<void> {
    keys.re = own(fields.take(KEY_SIZE));
    this.#mixEphemeral(symmetric, keys.re);
    symmetric.mixKey(agree(keys.e, keys.re));
    keys.rs = await symmetric.decryptAndHash(
      fields.take(KEY_SIZE + symmetric.tagSize),
    );
    symmetric.mixKey(agree(keys.e, keys.rs));
  }

  // -> s, se (, psk)
  async #writeSSePsk(
    symmetric: SymmetricState,
    { s, re }: Keys,
  ): Promise<Bytes> {
    const sealedS = await symmetric.encryptAndHash(s.publicKey);
    symmetric.mixKey(agree(s, known(re)));
    this.#mixPsk(symmetric);
    return sealedS;
  }

  async #readSSePsk(
    symmetric: SymmetricState,
    keys: Keys,
    fields: Fields,
  ): Promise<void> {
    keys.rs = await symmetric.decryptAndHash(
      fields.take(KEY_SIZE + symmetric.tagSize),
    );
    symmetric.mixKey(agree(keys.e, keys.rs));
    this.#mixPsk(symmetric);
  }

  /** The token "e": where a psk takes part, the ephemeral is mixed into the key as well (section 9.2). */
  #mixEphemeral(symmetric: SymmetricState, publicKey: Bytes): void {
    symmetric.mixHash(publicKey);
    if (this.#pattern === "XXpsk3") symmetric.mixKey(publicKey);
  }

  /** The token "psk" (section 9.1). */
  #mixPsk(symmetric: SymmetricState): void {
    if (this.#pattern === "XXpsk3") {
      symmetric.mixKeyAndHash(known(this.#psk));
    }
  }
}

function tooLong(size: number): RangeError {
  return new RangeError(
    `Cannot use a message of ${size} bytes: the most is ${MAX_MESSAGE_SIZE}`,
  );
}

function known<T>(value: T | undefined): T {
  if (value === undefined) {
    throw new HandshakeError("Cannot go on: a key is missing");
  }
  return value;
}

function ownKeys({ staticKey, ephemeralKey }: HandshakeOptions): Keys {
  const imported = staticKey instanceof Uint8Array
    ? importKeyPair(staticKey)
    : staticKey;
  return {
    s: imported ?? generateKeyPair(),
    e: ephemeralKey ? importKeyPair(ephemeralKey) : generateKeyPair(),
  };
}

/**
 * One side of a `Noise_XX_25519_AESGCM_SHA256` or `Noise_XXpsk3_25519_AESGCM_SHA256` handshake.
 * @throws {RangeError} for a key that isn't 32 bytes. @throws {TypeError} for an unknown role or pattern.
 *
 * @example
 * ```ts
 * import { createHandshake, decryptMessage, encryptMessage, randomBytes } from "./crypto_utils.ts";
 * const psk = randomBytes(32);
 * const ana = createHandshake({ role: "initiator", psk });
 * const ben = createHandshake({ role: "responder", psk });
 * await ben.readMessage(await ana.writeMessage());
 * await ana.readMessage(await ben.writeMessage());
 * await ben.readMessage(await ana.writeMessage());
 * const sealed = await encryptMessage(ana.split().send, new Uint8Array([1, 2, 3]));
 * await decryptMessage(ben.split().receive, sealed);
 * ```
 */
export function createHandshake(options: HandshakeOptions): Handshake {
  return new Handshake(options);
}

// ── ML-KEM-768 (FIPS 203) ──────────────────────────────────────────────────────────────────────────────

/** One side's fresh ML-KEM key. */
export interface KemKey {
  /** What the other side encapsulates to: 1,184 bytes. */
  readonly encapsulationKey: Bytes;
  /** The secret inside a ciphertext of 1,088 bytes: 32 bytes. @throws {RangeError} for another size. */
  decapsulate(ciphertext: Uint8Array): Promise<Bytes>;
}

/** A secret and the ciphertext that carries it. */
export interface Encapsulation {
  /** 1,088 bytes. */
  readonly ciphertext: Bytes;
  /** 32 bytes. */
  readonly secret: Bytes;
}

/** An implementation of ML-KEM-768. */
export interface Kem {
  /** A key pair; from a 64-byte seed (d ‖ z), which only known-answer tests give, or fresh. */
  generate(seed?: Bytes): Promise<KemKey>;
  /** A fresh secret for the owner of a key. @throws {RangeError} for a key that isn't a proper one. */
  encapsulate(encapsulationKey: Uint8Array): Promise<Encapsulation>;
}

/** The part of Web Cryptography's ML-KEM that is used here, and that TypeScript's library doesn't list yet. */
interface SubtleKem {
  importKey(
    format: "raw-public" | "raw-seed",
    data: Bytes,
    algorithm: "ML-KEM-768",
    extractable: boolean,
    usages: ("encapsulateBits" | "decapsulateBits")[],
  ): Promise<CryptoKey>;
  generateKey(
    algorithm: "ML-KEM-768",
    extractable: boolean,
    usages: ("encapsulateBits" | "decapsulateBits")[],
  ): Promise<CryptoKeyPair>;
  getPublicKey(key: CryptoKey, usages: "encapsulateBits"[]): Promise<CryptoKey>;
  exportKey(format: "raw-public", key: CryptoKey): Promise<ArrayBuffer>;
  encapsulateBits(
    algorithm: "ML-KEM-768",
    key: CryptoKey,
  ): Promise<{ ciphertext: ArrayBuffer; sharedKey: ArrayBuffer }>;
  decapsulateBits(
    algorithm: "ML-KEM-768",
    key: CryptoKey,
    ciphertext: Bytes,
  ): Promise<ArrayBuffer>;
}

const subtleKem = subtle as unknown as SubtleKem;

/** ML-KEM by `crypto.subtle`: from Deno 2.8 on. */
export const nativeKem: Kem = {
  async generate(seed) {
    const name = "ML-KEM-768";
    let privateKey: CryptoKey;
    let publicKey: CryptoKey;
    if (seed) {
      privateKey = await subtleKem.importKey("raw-seed", seed, name, false, [
        "decapsulateBits",
      ]);
      publicKey = await subtleKem.getPublicKey(privateKey, ["encapsulateBits"]);
    } else {
      ({ privateKey, publicKey } = await subtleKem.generateKey(name, false, [
        "encapsulateBits",
        "decapsulateBits",
      ]));
    }
    return {
      encapsulationKey: new Uint8Array(
        await subtleKem.exportKey("raw-public", publicKey),
      ),
      async decapsulate(ciphertext) {
        requireSize(ciphertext, KEM_CIPHERTEXT_SIZE, "an ML-KEM ciphertext");
        return new Uint8Array(
          await subtleKem.decapsulateBits(name, privateKey, own(ciphertext)),
        );
      },
    };
  },
  async encapsulate(encapsulationKey) {
    requireSize(encapsulationKey, KEM_KEY_SIZE, "an ML-KEM key");
    try {
      const name = "ML-KEM-768";
      const key = await subtleKem.importKey(
        "raw-public",
        own(encapsulationKey),
        name,
        false,
        [
          "encapsulateBits",
        ],
      );
      const { ciphertext, sharedKey } = await subtleKem.encapsulateBits(
        name,
        key,
      );
      return {
        ciphertext: new Uint8Array(ciphertext),
        secret: new Uint8Array(sharedKey),
      };
    } catch (cause) {
      throw new RangeError("Cannot use an ML-KEM key: it is not a proper one", {
        cause,
      });
    }
  },
};

// Loaded when first needed, so that a runtime that has ML-KEM never pays for it.
const library = () => import("@noble/post-quantum/ml-kem.js");

/** ML-KEM by the library `@noble/post-quantum`: on every runtime. */
export const libraryKem: Kem = {
  async generate(seed) {
    const { ml_kem768 } = await library();
    const { publicKey, secretKey } = ml_kem768.keygen(seed);
    return {
      encapsulationKey: own(publicKey),
      // deno-lint-ignore require-await -- the interface is asynchronous for the native one's sake
      async decapsulate(ciphertext) {
        requireSize(ciphertext, KEM_CIPHERTEXT_SIZE, "an ML-KEM ciphertext");
        return own(ml_kem768.decapsulate(ciphertext, secretKey));
      },
    };
  },
  async encapsulate(encapsulationKey) {
    requireSize(encapsulationKey, KEM_KEY_SIZE, "an ML-KEM key");
    const { ml_kem768 } = await library();
    try {
      const { cipherText, sharedSecret } = ml_kem768.encapsulate(
        encapsulationKey,
      );
      return { ciphertext: own(cipherText), secret: own(sharedSecret) };
    } catch (cause) {
      throw new RangeError("Cannot use an ML-KEM key: it is not a proper one", {
        cause,
      });
    }
  },
};

/** The native implementation where the runtime has one, else the library's; the bytes are the same. */
export const kem: Kem = "encapsulateBits" in subtle ? nativeKem : libraryKem;

/**
 * The psk of the hybrid handshake: safe as long as the invite's key, or ML-KEM, or X25519 is.
 * @param inviteKey 32 bytes: an invite's key, or a passphrase's.
 * @param kemSecret 32 bytes.
 * @returns 32 bytes.
 */
export function hybridPsk(inviteKey: Bytes, kemSecret: Bytes): Bytes {
  return hkdf(kemSecret, inviteKey, PROTOCOL_BYTES, KEY_SIZE);
}

// ── Passphrases and fingerprints ───────────────────────────────────────────────────────────────────────

/**
 * The key that a passphrase stands for: PBKDF2-HMAC-SHA-256, 600,000 rounds, over the passphrase in NFC.
 * @param salt 16 bytes, the server's.
 * @returns 32 bytes, to be used as an invite's key.
 */
export function passphraseKey(
  passphrase: string,
  salt: Uint8Array,
): Promise<Bytes> {
  requireSize(salt, SALT_SIZE, "a salt");
  return pbkdf2(
    utf8.encode(passphrase.normalize("NFC")),
    own(salt),
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

/**
 * A short name for a static public key, as the log shows it: the first 12 hexadecimal digits of its SHA-256.
 * @example
 * ```ts
 * import { fingerprint } from "./crypto_utils.ts";
 * if (fingerprint(new Uint8Array(32)) !== "66687aadf862") throw new Error("not the same");
 * ```
 */
export function fingerprint(publicKey: Uint8Array): string {
  return sha256(publicKey).subarray(0, FINGERPRINT_SIZE).toHex();
}

/** A fingerprint to compare by reading it aloud: eight groups of four digits, 128 bits of the SHA-256. */
export function spokenFingerprint(publicKey: Uint8Array): string {
  const digits = sha256(publicKey).subarray(0, 16).toHex();
  return digits.match(/.{4}/g)?.join(" ") ?? "";
}

// ── Epochs ─────────────────────────────────────────────────────────────────────────────────────────────
//
//     fresh ──seal, seal, …── ratchet (somebody joined) ──seal, …── ratchet ── … ── fresh (somebody left)
//
// A ratchet replaces the AES key by one that HKDF makes of it: whoever has the old one can follow, and the
// new one doesn't lead back. The signing key stays until the next fresh epoch: it lets nobody read.

/** What a member needs to follow an epoch; goes to it inside its own channel. */
export interface EpochSecret {
  /** Which epoch; grows by one at each ratchet and each fresh start. */
  readonly number: number;
  /** The counter of the next broadcast. */
  readonly counter: number;
  /** The AES key, 32 bytes. */
  readonly key: Bytes;
  /** The server's Ed25519 public key for this epoch, 32 bytes. */
  readonly verifyKey: Bytes;
}

const RATCHET_INFO = utf8.encode(`${PROTOCOL_NAME} ratchet`);

function ratchetKey(key: Bytes): Bytes {
  return hkdf(key, EMPTY, RATCHET_INFO, KEY_SIZE);
}

/** What a broadcast's signature covers. */
function signedBytes(
  serverKey: Bytes,
  epoch: number,
  counter: number,
  ciphertext: Uint8Array,
): Bytes {
  return concat(
    PROTOCOL_BYTES,
    serverKey,
    uint64(epoch),
    uint64(counter),
    ciphertext,
  );
}

/** The server's side of an epoch: seals and signs each broadcast once, for everybody. */
export class Epoch {
  readonly #serverKey: Bytes;
  readonly #key: Bytes;
  readonly #cipher: CipherState;
  readonly #signing: CryptoKeyPair;
  readonly #verifyKey: Bytes;
  /** Which epoch this is. */
  readonly number: number;

  private constructor(
    serverKey: Bytes,
    number: number,
    key: Bytes,
    cipher: CipherState,
    signing: CryptoKeyPair,
    verifyKey: Bytes,
  ) {
    this.#serverKey = serverKey;
    this.number = number;
    this.#key = key;
    this.#cipher = cipher;
    this.#signing = signing;
    this.#verifyKey = verifyKey;
  }

  /**
   * An epoch with a random key and a signing key of its own.
   * @param serverKey The server's static public key, 32 bytes.
   */
  static async fresh(serverKey: Bytes, number: number): Promise<Epoch> {
    const key = randomBytes(KEY_SIZE);
    const signing = await subtle.generateKey("Ed25519", false, [
      "sign",
      "verify",
    ]) as CryptoKeyPair;
    const verifyKey = new Uint8Array(
      await subtle.exportKey("raw", signing.publicKey),
    );
    return new Epoch(
      serverKey,
      number,
      key,
      await CipherState.create(key),
      signing,
      verifyKey,
    );
  }

  /** The epoch after this one, for when somebody joined. This one must not be used any more. */
  async ratchet(): Promise<Epoch> {
    const key = ratchetKey(this.#key);
    this.#key.fill(0);
    const cipher = await CipherState.create(key);
    return new Epoch(
      this.#serverKey,
      this.number + 1,
      key,
      cipher,
      this.#signing,
      this.#verifyKey,
    );
  }

  /** What a member needs to read from the next broadcast on. */
  describe(): EpochSecret {
    const { number } = this;
    return {
      number,
      counter: this.#cipher.counter,
      key: own(this.#key),
      verifyKey: this.#verifyKey,
    };
  }

  /** Broadcasts sealed so far. */
  get counter(): number {
    return this.#cipher.counter;
  }

  /** Seals and signs a broadcast: ciphertext ‖ tag ‖ signature, 80 bytes more than the message. */
  async seal(message: Uint8Array, associatedData: Uint8Array): Promise<Bytes> {
    const counter = this.#cipher.counter;
    const ciphertext = await encryptMessage(
      this.#cipher,
      message,
      associatedData,
    );
    const signed = signedBytes(
      this.#serverKey,
      this.number,
      counter,
      ciphertext,
    );
    const signature = await subtle.sign(
      "Ed25519",
      this.#signing.privateKey,
      signed,
    );
    return concat(ciphertext, new Uint8Array(signature));
  }
}

/**
 * The y-coordinates, little-endian, of Ed25519's points of small order, with the encodings that aren't
 * canonical; the highest bit, the sign of x, is left out. A signature under such a key proves nothing.
 */
const SMALL_ORDER_KEYS = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

function isSmallOrder(verifyKey: Uint8Array): boolean {
  const y = own(verifyKey);
  y[31] = (y[31] ?? 0) & 0x7f;
  return SMALL_ORDER_KEYS.includes(y.toHex());
}

/** A member's side of an epoch: checks and opens each broadcast, in order. */
export class EpochReader {
  readonly #serverKey: Bytes;
  readonly #number: number;
  readonly #key: Bytes;
  readonly #cipher: CipherState;
  readonly #verifyKey: CryptoKey;

  private constructor(
    serverKey: Bytes,
    number: number,
    key: Bytes,
    cipher: CipherState,
    verifyKey: CryptoKey,
  ) {
    this.#serverKey = serverKey;
    this.#number = number;
    this.#key = key;
    this.#cipher = cipher;
    this.#verifyKey = verifyKey;
  }

  /**
   * Follows an epoch from what the server said of it.
   * @param serverKey The server's static public key as the handshake proved it, 32 bytes.
   * @throws {RangeError} for keys of another size, or a verify key of small order.
   */
  static async create(
    serverKey: Bytes,
    secret: EpochSecret,
  ): Promise<EpochReader> {
    requireSize(secret.verifyKey, KEY_SIZE, "an Ed25519 public key");
    if (isSmallOrder(secret.verifyKey)) {
      throw new RangeError(
        "Cannot use an Ed25519 public key: it is of small order",
      );
    }
    const [cipher, verifyKey] = await Promise.all([
      CipherState.create(secret.key, secret.counter),
      subtle.importKey("raw", secret.verifyKey, "Ed25519", false, ["verify"]),
    ]);
    return new EpochReader(
      serverKey,
      secret.number,
      own(secret.key),
      cipher,
      verifyKey,
    );
  }

  /** The epoch after this one, for when the server says so. This one must not be used any more. */
  async ratchet(): Promise<EpochReader> {
    const key = ratchetKey(this.#key);
    this.#key.fill(0);
    const cipher = await CipherState.create(key);
    return new EpochReader(
      this.#serverKey,
      this.#number + 1,
      key,
      cipher,
      this.#verifyKey,
    );
  }

  /**
   * Opens a broadcast (ciphertext ‖ tag ‖ signature), if it is exactly the next one and the server's own.
   * @throws {DecryptionError} for anything else.
   */
  async open(sealed: Uint8Array, associatedData: Uint8Array): Promise<Bytes> {
    if (sealed.length < TAG_SIZE + SIGNATURE_SIZE) throw new DecryptionError();
    const ciphertext = sealed.subarray(0, -SIGNATURE_SIZE);
    const signature = own(sealed.subarray(-SIGNATURE_SIZE));
    const signed = signedBytes(
      this.#serverKey,
      this.#number,
      this.#cipher.counter,
      ciphertext,
    );
    const [opened, genuine] = await Promise.allSettled([
      decryptMessage(this.#cipher, ciphertext, associatedData),
      subtle.verify("Ed25519", this.#verifyKey, signature, signed),
    ]);
    if (
      opened.status === "rejected" || genuine.status === "rejected" ||
      !genuine.value
    ) {
      throw new DecryptionError();
    }
    return opened.value;
  }
}
