/**
 * How much one member may say, and how often one address may knock.
 *
 * @module
 */

import { keepNewest } from "../base/keep_newest.ts";

/** In this time a network is forgiven as often as it is allowed to do something, ms. */
const PERIOD = 600_000;
/** The first pause for what is too often, and the longest, ms; each is double the one before. */
const FIRST_PAUSE = 250;
const DOUBLINGS = 5;
/** Networks that are remembered; the oldest are forgotten for new ones. */
const MAX_NETWORKS = 10_000;

/** Purses that are remembered before any is forgotten. */
const LEAST_PURSES = 256;

/** A token bucket: lets a burst through at once, and then a fixed rate. */
export class TokenBucket {
  readonly #burst: number;
  readonly #rate: number;
  readonly #now: () => number;
  #tokens: number;
  #at: number;

  /**
   * A full bucket.
   * @param burst How much it holds. @param rate How much comes in a second; 0 for no limit at all.
   * @param now The time, ms.
   */
  constructor(burst: number, rate: number, now: () => number) {
    this.#burst = burst;
    this.#rate = rate;
    this.#now = now;
    this.#tokens = burst;
    this.#at = now();
  }

  /** Whether nothing is missing: it is as good as a new one. */
  get isFull(): boolean {
    const income = (this.#now() - this.#at) / 1_000 * this.#rate;
    return this.#tokens + income >= this.#burst;
  }

  /** Takes tokens. @returns How long to wait until they are paid for, ms. */
  take(amount: number): number {
    if (this.#rate === 0) return 0;
    const now = this.#now();
    const income = (now - this.#at) / 1_000 * this.#rate;
    this.#tokens = Math.min(this.#burst, this.#tokens + income) - amount;
    this.#at = now;
    return Math.max(0, -this.#tokens / this.#rate * 1_000);
  }
}

/** How fast a member may go. */
export interface Rates {
  /** Messages at once. */
  readonly burst: number;
  /** Messages a second after that; 0 for no limit. */
  readonly perSecond: number;
  /** Bytes that come with the right to say a message. */
  readonly bytesPerMessage: number;
}

/** What somebody has to spend: lines, and bytes, each from a bucket of its own. */
export class Purse {
  readonly #lines: TokenBucket;
  readonly #bytes: TokenBucket;

  /** A full one. @param now The time, ms. */
  constructor(
    { burst, perSecond, bytesPerMessage: bytes }: Rates,
    now: () => number,
  ) {
    this.#lines = new TokenBucket(burst, perSecond, now);
    this.#bytes = new TokenBucket(burst * bytes, perSecond * bytes, now);
  }

  /** Whether nothing is missing. */
  get isFull(): boolean {
    return this.#lines.isFull && this.#bytes.isFull;
  }

  /** Takes out lines and bytes. @returns How long to wait until they are paid for, ms. */
  take(lines: number, bytes: number): number {
    return Math.max(this.#lines.take(lines), this.#bytes.take(bytes));
  }
}

/** The purses of persons: whoever comes by several connections, or again and again, has one. */
export class Purses {
  readonly #purses = new Map<string, Purse>(); // by the person's full id
  #limit = LEAST_PURSES; // at which those that are full are forgotten

  /** A person's, which is `own` if it has none yet. */
  of(person: string, own: Purse): Purse {
    const purse = this.#purses.get(person) ?? own;
    this.#purses.set(person, purse);
    if (this.#purses.size > this.#limit) this.#prune();
    return purse;
  }

  #prune(): void {
    for (const [person, purse] of this.#purses) {
      if (purse.isFull) this.#purses.delete(person);
    }
    this.#limit = Math.max(LEAST_PURSES, 2 * this.#purses.size);
  }
}

/** What one connection has spent since it last paid, and the purse that it pays from. */
export class Allowance {
  #purse: Purse;
  #spent = 0; // lines since `settle`, and all else that costs as much
  #excused = 0; // bytes since then that the member was asked for

  /** Nothing spent. @param purse What it pays from. */
  constructor(purse: Purse) {
    this.#purse = purse;
  }

  /** Pays from a person's purse from now on. */
  payFor(person: string, purses: Purses): void {
    this.#purse = purses.of(person, this.#purse);
  }

  /** Counts lines, or work that costs as much. @param lines How many. */
  spend(lines: number): void {
    this.#spent += lines;
  }

  /** Some of the bytes to come cost nothing: the member was asked for them. */
  excuse(bytes: number): void {
    this.#excused += bytes;
  }

  /** Pays for all that was spent, and for bytes. @returns How long to wait until that is paid, ms. */
  settle(bytes: number): number {
    const wait = this.#purse.take(
      this.#spent,
      Math.max(0, bytes - this.#excused),
    );
    this.#spent = 0;
    this.#excused = 0;
    return wait;
  }
}

/**
 * The network that an address stands for: itself, or for IPv6 its first 64 bits, all of which belong to
 * the owner of one address.
 */
export function networkOf(address: string): string {
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.toLowerCase().split("::");
  const groups = head === "" ? [] : head.split(":");
  const rest = tail?.split(":") ?? [];
  const zeros = Math.max(0, 8 - groups.length - rest.length);
  const all = [...groups, ...Array<string>(zeros).fill("0"), ...rest];
  return `${all.slice(0, 4).join(":")}::/64`;
}

/** Whether an address is this machine's own. */
export function isLoopback(address: string): boolean {
  return /^(::ffff:)?127\./i.test(address) || address === "::1";
}

/** Where somebody comes from, for limits. */
export interface Source {
  /** The address, for people. */
  readonly address: string;
  /** What is counted together. */
  readonly network: string;
  /** Whether it is this machine itself, behind which a proxy may have many. */
  readonly isHere: boolean;
}

/** Where somebody comes from who comes by no proxy that says more. */
export function sourceAt(address: string): Source {
  const network = networkOf(address);
  return { address, network, isHere: isLoopback(address) };
}

/** How many there are of something for each network. */
export class Tally {
  readonly #counts = new Map<string, number>();

  /** How many there are. */
  of(network: string): number {
    return this.#counts.get(network) ?? 0;
  }

  /** One more. */
  add(network: string): void {
    this.#counts.set(network, this.of(network) + 1);
  }

  /** One less. */
  remove(network: string): void {
    const left = this.of(network) - 1;
    if (left > 0) this.#counts.set(network, left);
    else this.#counts.delete(network);
  }

  /** How many there are in all. */
  get total(): number {
    let total = 0;
    for (const count of this.#counts.values()) total += count;
    return total;
  }
}

/**
 * How often each network has done something lately, and the pauses that it brings to do it too often: from
 * the allowed number on a quarter of a second, then twice as long each time, up to eight seconds.
 */
export class Pauses {
  readonly #allowed: number;
  readonly #now: () => number;
  readonly #counts = new Map<string, { count: number; at: number }>();

  /** Nothing so far. @param allowed How often in ten minutes nothing is said about it. @param now The time, ms. */
  constructor(allowed: number, now: () => number) {
    this.#allowed = allowed;
    this.#now = now;
  }

  /** It has done it once more. */
  add(network: string): void {
    // What is beyond the longest pause doesn't count, or a long attack would be remembered for days.
    const most = this.#allowed + DOUBLINGS;
    const count = Math.min(most, this.#recent(network) + 1);
    this.#counts.delete(network); // the newest stands last, so that the first is the oldest
    this.#counts.set(network, { count, at: this.#now() });
    keepNewest(this.#counts, MAX_NETWORKS);
  }

  /** How long it has to wait before it may go on, ms. */
  of(network: string): number {
    const surplus = Math.round(this.#recent(network) - this.#allowed);
    return surplus < 0 ? 0 : FIRST_PAUSE * 2 ** surplus;
  }

  #recent(network: string): number {
    const { count = 0, at = 0 } = this.#counts.get(network) ?? {};
    const forgiven = (this.#now() - at) / PERIOD * this.#allowed;
    return Math.max(0, count - forgiven);
  }
}
