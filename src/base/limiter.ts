/**
 * A limit on how much work is done at a time: a semaphore, first come, first served.
 *
 * @module
 */

/** Lets a number of tasks run at a time; the others wait in order. */
export class Limiter {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  /** Nothing runs yet. @param most How many tasks may run at a time. */
  constructor(most: number) {
    this.#free = most;
  }

  /** Runs a task when its turn has come. @returns Its result. @throws what it throws. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift(); // gets this turn
      if (next) next();
      else this.#free++;
    }
  }
}
