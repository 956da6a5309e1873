/**
 * How a cipher state behaves: what it refuses, what it does after that, and that it never uses a nonce twice.
 *
 * @module
 */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  type Bytes,
  CipherState,
  DecryptionError,
  decryptMessage,
  encryptMessage,
  field,
  labelledDigest,
  MAX_MESSAGE_SIZE,
  randomBytes,
  TAG_SIZE,
} from "../../crypto_utils.ts";
import { assert, assertEquals, assertRejects } from "../kit/assert.ts";
import { transportOf } from "../kit/transport.ts";
import { flipped, utf8 } from "../kit/bytes.ts";
import { isWiped } from "../kit/private_keys.ts";
import { createHandshake } from "../../src/crypto/noise.ts";

const subtle = crypto.subtle;
const REFUSAL = "Cannot open the message";

/** Two cipher states over one fresh key: the one seals, the other opens. */
async function pair(): Promise<{ send: CipherState; receive: CipherState }> {
  const key = randomBytes(32);
  return {
    send: await CipherState.create(key),
    receive: await CipherState.create(key),
  };
}

/** Refused with the one error that says nothing of the reason. */
async function assertRefused(opening: Promise<unknown>): Promise<void> {
  const error = await assertRejects(() => opening, DecryptionError);
  assertEquals(error.message, REFUSAL);
  assertEquals(error.cause, undefined);
}

// ── What is made of fields ─────────────────────────────────────────────────────────────────────────────

Deno.test("field() puts the length before bytes and texts, so that no two lists give the same bytes", () => {
  assertEquals([...field("é")], [0, 0, 0, 2, 0xc3, 0xa9]);
  assertEquals([...field(new Uint8Array())], [0, 0, 0, 0]);
  assertEquals([...field(utf8("x".repeat(259)))].slice(0, 5), [
    0,
    0,
    1,
    3,
    120,
  ]);
  const digest = (...texts: string[]) =>
    labelledDigest("test", ...texts.map(field)).toHex();
  assert(digest("ab", "c") !== digest("a", "bc"));
});

// ── What is refused ────────────────────────────────────────────────────────────────────────────────────

Deno.test("decryptMessage() opens what encryptMessage() sealed, 16 bytes shorter", async () => {
  const { send, receive } = await pair();
  for (const size of [0, 1, 15, 16, 17, 1000]) {
    const message = randomBytes(size);
    const sealed = await encryptMessage(send, message, utf8("header"));
    assertEquals(sealed.length, size + TAG_SIZE);
    const opened = await decryptMessage(receive, sealed, utf8("header"));
    assertEquals(opened, message);
  }
  assertEquals(send.counter, 6);
  assertEquals(receive.counter, 6);
});

Deno.test("decryptMessage() refuses a record with any one byte altered, and opens the right one after", async () => {
  const { send, receive } = await pair();
  const sealed = await encryptMessage(send, utf8("attack at dawn"));
  for (let at = 0; at < sealed.length; at++) {
    await assertRefused(decryptMessage(receive, flipped(sealed, at)));
  }
  assertEquals(receive.counter, 0);
  assertEquals(await decryptMessage(receive, sealed), utf8("attack at dawn"));
});

Deno.test("decryptMessage() refuses a record cut short or made longer, and opens the right one after", async () => {
  const { send, receive } = await pair();
  const sealed = await encryptMessage(send, utf8("attack at dawn"));
  for (let size = 0; size < sealed.length; size++) {
    await assertRefused(decryptMessage(receive, sealed.subarray(0, size)));
    await assertRefused(decryptMessage(receive, sealed.subarray(size + 1)));
  }
  await assertRefused(decryptMessage(receive, new Uint8Array([...sealed, 0])));
  await assertRefused(decryptMessage(receive, new Uint8Array([0, ...sealed])));
  assertEquals(await decryptMessage(receive, sealed), utf8("attack at dawn"));
});

Deno.test("decryptMessage() refuses a replayed record", async () => {
  const { send, receive } = await pair();
  const first = await encryptMessage(send, utf8("first"));
  const second = await encryptMessage(send, utf8("second"));
  await decryptMessage(receive, first);
  await assertRefused(decryptMessage(receive, first));
  assertEquals(await decryptMessage(receive, second), utf8("second"));
  await assertRefused(decryptMessage(receive, first));
  await assertRefused(decryptMessage(receive, second));
});

Deno.test("decryptMessage() refuses records out of order and with one left out", async () => {
  const { send, receive } = await pair();
  const records = [];
  for (const text of ["a", "b", "c"]) {
    records.push(await encryptMessage(send, utf8(text)));
  }
  const [a, b, c] = records as [Bytes, Bytes, Bytes];
  await assertRefused(decryptMessage(receive, b));
  await assertRefused(decryptMessage(receive, c));
  assertEquals(await decryptMessage(receive, a), utf8("a"));
  await assertRefused(decryptMessage(receive, c));
  assertEquals(await decryptMessage(receive, b), utf8("b"));
  assertEquals(await decryptMessage(receive, c), utf8("c"));
});

Deno.test("decryptMessage() refuses other associated data", async () => {
  const { send, receive } = await pair();
  const sealed = await encryptMessage(send, utf8("text"), utf8("header"));
  for (const other of ["", "heade", "headers", "Header"]) {
    await assertRefused(decryptMessage(receive, sealed, utf8(other)));
  }
  await assertRefused(decryptMessage(receive, sealed));
  await decryptMessage(receive, sealed, utf8("header"));
});

Deno.test("decryptMessage() refuses a record of another key", async () => {
  const { send } = await pair();
  const { receive } = await pair();
  const sealed = await encryptMessage(send, utf8("text"));
  await assertRefused(decryptMessage(receive, sealed));
});

Deno.test("encryptMessage() seals 65,519 bytes, and not one more", async () => {
  const { send, receive } = await pair();
  const largest = MAX_MESSAGE_SIZE - TAG_SIZE;
  await assertRejects(
    () => encryptMessage(send, new Uint8Array(largest + 1)),
    RangeError,
    "Cannot seal 65520 bytes: the most is 65519",
  );
  assertEquals(send.counter, 0);
  const message = new Uint8Array(largest).fill(7);
  const sealed = await encryptMessage(send, message);
  assertEquals(sealed.length, MAX_MESSAGE_SIZE);
  assertEquals(await decryptMessage(receive, sealed), message);
});

Deno.test("decryptMessage() refuses a record of 65,536 bytes that is sealed as it should be", async () => {
  const raw = randomBytes(32);
  const key = await subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt"]);
  const sealed = await subtle.encrypt(
    { name: "AES-GCM", iv: new Uint8Array(12) },
    key,
    new Uint8Array(MAX_MESSAGE_SIZE - TAG_SIZE + 1),
  );
  const receive = await CipherState.create(raw);
  await assertRefused(decryptMessage(receive, new Uint8Array(sealed)));
});

Deno.test("CipherState.create() refuses a key that isn't 32 bytes", async () => {
  for (const size of [0, 16, 24, 31, 33]) {
    await assertRejects(
      () => CipherState.create(new Uint8Array(size)),
      RangeError,
      `Cannot use an AES key of ${size} bytes: it has 32`,
    );
  }
});

Deno.test("CipherState.create() keeps a key of its own", async () => {
  const key = randomBytes(32);
  const send = await CipherState.create(key);
  const receive = await CipherState.create(key.slice());
  key.fill(0);
  const sealed = await encryptMessage(send, utf8("text"));
  assertEquals(await decryptMessage(receive, sealed), utf8("text"));
});

Deno.test("A cipher state seals and opens 2 ** 32 messages, and not one more", async () => {
  const key = randomBytes(32);
  const last = 2 ** 32 - 1;
  const send = await CipherState.create(key, last);
  const receive = await CipherState.create(key, last);
  const sealed = await encryptMessage(send, utf8("last"));
  assertEquals(await decryptMessage(receive, sealed), utf8("last"));
  const message = "Cannot use a key for more than 4294967296 messages";
  await assertRejects(
    () => encryptMessage(send, utf8("more")),
    RangeError,
    message,
  );
  await assertRejects(
    () => decryptMessage(receive, sealed),
    RangeError,
    message,
  );
});

// ── Several at once ────────────────────────────────────────────────────────────────────────────────────

Deno.test("CipherState.at() is the same key at another message, and leaves the state that it comes from alone", async () => {
  const { send, receive } = await pair();
  const sealed: Bytes[] = [];
  for (const text of ["0", "1", "2", "3"]) {
    sealed.push(await encryptMessage(send, utf8(text)));
  }
  for (const at of [3, 0, 2]) {
    const own = await receive.at(at);
    assertEquals(own.counter, at);
    const message = sealed[at] ?? utf8("");
    assertEquals(await decryptMessage(own, message), utf8(`${at}`));
    await assertRefused(decryptMessage(await receive.at(at + 1), message));
    assertEquals(receive.counter, 0);
  }
  const later = await encryptMessage(await send.at(9), utf8("9"));
  assertEquals(await decryptMessage(await receive.at(9), later), utf8("9"));
  assertEquals(send.counter, 4);
  const last = await send.at(2 ** 32);
  await assertRejects(() => encryptMessage(last, utf8("")), RangeError);
});

Deno.test("CipherState.rekeyEvery() replaces the key by Noise's REKEY, and its nonces go on", async () => {
  const key = randomBytes(32);
  const cipher = await CipherState.create(key);
  cipher.rekeyEvery(3);
  const message = utf8("the same");
  const sealed: Bytes[] = [];
  for (let n = 0; n < 7; n++) {
    sealed.push(await encryptMessage(cipher, message));
  }
  const nonce = (counter: bigint) => {
    const iv = new Uint8Array(12);
    new DataView(iv.buffer).setBigUint64(4, counter);
    return iv;
  };
  // Section 4.2: the first 32 bytes of 32 zeros, sealed under the nonce 2^64 - 1.
  let current = key;
  for (const [n, bytes] of sealed.entries()) {
    const raw = await subtle.importKey("raw", current, "AES-GCM", false, [
      "encrypt",
    ]);
    const seal = async (iv: Bytes, plaintext: Bytes) =>
      new Uint8Array(
        await subtle.encrypt({ name: "AES-GCM", iv }, raw, plaintext),
      );
    assertEquals(bytes, await seal(nonce(BigInt(n)), message), `message ${n}`);
    if (n % 3 < 2) continue;
    const next = await seal(nonce(2n ** 64n - 1n), new Uint8Array(32));
    current = next.slice(0, 32);
  }
});

Deno.test("CipherState.rekeyEvery() keeps both sides in step, however many messages are in flight", async () => {
  const { send, receive } = await pair();
  for (const cipher of [send, receive]) cipher.rekeyEvery(4);
  const texts = Array.from({ length: 50 }, (_, at) => utf8(`message ${at}`));
  for (let round = 0; round < 3; round++) {
    const sealed = await Promise.all(
      texts.map((it) => encryptMessage(send, it)),
    );
    const opened = await Promise.all(
      sealed.map((it) => decryptMessage(receive, it)),
    );
    assertEquals(opened, texts);
    const single = await encryptMessage(send, utf8("alone"));
    assertEquals(await decryptMessage(receive, single), utf8("alone"));
  }
  const altered = flipped(await encryptMessage(send, utf8("x")), 0);
  await assertRefused(decryptMessage(receive, altered));
});

Deno.test("CipherState.rekeyEvery() never goes back to a key that the runtime took late", async () => {
  const key = randomBytes(32);
  const send = new CipherState(key);
  const receive = new CipherState(key);
  for (const cipher of [send, receive]) cipher.rekeyEvery(2);
  const { importKey } = subtle;
  let isFirst = true;
  const late = async (...input: unknown[]) => {
    const turns = isFirst ? 50 : 0; // in which all others could be taken
    isFirst = false;
    const imported = await Reflect.apply(importKey, subtle, input);
    for (let turn = 0; turn < turns; turn++) {
      await new Promise((resolve) => setTimeout(resolve));
    }
    return imported;
  };
  subtle.importKey = late as typeof importKey;
  const sealing: Promise<Bytes>[] = [];
  try {
    for (let n = 0; n < 3; n++) sealing.push(encryptMessage(send, utf8("x")));
    await Promise.all(sealing); // the third is under the second key
    sealing.push(encryptMessage(send, utf8("x")));
  } finally {
    subtle.importKey = importKey;
  }
  for (const sealed of sealing) {
    assertEquals(await decryptMessage(receive, await sealed), utf8("x"));
  }
});

Deno.test("decryptMessage() opens records in the order of its calls, however many are in flight", async () => {
  const { send, receive } = await pair();
  const messages = Array.from({ length: 200 }, (_, at) => utf8(`${at}`));
  const records = await Promise.all(
    messages.map((message) => encryptMessage(send, message)),
  );
  const opened = await Promise.all(
    records.map((record) => decryptMessage(receive, record)),
  );
  assertEquals(opened, messages);
  assertEquals(receive.counter, 200);
});

Deno.test("decryptMessage() opens nothing any more once a record failed with later ones in flight", async () => {
  const { send, receive } = await pair();
  const first = await encryptMessage(send, utf8("first"));
  const second = await encryptMessage(send, utf8("second"));
  const third = await encryptMessage(send, utf8("third"));

  // The second record's result is held back until the first one has failed.
  const decrypt = subtle.decrypt;
  const gate = Promise.withResolvers<void>();
  let calls = 0;
  subtle.decrypt = async (...input) => {
    const wait = ++calls === 2;
    const result = await decrypt.apply(subtle, input);
    if (wait) await gate.promise;
    return result;
  };
  try {
    const failing = decryptMessage(receive, flipped(first, 0));
    const following = decryptMessage(receive, second);
    const followingRefused = assertRefused(following);
    await assertRefused(failing);
    gate.resolve();
    await followingRefused;
  } finally {
    subtle.decrypt = decrypt;
  }
  for (const record of [first, second, third]) {
    await assertRefused(decryptMessage(receive, record));
  }
});

// ── No nonce twice ─────────────────────────────────────────────────────────────────────────────────────

/** What a use of AES-GCM's `encrypt` was given. */
interface Use {
  /** The raw key, hexadecimal. */
  readonly key: string;
  /** Hexadecimal. */
  readonly iv: string;
}

/** Runs an action while every AES-GCM encryption is recorded; `fail` says which of them fail. */
async function recordUses(
  run: () => Promise<void>,
  fail: () => boolean = () => false,
): Promise<Use[]> {
  const uses: Use[] = [];
  const rawKeys = new Map<CryptoKey, string>();
  const { importKey, encrypt } = subtle;
  // Typed loosely: the original has an overload for each format, and this one passes all of them on.
  const recordingImport = async (...input: unknown[]) => {
    const raw = input[1];
    const text = raw instanceof Uint8Array ? raw.toHex() : "";
    const key = await Reflect.apply(importKey, subtle, input) as CryptoKey;
    if (input[2] === "AES-GCM") rawKeys.set(key, text);
    return key;
  };
  subtle.importKey = recordingImport as typeof importKey;
  subtle.encrypt = (algorithm, key, data) => {
    const { iv } = algorithm as AesGcmParams;
    const bytes = ArrayBuffer.isView(iv) ? iv.buffer : iv;
    uses.push({
      key: rawKeys.get(key) ?? "unknown",
      iv: new Uint8Array(bytes).toHex(),
    });
    if (fail()) return Promise.reject(new Error("Cannot encrypt: told so"));
    return encrypt.call(subtle, algorithm, key, data);
  };
  try {
    await run();
  } finally {
    subtle.importKey = importKey;
    subtle.encrypt = encrypt;
  }
  return uses;
}

/** No two uses had the same key and IV, and every IV is 12 bytes of which the first four are zero. */
function assertNoneTwice(uses: readonly Use[]): void {
  assert(uses.every(({ key }) => /^[0-9a-f]{64}$/.test(key)));
  assert(uses.every(({ iv }) => /^0{8}[0-9a-f]{16}$/.test(iv)));
  const distinct = new Set(uses.map(({ key, iv }) => `${key} ${iv}`));
  assertEquals(distinct.size, uses.length);
}

/** A small generator (mulberry32), so that a run that fails can be run again. Below 1. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

for (const seed of [1, 2, 3, 4, 5]) {
  Deno.test(`encryptMessage() never repeats a nonce, random interleaving ${seed}`, async () => {
    const random = generator(seed);
    const pick = (below: number) => Math.floor(random() * below);
    let asked = 0;
    const uses = await recordUses(
      async () => {
        const ciphers = await Promise.all(
          Array.from({ length: 4 }, () => CipherState.create(randomBytes(32))),
        );
        const pending: Promise<unknown>[] = [];
        for (let step = 0; step < 400; step++) {
          const cipher = ciphers[pick(ciphers.length)] as CipherState;
          const choice = random();
          if (choice < 0.05) { // refused before it takes a number
            const tooLong = new Uint8Array(MAX_MESSAGE_SIZE);
            pending.push(encryptMessage(cipher, tooLong).catch(() => {}));
          } else if (choice < 0.15) { // the others go on meanwhile
            await pending[pick(pending.length)];
          } else {
            asked++;
            const message = new Uint8Array(pick(2000));
            pending.push(encryptMessage(cipher, message).catch(() => {}));
          }
        }
        await Promise.all(pending);
      },
      () => random() < 0.1, // a message that fails to seal costs a number
    );
    assertEquals(uses.length, asked);
    assertNoneTwice(uses);
  });
}

for (const pattern of ["XX", "XXpsk3"] as const) {
  Deno.test(`createHandshake() never uses a key and nonce twice, both sides together, in ${pattern}`, async () => {
    const psk = randomBytes(32);
    const uses = await recordUses(async () => {
      const initiator = createHandshake({ role: "initiator", pattern, psk });
      const responder = createHandshake({ role: "responder", pattern, psk });
      await responder.readMessage(await initiator.writeMessage(utf8("one")));
      await initiator.readMessage(await responder.writeMessage(utf8("two")));
      await responder.readMessage(await initiator.writeMessage(utf8("three")));
      const ours = await transportOf(initiator);
      const theirs = await transportOf(responder);
      for (const text of ["four", "five"]) {
        await encryptMessage(ours.send, utf8(text));
        await encryptMessage(theirs.send, utf8(text));
      }
    });
    // Two fields in each of the last two messages, one more in the first where a psk takes part, and
    // the four messages after the handshake.
    assertEquals(uses.length, pattern === "XX" ? 8 : 9);
    assertNoneTwice(uses);
  });
}

for (const pattern of ["XX", "XXpsk3"] as const) {
  Deno.test(`Handshake never uses a key and nonce twice when a message of ${pattern} was too long and is written again`, async () => {
    const psk = randomBytes(32);
    const uses = await recordUses(async () => {
      const initiator = createHandshake({ role: "initiator", pattern, psk });
      const responder = createHandshake({ role: "responder", pattern, psk });
      for (const turn of [0, 1, 2]) {
        const [writer, reader] = turn % 2 === 0
          ? [initiator, responder]
          : [responder, initiator];
        await assertRejects( // small enough to be sealed, too large with what goes before it
          () => writer.writeMessage(new Uint8Array(65_510)),
          RangeError,
        );
        await reader.readMessage(await writer.writeMessage(utf8("again")));
      }
    });
    assertEquals(uses.length, pattern === "XX" ? 4 : 5); // what was too long sealed nothing
    assertNoneTwice(uses);
  });
}

Deno.test("encryptMessage() seals what it was given, whatever becomes of the buffer afterwards", async () => {
  const { send, receive } = await pair();
  const message = utf8("as it was");
  const sealing = encryptMessage(send, message);
  message.fill(0);
  assertEquals(await decryptMessage(receive, await sealing), utf8("as it was"));
  // Also where the key is taken only then.
  const key = randomBytes(32);
  const [other, data] = [utf8("as it was"), utf8("with that")];
  const late = encryptMessage(new CipherState(key), other, data);
  for (const buffer of [other, data]) buffer.fill(0);
  const opened = decryptMessage(
    new CipherState(key),
    await late,
    utf8("with that"),
  );
  assertEquals(await opened, utf8("as it was"));
});

/** Has the runtime let go of what is only held weakly. */
async function collectGarbage(): Promise<void> {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  await new Promise((resolve) => setTimeout(resolve)); // what was looked at is kept until the end of its turn
  collect();
}

Deno.test("A cipher state that has rested imports its key again, and goes on with the next message", async () => {
  const { send, receive } = await pair();
  const { importKey } = subtle;
  let imports = 0;
  Object.assign(subtle, {
    importKey: (...args: Parameters<typeof importKey>) => {
      imports++;
      return importKey.apply(subtle, args);
    },
  });
  try {
    for (const text of ["first", "second"]) {
      const message = utf8(text);
      const sealing = encryptMessage(send, message);
      message.fill(0); // what is sealed is what was given, though the key may have to be imported first
      assertEquals(await decryptMessage(receive, await sealing), utf8(text));
      await collectGarbage();
    }
    assertEquals(imports, 2);
    assertEquals([send.counter, receive.counter], [2, 2]);
  } finally {
    Object.assign(subtle, { importKey });
  }
});

Deno.test("CipherState.rekeyEvery() leaves no copy of the key that it goes on with", async () => {
  const cipher = await CipherState.create(randomBytes(32));
  cipher.rekeyEvery(1);
  const { encrypt } = subtle;
  const sealed: ArrayBuffer[] = [];
  subtle.encrypt = async (...words) => {
    const bytes = await encrypt.apply(subtle, words);
    sealed.push(bytes);
    return bytes;
  };
  try {
    for (const text of ["a", "b"]) await encryptMessage(cipher, utf8(text));
  } finally {
    subtle.encrypt = encrypt;
  }
  const keys = sealed.filter(({ byteLength }) => byteLength === 32 + TAG_SIZE);
  assertEquals(keys.map((it) => isWiped(new Uint8Array(it, 0, 32))), [true]);
});
