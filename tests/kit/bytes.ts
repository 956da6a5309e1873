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
