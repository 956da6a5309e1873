/**
 * What a connection has told of a sealed room, until it is carried out: one thing after the other, in order, but that lines
 * which only have to be opened are taken many at a time.
 *
 * @module
 */

import { Notify } from "../../base/notify.ts";
import { MAX_AT_ONCE } from "./take_lines.ts";

/** How much may wait before the connection is read on. */
const MAX_WAITING = 2_048;

/** Something that waits: a line that can be taken together with others, or anything else. */
export type Waiting<T> =
  | { readonly together: T }
  | { readonly alone: () => void | Promise<void> };

/** The queue. */
export class LineQueue<T> {
  #waiting: Waiting<T>[] = [];
  readonly #changed = new Notify(); // more waits, less does, or the end
  #isEnded = false;

  /** Adds one at the end. */
  push(waiting: Waiting<T>): void {
    this.#waiting.push(waiting);
    this.#changed.notify();
  }

  /** Resolves when there is place for more. */
  async ready(): Promise<void> {
    while (this.#waiting.length >= MAX_WAITING && !this.#isEnded) {
      await this.#changed.wait();
    }
  }

  /** Nothing more comes: `run` ends when all is carried out. */
  end(): void {
    this.#isEnded = true;
    this.#changed.notify();
  }

  /** Carries out what comes, until the end. @param take Takes lines together. @throws what that throws. */
  async run(take: (lines: readonly T[]) => Promise<void>): Promise<void> {
    for (;;) {
      const [first] = this.#waiting;
      if (!first) {
        if (this.#isEnded) return;
        await this.#changed.wait();
        continue;
      }
      if ("alone" in first) {
        this.#waiting.shift();
        await first.alone();
      } else await take(this.#takeTogether());
      this.#changed.notify();
    }
  }

  #takeTogether(): T[] {
    const end = this.#waiting.findIndex((it) => "alone" in it);
    const count = Math.min(
      end === -1 ? this.#waiting.length : end,
      MAX_AT_ONCE,
    );
    return this.#waiting.splice(0, count).flatMap((it) =>
      "together" in it ? [it.together] : []
    );
  }
}
