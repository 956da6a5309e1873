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

/** Writes that begin in a turn: fewer than 128, since reading counts, too. */
const MOST = 96;

/** Gives turns to write. */
export class WriteTurns {
  #left = MOST; // in this turn
  #waiting: (() => void)[] = [];
  #next = 0; // of those who wait
  #isRenewed = true; // whether the next turn is asked for

  /** Has something write, now or in one of the next turns. */
  take(write: () => void): void {
    if (this.#left === 0) {
      this.#waiting.push(write);
      return;
    }
    this.#begin(write);
  }

  #begin(write: () => void): void {
    this.#left--;
    if (this.#isRenewed) setImmediate(this.#renew);
    this.#isRenewed = false;
    write();
  }

  readonly #renew = (): void => {
    this.#left = MOST;
    this.#isRenewed = true;
    while (this.#left > 0) {
      const write = this.#waiting[this.#next];
      if (!write) break;
      this.#next++;
      this.#begin(write);
    }
    if (this.#next < this.#waiting.length) return;
    this.#waiting = [];
    this.#next = 0;
  };
}
