/**
 * The lines that were said here and aren't in the log yet.
 *
 * @module
 */

import { refusalSentence } from "../client/sentences.ts";
import type { NewsOf } from "../client/sentences.ts";
import type { RoomNews } from "../client/view.ts";
import type { Pending } from "./rows.ts";

/** Lines from being said to being in the log, or refused. */
export class PendingLines {
  #all: readonly Pending[] = [];
  #nextId = 1;

  /** All of them, in order. */
  get all(): readonly Pending[] {
    return this.#all;
  }

  /** A line is said. @param to The message that it answers, else null. @returns What its request is to be called. */
  add(text: string, to: number | null, at: number): number {
    const id = this.#nextId++;
    this.#all = [...this.#all, { id, text, to, at, refused: "" }];
    return id;
  }

  /** A line is in the log. */
  settle({ mine, id }: Pick<RoomNews, "mine" | "id">): void {
    if (mine && typeof id === "number") this.remove(id);
  }

  /** Something was refused. @returns Whether that is one of them, which says so now. */
  refuse(news: NewsOf<"refused">): boolean {
    if (!this.#all.some(({ id }) => id === news.id)) return false;
    const refused = refusalSentence(news);
    this.#all = this.#all.map((it) =>
      it.id === news.id ? { ...it, refused } : it
    );
    return true;
  }

  /** Takes one away. */
  remove(id: number): void {
    this.#all = this.#all.filter((it) => it.id !== id);
  }
}
