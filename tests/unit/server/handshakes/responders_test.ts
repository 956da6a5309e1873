/**
 * Tests of `src/server/handshakes/responders.ts`: who does a handshake's cryptography, and when workers come and go.
 * The workers are made of paper.
 *
 * @module
 */

import {
  type Bytes,
  HandshakeError,
  randomBytes,
} from "../../../../crypto_utils.ts";
import type { Secured } from "../../../../src/crypto/noise.ts";
import type { Answer, Responder } from "../../../../src/protocol/responder.ts";
import {
  type PoolWorker,
  Responders,
} from "../../../../src/server/handshakes/responders.ts";
import type { Fate } from "../../../../src/server/handshakes/worker_responder.ts";
import { assert, assertEquals, assertRejects } from "../../../kit/assert.ts";
import { overhear } from "../../../kit/overhear.ts";
import { GoneError } from "../../../../src/protocol/record_reader.ts";

const FIRST = randomBytes(32);
const noPassword = () => randomBytes(32);

/** Answers when it is told to, in the order of the questions. */
class Paper implements Responder {
  /** First messages, and third ones, that it was ever asked about. */
  asked = 0;
  readonly waiting: PromiseWithResolvers<void>[] = [];
  held = 0;

  async answer(): Promise<Answer> {
    this.held++;
    await this.#turn();
    const finish = async (): Promise<Secured> => {
      await this.#turn();
      this.held--;
      return { send: FIRST, receive: FIRST, remoteKey: FIRST };
    };
    return {
      reply: FIRST,
      halfway: { inviteId: 7, finish, [Symbol.dispose]: () => this.held-- },
    };
  }

  async #turn(): Promise<void> {
    this.asked++;
    const turn = Promise.withResolvers<void>();
    this.waiting.push(turn);
    await turn.promise;
  }

  /** Answers the oldest questions. */
  async go(count = 1): Promise<void> {
    for (const { resolve } of this.waiting.splice(0, count)) resolve();
    await settled();
  }
}

/** A worker that stands when the test says so. */
class PaperWorker extends Paper implements PoolWorker {
  hasEnded = false;
  constructor(readonly fate: Fate) {
    super();
  }
  end(): void {
    this.hasEnded = true;
  }
}

/** Lets all that can go on do so. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

function setup({ processors = 2, fails = false } = {}) {
  let time = 0;
  const local = new Paper();
  const workers: PaperWorker[] = [];
  const starts = { count: 0 };
  const responders = new Responders({
    privateKey: () => randomBytes(32),
    processors,
    now: () => time,
    local,
    start: (fate) => {
      starts.count++;
      if (fails) throw new RangeError("there are no threads");
      const worker = new PaperWorker(fate);
      workers.push(worker);
      return worker;
    },
  });
  const ask = async (count: number): Promise<Promise<Answer>[]> => {
    const asked = Array.from(
      { length: count },
      () => responders.answer(FIRST, noPassword),
    );
    await settled();
    return asked;
  };
  const pass = (ms: number) => {
    time += ms;
    responders.tick();
  };
  return { responders, local, workers, starts, ask, pass };
}

Deno.test("Responders has eight handshakes worked on at a time, and third messages take turns with first ones", async () => {
  const { local, ask, responders } = setup({ processors: 1 });
  const asked = await ask(10);
  assertEquals(local.asked, 8);
  await local.go();
  assertEquals(local.asked, 9);
  const { halfway } = await asked[0] as Answer;
  const finishing = halfway.finish(FIRST, FIRST);
  await settled();
  assertEquals(local.asked, 9);
  await local.go(8);
  assertEquals(local.asked, 11);
  await local.go(9);
  assertEquals((await finishing).send, FIRST);
  assertEquals((await Promise.all(asked)).length, 10);
  responders.close();
});

Deno.test("Responders does nothing for a client that has gone before its turn", async () => {
  const { local, ask, responders } = setup({ processors: 1 });
  await ask(8);
  let isGone = false;
  const gone = responders.answer(FIRST, noPassword, () => isGone);
  const [next] = await ask(1);
  isGone = true;
  const rejected = assertRejects(() => gone, GoneError);
  await local.go(1);
  assertEquals((await rejected).answered, false);
  assertEquals(local.asked, 9);
  await local.go(8);
  assert(await next);
  responders.close();
});

Deno.test("Responders starts a worker when a handshake has to wait, and gives it all that come once it stands", async () => {
  const { local, workers, starts, ask, responders } = setup();
  const first = await ask(8);
  assertEquals(starts.count, 0);
  await ask(3);
  assertEquals(starts.count, 1); // and not one for each
  const [worker] = workers as [PaperWorker];
  await local.go(2);
  assertEquals([local.asked, worker.asked, responders.workers], [10, 0, 0]);
  worker.fate.ready();
  assertEquals(responders.workers, 1);
  await local.go(1);
  assertEquals([local.asked, worker.asked], [10, 1]);
  // What this thread has begun it takes to its end.
  const { halfway } = await first[0] as Answer;
  halfway.finish(FIRST, FIRST);
  await local.go(1);
  assertEquals([local.asked, worker.asked], [11, 1]);
  responders.close();
  assertEquals(worker.hasEnded, true);
});

for (
  const [processors, most] of [[1, 0], [2, 1], [3, 2], [5, 4], [64, 4]] as const
) {
  Deno.test(`Responders has at most ${most} workers where there are ${processors} processors, and gives the next handshake to the one that has least`, async () => {
    const { workers, ask, responders } = setup({ processors });
    for (let round = 0; round < 8; round++) {
      await ask(40);
      workers.at(-1)?.fate.ready();
      await settled();
    }
    assertEquals(workers.length, most);
    assertEquals(responders.workers, most);
    const asked = workers.map((it) => it.asked);
    assert(Math.max(...asked) - Math.min(...asked) <= 1, `${asked}`);
    responders.close();
    assertEquals(workers.map((it) => it.hasEnded), workers.map(() => true));
  });
}

Deno.test("Responders ends a worker that was asked nothing for 5 s, and starts another when there is need", async () => {
  const { local, workers, ask, pass, responders } = setup();
  await ask(9);
  const [worker] = workers as [PaperWorker];
  worker.fate.ready();
  await local.go(9);
  await worker.go(9);
  const [last] = await ask(1) as [Promise<Answer>];
  await worker.go();
  const { halfway } = await last;
  const { held } = worker;
  worker.held = 0;
  pass(4_999);
  assertEquals(worker.hasEnded, false);
  worker.held = held;
  pass(1);
  assertEquals(worker.hasEnded, false); // somebody is halfway
  halfway[Symbol.dispose]();
  worker.held = 0; // and so is nobody else
  pass(0);
  assertEquals([worker.hasEnded, responders.workers], [true, 0]);
  await ask(1);
  assertEquals(workers.length, 1);
  await ask(8);
  assertEquals(workers.length, 2);
  responders.close();
  pass(5_000); // when there is nothing to end
});

Deno.test("Responders has sixteen handshakes worked on at a time for each worker that stands, and eight once there is none", async () => {
  const { local, workers, ask, responders } = setup({ processors: 3 });
  await ask(9);
  workers[0]?.fate.ready();
  await settled();
  await ask(30);
  const [first, second] = workers as [PaperWorker, PaperWorker];
  assertEquals([local.asked, first.asked], [8, 8]);
  second.fate.ready();
  await settled();
  assertEquals(first.asked + second.asked, 24);
  first.fate.failed("it broke");
  assertEquals(responders.workers, 1); // the other goes on
  const before = second.asked;
  await second.go(9);
  await local.go(8);
  assertEquals(second.asked - before, 1); // 15 of 32 were left
  second.fate.failed("it broke, too");
  assertEquals(responders.workers, 0);
});

Deno.test("Responders goes on in this thread when a worker fails, and starts no other", async () => {
  const { local, workers, ask, responders } = setup();
  await ask(9);
  const [worker] = workers as [PaperWorker];
  worker.fate.ready();
  await local.go(8);
  assertEquals(worker.asked, 1);
  worker.fate.failed("it broke");
  assertEquals(responders.workers, 0);
  await ask(20);
  assertEquals(local.asked, 15); // with the one that the worker has taken along
  assertEquals(workers.length, 1);
});

Deno.test("Responders goes on in this thread when no worker can be started, and tries no second time", async () => {
  const { local, starts, ask, responders } = setup({ fails: true });
  await ask(20);
  assertEquals([local.asked, starts.count], [8, 1]);
  await local.go(20);
  assertEquals([local.asked, starts.count], [16, 1]);
  assertEquals(responders.workers, 0);
});

Deno.test("Responders does in this thread what comes after its end", async () => {
  const { local, workers, ask, responders } = setup();
  responders.close();
  await ask(9);
  assertEquals([local.asked, workers.length], [8, 0]);
});

Deno.test("Responders makes a key pair of the server's key when somebody first knocks, once, and wipes its copy", async () => {
  const copies: Bytes[] = [];
  const responders = new Responders({
    privateKey: () => {
      const copy = randomBytes(32);
      copies.push(copy);
      return copy;
    },
    processors: 1,
    now: () => 0,
  });
  assertEquals(copies, []);
  for (const _ of [1, 2]) {
    const answer = responders.answer(FIRST, noPassword);
    await assertRejects(() => answer, HandshakeError);
  }
  assertEquals(copies, [new Uint8Array(32)]);
});

Deno.test("Responders says once that the thread failed, and that it starts one only to who wants to know all", async () => {
  const said = await overhear("debug", async () => {
    const { workers, ask, responders } = setup();
    await ask(9);
    workers[0]?.fate.ready();
    workers[0]?.fate.failed("it broke");
    await ask(9);
    responders.close();
    const other = setup({ fails: true });
    await other.ask(20);
  });
  const failed = (why: string) =>
    `warning handshakes: The thread for handshakes failed: ${why}. The room goes on, slower where many come at a time; a restart brings the thread back`;
  assertEquals(said, [
    "debug handshakes: A worker shakes hands",
    failed("it broke"),
    failed("there are no threads"),
  ]);
});

Deno.test("a handshake in its turn knows its invite, and is forgotten with its own", async () => {
  const { local, ask } = setup({ processors: 1 });
  const [asked] = await ask(1) as [Promise<Answer>];
  await local.go();
  const { reply, halfway } = await asked;
  assertEquals([reply, halfway.inviteId, local.held], [FIRST, 7, 1]);
  halfway[Symbol.dispose]();
  assertEquals(local.held, 0);
});

Deno.test("Responders does it in this thread though that could not be begun before", async () => {
  let tries = 0;
  const privateKey = () => {
    if (++tries === 1) throw new Error("too many open files");
    return randomBytes(32);
  };
  const responders = new Responders({
    privateKey,
    processors: 1,
    now: () => 0,
  });
  const answer = () => responders.answer(FIRST, noPassword);
  await assertRejects(answer, Error, "too many open files");
  await assertRejects(answer, HandshakeError);
  await assertRejects(answer, HandshakeError);
  assertEquals(tries, 2);
});
