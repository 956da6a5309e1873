/**
 * A clock that a test drives: timers end in their order, as soon as nothing else is left to do, and no time passes but by
 * them or by the test.
 *
 * @module
 */

import { replaced } from "./replaced.ts";
import { isBusy } from "./simulation/under_way.ts";

/** How many timers may end: more, and what is waited for never comes. */
const MAX_TIMERS = 200;

/** The clock. */
export class DrivenClock {
  /** As `performance.now` tells it, ms. */
  now = 0;
  /** For how long timers were set, ms, in order. */
  readonly set: number[] = [];
  readonly #timers = new Map<number, { due: number; run: () => void }>();
  readonly #turn: () => Promise<void>;
  #ended = 0;

  private constructor(turn: () => Promise<void>) {
    this.#turn = turn;
  }

  /** Runs a body by it. */
  static async with(
    body: (clock: DrivenClock) => Promise<void>,
  ): Promise<void> {
    const { setTimeout } = globalThis;
    const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 0));
    const clock = new DrivenClock(turn);
    const start = (
      run: (...args: unknown[]) => void,
      ms = 0,
      ...args: unknown[]
    ) => {
      const due = clock.now + ms;
      const id = clock.set.push(ms);
      clock.#timers.set(id, { due, run: () => run(...args) });
      return id;
    };
    const end = (id: number) => void clock.#timers.delete(id);
    using _now = replaced(performance, "now", () => clock.now);
    using _start = replaced(globalThis, "setTimeout", start);
    using _end = replaced(globalThis, "clearTimeout", end);
    await body(clock);
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Drives it until something has come. @throws {Error} if it never does. */
  async until<T>(something: Promise<T>): Promise<T> {
    let hasCome = false;
    const come = () => void (hasCome = true);
    something.then(come, come);
    do await this.idle(); while (!hasCome && this.#end());
    if (hasCome) return await something;
    throw new Error("It never comes: there is nothing to wait for");
  }

  /**
   * Lets all be done that can be done without more time, the next timer end, and all be done that can be then.
   * @returns Whether there was a timer.
   */
  async step(): Promise<boolean> {
    await this.idle();
    const hasEnded = this.#end();
    await this.idle();
    return hasEnded;
  }

  /** Ends the next timer. @returns Whether there was one. @throws {Error} after too many. */
  #end(): boolean {
    if (++this.#ended > MAX_TIMERS) throw new Error("It waits for ever");
    const [next] = [...this.#timers].sort(([, a], [, b]) => a.due - b.due);
    if (!next) return false;
    const [id, { due, run }] = next;
    this.#timers.delete(id);
    this.now = Math.max(this.now, due);
    run();
    return true;
  }

  /** Lets all be done that can be done without more time. */
  async idle(): Promise<void> {
    do await this.#turn(); while (isBusy());
  }
}
