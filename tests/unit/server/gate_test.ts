/**
 * The door of a server, with a real room behind it and streams in memory before it: who is let in, how many at a time,
 * how a handshake comes to nothing, and what a stop does.
 *
 * @module
 */

import { concat, randomBytes } from "../../../crypto_utils.ts";
import { firstRecord } from "../../../bench/strangers/flood.ts";
import { parseFlags } from "../../../src/base/flags.ts";
import { admissionKey } from "../../../src/keys/invite.ts";
import {
  connectChannel,
  type ConnectOptions,
} from "../../../src/protocol/handshake.ts";
import { RefusedError } from "../../../src/protocol/record_reader.ts";
import { HandshakeRefusal } from "../../../src/protocol/reasons.ts";
import { encodeHeader, RecordType } from "../../../src/protocol/records.ts";
import type { Entrance, Peer } from "../../../src/server/entrance.ts";
import { FLAGS } from "../../../src/server/flags.ts";
import { Gate } from "../../../src/server/gate.ts";
import type { HandshakeLimits } from "../../../src/server/handshake_limits.ts";
import { LETTER_KEPT } from "../../../src/server/letters.ts";
import { type Limits, limitsOf } from "../../../src/server/limits.ts";
import { newInvite } from "../../../src/server/people/invites.ts";
import { parseCode, passwordOf } from "../../../src/keys/spoken_code.ts";
import { CODE_ID, MEMBER_KEY } from "../../../src/protocol/hello.ts";
import { fullId } from "../../../src/crypto/person_id.ts";
import { People } from "../../../src/server/people/people.ts";
import { UNMEASURED } from "../../../src/server/measures.ts";
import { nextTurn } from "../../../src/server/next_turn.ts";
import { Proxies } from "../../../src/server/proxies.ts";
import { Purses } from "../../../src/server/rate_limits.ts";
import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";
import {
  fetchOf,
  offer,
  ROOM_KEY,
  SERVER_SECRET,
  Setup,
  UNLIMITED,
} from "../../kit/connection_setup.ts";
import {
  ManualClock,
  type MemoryStream,
  streamPair,
} from "../../kit/memory_stream.ts";
import { overhear } from "../../kit/overhear.ts";
import { madeUpId, newIdentity, newStay } from "../../kit/people.ts";
import { quiet, RoomClient } from "../../kit/room_client.ts";
import { until } from "../../kit/turns.ts";

const { values: VALUES } = parseFlags([], FLAGS, { positionals: 0 });
const LIMITS = limitsOf(VALUES);
/** What those are told for whom there is no place. */
const BUSY = concat(
  encodeHeader(RecordType.refusal, 1),
  Uint8Array.of(HandshakeRefusal.busy),
);
const BY_LINK = { inviteId: 0, inviteKey: admissionKey(ROOM_KEY) };
const PROXY = "10.0.0.9";

/** Somebody at the door. */
class Visitor {
  constructor(
    readonly stream: MemoryStream,
    /** The server's end. */
    readonly far: MemoryStream,
    /** Resolves when the gate has done with it. */
    readonly served: Promise<void>,
  ) {}

  /** Shakes hands. @param how By the room's link, unless that says another way. @param checkServer Throws for another server. */
  async shakeHands(
    { how = BY_LINK, checkServer = () => {} }: {
      readonly how?: Pick<ConnectOptions, "inviteId" | "inviteKey" | "code">;
      readonly checkServer?: () => void;
    } = {},
  ): Promise<RoomClient> {
    const identity = await newIdentity();
    const { keyPair } = identity;
    const options = { keyPair, checkServer, ...how };
    const channel = await connectChannel(this.stream, options);
    return new RoomClient(identity, channel);
  }

  /** Goes. */
  async leave(): Promise<void> {
    this.stream.close();
    await this.served;
  }
}

/** A gate, and a room behind it, in a time that stands still. */
class Door implements AsyncDisposable {
  readonly gate: Gate;
  readonly refused: string[] = [];
  readonly departed: string[] = [];
  readonly #visitors: Visitor[] = [];

  private constructor(
    readonly setup: Setup,
    readonly clock: ManualClock,
    limits: Partial<Omit<Limits, "handshakes">>,
    handshakes: Partial<HandshakeLimits>,
    proxies: Proxies | undefined,
  ) {
    const { room, people, history, mailbox, relay, broadcaster } = setup;
    const into = (kinds: string[]) => ({
      add: (_ = 1, kind = "") => void kinds.push(kind),
    });
    this.gate = new Gate({
      room,
      people,
      history,
      mailbox,
      relay,
      purses: new Purses(),
      ring: broadcaster.ring,
      rates: UNLIMITED,
      measures: {
        ...UNMEASURED,
        handshakesRefused: into(this.refused),
        departures: into(this.departed),
      },
      privateKey: () => SERVER_SECRET.slice(),
      limits: {
        ...LIMITS,
        ...limits,
        handshakes: { ...LIMITS.handshakes, ...handshakes },
      },
      proxies,
    });
  }

  static async create(
    limits: Partial<Omit<Limits, "handshakes">> = {},
    handshakes: Partial<HandshakeLimits> = {},
    proxies?: Proxies,
  ): Promise<Door> {
    const clock = new ManualClock();
    return new Door(await Setup.create(), clock, limits, handshakes, proxies);
  }

  /** Somebody comes from an address. */
  knock(hostname = "192.0.2.7", entrance?: Entrance): Visitor {
    const [near, far] = streamPair();
    const remoteAddr = { transport: "tcp", hostname, port: 9 } as const;
    const peer: Peer = Object.assign(far, { remoteAddr });
    const visitor = new Visitor(near, far, this.gate.serve(peer, entrance));
    this.#visitors.push(visitor);
    return visitor;
  }

  /** Somebody comes, who is told that there is no place. */
  async knockInVain(hostname?: string): Promise<void> {
    const { served, far } = this.knock(hostname);
    await served;
    assertEquals([far.closed, far.outgoing.written], [true, [BUSY]]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { stream, served } of this.#visitors) {
      if (!stream.closed) stream.close();
      await served;
    }
    await this.gate.close();
    await this.setup[Symbol.asyncDispose]();
    this.clock[Symbol.dispose]();
  }
}

Deno.test("Gate lets a client in, and counts it, and what it was written, until it goes", async () => {
  await using door = await Door.create();
  const { gate } = door;
  assertEquals([gate.connections, gate.handshakes, gate.sentBytes], [0, 0, 0]);
  const visitor = door.knock();
  await until(() => gate.handshakes === 1);
  assertEquals(gate.connections, 1);
  const client = await visitor.shakeHands();
  await client.join("ana");
  assertEquals([gate.connections, gate.handshakes], [1, 0]);
  const written = () =>
    visitor.far.outgoing.written.reduce((sum, it) => sum + it.length, 0);
  const [sent, before] = [gate.sentBytes, written()];
  assert(sent > 100, `${sent}`);
  await client.send({ kind: "bye", reason: "left" });
  await Promise.all([client.ended, visitor.served]);
  assertEquals(gate.connections, 0);
  assert(written() > before); // the goodbye
  assertEquals(gate.sentBytes - sent, written() - before);
  assert(visitor.far.closed);
  assertEquals([door.refused, door.departed], [[], ["left"]]);
  const last = gate.sentBytes;
  await door.knock().leave();
  assertEquals([gate.sentBytes, door.departed], [last, ["left"]]);
});

Deno.test("Gate turns away who comes too often from one network, by another number from this machine, and counts nobody who has gone", async () => {
  await using door = await Door.create({
    maxPerNetwork: 2,
    maxFromLoopback: 3,
  });
  const first = door.knock("192.0.2.7");
  await first.shakeHands();
  door.knock("192.0.2.7");
  await door.knockInVain("192.0.2.7");
  await door.knock("192.0.2.8").shakeHands();
  await first.leave();
  await door.knock("192.0.2.7").shakeHands();
  await door.knockInVain("192.0.2.7");
  for (let time = 0; time < 3; time++) {
    await door.knock("127.0.0.1").shakeHands();
  }
  await door.knockInVain("127.0.0.1");
  assertEquals(door.refused, Array(3).fill("connections"));
});

Deno.test("Gate turns away whose handshake has no place, and counts none that is done or failed", async () => {
  await using door = await Door.create({}, { maxPerNetwork: 1 });
  const first = door.knock();
  await door.knockInVain();
  await first.shakeHands();
  await until(() => door.gate.handshakes === 0);
  const second = door.knock();
  await door.knockInVain();
  await second.leave();
  await door.knock().shakeHands();
  assertEquals(door.refused, ["handshakes", "handshakes", "empty"]);
});

Deno.test("Gate lets in by a spoken code, and turns away whose invite is used up", async () => {
  await using door = await Door.create();
  const { people } = door.setup;
  const text = "7-crossover-clockwork";
  const secret = randomBytes(32);
  const wish = { uses: 1, until: null, note: "", by: "" };
  const spoken = newInvite(wish, secret, () => false, people.now(), text);
  people.journal.record(spoken);
  const code = { number: 7, password: passwordOf(parseCode(text)) };
  const byCode = { inviteId: CODE_ID, inviteKey: MEMBER_KEY, code };
  const first = await door.knock().shakeHands({ how: byCode });
  await first.join("ana");
  const inviteKey = admissionKey(secret);
  const byInvite = { inviteId: spoken.id, inviteKey };
  const again = door.knock();
  const second = await again.shakeHands({ how: byInvite });
  await Promise.all([second.ended, again.served]);
  assert(second.failure instanceof RefusedError);
  assertEquals(door.refused, ["bad"]);
});

/** How a visitor's handshake comes to nothing, and whether that brings pauses. */
const ENDINGS: readonly (readonly [
  string,
  boolean,
  (visitor: Visitor, door: Door) => Promise<unknown>,
])[] = [
  ["bad", true, async (visitor) => {
    const client = await visitor.shakeHands({
      how: { inviteId: 0, inviteKey: randomBytes(32) },
    });
    await client.ended; // it is told why
    assert(client.failure instanceof RefusedError);
  }],
  ["broken", true, async ({ stream }) => {
    await stream.write(new Uint8Array(200));
  }],
  ["late", true, async (_, door) => {
    await until(() => door.gate.handshakes === 1);
    door.clock.advance(10_000);
  }],
  ["displaced", false, async (visitor, door) => {
    await until(() => door.gate.handshakes === 1);
    door.clock.advance(999);
    await door.knockInVain();
    door.clock.advance(1);
    await door.knock("192.0.2.8").shakeHands();
    await visitor.served;
    await until(() => door.gate.handshakes === 0);
    assertEquals(door.refused.shift(), "handshakes"); // the one in vain
  }],
  ["empty", false, ({ stream }) => Promise.resolve(stream.close())],
  ["looked", false, async (visitor) => {
    const checkServer = () => {
      throw new RangeError("another server");
    };
    await assertRejects(() => visitor.shakeHands({ checkServer }), RangeError);
    if (!visitor.stream.closed) visitor.stream.close();
  }],
];

for (const [ending, isCounting, end] of ENDINGS) {
  const consequence = isCounting ? "has the next wait" : "forgives it";
  Deno.test(`Gate counts a handshake as "${ending}" that ends so, and ${consequence}`, async () => {
    await using door = await Door.create({}, { failedPerNetwork: 1, max: 1 });
    const visitor = door.knock();
    await end(visitor, door);
    await visitor.served;
    assert(visitor.far.closed);
    assertEquals([door.refused, door.gate.handshakes], [[ending], 0]);
    const next = door.knock();
    let isIn = false;
    const entering = next.shakeHands().then(() => isIn = true);
    if (isCounting) {
      door.clock.advance(249);
      for (let turn = 0; turn < 100; turn++) await nextTurn();
      assertEquals(isIn, false);
      door.clock.advance(1);
    }
    await entering;
  });
}

Deno.test("Gate takes nobody for late whose message had come, and waited for the server to read it", async () => {
  await using door = await Door.create();
  const first = await firstRecord();
  const { stream, far } = door.knock();
  await until(() => door.gate.handshakes === 1);
  door.clock.advance(10_000); // late from here on
  await stream.write(first);
  await until(() => far.outgoing.written.length === 1);
  for (let turn = 0; turn < 300; turn++) await nextTurn();
  assertEquals([far.closed, door.refused], [false, []]);
});

Deno.test("Gate has the next connection wait where all places are taken, until one is left or it closes", async () => {
  await using door = await Door.create({ maxConnections: 1 });
  const { gate } = door;
  const said = await overhear("warning", async () => {
    await gate.place();
    const visitor = door.knock();
    const places = [false, false];
    const first = gate.place().then(() => places[0] = true);
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    assertEquals(places[0], false);
    await visitor.leave();
    await first;
    door.knock();
    const second = gate.place().then(() => places[1] = true);
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    assertEquals(places[1], false);
    const closing = gate.close();
    await second;
    await closing;
  });
  const taken =
    "warning gate: All places are taken (1 connections): others wait until somebody goes. --max-connections gives more";
  assertEquals(said, [taken, taken]);
});

Deno.test("Gate.close() tells all members that the server stops, ends handshakes, and lets nobody in any more", async () => {
  await using door = await Door.create();
  const [ana, ben, stranger] = [door.knock(), door.knock(), door.knock()];
  const clients = [await ana.shakeHands(), await ben.shakeHands()];
  for (const [at, client] of clients.entries()) await client.join(`guest${at}`);
  await until(() => door.gate.handshakes === 1);
  const closing = door.gate.close();
  for (const client of clients) {
    assertEquals((await client.until("bye")).reason, "stopped");
  }
  await Promise.all([closing, ana.served, ben.served, stranger.served]);
  assertEquals(door.refused, ["displaced"]);
  assertEquals(door.departed, ["stopped", "stopped"]);
  assertEquals(door.clock.pending, 0);
  const late = door.knock();
  await late.served;
  assertEquals([late.far.closed, late.far.outgoing.written], [true, []]);
});

Deno.test("Gate.close() waits a second and a half for members that don't take their goodbye", async () => {
  await using door = await Door.create({ maxConnections: 1 });
  const visitor = door.knock();
  const client = await visitor.shakeHands();
  await client.join("ana");
  await quiet(client);
  visitor.stream.incoming.capacity = 0;
  visitor.stream.close = () => {}; // never closes
  let isOver = false;
  const place = door.gate.place();
  const closing = door.gate.close().then(() => isOver = true);
  await place; // at once
  door.clock.advance(999);
  for (let turn = 0; turn < 50; turn++) await nextTurn();
  assertEquals(isOver, false);
  door.clock.advance(501);
  await closing;
  await visitor.served;
});

Deno.test("Gate looks once a second at members' signs of life", async () => {
  await using door = await Door.create();
  const [ana, eve] = [door.knock(), door.knock()];
  const [lively, silent] = [await ana.shakeHands(), await eve.shakeHands()];
  await lively.join("ana");
  await silent.join("eve");
  await quiet(silent);
  for (let second = 0; second < 34; second++) door.clock.advance(1_000);
  await quiet(lively);
  for (let turn = 0; turn < 300; turn++) await nextTurn();
  assertEquals(silent.of("bye"), []);
  door.clock.advance(1_000);
  assertEquals((await silent.until("bye")).reason, "silent");
  await eve.served;
  await quiet(lively);
  assertEquals([door.gate.connections, door.departed], [1, ["silent"]]);
  for (let second = 0; second < 35; second++) door.clock.advance(1_000);
  assertEquals((await lively.until("bye")).reason, "silent");
});

Deno.test("Gate has messages dropped once a second that have been kept for long enough, and asks for nothing where none has", async () => {
  await using door = await Door.create();
  const { mailbox, people, room } = door.setup;
  const asked: [string, number][] = [];
  const got = room.got.bind(room);
  room.got = (...parts) => {
    asked.push(parts);
    got(...parts);
  };
  const [from, to] = [madeUpId("ana"), madeUpId("bo")];
  const words = { from, to, stay: newStay(), data: "AAAA", own: "BBBB" };
  const at = people.now() - LETTER_KEPT;
  mailbox.post({ ...words, n: 1 }, { tell() {} }, at);
  const letters = () => mailbox.state().filter((it) => it.kind === "letter");
  assertEquals(letters().length, 2);
  door.clock.advance(1_000);
  await until(() => letters().length === 0);
  door.clock.advance(2_000);
  assertEquals(asked, [[to, 0]]);
});

Deno.test("Gate has files given up once a second that their holders don't send, and takes over what another process wrote of people", async () => {
  await using door = await Door.create();
  const [ana, ben] = [
    await door.knock().shakeHands(),
    await door.knock().shakeHands(),
  ];
  await ana.join("ana");
  await ben.join("ben");
  await ana.send(offer(1));
  await ben.until("offered");
  const { history, people, folder } = door.setup;
  await ana.send({ kind: "hold", offer: history.head });
  await quiet(ana);
  await ben.send(fetchOf(history.head, 31));
  await ana.until("fetch");
  for (let second = 0; second < 16; second++) door.clock.advance(1_000);
  const missing = await ben.until("missing");
  assertEquals(missing, { kind: "missing", id: 31, reason: "late" });

  const person = people.persons.find(fullId(ana.identity.id));
  assert(person);
  using other = People.open(`${folder}/chat.people`);
  const same = other.persons.find(person.id);
  assert(same);
  other.setOperator(same, true);
  other.journal.keep();
  assertEquals(person.isOperator, false);
  door.clock.advance(1_000);
  assertEquals(people.persons.find(person.id)?.isOperator, true);
});

// ── Proxies ────────────────────────────────────────────────────────────────────────────────────────────

/** What a proxy says of somebody at an address, `a.b.c.d`. */
function header(address: string): Uint8Array {
  const head = Uint8Array.fromHex("0d0a0d0a000d0a515549540a2111000c");
  const numbers = address.split(".").map(Number);
  return Uint8Array.of(...head, ...numbers, 192, 0, 2, 1, 0, 9, 0, 10);
}

Deno.test("Gate counts whom a proxy passes on by the address that it names, and nobody by the proxy's", async () => {
  const proxies = Proxies.of(VALUES, PROXY);
  await using door = await Door.create({ maxPerNetwork: 1 }, {}, proxies);
  for (const address of ["192.0.2.7", "192.0.2.8"]) {
    const visitor = door.knock(PROXY);
    await visitor.stream.write(header(address));
    await visitor.shakeHands();
  }
  const again = door.knock(PROXY);
  await again.stream.write(header("192.0.2.7"));
  await again.served;
  assertEquals(again.far.outgoing.written, [BUSY]);
  // Where no proxy is, a header is a handshake that fails.
  const eve = door.knock("192.0.2.9");
  await eve.stream.write(header("192.0.2.10"));
  await eve.served;
  assertEquals(door.refused, ["connections", "broken"]);
});

Deno.test("Gate ends a proxy's connection that says nothing in time, goes, or talks nonsense, and holds no more of them than handshakes", async () => {
  const proxies = Proxies.of(VALUES, PROXY);
  await using door = await Door.create({}, { max: 2 }, proxies);
  const said = await overhear("warning", async () => {
    const gone = door.knock(PROXY);
    await gone.leave();
    const talks = door.knock(PROXY);
    await talks.stream.write(new Uint8Array(40));
    await talks.served;
    const [late, later] = [door.knock(PROXY), door.knock(PROXY)];
    const surplus = door.knock(PROXY);
    await surplus.served;
    door.clock.advance(10_000);
    for (const { served, far } of [late, later]) {
      await served;
      assert(far.closed);
    }
    assertEquals(door.gate.connections, 0);
    const stopped = door.knock(PROXY);
    await door.gate.close();
    await stopped.served;
  });
  const late =
    `warning gate: ${PROXY}: not let in: The proxy said nothing in time`;
  assertEquals(said.slice(1), [
    `warning gate: ${PROXY}: not let in: Too many come whom the proxy doesn't name`,
    late,
    late,
  ]);
  assertEquals(door.refused, ["empty", "broken", "late", "late", "displaced"]);
});

// ── Errands, and what is told ──────────────────────────────────────────────────────────────────────────

Deno.test("Gate counts an errand as an unfinished handshake until it is done, with the time that it may take", async () => {
  await using door = await Door.create();
  const ends = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const turnAway = () => Promise.reject(new RangeError("there is place"));
  const errand = (at: number): Entrance => ({
    turnAway,
    open: (peer) =>
      Promise.resolve({
        time: 5_000,
        run: async () => {
          await ends[at]?.promise;
          await peer.write(Uint8Array.of(7));
        },
      }),
  });
  const first = door.knock("192.0.2.7", errand(0));
  await until(() => door.gate.handshakes === 1);
  ends[0]?.resolve();
  await first.served;
  assertEquals(first.far.outgoing.written, [Uint8Array.of(7)]);
  assertEquals(door.gate.handshakes, 0);
  const second = door.knock("192.0.2.7", errand(1));
  await until(() => door.gate.handshakes === 1);
  door.clock.advance(14_999);
  for (let turn = 0; turn < 300; turn++) await nextTurn();
  assertEquals(second.far.closed, false);
  door.clock.advance(1_000);
  await until(() => second.far.closed);
  ends[1]?.resolve();
  await second.served;
  assertEquals([door.gate.handshakes, door.departed], [0, []]);
});

Deno.test("Gate tells its owner of handshakes that are wrong or late, of pauses, and of those that broke off who looks for a fault", async () => {
  await using door = await Door.create({ maxPerNetwork: 1 }, {
    failedPerNetwork: 1,
  });
  const said = await overhear("debug", async () => {
    await door.knock("192.0.2.1").leave();
    const broken = door.knock("192.0.2.2");
    await broken.stream.write(new Uint8Array(200));
    await broken.served;
    const paused = door.knock("192.0.2.2");
    await door.knockInVain("192.0.2.2");
    door.clock.advance(250);
    await paused.leave();
    const late = door.knock("192.0.2.3");
    await until(() => door.gate.handshakes === 1);
    door.clock.advance(11_000);
    await late.served;
  });
  const wrong = said[1];
  assert(
    wrong?.startsWith(
      "warning gate: 192.0.2.2: not let in: Cannot read a record",
    ),
  );
  const broke = "Cannot shake hands: the connection ended";
  assertEquals(said, [
    `debug gate: 192.0.2.1: ${broke}`,
    wrong,
    "warning gate: 192.0.2.2: failed too often, and waits 250 ms. If many share that address, raise --failed-per-address",
    "warning gate: 192.0.2.2: turned away: too many connections from there. If many share that address, raise --max-per-address",
    `debug gate: 192.0.2.2: ${broke}`,
    "warning gate: 192.0.2.3: not let in: No handshake came in time",
  ]);
});
