/**
 * The lines that somebody said lately, for what is about them. Each stream has its own, since each is at another line.
 *
 * @module
 */

import { change, type CurrentLine } from "../../protocol/changes.ts";
import { isChange, isSpoken, type LogEntry } from "../../protocol/line.ts";

/** How many lines are kept, the newest. */
const MAX_LINES = 1_024;
/** How long their texts may be in all, UTF-16 units: 256 KiB at most. */
const MAX_LENGTH = 131_072;

/** Lines as they are by now, as many as there is place for. How people reacted is left out. */
export class Quotes {
  readonly #lines = new Map<number, CurrentLine>(); // by number
  #length = 0; // of all texts

  /** Remembers a line that comes after all others; with it, how it changed another. */
  add(line: LogEntry): void {
    if (isSpoken(line.what)) this.#put(line.seq, { line });
    if (!isChange(line) || line.what === "reacted") return;
    const changed = this.#lines.get(line.to);
    if (changed) this.#put(line.to, change(changed, line));
  }

  /** The line of that number as it is by now; undefined if it isn't remembered. */
  find(seq: number): LogEntry | undefined {
    return this.#lines.get(seq)?.line;
  }

  #put(seq: number, current: CurrentLine): void {
    this.#length += lengthOf(current) - lengthOf(this.#lines.get(seq));
    this.#lines.set(seq, current);
    for (const [seq, oldest] of this.#lines) {
      const isMuch = this.#lines.size > MAX_LINES || this.#length > MAX_LENGTH;
      if (!isMuch) return;
      this.#lines.delete(seq);
      this.#length -= lengthOf(oldest);
    }
  }
}

function lengthOf(current: CurrentLine | undefined): number {
  return current?.line.text.length ?? 0;
}
