/**
 * The door: accepts connections, lets each do its handshake in a task of its own, and looks after those that
 * stand. Knows no rooms but to pass them on.
 *
 * @module
 */

import { acceptChannel, type AcceptOptions } from "./channel.ts";
import { ChannelRefusal, refuse } from "./channel.ts";
import { DecryptionError, HandshakeError } from "../crypto_utils.ts";
import type { BroadcastLog } from "./broadcast_log.ts";
import { Connection } from "./connection.ts";
import { diagnostics } from "./diagnostics.ts";
import type { Room } from "./room.ts";
import { WireError } from "./wire.ts";

/** A handshake takes no longer than this, ms, however its bytes trickle in. */
const HANDSHAKE_TIME = 10_000;
/** Unfinished handshakes from one address. */
const MAX_HANDSHAKES_PER_ADDRESS = 64;
/** How long nothing is accepted after accepting failed, as it does without descriptors, ms. */
const ACCEPT_PAUSE = 250;
/** The pause between two looks at all connections, ms. */
const TICK = 1_000;
/** How long a refused peer has to take its refusal, ms. */
const LINGER_TIME = 1_000;
/** How long members have to hear that the server stops, ms. */
const STOP_TIME = 1_500;

/** What a gate leads to. */
export interface GateOptions {
  /** The server's keys, and the invites'. */
  readonly handshake: AcceptOptions;
  /** Where those go who have shaken hands. */
  readonly room: Room;
  /** What the room says to everybody. */
  readonly broadcastLog: BroadcastLog;
  /** Connections at a time, finished handshakes or not; more wait in the kernel's queue. */
  readonly maxConnections: number;
}

const logger = diagnostics("gate");

/** Listens, and serves whoever comes. */
export class Gate {
  readonly #listener: Deno.TcpListener;
  readonly #options: GateOptions;
  readonly #connections = new Set<Connection>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #handshakes = new Map<string, number>(); // unfinished ones by address
  #left = Promise.withResolvers<void>(); // renewed whenever a connection ends
  #stopping = false;

  /** A gate at an open listener, which it closes in the end. */
  constructor(listener: Deno.TcpListener, options: GateOptions) {
    this.#listener = listener;
    this.#options = options;
  }

  /** Accepts and serves until `stop`. */
  async run(): Promise<void> {
    const ticking = setInterval(() => this.#tick(), TICK);
    while (!this.#stopping) {
      if (this.#tasks.size >= this.#options.maxConnections) {
        await this.#left.promise;
        continue;
      }
      try {
        this.#start(await this.#listener.accept());
      } catch (error) {
        if (this.#stopping) break;
        logger.warn("Cannot accept a connection: {why}", {
          why: String(error),
        });
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE));
      }
    }
    await this.#endAll();
    clearInterval(ticking);
  }

  /** Ends `run`: nobody else comes in, and whoever is in is told. */
  stop(): void {
    this.#stopping = true;
    this.#listener.close();
    this.#left.resolve();
  }

  #tick(): void {
    for (const connection of this.#connections) connection.tick();
  }

  async #endAll(): Promise<void> {
    for (const connection of this.#connections) connection.dismiss("stopped");
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, STOP_TIME);
    await Promise.race([Promise.all(this.#tasks), promise]);
    clearTimeout(timer);
  }

  #start(conn: Deno.TcpConn): void {
    const task = this.#serve(conn).finally(() => {
      this.#tasks.delete(task);
      this.#left.resolve();
      this.#left = Promise.withResolvers<void>();
    });
    this.#tasks.add(task);
  }

  /** One connection's life. Whatever happens in it ends with it. */
  async #serve(conn: Deno.TcpConn): Promise<void> {
    const address = conn.remoteAddr.hostname;
    let connection: Connection | undefined;
    try {
      conn.setNoDelay(true);
      connection = await this.#shakeHands(conn, address);
      if (!connection) return;
      this.#connections.add(connection);
      if (this.#stopping) connection.dismiss("stopped");
      await connection.run();
    } catch (error) {
      this.#report(address, error);
    } finally {
      if (connection) this.#connections.delete(connection);
      close(conn);
    }
  }

  async #shakeHands(
    conn: Deno.TcpConn,
    address: string,
  ): Promise<Connection | undefined> {
    const others = this.#handshakes.get(address) ?? 0;
    if (others >= MAX_HANDSHAKES_PER_ADDRESS) {
      await refuse(conn, ChannelRefusal.busy);
      return undefined;
    }
    this.#handshakes.set(address, others + 1);
    const deadline = setTimeout(() => close(conn), HANDSHAKE_TIME);
    try {
      const { handshake, room, broadcastLog } = this.#options;
      const channel = await acceptChannel(conn, handshake);
      return await Connection.create(conn, channel, room, broadcastLog);
    } catch (error) {
      if (error instanceof HandshakeError) await linger(conn);
      throw error;
    } finally {
      clearTimeout(deadline);
      const left = (this.#handshakes.get(address) ?? 1) - 1;
      if (left > 0) this.#handshakes.set(address, left);
      else this.#handshakes.delete(address);
    }
  }

  #report(address: string, error: unknown): void {
    const known = error instanceof HandshakeError ||
      error instanceof WireError || error instanceof DecryptionError;
    const why = error instanceof Error ? error.message : String(error);
    const properties = { address, why };
    if (known) logger.warn("{address}: {why}", properties);
    else logger.debug("{address}: {why}", properties);
  }
}

/**
 * Reads what a refused peer had sent ahead, for a moment: closing on unread bytes would reset the
 * connection, and the refusal with it.
 */
async function linger(conn: Deno.TcpConn): Promise<void> {
  const timer = setTimeout(() => close(conn), LINGER_TIME);
  try {
    await conn.closeWrite();
    const discarded = new Uint8Array(512);
    while (await conn.read(discarded) !== null) { /* until the peer closes */ }
  } catch {
    // The peer went without waiting for its refusal, or took too long over it.
  } finally {
    clearTimeout(timer);
  }
}

function close(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // It is closed already, by whoever saw its end first.
  }
}
