/**
 * Spoken codes, `7-crossover-clockwork`: a number, by which somebody is found, and two words, which are the password
 * of a key exchange.
 *
 * The words are the PGP word list's, made to be told apart by ear. The first has three syllables and the second two,
 * in the order in which Magic Wormhole has them, so that a word left out or swapped is noticed. Each is one of 256:
 * the password has 16 bits, which is enough only where a wrong guess costs a run with its owner.
 *
 * @module
 */

import { didYouMean } from "../base/nearest.ts";
import { quote } from "../base/safe_text.ts";
import { type Bytes, randomBytes } from "../../crypto_utils.ts";
import codeWords from "./code_words.json" with { type: "json" };

/** The highest number of a code: three digits are soon said. */
export const MAX_CODE_NUMBER = 999;

/** What the words of a code are taken from: 256 words for each of the two. */
const LISTS = [codeWords.first, codeWords.second] as const;
const PLACES = ["first", "second"] as const;

/** A code, as one person reads it to another. */
export interface SpokenCode {
  /** 1 to 999. Not secret. */
  readonly number: number;
  /** The first of three syllables, the second of two, in lower case. Secret. */
  readonly words: readonly [string, string];
}

/**
 * A code with this number and two random words.
 * @param number 1 to 999.
 * @throws {RangeError} for another number.
 */
export function randomCode(number: number): SpokenCode {
  if (!isCodeNumber(number)) {
    throw new RangeError(
      `Cannot make a code: ${number} is not a whole number from 1 to ${MAX_CODE_NUMBER}`,
    );
  }
  const [first = 0, second = 0] = randomBytes(LISTS.length); // a byte for each list's 256 words
  return {
    number,
    words: [LISTS[0][first] ?? "", LISTS[1][second] ?? ""],
  };
}

function isCodeNumber(number: number): boolean {
  return Number.isInteger(number) && number >= 1 && number <= MAX_CODE_NUMBER;
}

/**
 * A code as it is shown: `7-crossover-clockwork`.
 *
 * @example
 * ```ts
 * import { formatCode, parseCode } from "./spoken_code.ts";
 * const code = parseCode(" 7 Crossover clockwork ");
 * if (formatCode(code) !== "7-crossover-clockwork") throw new Error("not the same");
 * ```
 */
export function formatCode({ number, words }: SpokenCode): string {
  return [number, ...words].join("-");
}

// White space, or any dash: telephones like to make a long one of a hyphen or two.
const SEPARATOR = /[\s\p{Pd}]+/u;

/**
 * Reads a code, as a person may have typed it: in any case, with white space or dashes between its parts and white
 * space around it.
 * @throws {SyntaxError} with one sentence that says which part isn't a code's.
 */
export function parseCode(text: string): SpokenCode {
  const [digits = "", first = "", second = "", ...more] = text.trim()
    .toLowerCase().split(SEPARATOR);
  if (digits === "" || second === "" || more.length > 0) {
    throw new SyntaxError(
      "Cannot read the code: it is not a number and two words, as in 7-crossover-clockwork",
    );
  }
  return {
    number: readNumber(digits),
    words: [readWord(first, 0), readWord(second, 1)],
  };
}

function readNumber(digits: string): number {
  const number = /^\d+$/.test(digits) ? Number(digits) : NaN;
  if (!isCodeNumber(number)) {
    throw new SyntaxError(
      `Cannot read the code: ${
        quote(digits)
      } is not a whole number from 1 to ${MAX_CODE_NUMBER}`,
    );
  }
  return number;
}

/** A word that is in the list of its place. */
function readWord(word: string, place: 0 | 1): string {
  const list = LISTS[place];
  if (list.includes(word)) return word;
  const reason = LISTS[1 - place]?.includes(word)
    ? `is never its ${PLACES[place]} word; check the order of the words`
    : `is not one of its words${didYouMean(word, list)}`;
  throw new SyntaxError(`Cannot read the code: ${quote(word)} ${reason}`);
}

/** The password of a key exchange: `word-word` in UTF-8, without the number. */
export function passwordOf({ words }: SpokenCode): Bytes {
  return new TextEncoder().encode(words.join("-"));
}
