/**
 * Ending a connection so that what was written last is heard.
 *
 * @module
 */

import type { Stream } from "../protocol/record_reader.ts";

/** How long a peer has to take what was written last, ms. */
const LINGER_TIME = 1_000;

/** A stream of which this side can be ended alone. */
export interface HalfClosable extends Stream {
  /** Ends what this side writes; what the other side writes can still be read. */
  closeWrite(): Promise<void>;
}

/**
 * Ends what this side writes, and reads what the peer had sent ahead, for a moment: closing on unread bytes would
 * reset the connection, and what was written last with it.
 */
export async function linger(stream: HalfClosable): Promise<void> {
  const timer = setTimeout(() => close(stream), LINGER_TIME);
  try {
    await stream.closeWrite();
    const discarded = new Uint8Array(512);
    while (await stream.read(discarded) !== null) {
      /* until the peer closes */
    }
  } catch {
    // The peer went without waiting for it, or took too long over it.
  } finally {
    clearTimeout(timer);
  }
}

/** Closes a stream, or what accepts them, if it isn't closed already. */
export function close(stream: Pick<Stream, "close">): void {
  try {
    stream.close();
  } catch {
    // Closed already.
  }
}
