/**
 * An epoch's secrets as an event's fields, and back.
 *
 * @module
 */

import { type Bytes, fromBase64url, toBase64url } from "../../crypto_utils.ts";
import type { Fields } from "./events.ts";
import { type Epoch, EpochReader } from "../crypto/epoch.ts";

/** What a reader of the epoch must be told; only over its own channel. */
export function epochFields(epoch: Epoch): Fields<"epoch"> {
  const { number, counter, key, verifyKey } = epoch.describe();
  return {
    number,
    counter,
    key: toBase64url(key),
    verifyKey: toBase64url(verifyKey),
  };
}

/**
 * What reads the epoch.
 * @param serverKey The server's static public key as the handshake proved it, 32 bytes.
 * @throws {SyntaxError} | {RangeError} for keys that can't be.
 */
export async function epochReader(
  serverKey: Bytes,
  { number, counter, key, verifyKey }: Fields<"epoch">,
): Promise<EpochReader> {
  return await EpochReader.create(serverKey, {
    number,
    counter,
    key: fromBase64url(key),
    verifyKey: fromBase64url(verifyKey),
  });
}
