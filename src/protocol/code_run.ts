/**
 * One side's run of CPace for a spoken code, beside the first two messages of a handshake. Apart from the handshake, which
 * loads it when it is first needed: it takes 15 ms, and most programs never meet a spoken code.
 *
 * @module
 */

import { Cpace } from "../crypto/cpace.ts";
import { type Bytes, deriveKey, labelled } from "../../crypto_utils.ts";
import { CODE_NUMBER_SIZE, type CodeGuess } from "./hello.ts";

/** One side's run. */
export class CodeRun {
  readonly #role: "initiator" | "responder";
  readonly #cpace: Cpace;

  /** Begins it. @param sid The client's ephemeral key, 32 bytes. */
  constructor(
    role: "initiator" | "responder",
    { number, password }: CodeGuess,
    sid: Bytes,
  ) {
    const ci = labelled("code", uint32(number));
    this.#role = role;
    this.#cpace = new Cpace({ password, ci, sid });
  }

  /** What this side sends, 32 bytes. */
  get share(): Bytes {
    return this.#cpace.share;
  }

  /**
   * The psk of the handshake, 32 bytes; the same on both sides only where the words are. Works once.
   * @param theirs What the other side sent, 32 bytes. @param secret ML-KEM's, 32 bytes.
   */
  psk(theirs: Bytes, secret: Bytes): Bytes {
    return deriveKey(this.#cpace.key(this.#role, theirs), "code", secret);
  }
}

/** A whole number as 4 bytes, big-endian. */
function uint32(value: number): Bytes {
  const bytes = new Uint8Array(CODE_NUMBER_SIZE);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}
