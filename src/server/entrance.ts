/**
 * What a port is: how those who come by it are received, up to the handshake, which is the same for all.
 *
 * @module
 */

import { HandshakeRefusal } from "../protocol/reasons.ts";
import { refuse } from "../protocol/handshake.ts";
import type { HalfClosable } from "./linger.ts";

/** A connection, by whichever port it came. */
export type Peer = Pick<
  Deno.Conn<Deno.NetAddr>,
  "read" | "write" | "closeWrite" | "close" | "remoteAddr"
>;

/** What somebody came for who doesn't want to shake hands. */
export interface Errand {
  /** How long it may take, ms; until it is done it has a place among the unfinished handshakes. */
  readonly time: number;
  /** Does it, after which the connection is closed. */
  run(): Promise<void>;
}

/** How those are received who come by one port. */
export interface Entrance {
  /** Says that there is no place, to somebody who has said nothing yet. */
  turnAway(peer: Peer): Promise<void>;
  /**
   * What is before the handshake.
   * @returns The stream for it, or what the peer came for instead.
   * @throws for a peer that knows neither.
   */
  open(peer: Peer): Promise<HalfClosable | Errand>;
}

/**
 * Has the system send what is written at once. Otherwise a short record waits for the peer to acknowledge the one before,
 * which may take 40 ms (Nagle's algorithm, RFC 9293 section 3.7.4). Deno can't set that over TLS.
 */
export function sendAtOnce(peer: Peer): void {
  if ("setNoDelay" in peer) (peer as Deno.TcpConn).setNoDelay(true);
}

/** The port of the chat itself: the handshake comes first. */
export const DIRECT: Entrance = {
  turnAway: (peer) => refuse(peer, HandshakeRefusal.busy),
  open: (peer) => {
    sendAtOnce(peer);
    return Promise.resolve(peer);
  },
};
