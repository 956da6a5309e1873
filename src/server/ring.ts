/**
 * One shared run of sealed bytes and a cursor into it for each reader. Knows nothing of what the bytes mean.
 *
 *                 slowest cursor            other cursors         head
 *     ────────────────┼──────────────────────┼────────┼─────────────┤
 *      free for reuse │◀───────────── held, at most `capacity` ────▶│ next append
 *
 * Offsets count from the room's start and never wrap; a byte stands at its offset modulo the capacity. A
 * cursor moves only when a write has returned, so bytes that the kernel may still read are always held.
 *
 * @module
 */

import type { Bytes } from "../../crypto_utils.ts";
import { Notify } from "../base/notify.ts";

/** What an outlet writes to. */
export interface Writer {
  /** Writes at least one byte, and says how many. */
  write(bytes: Uint8Array): Promise<number>;
}

/** The run of bytes. */
export class BroadcastLog {
  readonly #ring: Bytes;
  readonly #outlets = new Set<Outlet>();
  #head = 0;
  #floor = 0; // at or before the slowest cursor; looked up again only when it matters

  /** An empty log. @param capacity Bytes to keep for readers that are behind. */
  constructor(capacity: number) {
    this.#ring = new Uint8Array(capacity);
  }

  /** The offset of the next byte. */
  get head(): number {
    return this.#head;
  }

  /**
   * Appends bytes.
   * @throws {RangeError} where a cursor stands in the way: see `makeRoom`.
   */
  append(bytes: Uint8Array): void {
    if (!this.#fits(bytes.length)) {
      throw new RangeError(
        `Cannot append ${bytes.length} bytes: the ring is full`,
      );
    }
    const at = this.#head % this.#ring.length;
    const first = Math.min(bytes.length, this.#ring.length - at);
    this.#ring.set(bytes.subarray(0, first), at);
    this.#ring.set(bytes.subarray(first), 0);
    this.#head += bytes.length;
  }

  /**
   * Makes place for `size` bytes, at most the capacity: readers that are too far behind for that are
   * dropped, and their last writes awaited, since the kernel may still read the bytes under them.
   */
  async makeRoom(size: number): Promise<void> {
    if (this.#fits(size)) return;
    const oldest = this.#head + size - this.#ring.length;
    const laggards = [...this.#outlets].filter((it) => it.cursor < oldest);
    for (const outlet of laggards) outlet.drop();
    await Promise.all(laggards.map((outlet) => outlet.settled()));
  }

  /** Whether most readers are more than half the ring behind: then whoever writes should wait. */
  get congested(): boolean {
    const behind = this.#head - this.#ring.length / 2;
    if (this.#floor >= behind) return false;
    this.#findFloor();
    if (this.#floor >= behind) return false;
    let slow = 0;
    for (const { cursor } of this.#outlets) if (cursor < behind) slow++;
    return slow * 2 > this.#outlets.size;
  }

  /** Bytes between the slowest reader and the head. */
  get lag(): number {
    this.#findFloor();
    return this.#head - this.#floor;
  }

  /** Starts a write for every reader that has something to write and isn't writing. */
  flush(): void {
    for (const outlet of this.#outlets) outlet.flush();
  }

  /** The held bytes from an offset on, up to a limit or to the ring's end; a view, not a copy. */
  view(from: number, to: number): Bytes {
    const at = from % this.#ring.length;
    return this.#ring.subarray(at, Math.min(at + to - from, this.#ring.length));
  }

  /** Counts a reader in. */
  attach(outlet: Outlet): void {
    this.#outlets.add(outlet);
  }

  /** Counts a reader out: its bytes are free for reuse. */
  detach(outlet: Outlet): void {
    this.#outlets.delete(outlet);
  }

  #fits(size: number): boolean {
    if (this.#head + size - this.#floor <= this.#ring.length) return true;
    this.#findFloor();
    return this.#head + size - this.#floor <= this.#ring.length;
  }

  #findFloor(): void {
    let floor = this.#head;
    for (const { cursor } of this.#outlets) floor = Math.min(floor, cursor);
    this.#floor = floor;
  }
}

/** A record for one reader alone: it goes out when the cursor stands exactly at `offset`. */
interface DirectRecord {
  readonly offset: number;
  bytes: Bytes | undefined; // undefined while it is being sealed
}

/** What an outlet needs from the connection that owns it. */
export interface OutletOptions {
  /** Bytes of direct records that may wait. */
  readonly limit: number;
  /** Called when the reader is too slow; closes the connection. May be called more than once. */
  readonly tooSlow: () => void;
}

/**
 * The one writer of a connection. It writes direct records as they are made, and, from `attach` on, the
 * broadcast log as well, each direct record at the place in the stream at which it was made.
 *
 *     direct records only ── attach ──▶ following ── finish ──▶ follows to where the head was then
 *              └──────────────────────────┴── abandon, or a failed write ──▶ writes nothing more
 */
export class Outlet {
  readonly #log: BroadcastLog;
  readonly #writer: Writer;
  readonly #options: OutletOptions;
  readonly #directs: DirectRecord[] = [];
  #directBytes = 0;
  #cursor = 0;
  #end = 0; // the broadcast log is written from the cursor to here, and no further
  #current: DirectRecord | undefined; // what the write under way is from; undefined for the log
  #writing = false;
  #moved = 0;
  #finished = false;
  #gone = false;
  readonly #rested = new Notify(); // when a write has ended and none follows

  /** Writes to a connection, which must have no other writer. */
  constructor(log: BroadcastLog, writer: Writer, options: OutletOptions) {
    this.#log = log;
    this.#writer = writer;
    this.#options = options;
  }

  /** The offset up to which everything has been written. */
  get cursor(): number {
    return this.#cursor;
  }

  /** Whether a write is under way. */
  get writing(): boolean {
    return this.#writing;
  }

  /** Bytes written so far: a write under which this stands still is a stalled one. */
  get moved(): number {
    return this.#moved;
  }

  /** Follows the broadcast log from its head on. */
  attach(): void {
    if (this.#gone || this.#finished) return;
    this.#cursor = this.#log.head;
    this.#end = Number.POSITIVE_INFINITY;
    this.#log.attach(this);
  }

  /** Follows the broadcast log to where its head is now, and no further. */
  finish(): void {
    this.#finished = true;
    this.#end = Math.min(this.#end, this.#log.head);
    if (!this.#writing && this.#cursor >= this.#end) this.#log.detach(this);
  }

  /** Writes nothing more. Bytes under a write stay held until it has ended. */
  abandon(): void {
    this.#gone = true;
    this.#directs.length = 0;
    if (this.#writing) return;
    this.#log.detach(this);
    this.#rested.notify();
  }

  /** Says that this reader is too slow: its connection is closed. */
  drop(): void {
    this.#options.tooSlow();
    this.abandon();
  }

  /**
   * Queues a direct record behind everything that has been broadcast until now. A reader that has too many
   * of them waiting is dropped.
   * @param size Its size, bytes. @param sealing The record, sealed or about to be.
   */
  direct(size: number, sealing: Promise<Bytes>): void {
    const record: DirectRecord = { offset: this.#log.head, bytes: undefined };
    sealing.then((bytes) => {
      record.bytes = bytes;
      this.flush();
    }, () => this.abandon());
    if (this.#gone) return;
    this.#directs.push(record);
    this.#directBytes += size;
    if (this.#directBytes > this.#options.limit) this.drop();
  }

  /** Writes what there is to write, unless a write is under way, which then goes on to it by itself. */
  flush(): void {
    if (this.#writing) return;
    const bytes = this.#next();
    if (bytes) this.#write(bytes);
  }

  /** Resolves when nothing is left to write and no write is under way, or when nothing more will be. */
  async drained(): Promise<void> {
    while (this.#writing || this.#unwritten()) await this.#rested.wait();
  }

  /** Resolves when no write is under way any more; for after the connection was closed. */
  async settled(): Promise<void> {
    while (this.#writing) await this.#rested.wait();
  }

  // Not an async function: a thousand of these run for every broadcast, and each promise counts.
  #write(bytes: Bytes): void {
    this.#writing = true;
    this.#writer.write(bytes).then(this.#written, this.#failed);
  }

  readonly #written = (size: number): void => {
    this.#advance(size);
    const bytes = this.#next();
    if (bytes) this.#write(bytes);
    else this.#stop();
  };

  // The connection's reader sees the same end and says why; here it only means that nothing goes out.
  readonly #failed = (): void => {
    this.#gone = true;
    this.#stop();
  };

  #stop(): void {
    this.#writing = false;
    if (this.#gone) this.abandon();
    else if (this.#cursor >= this.#end) this.#log.detach(this);
    this.#rested.notify();
  }

  #unwritten(): boolean {
    if (this.#gone) return false;
    return this.#directs.length > 0 ||
      this.#cursor < Math.min(this.#end, this.#log.head);
  }

  /** The bytes to write next: a view into the ring, or what is left of a direct record. */
  #next(): Bytes | undefined {
    if (this.#gone) return undefined;
    const [direct] = this.#directs;
    const end = Math.min(
      this.#end,
      direct?.offset ?? this.#log.head,
      this.#log.head,
    );
    if (this.#cursor < end) {
      this.#current = undefined;
      return this.#log.view(this.#cursor, end);
    }
    this.#current = direct;
    return direct?.bytes;
  }

  #advance(written: number): void {
    this.#moved += written;
    const direct = this.#current;
    if (!direct?.bytes) {
      this.#cursor += written;
      return;
    }
    this.#directBytes -= written;
    direct.bytes = direct.bytes.subarray(written);
    if (direct.bytes.length === 0) this.#directs.shift();
  }
}
