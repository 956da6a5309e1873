/**
 * Sees when the key file has another room key, while a server runs.
 *
 * @module
 */

import { type Bytes, equalBytes } from "../../crypto_utils.ts";
import { KeyFile } from "../keys/key_file.ts";
import { diagnostics } from "./diagnostics.ts";
import { FileWatch, goneError } from "./file_watch.ts";

const logger = diagnostics("server");

/** Looks at a key file once a second, and whenever it is told to, until it is disposed of. */
export class KeyWatch implements Disposable {
  readonly #path: string;
  readonly #changed: (roomKey: Bytes) => void;
  readonly #file: FileWatch;
  #roomKey: Bytes;

  /** Watches a file. @param roomKey What it had so far. @param changed Is told what else it has. */
  constructor(
    path: string,
    roomKey: Bytes,
    changed: (roomKey: Bytes) => void,
  ) {
    this.#path = path;
    this.#roomKey = roomKey;
    this.#changed = changed;
    const going = "The server goes on with the keys that it has";
    this.#file = new FileWatch(path, () => this.#read(), going);
  }

  /** Looks no more. */
  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }

  /** Looks once, at the cost of one `stat` if nothing has changed, and says what keeps it from that. */
  look(): void {
    this.#file.look();
  }

  #read(): void {
    const fresh = KeyFile.roomKey(this.#path);
    if (!fresh) throw goneError(this.#path);
    if (!equalBytes(fresh, this.#roomKey)) this.#adopt(fresh);
  }

  #adopt(roomKey: Bytes): void {
    this.#roomKey = roomKey;
    this.#changed(roomKey);
    logger.info("The room has a new key; {file} has it", { file: this.#path });
  }
}
