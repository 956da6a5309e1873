/**
 * What Tab found: what its candidates have in common, and how they are listed.
 *
 * @module
 */

import { escapeText } from "../../base/safe_text.ts";
import { cut, padCells, width } from "./cells.ts";

/** How many are listed. */
const MAX_LISTED = 100;
/** Between two in a row, cells. */
const GAP = 2;

/** The start that all words have in common, in either case, written as the first word has it. */
export function commonStart(words: readonly string[]): string {
  const [first = "", ...others] = words.map((word) => Array.from(word));
  const isCommon = (character: string, at: number) =>
    others.every((word) => word[at]?.toLowerCase() === character.toLowerCase());
  const end = Array.from(first)
    .findIndex((character, at) => !isCommon(character, at));
  return Array.from(first).slice(0, end < 0 ? undefined : end).join("");
}

/** The words in rows of a terminal, below one another. @param columns The width of the terminal, cells. */
export function listed(words: readonly string[], columns: number): string[] {
  const room = Math.max(1, columns - 1);
  const shown = words.slice(0, MAX_LISTED)
    .map((word) => cut(escapeText(word.trim()), room));
  const widest = Math.max(...shown.map(width)) + GAP;
  const inRow = Math.max(1, Math.floor((room + GAP) / widest));
  const rows: string[] = [];
  for (let at = 0; at < shown.length; at += inRow) {
    const row = shown.slice(at, at + inRow);
    rows.push(row.map((word) => padCells(word, widest)).join("").trimEnd());
  }
  const rest = words.length - shown.length;
  return rest > 0 ? [...rows, `… ${rest} more`] : rows;
}
