/**
 * Ed25519 (RFC 8032) by `crypto.subtle`.
 *
 * @module
 */

import {
  type Bytes,
  concat,
  copyOf,
  fromBase64url,
  KEY_SIZE,
  requireSize,
} from "../../crypto_utils.ts";

/** What stands before a raw private key in PKCS#8 (RFC 8410 section 7). */
const PKCS8_ED25519 = Uint8Array.fromHex("302e020100300506032b657004220420");

const { subtle } = crypto;

/** An Ed25519 key pair: the public half as 32 raw bytes, the private half where only the runtime reaches. */
export interface SigningKeyPair {
  /** 32 bytes. */
  readonly verifyKey: Bytes;
  /** Signs; not extractable. */
  readonly privateKey: CryptoKey;
}

/** A fresh key pair. */
export async function generateSigningKeyPair(): Promise<SigningKeyPair> {
  const { publicKey, privateKey } = await subtle.generateKey("Ed25519", false, [
    "sign",
    "verify",
  ]) as CryptoKeyPair;
  const raw = await subtle.exportKey("raw", publicKey);
  return { verifyKey: new Uint8Array(raw), privateKey };
}

/**
 * The key pair of a raw private key.
 * @param privateKey 32 bytes. @throws {RangeError} for another size.
 */
export async function importSigningKeyPair(
  privateKey: Uint8Array,
): Promise<SigningKeyPair> {
  requireSize(privateKey, KEY_SIZE, "an Ed25519 private key");
  const pkcs8 = concat(PKCS8_ED25519, privateKey);
  try {
    const importAs = (extractable: boolean) =>
      subtle.importKey("pkcs8", pkcs8, "Ed25519", extractable, ["sign"]);
    // Web Cryptography gives a private key's public half in no other way. This copy of it is dropped at once.
    const { x = "" } = await subtle.exportKey("jwk", await importAs(true));
    return { verifyKey: fromBase64url(x), privateKey: await importAs(false) };
  } finally {
    pkcs8.fill(0);
  }
}

/** A signature, 64 bytes. */
export async function sign(
  { privateKey }: Pick<SigningKeyPair, "privateKey">,
  bytes: Bytes,
): Promise<Bytes> {
  return new Uint8Array(await subtle.sign("Ed25519", privateKey, bytes));
}

/**
 * A public key, to verify with.
 * @param verifyKey 32 bytes. @throws {RangeError} for another size, and for a point of small order.
 */
export async function importVerifyKey(verifyKey: Bytes): Promise<CryptoKey> {
  requireSize(verifyKey, KEY_SIZE, "an Ed25519 public key");
  if (isSmallOrder(verifyKey)) {
    throw new RangeError(
      "Cannot use an Ed25519 public key: it is of small order",
    );
  }
  return await subtle.importKey("raw", verifyKey, "Ed25519", false, ["verify"]);
}

/** Whether a signature, 64 bytes, is the key's over these bytes. */
export function verify(
  verifyKey: CryptoKey,
  signature: Bytes,
  bytes: Bytes,
): Promise<boolean> {
  return subtle.verify("Ed25519", verifyKey, signature, bytes);
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
  const y = copyOf(verifyKey);
  y[31] = (y[31] ?? 0) & 0x7f;
  return SMALL_ORDER_KEYS.includes(y.toHex());
}
