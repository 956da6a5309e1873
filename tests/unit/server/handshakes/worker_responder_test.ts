/**
 * Tests of `src/server/handshakes/worker_responder.ts` and of the worker itself: a real one.
 *
 * @module
 */

import { type Bytes, randomBytes } from "../../../../crypto_utils.ts";
import { importKeyPair } from "../../../../src/crypto/x25519.ts";
import type { Secured } from "../../../../src/crypto/noise.ts";
import {
  acceptChannel,
  type AcceptOptions,
  connectChannel,
  type ConnectOptions,
} from "../../../../src/protocol/handshake.ts";
import { CODE_ID, MEMBER_KEY } from "../../../../src/protocol/hello.ts";
import {
  GoneError,
  RefusedError,
} from "../../../../src/protocol/record_reader.ts";
import type { Responder } from "../../../../src/protocol/responder.ts";
import { WorkerResponder } from "../../../../src/server/handshakes/worker_responder.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
} from "../../../kit/assert.ts";
import { streamPair } from "../../../kit/memory_stream.ts";
import { RESPONDERS, startWorker } from "../../../kit/responders.ts";

const SERVER_KEY = randomBytes(32);
const CLIENT = await importKeyPair(randomBytes(32));
const INVITE_KEY = randomBytes(32);
const PASSWORD = new TextEncoder().encode("crossover clockwork");
const NOTHING = new Uint8Array(32);

const connecting: ConnectOptions = {
  keyPair: CLIENT,
  inviteId: 7,
  inviteKey: INVITE_KEY,
  checkServer: () => {},
};

/** What a client that goes no further than its first message sends. */
async function firstMessage(): Promise<Bytes> {
  const [near, far] = streamPair();
  const gone = assertRejects(() => connectChannel(near, connecting));
  const record = new Uint8Array(2_048);
  const size = await far.read(record) ?? 0;
  far.close();
  await gone;
  return record.slice(4, size);
}

const FIRST = await firstMessage();

function shakeHands(
  responder: Responder,
  client: Partial<ConnectOptions> = {},
  server: Partial<AcceptOptions> = {},
) {
  const [near, far] = streamPair();
  return Promise.all([
    connectChannel(near, { ...connecting, ...client }),
    acceptChannel(far, {
      responder,
      inviteKey: (id) => id === 7 ? INVITE_KEY : undefined,
      ...server,
    }),
  ]);
}

/** Keeps what passes through a responder. */
function watched(responder: Responder, seen: Secured[]): Responder {
  return {
    answer: async (first, passwordOf) => {
      const { reply, halfway } = await responder.answer(first, passwordOf);
      const finish = async (third: Bytes, key: Bytes | undefined) => {
        const secured = await halfway.finish(third, key);
        seen.push(secured);
        assert(secured.send.some((byte) => byte !== 0));
        return secured;
      };
      const forget = () => halfway[Symbol.dispose]();
      const { inviteId } = halfway;
      return { reply, halfway: { inviteId, finish, [Symbol.dispose]: forget } };
    },
  };
}

for (const [where, begin] of RESPONDERS) {
  Deno.test(`acceptChannel() wipes the keys that the handshake leaves, and no others${where}`, async () => {
    using responder = await begin(SERVER_KEY);
    const seen: Secured[] = [];
    const invite = INVITE_KEY.slice();
    const inviteKey = () => invite;
    const [client, server] = await shakeHands(
      watched(responder, seen),
      {},
      { inviteKey },
    );
    const [{ send, receive, remoteKey }] = seen as [Secured];
    assertEquals([send, receive], [NOTHING, NOTHING]);
    assertEquals(remoteKey, CLIENT.publicKey);
    assertEquals(invite, INVITE_KEY);
    await server.send({ kind: "pong" });
    assertEquals((await client.read())?.length, 1);
  });

  Deno.test(`acceptChannel() lets one in who knows the words of a spoken code, and counts who doesn't${where}`, async () => {
    using responder = await begin(SERVER_KEY);
    const guesses: boolean[] = [];
    const password = PASSWORD.slice();
    const code = (number: number) =>
      number !== 5 ? undefined : {
        inviteId: 9,
        password,
        guess: () => true,
        guessed: (wasRight: boolean) => void guesses.push(wasRight),
      };
    const client = (number: number, words: Bytes) => ({
      inviteId: CODE_ID,
      inviteKey: MEMBER_KEY,
      code: { number, password: words },
    });
    const [, server] = await shakeHands(
      responder,
      client(5, PASSWORD),
      { code },
    );
    assertEquals(server.inviteId, 9);
    assertEquals(password, PASSWORD);
    for (const wrong of [client(5, INVITE_KEY), client(6, PASSWORD)]) {
      await assertRejects(() => shakeHands(responder, wrong, { code }));
    }
    assertEquals(guesses, [true, false]);
  });

  Deno.test(`Halfway knows nothing any more once it is forgotten${where}`, async () => {
    using responder = await begin(SERVER_KEY);
    const { halfway } = await responder.answer(FIRST, () => PASSWORD);
    halfway[Symbol.dispose]();
    const late = halfway.finish(randomBytes(64), INVITE_KEY);
    await assertRejects(() => late, Error, "it was forgotten");
  });
}

Deno.test("WorkerResponder keeps nothing of clients that go after the second message, that are refused, or that are let in", async () => {
  using worker = await startWorker(SERVER_KEY);
  for (let round = 0; round < 3; round++) {
    await shakeHands(worker);
    const refused = shakeHands(worker, { inviteKey: NOTHING });
    await assertRejects(() => refused);
    const [near, far] = streamPair();
    const gone = acceptChannel(far, {
      responder: worker,
      inviteKey: () => INVITE_KEY,
    });
    const checkServer = () => {
      assertEquals(worker.held, 1);
      near.close();
      throw new RangeError("not that one");
    };
    await assertRejects(
      () => connectChannel(near, { ...connecting, checkServer }),
      RangeError,
    );
    await assertRejects(() => gone);
    assertEquals(worker.held, 0);
  }
});

Deno.test("WorkerResponder passes on what went wrong while the words of a spoken code were looked up", async () => {
  using worker = await startWorker(SERVER_KEY);
  const code = () => {
    throw new RangeError("the disk is gone");
  };
  const [near, far] = streamPair();
  const connected = connectChannel(near, {
    ...connecting,
    inviteId: CODE_ID,
    code: { number: 5, password: PASSWORD },
  });
  const inviteKey = () => undefined;
  const accepting = acceptChannel(far, { responder: worker, inviteKey, code });
  await assertRejects(() => accepting, RangeError, "the disk is gone");
  assertEquals(worker.held, 0);
  far.close();
  await assertRejects(() => connected);
  await shakeHands(worker);
});

Deno.test("WorkerResponder ends with handshakes in hand: they fail as lost connections do, and nobody is told that a key is wrong", async () => {
  using worker = await startWorker(SERVER_KEY);
  const [near, far] = streamPair();
  const accepting = acceptChannel(far, {
    responder: worker,
    inviteKey: () => INVITE_KEY,
  });
  const checkServer = () => worker.end();
  const client = await connectChannel(near, { ...connecting, checkServer });
  await assertRejects(() => accepting, GoneError);
  assertEquals(far.outgoing.written.length, 1);
  far.close();
  const error = await client.read().catch((error) => error);
  assert(!(error instanceof RefusedError));
  const late = worker.answer(FIRST, () => PASSWORD);
  await assertRejects(() => late, GoneError);
  assertEquals(worker.held, 0);
});

Deno.test("WorkerResponder that can't begin says so, and this thread goes on", async () => {
  const failed = Promise.withResolvers<string>();
  const worker = new WorkerResponder(randomBytes(5), {
    ready: () => failed.reject(new Error("it is ready")),
    failed: failed.resolve,
  });
  const asked = worker.answer(FIRST, () => PASSWORD);
  await assertRejects(() => asked, GoneError);
  assertMatch(await failed.promise, /an X25519 private key of 5 bytes/);
});

Deno.test("WorkerResponder hands the server's key over, and gives its worker no permission", async () => {
  const given: (WorkerOptions | undefined)[] = [];
  const Original = globalThis.Worker;
  globalThis.Worker = class extends Original {
    constructor(url: string | URL, options?: WorkerOptions) {
      given.push(options);
      super(url, options);
    }
  };
  try {
    const key = SERVER_KEY.slice();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const failed = (why: string) => reject(new Error(why));
    const worker = new WorkerResponder(key, { ready: resolve, failed });
    assertEquals(key.length, 0);
    await promise;
    worker.end();
    assertEquals(given.map((it) => it?.deno?.permissions), ["none"]);
  } finally {
    globalThis.Worker = Original;
  }
});
