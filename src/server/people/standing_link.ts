/**
 * The link by which everybody may come in who has it.
 *
 * @module
 */

import { type Bytes, equalBytes } from "../../../crypto_utils.ts";
import { admissionKey } from "../../keys/invite.ts";

/** The standing link, while there is one. */
export class StandingLink {
  #key: Bytes | undefined;
  #look: () => void = () => {};

  /** What it proves in a handshake, 32 bytes; undefined: there is none. */
  get key(): Bytes | undefined {
    return this.#key;
  }

  /** It has another secret, 32 bytes; undefined: there is none any more. */
  set(secret: Bytes | undefined): void {
    this.#key = secret && admissionKey(secret);
  }

  /** Has its secret looked at, and set if it is another, at each `look`. */
  watch(look: () => void): void {
    this.#look = look;
  }

  /** Sees whether it is another now: to be called before anybody comes in by it. */
  look(): void {
    this.#look();
  }

  /** Whether there is one, and it still proves that key, 32 bytes. */
  isStill(key: Bytes | undefined): boolean {
    return key !== undefined && this.#key !== undefined &&
      equalBytes(key, this.#key);
  }
}
