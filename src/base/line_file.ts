/**
 * A file of what happened, for its owner alone, with a JSON object and a checksum on each line.
 *
 * Lines are only ever added, also by several processes, each time in one write; what has grown to twice what counts is
 * written anew and put in its place. A crash leaves at most one broken line, the last, which is dropped; any other
 * damage is named and refused. So is a line of a kind that this version doesn't know: who passes over what a newer one
 * wrote may let in somebody who must not come in. So what a newer version adds is a new kind; a new field of an old one
 * gets lost when an older version writes the file anew.
 *
 * @module
 */

import {
  formatLine,
  isDamagedEnd,
  LF,
  parseLine,
  parseLines,
} from "./checked_line.ts";
import { isSameFile, requireOrdinary, targetOf } from "./file_target.ts";
import {
  FileError,
  fileError,
  PRIVATE_FILE,
  readPrivate,
  requirePrivate,
  requireWritableFolder,
} from "./private_file.ts";
import { writeAllSync } from "./write_all.ts";

const encoder = new TextEncoder();

/** How much of an unknown kind is shown, characters. */
const SHOWN_KIND = 32;

/** The kinds of lines that a program knows, by the field "kind"; undefined where lines have none. */
export type Kinds = Readonly<Record<string, true>> | undefined;

/** What a log says where a file can't be written anew: `why` is the reason, a sentence without its full stop. */
export const GROWS =
  "{why}. The server goes on adding to it, so that it grows. It is shortened where the server may make files in its folder";

/** A file is written anew once it is this large, bytes, and twice as large as what counts in it. */
const LEAST_REWRITE = 65_536;

/**
 * The file, open for reading and adding. All its work is done before a call returns: it is small. `T` is what its lines
 * say, which a checksum vouches for.
 */
export class LineFile<T extends object> implements Disposable {
  readonly #path: string;
  readonly #fsync: boolean;
  readonly #kinds: Kinds;
  #file: Deno.FsFile;
  /** Up to where it was read, or written without anybody else having written, bytes. */
  #read = 0;
  #lines = 0;
  /** Where the half line begins that a failed write left, if there is one, bytes. */
  #torn: number | undefined;
  /** What was repaired when it was opened, in one sentence. */
  notice: string | undefined;

  private constructor(path: string, fsync: boolean, kinds: Kinds) {
    this.#path = path;
    this.#fsync = fsync;
    this.#kinds = kinds;
    this.#file = this.#open();
  }

  /**
   * Opens the file, made if it is missing. Where the path is a link, what it leads to is used, and rewritten.
   * @param made Is told the file's path if it was made. @param kinds Those that lines may have.
   * @throws {FileError} if it can't be used, or others can read it.
   */
  static open<T extends object>(
    path: string,
    fsync = false,
    made: (path: string) => void = () => {},
    kinds?: Kinds,
  ): LineFile<T> {
    try {
      const target = targetOf(path);
      requireOrdinary(target);
      if (create(target)) made(target);
      return new LineFile<T>(target, fsync, kinds);
    } catch (cause) {
      if (cause instanceof FileError) throw cause;
      throw fileError("open", path, cause);
    }
  }

  /** Looks whether a file could be used, and changes nothing. @returns Whether it is there. @throws as `open` and `added`. */
  static async check(path: string, kinds?: Kinds): Promise<boolean> {
    const text = await readPrivate(path);
    if (text === undefined) {
      await requireWritableFolder(path).catch((cause) => {
        throw fileError("create", path, cause);
      });
      return false;
    }
    LineFile.open(path)[Symbol.dispose](); // it can be added to
    const lines = text.split("\n");
    const rest = lines.pop() ?? "";
    const broken = lines.findIndex((line) => !parseLine(line));
    if (broken >= 0) throw damagedLine(path, broken + 1);
    if (isDamagedEnd(rest)) throw damagedLine(path, lines.length + 1);
    for (const [index, line] of lines.entries()) {
      requireKind(path, index + 1, parseLine(line), kinds);
    }
    return true;
  }

  #open(): Deno.FsFile {
    const path = this.#path;
    try {
      const file = Deno.openSync(path, {
        read: true,
        append: true,
        create: true,
        mode: PRIVATE_FILE,
      });
      try {
        requirePrivate(path, file.statSync());
      } catch (error) {
        file.close();
        throw error;
      }
      return file;
    } catch (cause) {
      if (cause instanceof FileError) throw cause;
      throw fileError("open", path, cause);
    }
  }

  /**
   * What was added since the last call, by whomever.
   * @param mend Whether a broken last line is dropped; else it is left, since somebody may be writing it.
   * @throws {FileError} for a damaged line, and if the file can't be read.
   */
  added(mend = false): T[] {
    const bytes = this.#rest();
    const end = bytes.lastIndexOf(LF) + 1;
    const values = this.#parse(bytes.subarray(0, end));
    this.#read += end;
    if (end < bytes.length && mend) {
      const last = this.#mend(bytes.slice(end));
      if (last) values.push(last);
    }
    return values;
  }

  #parse(bytes: Uint8Array): T[] {
    const values: T[] = [];
    for (const value of parseLines(bytes)) {
      const number = this.#lines + values.length + 1;
      if (!value) throw damagedLine(this.#path, number);
      requireKind(this.#path, number, value, this.#kinds);
      values.push(value as T);
    }
    this.#lines += values.length;
    return values;
  }

  /** Drops what a crash left of a line, or gives it its line break; anything else at the end is damage. */
  #mend(rest: Uint8Array): T | undefined {
    const text = new TextDecoder().decode(rest);
    if (isDamagedEnd(text)) throw damagedLine(this.#path, this.#lines + 1);
    const value = parseLine(text) as T | undefined;
    try {
      if (value) writeAllSync(this.#file, Uint8Array.of(LF));
      else this.#file.truncateSync(this.#read);
    } catch (cause) {
      throw fileError("write", this.#path, cause);
    }
    if (!value) {
      this.notice = `Dropped the last line of "${this.#path}": it broke off`;
      return undefined;
    }
    this.#read += rest.length + 1;
    this.#lines++;
    return value;
  }

  #rest(): Uint8Array {
    try {
      const { size } = this.#file.statSync();
      const bytes = new Uint8Array(Math.max(0, size - this.#read));
      this.#file.seekSync(this.#read, Deno.SeekMode.Start);
      let at = 0;
      while (at < bytes.length) {
        const count = this.#file.readSync(bytes.subarray(at));
        if (count === null) break;
        at += count;
      }
      return bytes.subarray(0, at);
    } catch (cause) {
      throw fileError("read", this.#path, cause);
    }
  }

  /**
   * Adds lines, in one write.
   * @param fsync Whether it waits for the disk, where not as the file is opened. @throws {FileError} if that fails.
   */
  add(values: readonly T[], fsync: boolean = this.#fsync): void {
    if (values.length === 0) return;
    const bytes = bytesOf(values);
    let before: number | undefined;
    let end: number;
    try {
      before = this.#torn ?? this.#file.statSync().size;
      if (before === this.#torn) this.#file.truncateSync(before);
      writeAllSync(this.#file, bytes);
      end = this.#file.seekSync(0, Deno.SeekMode.Current);
      if (fsync) this.#file.syncDataSync();
    } catch (cause) {
      if (before !== undefined) this.#cut(before);
      throw fileError("write", this.#path, cause);
    }
    this.#torn = undefined;
    if (end - bytes.length !== this.#read) return; // somebody else has added something, to be read together with this
    this.#read = end;
    this.#lines += values.length;
  }

  /** Takes back half a write; where even that fails, the next `add` does, or the next reader finds it broken off. */
  #cut(size: number): void {
    this.#torn = size;
    try {
      this.#file.truncateSync(size);
      this.#torn = undefined;
    } catch {
      // The caller says what is wrong with the file.
    }
  }

  /** Whether most of the file says what no longer counts. @param count How many lines would do. */
  isStale(count: number): boolean {
    return this.#read > LEAST_REWRITE && this.#lines > 2 * count;
  }

  /**
   * Puts a file with these lines in its place. What others added meanwhile must be read before.
   * @throws {FileError} if that fails; the old one is still there.
   */
  rewrite(values: readonly T[]): void {
    const draft = `${this.#path}.${crypto.randomUUID()}.tmp`;
    const bytes = bytesOf(values);
    let file: Deno.FsFile | undefined;
    try {
      file = Deno.openSync(draft, {
        read: true,
        append: true,
        createNew: true,
        mode: PRIVATE_FILE,
      });
      writeAllSync(file, bytes);
      file.syncSync();
      Deno.renameSync(draft, this.#path);
      this.#file.close();
    } catch (cause) {
      file?.close();
      try {
        Deno.removeSync(draft);
      } catch {
        // It wasn't made, or is in its place already.
      }
      throw fileError("write", this.#path, cause);
    }
    this.#file = file; // opened again, it might be none
    this.#torn = undefined;
    this.#read = bytes.length;
    this.#lines = values.length;
  }

  /** All that the file says, for `rewrite`. @throws as `added`. */
  all(): T[] {
    this.#read = 0;
    this.#lines = 0;
    return this.added();
  }

  /** Whether its path still names it: `rewrite` of another process may have replaced it. */
  get isInPlace(): boolean {
    try {
      return isSameFile(Deno.statSync(this.#path), this.#file.statSync());
    } catch {
      return false; // gone
    }
  }

  /** Holds other processes off until `unlock`; for who adds to the file or rewrites it. @throws {FileError} if that fails. */
  lock(): void {
    try {
      this.#file.lockSync(true);
    } catch (cause) {
      throw fileError("lock", this.#path, cause);
    }
  }

  /** See `lock`. */
  unlock(): void {
    this.#file.unlockSync();
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** Makes an empty file for its owner alone. @returns Whether it was missing. */
function create(path: string): boolean {
  try {
    const options = { write: true, createNew: true, mode: PRIVATE_FILE };
    Deno.openSync(path, options).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
}

function bytesOf(values: readonly object[]): Uint8Array {
  return encoder.encode(values.map(formatLine).join(""));
}

function damagedLine(path: string, line: number): FileError {
  return new FileError(`Cannot use "${path}": line ${line} is damaged`);
}

/** Looks whether this version knows what a line says. @throws {FileError} if not. */
function requireKind(
  path: string,
  line: number,
  value: object | undefined,
  kinds: Kinds,
): void {
  const { kind } = value as { readonly kind?: unknown };
  if (!kinds || Object.hasOwn(kinds, String(kind))) return;
  const shown = JSON.stringify(String(kind).slice(0, SHOWN_KIND));
  throw new FileError(
    `Cannot use "${path}": its line ${line} says ${shown}, which only a newer version knows: start that one`,
  );
}
