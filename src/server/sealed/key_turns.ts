/**
 * Keeps keepers from changing the key so often that nobody can remove one of them: each change makes those late that
 * others are about to say.
 *
 * @module
 */

import type { Undo } from "../people/reversible.ts";

/** Changes of the key, whoever's, that are taken with no pause between any two of them. */
const MAX_CHANGES = 8;
/** How long a pause is, ms: enough to wrap a key for a full room, and to say so over a slow line. */
const PAUSE = 10_000;

/** How often the key was changed on end by who removed nobody. */
export class KeyTurns {
  #count = 0; // on end
  #last = 0; // when the last one was, ms since 1970

  /**
   * The key is changed.
   * @param at When, ms since 1970. @returns What takes it back; undefined where it is to wait.
   */
  take(at: number): Undo | undefined {
    return this.#onEnd(at) < MAX_CHANGES ? this.count(at) : undefined;
  }

  /** The key is changed, and need not wait: another server has decided that. @returns What takes it back. */
  count(at: number): Undo {
    const [count, last] = [this.#count, this.#last];
    this.#count = this.#onEnd(at) + 1;
    this.#last = at;
    return () => {
      this.#count = count;
      this.#last = last;
    };
  }

  /** How many changes went before one, with no pause between. */
  #onEnd(at: number): number {
    const since = at - this.#last;
    // A clock that was put back is no reason to wait.
    return since >= 0 && since < PAUSE ? this.#count : 0;
  }
}
