/**
 * The searches that a client waits for.
 *
 * @module
 */

import type { Event } from "../protocol/events.ts";

/** Searches that may be open; more at once are a mistake. */
const MAX_OPEN = 16;

/** Searches from being asked for to being answered, in order. */
export class PendingSearches {
  readonly #finds = new Map<number, Event<"find">>(); // by id
  #nextId = 1;

  /** Opens one. @returns How it is asked for, undefined where too many are open. */
  open(words: string, count: number): Event<"find"> | undefined {
    if (this.#finds.size >= MAX_OPEN) return undefined;
    const id = this.#nextId++;
    const find = { kind: "find", id, words, before: null, count } as const;
    this.#finds.set(id, find);
    return find;
  }

  /** One is answered. @returns Its words, undefined if it isn't open. */
  close(id: number): string | undefined {
    const words = this.#finds.get(id)?.words;
    this.#finds.delete(id);
    return words;
  }

  /** The next that would have been answered is not: answers come in the order of the searches. */
  closeFirst(): void {
    const [first] = this.#finds.keys();
    if (first !== undefined) this.#finds.delete(first);
  }

  /** How those that are open are asked for. */
  [Symbol.iterator](): Iterator<Event<"find">> {
    return this.#finds.values();
  }
}
