/**
 * X25519 (RFC 7748) by `crypto.subtle`.
 *
 * @module
 */

import {
  type Bytes,
  concat,
  copyOf,
  HandshakeError,
  KEY_SIZE,
  requireSize,
} from "../../crypto_utils.ts";

/** What stands before a raw private key in PKCS#8 (RFC 8410 section 7). */
export const PKCS8_X25519: Bytes = Uint8Array.fromHex(
  "302e020100300506032b656e04220420",
);

/** The point of which a public key is a multiple (RFC 7748 section 4.1). */
const BASE_POINT = new Uint8Array(KEY_SIZE);
BASE_POINT[0] = 9;

const { subtle } = crypto;

/** An X25519 key pair: the public half as 32 raw bytes, the private half where only the runtime reaches. */
export interface KeyPair {
  /** 32 bytes. */
  readonly publicKey: Bytes;
  /** X25519(private half, point), 32 bytes. For `agree`: for a point of low order it may be zeros, or an error. */
  readonly multiply: (point: Bytes) => Bytes | Promise<Bytes>;
}

function multiplier(privateKey: CryptoKey): KeyPair["multiply"] {
  return async (point) => {
    const theirs = await subtle.importKey("raw", point, "X25519", false, []);
    const algorithm = { name: "X25519", public: theirs };
    return new Uint8Array(
      await subtle.deriveBits(algorithm, privateKey, 8 * KEY_SIZE),
    );
  };
}

/**
 * The key pair of a raw private key.
 * @param privateKey 32 bytes.
 * @throws {RangeError} for another size.
 */
export async function importKeyPair(privateKey: Uint8Array): Promise<KeyPair> {
  requireSize(privateKey, KEY_SIZE, "an X25519 private key");
  const pkcs8 = concat(PKCS8_X25519, privateKey);
  try {
    const usages: KeyUsage[] = ["deriveBits"];
    const key = await subtle.importKey("pkcs8", pkcs8, "X25519", false, usages);
    const multiply = multiplier(key);
    return { publicKey: await multiply(BASE_POINT), multiply };
  } finally {
    pkcs8.fill(0);
  }
}

/** A fresh key pair. */
export async function generateKeyPair(): Promise<KeyPair> {
  const { publicKey, privateKey } = await subtle.generateKey("X25519", false, [
    "deriveBits",
  ]) as CryptoKeyPair;
  const raw = await subtle.exportKey("raw", publicKey);
  return { publicKey: new Uint8Array(raw), multiply: multiplier(privateKey) };
}

/**
 * The X25519 shared secret, 32 bytes.
 * @throws {HandshakeError} for a low-order public key, whose secret would be zero (RFC 7748 section 6.1).
 */
export async function agree(
  { multiply }: KeyPair,
  publicKey: Uint8Array,
): Promise<Bytes> {
  requireSize(publicKey, KEY_SIZE, "an X25519 public key");
  let product: Bytes | undefined;
  try {
    product = await multiply(copyOf(publicKey));
  } catch {
    // Some runtimes don't take such a point, some throw for a product of zeros, others give it.
  }
  if (product && product.reduce((any, byte) => any | byte) !== 0) {
    return product;
  }
  throw new HandshakeError(
    "Cannot agree on a secret: the public key is of low order",
  );
}

/**
 * The u-coordinates, little-endian, of the points whose multiples may be zero, with the encodings that aren't canonical;
 * the highest bit, which X25519 doesn't look at, is left out.
 */
const LOW_ORDER_KEYS = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

/** Whether a public key, 32 bytes, is of low order: `agree` takes none. */
export function isLowOrder(publicKey: Uint8Array): boolean {
  const u = copyOf(publicKey);
  u[31] = (u[31] ?? 0) & 0x7f;
  return LOW_ORDER_KEYS.includes(u.toHex());
}
