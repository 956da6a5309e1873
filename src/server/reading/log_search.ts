/**
 * Finds lines of a log by what they say in the end, reading it once from its beginning: what is kept are the lines that
 * have the words, and changes.
 *
 * @module
 */

import { type Change, isChange, type LogEntry } from "../../protocol/line.ts";
import {
  current,
  type CurrentLine,
  type HeardLine,
} from "../../protocol/changes.ts";
import { PastChanges } from "../../protocol/past_changes.ts";
import { hasWords, searchWords } from "../../protocol/search_words.ts";

/** A search. */
export class LogSearch {
  readonly #words: readonly string[];
  readonly #lines = new Map<number, HeardLine>(); // by number: that had the words when they were said
  readonly #changes: Change[] = [];
  readonly #reworded = new Set<number>(); // the numbers of lines that came to have them

  /** Nothing is found so far. */
  constructor(words: string) {
    this.#words = searchWords(words);
  }

  /** Takes the next line. */
  take(line: HeardLine): void {
    if (line.wrong === undefined && isChange(line)) {
      this.#changes.push(line);
      if (this.#has(line, line.text)) this.#reworded.add(line.to);
    } else if (this.#has(line, saidIn(line))) this.#lines.set(line.seq, line);
  }

  #has(line: LogEntry, said: string | null): boolean {
    return hasWords(this.#words, line, said);
  }

  /**
   * What was found, oldest first, as it is in the end.
   * @param recall The line of a number, as it was said first.
   */
  async found(
    recall: (seq: number) => Promise<HeardLine | undefined>,
  ): Promise<CurrentLine[]> {
    for (const seq of this.#reworded) {
      const line = this.#lines.has(seq) ? undefined : await recall(seq);
      if (line) this.#lines.set(seq, line);
    }
    const changes = new PastChanges();
    for (const change of this.#changes.reverse()) {
      const { to, what, person } = change;
      changes.keep({ to, what, person, read: () => change });
    }
    const found = [...this.#lines.values()].filter((line) =>
      !changes.isReworded(line.seq) || this.#has(line, changes.text(line))
    );
    const all = found.flatMap((line) => [line, ...changes.of(line)]);
    return current(all.sort((a, b) => a.seq - b.seq));
  }
}

/** What a line says to somebody who reads it; nothing where that can't be told. */
function saidIn({ told, wrong, what, text }: HeardLine): string {
  if (told !== undefined) return told;
  return wrong !== undefined || what === "sealed" ? "" : text;
}
