/**
 * What a person was shown, for keeping.
 *
 * @module
 */

import { createPrivate } from "../../base/private_file.ts";

/** How many rows are remembered, the newest. */
const MAX_ROWS = 10_000;
/** How many are put together into one text: alone, with all that each was made of, they take four times as much. */
const PAGE_ROWS = 100;

/** The rows that were shown, the newest. */
export class Scrollback {
  readonly #pages: string[] = [];
  #newest: string[] = []; // fewer than a page

  /** Remembers lines, as they are before they are wrapped; without styles and line ends. */
  add(lines: readonly string[]): void {
    for (const line of lines) {
      if (this.#newest.push(line) < PAGE_ROWS) continue;
      this.#pages.push(this.#newest.join("\n"));
      this.#newest = [];
      if (this.#pages.length > MAX_ROWS / PAGE_ROWS) this.#pages.shift();
    }
  }

  /** The last 10,000 rows, oldest first. */
  get rows(): readonly string[] {
    const old = this.#pages.flatMap((page) => page.split("\n"));
    return [...old, ...this.#newest].slice(-MAX_ROWS);
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
