/**
 * Lets few do their work at a time, first come, first served. Knows nothing of the work.
 *
 * @module
 */

/** So many at a time; the others wait. */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  /** Nobody works so far. @param most How many may at a time. */
  constructor(most: number) {
    this.#free = most;
  }

  /** Does a piece of work when there is a turn for it. @returns What it comes to. @throws whatever it throws. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift(); // gets this turn
      if (next) next();
      else this.#free++;
    }
  }
}
