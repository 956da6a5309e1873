/**
 * The rows of a draft: the prompt and what is typed, broken for a terminal's width.
 *
 * A row has room for its clusters even where the terminal gives each of them the most cells, and one cell more, in
 * which the cursor can stand: no terminal breaks such a row again.
 *
 *     ana> a line that is longer than a r
 *       ow of the terminal
 *     … and after a line end
 *
 * @module
 */

import { escapeText } from "../../base/safe_text.ts";
import { clusters, greatestWidth, width } from "./cells.ts";

/** What stands before a row that goes on with a line, and before one that begins a line. */
const GOES_ON = "  ";
const NEW_LINE = "… ";
/** On a narrower terminal nothing stands before a row, cells. */
const MIN_COLUMNS = 8;

/** A cluster of the text, as it is shown. */
export interface Cell {
  /** Where it begins in the text, UTF-16 units. */
  readonly at: number;
  /** What is shown for it, escaped. */
  readonly shown: string;
}

/** A row of a draft. */
export class Row {
  /** What stands before everything else, to tell that it isn't the first row. */
  readonly indent: string;
  /** Where its part of the text begins, UTF-16 units. */
  readonly from: number;
  /** Where its part of the text ends, UTF-16 units. */
  to: number;
  /** Its part of the prompt. */
  prompt = "";
  /** What it has of the text. */
  cells: Cell[] = [];
  /** Whether a line ends here, so that the cursor can stand behind its last cluster. */
  isLineEnd = false;

  /** An empty row. */
  constructor(indent: string, from: number) {
    this.indent = indent;
    this.from = from;
    this.to = from;
  }

  /** The same row with another indent, if it has one. */
  indented(indent: string): Row {
    const row = new Row(this.indent === "" ? "" : indent, this.from);
    const { to, prompt, cells, isLineEnd } = this;
    return Object.assign(row, { to, prompt, cells, isLineEnd });
  }

  /** Whether the cursor stands in this row when it is at a place in the text. */
  has(at: number): boolean {
    return at >= this.from &&
      (at < this.to || (this.isLineEnd && at === this.to));
  }

  /** What is shown before a place in the text, and from there on. */
  split(at: number): [before: string, after: string] {
    const before = this.cells.filter((cell) => cell.at < at);
    const after = this.cells.slice(before.length);
    const start = this.indent + this.prompt;
    return [start + shownIn(before), shownIn(after)];
  }

  /** All that is shown. */
  get shown(): string {
    return this.indent + this.prompt + shownIn(this.cells);
  }

  /** The place in the text that is nearest to a column, cells. */
  nearest(column: number): number {
    let cells = width(this.indent + this.prompt);
    for (const { at, shown } of this.cells) {
      cells += width(shown);
      if (cells > column) return at;
    }
    return this.isLineEnd ? this.to : this.cells.at(-1)?.at ?? this.to;
  }
}

function shownIn(cells: readonly Cell[]): string {
  return cells.map(({ shown }) => shown).join("");
}

/** The rows of a prompt and a text, at least one. @param columns The width of the terminal, cells. */
export function breakRows(
  prompt: string,
  text: string,
  columns: number,
): Row[] {
  const breaker = new RowBreaker(columns);
  for (const cluster of clusters(prompt)) breaker.addPrompt(cluster);
  let at = 0;
  for (const [index, line] of text.split("\n").entries()) {
    if (index > 0) breaker.beginLine(at);
    for (const cluster of clusters(line)) {
      breaker.add(at, cluster);
      at += cluster.length;
    }
    breaker.endLine();
    at++; // the line end
  }
  return breaker.rows;
}

class RowBreaker {
  readonly rows: Row[] = [];
  readonly #room: number; // cells of a row, but for the cursor's
  readonly #indents: boolean;
  #row: Row;
  #indented = 0; // cells of the last row's indent
  #used = 0; // cells of the last row, at most

  constructor(columns: number) {
    this.#room = columns - 1;
    this.#indents = columns >= MIN_COLUMNS;
    this.#row = this.#begin("", 0);
  }

  addPrompt(cluster: string): void {
    this.#take(greatestWidth(cluster), 0);
    this.#row.prompt += cluster;
  }

  add(at: number, cluster: string): void {
    const shown = escapeText(cluster);
    this.#take(greatestWidth(shown), at);
    this.#row.cells.push({ at, shown });
    this.#row.to = at + cluster.length;
  }

  beginLine(at: number): void {
    this.#row = this.#begin(NEW_LINE, at);
  }

  endLine(): void {
    this.#row.isLineEnd = true;
  }

  /** Takes cells of the last row, or of another. */
  #take(cells: number, at: number): void {
    const isFull = this.#used + cells > this.#room;
    // What is wider than the terminal has a row to itself.
    if (isFull && this.#used > this.#indented) {
      this.#row = this.#begin(GOES_ON, at);
    }
    this.#used += cells;
  }

  #begin(indent: string, at: number): Row {
    const start = this.#indents && this.rows.length > 0 ? indent : "";
    const row = new Row(start, at);
    this.rows.push(row);
    this.#indented = start === "" ? 0 : GOES_ON.length;
    this.#used = this.#indented;
    return row;
  }
}
