/**
 * The unfinished handshakes: how many there may be, which gives way to a new one, and how long the next has to
 * wait.
 *
 * @module
 */

import { Pauses, type Source } from "./rate_limits.ts";

/** A handshake that has had this long, ms, gives way to a new one if no place is left. */
const FAIR_TIME = 1_000;

/** How many there may be of what. A network is an IPv4 address, or the 64 bits that IPv6 gives everybody. */
export interface HandshakeLimits {
  /** Unfinished ones at a time. */
  readonly max: number;
  /** Unfinished ones at a time from one network. */
  readonly maxPerNetwork: number;
  /** New ones from one network in ten minutes until pauses begin. */
  readonly newPerNetwork: number;
  /** Whether `newPerNetwork` holds for this machine itself, behind which a proxy may have many. */
  readonly countLoopback: boolean;
  /** Failed ones from one network in ten minutes until pauses begin. */
  readonly failedPerNetwork: number;
}

/** Why one is ended before it is done: it gives way to another, or its time is up. */
export type Interruption = "displaced" | "late";

/** One of them. */
export interface Unfinished {
  /** Where it comes from. */
  readonly network: string;
  /** How long it has to wait before it may begin, ms. */
  readonly pause: number;
  /** Ends its connection. */
  readonly stop: (why: Interruption) => void;
  /** When it came, ms. */
  readonly since: number;
  /** How much longer than a handshake it may take, ms. */
  extra: number;
}

/** All of them. */
export class Handshakes {
  readonly #limits: HandshakeLimits;
  readonly #now: () => number;
  readonly #all = new Set<Unfinished>(); // oldest first
  readonly #networks = new Map<string, Set<Unfinished>>(); // the same, by network
  readonly #begun: Pauses;
  readonly #failed: Pauses;

  /** None so far. @param now The time, ms. */
  constructor(limits: HandshakeLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
    this.#begun = new Pauses(limits.newPerNetwork, now);
    this.#failed = new Pauses(limits.failedPerNetwork, now);
  }

  /** How many there are. */
  get size(): number {
    return this.#all.size;
  }

  /**
   * One more, if there is a place, or an older one has had its time and gives way.
   * @param stop Ends its connection. @returns Undefined if there is no place.
   */
  begin(
    { network, isHere }: Source,
    stop: (why: Interruption) => void,
  ): Unfinished | undefined {
    const own = this.#networks.get(network) ?? new Set();
    const { max, maxPerNetwork, countLoopback } = this.#limits;
    const full = own.size >= maxPerNetwork
      ? own
      : this.#all.size >= max
      ? this.#all
      : undefined;
    if (full && !this.#makePlace(full)) return undefined;
    const pause = Math.max(this.#begun.of(network), this.#failed.of(network));
    const since = this.#now();
    const unfinished = { network, pause, stop, since, extra: 0 };
    if (countLoopback || !isHere) this.#begun.add(network);
    this.#all.add(unfinished);
    this.#networks.set(network, own.add(unfinished));
    return unfinished;
  }

  /** It has failed: the next ones from there wait the longer. */
  fail({ network }: Unfinished): void {
    this.#failed.add(network);
  }

  /** It has come to its end, whichever. Only the first call counts. */
  end(unfinished: Unfinished): void {
    this.#all.delete(unfinished);
    const own = this.#networks.get(unfinished.network);
    own?.delete(unfinished);
    if (own?.size === 0) this.#networks.delete(unfinished.network);
  }

  /**
   * To be called now and then: ends the connections of those that have had this time, ms, since their pause, and what
   * they may take longer.
   */
  expire(time: number): void {
    const now = this.#now();
    for (const { since, pause, extra, stop } of this.#all) {
      if (now - since - pause >= time + extra) stop("late");
    }
  }

  /** Ends the connections of all. */
  clear(): void {
    for (const { stop } of this.#all) stop("displaced");
  }

  // Who is honest is done long before its time is up, so that silence alone keeps nobody out.
  #makePlace(among: ReadonlySet<Unfinished>): boolean {
    const [oldest] = among;
    if (!oldest || this.#now() - oldest.since < FAIR_TIME) return false;
    this.end(oldest);
    oldest.stop("displaced");
    return true;
  }
}
