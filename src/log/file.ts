/**
 * One of the files that the log is in: its heading, its identity, its index.
 *
 * A file that goes on from an older one begins with a line that is no entry and has no number:
 *
 *     # continues at event 123457 after 4bTGVMkB2UyMskUKXFsUX8xU4yPQjHpvzXn4uPXQ5h0
 *
 * So each file tells its own numbers, whatever becomes of the others, and no older one need be counted; and the
 * chain's value for the line before, from which those of its own lines go on. The value is left out where a file was
 * begun before that was known. The file's
 * name isn't in it, because names change with each rotation. Where older files are deleted, the numbers stay as
 * they are, and the log just begins later; a file without a heading begins with event 1.
 *
 * @module
 */

import { type Bytes, toBase64url } from "../../crypto_utils.ts";
import { CHAIN_START, toldValue } from "../protocol/chain.ts";
import { MAX_LINE_SIZE } from "./line_format.ts";
import { reasonOf } from "../base/error_reason.ts";
import { LineIndex, type Place } from "./line_index.ts";
import { isSameFile, requireOrdinary, targetOf } from "../base/file_target.ts";
import { FileError, PRIVATE_FILE } from "../base/private_file.ts";
import { writeAllSync } from "../base/write_all.ts";

/** How much of a file is read at once to count its lines, bytes. */
const COUNT_SIZE = 1_048_576;
/** More than any heading has, bytes. */
const HEADING_SIZE = 128;

const HEADING = "# continues at event ";
const whole = new RegExp(
  String.raw`^${HEADING}([1-9]\d{0,15})(?: after ([\w-]{43}))?\n`,
);
const broken = new RegExp(
  String.raw`^${HEADING}\d{0,16}(?: [a-z]{0,5}(?: [\w-]{0,43})?)?$`,
);

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The log can't be opened, read or written; `cause` says why. */
export class LogError extends FileError {
  /** "LogError". */
  override readonly name = "LogError";

  /**
   * Words the action that failed and why.
   * @param action Like "write".
   */
  constructor(action: string, path: string, cause: unknown) {
    super(`Cannot ${action} "${path}": ${reasonOf(cause)}`, { cause });
  }
}

/** Does something that reads a file. @throws {LogError} if that fails. */
export async function reading<T>(
  path: string,
  step: () => Promise<T>,
): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    throw new LogError("read", path, cause);
  }
}

/** The folder of a path knows its files' new names after a power cut too, if the system lets us ask for that. */
export async function syncFolder(path: string): Promise<void> {
  try {
    using folder = await Deno.open(path.replace(/[^/]*$/, "."));
    await folder.sync();
  } catch {
    // Windows opens no folders, and some file systems sync none: the names are then as safe as they get.
  }
}

/** Reads from a file's position on as much as there is, and as there is place for. @returns How much that was, bytes. */
export async function fill(
  file: Deno.FsFile,
  bytes: Uint8Array,
): Promise<number> {
  let count = 0;
  let more: number;
  do {
    more = await file.read(bytes.subarray(count)) ?? 0;
    count += more;
  } while (more > 0 && count < bytes.length);
  return count;
}

/** How a file is opened to read and to append to. */
const APPENDING: Deno.OpenOptions = { read: true, append: true };

/** An ordinary file to read and to append to, which is there. */
export async function openToAppend(path: string): Promise<Deno.FsFile> {
  requireOrdinary(path);
  return await Deno.open(path, APPENDING);
}

/**
 * An ordinary file, made for its owner alone if it is missing, and whether it was. Where the path is a link, that is
 * what it leads to. Default: to read and append to.
 */
export async function openOrMake(
  path: string,
  options: Deno.OpenOptions = APPENDING,
): Promise<{ file: Deno.FsFile; isNew: boolean }> {
  path = targetOf(path); // no file is made through a link to nothing
  requireOrdinary(path);
  try {
    return { file: await openNew(path, options), isNew: true };
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  const create = { ...options, create: true, mode: PRIVATE_FILE }; // it may be gone again
  return { file: await Deno.open(path, create), isNew: false };
}

/** A new file for its owner alone. Default: to read and append to. @throws {Deno.errors.AlreadyExists} */
export function openNew(
  path: string,
  options: Deno.OpenOptions = APPENDING,
): Promise<Deno.FsFile> {
  return Deno.open(path, { ...options, createNew: true, mode: PRIVATE_FILE });
}

/** Closes an ordinary file to others. @returns Whether it was open to them. @throws {Error} if it isn't ours to close. */
export async function makePrivate(
  path: string,
  { mode }: Deno.FileInfo,
): Promise<boolean> {
  const open = ((mode ?? 0) & 0o077) !== 0;
  if (!open || Deno.build.os === "windows") return false;
  await Deno.chmod(path, PRIVATE_FILE);
  return true;
}

/** Where the lines of a file begin, and the chain's value there, if the file tells it. */
interface Start extends Place {
  readonly value?: Bytes | undefined;
}

/** Where the lines of a file begin; null if it is empty or its heading broke off. */
function parseHeading(text: string): Start | null {
  const heading = whole.exec(text);
  const first = Number(heading?.[1]);
  if (heading && Number.isSafeInteger(first)) {
    const value = toldValue(heading[2] ?? "");
    return { before: first - 1, offset: heading[0].length, value };
  }
  if (HEADING.startsWith(text) || broken.test(text)) return null;
  return { before: 0, offset: 0 };
}

/** Where the lines of an open file begin; null if it is empty or its heading broke off. Its position moves. */
async function readHeading(file: Deno.FsFile): Promise<Start | null> {
  const bytes = new Uint8Array(HEADING_SIZE);
  await file.seek(0, Deno.SeekMode.Start);
  const count = await file.read(bytes) ?? 0;
  return parseHeading(decoder.decode(bytes.subarray(0, count)));
}

/** One of the log's files. */
export class LogFile {
  /** Where it is; a rotation changes it. */
  path: string;
  /** Where its lines are; of an older file, only once it is counted. */
  readonly index: LineIndex;
  readonly #start: Start;
  readonly #info: Deno.FileInfo; // of when it was opened
  #counted: Promise<void> | undefined;

  private constructor(path: string, info: Deno.FileInfo, start: Start) {
    this.path = path;
    this.index = new LineIndex(start);
    this.#start = start;
    this.#info = info;
  }

  /** An open file by its heading, null if it is empty or its heading broke off. Its position moves. */
  static async read(path: string, file: Deno.FsFile): Promise<LogFile | null> {
    const start = await readHeading(file);
    return start && new LogFile(path, await file.stat(), start);
  }

  /**
   * Gives an open file, empty or with half a heading, the heading after which it goes on from line `before`.
   * @param value The chain's value for that line, if it is known.
   */
  static async begin(
    path: string,
    file: Deno.FsFile,
    before: number,
    value?: Bytes,
  ): Promise<LogFile> {
    // Not an empty one: somebody may just be filling it.
    if (file.statSync().size > 0) file.truncateSync();
    const after = value ? ` after ${toBase64url(value)}` : "";
    const heading = before === 0 ? "" : `${HEADING}${before + 1}${after}\n`;
    writeAllSync(file, encoder.encode(heading));
    const start = { before, offset: heading.length, value };
    const begun = new LogFile(path, await file.stat(), start);
    begun.#counted = Promise.resolve(); // appending counts
    return begun;
  }

  /** The number of the first line that it has or can have. */
  get first(): number {
    return this.#start.before + 1;
  }

  /** The chain's value for the line before, 32 bytes; undefined if the file doesn't tell it. */
  get valueBefore(): Bytes | undefined {
    return this.#start.before === 0 ? CHAIN_START : this.#start.value;
  }

  /** Whether this is the file that the system describes; undefined if it doesn't tell files apart. */
  is(info: Deno.FileInfo): boolean | undefined {
    if (info.ino === null || this.#info.ino === null) return undefined;
    return isSameFile(info, this.#info);
  }

  /** Whether it still begins as it did: others can write over it. @param file It, open; its position moves. */
  async beginsAsBefore(file: Deno.FsFile): Promise<boolean> {
    const start = await readHeading(file) ?? { before: 0, offset: 0 };
    const { before, offset } = this.#start;
    return start.before === before && start.offset === offset;
  }

  /** Counts its lines, once. @param file It, open; its position moves. */
  count(file: Deno.FsFile): Promise<void> {
    this.#counted ??= this.#count(file).catch((error) => {
      this.#counted = undefined;
      throw error;
    });
    return this.#counted;
  }

  async #count(file: Deno.FsFile): Promise<void> {
    const buffer = new Uint8Array(COUNT_SIZE);
    this.index.cut(); // what was counted before a read failed is so
    await file.seek(this.index.end, Deno.SeekMode.Start);
    let count: number;
    do {
      count = await file.read(buffer) ?? 0;
      this.index.add(buffer.subarray(0, count));
    } while (count > 0);
  }

  /**
   * How much stands behind the last whole line, once the lines are counted, bytes.
   * @param size Of the file, bytes.
   * @throws {RangeError} for more than any line has: somebody named a file that is no log.
   */
  broken(size: number): number {
    const rest = size - this.index.end;
    if (rest <= MAX_LINE_SIZE) return rest;
    throw new RangeError("its last line is longer than any of a log");
  }

  /** A place from which to read towards the line after `line`. @param file It, open; its position moves. */
  async before(line: number, file: Deno.FsFile): Promise<Place> {
    if (line < this.first) return this.#start; // without counting
    await this.count(file);
    return this.index.before(line);
  }
}
