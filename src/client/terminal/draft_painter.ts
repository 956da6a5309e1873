/**
 * Puts the draft on the last rows of a terminal, and what is printed above it.
 *
 * Output rules: nothing but the draft's own rows is ever cleared. How many those are is known and not counted: the
 * terminal is told not to break them (DECAWM off), and whichever widths it gives to what is in them, each row stays
 * one. For the same reason the cursor is put in its place by remembering it where it comes by (DECSC, DECRC).
 *
 * When a terminal gets narrower most break the rows themselves, and the number is only believed: then as many are
 * cleared as there are with the least widths, so that a row of the draft may be left behind, but no other row is lost.
 *
 * @module
 */

import { clusters, leastWidth } from "./cells.ts";
import type { Row } from "./draft_rows.ts";

/** The size of a terminal that doesn't say, cells. */
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

const BREAK_NO_ROWS = "\x1b[?7l";
const BREAK_ROWS = "\x1b[?7h";
const REMEMBER = "\x1b7";
const GO_BACK = "\x1b8";
// Not from the first cell of the screen on: tmux keeps what is cleared there, and a copy would be left behind.
const CLEAR_BELOW = "\r\x1b[K\x1b[C\x1b[J\r";
const TOP = "\x1b[H";

/** What tells that a draft goes on above, and below. */
const MORE_ABOVE = "↑ ";
const MORE_BELOW = "↓ ";

/** A terminal, with its present size in cells: 0 where it doesn't say. */
export interface Screen {
  /** Its width. */
  readonly columns: number;
  /** Its height. */
  readonly rows: number;
  /** Resolves when it takes nothing more. */
  readonly gone: Promise<void>;
  /** Writes all of a text, at once; nothing where the terminal is gone. */
  write(text: string): void;
}

/** What is on the screen of a draft. */
interface Painted {
  /** The width that the terminal had, cells. */
  readonly columns: number;
  /** The rows above the cursor's. */
  readonly above: readonly string[];
  /** What stands before the cursor in its row, and what it stands at. */
  readonly before: string;
  readonly at: string;
}

/** Paints drafts. */
export class DraftPainter {
  readonly #output: Screen;
  readonly #rebreaks: boolean;
  #painted: Painted | undefined;
  #top = 0; // the first row of the draft that is shown

  /** Nothing is painted yet. @param rebreaks Whether the terminal breaks its rows anew when it gets narrower. */
  constructor(output: Screen, rebreaks: boolean) {
    this.#output = output;
    this.#rebreaks = rebreaks;
  }

  /** The width of the terminal, cells. */
  get columns(): number {
    return this.#output.columns || DEFAULT_COLUMNS;
  }

  /** The height of the terminal, cells. */
  get #height(): number {
    return this.#output.rows || DEFAULT_ROWS;
  }

  /** Clears the draft, writes rows in its place, and the draft below them. @param cursor A place in the text. */
  paint(rows: readonly Row[], cursor: number, printed = ""): void {
    const cursorRow = Math.max(0, rows.findIndex((row) => row.has(cursor)));
    const shown = this.#window(rows, cursorRow);
    const below = shown.length - 1;
    const room = below === 0 ? "" : `${"\r\n".repeat(below)}\x1b[${below}A`;
    const own = shown[cursorRow - this.#top];
    const [before = "", after = ""] = own?.split(cursor) ?? [];
    const texts = shown.map((row) =>
      row === own ? before + REMEMBER + after : row.shown
    );
    this.#output.write(
      this.#clear() + printed + BREAK_NO_ROWS + room + texts.join("\r\n") +
        GO_BACK + BREAK_ROWS,
    );
    const above = shown.slice(0, cursorRow - this.#top)
      .map((row) => row.shown);
    const [at = ""] = clusters(after);
    this.#painted = { columns: this.columns, above, before, at };
  }

  /** Clears the draft, and writes rows in its place. */
  erase(printed = ""): void {
    this.#output.write(this.#clear() + printed);
    this.#painted = undefined;
  }

  /** Forgets the draft that is on the screen: the cursor is elsewhere. */
  leave(): void {
    this.#painted = undefined;
  }

  /** Moves all that is shown out at the top, where the terminal keeps it, and clears the draft. */
  clearScreen(): void {
    // As many new rows as there are below, and then as many as there are above.
    this.erase("\r\n".repeat(this.#height - 1) + TOP);
  }

  /** The rows that are shown: half of the terminal is for what others say. */
  #window(rows: readonly Row[], cursorRow: number): Row[] {
    const height = Math.max(1, Math.floor(this.#height / 2));
    const last = Math.max(0, rows.length - height);
    const least = Math.max(0, cursorRow - height + 1);
    this.#top = Math.min(Math.max(this.#top, least), cursorRow, last);
    const end = this.#top + height;
    const shown = rows.slice(this.#top, end);
    if (end < rows.length) mark(shown, shown.length - 1, MORE_BELOW);
    if (this.#top > 0) mark(shown, 0, MORE_ABOVE);
    return shown;
  }

  #clear(): string {
    const rows = this.#rowsAbove;
    return (rows > 0 ? `\x1b[${rows}A` : "") + CLEAR_BELOW;
  }

  /** How many rows the cursor is below the first of the draft; at least, if the terminal is narrower now. */
  get #rowsAbove(): number {
    if (!this.#painted) return 0;
    const { columns, above, before, at } = this.#painted;
    if (columns <= this.columns || !this.#rebreaks) return above.length;
    return above.reduce((sum, row) => sum + this.#breaks(row) + 1, 0) +
      this.#breaks(before + at);
  }

  /** How often the terminal goes to another row within this one, at least. */
  #breaks(row: string): number {
    let breaks = 0;
    let column = 0;
    for (const cluster of clusters(row)) {
      const cells = leastWidth(cluster);
      if (column + cells > this.columns) {
        breaks++;
        column = 0;
      }
      column += cells;
    }
    return breaks;
  }
}

/** Puts a mark in place of the indent of a row. */
function mark(rows: Row[], index: number, text: string): void {
  const row = rows[index];
  if (row) rows[index] = row.indented(text);
}
