/**
 * A model of a terminal's screen: what a person would see of what a program writes.
 *
 * @module
 */

import { clusters, width } from "../../src/client/terminal/cells.ts";
import { assert, assertEquals } from "./assert.ts";

/** Everything that a terminal may be told: text, new rows, where to stand, what to clear, styles, and modes. */
const TOKEN =
  // deno-lint-ignore no-control-regex -- the sequences are what this is about
  /\x1b\[(?:(?<styles>[\d;]*)m|(?<count>\d*)(?<command>[ACHJK]))|(?<mode>\x1b\[\?(?:2004|1004|7)[hl]|\x1b\[2[23];2t)|\x1b\]11;\?\x1b\\|\x1b\](?<told>(?:2|8|9|777);[^\x00-\x1f\x7f-\x9f]*)\x1b\\|(?<cursor>\x1b[78])|(?<control>[\r\n\x07])|(?<text>[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069\u200b\u200e\u200f]+)/uy;

/** A row of cells; the second cell of a wide cluster is empty. */
interface Line {
  cells: string[];
  /** Whether the terminal went on in the next row by itself. */
  goesOn: boolean;
}

/** A terminal's screen. Fails at a sequence that the view has no business to send. */
export class Screen {
  #lines: Line[] = [{ cells: [], goesOn: false }];
  #row = 0; // from the first that was ever written
  #column = 0;
  #top = 0; // the first row that isn't scrolled out
  #breaks = true;
  #remembered: readonly [row: number, column: number] = [0, 0];
  /** All that was written. */
  written = "";
  /** How often it rang. */
  bells = 0;
  /** What it was told beside the rows: titles, notifications and links, without their frames. */
  told: string[] = [];

  /** @param height Without it, nothing is ever scrolled out. @param cellsOf How many cells it gives a cluster. */
  constructor(
    public columns: number,
    public height = Infinity,
    readonly cellsOf: (cluster: string) => number = width,
  ) {}

  /** All rows, those that were scrolled out too. */
  get rows(): string[] {
    return this.#lines.map(({ cells }) => cells.join("").trimEnd());
  }

  /** The rows that can be seen. */
  get seen(): string[] {
    return this.rows.slice(this.#top);
  }

  /** All rows, but those that the terminal broke are whole. */
  get lines(): string[] {
    return wholeLines(this.#lines).map((cells) => cells.join("").trimEnd());
  }

  /** The row and column of the cursor. */
  get cursor(): [number, number] {
    return [this.#row, this.#column];
  }

  /** Gets another width, and leaves its rows, but for what has no place, as xterm does. */
  clip(columns: number): void {
    this.columns = columns;
    for (const { cells } of this.#lines) {
      cells.length = Math.min(cells.length, columns);
      // Half of a wide cluster isn't shown.
      if (cells.length === columns && width(cells.at(-1) ?? "") > 1) {
        cells.pop();
      }
    }
    this.#column = Math.min(this.#column, columns - 1);
  }

  /** Gets another size, and breaks its rows anew, as most terminals do. */
  resize(columns: number, height = this.height): void {
    const [line, at] = this.#place();
    const whole = wholeLines(this.#lines);
    this.columns = columns;
    this.height = height;
    this.#lines = [];
    for (const [index, cells] of whole.entries()) {
      const rows = this.#broken(cells);
      if (index === line) this.#stand(rows, at);
      this.#lines.push(...rows);
    }
    this.#top = Math.max(
      0,
      this.#row + 1 - height,
      this.#lines.length - height,
    );
  }

  write(text: string): void {
    this.written += text;
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < text.length) {
      const at = TOKEN.lastIndex;
      const groups = TOKEN.exec(text)?.groups;
      assert(
        groups,
        `A terminal may not get ${JSON.stringify(text.slice(at))}`,
      );
      if (groups.text) this.#put(groups.text);
      else if (groups.control) this.#control(groups.control);
      else if (groups.told) this.told.push(groups.told);
      else if (groups.mode?.includes("?7")) {
        this.#breaks = groups.mode.endsWith("h");
      } else if (groups.cursor === "\x1b7") {
        this.#remembered = this.cursor;
      } else if (groups.cursor === "\x1b8") {
        [this.#row, this.#column] = this.#remembered;
      } else if (groups.command) {
        this.#obey(groups.command, Number(groups.count || 0));
      }
    }
  }

  #put(text: string): void {
    for (const cluster of clusters(text)) {
      const cells = this.cellsOf(cluster);
      if (this.#column + cells > this.columns) {
        if (this.#breaks) {
          this.#line.goesOn = true;
          this.#moveRow(1);
          this.#column = 0;
        } else this.#column = Math.max(0, this.columns - cells);
      }
      const row = this.#line.cells;
      while (row.length < this.#column) row.push(" ");
      const filled = Array<string>(Math.max(0, cells - 1)).fill("");
      row.splice(this.#column, cells, cluster, ...filled);
      this.#column += cells;
    }
  }

  #control(control: string): void {
    if (control === "\r") this.#column = 0;
    else if (control === "\n") this.#moveRow(1);
    else this.bells++;
  }

  #obey(command: string, count: number): void {
    if (command === "A") this.#moveRow(-(count || 1));
    else if (command === "C") this.#column += count || 1;
    else if (command === "H") [this.#row, this.#column] = [this.#top, 0];
    else {
      assertEquals(count, 0);
      const isHome = this.#row === this.#top && this.#column === 0;
      if (command === "J" && isHome) this.#keepSeen();
      this.#line.cells.length = Math.min(
        this.#line.cells.length,
        this.#column,
      );
      this.#line.goesOn = false;
      if (command === "J") this.#lines.length = this.#row + 1;
    }
  }

  /** What is cleared from the first cell on is scrolled out, as in tmux. */
  #keepSeen(): void {
    const seen = this.#lines.slice(this.#top);
    const used = seen.findLastIndex(({ cells }) => cells.length > 0) + 1;
    if (!Number.isFinite(this.height) || used === 0) return;
    this.#top += used;
    this.#moveRow(used);
  }

  get #line(): Line {
    const line = this.#lines[this.#row];
    assert(line);
    return line;
  }

  #moveRow(by: number): void {
    const row = this.#row + by;
    assert(
      row >= 0 || Number.isFinite(this.height),
      "The cursor left the screen",
    );
    this.#row = Math.max(row, this.#top);
    while (this.#lines.length <= this.#row) {
      this.#lines.push({ cells: [], goesOn: false });
    }
    this.#top = Math.max(this.#top, this.#row + 1 - this.height);
  }

  /** In which whole line the cursor is, and at which of its cells. */
  #place(): [line: number, at: number] {
    const before = this.#lines.slice(0, this.#row);
    const line = before.filter(({ goesOn }) => !goesOn).length;
    const first = before.findLastIndex(({ goesOn }) => !goesOn) + 1;
    const cells = before.slice(first)
      .reduce((sum, { cells }) => sum + cells.length, 0);
    return [line, cells + this.#column];
  }

  /** Puts the cursor at a cell of rows that come next; behind the last cell it stays in the last row. */
  #stand(rows: readonly Line[], at: number): void {
    let row = 0;
    let column = at;
    for (const { cells } of rows.slice(0, -1)) {
      if (column < cells.length) break;
      column -= cells.length;
      row++;
    }
    this.#row = this.#lines.length + row;
    this.#column = Math.min(column, this.columns);
  }

  /** The rows of a line at the present width. */
  #broken(cells: readonly string[]): Line[] {
    const rows: Line[] = [{ cells: [], goesOn: false }];
    for (let at = 0; at < cells.length;) {
      let end = at + 1;
      while (cells[end] === "") end++;
      let row = rows.at(-1);
      if (!row || row.cells.length + end - at > this.columns) {
        if (row) row.goesOn = true;
        row = { cells: [], goesOn: false };
        rows.push(row);
      }
      row.cells.push(...cells.slice(at, end));
      at = end;
    }
    return rows;
  }
}

/** The cells of lines, each whole. */
function wholeLines(lines: readonly Line[]): string[][] {
  const whole: string[][] = [];
  let goesOn = false;
  for (const line of lines) {
    if (goesOn) whole.at(-1)?.push(...line.cells);
    else whole.push([...line.cells]);
    goesOn = line.goesOn;
  }
  return whole;
}
