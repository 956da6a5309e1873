/**
 * Sealed lines: a known answer made by other means, everything that is altered or stands elsewhere, and words that nobody
 * would take.
 *
 * @module
 */

import { ed25519 } from "@noble/curves/ed25519.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import {
  type Bytes,
  concat,
  copyOf,
  DecryptionError,
  deriveKey,
  equalBytes,
  fromBase64url,
  randomBytes,
  toBase64url,
} from "../../../crypto_utils.ts";
import { importVerifyKey } from "../../../src/crypto/ed25519.ts";
import { padmeLength } from "../../../src/protocol/records.ts";
import type { LineKind, Words } from "../../../src/protocol/line.ts";
import {
  epochOf,
  isSenders,
  lineCipher,
  type LinePlace,
  openLine,
  parseSealed,
  readWords,
  sealLine,
  type Seen,
} from "../../../src/sealed/sealed_line.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "../../kit/assert.ts";
import { flipped, utf8 } from "../../kit/bytes.ts";
import { somebody } from "../../kit/sealed_room.ts";

const ana = await somebody("ana");
const ben = await somebody("ben");
const key = randomBytes(32);
const SEEN: Seen = { seq: 41, value: randomBytes(32) };
const HEAD = 8 + 32 + 64;

function placeOf(change: Partial<LinePlace> = {}): LinePlace {
  const stay = new Uint8Array(8).fill(7);
  const room = new Uint8Array(32).fill(9);
  return { room, e: 3, sender: ana.id, stay, n: 17, ...change };
}

async function seal(
  words: Partial<Words> = {},
  change: Partial<LinePlace> = {},
): Promise<string> {
  const place = placeOf(change);
  const whole: Words = { what: "said", to: null, text: "hello", ...words };
  const cipher = await lineCipher(key, place);
  return await sealLine(whole, place, SEEN, cipher, ana.signing);
}

/** What a line says to somebody who holds it for `place`; why not, if it says nothing. */
async function read(
  text: string,
  change: Partial<LinePlace> = {},
  { verifyKey = ana.signing.verifyKey, contentKey = key } = {},
): Promise<Words | "no line" | "unsigned" | "unopened" | undefined> {
  const sealed = parseSealed(text);
  if (!sealed) return "no line";
  const place = placeOf({ e: sealed.e, ...change });
  const by = await importVerifyKey(verifyKey);
  if (!await isSenders(sealed, place, by)) return "unsigned";
  const cipher = await lineCipher(contentKey, place);
  try {
    return await openLine(sealed, place, cipher);
  } catch (error) {
    if (error instanceof DecryptionError) return "unopened";
    throw error;
  }
}

/** A line of these words that is sealed and signed as it should be, whatever the words. */
async function sealBytes(plaintext: Bytes): Promise<string> {
  return await sealByHand(plaintext, placeOf());
}

/** What `sealLine` does, by other means. */
async function sealByHand(
  plaintext: Bytes,
  { room, e, sender, stay, n }: LinePlace,
): Promise<string> {
  const u64 = (value: number) => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setUint32(4, value);
    return bytes;
  };
  const label = (name: string) => utf8(`encrypted-chat/2\0${name}\0`);
  const info = concat(label("line"), room, sender, stay);
  const raw = copyOf(hkdf(sha256, key, new Uint8Array(), info, 32));
  const aes = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, [
    "encrypt",
  ]);
  const ad = concat(room, u64(e), sender, stay, u64(n));
  const iv = concat(new Uint8Array(4), u64(n));
  const parameters = { name: "AES-GCM", iv, additionalData: ad };
  const ciphertext = new Uint8Array(
    await crypto.subtle.encrypt(parameters, aes, plaintext),
  );
  const head = concat(u64(SEEN.seq), SEEN.value);
  const seed = deriveKey(sha256(utf8("ana")) as Bytes, "sign");
  const signature = ed25519.sign(
    concat(label("line"), ad, head, ciphertext),
    seed,
  );
  return `${e}.${toBase64url(concat(head, signature, ciphertext))}`;
}

/** The plaintext of a line, byte for byte. */
function plain(
  kind: number,
  to: number,
  text: Bytes,
  {
    size = text.length,
    length = padmeLength(Math.max(128, 11 + text.length)),
    fill = 0,
  } = {},
): Bytes {
  const bytes = new Uint8Array(length).fill(fill);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, kind);
  view.setBigUint64(1, BigInt(to));
  view.setUint16(9, size);
  bytes.set(text, 11);
  return bytes;
}

// ── There and back ─────────────────────────────────────────────────────────────────────────────────────

Deno.test("sealLine() makes what the primitives make of the same words", async () => {
  const text = await seal({ what: "replied", to: 42, text: "já 👍" });
  assertEquals(text, await sealBytes(plain(3, 42, utf8("já 👍"))));
  const long = "x".repeat(4_096);
  assertEquals(
    await seal({ text: long }),
    await sealBytes(plain(1, 0, utf8(long))),
  );
});

const OFFER = `${"é".repeat(127)}x (1 bytes, SHA-256 ${"0a".repeat(32)})`;
const WORDS: readonly Words[] = [
  { what: "said", to: null, text: "hello" },
  { what: "acted", to: null, text: "waves" },
  { what: "replied", to: 1, text: "yes" },
  { what: "replied", to: Number.MAX_SAFE_INTEGER, text: "yes" },
  { what: "offered", to: null, text: OFFER },
  { what: "edited", to: 7, text: "hello!" },
  { what: "deleted", to: 7, text: "" },
  { what: "reacted", to: 7, text: "👩🏽‍💻" },
  { what: "reacted", to: 7, text: "" },
  { what: "said", to: null, text: "\ufeff a\n\t\0b\u2028 \ufffd" },
];

Deno.test("openLine() gives back every kind of line, and whatever text is allowed", async () => {
  for (const words of WORDS) assertEquals(await read(await seal(words)), words);
  for (const n of [0, 1]) {
    assertEquals(await read(await seal(WORDS[0], { n }), { n }), WORDS[0]);
  }
});

Deno.test("the longest texts fit into a line of the log, whatever is in them", async () => {
  for (const unit of ["x", '"', "\\", "\nx", "\0\0\0x", "é", "€", "👍"]) {
    const size = utf8(unit).length;
    const text = unit.repeat(4_096 / size) + "x".repeat(4_096 % size);
    const words: Words = { what: "edited", to: 2 ** 53 - 1, text };
    const line = await seal(words, { e: 999_999_999_999_999 });
    assert(line.length <= 6_144, `${line.length}`);
    assertEquals(await read(line), words);
  }
});

Deno.test("lines up to 117 bytes of text have one length", async () => {
  const sizes = [1, 50, 117, 118].map(async (size) =>
    (await seal({ text: "x".repeat(size) })).length
  );
  const [one, half, full, more = 0] = await Promise.all(sizes);
  assertEquals([half, full], [one, one]);
  assert(more > (one ?? more));
});

Deno.test("parseSealed() tells what the sender had seen", async () => {
  const sealed = parseSealed(await seal());
  assertEquals(sealed?.seen, SEEN);
  assertEquals(sealed?.e, 3);
});

// ── What is altered, or stands elsewhere ───────────────────────────────────────────────────────────────

Deno.test("a line with any byte changed is nobody's", async () => {
  const text = await seal();
  const bytes = fromBase64url(text.slice(2));
  for (let at = 0; at < bytes.length; at++) {
    const altered = `3.${toBase64url(flipped(bytes, at))}`;
    // A great number of the line seen is none.
    assertEquals(await read(altered), at === 0 ? "no line" : "unsigned");
  }
  for (const e of [0, 2, 4, 30, 33]) {
    assertEquals(await read(`${e}${text.slice(1)}`), "unsigned");
  }
});

Deno.test("a line is nobody's in another place", async () => {
  const text = await seal();
  const others: Partial<LinePlace>[] = [
    { room: new Uint8Array(32).fill(8) },
    { e: 2 },
    { sender: ben.id },
    { stay: new Uint8Array(8).fill(6) },
    { n: 16 },
    { n: 18 },
  ];
  for (const other of others) {
    const [field = ""] = Object.keys(other);
    assertEquals(await read(text, other), "unsigned", field);
  }
  const { verifyKey } = ben.signing;
  assertEquals(await read(text, {}, { verifyKey }), "unsigned");
  const contentKey = randomBytes(32);
  assertEquals(await read(text, {}, { contentKey }), "unopened");
});

Deno.test("whose ciphertext another member signs as its own says nothing", async () => {
  const sealed = parseSealed(await seal());
  assert(sealed);
  const place = placeOf({ sender: ben.id });
  const cipher = await lineCipher(key, place);
  await assertRejects(() => openLine(sealed, place, cipher), DecryptionError);
});

Deno.test("openLine() doesn't open a line of a number that no key has", async () => {
  const sealed = parseSealed(await seal());
  assert(sealed);
  for (const n of [2 ** 32, Number.MAX_SAFE_INTEGER]) {
    const place = placeOf({ n });
    const cipher = await lineCipher(key, place);
    await assertRejects(() => openLine(sealed, place, cipher), DecryptionError);
  }
});

Deno.test("parseSealed() takes one text alone for a line, and nothing else", async () => {
  const text = await seal();
  assert(parseSealed(text));
  const blob = text.slice(2);
  const wrong = [
    "",
    ".",
    "3.",
    blob,
    `.${blob}`,
    `-1.${blob}`,
    `+3.${blob}`,
    `03.${blob}`,
    `3.0.${blob}`,
    `3e0.${blob}`,
    `9007199254740993.${blob}`,
    ` ${text}`,
    `${text} `,
    `${text}\n`,
    `3. ${blob}`,
    `${text}=`,
    `3.${blob.replace(/[-_]/, "+")}+`,
    `3.${blob.slice(0, 4)} ${blob.slice(4)}`,
    `3.${toBase64url(fromBase64url(blob).slice(0, HEAD + 128 + 15))}`,
    `3.${"A".repeat(6_144)}`,
  ];
  for (const it of wrong) assertEquals(parseSealed(it), undefined, it);
  // Its last character holds bits that are no byte.
  const bytes = fromBase64url(blob);
  const same = [
    ..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
  ]
    .map((last) => blob.slice(0, -1) + last)
    .filter((it) => it !== blob && equalBytes(fromBase64url(it), bytes));
  assertEquals(same.length, 3);
  for (const it of same) assertEquals(parseSealed(`3.${it}`), undefined);
});

Deno.test("epochOf() tells the epoch of a line, and of nothing else", async () => {
  assertEquals(epochOf(await seal({}, { e: 0 })), 0);
  assertEquals(epochOf(await seal({}, { e: 123_456 })), 123_456);
  assertEquals(epochOf(`3.${"A".repeat(6_142)}`), 3);
  assertEquals(epochOf(`3.${"A".repeat(6_143)}`), undefined); // too long
  for (const text of ["", "hello", "3", "3.a b", `3.${"A".repeat(6_144)}`]) {
    assertEquals(epochOf(text), undefined);
  }
});

// ── Words that nobody takes ────────────────────────────────────────────────────────────────────────────

Deno.test("openLine() opens no words that a server would not take in an open room", async () => {
  const yes = utf8("yes");
  const wrong: Record<string, Bytes> = {
    "kind 0": plain(0, 0, yes),
    "kind 8": plain(8, 0, yes),
    "kind 255": plain(255, 0, yes),
    "said to another": plain(1, 7, yes),
    "answer to none": plain(3, 0, yes),
    "edit of none": plain(5, 0, yes),
    "deletion with words": plain(6, 7, yes),
    "deletion of none": plain(6, 0, utf8("")),
    "reaction that is no emoji": plain(7, 7, yes),
    "reaction of two": plain(7, 7, utf8("👍👍")),
    "no text": plain(1, 0, utf8("")),
    "nothing to be seen": plain(1, 0, utf8("\u200b\u2800")),
    "an edit to nothing": plain(5, 7, utf8(" ")),
    "an offer that is none": plain(4, 0, utf8("a.txt")),
    "an offer of a folder": plain(4, 0, utf8(OFFER.replace("é", "/"))),
    "a surrogate": plain(1, 0, new Uint8Array([0xed, 0xa0, 0x80])),
    "no UTF-8": plain(1, 0, new Uint8Array([0x41, 0xff])),
    "too long": plain(1, 0, utf8("x".repeat(4_097))),
    "too short": plain(1, 0, yes, { length: 127 }),
    "too long for it": plain(1, 0, yes, { length: 136 }),
    "no length of Padmé's": plain(1, 0, utf8("x".repeat(120)), { length: 132 }),
    "other padding": plain(1, 0, yes, { fill: 0x20 }),
    "text behind the text": plain(1, 0, utf8("yes"), { size: 2 }),
    "a size beyond the end": plain(1, 0, yes, { size: 200 }),
    "nothing at all": new Uint8Array(128),
    "next to nothing": new Uint8Array(2),
  };
  for (const [name, plaintext] of Object.entries(wrong)) {
    assertEquals(readWords(plaintext), undefined, name);
    if (plaintext.length < 128) continue;
    assertEquals(await read(await sealBytes(plaintext)), undefined, name);
  }
  const great = plain(3, 0, yes);
  new DataView(great.buffer).setBigUint64(1, 2n ** 53n);
  assertEquals(readWords(great), undefined);
  assertEquals(readWords(plain(1, 0, yes))?.text, "yes");
});

Deno.test("sealLine() seals no words that nobody would take", async () => {
  const wrong: Partial<Words>[] = [
    { text: "" },
    { text: "\ud800" },
    { text: "x".repeat(4_097) },
    { to: 7 },
    { what: "replied" },
    ...[0.5, 0, -1].map((to): Partial<Words> => ({ what: "replied", to })),
    { what: "deleted", to: 7 },
    { what: "reacted", to: 7, text: "no" },
    { what: "offered" },
    ...["sealed", "ruled", "joined", "left", "renamed", "constructor"].map(
      (what) => ({ what: what as LineKind }),
    ),
  ];
  for (const words of wrong) {
    const error = await assertRejects(() => seal(words), RangeError);
    assertStringIncludes(error.message, "its words are wrong");
  }
});

Deno.test("sealLine() seals no number twice with a cipher, and none that is less", async () => {
  const cipher = await lineCipher(key, placeOf());
  const sealN = (n: number) =>
    sealLine(
      { what: "said", to: null, text: `${n}` },
      placeOf({ n }),
      SEEN,
      cipher,
      ana.signing,
    );
  const both = [sealN(4), sealN(4)];
  assertEquals((await Promise.allSettled(both)).map(({ status }) => status), [
    "fulfilled",
    "rejected",
  ]);
  const error = "Cannot seal line 3: its number was used";
  await assertRejects(() => sealN(3), RangeError, error);
  assertEquals(await read(await sealN(9), { n: 9 }), {
    what: "said",
    to: null,
    text: "9",
  });
});
