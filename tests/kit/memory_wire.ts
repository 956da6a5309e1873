/**
 * A stream and messages in memory, as servers of one room have them from NATS, for tests. What goes wrong there can go
 * wrong here when a test wants it.
 *
 *     const nats = new MemoryNats();
 *     const a = nats.wire(), b = nats.wire();
 *     b.cut();               // b neither reads nor writes, as in a partition
 *     b.join();              // and again
 *     nats.now = () => 5;    // the stream's clock
 *     nats.discard(7);       // the stream no longer has what is below place 7
 *     nats.makeAnew();       // the stream is lost, and begins anew, empty
 *
 * @module
 */

import "./crypto_idle.ts";
import type { Bytes } from "../../crypto_utils.ts";
import {
  type StreamEntry,
  StreamError,
  StreamLostError,
  type StreamState,
  type Wire,
} from "../../src/server/cluster/wire.ts";

/** What a publisher is told of an entry. */
export type Fate =
  /** It is taken, and its publisher told. */
  | "taken"
  /** It is taken, and its publisher isn't told. */
  | "unanswered"
  /** It is lost on the way, and its publisher isn't told. */
  | "lost";

type Heard = (data: Bytes) => void;

/** What all wires lead to. */
export class MemoryNats {
  #made = 1;
  #first = 1;
  #entries: StreamEntry[] = []; // from `#first` on
  readonly #places = new Map<string, number>(); // by the publisher's id
  readonly #wires = new Set<MemoryWire>();
  /** The stream's clock, ms since 1970. */
  now: () => number = Date.now;
  /** What becomes of an entry that is published. Tests replace it. */
  fate: (id: string, data: Bytes) => Fate = () => "taken";
  /** What becomes of a message: an empty list for one that gets lost, several for one that comes again. */
  pass: (subject: string, data: Bytes) => readonly Bytes[] = (_, data) => [
    data,
  ];
  /** All messages that were sent, with their subjects. */
  readonly sent: { readonly subject: string; readonly data: Bytes }[] = [];

  /** Another server's way to it. */
  wire(): MemoryWire {
    const wire = new MemoryWire(this);
    this.#wires.add(wire);
    return wire;
  }

  /** What the stream holds. */
  get state(): StreamState {
    const last = this.#first + this.#entries.length - 1;
    return { made: String(this.#made), first: this.#first, last };
  }

  /** Its entries, the oldest first. */
  get entries(): readonly StreamEntry[] {
    return this.#entries;
  }

  /** The entry of that place, if it is there. */
  entry(seq: number): StreamEntry | undefined {
    return this.#entries[seq - this.#first];
  }

  /** Adds an entry, as anybody may who reaches NATS. @returns Its place. */
  add(data: Bytes, id?: string): number {
    const known = id === undefined ? undefined : this.#places.get(id);
    if (known !== undefined) return known;
    const seq = this.#first + this.#entries.length;
    this.#entries.push({ seq, at: this.now(), data: data.slice() });
    if (id !== undefined) this.#places.set(id, seq);
    for (const wire of this.#wires) wire.wake();
    return seq;
  }

  /** The stream no longer has what is below a place. */
  discard(below: number): void {
    const count = Math.min(below - this.#first, this.#entries.length);
    this.#entries.splice(0, Math.max(0, count));
    this.#first += Math.max(0, count);
    for (const wire of this.#wires) wire.wake();
  }

  /** The stream forgets what it knows of ids, as NATS does after two minutes. */
  forgetIds(): void {
    this.#places.clear();
  }

  /** The stream is lost, and is made anew. @param entries What it holds then, as after a backup was put back. */
  makeAnew(entries: readonly StreamEntry[] = []): void {
    this.#made++;
    this.#first = entries[0]?.seq ?? 1;
    this.#entries = [...entries];
    this.#places.clear();
    for (const wire of this.#wires) wire.wake();
  }

  /** Sends a message to all who listen, but those who are cut off. */
  send(subject: string, data: Bytes): void {
    this.sent.push({ subject, data: data.slice() });
    for (const each of this.pass(subject, data)) {
      for (const wire of this.#wires) wire.receive(subject, each);
    }
  }

  /** A wire is closed. */
  remove(wire: MemoryWire): void {
    this.#wires.delete(wire);
  }
}

/** One server's wire. */
export class MemoryWire implements Wire {
  readonly #nats: MemoryNats;
  readonly #listeners = new Map<string, Set<Heard>>();
  readonly #closed = new AbortController();
  #woken = Promise.withResolvers<void>();
  #isUp = true;
  readonly maxSize = 1_048_576;
  changed: (isUp: boolean) => void = () => {};

  /** Use `MemoryNats.wire`. */
  constructor(nats: MemoryNats) {
    this.#nats = nats;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** This server alone no longer reaches NATS. */
  cut(): void {
    this.#set(false);
  }

  /** It does again. */
  join(): void {
    this.#set(true);
  }

  #set(isUp: boolean): void {
    if (this.#isUp === isUp) return;
    this.#isUp = isUp;
    this.wake();
    this.changed(isUp);
  }

  /** There may be something new. */
  wake(): void {
    this.#woken.resolve();
    this.#woken = Promise.withResolvers();
  }

  #require(): void {
    if (!this.#isUp || this.#closed.signal.aborted) {
      throw new StreamError("Cannot reach the stream: it is cut off");
    }
  }

  async state(): Promise<StreamState> {
    await Promise.resolve();
    this.#require();
    return this.#nats.state;
  }

  async publish(id: string, data: Bytes): Promise<number> {
    await Promise.resolve();
    this.#require();
    const fate = this.#nats.fate(id, data);
    const seq = fate === "lost" ? 0 : this.#nats.add(data, id);
    if (fate === "taken") return seq;
    throw new StreamError("Cannot publish an entry: no answer came in time");
  }

  async entry(seq: number): Promise<StreamEntry | undefined> {
    await Promise.resolve();
    this.#require();
    return this.#nats.entry(seq);
  }

  async *follow(
    from: number,
    made: string,
    signal: AbortSignal,
  ): AsyncGenerator<StreamEntry> {
    const stop = AbortSignal.any([signal, this.#closed.signal]);
    const stopped = Promise.withResolvers<void>();
    stop.addEventListener("abort", () => stopped.resolve());
    for (let seq = from; !stop.aborted;) {
      const woken = this.#woken.promise;
      const entry = this.#isUp ? this.#nextOf(made, seq) : undefined;
      if (!entry) {
        await Promise.race([woken, stopped.promise]);
        continue;
      }
      seq++;
      yield entry;
    }
  }

  #nextOf(made: string, seq: number): StreamEntry | undefined {
    const state = this.#nats.state;
    const isGap = state.made !== made || seq < state.first ||
      seq > state.last + 1;
    if (!isGap) return this.#nats.entry(seq);
    throw new StreamLostError(
      `Cannot follow the stream from place ${seq}: it isn't there`,
    );
  }

  send(subject: string, data: Bytes): void {
    if (this.#isUp) this.#nats.send(subject, data);
  }

  /** A message comes, unless this server is cut off. */
  receive(subject: string, data: Bytes): void {
    if (!this.#isUp) return;
    const listeners = [...this.#listeners.get(subject) ?? []];
    for (const heard of listeners) {
      queueMicrotask(() => heard(data.slice()));
    }
  }

  listen(subject: string, heard: Heard, signal: AbortSignal): void {
    const listeners = this.#listeners.get(subject) ?? new Set<Heard>();
    this.#listeners.set(subject, listeners.add(heard));
    signal.addEventListener("abort", () => listeners.delete(heard));
  }

  close(): Promise<void> {
    this.#closed.abort();
    this.#listeners.clear();
    this.#nats.remove(this);
    return Promise.resolve();
  }
}
