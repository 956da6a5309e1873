/**
 * Runs targets for a time or for a number of cases: mutated inputs and shaped ones in turns.
 *
 * @module
 */

import fc from "fast-check";
import type { Bytes } from "../../../crypto_utils.ts";
import { seededRandom } from "../../kit/memory_stream.ts";
import { Mutator } from "./mutator.ts";
import { bytesOf, type Target } from "./target.ts";

/** How long a target has its turn, ms. */
const TURN = 50;
/** Cases between two looks at the clock, and shaped cases at a time. */
const STRIDE = 16;
const SHAPED = 20;
/** What a case may take, ms; one that takes more is a failure. */
const MAX_CASE = 2_000;

/** What went wrong, and with what. */
export interface Failure {
  /** The target's name, or the property's. */
  readonly where: string;
  /** The error with its stack. */
  readonly error: string;
  /** The input: hexadecimal of a mutated one, fast-check's notation of a shaped one. */
  readonly input: string;
}

/** What was tried. */
export interface Tally {
  /** The target's name. */
  readonly name: string;
  /** Cases so far. */
  cases: number;
  /** Time so far, ms. */
  time: number;
  /** Different outcomes so far. */
  outcomes: number;
}

/** Tries targets, with all that is random following one seed. */
export class Fuzzer {
  /** What was tried, by target. */
  readonly tallies: readonly Tally[];
  readonly #turns: readonly Turn[];
  #failure: Failure | undefined;

  /**
   * Ready to `run`.
   * @param watch Is told of each mutated input before it is tried.
   */
  constructor(
    targets: readonly Target[],
    seed: number,
    watch: (name: string, input: Bytes) => void = () => {},
  ) {
    this.#turns = targets.map((target, at) =>
      new Turn(target, seed + at, watch)
    );
    this.tallies = this.#turns.map(({ tally }) => tally);
  }

  /** Cases so far, of all targets. */
  get cases(): number {
    return this.tallies.reduce((sum, { cases }) => sum + cases, 0);
  }

  /** Goes round until told to stop, or until something fails. @returns The failure, if there is one. */
  async run(until: () => boolean): Promise<Failure | undefined> {
    while (!this.#failure && !until()) {
      for (const turn of this.#turns) {
        this.#failure ??= await turn.forTime(TURN * turn.share);
      }
    }
    return this.#failure;
  }

  /** Tries each target with so many mutated inputs, and each property as often. */
  async tryEach(cases: number): Promise<Failure | undefined> {
    for (const turn of this.#turns) {
      this.#failure ??= await turn.forCases(Math.ceil(cases * turn.share));
    }
    return this.#failure;
  }
}

/** One target's turns. */
class Turn {
  readonly tally: Tally;
  readonly #target: Target;
  readonly #mutator: Mutator;
  readonly #random: (limit: number) => number;
  readonly #watch: (name: string, input: Bytes) => void;
  #property = 0;

  constructor(
    target: Target,
    seed: number,
    watch: (name: string, input: Bytes) => void,
  ) {
    this.#target = target;
    this.#random = seededRandom(seed);
    this.#watch = watch;
    const { name, seeds, words } = target;
    this.#mutator = new Mutator(this.#random, seeds, words.map(bytesOf));
    this.tally = { name, cases: 0, time: 0, outcomes: 0 };
  }

  get share(): number {
    return this.#target.share;
  }

  async forTime(ms: number): Promise<Failure | undefined> {
    const start = performance.now();
    let failure = await this.#shaped(SHAPED);
    while (!failure && performance.now() - start < ms) {
      for (let i = 0; i < STRIDE && !failure; i++) {
        failure = await this.#mutated();
      }
    }
    this.tally.time += performance.now() - start;
    return failure;
  }

  async forCases(cases: number): Promise<Failure | undefined> {
    for (const seed of this.#target.seeds) {
      const failure = await this.#try(seed);
      if (failure) return failure;
    }
    for (let i = 0; i < cases; i++) {
      const failure = await this.#mutated();
      if (failure) return failure;
    }
    for (let i = 0; i < this.#target.properties.length; i++) {
      const failure = await this.#shaped(Math.min(cases, 100));
      if (failure) return failure;
    }
    return undefined;
  }

  #mutated(): Failure | undefined | Promise<Failure | undefined> {
    return this.#try(this.#mutator.next());
  }

  #try(input: Bytes): Failure | undefined | Promise<Failure | undefined> {
    this.tally.cases++;
    this.#watch(this.#target.name, input);
    const start = performance.now();
    try {
      // Most targets answer at once, and a promise for each would take longer than they do.
      const outcome = this.#target.check(input);
      if (typeof outcome === "string") return this.#took(input, outcome, start);
      return outcome.then(
        (outcome) => this.#took(input, outcome, start),
        (error) => this.#failed(error, input),
      );
    } catch (error) {
      return this.#failed(error, input);
    }
  }

  #took(
    input: Bytes,
    outcome: string,
    start: number,
  ): Failure | undefined | Promise<Failure | undefined> {
    this.#mutator.learn(input, outcome);
    this.tally.outcomes = this.#mutator.outcomes;
    if (performance.now() - start <= MAX_CASE) return undefined;
    return this.#timed(input);
  }

  /** A machine that stood still is no slow parser: only what is slow again is. */
  async #timed(input: Bytes): Promise<Failure | undefined> {
    const start = performance.now();
    await this.#target.check(input);
    const took = performance.now() - start;
    if (took <= MAX_CASE) return undefined;
    return this.#failed(new Error(`It took ${Math.round(took)} ms`), input);
  }

  #failed(error: unknown, input: Bytes): Failure {
    const where = this.#target.name;
    return { where, error: describe(error), input: input.toHex() };
  }

  async #shaped(numRuns: number): Promise<Failure | undefined> {
    const { properties } = this.#target;
    const property = properties[this.#property++ % properties.length];
    if (!property) return undefined;
    const seed = this.#random(2 ** 31);
    const details = await property.run({ seed, numRuns });
    this.tally.cases += details.numRuns;
    if (!details.failed) return undefined;
    return {
      where: property.name,
      error: describe(details.errorInstance),
      input: fc.stringify(details.counterexample),
    };
  }
}

/** An error with its stack and its causes. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined
    ? ""
    : `\nCaused by: ${describe(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
