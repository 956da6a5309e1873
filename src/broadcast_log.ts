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

import type { Bytes } from "../crypto_utils.ts";

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

  /** @param capacity Bytes to keep for readers that are behind. */
  constructor(capacity: number) {
    this.#ring = new Uint8Array(capacity);
  }

  /** The offset of the next byte. */
  get head(): number {
    return this.#head;
  }

  /**
   * Appends bytes.
   * @throws {RangeError} where a cursor stands in the way: see `laggards`.
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

  /** The readers that must go before `size` bytes can be appended. */
  laggards(size: number): Outlet[] {
    if (this.#fits(size)) return [];
    const oldest = this.#head + size - this.#ring.length;
    return [...this.#outlets].filter(({ cursor }) => cursor < oldest);
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

/**
 * The one writer of a connection. It writes direct records as they are made, and, from `attach` on, the
 * broadcast log as well, each direct record at the place in the stream at which it was made.
 *
 *     detached ── attach ──▶ attached ── detach, or a failed write ──▶ detached, for good
 */
export class Outlet {
  readonly #log: BroadcastLog;
  readonly #writer: Writer;
  readonly #limit: number;
  readonly #directs: DirectRecord[] = [];
  #directBytes = 0;
  #cursor = Number.POSITIVE_INFINITY;
  #attached = false;
  #writing = false;
  #writingSince = 0;
  #broken = false;
  #idle = Promise.withResolvers<void>();

  /** @param limit Bytes of direct records that may wait. */
  constructor(log: BroadcastLog, writer: Writer, limit: number) {
    this.#log = log;
    this.#writer = writer;
    this.#limit = limit;
  }

  /** The offset up to which everything has been written; infinite while there is nothing to follow. */
  get cursor(): number {
    return this.#cursor;
  }

  /** Whether a write failed: nothing more will be written. */
  get broken(): boolean {
    return this.#broken;
  }

  /** When the write that is under way began (ms of `performance.now`); undefined when none is. */
  get writingSince(): number | undefined {
    return this.#writing ? this.#writingSince : undefined;
  }

  /** Follows the broadcast log from its head on. */
  attach(): void {
    this.#cursor = this.#log.head;
    this.#attached = true;
    this.#log.attach(this);
  }

  /**
   * Queues a direct record behind everything that has been broadcast until now.
   * @param size Its size, bytes. @param sealing The record, sealed or about to be.
   * @returns Whether it had room; where not, the reader is too slow.
   */
  direct(size: number, sealing: Promise<Bytes>): boolean {
    if (this.#directBytes + size > this.#limit) {
      sealing.catch(() => {}); // nobody will ask for it any more
      return false;
    }
    this.#directBytes += size;
    const record: DirectRecord = { offset: this.#log.head, bytes: undefined };
    this.#directs.push(record);
    sealing.then((bytes) => {
      record.bytes = bytes;
      this.flush();
    }, () => this.#break());
    return true;
  }

  /** Writes what there is to write, unless a write is under way, which then goes on to it by itself. */
  flush(): void {
    if (this.#writing || this.#broken) return;
    const bytes = this.#next();
    if (!bytes) return;
    this.#writing = true;
    this.#writingSince = performance.now();
    // The one task of this outlet. It ends in `#break` or idle, and has no other way to fail.
    this.#write(bytes);
  }

  /** Resolves when nothing is left to write and no write is under way, or when writing has failed. */
  async drained(): Promise<void> {
    while (
      !this.#broken &&
      (this.#writing || this.#directs.length > 0 || this.#next())
    ) {
      await this.#idle.promise;
    }
  }

  /** Resolves when no write is under way any more; for after the connection was closed. */
  async settled(): Promise<void> {
    while (this.#writing) await this.#idle.promise;
  }

  /** Follows the broadcast log no longer. Bytes under a write stay held until it has ended. */
  detach(): void {
    this.#attached = false;
    if (!this.#writing) this.#release();
  }

  async #write(first: Bytes): Promise<void> {
    try {
      for (let bytes: Bytes | undefined = first; bytes; bytes = this.#next()) {
        this.#writingSince = performance.now();
        this.#advance(await this.#writer.write(bytes));
      }
      this.#writing = false;
      if (!this.#attached) this.#release();
    } catch {
      // The connection's reader sees the same end and says why; here it only means that nothing goes out.
      this.#writing = false;
      this.#break();
    }
    this.#wake();
  }

  /** The bytes to write next: a view into the ring, or what is left of a direct record. */
  #next(): Bytes | undefined {
    const [direct] = this.#directs;
    const end = direct
      ? Math.min(direct.offset, this.#log.head)
      : this.#log.head;
    if (this.#attached && this.#cursor < end) {
      return this.#log.view(this.#cursor, end);
    }
    return direct?.bytes;
  }

  #advance(written: number): void {
    const [direct] = this.#directs;
    const behind = this.#cursor < (direct?.offset ?? Number.POSITIVE_INFINITY);
    if (this.#attached && behind) {
      this.#cursor += written;
      return;
    }
    if (!direct?.bytes) return; // detached in the middle of a write from the ring
    this.#directBytes -= written;
    if (written < direct.bytes.length) {
      direct.bytes = direct.bytes.subarray(written);
    } else this.#directs.shift();
  }

  #break(): void {
    this.#broken = true;
    this.#attached = false;
    this.#directs.length = 0;
    if (!this.#writing) this.#release();
    this.#wake();
  }

  #release(): void {
    this.#log.detach(this);
    this.#cursor = Number.POSITIVE_INFINITY;
  }

  #wake(): void {
    this.#idle.resolve();
    this.#idle = Promise.withResolvers<void>();
  }
}
