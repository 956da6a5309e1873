/**
 * What programs ask for, over connections in memory: who may ask, and what becomes of those who don't read, and of a room
 * that doesn't answer.
 *
 * @module
 */

import { type Bytes, concat } from "../../../../crypto_utils.ts";
import type { Peer } from "../../../../src/server/entrance.ts";
import { readRequest } from "../../../../src/server/http/http_head.ts";
import type { RequestError } from "../../../../src/server/http/request_error.ts";
import { assert, assertEquals, assertRejects } from "../../../kit/assert.ts";
import { say } from "../../../kit/connection_setup.ts";
import {
  type Asked,
  eventsRequest,
  EventStream,
  requestBytes,
} from "../../../kit/http.ts";
import { Desk, refusal } from "../../../kit/http_desk.ts";
import { OTHER_TOKEN, replaceTokens, TOKEN } from "../../../kit/http_setup.ts";
import { withLateLog, withMethod } from "../../../kit/log_kit.ts";
import { streamPair } from "../../../kit/memory_stream.ts";
import { until } from "../../../kit/turns.ts";

/** The statuses with which requests are refused; 200 for those that aren't. */
function statuses(desk: Desk, all: readonly Asked[]): Promise<number[]> {
  return Promise.all(all.map((asked) =>
    desk.answer(asked).then(
      ({ status }) => status,
      ({ status }: RequestError) => status,
    )
  ));
}

Deno.test("requests are for the server by its own name or any address, and for no other name", async () => {
  await using desk = await Desk.create({}, "chat.example");
  const withHost = (host: string): Asked => ({ body: host, fields: { host } });
  const own = [
    "localhost",
    "LOCALHOST:8090",
    "chat.example:8090",
    "Chat.Example",
    "10.0.0.1:8090",
    "[::1]:80",
    "[2001:db8::1]",
  ];
  const others = [
    "rebound.example",
    "localhost.example",
    "chat.example.net",
    "my-chat.example",
    "10.0.0.1.example",
    "a10.0.0.1",
  ];
  const found = await statuses(desk, [...own, ...others].map(withHost));
  assertEquals(
    found,
    [...own.map(() => 200), ...others.map(() => 421)],
  );
  assertEquals(await refusal(desk.answer(withHost("a"))), {
    status: 421,
    message:
      "The Host of the request is not this server's: call it by its address, or by chat.example",
    retryAfter: undefined,
  });
});

Deno.test("requests have a token as RFC 6750 writes it, and streams a number to go on after", async () => {
  await using desk = await Desk.create();
  const withToken = (authorization: string): Asked => ({
    body: authorization,
    fields: { authorization },
  });
  const right = [`Bearer ${TOKEN}`, `bearer   ${TOKEN}`];
  const wrong = [
    "",
    TOKEN,
    `Bearer${TOKEN}`,
    `xBearer ${TOKEN}`,
    `Bearer ${TOKEN} x`,
    `Basic ${TOKEN}`,
    `Bearer ${TOKEN.slice(1)}`,
  ];
  assertEquals(
    await statuses(desk, [...right, ...wrong].map(withToken)),
    [...right.map(() => 200), ...wrong.map(() => 401)],
  );
  for (const after of ["x", "-1", "1x", "x1", "1.0", "1".repeat(16)]) {
    const { status, message } = await refusal(
      desk.ask(eventsRequest(TOKEN, after)),
    );
    assertEquals(
      [status, message],
      [400, "The Last-Event-ID is not a message's number"],
    );
  }
  for (const after of ["", "0", "12", "1".repeat(15)]) {
    await using _stream = await desk.events(after);
  }
});

Deno.test("each copy of the server's private key is wiped once the name's keys follow from it", async () => {
  await using desk = await Desk.create();
  const copies: Uint8Array[] = [];
  const copy = (original: () => Bytes) => () => {
    const key = original();
    copies.push(key);
    return key;
  };
  const place = desk.place as { privateKey: () => Bytes };
  await withMethod(place, "privateKey", copy, async () => {
    assertEquals((await desk.answer({ body: "one" })).status, 200);
    assertEquals((await desk.answer({ body: "two" })).status, 200);
  });
  assertEquals(copies, [new Uint8Array(32)]);
});

Deno.test("reader that doesn't read costs others nothing, is given up, and finds all of it when it comes again", async () => {
  await using desk = await Desk.create();
  const { clock } = desk;
  const ana = await desk.setup.connect();
  await ana.join("ana");
  const idle = await desk.ask(eventsRequest(), 10_000);
  await using reader = await desk.events();
  const text = "x".repeat(4_096);
  const count = 30;
  const lines = Array.from({ length: count }, (_, at) => say(at + 1, text));
  await ana.send(...lines);
  await reader.until(() => reader.texts.length === count);
  assertEquals(desk.desk.readers, 2);
  clock.advance(9_999);
  assert(!idle.far.closed);
  clock.advance(1);
  await assertRejects(() => idle.done, Error, "it took nothing for 10 s");
  assertEquals([desk.desk.readers, idle.far.closed], [1, true]);
  const got = new TextDecoder().decode(concat(...idle.far.outgoing.written));
  const last = Number(got.match(/^id: (\d+)$/gm)?.at(-1)?.slice(4));
  const end = count + 2;
  assert(last > 2 && last < end, String(last));
  // The last may have come in part only.
  await using again = await desk.events(last - 1);
  await again.until(() => again.last === end);
  assertEquals(
    again.events.map(({ id }) => id),
    reader.events.map(({ id }) => id).slice(last - end - 1),
  );
  assertEquals((await desk.answer({ body: "still there" })).status, 200);
});

Deno.test("request waits 30 s for the room, which may do it all the same; 64 of a name wait at a time, and another name's beside them", async () => {
  await using desk = await Desk.create();
  const { clock } = desk;
  assertEquals((await desk.answer({ body: "first" })).said, { seq: 2 });
  const before = clock.pending;
  await withLateLog(desk.setup.log, async (_, mend) => {
    const fields = { "idempotency-key": "job 7" };
    const keyed = { body: "keyed", fields };
    const waiting = [
      desk.answer(keyed),
      ...Array.from({ length: 63 }, (_, at) => desk.answer({ body: `${at}` })),
    ];
    const refused = Promise.all(waiting.map((it) => refusal(it)));
    assertEquals(await refusal(desk.answer({ body: "too many" })), {
      status: 429,
      message: "Too many requests at a time",
      retryAfter: 1,
    });
    const again = refusal(desk.answer(keyed)); // is one of them
    const others = refusal(
      desk.answer({ body: "another name", token: OTHER_TOKEN }),
    );
    const reading = refusal(
      desk.ask(eventsRequest(OTHER_TOKEN)).then(({ done }) => done),
    );
    let areQuiet = false;
    const quiet = desk.desk.quiet().then(() => areQuiet = true);
    await clock.waiting(before + 67, 1_000);
    clock.advance(29_999);
    assertEquals(clock.pending, before + 67);
    clock.advance(1);
    const told = [...await refused, await again, await others, await reading];
    for (const it of told) {
      assertEquals(it, {
        status: 503,
        message: "The room waits for its servers; it may be done all the same",
        retryAfter: 1,
      });
    }
    assertEquals(areQuiet, false);
    mend();
    await quiet;
    assertEquals((await desk.answer(keyed)).status, 200);
    const said = (await desk.setup.logged()).map(([, , text]) => text);
    assertEquals(said.filter((it) => it === "keyed").length, 1);
  });
});

Deno.test("HttpDesk.close() ends all streams, and what is asked for after it isn't done", async () => {
  await using desk = await Desk.create();
  assertEquals((await desk.answer({ body: "one" })).status, 200);
  await using stream = await desk.events();
  desk.desk.close();
  await stream.ended();
  assertEquals(desk.desk.readers, 0);
  assertEquals(await refusal(desk.answer({ body: "late" })), {
    status: 503,
    message: "The room cannot take it now: server stopped",
    retryAfter: 1,
  });
  const kinds = (await desk.setup.logged()).map(([, what]) => what);
  assertEquals(kinds.filter((it) => it === "joined").length, 1);
});

Deno.test("tokens are replaced while it runs: what was opened by an old one ends, and its name leaves with its last", async () => {
  await using desk = await Desk.create();
  await using mine = await desk.events();
  await using others = await desk.events(undefined, OTHER_TOKEN);
  const fresh = "a-fresh-token-for-tests-of-43-letters-digits";
  const hi = { body: "hi", token: fresh };
  const both = `http ${TOKEN}\nbackup ${OTHER_TOKEN}\n`;
  await replaceTokens(desk.setup, `${both}http ${fresh}\n`);
  assertEquals((await desk.answer(hi)).status, 200);
  await mine.until(() => mine.texts.length === 1);
  await others.until(() => others.texts.length === 1); // both go on
  await replaceTokens(desk.setup, `http ${fresh}\n# nobody else\n`);
  assertEquals((await desk.answer(hi)).status, 200);
  await Promise.all([mine.ended(), others.ended()]);
  const old = [{ body: "old" }, { body: "old", token: OTHER_TOKEN }];
  assertEquals(await statuses(desk, old), [401, 401]);
  const log = await desk.setup.logged();
  assertEquals(log.map(([, what]) => what).sort(), [
    ...["joined", "joined"],
    ...["left", "said", "said"],
  ]);
  assertEquals(desk.setup.room.size, 1);
  await replaceTokens(desk.setup, both);
  assertEquals(await statuses(desk, old), [200, 200]); // a name comes in again
});

Deno.test("stream ends at once when its token is taken back, though its name has another and nothing is told", async () => {
  await using desk = await Desk.create();
  await using stream = await desk.events();
  await replaceTokens(desk.setup, `http ${OTHER_TOKEN}\n`);
  assertEquals(await statuses(desk, [{ body: "old" }]), [401]);
  await until(() => stream.hasEnded); // while the clock stands still
  assertEquals(stream.events, []);
});

Deno.test("what a reader says after its request is nothing to its stream, which ends when it closes", async () => {
  await using desk = await Desk.create();
  const { near, done } = await desk.ask(eventsRequest());
  await using stream = await EventStream.over(near);
  near.outgoing.inject(new Uint8Array(2_000));
  await desk.clock.turn();
  await desk.answer({ body: "hi" });
  await stream.until(() => stream.texts.length === 1);
  assertEquals(desk.desk.readers, 1);
  near.close();
  await done;
  assertEquals(desk.desk.readers, 0);
});

Deno.test("token that is taken back or given to another name while its request comes, or while its stream is open, counts no longer", async () => {
  await using desk = await Desk.create();
  await using stream = await desk.events();
  const all = await Promise.all(["late", "later"].map(async (body) => {
    const bytes = requestBytes({ body, token: TOKEN });
    const [near, far] = streamPair();
    near.outgoing.inject(bytes.subarray(0, -1));
    const { head, rest } = await readRequest(far);
    const taken = desk.desk.take(far as unknown as Peer, head, rest);
    return { taken, rest: () => near.outgoing.inject(bytes.subarray(-1)) };
  }));
  const [first, second] = all;
  const tokens = `backup ${TOKEN}\nhttp ${OTHER_TOKEN}\n`;
  await replaceTokens(desk.setup, tokens);
  assertEquals((await desk.answer({ body: "as backup" })).status, 200);
  await stream.ended();
  first?.rest();
  const given = (await first?.taken)?.() ?? Promise.resolve();
  assertEquals((await refusal(given)).status, 401);
  await replaceTokens(desk.setup, `http ${OTHER_TOKEN}\n`);
  assertEquals(await statuses(desk, [{ body: "nobody's" }]), [401]);
  second?.rest();
  const gone = (await second?.taken)?.() ?? Promise.resolve();
  assertEquals((await refusal(gone)).status, 401);
  const said = (await desk.setup.logged()).filter(([, what]) =>
    what === "said"
  );
  assertEquals(said.map(([, , text]) => text), ["as backup"]);
});
