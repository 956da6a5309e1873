/**
 * `chat.control`: what a sealed room's server keeps beside the log, whatever becomes of the log: the control lines, the
 * newest content key sealed for each recipient, and what it needs to know of invites. All of it is sealed or signed by
 * clients.
 *
 * A batch's control lines stand here before they stand in the log, so that no key gets lost; and members are told only
 * what a mark here says is in the log, so that none of that is dropped, whatever log stands beside.
 *
 *     ruled, its wraps, its admission ── in the log: logged ──▶ …
 *                                     └── not in the log: dropped ──▶ …
 *
 * @module
 */

import { parseLines } from "../../base/checked_line.ts";
import { GROWS, LineFile } from "../../base/line_file.ts";
import { FileError, fileError } from "../../base/private_file.ts";
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
}

/** What a line of the file says. */
export type Kept =
  | { readonly kind: "ruled"; readonly entry: RuledEntry }
  | { readonly kind: "wrap"; readonly wrap: Wrap }
  | { readonly kind: "admission"; readonly admission: Admission }
  | Mark;

/** What became of control lines that stand before it. */
export type Mark =
  /** Those up to that number are in the log. */
  | { readonly kind: "logged"; readonly seq: number }
  /** Those from that number on, and what came with them, have not happened. */
  | { readonly kind: "dropped"; readonly seq: number };

/** All kinds of lines. */
export const CONTROL_KINDS: Readonly<Record<Kept["kind"], true>> = {
  ruled: true,
  wrap: true,
  admission: true,
  logged: true,
  dropped: true,
};

/** What of it has happened. */
export type Happened = Exclude<Kept, Mark>;

/** All that a file says. */
export interface Loaded {
  /** What has happened, but for what the log lacks of the last batch. */
  readonly kept: readonly Happened[];
  /** The number of the last control line that is in the log, as far as the file says; 0 for none. */
  readonly logged: number;
}

const logger = diagnostics("room");

/** The file. */
export class ControlFile implements Disposable {
  readonly #file: LineFile<Kept>;
  #logged: number | undefined; // what the file doesn't say yet
  #dropped: number | undefined; // the same; after that
  #mayRewrite = true;

  private constructor(file: LineFile<Kept>) {
    this.#file = file;
  }

  /**
   * Opens the file, made if it is missing.
   * @param made Is told its path if it was made. @throws {FileError} if it can't be used.
   */
  static open(path: string, made: (path: string) => void): ControlFile {
    return new ControlFile(
      LineFile.open<Kept>(path, true, made, CONTROL_KINDS),
    );
  }

  /** What was repaired when it was read. */
  get notice(): string | undefined {
    return this.#file.notice;
  }

  /** What it says. @param mend Whether what a crash left of a line is dropped. @throws {FileError} for a file that is damaged. */
  load(mend = true): Loaded {
    return happened(this.#file.added(mend));
  }

  /** Writes down what is about to happen, on the disk. @throws {FileError} if that fails: then nothing is written. */
  add(kept: readonly Kept[]): void {
    if (kept.length > 0) this.#write(kept);
  }

  /** @param fsync Whether it waits for the disk. */
  #write(kept: readonly Kept[], fsync = true): void {
    const marks: Mark[] = [];
    const [logged, dropped] = [this.#logged, this.#dropped];
    if (logged !== undefined) marks.push({ kind: "logged", seq: logged });
    if (dropped !== undefined) marks.push({ kind: "dropped", seq: dropped });
    this.#file.add([...marks, ...kept], fsync);
    this.#logged = this.#dropped = undefined;
  }

  /**
   * What was added up to a control line is in the log. It needn't be on the disk: after a failure of the power the log,
   * which is, says the same.
   */
  log(seq: number): void {
    this.#logged = seq;
    this.#mark(false);
  }

  /** What was added with the control lines from a number on has not happened. */
  drop(seq: number): void {
    this.#dropped = Math.min(seq, this.#dropped ?? Infinity);
    this.#mark(true);
  }

  /**
   * Writes the marks; where that can't be done now, they are written before anything else is. A crash before leaves control
   * lines without a mark, and the log says whether they count.
   */
  #mark(fsync: boolean): void {
    try {
      this.#write([], fsync);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      logger.error("{why}. That is tried again before anything else changes", {
        why: error.message,
      });
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
      this.replace(kept);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.#mayRewrite = false;
      logger.warn(
        GROWS,
        { why: error.message },
      );
    }
  }

  /** Puts that in the place of all that it says. @throws {FileError} if it can't be written: then it is as it was. */
  replace(kept: readonly Kept[]): void {
    this.#file.rewrite(kept);
    this.#logged = this.#dropped = undefined;
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}

/** Of all that was written down, in order, what has happened. */
function happened(lines: readonly Kept[]): Loaded {
  const kept: Happened[] = [];
  let logged = 0;
  for (const it of lines) {
    if (it.kind === "logged") logged = it.seq;
    else if (it.kind === "dropped") kept.length = firstFrom(kept, it.seq);
    else kept.push(it);
  }
  return { kept, logged };
}

/**
 * What a file says has happened, also one that a server writes to meanwhile, or a copy of one. Changes nothing.
 * @returns Undefined if it is missing. @throws {FileError} if it is damaged, or can't be read.
 */
export async function readControlFile(
  path: string,
): Promise<readonly Happened[] | undefined> {
  const bytes = await Deno.readFile(path).catch((cause) => {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw fileError("read", path, cause);
  });
  if (!bytes) return undefined;
  const lines: Kept[] = [];
  for (const line of parseLines(bytes)) {
    if (!line) {
      throw new FileError(
        `Cannot use "${path}": line ${lines.length + 1} is damaged`,
      );
    }
    lines.push(line as Kept);
  }
  return happened(lines).kept;
}

/** Where the control lines from a number on begin. */
function firstFrom(kept: readonly Kept[], seq: number): number {
  const at = kept.findIndex((it) => it.kind === "ruled" && it.entry.seq >= seq);
  return at < 0 ? kept.length : at;
}
