/**
 * When connections write: so many in each turn of the event loop, first come, first served.
 *
 * In one turn the runtime carries out 128 operations on sockets. What is begun beyond those it looks at again only after
 * some sixty turns, or once there is nothing else to do, and then lets 128 more through, those from the middle last. In a
 * server that is busy, thousands of writes to clients that read stood still for 10 s and more by that, as if their
 * clients were too slow. A write that is begun in its turn is carried out at once, or its client has no place for it.
 *
 *     outlet ── take ──▶ this turn, while there is a place ──▶ write
 *                  └──▶ the next turns, in order ────────────────┘
 *
 * @module
 */

import { setImmediate } from "node:timers";
import { nextTurn } from "./next_turn.ts";

/** Writes that begin in a turn: fewer than 128, since reading counts, too. */
const MOST = 96;

/** Gives turns to write. */
export class WriteTurns {
  #left = MOST; // in this turn
  readonly #waiting: (() => void)[] = [];
  #isNextAsked = false; // whether the next turn is asked for
  readonly #later: (run: () => void) => void;

  /** Turns to write in. @param later Has something run in the next turn. Default: of the event loop. */
  constructor(later: (run: () => void) => void = setImmediate) {
    this.#later = later;
  }

  /** Has something write, now or in one of the next turns. */
  take(write: () => void): void {
    if (this.#left === 0) {
      this.#waiting.push(write);
      return;
    }
    this.#left--;
    this.#askNext();
    write();
  }

  /** How many wait for a turn. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Resolves when all who wait by now have had their turn, and their clients one to take what was written. */
  async passed(): Promise<void> {
    await new Promise<void>((resolve) => this.take(resolve));
    await nextTurn();
  }

  #askNext(): void {
    if (this.#isNextAsked) return;
    this.#isNextAsked = true;
    this.#later(this.#renew);
  }

  readonly #renew = (): void => {
    this.#isNextAsked = false;
    const writes = this.#waiting.splice(0, MOST);
    this.#left = MOST - writes.length;
    if (writes.length > 0) this.#askNext();
    for (const write of writes) write();
  };
}
