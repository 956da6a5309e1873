/**
 * Private messages: their recipient and their sender open them, as they were written; nobody else does, and nothing
 * that was altered, moved or made up opens.
 *
 * @module
 */

import {
  type Bytes,
  CipherState,
  concat,
  DecryptionError,
  deriveKey,
  encryptMessage,
  fromBase64url,
  hkdf,
  labelled,
  randomBytes,
  toBase64url,
  uint64,
} from "../../../crypto_utils.ts";
import { importVerifyKey, sign, verify } from "../../../src/crypto/ed25519.ts";
import { type Identity, readCard } from "../../../src/crypto/identity.ts";
import { fullId } from "../../../src/crypto/person_id.ts";
import { xwingEncapsulate, xwingKey } from "../../../src/crypto/xwing.ts";
import {
  openPrivate,
  type PrivateMessage,
  sealPrivate,
} from "../../../src/sealed/private_message.ts";
import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";
import { utf8 } from "../../kit/bytes.ts";
import { newIdentity, newStay } from "../../kit/people.ts";

const [ana, bo, eve] = await Promise.all([
  newIdentity(),
  newIdentity(),
  newIdentity(),
]);
const room = randomBytes(32);
const stay = newStay();
const time = 1_795_435_200_000;

function cardOf({ card }: Identity) {
  return readCard(card);
}

function written(text: string, n = 1): Omit<PrivateMessage, "to"> {
  return { stay, n, time, text };
}

const sealed = await sealPrivate(ana, cardOf(bo), room, written("at nine"));
const expected = { to: fullId(bo.id), ...written("at nine") };

function refused(
  self: Identity,
  from: Identity,
  data: Bytes,
  where = room,
): Promise<unknown> {
  const open = () => openPrivate(self, cardOf(from), where, data);
  return assertRejects(open, DecryptionError, "Cannot open the message");
}

Deno.test("a private message is opened by its recipient, and its copy by its sender", async () => {
  const { data, own } = sealed;
  assertEquals(await openPrivate(bo, cardOf(ana), room, data), expected);
  assertEquals(await openPrivate(ana, cardOf(ana), room, own), expected);
});

Deno.test("nobody else opens it: neither the sender the recipient's, nor the recipient the copy, nor anybody any", async () => {
  const { data, own } = sealed;
  await refused(ana, ana, data);
  await refused(bo, ana, own);
  await refused(eve, ana, data);
  await refused(eve, ana, own);
});

Deno.test("a message doesn't open as another sender's, as one's own, or in another room", async () => {
  const { data, own } = sealed;
  await refused(bo, eve, data);
  await refused(bo, bo, data);
  await refused(ana, bo, own);
  await refused(bo, ana, data, randomBytes(32));
  await refused(ana, ana, own, randomBytes(32));
});

Deno.test("a message that is altered at any byte, or cut short, doesn't open", async () => {
  for (const [self, data] of [[bo, sealed.data], [ana, sealed.own]] as const) {
    for (let place = 0; place < data.length; place++) {
      const altered = data.slice();
      altered[place] = (altered[place] ?? 0) ^ 1 << place % 8;
      await refused(self, ana, altered);
    }
    for (const size of [0, 1, 1_119, 1_120, 1_135, 1_136, data.length - 1]) {
      await refused(self, ana, data.slice(0, size));
    }
    await refused(self, ana, concat(data, new Uint8Array(1)));
    // A key of low order, with which everybody would agree on the same.
    await refused(self, ana, data.slice().fill(0, 1_088, 1_120));
  }
});

Deno.test("a message by somebody whose card has no proper key for signatures doesn't open", async () => {
  const from = { ...cardOf(ana), verifyKey: randomBytes(31) };
  const open = () => openPrivate(bo, from, room, sealed.data);
  await assertRejects(open, DecryptionError);
});

Deno.test("texts of up to 4,096 bytes come as they were, and short ones have all the same length", async () => {
  const texts = ["a", "b".repeat(134), "c".repeat(135), "é".repeat(2_048)];
  const sizes: number[] = [];
  for (const text of [...texts, "two\nlines 👍"]) {
    const { data, own } = await sealPrivate(
      ana,
      cardOf(bo),
      room,
      written(text),
    );
    assertEquals(data.length, own.length);
    sizes.push(data.length);
    const { text: opened } = await openPrivate(bo, cardOf(ana), room, data);
    assertEquals(opened, text);
  }
  assertEquals(sizes, [1_392, 1_392, 1_408, 5_488, 1_392]);
});

// ── By hand, as docs/protocol.md has it ──────────────────────────────────────────────────────────────────

/** The content of a message, from its parts. */
function contentOf(parts: {
  readonly to: Bytes;
  readonly n: bigint;
  readonly time: bigint;
  readonly signature: Bytes;
  readonly text: Bytes;
  readonly size?: number;
  readonly whole?: number;
}): Bytes {
  const { to, n, time, signature, text, size = text.length } = parts;
  const numbers = new Uint8Array(18);
  const view = new DataView(numbers.buffer);
  view.setBigUint64(0, n);
  view.setBigInt64(8, time);
  view.setUint16(16, size);
  const head = concat(to, fromBase64url(stay), numbers.subarray(0, 16));
  const all = concat(head, signature, numbers.subarray(16), text);
  const whole = new Uint8Array(parts.whole ?? Math.max(256, all.length));
  whole.set(all.subarray(0, whole.length));
  return whole;
}

/** Seals a content to somebody as some sender. */
async function sealByHand(
  to: Identity,
  from: Identity,
  content: Bytes,
): Promise<Bytes> {
  const { sealKey } = cardOf(to);
  const { ciphertext, secret } = await xwingEncapsulate(sealKey);
  const key = deriveKey(secret, "private", ciphertext, from.id, to.id);
  const cipher = await CipherState.create(key);
  return concat(ciphertext, await encryptMessage(cipher, content));
}

function signByHand(
  by: Identity,
  { from, to, n = 1n, at = BigInt(time), text, where = room }: {
    readonly from: Identity;
    readonly to: Identity;
    readonly n?: bigint;
    readonly at?: bigint;
    readonly text: Bytes;
    readonly where?: Bytes;
  },
): Promise<Bytes> {
  const numbers = new Uint8Array(16);
  const view = new DataView(numbers.buffer);
  view.setBigUint64(0, n);
  view.setBigInt64(8, at);
  const fields = [from.id, to.id, where, fromBase64url(stay), numbers, text];
  return sign(by.signing, labelled("private", ...fields));
}

Deno.test("a message is made as docs/protocol.md has it", async () => {
  const { data } = sealed;
  const ciphertext = data.slice(0, 1_120);
  const key = await xwingKey(bo.sealSeed);
  const secret = await key.decapsulate(ciphertext);
  const info = concat(
    utf8("encrypted-chat/2\0private\0"),
    ciphertext,
    ana.id,
    bo.id,
  );
  const raw = hkdf(secret, new Uint8Array(0), info, 32);
  const aes = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, [
    "decrypt",
  ]);
  const parameters = { name: "AES-GCM", iv: new Uint8Array(12) };
  const content = new Uint8Array(
    await crypto.subtle.decrypt(parameters, aes, data.slice(1_120)),
  );
  const text = utf8("at nine");
  const signature = content.slice(56, 120);
  const parts = { to: bo.id, n: 1n, time: BigInt(time), signature, text };
  assertEquals(content, contentOf(parts));
  const signed = concat(
    utf8("encrypted-chat/2\0private\0"),
    ...[ana.id, bo.id, room, fromBase64url(stay), uint64(1), uint64(time)],
    text,
  );
  const verifyKey = await importVerifyKey(ana.signing.verifyKey);
  assert(await verify(verifyKey, signature, signed));
});

Deno.test("a message that was made by hand opens, so that those below fail for what is wrong in them", async () => {
  const text = utf8("hello");
  const signature = await signByHand(ana, { from: ana, to: bo, text });
  const parts = { to: bo.id, n: 1n, time: BigInt(time), signature, text };
  const data = await sealByHand(bo, ana, contentOf(parts));
  const { text: opened } = await openPrivate(bo, cardOf(ana), room, data);
  assertEquals(opened, "hello");
});

Deno.test("words that the sender has not signed for this recipient, room, number and time are not taken", async () => {
  const text = utf8("hello");
  const right = { from: ana, to: bo, text };
  const signatures = [
    await signByHand(eve, right), // by another
    await signByHand(ana, { ...right, to: eve }), // for another, who passes it on
    await signByHand(ana, { ...right, from: eve }),
    await signByHand(ana, { ...right, n: 2n }),
    await signByHand(ana, { ...right, at: BigInt(time) + 1n }),
    await signByHand(ana, { ...right, text: utf8("hellO") }),
    await signByHand(ana, { ...right, where: randomBytes(32) }),
    new Uint8Array(64),
  ];
  for (const signature of signatures) {
    const parts = { to: bo.id, n: 1n, time: BigInt(time), signature, text };
    await refused(bo, ana, await sealByHand(bo, ana, contentOf(parts)));
  }
});

Deno.test("what was written to one is not taken by another to whom that one passes it on", async () => {
  const text = utf8("meet me");
  const signature = await signByHand(ana, { from: ana, to: bo, text });
  const parts = { to: bo.id, n: 1n, time: BigInt(time), signature, text };
  await refused(eve, ana, await sealByHand(eve, ana, contentOf(parts)));
});

Deno.test("a content that no client makes is not taken, though its sender has signed it", async () => {
  const make = async (
    { n = 1n, at = BigInt(time), text = utf8("hello"), size, whole }: {
      readonly n?: bigint;
      readonly at?: bigint;
      readonly text?: Bytes;
      readonly size?: number;
      readonly whole?: number;
    },
  ) => {
    const signature = await signByHand(ana, { from: ana, to: bo, n, at, text });
    const shown = size === undefined ? {} : { size };
    const filled = whole === undefined ? {} : { whole };
    const parts = { to: bo.id, n, time: at, signature, text };
    return await sealByHand(
      bo,
      ana,
      contentOf({ ...parts, ...shown, ...filled }),
    );
  };
  for (
    const wrong of [
      { n: 0n },
      { n: 2n ** 53n },
      { at: 8_640_000_000_000_001n },
      { at: -8_640_000_000_000_001n },
      { text: utf8("") },
      { text: utf8(" \u200b\n") },
      { text: Uint8Array.of(0xff) },
      { text: Uint8Array.fromHex("eda080") }, // half a surrogate pair
      { text: utf8("x".repeat(4_097)) },
      { size: 4 },
      { size: 6 },
      { size: 65_535 },
      { text: utf8("x".repeat(134)), size: 140 }, // more than there is
      { whole: 255 },
      { whole: 257 },
      { whole: 512 },
      { whole: 100 },
    ]
  ) await refused(bo, ana, await make(wrong));
  const greatest = { n: 2n ** 53n - 1n, at: 8_640_000_000_000_000n };
  const opened = await openPrivate(
    bo,
    cardOf(ana),
    room,
    await make(greatest),
  );
  assertEquals([opened.n, opened.time], [2 ** 53 - 1, 8.64e15]);
});

Deno.test("padding that isn't zeros is not taken", async () => {
  const text = utf8("hello");
  const signature = await signByHand(ana, { from: ana, to: bo, text });
  const parts = { to: bo.id, n: 1n, time: BigInt(time), signature, text };
  const content = contentOf(parts);
  content[255] = 1;
  await refused(bo, ana, await sealByHand(bo, ana, content));
});

Deno.test("nothing is sealed twice to the same bytes", async () => {
  const again = await sealPrivate(ana, cardOf(bo), room, written("at nine"));
  const starts = [sealed.data, sealed.own, again.data, again.own]
    .map((it) => toBase64url(it.subarray(0, 32)));
  assertEquals(new Set(starts).size, 4);
});
