/**
 * Private messages on their way, sealed: each is kept for seven days, so that who is away gets it on coming back, and
 * on other machines too. The server opens none.
 *
 *     post ──▶ chat.waiting ──▶ who is here, of both persons
 *                  └── collect: who comes ── got ──▶ may give way to others
 *
 * `post`, `got` and `sweep` come in the order of the room, with its times. Servers that share a room keep the same
 * messages with the same numbers, since nothing else decides what is kept: no clock of a server, and no full disk.
 *
 * @module
 */

import { FileError } from "../base/private_file.ts";
import { GROWS, LineFile } from "../base/line_file.ts";
import { besideLog } from "../log/beside.ts";
import type { Event } from "../protocol/events.ts";
import type { Refusal } from "../protocol/reasons.ts";
import { diagnostics } from "./diagnostics.ts";
import {
  LETTER_KEPT,
  LETTER_KINDS,
  type LetterLine,
  Letters,
  type Posting,
} from "./letters.ts";

/** The pause between two looks whether something has ended, and between rewritings of the file, ms: nothing stays there longer than both. */
const SWEEP_PAUSE = 1_800_000;
/** Lines that wait for the file to be written, before it can only be written anew; and the pause between two tries of that, ms. */
const MAX_PENDING = 1_024;
const REWRITE_PAUSE = 60_000;

/** What is said where nothing can be written down. */
const LOSES =
  "{why}. Until it can be written, a restart loses private messages";

const logger = diagnostics("mailbox");

/** Somebody who is told of letters. */
export interface Recipient {
  /** Tells it. */
  tell(...events: Event[]): void;
}

/** What becomes of a message: somebody who is here was told, it waits, or it is not taken. */
export type Posted = "delivered" | "waiting" | Refusal;

/** How a message comes. */
export interface PostOptions {
  /** Whether other servers keep it in any case, so that this one does, too, and writes it down when it can. */
  readonly isDecided?: boolean;
  /** Whether its recipient is in the room by another server. */
  readonly isElsewhere?: boolean;
}

/** The file for a log's private messages, beside it: one server at a time uses a log. */
export function waitingFile(log: string): string {
  return besideLog(log, "waiting");
}

/** All private messages that are kept. */
export class Mailbox implements Disposable {
  readonly #file: LineFile<LetterLine>;
  readonly #here = new Map<string, Set<Recipient>>(); // who collects, by full id
  #letters = new Letters();
  #pending: LetterLine[] = []; // which the file lacks
  #lacksMore = false; // than those
  #askedAt = 0;
  #triedAt = 0;
  #rewrittenAt = 0;
  #mayRewrite = true;
  #trouble = ""; // said once

  private constructor(file: LineFile<LetterLine>) {
    this.#file = file;
  }

  /**
   * The messages in a file, made if it is missing.
   * @param made Is told the file's path if it was made.
   * @throws {FileError} for a file that is damaged, that others can read, or that can't be used.
   */
  static open(
    path: string,
    { fsync = false, onMade }: {
      readonly fsync?: boolean;
      readonly onMade?: (path: string) => void;
    } = {},
  ): Mailbox {
    const file = LineFile.open<LetterLine>(
      path,
      fsync,
      onMade,
      LETTER_KINDS,
    );
    try {
      const mailbox = new Mailbox(file);
      for (const line of file.added(true)) mailbox.#letters.apply(line);
      return mailbox;
    } catch (error) {
      file[Symbol.dispose]();
      throw error;
    }
  }

  /** What was repaired when the file was opened. */
  get notice(): string | undefined {
    return this.#file.notice;
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    if (this.#lacksMore) this.#rewrite();
    else this.#write([]);
    this.#file[Symbol.dispose]();
  }

  /** Whether all that is kept is in the file. */
  get isKept(): boolean {
    return this.#pending.length === 0 && !this.#lacksMore;
  }

  /**
   * Takes a message, writes it down, and tells who is here of both persons.
   * @param by Its sender's connection, which isn't told. @param at ms since 1970, by the order of the room.
   */
  post(
    posting: Posting,
    by: Recipient,
    at: number,
    { isDecided = false, isElsewhere = false }: PostOptions = {},
  ): Posted {
    const { to } = posting;
    const letters = this.#letters;
    letters.expire(at);
    const refusal = letters.refusal(posting);
    if (refusal) return refusal;
    const lines = letters.lines(posting, at);
    if (!this.#add(lines, isDecided)) return "mailbox-failed";
    for (const line of lines) {
      const recipients = this.#here.get(line.to) ?? [];
      for (const it of recipients) {
        if (it !== by) it.tell(letterEvent(line));
      }
    }
    const isHere = isElsewhere || this.#here.has(to);
    return isHere || letters.isTaken(posting) ? "delivered" : "waiting";
  }

  /**
   * Tells a connection of all letters to its person from now on, and first those that are kept.
   * @param after Those above that number; null: those that nobody has taken. @returns How many characters that is.
   */
  collect(
    person: string,
    recipient: Recipient,
    after: number | null,
    now: number,
  ): number {
    const here = this.#here.get(person) ?? new Set();
    this.#here.set(person, here.add(recipient));
    const kept = this.#letters.of(person)
      .filter(({ at }) => now - at < LETTER_KEPT)
      .filter((it) => after === null ? !it.taken : it.id > after);
    if (kept.length > 0) recipient.tell(...kept.map(letterEvent));
    return kept.reduce((sum, { data }) => sum + data.length, 0);
  }

  /** Tells a connection of nothing any more. */
  leave(person: string, recipient: Recipient): void {
    const here = this.#here.get(person);
    here?.delete(recipient);
    if (here?.size === 0) this.#here.delete(person);
  }

  /** Whether a person has letters up to a number that it hasn't taken. */
  hasNew(person: string, id: number): boolean {
    return this.#letters.of(person).some((it) => it.id <= id && !it.taken);
  }

  /** A person has taken its letters up to a number. @param isDecided As for `post`. */
  got(person: string, id: number, isDecided = false): void {
    if (this.hasNew(person, id)) {
      this.#add([{ kind: "got", to: person, id }], isDecided);
    }
  }

  /** Drops what has been kept for long enough, from the file as well. @param at ms since 1970, by the order of the room. */
  sweep(at: number): void {
    this.#letters.expire(at);
    this.#tidy(at);
  }

  /**
   * Who has letters that have been kept for long enough: a `got` in the order of the room, up to number 0, has all servers
   * drop them at its time. To be called now and then.
   * @param now ms since 1970. @returns A full id, seldom; else undefined.
   */
  due(now: number): string | undefined {
    this.#keep(now);
    this.#tidy(now);
    if (!isOver(this.#askedAt, now, SWEEP_PAUSE)) return undefined;
    this.#askedAt = now;
    return this.#letters.expired(now);
  }

  /** All that counts, for another server that lacks it. */
  state(): LetterLine[] {
    return this.#letters.summary();
  }

  /** Takes over what another server keeps. @throws {FileError} if it can't be written down; then all is as before. */
  takeOver(lines: readonly LetterLine[]): void {
    const letters = new Letters();
    for (const line of lines) letters.apply(line);
    this.#file.rewrite(letters.summary());
    this.#letters = letters;
    this.#pending = [];
    this.#lacksMore = false;
  }

  /** Writes down what the file lacks, as far as that can be done. */
  #keep(now: number): void {
    if (!this.#lacksMore) this.#write([]);
    else if (isOver(this.#triedAt, now, REWRITE_PAUSE)) {
      this.#triedAt = now;
      this.#rewrite();
    }
  }

  /** Writes lines down, and takes them over. @returns Whether that was done: what must be is, and is written down later. */
  #add(lines: readonly LetterLine[], must: boolean): boolean {
    const isWritten = this.isKept && this.#write(lines); // else `due` tries again, before too many come
    if (!isWritten && !must) return false;
    for (const line of lines) this.#letters.apply(line);
    if (!isWritten) this.#postpone(lines);
    else if (this.#file.isStale(this.#letters.size)) this.#rewrite();
    return true;
  }

  #postpone(lines: readonly LetterLine[]): void {
    this.#pending.push(...lines);
    if (this.#pending.length > MAX_PENDING) this.#lacksMore = true;
    if (this.#lacksMore) this.#pending = [];
  }

  /** Writes lines down behind those that the file lacks. @returns Whether that came off. */
  #write(lines: readonly LetterLine[]): boolean {
    try {
      this.#file.add([...this.#pending, ...lines]);
    } catch (error) {
      this.#report(error, LOSES);
      return false;
    }
    if (lines.length + this.#pending.length > 0) this.#trouble = "";
    this.#pending = [];
    return true;
  }

  /** Writes the file anew if something in it was dropped, not too often. */
  #tidy(now: number): void {
    if (this.#letters.dropped === 0) return;
    if (!isOver(this.#rewrittenAt, now, SWEEP_PAUSE)) return;
    this.#rewrittenAt = now;
    this.#mayRewrite = true; // it may be possible by now
    this.#rewrite();
  }

  /** Writes the file anew. Where its folder is read-only, it can only be added to, which does too. */
  #rewrite(): void {
    if (!this.#mayRewrite && !this.#lacksMore) return;
    try {
      this.#file.rewrite(this.#letters.summary());
    } catch (error) {
      this.#mayRewrite = false;
      return this.#report(error, this.isKept ? GROWS : LOSES);
    }
    this.#letters.dropped = 0;
    this.#pending = [];
    this.#lacksMore = false;
    this.#trouble = "";
  }

  #report(error: unknown, words: string): void {
    if (!(error instanceof FileError)) throw error;
    const why = error.message;
    if (why !== this.#trouble) logger.error(words, { why });
    this.#trouble = why;
  }
}

function letterEvent(
  { id, from, data }: { id: number; from: string; data: string },
): Event<"letter"> {
  return { kind: "letter", id, from, data };
}

/** Whether a pause is over, or the clock was put back; all in ms. */
function isOver(since: number, now: number, pause: number): boolean {
  return now - since >= pause || now < since;
}
