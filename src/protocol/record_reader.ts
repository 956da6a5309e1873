/**
 * Reads records off a stream: first those of a handshake, then sealed ones.
 *
 * @module
 */

import {
  MAX_HANDSHAKE_RECORD_SIZE,
  MAX_RECORD_SIZE,
  NO_RECORDS,
  type RecordCounts,
  RecordSplitter,
  RecordType,
  type SealedRecord,
  WireError,
  type WireRecord,
} from "./records.ts";
import { PROTOCOL_VERSION } from "./hello.ts";
import { HANDSHAKE_REFUSALS } from "./reasons.ts";

/** What an idle connection keeps for its next bytes, and what a busy one reads at a time. */
const IDLE_BUFFER_SIZE = 256;
const BUSY_BUFFER_SIZE = 16_384;
/** How many times larger the next buffer is, after one that was filled. */
const GROWTH = 8;
/** What the head of a WebSocket's frame may take of what was read, bytes: a buffer with no more left over was filled. */
const FRAME_HEAD_SIZE = 14;

/** The server refused the handshake. */
export class RefusedError extends Error {
  /** "RefusedError". */
  override readonly name = "RefusedError";
  /**
   * Says what the code means. @param code One of `HandshakeRefusal`, or one that this version doesn't know.
   * @param version Which one the server speaks, where it says so: then it is another.
   */
  constructor(readonly code: number, version?: number) {
    super(
      version
        ? `The server speaks version ${version} and this client ${PROTOCOL_VERSION}: update the ${
          version > PROTOCOL_VERSION ? "client" : "server"
        }`
        : HANDSHAKE_REFUSALS[code] ?? `The server refused, with code ${code}`,
    );
  }
}

/**
 * The peer went before its next message, as one does that only looks whether somebody listens, or with which
 * key.
 */
export class GoneError extends WireError {
  /** Says so. @param answered Whether it had our answer. @param cause The stream's error, if there was one. */
  constructor(readonly answered: boolean, cause?: unknown) {
    super("Cannot shake hands: the connection ended", { cause });
  }
}

/** The parts of a TCP connection that a channel uses. */
export interface Stream {
  /** Reads at least one byte; null at the end. */
  read(into: Uint8Array): Promise<number | null>;
  /** Writes at least one byte, and says how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends both directions. */
  close(): void;
}

/**
 * Reads records off a stream. Thousands of connections each wait here, so that it keeps little while it does: a
 * small buffer, and no more async functions than it takes.
 */
export class RecordReader {
  readonly #stream: Stream;
  readonly #splitter = new RecordSplitter(MAX_HANDSHAKE_RECORD_SIZE);
  #buffer = new Uint8Array(IDLE_BUFFER_SIZE);
  #busySize = MAX_HANDSHAKE_RECORD_SIZE; // of the buffer, once a read has filled it
  #heard = false;
  #trusted = false; // whether a sealed record has come
  #counts: RecordCounts = NO_RECORDS; // of the sealed records so far

  /** Reads nothing yet. */
  constructor(stream: Stream) {
    this.#stream = stream;
  }

  /**
   * The next record of the handshake.
   * @throws {GoneError} for an end, or a reset, between two messages.
   * @throws {WireError} if the stream ends within one, or can't be one.
   */
  async handshakeRecord(): Promise<WireRecord> {
    for (;;) {
      const record = this.#splitter.shift();
      if (record) {
        // The next may be long in coming, unless it is on its way.
        if (!this.#splitter.unfinished) this.#resize(IDLE_BUFFER_SIZE);
        return record;
      }
      let read: number | null;
      try {
        read = await this.#stream.read(this.#buffer);
      } catch (error) {
        throw this.#splitter.unfinished
          ? error
          : new GoneError(this.#heard, error);
      }
      if (this.#take(read)) continue;
      throw this.#splitter.unfinished
        ? new WireError("Cannot shake hands: the connection ended")
        : new GoneError(this.#heard);
    }
  }

  /** What comes next is sealed. */
  endHandshake(): void {
    this.#busySize = BUSY_BUFFER_SIZE;
    this.#splitter.raiseLimit(MAX_RECORD_SIZE);
  }

  /** As `Channel.read`. */
  async records(): Promise<SealedRecord[] | null> {
    for (;;) {
      const records: SealedRecord[] = [];
      for (let next; (next = this.#splitter.shift());) {
        records.push(this.#expectSealed(next));
      }
      if (records.length > 0) return records;
      if (!this.#take(await this.#stream.read(this.#buffer))) return null;
    }
  }

  /** @returns Whether anything was read. */
  #take(read: number | null): boolean {
    if (read === null) return false;
    this.#heard = true;
    this.#splitter.push(this.#buffer.subarray(0, read));
    const { length } = this.#buffer;
    if (read >= length - FRAME_HEAD_SIZE) {
      // A join fits the next size, and most send no more.
      this.#resize(Math.min(GROWTH * length, this.#busySize));
    } else if (read < IDLE_BUFFER_SIZE || length < this.#busySize) {
      this.#resize(IDLE_BUFFER_SIZE);
    }
    return true;
  }

  #resize(size: number): void {
    if (this.#buffer.length !== size) this.#buffer = new Uint8Array(size);
  }

  #expectSealed(record: WireRecord): SealedRecord {
    const { type, header, body } = record;
    if (type === RecordType.refusal && !this.#trusted) {
      throw new RefusedError(body[0] ?? 0);
    }
    if (type === RecordType.handshake || type === RecordType.refusal) {
      throw new WireError(`Cannot go on: a record of type ${type} came late`);
    }
    this.#trusted = true;
    const before = this.#counts;
    if (type === RecordType.broadcast) {
      this.#counts = { ...before, broadcast: before.broadcast + 1 };
    } else if (type === RecordType.shared) {
      this.#counts = { ...before, shared: before.shared + 1 };
    }
    return { type, header, body, before };
  }
}
