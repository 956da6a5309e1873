/**
 * A running room with a log of its own, and guests who read what a real outlet writes to them.
 *
 * @module
 */

import {
  type Bytes,
  CipherState,
  concat,
  decryptMessage,
  equalBytes,
  fromBase64url,
  randomBytes,
  SIGNATURE_SIZE,
  TAG_SIZE,
} from "../../crypto_utils.ts";
import { Broadcaster, type Shared } from "../../src/server/broadcaster.ts";
import { ChatLog } from "../../src/log/chat_log.ts";
import {
  encodeEvent,
  type Event,
  packEvents,
  unpackEvents,
} from "../../src/protocol/events.ts";
import { type Name, parseName } from "../../src/protocol/names.ts";
import { Room, type RoomOptions } from "../../src/server/room.ts";
import {
  directHeader,
  MAX_RECORD_SIZE,
  RecordSplitter,
  RecordType,
  type WireRecord,
} from "../../src/protocol/records.ts";
import { assert, assertEquals } from "./assert.ts";
import { ManualClock, seededRandom } from "./memory_stream.ts";
import type { Goodbye } from "../../src/protocol/reasons.ts";
import type { Line, LogEntry, NewEntry } from "../../src/protocol/line.ts";
import type {
  Admission,
  Batch,
  Guest,
  Item,
  Seat,
} from "../../src/server/batch.ts";
import type { People } from "../../src/server/people/people.ts";
import type { Candidate } from "../../src/server/people/person.ts";
import { shortId } from "../../src/crypto/person_id.ts";
import { madeUp, newStay, openPeople } from "./people.ts";
import {
  type Order,
  type Ordered,
  type OrderedRoom,
  OwnOrder,
} from "../../src/server/order.ts";
import { Outlet, type Writer } from "../../src/server/outlet.ts";
import type { Ring } from "../../src/server/ring.ts";
import { History } from "../../src/server/history.ts";
import { EpochReader } from "../../src/crypto/epoch.ts";
import { Notify } from "../../src/base/notify.ts";

export const SERVER_KEY = randomBytes(32);

export const RING_SIZE = 1_048_576;

export function nameOf(text: string): Name {
  const name = parseName(text);
  assert(typeof name !== "string", `${text} is no name`);
  return name;
}

/** A guest that reads all that is written to it. What it is told alone isn't sealed: that is a channel's work. */
export class TestGuest implements Guest, Writer {
  readonly isHere = true;
  readonly outlet: Outlet;
  /** What it was told alone and heard with everybody, in the order of its stream. */
  readonly events: Event[] = [];
  /** Every broadcast that it was written. */
  readonly broadcasts: WireRecord[] = [];
  /** Every record that it was given together with others. */
  readonly shared: Bytes[] = [];
  /** What each record said that was for it alone. */
  readonly passed: Bytes[] = [];
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

  constructor(
    /** Who it says that it is. */
    readonly candidate: Candidate,
    log: Ring,
  ) {
    const tooSlow = () => void (this.dropped = true);
    this.outlet = new Outlet(log, this, { limit: 64 * RING_SIZE, tooSlow });
  }

  get ended(): Goodbye | undefined {
    return this.goodbyes[0];
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
    this.passed.push(...plaintexts);
    for (const plaintext of plaintexts) {
      const tag = new Uint8Array(TAG_SIZE);
      const record = concat(directHeader(plaintext.length), plaintext, tag);
      this.outlet.direct(record.length, Promise.resolve(record));
    }
  }

  share({ bytes, count }: Shared): void {
    this.shared.push(bytes);
    this.outlet.share(bytes, count);
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

export function secretOf(
  { number, counter, key, verifyKey }: Event<"epoch" | "sharing">,
) {
  return {
    number,
    counter,
    key: fromBase64url(key),
    verifyKey: fromBase64url(verifyKey),
  };
}

/** An order that has what the test gives it beside what is asked for here; it is looked at when something is. */
export class GivenOrder extends OwnOrder {
  /** What other servers have proposed. */
  readonly given: Ordered[] = [];

  override next(): Ordered | undefined {
    return this.given.shift() ?? super.next();
  }
}

/**
 * The order of a server that shares its room: the test says when what is asked for can be had, and what others have
 * decided. All that is proposed happens.
 */
export class SharedOrder implements Order {
  readonly isShared = true;
  readonly server = "here";
  isUp = true;
  mayDecide = true;
  hasOthers = true;
  maxSize = 1_048_576;
  maxItemSize = Infinity;
  /** What others have decided, first come, first served. */
  readonly given: Ordered[] = [];
  /** What comes back, since something else was decided first. */
  readonly void: Item[] = [];
  /** What was proposed here, by kinds. */
  readonly proposed: string[][] = [];
  /** Of each batch, whether all that came of it was kept. */
  readonly settled: boolean[] = [];
  /** The room, as the order sees it. */
  room: OrderedRoom | undefined;
  /** The log's head, from when on what happens is decided; undefined: it is not. */
  head: (() => number) | undefined;

  #underWay: readonly Item[] | undefined;
  #isHeld = false;
  readonly #looked = new Notify(); // when the room has looked what is next

  attach(room: OrderedRoom): void {
    this.room = room;
  }

  get isFree(): boolean {
    return !this.#isHeld && !this.#underWay;
  }

  set isFree(is: boolean) {
    this.#isHeld = !is;
  }

  get hasNext(): boolean {
    return this.given.length > 0;
  }

  sizeOf(item: Item): number {
    return item.kind === "say" ? 10 * item.lines.length : 10;
  }

  propose(items: readonly Item[]): void {
    this.proposed.push(items.map(({ kind }) => kind));
    this.#underWay = items;
    this.given.push({ items, at: this.now() });
  }

  rejected(): readonly Item[] {
    return this.void.splice(0);
  }

  next(): Ordered | undefined {
    this.#looked.notify();
    const next = this.given.shift();
    return next && this.head ? { ...next, behind: this.head() } : next;
  }

  /** Waits until something holds; looks whenever the room does. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await this.#looked.wait();
  }

  settle({ items }: Ordered, _batch: Batch, isKept: boolean): void {
    if (items === this.#underWay) this.#underWay = undefined;
    this.settled.push(isKept);
  }

  caughtUp(): Promise<void> {
    return Promise.resolve();
  }

  now(): number {
    return Date.now();
  }
}

/** How often a room may look what is next: one that goes round in circles fails, and doesn't hang. */
const MOST_LOOKS = 3_000;

/** An order that a room can't look at without end. */
function limited(order: Order): Order {
  const next = order.next.bind(order);
  let looks = 0;
  order.next = () => {
    assert(++looks < MOST_LOOKS, "the room goes round in circles");
    return next();
  };
  return order;
}

export interface Wish {
  /** A word for who it is; somebody new where it is left out. */
  readonly key?: string;
  readonly stay?: string;
  readonly n?: number;
  readonly after?: number;
}

/** How many lines the log keeps in memory, how large the ring is, how much a newcomer is shown. */
export interface Sizes {
  readonly window?: number;
  readonly ring?: number;
  readonly history?: number;
}

/** A running room with a log of its own. Its time stands still but where the test moves it on. */
export class Setup implements AsyncDisposable {
  readonly guests: TestGuest[] = [];
  /** How many lines each write to the log had. */
  readonly writes: number[] = [];
  readonly running: Promise<void>;
  /** How often the room has looked whether everybody is slow, since `congest`. */
  looks = 0;
  #lastKey = 0;

  private constructor(
    readonly clock: ManualClock,
    readonly folder: string,
    readonly log: ChatLog,
    readonly broadcaster: Broadcaster,
    readonly people: People,
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
    const clock = new ManualClock();
    const folder = await Deno.makeTempDir();
    const log = await ChatLog.open(`${folder}/chat.log`, {
      address: "127.0.0.1:5000",
      window,
    });
    const broadcaster = await Broadcaster.create(SERVER_KEY, ring);
    const people = openPeople(`${folder}/chat.people`);
    const order = limited(others.order ?? new OwnOrder());
    const main = { log, broadcaster, people, order };
    const room = new Room({ maxMembers: 100, ...others, ...main });
    const past = new History(log, history);
    return new Setup(clock, folder, log, broadcaster, people, room, past);
  }

  /** Says whether everybody is slow, whatever they are. */
  congest(congested: boolean): void {
    const get = () => (this.looks++, congested);
    const property = { get, configurable: true };
    Object.defineProperty(this.broadcaster.ring, "congested", property);
  }

  /** The log can't be written from here on. */
  breakLog(): void {
    const fail = () => Promise.reject(new Error("the disk is full"));
    this.log.append = this.log.appendFrom = fail;
  }

  /** The log can be written again. */
  mend(): void {
    this.log.append = (entries: readonly NewEntry[]) => {
      this.writes.push(entries.length);
      return ChatLog.prototype.append.call(this.log, entries);
    };
    this.log.appendFrom = ChatLog.prototype.appendFrom;
  }

  guest(key = `somebody ${++this.#lastKey}`): TestGuest {
    const guest = new TestGuest(madeUp(key), this.broadcaster.ring);
    this.guests.push(guest);
    return guest;
  }

  /** Asks to be let in, as a guest of its own. */
  async ask(name: string, wish: Wish = {}): Promise<[TestGuest, Admission]> {
    const guest = this.guest(wish.key);
    const { candidate } = guest;
    const { n = 0, after = this.history.head, stay = newStay() } = wish;
    const from = this.history.newcomerStart;
    const who = { guest, candidate, name: nameOf(name), stay, n };
    return [guest, await this.room.join({ ...who, after, from })];
  }

  async join(name: string, wish: Wish = {}): Promise<Insider> {
    const [guest, admission] = await this.ask(name, wish);
    assert(isIn(admission), `${name}: ${outcome(admission)}`);
    return { guest, seat: admission };
  }

  say(seat: Seat, ...lines: Line[]): Promise<void> {
    return this.room.say(seat, lines);
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
    this.clock.advance(2_000); // it waits no longer for what can't be had
    await this.running;
    for (const guest of this.guests) await guest.leave();
    await this.log.close();
    this.people[Symbol.dispose]();
    this.clock[Symbol.dispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Whether a wish to be let in was granted. */
export function isIn(admission: Admission): admission is Seat {
  return typeof admission === "object" && "member" in admission;
}

/** What became of a wish to be let in, in a word. */
export function outcome(admission: Admission): string {
  if (typeof admission === "string") return admission;
  return isIn(admission) ? "in" : admission.reason;
}

export interface Insider {
  readonly guest: TestGuest;
  readonly seat: Seat;
}

export const bare = ({ seq, what, n, text }: LogEntry) => ({
  seq,
  what,
  n,
  text,
});

/** Checks that a guest knows each line from `first` to the log's end once, in order, as the log has it. */
export async function assertFollows(
  { log, ...setup }: Setup,
  guest: TestGuest,
  first: number,
): Promise<void> {
  const entries = await Setup.prototype.logged.call({ log, ...setup } as Setup);
  await guest.untilLine(log.head);
  const known = guest.lines.toSorted((a, b) => a.seq - b.seq);
  assertEquals(known, entries.slice(first - 1).map(bare));
  const own = shortId(guest.candidate.id);
  for (const { seq } of guest.of("welcome")) {
    const joining = entries.slice(0, seq).findLast(({ what, person }) =>
      what === "joined" && person === own
    );
    assert(joining, "its joining is not in the log");
  }
  assertEquals(guest.failure, undefined);
}

/** Whether an AES key opens a broadcast under any of the first counters, whatever its signature. */
export async function opensAny(key: Bytes, { body, header }: WireRecord) {
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

/** What one who left could open of the broadcasts after its last, had it gone on reading. */
export async function opened(
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

// ── Random lives ───────────────────────────────────────────────────────────────────────────────────────

/** A room's random life, with a log that fails now and then; everybody must know what the log knows. */
export async function live(seed: number): Promise<void> {
  await using setup = await Setup.create({ maxMembers: 8 });
  const random = seededRandom(seed);
  const inside = new Map<TestGuest, { seat: Seat; first: number }>();
  const pending: Promise<unknown>[] = [];
  for (let step = 0; step < 120; step++) {
    const action = random(20);
    const present = [...inside];
    const [guest, state] = present[random(present.length)] ?? [];
    if (action < 5) {
      const after = random(setup.history.head + 1);
      const asking = setup.ask(`guest${step}`, { after });
      pending.push(asking.then(([guest, seat]) => {
        if (isIn(seat)) inside.set(guest, { seat, first: after + 1 });
      }));
    } else if (guest && state && action < 16) {
      const n = state.seat.n + 1 + step * 10;
      pending.push(setup.say(state.seat, { n, text: `line ${step}` }));
    } else if (guest && state && action < 18) {
      inside.delete(guest);
      guest.dismiss("left");
      setup.room.leave(state.seat, "left");
    } else if (action < 19) setup.breakLog();
    if (random(2) === 0) await Promise.all(pending.splice(0));
    if (random(3) === 0) setup.mend();
    setup.clock.advance(random(500));
  }
  setup.mend();
  await Promise.all(pending);
  setup.clock.advance(1_000);
  setup.room.stop();
  await setup.running;
  for (const [guest, { first }] of inside) {
    await assertFollows(setup, guest, first);
  }
  const numbers = (await setup.logged()).map(({ seq }) => seq);
  assertEquals(numbers, numbers.map((_, at) => at + 1));
}
