/**
 * Pieces of files in a sealed room: there and back, altered, and from elsewhere.
 *
 * @module
 */

import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import {
  type Bytes,
  concat,
  copyOf,
  DecryptionError,
  randomBytes,
} from "../../../crypto_utils.ts";
import { PIECE_OVERHEAD, PIECE_SIZE } from "../../../src/protocol/offer.ts";
import {
  type OfferPlace,
  openPiece,
  sealPiece,
} from "../../../src/sealed/sealed_piece.ts";
import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";
import { flipped, utf8 } from "../../kit/bytes.ts";

const keys = new Map([[3, randomBytes(32)], [4, randomBytes(32)]]);
const key = keys.get(4) ?? new Uint8Array(32);
const keyOf = (e: number) => Promise.resolve(keys.get(e));
const OFFER: OfferPlace = {
  room: randomBytes(32),
  sender: randomBytes(32),
  stay: randomBytes(8),
  n: 17,
};
const seal = (piece: Bytes, from = 0) =>
  sealPiece(piece, from, OFFER, { e: 4, key });

async function assertShut(
  sealed: Bytes,
  from = 0,
  offer = OFFER,
  of = keyOf,
) {
  await assertRejects(
    () => openPiece(sealed, from, offer, of),
    DecryptionError,
  );
}

Deno.test("a piece comes out as it went in, and is 40 bytes longer meanwhile", async () => {
  for (const size of [0, 1, PIECE_SIZE]) {
    const piece = randomBytes(size);
    const sealed = await seal(piece, 32_768);
    assertEquals(sealed.length, size + PIECE_OVERHEAD);
    assertEquals(await openPiece(sealed, 32_768, OFFER, keyOf), piece);
  }
});

Deno.test("sealPiece() makes what the primitives open", async () => {
  const sealed = await seal(utf8("hello"), 7);
  const number = new Uint8Array(8);
  number[7] = 17;
  const { room, sender, stay } = OFFER;
  const label = utf8("encrypted-chat/2\0file\0");
  const info = concat(label, room, sender, stay, number, sealed.slice(8, 24));
  const raw = copyOf(hkdf(sha256, key, new Uint8Array(), info, 32));
  const aes = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, [
    "decrypt",
  ]);
  const additionalData = new Uint8Array(8);
  additionalData[7] = 7;
  const parameters = { name: "AES-GCM", iv: new Uint8Array(12) };
  const piece = await crypto.subtle.decrypt(
    { ...parameters, additionalData },
    aes,
    sealed.slice(24),
  );
  assertEquals(new Uint8Array(piece), utf8("hello"));
  assertEquals([...sealed.slice(0, 8)], [0, 0, 0, 0, 0, 0, 0, 4]);
});

Deno.test("no two answers are sealed under one key, though they hold the same", async () => {
  const [one, two] = [await seal(utf8("hello")), await seal(utf8("hello"))];
  assert(one.slice(8, 24).toHex() !== two.slice(8, 24).toHex());
  assert(one.slice(24).toHex() !== two.slice(24).toHex());
});

Deno.test("openPiece() opens nothing that is altered, cut short, or of another place", async () => {
  const sealed = await seal(utf8("hello"), 64);
  for (let at = 0; at < sealed.length; at++) {
    await assertShut(flipped(sealed, at), 64);
  }
  for (const size of [0, 8, 24, PIECE_OVERHEAD - 1, sealed.length - 1]) {
    await assertShut(sealed.slice(0, size), 64);
  }
  await assertShut(concat(sealed, new Uint8Array(1)), 64);
  for (const from of [0, 63, 65]) await assertShut(sealed, from);
  const places: Partial<OfferPlace>[] = [
    { room: randomBytes(32) },
    { sender: randomBytes(32) },
    { stay: randomBytes(8) },
    { n: 18 },
  ];
  for (const place of places) {
    await assertShut(sealed, 64, { ...OFFER, ...place });
  }
});

Deno.test("openPiece() opens nothing of an epoch whose key it does not have", async () => {
  const sealed = await seal(utf8("hello"));
  await assertShut(sealed, 0, OFFER, () => Promise.resolve(undefined));
  await assertShut(sealed, 0, OFFER, () => keyOf(3));
  const far = sealed.slice();
  far.fill(0xff, 0, 8);
  const asked: number[] = [];
  await assertShut(far, 0, OFFER, (e) => {
    asked.push(e);
    return keyOf(4);
  });
  assertEquals(asked, []);
});

Deno.test("who has the offer's content key alone opens no piece that is passed on later", async () => {
  const before = keys.get(3);
  const sealed = await seal(utf8("hello"));
  await assertShut(
    sealed,
    0,
    OFFER,
    (e) => Promise.resolve(e <= 3 ? before : undefined),
  );
});
