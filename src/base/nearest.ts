/**
 * A list of words in a sentence: the one that a mistyped word was meant to be, and all of them.
 *
 * @module
 */

import { levenshteinDistance } from "./std.ts";

/** Counting edits takes time that grows with the word; no word that is meant is longer. */
const MAX_LENGTH = 32;
/** A beginning of fewer letters could be that of too many words. */
const MIN_START = 2;
/** What may follow a word by mistake, with all that comes after it: `port:80`. */
const TAIL = /[.:;,!?].*$/s;
/** From this length on a word is still known with another letter in it, and with two mistakes. */
const MIN_FOR_REPLACED = 5;
const MIN_FOR_TWO = 8;

/**
 * The one of the words that was meant by what was typed, in either case: it goes on from there, or has two letters
 * swapped, one letter missing or too many, and, the longer it is, a wrong one or two. Undefined if none is so near:
 * `edit` was not meant to be `quit`.
 */
export function nearest(
  typed: string,
  words: readonly string[],
): string | undefined {
  if (typed.length > MAX_LENGTH) return undefined;
  const wanted = typed.toLowerCase().replace(TAIL, "");
  const found = words
    .map((word) => ({ word, typos: typosIn(wanted, word.toLowerCase()) }))
    .filter(({ typos }) => typos !== undefined)
    .sort((a, b) => Number(a.typos) - Number(b.typos))[0]?.word;
  return begun(wanted, words) ?? found;
}

/** The shortest word that goes on from what was typed, if all the others that do go on from it: /invite, /invites. */
function begun(typed: string, words: readonly string[]): string | undefined {
  if (typed.length < MIN_START) return undefined;
  const longer = words.filter((word) => word.toLowerCase().startsWith(typed))
    .sort((a, b) => a.length - b.length);
  const [shortest] = longer;
  if (shortest === undefined) return undefined;
  return longer.every((word) => word.startsWith(shortest))
    ? shortest
    : undefined;
}

/** How many mistakes lie between what was typed and a word; undefined if it wasn't meant. */
function typosIn(typed: string, word: string): number | undefined {
  const shorter = Math.min(typed.length, word.length);
  if (isSwapped(typed, word)) return 1;
  const typos = levenshteinDistance(typed, word);
  const isReplaced = typed.length === word.length;
  const most = shorter >= MIN_FOR_TWO ? 2 : 1;
  const least = isReplaced ? MIN_FOR_REPLACED : MIN_START;
  return typos <= most && (typos === 0 || shorter >= least) ? typos : undefined;
}

/** Whether two letters that stand together have changed places. */
function isSwapped(typed: string, word: string): boolean {
  let at = 0;
  while (at < typed.length && typed[at] === word[at]) at++;
  return typed.length === word.length && typed[at] === word[at + 1] &&
    typed[at + 1] === word[at] && typed.slice(at + 2) === word.slice(at + 2) &&
    at + 1 < typed.length;
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
