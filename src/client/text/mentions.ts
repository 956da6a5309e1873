/**
 * What a person wants to be told of: its name, and words of its own.
 *
 * @module
 */

/** A letter of a script that has spaces between its words: in others a word stands within its neighbours. */
const LETTER = String
  .raw`[[\p{L}\p{M}\p{N}_]--[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]]`;

/** The word that stands for no words in a setting. */
export const NO_WORDS = "none";

/** The longest list of words in a setting, UTF-16 units. */
export const MAX_WORDS = 500;

/** Whether a text can be one of the words; it may have spaces within. */
export function isWord(text: string): boolean {
  return /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u.test(text);
}

/** The words of the setting: `lunch,deploy`. */
export function settingWords(setting: string): string[] {
  return setting === NO_WORDS ? [] : setting.split(",");
}

/** What finds any of the words where it stands as one, in either case; undefined if there are no words. */
export function finder(words: readonly string[]): RegExp | undefined {
  if (words.length === 0) return undefined;
  const any = words.map(RegExp.escape).join("|");
  return new RegExp(`(?<!${LETTER})(?:${any})(?!${LETTER})`, "iv");
}
