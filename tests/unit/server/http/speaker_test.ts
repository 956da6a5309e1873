/**
 * Names under which programs speak: how a line is known that comes again, and how a stay in the room begins and ends.
 *
 * @module
 */

import { parseName } from "../../../../src/protocol/names.ts";
import { REFUSALS } from "../../../../src/protocol/reasons.ts";
import { HttpRoom } from "../../../../src/server/http/http_room.ts";
import { RequestError } from "../../../../src/server/http/request_error.ts";
import {
  identityFor,
  markOf,
  Speaker,
} from "../../../../src/server/http/speaker.ts";
import { assert, assertEquals, assertRejects } from "../../../kit/assert.ts";
import { say } from "../../../kit/connection_setup.ts";
import type { Asked } from "../../../kit/http.ts";
import { Desk, refusal } from "../../../kit/http_desk.ts";
import { OTHER_TOKEN, SECRET } from "../../../kit/http_setup.ts";
import { withLateLog, withMethod } from "../../../kit/log_kit.ts";
import { overhear } from "../../../kit/overhear.ts";
import { isDone } from "../../../kit/turns.ts";

/** The id of the name "http" with a private key of zeros. */
const KNOWN_ID =
  "d5905bcb86f800811556dc1f0f048511390c3b4975034ed97a2c8b4dfa53aa1a";

/** A request that is known again. */
const keyed = (body: string, more: Asked = {}): Asked => ({
  body,
  fields: { "idempotency-key": "job 7" },
  ...more,
});

/** Has an operator remove the person of the name. */
async function remove(desk: Desk): Promise<void> {
  await using stream = await desk.events();
  const { people, room } = desk.setup;
  const person = people.names.lastOwner("http");
  assert(person);
  room.remove(person, "removed by ana");
  await stream.ended();
}

/** A name of its own, of which the desk doesn't know. */
async function speakerIn({ place }: Desk): Promise<Speaker> {
  const name = parseName("backup");
  assert(typeof name !== "string");
  const identity = await identityFor(SECRET.slice(), name);
  return new Speaker(name, identity, new HttpRoom(place));
}

Deno.test("markOf() tells keys, places in a request and texts apart, and is the same in every version", () => {
  assertEquals(markOf("job 7", 0, "done"), 69_959_470);
  const all = [
    markOf("job 7", 0, "done"),
    markOf("job 8", 0, "done"),
    markOf("job 7", 1, "done"),
    markOf("job 7", 0, "done!"),
  ];
  assertEquals(new Set(all).size, 4);
});

Deno.test("names have keys that follow from the server's own, the same in every version, however they are written", async () => {
  const name = (shown: string) => {
    const parsed = parseName(shown);
    assert(typeof parsed !== "string");
    return parsed;
  };
  const idOf = async (shown: string, secret = new Uint8Array(32)) =>
    (await identityFor(secret, name(shown))).id.toHex();
  assertEquals(await idOf("http"), KNOWN_ID);
  assertEquals(await idOf("HTTP"), KNOWN_ID);
  assert(await idOf("backup") !== KNOWN_ID);
  assert(await idOf("http", new Uint8Array(32).fill(1)) !== KNOWN_ID);
});

Deno.test("who waits for the room is told after 30 s that it may be done all the same", async () => {
  await using desk = await Desk.create();
  const { clock, setup } = desk;
  await withLateLog(setup.log, async (comes) => {
    const answered = refusal(desk.answer({ body: "late" }));
    await comes;
    clock.advance(29_999);
    assertEquals(await isDone(answered), false);
    clock.advance(1);
    const why = "The room waits for its servers; it may be done all the same";
    assertEquals((await answered).message, why);
  });
});

Deno.test("what comes at the same time is said each, but for what comes again under its key", async () => {
  await using desk = await Desk.create();
  await desk.answer({ body: "first" });
  const fields = { "idempotency-key": "job 8" };
  const all = [
    { body: "same" },
    { body: "same" },
    keyed("same"),
    keyed("same"),
    { body: "same", fields },
  ];
  const answers = await Promise.all(all.map((asked) => desk.answer(asked)));
  assertEquals(answers.map(({ said: { seq } }) => seq), [3, 4, 5, 5, 6]);
  assertEquals((await desk.answer({ body: "same" })).said, { seq: 7 });
});

Deno.test("what the room doesn't take is refused, with the numbers of what it took; and who can't come in", async () => {
  await using desk = await Desk.create();
  const { people } = desk.setup;
  assertEquals((await refusal(desk.answer({ body: "" }))).status, 400);
  const fields = { "content-type": "application/json" };
  const half = { body: '{"text":"\\ud800"}', fields };
  assertEquals((await refusal(desk.answer(half))).status, 400);
  assertEquals(await desk.setup.logged(), []);
  people.set({ slow: 30 });
  const error = await assertRejects(
    () => desk.answer({ body: "first\nsecond" }),
    RequestError,
  );
  const { said, retryAfter, reason } = error as RequestError;
  assertEquals([said, retryAfter, reason], [[2], 30, "too-soon"]);
  const ana = await desk.setup.connect();
  await ana.join("Backup");
  const other = { body: "hi", token: OTHER_TOKEN };
  assertEquals((await refusal(desk.answer(other))).status, 409);
  await ana.send({ kind: "rename", name: "ana" }, { kind: "release", id: 1 });
  await ana.until("answered");
  assertEquals((await desk.answer(other)).status, 200);
});

Deno.test("who is coming in, or says something, while the server stops, is told so, and isn't in after it", async () => {
  for (const isIn of [false, true]) {
    await using desk = await Desk.create();
    const { log, room } = desk.setup;
    if (isIn) await desk.answer({ body: "first" });
    await withLateLog(log, async (comes, mend) => {
      const answered = refusal(desk.answer({ body: "late" }));
      await comes;
      desk.desk.close();
      if (isIn) await desk.clock.turn();
      mend();
      const stopped = "The room cannot take it now: server stopped";
      assertEquals(
        (await answered).message,
        isIn
          ? `${stopped}; what was to be said may be said all the same`
          : stopped,
      );
    });
    const ana = await desk.setup.connect();
    await ana.join("ana");
    assertEquals(room.size, 1);
  }
});

Deno.test("line under a key is its name's own and of its place in the request", async () => {
  await using desk = await Desk.create();
  const twice = keyed("same\nsame");
  assertEquals((await desk.answer(twice)).said, { seq: 3, all: [2, 3] });
  assertEquals((await desk.answer(twice)).said, { seq: 3, all: [2, 3] });
  const other = keyed("same\nsame", { token: OTHER_TOKEN });
  assertEquals((await desk.answer(other)).said, { seq: 6, all: [5, 6] });
});

Deno.test("line that only has the number of one under a key isn't taken for it: another text, or words with which its name went", async () => {
  await using desk = await Desk.create();
  const { people, room } = desk.setup;
  const speaker = await speakerIn(desk);
  const text = "removed by ana";
  const said = { texts: [text], key: "job 7", size: 9 };
  const mark = markOf("job 7", 0, text);
  const guest = await speaker.enter();
  const lines = [{ text: "other", mark }, { text: "more", mark: mark - 1 }];
  const seqs = [{ seq: 2 }, { seq: 3 }];
  assertEquals(await Promise.all(await guest.say(lines, 9)), seqs);
  const person = people.names.lastOwner("backup");
  assert(person);
  room.remove(person, text); // with the number after its last
  while (!guest.ended) await guest.changed();
  assertEquals(await speaker.say(said), [6]);
  assertEquals(await speaker.say(said), [6]);
  speaker.end("left");
});

Deno.test("line under a key is looked for among those that are in memory alone", async () => {
  await using desk = await Desk.create({ window: 16 });
  const ana = await desk.setup.connect();
  await ana.join("ana");
  assertEquals((await desk.answer(keyed("done"))).said, { seq: 3 });
  const { history } = desk.setup;
  for (let n = 1; history.oldest < 2; n++) {
    await ana.send(say(n));
    await ana.until("said", (it) => it.n === n);
  }
  assertEquals((await desk.answer(keyed("done"))).said, { seq: 3 });
  const n = history.head;
  await ana.send(...Array.from({ length: 16 }, (_, at) => say(n + at)));
  await ana.until("said", (it) => it.n === n + 15);
  const { seq } = (await desk.answer(keyed("done"))).said;
  assert(seq !== undefined && seq > 3 && history.oldest >= 3);
});

Deno.test("program whose line can't be found in the log is told so, and the server's owner", async () => {
  await using desk = await Desk.create();
  await desk.answer({ body: "one" });
  const { history } = desk.setup;
  const heard = await overhear("error", async () => {
    await withMethod(
      history,
      "lines",
      () => () => Promise.reject(new Error("no such file")),
      async () => {
        assertEquals(await refusal(desk.answer({ body: "two" })), {
          status: 503,
          message: REFUSALS["log-unreadable"],
          retryAfter: 10,
        });
      },
    );
  });
  assertEquals(heard, [
    "error http: no such file. Programs that said something could not be told its number",
  ]);
  assertEquals((await desk.answer({ body: "three" })).said, { seq: 4 });
});

/** Has the log stand still until a program's line has come to the room, after what else does. @returns What is answered. */
async function answeredLate(desk: Desk, before: () => Promise<unknown>) {
  const { log, room } = desk.setup;
  const append = log.append.bind(log);
  const say = room.say.bind(room);
  const come = Promise.withResolvers<void>();
  const late = async (...parts: Parameters<typeof append>) => {
    await come.promise;
    return await append(...parts);
  };
  let answered: ReturnType<Desk["answer"]> | undefined;
  await withMethod(log, "append", () => late, async () => {
    await before();
    const coming = (...parts: Parameters<typeof say>) => {
      queueMicrotask(come.resolve);
      return say(...parts);
    };
    await withMethod(room, "say", () => coming, async () => {
      answered = desk.answer({ body: "late" });
      await come.promise;
    });
    await answered?.catch(() => {});
  });
  return answered;
}

Deno.test("line's number is its own, though another's of the same number in its stay comes at the same time", async () => {
  await using desk = await Desk.create();
  const ana = await desk.setup.connect();
  await ana.join("ana");
  assertEquals((await desk.answer({ body: "one" })).said, { seq: 3 });
  const answer = await answeredLate(desk, async () => {
    await ana.send(say(2), { kind: "ping" });
    await ana.until("pong");
  });
  assertEquals(answer?.said, { seq: 5 });
});

Deno.test("line that comes behind its name's removal isn't taken for said, though the log has its number", async () => {
  await using desk = await Desk.create();
  const { room, people } = desk.setup;
  await desk.answer({ body: "one" });
  const person = people.names.lastOwner("http");
  assert(person);
  const answered = answeredLate(desk, () => {
    room.remove(person, "removed by ana");
    return Promise.resolve();
  });
  const { status, message } = await refusal(answered);
  assertEquals([status, message], [403, REFUSALS.removed]);
});

Deno.test("place in the room whose numbers are used up makes way for another, of which nobody is told", async () => {
  await using desk = await Desk.create();
  const ana = await desk.setup.connect();
  await ana.join("ana");
  const speaker = await speakerIn(desk);
  const first = await speaker.enter();
  assertEquals(await speaker.enter(), first);
  Object.defineProperty(first, "isSpent", { value: true });
  const second = await speaker.enter();
  assertEquals([first.ended, second.ended], ["left", undefined]);
  assertEquals(await speaker.enter(), second);
  assertEquals(desk.setup.room.size, 2);
  await speaker.say({ texts: ["on"], key: undefined, size: 2 });
  await ana.until("said");
  const kinds = (await desk.setup.logged()).map(([, what]) => what);
  assertEquals(kinds, ["joined", "joined", "said"]);
  speaker.end("left");
  await assertRejects(() => speaker.enter(), RequestError);
});

Deno.test("who owes for what it said waits until that is paid, also to come in again", async () => {
  const rates = { burst: 25, perSecond: 1, bytesPerMessage: 1_024 };
  await using desk = await Desk.create({ rates });
  await desk.answer({ body: "more\n".repeat(40) });
  assertEquals(await refusal(desk.answer({ body: "too soon" })), {
    status: 429,
    message: "More was said than one member may say at once: wait 35 s",
    retryAfter: 35,
  });
  desk.clock.advance(5_001);
  assertEquals((await refusal(desk.answer({ body: "still" }))).retryAfter, 30);
  desk.clock.advance(4_999);
  await remove(desk);
  const { clock } = desk;
  const { pending } = clock;
  const reading = desk.events();
  await clock.waiting(pending + 2, 1_000); // it waits, and so long at most
  clock.advance(25_000);
  await using stream = await reading;
  assertEquals(stream.events, []);
});
