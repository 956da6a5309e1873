/**
 * What a client asks the server for besides saying lines: another name, to be away from the keyboard, lines of the
 * log, files. What the next connection must be asked again is kept for it: searches, and being away.
 *
 * @module
 */

import { Notify } from "../base/notify.ts";
import { shownAway } from "../sealed/unsigned.ts";
import type { RoomLink, ServerRequest } from "./link.ts";
import { type Page, type PageAnswer, PendingPages } from "./pending_pages.ts";
import { PendingSearches } from "./pending_searches.ts";
import type { RequestId } from "./view.ts";
import type { Operation } from "../protocol/reasons.ts";

/** Something that was asked for, and how the one who asked calls it. */
export interface Asked {
  /** What was asked for. */
  readonly text: string;
  /** How the one who asked calls it. */
  readonly id: RequestId | undefined;
}

/** A connection that requests go over. */
export type RequestLink = Pick<RoomLink, "ask" | "close" | "endSearch">;

/** A client's requests to the server, across connections. */
export class ServerRequests {
  readonly #searches = new PendingSearches();
  readonly #pages = new PendingPages();
  #reading: ("find" | "page")[] = []; // what needs the log and was asked over this connection, in order
  readonly #names: Asked[] = []; // that were asked for and aren't answered, in order
  readonly #wishes = new Map<number, RequestId | undefined>(); // that aren't answered, by their number
  #nextWish = 1;
  #awayText = "";
  #awayAsked: Asked | undefined; // that everybody hasn't been told yet
  #link: RequestLink | undefined; // that leads into the room
  readonly #answered = new Notify(); // fewer are open, or nobody waits for them any more
  #isClosed = false;

  /** Asks again over a connection that leads into the room. */
  connected(link: RequestLink): void {
    this.#link = link;
    if (this.#awayText !== "") {
      this.away(this.#awayText, this.#awayAsked?.id);
    }
    for (const find of this.#searches) this.ask(find);
  }

  /** Asks for nothing: the connection is gone. @returns The last name that was asked for, if that has no answer. */
  disconnected(): string | undefined {
    this.#link = undefined;
    this.#reading = [];
    this.endPages();
    this.#answered.notify();
    return this.#names.splice(0).at(-1)?.text;
  }

  /** What `operate` and `release` asked for and hasn't been answered, over a connection that is gone. */
  takeWishes(): (RequestId | undefined)[] {
    const ids = [...this.#wishes.values()];
    this.#wishes.clear();
    return ids;
  }

  /** Asks for another name. */
  rename(name: string, id?: RequestId): void {
    this.#names.push({ text: name, id });
    this.ask({ kind: "rename", name });
  }

  /** Gives up all names but the one that this client goes by. */
  release(id?: RequestId): void {
    this.ask({ kind: "release", id: this.#wish(id) });
  }

  /** Asks for what only operators may do. */
  operate(
    what: Operation | "keeper",
    who: string,
    text: string,
    count: number,
    id?: RequestId,
  ): void {
    const number = this.#wish(id);
    this.ask({ kind: "operate", id: number, what, who, text, count });
  }

  #wish(id: RequestId | undefined): number {
    const number = this.#nextWish++;
    this.#wishes.set(number, id);
    return number;
  }

  /** The answer to a wish is complete. @returns What it is called. */
  answered(number: number): RequestId | undefined {
    const id = this.#wishes.get(number);
    this.#wishes.delete(number);
    this.#answered.notify();
    return id;
  }

  /** Why this client's person is away, or will be when the client is connected; empty if it isn't. */
  get awayText(): string {
    return this.#awayText;
  }

  /**
   * Everybody was told, by whatever client of the same person, that it is away, or no longer.
   * @returns What the request is called that asked for it, if one did.
   */
  wasAway(text: string): RequestId | undefined {
    this.#awayText = text;
    const asked = this.#awayAsked;
    if (asked?.text !== text) return undefined;
    this.#awayAsked = undefined;
    return asked.id;
  }

  /** The room is sealed: what the server could read isn't asked for as it was typed. */
  sealed(): void {
    this.#awayText = shownAway(this.#awayText);
  }

  /** Has everybody told that this client is away from the keyboard; with an empty text, no longer. */
  away(text: string, id?: RequestId): void {
    this.#awayText = text;
    this.#awayAsked = { text, id };
    this.ask({ kind: "away", text });
  }

  /**
   * Searches the log. Who gives its searches no names waits for the last of them alone: one that this side does ends.
   * @param before As for `PendingSearches.open`. @returns Whether another search may be open.
   */
  search(
    words: string,
    count: number,
    id?: RequestId,
    before?: number,
  ): boolean {
    for (const earlier of this.#searches.unnamed) {
      this.#link?.endSearch?.(earlier);
    }
    const find = this.#searches.open(words, count, id, before);
    if (find) this.ask(find);
    return find !== undefined;
  }

  /** Asks for the last lines before a number. */
  page(before: number, count: number): Promise<PageAnswer> {
    if (!this.#link) return Promise.resolve("gone");
    const [request, answer] = this.#pages.open(before, count);
    this.ask(request);
    return answer;
  }

  /** No page comes any more over this connection. */
  endPages(): void {
    this.#pages.closeAll();
  }

  /** A page is told. */
  paged(id: number, page: Page): void {
    this.#read("page");
    this.#pages.close(id, page);
  }

  /** The first name that was asked for is given. @returns What the request is called. */
  renamed(): RequestId | undefined {
    this.#answered.notify();
    return this.#names.shift()?.id;
  }

  /** A search is answered. @returns Its words, and what it is called; undefined if it isn't open. */
  found(number: number): ReturnType<PendingSearches["close"]> {
    this.#read("find");
    const search = this.#searches.close(number);
    this.#answered.notify();
    return search;
  }

  /** A name is refused. @returns It, and what the request is called. */
  nameRefused(): Asked {
    this.#answered.notify();
    return this.#names.shift() ?? { text: "", id: undefined };
  }

  /** The server can't read its log. @returns What the search is called that has no answer; null where that is a page. */
  readRefused(): RequestId | undefined | null {
    if (this.#reading.shift() === "page") {
      this.#pages.closeFirst();
      return null;
    }
    const id = this.#searches.closeFirst();
    this.#answered.notify();
    return id;
  }

  /** Resolves when every search, name and wish is answered, or after `close`. */
  async settled(): Promise<void> {
    while (
      this.#searches.size + this.#names.length + this.#wishes.size &&
      !this.#isClosed
    ) {
      await this.#answered.wait();
    }
  }

  /** Makes nobody wait for answers any more. */
  close(): void {
    this.#isClosed = true;
    this.#answered.notify();
  }

  #read(what: "find" | "page"): void {
    const at = this.#reading.indexOf(what);
    if (at >= 0) this.#reading.splice(at, 1);
  }

  /** Asks the server for something, if the client is in the room. */
  ask(request: ServerRequest): void {
    const link = this.#link;
    const { kind } = request;
    const isRead = kind === "page" || kind === "find" && !link?.endSearch;
    if (link && isRead) this.#reading.push(kind);
    // A connection that can't be written to ends for its reader, too, which says so.
    link?.ask(request).catch(() => link.close());
  }
}
