/**
 * What was meant by a mistyped word. Knows nothing of what the words are for.
 *
 * @module
 */

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
    .map((word) => ({ word, typos: distance(typed, word) }))
    .filter(({ word, typos }) => typos <= MAX_TYPOS && typos < word.length - 1)
    .sort((a, b) => a.typos - b.typos)[0]?.word;
}

/** Levenshtein's distance: how many letters to add, drop or replace. */
function distance(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 0; row < from.length; row++) {
    const line = [row + 1];
    for (let column = 0; column < to.length; column++) {
      const replaced = from[row] === to[column] ? 0 : 1;
      line.push(Math.min(
        (above[column + 1] ?? 0) + 1,
        (line[column] ?? 0) + 1,
        (above[column] ?? 0) + replaced,
      ));
    }
    above = line;
  }
  return above.at(-1) ?? 0;
}
