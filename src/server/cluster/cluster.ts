/**
 * The order of a room that several servers share: a stream that all of them follow.
 *
 *     propose ── sealed, under way ──▶ stream ── opened ──▶ queue ── next ──▶ what happens
 *                    ▲                                        └── void: forged, repeated, of a server that is gone,
 *                    └───────────── rejected ◀───────────────────      decided by what has changed since
 *
 * A server comes, is there, and is gone by entries, too:
 *
 *     coming ── its "server" happens ──▶ in ── "gone" happens: it was silent ──▶ coming
 *
 * Here is what follows the stream and gives it to the room. What is under way is in proposer.ts, what an entry is in
 * judging.ts, how far this server is in progress.ts.
 *
 * @module
 */

import { messageOf } from "../../base/error_reason.ts";
import { FileError } from "../../base/private_file.ts";
import { Notify } from "../../base/notify.ts";
import { pause } from "../../base/timing.ts";
import type { Batch, Item } from "../batch.ts";
import { diagnostics } from "../diagnostics.ts";
import type { ClusterMeasures } from "../measures.ts";
import type { Order, Ordered, OrderedRoom } from "../order.ts";
import type { People } from "../people/people.ts";
import type { Agreement } from "./agreement.ts";
import {
  type Beginning,
  EntryError,
  type EntrySealer,
  type OpenedEntry,
  openEntry,
} from "./entry.ts";
import { sizeOf } from "./item_size.ts";
import { longerLog } from "./catch_up.ts";
import { itemsOf, judge, type Uncounted } from "./judging.ts";
import type { ClusterKeys } from "./keys.ts";
import { Leases } from "./lease.ts";
import { Outage } from "./outage.ts";
import { digestOf, type PositionFile } from "./position.ts";
import { Progress } from "./progress.ts";
import { Proposer } from "./proposer.ts";
import type { ServerRecord } from "./roster_record.ts";
import type { Footing } from "./standing.ts";
import type { Siblings } from "./siblings.ts";
import { Turns } from "./turns.ts";
import {
  type StreamEntry,
  StreamError,
  StreamLostError,
  type Wire,
} from "./wire.ts";

/** Entries that wait to be carried out: then no more are read. */
const MAX_QUEUED = 64;
/** By how much an entry is larger than its only item at most, bytes. */
const SEALING = 16_384;
/** While more wait, nothing is proposed: much of it would be decided on what is no longer so. */
const MAX_BEHIND = 4;
/** The pause between two complaints of entries that don't count, ms. */
const SAYING_PAUSE = 10_000;
/** The pause before a stream is looked for again, ms. */
const RETRY_PAUSE = 250;

const logger = diagnostics("cluster");

/** What a cluster needs. */
export interface ClusterOptions {
  /** What leads to the other servers. */
  readonly wire: Wire;
  /** Keys that all servers of the room have. */
  readonly keys: ClusterKeys;
  /** What seals this server's entries; it has this server's id. */
  readonly sealer: EntrySealer;
  /** The other servers, spoken to outside the order. */
  readonly siblings: Siblings;
  /** Where members find this server, `HOST:PORT`. */
  readonly address: string;
  /** How far this server is. */
  readonly position: PositionFile;
  /** Who has been in the room. */
  readonly people: People;
  /** What is counted. */
  readonly measures: ClusterMeasures;
  /** The number of the log's last line. */
  readonly logHead: () => number;
  /** Compares this server's log with others'. */
  readonly agreement: Agreement;
  /**
   * Brings this server to where it can follow the stream: at the start, and whenever the stream is lost, or begins anew.
   * `position` says then how far it is. @throws {AdvisedError} where it can't go on at all.
   */
  readonly find: (begun: Begun | undefined) => Promise<Footing>;
  /** The servers of the room are others than before: their addresses, this one's first. @param gone The id of one that is gone. */
  readonly changed: (addresses: readonly string[], gone?: string) => void;
}

/** A beginning that came out of the stream. */
export interface Begun {
  /** The entry. */
  readonly entry: StreamEntry;
  /** What it says. */
  readonly beginning: Beginning;
}

/** What the stream has, opened. */
interface Received {
  readonly entry: StreamEntry;
  readonly digest: string;
  /** Undefined for one that doesn't count. */
  readonly opened: OpenedEntry | undefined;
}

/** The order of a room that several servers share. */
export class Cluster implements Order, AsyncDisposable {
  readonly isShared = true;
  readonly maxSize = 524_288; // bytes: members are told some more of it, and it must fit their ring
  readonly #options: ClusterOptions;
  readonly #leases: Leases;
  readonly #turns: Turns;
  readonly #proposer: Proposer;
  readonly #progress: Progress;
  readonly #outage: Outage;
  readonly #queue: Received[] = [];
  readonly #taken = new Notify(); // when one is taken from the queue
  readonly #carried = new Notify(); // when an entry is carried out, or void
  readonly #ending = new AbortController();
  readonly #stopped = Promise.withResolvers<never>();
  readonly #entered = Promise.withResolvers<void>();
  readonly #failed = Promise.withResolvers<never>();
  #attached: OrderedRoom | undefined; // the room
  #following: Promise<void> | undefined;
  #isIn = false;
  #hasBegun = false; // to follow a stream
  #isLost = false; // the stream is looked for
  #begun: Begun | undefined; // why, where it begins anew
  #latest = 0; // the last entry when it was found
  #leaving = new AbortController(); // the stream that is followed
  #current: Received | undefined; // what `next` gave last
  #skipped = 0;
  #saidAt = -Infinity; // performance.now(), when that was said last

  /** A cluster that `enter` gives its life. */
  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#failed.promise.catch(() => {}); // whoever waits for it is told
    this.#stopped.promise.catch(() => {});
    options.wire.changed = () => this.#wireChanged();
    const wake = () => this.#room.wake();
    this.#turns = new Turns(this.server, wake);
    this.#progress = new Progress(options.position, this.server, wake);
    this.#outage = new Outage((is) => this.#tellAway(is));
    this.#proposer = new Proposer({
      ...options,
      changed: () => this.#wireChanged(),
      failed: (error) => this.#failed.reject(error),
      signal: this.#ending.signal,
    });
    options.agreement.differs = (error) => this.#failed.reject(error);
    this.#leases = new Leases({
      siblings: options.siblings,
      others: () => this.#others.map(({ id }) => id),
      isIn: () => this.#isIn && this.#isReached,
      isCurrent: () => this.#queue.length === 0,
      silent: (server, reason) =>
        this.#room.submit({ kind: "gone", server, reason }),
    });
  }

  get server(): string {
    return this.#options.sealer.server;
  }

  get maxItemSize(): number {
    return this.#options.wire.maxSize - SEALING;
  }

  get isUp(): boolean {
    return this.#isReached && !this.#proposer.isStuck;
  }

  get #isReached(): boolean {
    return this.#options.wire.isUp && !this.#isLost;
  }

  get hasOthers(): boolean {
    return this.isUp && this.#others.length > 0;
  }

  get isFree(): boolean {
    return this.#isIn && this.isUp && this.#proposer.isFree &&
      this.#queue.length <= MAX_BEHIND;
  }

  get mayDecide(): boolean {
    return this.#turns.isOwn;
  }

  get hasNext(): boolean {
    return this.#queue.length > 0;
  }

  /** Live servers of the room, this one among them once it is in. */
  get servers(): number {
    return this.#progress.servers.size;
  }

  /** Entries that have come and aren't carried out yet. */
  get behind(): number {
    return this.#queue.length;
  }

  /** The place in the stream up to which all is carried out. */
  get place(): number {
    return this.#progress.place;
  }

  /** Rejects when this server can't go on in the room. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  get #others(): ServerRecord[] {
    const servers = [...this.#progress.servers.values()];
    return servers.filter(({ id }) => id !== this.server);
  }

  sizeOf(item: Item): number {
    return sizeOf(item);
  }

  attach(room: OrderedRoom): void {
    this.#attached = room;
  }

  /** @throws {TypeError} where there is none. */
  get #room(): OrderedRoom {
    if (this.#attached) return this.#attached;
    throw new TypeError("Cannot order anything: no room is attached");
  }

  /** Does something between two batches of the room. */
  between<T>(task: () => Promise<T> | T): Promise<T> {
    return this.#untilStopped(this.#room.between(task));
  }

  /** The same, unless this server stops before: a room that has ended does nothing more, and other servers may be silent. */
  #untilStopped<T>(something: Promise<T>): Promise<T> {
    return Promise.race([something, this.#stopped.promise]);
  }

  /** Begins to follow the stream. Resolves when this server is in the room, up to date. */
  async enter(): Promise<void> {
    this.#following = this.#follow();
    await Promise.race([this.#entered.promise, this.failed]);
  }

  /** Tells the others that this server stops. */
  leave(): void {
    this.#leases.stop();
  }

  /** Follows no more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#leases[Symbol.dispose]();
    this.#turns.stop();
    this.#outage[Symbol.dispose]();
    this.#progress[Symbol.dispose]();
    this.#ending.abort();
    this.#stopped.reject(this.#ending.signal.reason);
    this.#taken.notify();
    this.#carried.notify();
    await this.#following;
  }

  now(): number {
    return this.#proposer.now();
  }

  // ── Proposing ────────────────────────────────────────────────────────────────────────────────────────

  propose(items: readonly Item[]): void {
    this.#proposer.propose(items, this.#progress);
  }

  rejected(): readonly Item[] {
    return this.#proposer.rejected();
  }

  /** Asks to be one of the room's servers, once this one is up to date. */
  #come(): void {
    const { place, head } = this.#progress;
    if (!this.#hasBegun || this.#isLost || place < this.#latest) return;
    if (this.#isIn || !this.#proposer.isIdle) return;
    const { address, logHead, agreement } = this.#options;
    const last = logHead();
    if (last > head) return this.#failed.reject(longerLog(head, last));
    const end = agreement.end(() => this.#room.wake());
    if (!end) return;
    const item = { kind: "server", id: this.server, address } as const;
    this.#proposer.propose([item], this.#progress, end);
  }

  // ── Following ────────────────────────────────────────────────────────────────────────────────────────

  async #follow(): Promise<void> {
    const { signal } = this.#ending;
    try {
      while (!signal.aborted) {
        try {
          await this.#followOne();
        } catch (error) {
          // Where the disk is full, what this server lacks is taken over later; at a start, that is said at once.
          const mayPass = error instanceof StreamLostError ||
            error instanceof StreamError ||
            error instanceof FileError && this.#hasBegun;
          if (!mayPass || signal.aborted) throw error;
          logger.warn("{why}", { why: messageOf(error) });
          await this.#lose();
        }
      }
    } catch (error) {
      if (!signal.aborted) this.#failed.reject(error);
    }
  }

  /** The stream is lost: nothing is proposed until it is found. What has come out of it happens all the same. */
  async #lose(): Promise<void> {
    this.#isLost = true;
    this.#wireChanged();
    while (this.#queue.length > 0 && !this.#ending.signal.aborted) {
      await this.#carried.wait();
    }
    await pause(RETRY_PAUSE);
  }

  /**
   * Has the files say all that is carried out: what is found, and what others are given, begins with that.
   * @throws {FileError} if they can't be written.
   */
  #keep(): void {
    if (!this.#hasBegun) return;
    this.#options.people.journal.keep();
    this.#progress.keep(this.#room.nextId);
  }

  /** Follows one stream for as long as that goes on. */
  async #followOne(): Promise<void> {
    const { wire, find } = this.#options;
    const { signal } = this.#ending;
    await this.between(() => this.#keep()); // once what is being carried out has ended
    const begun = this.#begun;
    this.#begun = undefined;
    const { isFresh, made } = await this.#untilStopped(find(begun));
    const { last } = await wire.state();
    await this.between(() => {
      this.#latest = last; // before it may ask to be in
      this.#goOn(isFresh);
    });
    // What is under way is sealed anew: NATS may take what it had before for a repetition.
    this.#proposer.giveUp();
    this.#isLost = false;
    this.#wireChanged();
    this.#leaving = new AbortController();
    const either = AbortSignal.any([signal, this.#leaving.signal]);
    const next = this.#progress.place + 1;
    for await (const entry of wire.follow(next, made, either)) {
      const digest = await digestOf(entry.data);
      this.#queue.push({ entry, digest, opened: await this.#open(entry) });
      this.#room.wake();
      const isFull = () => this.#queue.length >= MAX_QUEUED;
      while (isFull() && !signal.aborted) await this.#taken.wait();
      if (this.#begun) throw new StreamLostError("The stream begins anew");
    }
  }

  /** Goes on from where `position` says. @param isFresh Whether who is in is what that says. */
  #goOn(isFresh: boolean): void {
    const { position: { position: at } } = this.#options;
    if (!at) throw new TypeError("Cannot follow the stream: it never began");
    if (this.#progress.hasPassed(at) && !isFresh) return;
    this.#progress.goOn(at);
    if (isFresh || !this.#hasBegun) {
      this.#room.restore(at.roster);
      this.#isIn = false;
    }
    this.#hasBegun = true;
  }

  async #open({ seq, data }: StreamEntry): Promise<OpenedEntry | undefined> {
    try {
      return await openEntry(this.#options.keys, data);
    } catch (error) {
      if (!(error instanceof EntryError)) throw error;
      this.#skip(seq, error.fault, error.why);
      return undefined;
    }
  }

  /** An entry doesn't count. It is said now and then: who has access to NATS can write as many as it likes. */
  #skip(place: number, reason: string, why: string): void {
    this.#options.measures.skipped.add(1, reason);
    this.#skipped++;
    const now = performance.now();
    if (now - this.#saidAt < SAYING_PAUSE) return;
    const properties = { place, why, skipped: this.#skipped };
    logger.warn(
      "Entry {place} of the stream is skipped: {why}. Since the start: {skipped}",
      properties,
    );
    this.#saidAt = now;
  }

  // ── Carrying out ─────────────────────────────────────────────────────────────────────────────────────

  next(): Ordered | undefined {
    if (this.#begun) { // what comes after it is followed anew
      this.#queue.length = 0;
      this.#carried.notify();
    }
    for (let received; (received = this.#queue.shift());) {
      this.#taken.notify();
      const items = this.#judge(received);
      if (this.#begun) break; // what it is to this server shows when it is met
      this.#progress.passed(received.entry.seq, received.digest);
      if (items) {
        this.#current = received;
        const { time, head } = this.#progress;
        return { items, at: Math.max(received.entry.at, time), behind: head };
      }
      this.#carried.notify();
    }
    this.#progress.writeSkipped(this.#room.nextId);
    this.#come();
    return undefined;
  }

  /** What of an entry happens; undefined for one that is void. */
  #judge({ entry, opened }: Received): readonly Item[] | undefined {
    if (!opened) return undefined;
    const { seq, at } = entry;
    const { server, k, content } = opened;
    if (content.kind === "beginning") return this.#beginAnew(entry, content);
    const isOwn = server === this.server;
    const own = isOwn ? this.#proposer.arrived(k, at) : undefined;
    const verdict = judge({ server, k, content }, this.#progress);
    if (verdict.kind !== "counts") {
      if (own) this.#proposer.reject(own);
      this.#pass(seq, server, verdict);
      return undefined;
    }
    if (content.base !== null) this.#turns.done(server);
    if (verdict.isBase) this.#progress.rebase(seq);
    const known = this.#progress.servers.get(server);
    if (known) this.#progress.note({ ...known, k });
    if (!own) {
      const { people: { persons } } = this.#options;
      return itemsOf(seq, content, {
        server,
        seat: (id) => this.#room.seat(id),
        person: (id) => persons.find(id),
      });
    }
    const { proposing } = this.#options.measures;
    proposing.observe((performance.now() - own.at) / 1_000);
    return own.items;
  }

  /** An entry doesn't count. Who was slower than another waits for its turn. */
  #pass(seq: number, server: string, verdict: Uncounted): void {
    if (verdict.kind === "repeated") {
      return this.#skip(seq, "repeated", verdict.why);
    }
    this.#options.measures.skipped.add(1, "void");
    if (verdict.waits === "comer") this.#turns.comes(server);
    if (verdict.waits === "decider") this.#turns.lost(server);
  }

  /** Another server says after what the stream goes on. */
  #beginAnew(entry: StreamEntry, beginning: Beginning): undefined {
    const { seq } = entry;
    if (beginning.place !== seq) {
      this.#skip(seq, "void", "it begins the stream elsewhere");
      return undefined;
    }
    if (this.#options.position.hasMet(beginning.stream)) {
      this.#skip(seq, "repeated", "it is of an earlier stream");
      return undefined;
    }
    this.#begun = { entry, beginning };
    this.#leaving.abort(); // nothing else may come out of it
    this.#isLost = true; // as far as this server followed it
    this.#queue.length = 0;
    this.#wireChanged();
    return undefined;
  }

  settle(_ordered: Ordered, batch: Batch, isKept: boolean): void {
    const { opened } = this.#current ?? {};
    if (!opened) throw new TypeError("Cannot settle what isn't under way");
    for (const item of batch.servers) this.#note(item, opened);
    this.#progress.carriedOut(batch, this.#room, isKept);
    this.#options.measures.entries.add(1);
    this.#carried.notify();
  }

  /** A server has come or gone. */
  #note(item: Batch["servers"][number], { k, content }: OpenedEntry): void {
    if (item.kind === "gone") this.#drop(item.server);
    else {
      const { id, address } = item;
      this.#progress.note({ id, address, k });
      const { agreement } = this.#options;
      if (id === this.server) {
        this.#isIn = true;
        logger.info("In the room: {all}", { all: this.#addresses });
        void agreement.settled(this.#others.length > 0)
          .then(() => this.#entered.resolve());
      } else if (this.#isIn && content.kind === "proposal") {
        logger.info("The server at {address} is in the room", { address });
        void agreement.judge(item, content); // which never rejects
      }
    }
    const own = this.#progress.servers.get(this.server) ?? [];
    const all = [own, this.#others].flat().map(({ address }) => address);
    this.#options.changed(all, item.kind === "gone" ? item.server : undefined);
  }

  /** Where the room's servers are, for people. */
  get #addresses(): string {
    const all = new Set(this.#others.map(({ address }) => address));
    all.delete(this.#options.address); // an earlier run
    return [...all, `${this.#options.address} (this server)`].join(", ");
  }

  #drop(server: string): void {
    const known = this.#progress.drop(server);
    if (!known) return;
    const { address } = known;
    this.#turns.done(server);
    if (server !== this.server) {
      if (!this.#isIn) return; // that is long ago
      const isEarlier = address === this.#options.address;
      if (isEarlier) logger.info("The earlier run of this server has ended");
      else {
        logger.warn("The server at {address} is in the room no more", {
          address,
        });
      }
      return;
    }
    logger.warn(
      "The others heard nothing of this server: its members were sent away, to come back by any server",
    );
    this.#proposer.giveUp();
    this.#isIn = false;
  }

  async caughtUp(): Promise<void> {
    try {
      const { last } = await this.#options.wire.state();
      while (this.place < last && this.isUp) await this.#carried.wait();
    } catch (error) {
      if (!(error instanceof StreamError)) throw error; // what follows finds out
    }
  }

  // ── Away ─────────────────────────────────────────────────────────────────────────────────────────────

  #wireChanged(): void {
    this.#attached?.wake();
    this.#outage.set(this.isUp);
    this.#carried.notify(); // nobody waits for what can't come
  }

  #tellAway(is: boolean): void {
    const why = this.#proposer.isStuck
      ? "NATS takes no entries, as when most of its servers are down"
      : "NATS can't be reached";
    if (is) logger.warn("{why}: what members say waits", { why });
    else logger.warn("NATS can be used again: what members said goes out");
    this.#room.tellWaiting(is).catch((error) => this.#failed.reject(error));
  }
}
