/**
 * How many cells text takes in a terminal, and what fits into how many.
 *
 * A cell count is a belief: terminals differ over flags, families and emoji with a selector. What must hold in every
 * terminal uses the least or the greatest count that any of them has.
 *
 * @module
 */

import { eastAsianWidth } from "get-east-asian-width";

/** Text in which each character is a cluster of its own, and takes one cell. */
const PLAIN = /^[ -~]*$/;
/**
 * Text in which each character is a cluster of its own, of one or two cells: of Latin, Greek, Cyrillic, Chinese,
 * Japanese and Korean without marks that join, with signs and lines. What counts clusters is slow to load.
 */
const ALONE =
  /^[ -~\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0482\u048a-\u052f\u2010-\u2027\u2190-\u27bf\u3001-\u3029\u3041-\u3096\u30a1-\u30fe\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff9d]*$/;
/** One character, which terminals agree on: most of what is written. */
const LETTER = /^[\p{L}\p{P}]$/u;
/** No cell of their own: they join the character before. */
const NO_CELL = /^[\p{Mn}\p{Me}\p{Cf}]/u;
const FLAG_LETTERS = /\p{RI}/gu;
/** Starts as what is shown as one picture, whatever follows: a flag, a family, an emoji in a colour of skin. */
const PICTURE =
  /^(?:\p{Emoji_Presentation}|\p{RI}|\p{Emoji}\ufe0f|\p{Emoji_Modifier_Base}\p{Emoji_Modifier}|\p{Extended_Pictographic}\u200d\p{Extended_Pictographic})/u;
/** Starts as what would be a picture, but asks to be shown as text. */
const AS_TEXT = /^[\u231a-\u2b55]\ufe0e/;
/** Starts a syllable of Korean, which may be written in parts: all of them stand in one block. */
const SYLLABLE = /^[\u1100-\u11ff\ua960-\ua97c\uac00-\ud7fb]/;
const JOINER = "\u200d";

let segmenter: Intl.Segmenter | undefined; // made for the first text that needs it: it takes long

/** The grapheme clusters of a text, what a person takes for its characters. */
export function clusters(text: string): string[] {
  if (ALONE.test(text)) return text.split("");
  segmenter ??= new Intl.Segmenter(undefined, { granularity: "grapheme" });
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** How many cells the text takes in one row of a terminal. */
export function width(text: string): number {
  if (PLAIN.test(text)) return text.length;
  return clusters(text).reduce((sum, it) => sum + clusterWidth(it), 0);
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

/** How many cells most terminals give a cluster. */
function clusterWidth(cluster: string): number {
  if (cluster.length === 1 || SYLLABLE.test(cluster)) return cellsOf(cluster);
  if (AS_TEXT.test(cluster)) return 1;
  if (PICTURE.test(cluster)) return 2;
  const [shown = ""] = cluster.split(JOINER, 1);
  return [...shown].reduce((sum, character) => sum + cellsOf(character), 0);
}

/** How many cells the first character takes. */
function cellsOf(character: string): number {
  if (NO_CELL.test(character)) return 0;
  return eastAsianWidth(character.codePointAt(0) ?? 0);
}
