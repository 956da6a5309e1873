/**
 * A file for reading that is in memory, and takes ill what would never end.
 *
 * @module
 */

/** Bytes that are read like a file, in pieces of a size. */
export class FileInMemory {
  readonly #bytes: Uint8Array;
  readonly #piece: number;
  readonly #info: Partial<Deno.FileInfo>;
  #position = 0;
  #isOver = false;
  #hasFailed = false;
  /** How often something was read. */
  reads = 0;

  constructor(
    content: string | Uint8Array,
    piece = Infinity,
    info: Partial<Deno.FileInfo> = {},
  ) {
    this.#bytes = typeof content === "string"
      ? new TextEncoder().encode(content)
      : content;
    this.#piece = piece;
    this.#info = { ino: 1, dev: 1, size: this.#bytes.length, ...info };
  }

  /** It, as what opens files gives it. */
  get file(): Deno.FsFile {
    return this as unknown as Deno.FsFile;
  }

  /** @throws {Error} for no room, and behind the end for the second time. */
  read(buffer: Uint8Array): Promise<number | null> {
    this.reads++;
    if (this.#hasFailed) throw new Error("Input/output error");
    if (buffer.length === 0) throw new Error("Cannot read nothing");
    if (this.#isOver) throw new Error("Cannot read on behind the end");
    const rest = this.#bytes.subarray(this.#position);
    const some = rest.subarray(0, Math.min(buffer.length, this.#piece));
    this.#isOver = some.length === 0;
    if (this.#isOver) return Promise.resolve(null);
    buffer.set(some);
    this.#position += some.length;
    return Promise.resolve(some.length);
  }

  /** From now on it can't be read, and nothing is told of it. */
  fail(): void {
    this.#hasFailed = true;
  }

  /** From the beginning on. */
  seek(position: number): Promise<number> {
    this.#position = position;
    this.#isOver = false;
    return Promise.resolve(position);
  }

  /** Closes nothing. */
  [Symbol.dispose](): void {}

  /** What the system would say of it. */
  stat(): Promise<Deno.FileInfo> {
    if (this.#hasFailed) throw new Error("Input/output error");
    return Promise.resolve(this.statSync());
  }

  /** Never fails. */
  statSync(): Deno.FileInfo {
    return this.#info as Deno.FileInfo;
  }
}
