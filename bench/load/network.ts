/**
 * What the load needs of a network: many sockets, read by one loop.
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

/** How long, and how, `until` waits. */
export interface Patience {
  /** Milliseconds until it gives up. */
  readonly limit: number;
  /** Whether nothing but the sockets matters meanwhile: no task of this process gets a turn. */
  readonly alone?: boolean;
}

/** Sockets to one server. */
export interface Network {
  /** How the sockets are read, in a few words. */
  readonly kind: string;
  /** When bytes last arrived, on the clock of `performance.now()`. */
  readonly lastArrival: number;
  /** Opens a connection to a port of this machine. */
  connect(port: number, receiver: Receiver): Promise<Socket>;
  /** Serves the sockets until something holds. @throws {Error} if it takes longer than the limit. */
  until(done: () => boolean, patience: Patience): Promise<void>;
}

/** What `until` throws when its time is up. */
export function tooLong({ limit }: Patience): Error {
  return new Error(`Cannot go on: nothing came of it within ${limit} ms`);
}
