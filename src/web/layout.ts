/**
 * What a reader sees of the rows: days between them, where the unread ones begin, and nothing of ignored persons.
 *
 * @module
 */

import type { DayMark, KeptRow, Message, NewMark, Row } from "./rows.ts";

const NEW: NewMark = { kind: "new", key: "new", order: 0, at: 0 };

/** Puts marks between rows; those of the same day are the same each time. */
export class Layout {
  readonly #days = new Map<number, DayMark>(); // by their start

  /**
   * The rows with their marks.
   * @param ignored Short ids of persons. @param newFrom The key of the first row that is unread.
   */
  of(
    rows: readonly KeptRow[],
    ignored: ReadonlySet<string>,
    newFrom: string | undefined,
  ): Row[] {
    const shown: Row[] = [];
    let [start, end] = [NaN, NaN]; // of the day, ms since 1970
    for (const kept of rows) {
      const row = ignored.size === 0 ? kept : without(kept, ignored);
      if (!row) continue;
      const { at, kind } = row;
      // A private message may have waited for days, and comes among what is said now.
      const isOnDay = at >= start && at < end || kind === "private";
      if (!isOnDay) {
        [start, end] = dayOf(at);
        shown.push(this.#day(start, row));
      }
      if (row.key === newFrom) shown.push(NEW);
      shown.push(row);
    }
    return shown;
  }

  /** @param before The first row of the day: clocks may go back, and the day comes again. */
  #day(at: number, before: KeptRow): DayMark {
    const key = `d${at}${before.key}`;
    const known = this.#days.get(at);
    if (known?.key === key) return known;
    const mark: DayMark = { kind: "day", key, order: 0, at };
    this.#days.set(at, mark);
    return mark;
  }
}

/** When the day of a time begins and ends here, ms since 1970. */
function dayOf(at: number): [number, number] {
  const day = new Date(at);
  day.setHours(0, 0, 0, 0);
  const start = day.getTime();
  day.setDate(day.getDate() + 1);
  return [start, day.getTime()];
}

/** A row without what ignored persons said and did in it; undefined if nothing is left. */
function without(
  row: KeptRow,
  ignored: ReadonlySet<string>,
): KeptRow | undefined {
  const isHidden = (it: { readonly person: string }) => ignored.has(it.person);
  if (row.kind === "note") return row;
  if (!row.own && isHidden(row)) return undefined;
  if (row.kind !== "message") return row;
  const { quoted, ...rest } = row;
  const message: Message = quoted && !isHidden(quoted) ? row : rest;
  if (!row.reactions.some(isHidden)) return message;
  const reactions = row.reactions.filter((it) => !isHidden(it));
  return { ...message, reactions };
}
