/**
 * Texts in rows that end between words: help, and what a program says at a terminal.
 *
 * @module
 */

import { commandStart } from "./sentence.ts";

/**
 * Breaks a text between words. A word that no row is wide enough for stays whole, as a link must to be copied.
 * @param width The rows', UTF-16 units: what is written in letters twice as wide breaks where the terminal breaks it.
 */
export function wordRows(text: string, width: number): string[] {
  return rowsOf(text.split(" "), width);
}

/**
 * Breaks the lines of a text that are too long for a terminal. A command at the end of one stays whole: the terminal
 * breaks it, if anything does, and it can be copied.
 */
export function fitted(text: string, columns: number): string {
  const rows = text.split("\n").flatMap((line) => {
    if (line.length <= columns) return line;
    const at = commandStart(line);
    const command = at < 0 ? [] : [line.slice(at)];
    const words = at < 0 ? line : line.slice(0, at - 1); // without the space between
    return rowsOf([...words.split(" "), ...command], columns);
  });
  return rows.join("\n");
}

function rowsOf(words: readonly string[], width: number): string[] {
  const rows: string[] = [];
  for (const word of words) {
    const last = rows.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) {
      rows[rows.length - 1] = `${last} ${word}`;
    } else {
      rows.push(word);
    }
  }
  return rows;
}
