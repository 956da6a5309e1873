/**
 * The door: who may come in, how many at a time, and whether those who are in still live. Knows no rooms but to
 * pass them on.
 *
 *     enter ──▶ from where ──▶ handshake, in its turn ──▶ a connection that stands ──▶ leave
 *                                  └── too many, too late, a wrong key: refused ─────────┘
 *
 * @module
 */

import { messageOf } from "../base/error_reason.ts";
import { Limiter } from "../base/limiter.ts";
import { pause, within } from "../base/timing.ts";
import { type Bytes, HandshakeError } from "../../crypto_utils.ts";
import { Notify } from "../base/notify.ts";
import { WireError } from "../protocol/records.ts";
import { Connection, type ConnectionOptions } from "./connection.ts";
import { diagnostics } from "./diagnostics.ts";
import { DIRECT, type Entrance, type Errand, type Peer } from "./entrance.ts";
import { Handshakes } from "./handshake_limits.ts";
import { Responders } from "./handshakes/responders.ts";
import { close, type HalfClosable, linger } from "./linger.ts";
import type { Limits } from "./limits.ts";
import type { Measures } from "./measures.ts";
import { allServed, nextTurn } from "./next_turn.ts";
import type { Proxies } from "./proxies.ts";
import { type Source, sourceAt, Tally } from "./rate_limits.ts";
import { GoneError } from "../protocol/record_reader.ts";
import { acceptChannel, type AcceptOptions } from "../protocol/handshake.ts";

/** The pause between two looks at all connections, ms. */
const TICK = 1_000;
/**
 * Handshakes that begin after a pause, or end badly, in one turn of the event loop: hundreds come at once in a flood, and
 * members have their turns between.
 */
const STEPS_A_TURN = 16;
/** How long members have to hear that the server stops, ms. */
const STOP_TIME = 1_500;

/** What a gate leads to. */
export interface GateOptions extends ConnectionOptions {
  /** The server's static private key, 32 bytes; each copy is wiped. */
  readonly privateKey: () => Bytes;
  /** How many of what. */
  readonly limits: Limits;
  /** The proxies that say whom they pass on. Default: there are none. */
  readonly proxies?: Proxies | undefined;
  /** What is counted. */
  readonly measures: Measures;
}

/** For the proxies' headers, which nobody waits for: as many from one of them as from all. */
const UNPAUSED = {
  newPerNetwork: Number.MAX_SAFE_INTEGER,
  failedPerNetwork: Number.MAX_SAFE_INTEGER,
  countLoopback: false,
};

/**
 * How a handshake comes to nothing: "bad" is one that was understood, by the wrong key or version; "broken"
 * wasn't, or broke off; "late" took too long; "displaced" took long, and gave way to another; "empty" is a
 * connection that was closed before anything was said, and "looked" one that went when it knew our key.
 */
type Ending = "bad" | "broken" | "late" | "displaced" | "empty" | "looked";

/** Those that bring pauses. A monitor that only looks whether the port is open is welcome. */
const COUNTING: ReadonlySet<Ending> = new Set(["bad", "broken", "late"]);

function endingOf(error: unknown): Ending {
  if (error instanceof HandshakeError) return "bad";
  if (!(error instanceof GoneError)) return "broken";
  return error.answered ? "looked" : "empty";
}

const logger = diagnostics("gate");

/** The door, and all who are through it. */
export class Gate {
  readonly #options: GateOptions;
  readonly #responders: Responders;
  readonly #steps = new Limiter(STEPS_A_TURN);
  readonly #handshake: AcceptOptions;
  readonly #connections = new Set<Connection>();
  readonly #open = new Tally(); // connections by network
  readonly #handshakes: Handshakes;
  readonly #headers: Handshakes; // of proxies, as far as they haven't come
  readonly #ticking: ReturnType<typeof setInterval>;
  readonly #left = new Notify(); // whenever a connection ends, and at the end
  #count = 0; // connections, finished handshakes or not
  #sentBefore = 0; // bytes written to connections that have ended
  #closing = false;
  #isJudging = false; // whether some wait for that

  /** Open until `close`. */
  constructor(options: GateOptions) {
    this.#options = options;
    const { privateKey, people: { access } } = options;
    const now = () => performance.now();
    this.#responders = new Responders({ privateKey, now });
    this.#handshake = {
      responder: this.#responders,
      inviteKey: (id) => access.inviteKey(id),
      code: (number) => access.openCode(number),
      turnedAway: (invite, key) => access.turnedAway(invite, key),
    };
    const { handshakes } = options.limits;
    this.#handshakes = new Handshakes(handshakes, now);
    const { max } = handshakes;
    this.#headers = new Handshakes(
      { max, maxPerNetwork: max, ...UNPAUSED },
      now,
    );
    this.#ticking = setInterval(() => this.#tick(), TICK);
  }

  /** Connections, finished handshakes or not. */
  get connections(): number {
    return this.#count;
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

  /**
   * Resolves when there is a place for another connection, and when the gate closes. With two ports, both may be told of
   * the last one, and one connection too many comes in.
   */
  async place(): Promise<void> {
    const { maxConnections } = this.#options.limits;
    while (this.#count >= maxConnections && !this.#closing) {
      logger.warn(
        "All places are taken ({maxConnections} connections): others wait until somebody goes. --max-connections gives more",
        { maxConnections },
      );
      await this.#left.wait();
    }
  }

  /** Serves a client from its first byte to its last. Whatever goes wrong ends with it, and nobody else notices. */
  async serve(conn: Peer, entrance = DIRECT): Promise<void> {
    const { proxies } = this.#options;
    const { hostname } = conn.remoteAddr;
    let source: Source | undefined;
    let connection: Connection | undefined;
    let isIn = false;
    this.#count++;
    try {
      source = proxies?.has(hostname)
        ? await this.#sourceBy(proxies, conn)
        : sourceAt(hostname);
      this.#open.add(source.network);
      const welcome = await this.#shakeHands(conn, source, entrance);
      isIn = true;
      if (welcome instanceof Connection) connection = welcome;
      await welcome?.run();
    } catch (error) {
      report(source?.address ?? hostname, error, isIn);
    } finally {
      this.#leave(conn, source, connection);
    }
  }

  /** One that has come goes, and is closed. @param connection As far as it got. */
  #leave(
    conn: Peer,
    source: Source | undefined,
    connection: Connection | undefined,
  ): void {
    if (connection) {
      this.#connections.delete(connection);
      this.#sentBefore += connection.outlet.moved;
      this.#options.measures.departures.add(1, connection.ended ?? "lost");
    }
    close(conn);
    if (source) this.#open.remove(source.network);
    this.#count--;
    this.#left.notify();
  }

  /** Whom a proxy passes on. @throws for a proxy that doesn't say it, or too late. */
  async #sourceBy(proxies: Proxies, conn: Peer): Promise<Source> {
    const { hostname } = conn.remoteAddr;
    let end: Ending | undefined;
    const header = this.#headers.begin(sourceAt(hostname), (why) => {
      end ??= why;
      close(conn);
    });
    if (!header) {
      throw new WireError("Too many come whom the proxy doesn't name");
    }
    try {
      return await proxies.sourceOf(conn, hostname);
    } catch (error) {
      const reason = end ?? endingOf(error);
      this.#options.measures.handshakesRefused.add(1, reason);
      if (reason === "late") {
        throw new WireError("The proxy said nothing in time");
      }
      throw error;
    } finally {
      this.#headers.end(header);
    }
  }

  /**
   * Shakes hands over a new connection.
   * @returns The connection, or what its peer came for instead; undefined if there is no place for it.
   * @throws for a handshake that fails, or comes too late.
   */
  async #shakeHands(
    conn: Peer,
    source: Source,
    entrance: Entrance,
  ): Promise<Connection | Errand | undefined> {
    if (this.#closing) return undefined; // accepted as the server stopped
    const { address, network, isHere } = source;
    const { limits, measures } = this.#options;
    const most = isHere ? limits.maxFromLoopback : limits.maxPerNetwork;
    if (this.#open.of(network) > most) {
      await this.#turnAway(conn, source, entrance, "connections");
      return undefined;
    }
    let end: Ending | undefined;
    const unfinished = this.#handshakes.begin(source, (why) => {
      end ??= why;
      close(conn);
    });
    if (!unfinished) {
      await this.#turnAway(conn, source, entrance, "handshakes");
      return undefined;
    }
    let stream: HalfClosable = conn;
    let isErrand = false;
    try {
      const wait = unfinished.pause;
      if (wait > 0) {
        logger.warn(WAITS[unfinished.cause], { address, pause: wait });
        await pause(wait);
        await this.#steps.run(nextTurn);
      }
      const opened = await entrance.open(conn);
      if ("run" in opened) {
        isErrand = true;
        const { time } = opened;
        unfinished.extra += time;
        const ends = () => this.#handshakes.end(unfinished);
        return { time, run: () => opened.run().finally(ends) };
      }
      stream = opened;
      const channel = await acceptChannel(stream, {
        ...this.#handshake,
        work: (task) => this.#handshakes.work(unfinished, task),
      });
      const connection = new Connection(stream, channel, this.#options);
      this.#connections.add(connection);
      if (this.#closing) connection.dismiss("stopped");
      return connection;
    } catch (error) {
      const reason = end ?? endingOf(error);
      if (COUNTING.has(reason)) this.#handshakes.fail(unfinished);
      measures.handshakesRefused.add(1, reason);
      await this.#steps.run(nextTurn);
      if (reason === "bad") await linger(stream);
      if (reason === "late") throw new WireError("No handshake came in time");
      throw error;
    } finally {
      if (!isErrand) this.#handshakes.end(unfinished);
    }
  }

  async #turnAway(
    conn: Peer,
    { address }: Source,
    entrance: Entrance,
    surplus: keyof typeof TURNED_AWAY,
  ): Promise<void> {
    this.#options.measures.handshakesRefused.add(1, surplus);
    logger.warn(TURNED_AWAY[surplus], { address });
    await entrance.turnAway(conn);
  }

  /** Ends all handshakes, tells everybody who is in that the server stops, and waits a moment for them to hear it. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#left.notify();
    this.#headers.clear();
    this.#handshakes.clear();
    for (const connection of this.#connections) connection.dismiss("stopped");
    await within(STOP_TIME, this.#empty());
    this.#responders.close();
    clearInterval(this.#ticking);
  }

  async #empty(): Promise<void> {
    while (this.#count > 0) await this.#left.wait();
  }

  /**
   * Ends handshakes that are late, and connections that show no life, once it is sure that this is no fault of the
   * server's, whose reading and writing may be behind.
   */
  async #judge(doubtful: readonly Connection[]): Promise<void> {
    const { handshakeTime } = this.#options.limits;
    const kinds = [this.#headers, this.#handshakes]; // a timer for each would take 2 KiB of each stranger's
    const isLate = kinds.some((it) => it.hasLate(handshakeTime));
    if (this.#isJudging || doubtful.length === 0 && !isLate) return;
    this.#isJudging = true;
    await allServed(this.#count);
    this.#isJudging = false;
    for (const it of doubtful) it.judge();
    for (const it of kinds) it.expire(handshakeTime);
  }

  #tick(): void {
    const doubtful = [...this.#connections].filter((it) => it.tick());
    this.#judge(doubtful); // which never rejects
    this.#responders.tick();
    this.#options.relay.tick();
    const { room, people, mailbox } = this.#options;
    const due = mailbox.due(people.now());
    if (due !== undefined) room.got(due, 0);
    people.journal.look();
  }
}

/** What is said of one that has to wait, by why it has to. */
const WAITS = {
  new:
    "{address}: comes too often, and waits {pause} ms. If many share that address, raise --new-per-address",
  failed:
    "{address}: failed too often, and waits {pause} ms. If many share that address, raise --failed-per-address",
};

/** What is said of one for whom there is no place, by what there are too many of. */
const TURNED_AWAY = {
  connections:
    "{address}: turned away: too many connections from there. If many share that address, raise --max-per-address",
  handshakes:
    "{address}: turned away: too many handshakes are under way. If many come at a time, raise --max-handshakes-per-address and --max-handshakes",
};

/** Says what went wrong with one that has come, as far as its owner is not used to it. */
function report(address: string, error: unknown, isIn: boolean): void {
  const known = error instanceof HandshakeError ||
    error instanceof WireError && !(error instanceof GoneError);
  const why = messageOf(error).replace(/^Cannot let the client in: /, "");
  const properties = { address, why };
  const words = isIn ? "{address}: {why}" : "{address}: not let in: {why}";
  if (known) logger.warn(words, properties);
  else logger.debug("{address}: {why}", properties);
}
