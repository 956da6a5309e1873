/**
 * What happened in the room before: what a newcomer is shown, what one who comes back lacks, what somebody
 * looks for. Reads the log and changes nothing.
 *
 * @module
 */

import { keepNewest } from "../base/keep_newest.ts";
import type { ChatLog } from "../log/chat_log.ts";
import { LogError } from "../log/file.ts";
import type { Found } from "../log/search.ts";
import type { Bytes } from "../../crypto_utils.ts";
import { chainEvent } from "../protocol/chain.ts";
import type { Shared } from "./broadcaster.ts";
import { encodeEvent, type Event, packEvents } from "../protocol/events.ts";
import { type LogEntry, pastEvent } from "../protocol/line.ts";

/** A guest that lacks more events than this is told them before it is let in, in blocks of as many. Fewer than the log has in memory. */
export const NEAR = 256;

/** Pieces of the past that are kept, and records of one that is: 32 MiB at most with their sealed form, where all lines are long. */
const MAX_PIECES = 64;
const MAX_PIECE_RECORDS = 4;
/** Pieces that are read in a row. */
const READ_ON = 8;

/** Some of the room's past, as clients are told it. */
export interface Piece {
  /** The number of its last line. */
  readonly upTo: number;
  /** Its lines, as `packEvents` made them. */
  readonly plaintexts: readonly Bytes[];
  /** Whether somebody was told it. */
  isTold: boolean;
  /** The same, sealed once for several of them. */
  shared?: Promise<Shared>;
}

/** Lines after one and up to another, as `packEvents` made them. */
interface Packed {
  readonly after: number;
  readonly upTo: number;
  readonly plaintexts: readonly Bytes[];
}

/** The room's past. */
export class History {
  readonly #log: ChatLog;
  readonly #shown: number;
  #searches: Promise<unknown> = Promise.resolve(); // the last of them
  readonly #pieces = new Map<string, Promise<Piece>>(); // as they were asked for first
  #packed: Packed | undefined; // the last that was

  /** The past in a log. @param shown How many events a newcomer is shown. */
  constructor(log: ChatLog, shown: number) {
    this.#log = log;
    this.#shown = shown;
  }

  /** The number of the last event. */
  get head(): number {
    return this.#log.head;
  }

  /**
   * The event after which one that comes for the first time may read: as many before the last as it is shown, or more,
   * so that as many of them were said; but not more than comes from memory in the step that lets it in.
   */
  get newcomerStart(): number {
    const events = Math.max(0, this.head - this.#shown);
    return Math.min(events, this.#log.saidStart(this.#shown, NEAR));
  }

  /**
   * The event after which a guest begins to read: the one it names, or, if it names none or one that
   * this log doesn't have, as many before the last as a newcomer is shown; nothing before what it may read, or what
   * older files had that are gone.
   * @param from The event after which it may read; the last one, where the log was put back to an older one since.
   */
  async start(after: number | null, from: number): Promise<number> {
    const wanted = after !== null && after <= this.head
      ? after
      : this.newcomerStart;
    return await this.whole(Math.max(wanted, Math.min(from, this.head)));
  }

  /** The smallest number from `after` on behind which all lines are in files that are still there. */
  whole(after: number): Promise<number> {
    return this.#log.whole(after);
  }

  /** Entries after `after` and up to `upTo`, in pieces. Default: to where the log ends now. */
  past(after: number, upTo = this.head): AsyncGenerator<LogEntry[]> {
    return this.#log.past(after, upTo);
  }

  /**
   * The lines after `after` up to `upTo`, or to the end of their block of 256, as they are told. After a restart thousands
   * come back to the same past: each piece is read and packed once for all who ask for it at about the same time.
   * @throws {LogError} if a file can't be read, or was deleted meanwhile.
   */
  piece(after: number, upTo: number): Promise<Piece> {
    const name = nameOf(after, endOf(after, upTo));
    return this.#pieces.get(name) ?? this.#readOn(after, upTo);
  }

  /**
   * Reads a piece, and some that follow: to find where they begin takes longer than to read one.
   * @returns The first.
   */
  #readOn(after: number, upTo: number): Promise<Piece> {
    const ends: number[] = [];
    for (let at = after; at < upTo && ends.length < READ_ON;) {
      const end = endOf(at, upTo);
      if (this.#pieces.has(nameOf(at, end))) break;
      ends.push(end);
      at = end;
    }
    const reading = this.#read(after, ends.at(-1) ?? after);
    let start = after;
    const pieces = ends.map((upTo) => {
      const from = start;
      const name = nameOf(from, upTo);
      const piece = reading.then((entries) => pieceOf(entries, from, upTo));
      const drop = () => this.#pieces.delete(name);
      piece.then(({ plaintexts }) => {
        if (plaintexts.length > MAX_PIECE_RECORDS) drop();
      }, drop);
      this.#pieces.set(name, piece);
      keepNewest(this.#pieces, MAX_PIECES);
      start = upTo;
      return piece;
    });
    return pieces[0] ?? Promise.resolve(pieceOf([], after, upTo));
  }

  /**
   * The lines after `after` up to `upTo`, packed as they are told; undefined where not all of it is in memory. Who was
   * told the same pieces before asks for the same at the same time, and it is packed once.
   */
  packed(after: number, upTo: number): readonly Bytes[] | undefined {
    const recent = this.recent(after, upTo);
    if (!recent) return undefined;
    const last = this.#packed;
    if (last?.after === after && last.upTo === upTo) return last.plaintexts;
    const plaintexts = packed(recent);
    this.#packed = { after, upTo, plaintexts };
    return plaintexts;
  }

  /** The lines after `after` up to `upTo`, none of which was left out. */
  async #read(after: number, upTo: number): Promise<readonly LogEntry[]> {
    const entries = await this.lines(after, upTo);
    // Not kept then: the file may come back, and who asks for the piece after that would lack its lines unawares.
    if (entries.length < upTo - after && !this.recent(after, upTo)) {
      await this.#requireWhole(after);
    }
    return entries;
  }

  /** Looks whether lines after a number were left out since their file was deleted meanwhile. @throws {LogError} if so. */
  async #requireWhole(after: number): Promise<void> {
    const whole = await this.whole(after);
    if (whole === after) return;
    const why = new Error(`events up to ${whole} were deleted meanwhile`);
    throw new LogError("read on in", "the log", why);
  }

  /** The same as `past`, all of it: from memory, if all is there. @throws {LogError} if a file can't be read. */
  async lines(after: number, upTo: number): Promise<readonly LogEntry[]> {
    return this.recent(after, upTo) ??
      (await Array.fromAsync(this.past(after, upTo))).flat();
  }

  /** The same as `past` from memory, undefined where not all of it is there, or where there is nothing. */
  recent(after: number, upTo: number): readonly LogEntry[] | undefined {
    if (after >= upTo || after < this.#log.oldest) return undefined;
    return this.#log.recent(after).filter(({ seq }) => seq <= upTo);
  }

  /** The number after which lines are in memory. */
  get oldest(): number {
    return this.#log.oldest;
  }

  /** The chain's value for a line, as it is told: empty where it can't be. */
  async chain(seq: number): Promise<Event<"chain">> {
    return chainEvent(seq, await this.#log.chainAt(seq));
  }

  /** The entry of that number, if it is in memory. */
  recall(seq: number): LogEntry | undefined {
    return this.#log.recall(seq);
  }

  /** Whether the line of that number was deleted lately. */
  isDeleted(seq: number): boolean {
    return this.#log.isDeleted(seq);
  }

  /** The entry of that number, undefined if there is none. @throws {LogError} if a file can't be read. */
  async entry(seq: number): Promise<LogEntry | undefined> {
    const recent = this.recall(seq);
    if (recent) return recent;
    for await (const [entry] of this.#log.past(seq - 1, seq)) return entry;
    return undefined;
  }

  /**
   * The last `count` entries, at most 200, after `from` and before `before` (null: the end) that have all the words by now, and what
   * was changed about them; oldest first. And whether there are more.
   */
  async find(
    words: string,
    before: number | null,
    count: number,
    from: number,
  ): Promise<Pick<Found, "entries" | "more">> {
    const end = before ?? this.head + 1;
    // One at a time: many at once would keep everybody's messages waiting.
    const search = this.#searches.then(() =>
      this.#log.search(words, { before: end, after: from, limit: count })
    );
    this.#searches = search.catch(() => {}); // the caller is told
    const { entries, changes, more } = await search;
    const all = [...entries, ...changes].sort((a, b) => a.seq - b.seq);
    return { entries: all, more };
  }
}

/** Where the piece ends that begins after a number. */
function endOf(after: number, upTo: number): number {
  return Math.min(upTo, after - after % NEAR + NEAR);
}

function nameOf(after: number, end: number): string {
  return `${after} ${end}`;
}

/** Those of the entries that are after one number and up to another. */
function pieceOf(
  entries: readonly LogEntry[],
  after: number,
  upTo: number,
): Piece {
  const lines = entries.filter(({ seq }) => seq > after && seq <= upTo);
  return { upTo, plaintexts: packed(lines), isTold: false };
}

/** Lines as they are told. */
function packed(entries: readonly LogEntry[]): Bytes[] {
  return packEvents(entries.map((entry) => encodeEvent(pastEvent(entry))));
}
