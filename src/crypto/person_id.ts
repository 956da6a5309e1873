/**
 * Persons' ids as text: all 32 bytes, which programs compare, and the first ten, which people read and which stand in
 * `chat.log`. A server refuses a second person with the same ten.
 *
 *     full     base64url, 43 characters
 *     short    Crockford's base32, 16 characters: k3df9q2mx7ta41cz
 *     spoken   the same in groups: k3df-9q2m-x7ta-41cz
 *
 * @module
 */

import { base32crockford } from "@scure/base";
import { type Bytes, fromBase64url, toBase64url } from "../../crypto_utils.ts";

/** Bytes of an id that people read. */
const SHORT_SIZE = 10;

/** The full text of an id. @param id 32 bytes. */
export function fullId(id: Bytes): string {
  return toBase64url(id);
}

/** The short text of an id. @param full Its full text. */
export function shortId(full: string): string {
  const id = fromBase64url(full);
  return base32crockford.encode(id.subarray(0, SHORT_SIZE)).toLowerCase();
}

/** A short text in groups of four, for people. */
export function spokenId(short: string): string {
  return short.replace(/.{4}(?=.)/g, "$&-");
}

/** The short text that somebody typed, with or without hyphens, in either case; undefined for anything else. */
export function parseShortId(text: string): string | undefined {
  const short = text.trim().toLowerCase().replaceAll("-", "")
    .replaceAll("o", "0").replace(/[il]/g, "1");
  return isShortId(short) ? short : undefined;
}

/** Whether a text is the short text of an id. */
export function isShortId(text: string): boolean {
  return /^[0-9a-hjkmnp-tv-z]{16}$/.test(text);
}
