/**
 * A memory of private messages in a file, which all clients of one folder share.
 *
 * What other clients add while this one runs doesn't count here: each of them shows what comes.
 *
 *     {"key":"q3Zk…","until":1796126400000,"sum":"9f86d081884c"}
 *
 * @module
 */

import { reasonOf } from "../../base/error_reason.ts";
import { LineFile } from "../../base/line_file.ts";
import { MAX_AGE, type Seen, SeenHere } from "./seen.ts";

/** A line of the file. */
interface Line {
  readonly key: string;
  /** Until when it is of use, ms since 1970. */
  readonly until: number;
}

/** A memory that outlives this run. */
export class SeenFile implements Seen, Disposable {
  readonly #path: string;
  readonly #note: (text: string) => void;
  readonly #keys: Set<string>;
  #file: LineFile<Line> | undefined; // while it can be used

  private constructor(
    path: string,
    file: LineFile<Line>,
    keys: Set<string>,
    note: (text: string) => void,
  ) {
    this.#path = path;
    this.#file = file;
    this.#keys = keys;
    this.#note = note;
  }

  /**
   * The memory in a file, made if it is missing; where that can't be used, one of this run alone.
   * @param note Told what can't be used. @param now ms since 1970.
   */
  static load(
    path: string,
    note: (text: string) => void,
    now: number = Date.now(),
  ): Seen & Disposable {
    try {
      const [file, lines] = open(path, now);
      const keys = new Set(lines.map(({ key }) => key));
      return new SeenFile(path, file, keys, note);
    } catch (error) {
      note(`${reasonOf(error)}. Private messages may come twice`);
      return new SeenHere();
    }
  }

  /** Whether the next run remembers them, too. */
  get isKept(): boolean {
    return this.#file !== undefined;
  }

  /** Whether a message was seen. */
  has(key: string): boolean {
    return this.#keys.has(key);
  }

  /** A message was seen: it is in the file when this returns. */
  add(key: string, time: number): void {
    this.#keys.add(key);
    try {
      this.#add({ key, until: time + MAX_AGE });
    } catch (error) {
      this[Symbol.dispose]();
      this.#note(`${reasonOf(error)}. Private messages may come twice`);
    }
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file?.[Symbol.dispose]();
    this.#file = undefined;
  }

  #add(line: Line): void {
    while (this.#file) {
      const file = this.#file;
      file.lock();
      try {
        if (file.isInPlace) return file.add([line]);
      } finally {
        file.unlock();
      }
      file[Symbol.dispose](); // another client has written it anew
      this.#file = LineFile.open(this.#path);
    }
  }
}

/** Opens the file, and drops what is of no use any more. @returns What is left. @throws {FileError} */
function open(path: string, now: number): [LineFile<Line>, Line[]] {
  for (;;) {
    const file = LineFile.open<Line>(path);
    try {
      file.lock();
      try {
        if (file.isInPlace) {
          const lines = file.added(true).filter(({ until }) => until >= now);
          if (file.isStale(lines.length)) file.rewrite(lines);
          return [file, lines];
        }
      } finally {
        file.unlock();
      }
    } catch (error) {
      file[Symbol.dispose]();
      throw error;
    }
    file[Symbol.dispose]();
  }
}
