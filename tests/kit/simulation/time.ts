/**
 * Time that passes faster than the real one, for simulations: timers, `performance.now` and `Date.now` follow it. Files and
 * keys take their own time meanwhile.
 *
 * @module
 */

import { ManualClock } from "../memory_stream.ts";

/** When it begins, ms since 1970. */
const START = Date.UTC(2026, 10, 23);
/** So much passes at a time, ms, before what waits for a file gets its turn. */
const STEP = 20;

const realTimeout = globalThis.setTimeout;

/** The time of a simulation. One at a time. */
export class SimulatedTime implements Disposable {
  readonly #clock = new ManualClock();
  readonly #realNow = Date.now;

  /** Takes over from the real one. */
  constructor() {
    Date.now = () => Math.floor(START + performance.now());
  }

  /** How long the simulation has run, ms. */
  get now(): number {
    return performance.now();
  }

  /** Lets time pass, ms. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= STEP) {
      this.#clock.advance(Math.min(left, STEP));
      await new Promise<void>((resolve) => realTimeout(resolve, 0));
    }
  }

  /** Gives the real time back. */
  [Symbol.dispose](): void {
    Date.now = this.#realNow;
    this.#clock[Symbol.dispose]();
  }
}
