/**
 * How many cells text takes in a terminal, and what fits into how many.
 *
 * @module
 */

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

/** The start of a text that fits into a number of cells, with "…" if that isn't all of it. */
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

/** The text with spaces after it, up to a number of cells. */
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
