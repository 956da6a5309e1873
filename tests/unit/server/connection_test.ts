/**
 * A server's end of one connection, with a client of the test's own at the other end of a stream in memory and a
 * real room behind it: what a client may say when, signs of life, and goodbyes.
 *
 * @module
 */

import { concat, randomBytes } from "../../../crypto_utils.ts";
import { Room } from "../../../src/server/room.ts";
import { encodeHeader, RecordType } from "../../../src/protocol/records.ts";
import { assertEquals } from "../../kit/assert.ts";
import { ManualClock } from "../../kit/memory_stream.ts";
import { fullId, shortId } from "../../../src/crypto/person_id.ts";
import { joinEvent, newIdentity } from "../../kit/people.ts";
import {
  ANA,
  assertThrownOut,
  broadcast,
  type Client,
  COSTS,
  fetchOf,
  garbage,
  join,
  MISUSES,
  offer,
  say,
  Setup,
  stall,
  STRANGE_FILE_EVENTS,
  tick,
} from "../../kit/connection_setup.ts";
import { GOODBYES } from "../../../src/protocol/reasons.ts";
import type { Rates } from "../../../src/server/rate_limits.ts";
import { overhear } from "../../kit/overhear.ts";
import { replaced } from "../../kit/replaced.ts";
import { quiet } from "../../kit/room_client.ts";
import { until } from "../../kit/turns.ts";

/** What is a record of no type. */
const noRecord = Uint8Array.of(0, 50, 77);

// ── Joining ────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("Connection lets a client in as the person of its card, and passes on what it says", async () => {
  await using setup = await Setup.create();
  const ana = await setup.connect();
  const identity = await newIdentity();
  const ben = await setup.connect(identity);
  await ana.join("ana");
  const join = joinEvent(identity, "ben", { n: 6 });
  await ben.send(join);
  const { id } = await ben.until("welcome");
  const person = fullId(identity.id);
  assertEquals(ben.connection.label, shortId(person));
  const joined = await ana.until("joined");
  assertEquals(joined, {
    kind: "joined",
    id,
    name: "ben",
    person,
    stay: join.stay,
    n: 6,
  });
  assertEquals(ben.of("here").map(({ name }) => name), ["ana", "ben"]);
  await ben.send(say(7, "hello"), say(8, "again"));
  for (const client of [ana, ben]) {
    await client.until("said", ({ n }) => n === 8);
    assertEquals(client.of("said"), [
      { kind: "said", id, n: 7, text: "hello" },
      { kind: "said", id, n: 8, text: "again" },
    ]);
  }
});

for (const [what, events] of MISUSES) {
  Deno.test(`Connection ends without a goodbye where a client ${what}`, async () => {
    await using setup = await Setup.create();
    const witness = await setup.connect();
    await witness.join("witness");
    const client = await setup.connect(ANA);
    // In one record, and in one each: no difference.
    await client.send(...events);
    await assertThrownOut(client);
    const second = await setup.connect(ANA);
    for (const event of events) second.send(event).catch(() => {});
    await assertThrownOut(second);
    for (const { reason } of witness.of("left")) {
      assertEquals(reason, "misused");
    }
    await witness.send(say(1)); // nobody else notices
    await witness.until("said", ({ n }) => n === 1);
  });
}

Deno.test("Connection says a misbehaving member's good lines before the bad one, and tells why it went", async () => {
  await using setup = await Setup.create();
  const witness = await setup.connect();
  await witness.join("witness");
  const client = await setup.connect();
  await client.join("ana");
  await client.send(say(1), { kind: "ping" }, say(1));
  const left = await witness.until("left");
  assertEquals(left.reason, "misused");
  assertEquals(witness.of("said").map(({ n }) => n), [1]);
});

for (
  const [what, records] of [
    ["a broadcast", [broadcast]],
    ["a shared record", [
      concat(encodeHeader(RecordType.shared, 200), randomBytes(200)),
    ]],
    ["a direct record that doesn't open", [garbage]],
    ["several that don't open", [garbage, garbage, garbage]],
    ["one that doesn't open and a broadcast at once", [garbage, broadcast]],
    ["a handshake record", [
      concat(encodeHeader(RecordType.handshake, 50), randomBytes(50)),
    ]],
    ["a record of no type", [noRecord]],
    ["a refusal", [
      concat(encodeHeader(RecordType.refusal, 1), Uint8Array.of(1)),
    ]],
  ] as const
) {
  Deno.test(`Connection ends without a goodbye where a client sends ${what}`, async () => {
    await using setup = await Setup.create();
    const witness = await setup.connect();
    await witness.join("witness");
    const client = await setup.connect();
    await client.join("ana");
    client.inject(...records);
    await assertThrownOut(client);
    assertEquals((await witness.until("left")).reason, "lost"); // anybody on the network could have sent it
  });
}

// ── Signs of life ──────────────────────────────────────────────────────────────────────────────────────

Deno.test("Connection answers each ping, inside the room and outside", async () => {
  await using setup = await Setup.create();
  const client = await setup.connect();
  await client.send({ kind: "ping" });
  await client.until("pong");
  await client.join("ana");
  await client.send({ kind: "ping" }, say(1), { kind: "pong" });
  await client.until("said");
  assertEquals(client.of("pong").length, 2);
});

Deno.test("Connection opens any number of records that come at once, in order, and counts all their bytes", async () => {
  await using setup = await Setup.create();
  const client = await setup.connect();
  const before = setup.received;
  const ping = new TextEncoder().encode('[["ping"]]');
  const sealing = Array.from({ length: 150 }, () => client.channel.seal(ping));
  const records = await Promise.all(sealing);
  client.inject(...records);
  await client.until("pong", () => client.of("pong").length === 150);
  assertEquals(setup.received - before, concat(...records).length);
});

// ── Goodbyes ───────────────────────────────────────────────────────────────────────────────────────────

Deno.test("Connection answers a goodbye with one, tells the others its words, and closes", async () => {
  await using setup = await Setup.create();
  const witness = await setup.connect();
  await witness.join("witness");
  const client = await setup.connect();
  await client.join("ana", 4);
  await client.send(say(5), { kind: "bye", reason: "good night" }, say(6));
  assertEquals((await client.until("bye")).reason, "left");
  await Promise.all([client.ended, client.served]);
  assertEquals(client.failure, undefined);
  assertEquals(client.events.at(-1)?.kind, "bye"); // nothing comes after it
  const left = await witness.until("left");
  assertEquals([left.n, left.reason], [6, "good night"]);
  assertEquals(witness.of("said").map(({ n }) => n), [5]);
});

Deno.test("Connection tells the room that a client was lost, whichever way its stream ends", async () => {
  await using setup = await Setup.create();
  const witness = await setup.connect();
  await witness.join("witness");
  const ends: ((client: Client) => void)[] = [
    ({ channel }) => channel.close(),
    ({ stream }) => stream.outgoing.end(),
    ({ stream }) => stream.outgoing.fail(new Deno.errors.ConnectionReset()),
  ];
  for (const [at, end] of ends.entries()) {
    const client = await setup.connect();
    const { id } = await client.join(`guest${at}`);
    end(client);
    await client.served;
    assertEquals(setup.broadcaster.ring.readers, 1); // nothing is kept for it any more
    const left = await witness.until("left", (event) => event.id === id);
    assertEquals(left.reason, "lost");
  }
});

Deno.test("Connection.dismiss() says the first reason only, after all that came before it", async () => {
  await using setup = await Setup.create();
  const ana = await setup.connect();
  await ana.join("ana");
  const ben = await setup.connect();
  await ben.join("ben");
  await ana.until("joined");
  await ben.send(...[1, 2, 3].map((n) => say(n)));
  await ben.until("said", ({ n }) => n === 3);
  ana.connection.dismiss("stopped");
  ana.connection.dismiss("slow");
  await Promise.all([ana.ended, ana.served]);
  assertEquals(ana.failure, undefined);
  assertEquals(ana.of("said").length, 3);
  assertEquals(ana.events.at(-1), { kind: "bye", reason: "stopped" });
  assertEquals((await ben.until("left")).reason, "stopped");
});

Deno.test("Connection.dismiss() lets out what was said before the goodbye, and nothing from after it", async () => {
  await using setup = await Setup.create();
  const ana = await setup.connect();
  await ana.join("ana");
  const ben = await setup.connect();
  await ben.join("ben");
  await ana.until("ratchet");
  await quiet(ana);
  ana.stream.incoming.capacity = 0;
  await ben.send(say(1));
  await ben.until("said");
  ana.connection.dismiss("stopped");
  tick(ana, 100); // nobody looks for signs of life any more
  await ben.send(say(2));
  await ben.until("said", ({ n }) => n === 2);
  ana.stream.incoming.capacity = Number.POSITIVE_INFINITY;
  await Promise.all([ana.ended, ana.served]);
  assertEquals(ana.failure, undefined);
  assertEquals(ana.of("said").map(({ n }) => n), [1]);
  assertEquals(ana.events.at(-1)?.kind, "bye");
});

Deno.test("Connection.dismiss() takes what a client still sends, so that no reset takes the goodbye from it", async () => {
  using clock = new ManualClock();
  await using setup = await Setup.create();
  const witness = await setup.connect();
  await witness.join("witness");
  const client = await setup.connect();
  await client.join("ana");
  client.stream.incoming.held = true;
  client.connection.dismiss("stopped");
  await witness.until("left");
  for (const n of [1, 2, 3]) await client.send(say(n));
  client.stream.incoming.held = false;
  await Promise.all([client.ended, client.served]);
  assertEquals(client.failure, undefined);
  assertEquals(client.events.at(-1), { kind: "bye", reason: "stopped" });
  assertEquals(witness.of("said"), []);
  assertEquals(clock.pending, 0);
});

Deno.test("Connection.dismiss() gives a client that doesn't read a second to hear it", async () => {
  using clock = new ManualClock();
  await using setup = await Setup.create();
  const client = await setup.connect();
  await client.join("ana");
  client.stream.incoming.capacity = 0;
  client.connection.dismiss("stopped");
  clock.advance(999);
  await client.send({ kind: "ping" }); // the stream still stands
  clock.advance(1);
  await Promise.all([client.ended, client.served]);
  assertEquals(client.of("bye"), []);
  assertEquals(clock.pending, 0);
});

Deno.test("Connection.dismiss() waits no longer for a client that has closed than until all is written", async () => {
  using _clock = new ManualClock(); // on which no goodbye's time runs out
  await using setup = await Setup.create();
  const client = await setup.connect();
  await client.join("ana");
  client.stream.incoming.capacity = 0;
  client.connection.dismiss("stopped");
  client.stream.outgoing.end();
  for (let step = 0; step < 50; step++) await Promise.resolve();
  client.stream.incoming.capacity = Number.POSITIVE_INFINITY;
  assertEquals(await client.served, "stopped");
});

Deno.test("Connection gives way at once where the ring needs the place of one that is saying goodbye", async () => {
  using _clock = new ManualClock(); // on which no goodbye's time runs out
  await using setup = await Setup.create();
  const client = await setup.connect();
  await client.join("ana");
  await stall(client);
  client.connection.dismiss("stopped");
  client.connection.outlet.drop();
  await client.connection.outlet.settled();
  await Promise.all([client.ended, client.served]);
});

Deno.test("Connection leaves the room again where it ended while it was let in", async () => {
  await using setup = await Setup.create();
  const witness = await setup.connect();
  await witness.join("witness");
  const client = await setup.connect(ANA);
  setup.room.join = async (request) => {
    const admission = await Room.prototype.join.call(setup.room, request);
    client.connection.dismiss("stopped"); // in the room, and its connection doesn't know yet
    return admission;
  };
  await client.send(join);
  await client.served;
  assertEquals((await witness.until("left")).reason, "stopped");
  assertEquals(setup.room.size, 1);
});

Deno.test("Connection ends at once, without a goodbye, where more than 8 MiB wait for a client that doesn't read", async () => {
  using clock = new ManualClock();
  await using setup = await Setup.create();
  const client = await setup.connect();
  const { connection } = client;
  client.stream.incoming.capacity = 0;
  const notice = { kind: "notice", text: "x".repeat(60_000) } as const;
  let told = 0;
  for (; !connection.ended && told < 200; told++) connection.tell(notice);
  assertEquals([told > 120, told < 140], [true, true]);
  assertEquals(clock.pending, 0);
  assertEquals(await client.served, "slow");
});

// ── What else a member may ask ─────────────────────────────────────────────────────────────────────────

Deno.test("Connection gives a member another name, or says why not", async () => {
  await using setup = await Setup.create();
  const ana = await setup.connect();
  const { id } = await ana.join("ana");
  await ana.send({ kind: "rename", name: "two words" });
  assertEquals(await ana.until("refused"), {
    kind: "refused",
    n: null,
    reason: "name-invalid",
    detail: "",
  });
  await ana.send({ kind: "rename", name: "anna" }, say(1));
  await ana.until("said");
  assertEquals(ana.of("renamed"), [{
    kind: "renamed",
    id,
    n: 0,
    name: "anna",
  }]);
});

for (
  const event of [
    { kind: "rename", name: "ana" },
    { kind: "find", id: 1, words: "", before: null, count: 1 },
    { kind: "act", n: 1, text: "waves" },
    { kind: "reply", n: 1, to: 1, text: "yes" },
    { kind: "page", id: 1, before: 1, count: 1 },
    { kind: "agree", id: 1, seq: 1 },
    { kind: "release", id: 1 },
    { kind: "operate", id: 1, what: "bans", who: "", text: "", count: 0 },
    { kind: "taken", offer: 1 },
    { kind: "edit", n: 1, to: 1, text: "x" },
    { kind: "hold", offer: 1 },
    offer(1),
    fetchOf(1),
  ] as const
) {
  Deno.test(`Connection ends without a goodbye where somebody outside sends "${event.kind}"`, async () => {
    await using setup = await Setup.create();
    const client = await setup.connect();
    await client.send(event);
    await assertThrownOut(client);
  });
}

Deno.test("Connection reads one that says too much no faster than it may, and tells it so once", async () => {
  using clock = new ManualClock();
  await using setup = await Setup.create();
  const ana = await setup.connect(undefined, {
    burst: 2,
    perSecond: 1,
    bytesPerMessage: 1_024,
  });
  await ana.join("ana");
  await ana.send(say(1), say(2), say(3), say(4)); // two more than it may at once
  await ana.until("slowed");
  await ana.send(say(5));
  const witness = await setup.connect();
  await witness.join("witness");
  clock.advance(1_999);
  await quiet(witness);
  assertEquals(ana.of("said").map(({ n }) => n), [1, 2, 3, 4]);
  clock.advance(1);
  await ana.until("said", ({ n }) => n === 5);
  await ana.send(say(6));
  await quiet(witness); // by now it waits again
  assertEquals(ana.of("said").at(-1)?.n, 5);
  clock.advance(1_000);
  await ana.until("said", ({ n }) => n === 6);
  assertEquals(ana.of("slowed").length, 1);
});

Deno.test("Connection that is slowed down ends at once where it is sent away", async () => {
  using _clock = new ManualClock(); // stands still
  await using setup = await Setup.create();
  const rates = { burst: 1, perSecond: 1, bytesPerMessage: 1_024 };
  const ana = await setup.connect(undefined, rates);
  await ana.join("ana");
  await ana.send(say(1), say(2), say(3));
  await ana.until("slowed");
  tick(ana, 100); // who isn't read can't be silent
  ana.connection.dismiss("stopped");
  assertEquals(await ana.served, "stopped");
});

for (const [what, most, event] of COSTS) {
  Deno.test(`Connection slows one down that sends more than ${most} × ${what} where it may say 40 lines`, async () => {
    using _clock = new ManualClock();
    await using setup = await Setup.create();
    const rates = { burst: 40, perSecond: 1, bytesPerMessage: 1_024 };
    const ana = await setup.connect(undefined, rates);
    await ana.join("ana");
    const send = () => event ? ana.send(event) : ana.sendNothing();
    for (let count = 0; count < most; count++) await send();
    const witness = await setup.connect();
    await witness.join("witness");
    await quiet(witness);
    assertEquals(ana.of("slowed"), []);
    await send();
    await ana.until("slowed");
  });
}

Deno.test("Connection slows one down that asks again and again to be let in, and is refused", async () => {
  using _clock = new ManualClock();
  await using setup = await Setup.create();
  const rates = { burst: 40, perSecond: 1, bytesPerMessage: 1_024 };
  const ana = await setup.connect(undefined, rates);
  const wish = joinEvent(ana.identity, "not a name");
  await ana.send(wish, wish);
  await ana.until("refused");
  const witness = await setup.connect();
  await witness.join("witness");
  await quiet(witness);
  assertEquals(ana.of("slowed"), []);
  await ana.send(wish);
  await ana.until("slowed");
  assertEquals(ana.of("refused").length, 3);
});

Deno.test("Connection slows a member down for its bytes, but not for the pieces that it was asked for", async () => {
  await using setup = await Setup.create();
  // Four thousand bytes at once, and then next to none: a piece that counted would hold the next line up.
  const rates = { burst: 4_000, perSecond: 0.001, bytesPerMessage: 1 };
  const ana = await setup.connect(undefined, rates);
  const ben = await setup.connect();
  await ana.join("ana");
  await ben.join("ben");
  await ana.send(offer(1, 10_000));
  await ben.until("offered");
  const { head } = setup.history;
  await ana.send({ kind: "hold", offer: head }, { kind: "ping" });
  await ana.until("pong");
  await ben.send(fetchOf(head, 1, 9_000));
  const { id } = await ana.until("fetch");
  await ana.send({ kind: "piece", id, data: "A".repeat(12_000) });
  await ben.until("piece");
  await ana.send(say(2));
  await ben.until("said");
  assertEquals(ana.of("slowed"), []);
  await ana.send(say(3, "x".repeat(4_000)));
  await ana.until("slowed");
  ana.connection.dismiss("stopped");
  await ana.served;
});

for (const [what, event] of STRANGE_FILE_EVENTS) {
  Deno.test(`Connection throws out a client that fetches ${what}`, async () => {
    await using setup = await Setup.create();
    const ana = await setup.connect();
    await ana.join("ana");
    await ana.send(event);
    await assertThrownOut(ana);
  });
}

Deno.test("Connection tells its owner of clients that misuse it, whose bytes were altered, that send what only a server seals, that are too slow or slowed down, and of those who leave or are lost only where it asks for details", async () => {
  const labels: string[] = [];
  const told = await overhear("debug", async () => {
    await using setup = await Setup.create();
    const enter = async (rates?: Rates) => {
      const client = await setup.connect(undefined, rates);
      await client.join(`guest${labels.length}`);
      labels.push(client.connection.label);
      return client;
    };
    const misuses = await enter();
    await misuses.send(say(1), say(1));
    await misuses.served;
    const altered = await enter();
    altered.inject(garbage);
    await altered.served;
    const serves = await enter();
    serves.inject(broadcast);
    await serves.served;
    const late = await enter();
    late.connection.dismiss("stopped");
    late.inject(noRecord); // of which nobody is told: it has ended
    await late.served;
    const slow = await enter();
    slow.connection.outlet.drop();
    await slow.served;
    const fast = await enter({ burst: 1, perSecond: 1, bytesPerMessage: 64 });
    await fast.send(say(1), say(2));
    await fast.until("slowed");
    fast.connection.dismiss("stopped");
    await fast.served;
    const lost = await enter();
    const reset = new Deno.errors.ConnectionReset("the wire was cut");
    lost.stream.outgoing.fail(reset);
    await lost.served;
    const leaves = await enter();
    await leaves.send({ kind: "bye", reason: "left" });
    await leaves.served;
  });
  const about = (at: number) => `connection: ${labels[at]}:`;
  const isDetail = (line: string) => line.startsWith("debug ");
  const [misused, altered, serves, ...others] = told.filter((it) =>
    !isDetail(it)
  );
  assertEquals(
    misused,
    `warning ${about(0)} disconnected: Cannot say line 1 again`,
  );
  assertEquals(altered?.startsWith(`warning ${about(1)} `), true);
  assertEquals(
    serves,
    `warning ${
      about(2)
    } disconnected: Cannot take from a client what only a server seals`,
  );
  assertEquals(others, [
    `info ${about(4)} ${GOODBYES.slow}`,
    `info ${about(5)} says more than it may, and is read more slowly`,
  ]);
  const details = [6, 7].flatMap((at) =>
    told.filter((it) => it.startsWith(`debug ${about(at)} `))
  );
  assertEquals(details, [
    `debug ${about(6)} the wire was cut`,
    `debug ${about(6)} ${GOODBYES.lost}`,
    `debug ${about(7)} ${GOODBYES.left}`,
  ]);
});

Deno.test("Connection ends whose client is gone, though what it has said waits for a place in the room", async () => {
  await using setup = await Setup.create();
  const [ana, ben] = [await setup.connect(), await setup.connect()];
  await ana.join("ana");
  await ben.join("ben");
  {
    using _ = replaced(setup.broadcaster.ring, "congested", true);
    const { asked } = setup;
    await ana.send(say(1), say(2));
    await until(() => setup.asked > asked); // nothing more is read
    ana.stream.close();
    const { connection } = ana;
    connection.tell({ kind: "pong" });
    await until(() => connection.outlet.isGone);
    assertEquals([connection.tick(), connection.ended], [true, undefined]);
    connection.judge();
    assertEquals(await ana.served, "lost");
  }
  await ben.until("left");
  assertEquals(ben.of("said").map(({ n }) => n), [1, 2]);
});
