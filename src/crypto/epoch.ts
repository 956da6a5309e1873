/**
 * Epochs: the key under which the server seals what it tells everybody, once for all of them, and the key that it
 * signs it with.
 *
 *     fresh ──seal, seal, …── ratchet (somebody joined) ──seal, …── ratchet ── … ── fresh (somebody left)
 *
 * A ratchet replaces the AES key by one that HKDF makes of it: who has the old one can follow, and the
 * new one doesn't lead back. The signing key stays until the next fresh epoch: it lets nobody read.
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
  encryptMessage,
  KEY_SIZE,
  PROTOCOL_BYTES,
  PROTOCOL_NAME,
  randomBytes,
  SIGNATURE_SIZE,
  uint64,
} from "../../crypto_utils.ts";
import {
  generateSigningKeyPair,
  importVerifyKey,
  sign,
  type SigningKeyPair,
  verify,
} from "./ed25519.ts";

const utf8 = new TextEncoder();

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
  readonly #signing: SigningKeyPair;
  /** Which epoch this is. */
  readonly number: number;

  private constructor(
    serverKey: Bytes,
    number: number,
    key: Bytes,
    cipher: CipherState,
    signing: SigningKeyPair,
  ) {
    this.#serverKey = serverKey;
    this.number = number;
    this.#key = key;
    this.#cipher = cipher;
    this.#signing = signing;
  }

  /**
   * An epoch with a random key and a signing key of its own.
   * @param serverKey The server's static public key, 32 bytes.
   */
  static async fresh(serverKey: Bytes, number: number): Promise<Epoch> {
    const key = randomBytes(KEY_SIZE);
    const signing = await generateSigningKeyPair();
    const cipher = await CipherState.create(key);
    return new Epoch(serverKey, number, key, cipher, signing);
  }

  /** The epoch after this one, for when somebody joined. This one must not be used any more. */
  async ratchet(): Promise<Epoch> {
    const key = this.#cipher.ratchet(RATCHET_INFO);
    this.#key.fill(0);
    const cipher = await CipherState.create(key);
    return new Epoch(
      this.#serverKey,
      this.number + 1,
      key,
      cipher,
      this.#signing,
    );
  }

  /** What a member needs to read from the next broadcast on. */
  describe(): EpochSecret {
    const { number } = this;
    return {
      number,
      counter: this.#cipher.counter,
      key: copyOf(this.#key),
      verifyKey: this.#signing.verifyKey,
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
    return concat(ciphertext, await sign(this.#signing, signed));
  }
}

/** A member's side of an epoch: checks and opens each broadcast, in order. */
export class EpochReader {
  readonly #serverKey: Bytes;
  readonly #number: number;
  readonly #cipher: CipherState;
  readonly #verifyKey: CryptoKey;

  private constructor(
    serverKey: Bytes,
    number: number,
    cipher: CipherState,
    verifyKey: CryptoKey,
  ) {
    this.#serverKey = serverKey;
    this.#number = number;
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
    const verifyKey = await importVerifyKey(secret.verifyKey);
    const cipher = await CipherState.create(secret.key, secret.counter);
    return new EpochReader(serverKey, secret.number, cipher, verifyKey);
  }

  /** The epoch after this one, for when the server says so. This one must not be used any more. */
  async ratchet(): Promise<EpochReader> {
    const key = this.#cipher.ratchet(RATCHET_INFO);
    const cipher = await CipherState.create(key);
    key.fill(0);
    return new EpochReader(
      this.#serverKey,
      this.#number + 1,
      cipher,
      this.#verifyKey,
    );
  }

  /**
   * Opens a broadcast (ciphertext ‖ tag ‖ signature), if it is exactly the next one and the server's own.
   * @throws {DecryptionError} for anything else.
   */
  async open(sealed: Uint8Array, associatedData: Uint8Array): Promise<Bytes> {
    const ciphertext = sealed.subarray(0, -SIGNATURE_SIZE);
    const signature = copyOf(sealed.subarray(-SIGNATURE_SIZE));
    const signed = signedBytes(
      this.#serverKey,
      this.#number,
      this.#cipher.counter,
      ciphertext,
    );
    const [opened, genuine] = await Promise.allSettled([
      decryptMessage(this.#cipher, ciphertext, associatedData),
      verify(this.#verifyKey, signature, signed),
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
