/**
 * Broadcasts of an epoch: who can open them, from when on, and what is refused.
 *
 * @module
 */

import {
  type Bytes,
  CipherState,
  concat,
  DecryptionError,
  decryptMessage,
  encryptMessage,
  equalBytes,
  hkdf,
  PROTOCOL_NAME,
  randomBytes,
  SIGNATURE_SIZE,
  TAG_SIZE,
} from "../../../crypto_utils.ts";
import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";
import { flipped, utf8 } from "../../kit/bytes.ts";
import { isWiped, keysSeen } from "../../kit/private_keys.ts";
import {
  Epoch,
  EpochReader,
  type EpochSecret,
} from "../../../src/crypto/epoch.ts";

const subtle = crypto.subtle;
const HEADER = utf8("header");

/** A server's epoch and a member who has followed it from the start. */
async function room(
  number = 1,
): Promise<{ serverKey: Bytes; epoch: Epoch; reader: EpochReader }> {
  const serverKey = randomBytes(32);
  const epoch = await Epoch.fresh(serverKey, number);
  const reader = await EpochReader.create(serverKey, epoch.describe());
  return { serverKey, epoch, reader };
}

function assertRefused(pending: Promise<unknown>): Promise<Error> {
  return assertRejects(
    () => pending,
    DecryptionError,
    "Cannot open the message",
  );
}

/** What the documentation says that a signature covers. */
function signedBytes(
  serverKey: Bytes,
  number: number,
  counter: number,
  ciphertext: Bytes,
): Bytes {
  const numbers = new DataView(new ArrayBuffer(16));
  numbers.setBigUint64(0, BigInt(number));
  numbers.setBigUint64(8, BigInt(counter));
  return concat(
    utf8(PROTOCOL_NAME),
    serverKey,
    new Uint8Array(numbers.buffer),
    ciphertext,
  );
}

// ── What is opened ─────────────────────────────────────────────────────────────────────────────────────

Deno.test("EpochReader.open() opens what Epoch.seal() sealed, and both counters advance", async () => {
  const { epoch, reader } = await room();
  for (let counter = 0; counter < 5; counter++) {
    assertEquals(epoch.counter, counter);
    assertEquals(epoch.describe().counter, counter);
    const message = randomBytes(100 * counter);
    const sealed = await epoch.seal(message, HEADER);
    assertEquals(sealed.length, message.length + TAG_SIZE + SIGNATURE_SIZE);
    assertEquals(await reader.open(sealed, HEADER), message);
  }
});

Deno.test("Epoch.seal() gives broadcasts asked for at once the numbers of their order", async () => {
  const { epoch, reader } = await room();
  const messages = Array.from({ length: 50 }, (_, at) => utf8(`${at}`));
  const sealed = await Promise.all(
    messages.map((message) => epoch.seal(message, HEADER)),
  );
  const opened = await Promise.all(
    sealed.map((broadcast) => reader.open(broadcast, HEADER)),
  );
  assertEquals(opened, messages);
});

Deno.test("Epoch.seal() signs protocol, server key, epoch, counter and ciphertext", async () => {
  const { serverKey, epoch } = await room(2 ** 32 + 5);
  const { number, verifyKey } = epoch.describe();
  const key = await subtle.importKey("raw", verifyKey, "Ed25519", false, [
    "verify",
  ]);
  for (const counter of [0, 1, 2]) {
    const sealed = await epoch.seal(utf8("text"), HEADER);
    const ciphertext = sealed.subarray(0, -SIGNATURE_SIZE);
    const signature = sealed.slice(-SIGNATURE_SIZE);
    const verify = (number: number, counter: number) =>
      subtle.verify(
        "Ed25519",
        key,
        signature,
        signedBytes(serverKey, number, counter, ciphertext),
      );
    assert(await verify(number, counter));
    assert(!await verify(number, counter + 1));
    assert(!await verify(number + 1, counter));
  }
});

Deno.test("Epoch.fresh() has keys of its own each time", async () => {
  const serverKey = randomBytes(32);
  const first = (await Epoch.fresh(serverKey, 1)).describe();
  const second = (await Epoch.fresh(serverKey, 1)).describe();
  assertEquals(first.key.length, 32);
  assert(!equalBytes(first.key, second.key));
  assert(!equalBytes(first.verifyKey, second.verifyKey));
});

Deno.test("EpochReader.create() follows from the next broadcast on", async () => {
  const { serverKey, epoch } = await room();
  const before = await epoch.seal(utf8("before"), HEADER);
  const late = await EpochReader.create(serverKey, epoch.describe());
  await assertRefused(late.open(before, HEADER));
  const after = await epoch.seal(utf8("after"), HEADER);
  assertEquals(await late.open(after, HEADER), utf8("after"));
});

// ── Ratchets and fresh epochs ──────────────────────────────────────────────────────────────────────────

Deno.test("EpochReader.ratchet() follows Epoch.ratchet()", async () => {
  let { epoch, reader } = await room(7);
  for (const number of [8, 9, 10]) {
    await reader.open(await epoch.seal(utf8("old"), HEADER), HEADER);
    epoch = await epoch.ratchet();
    reader = await reader.ratchet();
    assertEquals(epoch.number, number);
    assertEquals(epoch.counter, 0);
    const sealed = await epoch.seal(utf8("new"), HEADER);
    assertEquals(await reader.open(sealed, HEADER), utf8("new"));
  }
});

Deno.test("Epoch.ratchet() makes the key by HKDF and keeps the verify key", async () => {
  const { epoch } = await room();
  const before = epoch.describe();
  const after = (await epoch.ratchet()).describe();
  const info = utf8(`${PROTOCOL_NAME} ratchet`);
  assertEquals(after.key, hkdf(before.key, new Uint8Array(0), info, 32));
  assert(!equalBytes(after.key, before.key));
  assertEquals(after.verifyKey, before.verifyKey);
  assertEquals(after.number, before.number + 1);
  assertEquals(after.counter, 0);
});

Deno.test("Epoch.ratchet() and EpochReader.ratchet() leave nothing of the key that they replaced, which seals and opens nothing more", async () => {
  const { given, keys } = await keysSeen(async () => {
    const { epoch, reader } = await room();
    const late = await epoch.seal(utf8("late"), HEADER);
    await epoch.ratchet();
    await reader.ratchet();
    assert(isWiped(epoch.describe().key));
    await assertRejects(() => epoch.seal(utf8("more"), HEADER), RangeError);
    await assertRefused(reader.open(late, HEADER));
  });
  assertEquals(given.map(isWiped), [true, true, false, false]);
  assert(!keys.some(({ extractable }) => extractable));
});

Deno.test("EpochReader.ratchet() leaves no copy of the key that it goes on with", async () => {
  const { reader } = await room();
  const { ratchet } = CipherState.prototype;
  const made: Bytes[] = [];
  CipherState.prototype.ratchet = function (info) {
    const key = ratchet.call(this, info);
    made.push(key);
    return key;
  };
  try {
    await reader.ratchet();
  } finally {
    CipherState.prototype.ratchet = ratchet;
  }
  assertEquals(made.map(isWiped), [true]);
});

Deno.test("EpochReader refuses, after a ratchet, what was sealed before it", async () => {
  const { serverKey, epoch, reader } = await room();
  const old = await epoch.seal(utf8("old"), HEADER);
  const next = await epoch.ratchet();
  const joined = await EpochReader.create(serverKey, next.describe());
  await assertRefused(joined.open(old, HEADER));
  const followed = await reader.ratchet();
  await assertRefused(followed.open(old, HEADER));

  // The ciphertext alone doesn't open either, so that it isn't only the signature that keeps it closed.
  const { key } = next.describe();
  const ciphertext = old.subarray(0, -SIGNATURE_SIZE);
  await assertRefused(
    decryptMessage(await CipherState.create(key), ciphertext, HEADER),
  );
  const sealed = await next.seal(utf8("new"), HEADER);
  assertEquals(await joined.open(sealed, HEADER), utf8("new"));
  assertEquals(await followed.open(sealed, HEADER), utf8("new"));
});

Deno.test("EpochReader refuses what a ratchet it didn't follow has sealed", async () => {
  const { epoch, reader } = await room();
  const next = await epoch.ratchet();
  await assertRefused(
    reader.open(await next.seal(utf8("new"), HEADER), HEADER),
  );
});

Deno.test("EpochReader refuses a fresh epoch's broadcasts, ratcheted or not", async () => {
  const { serverKey, epoch, reader } = await room();
  const fresh = await Epoch.fresh(serverKey, epoch.number + 1);
  const sealed = await fresh.seal(utf8("without you"), HEADER);
  await assertRefused(reader.open(sealed, HEADER));
  await assertRefused((await reader.ratchet()).open(sealed, HEADER));
});

Deno.test("EpochReader of a fresh epoch refuses the old one's broadcasts", async () => {
  const { serverKey, epoch } = await room();
  const old = await epoch.seal(utf8("old"), HEADER);
  const fresh = await Epoch.fresh(serverKey, epoch.number + 1);
  const reader = await EpochReader.create(serverKey, fresh.describe());
  await assertRefused(reader.open(old, HEADER));
});

// ── What is refused ────────────────────────────────────────────────────────────────────────────────────

Deno.test("EpochReader.open() refuses a broadcast with any one byte altered", async () => {
  const { serverKey, epoch } = await room();
  const secret = epoch.describe();
  const sealed = await epoch.seal(utf8("text"), HEADER);
  for (let at = 0; at < sealed.length; at++) {
    const reader = await EpochReader.create(serverKey, secret);
    await assertRefused(reader.open(flipped(sealed, at), HEADER));
  }
  const reader = await EpochReader.create(serverKey, secret);
  assertEquals(await reader.open(sealed, HEADER), utf8("text"));
});

Deno.test("EpochReader.open() refuses a broadcast cut short or made longer", async () => {
  const { serverKey, epoch } = await room();
  const secret = epoch.describe();
  const sealed = await epoch.seal(utf8("text"), HEADER);
  const open = async (bytes: Bytes) => {
    const reader = await EpochReader.create(serverKey, secret);
    return await reader.open(bytes, HEADER);
  };
  for (let size = 0; size < sealed.length; size++) {
    await assertRefused(open(sealed.subarray(0, size)));
  }
  await assertRefused(open(new Uint8Array([...sealed, 0])));
  assertEquals(await open(sealed), utf8("text"));
});

Deno.test("EpochReader.open() refuses broadcasts replayed, out of order or left out", async () => {
  const { serverKey, epoch } = await room();
  const secret = epoch.describe();
  const first = await epoch.seal(utf8("first"), HEADER);
  const second = await epoch.seal(utf8("second"), HEADER);
  const skipping = await EpochReader.create(serverKey, secret);
  await assertRefused(skipping.open(second, HEADER));
  const replaying = await EpochReader.create(serverKey, secret);
  await replaying.open(first, HEADER);
  await assertRefused(replaying.open(first, HEADER));
});

Deno.test("EpochReader.open() refuses other associated data", async () => {
  const { epoch, reader } = await room();
  const sealed = await epoch.seal(utf8("text"), HEADER);
  await assertRefused(reader.open(sealed, utf8("Header")));
  await assertRefused(reader.open(sealed, new Uint8Array(0)));
  assertEquals(await reader.open(sealed, HEADER), utf8("text"));
});

Deno.test("EpochReader.open() refuses another server's broadcast, the epoch's secret notwithstanding", async () => {
  const { serverKey, epoch } = await room();
  const sealed = await epoch.seal(utf8("text"), HEADER);
  const secret = { ...epoch.describe(), counter: 0 };
  for (const other of [randomBytes(32), flipped(serverKey, 31)]) {
    const reader = await EpochReader.create(other, secret);
    await assertRefused(reader.open(sealed, HEADER));
  }
  const reader = await EpochReader.create(serverKey, secret);
  assertEquals(await reader.open(sealed, HEADER), utf8("text"));
});

Deno.test("EpochReader.open() refuses another epoch number or counter, the epoch's keys notwithstanding", async () => {
  const { serverKey, epoch } = await room(3);
  await epoch.seal(utf8("first"), HEADER);
  const secret = epoch.describe();
  const sealed = await epoch.seal(utf8("text"), HEADER);
  const altered: readonly Partial<EpochSecret>[] = [
    { number: 2 },
    { number: 4 },
    { counter: 0 },
    { counter: 2 },
    { key: randomBytes(32) },
  ];
  for (const change of altered) {
    const reader = await EpochReader.create(serverKey, {
      ...secret,
      ...change,
    });
    await assertRefused(reader.open(sealed, HEADER));
  }
  const reader = await EpochReader.create(serverKey, secret);
  assertEquals(await reader.open(sealed, HEADER), utf8("text"));
});

Deno.test("EpochReader.open() refuses what a member sealed and signed itself", async () => {
  const { serverKey, epoch } = await room();
  const secret = epoch.describe(); // what every member knows
  const own = await subtle.generateKey("Ed25519", true, [
    "sign",
    "verify",
  ]) as CryptoKeyPair;
  const cipher = await CipherState.create(secret.key, secret.counter);
  const ciphertext = await encryptMessage(cipher, utf8("forged"), HEADER);
  const signature = await subtle.sign(
    "Ed25519",
    own.privateKey,
    signedBytes(serverKey, secret.number, secret.counter, ciphertext),
  );
  const forged = concat(ciphertext, new Uint8Array(signature));
  await assertRefused(
    (await EpochReader.create(serverKey, secret)).open(forged, HEADER),
  );

  // The forgery is right but for the key: a reader that trusted the member would open it.
  const verifyKey = new Uint8Array(
    await subtle.exportKey("raw", own.publicKey),
  );
  const fooled = await EpochReader.create(serverKey, { ...secret, verifyKey });
  assertEquals(await fooled.open(forged, HEADER), utf8("forged"));
});

// The points of order 1, 2, 4 and 8 with their encodings that aren't canonical, the sign of x left out.
const SMALL_ORDER_KEYS = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

Deno.test("EpochReader.create() refuses verify keys of small order, with both signs", async () => {
  const { serverKey, epoch } = await room();
  for (const hex of SMALL_ORDER_KEYS) {
    for (const sign of [0x00, 0x80]) {
      const verifyKey = Uint8Array.fromHex(hex);
      verifyKey[31] = (verifyKey[31] ?? 0) | sign;
      await assertRejects(
        () => EpochReader.create(serverKey, { ...epoch.describe(), verifyKey }),
        RangeError,
        "Cannot use an Ed25519 public key: it is of small order",
      );
    }
  }
});

Deno.test("EpochReader.create() refuses keys of another size", async () => {
  const { serverKey, epoch } = await room();
  for (const size of [0, 31, 33]) {
    const wrong = new Uint8Array(size).fill(9);
    for (const change of [{ key: wrong }, { verifyKey: wrong }]) {
      await assertRejects(
        () => EpochReader.create(serverKey, { ...epoch.describe(), ...change }),
        RangeError,
        `of ${size} bytes: it has 32`,
      );
    }
  }
});
