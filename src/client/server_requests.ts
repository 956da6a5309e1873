/**
 * What a client asks the server for besides saying lines: another name, to be away from the keyboard, lines of the
 * log, files. What the next connection must be asked again is kept for it: searches, and being away.
 *
 * @module
 */

import type { FileRequest, FileRoom } from "./file_room.ts";
import type { Link, ServerRequest } from "./link.ts";
import { PendingSearches } from "./pending_searches.ts";

/** A client's requests to the server, across connections. */
export class ServerRequests implements FileRoom {
  readonly #searches = new PendingSearches();
  readonly #names: string[] = []; // that were asked for and aren't answered, in order
  #awayText = "";
  #link: Pick<Link, "ask" | "close"> | undefined; // that leads into the room

  /** Asks again over a connection that leads into the room. */
  connected(link: Pick<Link, "ask" | "close">): void {
    this.#link = link;
    if (this.#awayText !== "") this.away(this.#awayText);
    for (const find of this.#searches) this.#ask(find);
  }

  /** Asks for nothing: the connection is gone. @returns The last name that was asked for, if that has no answer. */
  disconnected(): string | undefined {
    this.#link = undefined;
    return this.#names.splice(0).at(-1);
  }

  /** Asks for another name. */
  rename(name: string): void {
    this.#names.push(name);
    this.#ask({ kind: "rename", name });
  }

  /** Why this client's person is away, or will be when the client is connected; empty if it isn't. */
  get awayText(): string {
    return this.#awayText;
  }

  /** Everybody was told, by whatever client of the same person, that it is away, or no longer. */
  wasAway(text: string): void {
    this.#awayText = text;
  }

  /** Has everybody told that this client is away from the keyboard; with an empty text, no longer. */
  away(text: string): void {
    this.#awayText = text;
    this.#ask({ kind: "away", text });
  }

  /** Asks for something that is not asked again on the next connection. */
  request(event: ServerRequest): void {
    this.#ask(event);
  }

  /** Searches the log. @returns Whether another search may be open. */
  search(words: string, count: number): boolean {
    const find = this.#searches.open(words, count);
    if (find) this.#ask(find);
    return find !== undefined;
  }

  /** Tells the server something about files, if the client is in the room. */
  askAboutFile(request: FileRequest): void {
    this.#ask(request);
  }

  /** The first name that was asked for is given. */
  renamed(): void {
    this.#names.shift();
  }

  /** A search is answered. @returns Its words, undefined if it isn't open. */
  found(id: number): string | undefined {
    return this.#searches.close(id);
  }

  /** Something is refused. @param reason A key of `REFUSALS`. @returns The name, undefined if it was a search. */
  refused(reason: string): string | undefined {
    if (reason !== "log-unreadable") return this.#names.shift() ?? "";
    this.#searches.closeFirst(); // it has no other answer
    return undefined;
  }

  #ask(request: ServerRequest): void {
    const link = this.#link;
    // A connection that can't be written to ends for its reader, too, which says so.
    link?.ask(request).catch(() => link.close());
  }
}
