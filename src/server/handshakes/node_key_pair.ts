/**
 * X25519 (RFC 7748) by `node:crypto`, which a browser doesn't have: one synchronous call each, in half the processor
 * time of `crypto.subtle`, which wakes another thread for it. The keys and secrets are the same.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import { type KeyPair, PKCS8_X25519 } from "../../crypto/x25519.ts";
import { LocalResponder, type Responder } from "../../protocol/responder.ts";
import {
  type Bytes,
  concat,
  copyOf,
  KEY_SIZE,
  requireSize,
} from "../../../crypto_utils.ts";

/** What stands before a raw public key in SPKI (RFC 8410 section 4). */
const SPKI_X25519 = Uint8Array.fromHex("302a300506032b656e032100");

/**
 * The key pair of a raw private key, which is wiped.
 * @param privateKey 32 bytes.
 * @throws {RangeError} for another size.
 */
export function importNodeKeyPair(privateKey: Bytes): KeyPair {
  requireSize(privateKey, KEY_SIZE, "an X25519 private key");
  const key = Buffer.from(concat(PKCS8_X25519, privateKey).buffer);
  try {
    const secret = createPrivateKey({ key, format: "der", type: "pkcs8" });
    return pairOf(secret, createPublicKey(secret));
  } finally {
    key.fill(0);
    privateKey.fill(0);
  }
}

/** A fresh key pair. */
export function generateNodeKeyPair(): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync("x25519");
  return pairOf(privateKey, publicKey);
}

/**
 * Does a handshake's cryptography with such key pairs, in the thread that calls it.
 * @param privateKey The server's static private key, 32 bytes, which is wiped.
 * @throws {RangeError} for another size.
 */
export function nodeResponder(privateKey: Bytes): Responder {
  return new LocalResponder(importNodeKeyPair(privateKey), {
    generate: generateNodeKeyPair,
  });
}

function pairOf(privateKey: KeyObject, publicKey: KeyObject): KeyPair {
  const spki = publicKey.export({ format: "der", type: "spki" });
  return {
    publicKey: copyOf(spki.subarray(SPKI_X25519.length)),
    multiply: (point) => {
      const key = Buffer.from(concat(SPKI_X25519, point).buffer);
      const publicKey = createPublicKey({ key, format: "der", type: "spki" });
      return copyOf(diffieHellman({ privateKey, publicKey }));
    },
  };
}
