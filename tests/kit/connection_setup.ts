/**
 * A room with real connections, and clients of the test's own at their other ends.
 *
 * @module
 */

import { type Bytes, concat, randomBytes } from "../../crypto_utils.ts";
import { Broadcaster } from "../../src/server/broadcaster.ts";
import type { Channel } from "../../src/protocol/channel.ts";
import { ChatLog } from "../../src/log/chat_log.ts";
import { Mailbox } from "../../src/server/mailbox.ts";
import { PIECE_OVERHEAD } from "../../src/protocol/offer.ts";
import { FileRelay } from "../../src/server/file_relay.ts";
import { Connection } from "../../src/server/connection.ts";
import type { Event } from "../../src/protocol/events.ts";
import { Room } from "../../src/server/room.ts";
import { encodeHeader, RecordType } from "../../src/protocol/records.ts";
import { assert, assertEquals } from "./assert.ts";
import { type MemoryStream, streamPair } from "./memory_stream.ts";
import { RoomClient } from "./room_client.ts";
import { until } from "./turns.ts";
import type { Goodbye } from "../../src/protocol/reasons.ts";
import { UNMEASURED } from "../../src/server/measures.ts";
import { Purses, type Rates } from "../../src/server/rate_limits.ts";
import { History } from "../../src/server/history.ts";
import { Operations } from "../../src/server/operations.ts";
import type { People } from "../../src/server/people/people.ts";
import type { Identity } from "../../src/crypto/identity.ts";
import { admissionKey } from "../../src/keys/invite.ts";
import { importKeyPair } from "../../src/crypto/x25519.ts";
import { SealedRoom } from "../../src/server/sealed/sealed_room.ts";
import {
  joinEvent,
  madeUpId,
  madeUpPerson,
  madeUpStay,
  newIdentity,
  openPeople,
} from "./people.ts";
import { pastOf } from "./log_kit.ts";
import { acceptChannel, connectChannel } from "../../src/protocol/handshake.ts";
import { LocalResponder } from "../../src/protocol/responder.ts";

/** The server's static private key, 32 bytes. */
export const SERVER_SECRET = randomBytes(32);
export const SERVER = await importKeyPair(SERVER_SECRET.slice());

/** The secret of the standing link. */
export const ROOM_KEY = randomBytes(32);

export const ANA = await newIdentity();

export const UNLIMITED: Rates = { burst: 1, perSecond: 0, bytesPerMessage: 1 };

/** A client whose server is the test's own, too. */
export class Client extends RoomClient {
  constructor(
    identity: Identity,
    channel: Channel,
    readonly stream: MemoryStream,
    readonly connection: Connection,
    /** Resolves when the server has done with it. */
    readonly served: Promise<Goodbye>,
  ) {
    super(identity, channel);
  }

  /** Sends a record without any event. */
  async sendNothing(): Promise<void> {
    this.inject(await this.channel.seal(new TextEncoder().encode("[]")));
  }

  /** Sends a record that `send` would not make. */
  inject(...records: Bytes[]): void {
    this.stream.outgoing.inject(concat(...records));
  }
}

/** How often a past may be asked for what is in memory: who goes round in circles fails, and doesn't hang. */
const MOST_ASKED = 500;

/** A past that can't be asked for without end. */
function limited(history: History): History {
  const packed = history.packed.bind(history);
  let asked = 0;
  history.packed = (after, upTo) => {
    assert(++asked < MOST_ASKED, "somebody catches up without end");
    return packed(after, upTo);
  };
  return history;
}

/** A running room with a log of its own, and the connections to it. */
export class Setup implements AsyncDisposable {
  readonly #clients: Client[] = [];
  /** How often a client has asked for something. */
  asked = 0;
  /** Bytes that came from clients after their handshakes. */
  received = 0;
  /** What persons have to spend, where their clients have a limit. */
  readonly #purses = new Purses();
  readonly relay: FileRelay;
  readonly #operations: Operations;
  readonly #running: Promise<void>;

  private constructor(
    readonly folder: string,
    readonly log: ChatLog,
    readonly broadcaster: Broadcaster,
    readonly people: People,
    readonly room: Room,
    readonly history: History,
    readonly mailbox: Mailbox,
    readonly sealed: SealedRoom | undefined,
  ) {
    this.relay = new FileRelay({
      maxFileSize: 100_000,
      maxTransfers: 2,
      pieceOverhead: sealed ? PIECE_OVERHEAD : 0,
    });
    this.#operations = new Operations({
      people,
      room,
      sealed,
      address: () => "127.0.0.1:5000",
      replaceLink: () => Promise.resolve(ROOM_KEY),
    });
    this.#running = room.run();
  }

  /** @param history Lines that a newcomer is shown. @param window Lines that the log has in memory. */
  static async create(
    history = 0,
    window = 1_024,
    isSealed = false,
  ): Promise<Setup> {
    const folder = await Deno.makeTempDir();
    const address = "127.0.0.1:5000";
    const log = await ChatLog.open(`${folder}/chat.log`, { address, window });
    const broadcaster = await Broadcaster.create(SERVER.publicKey, 1_048_576);
    const people = openPeople(`${folder}/chat.people`, ROOM_KEY);
    const sizes = { maxMembers: 9, history };
    const sealed = isSealed
      ? await SealedRoom.open(`${folder}/chat.control`, ROOM_KEY, log, () => {})
      : undefined;
    people.access.sealed = sealed;
    const mailbox = Mailbox.open(`${folder}/chat.waiting`);
    const main = { log, broadcaster, people, mailbox };
    const room = new Room({ ...sizes, ...main, sealed });
    const past = limited(new History(log, history));
    return new Setup(
      folder,
      log,
      broadcaster,
      people,
      room,
      past,
      mailbox,
      sealed,
    );
  }

  /** @param way By which invite; by the standing link where that is left out. */
  async connect(
    given?: Identity,
    rates = UNLIMITED,
    way = { inviteId: 0, inviteKey: admissionKey(ROOM_KEY) },
  ): Promise<Client> {
    const [near, far] = streamPair();
    const identity = given ?? await newIdentity();
    const { keyPair } = identity;
    const [channel, accepted] = await Promise.all([
      connectChannel(near, {
        keyPair,
        checkServer: () => {},
        ...way,
      }),
      acceptChannel(far, {
        responder: new LocalResponder(SERVER),
        inviteKey: (id) => this.people.access.inviteKey(id),
        turnedAway: (id, key) => this.people.access.turnedAway(id, key),
      }),
    ]);
    const connection = new Connection(far, accepted, {
      room: this.room,
      people: this.people,
      purses: rates === UNLIMITED ? new Purses() : this.#purses,
      history: this.history,
      ring: this.broadcaster.ring,
      relay: this.relay,
      mailbox: this.mailbox,
      asked: () => void this.asked++,
      measures: {
        ...UNMEASURED,
        receivedBytes: { add: (size = 1) => void (this.received += size) },
      },
      operations: this.#operations,
      sealed: this.sealed,
      rates,
    });
    const served = connection.run();
    const client = new Client(identity, channel, near, connection, served);
    this.#clients.push(client);
    return client;
  }

  /** What the log says of each line: number, kind and text. */
  async logged(): Promise<[number, string, string][]> {
    const lines = await pastOf(this.log);
    return lines.map(({ n, what, text }) => [n, what, text]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { channel, connection, served } of this.#clients) {
      channel.close();
      connection.dismiss("lost"); // also where it isn't read, and the clock stands still
      await served;
    }
    this.room.stop();
    await this.#running;
    await this.log.close();
    this.people[Symbol.dispose]();
    this.mailbox[Symbol.dispose]();
    this.sealed?.[Symbol.dispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}

export const say = (n: number, text = `line ${n}`): Event<"say"> => ({
  kind: "say",
  n,
  text,
});

/** Checks that a connection was ended without a goodbye. */
export async function assertThrownOut({ ended, served, events }: Client) {
  await Promise.all([ended, served]);
  assertEquals(events.filter(({ kind }) => kind === "bye"), []);
}

// ── What a client may not do ───────────────────────────────────────────────────────────────────────────

/** How ana asks to be let in. */
export const join: Event<"join"> = joinEvent(ANA, "ana", { n: 5 });

export const FROM_SERVER: readonly Event[] = [
  { kind: "refused", n: 1, reason: "name-taken", detail: "" },
  {
    kind: "past",
    seq: 1,
    at: 0,
    person: madeUpPerson("x"),
    stay: madeUpStay("x"),
    n: 1,
    what: "said",
    to: null,
    name: "x",
    text: "x",
  },
  {
    kind: "here",
    id: 1,
    name: "x",
    person: madeUpId("x"),
    stay: madeUpStay("x"),
    since: 0,
    active: 0,
    away: "",
  },
  { kind: "slowed" },
  { kind: "card", id: 1, name: "x", card: "x".repeat(1_792) },
  { kind: "nobody", id: 1 },
  { kind: "privately", n: 1, state: "waiting" },
  { kind: "letter", id: 1, from: madeUpId("x"), data: "x".repeat(1_856) },
  { kind: "found", id: 1, more: false },
  { kind: "chain", seq: 1, value: "" },
  { kind: "paged", id: 1, more: false },
  { kind: "agreed", id: 1, seq: 1, value: "" },
  { kind: "epoch", number: 1, counter: 0, key: "x", verifyKey: "x" },
  { kind: "welcome", id: 1, seq: 1, at: 0, name: "x" },
  { kind: "batch", seq: 1, at: 0 },
  {
    kind: "joined",
    id: 1,
    name: "x",
    person: madeUpId("x"),
    stay: madeUpStay("x"),
    n: 1,
  },
  { kind: "beside", id: 1, of: 1, stay: madeUpStay("x") },
  { kind: "parted", id: 1 },
  { kind: "left", id: 1, n: 1, reason: "left" },
  { kind: "said", id: 1, n: 1, text: "x" },
  { kind: "acted", id: 1, n: 1, text: "x" },
  { kind: "replied", id: 1, n: 1, to: 1, text: "x" },
  { kind: "renamed", id: 1, n: 1, name: "x" },
  { kind: "absent", id: 1, text: "x" },
  { kind: "ratchet" },
];

/** Asks for ana's card. */
export const look: Event<"look"> = { kind: "look", id: 1, who: "ana" };

/** What looks to a server like a private message. @param to The full id of its recipient. */
export function letterTo(
  to: string,
  n = 1,
  data: string = "-_".repeat(928),
): Event<"private"> {
  return { kind: "private", n, to, data, own: data };
}

export const MISUSES: readonly (readonly [string, readonly Event[]])[] = [
  ["speaks before it has joined", [say(6)]],
  ["joins a second time", [join, { ...join, name: "ben" }]],
  ["says a number again", [join, say(6), say(6)]],
  ["says a number below the one it joined with", [join, say(5)]],
  ["says a lower number", [join, say(9), say(8)]],
  ["says something sealed in an open room", [join, {
    kind: "seal",
    n: 6,
    text: "x",
  }]],
  ["speaks after a refused joining", [{ ...join, name: "" }, say(6)]],
  ["asks for a card before it has joined", [look]],
  ["writes to somebody before it has joined", [letterTo(madeUpId("x"))]],
  ["asks for its letters before it has joined", [{
    kind: "collect",
    after: null,
  }]],
  ["takes letters before it has joined", [{ kind: "got", id: 1 }]],
  ...FROM_SERVER.map((event) =>
    [`sends "${event.kind}", which is the server's to say`, [event]] as const
  ),
];

export const broadcast = concat(
  encodeHeader(RecordType.broadcast, 200),
  randomBytes(200),
);

export const garbage = concat(
  encodeHeader(RecordType.direct, 200),
  randomBytes(200),
);

/** Begins a write to a client, which takes nothing of it. */
export async function stall({ stream, connection }: Client): Promise<void> {
  stream.incoming.capacity = 0;
  connection.tell({ kind: "ping" });
  await until(() => connection.outlet.writing);
}

export function tick({ connection }: Client, times: number): void {
  for (let time = 0; time < times; time++) {
    if (connection.tick()) connection.judge();
  }
}

/** What a member may send so often without being slowed, where it may say 40 lines at once. */
export const COSTS: readonly (readonly [string, number, Event | undefined])[] =
  [
    ["ping", 40, { kind: "ping" }],
    ["pong", 40, { kind: "pong" }],
    ["a record with nothing in it", 40, undefined],
    ["missing", 40, { kind: "missing", id: 9, reason: "gone" }],
    ["piece that nobody asked for", 40, { kind: "piece", id: 9, data: "AAAA" }],
    [
      "fetch",
      40,
      { kind: "fetch", id: 1, offer: 9, from: 0, size: 1 },
    ],
    ["away", 2, { kind: "away", text: "lunch" }],
    ["look", 2, look],
    ["private", 2, letterTo(madeUpId("nobody"))],
    ["collect", 2, { kind: "collect", after: null }],
    ["got", 2, { kind: "got", id: 1 }],
    ["rename", 2, { kind: "rename", name: "ana2" }],
    [
      "find",
      2,
      { kind: "find", id: 1, words: "", before: null, count: 1 },
    ],
    ["page", 2, { kind: "page", id: 1, before: 1, count: 1 }],
    ["agree", 2, { kind: "agree", id: 1, seq: 1 }],
    ["release", 2, { kind: "release", id: 1 }],
    ["hold", 2, { kind: "hold", offer: 9 }],
    ["taken", 2, { kind: "taken", offer: 9 }],
    // Both what is asked for, and that it is refused.
    [
      "operate",
      1,
      { kind: "operate", id: 1, what: "bans", who: "", text: "", count: 0 },
    ],
    ["refused rename", 1, { kind: "rename", name: "not a name" }],
  ];

// ── Files ──────────────────────────────────────────────────────────────────────────────────────────────

const DIGEST = "0123456789abcdef".repeat(4);

export function offer(n: number, size = 9): Event<"offer"> {
  const text = `hut.jpg (${size} bytes, SHA-256 ${DIGEST})`;
  return { kind: "offer", n, text };
}

export function fetchOf(offer: number, id = 1, size = 9): Event<"fetch"> {
  return { kind: "fetch", id, offer, from: 0, size };
}

/** Two members, of whom the first has offered a file and holds it. */
export async function withOffer(
  setup: Setup,
): Promise<[Client, Client, number]> {
  const ana = await setup.connect();
  const ben = await setup.connect();
  await ana.join("ana");
  await ben.join("ben");
  await ana.send(offer(1));
  await ben.until("offered");
  const { head } = setup.history;
  await ana.send({ kind: "hold", offer: head }, { kind: "ping" });
  await ana.until("pong");
  return [ana, ben, head];
}

export const STRANGE_FILE_EVENTS: readonly (readonly [string, Event])[] = [
  ["a piece larger than was asked for", fetchOf(1, 1, 16_385)],
  ["no bytes", fetchOf(1, 1, 0)],
];
