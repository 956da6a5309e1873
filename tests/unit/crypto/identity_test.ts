/**
 * Persons: the keys of a seed against another implementation's, cards that are refused, signatures against RFC 8032,
 * and ids as people read and type them.
 *
 * @module
 */

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  hkdfSync,
} from "node:crypto";
import { ed25519 } from "@noble/curves/ed25519.js";
import { ml_kem768_x25519 as xwing } from "@noble/post-quantum/hybrid.js";
import {
  type Bytes,
  concat,
  equalBytes,
  labelled,
  randomBytes,
  toBase64url,
} from "../../../crypto_utils.ts";
import {
  generateSigningKeyPair,
  importSigningKeyPair,
  importVerifyKey,
  sign,
  type SigningKeyPair,
  verify,
} from "../../../src/crypto/ed25519.ts";
import {
  CARD_SIZE,
  checkCard,
  type Identity,
  identityOf,
  readCard,
  signCard,
} from "../../../src/crypto/identity.ts";
import {
  fullId,
  isShortId,
  parseShortId,
  shortId,
  spokenId,
} from "../../../src/crypto/person_id.ts";
import { isWiped, keysSeen } from "../../kit/private_keys.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
} from "../../kit/assert.ts";
import { flipped, utf8 } from "../../kit/bytes.ts";
import { newIdentity } from "../../kit/people.ts";

const hex = Uint8Array.fromHex;

/** 00 01 02 … 1f. */
const SEED: Bytes = Uint8Array.from({ length: 32 }, (_, at) => at);

/** The three keys of a card, bytes; its signature follows. */
const KEYS_SIZE = 1_280;

const NOT_ITS_OWNERS = "Cannot use a card: its signature is not its owner's";

// ── Another implementation ─────────────────────────────────────────────────────────────────────────────

/** HKDF-SHA-256 of the seed for one purpose. */
function derived(seed: Bytes, purpose: string): Bytes {
  const info = `encrypted-chat/2\0${purpose}\0`;
  return new Uint8Array(hkdfSync("sha256", seed, "", info, 32));
}

/** The public half of a raw private key, by `node:crypto`. @param object The last byte of the curve's object identifier. */
function publicOf(privateKey: Bytes, object: string): Bytes {
  const prefix = hex(`302e020100300506032b65${object}04220420`);
  const key = createPrivateKey({
    key: concat(prefix, privateKey) as never, // its types know `Buffer` alone
    format: "der",
    type: "pkcs8",
  });
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  return new Uint8Array(spki).slice(-32);
}

function sha256Of(...parts: (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

Deno.test("identityOf() makes the three keys of a seed as another implementation does", async () => {
  for (const seed of [SEED, new Uint8Array(32), randomBytes(32)]) {
    const { card, keyPair, signing, sealSeed } = await identityOf(seed);
    const { noiseKey, verifyKey, sealKey } = readCard(card);
    assertEquals(noiseKey, publicOf(derived(seed, "noise"), "6e"));
    assertEquals(verifyKey, publicOf(derived(seed, "sign"), "70"));
    assertEquals(sealSeed, derived(seed, "seal"));
    assertEquals(sealKey, xwing.keygen(sealSeed).publicKey as Bytes);
    assertEquals(keyPair.publicKey, noiseKey);
    assertEquals(signing.verifyKey, verifyKey);
  }
});

Deno.test("identityOf() gives the same identity for a seed, always", async () => {
  const { card, id } = await identityOf(SEED);
  assertEquals(
    id.toHex(),
    "321364533eb30085a925e73fd64526fa7f12d2aa05a67c4d7cfaa20417b68a19",
  );
  assertEquals(
    sha256Of(card),
    "980011a13cd1fe035cf240b448c6d585655e5f22a3308acedea3a457d80df743",
  );
  assertEquals((await identityOf(SEED.slice())).card, card);
  const other = await identityOf(flipped(SEED, 31));
  for (const part of ["noiseKey", "verifyKey", "sealKey", "id"] as const) {
    assert(!equalBytes(readCard(other.card)[part], readCard(card)[part]));
  }
});

Deno.test("identityOf() and generateSigningKeyPair() keep private keys where only the runtime reaches, and leave the seed as it is", async () => {
  const seed = SEED.slice();
  const pairs: SigningKeyPair[] = [];
  const { keys, given } = await keysSeen(async () => {
    pairs.push((await identityOf(seed)).signing);
    pairs.push(await generateSigningKeyPair());
  });
  assertEquals(pairs.map((it) => it.privateKey.extractable), [false, false]);
  assertEquals(seed, SEED);
  const readable = keys.filter(({ extractable }) => extractable);
  assertEquals(readable.map(({ algorithm }) => algorithm.name), ["Ed25519"]); // for its public half; dropped at once
  const pkcs8 = given.filter(({ length }) => length === 48);
  assertEquals(pkcs8.map(isWiped), [true, true, true, true]);
});

// ── Cards ──────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("a card is its three keys and a signature over them, 1,344 bytes", async () => {
  const { card, id, keyPair, signing } = await newIdentity();
  assertEquals([card.length, CARD_SIZE], [1_344, 1_344]);
  const parts = readCard(card);
  const { noiseKey, verifyKey, sealKey } = parts;
  const sizes = [noiseKey, verifyKey, sealKey].map(({ length }) => length);
  assertEquals(sizes, [32, 32, 1_216]);
  assertEquals(concat(noiseKey, verifyKey, sealKey), card.slice(0, KEYS_SIZE));
  assertEquals(noiseKey, keyPair.publicKey);
  assertEquals(verifyKey, signing.verifyKey);
  const signed = concat(
    utf8("encrypted-chat/2\0card\0"),
    card.slice(0, KEYS_SIZE),
  );
  const signature = card.slice(KEYS_SIZE);
  assert(ed25519.verify(signature, signed, verifyKey));
  assertEquals(parts.id, id);
});

Deno.test("a person's id is the labelled digest of its three keys, whatever the signature", async () => {
  const { card, id } = await newIdentity();
  const keys = card.subarray(0, KEYS_SIZE);
  assertEquals(id.toHex(), sha256Of("encrypted-chat/2\0id\0", keys));
  const unsigned = concat(keys, new Uint8Array(64));
  assertEquals(readCard(unsigned).id, id);
  for (const at of [0, 31, 32, 63, 64, KEYS_SIZE - 1]) {
    assert(!equalBytes(readCard(flipped(card, at)).id, id), `byte ${at}`);
  }
});

Deno.test("checkCard() takes the card of any identity", async () => {
  for (let n = 0; n < 4; n++) await checkCard((await newIdentity()).card);
});

Deno.test("checkCard() refuses a card of which any byte is another", async () => {
  const { card } = await identityOf(SEED);
  const places = [
    ...Array.from({ length: 64 }, (_, at) => at),
    ...[64, 65, 319, 1_247, 1_248, KEYS_SIZE - 1],
    ...Array.from({ length: 40 }, (_, n) => 66 + 30 * n),
    ...Array.from({ length: 64 }, (_, at) => KEYS_SIZE + at),
  ];
  for (const at of places) {
    for (const mask of [0x01, 0x80]) {
      const altered = card.slice();
      altered[at] = (altered[at] ?? 0) ^ mask;
      await assertRejects(
        () => checkCard(altered),
        RangeError,
        NOT_ITS_OWNERS,
        `byte ${at} ^ ${mask}`,
      );
    }
  }
  await checkCard(card);
});

Deno.test("checkCard() refuses what somebody else signed, and what was signed for another purpose", async () => {
  const ana: Identity = await newIdentity();
  const eve: Identity = await newIdentity();
  const keys = ana.card.slice(0, KEYS_SIZE);
  const signatures = [
    await sign(eve.signing, labelled("card", keys)),
    eve.card.slice(KEYS_SIZE),
    await sign(ana.signing, keys),
    await sign(ana.signing, labelled("id", keys)),
    new Uint8Array(64),
  ];
  for (const signature of signatures) {
    await assertRejects(
      () => checkCard(concat(keys, signature)),
      RangeError,
      NOT_ITS_OWNERS,
    );
  }
});

Deno.test("signCard() signs any keys, so that a stranger's X25519 key is for the handshake to refuse", async () => {
  const { signing, card, keyPair } = await newIdentity();
  const { sealKey } = readCard(card);
  const own = await signCard({
    noiseKey: keyPair.publicKey,
    signing,
    sealKey,
  });
  assertEquals(own, card);
  const { keyPair: { publicKey: noiseKey } } = await newIdentity();
  const mixed = await signCard({ noiseKey, signing, sealKey });
  await checkCard(mixed);
  assertEquals(readCard(mixed).noiseKey, noiseKey);
  assert(!equalBytes(readCard(mixed).id, readCard(card).id));
});

Deno.test("identities and cards of other sizes are refused", async () => {
  for (const size of [0, 31, 33, 64]) {
    await assertRejects(
      () => identityOf(new Uint8Array(size)),
      RangeError,
      `Cannot use a seed of ${size} bytes: it has 32`,
    );
  }
  const { card } = await newIdentity();
  for (const size of [0, 1, KEYS_SIZE, 1_343, 1_345, 2_688]) {
    const other = concat(card, card).slice(0, size);
    const words = `Cannot use a card of ${size} bytes: it has 1344`;
    assertThrows(() => readCard(other), RangeError, words);
    await assertRejects(() => checkCard(other), RangeError, words);
  }
});

// ── Ed25519 ────────────────────────────────────────────────────────────────────────────────────────────

/** RFC 8032 section 7.1, tests 1, 2, 3 and SHA(abc): private key, public key, message, signature. */
const RFC_8032 = [
  [
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "",
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155" +
    "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  ],
  [
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "72",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da" +
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  ],
  [
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    "af82",
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac" +
    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  ],
  [
    "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
    "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a" +
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589" +
    "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
  ],
] as const;

Deno.test("importSigningKeyPair(), sign() and verify() agree with RFC 8032 section 7.1", async () => {
  for (const [privateKey, publicKey, message, signature] of RFC_8032) {
    const pair = await importSigningKeyPair(hex(privateKey));
    assertEquals(pair.verifyKey.toHex(), publicKey);
    const signed = await sign(pair, hex(message));
    assertEquals(signed.toHex(), signature);
    const key = await importVerifyKey(pair.verifyKey);
    assert(await verify(key, signed, hex(message)));
    assert(!await verify(key, flipped(signed, 0), hex(message)));
    assert(!await verify(key, signed, concat(hex(message), hex("00"))));
  }
});

Deno.test("generateSigningKeyPair() makes another pair each time, whose halves fit", async () => {
  const [first, second] = await Promise.all([
    generateSigningKeyPair(),
    generateSigningKeyPair(),
  ]);
  assert(!equalBytes(first.verifyKey, second.verifyKey));
  assertEquals(first.privateKey.extractable, false);
  const signature = await sign(first, utf8("words"));
  const key = await importVerifyKey(first.verifyKey);
  assert(await verify(key, signature, utf8("words")));
  const stranger = await importVerifyKey(second.verifyKey);
  assert(!await verify(stranger, signature, utf8("words")));
});

Deno.test("keys of other sizes are refused", async () => {
  for (const size of [0, 31, 33]) {
    await assertRejects(
      () => importSigningKeyPair(new Uint8Array(size)),
      RangeError,
      `Cannot use an Ed25519 private key of ${size} bytes: it has 32`,
    );
    await assertRejects(
      () => importVerifyKey(new Uint8Array(size)),
      RangeError,
      `Cannot use an Ed25519 public key of ${size} bytes: it has 32`,
    );
  }
});

/** The y-coordinates of all points of small order, as 32 bytes can hold them: below 2^255, also beyond the field's prime. */
function smallOrderCoordinates(): string[] {
  const { Point } = ed25519;
  const prime = Point.Fp.ORDER;
  // One of order 8, of which the eight are multiples.
  const root = Point.fromHex(
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  );
  const found = new Set<string>();
  let point = Point.ZERO;
  for (let n = 0; n < 8; n++, point = point.add(root)) {
    const { y } = point.toAffine();
    for (const value of [y, y + prime]) {
      if (value >= 2n ** 255n) continue;
      const bytes = hex(value.toString(16).padStart(64, "0")).reverse();
      found.add(bytes.toHex());
    }
  }
  assert(point.equals(Point.ZERO));
  return [...found];
}

Deno.test("checkCard() refuses a card whose Ed25519 key is of small order, for which anybody can sign", async () => {
  const coordinates = smallOrderCoordinates();
  assertEquals(coordinates.length, 7);
  const { card } = await newIdentity();
  const neutral = hex("01" + "00".repeat(31));
  const signature = concat(neutral, new Uint8Array(32)); // R is the neutral element, S zero
  assert(ed25519.verify(signature, utf8("any words"), neutral));
  for (const y of coordinates) {
    for (const sign of [0x00, 0x80]) {
      const key = hex(y);
      key[31] = (key[31] ?? 0) | sign;
      const forged = card.slice();
      forged.set(key, 32);
      forged.set(signature, KEYS_SIZE);
      const words = "Cannot use an Ed25519 public key: it is of small order";
      await assertRejects(() => checkCard(forged), RangeError, words, y);
      await assertRejects(() => importVerifyKey(key), RangeError, words, y);
    }
  }
});

// ── Ids ────────────────────────────────────────────────────────────────────────────────────────────────

/** Crockford's base32 of the first 80 bits, by arithmetic. */
function shortOf(id: Bytes): string {
  const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
  let value = BigInt(`0x${id.slice(0, 10).toHex()}`);
  let text = "";
  for (let n = 0; n < 16; n++, value >>= 5n) {
    text = alphabet.charAt(Number(value & 31n)) + text;
  }
  return text;
}

Deno.test("shortId() is the first ten bytes in Crockford's base32", () => {
  const known = [
    ["00".repeat(32), "0000000000000000"],
    ["ff".repeat(32), "zzzzzzzzzzzzzzzz"],
    // The alphabet's first half, and the second, 5 bits each.
    ["00443214c74254b635cf" + "00".repeat(22), "0123456789abcdef"],
    ["84653a56d7c675be77df" + "00".repeat(22), "ghjkmnpqrstvwxyz"],
    ["00000000000000000001" + "ff".repeat(22), "0000000000000001"],
  ] as const;
  for (const [id, short] of known) {
    assertEquals(shortId(fullId(hex(id))), short);
  }
  for (let n = 0; n < 100; n++) {
    const id = randomBytes(32);
    assertEquals(shortId(fullId(id)), shortOf(id));
  }
});

Deno.test("fullId() is all 32 bytes in base64url", () => {
  assertEquals(fullId(SEED), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
  const id = randomBytes(32);
  assertEquals(fullId(id), toBase64url(id));
});

Deno.test("spokenId() puts a hyphen after each four letters", () => {
  assertEquals(spokenId("k3df9q2mx7ta41cz"), "k3df-9q2m-x7ta-41cz");
  assertEquals(spokenId("0123456789abcdef"), "0123-4567-89ab-cdef");
});

Deno.test("parseShortId() takes what people type for an id", () => {
  const short = "k3df9q2mx7ta41c0";
  const typed = [
    short,
    "k3df-9q2m-x7ta-41c0",
    "K3DF-9Q2M-X7TA-41C0",
    "K3df9q2mX7TA41C0",
    " k3df-9q2m-x7ta-41c0\n",
    "k3df-9q2m-x7ta-4ico", // i for 1, o for 0
    "k3df-9q2m-x7ta-4LCO",
    "k3df-9q2m-x7ta-4lc0",
    "k3df-9q2m-x7ta-4IcO",
    "k3d-f9q2-mx7t-a41c-0", // hyphens anywhere
  ];
  for (const text of typed) assertEquals(parseShortId(text), short, text);
  for (let n = 0; n < 100; n++) {
    const id = shortId(fullId(randomBytes(32)));
    assertEquals(parseShortId(spokenId(id)), id);
    assertEquals(parseShortId(id.toUpperCase()), id);
  }
});

Deno.test("parseShortId() and isShortId() refuse all else", () => {
  const texts = [
    "",
    "-",
    "k3df9q2mx7ta41c", // 15
    "k3df9q2mx7ta41c00", // 17
    "k3df-9q2m-x7ta-41cu", // Crockford has no u
    "k3df-9q2m-x7ta-41c!",
    "k3df 9q2m x7ta 41c0",
    "k3df–9q2m–x7ta–41c0", // dashes
    "k3df_9q2m_x7ta_41c0",
    "kэdf9q2mx7ta41c0", // Cyrillic
    "ｋ3df9q2mx7ta41c0", // full width
    "k3df9q2mx7ta41c0\nk3df9q2mx7ta41c0",
    fullId(SEED),
  ];
  for (const text of texts) {
    assertEquals(parseShortId(text), undefined, text);
    assertEquals(isShortId(text), false, text);
  }
});

Deno.test("isShortId() takes the canonical text alone", () => {
  assert(isShortId("k3df9q2mx7ta41cz"));
  const others = [
    "K3DF9Q2MX7TA41CZ",
    "k3df-9q2m-x7ta-41cz",
    " k3df9q2mx7ta41cz",
    "k3df9q2mx7ta41cz\n",
    ...["i", "l", "o", "u"].map((letter) => `k3df9q2mx7ta41c${letter}`),
  ];
  for (const text of others) assertEquals(isShortId(text), false, text);
});
