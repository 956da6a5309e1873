/**
 * The view for programs in the same process: news wait until they are read, so many and no more.
 *
 * @module
 */

import { Notify } from "../base/notify.ts";
import type { News, View } from "./view.ts";

/** News that wait for a slow reader, at the most. */
export const MAX_WAITING = 10_000;

/** News until somebody reads them. */
export class WaitingNews implements View {
  readonly #note: (text: string) => void;
  readonly #more = new Notify();
  readonly #entered = Promise.withResolvers<void>();
  #news: News[] = [];
  #isOver = false;
  /** How many are gone. */
  dropped = 0;

  /** None so far. @param note Told what isn't news. */
  constructor(note: (text: string) => void) {
    this.#note = note;
  }

  /** Resolves when the client is in. */
  get entered(): Promise<void> {
    return this.#entered.promise;
  }

  /** Keeps a piece of news; the oldest goes where there are too many. */
  show(news: News): void {
    this.#news.push(news);
    if (this.#news.length > MAX_WAITING) {
      this.#news.shift();
      this.dropped++;
    }
    if (news.type === "entered") this.#entered.resolve();
    this.#more.notify();
  }

  /** Does nothing: there is no prompt. */
  stand(): void {}

  /** Tells it at once. */
  note(text: string): void {
    this.#note(text);
  }

  /** Nobody can be asked. */
  ask(): Promise<null> {
    return Promise.resolve(null);
  }

  /** There are no more. */
  end(): void {
    this.#isOver = true;
    this.#more.notify();
  }

  /** All of them, in their order, for one reader, until there are no more. */
  async *read(): AsyncGenerator<News> {
    for (let news; (news = await this.#next());) yield* news;
  }

  /** Those that wait, once there are any; undefined where there are no more. */
  async #next(): Promise<News[] | undefined> {
    if (this.#news.length === 0 && !this.#isOver) await this.#more.wait();
    return this.#news.length === 0 ? undefined : this.#news.splice(0);
  }
}
