/**
 * The door: accepts connections, lets each do its handshake in a task of its own, and looks after those that
 * stand. Knows no rooms but to pass them on.
 *
 * @module
 */

import { acceptChannel, type AcceptOptions } from "../protocol/channel.ts";
import { ChannelRefusal, GoneError, refuse } from "../protocol/channel.ts";
import { HandshakeError } from "../../crypto_utils.ts";
import { Connection, type Rates } from "./connection.ts";
import type { FileRelay } from "./file_relay.ts";
import { diagnostics } from "./diagnostics.ts";
import type { Event } from "../protocol/events.ts";
import { type HandshakeLimits, Handshakes } from "./handshake_limits.ts";
import { isLoopback, networkOf, Tally } from "./rate_limits.ts";
import type { Measures } from "./measures.ts";
import type { Room } from "./room.ts";
import { WireError } from "../protocol/records.ts";
import { pause, within } from "../base/timing.ts";
import { Notify } from "../base/notify.ts";
import type { Ring } from "./ring.ts";

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
  readonly ring: Ring;
  /** What passes files on among members. */
  readonly relay: FileRelay;
  /** Connections at a time, finished handshakes or not; more wait in the kernel's queue. */
  readonly maxConnections: number;
  /** Connections at a time from one network: an IPv4 address, or the 64 bits that IPv6 gives everybody. */
  readonly maxPerNetwork: number;
  /** The same for this machine itself, behind which a proxy may have many. */
  readonly maxFromLoopback: number;
  /** Unfinished handshakes. */
  readonly handshakes: HandshakeLimits;
  /** A handshake that has had this long, ms, is ended within a second, however its bytes trickle in. */
  readonly handshakeTime: number;
  /** What each member may say. */
  readonly rates: Rates;
  /** What is counted. */
  readonly measures: Measures;
}

/**
 * How a handshake comes to nothing: "bad" is one that was understood, by the wrong key or version; "broken"
 * wasn't, or broke off; "late" took too long; "displaced" took long, and gave way to another; "empty" is a
 * connection that was closed before anything was said, and "looked" one that went when it knew our key.
 */
type Ending = "bad" | "broken" | "late" | "displaced" | "empty" | "looked";

/**
 * Those that bring pauses. Whoever only looks whether the port is open, once a minute for a year, is welcome, and
 * so is whoever asks a person about our key before coming with the passphrase.
 */
const COUNTING: ReadonlySet<Ending> = new Set(["bad", "broken", "late"]);

function endingOf(error: unknown): Ending {
  if (error instanceof HandshakeError) return "bad";
  if (!(error instanceof GoneError)) return "broken";
  return error.answered ? "looked" : "empty";
}

const logger = diagnostics("gate");

/** Listens, and serves whoever comes. */
export class Gate {
  readonly #listener: Deno.TcpListener;
  readonly #options: GateOptions;
  readonly #connections = new Set<Connection>();
  #serving = 0; // connections, finished handshakes or not
  readonly #open = new Tally(); // connections by network
  readonly #handshakes: Handshakes;
  #sentBefore = 0; // bytes written to connections that have ended
  readonly #left = new Notify(); // whenever a connection ends, and at the stop
  #stopping = false;
  #failedAt: number | undefined; // when accepting last failed, until it has been well for a while

  /** A gate at an open listener, which it closes in the end. */
  constructor(listener: Deno.TcpListener, options: GateOptions) {
    this.#listener = listener;
    this.#options = options;
    this.#handshakes = new Handshakes(
      options.handshakes,
      () => performance.now(),
    );
  }

  /** Accepts and serves until `stop`. */
  async run(): Promise<void> {
    const ticking = setInterval(() => this.#tick(), TICK);
    while (!this.#stopping) {
      const { maxConnections } = this.#options;
      if (this.#serving >= maxConnections) {
        logger.warn("All places are taken ({maxConnections} connections)", {
          maxConnections,
        });
        await this.#left.wait();
        continue;
      }
      try {
        // Counted rather than kept: a promise for each costs memory. It never fails.
        this.#serve(await this.#listener.accept());
      } catch (error) {
        if (this.#stopping) break;
        this.#sayFailing(error);
        await pause(ACCEPT_PAUSE);
      }
    }
    await this.#endAll();
    clearInterval(ticking);
  }

  /** Connections, finished handshakes or not. */
  get connections(): number {
    return this.#serving;
  }

  /** Unfinished handshakes. */
  get handshakes(): number {
    return this.#handshakes.size;
  }

  /** Bytes written since the start, after handshakes. */
  get sentBytes(): number {
    let sent = this.#sentBefore;
    for (const { outlet } of this.#connections) sent += outlet.moved;
    return sent;
  }

  /** Tells everybody who is in. */
  tellAll(event: Event): void {
    for (const connection of this.#connections) connection.tell(event);
  }

  /** Ends `run`: nobody else comes in, and whoever is in is told. */
  stop(): void {
    this.#stopping = true;
    this.#listener.close();
    this.#left.notify();
  }

  /** Says it once for all attempts, between which a single descriptor may come free and be taken again. */
  #sayFailing(error: unknown): void {
    if (this.#failedAt === undefined) {
      const why = String(error);
      logger.warn("Cannot accept a connection: {why}", { why });
    }
    this.#failedAt = performance.now();
  }

  #tick(): void {
    this.#sayRecovered();
    for (const connection of this.#connections) connection.tick();
    this.#handshakes.expire(this.#options.handshakeTime); // a timer for each would take 2 KiB of each stranger's
    this.#options.relay.tick();
  }

  #sayRecovered(): void {
    if (this.#failedAt === undefined) return;
    if (performance.now() - this.#failedAt < TICK) return;
    this.#failedAt = undefined;
    logger.info("Accepting connections again");
  }

  async #endAll(): Promise<void> {
    this.#handshakes.clear();
    for (const connection of this.#connections) connection.dismiss("stopped");
    await within(STOP_TIME, this.#empty());
  }

  async #empty(): Promise<void> {
    while (this.#serving > 0) await this.#left.wait();
  }

  /** One connection's life. Whatever happens in it ends with it. */
  async #serve(conn: Deno.TcpConn): Promise<void> {
    const address = conn.remoteAddr.hostname;
    const network = networkOf(address);
    let connection: Connection | undefined;
    this.#open.add(network);
    this.#serving++;
    try {
      conn.setNoDelay(true);
      connection = await this.#shakeHands(conn, address, network);
      if (!connection) return;
      this.#connections.add(connection);
      if (this.#stopping) connection.dismiss("stopped");
      const reason = await connection.run();
      this.#options.measures.departures.add(1, reason);
    } catch (error) {
      this.#report(address, error);
    } finally {
      if (connection) {
        this.#connections.delete(connection);
        this.#sentBefore += connection.outlet.moved;
      }
      this.#open.remove(network);
      close(conn);
      this.#serving--;
      this.#left.notify();
    }
  }

  async #shakeHands(
    conn: Deno.TcpConn,
    address: string,
    network: string,
  ): Promise<Connection | undefined> {
    const { maxPerNetwork, maxFromLoopback } = this.#options;
    const most = isLoopback(address) ? maxFromLoopback : maxPerNetwork;
    if (this.#open.of(network) > most) {
      await this.#turnAway(conn, address, "connections");
      return undefined;
    }
    let end: Ending | undefined;
    const unfinished = this.#handshakes.begin(address, (why) => {
      end ??= why;
      close(conn);
    });
    if (!unfinished) {
      await this.#turnAway(conn, address, "handshakes");
      return undefined;
    }
    const { handshake, measures } = this.#options;
    try {
      const wait = unfinished.pause;
      if (wait > 0) {
        logger.warn("{address}: waits {pause} ms", { address, pause: wait });
      }
      await pause(wait);
      const channel = await acceptChannel(conn, handshake);
      return Connection.create(conn, channel, this.#options);
    } catch (error) {
      const reason = end ?? endingOf(error);
      if (COUNTING.has(reason)) this.#handshakes.fail(unfinished);
      measures.handshakesRefused.add(1, reason);
      if (reason === "bad") await linger(conn);
      if (reason === "late") throw new WireError("No handshake came in time");
      throw error;
    } finally {
      this.#handshakes.end(unfinished);
    }
  }

  async #turnAway(
    conn: Deno.TcpConn,
    address: string,
    surplus: string,
  ): Promise<void> {
    this.#options.measures.handshakesRefused.add(1, surplus);
    logger.warn("{address}: too many {surplus}", { address, surplus });
    await refuse(conn, ChannelRefusal.busy);
  }

  #report(address: string, error: unknown): void {
    const known = error instanceof HandshakeError ||
      error instanceof WireError && !(error instanceof GoneError);
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
