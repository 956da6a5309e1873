/**
 * What a server's owner is told of connections that can't be accepted, as without descriptors: once that they
 * can't, however often it is tried, and once that they can again.
 *
 * @module
 */

import { reasonOf } from "../base/error_reason.ts";
import { pause } from "../base/timing.ts";
import { diagnostics } from "./diagnostics.ts";

/** How long nothing is accepted after accepting failed, as it does without descriptors, ms. */
const PAUSE = 250;

/** How long accepting must not fail until it counts as recovered, ms: a single descriptor may come free and be taken again. */
const RECOVERED_AFTER = 1_000;

const logger = diagnostics("gate");

/** Whether a connection ended before it could be accepted, as that of a monitor does: the next one can be. */
export function isGone(error: unknown): boolean {
  const { NotConnected, ConnectionAborted, ConnectionReset } = Deno.errors;
  return error instanceof NotConnected ||
    error instanceof ConnectionAborted || error instanceof ConnectionReset;
}

/** The failures of one listener. */
export class AcceptFailures implements Disposable {
  #recovery: ReturnType<typeof setTimeout> | undefined; // there until it is well again

  /** Accepting has failed. Resolves when it can be tried again: at once where a connection had just ended. */
  async add(error: unknown): Promise<void> {
    if (isGone(error)) return;
    if (this.#recovery === undefined) {
      logger.warn(
        "Cannot accept a connection: {why}. Members stay, newcomers wait. If too many files are open, let the server have more (ulimit -n, LimitNOFILE)",
        { why: reasonOf(error) },
      );
    }
    clearTimeout(this.#recovery);
    this.#recovery = setTimeout(() => {
      this.#recovery = undefined;
      logger.info("Accepting connections again");
    }, RECOVERED_AFTER);
    await pause(PAUSE);
  }

  /** Says nothing more. */
  [Symbol.dispose](): void {
    clearTimeout(this.#recovery);
  }
}
