/**
 * X-Wing (draft-connolly-cfrg-xwing-kem): a key encapsulation of ML-KEM-768 and X25519, whose secret is safe as long
 * as one of the two is.
 *
 *     public key:  ML-KEM key, 1,184 ‖ X25519 key, 32
 *     ciphertext:  ML-KEM ciphertext, 1,088 ‖ ephemeral X25519 key, 32
 *
 * The names are the draft's: M stands for the part that ML-KEM makes, X for X25519's.
 *
 * @module
 */

import { sha3_256, shake256 } from "@noble/hashes/sha3.js";
import {
  type Bytes,
  concat,
  copyOf,
  KEY_SIZE,
  requireSize,
} from "../../crypto_utils.ts";
import {
  type Kem,
  kem as runtimeKem,
  KEM_CIPHERTEXT_SIZE,
  KEM_KEY_SIZE,
} from "./kem.ts";
import { agree, generateKeyPair, importKeyPair, isLowOrder } from "./x25519.ts";

/** The seed that a key is made of, bytes (section 5.1). */
export const XWING_SEED_SIZE = 32;
/** A public key, bytes (section 5.1). */
export const XWING_KEY_SIZE: number = KEM_KEY_SIZE + KEY_SIZE;
/** A ciphertext, bytes (section 5.1). */
export const XWING_CIPHERTEXT_SIZE: number = KEM_CIPHERTEXT_SIZE + KEY_SIZE;

/** ML-KEM's seed d ‖ z, bytes (FIPS 203 section 7.1). */
const KEM_SEED_SIZE = 64;
/** XWingLabel: `\./` above `/^\` (section 5.3). */
const LABEL = Uint8Array.fromHex("5c2e2f2f5e5c");

/** A key, whose owner opens what others encapsulate to it. */
export interface XwingKey {
  /** pkM ‖ pkX: 1,216 bytes. */
  readonly publicKey: Bytes;
  /**
   * The secret inside a ciphertext of 1,120 bytes: 32 bytes (section 5.5). An altered ciphertext gives another
   * secret.
   * @throws {RangeError} for another size.
   * @throws {HandshakeError} for an X25519 key of low order. X-Wing itself doesn't forbid one, but nobody who keeps to
   * it sends one.
   */
  decapsulate(ciphertext: Uint8Array): Promise<Bytes>;
}

/** A secret and the ciphertext that carries it. */
export interface XwingEncapsulation {
  /** ctM ‖ ctX: 1,120 bytes. */
  readonly ciphertext: Bytes;
  /** 32 bytes. */
  readonly secret: Bytes;
}

/**
 * The key of a seed (sections 5.2 and 5.5).
 * @param seed 32 random bytes, which are all there is to keep of the key.
 * @param kem The ML-KEM-768 to use; the bytes are the same with each.
 * @throws {RangeError} for a seed of another size.
 *
 * @example
 * ```ts
 * import { randomBytes } from "../../crypto_utils.ts";
 * import { xwingEncapsulate, xwingKey } from "./xwing.ts";
 * const key = await xwingKey(randomBytes(32));
 * const { ciphertext, secret } = await xwingEncapsulate(key.publicKey);
 * const opened = await key.decapsulate(ciphertext);
 * if (opened.toHex() !== secret.toHex()) throw new Error("not the same");
 * ```
 */
export async function xwingKey(
  seed: Uint8Array,
  kem: Kem = runtimeKem,
): Promise<XwingKey> {
  requireSize(seed, XWING_SEED_SIZE, "an X-Wing seed");
  const { keyM, keyX } = await expand(seed, kem);
  return {
    publicKey: concat(keyM.encapsulationKey, keyX.publicKey),
    async decapsulate(ciphertext) {
      requireSize(ciphertext, XWING_CIPHERTEXT_SIZE, "an X-Wing ciphertext");
      const ctM = ciphertext.slice(0, KEM_CIPHERTEXT_SIZE);
      const ctX = ciphertext.slice(KEM_CIPHERTEXT_SIZE);
      const ssM = await keyM.decapsulate(ctM);
      const ssX = await agree(keyX, ctX);
      return combine(ssM, ssX, ctX, keyX.publicKey);
    },
  };
}

/**
 * A fresh secret for the owner of a key (section 5.4).
 * @param publicKey 1,216 bytes.
 * @param kem The ML-KEM-768 to use.
 * @throws {RangeError} for a key of another size, or whose ML-KEM part isn't a proper one.
 * @throws {HandshakeError} for a key whose X25519 part is of low order. X-Wing itself doesn't forbid one, but nobody
 * who keeps to it has one.
 */
export async function xwingEncapsulate(
  publicKey: Uint8Array,
  kem: Kem = runtimeKem,
): Promise<XwingEncapsulation> {
  requireSize(publicKey, XWING_KEY_SIZE, "an X-Wing key");
  const pkM = publicKey.slice(0, KEM_KEY_SIZE);
  const pkX = publicKey.slice(KEM_KEY_SIZE);
  const ephemeral = await generateKeyPair();
  const ctX = ephemeral.publicKey;
  const ssX = await agree(ephemeral, pkX);
  const { ciphertext: ctM, secret: ssM } = await kem.encapsulate(pkM);
  return {
    ciphertext: concat(ctM, ctX),
    secret: combine(ssM, ssX, ctX, pkX),
  };
}

/** What ML-KEM counts modulo: every 12 bits of a key are less (FIPS 203 section 7.2). */
const KEM_MODULUS = 3_329;
/** The bytes of an ML-KEM key that hold numbers of 12 bits; 32 of a seed follow. */
const KEM_NUMBERS_SIZE = KEM_KEY_SIZE - 32;

/** Whether a key is one that `xwingEncapsulate` takes. Without the cost of it, and alike on every runtime. */
export function isXwingKey(publicKey: Uint8Array): boolean {
  if (publicKey.length !== XWING_KEY_SIZE) return false;
  for (let at = 0; at < KEM_NUMBERS_SIZE; at += 3) {
    const [a = 0, b = 0, c = 0] = publicKey.subarray(at, at + 3);
    const isRight = (a | (b & 0x0f) << 8) < KEM_MODULUS &&
      (b >> 4 | c << 4) < KEM_MODULUS;
    if (!isRight) return false;
  }
  return !isLowOrder(publicKey.subarray(KEM_KEY_SIZE));
}

/** expandDecapsulationKey(): both keys of a seed (section 5.2). */
async function expand(seed: Uint8Array, kem: Kem) {
  const expanded = copyOf(shake256(seed, { dkLen: KEM_SEED_SIZE + KEY_SIZE }));
  try {
    return {
      keyM: await kem.generate(expanded.subarray(0, KEM_SEED_SIZE)),
      keyX: await importKeyPair(expanded.subarray(KEM_SEED_SIZE)),
    };
  } finally {
    expanded.fill(0);
  }
}

/** Combiner(): the secret of both secrets, bound to X25519's keys; ML-KEM binds its own (section 5.3). */
function combine(ssM: Bytes, ssX: Bytes, ctX: Bytes, pkX: Bytes): Bytes {
  return copyOf(sha3_256(concat(ssM, ssX, ctX, pkX, LABEL)));
}
