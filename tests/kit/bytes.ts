/**
 * Bytes for tests: of a text, and with something changed in them.
 *
 * @module
 */

import type { Bytes } from "../../crypto_utils.ts";

/** A text's bytes. */
export function utf8(text: string): Bytes {
  return new TextEncoder().encode(text);
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
