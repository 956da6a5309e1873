/**
 * Which of a room's servers a client tries next, and when it pauses: each in turn, a pause after all of them.
 *
 * @module
 */

/** The addresses of a room's servers, and whose turn it is. */
export class Turns {
  readonly #all: [string, ...string[]];
  #at = 0;
  #left: number; // attempts before the next pause, with the present one

  /** The first one's turn. @param others In the order in which they are tried. */
  constructor(first: string, others: readonly string[] = []) {
    this.#all = [first, ...others];
    this.#left = this.#all.length;
  }

  /** There are others, too, which come last. */
  add(others: readonly string[]): void {
    this.#all.push(...others.filter((it) => !this.#all.includes(it)));
  }

  /** The address whose turn it is. */
  get now(): string {
    return this.#all[this.#at] ?? this.#all[0];
  }

  /** All addresses, the present one first. */
  get all(): readonly [string, ...string[]] {
    return [this.now, ...this.#all.filter((it) => it !== this.now)];
  }

  /** Whether another is tried at once where the present one can't be had. */
  get goesOn(): boolean {
    return this.#left > 1;
  }

  /** A connection stood: all are tried before the next pause, and again the one that it led to if that says so. */
  stood(again: boolean): void {
    this.#left = this.#all.length + (again ? 1 : 0);
  }

  /** It is the next one's turn. @returns Whether at once. */
  next(): boolean {
    this.#at = (this.#at + 1) % this.#all.length;
    this.#left--;
    if (this.#left > 0) return true;
    this.#left = this.#all.length;
    return false;
  }
}
