/**
 * What was typed before, and the way back to it: line by line, or by a search.
 *
 * @module
 */

/** Lines to go back to, newest first, and the draft that waits meanwhile. */
export class Recall {
  readonly #size: number;
  #lines: string[];
  #at = -1; // the line that is shown; -1 is the draft
  #edited = new Map<number, string>(); // what was made of lines that were left without sending them

  /** At the draft. @param lines Newest first. @param size How many are kept. */
  constructor(lines: readonly string[], size: number) {
    this.#size = size;
    this.#lines = lines.slice(0, size);
  }

  /** The lines, newest first. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Adds a line that was sent. */
  add(line: string): void {
    const others = this.#lines.filter((other) => other !== line);
    this.#lines = [line, ...others].slice(0, this.#size);
  }

  /** The next draft begins: what was made of old lines is forgotten. */
  reset(): void {
    this.#at = -1;
    this.#edited.clear();
  }

  /**
   * Goes to an older line, or to a newer one.
   * @param steps How many lines; negative ones to newer lines. @param shown What is made of the line shown now.
   * @returns The line as it was left; undefined if there is none.
   */
  go(steps: number, shown: string): string | undefined {
    const at = Math.max(-1, Math.min(this.#at + steps, this.#lines.length - 1));
    if (at === this.#at) return undefined;
    this.#edited.set(this.#at, shown);
    this.#at = at;
    return this.#edited.get(at) ?? this.#lines[at] ?? "";
  }

  /** Goes to the line that a search found. @param shown What is made of the line shown now. */
  goTo(index: number, shown: string): void {
    this.#edited.set(this.#at, shown);
    this.#at = index;
  }
}
