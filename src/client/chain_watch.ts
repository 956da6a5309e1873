/**
 * Follows the chain along all lines that the client is told, and compares it with what the client had counted before:
 * in this run, and, in `known`, in earlier ones. What differs is told with the first line that does.
 *
 * What comes as broadcasts is counted a little later, when there is time, so that it is shown as fast as it comes.
 *
 *     chain, past …, broadcasts ──▶ own values ──┬── the server's, by `agree` ──▶ differs from line N on ──▶ accept
 *                 the value of an earlier run ───┘
 *
 * @module
 */

import { type Event, EventError } from "../protocol/events.ts";
import type { LogEntry } from "../protocol/line.ts";
import { Chain, toldValue } from "../protocol/chain.ts";
import { type Bytes, equalBytes } from "../../crypto_utils.ts";

/** Lines that wait to be counted; from there on each counts one. */
const MAX_WAITING = 262_144;
/** Counted lines that are kept until they are let go together. */
const MAX_COUNTED = 65_536;
/** How long is counted in a second in which fewer lines came than that, and when the client leaves the room, ms. */
const TICK = 20;
const FEW = 2_048;
/** Lines between two looks at the clock. */
const PIECE = 64;

/** A number of the log, and the chain's value for it, 32 bytes. */
export interface Seen {
  /** The line's number. */
  readonly seq: number;
  /** Its value. */
  readonly value: Bytes;
}

/** Where the history isn't what this client saw. */
export interface Difference {
  /** The number of the first line that differs, as far as is known. */
  readonly from: number;
  /** Whether it is the first; else lines before it may differ, too, which this client doesn't remember. */
  readonly exact: boolean;
}

/** What a watch needs. */
export interface ChainWatchOptions {
  /** Asks the server for something, if the client is in the room. */
  readonly ask: (request: Event<"agree">) => void;
  /** What an earlier run saw last of this server's history, if that is remembered. */
  readonly remembered: () => Seen | undefined;
  /** To be remembered in its place, for later runs. */
  readonly remember: (seen: Seen) => void;
  /** The history isn't what this client saw; or, undefined, the server doesn't tell whether it is, up to a line. */
  readonly differs: (difference: Difference | undefined, upTo: number) => void;
}

/** The values that a client has, to be compared: for all numbers from one to another, or for a single one. */
interface Counted {
  readonly oldest: number;
  readonly seq: number;
  at(seq: number): Bytes | undefined;
}

/** Watches the history for a client. */
export class ChainWatch {
  readonly #options: ChainWatchOptions;
  readonly #questions = new Map<number, (value: Bytes | undefined) => void>();
  #nextQuestion = 1;
  #chain: Chain | undefined; // what the lines come to that the client was told
  #waiting: LogEntry[] = []; // lines after these
  #first = 0; // of them that isn't counted
  #lately = 0; // lines since the last second began
  #difference: Difference | undefined;
  #isSure = false; // whether that is compared with all that the client saw before, or accepted

  /** Nothing is followed yet. */
  constructor(options: ChainWatchOptions) {
    this.#options = options;
  }

  /** Where the history isn't what this client saw, until that is accepted. */
  get difference(): Difference | undefined {
    return this.#difference;
  }

  /** The numbers whose values are kept, from the first to the last; undefined while nothing is followed. */
  get range(): readonly [number, number] | undefined {
    this.#countAll();
    return this.#chain && [this.#chain.oldest, this.#chain.seq];
  }

  /** This client's own value for a line, 32 bytes; undefined if it isn't kept. */
  at(seq: number): Bytes | undefined {
    this.#countAll();
    return this.#chain?.at(seq);
  }

  /**
   * The client has come into the room.
   * @param start The value with which the server began, if it did. @param lines What it told, oldest first.
   * @param last The number of the last line so far.
   * @throws {EventError} for lines that nobody can follow.
   */
  entered(
    start: Event<"chain"> | undefined,
    lines: readonly LogEntry[],
    last: number,
  ): void {
    this.#countAll();
    const counted = this.#counted;
    this.#chain = this.#begin(start);
    try {
      for (const line of lines) this.#chain?.add(line);
      this.#chain?.skipTo(last);
    } catch (cause) {
      throw new EventError("Cannot follow the history", { cause });
    }
    if (counted) void this.#compare(counted, last); // which never rejects
    else this.#settle();
  }

  /** A chain from where the server begins; where it tells no value there, by the client's own. */
  #begin(start: Event<"chain"> | undefined): Chain | undefined {
    if (!start) return undefined;
    const { seq } = start;
    const value = toldValue(start.value) ?? this.#chain?.at(seq);
    return value && new Chain(seq, value);
  }

  /** What this client has counted so far; in a new run, what is remembered. */
  get #counted(): Counted | undefined {
    if (this.#chain) return this.#chain;
    const seen = this.#options.remembered();
    if (!seen) return undefined;
    const { seq, value } = seen;
    return { oldest: seq, seq, at: (it) => it === seq ? value : undefined };
  }

  /** The next line has come. */
  take(line: LogEntry): void {
    if (!this.#chain) return;
    this.#waiting.push(line);
    this.#lately++;
    if (this.#waiting.length - this.#first > MAX_WAITING) this.#count(1);
  }

  /** A second has passed: there may be time to count. */
  tick(): void {
    if (this.#lately < FEW) this.#countFor(TICK);
    this.#lately = 0;
  }

  /** @param time How long, ms. */
  #countFor(time: number): void {
    const end = performance.now() + time;
    while (this.#first < this.#waiting.length && performance.now() < end) {
      this.#count(PIECE);
    }
  }

  #countAll(): void {
    this.#count(this.#waiting.length);
  }

  /** Counts the next lines. @param most How many. */
  #count(most: number): void {
    const end = Math.min(this.#first + most, this.#waiting.length);
    for (const line of this.#waiting.slice(this.#first, end)) {
      this.#chain?.add(line);
    }
    this.#first = end;
    if (end < this.#waiting.length && end < MAX_COUNTED) return;
    this.#waiting = this.#waiting.slice(end);
    this.#first = 0;
  }

  /** The server has answered. */
  agreed({ id, value }: Event<"agreed">): void {
    this.#answer(id, toldValue(value));
  }

  /** The client is no longer in the room. */
  parted(): void {
    for (const id of this.#questions.keys()) this.#answer(id, undefined);
    this.#countFor(TICK);
    if (this.#isSure) this.#remember();
  }

  /** What the server says is taken for the history from now on. @returns Whether it was in doubt. */
  accept(): boolean {
    if (this.#isSure || !this.#chain) return false;
    this.#countAll();
    this.#difference = undefined;
    this.#settle();
    return true;
  }

  /** All is as it should be. */
  #settle(): void {
    this.#isSure = this.#difference === undefined;
    if (this.#isSure) this.#remember();
  }

  #remember(): void {
    const chain = this.#chain;
    if (chain) this.#options.remember({ seq: chain.seq, value: chain.value });
  }

  /** Compares what the client had counted with what the server says now. @param last The number of its last line. */
  async #compare(counted: Counted, last: number): Promise<void> {
    this.#isSure = false;
    const { seq } = counted;
    if (last < counted.oldest) return this.#differ(last + 1, false);
    const shared = Math.min(seq, last);
    const isSame = await this.#isSame(counted, shared);
    if (isSame === undefined) return this.#options.differs(undefined, seq);
    if (!isSame) return await this.#search(counted, shared);
    if (last < seq) this.#differ(last + 1, true);
    else this.#settle();
  }

  /** Finds the first line that differs. @param high One that does. */
  async #search(counted: Counted, high: number): Promise<void> {
    let low = counted.oldest;
    if (low === high || !await this.#isSame(counted, low)) {
      return this.#differ(low, low <= 1);
    }
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      const isSame = await this.#isSame(counted, middle);
      if (isSame === undefined) return this.#differ(high, false);
      if (isSame) low = middle;
      else high = middle;
    }
    this.#differ(high, true);
  }

  #differ(from: number, exact: boolean): void {
    const known = this.#difference;
    const difference = { from, exact };
    this.#difference = known && known.from < from ? known : difference;
    this.#options.differs(difference, from);
  }

  /** Whether the server has the same value for a line; undefined if it doesn't say. */
  async #isSame(counted: Counted, seq: number): Promise<boolean | undefined> {
    const own = counted.at(seq);
    const value = this.at(seq) ?? await this.#ask(seq);
    return value && own && equalBytes(value, own);
  }

  #ask(seq: number): Promise<Bytes | undefined> {
    const id = this.#nextQuestion++;
    return new Promise((resolve) => {
      this.#questions.set(id, resolve);
      this.#options.ask({ kind: "agree", id, seq });
    });
  }

  #answer(id: number, value: Bytes | undefined): void {
    this.#questions.get(id)?.(value);
    this.#questions.delete(id);
  }
}
