/**
 * Whether the server's clock has jumped. Invites end by it, and what has ended is dropped with the next key: a clock that
 * is wrong for a moment would open links that have ended, or end others, for good.
 *
 * @module
 */

import { diagnostics } from "../diagnostics.ts";

/** By how much a clock that is set may change, ms. */
const MAX_JUMP = 86_400_000;

const logger = diagnostics("room");

/** Watches the clock. */
export class ClockWatch {
  #offset: number | undefined;
  #jumped = 0; // days, as it was said

  /**
   * Watches a clock from now on. @param at What it says, ms since 1970; left out where that isn't known yet, as of servers
   * that share a room and have the stream's time: then what it says first is believed.
   */
  constructor(at?: number) {
    this.#offset = at === undefined ? undefined : offsetOf(at);
  }

  /** Whether a time that the clock gives now, ms since 1970, can be believed. What is wrong is said once, on stderr. */
  isRight(at: number): boolean {
    const offset = offsetOf(at);
    const jump = offset - (this.#offset ?? offset);
    const days = Math.round(jump / MAX_JUMP);
    if (Math.abs(jump) <= MAX_JUMP) {
      this.#offset = offset; // clocks are set by a little all the time
      this.#jumped = 0;
      return true;
    }
    if (days !== this.#jumped) {
      const way = days > 0 ? "forward" : "back";
      logger.error(
        "The clock jumped by {days} days {way}: no control lines are taken, since invites end by it. Set it right, or start the server again if it is right now",
        { days: Math.abs(days), way },
      );
    }
    this.#jumped = days;
    return false;
  }
}

/** By how much the clock is ahead of the time that the server runs, ms. */
function offsetOf(at: number): number {
  return at - performance.now();
}
