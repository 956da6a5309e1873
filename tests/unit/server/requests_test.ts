/**
 * A server's end of one connection, with a client of the test's own at the other end of a stream in memory and a
 * real room behind it: what a client may say when, signs of life, and goodbyes.
 *
 * @module
 */

import { toBase64url } from "../../../crypto_utils.ts";
import { LogError } from "../../../src/log/file.ts";
import type { Event } from "../../../src/protocol/events.ts";
import type { Refused } from "../../../src/server/batch.ts";
import { assert, assertEquals, assertMatch } from "../../kit/assert.ts";
import { ManualClock } from "../../kit/memory_stream.ts";
import { joinEvent, madeUpId, newIdentity, newStay } from "../../kit/people.ts";
import { fullId, shortId, spokenId } from "../../../src/crypto/person_id.ts";
import { MAX_TEXT_SIZE } from "../../../src/protocol/reasons.ts";
import { CHAIN_START, chainEvent } from "../../../src/protocol/chain.ts";
import { pastEntry } from "../../../src/protocol/line.ts";
import { pastOf, said, valueFor } from "../../kit/log_kit.ts";
import {
  assertThrownOut,
  type Client,
  fetchOf,
  letterTo,
  offer,
  say,
  Setup,
  UNLIMITED,
  withOffer,
} from "../../kit/connection_setup.ts";
import { overhear } from "../../kit/overhear.ts";
import { replaced } from "../../kit/replaced.ts";
import { quiet } from "../../kit/room_client.ts";
import { Allowance, Purse, Purses } from "../../../src/server/rate_limits.ts";
import { Requests } from "../../../src/server/requests.ts";
import { until } from "../../kit/turns.ts";

Deno.test("Connection tells a client why it can't join, and lets it ask again", async () => {
  await using setup = await Setup.create();
  const ana = await setup.connect();
  await ana.join("ana");
  const ben = await setup.connect();
  const cases = [
    ["", "name-invalid"],
    ["two words", "name-invalid"],
    ["bеn", "name-mixed"], // with a Cyrillic letter
    ["ANA", "name-taken"],
  ] as const;
  for (const [name, reason] of cases) {
    ben.events.length = 0;
    await ben.send(joinEvent(ben.identity, name));
    const refused = await ben.until("refused");
    const today = new Date().toISOString().slice(0, 10);
    const whose = spokenId(shortId(fullId(ana.identity.id)));
    const isTaken = reason === "name-taken";
    const detail = isTaken ? `ana, ${whose}, since ${today}` : "";
    assertEquals(refused, { kind: "refused", n: null, reason, detail });
  }
  await ben.join("ben");
  assertEquals(setup.room.size, 2);
});

Deno.test("Connection shows a newcomer as much of the past as it should see, and one that returns all it missed", async () => {
  await using setup = await Setup.create(2);
  const ana = await setup.connect();
  await ana.join("ana");
  await ana.send(...[1, 2, 3].map((n) => say(n)));
  await ana.until("said", ({ n }) => n === 3);
  const ben = await setup.connect();
  await ben.join("ben");
  assertEquals(ben.of("past").map(({ seq }) => seq), [3, 4, 5]);
  const again = await setup.connect(ben.identity);
  await again.join("ben", 0, 2);
  assertEquals(again.of("past").map(({ seq }) => seq), [3, 4, 5]);
  // Nothing older, whatever it asks: neither one that is new, nor one that comes again.
  const carla = await setup.connect();
  await carla.join("carla", 0, 1);
  assertEquals(carla.of("past").map(({ seq }) => seq), [3, 4, 5, 6]);
  const older = await setup.connect(ben.identity);
  await older.join("ben", 0, 0);
  assertEquals(older.of("past").map(({ seq }) => seq), [3, 4, 5, 6]);
  for (const words of ["", "line"]) {
    carla.events.length = 0;
    await carla.send({ kind: "find", id: 1, words, before: null, count: 9 });
    assertEquals((await carla.until("found")).more, false);
    const seqs = carla.of("past").map(({ seq }) => seq);
    assertEquals(seqs, words === "" ? [3, 4, 5, 6] : [3, 4]);
  }
});

/** Ben was there and has gone; ana is there. */
async function benLeft(setup: Setup): Promise<{ old: Client; ana: Client }> {
  const old = await setup.connect();
  await old.join("ben");
  old.channel.close();
  await old.served;
  const ana = await setup.connect();
  await ana.join("ana");
  return { old, ana };
}

Deno.test("Connection lets one that missed thousands of lines catch up from the log, each line once", async () => {
  await using setup = await Setup.create();
  const { old, ana } = await benLeft(setup);
  for (let n = 1; n <= 3_000; n += 100) {
    await ana.send(...Array.from({ length: 100 }, (_, at) => say(n + at)));
  }
  const ben = await setup.connect(old.identity);
  const welcome = ben.join("ben", 0, 0); // while they are still coming in
  await ana.until("said", ({ n }) => n === 3_000);
  const { seq } = await welcome;
  const last = (await ana.until("joined")).n;
  assertEquals(last, 0);
  // The rest comes as broadcasts, where it was let in before the last line.
  if (!ben.of("past").some(({ n }) => n === 3_000)) {
    await ben.until("said", ({ n }) => n === 3_000);
  }
  const heard = ben.of("batch").length > 0
    ? ben.of("said").length // what came after its joining
    : 0;
  const numbers = ben.of("past").map((it) => it.seq);
  const expected = Array.from(
    { length: 3_004 - heard },
    (_, at) => at + 1,
  );
  assertEquals(numbers, expected);
  assertEquals(ben.of("past").at(-1)?.seq, seq);
  const joining = ben.of("past").findLast(({ what }) => what === "joined");
  assertEquals(joining?.name, "ben");
  assertEquals(ben.of("chain"), [chainEvent(0, CHAIN_START)]);
});

Deno.test("Connection writes nothing for blocks of the past that have no line of ours, however many ask for them", async () => {
  await using setup = await Setup.create(0, 300);
  const { log } = setup;
  const old = [await setup.connect(), await setup.connect()];
  for (const [index, client] of old.entries()) {
    await client.join(`guest${index}`);
  }
  await log.appendFrom(log.head + 1, Array.from({ length: 1_000 }, () => null));
  for (const { channel, served } of old) {
    channel.close();
    await served;
  }
  for (const [index, { identity }] of old.entries()) {
    const client = await setup.connect(identity);
    await client.join(`guest${index}`, 0, 0);
    const sizes = client.stream.incoming.written.map(({ length }) => length);
    assert(Math.min(...sizes) > 0, "a message of nothing would never end");
  }
});

Deno.test("Connection lets one come back that missed 1,000 lines of the longest, all of them in memory", async () => {
  await using setup = await Setup.create();
  const { old } = await benLeft(setup);
  const text = '"'.repeat(MAX_TEXT_SIZE); // twice as long in JSON: together more than may wait for one
  const lines = Array.from({ length: 1_000 }, (_, at) => said(at + 1, text));
  await setup.log.append(lines);
  assertEquals(setup.log.oldest, 0);
  const ben = await setup.connect(old.identity);
  await ben.join("ben", 0, 0);
  const last = ben.of("past").findLast(({ what }) => what === "said");
  assertEquals(last?.n, 1_000);
});

Deno.test("Connection tells at once what is in memory, since in a busy room more would come while pieces are read", async () => {
  await using setup = await Setup.create();
  const { old, ana } = await benLeft(setup);
  await ana.send(...Array.from({ length: 600 }, (_, at) => say(at + 1)));
  await ana.until("said", ({ n }) => n === 600);
  const { history } = setup;
  const piece = history.piece.bind(history);
  let asked = 0;
  history.piece = (after, upTo) => {
    asked++;
    return piece(after, upTo);
  };
  const ben = await setup.connect(old.identity);
  await ben.join("ben", 0, 0);
  const said = ben.of("past").filter(({ what }) => what === "said");
  assertEquals([said.length, asked], [600, 0]);
});

Deno.test("Connection begins what it tells of the past with the chain's value, and says the value for any line", async () => {
  await using setup = await Setup.create(2);
  const ana = await setup.connect();
  await ana.join("ana");
  await ana.send(...[1, 2, 3].map((n) => say(n)));
  await ana.until("said", ({ n }) => n === 3);
  const ben = await setup.connect();
  await ben.join("ben");
  await ana.until("joined", ({ name }) => name === "ben");
  const lines = await pastOf(setup.log);
  const [first] = ben.of("past");
  assert(first);
  const before = first.seq - 1;
  const told = chainEvent(before, valueFor(lines, before));
  assertEquals(ben.of("chain"), [told]);
  const kinds = ben.events.map(({ kind }) => kind);
  assert(kinds.indexOf("chain") < kinds.indexOf("past"));
  for (const seq of [0, 1, 4, 5, 6]) {
    await ben.send({ kind: "agree", id: seq, seq });
    const { value } = await ben.until("agreed", ({ id }) => id === seq);
    const expected = seq <= 5 ? valueFor(lines, seq) : undefined;
    assertEquals(value, chainEvent(seq, expected).value);
  }
});

Deno.test("Connection tells pages of lines in a row, and nothing that the person may not read", async () => {
  await using setup = await Setup.create(2, 16);
  const ana = await setup.connect();
  await ana.join("ana");
  for (let n = 1; n <= 2_000; n += 100) {
    await ana.send(...Array.from({ length: 100 }, (_, at) => say(n + at)));
  }
  await ana.until("said", ({ n }) => n === 2_000);
  const lines = await pastOf(setup.log);
  /** @returns The first and last number that came, after which value they go on, and whether there is more. */
  const page = async (client: Client, before: number, count: number) => {
    client.events.length = 0;
    await client.send({ kind: "page", id: 7, before, count });
    const { id, more } = await client.until("paged");
    assertEquals(id, 7);
    const [told, ...others] = client.of("chain");
    assert(told);
    assertEquals(others, []);
    assertEquals(told, chainEvent(told.seq, valueFor(lines, told.seq)));
    const seqs = client.of("past").map((it) => pastEntry(it).seq);
    assertEquals(seqs, seqs.map((_, at) => told.seq + 1 + at));
    return [told.seq, seqs.at(-1), more];
  };
  assertEquals(await page(ana, 2_002, 10), [1_991, 2_001, true]);
  assertEquals(await page(ana, 1_992, 1_000_000), [967, 1_991, true]);
  assertEquals(await page(ana, 968, 1_024), [0, 967, false]);
  assertEquals(await page(ana, 1_000_000, 1), [2_000, 2_001, true]);
  assertEquals(await page(ana, 5, 0), [4, undefined, true]);
  assertEquals(await page(ana, 1, 9), [0, undefined, false]);
  const ben = await setup.connect();
  await ben.join("ben");
  const [first] = ben.of("past");
  const from = (first?.seq ?? 0) - 1;
  assertEquals(await page(ben, 2_002, 1_000), [from, 2_001, false]);
  for (const before of [0, 1, 500, from, from + 1]) {
    assertEquals(await page(ben, before, 1_000), [from, undefined, false]);
  }
});

Deno.test("Connection lets a client catch up no faster than it may be told lines, whether they are in memory, in files, or come as it is let in", async () => {
  const rates = { burst: 100, perSecond: 1, bytesPerMessage: 1_048_576 };
  // How many lines are in memory, how many were said, and the last that it had; then how many it has been told before each wait, and its seconds.
  const cases: readonly [number, number, number, [number, number][]][] = [
    [1_024, 600, 0, [[603, 503]]],
    [1_024, 600, 100, [[503, 403]]],
    [300, 600, 0, [[256, 156], [512, 256], [512, 91]]],
    [300, 600, 100, [[156, 56], [412, 256], [412, 91]]],
    [1_024, 200, 0, [[0, 103]]],
  ];
  for (const [window, count, after, waits] of cases) {
    using clock = new ManualClock();
    await using setup = await Setup.create(0, window);
    const { old, ana } = await benLeft(setup);
    await ana.send(...Array.from({ length: count }, (_, at) => say(at + 1)));
    await ana.until("said", ({ n }) => n === count);
    const ben = await setup.connect(old.identity, rates);
    await ben.send(joinEvent(ben.identity, "ben", { after }));
    for (const [told, seconds] of waits) {
      await until(() => ben.of("past").length >= told && clock.pending > 0);
      clock.advance(seconds * 1_000 - 1);
      await quiet(ana);
      assertEquals([ben.of("past").length, ben.of("welcome")], [told, []]);
      clock.advance(1);
      await quiet(ana);
    }
    await ben.until("welcome");
  }
});

Deno.test("Connection tells one nothing of the past that was sent away while it catches up, from memory or from files", async () => {
  for (const window of [1_024, 300]) {
    await using setup = await Setup.create(0, window);
    const { old, ana } = await benLeft(setup);
    await ana.send(...Array.from({ length: 600 }, (_, at) => say(at + 1)));
    await ana.until("said", ({ n }) => n === 600);
    const ben = await setup.connect(old.identity);
    const { connection } = ben;
    const { history } = setup;
    const { packed, piece } = history;
    history.packed = (...range) => {
      if (window > 600) connection.dismiss("stopped");
      return packed.call(history, ...range);
    };
    let pieces = 0;
    history.piece = (...range) => {
      pieces++;
      connection.dismiss("stopped");
      return piece.call(history, ...range);
    };
    const { pass } = connection;
    let told = 0;
    connection.pass = (plaintexts) => {
      if (connection.ended) told++;
      pass.call(connection, plaintexts);
    };
    await ben.send(joinEvent(ben.identity, "ben", { after: 0 }));
    assertEquals(await ben.served, "stopped");
    assertEquals([setup.room.size, setup.log.head], [1, 603]); // nor let in
    assertEquals([pieces, ben.of("past")], [window > 600 ? 0 : 1, []]);
    assertEquals(told, 1); // the goodbye
  }
});

Deno.test("Connection seals a piece of the past once for all who are told it but the first", async () => {
  await using setup = await Setup.create(0, 300);
  const { old, ana } = await benLeft(setup);
  await ana.send(...Array.from({ length: 600 }, (_, at) => say(at + 1)));
  await ana.until("said", ({ n }) => n === 600);
  const { share } = setup.room;
  let shared = 0;
  setup.room.share = (plaintexts) => {
    shared++;
    return share.call(setup.room, plaintexts);
  };
  for (const expected of [0, 2, 2]) {
    const ben = await setup.connect(old.identity);
    await ben.join("ben", 0, 0);
    const seqs = ben.of("past").map(({ seq }) => seq);
    assertEquals(seqs, seqs.map((_, at) => at + 1));
    assert(seqs.length > 600);
    assertEquals(shared, expected); // of two whole blocks
  }
});

Deno.test("Connection has who lacks 256 lines told them as it is let in, and who lacks more before", async () => {
  await using setup = await Setup.create();
  const { old, ana } = await benLeft(setup);
  await ana.send(...Array.from({ length: 300 }, (_, at) => say(at + 1)));
  await ana.until("said", ({ n }) => n === 300);
  const { history } = setup;
  const { packed } = history;
  let before = 0;
  history.packed = (after, upTo) => {
    before++;
    return packed.call(history, after, upTo);
  };
  for (const [lacking, expected] of [[256, 0], [257, 1]] as const) {
    const ben = await setup.connect(old.identity);
    const { head } = history;
    await ben.join("ben", 0, head - lacking);
    assertEquals([before, ben.of("past")[0]?.seq], [
      expected,
      head - lacking + 1,
    ]);
  }
});

Deno.test("Connection tells one nothing of the past that can't be let in, however much it lacks, and why", async () => {
  await using setup = await Setup.create();
  const { old, ana } = await benLeft(setup);
  await ana.send(...Array.from({ length: 300 }, (_, at) => say(at + 1)));
  await ana.until("said", ({ n }) => n === 300);
  const ben = await setup.connect(old.identity);
  const refusal = setup.room.refusal.bind(setup.room);
  const reasons = ["room-full", "removed"] as const;
  const said = await overhear("warning", async () => {
    for (const reason of reasons) {
      ben.events.length = 0;
      setup.room.refusal = () => ({ reason, detail: "until noon" });
      await ben.send(joinEvent(ben.identity, "ben", { after: 0 }));
      const refused = await ben.until("refused");
      assertEquals([refused.reason, refused.detail], [reason, "until noon"]);
      assertEquals(ben.of("past"), []);
    }
  });
  assertEquals(said, [
    `warning connection: ${ben.connection.label}: not let in: the room is full. --max-clients lets in more`,
  ]);
  // What only the room itself can say is told as well.
  setup.room.refusal = () => undefined;
  const eve = await setup.connect();
  await eve.send(joinEvent(eve.identity, "ana"));
  assertEquals((await eve.until("refused")).reason, "name-taken");
  setup.room.refusal = refusal;
  Object.defineProperty(setup.room, "isUp", { value: false });
  await eve.send(joinEvent(eve.identity, "eve"));
  assertEquals((await eve.until("bye")).reason, "adrift");
});

Deno.test("Connection has a guest catch up again that is behind by the time it is let in, and tells it each line and one value of the chain", async () => {
  await using setup = await Setup.create();
  const { old, ana } = await benLeft(setup);
  const { room } = setup;
  const { join } = room;
  let asked = 0;
  room.join = async (request) => {
    if (++asked > 2) return await join.call(room, request);
    const lines = Array.from({ length: 300 }, (_, at) => said(at + 1));
    await setup.log.append(lines);
    return "behind";
  };
  const ben = await setup.connect(old.identity);
  await ben.join("ben", 0, 0);
  const seqs = ben.of("past").map(({ seq }) => seq);
  assertEquals(seqs, Array.from({ length: 604 }, (_, at) => at + 1));
  assertEquals([asked, ben.of("chain").length], [3, 1]);
  await ana.until("joined");
});

Deno.test("Connection waits for other servers where one has seen more of the room than this one, and else not", async () => {
  await using setup = await Setup.create();
  const { room } = setup;
  let waits = 0;
  room.caughtUp = () => Promise.resolve(void waits++);
  const ana = await setup.connect();
  await ana.join("ana");
  for (const [after, expected] of [[1, 0], [3, 1]] as const) {
    const again = await setup.connect(ana.identity);
    await again.join("ana", 0, after);
    assertEquals(waits, expected);
  }
});

Deno.test("Connection takes one for no guest while it is let in, however long that takes, and for one again where it isn't", async () => {
  await using setup = await Setup.create();
  const { room } = setup;
  const { promise, resolve } = Promise.withResolvers<Refused>();
  const asked = Promise.withResolvers<void>();
  room.join = () => {
    asked.resolve();
    return promise;
  };
  const client = await setup.connect();
  await client.send(joinEvent(client.identity, "ana"));
  await asked.promise;
  const inDoubt = () =>
    Array.from({ length: 31 }, () => client.connection.tick()).includes(true);
  assertEquals(inDoubt(), false);
  resolve({ reason: "log-failed", detail: "" });
  await client.until("refused");
  assertEquals(inDoubt(), true);
});

Deno.test("Connection answers each wish of an operator, and of who is none, by its number", async () => {
  await using setup = await Setup.create();
  const ana = await setup.connect();
  await ana.join("ana");
  const wish = { kind: "operate", who: "", text: "", count: 0 } as const;
  const kinds = async (id: number, what: string) => {
    ana.events.length = 0;
    await ana.send({ ...wish, id, what });
    assertEquals((await ana.until("answered")).id, id);
    return ana.events.map((it) => it.kind === "refused" ? it.reason : it.kind);
  };
  assertEquals(await kinds(7, "bans"), ["not-operator", "answered"]);
  const person = setup.people.persons.find(fullId(ana.identity.id));
  assert(person);
  setup.people.setOperator(person, true);
  assertEquals(await kinds(8, "bans"), ["notice", "answered"]);
  await ana.send({ ...wish, id: 9, what: "topic", text: "hills" });
  await ana.until("answered", ({ id }) => id === 9);
  assertEquals(setup.people.journal.isKept, true);
});

Deno.test("Requests of a room without operators tell one who would be one that it is none, and need nobody who counts them", async () => {
  await using setup = await Setup.create();
  const ana = await setup.connect();
  const { room, people, history, relay, mailbox } = setup;
  const purse = new Purse(UNLIMITED, () => 0);
  const requests = new Requests(ana.connection, {
    ...{ room, people, history, relay, mailbox, purses: new Purses() },
    allowance: new Allowance(purse),
  });
  await requests.carryOut([joinEvent(ana.identity, "ana")]);
  await ana.until("welcome");
  const wish = { kind: "operate", who: "", text: "", count: 0 } as const;
  await requests.carryOut([{ ...wish, id: 7, what: "bans" }]);
  assertEquals((await ana.until("answered")).id, 7);
  assertEquals(ana.of("refused").map(({ reason }) => reason), ["not-operator"]);
  assertEquals(setup.asked, 0);
});

Deno.test("Connection has all connections of a person pay from one purse", async () => {
  using _clock = new ManualClock();
  await using setup = await Setup.create();
  const rates = { burst: 40, perSecond: 1, bytesPerMessage: 1_048_576 };
  const identity = await newIdentity();
  const [first, second] = [
    await setup.connect(identity, rates),
    await setup.connect(identity, rates),
  ];
  for (const client of [first, second]) await client.join("ana");
  const lines = Array.from({ length: 30 }, (_, at) => say(at + 1));
  await first.send(...lines);
  await quiet(first);
  assertEquals(first.of("slowed"), []);
  await second.send(...lines);
  await second.until("slowed");
});

/** The oldest files of a log are deleted as soon as something of them was read, once. */
async function deleteInReading(
  { log, history }: Setup,
  count: number,
): Promise<void> {
  await log.chainAt(log.head); // before, no file is deleted
  let due = log.files.slice(0, count);
  history.past = async function* (after, upTo = log.head) {
    for await (const piece of log.past(after, upTo)) {
      yield piece;
      for (const it of due) assertEquals(await log.deleteOldest(it), true);
      due = [];
    }
  };
}

Deno.test("Connection tells nobody a past with holes where files of the log are deleted while it is read", async () => {
  await using setup = await Setup.create(5_000, 16);
  const { log } = setup;
  const ana = await setup.connect();
  await ana.join("ana");
  for (let n = 1; n <= 1_800; n += 100) {
    await ana.send(...Array.from({ length: 100 }, (_, at) => say(n + at)));
    await ana.until("said", (it) => it.n === n + 99);
    await log.chainAt(log.head);
    await log.beginAnother();
  }
  const page = { kind: "page", id: 7, before: 1_802, count: 1_024 } as const;
  const unreadable = {
    kind: "refused",
    n: null,
    reason: "log-unreadable",
    detail: "",
  } as const;
  await deleteInReading(setup, 2); // of nine that are still there
  await ana.send(page);
  assertEquals(await ana.until("refused"), unreadable);
  assertEquals(ana.of("paged"), []);

  await deleteInReading(setup, 3);
  const ben = await setup.connect(ana.identity);
  await ben.send(joinEvent(ben.identity, "ana", { after: 0 }));
  assertEquals(await ben.until("refused"), unreadable);

  const [start] = log.start;
  ana.events.length = 0;
  await ana.send(page);
  assertEquals((await ana.until("paged")).more, false);
  assertEquals(ana.of("chain")[0]?.seq, start);
  const seqs = ana.of("past").map((it) => pastEntry(it).seq);
  assertEquals(seqs.length, 1_801 - start);
  ben.events.length = 0;
  await ben.send(joinEvent(ben.identity, "ana", { after: 0 }));
  await ben.until("welcome");
  assertEquals(ben.of("chain")[0]?.seq, start);
  const told = ben.of("past").map((it) => pastEntry(it).seq);
  assertEquals(told, told.map((_, at) => start + 1 + at));
});

Deno.test("Connection gives one that returns in the same stay its place, and ends the old one with a reason", async () => {
  await using setup = await Setup.create();
  const identity = await newIdentity();
  const stay = newStay();
  const old = await setup.connect(identity);
  await old.send(joinEvent(identity, "ana", { stay }));
  await old.until("welcome");
  await old.send(say(1));
  await old.until("said");
  const again = await setup.connect(identity);
  await again.send(joinEvent(identity, "anna", { stay, n: 1, after: 2 }));
  await again.until("welcome");
  assertEquals((await old.until("bye")).reason, "replaced");
  await Promise.all([old.ended, old.served]);
  await again.send(say(2));
  await again.until("said");
  assertEquals(await setup.logged(), [
    [0, "joined", ""],
    [1, "said", "line 1"],
    [2, "said", "line 2"],
  ]);
});

Deno.test("Connection skips events of kinds that it doesn't know", async () => {
  await using setup = await Setup.create();
  const client = await setup.connect();
  await client.join("ana");
  const text = new TextEncoder().encode('[["dance",1],["ping"]]');
  client.inject(await client.channel.seal(text));
  await client.until("pong");
});

Deno.test("Connection refuses a text that is too long, by its number, and takes the lines around it", async () => {
  await using setup = await Setup.create();
  const client = await setup.connect();
  await client.join("ana");
  await client.send(
    say(1),
    say(2, "€".repeat(1_366)),
    say(3, ""),
    say(4, "x".repeat(4_096)),
  );
  await client.until("said", ({ n }) => n === 4);
  assertEquals(client.of("refused"), [
    { kind: "refused", n: 2, reason: "text-too-long", detail: "" },
    { kind: "refused", n: 3, reason: "text-empty", detail: "" },
  ]);
  assertEquals(client.of("said").map(({ n }) => n), [1, 4]);
});

Deno.test("Connection tells everybody that a member is away", async () => {
  await using setup = await Setup.create();
  const ana = await setup.connect();
  const ben = await setup.connect();
  const { id } = await ana.join("ana");
  await ben.join("ben");
  await ana.send({ kind: "away", text: "lunch" });
  const absent = { kind: "absent", id, text: "lunch" } as const;
  for (const client of [ana, ben]) {
    assertEquals(await client.until("absent"), absent);
  }
});

Deno.test("Connection answers a search with the lines and then with its end", async () => {
  await using setup = await Setup.create();
  const ana = await setup.connect();
  await ana.join("ana");
  await ana.send(say(1, "red"), say(2, "blue"), say(3, "red"));
  await ana.until("said", ({ n }) => n === 3);
  ana.events.length = 0;
  await ana.send({ kind: "find", id: 7, words: "red", before: null, count: 1 });
  const found = await ana.until("found");
  assertEquals(found, { kind: "found", id: 7, more: true });
  assertEquals(ana.of("past").map(({ seq, text }) => [seq, text]), [[
    4,
    "red",
  ]]);
  assertEquals(ana.events.at(-1)?.kind, "found");
});

Deno.test("Connection passes on an answer to what was said, and refuses one to anything else", async () => {
  await using setup = await Setup.create();
  const ana = await setup.connect();
  const { id } = await ana.join("ana"); // line 1
  await ana.send(say(1, "well?"), { kind: "rename", name: "anna" });
  await ana.until("renamed"); // line 3
  const reply = (n: number, to: number): Event => ({
    kind: "reply",
    n,
    to,
    text: "yes",
  });
  const wrong = [0, 1, 3, 4, 99].map((to, at) => reply(2 + at, to));
  await ana.send(...wrong, reply(7, 2), say(8, "so"));
  const { n } = await ana.until("said", ({ text }) => text === "so");
  const right = { kind: "replied", id, n: 7, to: 2, text: "yes" } as const;
  assertEquals([n, ana.of("replied")], [8, [right]]);
  assertEquals(
    ana.of("refused"),
    [2, 3, 4, 5, 6].map((n) => ({
      kind: "refused" as const,
      n,
      reason: "reply-unknown",
      detail: "",
    })),
  );
  await ana.send(reply(9, setup.history.head)); // the last line of all
  await ana.until("replied", ({ n }) => n === 9);
});

Deno.test("Connection looks up in the log what is answered and isn't in memory any more", async () => {
  await using setup = await Setup.create(0, 2);
  const ana = await setup.connect();
  await ana.join("ana");
  const lines = [1, 2, 3, 4].map((n) => say(n, `line ${n}`));
  await ana.send(...lines);
  await ana.until("said", ({ n }) => n === 4);
  const before = say(5, "before");
  const reply = { kind: "reply", text: "yes" } as const;
  await ana.send(before, { ...reply, n: 6, to: 2 }, { ...reply, n: 7, to: 1 });
  assertEquals((await ana.until("refused")).n, 7);
  const { to } = await ana.until("replied");
  const order = ana.events.filter(({ kind }) =>
    kind === "said" || kind === "replied"
  ).map((event) => "n" in event && event.n);
  assertEquals([to, order], [2, [1, 2, 3, 4, 5, 6]]);
});

Deno.test("Connection slows one down that answers what isn't in memory any more, which costs as much as twenty lines", async () => {
  using _clock = new ManualClock();
  await using setup = await Setup.create(0, 2);
  const rates = { burst: 50, perSecond: 1, bytesPerMessage: 1_048_576 };
  const ana = await setup.connect(undefined, rates);
  await ana.join("ana");
  await ana.send(...[1, 2, 3, 4].map((n) => say(n)));
  await ana.until("said", ({ n }) => n === 4);
  const reply = { kind: "reply", to: 2, text: "yes" } as const;
  for (const n of [5, 6]) await ana.send({ ...reply, n });
  await ana.until("replied", ({ n }) => n === 6);
  await ana.send(say(7), say(8), say(9), {
    kind: "reply",
    n: 10,
    to: 7,
    text: "x",
  });
  await quiet(ana); // fifty with the ping, and with what is in memory
  assertEquals(ana.of("slowed"), []);
  await ana.send(say(11));
  await ana.until("slowed");
});

Deno.test("Connection refuses an answer to what was said before its time", async () => {
  await using setup = await Setup.create();
  const ana = await setup.connect();
  await ana.join("ana");
  await ana.send(say(1, "secret"));
  await ana.until("said");
  const ben = await setup.connect();
  await ben.join("ben");
  await ben.send({ kind: "reply", n: 1, to: 2, text: "what?" });
  assertEquals((await ben.until("refused")).reason, "reply-unknown");
});

Deno.test("Connection answers all that comes in one record in one record, in order", async () => {
  await using setup = await Setup.create();
  const ana = await setup.connect();
  await ana.join("ana");
  const before = ana.records;
  const ping: Event = { kind: "ping" };
  const empty = Array.from({ length: 300 }, (_, at) => say(at + 1, ""));
  await ana.send(...empty, ...Array<Event>(300).fill(ping), fetchOf(9));
  await ana.until("missing");
  assertEquals(ana.records - before, 1);
  assertEquals(ana.of("pong").length, 300);
  assertEquals(
    ana.of("refused").map(({ n }) => n),
    empty.map(({ n }) => n),
  );
});

Deno.test("Connection answers what came before first, where an answer may take long, or is the last", async () => {
  await using setup = await Setup.create();
  const ana = await setup.connect();
  await ana.join("ana");
  await ana.send(say(1));
  await ana.until("said");
  const operate = { kind: "operate", who: "", text: "", count: 0 } as const;
  const cases = [
    [{ kind: "find", id: 1, words: "", before: null, count: 1 }, "found"],
    [{ kind: "page", id: 1, before: 1, count: 1 }, "paged"],
    [{ kind: "agree", id: 1, seq: 1 }, "agreed"],
    [{ ...operate, id: 1, what: "bans" }, "answered"],
    [letterTo(madeUpId("nobody")), "privately"],
    [{ kind: "bye", reason: "left" }, "bye"], // which is the last
  ] as const;
  for (const [event, answer] of cases) {
    ana.events.length = 0;
    const { records } = ana;
    await ana.send({ kind: "ping" }, event);
    await ana.until(answer);
    assertEquals([ana.events[0]?.kind, ana.records > records + 1], [
      "pong",
      true,
    ]);
  }
});

Deno.test("Connection answers what came before a line at once, though the line has to wait", async () => {
  await using setup = await Setup.create();
  const ana = await setup.connect();
  await ana.join("ana");
  {
    using _ = replaced(setup.broadcaster.ring, "congested", true);
    await ana.send({ kind: "ping" }, say(1));
    await until(() => ana.of("pong").length === 1);
    assertEquals(ana.of("said"), []);
  }
  await ana.until("said");
});

Deno.test("Connection carries out nothing that comes after a goodbye", async () => {
  await using setup = await Setup.create();
  const [ana, ben, seq] = await withOffer(setup);
  await ben.send(
    fetchOf(seq, 1),
    { kind: "bye", reason: "left" },
    fetchOf(seq, 2),
  );
  await ben.served;
  await quiet(ana);
  assertEquals(ana.of("fetch").length, 1);
});

Deno.test("Connection logs an offer, tells everybody, and carries a piece from who holds the file to who asks", async () => {
  await using setup = await Setup.create();
  const [ana, ben, seq] = await withOffer(setup);
  const { text } = offer(1);
  assertEquals((await setup.logged()).at(-1), [1, "offered", text]);
  await ben.send(fetchOf(seq, 31));
  const { id, ...asked } = await ana.until("fetch");
  assertEquals(asked, { kind: "fetch", offer: seq, from: 0, size: 9 });
  await ana.send({ kind: "piece", id, data: "AAAAAAAAAAAA" });
  const piece = await ben.until("piece");
  assertEquals(piece, { kind: "piece", id: 31, data: "AAAAAAAAAAAA" });
  assertEquals(ana.of("piece"), []);
});

Deno.test("Connection refuses the offer of a file that is too large, and logs nothing", async () => {
  await using setup = await Setup.create();
  const ana = await setup.connect();
  await ana.join("ana");
  await ana.send(offer(1, 100_001), offer(2, 100_000));
  const refused = await ana.until("refused");
  assertEquals(refused, {
    kind: "refused",
    n: 1,
    reason: "file-too-large",
    detail: "",
  });
  await ana.until("offered");
  assertEquals((await setup.logged()).length, 2);
});

Deno.test("Connection says when a client asks for something: private messages and pieces too, signs of life not", async () => {
  await using setup = await Setup.create();
  const [ana, ben, seq] = await withOffer(setup);
  const asks = async (client: Client, ...events: Event[]) => {
    const before = setup.asked;
    client.events.length = 0;
    await client.send(...events, { kind: "ping" });
    await client.until("pong");
    return setup.asked - before;
  };
  assertEquals(await asks(ben), 0);
  assertEquals(await asks(ben, { kind: "pong" }), 0);
  assertEquals(await asks(ben, fetchOf(seq)), 1);
  const { id } = await ana.until("fetch");
  const data = "A".repeat(12);
  assertEquals(await asks(ana, { kind: "piece", id, data }), 1);
  const words = letterTo(fullId(ben.identity.id));
  assertEquals(await asks(ana, words), 1);
  assertEquals(await asks(ben, { kind: "away", text: "lunch" }), 1);
});

Deno.test("Connection takes nobody's word for holding a file but who offered it", async () => {
  await using setup = await Setup.create();
  const ana = await setup.connect();
  const eve = await setup.connect();
  const ben = await setup.connect();
  await ana.join("ana");
  await eve.join("eve");
  await ben.join("ben");
  await ana.send(offer(1), say(2));
  await eve.send(say(1, offer(1).text)); // which reads like one
  await ben.until("said", ({ text }) => text === offer(1).text);
  await ben.until("said", ({ n }) => n === 2);
  const { head } = setup.history;
  const held = [head - 2, head - 1, head, head + 1, 0, 2 ** 53 - 1];
  const holds = held.map((offer) => ({ kind: "hold", offer }) as const);
  await eve.send(...holds, { kind: "ping" });
  await eve.until("pong");
  for (const [at, { offer }] of holds.entries()) {
    await ben.send(fetchOf(offer, at, 1));
    await ben.until("missing", ({ id }) => id === at);
  }
  assertEquals(eve.of("fetch"), []);
  assertEquals(ben.of("missing").length, held.length);
});

Deno.test("Connection takes no hold of a file that is too large by now, nor of one whose holder has gone meanwhile", async () => {
  await using setup = await Setup.create();
  const [ana, ben, seq] = await withOffer(setup);
  const { history, relay } = setup;
  const hold = { kind: "hold", offer: seq } as const;
  const isHeld = async () => {
    ben.events.length = 0;
    await ben.send(fetchOf(seq, 7), { kind: "ping" });
    await ben.until("pong");
    return ben.of("missing").length === 0;
  };
  assertEquals(await isHeld(), true);
  const again = await setup.connect(ana.identity);
  await again.join("ana");
  ana.channel.close();
  await ana.served;
  assertEquals(await isHeld(), false);
  const smaller = { value: 8, configurable: true };
  Object.defineProperty(relay, "maxFileSize", smaller);
  await again.send(hold);
  await quiet(again);
  assertEquals(await isHeld(), false);
  Object.defineProperty(relay, "maxFileSize", { ...smaller, value: 9 });
  await again.send(hold); // which is just as large as may be
  await quiet(again);
  assertEquals(await isHeld(), true);
  Reflect.deleteProperty(relay, "maxFileSize");
  const { entry } = history;
  history.entry = (offer) => {
    again.connection.dismiss("stopped");
    return entry.call(history, offer);
  };
  await again.send(hold);
  await again.served;
  assertEquals(await isHeld(), false);
});

Deno.test("Connection that ends leaves nobody waiting for its file", async () => {
  await using setup = await Setup.create();
  const [ana, ben, seq] = await withOffer(setup);
  await ben.send(fetchOf(seq, 5));
  await ana.until("fetch");
  ana.channel.close();
  const missing = await ben.until("missing");
  assertEquals(missing, { kind: "missing", id: 5, reason: "gone" });
});

Deno.test("Connection throws out a holder that answers with a piece of another size", async () => {
  await using setup = await Setup.create();
  const [ana, ben, seq] = await withOffer(setup);
  await ben.send(fetchOf(seq));
  const { id } = await ana.until("fetch");
  await ana.send({ kind: "piece", id, data: "AAAA" });
  await assertThrownOut(ana);
  await ben.until("missing");
  assertEquals(ben.of("piece"), []);
});

Deno.test("Connection takes a change of what was said from its author alone, and a reaction and an answer from everybody", async () => {
  await using setup = await Setup.create();
  const ana = await setup.connect();
  await ana.join("ana"); // 1
  const ben = await setup.connect(await newIdentity());
  await ben.join("ben"); // 2
  await ana.send(say(1), offer(2)); // 3, 4
  await ben.until("offered");
  const refused = async (
    client: Client,
    event: Event<"edit" | "delete" | "react" | "reply">,
    reason: string,
  ) => {
    await client.send(event);
    const answer = await client.until("refused", ({ n }) => n === event.n);
    assertEquals(answer.reason, reason, JSON.stringify(event));
  };
  const [edit, del, react] = ["edit", "delete", "react"] as const;
  const others = "change-not-yours";
  await refused(ben, { kind: edit, n: 1, to: 3, text: "no" }, others);
  await refused(ben, { kind: del, n: 2, to: 3 }, others);
  await refused(ben, { kind: del, n: 3, to: 4 }, others);
  await refused(ana, { kind: edit, n: 3, to: 4, text: "x" }, others);
  await refused(ana, { kind: del, n: 4, to: 1 }, "reply-unknown");
  await refused(
    ana,
    { kind: react, n: 5, to: 2, text: "👍" },
    "reply-unknown",
  );
  await refused(
    ana,
    { kind: edit, n: 6, to: 99, text: "x" },
    "reply-unknown",
  );
  await refused(ana, { kind: edit, n: 7, to: 3, text: "" }, "text-empty");
  await refused(
    ben,
    { kind: react, n: 4, to: 3, text: "yes" },
    "reaction-wrong",
  );
  await refused(
    ben,
    { kind: react, n: 5, to: 3, text: "👍👍" },
    "reaction-wrong",
  );
  await ana.send(
    { kind: edit, n: 8, to: 3, text: "line one" },
    { kind: del, n: 9, to: 4 },
    { kind: react, n: 10, to: 3, text: "" },
  );
  await ana.until("reacted", ({ n }) => n === 10);
  await ben.send({ kind: react, n: 6, to: 3, text: "❤️" });
  await ben.until("reacted", ({ text }) => text !== "");
  await refused(
    ben,
    { kind: react, n: 7, to: 4, text: "👍" },
    "message-deleted",
  );
  // Whoever may read a line may answer it, also one that is deleted.
  for (const [n, to] of [[8, 3], [9, 4]] as const) {
    await ben.send({ kind: "reply", n, to, text: "yes" });
    await ben.until("replied", (it) => it.n === n);
  }
  await refused(ana, { kind: del, n: 11, to: 4 }, "message-deleted");
  assertEquals((await setup.logged()).slice(4), [
    [8, "edited", "line one"],
    [9, "deleted", ""],
    [10, "reacted", ""],
    [6, "reacted", "❤️"],
    [8, "replied", "yes"],
    [9, "replied", "yes"],
  ]);
  assertEquals(ben.of("edited").map(({ to, text }) => [to, text]), [[
    3,
    "line one",
  ]]);
  assertEquals(ben.of("deleted").map(({ to }) => to), [4]);
});

Deno.test("Connection finds what lines say by now, with their changes", async () => {
  await using setup = await Setup.create();
  const ana = await setup.connect();
  await ana.join("ana"); // 1
  await ana.send(
    say(1, "red"), // 2
    say(2, "red, too"), // 3
  );
  await ana.until("said", ({ n }) => n === 2);
  await ana.send(
    { kind: "edit", n: 3, to: 2, text: "blue" }, // 4
    { kind: "react", n: 4, to: 3, text: "👍" }, // 5
  );
  await ana.until("reacted");
  const found = async (words: string) => {
    ana.events.length = 0;
    await ana.send({ kind: "find", id: 1, words, before: null, count: 9 });
    await ana.until("found");
    return ana.of("past").map(({ seq, what }) => [seq, what]);
  };
  assertEquals(await found("red"), [[3, "said"], [5, "reacted"]]);
  assertEquals(await found("blue"), [[2, "said"], [4, "edited"]]);
});

Deno.test("Connection lets nobody in by another's card, or by one that isn't signed", async () => {
  await using setup = await Setup.create();
  const client = await setup.connect();
  const other = await newIdentity();
  const forged = client.identity.card.slice();
  forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
  const wish = joinEvent(client.identity, "ana");
  const cards = [
    toBase64url(other.card),
    toBase64url(forged),
  ];
  for (const card of cards) {
    client.events.length = 0;
    await client.send({ ...wish, card });
    assertEquals((await client.until("refused")).reason, "card-wrong");
  }
  await client.send(wish);
  await client.until("welcome");
});

Deno.test("Connection takes no failure of its own for a wrong card, and ends", async () => {
  await using setup = await Setup.create();
  const client = await setup.connect();
  const { persons } = setup.people;
  const find = () => {
    throw new TypeError("a defect");
  };
  using _find = replaced(persons, "find", find);
  await client.send(joinEvent(client.identity, "ana"));
  assertEquals(await client.served, "lost");
  assertEquals(client.of("refused"), []);
});

Deno.test("Connection refuses what comes too soon in slow mode, but from operators, and takes the next after its pause", async () => {
  using clock = new ManualClock();
  clock.advance(10_000);
  await using setup = await Setup.create();
  setup.people.set({ slow: 5 });
  const [ana, ben] = [await setup.connect(), await setup.connect()];
  await ana.join("ana");
  await ben.join("ben");
  const { persons } = setup.people;
  const operator = persons.find(fullId(ana.identity.id));
  assert(operator);
  setup.people.setOperator(operator, true);
  await ana.send(say(1), say(2));
  await ana.until("said", ({ n }) => n === 2);
  await ben.send(say(1, "first"), say(2), { kind: "ping" });
  await ben.until("pong");
  clock.advance(4_999);
  await ben.send(say(3), { kind: "ping" });
  await ben.until("pong", () => ben.of("pong").length === 2);
  clock.advance(1);
  await ben.send(say(4, "second"));
  await ana.until("said", ({ text }) => text === "second");
  assertEquals<unknown>(
    ben.of("refused"),
    [2, 3].map((n) => ({
      kind: "refused",
      n,
      reason: "too-soon",
      detail: "",
    })),
  );
  assertEquals(ana.of("said").length, 4);
});

Deno.test("Connection tells who offered a file that somebody has it, but of nobody who came after the offer", async () => {
  await using setup = await Setup.create();
  const [ana, ben, seq] = await withOffer(setup);
  const carla = await setup.connect();
  await carla.join("carla");
  await carla.send({ kind: "taken", offer: seq }, fetchOf(seq, 7));
  assertEquals((await carla.until("missing")).reason, "gone");
  await ben.send({ kind: "taken", offer: seq });
  const took = await ana.until("took");
  const person = shortId(fullId(ben.identity.id));
  assertEquals(took, { kind: "took", offer: seq, name: "ben", person });
  assertEquals(ana.of("took").length, 1);
});

Deno.test("Connection says that the log can't be read where it can't, and tells its owner, and ends on any other failure", async () => {
  await using setup = await Setup.create();
  const ana = await setup.connect();
  await ana.join("ana");
  const broken = () => {
    throw new LogError("read", "chat.log", new Error("it is gone"));
  };
  const { history } = setup;
  const { find, entry } = history;
  history.find = history.entry = broken;
  const unreadable = async (n: number | null, event: Event) => {
    ana.events.length = 0;
    await ana.send(event);
    const refused = await ana.until("refused");
    assertEquals([refused.n, refused.reason], [n, "log-unreadable"]);
  };
  const search = {
    kind: "find",
    id: 1,
    words: "x",
    before: null,
    count: 1,
  } as const;
  const [told, ...others] = await overhear("warning", async () => {
    await unreadable(null, search);
    await unreadable(null, { kind: "hold", offer: 1 });
    await unreadable(1, { kind: "reply", n: 1, to: 1, text: "yes" });
  });
  assertMatch(told ?? "", /^warning connection: .*it is gone\. A member could/);
  assertEquals(others, [told, told]);
  history.find = () => Promise.reject(new RangeError("another failure"));
  await ana.send(search);
  await assertThrownOut(ana);
  Object.assign(history, { find, entry });
});

Deno.test("Connection tells nobody that somebody is away who is outside the room", async () => {
  await using setup = await Setup.create();
  const [ana, ben] = [await setup.connect(), await setup.connect()];
  await ana.join("ana");
  await ben.send({ kind: "away", text: "lunch" }, { kind: "ping" });
  await ben.until("pong");
  await ben.join("ben");
  await ana.send(say(1));
  await ben.until("said");
  assertEquals(ana.of("absent"), []);
});

Deno.test("Connection lets a client take another name, and give up the one that it had", async () => {
  await using setup = await Setup.create();
  const ana = await setup.connect();
  await ana.join("ana");
  await ana.send({ kind: "rename", name: "anna" }, { kind: "release", id: 8 });
  await ana.until("answered", ({ id }) => id === 8);
  assertEquals(ana.of("notice").map(({ text }) => text), ["Given up: ana"]);
});

Deno.test("Connection tells no value of the chain while the log can't be read, and stays", async () => {
  await using setup = await Setup.create();
  const ana = await setup.connect();
  await ana.join("ana");
  const { history } = setup;
  const { chain } = history;
  history.chain = () => {
    throw new LogError("read", "chat.log.1", new Error("EMFILE"));
  };
  for (const id of [1, 2]) {
    await ana.send({ kind: "agree", id, seq: 1 });
    const { value } = await ana.until("agreed", (it) => it.id === id);
    assertEquals(value === "", id === 1);
    history.chain = chain;
  }
});

Deno.test("Connection says that the log can't be read to who comes in then, and lets it in once it can", async () => {
  await using setup = await Setup.create();
  const { history } = setup;
  const { start } = history;
  history.start = () => {
    throw new LogError("read", "chat.log.1", new Error("EMFILE"));
  };
  const ana = await setup.connect();
  await ana.send(joinEvent(ana.identity, "ana"));
  assertEquals((await ana.until("refused")).reason, "log-unreadable");
  history.start = start;
  await ana.join("ana");
});
