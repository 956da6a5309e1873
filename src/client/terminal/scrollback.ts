/**
 * What a person was shown, for keeping.
 *
 * @module
 */

import { createPrivate } from "../../base/private_file.ts";

/** How many rows are remembered, the newest. */
const MAX_ROWS = 10_000;

/** The rows that were shown, the newest. */
export class Scrollback {
  #rows: string[] = [];

  /** Remembers lines, as they are before they are wrapped; without styles. */
  add(lines: readonly string[]): void {
    this.#rows.push(...lines);
    if (this.#rows.length > 2 * MAX_ROWS) this.#rows = [...this.rows];
  }

  /** The last 10,000 rows, oldest first. */
  get rows(): readonly string[] {
    return this.#rows.slice(-MAX_ROWS);
  }

  /**
   * Writes the rows to a new file that only its owner can read.
   * @returns One sentence for who asked.
   * @throws {FileError} if it can't be written.
   */
  async save(path: string): Promise<string> {
    const { rows } = this;
    const text = rows.map((row) => `${row}\n`).join("");
    if (!await createPrivate(path, text)) {
      return `Cannot save to "${path}": it already exists`;
    }
    return `Saved ${rows.length} lines to "${path}"`;
  }
}
