/**
 * Where a line of text is broken, so that a terminal doesn't break it in the middle of a word.
 *
 * @module
 */

import { clusters, width } from "./cells.ts";

/** A stretch of a text, UTF-16 units. */
export interface Span {
  /** Where it begins. */
  readonly start: number;
  /** Where it ends, itself not in it. */
  readonly end: number;
}

/** A stretch of a text that stays in one row. */
export interface Kept extends Span {
  /** Whether it does even if no row is wide enough for it, as a link must to be copied. Else it is broken then. */
  readonly always: boolean;
}

/** How wide the rows are, cells. */
export interface Widths {
  /** The first. */
  readonly first: number;
  /** The others. */
  readonly rest: number;
}

// A space that doesn't break is part of a word.
const SPACE = String.raw`[\s--[\u00a0\u202f]]`;
// Scripts without spaces are broken between any two letters, but for the marks that belong to the one before.
const IDEOGRAPH = String
  .raw`[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]`;
const JOINS_BEFORE = String
  .raw`[\p{M}\p{Pe}\p{Pf}\p{Po}ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ]`;
const WORD = new RegExp(
  `${IDEOGRAPH}${JOINS_BEFORE}*|(?:(?!${SPACE}|${IDEOGRAPH})[^])+`,
  "gv",
);

/** What is put into a row whole if it fits into one. */
interface Word extends Span {
  /** A word in which a kept stretch stands is made of it and of what touches it. */
  readonly parts: readonly Kept[];
}

/**
 * The rows of a text that has no line ends: between words, else between characters. Spaces where it is broken are in
 * no row; all else is. No row is wider than it may be, but for one that has nothing but a stretch that is always kept.
 */
export function wrap(
  text: string,
  widths: Widths,
  kept: readonly Kept[] = [],
): Span[] {
  const rows = new Rows(text, widths);
  for (const word of words(text, kept)) {
    if (rows.append(word) || rows.begin(word)) continue;
    for (const part of word.parts) {
      if (rows.append(part) || rows.begin(part)) continue;
      if (part.always) rows.alone(part);
      else rows.fill(part);
    }
  }
  return rows.all;
}

/** The rows of a text that keeps its shape, such as code: each is filled to its end. */
export function breakHard(text: string, widths: Widths): Span[] {
  const rows = new Rows(text, widths);
  rows.fill({ start: 0, end: text.length });
  return rows.all;
}

/** The words of a text; each stretch that is kept is within one. */
function words(text: string, kept: readonly Kept[]): Word[] {
  const found: Word[] = [];
  const add = (part: Kept, joins: boolean) => {
    const last = found.at(-1);
    if (!joins || last?.end !== part.start) {
      found.push({ ...part, parts: [part] });
    } else {
      const parts = [...last.parts, part];
      found[found.length - 1] = { start: last.start, end: part.end, parts };
    }
  };
  let from = 0;
  for (const stretch of [...kept, { start: text.length, end: text.length }]) {
    for (const match of text.slice(from, stretch.start).matchAll(WORD)) {
      const start = from + match.index;
      const end = start + match[0].length;
      add({ start, end, always: false }, start === from);
    }
    if ("always" in stretch) add(stretch, true);
    from = stretch.end;
  }
  return found;
}

/** Rows as they are filled. */
class Rows {
  readonly #text: string;
  readonly #widths: Widths;
  readonly #full: Span[] = [];
  #row: Span = { start: 0, end: 0 };
  #ends = false; // whether nothing more may come into the row

  constructor(text: string, widths: Widths) {
    this.#text = text;
    this.#widths = widths;
  }

  get all(): Span[] {
    return [...this.#full, this.#row];
  }

  /** Puts a stretch behind what is in the row. @returns Whether it fits. */
  append({ end }: Span): boolean {
    const { start } = this.#row;
    if (this.#ends || this.#cells(start, end) > this.#width) return false;
    this.#row = { start, end };
    return true;
  }

  /** Begins a row with a stretch. @returns Whether it fits. */
  begin({ start, end }: Span): boolean {
    if (this.#cells(start, end) > this.#widths.rest) return false;
    this.#next(start);
    return this.append({ start, end });
  }

  /** Gives a stretch a row of its own, whatever its width. */
  alone({ start, end }: Span): void {
    this.#next(start);
    this.#row = { start, end };
    this.#ends = true;
  }

  /** Puts a stretch into as many rows as it takes, character by character. */
  fill({ start, end }: Span): void {
    let at = start;
    for (const cluster of clusters(this.#text.slice(start, end))) {
      const character = { start: at, end: at + cluster.length };
      at = character.end;
      if (this.append(character)) continue;
      this.#next(character.start);
      // Were it wider than a row, it would still have to be somewhere.
      this.#row = character;
    }
  }

  get #width(): number {
    return this.#full.length === 0 ? this.#widths.first : this.#widths.rest;
  }

  #next(start: number): void {
    // An empty first row is one only where something stands before it.
    const isNone = this.#full.length === 0 &&
      this.#row.end === 0 && this.#widths.first >= this.#widths.rest;
    if (!isNone) this.#full.push(this.#row);
    this.#row = { start, end: start };
    this.#ends = false;
  }

  #cells(start: number, end: number): number {
    return width(this.#text.slice(start, end));
  }
}
