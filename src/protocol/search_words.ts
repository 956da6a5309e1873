/**
 * What it means that a line has the words that somebody searches for: name or text have each of them, in any order,
 * whatever the case.
 *
 * @module
 */

import type { LogEntry } from "./line.ts";

const ascii = /^[\0-\x7f]*$/;

/** Text without case and without variants of characters that mean the same: for comparing, never for showing. */
export function fold(text: string): string {
  if (ascii.test(text)) return text.toLowerCase();
  // In capitals first, which makes two letters of ß; a sigma is small in two ways, by where it stands.
  return text.normalize("NFKC").toUpperCase().toLowerCase()
    .replaceAll("ς", "σ");
}

/** The words, folded. */
export function searchWords(text: string): string[] {
  return fold(text).split(/\s/u).filter((word) => word !== "");
}

/**
 * Whether a line has all of the words; any has none.
 * @param words As `searchWords` gives them. @param said What the line says by now; null if it was deleted.
 */
export function hasWords(
  words: readonly string[],
  { what, name }: Pick<LogEntry, "what" | "name">,
  said: string | null,
): boolean {
  if (words.length === 0) return true;
  if (said === null) return false;
  // Why somebody left is a code, not words.
  const text = what === "left" ? "" : fold(said);
  const who = fold(name);
  return words.every((it) => who.includes(it) || text.includes(it));
}
