/**
 * One attempt to reach a server, from dialling to the end of the handshake, and the pauses between attempts.
 *
 * @module
 */

import type { Channel } from "../protocol/channel.ts";
import type { Stream } from "../protocol/record_reader.ts";
import { connectChannel, type ConnectOptions } from "../protocol/handshake.ts";

/** How long dialling and the handshake may take, ms. */
export const TIME = 12_000;
/** The same where another server is tried next. */
const SHORT_TIME = 4_000;
/** The first pause before coming back, and the longest, ms; each is a random half to whole of itself. */
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;

/**
 * A secured connection, or undefined if it is given up.
 * @param dial Opens a connection. @param enough Resolves when it is to be given up.
 * @param goesOn Whether another server is tried next.
 * @throws as `dial` and `connectChannel`, and if that takes too long.
 */
export async function reach(
  dial: () => Promise<Stream>,
  handshake: ConnectOptions,
  enough: Promise<void>,
  goesOn: boolean,
): Promise<Channel | undefined> {
  let stream: Stream | undefined;
  let channel: Channel | undefined;
  let isGivenUp = false;
  const connecting = (async () => {
    stream = await dial();
    if (isGivenUp) return void stream.close();
    return await connectChannel(stream, handshake);
  })();
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    timeout.reject(new Error("no answer from the server"));
  }, goesOn ? SHORT_TIME : TIME);
  try {
    channel = await Promise.race([connecting, timeout.promise, enough]) ??
      undefined;
    return channel;
  } finally {
    clearTimeout(timer);
    isGivenUp = channel === undefined;
    if (isGivenUp) stream?.close();
  }
}

/**
 * How long to wait before the next attempt, ms: doubles with each, up to half a minute; half of it is random,
 * so that clients don't come at once.
 * @param attempt How many pauses there were since the last good one.
 */
export function nextPause(attempt: number): number {
  const whole = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** attempt);
  return whole * (1 + Math.random()) / 2;
}
