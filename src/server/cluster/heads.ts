/**
 * What the servers of a room tell each other of how far they are, when one of them has to know: who asks says what it has,
 * and all answer what they have.
 *
 *     heads { asks, isSettled, stream, begun, place, head }
 *
 * @module
 */

import { Notify } from "../../base/notify.ts";
import { within } from "../../base/timing.ts";
import type { Other } from "./beginning.ts";
import type { Message, Siblings } from "./siblings.ts";

/** How long a server waits for others, ms. */
export interface Patience {
  /** Between two questions what others have. */
  readonly asking: number;
  /** For servers that nobody knows of. */
  readonly strangers: number;
  /** For those that were there when this one was there last; and for the beginning of one that has a longer log. */
  readonly known: number;
  /** For one that has what is lacking here, at a start; after a start it waits without an end. */
  readonly start: number;
}

/** What other servers have. */
export class Heads {
  readonly #siblings: Siblings;
  readonly #patience: Patience;
  readonly #own: () => Omit<Other, "id">;
  readonly #others = new Map<string, Other>(); // that have answered
  readonly #heard = new Notify();

  /** Answers others from now on. @param own What this server has. */
  constructor(
    siblings: Siblings,
    patience: Patience,
    own: () => Omit<Other, "id">,
  ) {
    this.#siblings = siblings;
    this.#patience = patience;
    this.#own = own;
    siblings.hear("heads", (message, from) => this.#hear(message, from));
  }

  #tell(asks: boolean, to?: string): void {
    this.#siblings.tell("heads", { asks, ...this.#own() }, to);
  }

  #hear(message: Message, from: string): undefined {
    const { asks, ...told } = message;
    this.#others.set(from, { ...told, id: from } as Other); // sealed: it comes from a server of the room
    this.#heard.notify();
    if (asks === true) this.#tell(false, from);
  }

  /**
   * Hears what others have.
   * @param expected How many there were. @param isEnough Whether that is known of one which is looked for.
   * @param isFinal Whether what one says won't be other soon. Default: it won't.
   */
  async ask(
    expected: number,
    isEnough: (other: Other) => boolean,
    isFinal: (other: Other) => boolean = () => true,
  ): Promise<Other[]> {
    const { asking, known, strangers } = this.#patience;
    this.#others.clear();
    const end = performance.now() + (expected > 0 ? known : strangers);
    let askAt = -Infinity;
    for (;;) {
      const others = [...this.#others.values()];
      const isAll = expected > 0 && others.filter(isFinal).length >= expected;
      const now = performance.now();
      if (isAll || now >= end || others.some(isEnough)) return others;
      if (now >= askAt) {
        this.#tell(true);
        askAt = now + asking;
      }
      const next = Math.min(end, askAt) - performance.now();
      await within(Math.max(1, next), this.#heard.wait());
      this.#heard.notify(); // or what was waited for in vain would be kept, for as long as nobody is heard
    }
  }
}
