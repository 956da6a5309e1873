/**
 * Where the words of a text are, for moving and editing by words.
 *
 * @module
 */

/** Letters and digits with their marks: readline's words end at anything else, such as the dots of an address. */
const LETTERS = /[\p{L}\p{M}\p{N}]+/gu;

// It knows where words end that no space divides, as in Chinese and Thai.
const segmenter = new Intl.Segmenter(undefined, { granularity: "word" });

/** A word: where it begins, and where it ends, UTF-16 units. */
export interface Word {
  /** Of its first unit. */
  readonly start: number;
  /** Behind its last unit. */
  readonly end: number;
}

/** The words of a text, in order. */
export function wordsOf(text: string): Word[] {
  const words: Word[] = [];
  for (const { segment, index } of segmenter.segment(text)) {
    for (const match of segment.matchAll(LETTERS)) {
      const start = index + match.index;
      words.push({ start, end: start + match[0].length });
    }
  }
  return words;
}
