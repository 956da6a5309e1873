/**
 * A limit on how much work is done at a time: a semaphore, first come, first served.
 *
 * @module
 */

/** Lets a number of tasks run at a time; the others wait in order. */
export class Limiter {
  readonly #waiting: (() => void)[] = [];
  #most: number;
  #running = 0;

  /** Nothing runs yet. @param most How many tasks may run at a time. */
  constructor(most: number) {
    this.#most = most;
  }

  /** How many tasks may run at a time. Those that run already go on. */
  set most(most: number) {
    this.#most = most;
    while (!this.isFull) if (!this.#next()) return;
  }

  /** Whether the next task has to wait. */
  get isFull(): boolean {
    return this.#running >= this.#most;
  }

  /** Runs a task when its turn has come. @returns Its result. @throws what it throws. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (!this.isFull) this.#running++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      this.#running--;
      if (!this.isFull) this.#next();
    }
  }

  /** Gives the one that waits longest a turn. @returns Whether there is one. */
  #next(): boolean {
    const next = this.#waiting.shift();
    if (!next) return false;
    this.#running++;
    next();
    return true;
  }
}
