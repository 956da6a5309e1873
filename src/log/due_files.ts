/**
 * Which files of a log are no longer to be kept: the oldest, once their last lines are older than an age, or while all files
 * together are larger than a size, if enough is left without them. Changes nothing.
 *
 * A file's age is that of its own lines by the clock, which may be wrong. One that is behind makes nothing old. A line of a
 * time that is yet to come tells nothing: then the file that follows does, which can only be younger. A file is due only
 * when all before it are, so that the log just begins later when it is gone.
 *
 * @module
 */

import { fill, LogError, type LogFile } from "./file.ts";
import { MAX_LINE_SIZE, parseEntry } from "./line_format.ts";
import { ReadFiles } from "./read_files.ts";

/** How much of the log is kept. */
export type Keep =
  /** Lines that are younger, ms, and few that are more than a tenth older. */
  | { readonly age: number }
  /** The newest files that together aren't larger, bytes; or so much and one file, where that is a large one from before. */
  | { readonly size: number };

/** Parts of an age or a size that one file may have: the log is deleted by whole files. */
export const PARTS = 10;
/** How much of a file's beginning or end is read for the times of its lines, bytes; and lines of its beginning. */
const EDGE_SIZE = 2 * MAX_LINE_SIZE;
const FIRST_LINES = 32;

const decoder = new TextDecoder();

/** The files of a log. */
export interface FiledLog {
  /** They, oldest first; the last is written to. */
  readonly files: readonly LogFile[];
  /** One of them, open; undefined if it is gone. */
  openFile(file: LogFile): Promise<Deno.FsFile | undefined>;
}

/** A file that is due. */
export interface Due {
  /** It. */
  readonly file: LogFile;
  /** The number of its last line. */
  readonly last: number;
  /** The time of its last line, ms since 1970; undefined if none is known. */
  readonly until: number | undefined;
}

/** The files of a log that are due. */
export class DueFiles {
  readonly #log: FiledLog;
  readonly #keep: Keep;
  readonly #now: () => number;
  readonly #ends = new WeakMap<LogFile, number | undefined>(); // latest times in older files, which don't change

  /** Looks when it is asked. @param now The time, ms since 1970. */
  constructor(log: FiledLog, keep: Keep, now: () => number = Date.now) {
    this.#log = log;
    this.#keep = keep;
    this.#now = now;
  }

  /** Whether the newest file has lines that are as old as those of one file may be. */
  async isFull(): Promise<boolean> {
    const keep = this.#keep;
    const newest = this.#log.files.at(-1);
    if (!("age" in keep) || !newest) return false;
    const times = await this.#timesIn(newest, "start");
    return Math.min(...times) < this.#now() - keep.age / PARTS; // never for no times
  }

  /** The files that are due, the oldest first. @throws {LogError} if one can't be read. */
  async find(): Promise<Due[]> {
    const keep = this.#keep;
    const files = this.#log.files;
    const ends: (number | undefined)[] = [];
    for (const file of files.slice(0, -1)) ends.push(await this.#endOf(file));
    const isDue = "age" in keep
      ? this.#areOlder(ends, keep.age)
      : await this.#areTooMuch(keep.size);
    const due: Due[] = [];
    for (const [index, file] of files.entries()) {
      const next = files[index + 1];
      if (!next || !isDue(index)) break;
      due.push({ file, last: next.first - 1, until: ends[index] });
    }
    return due;
  }

  #areOlder(ends: readonly (number | undefined)[], age: number) {
    const now = this.#now();
    return (index: number) => {
      const end = ends.slice(index).find((it = Infinity) => it <= now);
      return (end ?? Infinity) < now - age;
    };
  }

  async #areTooMuch(most: number) {
    const sizes: number[] = [];
    for (const file of this.#log.files) {
      sizes.push(await this.#sizeOf(file));
    }
    const from = (index: number) =>
      sizes.slice(index).reduce((sum, size) => sum + size, 0);
    const enough = most * (1 - 2 / PARTS);
    return (index: number) => from(index) > most && from(index + 1) >= enough;
  }

  async #sizeOf(file: LogFile): Promise<number> {
    using opened = await this.#open(file);
    try {
      return (await opened?.stat())?.size ?? 0;
    } catch (cause) {
      throw new LogError("read", file.path, cause);
    }
  }

  /** The latest time near the end of an older file, ms since 1970; undefined if none is known. */
  async #endOf(file: LogFile): Promise<number | undefined> {
    if (!this.#ends.has(file)) {
      const times = await this.#timesIn(file, "end");
      this.#ends.set(file, times.length > 0 ? Math.max(...times) : undefined);
    }
    return this.#ends.get(file);
  }

  /** The times of lines at the start or the end of a file, ms since 1970. @throws {LogError} if it can't be read. */
  async #timesIn(file: LogFile, edge: "start" | "end"): Promise<number[]> {
    using opened = await this.#open(file);
    if (!opened) return [];
    try {
      const { size } = await opened.stat();
      const start = edge === "start" ? 0 : Math.max(0, size - EDGE_SIZE);
      const lines = (await readAt(opened, start)).split("\n");
      lines.pop(); // what no line break ends
      const some = edge === "start" ? lines.slice(0, FIRST_LINES) : lines;
      return some.flatMap((line) => parseEntry(line, 0)?.at ?? []);
    } catch (cause) {
      throw new LogError("read", file.path, cause);
    }
  }

  async #open(file: LogFile): Promise<Deno.FsFile | undefined> {
    try {
      return await this.#log.openFile(file);
    } catch (cause) {
      throw new LogError("read", file.path, cause);
    }
  }
}

/** The files of the log at a path that are due. @throws {LogError} if one can't be read. */
export async function dueOf(path: string, keep: Keep): Promise<Due[]> {
  const { list: files } = await ReadFiles.open([path]);
  const openFile = ({ path }: LogFile) => Deno.open(path);
  return await new DueFiles({ files, openFile }, keep).find();
}

/** The numbers of lines in files that follow each other, in words. */
export function rangeOf(files: readonly Due[]): string {
  const first = files[0]?.file.first ?? 1;
  const last = files.at(-1)?.last ?? first;
  return last <= first ? `event ${first}` : `events ${first} to ${last}`;
}

/** A file's name in its folder. */
export function nameOf({ path }: LogFile): string {
  return path.replace(/.*[/\\]/, "");
}

/** The names of files, the oldest first, in words. */
export function namesOf(files: readonly Due[]): string {
  const names = files.map(({ file }) => nameOf(file));
  return names.length < 3
    ? names.join(" and ")
    : `${names[0]} to ${names.at(-1)}`;
}

async function readAt(file: Deno.FsFile, start: number): Promise<string> {
  const bytes = new Uint8Array(EDGE_SIZE);
  await file.seek(start, Deno.SeekMode.Start);
  const count = await fill(file, bytes);
  return decoder.decode(bytes.subarray(0, count));
}
