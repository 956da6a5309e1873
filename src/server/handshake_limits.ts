/**
 * The unfinished handshakes: how many there may be, which gives way to a new one, and how long the next has to
 * wait. Its time runs only while its peer is waited for:
 *
 *     begin ──▶ waited for ── work ──▶ the server's turn, however long ──▶ waited for, anew ── … ──▶ end
 *                   └── its time is up, or it has had some and there is no place: stopped
 *
 * @module
 */

import { Pauses, type Source } from "./rate_limits.ts";

/** A handshake whose peer was waited for this long, ms, gives way to a new one if no place is left. */
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
  /** Why it has to: there came too many from there, or too many failed. */
  readonly cause: "new" | "failed";
  /** Ends its connection. */
  readonly stop: (why: Interruption) => void;
  /** Since when its peer is waited for, ms: since it came, or since the server last did something for it. */
  since: number;
  /** How much longer than a handshake's time its peer may be waited for, ms: its pause at first. */
  extra: number;
}

/** Some of them. */
class Places {
  /** All. */
  readonly all = new Set<Unfinished>();
  /** Those whose peers are waited for, the longest first. */
  readonly waiting = new Set<Unfinished>();
}

/** All of them. */
export class Handshakes {
  readonly #limits: HandshakeLimits;
  readonly #now: () => number;
  readonly #places = new Places();
  readonly #networks = new Map<string, Places>(); // the same, by network
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
    return this.#places.all.size;
  }

  /**
   * One more, if there is a place, or one gives way whose peer has had its time.
   * @param stop Ends its connection. @returns Undefined if there is no place.
   */
  begin(
    { network, isHere }: Source,
    stop: (why: Interruption) => void,
  ): Unfinished | undefined {
    const own = this.#networks.get(network) ?? new Places();
    const { max, maxPerNetwork, countLoopback } = this.#limits;
    const full = own.all.size >= maxPerNetwork
      ? own
      : this.size >= max
      ? this.#places
      : undefined;
    if (full && !this.#makePlace(full)) return undefined;
    const failed = this.#failed.of(network);
    const pause = Math.max(this.#begun.of(network), failed);
    const cause = pause > failed ? "new" : "failed";
    const since = this.#now();
    const unfinished = {
      network,
      pause,
      cause,
      stop,
      since,
      extra: pause,
    } as const;
    if (countLoopback || !isHere) this.#begun.add(network);
    this.#networks.set(network, own);
    for (const places of [this.#places, own]) {
      places.all.add(unfinished);
      places.waiting.add(unfinished);
    }
    return unfinished;
  }

  /** It has failed: the next ones from there wait the longer. */
  fail({ network }: Unfinished): void {
    this.#failed.add(network);
  }

  /**
   * Does the server's part of it, which its peer has to wait for, perhaps for its turn: that is no fault of the peer's.
   * @returns What the task does. @throws what it throws.
   */
  async work<T>(unfinished: Unfinished, task: () => Promise<T>): Promise<T> {
    const both = this.#placesOf(unfinished);
    for (const { waiting } of both) waiting.delete(unfinished);
    try {
      return await task();
    } finally {
      unfinished.since = this.#now();
      unfinished.extra = 0;
      for (const { all, waiting } of both) {
        if (all.has(unfinished)) waiting.add(unfinished);
      }
    }
  }

  /** It has come to its end, whichever. Only the first call counts. */
  end(unfinished: Unfinished): void {
    for (const { all, waiting } of this.#placesOf(unfinished)) {
      all.delete(unfinished);
      waiting.delete(unfinished);
    }
    const { network } = unfinished;
    if (this.#networks.get(network)?.all.size === 0) {
      this.#networks.delete(network);
    }
  }

  #placesOf({ network }: Unfinished): readonly Places[] {
    const own = this.#networks.get(network);
    return own ? [this.#places, own] : [this.#places];
  }

  /** Whether there are some that `expire` would end. */
  hasLate(time: number): boolean {
    return this.#late(time).length > 0;
  }

  /** To be called now and then: ends the connections of those whose peers were waited for this time, ms, and their extra. */
  expire(time: number): void {
    for (const { stop } of this.#late(time)) stop("late");
  }

  #late(time: number): readonly Unfinished[] {
    const now = this.#now();
    return [...this.#places.waiting].filter(({ since, extra }) =>
      now - since >= time + extra
    );
  }

  /** Ends the connections of all. */
  clear(): void {
    for (const { stop } of this.#places.all) stop("displaced");
  }

  // Who is honest is done long before its time is up, so that silence alone keeps nobody out.
  #makePlace({ waiting: [oldest] }: Places): boolean {
    if (!oldest || this.#now() - oldest.since < FAIR_TIME) return false;
    this.end(oldest);
    oldest.stop("displaced");
    return true;
  }
}
