/**
 * The files of a log, to be read from the first line to the last, whether or not a server runs. Nothing is written.
 *
 * @module
 */

import { targetOf } from "../base/file_target.ts";
import type { LogEntry } from "../protocol/line.ts";
import { LogError, LogFile } from "./file.ts";
import { LogFiles } from "./files.ts";
import { readEntries } from "./line_format.ts";

/** The files, the oldest first. */
export class ReadFiles {
  /** They. */
  readonly list: readonly LogFile[];

  private constructor(list: readonly LogFile[]) {
    this.list = list;
  }

  /**
   * Finds them.
   * @param paths Of one: with the older ones beside it. Of several: these, in whatever order.
   * @throws {LogError} if one is missing, or can't be read.
   */
  static async open(paths: readonly string[]): Promise<ReadFiles> {
    const found: LogFile[] = [];
    for (const path of paths) found.push(...await open(path, paths.length > 1));
    return new ReadFiles(found.sort((a, b) => a.first - b.first));
  }

  /** The lines of one of them, in pieces of 1 to 256. @throws {LogError} if it can't be read. */
  async *lines(file: LogFile): AsyncGenerator<LogEntry[]> {
    const next = this.list[this.list.indexOf(file) + 1]?.first ?? Infinity;
    yield* read(file, file.first - 1, next - 1);
  }

  /** The line of that number, undefined if it isn't one of ours. @throws {LogError} */
  async line(seq: number): Promise<LogEntry | undefined> {
    const file = this.list.findLast(({ first }) => first <= seq);
    if (!file) return undefined;
    for await (const [entry] of read(file, seq - 1, seq)) return entry;
    return undefined;
  }
}

async function open(path: string, isAlone: boolean): Promise<LogFile[]> {
  const target = targetOf(path);
  try {
    using file = await Deno.open(target);
    const newest = await LogFile.read(target, file);
    if (isAlone) return newest ? [newest] : [];
    const files = new LogFiles(target, "retained"); // wherever a rotation stopped
    if (newest) await files.adopt(newest);
    else await files.lastBefore();
    return [...files.list];
  } catch (cause) {
    throw new LogError("read", path, cause);
  }
}

async function* read(
  file: LogFile,
  after: number,
  upTo: number,
): AsyncGenerator<LogEntry[]> {
  try {
    using opened = await Deno.open(file.path);
    const { before, offset } = await file.before(after, opened);
    await opened.seek(offset, Deno.SeekMode.Start);
    yield* readEntries(opened, before, after, upTo);
  } catch (cause) {
    throw new LogError("read", file.path, cause);
  }
}
