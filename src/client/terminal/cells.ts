/**
 * How many cells text takes in a terminal, and what fits into how many.
 *
 * A cell count is a belief: terminals differ over flags, families and emoji with a selector. What must hold in every
 * terminal uses the least or the greatest count that any of them has.
 *
 * @module
 */

import { eastAsianWidth } from "get-east-asian-width";
import stringWidth from "string-width";

/** Text in which each character is a cluster of its own, and takes one cell. */
const PLAIN = /^[ -~]*$/;
/** One character, which terminals agree on: most of what is written. */
const LETTER = /^[\p{L}\p{P}]$/u;
/** No cell of their own: they join the character before. */
const NO_CELL = /^[\p{Mn}\p{Me}\p{Cf}]/u;
const FLAG_LETTERS = /\p{RI}/gu;

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** The grapheme clusters of a text, what a person takes for its characters. */
export function clusters(text: string): string[] {
  return PLAIN.test(text)
    ? text.split("")
    : Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** How many cells the text takes in one row of a terminal. */
export function width(text: string): number {
  return PLAIN.test(text) ? text.length : stringWidth(text);
}

/** The most cells that a terminal may give a cluster: some show each of its characters beside the other. */
export function greatestWidth(cluster: string): number {
  if (PLAIN.test(cluster)) return cluster.length;
  if (LETTER.test(cluster)) return cellsOf(cluster);
  let sum = 0;
  for (const character of cluster) sum += cellsOf(character);
  const letters = cluster.match(FLAG_LETTERS)?.length ?? 0;
  return Math.max(sum + letters, width(cluster));
}

/** The fewest cells that a terminal may give a cluster: some go by its first character. */
export function leastWidth(cluster: string): number {
  if (PLAIN.test(cluster)) return cluster.length;
  const [first = ""] = cluster;
  const letters = cluster.match(FLAG_LETTERS)?.length ?? 0;
  return Math.min(width(cluster), letters || cellsOf(first));
}

/** The start of a text that fits into a number of cells, with "…" if that isn't all of it. */
export function cut(text: string, cells: number): string {
  if (width(text) <= cells) return text;
  let start = "";
  let taken = 1; // the "…" at its end
  for (const cluster of clusters(text)) {
    taken += width(cluster);
    if (taken > cells) break;
    start += cluster;
  }
  return `${start}…`;
}

/** The text with spaces after it, up to a number of cells. */
export function padCells(text: string, cells: number): string {
  return text + " ".repeat(Math.max(0, cells - width(text)));
}

function cellsOf(character: string): number {
  if (NO_CELL.test(character)) return 0;
  return eastAsianWidth(character.codePointAt(0) ?? 0);
}
