/**
 * Tests of `src/server/handshakes/worker_responder.ts` and of the worker itself: a real one.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import {
  type Bytes,
  HandshakeError,
  PROTOCOL_BYTES,
  randomBytes,
} from "../../../../crypto_utils.ts";
import {
  generateKeyPair,
  importKeyPair,
} from "../../../../src/crypto/x25519.ts";
import { createHandshake, type Secured } from "../../../../src/crypto/noise.ts";
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
import { WireError } from "../../../../src/protocol/records.ts";
import type { Responder } from "../../../../src/protocol/responder.ts";
import { WorkerResponder } from "../../../../src/server/handshakes/worker_responder.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
} from "../../../kit/assert.ts";
import { streamPair } from "../../../kit/memory_stream.ts";
import { startHere } from "../../../kit/worker_here.ts";
import { RESPONDERS, startWorker } from "../../../kit/responders.ts";
import { replaced } from "../../../kit/replaced.ts";

/** What passes between the threads, as far as it is secret. */
interface Passed {
  readonly key?: Bytes;
  readonly password?: Bytes;
  readonly reply?: Bytes;
  readonly secured?: Secured;
}

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

const HERE = [", by a worker's module in this thread", startHere] as const;

for (const [where, begin] of [...RESPONDERS, HERE]) {
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
  using worker = await startHere(SERVER_KEY);
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
  using worker = await startHere(SERVER_KEY);
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
  const accepting = acceptChannel(far, {
    responder: worker,
    inviteKey,
    code,
  });
  await assertRejects(() => accepting, RangeError, "the disk is gone");
  assertEquals(worker.held, 0);
  far.close();
  await assertRejects(() => connected);
  await shakeHands(worker);
});

Deno.test("WorkerResponder fails as a handshake does that is wrong, and as a record is that can't be read", async () => {
  using worker = await startHere(SERVER_KEY);
  const { reply, halfway } = await worker.answer(FIRST, () => PASSWORD);
  assertEquals([reply.length > 1_000, halfway.inviteId], [true, 7]);
  const wrong = halfway.finish(randomBytes(64), INVITE_KEY);
  await assertRejects(() => wrong, HandshakeError);
  const again = () => halfway.finish(randomBytes(64), INVITE_KEY);
  await assertRejects(again, Error, "it was forgotten");
  const low = FIRST.slice().fill(0, 0, 32);
  await assertRejects(
    () => worker.answer(low, () => PASSWORD),
    HandshakeError,
  );
  const short = await createHandshake({
    role: "initiator",
    prologue: PROTOCOL_BYTES,
    staticKey: CLIENT,
    ephemeralKey: await generateKeyPair(),
  }).writeMessage(new Uint8Array(9));
  await assertRejects(() => worker.answer(short, () => PASSWORD), WireError);
  const codeless = await worker.answer(FIRST, () => PASSWORD);
  const finish = () => codeless.halfway.finish(randomBytes(64), undefined);
  const error = await assertRejects(finish, Error, "there is no spoken code");
  assertEquals(
    error instanceof HandshakeError || error instanceof WireError,
    false,
  );
  assertEquals(worker.held, 0);
});

Deno.test("the worker wipes what it is given, and hands over what it gives", async () => {
  using worker = await startHere(SERVER_KEY);
  await shakeHands(worker);
  const code = { number: 5, password: PASSWORD };
  const known = {
    inviteId: 9,
    password: PASSWORD,
    guess: () => true,
    guessed() {},
  };
  const guest = { inviteId: CODE_ID, inviteKey: MEMBER_KEY, code };
  await shakeHands(worker, guest, { code: () => known });
  const left: unknown[] = [];
  for (const it of worker.passed() as Passed[]) {
    const { key, password, reply, secured } = it;
    for (const bytes of [key, password]) {
      if (bytes) left.push(bytes.some((byte) => byte !== 0));
    }
    for (const bytes of [reply, secured?.send, secured?.receive]) {
      if (bytes) left.push(bytes.length > 0);
    }
  }
  assertEquals(left, [false, false, false, false, false, false, false, false]);
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

/** Stands for `Worker`: keeps what is posted to it, and says what the test says. */
class PaperThread {
  readonly posted: unknown[] = [];
  isTerminated = false;
  onmessage = (_event: { readonly data: unknown }): void => {};
  onmessageerror = (): void => {};
  onerror = (
    _event: Pick<ErrorEvent, "message" | "preventDefault">,
  ): void => {};

  constructor(readonly url: URL, readonly options: WorkerOptions) {}

  postMessage(data: unknown, transfer: Transferable[]): void {
    this.posted.push(structuredClone(data, { transfer }));
  }

  terminate(): void {
    this.isTerminated = true;
  }

  say(...replies: unknown[]): void {
    this.onmessage({ data: replies });
  }

  /** What the requests so far are, by their kinds and numbers. */
  async requests(): Promise<unknown[]> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    const requests = this.posted.slice(1).flat() as { kind: 0; id: 0 }[];
    return requests.map(({ kind, id }) => [kind, id]);
  }
}

/** A responder whose worker is made of paper, and what becomes of that. */
function onPaper(key = SERVER_KEY.slice()) {
  const threads: PaperThread[] = [];
  const Noted = class extends PaperThread {
    constructor(url: URL, options: WorkerOptions) {
      super(url, options);
      threads.push(this);
    }
  };
  const fates: string[] = [];
  const ready = () => void fates.push("ready");
  const failed = (why: string) => void fates.push(why);
  using _ = replaced(globalThis, "Worker", Noted);
  const worker = new WorkerResponder(key, { ready, failed });
  const [thread] = threads as [PaperThread];
  return { worker, thread, fates };
}

/** How a handshake failed that its worker has taken along. */
async function goneOf(asked: Promise<unknown>): Promise<boolean> {
  return (await assertRejects(() => asked, GoneError)).answered;
}

Deno.test("WorkerResponder hands the server's key over, and gives its worker no permission", () => {
  const key = SERVER_KEY.slice();
  const { thread, fates } = onPaper(key);
  assertEquals([key.length, thread.posted], [0, [SERVER_KEY]]);
  assert(thread.url.href.endsWith("/worker.ts"));
  const deno = { permissions: "none" } as const;
  assertEquals(thread.options, { type: "module", name: "handshakes", deno });
  assertEquals(fates, []);
  thread.onmessage({ data: "ready" });
  assertEquals(fates, ["ready"]);
});

Deno.test("WorkerResponder hands over copies of what it is given, and numbers its handshakes", async () => {
  const { worker, thread } = onPaper();
  const [first, third, key] = [FIRST, randomBytes(64), INVITE_KEY].map((it) =>
    it.slice()
  ) as [Bytes, Bytes, Bytes];
  const asked = [1, 2].map(() => worker.answer(first, () => PASSWORD));
  assertEquals(await thread.requests(), [["answer", 0], ["answer", 1]]);
  const [one, two] = await Promise.all(asked.map((it, id) => {
    thread.say({ kind: "answered", id, reply: FIRST, inviteId: 7 });
    return it;
  }));
  const finishing = [
    one?.halfway.finish(third, key),
    two?.halfway.finish(third, undefined),
  ];
  assertEquals((await thread.requests()).slice(2), [
    ["finish", 0],
    ["finish", 1],
  ]);
  assertEquals([first, key], [FIRST, INVITE_KEY]);
  assertEquals(third.length, 64);
  const secured = { send: FIRST, receive: FIRST, remoteKey: FIRST };
  for (const id of [0, 1]) thread.say({ kind: "finished", id, secured });
  assertEquals(await Promise.all(finishing), [secured, secured]);
  assertEquals(worker.held, 0);
});

Deno.test("WorkerResponder has what it hands over gone here once it is posted", async () => {
  const handed: number[] = [];
  const { worker, thread } = onPaper();
  thread.postMessage = (data, transfer) => {
    const requests = structuredClone(data, { transfer }) as { id: number }[];
    handed.push(transfer.length);
    for (const { id } of requests) {
      thread.say({ kind: "answered", id, reply: FIRST, inviteId: 7 });
    }
  };
  const flushed = () => new Promise<void>((resolve) => setImmediate(resolve));
  const { halfway } = await worker.answer(FIRST, () => PASSWORD);
  halfway.finish(randomBytes(64), INVITE_KEY);
  await flushed();
  const other = await worker.answer(FIRST, () => PASSWORD);
  other.halfway.finish(randomBytes(64), undefined);
  await flushed();
  assertEquals(handed, [1, 2, 1, 1]);
});

Deno.test("WorkerResponder whose thread fails says so once, and fails what it has in hand as lost connections do", async () => {
  const unreadable = ({ thread }: ReturnType<typeof onPaper>) =>
    thread.onmessageerror();
  let prevented = 0;
  const broken = ({ thread }: ReturnType<typeof onPaper>) =>
    thread.onerror({ message: "it broke", preventDefault: () => prevented++ });
  for (
    const [fail, why] of [
      [broken, "it broke"],
      [unreadable, "a message can't be read"],
    ] as const
  ) {
    const paper = onPaper();
    const { worker, thread, fates } = paper;
    const answered = worker.answer(FIRST, () => PASSWORD);
    thread.say({ kind: "answered", id: 0, reply: FIRST, inviteId: 7 });
    const { halfway } = await answered;
    const finishing = halfway.finish(randomBytes(64), INVITE_KEY);
    const third = worker.answer(FIRST, () => PASSWORD);
    thread.say({ kind: "answered", id: 1, reply: FIRST, inviteId: 7 });
    await third; // which is halfway
    const asked = worker.answer(FIRST, () => PASSWORD);
    assertEquals(worker.held, 3);
    for (const _ of [1, 2]) fail(paper);
    assertEquals([fates, thread.isTerminated, worker.held], [[why], true, 0]);
    assertEquals(await goneOf(asked), false);
    assertEquals(await goneOf(finishing), true);
    assertEquals(await goneOf(worker.answer(FIRST, () => PASSWORD)), false);
    assertEquals(await thread.requests(), []); // nor is anything posted any more
  }
  assertEquals(prevented, 2); // or the server would end, too
});

Deno.test("WorkerResponder tells the words of a spoken code to a worker that waits for them, and forgets a handshake that has none", async () => {
  const { worker, thread } = onPaper();
  const code = (id: number) => thread.say({ kind: "code", id, number: 5 });
  const asked = [
    worker.answer(FIRST, () => PASSWORD),
    worker.answer(FIRST, () => {
      throw new RangeError("the disk is gone");
    }),
  ];
  await thread.requests();
  code(7); // of which nothing is known
  thread.say({ kind: "answered", id: 7, reply: FIRST, inviteId: 7 });
  for (const id of [0, 1]) code(id);
  await assertRejects(() => asked[1] as Promise<unknown>, RangeError);
  assertEquals((await thread.requests()).slice(2).toSorted(), [
    ["forget", 1],
    ["password", 0],
  ]);
  const late = Promise.withResolvers<Bytes>();
  const lost = worker.answer(FIRST, () => late.promise);
  code(2);
  const gone = Promise.all(
    [asked[0], lost].map((it) => goneOf(it as typeof lost)),
  );
  worker.end();
  assertEquals(await gone, [false, false]);
  late.reject(new RangeError("too late")); // which nobody hears
  await thread.requests();
});
