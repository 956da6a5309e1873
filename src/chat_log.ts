/**
 * `chat.log`, the room's history: append, tail, reread, lock. Knows nothing of members or of what the words
 * mean; log_line.ts reads lines, log_lock.ts keeps other servers out.
 *
 * An entry's number is the number of its line in the file, from 1 on. Lines that aren't ours keep their
 * numbers and are left out.
 *
 * @module
 */

import {
  formatEntry,
  LineIndex,
  MAX_LINE_SIZE,
  numberEntry,
  parseEntry,
  readEntries,
  readEntry,
} from "./log_line.ts";
import { freeLock, LogLockedError, takeLock } from "./log_lock.ts";
import type { LogEntry, NewEntry } from "./log_line.ts";

export { formatEntry, LogLockedError, numberEntry, parseEntry };
export type { LogEntry, NewEntry };

/** How much of the file is read at once to count its lines, bytes. */
const COUNT_SIZE = 1_048_576;
/** The mode of the log: nobody else reads it. */
const PRIVATE = 0o600;

const encoder = new TextEncoder();

const messageOf = (error: unknown) =>
  error instanceof Error ? error.message : String(error);

/** The log can't be opened, read or written; `cause` says why. */
export class LogError extends Error {
  /** "LogError". */
  override readonly name = "LogError";

  /**
   * Words the action that failed and why.
   * @param action Like "write".
   */
  constructor(action: string, path: string, cause: unknown) {
    super(`Cannot ${action} "${path}": ${messageOf(cause)}`, { cause });
  }
}

/** Settings of `ChatLog.open`. */
export interface ChatLogOptions {
  /** Where this server listens: what a second server is told. */
  readonly address: string;
  /** Whether an append waits until the disk has it. Default: false. */
  readonly fsync?: boolean;
  /** How many of the last lines stay in memory, at least 1. Default: 1,024. */
  readonly window?: number;
}

/** Takes the file from others where it is open to them, and says whether it was. */
async function makePrivate(path: string, { isFile, mode }: Deno.FileInfo) {
  const open = isFile && mode !== null && (mode & 0o077) !== 0;
  if (!open || Deno.build.os === "windows") return false;
  await Deno.chmod(path, PRIVATE);
  return true;
}

// Twenty times cheaper than `write`, for which a thread of its own must be woken.
function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    const count = file.writeSync(bytes.subarray(at));
    if (count === 0) throw new Error("nothing more is taken");
    at += count;
  }
}

/**
 * An open log, locked against every other server. Appends come one at a time; reading goes on meanwhile.
 *
 * @example
 * ```ts ignore
 * await using log = await ChatLog.open("chat.log", { address: "0.0.0.0:5000" });
 * const seq = await log.append([{ at: Date.now(), key, n, what: "said", name, text }]);
 * ```
 */
export class ChatLog implements AsyncDisposable {
  readonly #path: string;
  readonly #lock: Deno.FsFile;
  readonly #file: Deno.FsFile;
  readonly #fsync: boolean;
  readonly #index = new LineIndex();
  readonly #notices: string[] = [];
  /** The last lines, line `seq` at `seq % #size`; null for one that isn't ours. */
  readonly #window: (LogEntry | null)[];
  readonly #size: number;
  #appending = false;
  /** Whether the file may hold more than the index knows of. */
  #torn = false;
  #closed = false;

  private constructor(
    path: string,
    lock: Deno.FsFile,
    file: Deno.FsFile,
    { fsync = false, window = 1_024 }: ChatLogOptions,
  ) {
    this.#path = path;
    this.#lock = lock;
    this.#file = file;
    this.#fsync = fsync;
    this.#size = window;
    this.#window = new Array(window).fill(null);
  }

  /**
   * Opens the log, makes it where it isn't there, counts its lines and mends its end. Holds `PATH.lock` until
   * `close`.
   * @throws {LogLockedError} where another server holds it.
   * @throws {LogError} where it can't be opened, read or mended.
   */
  static async open(path: string, options: ChatLogOptions): Promise<ChatLog> {
    const lock = await takeLock(path, options.address).catch((error) => {
      if (error instanceof LogLockedError) throw error;
      throw new LogError("lock", path, error);
    });
    try {
      const file = await Deno.open(path, {
        read: true,
        append: true,
        create: true,
        mode: PRIVATE,
      });
      const log = new ChatLog(path, lock, file, options);
      await log.#load().catch((error) => {
        file.close();
        throw error;
      });
      return log;
    } catch (cause) {
      lock.close();
      throw new LogError("open", path, cause);
    }
  }

  /** What was repaired when the log was opened, one sentence each. */
  get notices(): readonly string[] {
    return this.#notices;
  }

  /** The number of the last line, 0 for an empty log. */
  get head(): number {
    return this.#index.lines;
  }

  /** The smallest number that `recent` takes. */
  get oldest(): number {
    return Math.max(0, this.head - this.#size);
  }

  async #load(): Promise<void> {
    const info = await this.#file.stat();
    if (await makePrivate(this.#path, info) && info.size > 0) {
      this.#notices.push(
        `Closed "${this.#path}" to others: they could have read it`,
      );
    }
    await this.#count(info.size);
    await this.#mend(info.size);
    for await (const entries of this.past(this.oldest, this.head)) {
      entries.forEach((entry) => this.#keep(entry));
    }
  }

  async #count(size: number): Promise<void> {
    const buffer = new Uint8Array(COUNT_SIZE);
    for (let left = size; left > 0;) {
      const count = await this.#file.read(buffer);
      if (count === null) break;
      this.#index.add(buffer.subarray(0, Math.min(count, left)));
      left -= count;
    }
  }

  /**
   * Ends or drops a last line without a line break, which nobody was told of. Words that somebody chose are
   * always dropped: where they break off they still look whole, and would stand as all that was said, while
   * their sender, told nothing, says them again.
   */
  async #mend(size: number): Promise<void> {
    const { end } = this.#index;
    if (size <= end) return;
    // Not to be cut: somebody named the wrong file.
    if (size - end > MAX_LINE_SIZE) {
      throw new RangeError("its last line is longer than any of a log");
    }
    const tail = new Uint8Array(size - end);
    await this.#file.seek(end, Deno.SeekMode.Start);
    const count = await this.#file.read(tail) ?? 0;
    const entry = readEntry(tail.subarray(0, count), this.head + 1);
    if (entry && (entry.what === "joined" || entry.what === "left")) {
      const lineBreak = encoder.encode("\n");
      writeAll(this.#file, lineBreak);
      this.#index.add(lineBreak);
      this.#notices.push(
        `Completed the last line of "${this.#path}": its line break was missing`,
      );
    } else {
      await this.#cut();
      this.#index.cut();
      this.#notices.push(
        `Dropped the last line of "${this.#path}": it broke off after ${
          size - end
        } bytes`,
      );
    }
  }

  #keep(entry: LogEntry): void {
    this.#window[entry.seq % this.#size] = entry;
  }

  /** Cuts the file back to the last line that the index knows of. */
  async #cut(): Promise<void> {
    await this.#file.truncate(this.#index.end);
    this.#torn = false;
  }

  /**
   * Appends the entries, all of them or none, in one write, and with `fsync` waits for the disk.
   * @returns The number of the first.
   * @throws {LogError} where that fails; the file is cut back to where it was, now or before the next append.
   * @throws {RangeError} for a time that no date has, and for a reply to no number.
   * @throws {TypeError} while another append is under way.
   */
  async append(entries: readonly NewEntry[]): Promise<number> {
    if (this.#appending) {
      throw new TypeError(
        `Cannot write "${this.#path}": another append is under way`,
      );
    }
    this.#appending = true;
    try {
      const lines = entries.map((entry) => `${formatEntry(entry)}\n`);
      const bytes = encoder.encode(lines.join(""));
      await this.#write(bytes);
      const first = this.head + 1;
      this.#index.add(bytes);
      entries.forEach((entry, at) =>
        this.#keep(numberEntry(entry, first + at))
      );
      return first;
    } finally {
      this.#appending = false;
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    try {
      if (this.#torn) await this.#cut();
      this.#torn = true;
      writeAll(this.#file, bytes);
      if (this.#fsync) await this.#file.syncData();
      this.#torn = false;
    } catch (cause) {
      await this.#cut().catch(() => {}); // the next append cuts before it writes
      throw new LogError("write", this.#path, cause);
    }
  }

  /**
   * The entries with seq > `after` that are in memory, oldest first.
   * @throws {RangeError} where `after` is smaller than `oldest`.
   */
  recent(after: number): readonly LogEntry[] {
    if (!(after >= this.oldest)) {
      throw new RangeError(
        `Cannot tell what came after line ${after}: memory begins after line ${this.oldest}`,
      );
    }
    const entries: LogEntry[] = [];
    for (let seq = after + 1; seq <= this.head; seq++) {
      const entry = this.#window[seq % this.#size];
      if (entry) entries.push(entry);
    }
    return entries;
  }

  /**
   * The entries with `after` < seq <= `upTo` from the file, oldest first, in pieces of 1 to 256. Ends at the
   * line that was the last when it began, whatever is appended meanwhile.
   * @throws {LogError} where the file can't be opened.
   */
  async *past(after: number, upTo: number): AsyncGenerator<LogEntry[]> {
    const last = Math.min(upTo, this.head);
    if (after >= last) return;
    const { lines, offset } = this.#index.before(Math.max(0, after));
    using file = await this.#reader();
    await file.seek(offset, Deno.SeekMode.Start);
    yield* readEntries(file, lines, after, last);
  }

  async #reader(): Promise<Deno.FsFile> {
    try {
      return await Deno.open(this.#path, { read: true });
    } catch (cause) {
      throw new LogError("read", this.#path, cause);
    }
  }

  /** Closes the log and frees its lock. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#file.close();
    await freeLock(this.#lock);
  }

  /** Closes the log. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
