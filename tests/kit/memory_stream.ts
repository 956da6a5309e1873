/**
 * What tests use in place of the network and of time: a connection in memory that a test can slow down, cut and
 * alter, and a clock that stands still until a test moves it.
 *
 * @module
 */

import "./crypto_idle.ts";
import type { Bytes } from "../../crypto_utils.ts";
import type { HalfClosable } from "../../src/server/linger.ts";
import { replaced } from "./replaced.ts";
import { isBusy } from "./simulation/under_way.ts";

/** One direction of a connection. Errors are the ones that Deno's sockets give. */
export class Flow {
  /** All that was written, one element for each write. */
  readonly written: Bytes[] = [];
  /** The most bytes that one read gets. */
  pieceSize = Number.POSITIVE_INFINITY;
  /** What becomes of a write on its way; `at` is its index in `written`. */
  alter: ((bytes: Bytes, at: number) => readonly Uint8Array[]) | undefined;
  #capacity = Number.POSITIVE_INFINITY;
  #held = false;
  #waiting: Bytes = new Uint8Array(0);
  #writerGone = false;
  #readerGone = false;
  #writing = false;
  #failure: Error | undefined;
  #changed = Promise.withResolvers<void>();

  /** How many bytes it takes before somebody has to read; 0 refuses all. */
  set capacity(bytes: number) {
    this.#capacity = bytes;
    this.#wake();
  }

  /** Whether what was written stays on its way. */
  set held(held: boolean) {
    this.#held = held;
    this.#wake();
  }

  /** Makes every read and write fail from now on, those under way too. */
  fail(error: Error): void {
    this.#failure = error;
    this.#wake();
  }

  /** As `Stream.read`. */
  async read(into: Uint8Array): Promise<number | null> {
    if (this.#readerGone) throw new Deno.errors.BadResource();
    for (;;) {
      if (this.#failure) throw this.#failure;
      if (!this.#held) {
        if (this.#waiting.length > 0) return this.#deliver(into);
        if (this.#writerGone) return null;
      }
      await this.#changed.promise;
      if (this.#readerGone) throw new Deno.errors.Interrupted();
    }
  }

  #deliver(into: Uint8Array): number {
    const size = Math.min(into.length, this.pieceSize, this.#waiting.length);
    into.set(this.#waiting.subarray(0, size));
    this.#waiting = this.#waiting.subarray(size);
    this.#wake();
    return size;
  }

  /** As `Stream.write`. */
  async write(bytes: Uint8Array): Promise<number> {
    if (this.#writerGone) throw new Deno.errors.BadResource();
    if (this.#writing) throw new TypeError("Two writes at once");
    this.#writing = true;
    try {
      while (this.#free() <= 0) {
        await this.#changed.promise;
        if (this.#writerGone) throw new Deno.errors.Interrupted();
      }
    } finally {
      this.#writing = false;
    }
    return this.#take(bytes.slice(0, this.#free()));
  }

  #free(): number {
    if (this.#failure) throw this.#failure;
    if (this.#readerGone) throw new Deno.errors.BrokenPipe();
    return this.#capacity - this.#waiting.length;
  }

  #take(bytes: Bytes): number {
    const at = this.written.push(bytes) - 1;
    for (const piece of this.alter?.(bytes, at) ?? [bytes]) this.inject(piece);
    return bytes.length;
  }

  /** Puts bytes on the way that nobody wrote. */
  inject(bytes: Uint8Array): void {
    const waiting = new Uint8Array(this.#waiting.length + bytes.length);
    waiting.set(this.#waiting);
    waiting.set(bytes, this.#waiting.length);
    this.#waiting = waiting;
    this.#wake();
  }

  /** The writer closes: what is on its way still arrives. */
  end(): void {
    this.#writerGone = true;
    this.#wake();
  }

  /** The reader closes. */
  stop(): void {
    this.#readerGone = true;
    this.#wake();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}

/** One end of a connection. As with Deno's, only the first `close` goes well. */
export class MemoryStream implements HalfClosable {
  #closed = false;
  readonly #closing = Promise.withResolvers<void>();
  readonly #usedLate = Promise.withResolvers<void>();

  /** Use `streamPair`. */
  constructor(readonly incoming: Flow, readonly outgoing: Flow) {}

  /** Whether this end was closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves when this end is closed. */
  get whenClosed(): Promise<void> {
    return this.#closing.promise;
  }

  /** Resolves when somebody who doesn't know that this end is closed reads from it or writes to it. */
  get whenUsedLate(): Promise<void> {
    return this.#usedLate.promise;
  }

  /** @inheritDoc */
  read(into: Uint8Array): Promise<number | null> {
    if (this.#closed) this.#usedLate.resolve();
    return this.incoming.read(into);
  }

  /** @inheritDoc */
  write(bytes: Uint8Array): Promise<number> {
    if (this.#closed) this.#usedLate.resolve();
    return this.outgoing.write(bytes);
  }

  /** @inheritDoc */
  closeWrite(): Promise<void> {
    this.outgoing.end();
    return Promise.resolve();
  }

  /** @inheritDoc */
  close(): void {
    if (this.#closed) throw new Deno.errors.BadResource("Bad resource ID");
    this.#closed = true;
    this.incoming.stop();
    this.outgoing.end();
    this.#closing.resolve();
  }
}

/** The two ends of a connection. */
export function streamPair(): [client: MemoryStream, server: MemoryStream] {
  const up = new Flow();
  const down = new Flow();
  return [new MemoryStream(down, up), new MemoryStream(up, down)];
}

/** Turns of the event loop in which something may come to wait: more, and it never does. */
const MAX_TURNS = 10_000;

interface Timer {
  at: number;
  readonly run: () => void;
  readonly period: number | undefined;
}

/** A clock that a test moves: timers and `performance.now` follow it until it is disposed of. */
export class ManualClock implements Disposable {
  #now = 0;
  #lastId = 0;
  readonly #timers = new Map<number, Timer>();
  readonly #replaced = new DisposableStack();
  /** Lets everything be done that takes no time: one turn of the event loop. */
  readonly turn: () => Promise<void>;

  /** Takes over from the real one. */
  constructor() {
    const { setTimeout } = globalThis;
    this.turn = () => new Promise((resolve) => setTimeout(resolve));
    const start = (run: () => void, delay = 0, period?: number) => {
      const id = ++this.#lastId;
      this.#timers.set(id, { at: this.#now + delay, run, period });
      return id;
    };
    const stop = (id?: number) => this.#timers.delete(id ?? 0);
    const replace = (object: object, name: string, value: unknown) =>
      this.#replaced.use(replaced(object, name, value));
    replace(globalThis, "setTimeout", timeoutOf(start));
    replace(globalThis, "setInterval", intervalOf(start));
    replace(globalThis, "clearTimeout", stop);
    replace(globalThis, "clearInterval", stop);
    replace(performance, "now", () => this.#now);
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#timers.size;
  }

  /**
   * Lets everything be done that takes no time, until exactly that many timers wait.
   * @param most Turns in which no file and no key is waited for, and in which it must come to that. @throws {Error} if it
   * doesn't.
   */
  async waiting(count: number, most = MAX_TURNS): Promise<void> {
    for (let turn = 0; this.pending !== count;) {
      if (turn === most) throw new Error(`${this.pending} timers wait`);
      await this.turn();
      if (!isBusy()) turn++;
    }
  }

  /** Moves the time on by so many ms, and runs what falls due on the way, in order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let due; (due = this.#due(end));) {
      const [id, timer] = due;
      this.#now = timer.at;
      if (timer.period === undefined) this.#timers.delete(id);
      else timer.at += timer.period;
      timer.run();
    }
    this.#now = end;
  }

  /** Gives the time back. */
  [Symbol.dispose](): void {
    this.#replaced.dispose();
  }

  #due(end: number): [number, Timer] | undefined {
    return [...this.#timers]
      .filter(([_, { at }]) => at <= end)
      .sort(([_, a], [__, b]) => a.at - b.at)[0];
  }
}

type Start = (run: () => void, delay?: number, period?: number) => number;
type Callback = (...args: unknown[]) => void;

function timeoutOf(start: Start) {
  return (run: Callback, delay?: number, ...args: unknown[]) =>
    start(() => run(...args), delay);
}

function intervalOf(start: Start) {
  return (run: Callback, period = 0, ...args: unknown[]) =>
    start(() => run(...args), period, period);
}

/** Numbers from 0 to below `limit`, the same for the same seed (mulberry32). */
export function seededRandom(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}
