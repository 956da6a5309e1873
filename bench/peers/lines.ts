/**
 * Cuts what one connection receives into lines, without copying but where a line comes in pieces.
 *
 * @module
 */

import { concat } from "../../crypto_utils.ts";

const LINE_FEED = 10;

/** Takes a line: the bytes from `start` up to `end`, without the line break. They are used again afterwards. */
export type TakeLine = (bytes: Uint8Array, start: number, end: number) => void;

/** One connection's lines, which end in `\r\n`. */
export class Lines {
  readonly #take: TakeLine;
  #rest: Uint8Array<ArrayBuffer> | undefined; // of a line whose end hasn't come

  /** @param take Called for each line, in order. */
  constructor(take: TakeLine) {
    this.#take = take;
  }

  /** Takes the next bytes. */
  push(bytes: Uint8Array): void {
    let at = 0;
    if (this.#rest) {
      at = bytes.indexOf(LINE_FEED) + 1;
      this.#rest = concat(this.#rest, at > 0 ? bytes.subarray(0, at) : bytes);
      if (at === 0) return;
      this.#take(this.#rest, 0, this.#rest.length - 2);
      this.#rest = undefined;
    }
    for (let end; (end = bytes.indexOf(LINE_FEED, at)) >= 0; at = end + 1) {
      this.#take(bytes, at, end - 1);
    }
    if (at < bytes.length) this.#rest = bytes.slice(at);
  }
}
