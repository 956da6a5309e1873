/**
 * One of the load's connections, whatever is spoken over it.
 *
 * @module
 */

/** Takes what arrives on one socket. */
export interface Receiver {
  /** The next bytes; their memory is used again as soon as this returns. */
  take(bytes: Uint8Array<ArrayBuffer>): void;
  /** The connection has ended. */
  end(): void;
}

/** One connection. */
export interface Socket {
  /** Sends all of it. @throws {Error} if the other side doesn't take it. */
  send(bytes: Uint8Array<ArrayBuffer>): void;
  /** Ends the connection. */
  close(): void;
}
