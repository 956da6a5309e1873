/**
 * A list of words in a sentence: the one that a mistyped word was meant to be, and all of them.
 *
 * @module
 */

import { levenshteinDistance } from "./std.ts";

/** How many letters may be wrong. */
const MAX_TYPOS = 2;
/** Counting edits takes time that grows with the word; no word that is meant is longer. */
const MAX_LENGTH = 32;

/** The one of the words that is nearest to what was typed, undefined where none is near. */
export function nearest(
  typed: string,
  words: readonly string[],
): string | undefined {
  if (typed.length > MAX_LENGTH) return undefined;
  return words
    .map((word) => ({ word, typos: levenshteinDistance(typed, word) }))
    .filter(({ word, typos }) => typos <= MAX_TYPOS && typos < word.length - 1)
    .sort((a, b) => a.typos - b.typos)[0]?.word;
}

/**
 * The end of a sentence about a mistyped word: `; did you mean "--port"?`, or nothing if no word is near.
 * @param prefix Stands before each of the words.
 */
export function didYouMean(
  typed: string,
  words: readonly string[],
  prefix = "",
): string {
  const meant = nearest(typed, words);
  return meant === undefined ? "" : `; did you mean "${prefix}${meant}"?`;
}

/** All the words: `debug, info or error`. */
export function alternatives(words: readonly string[]): string {
  if (words.length < 2) return words.join();
  return `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
