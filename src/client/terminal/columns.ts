/**
 * Where a transcript's parts stand: in columns, as wide as what is in them, or, in a narrow terminal, one behind the
 * other.
 *
 *     12:00   17  Rahul      a text, and below it      12:00 17 Rahul: a text, and
 *                            its next row                       below it its next row
 *     ── today ────────────────────────────────        ── today ──────────────────────
 *     12:01   18  * Rahul waves                        12:01 18 * Rahul waves
 *
 * @module
 */

import { cut, width } from "./cells.ts";
import { remark, type TextLine, withLinks } from "./message_text.ts";
import type { Paragraph, Piece } from "./paragraph.ts";
import type { Settings } from "./settings.ts";
import { Style } from "./style.ts";
import type { WallClock } from "./wall_clock.ts";
import { escapeText } from "../../base/safe_text.ts";

/** The least width of the column for names, cells. */
const MIN_NAME_WIDTH = 10;
/** The column for names takes this part of the width at most. */
const MAX_NAME_SHARE = 1 / 3;
/** The least width of the column for numbers, cells. */
const MIN_NUMBER_WIDTH = 3;
/** A terminal with fewer cells than this has no room for columns. */
const NARROW = 60;
/** Of a narrow terminal's width, this part at most is left empty beside a message's further rows. */
const MAX_HANG = 1 / 4;
/** Where the further rows of a text for one person begin, after the number, cells. */
const ALONE_HANG = 2;
/** How much of a message is shown above its answer, cells. */
const MAX_QUOTED = 60;
/** The least, however narrow the terminal is, cells. */
const MIN_QUOTED = 8;

/** What columns are made of. */
export interface ColumnsOptions {
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
  /** The name's style, `SGR` parameters. */
  readonly style: string;
}

/** Puts texts into columns. */
export class Columns {
  readonly #options: ColumnsOptions;
  readonly #clock: WallClock;
  #nameWidth = MIN_NAME_WIDTH;
  #numberWidth = 0; // before there is any

  /** Narrow columns. @param clock Tells the times. */
  constructor(options: ColumnsOptions, clock: WallClock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** The lines of a text beside the name in its column. */
  said(
    { at, seq, name, style }: Start,
    lines: readonly TextLine[],
  ): Paragraph[] {
    const start = this.#start(at, seq);
    const piece = { text: name, style };
    if (this.#isNarrow) {
      return this.#below(start, { ...piece, text: `${name}:` }, lines);
    }
    this.#widen(name);
    const fill = " ".repeat(Math.max(0, this.#nameWidth - width(name)) + 1);
    return this.#lines(
      [...start, piece, { text: fill }],
      this.#textCells,
      lines,
    );
  }

  /** The lines of a text that begins with the name. */
  acted(
    { at, seq, name, style }: Start,
    lines: readonly TextLine[],
  ): Paragraph[] {
    const start = [...this.#start(at, seq), { text: "* " }];
    const piece = { text: name, style };
    if (this.#isNarrow) return this.#below(start, piece, lines);
    const hang = this.#timeCells + this.#numberCells + width(name) + 3;
    return this.#lines([...start, piece, { text: " " }], hang, lines);
  }

  /** The lines of a text for one person alone. @param head Who writes to whom, escaped. @param style Its style. */
  alone(
    { at, head, style }: {
      readonly at: number;
      readonly head: string;
      readonly style: string;
    },
    lines: readonly TextLine[],
  ): Paragraph[] {
    const gap = { text: " ".repeat(this.#numberCells) };
    const start = [...this.#time(at), gap];
    const piece = { text: head, style };
    if (this.#isNarrow) return this.#below(start, piece, lines);
    const hang = this.#timeCells + this.#numberCells + ALONE_HANG;
    return this.#lines([...start, piece, { text: " " }], hang, lines);
  }

  /** What an answer answers, for the row above it. */
  quoted(text: string): Paragraph {
    const hang = this.#textCells;
    const room = this.#options.columns() - 1 - hang - 2;
    const cells = Math.max(MIN_QUOTED, Math.min(MAX_QUOTED, room));
    const shown = cut(escapeText(text.replaceAll("\n", " ")), cells);
    const start = [{ text: " ".repeat(hang) }];
    return { start, hang: hang + 2, ...remark(`↪ ${shown}`) };
  }

  /** Something that nobody said, in the column of what is said. @param at ms since 1970. */
  aside(at: number, text: string): Paragraph {
    const hang = this.#textCells;
    const gap = { text: " ".repeat(Math.max(0, hang - this.#timeCells)) };
    return { start: [...this.#time(at), gap], hang, ...remark(text) };
  }

  /** Something that this program tells, with a sign before it. @param at ms since 1970; left out: no time. */
  told(text: string, sign?: Piece, at?: number): Paragraph {
    const time = at === undefined ? [] : this.#time(at);
    const start = sign ? [...time, sign, { text: " " }] : time;
    const leading = text.length - text.trimStart().length;
    const hang = (time.length > 0 ? this.#timeCells : leading) + 2;
    return { start, hang, text, ...withLinks(text) };
  }

  /** A line across all columns. */
  rule(label: string): Paragraph {
    const start = [{ text: "── ", style: Style.dim }];
    const fill = { text: "─", style: Style.dim };
    return { start, hang: 3, ...remark(label), fill };
  }

  get #isNarrow(): boolean {
    return this.#options.columns() < NARROW;
  }

  /** The columns of the time and the number. @param at ms since 1970. */
  #start(at: number, seq: number): Piece[] {
    const number = this.#number(seq);
    const [time, gap] = this.#time(at);
    if (!time || !gap) return number;
    // A number that is wider than its column begins in the space before it, so that all else stays where it is.
    const excess = Math.max(
      0,
      String(seq).length + this.#gap.length - this.#numberCells,
    );
    return [time, { text: gap.text.slice(excess) }, ...number];
  }

  /** The column of the times, with the space after it. @param at ms since 1970. */
  #time(at: number): Piece[] {
    const times = this.#options.settings.get("times");
    if (times === "off") return [];
    const shown = this.#clock.time(at, times === "seconds");
    return [{ text: shown, style: Style.dim }, { text: this.#gap }];
  }

  get #timeCells(): number {
    const times = this.#options.settings.get("times");
    if (times === "off") return 0;
    return (times === "seconds" ? 8 : 5) + this.#gap.length;
  }

  /** The column of the numbers, with the space after it: what `/re` takes. */
  #number(seq: number): Piece[] {
    const shown = String(seq);
    const spare = this.#timeCells === 0 ? 0 : this.#gap.length - 1;
    if (this.#numberWidth === 0 || shown.length > this.#numberWidth + spare) {
      this.#numberWidth = Math.max(this.#leastNumberWidth, shown.length);
    }
    if (this.#numberCells === 0) return [];
    const cells = this.#numberCells - this.#gap.length;
    return [
      { text: shown.padStart(cells), style: Style.dim },
      { text: this.#gap },
    ];
  }

  get #numberCells(): number {
    if (this.#options.settings.get("numbers") !== "on") return 0;
    return Math.max(this.#leastNumberWidth, this.#numberWidth) +
      this.#gap.length;
  }

  get #leastNumberWidth(): number {
    return this.#isNarrow ? 1 : MIN_NUMBER_WIDTH;
  }

  /** Between two columns. */
  get #gap(): string {
    return this.#isNarrow ? " " : "  ";
  }

  /** Where the texts begin; in a narrow terminal, where the further rows of a message do. */
  get #textCells(): number {
    const cells = this.#timeCells + this.#numberCells;
    if (!this.#isNarrow) return cells + this.#nameWidth + 1;
    return Math.min(cells, Math.floor(this.#options.columns() * MAX_HANG));
  }

  #widen(name: string): void {
    const { settings, columns } = this.#options;
    const share = Math.floor(columns() * MAX_NAME_SHARE);
    const widest = Math.min(Number(settings.get("names")), share);
    const least = Math.min(MIN_NAME_WIDTH, widest);
    const wide = Math.min(width(name), widest);
    this.#nameWidth = Math.max(least, Math.min(this.#nameWidth, widest), wide);
  }

  /** Lines in a narrow terminal: the name is the beginning of the text, and what keeps its shape is below it. */
  #below(
    start: readonly Piece[],
    { text: name, style = "" }: Piece,
    [first, ...more]: readonly TextLine[],
  ): Paragraph[] {
    const hang = this.#textCells;
    const head = { start: 0, end: name.length, style };
    if (!first || first.isCode) {
      const lines = first ? [first, ...more] : more;
      const alone = { start, hang, text: name, marks: [head] };
      return [alone, ...this.#indented(hang, lines)];
    }
    const by = name.length + 1;
    const moved = <T extends { start: number; end: number }>(span: T): T => ({
      ...span,
      start: span.start + by,
      end: span.end + by,
    });
    const line = {
      ...first,
      text: `${name} ${first.text}`,
      marks: [head, ...first.marks.map(moved)],
      kept: first.kept.map(moved),
    };
    return this.#lines(start, hang, [line, ...more]);
  }

  /** Lines after their start, the further ones below it: one message. */
  #lines(
    start: readonly Piece[],
    hang: number,
    [first, ...more]: readonly TextLine[],
  ): Paragraph[] {
    if (!first) return [];
    return [{ ...first, start, hang }, ...this.#indented(hang, more)];
  }

  #indented(hang: number, lines: readonly TextLine[]): Paragraph[] {
    const start = [{ text: " ".repeat(hang) }];
    return lines.map((line) => ({ ...line, start, hang, goesOn: true }));
  }
}
