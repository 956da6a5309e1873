/**
 * What a client asks the server about the history, over one connection after the other.
 *
 * @module
 */

import { toldValue } from "../protocol/chain.ts";
import type { Event } from "../protocol/events.ts";
import type { Bytes } from "../../crypto_utils.ts";
import type { Page, PageAnswer } from "./pending_pages.ts";

/** How long a server that may have to count first is left alone before it is asked again, each time, s. */
const PATIENCE = [5, 10, 20, 40];

/** A server that doesn't tell, or a connection that is gone. */
export type Untold = "untold" | "gone";

/** How the server is asked. */
export interface ChainServer {
  /** Asks for a value, if the client is in the room. */
  readonly ask: (request: Event<"agree">) => void;
  /** The last lines before a number. */
  readonly page: (before: number, count: number) => Promise<PageAnswer>;
}

/** The questions that are open. */
export class ChainQuestions {
  readonly #server: ChainServer;
  readonly #open = new Map<number, (value: Bytes | Untold) => void>();
  #next = 1;
  #pause: ((isOver: boolean) => void) | undefined;
  #seconds = 0; // that are left of it

  /** None so far. */
  constructor(server: ChainServer) {
    this.#server = server;
  }

  /** The server's value for a line. */
  ask(seq: number): Promise<Bytes | Untold> {
    const id = this.#next++;
    return new Promise((resolve) => {
      this.#open.set(id, resolve);
      this.#server.ask({ kind: "agree", id, seq });
    });
  }

  /** The same, of a server that must know it and may only be busy. */
  insist(seq: number): Promise<Bytes | Untold> {
    return this.#again(() => this.ask(seq));
  }

  /** The lines after a number, of a server that must know the value there. */
  page(after: number, count: number): Promise<PageAnswer> {
    return this.#again<Page>(async () => {
      const page = await this.#server.page(after + count + 1, count);
      const isTold = typeof page === "string" || page.start?.value;
      return isTold ? page : "untold";
    });
  }

  async #again<T>(ask: () => Promise<T | Untold>): Promise<T | Untold> {
    for (const seconds of PATIENCE) {
      const answer = await ask();
      if (answer !== "untold") return answer;
      if (!await this.pause(seconds)) return "gone";
    }
    return await ask();
  }

  /** Resolves after so many seconds; to false when the connection is gone. One pause at a time. */
  pause(seconds: number): Promise<boolean> {
    this.#seconds = seconds;
    return new Promise((resolve) => this.#pause = resolve);
  }

  /** A second has passed. */
  tick(): void {
    if (--this.#seconds <= 0) this.#resume(true);
  }

  /** The server has answered. */
  agreed({ id, value }: Event<"agreed">): void {
    this.#answer(id, toldValue(value) ?? "untold");
  }

  /** The connection is gone. */
  parted(): void {
    for (const id of this.#open.keys()) this.#answer(id, "gone");
    this.#resume(false);
  }

  #answer(id: number, value: Bytes | Untold): void {
    this.#open.get(id)?.(value);
    this.#open.delete(id);
  }

  #resume(isOver: boolean): void {
    this.#pause?.(isOver);
    this.#pause = undefined;
  }
}
