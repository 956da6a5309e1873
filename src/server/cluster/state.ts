/**
 * The state of a room at one place of the stream, as one server gives it to another: who is in, the people, what waits,
 * and what a sealed room keeps. A newcomer asks for it piece by piece, and for the lines of the log:
 *
 *     state { }                ──▶  { id, position, link, records, next }
 *     state { id, from }       ──▶  { records, next }                                … until `next` is null
 *     lines { after, upTo }    ──▶  { first, value, lines, last }
 *
 * @module
 */

import { type Bytes, randomBytes, toBase64url } from "../../../crypto_utils.ts";
import type { ChatLog } from "../../log/chat_log.ts";
import { formatEntry } from "../../log/line_format.ts";
import type { LetterLine } from "../letters.ts";
import type { Happening } from "../people/happening.ts";
import type { Kept } from "../sealed/control_file.ts";
import type { Position, PositionFile } from "./position.ts";
import type { SeatRecord } from "./roster_record.ts";
import type { Message, Siblings } from "./siblings.ts";

/** What a message brings at most, UTF-16 units of JSON, but for one thing more: in UTF-8 it stays far below 1 MB. */
const PIECE_LENGTH = 200_000;
/** Newcomers who are given a state at a time; and how long it is kept for one who asks no more, ms. */
const MAX_GIVEN = 8;
const GIVEN_KEPT = 60_000;

/** Something of which the room has one state, and each server a copy in memory and in a file. */
export interface Part<T> {
  /** All that counts of it now. */
  state(): T[];
  /** Puts a state in the place of all that is here, in memory and in its file. @throws {FileError} if that can't be written. */
  takeOver(state: readonly T[]): Promise<void> | void;
}

/** What a server has of the room. */
export interface RoomParts {
  /** What was said. */
  readonly log: ChatLog;
  /** How far this server is, and who is in. */
  readonly position: PositionFile;
  /** Who may come in, and whose name is whose. */
  readonly people: Part<Happening>;
  /** Private messages. */
  readonly mailbox: Part<LetterLine>;
  /** What a sealed room has beside; undefined for an open one. */
  readonly sealed: Part<Kept> | undefined;
  /** The secret of the standing link, or of the founding link, 32 bytes. */
  readonly link: { readonly secret: Bytes; take(secret: Bytes): void };
}

/** Runs a task between two batches of the room: nothing happens there meanwhile. */
export type Between = (task: () => Promise<void>) => Promise<void>;

/** One thing of a state. */
export type StateRecord =
  | { readonly of: "seat"; readonly it: SeatRecord }
  | { readonly of: "people"; readonly it: Happening }
  | { readonly of: "mailbox"; readonly it: LetterLine }
  | { readonly of: "sealed"; readonly it: Kept };

/** The first piece of a state. */
export interface StateHead {
  /** By which the others are asked for. */
  readonly id: string;
  /** The place at which it is so; its seats are records. */
  readonly position: Position;
  /** The link's secret, 32 bytes in base64url. */
  readonly link: string;
}

/** A piece of a state. */
export interface StatePiece {
  /** Some of its things, in order. */
  readonly records: readonly StateRecord[];
  /** From where on there are more; null for none. */
  readonly next: number | null;
}

/** Some lines of a log. */
export interface LinesPiece {
  /** The number before the first line that there is after what was asked for. */
  readonly first: number;
  /** The chain's value for that number, base64url; "" where it can't be told yet. */
  readonly value: string;
  /** Lines as they stand in the log, by their numbers. Those that are left out aren't ours. */
  readonly lines: readonly (readonly [seq: number, line: string])[];
  /** All lines up to that number are among these. */
  readonly last: number;
}

/** A state that somebody is being given. */
interface Given {
  readonly records: readonly StateRecord[];
  askedAt: number;
}

/** Gives others what this server has. */
export class StateServer {
  readonly #parts: RoomParts;
  readonly #between: Between;
  readonly #given = new Map<string, Given>();

  /** Answers what others ask. @param isSettled Whether what it has is the room's now. */
  constructor(
    siblings: Siblings,
    parts: RoomParts,
    between: Between,
    isSettled: () => boolean,
  ) {
    this.#parts = parts;
    this.#between = between;
    siblings.hear("state", async ({ id, from }) => {
      if (typeof id === "string") return this.#next(id, Number(from));
      return isSettled() ? await this.#begin() : undefined;
    });
    siblings.hear("lines", async ({ after, upTo }) => {
      return await this.#lines(Number(after), Number(upTo));
    });
  }

  async #begin(): Promise<Message | undefined> {
    const { link, position: file, people, mailbox, sealed } = this.#parts;
    this.#tidy();
    let position: Position | undefined;
    let records: StateRecord[] = [];
    let secret = "";
    await this.#between(() => {
      position = file.position;
      records = [
        ...(position?.roster.seats ?? []).map((it) => ({
          of: "seat" as const,
          it,
        })),
        ...people.state().map((it) => ({ of: "people" as const, it })),
        ...mailbox.state().map((it) => ({ of: "mailbox" as const, it })),
        ...(sealed?.state() ?? []).map((it) => ({ of: "sealed" as const, it })),
      ];
      secret = toBase64url(link.secret);
      return Promise.resolve();
    });
    if (!position) return undefined;
    const id = toBase64url(randomBytes(16));
    this.#given.set(id, { records, askedAt: performance.now() });
    const head: StateHead = {
      id,
      position: { ...position, roster: { ...position.roster, seats: [] } },
      link: secret,
    };
    return { ...head, ...this.#next(id, 0) };
  }

  #next(id: string, from: number): Message | undefined {
    const given = this.#given.get(id);
    if (!given) return undefined;
    given.askedAt = performance.now();
    const records: StateRecord[] = [];
    let length = 0;
    let at = from;
    for (; length < PIECE_LENGTH; at++) {
      const record = given.records[at];
      if (!record) {
        // Kept until it is too old: the answer may get lost.
        return { records, next: null };
      }
      records.push(record);
      length += JSON.stringify(record).length;
    }
    return { records, next: at };
  }

  /** Forgets what nobody asks for any more. */
  #tidy(): void {
    const now = performance.now();
    for (const [id, { askedAt }] of this.#given) {
      const isOld = now - askedAt > GIVEN_KEPT;
      if (isOld || this.#given.size >= MAX_GIVEN) this.#given.delete(id);
    }
  }

  async #lines(after: number, upTo: number): Promise<Message> {
    const { log } = this.#parts;
    const end = Math.min(upTo, log.head);
    const first = await log.whole(after);
    const lines: [number, string][] = [];
    let length = 0;
    let last = Math.max(first, end);
    reading: for await (const piece of log.past(first, end)) {
      for (const entry of piece) {
        const line = formatEntry(entry);
        lines.push([entry.seq, line]);
        length += JSON.stringify(line).length;
        if (length < PIECE_LENGTH) continue;
        last = entry.seq;
        break reading;
      }
    }
    // Else what was deleted meanwhile would count as lines that aren't ours.
    if (await log.whole(after) > first) return await this.#lines(after, upTo);
    const value = await log.chainAt(first);
    const told = value ? toBase64url(value) : "";
    return { first, value: told, lines, last } satisfies LinesPiece;
  }
}
