/**
 * The ring: one shared run of sealed bytes, and a cursor into it for each reader. Knows nothing of what the
 * bytes mean.
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
import { WriteTurns } from "./write_turns.ts";

/** Somebody who follows the ring. */
export interface Reader {
  /** The offset up to which it has read: from there on, bytes are held for it. */
  readonly cursor: number;
  /** Goes on reading, if it doesn't do so already. */
  flush(): void;
  /** Is too slow: reads nothing more. */
  drop(): void;
  /** Resolves when it doesn't use the ring's bytes any more. */
  settled(): Promise<void>;
}

/** Bytes from one offset to another. */
interface View {
  readonly from: number;
  readonly to: number;
  readonly bytes: Bytes;
}

/** The run of bytes. */
export class Ring {
  /** When its readers write. */
  readonly turns: WriteTurns;
  readonly #bytes: Bytes;
  readonly #readers = new Set<Reader>();
  #head = 0;
  #appends = 0;
  #viewed: View | undefined;
  #floor = 0; // at or before the slowest cursor; looked up again only when it matters

  /** An empty ring. @param capacity Bytes to keep for readers that are behind. @param turns When they write. */
  constructor(capacity: number, turns: WriteTurns = new WriteTurns()) {
    this.#bytes = new Uint8Array(capacity);
    this.turns = turns;
  }

  /** The offset of the next byte. */
  get head(): number {
    return this.#head;
  }

  /** How often bytes were appended. */
  get appends(): number {
    return this.#appends;
  }

  /**
   * Appends bytes.
   * @throws {RangeError} if a cursor stands in the way: see `makeRoom`.
   */
  append(bytes: Uint8Array): void {
    if (!this.#fits(bytes.length)) {
      throw new RangeError(
        `Cannot append ${bytes.length} bytes: the ring is full`,
      );
    }
    const start = this.#head % this.#bytes.length;
    const first = Math.min(bytes.length, this.#bytes.length - start);
    this.#bytes.set(bytes.subarray(0, first), start);
    this.#bytes.set(bytes.subarray(first), 0);
    this.#head += bytes.length;
    this.#appends++;
  }

  /**
   * Makes place for `size` bytes, at most the capacity: readers that are too far behind for that are
   * dropped, and their last writes awaited, since the kernel may still read the bytes under them. Who only waits for a
   * turn to write has it first: that is no fault of its own.
   */
  async makeRoom(size: number): Promise<void> {
    if (this.#fits(size)) return;
    if (this.turns.waiting > 0) await this.turns.passed();
    const oldest = this.#head + size - this.#bytes.length;
    const laggards = [...this.#readers].filter((it) => it.cursor < oldest);
    for (const reader of laggards) reader.drop();
    await Promise.all(laggards.map((reader) => reader.settled()));
  }

  /** Whether most readers are more than half the ring behind: then writing should wait. */
  get congested(): boolean {
    const behind = this.#head - this.#bytes.length / 2;
    if (this.#floor >= behind) return false;
    this.#findFloor();
    if (this.#floor >= behind) return false;
    let slow = 0;
    for (const { cursor } of this.#readers) if (cursor < behind) slow++;
    return slow * 2 > this.#readers.size;
  }

  /** How many read it: connections of this server's. */
  get readers(): number {
    return this.#readers.size;
  }

  /** Bytes between the slowest reader and the head. */
  get lag(): number {
    this.#findFloor();
    return this.#head - this.#floor;
  }

  /** Starts a write for every reader that has something to write and isn't writing. */
  flush(): void {
    for (const reader of this.#readers) reader.flush();
  }

  /**
   * The held bytes from an offset on, up to a limit or to the ring's end; a view, not a copy. All who ask for the same
   * ones after each other get the same object, which stands for no others later.
   */
  view(from: number, to: number): Bytes {
    const last = this.#viewed;
    if (last?.from === from && last.to === to) return last.bytes;
    const start = from % this.#bytes.length;
    const end = Math.min(start + to - from, this.#bytes.length);
    const bytes = this.#bytes.subarray(start, end);
    this.#viewed = { from, to, bytes };
    return bytes;
  }

  /** Counts a reader in. */
  attach(reader: Reader): void {
    this.#readers.add(reader);
  }

  /** Counts a reader out: its bytes are free for reuse. */
  detach(reader: Reader): void {
    this.#readers.delete(reader);
  }

  #fits(size: number): boolean {
    if (this.#head + size - this.#floor <= this.#bytes.length) return true;
    this.#findFloor();
    return this.#head + size - this.#floor <= this.#bytes.length;
  }

  #findFloor(): void {
    let floor = this.#head;
    for (const { cursor } of this.#readers) floor = Math.min(floor, cursor);
    this.#floor = floor;
  }
}
