/**
 * The load's sockets where there is no `epoll`: Deno's own. It costs the load as much to receive as it costs the
 * server to send, so the load may be what is measured; its share of the CPU tells.
 *
 * @module
 */

import {
  type Network,
  type Patience,
  type Receiver,
  type Socket,
  tooLong,
} from "./network.ts";

/** What one connection reads at a time, bytes; thousands of them wait at once. */
const BUFFER_SIZE = 16_384;
/** How long one wait lasts, ms. */
const PAUSE = 20;

/** Many connections, a task for each. */
export class DenoNetwork implements Network {
  readonly kind = "Deno.connect";
  lastArrival = 0;
  #arrived = Promise.withResolvers<void>();

  async connect(port: number, receiver: Receiver): Promise<Socket> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.setNoDelay(true);
    this.#read(conn, receiver);
    return new DenoSocket(conn);
  }

  async until(done: () => boolean, patience: Patience): Promise<void> {
    const end = performance.now() + patience.limit;
    while (!done()) {
      if (performance.now() > end) throw tooLong(patience);
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, PAUSE);
      await Promise.race([this.#arrived.promise, promise]);
      clearTimeout(timer);
    }
  }

  /** The one task of a connection; it ends with it. */
  async #read(conn: Deno.TcpConn, receiver: Receiver): Promise<void> {
    const buffer = new Uint8Array(BUFFER_SIZE);
    try {
      for (let size; (size = await conn.read(buffer)) !== null;) {
        receiver.take(buffer.subarray(0, size));
        this.lastArrival = performance.now();
        this.#arrived.resolve();
        this.#arrived = Promise.withResolvers<void>();
      }
    } catch {
      // A reset is an end, too, and what was sent before it has been counted.
    }
    receiver.end();
  }
}

class DenoSocket implements Socket {
  readonly #conn: Deno.TcpConn;
  #sending: Promise<void> = Promise.resolve();

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  send(bytes: Uint8Array): void {
    this.#sending = this.#sending.then(async () => {
      for (let at = 0; at < bytes.length;) {
        at += await this.#conn.write(bytes.subarray(at));
      }
    });
    this.#sending.catch(() => {}); // the reader sees the same end, and says so
  }

  close(): void {
    try {
      this.#conn.close();
    } catch {
      // It has ended already.
    }
  }
}
