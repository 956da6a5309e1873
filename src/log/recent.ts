/**
 * The last lines of the log, in memory.
 *
 * @module
 */

import { keepNewest } from "../base/keep_newest.ts";
import { type LogEntry, mayBeSpoken } from "../protocol/line.ts";

/** Numbers of deleted lines that are remembered, the newest. */
const MAX_DELETED = 1_024;

/** The last lines. */
export class LogWindow {
  readonly #deleted = new Set<number>();
  readonly #size: number;
  /** Line `seq` at `seq % #size`, if it is ours; else what was there before. */
  readonly #entries: (LogEntry | undefined)[];

  /** Empty. @param size How many lines it has place for, at least 1. */
  constructor(size: number) {
    this.#size = size;
    this.#entries = new Array(size);
  }

  /** The number after which all lines are here, where `head` is the last one's. */
  oldest(head: number): number {
    return Math.max(0, head - this.#size);
  }

  /** Keeps a line in place of the oldest. Those that aren't ours are left out. */
  keep(entry: LogEntry): void {
    this.#entries[entry.seq % this.#size] = entry;
    if (entry.what === "deleted" && entry.to !== null) {
      keepNewest(this.#deleted.add(entry.to), MAX_DELETED);
    }
  }

  /** Whether the line of that number was deleted, of the last 1,024 that were. */
  isDeleted(seq: number): boolean {
    return this.#deleted.has(seq);
  }

  /** The line of that number, undefined if it isn't here. */
  find(seq: number): LogEntry | undefined {
    const entry = this.#entries[seq % this.#size];
    return entry?.seq === seq ? entry : undefined;
  }

  /**
   * The number after which the last `count` lines that somebody said begin, of the last `most` that are here.
   * @param head The last line's number.
   */
  saidStart(count: number, most: number, head: number): number {
    const oldest = Math.max(head - most, this.oldest(head));
    const said = this.entries(oldest, head).filter(({ what }) =>
      mayBeSpoken(what)
    );
    const first = said[Math.max(0, said.length - count)];
    return first ? first.seq - 1 : head;
  }

  /**
   * The entries with `after` < seq <= `head`, oldest first.
   * @throws {RangeError} if lines between them are no longer here.
   */
  entries(after: number, head: number): readonly LogEntry[] {
    const oldest = this.oldest(head);
    if (!(after >= oldest)) {
      throw new RangeError(
        `Cannot tell what came after line ${after}: memory begins after line ${oldest}`,
      );
    }
    // One by one: this is done for everybody who comes in, and all at once would take five times as long.
    const entries: LogEntry[] = [];
    for (let seq = after + 1; seq <= head; seq++) {
      const entry = this.find(seq);
      if (entry) entries.push(entry);
    }
    return entries;
  }
}
