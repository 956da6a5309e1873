/**
 * The lines that were said here and aren't in the log yet.
 *
 * @module
 */

import type { Somebody } from "../client/person.ts";
import type { Answer, RequestId } from "../client/view.ts";
import type { Pending } from "./rows.ts";

/** Lines from being said to being in the log, or refused. */
export class PendingLines {
  #all: readonly Pending[] = [];
  #nextId = 1;

  /** All of them, in order. */
  get all(): readonly Pending[] {
    return this.#all;
  }

  /**
   * A line is said.
   * @param to The message that it answers, else null. @param whom To whom alone it is, null for all.
   * @returns What its request is to be called.
   */
  add(
    text: string,
    to: number | null,
    whom: Somebody | null,
    at: number,
  ): number {
    const id = this.#nextId++;
    this.#all = [...this.#all, { id, text, to, whom, at, refused: "" }];
    return id;
  }

  /** A line is in the log, or a private message with its recipient, or kept for it. */
  settle({ id }: Answer): void {
    if (typeof id === "number") this.remove(id);
  }

  /** Something was refused. @param why A sentence. @returns Whether that is one of them, which says so now. */
  refuse(asked: RequestId | undefined, why: string): boolean {
    if (!this.#all.some(({ id }) => id === asked)) return false;
    this.#all = this.#all.map((it) =>
      it.id === asked ? { ...it, refused: why } : it
    );
    return true;
  }

  /** Takes one away. */
  remove(id: number): void {
    this.#all = this.#all.filter((it) => it.id !== id);
  }
}
