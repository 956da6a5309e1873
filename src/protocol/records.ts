/**
 * Records on the wire, bytes to types and back, with every size limit.
 *
 *     record = u16 length (big-endian, of the whole record) ‖ u8 type ‖ body
 *
 * @module
 */

import {
  type Bytes,
  SIGNATURE_SIZE,
  TAG_SIZE,
  uint64,
} from "../../crypto_utils.ts";

/** What a record's body is. */
export const RecordType = {
  /** A message of the handshake. */
  handshake: 1,
  /** Sealed for one connection and direction. */
  direct: 2,
  /** Sealed once for the whole room. */
  broadcast: 3,
  /** One byte, not sealed: why the server won't go on. Valid only before the handshake ends. */
  refusal: 4,
  /** Sealed once for several connections, each of which was told the key. */
  shared: 5,
} as const;

/** One of the numbers in `RecordType`. */
export type RecordType = typeof RecordType[keyof typeof RecordType];

/** Length and type, bytes. */
export const HEADER_SIZE = 3;
/** What `directData` makes, bytes. */
const DIRECT_DATA_SIZE = HEADER_SIZE + 8 + 8;
/** The largest record, header included: what its length field can say. */
export const MAX_RECORD_SIZE = 65_535;
/** The largest record before the handshake ends; the longest takes 1,240. */
export const MAX_HANDSHAKE_RECORD_SIZE = 2_048;
/** The largest padded plaintext: the greatest Padmé length that fits a record with tag and signature. */
export const MAX_PLAINTEXT_SIZE = 63_488;

const NOTHING: Bytes = new Uint8Array(0);
/** What a body has at least, bytes, by its type. */
const LEAST_BODY_SIZES: Readonly<Record<number, number>> = {
  [RecordType.handshake]: TAG_SIZE,
  [RecordType.direct]: TAG_SIZE,
  [RecordType.broadcast]: TAG_SIZE + SIGNATURE_SIZE,
  [RecordType.refusal]: 1,
  [RecordType.shared]: TAG_SIZE + SIGNATURE_SIZE,
};

/** Bytes that can't be a record: the connection they came from can't go on. */
export class WireError extends Error {
  /** "WireError". */
  override readonly name = "WireError";
}

/** One record as it came. */
export interface WireRecord {
  /** What the body is. */
  readonly type: RecordType;
  /** Three bytes, authenticated together with a sealed body. */
  readonly header: Bytes;
  /** The rest. */
  readonly body: Bytes;
}

/** How many records that are sealed for several stand before one in its stream, since the handshake. */
export interface RecordCounts {
  /** Broadcast records. */
  readonly broadcast: number;
  /** Shared records. */
  readonly shared: number;
}

/** None, as in everything that a client sends. */
export const NO_RECORDS: RecordCounts = { broadcast: 0, shared: 0 };

/** A record that came after the handshake. */
export interface SealedRecord extends WireRecord {
  /** What came before it. */
  readonly before: RecordCounts;
}

/**
 * What a direct record's tag covers besides its plaintext, 19 bytes: the header, and the counts, each as u64
 * (big-endian). So a record of another type that was left out, added or moved past it is noticed here.
 */
export function directData(
  header: Bytes,
  { broadcast, shared }: RecordCounts,
): Bytes {
  const data = new Uint8Array(DIRECT_DATA_SIZE);
  data.set(header);
  if (broadcast === 0 && shared === 0) return data; // as in all that a client sends: by far the most
  data.set(uint64(broadcast), HEADER_SIZE);
  data.set(uint64(shared), HEADER_SIZE + 8);
  return data;
}

/**
 * The header of a record.
 * @param bodySize Bytes, at most 65,532.
 * @throws {RangeError} for a body that is larger.
 */
export function encodeHeader(type: RecordType, bodySize: number): Bytes {
  const size = HEADER_SIZE + bodySize;
  if (size > MAX_RECORD_SIZE) {
    throw new RangeError(
      `Cannot send a record of ${size} bytes: the most is ${MAX_RECORD_SIZE}`,
    );
  }
  return new Uint8Array([size >> 8, size & 0xff, type]);
}

/** The header of a direct record around `size` bytes of plaintext. */
export function directHeader(size: number): Bytes {
  return encodeHeader(RecordType.direct, size + TAG_SIZE);
}

/** The header of a broadcast record around `size` bytes of plaintext. */
export function broadcastHeader(size: number): Bytes {
  return encodeHeader(RecordType.broadcast, size + TAG_SIZE + SIGNATURE_SIZE);
}

/** The header of a shared record around `size` bytes of plaintext. */
export function sharedHeader(size: number): Bytes {
  return encodeHeader(RecordType.shared, size + TAG_SIZE + SIGNATURE_SIZE);
}

/**
 * Cuts a stream of bytes into records, however the network cut it before. Keeps at most one unfinished
 * record, and allocates nothing for a length until it has been checked.
 */
export class RecordSplitter {
  #rest: Bytes = NOTHING;
  #limit: number;

  /** Has no bytes yet. @param limit The largest record to accept, bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Accepts larger records from here on. */
  raiseLimit(limit: number): void {
    this.#limit = limit;
  }

  /** Whether a record has begun and not ended. */
  get unfinished(): boolean {
    return this.#rest.length > 0;
  }

  /** Takes the next piece of the stream. It is copied, so its memory can be used again. */
  push(piece: Uint8Array): void {
    const bytes = new Uint8Array(this.#rest.length + piece.length);
    bytes.set(this.#rest);
    bytes.set(piece, this.#rest.length);
    this.#rest = bytes;
  }

  /**
   * The next whole record, undefined if there is none yet.
   * @throws {WireError} for a length or a type that can't be.
   */
  shift(): WireRecord | undefined {
    const bytes = this.#rest;
    if (bytes.length < HEADER_SIZE) return undefined;
    const header = bytes.subarray(0, HEADER_SIZE);
    const size = this.#checkedSize(header);
    if (bytes.length < size) return undefined;
    // An idle connection must not hold on to the memory of its last burst.
    this.#rest = bytes.length === size ? NOTHING : bytes.subarray(size);
    const type = header[2] as RecordType;
    return { type, header, body: bytes.subarray(HEADER_SIZE, size) };
  }

  #checkedSize([high = 0, low = 0, type = 0]: Uint8Array): number {
    const size = high << 8 | low;
    const least = LEAST_BODY_SIZES[type];
    if (least === undefined) {
      throw new WireError(`Cannot read a record: its type is ${type}`);
    }
    if (size < HEADER_SIZE + least || size > this.#limit) {
      throw new WireError(`Cannot read a record: its length is ${size}`);
    }
    return size;
  }
}

/**
 * The Padmé length for a plaintext (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and
 * Communication with PURBs", section 4): the size grows by at most 12 %, and tells little.
 */
export function padmeLength(size: number): number {
  if (size < 2) return size;
  const exponent = Math.floor(Math.log2(size));
  const kept = Math.floor(Math.log2(exponent)) + 1;
  const step = 2 ** Math.max(0, exponent - kept);
  return Math.ceil(size / step) * step;
}
