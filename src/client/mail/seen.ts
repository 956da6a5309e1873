/**
 * Which private messages were seen already, so that none comes twice: whatever a server repeats, and however often a
 * client starts.
 *
 * @module
 */

import {
  fromBase64url,
  labelledDigest,
  toBase64url,
  uint64,
} from "../../../crypto_utils.ts";
import type { PrivateMessage } from "../../sealed/private_message.ts";

/** The greatest age of a message that is shown, ms: a day more than servers keep it. */
export const MAX_AGE = 8 * 86_400_000;
/** How far ahead of this machine's clock a message may be, ms. */
export const MAX_AHEAD = 86_400_000;

/** Bytes by which a message is remembered. */
const KEY_SIZE = 16;

/** What remembers messages. */
export interface Seen {
  /** Whether the next run of the client remembers them, too. */
  readonly isKept: boolean;
  /** Whether a message was seen. @param key As `seenKey` makes it. */
  has(key: string): boolean;
  /** A message was seen. @param time When it was written, ms since 1970: it is remembered for as long as it could be shown. */
  add(key: string, time: number): void;
}

/** What stands for a message in a memory, which tells nobody who wrote to whom. @param self @param from Full ids. */
export function seenKey(
  self: string,
  from: string,
  { stay, n }: Pick<PrivateMessage, "stay" | "n">,
): string {
  const fields = [self, from, stay].map(fromBase64url);
  const digest = labelledDigest("seen", ...fields, uint64(n));
  return toBase64url(digest.subarray(0, KEY_SIZE));
}

/** What stands for a message that isn't shown. @param self @param from Full ids. @param data As it came. */
export function unreadKey(self: string, from: string, data: string): string {
  const ids = [self, from].map(fromBase64url);
  const bytes = new TextEncoder().encode(data);
  const digest = labelledDigest("unread", ...ids, bytes);
  return toBase64url(digest.subarray(0, KEY_SIZE));
}

/** A memory of this run alone. */
export class SeenHere implements Seen, Disposable {
  readonly isKept = false;
  readonly #keys = new Set<string>();

  /** Whether a message was seen. */
  has(key: string): boolean {
    return this.#keys.has(key);
  }

  /** A message was seen. */
  add(key: string): void {
    this.#keys.add(key);
  }

  /** Does nothing. */
  [Symbol.dispose](): void {}
}
