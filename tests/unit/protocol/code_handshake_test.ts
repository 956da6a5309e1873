/**
 * Handshakes by a spoken code, over a stream in memory: who is let in, which guess counts, and what is answered to what
 * can't be one.
 *
 * @module
 */

import {
  type Bytes,
  EMPTY,
  HandshakeError,
  PROTOCOL_BYTES,
  randomBytes,
} from "../../../crypto_utils.ts";
import { Cpace } from "../../../src/crypto/cpace.ts";
import { kem, KEM_CIPHERTEXT_SIZE } from "../../../src/crypto/kem.ts";
import { createHandshake } from "../../../src/crypto/noise.ts";
import { importKeyPair } from "../../../src/crypto/x25519.ts";
import type { Channel } from "../../../src/protocol/channel.ts";
import {
  acceptChannel,
  type AcceptOptions,
  connectChannel,
  type OpenCode,
} from "../../../src/protocol/handshake.ts";
import { CodeRun } from "../../../src/protocol/code_run.ts";
import {
  CODE_ID,
  type CodeGuess,
  GUESS_SIZE,
  MEMBER_KEY,
  PROTOCOL_VERSION,
} from "../../../src/protocol/hello.ts";
import { HandshakeRefusal } from "../../../src/protocol/reasons.ts";
import { RefusedError } from "../../../src/protocol/record_reader.ts";
import {
  encodeHeader,
  HEADER_SIZE,
  RecordType,
} from "../../../src/protocol/records.ts";
import { LocalResponder } from "../../../src/protocol/responder.ts";
import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";
import { utf8 } from "../../kit/bytes.ts";
import { type MemoryStream, streamPair } from "../../kit/memory_stream.ts";
import { replaced } from "../../kit/replaced.ts";

const SERVER = await importKeyPair(randomBytes(32));
const CLIENT = await importKeyPair(randomBytes(32));
const WORDS = utf8("crossover clockwork");

/** A server's one code, number 5, and what becomes of it. */
class Guesses {
  readonly log: string[] = [];

  constructor(readonly mayBe = true) {}

  readonly code = (number: number): OpenCode | undefined =>
    number !== 5 ? undefined : {
      inviteId: 9,
      password: WORDS,
      guess: () => {
        this.log.push("guess");
        return this.mayBe;
      },
      guessed: (wasRight) => void this.log.push(wasRight ? "right" : "wrong"),
    };
}

function accept(
  far: MemoryStream,
  options: Pick<AcceptOptions, "code">,
): Promise<Channel> {
  const responder = new LocalResponder(SERVER);
  // A key that everybody knows opens nothing where a code is asked for.
  const inviteKey = () => MEMBER_KEY;
  return acceptChannel(far, { responder, inviteKey, ...options });
}

function connect(
  near: MemoryStream,
  number: number,
  password: Bytes,
): Promise<Channel> {
  return connectChannel(near, {
    keyPair: CLIENT,
    inviteId: CODE_ID,
    inviteKey: MEMBER_KEY,
    code: { number, password },
    checkServer: () => {},
  });
}

Deno.test("acceptChannel() lets one in by the words of a code, for the invite that it stands for", async () => {
  const [near, far] = streamPair();
  const guesses = new Guesses();
  const [client, server] = await Promise.all([
    connect(near, 5, WORDS),
    accept(far, guesses),
  ]);
  assertEquals([client.inviteId, server.inviteId], [CODE_ID, 9]);
  assertEquals(server.remoteKey, CLIENT.publicKey);
  assertEquals(guesses.log, ["guess", "right"]);
  await server.send({ kind: "pong" });
  const [record] = await client.read() ?? [];
  assert(record);
  assertEquals(await client.open(record), [{ kind: "pong" }]);
});

for (
  const [whom, number, words, mayBe, log] of [
    ["who has other words", 5, utf8("crossover clock"), true, [
      "guess",
      "wrong",
    ]],
    ["who names a code that there isn't", 6, WORDS, true, []],
    ["where there are no codes", 5, WORDS, undefined, []],
    ["by a code that bears no guess any more", 5, WORDS, false, ["guess"]],
  ] as const
) {
  Deno.test(`acceptChannel() refuses at the third message one ${whom}`, async () => {
    const [near, far] = streamPair();
    const guesses = new Guesses(mayBe);
    const accepting = assertRejects(
      () => accept(far, mayBe === undefined ? {} : guesses),
      HandshakeError,
      "the message does not open",
    );
    const client = await connect(near, number, words);
    await accepting;
    const error = await assertRejects(() => client.read(), RefusedError);
    assertEquals(error.code, HandshakeRefusal.key);
    assertEquals(far.outgoing.written.length, 2);
    assertEquals(guesses.log, [...log]);
  });
}

/** A client's first record with a code. @param share What it says instead of CPace's. @param more Behind that. */
async function firstRecord(share: Bytes, more = 0): Promise<Bytes> {
  const { encapsulationKey } = await kem.generate();
  const start = 4 + encapsulationKey.length;
  const hello = new Uint8Array(start + 4 + share.length + more);
  const view = new DataView(hello.buffer);
  view.setUint32(0, CODE_ID);
  view.setUint32(start, 5);
  hello.set(encapsulationKey, 4);
  hello.set(share, start + 4);
  const prologue = PROTOCOL_BYTES;
  const handshake = createHandshake({ role: "initiator", prologue });
  const message = await handshake.writeMessage(hello);
  const header = encodeHeader(RecordType.handshake, 1 + message.length);
  return new Uint8Array([...header, PROTOCOL_VERSION, ...message]);
}

Deno.test("acceptChannel() answers nothing to a code's share that is none, or of another size, and counts no guess", async () => {
  const faults = [
    [new Uint8Array(32), 0, "share is not a proper one"],
    [randomBytes(31), 0, "the payload has another size"],
    [randomBytes(32), 1, "the payload has another size"],
    [new Uint8Array(0), 0, "the payload has another size"],
  ] as const;
  for (const [share, more, text] of faults) {
    const [near, far] = streamPair();
    const guesses = new Guesses();
    near.outgoing.inject(await firstRecord(share, more));
    await assertRejects(() => accept(far, guesses), Error, text);
    assertEquals([far.outgoing.written, guesses.log], [[], []]);
    near.close();
  }
});

Deno.test("CodeRun gives both sides one key, and another where number, words, run or ML-KEM's secret differ", () => {
  const [sid, secret, other] = [
    randomBytes(32),
    randomBytes(32),
    randomBytes(32),
  ];
  const keys = (
    theirs: Partial<CodeGuess>,
    run = sid,
    theirSecret = secret,
  ) => {
    const guess = { number: 5, password: WORDS };
    const a = new CodeRun("initiator", guess, sid);
    const b = new CodeRun("responder", { ...guess, ...theirs }, run);
    return [a.psk(b.share, secret), b.psk(a.share, theirSecret)]
      .map((key) => key.toHex());
  };
  const [mine, theirs] = keys({});
  assertEquals(mine, theirs);
  for (
    const [one, another] of [
      keys({ number: 6 }),
      keys({ password: utf8("crossover") }),
      keys({}, other),
      keys({}, sid, other),
    ]
  ) assert(one !== another);
});

Deno.test("LocalResponder wipes what a code came to, once its handshake is finished or given up", async () => {
  for (const isFinished of [true, false]) {
    const keys: Bytes[] = [];
    const { psk } = CodeRun.prototype;
    using _ = replaced(
      CodeRun.prototype,
      "psk",
      function (this: CodeRun, ...words: Parameters<typeof psk>) {
        const key = psk.apply(this, words);
        keys.push(key);
        return key;
      },
    );
    const share = new Cpace({ password: WORDS, ci: EMPTY, sid: EMPTY }).share;
    const first = (await firstRecord(share)).subarray(HEADER_SIZE + 1);
    const responder = new LocalResponder(SERVER);
    const { halfway } = await responder.answer(first, () => WORDS);
    assertEquals(keys.map((key) => key.some((byte) => byte !== 0)), [true]);
    const third = new Uint8Array(64);
    if (!isFinished) halfway[Symbol.dispose]();
    else await assertRejects(() => halfway.finish(third, undefined));
    assertEquals(keys, [new Uint8Array(32)]);
  }
});

Deno.test("connectChannel() takes no answer to a code without CPace's share", async () => {
  const [near, far] = streamPair();
  const connecting = assertRejects(
    () => connect(near, 5, WORDS),
    HandshakeError,
    "the payload has another size",
  );
  const first = new Uint8Array(2_048);
  const size = await far.read(first) ?? 0;
  assertEquals(size, 1_240 + GUESS_SIZE);
  const prologue = PROTOCOL_BYTES;
  const responder = createHandshake({ role: "responder", prologue });
  await responder.readMessage(first.subarray(HEADER_SIZE + 1, size));
  const reply = await responder.writeMessage(
    new Uint8Array(KEM_CIPHERTEXT_SIZE),
  );
  const header = encodeHeader(RecordType.handshake, reply.length);
  far.outgoing.inject(new Uint8Array([...header, ...reply]));
  await connecting;
});
