/**
 * `chat.control`: what a sealed room's server keeps beside the log, whatever becomes of old logs: the control lines, the
 * newest content key sealed for each recipient, and what it needs to know of invites. All of it is sealed or signed by
 * clients.
 *
 * A batch's control lines stand here before they stand in the log, so that no key gets lost; what a crash left here alone
 * is dropped at the next start.
 *
 *     ruled, its wraps, its admission ── said ──▶ …
 *                                     └── not said: dropped ──▶ …
 *
 * @module
 */

import { LineFile } from "../../base/line_file.ts";
import { FileError } from "../../base/private_file.ts";
import type { LogEntry } from "../../protocol/line.ts";
import { diagnostics } from "../diagnostics.ts";

/** A control line as it stands in the log. */
export interface RuledEntry extends LogEntry {
  /** Always so. */
  readonly what: "ruled";
}

/** A content key for a person or an invite, by full ids. */
export interface Wrap {
  /** Who made it. */
  readonly by: string;
  /** For whom it is. */
  readonly to: string;
  /** The number of the epoch. */
  readonly e: number;
  /** As `sealWrap` makes it. */
  readonly data: string;
}

/** What is known of an invite beside its control line. */
export interface Admission {
  /** Its number. */
  readonly invite: number;
  /** What it proves in a handshake, 32 bytes in base64url. */
  readonly key: string;
  /** As `sealBlob` makes it. */
  readonly blob: string;
  /** For whom it is. */
  readonly note: string;
}

/** What a line of the file says. */
export type Kept =
  | { readonly kind: "ruled"; readonly entry: RuledEntry }
  | { readonly kind: "wrap"; readonly wrap: Wrap }
  | { readonly kind: "admission"; readonly admission: Admission }
  /** The control lines from that number on which stand before this, and what came with them, have not happened. */
  | { readonly kind: "dropped"; readonly seq: number };

const logger = diagnostics("room");

/** The file. Each write is on the disk when it returns. */
export class ControlFile implements Disposable {
  readonly #file: LineFile<Kept>;
  #dropped: number | undefined; // what the file doesn't say yet
  #mayRewrite = true;

  private constructor(file: LineFile<Kept>) {
    this.#file = file;
  }

  /**
   * Opens the file, made if it is missing.
   * @param made Is told its path if it was made. @throws {FileError} if it can't be used.
   */
  static open(path: string, made: (path: string) => void): ControlFile {
    return new ControlFile(LineFile.open<Kept>(path, true, made));
  }

  /** What was repaired when it was read. */
  get notice(): string | undefined {
    return this.#file.notice;
  }

  /**
   * All that it says has happened. @param mend Whether what a crash left of a line is dropped. @throws {FileError} for a
   * file that is damaged.
   */
  load(mend = true): Exclude<Kept, { kind: "dropped" }>[] {
    const happened: Exclude<Kept, { kind: "dropped" }>[] = [];
    for (const it of this.#file.added(mend)) {
      if (it.kind !== "dropped") happened.push(it);
      else happened.length = firstFrom(happened, it.seq);
    }
    return happened;
  }

  /** Writes down what is about to happen, after what has not. @throws {FileError} if that fails: then nothing is written. */
  add(kept: readonly Kept[]): void {
    const seq = this.#dropped;
    this.#file.add(
      seq === undefined ? kept : [{ kind: "dropped", seq }, ...kept],
    );
    this.#dropped = undefined;
  }

  /**
   * What was added with the control lines from a number on has not happened. Where that can't be written now, it is
   * before anything else is.
   */
  drop(seq: number): void {
    this.#dropped = Math.min(seq, this.#dropped ?? Infinity);
    try {
      this.add([]);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      logger.error("{why}", { why: error.message });
    }
  }

  /** Whether most of it no longer counts. @param count How many lines would do. */
  isStale(count: number): boolean {
    return this.#file.isStale(count);
  }

  /** Writes it anew. Where its folder is read-only, or it is mounted by itself, it can only be added to, which does too. */
  rewrite(kept: readonly Kept[]): void {
    if (!this.#mayRewrite) return;
    try {
      this.#file.rewrite(kept);
      this.#dropped = undefined;
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.#mayRewrite = false;
      logger.warn("{why}. The server goes on adding to it", {
        why: error.message,
      });
    }
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}

/** Where the control lines from a number on begin. */
function firstFrom(kept: readonly Kept[], seq: number): number {
  const at = kept.findIndex((it) => it.kind === "ruled" && it.entry.seq >= seq);
  return at < 0 ? kept.length : at;
}
