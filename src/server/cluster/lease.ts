/**
 * Which servers of the room live: each says so once a second, and one that is unheard for the time of its lease is gone.
 *
 * @module
 */

import type { Siblings } from "./siblings.ts";

/** The pause between two signs of life, ms. */
const PERIOD = 1_000;
/** How long a server may be unheard, ms. */
const LEASE = 5_000;
/** A look that comes so much later than it should, ms, tells that this process stood still: it can't say who was silent. */
const STANDSTILL = 2_000;

/** What a lease needs to know. */
export interface LeaseOptions {
  /** How others are told. */
  readonly siblings: Siblings;
  /** The other servers that are in the room. */
  readonly others: () => Iterable<string>;
  /** Whether this server is in the room, and can be heard. */
  readonly isIn: () => boolean;
  /** Whether it has carried out all that has come, so that it knows which servers are in the room. */
  readonly isCurrent: () => boolean;
  /** A server is silent, or has said that it stops; called again each second while it is in the room. @param reason A key of `GOODBYES`. */
  readonly silent: (server: string, reason: "lost" | "stopped") => void;
}

/** The leases of all servers, as one of them sees them. */
export class Leases implements Disposable {
  readonly #options: LeaseOptions;
  readonly #heardAt = new Map<string, number>();
  readonly #stopped = new Set<string>();
  readonly #timer: ReturnType<typeof setInterval>;
  #lookedAt = performance.now();
  #upSince = performance.now();
  #stops = false;

  /** Says that this server lives until it is disposed of. */
  constructor(options: LeaseOptions) {
    this.#options = options;
    options.siblings.hear("alive", ({ stops }, from) => {
      this.#heardAt.set(from, performance.now());
      if (stops === true) this.#stopped.add(from);
      return undefined;
    });
    this.#timer = setInterval(() => this.#look(), PERIOD);
    this.#look();
  }

  /** Tells the others that this server stops: who doesn't go to another of them has left. */
  stop(): void {
    this.#stops = true;
    this.#options.siblings.tell("alive", { stops: true });
  }

  /** Says nothing more. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    const { siblings, others, isIn, isCurrent, silent } = this.#options;
    const stoodStill = now - this.#lookedAt > STANDSTILL;
    this.#lookedAt = now;
    if (!isIn() || stoodStill) this.#upSince = now;
    if (!isIn()) return;
    siblings.tell("alive", { stops: this.#stops });
    if (!isCurrent()) return;
    for (const server of others()) {
      const heardAt = this.#heardAt.get(server) ?? now; // it has just come
      this.#heardAt.set(server, heardAt);
      if (now - Math.max(heardAt, this.#upSince) < LEASE) continue;
      silent(server, this.#stopped.has(server) ? "stopped" : "lost");
    }
  }
}
