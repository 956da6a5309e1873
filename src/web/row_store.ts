/**
 * The rows of a room in the order of the lines, each once, as they are by now.
 *
 * @module
 */

import type { KeptRow, Message } from "./rows.ts";

/** Rows in order. */
export class RowStore {
  #rows: KeptRow[] = [];
  readonly #messages = new Map<number, Message>(); // by number
  readonly #answers = new Map<number, Set<number>>(); // the numbers of the answers to a message

  /** All of them. */
  get rows(): readonly KeptRow[] {
    return this.#rows;
  }

  /** The message of a number. */
  message(seq: number): Message | undefined {
    return this.#messages.get(seq);
  }

  /** The number of the first message, undefined for none. */
  get first(): number | undefined {
    const row = this.#rows.find(({ kind }) => kind === "message");
    return row?.order;
  }

  /** Puts a row in its place. A message that is there already is replaced. */
  add(added: KeptRow): void {
    const row = this.#quoting(added);
    const isKnown = row.kind === "message" && this.#messages.has(row.seq);
    this.#note(row);
    if (isKnown) this.#replace(row);
    else this.#insert(row);
    this.#quote(row);
  }

  /** Puts rows in their places that are mostly older than all that are there, and in order. */
  addOlder(rows: readonly KeptRow[]): void {
    const first = this.#rows[0]?.order ?? Infinity;
    const [older, others] = [[] as KeptRow[], [] as KeptRow[]];
    for (const row of rows) {
      const isKnown = row.kind === "message" && this.#messages.has(row.seq);
      (isKnown || row.order >= first ? others : older).push(row);
    }
    this.#rows = [...older, ...this.#rows];
    older.forEach((row) => this.#note(row));
    older.forEach((row) => this.#quote(row));
    others.forEach((row) => this.add(row));
  }

  /** Changes a message, and what its answers quote. */
  change(seq: number, change: (message: Message) => Message): void {
    const before = this.#messages.get(seq);
    if (!before) return;
    const after = change(before);
    this.#messages.set(seq, after);
    this.#replace(after);
    if (after.text !== before.text) this.#quote(after);
  }

  /** Keeps only the last rows. */
  keepLast(count: number): void {
    const gone = this.#rows.splice(0, Math.max(0, this.#rows.length - count));
    for (const row of gone) if (row.kind === "message") this.#forget(row);
  }

  #insert(row: KeptRow): void {
    let at = this.#rows.length;
    while (at > 0 && (this.#rows[at - 1]?.order ?? 0) > row.order) at--;
    if (at === this.#rows.length) this.#rows.push(row);
    else this.#rows.splice(at, 0, row);
  }

  /** Remembers a message, and that it is an answer. */
  #note(row: KeptRow): void {
    if (row.kind !== "message") return;
    const { seq, to } = row;
    this.#messages.set(seq, row);
    if (to === null) return;
    const answers = this.#answers.get(to) ?? new Set();
    this.#answers.set(to, answers.add(seq));
  }

  /** A row that quotes what it answers as that is by now, where it is known. */
  #quoting(row: KeptRow): KeptRow {
    if (row.kind !== "message" || row.to === null) return row;
    const about = this.#messages.get(row.to);
    return about ? { ...row, quoted: quoteOf(about) } : row;
  }

  /** Has the answers to a message quote it as it is. */
  #quote(row: KeptRow): void {
    if (row.kind !== "message") return;
    const quoted = quoteOf(row);
    for (const answer of this.#answers.get(row.seq) ?? []) {
      this.change(answer, (message) => ({ ...message, quoted }));
    }
  }

  #forget({ seq, to }: Message): void {
    this.#messages.delete(seq);
    if (to === null) return;
    const answers = this.#answers.get(to);
    answers?.delete(seq);
    if (answers?.size === 0) this.#answers.delete(to);
  }

  /** Puts a message in place of the one of its number. */
  #replace(message: Message): void {
    let [low, high] = [0, this.#rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#rows[middle]?.order ?? 0) < message.seq) low = middle + 1;
      else high = middle;
    }
    // What has no number of its own stands behind the line whose number it has.
    while (this.#rows[low]?.key !== message.key && low < this.#rows.length) {
      low++;
    }
    if (low < this.#rows.length) this.#rows[low] = message;
  }
}

function quoteOf(
  { name, person, deleted, text }: Message,
): NonNullable<Message["quoted"]> {
  return { name, person, text: deleted ? "" : text };
}
