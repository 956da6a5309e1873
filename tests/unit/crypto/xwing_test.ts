/**
 * X-Wing over ML-KEM natively and by the library: the published vectors, a library's X-Wing against ours both ways,
 * and what is refused.
 *
 * `vectors/x_wing.json` is `spec/test-vectors.json` of the public repository dconnolly/draft-connolly-cfrg-xwing-kem.
 * Its encapsulations take coins, which neither the runtime nor we take: the library does them, and ours opens them.
 *
 * @module
 */

import { ml_kem768_x25519 as peer } from "@noble/post-quantum/hybrid.js";
import {
  equalBytes,
  HandshakeError,
  randomBytes,
} from "../../../crypto_utils.ts";
import {
  KEM_KEY_SIZE,
  libraryKem,
  nativeKem,
} from "../../../src/crypto/kem.ts";
import {
  agree,
  generateKeyPair,
  isLowOrder,
} from "../../../src/crypto/x25519.ts";
import {
  isXwingKey,
  XWING_CIPHERTEXT_SIZE,
  XWING_KEY_SIZE,
  xwingEncapsulate,
  xwingKey,
} from "../../../src/crypto/xwing.ts";
import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";
import { isWiped, keysSeen } from "../../kit/private_keys.ts";
import file from "./vectors/x_wing.json" with { type: "json" };

const hex = Uint8Array.fromHex;
const isNative = "encapsulateBits" in crypto.subtle;

for (
  const [name, kem, ignore] of [
    ["nativeKem", nativeKem, !isNative],
    ["libraryKem", libraryKem, false],
  ] as const
) {
  const test = (behaviour: string, fn: () => Promise<void>) =>
    Deno.test({ name: `${behaviour}, by ${name}`, ignore, fn });

  test("xwingKey() agrees with the published vectors", async () => {
    for (const { seed, sk, pk, ct, ss } of file.vectors) {
      assertEquals(seed, sk);
      const key = await xwingKey(hex(seed), kem);
      assertEquals(key.publicKey.toHex(), pk);
      assertEquals((await key.decapsulate(hex(ct))).toHex(), ss);
    }
  });

  test("xwingKey() opens what the library encapsulates with the published coins", async () => {
    for (const { seed, eseed, pk, ct, ss } of file.vectors) {
      const { cipherText, sharedSecret } = peer.encapsulate(
        hex(pk),
        hex(eseed),
      );
      assertEquals(cipherText.toHex(), ct);
      assertEquals(sharedSecret.toHex(), ss);
      const key = await xwingKey(hex(seed), kem);
      assertEquals((await key.decapsulate(cipherText)).toHex(), ss);
    }
  });

  test("xwingKey() opens what the library encapsulates", async () => {
    const key = await xwingKey(randomBytes(32), kem);
    const { cipherText, sharedSecret } = peer.encapsulate(key.publicKey);
    const opened = await key.decapsulate(cipherText);
    assertEquals(opened.toHex(), sharedSecret.toHex());
  });

  test("The library opens what xwingEncapsulate() makes", async () => {
    const { publicKey, secretKey } = peer.keygen();
    const { ciphertext, secret } = await xwingEncapsulate(publicKey, kem);
    assertEquals(ciphertext.length, XWING_CIPHERTEXT_SIZE);
    const opened = peer.decapsulate(ciphertext, secretKey);
    assertEquals(opened.toHex(), secret.toHex());
  });

  test("xwingEncapsulate() makes another secret each time", async () => {
    const key = await xwingKey(randomBytes(32), kem);
    assertEquals(key.publicKey.length, XWING_KEY_SIZE);
    const first = await xwingEncapsulate(key.publicKey, kem);
    const second = await xwingEncapsulate(key.publicKey, kem);
    assert(!equalBytes(first.secret, second.secret));
    assert(!equalBytes(first.ciphertext, second.ciphertext));
    assertEquals(await key.decapsulate(first.ciphertext), first.secret);
    assertEquals(await key.decapsulate(second.ciphertext), second.secret);
  });

  test("xwingKey() gives another secret for an altered ciphertext, and the same as the library", async () => {
    const seed = randomBytes(32);
    const key = await xwingKey(seed, kem);
    const { ciphertext, secret } = await xwingEncapsulate(key.publicKey, kem);
    for (const at of [0, XWING_CIPHERTEXT_SIZE - 32]) { // ML-KEM's part, X25519's
      const altered = new Uint8Array(ciphertext);
      altered[at] = (altered[at] ?? 0) ^ 1;
      const opened = await key.decapsulate(altered);
      assert(!equalBytes(opened, secret));
      const peers = peer.decapsulate(altered, seed);
      assertEquals(opened.toHex(), peers.toHex());
    }
  });

  test("X-Wing refuses seeds, keys and ciphertexts of another size", async () => {
    const key = await xwingKey(randomBytes(32), kem);
    for (const off of [-1, 1]) {
      await assertRejects(
        () => xwingKey(new Uint8Array(32 + off), kem),
        RangeError,
        "Cannot use an X-Wing seed of",
      );
      await assertRejects(
        () => xwingEncapsulate(new Uint8Array(XWING_KEY_SIZE + off), kem),
        RangeError,
        "Cannot use an X-Wing key of",
      );
      await assertRejects(
        () => key.decapsulate(new Uint8Array(XWING_CIPHERTEXT_SIZE + off)),
        RangeError,
        "Cannot use an X-Wing ciphertext of",
      );
    }
  });

  test("X-Wing refuses keys that aren't proper ones, and X25519 keys of low order", async () => {
    const key = await xwingKey(randomBytes(32), kem);
    const unreduced = new Uint8Array(key.publicKey).fill(0xff, 0, KEM_KEY_SIZE);
    await assertRejects(
      () => xwingEncapsulate(unreduced, kem),
      RangeError,
      "Cannot use an ML-KEM key: it is not a proper one",
    );
    const lowOrder = new Uint8Array(key.publicKey).fill(0, KEM_KEY_SIZE);
    await assertRejects(
      () => xwingEncapsulate(lowOrder, kem),
      HandshakeError,
      "the public key is of low order",
    );
    const { ciphertext } = await xwingEncapsulate(key.publicKey, kem);
    ciphertext.fill(0, XWING_CIPHERTEXT_SIZE - 32);
    await assertRejects(
      () => key.decapsulate(ciphertext),
      HandshakeError,
      "the public key is of low order",
    );
  });
}

Deno.test({
  name: "xwingKey() leaves nothing of what it makes of the seed",
  ignore: !isNative,
  async fn() {
    const { given, keys } = await keysSeen(() =>
      xwingKey(randomBytes(32), nativeKem)
    );
    assertEquals(given.map(isWiped), [true, true]); // ML-KEM's part, X25519's
    assert(!keys.some(({ extractable }) => extractable));
  },
});

// ── Proper keys ────────────────────────────────────────────────────────────────────────────────────────

/** u-coordinates of points of low order, those that aren't canonical among them. */
const LOW_ORDER = [
  0n,
  1n,
  325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n,
  2n ** 255n - 20n,
  2n ** 255n - 19n,
  2n ** 255n - 18n,
].map((u) => hex(u.toString(16).padStart(64, "0")).toReversed());

Deno.test("isLowOrder() tells the public keys that agree() refuses, whatever their highest bit", async () => {
  const own = await generateKeyPair();
  for (const key of LOW_ORDER) {
    for (const bit of [0, 0x80]) {
      const other = key.slice();
      other[31] = (other[31] ?? 0) | bit;
      assertEquals(isLowOrder(other), true, other.toHex());
      await assertRejects(() => agree(own, other), HandshakeError);
    }
  }
  for (let round = 0; round < 50; round++) {
    const other = randomBytes(32);
    assertEquals(isLowOrder(other), false);
    await agree(own, other);
  }
});

Deno.test("isXwingKey() tells the keys that xwingEncapsulate() takes", async () => {
  const takes = (key: Uint8Array) =>
    Promise.all(
      (isNative ? [nativeKem, libraryKem] : [libraryKem]).map((kem) =>
        xwingEncapsulate(key, kem).then(() => true, () => false)
      ),
    );
  const { publicKey } = await xwingKey(randomBytes(32));
  assertEquals(isXwingKey(publicKey), true);
  /** The key with a number of 12 bits at a place. */
  const withNumber = (at: number, value: number) => {
    const key = publicKey.slice();
    const from = Math.floor(at / 2) * 3;
    const [a = 0, b = 0, c = 0] = key.subarray(from, from + 3);
    const bytes = at % 2 === 0
      ? [value & 0xff, (b & 0xf0) | value >> 8, c]
      : [a, (b & 0x0f) | (value & 0x0f) << 4, value >> 4];
    key.set(bytes, from);
    return key;
  };
  const keys = [0, 1, 2, 383, 766, 767].flatMap((at) =>
    [0, 3_328, 3_329, 4_095].map((value) =>
      [value < 3_329, withNumber(at, value)] as const
    )
  );
  for (const [isProper, key] of keys) {
    assertEquals(isXwingKey(key), isProper);
    for (const it of await takes(key)) assertEquals(it, isProper);
  }
  // Any seed is a proper one: what follows the numbers isn't read as more of them.
  const seeded = publicKey.slice().fill(0xff, KEM_KEY_SIZE - 32, KEM_KEY_SIZE);
  assertEquals(isXwingKey(seeded), true);
  assertEquals((await takes(seeded)).includes(false), false);
  for (const low of LOW_ORDER) {
    const key = publicKey.slice();
    key.set(low, KEM_KEY_SIZE);
    assertEquals(isXwingKey(key), false);
    assertEquals((await takes(key)).includes(true), false);
  }
  for (const size of [0, XWING_KEY_SIZE - 1, XWING_KEY_SIZE + 1]) {
    assertEquals(isXwingKey(new Uint8Array(size)), false);
  }
});
