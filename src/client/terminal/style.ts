/**
 * How text is shown: its colour, its width in the cells of a terminal, its start where it is too long. Knows
 * nothing of what the text says, and no state of the terminal.
 *
 * @module
 */

import { escapeText } from "../../base/safe_text.ts";

/** The `SGR` codes in use (ECMA-48, 8.3.117). */
export const Style = {
  bold: 1,
  dim: 2,
  reverse: 7,
  green: 32,
  yellow: 33,
} as const;

/** Green, yellow, magenta, cyan, and the bright ones of these and of blue: readable on black and on white. */
const NAME_COLOURS = [32, 33, 35, 36, 92, 94, 95, 96];

/** Puts a style around text, or doesn't. */
export type Paint = (style: number, text: string) => string;

/** What paints where colours are wanted, and else returns the text as it is. */
export function painter(colour: boolean): Paint {
  return (style, text) => colour ? `\x1b[${style}m${text}\x1b[0m` : text;
}

/** The colour for a member, the same wherever its key is shown. */
export function colourOf(key: string): number {
  let hash = 0;
  for (const character of key) {
    hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  }
  return NAME_COLOURS[hash % NAME_COLOURS.length] ?? Style.green;
}

/** How much of a text is repeated to say which it is, characters. */
const MAX_QUOTE = 40;

/** The start of the text in quotes, escaped, to say which text is meant. */
export function quote(text: string): string {
  const characters = [...text];
  const cut = characters.length > MAX_QUOTE ? "…" : "";
  return `"${escapeText(characters.slice(0, MAX_QUOTE).join(""))}${cut}"`;
}

/** Two cells each: emoji, and what UAX #11 calls wide or fullwidth, in whole blocks. */
const WIDE =
  /^(?:\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\u4dbf\u4e00-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18d8f}\u{1aff0}-\u{1b2ff}\u{20000}-\u{3fffd}])/u;
/** No cell of their own: they join the character before. */
const NARROWEST = /^[\p{Mn}\p{Me}\p{Cf}]/u;

function cellsOf(character: string): 0 | 1 | 2 {
  if (NARROWEST.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** How many cells the text takes in one row of a terminal. */
export function width(text: string): number {
  let cells = 0;
  for (const character of text) cells += cellsOf(character);
  return cells;
}

/** The start of a text that takes at most so many cells, with "…" where that isn't all of it. */
export function cut(text: string, cells: number): string {
  if (width(text) <= cells) return text;
  let start = "";
  let taken = 1; // the "…" at its end
  for (const character of text) {
    taken += cellsOf(character);
    if (taken > cells) break;
    start += character;
  }
  return `${start}…`;
}

/** The text with spaces after it, up to so many cells. */
export function padCells(text: string, cells: number): string {
  return text + " ".repeat(Math.max(0, cells - width(text)));
}

/**
 * How many times the cursor moves to the next row while the text is typed. A wide character that doesn't fit
 * into the last cell goes to the next row whole; after a full row the cursor stands in the next.
 */
export function wraps(text: string, columns: number): number {
  let row = 0;
  let column = 0;
  for (const character of text) {
    const cells = cellsOf(character);
    if (column + cells > columns) {
      row++;
      column = 0;
    }
    column += cells;
  }
  return column >= columns ? row + 1 : row;
}
