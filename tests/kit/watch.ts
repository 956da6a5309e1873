/**
 * Waiting for what is found in something that grows.
 *
 * @module
 */

import { Notify } from "../../src/base/notify.ts";

/**
 * What a program, or a connection, takes at the most, ms: then what still waits fails, and is ended. Only what hangs is
 * to meet it, also on a machine that is four times as slow as one on which the longest of these tests takes half a minute.
 */
export const DEADLINE = 120_000;

/** Waits for what is found in something that grows, and gives up when that has ended, or at the deadline. */
export class Watch implements Disposable {
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #report: () => string;
  readonly #changed = new Notify();
  #end: string | undefined;

  /**
   * Begins the time until the deadline.
   * @param report Says what there is, for a failure's message. @param late Called at the deadline.
   * @param deadline When that is, ms.
   */
  constructor(report: () => string, late: () => void, deadline = DEADLINE) {
    this.#report = report;
    this.#timer = setTimeout(() => {
      this.end(`did not come within ${deadline} ms`);
      late();
    }, deadline);
  }

  /** To be called whenever there is more. */
  changed(): void {
    this.#changed.notify();
  }

  /** To be called when nothing more will come; the first reason counts. */
  end(reason: string): void {
    this.#end ??= reason;
    this.changed();
  }

  /**
   * Looks now, and whenever there is more, until something is found.
   * @param what What is waited for, for a failure's message.
   * @throws {Error} if nothing more will come.
   */
  async until<T>(what: string, find: () => T | undefined): Promise<T> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (this.#end !== undefined) {
        throw new Error(`"${what}" ${this.#end}; there is:\n${this.#report()}`);
      }
      await this.#changed.wait();
    }
  }

  /** Gives up the deadline. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
