/**
 * A search through what was typed before, letter by letter.
 *
 * @module
 */

import { clusters } from "./cells.ts";

/** Which way a search goes. */
export type Direction = "older" | "newer";

/** How far a search is. */
interface Found {
  readonly words: string;
  /** The line; -1 before one was found. */
  readonly index: number;
  readonly failed: boolean;
}

/** A search. What is found stays while more letters fit it. */
export class HistorySearch {
  readonly #lines: readonly string[];
  readonly #states: Found[] = [{ words: "", index: -1, failed: false }];

  /** Searches for nothing yet. @param lines Newest first. */
  constructor(lines: readonly string[]) {
    this.#lines = lines;
  }

  /** Which line is found, from 0, the newest; -1 for none. */
  get index(): number {
    return this.#now.index;
  }

  /** Whether no line has the words. */
  get failed(): boolean {
    return this.#now.failed;
  }

  /** The line that is found. */
  get line(): string | undefined {
    return this.#lines[this.#now.index];
  }

  /** Where in that line the words are, UTF-16 units. */
  get cursor(): number {
    return Math.max(0, placeOf(this.#now.words, this.line ?? ""));
  }

  /** What stands before the line meanwhile. */
  get prompt(): string {
    const { words, failed } = this.#now;
    return failed ? `no line with "${words}"> ` : `search "${words}"> `;
  }

  /** Searches for more. */
  type(text: string): void {
    let words = this.#now.words;
    for (const cluster of clusters(text)) {
      words += cluster;
      this.#find(words, Math.max(0, this.#now.index), "older");
    }
  }

  /** Takes the last letter, or the last step, back. */
  back(): void {
    if (this.#states.length > 1) this.#states.pop();
  }

  /** Goes to the next line that has the words. */
  again(direction: Direction): void {
    const { words, index } = this.#now;
    if (words === "") return;
    this.#find(words, index + (direction === "older" ? 1 : -1), direction);
  }

  get #now(): Found {
    return this.#states.at(-1) ?? { words: "", index: -1, failed: false };
  }

  #find(words: string, from: number, direction: Direction): void {
    const step = direction === "older" ? 1 : -1;
    let index = from;
    while (index >= 0 && index < this.#lines.length) {
      if (placeOf(words, this.#lines[index] ?? "") >= 0) break;
      index += step;
    }
    const failed = index < 0 || index >= this.#lines.length;
    this.#states.push(
      failed ? { ...this.#now, words, failed } : { words, index, failed },
    );
  }
}

/** Where the words are in a line, in either case; -1 for nowhere. */
function placeOf(words: string, line: string): number {
  return line.toLowerCase().indexOf(words.toLowerCase());
}
