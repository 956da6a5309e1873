/**
 * Turns to write that come when a test says so.
 *
 * @module
 */

import { WriteTurns } from "../../src/server/write_turns.ts";
import { assert } from "./assert.ts";

/** Turns of a test's own. */
export class ManualTurns {
  readonly turns: WriteTurns = new WriteTurns((run) => this.#asked.push(run));
  readonly #asked: (() => void)[] = [];

  /** Whether the next one is asked for. */
  get isNextAsked(): boolean {
    assert(this.#asked.length <= 1, "a turn is asked for twice");
    return this.#asked.length === 1;
  }

  /** Goes on to the next one. */
  next(): void {
    assert(this.isNextAsked, "no turn is asked for");
    this.#asked.shift()?.();
  }
}
