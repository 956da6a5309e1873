/**
 * The numbers and times of the lines that a client is told of: a heading gives the first of some lines, and none
 * may be missing.
 *
 * @module
 */

import { type Event, EventError } from "../protocol/events.ts";

/** Counts lines. */
export class LineNumbers {
  #last = 0;
  #at = 0; // ms since 1970
  #isAnnounced = false; // whether a heading came since the record's start

  /** Goes on after a line. */
  startAfter(seq: number): void {
    this.#last = seq;
  }

  /** A record begins, with a heading before its first line. */
  startRecord(): void {
    this.#isAnnounced = false;
  }

  /** A heading. @throws {EventError} if a line is missing before it. */
  announce({ seq, at }: Event<"batch">): void {
    if (seq !== this.#last + 1) {
      throw new EventError(`Cannot go on: line ${this.#last + 1} is missing`);
    }
    this.#at = at;
    this.#isAnnounced = true;
  }

  /** Checks that what comes stands below a heading. @throws {EventError} if it doesn't. */
  check(): void {
    if (!this.#isAnnounced) {
      throw new EventError("Cannot read lines unnumbered");
    }
  }

  /** The number and time (ms since 1970) of the next line. */
  next(): { readonly seq: number; readonly at: number } {
    return { seq: ++this.#last, at: this.#at };
  }
}
