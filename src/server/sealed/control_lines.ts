/**
 * The control lines that were said, and how clients are told them: all who come are told the same, so it is sealed once.
 * Each piece has a key of its own, for those alone who are told just these lines.
 *
 * @module
 */

import type { Bytes } from "../../../crypto_utils.ts";
import { encodeEvent, packEvents } from "../../protocol/events.ts";
import { pastEvent } from "../../protocol/line.ts";
import type { Shared } from "../broadcaster.ts";
import type { RuledEntry } from "./control_file.ts";

/** Lines that are told in one step: some 300 kB. */
const PIECE = 128;

/** Some control lines in a row, as they are told. */
export interface ControlPiece {
  /** The lines, sealed for all who are told just these. */
  readonly shared: Promise<Shared>;
  /** How many lines have a lower number than the first of them. */
  readonly start: number;
  /** How many they are. */
  readonly count: number;
  /** The number of the last. */
  readonly last: number;
}

/** Seals plaintexts, as `packEvents` made them, under a key of their own. */
export type Sharing = (plaintexts: readonly Bytes[]) => Promise<Shared>;

/** Control lines, in the order of their numbers. */
export class ControlLines {
  readonly #entries: RuledEntry[] = [];
  readonly #pieces: (ControlPiece | undefined)[] = []; // as newcomers were told them last, by `PIECE` lines

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
    this.#pieces.length = Math.floor(this.#entries.length / PIECE);
  }

  /** The next lines after one number and up to another; undefined where there are none. */
  next(
    share: Sharing,
    after: number,
    upTo: number,
  ): ControlPiece | undefined {
    const start = this.#after(after);
    const end = Math.min(
      this.#after(upTo),
      start - start % PIECE + PIECE, // so that all are told the same pieces
    );
    if (start >= end) return undefined;
    const at = Math.floor(start / PIECE);
    const told = this.#pieces[at];
    if (told?.start === start && told.count === end - start) return told;
    const entries = this.#entries.slice(start, end);
    const events = entries.map((it) => encodeEvent(pastEvent(it)));
    const piece: ControlPiece = {
      shared: share(packEvents(events)),
      start,
      count: entries.length,
      last: entries.at(-1)?.seq ?? 0,
    };
    if (start % PIECE === 0) this.#keep(at, piece); // else it is for one who has some of these
    return piece;
  }

  #keep(at: number, piece: ControlPiece): void {
    this.#pieces[at] = piece;
    piece.shared.catch(() => {
      if (this.#pieces[at] === piece) this.#pieces[at] = undefined; // who was to be told hears of it
    });
  }

  /** How many lines have that number or a lower one. */
  #after(seq: number, low = 0, high = this.#entries.length): number {
    if (low >= high) return low;
    const middle = (low + high) >> 1;
    const isIn = (this.#entries[middle]?.seq ?? Infinity) <= seq;
    return isIn
      ? this.#after(seq, middle + 1, high)
      : this.#after(seq, low, middle);
  }
}
