/**
 * Bytes for tests: of a text, of a stream, and with something changed in them.
 *
 * @module
 */

import { type Bytes, concat } from "../../crypto_utils.ts";
import type { Stream } from "../../src/protocol/record_reader.ts";
import { assert } from "./assert.ts";

/** Reads after which a stream has no end. */
const MAX_READS = 100_000;

/** A text's bytes. */
export function utf8(text: string): Bytes {
  return new TextEncoder().encode(text);
}

/** All that a stream still says. @param size How much is read at a time, at the most. */
export async function restOf(
  stream: Pick<Stream, "read">,
  size = 1_000,
): Promise<Bytes> {
  const pieces: Bytes[] = [];
  const buffer = new Uint8Array(size);
  for (let count; (count = await stream.read(buffer)) !== null;) {
    assert(count > 0, "an empty read");
    assert(pieces.length < MAX_READS, "it never ends");
    pieces.push(buffer.slice(0, count));
  }
  return concat(...pieces);
}

/** A copy with one bit changed in the byte at a place. */
export function flipped(bytes: Bytes, at: number): Bytes {
  const copy = bytes.slice();
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

/** Whether some bytes stand in others. */
export function holds(bytes: Uint8Array, wanted: Uint8Array): boolean {
  const [first = 0] = wanted;
  for (let at = -1; (at = bytes.indexOf(first, at + 1)) >= 0;) {
    if (wanted.every((byte, i) => bytes[at + i] === byte)) return true;
  }
  return false;
}
