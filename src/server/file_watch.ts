/**
 * Sees when a small file changes, while a server runs.
 *
 * @module
 */

import { messageOf } from "../base/error_reason.ts";
import { FileError, fileError } from "../base/private_file.ts";
import { diagnostics } from "./diagnostics.ts";

/** How often the file is looked at where nobody comes, ms. */
const PERIOD = 1_000;

const logger = diagnostics("server");

/** Looks at a file once a second, and whenever it is told to, until it is disposed of. */
export class FileWatch implements Disposable {
  readonly #path: string;
  readonly #read: () => void;
  readonly #going: string;
  readonly #timer: ReturnType<typeof setInterval>;
  #version: string | undefined; // of the file that was read last
  #trouble: string | undefined; // said once, not every second

  /**
   * Watches a file.
   * @param read Takes over what it has by now; what it throws is said. @param going What follows from that, a sentence.
   */
  constructor(path: string, read: () => void, going: string) {
    this.#path = path;
    this.#read = read;
    this.#going = going;
    this.#timer = setInterval(() => this.look(), PERIOD);
  }

  /** Looks no more. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  /** Looks once, at the cost of one `stat` if nothing has changed, and says what keeps it from that. */
  look(): void {
    try {
      const version = this.#stat();
      if (version === this.#version) return;
      this.#version = version;
      this.#read();
      this.#trouble = undefined;
    } catch (error) {
      const why = messageOf(error);
      const going = this.#going;
      if (why !== this.#trouble) logger.warn("{why}. {going}", { why, going });
      this.#trouble = why;
    }
  }

  /** What changes whenever the file does. */
  #stat(): string {
    try {
      const { dev, ino, size, mtime, ctime } = Deno.statSync(this.#path);
      return [dev, ino, size, mtime?.getTime(), ctime?.getTime()].join();
    } catch (cause) {
      this.#version = undefined;
      if (cause instanceof Deno.errors.NotFound) throw goneError(this.#path);
      throw fileError("read", this.#path, cause);
    }
  }
}

/** A file that was there is gone. */
export function goneError(path: string): FileError {
  return new FileError(`Cannot read "${path}": it is gone`);
}
