/**
 * Time that passes faster than the real one, for simulations: timers, `performance.now` and `Date.now` follow it. It stands
 * still while files and keys are waited for.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import { ManualClock } from "../memory_stream.ts";
import { isBusy } from "./under_way.ts";

/** When it begins, ms since 1970. */
const START = Date.UTC(2026, 10, 23);
/** So much passes at a time, ms, before all else gets its turn. */
const STEP = 20;

/** Lets everything be done that can be. */
function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

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
      do await turn(); while (isBusy());
    }
  }

  /** Gives the real time back. */
  [Symbol.dispose](): void {
    Date.now = this.#realNow;
    this.#clock[Symbol.dispose]();
  }
}
