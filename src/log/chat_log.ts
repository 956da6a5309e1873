/**
 * `chat.log`, the room's history: append, tail, reread, search, take up again when it was moved. line_format.ts
 * reads and writes lines, file.ts and files.ts the files that they are in, recent.ts keeps the last, search.ts
 * finds words, lock.ts keeps other servers out, chain_values.ts counts the values of the chain.
 *
 * An entry's number is the number of its line, from 1 on, through all files. Lines that aren't ours keep their
 * numbers and are left out.
 *
 * @module
 */

import { LogError, LogFile, makePrivate, openOrMake } from "./file.ts";
import { KEPT_FILES, LogFiles } from "./files.ts";
import { type ChainLines, ChainValues, lastValue } from "./chain_values.ts";
import { formatEntry, readEntry } from "./line_format.ts";
import { LogWindow } from "./recent.ts";
import { freeLock, LockedError, takeLock } from "./lock.ts";
import type { RetainedLog } from "./retention.ts";
import { type Found, searchFiles, type SearchOptions } from "./search.ts";
import type { Bytes } from "../../crypto_utils.ts";
import { AdvisedError } from "../base/advised_error.ts";
import { Chain } from "../protocol/chain.ts";
import { type LogEntry, type NewEntry, numberEntry } from "../protocol/line.ts";
import type { LineIndex } from "./line_index.ts";
import { requireOrdinary, targetOf } from "../base/file_target.ts";
import { writeAllSync } from "../base/write_all.ts";

/** How long the log goes without looking whether its path still names the open file, milliseconds. */
const WATCH_PAUSE = 1_000;
/** A line that isn't ours. */
const NOT_OURS = "#\n";
const encoder = new TextEncoder();

/** Settings of `ChatLog.open`. */
export interface ChatLogOptions {
  /** Where this server listens: what a second server is told. */
  readonly address: string;
  /** Whether an append waits until the disk has it. Default: false. */
  readonly fsync?: boolean;
  /** How many of the last lines stay in memory, at least 1. Default: 1,024. */
  readonly window?: number;
  /** The size beyond which the file becomes PATH.1 and another begins, bytes. Default: 0, never. */
  readonly maxSize?: number;
  /** How many older files a rotation leaves, at least 1: PATH.1 to PATH.9, say. Default: 9. */
  readonly keep?: number;
  /** Whether something else deletes the oldest files by `deleteOldest`: then a rotation leaves all. Default: false. */
  readonly isRetained?: boolean;
  /** Is told, in one sentence each, what was repaired or went wrong while the log was open. */
  readonly onNotice?: (text: string) => void;
  /** Is told the path of each file that was missing and was made when the log was opened. */
  readonly onMade?: (path: string) => void;
}

/** An open log, locked against every other server. Appends come one at a time; reading goes on meanwhile. */
export class ChatLog implements AsyncDisposable, ChainLines, RetainedLog {
  readonly #path: string;
  readonly #options: ChatLogOptions;
  readonly #fsync: boolean;
  readonly #onNotice: (text: string) => void;
  readonly #lock: Deno.FsFile;
  readonly #files: LogFiles;
  readonly #notices: string[] = [];
  readonly #window: LogWindow;
  /** What is appended to: the last of `#files`. */
  #file: Deno.FsFile;
  #index: LineIndex;
  #appending = false;
  /** Whether the file may hold more than the index knows of. */
  #torn = false;
  #closed = false;
  /** Ends when all that changes files has ended that was begun so far. */
  #turn: Promise<unknown> = Promise.resolve();
  #watchedAt = -Infinity;
  /** The size beyond which the file is rotated, bytes. */
  #rotateAt: number;
  #values!: ChainValues; // by #load, which counts the lines first

  private constructor(
    path: string,
    options: ChatLogOptions,
    lock: Deno.FsFile,
    files: LogFiles,
    file: Deno.FsFile,
    { index }: LogFile,
  ) {
    this.#path = path;
    this.#options = options;
    this.#fsync = options.fsync ?? false;
    this.#onNotice = options.onNotice ?? (() => {});
    this.#lock = lock;
    this.#files = files;
    this.#file = file;
    this.#index = index;
    this.#window = new LogWindow(options.window ?? 1_024);
    this.#rotateAt = options.maxSize || Infinity;
  }

  /**
   * Opens the log, creates it if it is missing, counts its lines and mends its end. Holds `PATH.lock` until
   * `close`. Where PATH is a link, all is done with what it leads to, and beside that.
   * @throws {LockedError} if another server holds it.
   * @throws {LogError} if it can't be opened, read or mended.
   * @throws {RangeError} for a `keep` that is no whole number of at least 1.
   */
  static async open(path: string, options: ChatLogOptions): Promise<ChatLog> {
    const { address, keep = KEPT_FILES, onMade = () => {} } = options;
    if (!(Number.isSafeInteger(keep) && keep >= 1)) {
      throw new RangeError(`Cannot keep ${keep} older files: 1 is the least`);
    }
    try {
      path = targetOf(path);
      requireOrdinary(path);
    } catch (cause) {
      throw new LogError("open", path, cause);
    }
    let lock: Deno.FsFile;
    try {
      lock = await takeLock(path, address, onMade);
    } catch (error) {
      if (error instanceof LockedError) throw error;
      throw new LogError("lock", path, error);
    }
    try {
      const files = new LogFiles(path, options.isRetained ? "retained" : keep);
      await files.tidy();
      const { file, isNew } = await openOrMake(path);
      if (isNew) onMade(path);
      const log = await ChatLog.#load(path, options, lock, files, file)
        .catch((error) => {
          file.close();
          throw error;
        });
      if (isNew) onMade(path); // it may have got a heading
      return log;
    } catch (cause) {
      await freeLock(lock);
      throw new LogError("open", path, cause);
    }
  }

  static async #load(
    path: string,
    options: ChatLogOptions,
    lock: Deno.FsFile,
    files: LogFiles,
    file: Deno.FsFile,
  ): Promise<ChatLog> {
    const info = await file.stat();
    const notices: string[] = [];
    if (await closeToOthers(path, info, (it) => notices.push(it))) {
      notices.push(`Closed "${path}" to others: they could have read it`);
    }
    const found = await LogFile.read(path, file);
    const before = found ? 0 : await files.lastBefore();
    const value = before > 0 ? await lastValue(path, files, before) : undefined;
    const newest = found ?? await LogFile.begin(path, file, before, value);
    const log = new ChatLog(path, options, lock, files, file, newest);
    log.#notices.push(...notices);
    if (before > 0) {
      log.#notices.push(
        `Began a new "${path}" at event ${
          before + 1
        }: there was none, or an empty one`,
      );
    }
    await newest.count(file);
    await log.#mend(newest.broken((await file.stat()).size));
    await files.adopt(newest);
    for await (const entries of files.past(log.oldest, log.head)) {
      entries.forEach((entry) => log.#window.keep(entry));
    }
    log.#values = await log.#loadValues();
    return log;
  }

  /** What was repaired when the log was opened, one sentence each. */
  get notices(): readonly string[] {
    return this.#notices;
  }

  /** The number of the last line, 0 for an empty log. */
  get head(): number {
    return this.#index.last;
  }

  /** The number after which the last `count` lines that somebody said begin, of the last `most` that are in memory. */
  saidStart(count: number, most: number): number {
    return this.#window.saidStart(count, most, this.head);
  }

  /** Whether the line of that number is among the last 1,024 that were deleted, as far as memory reaches. */
  isDeleted(seq: number): boolean {
    return this.#window.isDeleted(seq);
  }

  /** The smallest number that `recent` takes. */
  get oldest(): number {
    return this.#window.oldest(this.head);
  }

  /** The number before the oldest line that is in a file, and the chain's value there, 32 bytes. */
  get start(): readonly [number, Bytes] {
    return this.#files.start;
  }

  /** The smallest number from `after` on behind which all lines are in files that are still there. */
  whole(after: number): Promise<number> {
    return this.#files.whole(after);
  }

  /** The last number up to `seq` whose value is in a file's heading, and that, 32 bytes; undefined for none. */
  heading(seq: number): readonly [number, Bytes] | undefined {
    return this.#files.heading(seq);
  }

  /** Whether the files are still there that have the lines with `after` < seq <= `upTo`. */
  have(after: number, upTo: number): Promise<boolean> {
    return this.#files.have(after, upTo);
  }

  /** Whether the chain's values are those of what the files say now, as `ChainValues.checked` waits for it. */
  async chainChecked(): Promise<boolean> {
    return await this.#values.checked();
  }

  /** The chain's value for a line, as `ChainValues.at` gives it. */
  async chainAt(seq: number): Promise<Bytes | undefined> {
    return await this.#values.at(seq);
  }

  /**
   * Ends or drops a last line without a line break, which nobody was told of. All but a joining is always dropped:
   * broken off, words still look whole, and would stand as all that was said, while their sender, told nothing,
   * says them again; and so does a leaving without its reason.
   * @param size Of that line, bytes.
   */
  async #mend(size: number): Promise<void> {
    if (size === 0) return;
    const tail = new Uint8Array(size);
    await this.#file.seek(this.#index.end, Deno.SeekMode.Start);
    const count = await this.#file.read(tail) ?? 0;
    const entry = readEntry(tail.subarray(0, count), 0);
    if (entry?.what === "joined") {
      const lineBreak = encoder.encode("\n");
      writeAllSync(this.#file, lineBreak);
      this.#index.add(lineBreak);
      this.#notices.push(
        `Completed the last line of "${this.#path}": its line break was missing`,
      );
    } else {
      await this.#cut();
      this.#index.cut();
      this.#notices.push(
        `Dropped the last line of "${this.#path}": it broke off after ${size} bytes`,
      );
    }
  }

  /** Cuts the file back to the last line that the index knows of. */
  async #cut(): Promise<void> {
    // One that somebody emptied meanwhile must not be filled up with zeros.
    if (!this.#isShort()) await this.#file.truncate(this.#index.end);
    this.#torn = false;
  }

  /** Has one thing at a time change files. */
  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(task);
    this.#turn = result.catch(() => {}); // the caller is told
    return result;
  }

  #requireOpen(action: string): void {
    if (!this.#closed) return;
    throw new LogError(action, this.#path, new Error("it is closed"));
  }

  /**
   * Appends the entries, all of them or none, in one write, and with `fsync` waits for the disk. First looks,
   * at most once a second, whether the path still names the open file, and otherwise takes it up again as
   * `reopen` does. Afterwards begins another file if this one has become too large.
   * @returns The number of the first.
   * @throws {LogError} if that fails; the file is cut back to where it was, now or before the next append.
   * @throws {RangeError} for a time that no date has, and for a reply to no number.
   * @throws {TypeError} while another append is under way.
   */
  append(entries: readonly NewEntry[]): Promise<number> {
    return this.#appendAlone(entries);
  }

  async #appendAlone(entries: readonly (NewEntry | null)[]): Promise<number> {
    if (this.#appending) {
      throw new TypeError(
        `Cannot write "${this.#path}": another append is under way`,
      );
    }
    this.#appending = true;
    try {
      return await this.#inTurn(() => this.#append(entries));
    } finally {
      this.#appending = false;
    }
  }

  async #append(entries: readonly (NewEntry | null)[]): Promise<number> {
    this.#requireOpen("write");
    const lines = entries.map((entry) =>
      entry ? `${formatEntry(entry)}\n` : NOT_OURS
    );
    const bytes = encoder.encode(lines.join(""));
    await this.#watch();
    const first = this.head + 1;
    await this.#write(bytes);
    // At once, and in memory as well: who counts between would take the lines for missing ones.
    this.#torn = false;
    this.#index.add(bytes);
    for (const [index, entry] of entries.entries()) {
      if (entry) this.#window.keep(numberEntry(entry, first + index));
    }
    this.#values.wake();
    const isLarge = this.#index.end > this.#rotateAt;
    if (isLarge && !this.#files.areMany) await this.#rotate();
    return first;
  }

  /**
   * Appends the entries from the number `first` on, but for those that are in the log already: these must be the same. Null
   * is a number whose line isn't ours.
   * @throws {AdvisedError} if they aren't. @throws {LogError} if there is nothing before the first; and as `append`.
   */
  async appendFrom(
    first: number,
    entries: readonly (NewEntry | null)[],
  ): Promise<void> {
    const { head } = this;
    if (first > head + 1) {
      const why = `it ends with event ${head}, and event ${first} is the next`;
      throw new LogError("go on with", this.#path, new Error(why));
    }
    const known = Math.min(entries.length, head + 1 - first);
    const last = first + known - 1;
    const differs = await this.#firstOther(
      first,
      entries.slice(0, known),
      last,
    );
    if (differs !== undefined) {
      throw new AdvisedError(
        `Cannot go on with "${this.#path}": event ${differs} there isn't the one that the room has`,
        "Move the log and the files beside it away, all but the key file, and start again: the server gets them from another one",
      );
    }
    if (known < entries.length) await this.#appendAlone(entries.slice(known));
  }

  /** The number of the first line that isn't as an entry says; undefined where all are. */
  async #firstOther(
    first: number,
    entries: readonly (NewEntry | null)[],
    last: number,
  ): Promise<number | undefined> {
    const lines = new Map<number, string>();
    for await (const piece of this.past(first - 1, last)) {
      for (const it of piece) lines.set(it.seq, formatEntry(it));
    }
    const at = entries.findIndex((entry, index) =>
      lines.get(first + index) !== (entry ? formatEntry(entry) : undefined)
    );
    return at < 0 ? undefined : first + at;
  }

  /**
   * Has an empty log begin after a number, as one does of which older files were deleted.
   * @param value The chain's value for that number, 32 bytes. @throws {LogError} if it has lines, or can't be begun.
   */
  async startAfter(seq: number, value: Bytes): Promise<void> {
    await this.#inTurn(async () => {
      this.#requireOpen("begin");
      try {
        if (this.head > 0) throw new Error("it has lines");
        const begun = await LogFile.begin(this.#path, this.#file, seq, value);
        await this.#files.adopt(begun);
        this.#use(this.#file);
        this.#values = await this.#loadValues();
      } catch (cause) {
        throw new LogError("begin", this.#path, cause);
      }
    });
  }

  #loadValues(): Promise<ChainValues> {
    return ChainValues.load(this.#path, this, this.#onNotice);
  }

  /** Writes lines that the index is to be told of then. @throws {LogError} if that fails: all is cut off again. */
  async #write(bytes: Uint8Array): Promise<void> {
    try {
      if (this.#torn) await this.#cut();
      this.#torn = true;
      writeAllSync(this.#file, bytes);
      if (this.#isShort(bytes.length)) await this.#writeAgain(bytes);
      if (this.#fsync) await this.#file.syncData();
    } catch (cause) {
      await this.#cut().catch(() => {}); // the next append cuts before it writes
      throw new LogError("write", this.#path, cause);
    }
  }

  /**
   * Begins another file, as soon as the value is counted with which it begins; that is hurried on once this one has
   * twice its size. What was appended is in the log even if it fails, so nobody is refused.
   */
  async #rotate(): Promise<void> {
    const { maxSize = 0 } = this.#options;
    if (this.#values.isBehind) {
      if (this.#index.end > 2 * this.#rotateAt) this.#values.press();
      return;
    }
    try {
      const value = this.#values.last;
      this.#use(await this.#files.rotate(this.head, value, this.#fsync));
    } catch (cause) {
      this.#rotateAt = this.#index.end + maxSize;
      this.#onNotice(new LogError("rotate", this.#path, cause).message);
    }
  }

  /** The files, oldest first; the last is written to. */
  get files(): readonly LogFile[] {
    return this.#files.list;
  }

  /** One of the files for reading, wherever it is now; undefined if it is gone. */
  openFile(file: LogFile): Promise<Deno.FsFile | undefined> {
    return this.#files.open(file);
  }

  /**
   * Begins another file, if this one has lines, and the value is counted with which it begins: else not yet.
   * What fails is told as a notice. @throws {LogError} as `reopen`.
   */
  beginAnother(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#closed) return;
      await this.#watch();
      if (this.#files.newest.first <= this.head) await this.#rotate();
    });
  }

  /** Whether a file can be deleted now: not while lines in files are being counted for the chain, which goes on then. */
  mayDelete(): boolean {
    if (this.#closed) return false;
    this.#values.wake();
    return this.#values.isCounted;
  }

  /**
   * Deletes a file, if it is the oldest, and not the newest as well, and `mayDelete`.
   * @returns Whether it was. @throws {LogError} if it can't be deleted.
   */
  deleteOldest(file: LogFile): Promise<boolean> {
    return this.#inTurn(async () => {
      if (!this.mayDelete()) return false;
      return await this.#files.deleteOldest(file, this.#fsync).catch(
        (cause) => {
          throw new LogError("delete", file.path, cause);
        },
      );
    });
  }

  /**
   * Goes on after a number beyond that of its last line, in another file: what stood between is lost.
   * @throws {LogError} if that can't be begun.
   */
  async goOnAfter(seq: number): Promise<void> {
    const value = await this.#valueAfter(seq);
    await this.#inTurn(async () => {
      this.#requireOpen("go on");
      try {
        this.#use(await this.#files.rotate(seq, value, this.#fsync));
      } catch (cause) {
        throw new LogError("go on", this.#path, cause);
      }
    });
  }

  /** The chain's value for a number up to which lines are missing; undefined where it can't be told. */
  async #valueAfter(seq: number): Promise<Bytes | undefined> {
    const value = await this.chainAt(this.head);
    if (!value) return undefined;
    try {
      const chain = new Chain(this.head, value);
      chain.skipTo(seq);
      return chain.value;
    } catch (error) {
      if (error instanceof RangeError) return undefined; // too many are missing
      throw error;
    }
  }

  /** Appends to another file from now on, the last of `#files`. */
  #use(file: Deno.FsFile): void {
    if (file !== this.#file) this.#file.close();
    this.#file = file;
    this.#index = this.#files.newest.index;
    this.#rotateAt = this.#options.maxSize || Infinity;
  }

  /**
   * Opens the path again, for when the file was moved away: a new file goes on with the numbers. One that is
   * there already is appended to if it has the same lines; with others it becomes PATH.1. Does nothing
   * if the path still names the open file.
   * @throws {LogError} if it can't be opened or begun; the old file is still open.
   */
  reopen(): Promise<void> {
    return this.#inTurn(async () => {
      this.#requireOpen("reopen");
      await this.#takeUp();
    });
  }

  /** Whether the open file lacks some of what was written to it. @param more What isn't in the index yet, bytes. */
  #isShort(more = 0): boolean {
    return this.#file.statSync().size < this.#index.end + more;
  }

  /** Writes lines again: somebody emptied or shortened the file at the very moment at which they were written. */
  async #writeAgain(bytes: Uint8Array): Promise<void> {
    this.#takeBack(bytes);
    const info = this.#file.statSync();
    const notice = await this.#takeUpFile(this.#file, info);
    this.#onNotice(notice);
    writeAllSync(this.#file, bytes);
  }

  /** Cuts off what the file ends with of lines just written, so that they don't stand in two files. */
  #takeBack(bytes: Uint8Array): void {
    const { size } = this.#file.statSync();
    const count = Math.min(size, bytes.length);
    if (count === 0) return;
    const written = bytes.subarray(-count);
    const tail = new Uint8Array(count);
    this.#file.seekSync(size - count, Deno.SeekMode.Start);
    this.#file.readSync(tail);
    const isOurs = tail.every((byte, at) => byte === written[at]);
    if (isOurs) this.#file.truncateSync(size - count);
  }

  /**
   * Takes the log up again if somebody moved, deleted, emptied, shortened or replaced its file; looks once a second,
   * and at once if the file has become shorter: `cp chat.log chat.log.1; : >chat.log`.
   */
  async #watch(): Promise<void> {
    const now = performance.now();
    if (this.#closed) return;
    try {
      if (now - this.#watchedAt < WATCH_PAUSE && !this.#isShort()) return;
      this.#watchedAt = now;
      if (!await this.#isInPlace()) await this.#takeUp();
    } catch (error) {
      this.#watchedAt = -Infinity;
      if (error instanceof LogError) throw error;
      throw new LogError("look at", this.#path, error);
    }
  }

  async #isInPlace(): Promise<boolean> {
    try {
      const info = await Deno.stat(this.#path);
      return await this.#isNewest(info) ?? true;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw new LogError("reopen", this.#path, error);
    }
  }

  /** Whether the system describes the open file, with all its lines; undefined if that can't be told. */
  async #isNewest(info: Deno.FileInfo): Promise<boolean | undefined> {
    const { newest } = this.#files;
    return info.size >= this.#index.end &&
      await newest.beginsAsBefore(this.#file) &&
      newest.is(info);
  }

  async #takeUp(): Promise<void> {
    try {
      const { file } = await openOrMake(this.#path);
      try {
        const info = await file.stat();
        // Where the system doesn't tell files apart, one of the same size is the same.
        if (await this.#isNewest(info) ?? info.size === this.#index.end) return;
        await closeToOthers(this.#path, info, this.#onNotice);
        this.#onNotice(await this.#takeUpFile(file, info));
      } finally {
        if (this.#file !== file) file.close();
      }
    } catch (cause) {
      throw new LogError("reopen", this.#path, cause);
    }
  }

  /** Goes on in another file at the path, or instead of it. @returns What became of it, for a person. */
  async #takeUpFile(file: Deno.FsFile, info: Deno.FileInfo): Promise<string> {
    const path = this.#path;
    const next = this.head + 1;
    const found = await LogFile.read(path, file);
    if (!found) {
      const value = this.#values.last;
      const begins = await LogFile.begin(path, file, this.head, value);
      await this.#files.adopt(begins);
      this.#use(file);
      this.#watchedAt = -Infinity; // who emptied it may write over the heading yet
      return begun(path, next);
    }
    await found.count(file);
    if (found.index.last === this.head && found.index.end === info.size) {
      await this.#files.adopt(found);
      this.#use(file);
      return `Opened "${path}" again: another file with as many lines took its place`;
    }
    const isSame = this.#files.newest.is(info);
    const value = this.#values.last;
    this.#use(await this.#files.rotate(this.head, value, this.#fsync));
    await this.#files.lookAgain();
    const change = isSame
      ? "the old one was shortened or written over; what is left of it"
      : "another file took its place, which";
    return `Began a new "${path}" at event ${next}: ${change} is "${path}.1" now`;
  }

  /**
   * The entries with seq > `after` that are in memory, oldest first.
   * @throws {RangeError} if `after` is smaller than `oldest`.
   */
  recent(after: number): readonly LogEntry[] {
    return this.#window.entries(after, this.head);
  }

  /** The entry of that number, if it is in memory. */
  recall(seq: number): LogEntry | undefined {
    return this.#window.find(seq);
  }

  /**
   * The entries with `after` < seq <= `upTo` from the files, as far back as there are any, oldest first, in
   * pieces of 1 to 256. Ends at the line that was the last when it began, whatever is appended meanwhile.
   * @throws {LogError} if a file can't be read.
   */
  async *past(after: number, upTo: number): AsyncGenerator<LogEntry[]> {
    const last = Math.min(upTo, this.head);
    if (after >= last) return;
    await this.#inTurn(() => this.#watch());
    yield* this.#files.past(after, last);
  }

  /**
   * The last `limit` entries, at most 200, whose name or text, as it is by now, has each of the words, whatever the
   * case (of all, if there are no words), what was changed about them, and whether there are more before them. Reads backwards in pieces of about 256 KiB, and gives up after 64 MiB.
   * @throws {LogError} if a file can't be read.
   * @throws the signal's reason.
   */
  async search(words: string, options: SearchOptions): Promise<Found> {
    const head = this.head + 1;
    const before = Math.min(options.before ?? Infinity, head);
    await this.#inTurn(() => this.#watch());
    return await searchFiles(this.#files, words, head, { ...options, before });
  }

  /** Closes the log and frees its lock, when what was begun has ended. */
  async close(): Promise<void> {
    await this.#values.close();
    return await this.#inTurn(async () => {
      if (this.#closed) return;
      this.#closed = true;
      this.#file.close();
      await freeLock(this.#lock);
    });
  }

  /** Closes the log. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** What is said of a log that was begun anew. @param next The event with which it begins. */
function begun(path: string, next: number): string {
  return `Began a new "${path}" at event ${next}: the old one was moved, deleted or emptied`;
}

/** Closes a log to others. @returns Whether they could have read it. @param failed Told why they still can. */
async function closeToOthers(
  path: string,
  info: Deno.FileInfo,
  failed: (notice: string) => void,
): Promise<boolean> {
  try {
    return await makePrivate(path, info) && info.size > 0;
  } catch (cause) {
    failed(`${new LogError("close", path, cause).message}; others can read it`);
    return false;
  }
}
