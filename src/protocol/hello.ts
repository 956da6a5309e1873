/**
 * What the payload of a handshake's first message asks for: who the client says it is, or which words it has.
 *
 *     invite id (4) ‖ ML-KEM key (1,184)                                an invite, or a member
 *     CODE_ID (4) ‖ ML-KEM key (1,184) ‖ number (4) ‖ CPace share (32)  a spoken code
 *
 * @module
 */

import { type Bytes, KEY_SIZE } from "../../crypto_utils.ts";

/**
 * The version that a client's first byte asks for. The protocol's name doesn't grow with it, since persons' ids are made
 * with that. 3: shared records may have more than who is there.
 */
export const PROTOCOL_VERSION = 3;
/** An invite's number, and a spoken code's, bytes. */
export const INVITE_ID_SIZE = 4;
/** See `INVITE_ID_SIZE`. */
export const CODE_NUMBER_SIZE = 4;
/** What CPace sends, bytes: an encoded ristretto255 element. */
export const CPACE_SHARE_SIZE = 32;
/** What the first payload has more for a spoken code, bytes: its number and CPace's share. */
export const GUESS_SIZE: number = CODE_NUMBER_SIZE + CPACE_SHARE_SIZE;
/** In place of an invite's number: the client is a member, which its X25519 key proves. */
export const MEMBER_ID = 0xffff_fffe;
/** In place of an invite's number: the client has a spoken code, and runs CPace beside the first two messages. */
export const CODE_ID = 0xffff_fffd;
/** In place of an invite's key for a member: 32 zeros, so that the psk comes of ML-KEM's secret alone. */
export const MEMBER_KEY: Bytes = new Uint8Array(KEY_SIZE);

/** A spoken code as a client knows it. */
export interface CodeGuess {
  /** The number. */
  readonly number: number;
  /** The words, UTF-8. */
  readonly password: Bytes;
}
