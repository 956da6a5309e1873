/**
 * The one writer of a connection. It writes direct records as they are made, and, from `attach` on, the ring as
 * well, each direct record at the place in the stream at which it was made.
 *
 *     direct records only ── attach ──▶ following ── finish ──▶ follows to where the head was then
 *              └──────────────────────────┴── abandon, or a failed write ──▶ writes nothing more
 *
 * @module
 */

import { Notify } from "../base/notify.ts";
import type { Bytes } from "../../crypto_utils.ts";
import type { RecordCounts } from "../protocol/records.ts";
import type { Reader, Ring } from "./ring.ts";

/** What an outlet writes to. */
export interface Writer {
  /** Writes at least one byte, and says how many. */
  write(bytes: Uint8Array): Promise<number>;
}

/** A record for one reader alone, or shared ones in a row: they go out when the cursor stands exactly at `offset`. */
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

/** The one writer of a connection. */
export class Outlet implements Reader {
  readonly #ring: Ring;
  readonly #writer: Writer;
  readonly #options: OutletOptions;
  readonly #directs: DirectRecord[] = [];
  #directBytes = 0;
  #cursor = 0;
  #end = 0; // the ring is written from the cursor to here, and no further
  #firstAppend = 0; // of what is written of the ring
  #lastAppend = 0;
  #shared = 0;
  #current: DirectRecord | undefined; // what the write under way is from; undefined for the ring
  #writing = false; // or about to
  #waiting = false; // for a turn
  #moved = 0;
  #finished = false;
  #gone = false;
  readonly #rested = new Notify(); // when a write has ended and none follows

  /** Writes to a connection, which must have no other writer. */
  constructor(ring: Ring, writer: Writer, options: OutletOptions) {
    this.#ring = ring;
    this.#writer = writer;
    this.#options = options;
  }

  /** The offset up to which everything has been written. */
  get cursor(): number {
    return this.#cursor;
  }

  /** Whether a write is under way. One that waits for its turn isn't. */
  get writing(): boolean {
    return this.#writing && !this.#waiting;
  }

  /** Whether nothing more is written, since a write failed or it was given up. */
  get isGone(): boolean {
    return this.#gone;
  }

  /** Bytes written so far: a write under which this stands still is a stalled one. */
  get moved(): number {
    return this.#moved;
  }

  /** What will stand in the stream before a direct record that is queued now. */
  get before(): RecordCounts {
    const appends = Math.min(this.#ring.appends, this.#lastAppend);
    return { broadcast: appends - this.#firstAppend, shared: this.#shared };
  }

  /** Follows the ring from its head on. */
  attach(): void {
    if (this.#gone || this.#finished) return;
    this.#cursor = this.#ring.head;
    this.#end = Number.POSITIVE_INFINITY;
    this.#firstAppend = this.#ring.appends;
    this.#lastAppend = Number.POSITIVE_INFINITY;
    this.#ring.attach(this);
  }

  /** Follows the ring to where its head is now, and no further. */
  finish(): void {
    this.#finished = true;
    this.#end = Math.min(this.#end, this.#ring.head);
    this.#lastAppend = Math.min(this.#lastAppend, this.#ring.appends);
    if (!this.#writing && this.#cursor >= this.#end) this.#ring.detach(this);
  }

  /** Writes nothing more. Bytes under a write stay held until it has ended. */
  abandon(): void {
    this.#gone = true;
    this.#directs.length = 0;
    if (this.#writing) return;
    this.#ring.detach(this);
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
    const record = this.#queue(size, undefined);
    sealing.then((bytes) => {
      record.bytes = bytes;
      this.flush();
    }, () => this.abandon());
  }

  /** Queues shared records as `direct` does. @param count How many they are. */
  share(bytes: Bytes, count: number): void {
    this.#shared += count;
    this.#queue(bytes.length, bytes);
    this.flush();
  }

  #queue(size: number, bytes: Bytes | undefined): DirectRecord {
    const record = { offset: this.#ring.head, bytes };
    if (this.#gone) return record;
    this.#directs.push(record);
    this.#directBytes += size;
    if (this.#directBytes > this.#options.limit) this.drop();
    return record;
  }

  /** Writes what there is to write, unless a write is under way, which then goes on to it by itself. */
  flush(): void {
    if (!this.#writing && this.#next()) this.#writeInTurn();
  }

  /** Resolves when nothing is left to write and no write is under way, or when nothing more will be. */
  async drained(): Promise<void> {
    while (this.#writing || this.#unwritten()) await this.#rested.wait();
  }

  /** Resolves when no write is under way any more; for after the connection was closed. */
  async settled(): Promise<void> {
    while (this.#writing) await this.#rested.wait();
  }

  #writeInTurn(): void {
    this.#writing = this.#waiting = true;
    this.#ring.turns.take(this.#write);
  }

  // Not an async function: a thousand of these run for every broadcast, and each promise counts.
  readonly #write = (): void => {
    this.#waiting = false;
    const bytes = this.#next(); // more may have come since its turn was asked for, or its end
    if (bytes) this.#writer.write(bytes).then(this.#written, this.#failed);
    else this.#stop();
  };

  readonly #written = (size: number): void => {
    this.#advance(size);
    if (this.#next()) this.#writeInTurn();
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
    else if (this.#cursor >= this.#end) this.#ring.detach(this);
    this.#rested.notify();
  }

  #unwritten(): boolean {
    if (this.#gone) return false;
    return this.#directs.length > 0 ||
      this.#cursor < Math.min(this.#end, this.#ring.head);
  }

  /** The bytes to write next: a view into the ring, or what is left of a direct record. */
  #next(): Bytes | undefined {
    if (this.#gone) return undefined;
    const [direct] = this.#directs;
    const end = Math.min(
      this.#end,
      direct?.offset ?? this.#ring.head,
      this.#ring.head,
    );
    if (this.#cursor < end) {
      this.#current = undefined;
      return this.#ring.view(this.#cursor, end);
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
