/**
 * Makes bad inputs of good ones: one seed gives always the same.
 *
 * @module
 */

import type { Bytes } from "../../../crypto_utils.ts";

/** Longer inputs than a record are cut. */
const MAX_INPUT = 65_535;
/** Inputs that are kept beside the seeds. */
const MAX_KEPT = 256;
/** How much larger than the seeds' the greatest kept input may be, bytes. */
const MAX_KEPT_SIZE = 16_384;
/** Values at which counters and lengths go wrong. */
const EDGES = [
  0,
  1,
  2,
  3,
  4,
  16,
  32,
  63,
  64,
  127,
  128,
  191,
  192,
  248,
  254,
  255,
];

/** Numbers from 0 to below `limit`. */
export type Random = (limit: number) => number;

/** Inputs, and what is made of them. */
export class Mutator {
  readonly #random: Random;
  readonly #seeds: readonly Bytes[];
  readonly #words: readonly Bytes[];
  readonly #kept: Bytes[] = [];
  readonly #outcomes = new Set<string>();

  /** @param words Pieces that mean something. */
  constructor(
    random: Random,
    seeds: readonly Bytes[],
    words: readonly Bytes[],
  ) {
    this.#random = random;
    this.#seeds = seeds;
    this.#words = words;
  }

  /** Different outcomes so far. */
  get outcomes(): number {
    return this.#outcomes.size;
  }

  /** Keeps an input whose outcome is new, while there is place. */
  learn(input: Bytes, outcome: string): void {
    if (this.#outcomes.has(outcome) || this.#outcomes.size >= MAX_KEPT) return;
    this.#outcomes.add(outcome);
    if (input.length <= MAX_KEPT_SIZE) this.#kept.push(input);
  }

  /** An input: one of those there are, changed in one place or several. */
  next(): Bytes {
    let input = this.#pick();
    // Half of the inputs are changed in one place, a quarter in two, and so on.
    do input = this.#mutate(input); while (this.#random(2) === 0);
    return input.length > MAX_INPUT ? input.slice(0, MAX_INPUT) : input;
  }

  #pick(): Bytes {
    const at = this.#random(this.#seeds.length + this.#kept.length);
    return this.#seeds[at] ?? this.#kept[at - this.#seeds.length] ??
      new Uint8Array(0);
  }

  #mutate(input: Bytes): Bytes {
    const at = this.#random(input.length + 1);
    switch (this.#random(9)) {
      case 0:
        return this.#set(input, at, (input[at] ?? 0) ^ (1 << this.#random(8)));
      case 1:
        return this.#set(input, at, EDGES[this.#random(EDGES.length)] ?? 0);
      case 2:
        return this.#set(input, at, this.#random(256));
      case 3: // cut short
        return input.slice(0, at);
      case 4: // a piece less
        return splice(input, at, this.#size(input.length - at));
      case 5: { // a piece twice
        const end = at + this.#size(input.length - at);
        return splice(input, at, 0, input.subarray(at, end));
      }
      case 6: // something meaningful
        return splice(input, at, this.#random(4), this.#word());
      case 7: { // a piece of another
        const other = this.#pick();
        const from = this.#random(other.length + 1);
        const end = from + this.#size(other.length - from);
        return splice(input, at, this.#random(8), other.subarray(from, end));
      }
      default: { // any bytes
        const piece = new Uint8Array(1 + this.#random(8));
        for (let i = 0; i < piece.length; i++) piece[i] = this.#random(256);
        return splice(input, at, this.#random(piece.length + 1), piece);
      }
    }
  }

  #word(): Bytes {
    return this.#words[this.#random(this.#words.length)] ?? new Uint8Array(1);
  }

  /** Mostly small. */
  #size(limit: number): number {
    if (limit < 1) return 0;
    const most = this.#random(8) === 0 ? limit : Math.min(limit, 16);
    return 1 + this.#random(most);
  }

  #set(input: Bytes, at: number, value: number): Bytes {
    const copy = input.slice();
    if (at < copy.length) copy[at] = value;
    return copy;
  }
}

function splice(
  input: Bytes,
  at: number,
  removed: number,
  added: Uint8Array = new Uint8Array(0),
): Bytes {
  const end = Math.min(input.length, at + removed);
  const result = new Uint8Array(at + added.length + input.length - end);
  result.set(input.subarray(0, at));
  result.set(added, at);
  result.set(input.subarray(end), at + added.length);
  return result;
}
