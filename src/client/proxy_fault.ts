/**
 * Tells a proxy that can't be used from servers that can't be reached: what keeps a client from every server is said once,
 * and not of each of them.
 *
 * @module
 */

import { AdvisedError } from "../base/advised_error.ts";
import { UsageError } from "../base/usage_error.ts";
import type { Stream } from "../protocol/record_reader.ts";
import { JoinError } from "./join_error.ts";

/** What a client opens its connections by, and what was wrong with its proxy each time, if that was all. */
export class ProxyFault {
  readonly #dial: (address: string) => Promise<Stream>;
  #fault: Error | undefined;
  #isElsewhere = false; // a server was reached, or failed by itself

  /** Nothing is opened yet. @param dial Opens a connection; rejects with a `UsageError` or an `AdvisedError` for what is wrong with the proxy. */
  constructor(dial: (address: string) => Promise<Stream>) {
    this.#dial = dial;
  }

  /** Opens a connection to the server at an address, as `dial` does. */
  async dial(address: string): Promise<Stream> {
    try {
      const stream = await this.#dial(address);
      this.#isElsewhere = true;
      return stream;
    } catch (error) {
      const isFault = error instanceof UsageError ||
        error instanceof AdvisedError;
      if (isFault) this.#fault = error;
      else this.#isElsewhere = true;
      throw error;
    }
  }

  /** What to say for an error by which a client ends: what is wrong with the proxy, where it couldn't join for that alone. */
  insteadOf(error: unknown): unknown {
    if (!(error instanceof JoinError) || this.#isElsewhere) return error;
    const fault = this.#fault;
    return fault instanceof AdvisedError
      ? new JoinError(`Cannot join: ${fault.message}`, fault.advice, fault)
      : fault ?? error;
  }
}
