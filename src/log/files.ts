/**
 * The files that the log is in, PATH the newest and PATH.1, PATH.2 ... the older: finds them, reads across them,
 * makes room for another.
 *
 *     chat.log.2                 chat.log.1                   chat.log
 *     1 ... 5000                 # continues at event 5001 …  # continues at event 9001 …
 *                                5001 ... 9000                9001 ... head
 *
 * A rotation writes the new file's heading to PATH.new, moves each file one name up, the oldest first, as far as
 * the first name that is free, and moves PATH.new to PATH. Wherever that stops, every line is still in some file,
 * and the order of the names is the order of the lines: a free name between them is passed over in reading and
 * filled by the next rotation; a PATH that is missing, empty or has half a heading begins after the newest of the
 * others; a PATH.new is removed. A log of which retention.ts deletes the oldest files has more of them, and a rotation
 * deletes none.
 *
 * @module
 */

import type { Bytes } from "../../crypto_utils.ts";
import { CHAIN_START } from "../protocol/chain.ts";
import { LogError, LogFile, openNew, reading, syncFolder } from "./file.ts";
import { readEntries } from "./line_format.ts";
import type { LogEntry } from "../protocol/line.ts";

function ignoreMissing(error: unknown): undefined {
  if (error instanceof Deno.errors.NotFound) return;
  throw error;
}

/** An ordinary file for reading, undefined if there is none: opening a pipe might wait for ever. */
async function openIfThere(path: string): Promise<Deno.FsFile | undefined> {
  try {
    if (!(await Deno.stat(path)).isFile) return undefined;
    return await Deno.open(path, { read: true });
  } catch (error) {
    return ignoreMissing(error);
  }
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).catch(ignoreMissing) !== undefined;
}

/** Default number of older files. */
export const KEPT_FILES = 9;
/** Older files of a log that is kept by its age or size, from which on one isn't rotated just for its size. */
const MANY_FILES = 99;
/** Names that are looked at of such a log, though one before is free: it may have some more by their age. */
const MAX_NAMES = 120;

/** The log's files, of which the last is written to. */
export class LogFiles {
  readonly #path: string;
  readonly #keep: number;
  readonly #isRetained: boolean;
  /** Oldest first. Replaced, never changed: a reader goes on in the list with which it began. */
  #list: readonly LogFile[] = [];

  /**
   * No files yet.
   * @param path Of the newest.
   * @param keep How many older ones there may be when one is added, at least 1; "retained": as many as there are, since
   * something else deletes the oldest.
   */
  constructor(path: string, keep: number | "retained" = KEPT_FILES) {
    this.#path = path;
    this.#isRetained = keep === "retained";
    this.#keep = keep === "retained" ? MAX_NAMES : keep;
  }

  /** Oldest first. */
  get list(): readonly LogFile[] {
    return this.#list;
  }

  /** The one that is written to. @throws {TypeError} before there is one. */
  get newest(): LogFile {
    const newest = this.#list.at(-1);
    if (!newest) {
      throw new TypeError("Cannot tell the newest file: there is none");
    }
    return newest;
  }

  /**
   * The number before the oldest line, and the chain's value there, 32 bytes: the chain begins anew where the oldest
   * file doesn't tell it.
   */
  get start(): readonly [number, Bytes] {
    const [oldest] = this.#list;
    const { first = 1, valueBefore = CHAIN_START } = oldest ?? {};
    return [first - 1, valueBefore];
  }

  /** Whether there are so many that one may rather grow. */
  get areMany(): boolean {
    return this.#isRetained && this.#list.length > MANY_FILES;
  }

  #name(age: number): string {
    return age === 0 ? this.#path : `${this.#path}.${age}`;
  }

  /** Removes what a rotation left that came to no end. */
  async tidy(): Promise<void> {
    const draft = `${this.#path}.new`;
    // Looked for first: where nothing can be removed, nothing need be.
    if (await isThere(draft)) await Deno.remove(draft).catch(ignoreMissing);
  }

  /** Takes a file as the newest, and looks for those that come before it. */
  async adopt(newest: LogFile): Promise<void> {
    this.#list = [...await this.#olderThan(newest.first), newest];
  }

  /** Reads the older ones again: others moved some, or changed what is in them. */
  async lookAgain(): Promise<void> {
    const { newest } = this;
    this.#list = [...await this.#olderThan(newest.first, []), newest];
  }

  /** The number of the last line of those that come before a PATH without lines and heading. */
  async lastBefore(): Promise<number> {
    this.#list = await this.#olderThan(Infinity); // `adopt` finds it counted
    const newest = this.#list.at(-1);
    if (!newest) return 0;
    using file = await Deno.open(newest.path);
    await newest.count(file);
    return newest.index.last;
  }

  /**
   * PATH.1 and so on, as far as they are there and their numbers go down, oldest first.
   * @param known Those that needn't be read and counted again.
   */
  async #olderThan(
    first: number,
    known: readonly LogFile[] = this.#list,
  ): Promise<LogFile[]> {
    const found: LogFile[] = [];
    for (let age = 1; first > 1; age++) {
      const file = await this.#look(this.#name(age), known);
      if (file === undefined && age >= this.#keep) break;
      if (!file || file.first >= first) continue;
      found.unshift(file);
      first = file.first;
    }
    return found;
  }

  /** An older file, undefined where none is there, null for one without lines. */
  async #look(
    path: string,
    list: readonly LogFile[],
  ): Promise<LogFile | null | undefined> {
    using file = await openIfThere(path);
    if (!file) return undefined;
    const info = await file.stat();
    // One that is known is counted already.
    const known = list.find((it) => it.is(info));
    if (known) known.path = path;
    return known ?? await LogFile.read(path, file);
  }

  /**
   * Opens one of the files for reading, wherever it is now: others rotate too. Undefined if it is gone.
   */
  async open(file: LogFile): Promise<Deno.FsFile | undefined> {
    const opened = await openIfThere(file.path);
    if (opened && file.is(await opened.stat()) !== false) return opened;
    opened?.close();
    // Names only go up, and so does the search: what moves meanwhile is met again.
    for (let age = 0; age <= this.#keep; age++) {
      const other = await openIfThere(this.#name(age));
      if (other && file.is(await other.stat())) return other;
      other?.close();
    }
    return undefined;
  }

  /**
   * The entries with `after` < seq <= `upTo`, oldest first, in pieces of 1 to 256, as far back as there are
   * files.
   * @throws {LogError} if a file can't be read, or the newest is gone.
   */
  async *past(after: number, upTo: number): AsyncGenerator<LogEntry[]> {
    const files = this.#list;
    for (const [index, file] of files.entries()) {
      const next = files[index + 1];
      // Where numbers overlap, because somebody put a file between, the newer file counts.
      const last = next ? Math.min(upTo, next.first - 1) : upTo;
      if (file.first > last || after >= last) continue; // nothing of it
      using opened = await this.reader(file);
      if (!opened) continue;
      try {
        const { before, offset } = await file.before(after, opened);
        await opened.seek(offset, Deno.SeekMode.Start);
        yield* readEntries(opened, before, after, last);
      } catch (cause) {
        throw new LogError("read", file.path, cause);
      }
    }
  }

  /**
   * Opens one of the files for reading; undefined for an older one that is gone.
   * @throws {LogError} if it can't be read, or is the newest and gone.
   */
  async reader(file: LogFile): Promise<Deno.FsFile | undefined> {
    const opened = await this.#opened(file);
    if (!opened && file === this.#list.at(-1)) {
      throw new LogError("read", file.path, new Error("it is gone"));
    }
    return opened;
  }

  /** As `open`. @throws {LogError} if it can't be opened. */
  #opened(file: LogFile): Promise<Deno.FsFile | undefined> {
    return reading(file.path, () => this.open(file));
  }

  /**
   * The smallest number from `after` on behind which all lines are in files that are still there.
   * @throws {LogError} if one can't be opened.
   */
  async whole(after: number): Promise<number> {
    const files = this.#list;
    let whole = Math.max(after, this.start[0]);
    for (const [index, file] of files.entries()) {
      const next = files[index + 1];
      if (!next || next.first - 1 <= whole) continue;
      using opened = await this.#opened(file);
      if (!opened) whole = next.first - 1;
    }
    return whole;
  }

  /** The last number up to `seq` whose value is in a file's heading, and that, 32 bytes; undefined for none. */
  heading(seq: number): readonly [number, Bytes] | undefined {
    const file = this.#list.findLast(({ first, valueBefore }) =>
      valueBefore !== undefined && first - 1 <= seq
    );
    return file?.valueBefore && [file.first - 1, file.valueBefore];
  }

  /** Whether the files are still there that have the lines with `after` < seq <= `upTo`. @throws as `whole`. */
  async have(after: number, upTo: number): Promise<boolean> {
    const files = this.#list;
    if (after < (files[0]?.first ?? Infinity) - 1) return false;
    for (const [index, file] of files.entries()) {
      const end = files[index + 1]?.first ?? Infinity;
      if (file.first > upTo || end - 1 <= after) continue;
      using opened = await this.#opened(file);
      if (!opened) return false;
    }
    return true;
  }

  /**
   * Moves PATH to PATH.1, whatever it is, the others one name up each, and begins another that goes on from
   * line `before`. Where that fails, either nothing is moved or PATH is missing, which `adopt` gets over.
   * @param value The chain's value for that line, if it is known.
   * @param sync Whether it waits until the disk has it.
   * @returns The new file, open to append.
   */
  async rotate(
    before: number,
    value: Bytes | undefined,
    sync: boolean,
  ): Promise<Deno.FsFile> {
    await this.tidy();
    const draft = `${this.#path}.new`;
    const file = await openNew(draft);
    try {
      const newest = await LogFile.begin(this.#path, file, before, value);
      if (sync) await file.syncData();
      // Where PATH is missing, the newest file may have an older one's name, and would be deleted as the oldest.
      await Deno.lstat(this.#path);
      this.#shift(await this.#free(), draft);
      this.#list = [...this.#list, newest];
    } catch (error) {
      file.close();
      await this.tidy();
      throw error;
    }
    if (sync) await syncFolder(this.#path);
    return file;
  }

  /** The first free name; if there is none, the oldest files go. */
  async #free(): Promise<number> {
    for (let age = 1; age <= this.#keep || this.#isRetained; age++) {
      if (!await isThere(this.#name(age))) return age;
    }
    // Oldest first again, so that no hole is left behind which files would hide.
    let oldest = this.#keep;
    while (await isThere(this.#name(oldest + 1))) oldest++;
    for (let age = oldest; age >= this.#keep; age--) {
      const path = this.#name(age);
      await Deno.remove(path).catch(ignoreMissing);
      this.#list = this.#list.filter((file) => file.path !== path);
    }
    return this.#keep;
  }

  /**
   * Deletes a file, if it is the oldest, and not the newest as well.
   * @param sync As of `rotate`.
   * @returns Whether it was: one that others took away is just forgotten. @throws {Error} if the system refuses.
   */
  async deleteOldest(file: LogFile, sync: boolean): Promise<boolean> {
    if (this.#list[0] !== file || this.#list.length < 2) return false;
    const path = await this.#pathOf(file);
    if (path !== undefined) await Deno.remove(path);
    this.#list = this.#list.slice(1);
    if (sync) await syncFolder(this.#path);
    return path !== undefined;
  }

  /** Where an older file is now: others may have moved it, and have put something else in its place. */
  async #pathOf(file: LogFile): Promise<string | undefined> {
    const names = Array.from(
      { length: this.#keep },
      (_, index) => this.#name(index + 1),
    );
    for (const path of [file.path, ...names]) {
      const info = await Deno.stat(path).catch(ignoreMissing);
      if (info && (file.is(info) ?? path === file.path)) return path;
    }
    return undefined;
  }

  /** In one go: a reader finds each file under the name that it has in the list. */
  #shift(free: number, draft: string): void {
    for (let age = free; age > 0; age--) {
      const from = this.#name(age - 1);
      const to = this.#name(age);
      Deno.renameSync(from, to);
      const moved = this.#list.find((file) => file.path === from);
      if (moved) moved.path = to;
    }
    Deno.renameSync(draft, this.#path);
  }
}
