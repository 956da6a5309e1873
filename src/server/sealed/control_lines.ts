/**
 * The control lines that were said, and how clients are told them: all who come are told the same, so it is packed once.
 *
 * @module
 */

import type { Bytes } from "../../../crypto_utils.ts";
import { encodeEvent, packEvents } from "../../protocol/events.ts";
import { pastEvent } from "../../protocol/line.ts";
import type { RuledEntry } from "./control_file.ts";

/** Lines that are told in one step. */
const PIECE = 16;

/** Some control lines in a row, as they are told. */
export interface ControlPiece {
  /** As `packEvents` made them. */
  readonly plaintexts: readonly Bytes[];
  /** How many lines. */
  readonly count: number;
  /** The number of the last. */
  readonly last: number;
}

/** Control lines, in the order of their numbers. */
export class ControlLines {
  readonly #entries: RuledEntry[] = [];
  readonly #pieces: ControlPiece[] = []; // all that are full, as far as somebody was told them

  /** All of them. */
  get all(): readonly RuledEntry[] {
    return this.#entries;
  }

  /** Another one. */
  add(entry: RuledEntry): void {
    this.#entries.push(entry);
  }

  /** There are none. */
  clear(): void {
    this.#entries.length = 0;
    this.#pieces.length = 0;
  }

  /** Those from a number on were not said after all. Nobody was told of them. */
  drop(seq: number): void {
    this.#entries.length = this.#after(seq - 1);
  }

  /** The next lines after one number and up to another; undefined where there are none. */
  next(after: number, upTo = Infinity): ControlPiece | undefined {
    const start = this.#after(after);
    const end = Math.min(
      this.#after(upTo),
      start - start % PIECE + PIECE, // so that all are told the same pieces
    );
    if (start >= end) return undefined;
    if (end - start < PIECE) return packed(this.#entries.slice(start, end));
    const at = start / PIECE;
    return this.#pieces[at] ??= packed(this.#entries.slice(start, end));
  }

  /** How many lines have that number or a lower one. */
  #after(seq: number): number {
    let [low, high] = [0, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#entries[middle]?.seq ?? Infinity) <= seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function packed(entries: readonly RuledEntry[]): ControlPiece {
  const events = entries.map((it) => encodeEvent(pastEvent(it)));
  return {
    plaintexts: packEvents(events),
    count: entries.length,
    last: entries.at(-1)?.seq ?? 0,
  };
}
