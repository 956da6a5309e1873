/**
 * Tests of key pairs by `node:crypto`: what the pairs of `crypto.subtle` do, they do as well.
 *
 * @module
 */

import { HandshakeError, randomBytes } from "../../../../crypto_utils.ts";
import { agree, generateKeyPair } from "../../../../src/crypto/x25519.ts";
import {
  generateNodeKeyPair,
  importNodeKeyPair,
} from "../../../../src/server/handshakes/node_key_pair.ts";
import {
  assertEquals,
  assertRejects,
  assertThrows,
} from "../../../kit/assert.ts";
import { LOW_ORDER_KEYS, testPairs } from "../../../kit/key_pairs.ts";

testPairs("importNodeKeyPair", importNodeKeyPair);

Deno.test("agree() with a pair of generateNodeKeyPair() refuses every public key of low order", async () => {
  const pair = generateNodeKeyPair();
  for (const key of LOW_ORDER_KEYS) {
    await assertRejects(
      () => agree(pair, key),
      HandshakeError,
      "the public key is of low order",
    );
  }
});

Deno.test("generateNodeKeyPair() shows nothing of its private key", () => {
  const pair = generateNodeKeyPair();
  assertEquals(Object.keys(pair), ["publicKey", "multiply"]);
});

Deno.test("importNodeKeyPair() wipes the key that it is given", () => {
  const key = randomBytes(32);
  importNodeKeyPair(key);
  assertEquals(key, new Uint8Array(32));
});

Deno.test("importNodeKeyPair() takes no key of another size", () => {
  for (const size of [0, 31, 33]) {
    const take = () => importNodeKeyPair(randomBytes(size));
    assertThrows(take, RangeError, "an X25519 private key");
  }
});

Deno.test("generateNodeKeyPair() and generateKeyPair() make fresh pairs that agree with each other's", async () => {
  const pairs = [
    generateNodeKeyPair(),
    generateNodeKeyPair(),
    await generateKeyPair(),
    await generateKeyPair(),
  ];
  const publicKeys = pairs.map(({ publicKey }) => publicKey.toHex());
  assertEquals(new Set(publicKeys).size, pairs.length);
  for (const one of pairs) {
    for (const other of pairs) {
      const secret = await agree(one, other.publicKey);
      assertEquals(secret, await agree(other, one.publicKey));
    }
  }
});
