/**
 * The past of a sealed room, for one connection: history and searches, one after the other, and single lines.
 *
 * @module
 */

import type { Event } from "../../protocol/events.ts";
import type { HeardLine } from "../../protocol/changes.ts";
import type { PageAnswer } from "../pending_pages.ts";
import { LineReader } from "../../sealed/line_reader.ts";
import { keepNewest } from "../../base/keep_newest.ts";
import { type PastPage, readPage } from "./past_pages.ts";
import { type PastFound, type PastSource, searchPast } from "./past_search.ts";
import type { SealedRoom } from "./sealed_room.ts";

/**
 * Lines among which the server can't tell which one is looked up: it is asked for whole blocks of them, the first from
 * line 1 on.
 */
const BLOCK = 256;
/** Blocks that are kept, the newest: who changes or answers one line of a block does so with others. */
const MAX_BLOCKS = 4;

/** A block that was asked for. */
interface Block {
  /** The number of its last line, or of the room's when it was asked for. */
  readonly upTo: number;
  readonly page: Promise<PastPage | "unreadable">;
}

/** What the past of a room needs. */
export interface PastRoomOptions {
  /** What this client knows of the room. */
  readonly room: SealedRoom;
  /** The last lines before a number, as the server tells them. */
  readonly page: (before: number, count: number) => Promise<PageAnswer>;
  /** Is told how far a search is. */
  readonly note: (text: string) => void;
  /** Is told what was found by a search; or why it can't search. */
  readonly found: (
    find: Event<"find">,
    found: PastFound | "untold",
  ) => void;
}

/** The past. */
export class PastRoom {
  readonly #options: PastRoomOptions;
  readonly #ends = new Map<number, AbortController>(); // of searches, by their number
  #searches: Promise<unknown> = Promise.resolve(); // the last of them
  readonly #blocks = new Map<number, Block>(); // by the number before their first line

  /** Nothing is asked for yet. */
  constructor(options: PastRoomOptions) {
    this.#options = options;
  }

  /** A search is asked for, which `find` will do once what has come so far is taken. */
  open(id: number): void {
    this.#ends.set(id, new AbortController());
  }

  /**
   * Searches, after all searches before. @param last The number of the last line that this client has taken.
   * @throws {EventError} for what is no page.
   */
  find(find: Event<"find">, last: number): Promise<void> {
    const searching = this.#searches.then(() => this.#find(find, last));
    this.#searches = searching.catch(() => {}); // the caller is told
    return searching;
  }

  async #find(find: Event<"find">, last: number): Promise<void> {
    const { id, words, count } = find;
    const { signal } = this.#ends.get(id) ?? new AbortController();
    const before = Math.min(find.before ?? Infinity, last + 1);
    const wish = { words, count, before };
    const found = await searchPast(this.#source, wish, signal);
    this.#ends.delete(id);
    if (found !== "gone") this.#options.found(find, found);
  }

  /** Ends a search, with what it has found. */
  end(id: number): void {
    this.#ends.get(id)?.abort();
  }

  /**
   * The line of that number, undefined if there is none; or that it can't be had. The server learns which block it is in.
   * @param last The number of the last line that this client has taken. @throws {EventError} for what is no page.
   */
  async recall(
    seq: number,
    last: number,
  ): Promise<HeardLine | "unreadable" | undefined> {
    if (seq < 1 || seq > last) return undefined;
    const page = await this.#block(seq, last);
    if (page === "unreadable" || seq <= page.after) return "unreadable";
    const [line] = await this.#source.reader.read(
      page.lines.filter((it) => it.seq === seq),
      {
        fits: (line) => this.#source.fits(line),
        seenDiffers: () => undefined,
      },
    );
    return line;
  }

  #block(seq: number, last: number): Promise<PastPage | "unreadable"> {
    const after = seq - 1 - (seq - 1) % BLOCK;
    const known = this.#blocks.get(after);
    if (known && seq <= known.upTo) return known.page;
    const upTo = Math.min(after + BLOCK, last);
    const block = { upTo, page: this.#ask(after, upTo) };
    this.#blocks.delete(after);
    keepNewest(this.#blocks.set(after, block), MAX_BLOCKS);
    return block.page;
  }

  async #ask(after: number, upTo: number): Promise<PastPage | "unreadable"> {
    const page = await this.#options.page(upTo + 1, upTo - after);
    if (typeof page === "string") {
      this.#blocks.delete(after); // to be asked for again
      return "unreadable";
    }
    // What this person may read can begin later.
    const isAfter = page.start && page.start.seq > upTo;
    if (isAfter && page.lines.length === 0) return "unreadable";
    return readPage(page, upTo + 1);
  }

  get #source(): PastSource {
    const { room, note, page } = this.#options;
    return {
      page,
      reader: new LineReader(room.record, room.keys),
      seam: room.seam,
      fits: (line) => room.file.stays.fits(line),
      doubt: (from) => room.seam.doubt?.(from),
      tell: (backTo, found) =>
        note(
          `Searched back to line ${backTo}; ${found} found so far. Another search, or /history, ends this one`,
        ),
    };
  }
}
