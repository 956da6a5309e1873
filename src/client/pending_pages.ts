/**
 * The pages of the log that a client waits for, over one connection.
 *
 * @module
 */

import type { Event } from "../protocol/events.ts";
import type { Past } from "./link.ts";

/** Lines in a row, as the server tells them. */
export interface Page extends Past {
  /** Whether there are older ones that may be read. */
  readonly more: boolean;
}

/** A page, or why there is none: the server can't read its log, or the connection is gone. */
export type PageAnswer = Page | "untold" | "gone";

/** The first number: apart from those of pages that a search in a sealed room asks for over the same connection. */
const FIRST_ID = 2 ** 32;

/** Pages from being asked for to being told. */
export class PendingPages {
  readonly #pages = new Map<number, (answer: PageAnswer) => void>(); // by the number that the server is told
  #nextId = FIRST_ID;

  /** Opens one: the last lines before a number. @returns How it is asked for, and its answer. */
  open(before: number, count: number): [Event<"page">, Promise<PageAnswer>] {
    const id = this.#nextId++;
    const { promise, resolve } = Promise.withResolvers<PageAnswer>();
    this.#pages.set(id, resolve);
    return [{ kind: "page", id, before, count }, promise];
  }

  /** One is told. */
  close(id: number, page: Page): void {
    this.#settle(id, page);
  }

  /** The first that is open can't be told. */
  closeFirst(): void {
    const [first] = this.#pages.keys();
    if (first !== undefined) this.#settle(first, "untold");
  }

  /** The connection is gone. */
  closeAll(): void {
    for (const id of this.#pages.keys()) this.#settle(id, "gone");
  }

  #settle(id: number, answer: PageAnswer): void {
    this.#pages.get(id)?.(answer);
    this.#pages.delete(id);
  }
}
