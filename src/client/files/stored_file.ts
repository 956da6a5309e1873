/**
 * Files on this machine's disk: one that is offered, read piece by piece, and one that is taken, which grows
 * beside its place until it is whole.
 *
 * @module
 */

import { type Bytes, sha256Hex } from "../../../crypto_utils.ts";
import { FileError, fileError } from "../../base/file_error.ts";
import { ensureFolder, PRIVATE_FILE } from "../../base/private_file.ts";
import { requireOrdinary } from "../../base/file_target.ts";
import { type Offer, safeFileName } from "../../protocol/offer.ts";
import { writeAll } from "../../base/write_all.ts";
import {
  type Source,
  type Target,
  tooLarge,
  WRONG_DIGEST,
} from "./file_system.ts";

/** How much is read at once, bytes. */
const READ_SIZE = 65_536;
/** Digits of the digest that tell unfinished files apart. */
const DIGEST_START = 8;
/** How many files of one name a folder may have. */
const MAX_NAMESAKES = 1_000;

/** A file that is offered, as it was when it was offered. */
export class SourceFile implements Source {
  private constructor(
    readonly path: string,
    readonly offer: Offer,
    readonly changedAt: number | undefined,
  ) {}

  /**
   * Reads a file to its end, for its digest.
   * @param most Bytes that it may have. Default: any number.
   * @throws {FileError} for what can't be read, is no ordinary file, or is larger.
   */
  static async open(path: string, most = Infinity): Promise<SourceFile> {
    const name = path.split(/[/\\]/).at(-1) ?? "";
    try {
      requireOrdinary(path);
      using file = await Deno.open(path);
      const { size, mtime } = await file.stat();
      if (size > most) {
        throw new FileError(tooLarge("send", path, size, most));
      }
      const digest = await sha256Hex(chunks(file));
      return new SourceFile(path, { name, size, digest }, mtime?.getTime());
    } catch (cause) {
      if (cause instanceof FileError) throw cause;
      throw fileError("send", path, cause);
    }
  }

  /** Some of its bytes; null if the file isn't any more what was offered, or can't be read. */
  async read(from: number, size: number): Promise<Bytes | null> {
    try {
      requireOrdinary(this.path); // it may have been replaced meanwhile
      using file = await Deno.open(this.path);
      const info = await file.stat();
      if (info.size !== this.offer.size) return null;
      if (info.mtime?.getTime() !== this.changedAt) return null;
      await file.seek(from, Deno.SeekMode.Start);
      const bytes = new Uint8Array(size);
      for (let filled = 0; filled < size;) {
        const count = await file.read(bytes.subarray(filled));
        if (count === null) return null;
        filled += count;
      }
      return bytes;
    } catch {
      // Others are told that it can't be read, not why.
      return null;
    }
  }
}

/** A file that is being taken: `NAME.DIGEST.part` in its folder, which a later run goes on with. */
export class PartialFile implements Target {
  readonly #file: Deno.FsFile;
  readonly #folder: string;
  readonly #path: string;
  readonly #offer: Offer;
  #size: number;

  private constructor(
    file: Deno.FsFile,
    folder: string,
    path: string,
    offer: Offer,
    size: number,
  ) {
    this.#file = file;
    this.#folder = folder;
    this.#path = path;
    this.#offer = offer;
    this.#size = size;
  }

  /**
   * Goes on with what is there of a file, or begins it.
   * @throws {FileError} if it can't be written.
   */
  static async open(folder: string, offer: Offer): Promise<PartialFile> {
    await ensureFolder(folder);
    const start = offer.digest.slice(0, DIGEST_START);
    const path = `${folder}/${safeFileName(offer.name)}.${start}.part`;
    try {
      requireOrdinary(path);
      const file = await Deno.open(path, {
        write: true,
        create: true,
        mode: PRIVATE_FILE,
      });
      const { size } = await file.stat();
      const kept = size <= offer.size ? size : 0;
      await file.truncate(kept);
      await file.seek(kept, Deno.SeekMode.Start);
      return new PartialFile(file, folder, path, offer, kept);
    } catch (cause) {
      throw fileError("write", path, cause);
    }
  }

  /** How much of it is here, bytes. */
  get size(): number {
    return this.#size;
  }

  /** Adds the next bytes. @throws {FileError} if they can't be written. */
  async append(bytes: Bytes): Promise<void> {
    try {
      await writeAll(this.#file, bytes);
    } catch (cause) {
      throw fileError("write", this.#path, cause);
    }
    this.#size += bytes.length;
  }

  /**
   * Gives the whole file its name, or that name with a number if there is such a file already.
   * @returns The path.
   * @throws {FileError} if its digest isn't the one that was offered, after which nothing is left of it; and
   * if the file can't be written.
   */
  async finish(): Promise<string> {
    try {
      using file = await Deno.open(this.#path);
      if (await sha256Hex(chunks(file)) !== this.#offer.digest) {
        await Deno.remove(this.#path);
        throw new FileError(WRONG_DIGEST);
      }
      const path = await this.#reserve();
      await Deno.rename(this.#path, path);
      return path;
    } catch (cause) {
      if (cause instanceof FileError) throw cause;
      throw fileError("write", this.#path, cause);
    }
  }

  /** Closes it, and leaves it where it is. */
  [Symbol.dispose](): void {
    this.#file.close();
  }

  /** Makes an empty file under a name that is free: another taker at the same time gets another name. */
  async #reserve(): Promise<string> {
    for (const path of places(this.#folder, this.#offer)) {
      try {
        using _file = await Deno.open(path, {
          write: true,
          createNew: true,
          mode: PRIVATE_FILE,
        });
        return path;
      } catch (error) {
        if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      }
    }
    throw new FileError(`${MAX_NAMESAKES} files have that name`);
  }
}

/** Where an offered file may be saved in a folder, the first choice first. */
function* places(folder: string, offer: Offer): Generator<string> {
  const name = safeFileName(offer.name);
  const dot = name.lastIndexOf(".");
  const end = dot > 0 ? dot : name.length;
  for (let count = 1; count <= MAX_NAMESAKES; count++) {
    const number = count === 1 ? "" : ` (${count})`;
    yield `${folder}/${name.slice(0, end)}${number}${name.slice(end)}`;
  }
}

/** The path of an offered file that is in a folder whole and unchanged; undefined if there is none. */
export async function findSaved(
  folder: string,
  offer: Offer,
): Promise<string | undefined> {
  for (const path of places(folder, offer)) {
    try {
      const { isFile, size } = await Deno.stat(path);
      if (!isFile || size !== offer.size) continue;
      using file = await Deno.open(path);
      if (await sha256Hex(chunks(file)) === offer.digest) return path;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined; // the next would have had this name
      // What can't be read isn't known to be the file.
    }
  }
  return undefined;
}

/** What a file holds, from where it stands to its end. */
async function* chunks(file: Deno.FsFile): AsyncGenerator<Bytes> {
  const buffer = new Uint8Array(READ_SIZE);
  for (;;) {
    const count = await file.read(buffer);
    if (count === null) return;
    yield buffer.subarray(0, count);
  }
}
