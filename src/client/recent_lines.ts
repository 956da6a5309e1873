/**
 * What happened lately, by number: so that an answer can show what it answers, one to nothing that was said is not
 * sent, and the numbers that may be meant can be offered.
 *
 * @module
 */

import { isSpoken, type LogEntry } from "../protocol/line.ts";

/** Lines that are remembered, the newest: as many that were said, and as many others. */
const MAX_LINES = 2_000;

/** The last 2,000 lines that somebody said, and the last 2,000 others. */
export class RecentLines {
  readonly #said = new Map<number, LogEntry>(); // by number
  readonly #moves = new Set<number>(); // numbers of comings, goings, new names

  /** Remembers a line. */
  add(line: LogEntry): void {
    if (isSpoken(line)) keepNewest(this.#said.set(line.seq, line));
    else this.addMove(line.seq);
  }

  /** Remembers that the line of that number is a coming or going, or a new name. */
  addMove(seq: number): void {
    keepNewest(this.#moves.add(seq));
  }

  /** The line of that number that somebody said, undefined if it isn't remembered. */
  find(seq: number): LogEntry | undefined {
    return this.#said.get(seq);
  }

  /** Whether the line of that number is known to be nothing that somebody said. */
  isNothingSaid(seq: number): boolean {
    return this.#moves.has(seq);
  }

  /** The numbers of what was said, newest first. @param person Only what that one said, by short id. */
  numbers(person?: string): number[] {
    return [...this.#said.values()]
      .filter((line) => person === undefined || line.person === person)
      .map(({ seq }) => seq).sort((a, b) => b - a);
  }
}

/** Forgets the line that was added first, if there are too many. */
function keepNewest(lines: Map<number, unknown> | Set<number>): void {
  const [oldest] = lines.keys();
  if (lines.size > MAX_LINES && oldest !== undefined) lines.delete(oldest);
}
