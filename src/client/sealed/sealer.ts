/**
 * Seals what a client says in a sealed room: each line once for an epoch, so that what is sent again after a loss is the
 * same, byte for byte.
 *
 * @module
 */

import {
  type Bytes,
  type CipherState,
  fromBase64url,
} from "../../../crypto_utils.ts";
import type { Identity } from "../../crypto/identity.ts";
import type { Line } from "../../protocol/line.ts";
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

/** A stay's lines, sealed. */
export class Sealer {
  readonly #identity: Pick<Identity, "id" | "signing">;
  readonly #stay: Bytes;
  readonly #sealed = new Map<number, { e: number; line: Line }>(); // by the client's number
  #cipher: { e: number; cipher: Promise<CipherState> } | undefined;

  /** Nothing is sealed so far. @param stay 8 bytes in base64url. */
  constructor(identity: Pick<Identity, "id" | "signing">, stay: string) {
    this.#identity = identity;
    this.#stay = fromBase64url(stay);
  }

  /**
   * A line, sealed for an epoch. Several may be under way, in order.
   * @param seen The last line that this client had.
   */
  async seal(
    { n, what = "said", to = null, text }: Line,
    epoch: SealingEpoch,
    seen: Seen,
  ): Promise<Line> {
    const { room, e } = epoch;
    const known = this.#sealed.get(n);
    if (known?.e === e) return known.line;
    const { id: sender, signing } = this.#identity;
    const place = { room, e, sender, stay: this.#stay, n };
    const cipher = await this.#cipherOf(epoch);
    const words = { what, to, text };
    const sealed = await sealLine(words, place, seen, cipher, signing);
    const line: Line = { n, what: "sealed", text: sealed };
    this.#sealed.set(n, { e, line });
    return line;
  }

  /** A line is in the log, or refused: it is never sent again. */
  settle(n: number): void {
    this.#sealed.delete(n);
  }

  #cipherOf({ room, e, key }: SealingEpoch): Promise<CipherState> {
    if (this.#cipher?.e !== e) {
      const { id: sender } = this.#identity;
      const place = { room, sender, stay: this.#stay };
      this.#cipher = { e, cipher: lineCipher(key, place) };
    }
    return this.#cipher.cipher;
  }
}
