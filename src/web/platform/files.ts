/**
 * Files of a browser: one that a person has chosen, read piece by piece, and one that is taken, which grows in the
 * browser until it is whole and is then saved like any download.
 *
 * @module
 */

import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes, sha256Hex } from "../../../crypto_utils.ts";
import { FileError, fileError } from "../../base/file_error.ts";
import { type Source, tooLarge } from "../../client/files/file_system.ts";
import { type Offer, safeFileName } from "../../protocol/offer.ts";

/** How much of what comes is put together to one part of a file, bytes: the browser can move it out of its memory. */
const PART_SIZE = 1_048_576;
/** How long a link to a file stays after it was followed, ms: the browser may ask the person first where to save it. */
const LINK_TIME = 120_000;

/** A file that a person has chosen, as it was then. */
export class ChosenFile implements Source {
  readonly #file: File;

  private constructor(
    file: File,
    /** What is said of it. */
    readonly offer: Offer,
  ) {
    this.#file = file;
  }

  /**
   * Reads a file to its end, for its digest.
   * @param most Bytes that it may have. @throws {FileError} for what can't be read, or is larger.
   */
  static async open(file: File, most: number): Promise<ChosenFile> {
    const { name, size } = file;
    if (size > most) throw new FileError(tooLarge("send", name, size, most));
    try {
      const digest = await sha256Hex(chunks(file));
      return new ChosenFile(file, { name, size, digest });
    } catch (error) {
      throw fileError("read", name, error);
    }
  }

  /** Its name: a browser tells no path. */
  get path(): string {
    return this.#file.name;
  }

  /** Some of its bytes; null if the file isn't any more what was offered, or can't be read. */
  async read(from: number, size: number): Promise<Bytes | null> {
    try {
      const bytes = await this.#file.slice(from, from + size).arrayBuffer();
      return bytes.byteLength === size ? new Uint8Array(bytes) : null;
    } catch {
      return null; // it was changed or removed since: a browser tells both alike
    }
  }
}

/** What a file holds, in order. */
async function* chunks(file: Blob): AsyncGenerator<Bytes> {
  const reader = file.stream().getReader(); // not every browser iterates over the stream
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

/** A file that is being taken. What has come stays when it is dropped, until the page is closed. */
export class GrowingFile {
  readonly #parts: Blob[] = [];
  #last: Bytes[] = []; // not yet put together
  #lastSize = 0;
  readonly #hash = sha256.create();
  #size = 0;

  /** How much of it is here, bytes. */
  get size(): number {
    return this.#size;
  }

  /** Adds the next bytes. */
  append(bytes: Bytes): void {
    this.#hash.update(bytes);
    this.#last.push(bytes.slice());
    this.#size += bytes.length;
    this.#lastSize += bytes.length;
    if (this.#lastSize >= PART_SIZE) this.#join();
  }

  #join(): void {
    this.#parts.push(new Blob(this.#last));
    this.#last = [];
    this.#lastSize = 0;
  }

  /** The whole file, if it has the digest that was offered, and nothing is appended any more. */
  finish(digest: string): Blob | undefined {
    if (this.#hash.clone().digest().toHex() !== digest) return undefined;
    this.#join();
    return new Blob(this.#parts);
  }
}

/** Saves a file among the browser's downloads, under a name that is harmless. @param name As others wrote it. */
export function saveFile(file: Blob, name: string): void {
  const link = document.createElement("a");
  // As bytes of no kind: then no browser opens it in place of saving it.
  const type = "application/octet-stream";
  link.href = URL.createObjectURL(new Blob([file], { type }));
  link.download = safeFileName(name);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), LINK_TIME);
}
