/**
 * Seals what a client says in a sealed room: each line once for a key, so that what is sent again after a loss is the
 * same, byte for byte.
 *
 * @module
 */

import {
  type Bytes,
  type CipherState,
  equalBytes,
  fromBase64url,
} from "../../../crypto_utils.ts";
import type { Identity } from "../../crypto/identity.ts";
import type { Line, Words } from "../../protocol/line.ts";
import { lineCipher, sealLine, type Seen } from "../../sealed/sealed_line.ts";

/** An epoch of a room, and its content key. */
export interface SealingEpoch {
  /** The room's id, 32 bytes. */
  readonly room: Bytes;
  /** Its number. */
  readonly e: number;
  /** 32 bytes. */
  readonly key: Bytes;
}

/** What a number is promised to say, and its line. */
interface Promised {
  readonly words: string;
  readonly key: Bytes;
  readonly line: Promise<Line>;
}

/** A stay's lines, sealed. A number is one line's for good, whatever key it is sealed under. */
export class Sealer {
  readonly #identity: Pick<Identity, "id" | "signing">;
  readonly #stay: Bytes;
  readonly #promised = new Map<number, Promised>(); // by the client's number
  #highest = 0; // number that was sealed
  #cipher: { key: Bytes; cipher: Promise<CipherState> } | undefined;

  /** Nothing is sealed so far. @param stay 8 bytes in base64url. */
  constructor(identity: Pick<Identity, "id" | "signing">, stay: string) {
    this.#identity = identity;
    this.#stay = fromBase64url(stay);
  }

  /**
   * A line, sealed for an epoch. Several may be under way, in order.
   * @param seen The last line that this client had.
   * @throws {RangeError} for a number that was used for other words, or is settled.
   */
  async seal(
    { n, what = "said", to = null, text }: Line,
    epoch: SealingEpoch,
    seen: Seen,
  ): Promise<Line> {
    const { key } = epoch;
    const words = JSON.stringify([what, to, text]);
    const known = this.#promised.get(n);
    if (known ? known.words !== words : n <= this.#highest) {
      throw new RangeError(`Cannot seal line ${n}: its number was used`);
    }
    if (known && equalBytes(known.key, key)) return await known.line;
    this.#highest = Math.max(this.#highest, n);
    const line = this.#seal({ what, to, text }, n, epoch, seen);
    this.#promised.set(n, { words, key, line });
    return await line;
  }

  async #seal(
    words: Words,
    n: number,
    epoch: SealingEpoch,
    seen: Seen,
  ): Promise<Line> {
    const { room, e } = epoch;
    const { id: sender, signing } = this.#identity;
    const place = { room, e, sender, stay: this.#stay, n };
    const cipher = await this.#cipherOf(epoch);
    const text = await sealLine(words, place, seen, cipher, signing);
    return { n, what: "sealed", text };
  }

  /** A line is in the log, or refused: it is never sent again. */
  settle(n: number): void {
    this.#promised.delete(n);
  }

  #cipherOf({ room, key }: SealingEpoch): Promise<CipherState> {
    if (!this.#cipher || !equalBytes(this.#cipher.key, key)) {
      const { id: sender } = this.#identity;
      const place = { room, sender, stay: this.#stay };
      this.#cipher = { key, cipher: lineCipher(key, place) };
    }
    return this.#cipher.cipher;
  }
}
