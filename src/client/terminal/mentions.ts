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

/** The words of the setting: `lunch,deploy`. */
export function wordsOf(setting: string): string[] {
  return setting === NO_WORDS ? [] : setting.split(",");
}

/** What finds any of the words where it stands as one, in either case; undefined if there are no words. */
export function finder(words: readonly string[]): RegExp | undefined {
  if (words.length === 0) return undefined;
  const any = words.map(literal).join("|");
  return new RegExp(`(?<!${LETTER})(?:${any})(?!${LETTER})`, "iv");
}

/** The source of an expression that finds a text as it is. */
export function literal(text: string): string {
  return text.replace(/[\p{P}\p{S}]/gu, (mark) => {
    const code = mark.codePointAt(0) ?? 0;
    return String.raw`\u{${code.toString(16)}}`;
  });
}
