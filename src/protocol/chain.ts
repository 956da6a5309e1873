/**
 * The chain: one value for each number of the log, which stands for all lines up to it. Who has the same value for a
 * number has seen the same history, whatever became of the log since.
 *
 *     h(s) = SHA-256(L("chain", h(s−1) ‖ u64 s ‖ i64 at ‖ kind ‖ person (10) ‖ stay (8) ‖ u64 n ‖ u64 to, or 0 ‖ name ‖ text))
 *     h(s) = SHA-256(L("chain", h(s−1) ‖ u64 s))      where line s isn't ours
 *
 * Kind, name and text are UTF-8 behind their u32 lengths. Before the first line stand 32 zero bytes.
 *
 * @module
 */

import { sha256 as hashSha256 } from "@noble/hashes/sha2.js";
import { base32crockford } from "@scure/base";
import {
  type Bytes,
  concat,
  copyOf,
  field,
  fromBase64url,
  KEY_SIZE,
  labelled,
  toBase64url,
} from "../../crypto_utils.ts";
import { keepNewest } from "../base/keep_newest.ts";
import { type Event, MAX_STRING } from "./events.ts";
import type { LineKind, LogEntry } from "./line.ts";
import { GOODBYES, MAX_ENTRY_LENGTH, wording } from "./reasons.ts";

/** The value before line 1: 32 zero bytes. */
export const CHAIN_START: Bytes = new Uint8Array(KEY_SIZE);
/** Lines whose values are kept, the last; and how many numbers that are left out are counted again for one. A power of 2. */
const KEPT = 4_096;
/** The most numbers in a row that may be left out: more would take a server or a client minutes. */
const MAX_GAP = 1_000_000;
/** Members of whom bytes are remembered: those who talk at the same time. */
const MAX_SENDERS = 1_024;
/** The digits of each of the eight groups by which people compare a value: about 133 bits in all. */
const GROUP_SIZE = 5;

const utf8 = new TextEncoder();
const PREFIX = labelled("chain");
const KINDS = new Map<LineKind, Bytes>(); // as fields
const senders = new Map<string, Bytes>(); // person ‖ stay, by their texts

// Every value is put together here, so that a line leaves little behind. A UTF-16 unit comes to three bytes at most.
const scratch: Bytes = new Uint8Array(
  1_024 + 3 * (MAX_STRING + MAX_ENTRY_LENGTH),
);
const view = new DataView(scratch.buffer);
scratch.set(PREFIX);

// One state for all, taken back to its beginning by a copy: a new one for each line would take twice as long.
const FRESH = hashSha256.create();
const hash = hashSha256.create();

/** The digest of what was put together. @param size Its size, bytes. */
function digest(size: number): Bytes {
  FRESH._cloneInto(hash);
  hash.update(scratch.subarray(0, size));
  const value = new Uint8Array(KEY_SIZE);
  hash.digestInto(value);
  return value;
}

function writeNumber(at: number, value: number): number {
  view.setInt32(at, Math.floor(value / 2 ** 32)); // which is negative before 1970
  view.setUint32(at + 4, value % 2 ** 32);
  return at + 8;
}

function writeText(at: number, text: string): number {
  const { read, written } = utf8.encodeInto(text, scratch.subarray(at + 4));
  if (read < text.length) {
    throw new RangeError("Cannot follow: too long a line");
  }
  view.setUint32(at, written);
  return at + 4 + written;
}

function write(at: number, bytes: Bytes): number {
  scratch.set(bytes, at);
  return at + bytes.length;
}

function kindField(what: LineKind): Bytes {
  const known = KINDS.get(what) ?? field(utf8.encode(what));
  KINDS.set(what, known);
  return known;
}

/** The person's 10 bytes and the stay's 8. */
function senderOf({ person, stay }: LogEntry): Bytes {
  const key = person + stay;
  const known = senders.get(key);
  if (known) return known;
  const id = base32crockford.decode(person);
  const bytes = concat(id, fromBase64url(stay));
  keepNewest(senders.set(key, bytes), MAX_SENDERS);
  return bytes;
}

/**
 * The value for a line. A `left` counts by its words, since the log doesn't tell a reason from somebody's own words.
 * @param before The value for the number before it, 32 bytes. @returns 32 bytes.
 */
export function chainValue(before: Bytes, entry: LogEntry): Bytes {
  const { seq, at: time, what, n, to, name } = entry;
  const text = what === "left" ? wording(GOODBYES, entry.text) : entry.text;
  let at = write(PREFIX.length, before);
  at = writeNumber(at, seq);
  at = writeNumber(at, time);
  at = write(at, kindField(what));
  at = write(at, senderOf(entry));
  at = writeNumber(at, n);
  at = writeNumber(at, to ?? 0);
  at = writeText(at, name);
  at = writeText(at, text);
  return digest(at);
}

/** The value for a number whose line isn't ours. @param before As for `chainValue`. @returns 32 bytes. */
export function chainGap(before: Bytes, seq: number): Bytes {
  const at = writeNumber(write(PREFIX.length, before), seq);
  return digest(at);
}

/** What people compare of a value: eight groups of five digits. */
export function agreement(value: Bytes): string {
  const words = new DataView(value.buffer, value.byteOffset, KEY_SIZE);
  const groups = Array.from({ length: KEY_SIZE / 4 }, (_, index) => {
    const group = words.getUint32(4 * index) % 10 ** GROUP_SIZE;
    return String(group).padStart(GROUP_SIZE, "0");
  });
  return groups.join(" ");
}

/** How a value is told. @param value Undefined where it can't be told. */
export function chainEvent(
  seq: number,
  value: Bytes | undefined,
): Event<"chain"> {
  return { kind: "chain", seq, value: value ? toBase64url(value) : "" };
}

/** The value that a text tells, undefined for none. @param text A field of type `value`. */
export function toldValue(text: string): Bytes | undefined {
  return text === "" ? undefined : fromBase64url(text);
}

/** Follows the chain from some number on, and keeps the values of the last 4,096 lines. */
export class Chain {
  // By lines that are there, not by numbers: else whoever leaves numbers out would push the values out.
  readonly #seqs = new Float64Array(KEPT);
  readonly #values: Bytes = new Uint8Array(KEPT * KEY_SIZE);
  #count = 0; // of values that were kept so far
  readonly #each: (seq: number, value: Bytes) => void;
  #seq: number;
  #value: Bytes;

  /**
   * Goes on after line `seq`.
   * @param value Its value, 32 bytes. @param each Is told every value from there on.
   */
  constructor(
    seq: number,
    value: Bytes,
    each: (seq: number, value: Bytes) => void = () => {},
  ) {
    this.#seq = seq;
    this.#value = value;
    this.#each = each;
    this.#keep();
  }

  /** The number of the last line. */
  get seq(): number {
    return this.#seq;
  }

  /** Its value, 32 bytes. */
  get value(): Bytes {
    return this.#value;
  }

  /** The smallest number whose value is kept. */
  get oldest(): number {
    return this.#seqAt(this.#firstKept);
  }

  /**
   * The value for a number, 32 bytes; undefined if it isn't kept, or stands behind more than 4,096 numbers that aren't
   * ours.
   */
  at(seq: number): Bytes | undefined {
    if (!Number.isInteger(seq) || seq > this.#seq || seq < this.oldest) {
      return undefined;
    }
    if (seq === this.#seq) return this.#value;
    let low = this.#firstKept;
    for (let step = KEPT; step >= 1; step /= 2) {
      const next = low + step;
      if (next < this.#count && this.#seqAt(next) <= seq) low = next;
    }
    const kept = this.#seqAt(low);
    if (seq - kept > KEPT) return undefined;
    const start = (low % KEPT) * KEY_SIZE;
    let value = copyOf(this.#values.subarray(start, start + KEY_SIZE));
    for (let gap = kept + 1; gap <= seq; gap++) value = chainGap(value, gap);
    return value;
  }

  get #firstKept(): number {
    return Math.max(0, this.#count - KEPT);
  }

  #seqAt(index: number): number {
    return this.#seqs[index % KEPT] ?? 0;
  }

  /**
   * Takes the next line that is ours; the numbers between have none.
   * @throws {RangeError} for a line that was taken already, or with more than a million numbers before it.
   */
  add(entry: LogEntry): void {
    if (entry.seq <= this.#seq) {
      throw new RangeError(`Cannot follow line ${entry.seq} again`);
    }
    this.skipTo(entry.seq - 1);
    this.#take(entry.seq, chainValue(this.#value, entry));
    this.#keep();
  }

  /** Goes on to a number, up to which no line is ours. @throws {RangeError} for more than a million numbers. */
  skipTo(seq: number): void {
    if (seq - this.#seq > MAX_GAP) {
      throw new RangeError(`Cannot follow: lines up to ${seq} are missing`);
    }
    for (let gap = this.#seq + 1; gap <= seq; gap++) {
      this.#take(gap, chainGap(this.#value, gap));
    }
  }

  #take(seq: number, value: Bytes): void {
    this.#seq = seq;
    this.#value = value;
    this.#each(seq, value);
  }

  #keep(): void {
    const index = this.#count++ % KEPT;
    this.#seqs[index] = this.#seq;
    this.#values.set(this.#value, index * KEY_SIZE);
  }
}
