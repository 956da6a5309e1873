/**
 * What was said lately, so that an answer can show what it answers.
 *
 * @module
 */

import type { RoomNews } from "./view.ts";
import { isSpoken, type LogEntry } from "../protocol/line.ts";

/** Lines that are remembered, the newest. */
const MAX_LINES = 2_000;

/** What an answer shows of what it answers. */
export type Quoted = NonNullable<RoomNews["quoted"]>;

/** The last 2,000 lines that somebody said. */
export class RecentLines {
  readonly #lines = new Map<number, Quoted>(); // by number

  /** Remembers a line, if somebody said it. */
  add(line: LogEntry): void {
    if (!isSpoken(line)) return;
    const { seq, name, text } = line;
    this.#lines.set(seq, { name, text });
    const [oldest] = this.#lines.keys();
    if (this.#lines.size > MAX_LINES && oldest !== undefined) {
      this.#lines.delete(oldest);
    }
  }

  /** The line of that number, undefined if it isn't remembered. */
  find(seq: number): Quoted | undefined {
    return this.#lines.get(seq);
  }
}
