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
  | {
    readonly alone: () => void | Promise<void>;
    /** Is called instead where the end comes before. */
    readonly lost?: () => void;
  };

/** The queue. */
export class LineQueue<T> {
  #waiting: Waiting<T>[] = [];
  readonly #changed = new Notify(); // more waits, less does, or the end
  #isEnded = false;
  #isOver = false; // nothing is carried out any more

  /** Adds one at the end. */
  push(waiting: Waiting<T>): void {
    if (this.#isOver) return lose(waiting);
    this.#waiting.push(waiting);
    this.#changed.notify();
  }

  /** Resolves when all that was added before is carried out. @returns Whether it is; not where the end comes before. */
  passed(): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.push({ alone: () => resolve(true), lost: () => resolve(false) });
    return promise;
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
    try {
      await this.#run(take);
    } finally {
      this.#isOver = true;
      this.#waiting.splice(0).forEach(lose);
      this.end(); // nobody waits for place any more
    }
  }

  async #run(take: (lines: readonly T[]) => Promise<void>): Promise<void> {
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

function lose<T>(waiting: Waiting<T>): void {
  if ("lost" in waiting) waiting.lost?.();
}
