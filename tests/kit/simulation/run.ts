/**
 * Runs simulations, one after the other.
 *
 * @module
 */

import { Simulation, type SimulationOptions } from "./simulation.ts";

/** Which simulations. */
export interface SimulationsOptions extends SimulationOptions {
  /** What is drawn in the first follows from it; the next ones have the next seeds. */
  readonly seed: number;
  /** How many there are. */
  readonly runs: number;
  /** Steps of each. */
  readonly steps: number;
  /** Is told of each that went well: its seed, entries of the stream, and lines of the log. */
  readonly done?: (seed: number, entries: number, lines: number) => void;
}

/** Runs them. @throws {Error} for the first in which something isn't as it should be; it says what, and the seed. */
export async function simulate(
  { seed: first, runs, steps, done, ...options }: SimulationsOptions,
): Promise<void> {
  for (let seed = first; seed < first + runs; seed++) {
    const simulation = await Simulation.begin(seed, options);
    try {
      for (let step = 0; step < steps; step++) await simulation.step();
      await simulation.settle();
      const { last } = simulation.nats.state;
      done?.(seed, last, simulation.open[0]?.log.head ?? 0);
    } catch (error) {
      throw new Error(`With seed ${seed}: ${error}`, { cause: error });
    } finally {
      await simulation[Symbol.asyncDispose]();
    }
  }
}
