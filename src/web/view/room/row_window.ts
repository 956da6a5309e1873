/**
 * Which of many rows are in the page: few enough for any browser, and always those that are being read.
 *
 * @module
 */

import type { Row } from "../../rows.ts";

/** Rows that are in the page at most. */
export const MOST_ROWS = 500;
/** Rows that are added at an edge at a time. */
const STEP = 150;
/** Rows to which those at the end are cut, and when: whoever reads the end needs few. */
const END_ROWS = 60;
const END_MOST = 200;

/** A window over rows. */
export class RowWindow {
  #rows: readonly Row[] = [];
  #from = 0;
  #to = 0;
  #isAtEnd = true;

  /** The rows in it. */
  get shown(): readonly Row[] {
    return this.#rows.slice(this.#from, this.#to);
  }

  /** The row before it, undefined for none. */
  get before(): Row | undefined {
    return this.#rows[this.#from - 1];
  }

  /** Whether there are rows above it. */
  get hasAbove(): boolean {
    return this.#from > 0;
  }

  /** Whether there are rows below it. */
  get hasBelow(): boolean {
    return this.#to < this.#rows.length;
  }

  /** Whether it stays at the end when rows come. */
  get isAtEnd(): boolean {
    return this.#isAtEnd;
  }

  /** Takes the present rows: the window stays on those that are in it, or at the end. */
  take(rows: readonly Row[]): void {
    if (rows === this.#rows) return;
    const last = this.#to - 1;
    const from = this.#find(rows, this.#from, this.#to, 1);
    const to = this.#find(rows, last, this.#from - 1, -1);
    this.#rows = rows;
    if (from === undefined || to === undefined) return this.toEnd();
    this.#from = from;
    this.#to = to + 1;
    if (this.#isAtEnd) this.#goOn();
    else if (this.#to - from > MOST_ROWS) this.#to = from + MOST_ROWS;
  }

  /** Goes to the end, and stays there. */
  toEnd(): void {
    this.#isAtEnd = true;
    this.#to = this.#rows.length;
    this.#from = Math.max(0, this.#to - END_ROWS);
  }

  /** Stays where it is. */
  stay(): void {
    this.#isAtEnd = false;
  }

  /** Stays at the end, where it is. @returns Whether it is there. */
  stick(): boolean {
    this.#isAtEnd = !this.hasBelow;
    return this.#isAtEnd;
  }

  /** Has more rows at its upper edge. */
  up(): void {
    this.#from = Math.max(0, this.#from - STEP);
    this.#to = Math.min(this.#to, this.#from + MOST_ROWS);
  }

  /** Has more rows at its lower edge. */
  down(): void {
    this.#to = Math.min(this.#rows.length, this.#to + STEP);
    this.#from = Math.max(this.#from, this.#to - MOST_ROWS);
  }

  /** Goes to a row, and stays there. @returns Whether there is such a one. */
  around(key: string): boolean {
    const at = this.#rows.findIndex((row) => row.key === key);
    if (at < 0) return false;
    this.#isAtEnd = false;
    if (at >= this.#from && at < this.#to) return true;
    this.#from = Math.max(0, at - STEP);
    this.#to = Math.min(this.#rows.length, at + STEP);
    return true;
  }

  #goOn(): void {
    this.#to = this.#rows.length;
    const count = this.#to - this.#from;
    if (count > END_MOST) this.#from = this.#to - END_ROWS;
  }

  /** Where the first of the rows in the window that is still there stands now; days and marks may come and go. */
  #find(
    rows: readonly Row[],
    start: number,
    end: number,
    step: number,
  ): number | undefined {
    for (let at = start; at !== end; at += step) {
      const key = this.#rows[at]?.key;
      if (key === undefined || rows[at]?.key === key) {
        if (key !== undefined) return at; // as when rows came at the end
        continue;
      }
      const now = rows.findIndex((row) => row.key === key);
      if (now >= 0) return now;
    }
    return undefined;
  }
}
