/**
 * Sees when the key file has another room key, while a server runs.
 *
 * @module
 */

import { type Bytes, equalBytes } from "../../crypto_utils.ts";
import { diagnostics } from "./diagnostics.ts";
import { FileError } from "../base/private_file.ts";
import { KeyFile } from "../keys/key_file.ts";
import { reasonOf } from "../base/error_reason.ts";

/** How often the file is looked at, ms. */
const PERIOD = 1_000;

const logger = diagnostics("server");

/** Looks at a key file once a second, until it is disposed of. */
export class KeyWatch implements Disposable {
  readonly #path: string;
  readonly #changed: (roomKey: Bytes) => void;
  readonly #timer: ReturnType<typeof setInterval>;
  #roomKey: Bytes;
  #looking = false;
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
    this.#timer = setInterval(() => this.#look(), PERIOD);
  }

  /** Looks no more. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  /** Looks once, and says what keeps it from that. Never rejects. */
  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      const fresh = await this.#read();
      this.#trouble = undefined;
      if (!equalBytes(fresh, this.#roomKey)) this.#adopt(fresh);
    } catch (error) {
      const why = reasonOf(error);
      const going = "The server goes on with the keys that it has";
      if (why !== this.#trouble) logger.warn("{why}. {going}", { why, going });
      this.#trouble = why;
    }
    this.#looking = false;
  }

  async #read(): Promise<Bytes> {
    const keyFile = await KeyFile.load(this.#path);
    if (keyFile) return keyFile.keys.roomKey;
    throw new FileError(`Cannot read "${this.#path}": it is gone`);
  }

  #adopt(roomKey: Bytes): void {
    this.#roomKey = roomKey;
    this.#changed(roomKey);
    logger.info("The room has a new key; {file} has it", { file: this.#path });
  }
}
