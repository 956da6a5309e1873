/**
 * What was typed before, and the way back to it: line by line, or by a search.
 *
 * @module
 */

/** The lines that somebody typed, as they are by now. */
export interface Typed {
  /** Newest first. */
  readonly lines: readonly string[];
}

/** Lines to go back to, and the draft that waits meanwhile. */
export class Recall {
  readonly #typed: Typed;
  #at = -1; // the line that is shown; -1 is the draft
  #edited = new Map<number, string>(); // what was made of lines that were left without sending them

  /** At the draft. @param typed What there is to go back to. */
  constructor(typed: Typed) {
    this.#typed = typed;
  }

  /** The lines, newest first. */
  get lines(): readonly string[] {
    return this.#typed.lines;
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
    const { lines } = this;
    const at = Math.max(-1, Math.min(this.#at + steps, lines.length - 1));
    if (at === this.#at) return undefined;
    this.#edited.set(this.#at, shown);
    this.#at = at;
    return this.#edited.get(at) ?? lines[at] ?? "";
  }

  /** Goes to the line that a search found. @param shown What is made of the line shown now. */
  goTo(index: number, shown: string): void {
    this.#edited.set(this.#at, shown);
    this.#at = index;
  }
}
