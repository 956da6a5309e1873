/**
 * The members' own numbers for their lines, stay by stay: in each they grow, so that a line which comes again, under
 * another number of the log or after older ones, is found out.
 *
 * @module
 */

import { keepNewest } from "../base/keep_newest.ts";
import type { LogEntry } from "../protocol/line.ts";

/** Stays that are remembered of each member, the newest: nobody pushes those of others out. */
const MAX_STAYS = 256;

/** The last line of a stay: its number in the log, and its sender's for it. */
export interface StayEnd {
  /** Its number. */
  readonly seq: number;
  /** The sender's. */
  readonly n: number;
}

/** A line's sender and numbers. */
export type Numbered = Pick<LogEntry, "person" | "stay" | "seq" | "n">;

/** Stays and their last lines: those that were seen, or those of one look at the past. */
export class StayNumbers {
  readonly #ends = new Map<string, Map<string, StayEnd>>(); // by person, and by key
  #changed = new Map<string, StayEnd>(); // since `takeChanged`

  /**
   * Begins with what is known.
   *
   * @param ends As `takeChanged` gave them in earlier runs, the newest last.
   */
  constructor(ends: Iterable<readonly [string, StayEnd]> = []) {
    for (const [stay, end] of ends) this.#keep(stay, end);
  }

  /** What has changed since it was asked last, the newest last. */
  takeChanged(): [string, StayEnd][] {
    const changed = [...this.#changed];
    this.#changed = new Map();
    return changed;
  }

  /** All that is remembered, the newest last. */
  get all(): [string, StayEnd][] {
    return [...this.#ends.values()].flatMap((ends) => [...ends]);
  }

  /** Whether a line can be what it says to be, after what was seen. */
  fits(line: Numbered): boolean {
    const end = this.#find(line);
    if (!end) return true;
    const { seq, n } = line;
    if (seq === end.seq) return n <= end.n; // less only where `endBy` has set it
    return seq > end.seq ? n > end.n : n < end.n;
  }

  /** Remembers a line that fits. */
  note(line: Numbered): void {
    const { seq, n } = line;
    const key = keyOf(line);
    const end = this.#find(line);
    if (end && end.seq >= seq) return;
    this.#keep(key, { seq, n });
    this.#changed.delete(key);
    this.#changed.set(key, { seq, n });
  }

  /**
   * The log ends earlier than was seen: its later numbers will stand for other lines, and what was said in them counts as
   * said before these. @param last The number of its last line.
   */
  endBy(last: number): void {
    for (const [key, { seq, n }] of this.all) {
      if (seq > last) this.#keep(key, { seq: last, n });
    }
  }

  #find(line: Numbered): StayEnd | undefined {
    return this.#ends.get(line.person)?.get(keyOf(line));
  }

  #keep(key: string, end: StayEnd): void {
    const [person = ""] = key.split(".");
    const ends = this.#ends.get(person) ?? new Map<string, StayEnd>();
    this.#ends.set(person, ends);
    ends.delete(key);
    keepNewest(ends.set(key, end), MAX_STAYS);
  }
}

function keyOf({ person, stay }: Numbered): string {
  return `${person}.${stay}`;
}
