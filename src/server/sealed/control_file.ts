/**
 * `chat.control`: what a sealed room's server keeps beside the log, whatever becomes of old logs: the control lines, the
 * newest content key sealed for each recipient, and what it needs to know of invites. All of it is sealed or signed by
 * clients.
 *
 * A batch's control lines stand here before they stand in the log, so that no key gets lost; what a crash left here alone
 * is dropped at the next start.
 *
 * @module
 */

import { LineFile } from "../../base/line_file.ts";
import type { LogEntry } from "../../protocol/line.ts";

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
  | { readonly kind: "admission"; readonly admission: Admission };

/** The file. Each write is on the disk when it returns. */
export class ControlFile implements Disposable {
  readonly #file: LineFile<Kept>;
  #isWrong = false; // it says what hasn't happened

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
   * All that it says. @param mend Whether what a crash left of a line is dropped. @throws {FileError} for a file that is
   * damaged.
   */
  load(mend = true): Kept[] {
    return this.#file.added(mend);
  }

  /**
   * Writes down what has happened, or is about to.
   * @param all All that counts with it, for a file that is to be written anew. @throws {FileError} if that fails.
   */
  add(kept: readonly Kept[], all: () => readonly Kept[]): void {
    if (this.#isWrong) this.#file.rewrite(all());
    else this.#file.add(kept);
    this.#isWrong = false;
  }

  /** What was added last hasn't happened: the next write puts it right. */
  dropLast(): void {
    this.#isWrong = true;
  }

  /** Writes it anew where most of it no longer counts. */
  tidy(all: () => readonly Kept[], count: number): void {
    if (this.#file.isStale(count)) this.#file.rewrite(all());
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}
