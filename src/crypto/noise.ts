/**
 * The Noise protocol framework (revision 34), as far as it is spoken here: XX and XXpsk3 with X25519, AES-256-GCM
 * and SHA-256. The letters `ck`, `h`, `k`, `n`, `e`, `s`, `re` and `rs` are the specification's.
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
  EMPTY,
  encryptMessage,
  HandshakeError,
  hkdf,
  KEY_SIZE,
  MAX_MESSAGE_SIZE,
  requireSize,
  sha256,
  TAG_SIZE,
} from "../../crypto_utils.ts";
import {
  agree,
  generateKeyPair,
  importKeyPair,
  type KeyPair,
} from "./x25519.ts";

const utf8 = new TextEncoder();

/** The handshakes that are spoken here. */
export type Pattern = "XX" | "XXpsk3";
/** Who sends the first message. */
export type Role = "initiator" | "responder";

/** Options of `createHandshake`. */
export interface HandshakeOptions {
  /** The initiator writes first. */
  readonly role: Role;
  /** Default: "XXpsk3". */
  readonly pattern?: Pattern;
  /** What both sides must agree on beforehand. Default: empty. */
  readonly prologue?: Uint8Array;
  /** A raw private key of 32 bytes, or a pair imported before. Default: a fresh one. */
  readonly staticKey?: Uint8Array | KeyPair;
  /** 32 bytes; may also be given by `setPsk` at any time before the third message. */
  readonly psk?: Uint8Array;
  /** A fresh pair where it must be known beforehand. For known-answer tests only: a raw private key of 32 bytes. */
  readonly ephemeralKey?: Uint8Array | KeyPair | undefined;
}

/** What a finished handshake leaves. The keys lie in one buffer, to be wiped by who makes cipher states of them. */
export interface Secured {
  /** Seals what this side says, 32 bytes. */
  readonly send: Bytes;
  /** Opens what the other side says, 32 bytes. */
  readonly receive: Bytes;
  /** The other side's static key, as the handshake proved it, 32 bytes. */
  readonly remoteKey: Bytes;
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
    const h = new Uint8Array(32);
    h.set(name); // one that didn't fit would be hashed
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
    let ciphertext = copyOf(plaintext);
    if (this.#k) {
      this.#cipher ??= await CipherState.create(this.#k, this.#n);
      ciphertext = await encryptMessage(this.#cipher, plaintext, this.#h);
    }
    this.mixHash(ciphertext);
    return ciphertext;
  }

  async decryptAndHash(ciphertext: Uint8Array): Promise<Bytes> {
    let plaintext = copyOf(ciphertext);
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

  split(role: Role): Pick<Secured, "send" | "receive"> {
    const output = hkdf(EMPTY, this.#ck, EMPTY, 2 * KEY_SIZE);
    const first = output.subarray(0, KEY_SIZE);
    const second = output.subarray(KEY_SIZE);
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
  /** Known from the message on that carries it, as `re` is: no token before that mixes it. */
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
  #secured: Secured | undefined;

  /** Use `createHandshake`. */
  constructor(options: HandshakeOptions) {
    this.#role = options.role;
    this.#pattern = options.pattern ?? "XXpsk3";
    this.#options = { ...options, prologue: copyOf(options.prologue ?? EMPTY) };
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
    if (options.ephemeralKey instanceof Uint8Array) {
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
    this.#psk = copyOf(psk);
  }

  /** The hash of all that was said so far, 32 bytes; at the end, the same on both sides (section 11.2). */
  get handshakeHash(): Bytes {
    return this.#symmetric ? copyOf(this.#symmetric.h) : EMPTY;
  }

  /** The other side's static public key, 32 bytes, once a message carried it. */
  get remoteStaticKey(): Bytes | undefined {
    return this.#keys?.rs;
  }

  /** Whether all three messages have passed. */
  get done(): boolean {
    return this.#secured !== undefined;
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
   * What the finished handshake leaves, the same bytes each time.
   * @throws {HandshakeError} before its third message.
   */
  split(): Secured {
    if (!this.#secured) {
      throw new HandshakeError("Cannot split: the handshake is not finished");
    }
    return this.#secured;
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
      const keys = { ...this.#keys ?? await ownKeys(this.#options) };
      const result = await run(symmetric, keys);
      if (this.#turn === 2) {
        this.#secured = {
          ...symmetric.split(role),
          remoteKey: keys.rs as Bytes,
        };
      }
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
    keys.re = copyOf(fields.take(KEY_SIZE));
    this.#mixEphemeral(symmetric, keys.re);
  }

  // <- e, ee, s, es
  async #writeEEeSEs(
    symmetric: SymmetricState,
    { s, e, re }: Keys,
  ): Promise<Bytes> {
    this.#mixEphemeral(symmetric, e.publicKey);
    symmetric.mixKey(await agree(e, re as Bytes));
    const sealedS = await symmetric.encryptAndHash(s.publicKey);
    symmetric.mixKey(await agree(s, re as Bytes));
    return concat(e.publicKey, sealedS);
  }

  async #readEEeSEs(
    symmetric: SymmetricState,
    keys: Keys,
    fields: Fields,
  ): Promise<void> {
    keys.re = copyOf(fields.take(KEY_SIZE));
    this.#mixEphemeral(symmetric, keys.re);
    symmetric.mixKey(await agree(keys.e, keys.re));
    keys.rs = await symmetric.decryptAndHash(
      fields.take(KEY_SIZE + symmetric.tagSize),
    );
    symmetric.mixKey(await agree(keys.e, keys.rs));
  }

  // -> s, se (, psk)
  async #writeSSePsk(
    symmetric: SymmetricState,
    { s, re }: Keys,
  ): Promise<Bytes> {
    const sealedS = await symmetric.encryptAndHash(s.publicKey);
    symmetric.mixKey(await agree(s, re as Bytes));
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
    symmetric.mixKey(await agree(keys.e, keys.rs));
    this.#mixPsk(symmetric);
  }

  /** The token "e": if a psk takes part, the ephemeral is mixed into the key as well (section 9.2). */
  #mixEphemeral(symmetric: SymmetricState, publicKey: Bytes): void {
    symmetric.mixHash(publicKey);
    if (this.#pattern === "XXpsk3") symmetric.mixKey(publicKey);
  }

  /** The token "psk" (section 9.1). */
  #mixPsk(symmetric: SymmetricState): void {
    if (this.#pattern === "XXpsk3") {
      symmetric.mixKeyAndHash(this.#psk as Bytes); // `#step` has looked
    }
  }
}

function tooLong(size: number): RangeError {
  return new RangeError(
    `Cannot use a message of ${size} bytes: the most is ${MAX_MESSAGE_SIZE}`,
  );
}

async function ownKeys(
  { staticKey, ephemeralKey }: HandshakeOptions,
): Promise<Keys> {
  const given = staticKey instanceof Uint8Array
    ? importKeyPair(staticKey)
    : staticKey;
  const [s, e] = await Promise.all([
    given ?? generateKeyPair(),
    ephemeralKey instanceof Uint8Array
      ? importKeyPair(ephemeralKey)
      : ephemeralKey ?? generateKeyPair(),
  ]);
  return { s, e };
}

/**
 * One side of a `Noise_XX_25519_AESGCM_SHA256` or `Noise_XXpsk3_25519_AESGCM_SHA256` handshake.
 * @throws {RangeError} for a key that isn't 32 bytes. @throws {TypeError} for an unknown role or pattern.
 *
 * @example
 * ```ts
 * import { CipherState, decryptMessage, encryptMessage, randomBytes } from "../../crypto_utils.ts";
 * import { createHandshake } from "./noise.ts";
 * const psk = randomBytes(32);
 * const ana = createHandshake({ role: "initiator", psk });
 * const ben = createHandshake({ role: "responder", psk });
 * await ben.readMessage(await ana.writeMessage());
 * await ana.readMessage(await ben.writeMessage());
 * await ben.readMessage(await ana.writeMessage());
 * const sealing = await CipherState.create(ana.split().send);
 * const opening = await CipherState.create(ben.split().receive);
 * await decryptMessage(opening, await encryptMessage(sealing, new Uint8Array([1, 2, 3])));
 * ```
 */
export function createHandshake(options: HandshakeOptions): Handshake {
  return new Handshake(options);
}
