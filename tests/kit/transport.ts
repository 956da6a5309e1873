/**
 * What a finished handshake leaves, ready to seal and open.
 *
 * @module
 */

import { CipherState } from "../../crypto_utils.ts";
import type { Handshake } from "../../src/crypto/noise.ts";

/** One cipher state for each direction. */
export interface Transport {
  readonly send: CipherState;
  readonly receive: CipherState;
}

/** Makes cipher states of a handshake's keys. */
export async function transportOf(handshake: Handshake): Promise<Transport> {
  const { send, receive } = handshake.split();
  return {
    send: await CipherState.create(send),
    receive: await CipherState.create(receive),
  };
}
