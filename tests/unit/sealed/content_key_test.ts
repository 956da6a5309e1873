/**
 * Content keys: known answers made by other means, wraps for somebody else, and the way back to older ones.
 *
 * @module
 */

import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { ml_kem768_x25519 } from "@noble/post-quantum/hybrid.js";
import {
  type Bytes,
  concat,
  copyOf,
  DecryptionError,
  fromBase64url,
  randomBytes,
  toBase64url,
} from "../../../crypto_utils.ts";
import { readCard } from "../../../src/crypto/identity.ts";
import { xwingKey } from "../../../src/crypto/xwing.ts";
import {
  type Anchor,
  BLOB_SIZE,
  commitment,
  ContentKeys,
  freshContentKey,
  type KeyEpoch,
  openBack,
  openBlob,
  openWrap,
  sealBack,
  sealBlob,
  sealWrap,
  WRAP_SIZE,
  type Wrapping,
} from "../../../src/sealed/content_key.ts";
import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";
import { flipped, utf8 } from "../../kit/bytes.ts";
import { somebody } from "../../kit/sealed_room.ts";

const ana = await somebody("ana");
const ben = await somebody("ben");
const cleo = await somebody("cleo");
const room = randomBytes(32);
const other = randomBytes(32);
const key = freshContentKey();
const PLACE: Wrapping = { room, e: 5, by: ana.id, to: ben.id };
const sealKeyOf = async ({ sealSeed }: typeof ana) => await xwingKey(sealSeed);

const label = (name: string) => utf8(`encrypted-chat/2\0${name}\0`);
const u64 = (value: number) => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(4, value);
  return bytes;
};

/** KDF and AES-256-GCM under nonce zero, by other means. */
async function aes(secret: Uint8Array, ...info: Uint8Array[]) {
  const none = new Uint8Array();
  const raw = copyOf(hkdf(sha256, secret, none, concat(...info), 32));
  const usages = ["encrypt", "decrypt"] as const;
  const aesKey = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, [
    ...usages,
  ]);
  const parameters = { name: "AES-GCM", iv: new Uint8Array(12) };
  return {
    seal: async (text: Bytes) =>
      new Uint8Array(await crypto.subtle.encrypt(parameters, aesKey, text)),
    open: async (text: Bytes) =>
      new Uint8Array(await crypto.subtle.decrypt(parameters, aesKey, text)),
  };
}

async function assertShut(open: () => Promise<unknown>, what = "") {
  await assertRejects(open, DecryptionError, "Cannot open", what);
}

// ── Known answers ──────────────────────────────────────────────────────────────────────────────────────

Deno.test("commitment() is the digest of label, room, epoch and key", () => {
  const digest = sha256(concat(label("commit"), room, u64(5), key));
  assertEquals(commitment(PLACE, key), toBase64url(digest));
  assert(commitment({ room, e: 6 }, key) !== commitment(PLACE, key));
  assert(commitment({ room: other, e: 5 }, key) !== commitment(PLACE, key));
});

Deno.test("sealBack() and sealBlob() make what the primitives make", async () => {
  const before = freshContentKey();
  const back = await aes(key, label("back"), room, u64(5));
  assertEquals(
    await sealBack(PLACE, before, key),
    toBase64url(await back.seal(before)),
  );
  const secret = randomBytes(32);
  const blob = await aes(secret, label("blob"));
  const digest = randomBytes(32);
  assertEquals(
    await sealBlob({ room, seq: 77, digest }, secret),
    toBase64url(await blob.seal(concat(room, u64(77), digest))),
  );
});

Deno.test("sealWrap() makes what X-Wing and HKDF open", async () => {
  const { sealKey } = readCard(ben.card);
  const bytes = fromBase64url(await sealWrap(PLACE, key, sealKey));
  assertEquals(bytes.length, WRAP_SIZE);
  assertEquals(WRAP_SIZE, 1_168);
  const enc = bytes.slice(0, 1_120);
  const { secretKey } = ml_kem768_x25519.keygen(ben.sealSeed);
  const secret = ml_kem768_x25519.decapsulate(enc, secretKey);
  const { open } = await aes(
    secret,
    label("wrap"),
    enc,
    room,
    u64(5),
    ana.id,
    ben.id,
  );
  assertEquals(await open(bytes.slice(1_120)), key);
});

// ── Wraps ──────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("openWrap() gives the key to its recipient, and to nobody else", async () => {
  const wrap = await sealWrap(PLACE, key, readCard(ben.card).sealKey);
  const commit = commitment(PLACE, key);
  const mine = await sealKeyOf(ben);
  assertEquals(await openWrap(PLACE, wrap, mine, commit), key);
  const places: Partial<Wrapping>[] = [
    { room: other },
    { e: 4 },
    { e: 6 },
    { by: cleo.id },
    { to: cleo.id },
    { by: ben.id, to: ana.id },
  ];
  for (const place of places) {
    const wrong = { ...PLACE, ...place };
    await assertShut(() => openWrap(wrong, wrap, mine, commitment(wrong, key)));
  }
  for (const who of [ana, cleo]) {
    const theirs = await sealKeyOf(who);
    await assertShut(() => openWrap(PLACE, wrap, theirs, commit));
  }
});

Deno.test("openWrap() takes no key that the line of its epoch does not commit to", async () => {
  const { sealKey } = readCard(ben.card);
  const forged = await sealWrap(PLACE, freshContentKey(), sealKey);
  const mine = await sealKeyOf(ben);
  await assertShut(() => openWrap(PLACE, forged, mine, commitment(PLACE, key)));
  const wrap = await sealWrap(PLACE, key, sealKey);
  for (const commit of ["", commitment({ room, e: 4 }, key)]) {
    await assertShut(() => openWrap(PLACE, wrap, mine, commit));
  }
});

Deno.test("openWrap() opens no wrap with any byte changed, and none that is cut or longer", async () => {
  const bytes = fromBase64url(
    await sealWrap(PLACE, key, readCard(ben.card).sealKey),
  );
  const commit = commitment(PLACE, key);
  const mine = await sealKeyOf(ben);
  const open = (wrap: string) => () => openWrap(PLACE, wrap, mine, commit);
  for (let at = 0; at < bytes.length; at++) {
    await assertShut(open(toBase64url(flipped(bytes, at))), `byte ${at}`);
  }
  await assertShut(open(toBase64url(bytes.slice(1))));
  await assertShut(open(toBase64url(concat(bytes, new Uint8Array(1)))));
  for (const text of ["", "?", "A".repeat(1_558), "A".repeat(1_557)]) {
    await assertShut(open(text));
  }
});

Deno.test("openWrap() says of an X25519 key of low order only that it does not open", async () => {
  const bytes = fromBase64url(
    await sealWrap(PLACE, key, readCard(ben.card).sealKey),
  );
  for (const low of [0, 1]) {
    const point = new Uint8Array(32);
    point[0] = low;
    bytes.set(point, 1_088);
    const mine = await sealKeyOf(ben);
    const wrap = toBase64url(bytes);
    await assertShut(() => openWrap(PLACE, wrap, mine, commitment(PLACE, key)));
  }
});

Deno.test("two wraps of a key for one person have nothing in common", async () => {
  const { sealKey } = readCard(ben.card);
  const [one, two] = await Promise.all(
    [1, 2].map(async () => fromBase64url(await sealWrap(PLACE, key, sealKey))),
  );
  assert(one && two);
  for (const [from, to] of [[0, 32], [1_088, 1_120], [1_120, 1_168]] as const) {
    assert(one.slice(from, to).toHex() !== two.slice(from, to).toHex());
  }
});

// ── Blobs ──────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("openBlob() gives what the invite says of its room, to who has the link", async () => {
  const secret = randomBytes(32);
  const anchor: Anchor = { room, seq: 123_456, digest: randomBytes(32) };
  const blob = await sealBlob(anchor, secret);
  assertEquals(fromBase64url(blob).length, BLOB_SIZE);
  assertEquals(await openBlob(blob, secret), anchor);
  await assertShut(() => openBlob(blob, randomBytes(32)));
  const bytes = fromBase64url(blob);
  for (let at = 0; at < bytes.length; at++) {
    const altered = toBase64url(flipped(bytes, at));
    await assertShut(() => openBlob(altered, secret), `byte ${at}`);
  }
  for (const text of ["", "?", blob.slice(2), `${blob}AA`]) {
    await assertShut(() => openBlob(text, secret));
  }
});

Deno.test("openBlob() takes no number that no line has", async () => {
  const secret = randomBytes(32);
  const { seal } = await aes(secret, label("blob"));
  const far = new Uint8Array(8).fill(0xff);
  const blob = toBase64url(await seal(concat(room, far, key)));
  await assertShut(() => openBlob(blob, secret));
});

// ── The way back ───────────────────────────────────────────────────────────────────────────────────────

/** Content keys of so many epochs, and what the control lines tell of them. */
async function epochsOf(count: number) {
  const keys: Bytes[] = [];
  const epochs: KeyEpoch[] = [];
  for (let e = 0; e < count; e++) {
    const fresh = freshContentKey();
    const before = keys.at(-1);
    const back = before && await sealBack({ room, e }, before, fresh);
    const commit = commitment({ room, e }, fresh);
    epochs.push({ commit, back, backTo: e - 1 });
    keys.push(fresh);
  }
  return { keys, epochs };
}

Deno.test("who has a content key has all before it, and none after it", async () => {
  const { keys, epochs } = await epochsOf(21);
  const mine = new ContentKeys();
  assertEquals(mine.highest, -1);
  assertEquals(await mine.get(0, room, epochs), undefined);
  mine.add(15, keys[15] ?? room);
  for (const e of [15, 3, 0, 14]) {
    assertEquals(await mine.get(e, room, epochs), keys[e], `${e}`);
  }
  for (const e of [16, 20, 21, -1]) {
    assertEquals(await mine.get(e, room, epochs), undefined, `${e}`);
  }
  mine.add(20, keys[20] ?? room);
  assertEquals(mine.highest, 20);
  assertEquals(await mine.get(17, room, epochs), keys[17]);
});

Deno.test("a back that is false leads to no key, and hides none that is known", async () => {
  const { keys, epochs } = await epochsOf(6);
  const [, , , third = room] = keys;
  const place = { room, e: 3 };
  const falseBacks = [
    undefined,
    "",
    "?",
    await sealBack(place, freshContentKey(), third), // not what epoch 2 commits to
    await sealBack({ room: other, e: 3 }, keys[2] ?? room, third),
    await sealBack({ room, e: 2 }, keys[2] ?? room, third),
  ];
  for (const back of falseBacks) {
    const told = epochs.with(3, {
      commit: epochs[3]?.commit ?? "",
      back,
      backTo: 2,
    });
    const mine = new ContentKeys();
    mine.add(5, keys[5] ?? room);
    assertEquals(await mine.get(3, room, told), third);
    assertEquals(await mine.get(2, room, told), undefined, `${back}`);
    mine.add(1, keys[1] ?? room);
    assertEquals(await mine.get(1, room, told), keys[1]);
    assertEquals(await mine.get(0, room, told), keys[0]);
  }
});

Deno.test("a key may lead back over epochs whose keys nobody has", async () => {
  const { keys, epochs } = await epochsOf(4);
  const fresh = freshContentKey();
  const place = { room, e: 4 };
  const back = await sealBack(place, keys[1] ?? room, fresh);
  const commit = commitment(place, fresh);
  const mine = new ContentKeys();
  mine.add(4, fresh);
  const told = [...epochs, { commit, back, backTo: 1 }];
  const got = await Promise.all(
    [0, 1, 2, 3, 4].map((e) => mine.get(e, room, told)),
  );
  assertEquals(got, [keys[0], keys[1], undefined, undefined, fresh]);
});

Deno.test("a key that an epoch does not commit to is given to nobody", async () => {
  const { keys, epochs } = await epochsOf(3);
  const mine = new ContentKeys();
  mine.add(2, freshContentKey()); // as after a restored backup, when the room went another way
  assertEquals(await mine.get(2, room, epochs), undefined);
  assertEquals(await mine.get(1, room, epochs), undefined);
  mine.add(2, keys[2] ?? room);
  assertEquals(await mine.get(1, room, epochs), keys[1]);
});

Deno.test("openBack() opens no back with any byte changed, or of another room, epoch or key", async () => {
  const before = freshContentKey();
  const back = await sealBack(PLACE, before, key);
  assertEquals(await openBack(PLACE, back, key), before);
  const bytes = fromBase64url(back);
  for (let at = 0; at < bytes.length; at++) {
    const altered = toBase64url(flipped(bytes, at));
    await assertShut(() => openBack(PLACE, altered, key));
  }
  await assertShut(() => openBack({ room: other, e: 5 }, back, key));
  await assertShut(() => openBack({ room, e: 6 }, back, key));
  await assertShut(() => openBack(PLACE, back, before));
});
