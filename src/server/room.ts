/**
 * The room: everything happens in one order, and everybody is told of it in that. Knows nothing of sockets, files'
 * formats, terminals or other servers.
 *
 *     connections ── join, say, leave ──▶ inbox ──▶ the order ──▶ batch ──▶ chat.log ──▶ epoch, signature ──▶ everybody
 *                                          └────────────── one task, one batch at a time ──────────────────────┘
 *
 * @module
 */

import { AdvisedError } from "../base/advised_error.ts";
import { messageOf } from "../base/error_reason.ts";
import { REFUSALS } from "../protocol/reasons.ts";
import {
  type Admission,
  Batch,
  type Guest,
  type Item,
  type Joining,
  type Of,
  type Refused,
  type Request,
  type Seat,
} from "./batch.ts";
import type { Broadcaster, Shared } from "./broadcaster.ts";
import type { ChatLog } from "../log/chat_log.ts";
import { diagnostics } from "./diagnostics.ts";
import { encodeEvent, type Event } from "../protocol/events.ts";
import type { Posting } from "./letters.ts";
import type { Mailbox, Posted } from "./mailbox.ts";
import { type Measures, UNMEASURED } from "./measures.ts";
import type { Name } from "../protocol/names.ts";
import type { Happening } from "./people/happening.ts";
import type { People } from "./people/people.ts";
import type { Person } from "./people/person.ts";
import { welcome } from "./newcomers.ts";
import { type Order, type Ordered, OwnOrder } from "./order.ts";
import { RoomState } from "./room_state.ts";
import type { Wrap } from "./sealed/control_file.ts";
import type { SealedRoom } from "./sealed/sealed_room.ts";
import type { Line, LogEntry } from "../protocol/line.ts";
import { pause } from "../base/timing.ts";
import type { Bytes } from "../../crypto_utils.ts";
import type { RosterRecord } from "./cluster/roster_record.ts";
import { Notify } from "../base/notify.ts";

/** How long a batch waits when everybody is slow, and departures when the log can't be written, ms. */
const CONGESTION_PAUSE = 5;
const LOG_RETRY_PAUSE = 1_000;
/** Batches that members are told of in one write, where several have come together. */
const MAX_UNWRITTEN = 8;
/** How long the room waits for the order when the server stops, ms. */
const STOP_TIME = 1_500;

/** Limits and places of a room. */
export interface RoomOptions {
  /** Where everything is written before anybody is told of it. */
  readonly log: ChatLog;
  /** What tells everybody. */
  readonly broadcaster: Broadcaster;
  /** Who may come in, and whose name is whose. */
  readonly people: People;
  /** Where private messages are kept; left out where nobody writes any. */
  readonly mailbox?: Mailbox;
  /** Members at a time. */
  readonly maxMembers: number;
  /** How long after an admission the next ones are gathered, ms, by the number of members. Default: 0. */
  readonly admissionPause?: (members: number) => number;
  /** What decides in which order things happen. Default: this server alone. */
  readonly order?: Order;
  /** Whether anybody else is on the way in, so that gathering is worth while. Default: always. */
  readonly expecting?: () => boolean;
  /** What is known of a sealed room; left out for an open one. */
  readonly sealed?: SealedRoom | undefined;
  /** The room's own link, which has another secret at times, 32 bytes, by another server or this one. */
  readonly link?: { take(secret: Bytes): void; readonly isKept: boolean };
  /** What every newcomer is told, beside who is there and what was said. */
  readonly greeting?: () => readonly Event[];
  /** What is counted. */
  readonly measures?: Measures;
}

const logger = diagnostics("room");

/** The room. */
export class Room {
  readonly #log: ChatLog;
  readonly #broadcaster: Broadcaster;
  readonly #options: RoomOptions;
  readonly #measures: Measures;
  readonly #people: People;
  readonly #state: RoomState;
  #inbox: Item[] = [];
  readonly #coming = new Map<Guest, number>(); // who isn't answered yet, and the id of the next connection when it asked
  readonly #waiting = new Map<Seat, () => void>(); // who waits for a place for what it says
  #admittedAt = Number.NEGATIVE_INFINITY;
  #stopping = false;
  #healthy = true;
  readonly #woken = new Notify(); // when there may be something to do
  readonly #order: Order;
  readonly #tasks: (() => Promise<void>)[] = [];
  #again: Ordered | undefined; // is decided, and can't be logged yet
  #unwritten = 0; // batches that members were sent and not written yet
  #isLate = false; // the order has had its time since the server stops
  readonly #unlogged: Of<"leave" | "remove">[] = []; // who has gone, or shall, since the log can't be written
  #stopTimer: ReturnType<typeof setTimeout> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #pause: ReturnType<typeof setTimeout> | undefined;
  #wakesAt = Infinity; // when that is over, ms

  /** A room that nobody is in; `run` gives it its life. */
  constructor(options: RoomOptions) {
    this.#log = options.log;
    this.#broadcaster = options.broadcaster;
    this.#people = options.people;
    this.#order = options.order ?? new OwnOrder();
    this.#state = new RoomState({
      ...options,
      server: () => this.#order.server,
    });
    const state = this.#state;
    this.#order.attach({
      get nextId() {
        return state.nextId;
      },
      wake: () => this.#woken.notify(),
      submit: (item: Item) => this.#submit(item),
      seat: (id: number) => state.members.seat(id),
      members: state.members,
      tellWaiting: (is: boolean) =>
        this.#between(() => this.#tellUnnumbered({ kind: "waiting", is })),
      between: <T>(task: () => Promise<T> | T) => this.#between(task),
      restore: (roster: RosterRecord) => {
        for (const { guest } of state.restore(roster)) {
          guest.dismiss("adrift");
        }
      },
    });
    this.#options = options;
    this.#measures = options.measures ?? UNMEASURED;
  }

  /** How many are in. */
  get size(): number {
    return this.#state.members.size;
  }

  /** Whether the last write to the log came off. */
  get healthy(): boolean {
    return this.#healthy;
  }

  /** Why a guest can't be let in, as far as can be said now. */
  refusal(
    request: Pick<Request, "candidate" | "name" | "stay">,
  ): Refused | undefined {
    return this.#state.refusal(request);
  }

  /** Lets a guest in, if that can be; resolves when it is in and everybody is being told. */
  join(request: Request): Promise<Admission> {
    return new Promise((resolve) => {
      const { guest } = request;
      const answer = (admission: Admission) => {
        this.#coming.delete(guest);
        resolve(admission);
      };
      this.#coming.set(guest, this.#state.nextId);
      this.#submit({ kind: "join", request, answer });
    });
  }

  /** Says a member's lines to everybody. Resolves when there is place for more, not when they are said. */
  say(seat: Seat, lines: readonly Line[]): Promise<void> {
    // A server alone looks for that where they are taken; what others share is decided before.
    const timely = this.#order.isShared
      ? this.#state.timely(seat, lines)
      : lines;
    if (timely.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const taken = () => {
        // What another took back is taken again, and may be behind what waits now.
        if (this.#waiting.get(seat) === taken) this.#waiting.delete(seat);
        resolve();
      };
      this.#waiting.set(seat, taken);
      this.#submit({ kind: "say", seat, lines: timely, taken });
    });
  }

  /** Gives a member another name, or tells it why not. */
  rename(seat: Seat, name: Name): void {
    this.#submit({ kind: "rename", seat, name });
  }

  /** Gives up a member's names but the one that it goes by, and tells it which. @param id Its number for that. */
  release(seat: Seat, id: number): void {
    this.#submit({ kind: "release", seat, id });
  }

  /** Tells everybody that a member is away from the keyboard, or, with an empty text, back. */
  away(seat: Seat, text: string): void {
    this.#submit({ kind: "away", seat, text });
  }

  /** Says a control line of a sealed room; its connection is told what came of it. */
  rule(wish: Omit<Of<"rule">, "kind">): void {
    this.#submit({ kind: "rule", ...wish });
  }

  /** A member of a sealed room lacks the content key of an epoch. */
  need(seat: Seat, e: number): void {
    this.#submit({ kind: "need", seat, e });
  }

  /** Passes a content key of the present epoch on. */
  give(seat: Seat, wrap: Wrap): void {
    this.#submit({ kind: "give", seat, wrap });
  }

  /** Lets a connection go. @param reason A key of `GOODBYES`, or the member's own words. */
  leave(seat: Seat, reason: string): void {
    this.#waiting.get(seat)?.(); // what it has said is said all the same
    // Its client goes to another server, and has not left; for one that doesn't, this server is gone soon.
    if (reason === "stopped" && this.#order.hasOthers) return;
    this.#submit({ kind: "leave", seat, reason });
  }

  /** Ends all connections of a person at once. @param words What the others are told. */
  remove(person: Person, words: string): void {
    this.#submit({ kind: "remove", person, words });
  }

  /** Seals plaintexts, as `packEvents` made them, for some guests who are told the same. */
  share(plaintexts: readonly Bytes[]): Promise<Shared> {
    return this.#broadcaster.share(plaintexts);
  }

  /** Tells everybody what the room has set. */
  tellSettings(): void {
    this.#submit({ kind: "settings" });
  }

  /** What has happened to the people, or is to happen, for `chat.people` of all servers. */
  happen(happenings: readonly Happening[]): void {
    this.#submit({ kind: "people", happenings });
  }

  /** Tells everybody here where the room's servers are, `HOST:PORT,…`. */
  async tellServers(list: string): Promise<void> {
    await this.#between(() => this.#tellUnnumbered({ kind: "servers", list }));
  }

  /** The standing link has another secret, 32 bytes, for all servers. */
  link(secret: Bytes): void {
    this.#submit({ kind: "link", secret });
  }

  /** Tells everybody here something that has no number, between two batches. */
  async #tellUnnumbered(event: Event<"waiting" | "servers">): Promise<void> {
    await this.#renewEpoch(new Set());
    const at = this.#order.now();
    const heading = { kind: "batch", seq: this.#log.head + 1, at } as const;
    await this.#broadcaster.send(
      [encodeEvent(event)],
      () => encodeEvent(heading),
    );
  }

  /** Whether it can be known now what happens in the room: else nobody can come in here. */
  get isUp(): boolean {
    return this.#order.isUp;
  }

  /** Resolves when all has happened here that has happened in the room by now. */
  caughtUp(): Promise<void> {
    return this.#order.caughtUp();
  }

  /** Has a private message kept. @param posted Is told what becomes of it, once that is in order. */
  post(seat: Seat, posting: Posting, posted: (posted: Posted) => void): void {
    this.#submit({ kind: "post", seat, posting, posted });
  }

  /** A person has taken its private messages up to a number. @param person Its full id. */
  got(person: string, id: number): void {
    this.#submit({ kind: "got", person, id });
  }

  /** Runs until `stop`. One thing at a time: the order of its batches is the order of everything. */
  async run(): Promise<void> {
    const order = this.#order;
    for (;;) {
      for (let task; (task = this.#tasks.shift());) await task(); // those too that are asked for meanwhile
      this.#inbox.unshift(...order.rejected()); // before what was asked for later
      if (!order.isUp) this.#sendAway();
      if (order.isFree) this.#propose();
      const ordered = this.#isLate ? undefined : this.#again ?? order.next();
      const rejected = order.rejected(); // by what `next` has passed over
      this.#inbox.unshift(...rejected);
      if (ordered) {
        await this.#carryOut(ordered);
        continue;
      }
      this.#flush(); // nothing more came, but what is void
      if (rejected.length > 0) continue;
      if (this.#isDone) break;
      await this.#woken.wait();
    }
    clearTimeout(this.#retry);
    clearTimeout(this.#pause);
    clearTimeout(this.#stopTimer);
  }

  /** Nobody can be let in now, perhaps for long: other servers may be able to. */
  #sendAway(): void {
    for (const guest of this.#coming.keys()) guest.dismiss("adrift");
    const items = this.#inbox;
    this.#inbox = items.filter(({ kind }) => kind !== "join");
    for (const it of items) if (it.kind === "join") it.answer("behind");
  }

  /** Whether a client has gone, or has come in by another server since it asked here: it must not take its own place there. */
  #isStale({ request: { guest, candidate, stay } }: Of<"join">): boolean {
    if (!this.#order.isShared) return false;
    const person = this.#people.persons.find(candidate.id);
    const since = this.#coming.get(guest) ?? 0;
    return guest.ended !== undefined ||
      this.#state.members.seatsBy(person)
        .some((seat) => seat.stay === stay && seat.id >= since);
  }

  get #isDone(): boolean {
    if (!this.#stopping) return false;
    return this.#isLate || this.#inbox.length === 0 && this.#order.isFree;
  }

  /** Ends `run` when all that was submitted is done, or, where the order can't be had, after a moment. */
  stop(): void {
    this.#stopping = true;
    this.#woken.notify();
    if (!this.#order.isShared) return;
    this.#stopTimer = setTimeout(() => {
      this.#isLate = true;
      this.#woken.notify();
    }, STOP_TIME);
  }

  #submit(item: Item): void {
    this.#inbox.push(item);
    this.#woken.notify();
  }

  /** Proposes all that can be done now; where others decide, too, only what is possible as things are. */
  #propose(): void {
    const items = this.#gather();
    const possible = this.#order.isShared ? this.#try(items) : items;
    if (possible.length > 0) this.#order.propose(possible);
  }

  /** Those of the items that can be done; who asked for others is told. Changes nothing. */
  #try(items: readonly Item[]): Item[] {
    const { maxItemSize } = this.#order;
    return this.#trial((trial) =>
      items.filter((item) => {
        const isTooLarge = this.#order.sizeOf(item) > maxItemSize;
        if (isTooLarge) return refuseSize(item);
        return !isDecided(item) || this.#state.apply(item, trial);
      })
    );
  }

  /** Does something with a batch of which nothing comes. */
  #trial<T>(run: (trial: Batch) => T): T {
    const trial = new Batch(this.#order.now(), this.#log.head + 1, false);
    const result = run(trial);
    takeBack(trial);
    return result;
  }

  /** Does something between two batches, alone. */
  #between<T>(task: () => Promise<T> | T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#tasks.push(async () => {
      try {
        resolve(await task());
      } catch (error) {
        reject(error);
      }
    });
    this.#woken.notify();
    return promise;
  }

  /** All that can be done now. */
  #gather(): Item[] {
    const congested = this.#broadcaster.ring.congested;
    const wait = this.#admissionWait();
    const items = this.#inbox;
    this.#inbox = [];
    const gathered: Item[] = [];
    let size = 0;
    const { maxSize, mayDecide } = this.#order;
    const take = (item: Item, itemSize: number) => {
      gathered.push(item);
      size += itemSize;
      if (item.kind === "say") item.taken();
    };
    const coming = new Set<string>(); // persons, by full id
    const waiting = new Set<Seat | undefined>(); // something of theirs must wait, and so must all that they do after it; undefined: what no member does
    for (const item of items) {
      const itemSize = this.#order.sizeOf(item);
      const full = size > 0 && size + itemSize > maxSize;
      if (item.kind === "join") {
        if (this.#isStale(item)) {
          item.request.guest.dismiss("adrift"); // if it is there, it comes again
          item.answer("behind");
        } else if (wait > 0 || full || !mayDecide) this.#inbox.push(item);
        else {
          coming.add(item.request.candidate.id);
          take(item, itemSize);
        }
        continue;
      }
      // Others learn of connections that come beside their person's after all that has a number, as leaving has.
      const isComing = removedBy(item).some((id) => coming.has(id));
      const seat = "seat" in item ? item.seat : undefined;
      const mustWait = full || isComing || congested && item.kind === "say" ||
        !mayDecide && isDecided(item);
      if (mustWait) waiting.add(seat);
      if (waiting.has(seat)) {
        this.#inbox.push(item);
        continue;
      }
      const [first, rest] = itemSize > maxSize ? this.#split(item) : [item];
      take(first, itemSize); // of all of it, so that nothing comes before the rest
      if (rest) this.#inbox.push(rest);
    }
    if (coming.size > 0) this.#admittedAt = performance.now();
    if (this.#inbox.length > 0) {
      if (congested) this.#wakeAfter(CONGESTION_PAUSE);
      else if (wait > 0) this.#wakeAfter(wait);
    }
    return gathered;
  }

  /** As many of somebody's lines as fit into a proposal, and the others, if there are any; anything else is one piece. */
  #split(item: Item): [Item, Item?] {
    if (item.kind !== "say") return [item];
    let size = 0;
    const end = item.lines.findIndex((line, index) => {
      size += this.#order.sizeOf({ ...item, lines: [line] });
      return index > 0 && size > this.#order.maxSize;
    });
    if (end < 0) return [item];
    const [first, rest] = [item.lines.slice(0, end), item.lines.slice(end)];
    return [{ ...item, lines: first, taken: () => {} }, {
      ...item,
      lines: rest,
    }];
  }

  /** How long those who come right after another wait for more, ms: all of them are announced at once. */
  #admissionWait(): number {
    const { admissionPause, expecting } = this.#options;
    if (!admissionPause || expecting?.() === false) return 0;
    return this.#admittedAt + admissionPause(this.size) - performance.now();
  }

  /** Looks again after a pause, ms, or earlier, since nobody else may wake the room. */
  #wakeAfter(pause: number): void {
    const at = performance.now() + pause;
    if (at >= this.#wakesAt) return;
    this.#wakesAt = at;
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => {
      this.#wakesAt = Infinity;
      this.#woken.notify();
    }, pause);
  }

  async #carryOut(ordered: Ordered): Promise<void> {
    const { items, at, behind = this.#log.head } = ordered;
    const batch = new Batch(at, behind + 1, ordered.behind !== undefined);
    for (const item of items) this.#state.apply(item, batch);
    if (batch.isEmpty) {
      return this.#order.settle(ordered, batch, this.#isKept);
    }
    const here = batch.joined.filter(({ seat }) => seat.guest.isHere);
    this.#people.journal.begin();
    try {
      for (const it of here) it.missed = await this.#missed(it, behind);
      this.#options.sealed?.keep();
      await this.#write(batch);
    } catch (error) {
      if (error instanceof AdvisedError) throw error; // the log isn't the room's, and won't be
      const why = messageOf(error);
      logger.error("{why}. Nothing is delivered until that works", { why });
      this.#healthy = false;
      return await this.#takeBack(batch, ordered);
    }
    this.#again = undefined;
    this.#options.sealed?.settle();
    this.#ban(batch);
    this.#takeOver(batch);
    this.#people.journal.settle(); // nobody waits for it
    this.#order.settle(ordered, batch, this.#isKept);
    await this.#tell(batch, here);
  }

  /** Whether all that has happened is in the files beside the log. */
  get #isKept(): boolean {
    const { mailbox, link } = this.#options;
    return this.#people.journal.isKept && mailbox?.isKept !== false &&
      link?.isKept !== false;
  }

  /** What somebody missed who comes in, but for the batch with which it comes. */
  async #missed(
    { request: { after } }: Joining,
    upTo: number,
  ): Promise<readonly LogEntry[]> {
    if (after >= this.#log.oldest) {
      return this.#log.recent(after).filter(({ seq }) => seq <= upTo);
    }
    const missed: LogEntry[] = []; // much has happened since it was decided that it may come in
    for await (const entries of this.#log.past(after, upTo)) {
      missed.push(...entries);
    }
    return missed;
  }

  /** Writes to everybody here what they weren't written yet. */
  #flush(): void {
    if (this.#unwritten > 0) this.#broadcaster.ring.flush();
    this.#unwritten = 0;
  }

  /** Tells everybody here what has happened. @param here Who comes in by this server. */
  async #tell(batch: Batch, here: readonly Joining[]): Promise<void> {
    this.#state.sealed?.passOn(batch); // before they hear of the lines
    this.#tellAlone(batch);
    await this.#renewEpoch(new Set(here.map(({ seat }) => seat)));
    // What has no number comes last: in a batch, a line's place is its number.
    const { length: numbered } = batch.encoded;
    batch.encoded.push(...batch.absent.values());
    for (const { member, encoded } of batch.moves) {
      // Whoever has left is gone with all its connections.
      const isHere = !member ||
        this.#state.members.of(member.person) === member;
      if (isHere) batch.encoded.push(encoded);
    }
    const joining = here.length > 0;
    if (joining) batch.encoded.push(encodeEvent({ kind: "ratchet" }));
    await this.#broadcaster.send(
      batch.encoded,
      (before) =>
        encodeEvent({
          kind: "batch",
          seq: batch.first + Math.min(before, numbered),
          at: batch.at,
        }),
      false,
    );
    const isFull = ++this.#unwritten >= MAX_UNWRITTEN;
    if (isFull || !this.#order.hasNext) this.#flush();
    this.#answer(batch, (seat) => this.#state.members.has(seat));
    if (!joining) return;
    await this.#broadcaster.ratchet();
    this.#measures.epochs.add(1, "ratchet");
    await welcome(batch, here, {
      members: this.#state.members,
      broadcaster: this.#broadcaster,
      people: this.#people,
      greeting: this.#options.greeting?.() ?? [],
      sealed: this.#options.sealed,
      needs: this.#state.sealed?.needs ?? [],
    });
  }

  /** What is no line of the log. */
  #takeOver(batch: Batch): void {
    for (const item of batch.others) {
      switch (item.kind) {
        case "link":
          this.#options.link?.take(item.secret);
          break;
        case "post":
        case "got":
          this.#keepMail(item, batch);
      }
    }
  }

  /** Bans that control lines bring about. */
  #ban({ ruled, at }: Batch): void {
    const known = (id: string) => this.#people.persons.find(id) ?? [];
    for (const { control } of ruled) {
      if (control.verb !== "keys") continue;
      for (const it of control.barred.flatMap(known)) this.#people.bar(it, at);
      for (const it of control.freed.flatMap(known)) this.#people.free(it);
    }
  }

  async #write({ entries, said, first, isDecided }: Batch): Promise<void> {
    if (entries.length === 0) return;
    const { messages, deliveries, batchSize, logWrite } = this.#measures;
    const start = performance.now();
    if (isDecided) await this.#log.appendFrom(first, entries);
    else await this.#log.append(entries);
    this.#healthy = true;
    logWrite.observe((performance.now() - start) / 1_000);
    batchSize.observe(entries.length);
    const lines = said.reduce((sum, item) => sum + item.lines.length, 0);
    messages.add(lines);
    deliveries.add(lines * this.#broadcaster.ring.readers);
  }

  /** Tells those whom a batch concerns alone: who has given up names, and whose connections end. */
  #tellAlone(batch: Batch): void {
    for (const { seat, id, names } of batch.released) {
      const given = names.join(", ");
      const text = given === ""
        ? "You have no other name"
        : `Given up: ${given}`;
      seat.guest.tell({ kind: "notice", text }, { kind: "answered", id });
    }
    const { left, replaced, deserted, removed } = batch;
    const gone = [...left.map(({ seat }) => seat), ...replaced, ...deserted];
    // Who was connected elsewhere has never had the key.
    if (gone.some(({ guest }) => guest.isHere)) this.#broadcaster.expire();
    if (removed.some(({ guest }) => guest.isHere)) {
      this.#broadcaster.expire(true);
    }
    this.#answer(batch, (seat) => removed.includes(seat)); // who removes itself
    for (const { guest } of deserted) guest.dismiss("adrift");
    for (const { guest } of batch.replaced) guest.dismiss("replaced");
    for (const { guest } of batch.removed) guest.dismiss("removed");
  }

  /** Answers some of those who have said a control line. */
  #answer({ ruled }: Batch, isOne: (seat: Seat) => boolean): void {
    for (const { wish } of ruled) {
      if (!wish || !isOne(wish.seat)) continue;
      wish.seat.guest.tell({ kind: "answered", id: wish.id });
    }
  }

  /** Those who stay are told the new key before anything is sealed with it. */
  async #renewEpoch(joining: ReadonlySet<Seat>): Promise<void> {
    if (!this.#broadcaster.expired) return;
    await this.#broadcaster.renew();
    this.#measures.epochs.add(1, "fresh");
    const event = this.#broadcaster.describe();
    for (const { seats } of this.#state.members) {
      for (const seat of seats) if (!joining.has(seat)) seat.guest.tell(event);
    }
  }

  /**
   * Nothing of a batch that couldn't be logged has happened, but that those who left are gone. What is decided is tried
   * again until it can be, and nothing new is taken meanwhile.
   */
  async #takeBack(batch: Batch, ordered: Ordered): Promise<void> {
    this.#options.sealed?.drop();
    takeBack(batch);
    this.#people.journal.settle();
    if (!batch.isDecided) return this.#refuse(batch);
    this.#again = ordered;
    this.#flush();
    this.#refuseNew();
    await pause(LOG_RETRY_PAUSE);
    if (this.#stopping) this.#isLate = true;
  }

  /** Refuses what is asked for while the log can't be written. */
  #refuseNew(): void {
    const items = this.#inbox;
    this.#inbox = items.filter((item) => !isAsked(item));
    const trial = this.#trial((trial) => {
      for (const item of items) {
        if (isAsked(item)) this.#state.apply(item, trial);
        if (item.kind === "say") item.taken();
      }
      return trial;
    });
    this.#refuse(trial);
  }

  /** Tells those who asked that the log can't be written, and tries the leavings again. */
  #refuse(batch: Batch): void {
    this.#inbox.unshift(...batch.away); // which needs no log
    this.#takeOver(batch); // nor does this
    const failed: Refused = { reason: "log-failed", detail: "" };
    for (const { answer } of batch.joined) answer(failed);
    const refused = (n: number | null): Event => ({
      kind: "refused",
      n,
      ...failed,
    });
    for (const { seat, lines } of batch.said) {
      seat.guest.tell(...lines.map(({ n }) => refused(n)));
    }
    for (const { seat } of batch.renamed) seat.guest.tell(refused(null));
    for (const { wish } of batch.ruled) {
      wish?.seat.guest.tell(refused(null), { kind: "answered", id: wish.id });
    }
    for (const { seat, id } of batch.released) {
      const text = REFUSALS["log-failed"];
      seat.guest.tell({ kind: "notice", text }, { kind: "answered", id });
    }
    if (batch.left.length + batch.removing.length === 0) return;
    this.#broadcaster.expire(); // they read nothing that is said before their leaving can be logged
    this.#unlogged.push(...batch.left, ...batch.removing);
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      this.#inbox.unshift(...this.#unlogged.splice(0));
      this.#woken.notify();
    }, LOG_RETRY_PAUSE);
  }

  /** Private messages, and that they were taken: who is here is told, and so is who has sent one. */
  #keepMail(item: Of<"post" | "got">, { at, isDecided }: Batch): void {
    const { mailbox } = this.#options;
    if (!mailbox) return;
    mailbox.sweep(at);
    if (item.kind === "got") {
      return mailbox.got(item.person, item.id, isDecided);
    }
    const { posting, seat, posted } = item;
    const to = this.#people.persons.find(posting.to);
    const seats = this.#state.members.seatsBy(to);
    // What its sender is told; others are only told what concerns them.
    const isElsewhere = seats.some(({ server }) => server !== seat.server);
    const options = { isDecided, isElsewhere };
    posted(mailbox.post(posting, seat.guest, at, options));
  }
}

/** Has nothing of a batch have happened. */
function takeBack({ undo }: Batch): void {
  for (const it of undo.reverse()) it();
}

const NOBODY: readonly string[] = [];

/** Whether something may be refused when it is tried. */
function isDecided(item: Item): boolean {
  const { kind } = item;
  return kind === "join" || kind === "rename" || kind === "release" ||
    kind === "rule";
}

/** Tells a keeper that its control line, with a content key for each member, is too large for what servers share. */
function refuseSize(item: Item): false {
  logger.error(
    "A control line with its keys is larger than NATS's max_payload: raise that in nats-server's configuration",
  );
  if (item.kind !== "rule") return false;
  const text =
    "The room's servers can't share a change with so many keys: tell their owner to raise NATS's max_payload";
  item.seat.guest.tell({ kind: "notice", text }, {
    kind: "answered",
    id: item.id,
  });
  return false;
}

/** Whether somebody waits for what comes of it, and can be told that it can't be done. */
function isAsked(item: Item): boolean {
  return item.kind === "say" || isDecided(item) && item.kind !== "rule";
}

/** Full ids of those whom something removes that is asked for. */
function removedBy(item: Item): readonly string[] {
  if (item.kind === "remove") return [item.person.id];
  const control = item.kind === "rule" ? item.line.control : undefined;
  return control?.verb === "keys" ? control.removed : NOBODY;
}
