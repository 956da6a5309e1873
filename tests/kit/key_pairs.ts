/**
 * What pairs of X25519 keys must do, whatever makes them.
 *
 * @module
 */

import { type Bytes, randomBytes } from "../../crypto_utils.ts";
import { agree, type KeyPair } from "../../src/crypto/x25519.ts";
import { assertEquals, assertRejects } from "./assert.ts";

const hex = (digits: string): Bytes => Uint8Array.fromHex(digits);

/**
 * Every u-coordinate whose multiples by a clamped scalar are zero, canonical or not, 32 bytes each (RFC 7748 section 6.1
 * says to refuse the secret; the list is that of https://cr.yp.to/ecdh.html#validate). The highest bit is ignored, so each
 * counts twice.
 */
export const LOW_ORDER_KEYS: readonly Bytes[] = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
].flatMap((hex) => {
  const key = Uint8Array.fromHex(hex);
  const other = key.slice();
  other[31] = (other[31] ?? 0) | 0x80;
  return [key, other];
});

/** Tests of what makes a pair of a private key of 32 bytes. @param name What it is called. */
export function testPairs(
  name: string,
  importPair: (privateKey: Bytes) => KeyPair | Promise<KeyPair>,
): void {
  Deno.test(`agree() with a pair of ${name}() agrees with RFC 7748 section 5.2`, async () => {
    const vectors = [
      [
        "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
        "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
        "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
      ],
      [
        "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
        "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
        "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
      ],
    ] as const;
    for (const [scalar, u, secret] of vectors) {
      const pair = await importPair(hex(scalar));
      assertEquals((await agree(pair, hex(u))).toHex(), secret);
    }
  });

  Deno.test(`${name}() and agree() agree with RFC 7748 section 6.1`, async () => {
    const alice = await importPair(
      hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"),
    );
    const bob = await importPair(
      hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"),
    );
    assertEquals(
      alice.publicKey.toHex(),
      "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
    );
    assertEquals(
      bob.publicKey.toHex(),
      "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
    );
    const secret =
      "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
    assertEquals((await agree(alice, bob.publicKey)).toHex(), secret);
    assertEquals((await agree(bob, alice.publicKey)).toHex(), secret);
  });

  Deno.test(`${name}() and agree() refuse keys of another size`, async () => {
    const pair = await importPair(randomBytes(32));
    for (const size of [0, 31, 33]) {
      await assertRejects(
        async () => await importPair(new Uint8Array(size)),
        RangeError,
        `Cannot use an X25519 private key of ${size} bytes: it has 32`,
      );
      await assertRejects(
        () => agree(pair, new Uint8Array(size)),
        RangeError,
        `Cannot use an X25519 public key of ${size} bytes: it has 32`,
      );
    }
  });
}
