/**
 * Private messages on their way, sealed: each is kept for seven days, so that who is away gets it on coming back, and
 * on other machines too. The server opens none.
 *
 *     post ──▶ chat.waiting ──▶ who is here, of both persons
 *                  └── collect: who comes ── got ──▶ may give way to others
 *
 * @module
 */

import { FileError } from "../base/private_file.ts";
import { LineFile } from "../base/line_file.ts";
import { besideLog } from "../log/beside.ts";
import type { Event } from "../protocol/events.ts";
import type { Refusal } from "../protocol/reasons.ts";
import { diagnostics } from "./diagnostics.ts";
import { type LetterLine, Letters, type Posting } from "./letters.ts";

/** The pause between two looks whether something has ended, ms: it stays in the file no longer than that. */
const SWEEP_PAUSE = 3_600_000;

const logger = diagnostics("mailbox");

/** Somebody who is told of letters. */
export interface Recipient {
  /** Tells it. */
  tell(...events: Event[]): void;
}

/** What becomes of a message: somebody who is here was told, it waits, or it is not taken. */
export type Posted = "delivered" | "waiting" | Refusal;

/** The file for a log's private messages, beside it: one server at a time uses a log. */
export function waitingFile(log: string): string {
  return besideLog(log, "waiting");
}

/** All private messages that are kept. */
export class Mailbox implements Disposable {
  readonly #file: LineFile<LetterLine>;
  readonly #letters = new Letters();
  readonly #here = new Map<string, Set<Recipient>>(); // who collects, by full id
  #sweptAt = -Infinity;
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
    const file = LineFile.open<LetterLine>(path, fsync, onMade);
    try {
      const mailbox = new Mailbox(file);
      for (const line of file.added(true)) mailbox.#letters.apply(line);
      mailbox.sweep(Date.now());
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
    this.#file[Symbol.dispose]();
  }

  /**
   * Takes a message, writes it down, and tells who is here of both persons.
   * @param by Its sender's connection, which isn't told. @param now ms since 1970.
   */
  post(posting: Posting, by: Recipient, now: number): Posted {
    const { to } = posting;
    const letters = this.#letters;
    letters.expire(now);
    const refusal = letters.refusal(posting);
    if (refusal) return refusal;
    const lines = letters.lines(posting, now);
    if (!this.#add(lines)) return "mailbox-failed";
    for (const line of lines) {
      const recipients = this.#here.get(line.to) ?? [];
      for (const it of recipients) {
        if (it !== by) it.tell(letterEvent(line));
      }
    }
    const isHere = this.#here.has(to);
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
    this.#letters.expire(now);
    const here = this.#here.get(person) ?? new Set();
    this.#here.set(person, here.add(recipient));
    const kept = this.#letters.of(person)
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

  /** A person has taken its letters up to a number. */
  got(person: string, id: number): void {
    const isNew = this.#letters.of(person).some((it) =>
      it.id <= id && !it.taken
    );
    if (isNew) this.#add([{ kind: "got", to: person, id }]);
  }

  /** Drops what has been kept for long enough, from the file as well. To be called now and then. @param now ms since 1970. */
  sweep(now: number): void {
    this.#letters.expire(now);
    if (now - this.#sweptAt < SWEEP_PAUSE && now >= this.#sweptAt) return;
    this.#sweptAt = now;
    this.#mayRewrite = true; // it may be possible by now
    if (this.#letters.dropped > 0) this.#rewrite();
  }

  /** Writes lines down, and takes them over. @returns Whether that could be done. */
  #add(lines: readonly LetterLine[]): boolean {
    try {
      this.#file.add(lines);
      this.#trouble = "";
    } catch (error) {
      this.#report(error);
      return false;
    }
    for (const line of lines) this.#letters.apply(line);
    if (this.#file.isStale(this.#letters.size)) this.#rewrite();
    return true;
  }

  /** Writes the file anew. Where its folder is read-only, it can only be added to, which does too. */
  #rewrite(): void {
    if (!this.#mayRewrite) return;
    try {
      this.#file.rewrite(this.#letters.summary());
      this.#letters.dropped = 0;
    } catch (error) {
      this.#mayRewrite = false;
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    if (!(error instanceof FileError)) throw error;
    const why = error.message;
    if (why !== this.#trouble) logger.error("{why}", { why });
    this.#trouble = why;
  }
}

function letterEvent(
  { id, from, data }: { id: number; from: string; data: string },
): Event<"letter"> {
  return { kind: "letter", id, from, data };
}
