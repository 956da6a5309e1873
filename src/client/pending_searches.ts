/**
 * The searches that a client waits for.
 *
 * @module
 */

import type { RequestId } from "./view.ts";
import type { Event } from "../protocol/events.ts";

/** Searches that may be open; more at once are a mistake. */
const MAX_OPEN = 16;

/** A search that is open. */
interface Search {
  readonly find: Event<"find">;
  /** What the one who asked calls it. */
  readonly id: RequestId | undefined;
}

/** Searches from being asked for to being answered, in order. */
export class PendingSearches {
  readonly #searches = new Map<number, Search>(); // by the number that the server is told
  #nextId = 1;

  /**
   * Opens one.
   * @param request What the one who asked calls it. @param before Only lines before that number; null for all.
   * @returns How it is asked for, undefined where too many are open.
   */
  open(
    words: string,
    count: number,
    request?: RequestId,
    before: number | null = null,
  ): Event<"find"> | undefined {
    if (this.#searches.size >= MAX_OPEN) return undefined;
    const id = this.#nextId++;
    const find = { kind: "find", id, words, before, count } as const;
    this.#searches.set(id, { find, id: request });
    return find;
  }

  /** One is answered. @returns Its words, and what it is called; undefined if it isn't open. */
  close(
    number: number,
  ): { words: string; id: RequestId | undefined } | undefined {
    const search = this.#searches.get(number);
    this.#searches.delete(number);
    return search && { words: search.find.words, id: search.id };
  }

  /**
   * The next that would have been answered is not: answers come in the order of the searches.
   * @returns What it is called.
   */
  closeFirst(): RequestId | undefined {
    const [first] = this.#searches.keys();
    return first === undefined ? undefined : this.close(first)?.id;
  }

  /** How many are open. */
  get size(): number {
    return this.#searches.size;
  }

  /** The numbers of those for which somebody waits who doesn't call them anything: a person, for the last of them. */
  get unnamed(): number[] {
    return [...this.#searches.values()].flatMap(({ find, id }) =>
      id === undefined ? [find.id] : []
    );
  }

  /** How those that are open are asked for. */
  *[Symbol.iterator](): Generator<Event<"find">> {
    for (const { find } of this.#searches.values()) yield find;
  }
}
