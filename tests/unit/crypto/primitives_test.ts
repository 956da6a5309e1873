/**
 * Known answers for each primitive, from the specification that defines it, and for labels.
 *
 * @module
 */

import { createCipheriv, createHash } from "node:crypto";
import {
  type Bytes,
  CipherState,
  concat,
  deriveKey,
  encryptMessage,
  equalBytes,
  fromBase64url,
  HandshakeError,
  hkdf,
  labelled,
  labelledDigest,
  passphraseKey,
  pbkdf2,
  randomBytes,
  toBase64url,
} from "../../../crypto_utils.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
} from "../../kit/assert.ts";
import {
  agree,
  generateKeyPair,
  importKeyPair,
  type KeyPair,
} from "../../../src/crypto/x25519.ts";
import { testPairs } from "../../kit/key_pairs.ts";
import { isWiped, keysSeen } from "../../kit/private_keys.ts";

const utf8 = new TextEncoder();

function hex(text: string): Bytes {
  return Uint8Array.fromHex(text);
}

// ── Bytes ──────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("toBase64url() and fromBase64url() agree with RFC 4648 section 10", () => {
  const vectors = [
    ["", ""],
    ["f", "Zg"],
    ["fo", "Zm8"],
    ["foo", "Zm9v"],
    ["foob", "Zm9vYg"],
    ["fooba", "Zm9vYmE"],
    ["foobar", "Zm9vYmFy"],
  ] as const;
  for (const [text, encoded] of vectors) {
    assertEquals(toBase64url(utf8.encode(text)), encoded);
    assertEquals(fromBase64url(encoded), utf8.encode(text));
  }
  assertEquals(toBase64url(hex("fbff")), "-_8"); // the two letters that plain base64 writes otherwise
});

Deno.test("fromBase64url() refuses text that is no base64url", () => {
  for (const text of ["+/8", "a", "Zg!", "Zg===", "é"]) {
    assertThrows(() => fromBase64url(text), SyntaxError);
  }
});

Deno.test("concat() joins parts, and equalBytes() compares contents and lengths", () => {
  assertEquals(concat(hex("01"), hex(""), hex("0203")), hex("010203"));
  assert(equalBytes(hex("0102"), hex("0102")));
  assert(!equalBytes(hex("0102"), hex("0103")));
  assert(!equalBytes(hex("0102"), hex("01")));
  assert(!equalBytes(hex("01"), hex("0102")));
});

Deno.test("randomBytes() gives as many bytes as asked, and others each time", () => {
  assertEquals(randomBytes(48).length, 48);
  assert(!equalBytes(randomBytes(32), randomBytes(32)));
});

// ── AES-256-GCM ────────────────────────────────────────────────────────────────────────────────────────

// "The Galois/Counter Mode of Operation", appendix B, test cases 13 and 14: key and IV of zeros.
const GCM_VECTORS = [
  ["", "530f8afbc74536b9a963b4f1c4cb738b"],
  [
    "00000000000000000000000000000000",
    "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919",
  ],
] as const;

for (const [message, sealed] of GCM_VECTORS) {
  Deno.test(`encryptMessage() agrees with the GCM specification on ${message.length / 2} bytes`, async () => {
    const cipher = await CipherState.create(new Uint8Array(32));
    assertEquals((await encryptMessage(cipher, hex(message))).toHex(), sealed);
  });
}

Deno.test("encryptMessage() uses 4 zero bytes and the counter, 64 bits big-endian, as its nonce", async () => {
  const key = randomBytes(32);
  const message = utf8.encode("message");
  const associatedData = utf8.encode("associated");
  for (const counter of [0, 1, 255, 256, 0x01020304, 0xffffffff]) {
    const nonce = hex(counter.toString(16).padStart(24, "0"));
    const node = createCipheriv("aes-256-gcm", key, nonce);
    node.setAAD(associatedData);
    const expected = concat(
      node.update(message),
      node.final(),
      node.getAuthTag(),
    );
    const cipher = await CipherState.create(key, counter);
    assertEquals(
      await encryptMessage(cipher, message, associatedData),
      expected,
    );
  }
});

// ── HKDF, PBKDF2 ───────────────────────────────────────────────────────────────────────────────────────

Deno.test("hkdf() agrees with RFC 5869, test cases 1 and 3", () => {
  const ikm = hex("0b".repeat(22));
  const first = hkdf(
    ikm,
    hex("000102030405060708090a0b0c"),
    hex("f0f1f2f3f4f5f6f7f8f9"),
    42,
  );
  assertEquals(
    first.toHex(),
    "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
  );
  const third = hkdf(ikm, hex(""), hex(""), 42);
  assertEquals(
    third.toHex(),
    "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
  );
});

Deno.test("pbkdf2() agrees with RFC 7914 section 11", async () => {
  const once = await pbkdf2(utf8.encode("passwd"), utf8.encode("salt"), 1, 64);
  assertEquals(
    once.toHex(),
    "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc" +
      "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783",
  );
  const often = await pbkdf2(
    utf8.encode("Password"),
    utf8.encode("NaCl"),
    80_000,
    64,
  );
  assertEquals(
    often.toHex(),
    "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56" +
      "a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d",
  );
});

Deno.test("passphraseKey() is PBKDF2 with 600,000 rounds and gives 32 bytes", async () => {
  const salt = hex("000102030405060708090a0b0c0d0e0f");
  assertEquals(
    await passphraseKey("correct horse", salt),
    await pbkdf2(utf8.encode("correct horse"), salt, 600_000, 32),
  );
});

Deno.test("passphraseKey() gives one key for a composed and a decomposed passphrase", async () => {
  const salt = new Uint8Array(16);
  const composed = await passphraseKey("caf\u00e9", salt);
  const decomposed = await passphraseKey("cafe\u0301", salt);
  assertEquals(composed, decomposed);
  assert(!equalBytes(composed, await passphraseKey("cafe", salt)));
  assert(
    !equalBytes(
      composed,
      await passphraseKey("caf\u00e9", hex("01".repeat(16))),
    ),
  );
});

Deno.test("passphraseKey() refuses a salt of another size", async () => {
  for (const size of [0, 15, 17]) {
    await assertRejects(
      async () => await passphraseKey("secret", new Uint8Array(size)),
      RangeError,
      `Cannot use a salt of ${size} bytes: it has 16`,
    );
  }
});

// ── X25519 ─────────────────────────────────────────────────────────────────────────────────────────────

testPairs("importKeyPair", importKeyPair);

Deno.test("importKeyPair() and generateKeyPair() give private keys that nobody can read, and leave no copy of them", async () => {
  const pairs: KeyPair[] = [];
  const { keys, given } = await keysSeen(async () => {
    pairs.push(await importKeyPair(randomBytes(32)), await generateKeyPair());
  });
  assertEquals(keys.map(({ extractable }) => extractable), [false, false]);
  assertEquals(given.map(isWiped), [true]);
  for (const pair of pairs) {
    assertEquals(Object.keys(pair), ["publicKey", "multiply"]);
  }
});

Deno.test("agree() refuses a product of zeros, whether the runtime gives or refuses one", async () => {
  const { publicKey, multiply } = await generateKeyPair();
  const refused: KeyPair["multiply"][] = [
    multiply,
    () => new Uint8Array(32),
    () => Promise.reject(new DOMException("zeros", "OperationError")),
  ];
  for (const multiply of refused) {
    await assertRejects(
      () => agree({ publicKey, multiply }, new Uint8Array(32)),
      HandshakeError,
      "the public key is of low order",
    );
  }
  for (const at of [0, 31]) {
    const product = new Uint8Array(32);
    product[at] = 1;
    const multiply = () => product;
    assertEquals(await agree({ publicKey, multiply }, publicKey), product);
  }
});

// ── Ed25519 ────────────────────────────────────────────────────────────────────────────────────────────

// RFC 8032 section 7.1, tests 1 to 3. An `EpochReader` verifies nothing but its own kind of messages, so
// these go to the runtime's `verify`, which is what it uses.
const ED25519_VECTORS = [
  [
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "",
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  ],
  [
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "72",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  ],
  [
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    "af82",
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  ],
] as const;

Deno.test("The runtime's Ed25519 agrees with RFC 8032 section 7.1", async () => {
  for (const [publicKey, message, signature] of ED25519_VECTORS) {
    const key = await crypto.subtle.importKey(
      "raw",
      hex(publicKey),
      "Ed25519",
      false,
      ["verify"],
    );
    const verify = (signature: Bytes, message: Bytes) =>
      crypto.subtle.verify("Ed25519", key, signature, message);
    assert(await verify(hex(signature), hex(message)));
    assert(!await verify(hex(signature), hex(message + "00")));
  }
});

// ── Labels ─────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("labelledDigest() and deriveKey() cover protocol, label and fields, and tell the label from the fields", () => {
  const field = hex("0102");
  const covered = utf8.encode("encrypted-chat/2\0id\0\x01\x02");
  assertEquals(labelled("id", field), covered);
  const digest = createHash("sha256").update(covered).digest("hex");
  assertEquals(labelledDigest("id", field).toHex(), digest);
  const key = randomBytes(32);
  const derived = hkdf(key, hex(""), covered, 32);
  assertEquals(deriveKey(key, "id", field), derived);
  const pairs = [["id", "ab"], ["ida", "b"], ["i", "dab"]] as const;
  const digests = pairs.map(([label, field]) =>
    labelledDigest(label, utf8.encode(field)).toHex()
  );
  assertEquals(new Set(digests).size, 3);
});
