/**
 * What happened lately, by number: so that an answer can show what it answers, one to nothing that was said is not
 * sent, and the numbers that may be meant can be offered.
 *
 * @module
 */

import { change, type CurrentLine } from "./changes.ts";
import { keepNewest } from "../base/keep_newest.ts";
import { isChange, isSpoken } from "./line.ts";

/** Lines that are remembered, the newest: as many that were said, and as many others. */
const MAX_LINES = 2_000;

/** The last 2,000 lines that somebody said, as they are by now, and the last 2,000 others. */
export class RecentLines {
  readonly #said = new Map<number, CurrentLine>(); // by number
  readonly #others = new Set<number>(); // numbers of comings, goings, new names, changes

  /** Remembers a line; with it, what was changed about it. */
  add(told: CurrentLine): void {
    const { line } = told;
    if (isSpoken(line.what)) {
      this.#others.delete(line.seq);
      return keepNewest(this.#said.set(line.seq, told), MAX_LINES);
    }
    if (line.what === "sealed") return; // which may come to be something that somebody said
    this.addOther(line.seq);
    const changed = isChange(line) ? this.#said.get(line.to) : undefined;
    if (changed && isChange(line)) {
      this.#said.set(line.to, change(changed, line));
    }
  }

  /** Remembers that the line of that number is nothing that somebody said. */
  addOther(seq: number): void {
    keepNewest(this.#others.add(seq), MAX_LINES);
  }

  /** The line of that number that somebody said, as it is by now; undefined if it isn't remembered. */
  find(seq: number): CurrentLine | undefined {
    return this.#said.get(seq);
  }

  /** Whether the line of that number is known to be nothing that somebody said. */
  isNothingSaid(seq: number): boolean {
    return this.#others.has(seq);
  }

  /** The numbers of what was said and not deleted, newest first. @param person Only what that one said, by short id. */
  numbers(person?: string): number[] {
    return [...this.#said.values()]
      .filter(({ line, changed }) =>
        !changed?.deleted && (person === undefined || line.person === person)
      )
      .map(({ line }) => line.seq).sort((a, b) => b - a);
  }
}
