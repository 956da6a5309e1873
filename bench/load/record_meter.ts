/**
 * Cuts what one member receives into records, and keeps of most of them no more than their size and last bytes: a
 * load that copied every byte would be slower than the server.
 *
 * @module
 */

import type { Bytes } from "../../crypto_utils.ts";
import {
  HEADER_SIZE,
  MAX_RECORD_SIZE,
  RecordType,
} from "../../src/protocol/records.ts";
import { PRINT_SIZE } from "./sequence.ts";

/** A record that has arrived. */
export interface MeteredRecord {
  /** One of `RecordType`. */
  readonly type: number;
  /** The whole record, bytes. */
  readonly size: number;
  /** Its last six bytes as a number. */
  readonly print: number;
  /** All of it, where it was to be kept. */
  readonly bytes: Bytes | undefined;
}

/** One member's stream. */
export class RecordMeter {
  /** Whether records are kept whole, from the next one on. */
  keeping = true;
  readonly #met: (record: MeteredRecord) => void;
  readonly #header = new Uint8Array(HEADER_SIZE);
  #filled = 0; // bytes of the header
  #left = 0; // bytes of the body
  #print = 0;
  #bytes: Bytes | undefined;

  /** @param met Called for each record, in order. */
  constructor(met: (record: MeteredRecord) => void) {
    this.#met = met;
  }

  /** Takes the next bytes. @throws {Error} for bytes that can't be records. */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      at = this.#filled < HEADER_SIZE
        ? this.#takeHeader(bytes, at)
        : this.#takeBody(bytes, at);
    }
  }

  get #size(): number {
    return (this.#header[0] ?? 0) << 8 | (this.#header[1] ?? 0);
  }

  get #type(): number {
    return this.#header[2] ?? 0;
  }

  #takeHeader(bytes: Uint8Array, at: number): number {
    this.#header[this.#filled++] = bytes[at] ?? 0;
    if (this.#filled < HEADER_SIZE) return at + 1;
    const size = this.#size;
    const type = this.#type;
    if (
      size <= HEADER_SIZE + PRINT_SIZE && type !== RecordType.refusal ||
      size > MAX_RECORD_SIZE || type > RecordType.shared
    ) throw new Error(`Cannot read a record of type ${type}, ${size} bytes`);
    this.#left = size - HEADER_SIZE;
    this.#print = 0;
    this.#bytes = undefined;
    if (this.keeping) {
      this.#bytes = new Uint8Array(size);
      this.#bytes.set(this.#header);
    }
    return at + 1;
  }

  #takeBody(bytes: Uint8Array, at: number): number {
    const bodyEnd = at + this.#left;
    const end = Math.min(bodyEnd, bytes.length);
    this.#bytes?.set(
      bytes.subarray(at, end),
      this.#bytes.length - this.#left,
    );
    for (let i = Math.max(at, bodyEnd - PRINT_SIZE); i < end; i++) {
      this.#print = this.#print * 256 + (bytes[i] ?? 0);
    }
    this.#left = bodyEnd - end;
    if (this.#left === 0) {
      this.#filled = 0;
      this.#met({
        type: this.#type,
        size: this.#size,
        print: this.#print,
        bytes: this.#bytes,
      });
    }
    return end;
  }
}
