/**
 * The columns in which a transcript stands, as wide as what is in them, and the rules across.
 *
 *     12:00   17  Rahul      a text, and below it
 *                            its next line
 *     ── today ──────────────────────────────────────
 *     12:01   18  * Rahul waves
 *
 * @module
 */

import { cut, width } from "./cells.ts";
import type { Settings } from "./settings.ts";
import { Style, styled } from "./style.ts";
import type { WallClock } from "./wall_clock.ts";
import { escapeText } from "../../base/safe_text.ts";

/** The least width of the column for names, cells. */
const MIN_NAME_WIDTH = 10;
/** The least width of the column for numbers, cells. */
const MIN_NUMBER_WIDTH = 3;
/** How many lines of one message are shown; the rest is counted. */
const MAX_LINES = 50;
/** How much of a message is shown above its answer, cells. */
const MAX_QUOTED = 60;
/** The least, however narrow the terminal is, cells. */
const MIN_QUOTED = 16;

/** What columns are made of. */
export interface ColumnsOptions {
  /** Whether to use colours; they say nothing that the text doesn't. */
  readonly colour: boolean;
  /** What a person has set. */
  readonly settings: Settings;
  /** The width of the terminal, cells. */
  readonly columns: () => number;
}

/** Somebody's line: when (ms since 1970), its number, and the escaped name with its style. */
export interface Start {
  /** ms since 1970. */
  readonly at: number;
  /** Its number. */
  readonly seq: number;
  /** The name, escaped. */
  readonly name: string;
  /** The name's style. */
  readonly style: number;
}

/** Puts texts into columns. */
export class Columns {
  readonly #options: ColumnsOptions;
  readonly #clock: WallClock;
  #nameWidth = MIN_NAME_WIDTH;
  #numberWidth = MIN_NUMBER_WIDTH;

  /** Narrow columns. @param clock Tells the times. */
  constructor(options: ColumnsOptions, clock: WallClock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** A text in a style, or as it is if there are to be no colours. */
  paint(style: number, text: string): string {
    const { colour, settings } = this.#options;
    const isPlain = !colour || settings.get("theme") === "plain";
    return isPlain ? text : styled(style, text);
  }

  /** The rows of a text beside the name in its column. */
  said({ at, seq, name, style }: Start, text: string): string[] {
    const start = this.time(at) + this.#number(seq);
    this.#widen(name);
    const fill = " ".repeat(Math.max(0, this.#nameWidth - width(name)));
    const column = `${this.paint(style, name)}${fill} `;
    return this.#rows(start + column, text, this.#nameWidth + 1);
  }

  /** The rows of a text that begins with the name. */
  acted({ at, seq, name, style }: Start, text: string): string[] {
    const actor = `* ${this.paint(style, name)} `;
    const start = this.time(at) + this.#number(seq) + actor;
    return this.#rows(start, text, width(name) + 3);
  }

  /** What an answer answers, for the row above it. */
  quoted(text: string): string {
    const indent = this.#timeCells + this.#numberCells + this.#nameWidth + 1;
    const room = this.#options.columns() - indent - 3;
    const cells = Math.max(MIN_QUOTED, Math.min(MAX_QUOTED, room));
    const shown = this.paint(Style.dim, `↪ ${cut(escapeText(text), cells)}`);
    return " ".repeat(indent) + shown;
  }

  /** Something that nobody said, in the column of what is said. @param at ms since 1970. */
  aside(at: number, text: string): string {
    const indent = " ".repeat(this.#numberCells + this.#nameWidth + 1);
    return this.time(at) + indent + this.paint(Style.dim, text);
  }

  /** A line across all columns. */
  rule(label: string): string {
    // One cell less than there are: a full row would wrap in some terminals.
    const cells = this.#options.columns() - 1;
    const start = `── ${label} `;
    const rest = Math.max(0, cells - width(start));
    return this.paint(Style.dim, start + "─".repeat(rest));
  }

  /** The column of the times, with the space after it. @param at ms since 1970. */
  time(at: number): string {
    const times = this.#options.settings.get("times");
    if (times === "off") return "";
    const shown = this.#clock.time(at, times === "seconds");
    return `${this.paint(Style.dim, shown)}  `;
  }

  get #timeCells(): number {
    const times = this.#options.settings.get("times");
    return times === "off" ? 0 : times === "seconds" ? 10 : 7;
  }

  /** The column of the numbers, with the space after it: what `/re` takes. */
  #number(seq: number): string {
    if (this.#numberCells === 0) return "";
    const shown = String(seq);
    this.#numberWidth = Math.max(this.#numberWidth, shown.length);
    return this.paint(Style.dim, shown.padStart(this.#numberWidth)) + "  ";
  }

  get #numberCells(): number {
    const isOn = this.#options.settings.get("numbers") === "on";
    return isOn ? this.#numberWidth + 2 : 0;
  }

  #widen(name: string): void {
    const widest = Number(this.#options.settings.get("names"));
    const least = Math.min(MIN_NAME_WIDTH, widest);
    const wide = Math.min(width(name), widest);
    this.#nameWidth = Math.max(least, Math.min(this.#nameWidth, widest), wide);
  }

  /** A text after its start, its further lines indented by as many cells below it. */
  #rows(start: string, text: string, cells: number): string[] {
    const lines = text.split("\n").map(escapeText);
    const rest = lines.length - MAX_LINES;
    if (rest > 0) {
      const more = `… ${rest} more line${rest === 1 ? "" : "s"}`;
      lines.splice(MAX_LINES, rest, this.paint(Style.dim, more));
    }
    const indent = " ".repeat(this.#timeCells + this.#numberCells + cells);
    return lines.map((line, index) => (index === 0 ? start : indent) + line);
  }
}
