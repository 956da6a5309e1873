/**
 * The room: one order for everybody, who may come in, what a newcomer and one who left can read, and what
 * happens when the log can't be written. The log is a real one; guests are the tests' own, and read with real
 * epoch keys what a real outlet writes to them.
 *
 * @module
 */

import {
  CipherState,
  concat,
  DecryptionError,
  decryptMessage,
  equalBytes,
  fromBase64url,
  randomBytes,
  SIGNATURE_SIZE,
  TAG_SIZE,
} from "../../../crypto_utils.ts";
import type { Bytes } from "../../../crypto_utils.ts";
import { Broadcaster, type Shared } from "../../../src/server/broadcaster.ts";
import { ChatLog } from "../../../src/log/chat_log.ts";
import {
  encodeEvent,
  type Event,
  packEvents,
  unpackEvents,
} from "../../../src/protocol/events.ts";
import { type Name, parseName } from "../../../src/protocol/names.ts";
import { Room, type RoomOptions } from "../../../src/server/room.ts";
import {
  directHeader,
  HEADER_SIZE,
  MAX_RECORD_SIZE,
  RecordSplitter,
  RecordType,
  type WireRecord,
} from "../../../src/protocol/records.ts";
import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";
import { ManualClock, seededRandom } from "../../kit/memory_stream.ts";
import type { Goodbye } from "../../../src/protocol/reasons.ts";
import type { Line, LogEntry, NewEntry } from "../../../src/protocol/line.ts";
import type { Admission, Guest, Member } from "../../../src/server/batch.ts";
import { Outlet, type Writer } from "../../../src/server/outlet.ts";
import type { Ring } from "../../../src/server/ring.ts";
import { History } from "../../../src/server/history.ts";
import { EpochReader } from "../../../src/crypto/epoch.ts";

const SERVER_KEY = randomBytes(32);
const RING_SIZE = 1_048_576;

function nameOf(text: string): Name {
  const name = parseName(text);
  assert(typeof name !== "string", `${text} is no name`);
  return name;
}

/** A guest that reads all that is written to it. What it is told alone isn't sealed: that is a channel's work. */
class TestGuest implements Guest, Writer {
  readonly outlet: Outlet;
  /** What it was told alone and heard with everybody, in the order of its stream. */
  readonly events: Event[] = [];
  /** Every broadcast that it was written. */
  readonly broadcasts: WireRecord[] = [];
  /** Every record that it was given together with others. */
  readonly shared: Bytes[] = [];
  /** Every epoch that it was told of. */
  readonly epochs: Event<"epoch">[] = [];
  readonly goodbyes: Goodbye[] = [];
  dropped = false;
  /** Where the test sets this, writes wait for it. */
  gate: Promise<void> | undefined;
  /** What it would like to do with the error of a record that doesn't open. */
  failure: unknown;
  readonly #splitter = new RecordSplitter(MAX_RECORD_SIZE);
  #reader: EpochReader | undefined;
  #sharedReader: EpochReader | undefined;
  #reading: Promise<void> = Promise.resolve();
  #more = Promise.withResolvers<void>();

  constructor(readonly fingerprint: string, log: Ring) {
    const tooSlow = () => void (this.dropped = true);
    this.outlet = new Outlet(log, this, { limit: 64 * RING_SIZE, tooSlow });
  }

  async write(bytes: Uint8Array): Promise<number> {
    await this.gate;
    if (this.dropped) throw new Deno.errors.Interrupted();
    this.#splitter.push(bytes);
    for (let next; (next = this.#splitter.shift());) {
      const record = next;
      this.#reading = this.#reading.then(() => this.#take(record));
    }
    return bytes.length;
  }

  /** Takes nothing more, and has read what it took. */
  async leave(): Promise<void> {
    this.outlet.abandon();
    await this.#reading;
  }

  tell(...events: Event[]): void {
    this.pass(packEvents(events.map(encodeEvent)));
  }

  pass(plaintexts: readonly Bytes[]): void {
    for (const plaintext of plaintexts) {
      const tag = new Uint8Array(TAG_SIZE);
      const record = concat(directHeader(plaintext.length), plaintext, tag);
      this.outlet.direct(record.length, Promise.resolve(record));
    }
  }

  share({ key, records }: Shared): void {
    this.shared.push(...records);
    this.tell(key);
    for (const record of records) {
      this.outlet.direct(record.length, Promise.resolve(record));
    }
  }

  dismiss(reason: Goodbye): void {
    this.goodbyes.push(reason);
    this.outlet.finish();
  }

  async #take(record: WireRecord): Promise<void> {
    try {
      if (record.type === RecordType.direct) {
        const events = unpackEvents(record.body.subarray(0, -TAG_SIZE));
        for (const event of events) await this.#follow(event);
      } else if (record.type === RecordType.shared) {
        assert(this.#sharedReader, "a shared record before its key");
        const opened = await this.#sharedReader.open(
          record.body,
          record.header,
        );
        for (const event of unpackEvents(opened)) await this.#follow(event);
      } else {
        this.broadcasts.push(record);
        assert(this.#reader, "a broadcast before any epoch");
        const opened = await this.#reader.open(record.body, record.header);
        for (const event of unpackEvents(opened)) await this.#follow(event);
      }
    } catch (error) {
      this.failure ??= error;
    }
    this.#more.resolve();
    this.#more = Promise.withResolvers<void>();
  }

  async #follow(event: Event): Promise<void> {
    this.events.push(event);
    if (event.kind === "ratchet") this.#reader = await this.#reader?.ratchet();
    if (event.kind === "sharing") {
      this.#sharedReader = await EpochReader.create(
        SERVER_KEY,
        secretOf(event),
      );
    }
    if (event.kind !== "epoch") return;
    this.epochs.push(event);
    this.#reader = await EpochReader.create(SERVER_KEY, secretOf(event));
  }

  /** Waits until an event is among those that it has, and returns the first. */
  async until<K extends Event["kind"]>(
    kind: K,
    fits: (event: Event<K>) => boolean = () => true,
  ): Promise<Event<K>> {
    for (;;) {
      for (const event of this.events) {
        if (event.kind === kind && fits(event as Event<K>)) {
          return event as Event<K>;
        }
      }
      if (this.failure !== undefined) throw this.failure;
      await this.#more.promise;
    }
  }

  /** Waits until it knows of a line of the log. */
  async untilLine(seq: number): Promise<void> {
    while (!this.lines.some((line) => line.seq === seq)) {
      if (this.failure !== undefined) throw this.failure;
      await this.#more.promise;
    }
  }

  /** The reader of its epoch, as it stands when all that it was written is read. */
  async lastReader(): Promise<EpochReader> {
    await this.outlet.drained();
    await this.#reading;
    assert(this.#reader && this.failure === undefined);
    return this.#reader;
  }

  of<K extends Event["kind"]>(kind: K): Event<K>[] {
    return this.events.filter((it) => it.kind === kind) as Event<K>[];
  }

  /** The lines of the log that it knows of, in the order in which it learned of them. */
  get lines(): { seq: number; what: string; n: number; text: string }[] {
    let seq = 0;
    const lines: { seq: number; what: string; n: number; text: string }[] = [];
    for (const event of this.events) {
      const { kind } = event;
      if (kind === "past") {
        const { what, n, text } = event;
        lines.push({ seq: event.seq, what, n, text });
      } else if (kind === "batch") seq = event.seq;
      else if (kind === "joined") {
        lines.push({ seq: seq++, what: kind, n: event.n, text: "" });
      } else if (kind === "said") {
        lines.push({ seq: seq++, what: kind, n: event.n, text: event.text });
      } else if (kind === "left") {
        lines.push({ seq: seq++, what: kind, n: event.n, text: event.reason });
      }
    }
    return lines;
  }
}

function secretOf(
  { number, counter, key, verifyKey }: Event<"epoch" | "sharing">,
) {
  return {
    number,
    counter,
    key: fromBase64url(key),
    verifyKey: fromBase64url(verifyKey),
  };
}

interface Wish {
  readonly key?: string;
  readonly n?: number;
  readonly after?: number;
  readonly back?: boolean;
}

/** How many lines the log keeps in memory, how large the ring is, how much a newcomer is shown. */
interface Sizes {
  readonly window?: number;
  readonly ring?: number;
  readonly history?: number;
}

/** A running room with a log of its own. */
class Setup implements AsyncDisposable {
  readonly guests: TestGuest[] = [];
  /** How many lines each write to the log had. */
  readonly writes: number[] = [];
  readonly running: Promise<void>;
  #lastKey = 0;

  private constructor(
    readonly folder: string,
    readonly log: ChatLog,
    readonly broadcaster: Broadcaster,
    readonly room: Room,
    readonly history: History,
  ) {
    this.mend();
    this.running = room.run();
  }

  static async create(
    options: Partial<RoomOptions> & Sizes = {},
  ): Promise<Setup> {
    const { window = 1_024, ring = RING_SIZE, history = 0, ...others } =
      options;
    const folder = await Deno.makeTempDir();
    const log = await ChatLog.open(`${folder}/chat.log`, {
      address: "127.0.0.1:5000",
      window,
    });
    const broadcaster = await Broadcaster.create(SERVER_KEY, ring);
    const room = new Room({ maxMembers: 100, ...others, log, broadcaster });
    const past = new History(log, history);
    return new Setup(folder, log, broadcaster, room, past);
  }

  /** Says whether everybody is slow, whatever they are. */
  congest(congested: boolean): void {
    const property = { value: congested, configurable: true };
    Object.defineProperty(this.broadcaster.ring, "congested", property);
  }

  /** The log can't be written from here on. */
  breakLog(): void {
    this.log.append = () => Promise.reject(new Error("the disk is full"));
  }

  /** The log can be written again. */
  mend(): void {
    this.log.append = (entries: readonly NewEntry[]) => {
      this.writes.push(entries.length);
      return ChatLog.prototype.append.call(this.log, entries);
    };
  }

  guest(key?: string): TestGuest {
    const digits = (++this.#lastKey).toString(16).padStart(12, "0");
    const guest = new TestGuest(key ?? digits, this.broadcaster.ring);
    this.guests.push(guest);
    return guest;
  }

  /** Asks to be let in, as a guest of its own. */
  async ask(name: string, wish: Wish = {}): Promise<[TestGuest, Admission]> {
    const guest = this.guest(wish.key);
    const { n = 0, after = this.history.head, back = false } = wish;
    const request = { guest, name: nameOf(name), n, after, back };
    return [guest, await this.room.join(request)];
  }

  async join(name: string, wish: Wish = {}): Promise<Insider> {
    const [guest, admission] = await this.ask(name, wish);
    assert(typeof admission !== "string", `${name}: ${admission}`);
    return { guest, member: admission };
  }

  say(member: Member, ...lines: Line[]): Promise<void> {
    return this.room.say(member, lines);
  }

  async logged(): Promise<LogEntry[]> {
    const entries: LogEntry[] = [];
    for await (const piece of this.log.past(0, this.log.head)) {
      entries.push(...piece);
    }
    return entries;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.room.stop();
    await this.running;
    for (const guest of this.guests) await guest.leave();
    await this.log.close();
    await Deno.remove(this.folder, { recursive: true });
  }
}

interface Insider {
  readonly guest: TestGuest;
  readonly member: Member;
}

const bare = ({ seq, what, n, text }: LogEntry) => ({ seq, what, n, text });

/** Checks that a guest knows each line from `first` to the log's end once, in order, as the log has it. */
async function assertFollows(
  { log, ...setup }: Setup,
  guest: TestGuest,
  first: number,
): Promise<void> {
  const entries = await Setup.prototype.logged.call({ log, ...setup } as Setup);
  await guest.untilLine(log.head);
  const known = guest.lines.toSorted((a, b) => a.seq - b.seq);
  assertEquals(known, entries.slice(first - 1).map(bare));
  for (const { seq } of guest.of("welcome")) {
    const { what, key } = entries[seq - 1] ?? {};
    assertEquals([what, key], ["joined", guest.fingerprint]);
  }
  assertEquals(guest.failure, undefined);
}

// ── One order ──────────────────────────────────────────────────────────────────────────────────────────

Deno.test("Room.say() gives all members, the sender included, the one order that the log has", async () => {
  await using setup = await Setup.create();
  const insiders: Insider[] = [];
  for (const name of ["ana", "ben", "carla", "dmitri", "eve"]) {
    insiders.push(await setup.join(name));
  }
  const talk = async ({ member }: Insider, who: number) => {
    for (let n = 1; n <= 40; n += 2) {
      const lines = [n, n + 1].map((n) => ({ n, text: `${who} says ${n}` }));
      await setup.say(member, ...lines);
      for (let turn = 0; turn < who; turn++) await Promise.resolve();
    }
  };
  await Promise.all(insiders.map(talk));
  await insiders[0]?.guest.untilLine(5 + 200);
  for (const [who, { guest }] of insiders.entries()) {
    await assertFollows(setup, guest, who + 1);
    const said = guest.of("said");
    assertEquals(said.length, 200);
    for (const { member: { id } } of insiders) {
      const own = said.filter((event) => event.id === id).map(({ n }) => n);
      assertEquals(own, Array.from({ length: 40 }, (_, at) => at + 1));
    }
  }
});

Deno.test("Room.say() takes what was submitted together as one write to the log and one broadcast", async () => {
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  const ben = await setup.join("ben");
  setup.writes.length = 0;
  const before = ben.guest.broadcasts.length;
  const taken: Promise<void>[] = [];
  for (let n = 1; n <= 100; n++) {
    for (const { member } of [ana, ben]) {
      taken.push(setup.say(member, { n, text: `line ${n}` }));
    }
  }
  await Promise.all(taken);
  await ben.guest.untilLine(202);
  assertEquals(setup.writes, [200]);
  assertEquals(ben.guest.broadcasts.length - before, 1);
  assertEquals(ben.guest.of("batch").at(-1)?.seq, 3);
  await assertFollows(setup, ben.guest, 2);
});

Deno.test("Room.say() splits what fits no single record, without a gap in the numbers", async () => {
  await using setup = await Setup.create();
  const { guest, member } = await setup.join("ana");
  const lines = Array.from({ length: 100 }, (_, at) => ({
    n: at + 1,
    text: "x".repeat(4_096),
  }));
  await setup.say(member, ...lines);
  await guest.untilLine(101);
  assert(guest.broadcasts.length > 6);
  await assertFollows(setup, guest, 1);
});

Deno.test("Room.say() carries out more than the ring holds, in as many batches as it takes", async () => {
  await using setup = await Setup.create({ ring: 4 * RING_SIZE });
  const { guest, member } = await setup.join("ana");
  // Each event is many times longer than its text.
  const taken = Array.from({ length: 60 }, (_, chunk) => {
    const lines = Array.from({ length: 4_000 }, (_, at) => ({
      n: 1_000_000_000 + chunk * 4_000 + at,
      text: "x",
    }));
    return setup.say(member, ...lines);
  });
  await Promise.race([Promise.all(taken), setup.running]);
  await Promise.race([guest.untilLine(240_001), setup.running]);
  assertEquals(guest.of("said").length, 240_000);
  assertEquals(guest.dropped, false);
});

// ── Coming in ──────────────────────────────────────────────────────────────────────────────────────────

Deno.test("Room.join() shows a newcomer who is there, and those who are there the newcomer", async () => {
  await using setup = await Setup.create();
  const ana = await setup.join("Ana", { n: 41 });
  const ben = await setup.join("Ben", { n: 6 });
  const joined = await ana.guest.until(
    "joined",
    ({ id }) => id === ben.member.id,
  );
  assertEquals(joined, {
    kind: "joined",
    id: ben.member.id,
    name: "Ben",
    key: ben.guest.fingerprint,
    n: 6,
  });
  const welcome = await ben.guest.until("welcome");
  assertEquals([welcome.id, welcome.seq], [ben.member.id, 2]);
  const here = (
    { guest: { fingerprint: key }, member: { id, since } }: Insider,
    name: string,
  ) => ({ kind: "here", id, name, key, since, active: since, away: "" });
  const own = here(ben, "Ben");
  assertEquals<unknown>(ben.guest.of("here"), [here(ana, "Ana"), own]);
  assertEquals<unknown>(ana.guest.of("here"), [here(ana, "Ana")]);
  const kinds = ben.guest.events.map(({ kind }) => kind);
  assertEquals(
    kinds,
    ["sharing", "here", "here", "past", "epoch", "welcome"],
  );
  assertEquals([setup.room.size, setup.history.head], [2, 2]);
});

/** Whether an AES key opens a broadcast under any of the first counters, whatever its signature. */
async function opensAny(key: Bytes, { body, header }: WireRecord) {
  const ciphertext = body.subarray(0, -SIGNATURE_SIZE);
  for (let counter = 0; counter < 20; counter++) {
    try {
      const cipher = await CipherState.create(key, counter);
      await decryptMessage(cipher, ciphertext, header);
      return true;
    } catch {
      // Not this counter.
    }
  }
  return false;
}

Deno.test("Room.join() gives a newcomer a key that opens nothing from before, and everything after", async () => {
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  for (let n = 1; n <= 3; n++) {
    await setup.say(ana.member, { n, text: `secret ${n}` });
    await ana.guest.untilLine(1 + n);
  }
  const ben = await setup.join("ben");
  for (let n = 4; n <= 6; n++) {
    await setup.say(ana.member, { n, text: `for both ${n}` });
  }
  await ben.guest.untilLine(8);
  await ana.guest.untilLine(8);
  const texts = ben.guest.of("said").map(({ text }) => text);
  assertEquals(texts, ["for both 4", "for both 5", "for both 6"]);

  const [epoch] = ben.guest.epochs;
  assert(epoch);
  const key = fromBase64url(epoch.key);
  const after = ben.guest.broadcasts.length;
  const before = ana.guest.broadcasts.slice(0, -after);
  assertEquals(before.length, 4); // three secrets, and the newcomer's own joining
  for (const record of before) assert(!await opensAny(key, record));
  for (const record of ben.guest.broadcasts) {
    assert(await opensAny(key, record)); // the test would know
  }
});

Deno.test("Room.join() refuses a name that is taken or looks like one that is, and anybody when it is full", async () => {
  await using setup = await Setup.create({ maxMembers: 2 });
  await setup.join("bill");
  for (
    const name of ["bill", "BILL", "Bi11", "ｂｉｌｌ", "Вill".replace("В", "B")]
  ) {
    assertEquals((await setup.ask(name))[1], "name-taken");
  }
  await setup.join("anna");
  assertEquals((await setup.ask("carla"))[1], "room-full");
  assertEquals((await setup.ask("anna"))[1], "name-taken");
  assertEquals(setup.room.size, 2);
  assertEquals(setup.history.head, 2); // nothing of that is in the log
});

Deno.test("Room.join() settles names and places among those who ask at once", async () => {
  await using setup = await Setup.create({ maxMembers: 2 });
  const names = ["ana", "ANA", "ben", "carla"];
  const asked = await Promise.all(names.map((name) => setup.ask(name)));
  const answers = asked.map(([_, it]) => typeof it === "string" ? it : "in");
  assertEquals(answers, ["in", "name-taken", "in", "room-full"]);
});

Deno.test("Room.join() gathers those who come soon after another, and announces them together", async () => {
  using clock = new ManualClock();
  await using setup = await Setup.create({
    admissionPause: (members) => 50 * members,
    expecting: () => true,
  });
  const ana = await setup.join("ana");
  const asked = Promise.all(["ben", "carla"].map((name) => setup.ask(name)));
  clock.advance(49);
  await setup.say(ana.member, { n: 1, text: "is anybody coming?" });
  await ana.guest.untilLine(2);
  assertEquals(setup.room.size, 1);
  clock.advance(1);
  await asked;
  assertEquals(setup.writes, [1, 1, 2]);
  const later = setup.ask("dora");
  clock.advance(149); // the more there are to be told, the longer
  await setup.say(ana.member, { n: 2, text: "all here?" });
  await ana.guest.untilLine(5);
  assertEquals(setup.room.size, 3);
  clock.advance(1);
  await later;
});

Deno.test("Room.join() keeps nobody waiting for others where no others are on the way", async () => {
  using _clock = new ManualClock(); // which stands still
  await using setup = await Setup.create({
    admissionPause: () => 50,
    expecting: () => false,
  });
  await setup.join("ana");
  await setup.join("ben");
  assertEquals(setup.writes, [1, 1]);
});

Deno.test("Room.join() lets one that comes back with its key take its own place, and nobody else", async () => {
  await using setup = await Setup.create({ maxMembers: 2 });
  const ana = await setup.join("ana", { key: "aaaaaaaaaaaa", n: 10 });
  const ben = await setup.join("ben");
  const others: Wish[] = [
    { key: "bbbbbbbbbbbb", back: true },
    { key: "aaaaaaaaaaaa", back: false },
  ];
  for (const wish of others) {
    assertEquals((await setup.ask("ana", wish))[1], "name-taken");
  }
  assertEquals(ana.guest.goodbyes, []);

  await setup.say(ana.member, { n: 11, text: "first" });
  const again = await setup.join("ana", {
    key: "aaaaaaaaaaaa",
    back: true,
    after: 2,
    n: 11,
  });
  assertEquals(ana.guest.goodbyes, ["replaced"]);
  assertEquals(setup.room.size, 2);
  // What the old connection sends from here on is dropped; what the new one sends isn't.
  await setup.say(ana.member, { n: 12, text: "too late" });
  await setup.say(again.member, { n: 12, text: "in time" });
  await ben.guest.untilLine(6);
  const entries = (await setup.logged()).slice(2).map(bare);
  assertEquals(entries, [
    { seq: 3, what: "said", n: 11, text: "first" },
    { seq: 4, what: "left", n: 12, text: "replaced" },
    { seq: 5, what: "joined", n: 11, text: "" },
    { seq: 6, what: "said", n: 12, text: "in time" },
  ]);
  await assertFollows(setup, ben.guest, 2);
  await assertFollows(setup, again.guest, 3);
  setup.room.leave(ana.member, "lost"); // its connection ends now, and has nothing to say about the new one
  await setup.say(again.member, { n: 13, text: "still here" });
  await ben.guest.untilLine(7);
  assertEquals(setup.room.size, 2);
});

Deno.test("Room.join() shows one of two that come back at once only the last of them in", async () => {
  await using setup = await Setup.create();
  const key = "aaaaaaaaaaaa";
  const wish = { key, back: true, after: 0 };
  const asked = await Promise.all([
    setup.ask("ana", wish),
    setup.ask("ana", wish),
  ]);
  const [[first], [second, admission]] = asked;
  assertEquals(setup.room.size, 1);
  assertEquals(first.goodbyes, ["replaced"]);
  assertEquals(second.goodbyes, []);
  assert(typeof admission !== "string");
  await setup.say(admission, { n: 1, text: "for one alone" });
  await second.untilLine(4);
  assertEquals(second.of("said").length, 1);
  // Whoever was sent away gets no key for what comes after.
  for (const { key } of first.epochs) {
    for (const record of second.broadcasts) {
      assert(!await opensAny(fromBase64url(key), record));
    }
  }
});

Deno.test("Room.join() owes each guest every line after the one it names, once, and those of its own batch", async () => {
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  for (let n = 1; n <= 5; n++) await setup.say(ana.member, { n, text: `${n}` });
  await ana.guest.untilLine(6);
  // All in one batch: lines before and after the joinings, which also see each other.
  const taken = setup.say(ana.member, { n: 6, text: "before" });
  const asking = [0, 2, 6].map((after) =>
    setup.ask(`guest${after}`, { after, n: after })
  );
  const last = setup.say(ana.member, { n: 7, text: "after" });
  const asked = await Promise.all(asking);
  await Promise.all([taken, last]);
  assertEquals(setup.writes.at(-1), 5);
  await setup.say(ana.member, { n: 8, text: "later" });
  await ana.guest.untilLine(12);
  for (const [at, after] of [0, 2, 6].entries()) {
    const [guest] = asked[at] ?? [];
    assert(guest);
    await assertFollows(setup, guest, after + 1);
    const past = guest.of("past").map(({ seq }) => seq);
    const sorted = past.toSorted((a, b) => a - b);
    assertEquals(past, sorted); // oldest first
    assertEquals(guest.of("here").length, 4);
  }
});

Deno.test("Room.join() shows newcomers of one batch who is there in the same bytes, which nobody else can open", async () => {
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  const asked = await Promise.all(["ben", "cleo"].map((it) => setup.ask(it)));
  const guests = asked.map(([guest]) => guest);
  for (const guest of guests) await guest.until("welcome");
  const [ben, cleo] = guests;
  assert(ben && cleo);
  assertEquals(setup.writes.at(-1), 2);
  const [record] = ben.shared;
  assert(record && record === cleo.shared[0]);
  assertEquals(ana.guest.shared.includes(record), false);

  const later = await setup.join("dora");
  await later.guest.until("welcome");
  const header = record.subarray(0, HEADER_SIZE);
  const body = record.subarray(HEADER_SIZE);
  const secrets = [ana.guest, ben, cleo, later.guest].flatMap((guest) => [
    ...guest.epochs,
    ...guest === ben || guest === cleo ? [] : guest.of("sharing"),
  ]);
  assertEquals(secrets.length, 6);
  for (const secret of secrets) {
    const reader = await EpochReader.create(SERVER_KEY, secretOf(secret));
    await assertRejects(() => reader.open(body, header), DecryptionError);
  }
});

Deno.test("Room.join() sends a guest that is too far behind to catch up first", async () => {
  await using setup = await Setup.create({ window: 8 });
  const ana = await setup.join("ana");
  const lines = Array.from({ length: 20 }, (_, at) => ({
    n: at + 1,
    text: `${at}`,
  }));
  await setup.say(ana.member, ...lines);
  await ana.guest.untilLine(21);
  assertEquals((await setup.ask("ben", { after: 12 }))[1], "behind");
  assertEquals(setup.room.size, 1);
  const pieces: LogEntry[] = [];
  for await (const piece of setup.history.past(12)) pieces.push(...piece);
  assertEquals(pieces.map(({ seq }) => seq), [
    13,
    14,
    15,
    16,
    17,
    18,
    19,
    20,
    21,
  ]);
  const ben = await setup.join("ben", { after: 13 });
  await assertFollows(setup, ben.guest, 14);
});

Deno.test("History.start() begins where a guest says, or as far back as a newcomer is shown", async () => {
  await using setup = await Setup.create({ history: 3 });
  assertEquals(setup.history.start(null), 0);
  const { guest, member } = await setup.join("ana");
  await setup.say(member, ...[1, 2, 3, 4].map((n) => ({ n, text: "x" })));
  await guest.untilLine(5);
  assertEquals(setup.history.start(null), 2);
  for (const after of [0, 1, 5]) {
    assertEquals(setup.history.start(after), after);
  }
  assertEquals(setup.history.start(6), 2); // another log's number
});

// ── Leaving ────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("Room.leave() tells everybody why, and frees name and place", async () => {
  await using setup = await Setup.create({ maxMembers: 2 });
  const ana = await setup.join("ana", { n: 7 });
  const ben = await setup.join("ben");
  setup.room.leave(ana.member, "silent");
  setup.room.leave(ana.member, "lost"); // only the first counts
  const left = await ben.guest.until("left");
  const { id } = ana.member;
  assertEquals(left, { kind: "left", id, n: 8, reason: "silent" });
  const again = await setup.join("ana");
  await again.guest.until("welcome");
  const present = [ben.member.id, again.member.id];
  assertEquals(again.guest.of("here").map((it) => it.id), present);
  assert(again.member.id > ben.member.id); // never one that somebody had
  const words = (await setup.logged()).map(({ what }) => what);
  assertEquals(words, ["joined", "joined", "left", "joined"]);
});

Deno.test("Room.say() drops what a member says after it has left", async () => {
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  const ben = await setup.join("ben");
  const said = setup.say(ana.member, { n: 1, text: "in time" });
  setup.room.leave(ana.member, "left");
  await setup.say(ana.member, { n: 2, text: "too late" });
  await said;
  await setup.say(ben.member, { n: 1, text: "the end" });
  await ben.guest.until("said", ({ text }) => text === "the end");
  const texts = ben.guest.of("said").map(({ text }) => text);
  assertEquals(texts, ["in time", "the end"]);
  await assertFollows(setup, ben.guest, 2);
});

/** What one who left could open of the broadcasts after its last, had it gone on reading. */
async function opened(
  leaver: TestGuest,
  broadcasts: readonly WireRecord[],
): Promise<Event[]> {
  const reader = await leaver.lastReader();
  const last = leaver.broadcasts.at(-1);
  const since = broadcasts.findIndex((it) =>
    last && equalBytes(it.body, last.body)
  );
  const events: Event[] = [];
  for (const { body, header } of broadcasts.slice(since + 1)) {
    try {
      events.push(...unpackEvents(await reader.open(body, header)));
    } catch {
      // Not for this key.
    }
  }
  return events;
}

Deno.test("Room.leave() ends what the one who left can read at once, where no key was renewed lately", async () => {
  using _clock = new ManualClock();
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  const ben = await setup.join("ben");
  const count = ben.guest.broadcasts.length;
  setup.room.leave(ana.member, "left");
  ana.guest.dismiss("left");
  await ben.guest.until("left");
  await setup.say(ben.member, { n: 1, text: "among ourselves" });
  await ben.guest.until("said");
  const later = ben.guest.broadcasts.slice(count);
  assertEquals(later.length, 2);
  assertEquals(await opened(ana.guest, ben.guest.broadcasts), []);
  for (const record of later) {
    for (const { key } of ana.guest.epochs) {
      assert(!await opensAny(fromBase64url(key), record));
    }
  }
  assertEquals(ben.guest.failure, undefined);
});

Deno.test("Room.leave() renews the key within 900 ms of the last renewal, however many leave", async () => {
  using clock = new ManualClock();
  await using setup = await Setup.create();
  const [ana, ben, carla, dmitri] = [
    await setup.join("ana"),
    await setup.join("ben"),
    await setup.join("carla"),
    await setup.join("dmitri"),
  ];
  const { guest } = dmitri;
  let n = 0;
  const say = async (text: string) => {
    await setup.say(dmitri.member, { n: ++n, text });
    await guest.until("said", (event) => event.text === text);
  };
  const leave = async ({ member, guest: leaver }: Insider) => {
    // As its connection does first of all, so that it still knows the key of before.
    leaver.dismiss("left");
    setup.room.leave(member, "left");
    await guest.until("left", ({ id }) => id === member.id);
  };
  await leave(ana); // renews
  assertEquals(guest.epochs.length, 2);
  clock.advance(100);
  await leave(ben);
  clock.advance(300);
  await leave(carla);
  await say("at 400");
  clock.advance(499);
  await say("at 899");
  assertEquals(guest.epochs.length, 2);
  clock.advance(1);
  await say("at 900");
  await say("and after");
  assertEquals(guest.epochs.length, 3);
  clock.advance(5_000);
  await say("much later");
  assertEquals(guest.epochs.length, 3); // nobody has left since

  const said = (events: readonly Event[]) =>
    events.flatMap((event) => event.kind === "said" ? [event.text] : []);
  const { broadcasts } = guest;
  assertEquals(await opened(ana.guest, broadcasts), []);
  for (const leaver of [ben, carla]) {
    const read = said(await opened(leaver.guest, broadcasts));
    assertEquals(read, ["at 400", "at 899"]);
  }
});

Deno.test("Room.join() tells a newcomer one key, though another's leaving renewed it in the same batch", async () => {
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  const ben = await setup.join("ben");
  setup.writes.length = 0;
  setup.room.leave(ana.member, "left");
  const carla = await setup.join("carla");
  await carla.guest.until("welcome");
  assertEquals(setup.writes, [2]);
  assertEquals(carla.guest.epochs.length, 1);
  await setup.say(ben.member, { n: 1, text: "hello" });
  await carla.guest.untilLine(5);
  await ben.guest.untilLine(5);
  assertEquals(ben.guest.epochs.length, 2);
  assertEquals(carla.guest.epochs[0]?.number, 5); // two ratchets, a fresh one, and a ratchet after it
});

// ── The log can't be written ───────────────────────────────────────────────────────────────────────────

Deno.test("Room.say() and Room.join() are refused while the log can't be written, and nobody is told", async () => {
  await using setup = await Setup.create({ maxMembers: 2 });
  const ana = await setup.join("ana");
  setup.breakLog();
  await setup.say(ana.member, { n: 1, text: "lost" }, { n: 2, text: "too" });
  const refused = { kind: "refused", reason: "log-failed" } as const;
  await ana.guest.until("refused", ({ n }) => n === 2);
  assertEquals(ana.guest.of("refused"), [
    { ...refused, n: 1 },
    { ...refused, n: 2 },
  ]);
  const [guest, answer] = await setup.ask("ben");
  assertEquals(answer, "log-failed");
  assertEquals([guest.events, setup.room.size], [[], 1]);

  setup.mend();
  const ben = await setup.join("ben"); // name and place are free
  await setup.say(ana.member, { n: 3, text: "heard" });
  await ben.guest.untilLine(3);
  await assertFollows(setup, ana.guest, 1);
  assertEquals(ana.guest.of("said").map(({ n }) => n), [3]);
  assertEquals(setup.history.head, 3);
});

Deno.test("Room.join() puts the one back whose place it would have taken, had the log been written", async () => {
  await using setup = await Setup.create();
  const wish = { key: "aaaaaaaaaaaa", back: true, after: 0 };
  const ana = await setup.join("ana", wish);
  setup.breakLog();
  assertEquals((await setup.ask("ana", wish))[1], "log-failed");
  assertEquals(ana.guest.goodbyes, []);
  setup.mend();
  await setup.say(ana.member, { n: 1, text: "still here" });
  await ana.guest.untilLine(2);
  await assertFollows(setup, ana.guest, 1);
});

Deno.test("Room.leave() is logged and told when the log can be written again", async () => {
  using clock = new ManualClock();
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  const ben = await setup.join("ben");
  const carla = await setup.join("carla");
  setup.breakLog();
  setup.room.leave(ana.member, "lost");
  await setup.say(ben.member, { n: 1, text: "x" });
  await ben.guest.until("refused");
  setup.room.leave(carla.member, "silent");
  await setup.say(ben.member, { n: 2, text: "y" });
  await ben.guest.until("refused", ({ n }) => n === 2);
  assertEquals(ben.guest.of("left"), []);
  setup.mend();
  clock.advance(999);
  await setup.say(ben.member, { n: 3, text: "mended" });
  await ben.guest.until("said");
  assertEquals(ben.guest.of("left"), []);
  clock.advance(1);
  await ben.guest.until("left", ({ id }) => id === carla.member.id);
  const reasons = ben.guest.of("left").map(({ reason }) => reason);
  assertEquals(reasons, ["lost", "silent"]);
  assertEquals(setup.room.size, 1);
  await assertFollows(setup, ben.guest, 2);
});

Deno.test("Room.leave() takes the key from the one who left as soon as anything can be said again", async () => {
  using clock = new ManualClock();
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  const ben = await setup.join("ben");
  await ana.guest.until("joined", ({ id }) => id === ben.member.id);
  await ana.guest.until("ratchet");
  setup.breakLog();
  ana.guest.outlet.abandon(); // as its connection does
  setup.room.leave(ana.member, "lost");
  await setup.say(ben.member, { n: 1, text: "refused" });
  await ben.guest.until("refused");
  setup.mend();
  await setup.say(ben.member, { n: 2, text: "among ourselves" });
  await ben.guest.until("said");
  assertEquals(await opened(ana.guest, ben.guest.broadcasts), []);
  clock.advance(1_000);
  await ben.guest.until("left");
});

// ── Congestion ─────────────────────────────────────────────────────────────────────────────────────────

Deno.test("Room.say() waits while everybody is slow; coming and going don't", async () => {
  using clock = new ManualClock();
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  const ben = await setup.join("ben");
  await ana.guest.untilLine(2);
  setup.congest(true);
  let taken = false;
  const saying = setup.say(ana.member, { n: 1, text: "patience" })
    .then(() => taken = true);
  const carla = await setup.join("carla");
  setup.room.leave(ben.member, "lost");
  await carla.guest.until("left");
  clock.advance(5);
  await setup.join("dmitri");
  assertEquals([taken, ana.guest.of("said").length], [false, 0]);
  setup.congest(false);
  clock.advance(5);
  await saying;
  await ana.guest.until("said");
  await assertFollows(setup, ana.guest, 1);
});

Deno.test("Room.leave() comes after all that the member said, though that had to wait", async () => {
  using clock = new ManualClock();
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  const ben = await setup.join("ben");
  await ana.guest.untilLine(2);
  setup.congest(true);
  const saying = setup.say(ben.member, { n: 1, text: "one last thing" });
  setup.room.leave(ben.member, "left");
  await setup.join("carla");
  assertEquals(setup.room.size, 3);
  setup.congest(false);
  clock.advance(5);
  await saying;
  await ana.guest.until("left");
  const logged = await setup.logged();
  assertEquals(
    logged.slice(-2).map(({ what, text }) => [what, text]),
    [["said", "one last thing"], ["left", "left"]],
  );
  await assertFollows(setup, ana.guest, 1);
});

Deno.test("Room looks at a congested log once a pause, however many wait", async () => {
  using clock = new ManualClock();
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  let congested = true;
  let looks = 0;
  Object.defineProperty(setup.broadcaster.ring, "congested", {
    get: () => (looks++, congested),
  });
  const saying: Promise<void>[] = [];
  for (let n = 1; n <= 20; n++) {
    saying.push(setup.say(ana.member, { n, text: "x" }));
    while (looks < n) await Promise.resolve();
  }
  const timers = clock.pending;
  congested = false;
  clock.advance(5);
  await Promise.all(saying);
  await ana.guest.untilLine(21);
  assertEquals(timers, 1);
});

// ── The end ────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("Room.stop() ends the room when all that was submitted before is done", async () => {
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  const ben = await setup.join("ben");
  const taken = setup.say(ana.member, { n: 1, text: "last words" });
  setup.room.leave(ana.member, "stopped");
  setup.room.leave(ben.member, "stopped");
  setup.room.stop();
  await taken;
  await setup.running;
  const words = (await setup.logged()).map(({ what }) => what);
  assertEquals(words, ["joined", "joined", "said", "left", "left"]);
  assertEquals(setup.room.size, 0);
});

Deno.test("Room.stop() doesn't wait for a log that can't be written, and leaves no timer behind", async () => {
  using clock = new ManualClock();
  await using setup = await Setup.create();
  const members = [
    await setup.join("ana"),
    await setup.join("ben"),
    await setup.join("carla"),
  ];
  setup.breakLog();
  for (const { member } of members.slice(0, 2)) {
    setup.room.leave(member, "lost");
    const [_, answer] = await setup.ask("dmitri");
    assertEquals(answer, "log-failed");
  }
  for (const { member } of members) setup.room.leave(member, "stopped");
  setup.room.stop();
  await setup.running;
  assertEquals(clock.pending, 0);
});

// ── Random lives ───────────────────────────────────────────────────────────────────────────────────────

/** A room's random life, with a log that fails now and then; everybody must know what the log knows. */
async function live(seed: number): Promise<void> {
  using clock = new ManualClock();
  await using setup = await Setup.create({ maxMembers: 8 });
  const random = seededRandom(seed);
  const inside = new Map<TestGuest, { member: Member; first: number }>();
  const pending: Promise<unknown>[] = [];
  for (let step = 0; step < 120; step++) {
    const action = random(20);
    const present = [...inside];
    const [guest, state] = present[random(present.length)] ?? [];
    if (action < 5) {
      const after = random(setup.history.head + 1);
      const asking = setup.ask(`guest${step}`, { after });
      pending.push(asking.then(([guest, member]) => {
        if (typeof member === "string") return;
        inside.set(guest, { member, first: after + 1 });
      }));
    } else if (guest && state && action < 16) {
      const n = state.member.n + 1 + step * 10;
      pending.push(setup.say(state.member, { n, text: `line ${step}` }));
    } else if (guest && state && action < 18) {
      inside.delete(guest);
      guest.dismiss("left");
      setup.room.leave(state.member, "left");
    } else if (action < 19) setup.breakLog();
    if (random(2) === 0) await Promise.all(pending.splice(0));
    if (random(3) === 0) setup.mend();
    clock.advance(random(500));
  }
  setup.mend();
  await Promise.all(pending);
  clock.advance(1_000);
  setup.room.stop();
  await setup.running;
  for (const [guest, { first }] of inside) {
    await assertFollows(setup, guest, first);
  }
  const numbers = (await setup.logged()).map(({ seq }) => seq);
  assertEquals(numbers, numbers.map((_, at) => at + 1));
}

Deno.test("Room keeps the log, every member's lines and the epochs in step, whatever happens when", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    await live(seed).catch((cause) => {
      throw new Error(`seed ${seed}`, { cause });
    });
  }
});

Deno.test("Room.run() rejects, and doesn't go on unheard, where the ring can't hold a record", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/chat.log`;
  {
    await using log = await ChatLog.open(path, { address: "127.0.0.1:5000" });
    const broadcaster = await Broadcaster.create(SERVER_KEY, 100);
    const room = new Room({ log, broadcaster, maxMembers: 9 });
    const guest = new TestGuest("aaaaaaaaaaaa", broadcaster.ring);
    const name = nameOf("a".repeat(32));
    room.join({ guest, name, n: 0, after: 0, back: false });
    await assertRejects(() => room.run(), RangeError, "the ring is full");
  }
  await Deno.remove(folder, { recursive: true });
});

// ── Names, absences, answers and searches ──────────────────────────────────────────────────────────────

Deno.test("Room.say() logs and tells each line in its own way, in order", async () => {
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  await setup.say(
    ana.member,
    { n: 1, text: "hello" },
    { n: 2, what: "acted", text: "waves" },
    { n: 3, what: "replied", to: 2, text: "yes" },
  );
  await ana.guest.until("replied");
  const { id } = ana.member;
  const told = ana.guest.events.filter((event) =>
    "id" in event && "text" in event
  );
  assertEquals<unknown>(told, [
    { kind: "said", id, n: 1, text: "hello" },
    { kind: "acted", id, n: 2, text: "waves" },
    { kind: "replied", id, n: 3, to: 2, text: "yes" },
  ]);
  const logged = (await setup.logged()).slice(1);
  assertEquals(logged.map(({ what, to, text }) => [what, to, text]), [
    ["said", null, "hello"],
    ["acted", null, "waves"],
    ["replied", 2, "yes"],
  ]);
});

Deno.test("Room.rename() gives another name in its place among the lines, and frees the old one", async () => {
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  const before = setup.say(ana.member, { n: 1, text: "before" });
  setup.room.rename(ana.member, nameOf("Anna"));
  await Promise.all([
    before,
    setup.say(ana.member, { n: 2, text: "after" }),
  ]);
  const { id } = ana.member;
  const renamed = await ana.guest.until("renamed");
  assertEquals(renamed, { kind: "renamed", id, n: 1, name: "Anna" });
  await ana.guest.until("said", ({ n }) => n === 2);
  const logged = await setup.logged();
  assertEquals(logged.map(({ what, name, text }) => [what, name, text]), [
    ["joined", "ana", ""],
    ["said", "ana", "before"],
    ["renamed", "ana", "Anna"],
    ["said", "Anna", "after"],
  ]);
  assertEquals((await setup.ask("anna"))[1], "name-taken");
  const ben = await setup.join("ana");
  await ben.guest.until("welcome");
  assertEquals(ben.guest.of("here").map((it) => it.name), ["Anna", "ana"]);
});

Deno.test("Room.rename() refuses a name that is taken, and lets a member respell its own", async () => {
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  await setup.join("ben");
  setup.room.rename(ana.member, nameOf("BEN"));
  setup.room.rename(ana.member, nameOf("ANA"));
  await ana.guest.until("renamed");
  assertEquals(ana.guest.of("refused"), [
    { kind: "refused", n: null, reason: "name-taken" },
  ]);
  const logged = (await setup.logged()).slice(2);
  assertEquals(logged.map(({ what, text }) => [what, text]), [
    ["renamed", "ANA"],
  ]);
});

Deno.test("Room.rename() is taken back where the log can't be written", async () => {
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  setup.breakLog();
  setup.room.rename(ana.member, nameOf("anna"));
  const refused = await ana.guest.until("refused");
  assertEquals(refused, { kind: "refused", n: null, reason: "log-failed" });
  assertEquals(ana.member.name.shown, "ana");
  setup.mend();
  assertEquals((await setup.ask("ana"))[1], "name-taken");
  await setup.join("anna");
  assertEquals(ana.guest.of("renamed"), []);
});

Deno.test("Room.away() tells everybody without a line of the log, and who comes later", async () => {
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  setup.room.away(ana.member, "lunch");
  const { id } = ana.member;
  const absent = await ana.guest.until("absent");
  assertEquals(absent, { kind: "absent", id, text: "lunch" });
  assertEquals(setup.history.head, 1);
  const ben = await setup.join("ben");
  await ben.guest.until("welcome");
  assertEquals(ben.guest.of("here").map(({ away }) => away), ["lunch", ""]);
  setup.room.away(ana.member, "");
  await ben.guest.until("absent", ({ text }) => text === "");
  await setup.say(ana.member, { n: 1, text: "back" });
  await ben.guest.untilLine(3);
  await assertFollows(setup, ben.guest, 2);
});

Deno.test("Room.away() comes after a batch's lines, and leaves their numbers right however it is split", async () => {
  await using setup = await Setup.create();
  const ana = await setup.join("ana");
  const others: Insider[] = [];
  for (let at = 0; at < 50; at++) others.push(await setup.join(`o${at}`));
  const { head } = setup.history;
  const before = ana.guest.broadcasts.length;
  for (const { member } of others) {
    setup.room.away(member, "\0".repeat(256)); // together too long for one record
  }
  const lines = Array.from({ length: 20 }, (_, at) => ({
    n: at + 1,
    text: "x".repeat(4_096),
  }));
  await setup.say(ana.member, ...lines);
  const last = others.at(-1)?.member.id;
  await ana.guest.until("absent", ({ id }) => id === last);
  assert(ana.guest.broadcasts.length - before > 2);
  const kinds = ana.guest.events.map(({ kind }) => kind);
  assert(kinds.lastIndexOf("said") < kinds.indexOf("absent"));
  assertEquals(ana.guest.of("batch").at(-1)?.seq, head + 21);
  await setup.say(ana.member, { n: 21, text: "next" });
  await ana.guest.untilLine(head + 21);
  await assertFollows(setup, ana.guest, 1);
});

Deno.test("History.find() gives the last lines, or the last with all the words, and says whether there are more", async () => {
  await using setup = await Setup.create();
  const { member, guest } = await setup.join("ana");
  const lines = Array.from({ length: 10 }, (_, at) => ({
    n: at + 1,
    text: at % 2 === 0 ? `red ${at}` : `blue ${at}`,
  }));
  await setup.say(member, ...lines);
  await guest.untilLine(11);
  const find = async (...asked: Parameters<History["find"]>) => {
    const { entries, more } = await setup.history.find(...asked);
    return [entries.map(({ seq }) => seq), more];
  };
  assertEquals(await find("", null, 3), [[9, 10, 11], true]);
  assertEquals(await find("", 4, 3), [[1, 2, 3], false]);
  assertEquals(await find("red", null, 2), [[8, 10], true]);
  assertEquals(await find("red", 8, 20), [[2, 4, 6], false]);
  assertEquals(await find("green", null, 20), [[], false]);
});

Deno.test("History.find() searches for one after another, also after a search that failed", async () => {
  await using setup = await Setup.create();
  const started: string[] = [];
  const ends: PromiseWithResolvers<void>[] = [];
  setup.log.search = async (words) => {
    started.push(words);
    const end = Promise.withResolvers<void>();
    ends.push(end);
    await end.promise;
    return { entries: [], more: false, from: 1 };
  };
  const finding = ["one", "two", "three"].map((words) =>
    setup.history.find(words, null, 9)
  );
  const settled = Promise.allSettled(finding);
  await Promise.resolve();
  assertEquals(started, ["one"]);
  ends[0]?.reject(new Error("Cannot read"));
  await assertRejects(async () => await finding[0], Error, "Cannot read");
  assertEquals(started, ["one", "two"]);
  ends[1]?.resolve();
  await finding[1];
  assertEquals(started, ["one", "two", "three"]);
  ends[2]?.resolve();
  const all = (await settled).map(({ status }) => status);
  assertEquals(all, ["rejected", "fulfilled", "fulfilled"]);
});
