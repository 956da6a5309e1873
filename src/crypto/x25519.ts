/**
 * X25519 (RFC 7748) by `crypto.subtle`.
 *
 * @module
 */

import {
  type Bytes,
  concat,
  copyOf,
  fromBase64url,
  HandshakeError,
  KEY_SIZE,
  requireSize,
} from "../../crypto_utils.ts";

/** What stands before a raw private key in PKCS#8 (RFC 8410 section 7). */
const PKCS8_X25519 = Uint8Array.fromHex("302e020100300506032b656e04220420");

const { subtle } = crypto;

/** An X25519 key pair: the public half as 32 raw bytes, the private half where only the runtime reaches. */
export interface KeyPair {
  /** 32 bytes. */
  readonly publicKey: Bytes;
  /** Derives shared secrets; not extractable. */
  readonly privateKey: CryptoKey;
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
    // Only an extractable key tells its public half; it is forgotten at once.
    const [readable, kept] = await Promise.all([
      importPrivateKey(pkcs8, true),
      importPrivateKey(pkcs8, false),
    ]);
    const { x = "" } = await subtle.exportKey("jwk", readable);
    return { publicKey: fromBase64url(x), privateKey: kept };
  } finally {
    pkcs8.fill(0);
  }
}

function importPrivateKey(pkcs8: Bytes, extractable: boolean) {
  return subtle.importKey("pkcs8", pkcs8, "X25519", extractable, [
    "deriveBits",
  ]);
}

/** A fresh key pair. */
export async function generateKeyPair(): Promise<KeyPair> {
  const { publicKey, privateKey } = await subtle.generateKey("X25519", false, [
    "deriveBits",
  ]) as CryptoKeyPair;
  const raw = await subtle.exportKey("raw", publicKey);
  return { publicKey: new Uint8Array(raw), privateKey };
}

/**
 * The X25519 shared secret, 32 bytes.
 * @throws {HandshakeError} for a low-order public key, whose secret would be zero (RFC 7748 section 6.1).
 */
export async function agree(
  { privateKey }: KeyPair,
  publicKey: Uint8Array,
): Promise<Bytes> {
  requireSize(publicKey, KEY_SIZE, "an X25519 public key");
  const raw = copyOf(publicKey);
  const theirs = await subtle.importKey("raw", raw, "X25519", false, []);
  let secret: Bytes | undefined;
  try {
    const algorithm = { name: "X25519", public: theirs };
    secret = new Uint8Array(
      await subtle.deriveBits(algorithm, privateKey, 8 * KEY_SIZE),
    );
  } catch {
    // Some runtimes throw for a secret of zeros, others give it.
  }
  if (secret && secret.reduce((any, byte) => any | byte) !== 0) return secret;
  throw new HandshakeError(
    "Cannot agree on a secret: the public key is of low order",
  );
}
