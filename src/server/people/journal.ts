/**
 * How `chat.people` and what it is about stay the same: what happens is written down, what other processes add is
 * taken over, and what no longer counts is dropped from the file at times.
 *
 *     add ──▶ what isn't in the file yet ── keep, not between begin and settle ──▶ chat.people
 *     apply ◀─────────────────────── refresh, and look ──────────────────────────────┘
 *
 * @module
 */

import { messageOf } from "../../base/error_reason.ts";
import type { LineFile } from "../../base/line_file.ts";
import { FileError } from "../../base/private_file.ts";
import { diagnostics } from "../diagnostics.ts";
import type { Happening } from "./happening.ts";

const logger = diagnostics("people");

/** What a journal is about. */
export interface Recorded {
  /** Takes over something that happened; it may have before. */
  apply(happening: Happening): void;
  /** All that counts, in as few lines as it takes. @param all What the file says. */
  summary(all: readonly Happening[]): Happening[];
  /** How many lines that takes, or some more. */
  lines(): number;
}

/** What has happened, in a file. */
export class Journal implements Disposable {
  readonly #file: LineFile<Happening>;
  readonly #recorded: Recorded;
  readonly #pending = new Set<Happening>(); // not in the file yet
  #troubles: ReadonlySet<string> = new Set(); // said once, not every second
  #isUnderWay = false;
  #mayRewrite = true;

  /** A journal in a file, of which nothing was read yet. It closes the file at its end. */
  constructor(file: LineFile<Happening>, recorded: Recorded) {
    this.#file = file;
    this.#recorded = recorded;
  }

  /**
   * Takes over all that the file says. @param mend Whether what a crash left of a line is dropped.
   * @throws {FileError} for a file that is damaged, or can't be read.
   */
  load(mend: boolean): void {
    for (const it of this.#file.added(mend)) this.#recorded.apply(it);
  }

  /** What was repaired when the file was opened. */
  get notice(): string | undefined {
    return this.#file.notice;
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }

  /** Something happens, on its own. */
  record(happening: Happening): void {
    this.#recorded.apply(happening);
    this.add(happening);
  }

  /** Something has happened, which is to be written down. */
  add(...happenings: readonly Happening[]): void {
    for (const it of happenings) this.#pending.add(it);
  }

  /** It has not happened after all. */
  remove(...happenings: readonly Happening[]): void {
    for (const it of happenings) this.#pending.delete(it);
  }

  /** Something has changed that may yet be taken back: all that changes waits for `settle`. */
  begin(): void {
    this.#isUnderWay = true;
  }

  /** What has changed is as it is; writes it down as `tryToKeep` does. */
  settle(): void {
    this.#isUnderWay = false;
    this.tryToKeep();
  }

  /**
   * Writes down what has happened; between `begin` and `settle` that waits.
   * @throws {FileError} if that fails: the next call tries again.
   */
  keep(): void {
    if (this.#pending.size === 0 || this.#isUnderWay) return;
    this.#file.lock(); // or somebody takes half of it for what a crash left
    try {
      this.catchUp(); // so that none of one's own lines is read later, which would undo what came after it
      this.#file.add([...this.#pending]);
    } finally {
      this.#file.unlock();
    }
    this.#pending.clear();
    if (this.#file.isStale(this.#recorded.lines())) this.rewrite();
  }

  /** As `keep`; what fails is said, and tried again with the next change. */
  tryToKeep(): void {
    try {
      this.keep();
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      logger.error("{why}", { why: error.message });
    }
  }

  /** Writes down what isn't yet, and takes over what another process has added, as far as that can be done. */
  look(): void {
    const keeping = this.#attempt(() => this.keep());
    const reading = this.catchUp();
    this.#troubles = new Set([...keeping, ...reading]);
  }

  /** Takes over what another process has added, if the file can be read. @returns What went wrong, if it did. */
  catchUp(): string[] {
    return this.#attempt(() => this.#refresh());
  }

  /** Tries something, and says what goes wrong. @returns What went wrong, if it did. */
  #attempt(step: () => void): string[] {
    try {
      step();
      return [];
    } catch (error) {
      const why = messageOf(error);
      if (!this.#troubles.has(why)) logger.error("{why}", { why });
      this.#troubles = new Set([...this.#troubles, why]);
      return [why];
    }
  }

  #refresh(): void {
    const added = this.#file.added();
    if (added.length === 0) return;
    for (const it of added) this.#recorded.apply(it);
    for (const it of this.#pending) this.#recorded.apply(it); // will be written after it, and so has the last word
  }

  /** Writes the file anew. Where its folder is read-only, or it is mounted by itself, it can only be added to, which does too. */
  rewrite(): void {
    if (!this.#mayRewrite) return;
    try {
      this.#replace();
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.#mayRewrite = false;
      logger.warn("{why}. The server goes on adding to it", {
        why: error.message,
      });
    }
  }

  #replace(): void {
    this.#file.lock();
    try {
      this.#refresh();
      this.#file.rewrite(this.#recorded.summary(this.#file.all()));
    } finally {
      this.#file.unlock();
    }
  }
}
