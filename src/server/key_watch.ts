/**
 * Sees when the key file has another room key, while a server runs.
 *
 * @module
 */

import { type Bytes, equalBytes } from "../../crypto_utils.ts";
import { diagnostics } from "./diagnostics.ts";
import { FileError, fileError } from "../base/private_file.ts";
import { KeyFile } from "../keys/key_file.ts";
import { messageOf } from "../base/error_reason.ts";

/** How often the file is looked at where nobody comes, ms. */
const PERIOD = 1_000;

const logger = diagnostics("server");

/** Looks at a key file once a second, and whenever it is told to, until it is disposed of. */
export class KeyWatch implements Disposable {
  readonly #path: string;
  readonly #changed: (roomKey: Bytes) => void;
  readonly #timer: ReturnType<typeof setInterval>;
  #roomKey: Bytes;
  #version: string | undefined; // of the file that was read last
  #trouble: string | undefined; // said once, not every second

  /** Watches a file. @param roomKey What it had so far. @param changed Is told what else it has. */
  constructor(
    path: string,
    roomKey: Bytes,
    changed: (roomKey: Bytes) => void,
  ) {
    this.#path = path;
    this.#roomKey = roomKey;
    this.#changed = changed;
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
      const fresh = KeyFile.roomKey(this.#path);
      if (!fresh) throw gone(this.#path);
      this.#trouble = undefined;
      if (!equalBytes(fresh, this.#roomKey)) this.#adopt(fresh);
    } catch (error) {
      const why = messageOf(error);
      const going = "The server goes on with the keys that it has";
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
      if (cause instanceof Deno.errors.NotFound) throw gone(this.#path);
      throw fileError("read", this.#path, cause);
    }
  }

  #adopt(roomKey: Bytes): void {
    this.#roomKey = roomKey;
    this.#changed(roomKey);
    logger.info("The room has a new key; {file} has it", { file: this.#path });
  }
}

function gone(path: string): FileError {
  return new FileError(`Cannot read "${path}": it is gone`);
}
