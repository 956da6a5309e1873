/**
 * Follows the chain along all lines that the client is told, and compares it with what the client had counted before:
 * in this run, and, in `known`, in earlier ones. What differs is told with the first line that does.
 *
 * What comes as broadcasts is counted a little later, when there is time, so that it is shown as fast as it comes.
 *
 *     chain, past …, broadcasts ──▶ own values ──┬── the server's, by `agree` ──▶ differs from line N on ──▶ accept
 *     the value of an earlier run ── by `page` ──┘
 *
 * @module
 */

import { type Event, EventError } from "../protocol/events.ts";
import type { LogEntry } from "../protocol/line.ts";
import { Chain, toldValue } from "../protocol/chain.ts";
import { type Bytes, equalBytes } from "../../crypto_utils.ts";
import {
  addLines,
  type Ask,
  compare,
  type Difference,
  follow,
  type Holes,
  type Seen,
  type Verdict,
} from "./chain_compare.ts";
import { ChainQuestions, type ChainServer } from "./chain_questions.ts";

/** Lines that wait to be counted, 300 bytes or so each; one more, and all are counted. */
const MAX_WAITING = 8_192;
/** How long is counted in a second in which fewer lines came than that, and when the client leaves the room, ms. */
const TICK = 20;
const FEW = 2_048;
/** Lines between two looks at the clock. */
const PIECE = 64;
/** What was counted over so many connections may wait to be compared: over the first one, and the last. */
const MAX_OPEN = 4;

/** What a watch needs. */
export interface ChainWatchOptions extends ChainServer {
  /** What an earlier run saw last of this server's history, if that is remembered. */
  readonly remembered: () => Seen | undefined;
  /** To be remembered in its place, for later runs. */
  readonly remember: (seen: Seen) => void;
  /** The history isn't what this client saw. */
  readonly differs: (difference: Difference) => void;
  /** The server says that its log begins behind line `seen` by now, so that nothing can be compared up to there. */
  readonly begins: (seen: number) => void;
  /** The server left out lines. */
  readonly left: (holes: Holes) => void;
}

/** Watches the history for a client. */
export class ChainWatch {
  readonly #options: ChainWatchOptions;
  readonly #questions: ChainQuestions;
  #chain: Chain | undefined; // what the lines come to that the client was told
  readonly #waiting: LogEntry[] = []; // lines after these
  #lately = 0; // lines since the last second began
  #foreseen: Chain | undefined; // with the lines of the past that are being opened
  #open: Chain[] = []; // counted over earlier connections, and not compared yet
  #begins = 0; // the number after which the server told lines last
  #isTold = false; // whether it told the value there
  #origin: Seen | undefined; // where this run began
  #isLinked = false; // whether that is compared with what an earlier run saw
  #difference: Difference | undefined;
  #isBlind = false; // whether something can't be compared
  #isSure = false; // whether all is compared and the same, or accepted
  #round = 0; // of comparing

  /** Nothing is followed yet. */
  constructor(options: ChainWatchOptions) {
    this.#options = options;
    this.#questions = new ChainQuestions(options);
  }

  /** Where the history isn't what this client saw, until that is accepted. */
  get difference(): Difference | undefined {
    return this.#difference;
  }

  /** The numbers whose values are kept, from the first to the last; undefined while nothing is followed. */
  get range(): readonly [number, number] | undefined {
    this.#count();
    return this.#chain && [this.#chain.oldest, this.#chain.seq];
  }

  /** This client's own value for a line, 32 bytes; undefined if it isn't kept. */
  at(seq: number): Bytes | undefined {
    this.#count();
    return this.#chain?.at(seq);
  }

  /**
   * Whether the one who said a line had seen another history; undefined where this client can't say.
   * @param seen What that one had seen last. @param line The number of the line, which stands behind that.
   */
  seenDiffers({ seq, value }: Seen, line: number): boolean | undefined {
    if (seq >= line) return true;
    const own = this.#foreseen?.at(seq) ?? this.at(seq);
    return own && !equalBytes(own, value);
  }

  // ── What it is told ──────────────────────────────────────────────────────────────────────────────────

  /**
   * The client will come into the room with those lines, which are being opened: `seenDiffers` knows them.
   * @throws {EventError} for lines that nobody can follow.
   */
  foresee(start: Event<"chain"> | undefined, lines: readonly LogEntry[]): void {
    const value = start && (toldValue(start.value) ?? this.at(start.seq));
    const chain = this.#foreseen = value && new Chain(start.seq, value);
    if (chain) addLines(chain, lines);
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
    this.#count();
    const isBeyond = lines.some(({ seq }) => seq > last);
    if (isBeyond || start && start.seq > last) {
      throw new EventError("Cannot follow the history beyond its last line");
    }
    const before = this.#chain;
    const chain = this.#begin(start, last);
    if (before && before !== chain) this.#open.push(before);
    if (this.#open.length > MAX_OPEN) this.#open.splice(1, 1);
    this.#chain = chain;
    this.#foreseen = undefined;
    this.#begins = start?.seq ?? 0;
    this.#isTold = start !== undefined && start.value !== "";
    if (!before && chain) this.#origin = { seq: chain.seq, value: chain.value };
    const holes = chain && addLines(chain, lines, last);
    if (holes) this.#options.left(holes);
    void this.#compareAll(last); // which never rejects
  }

  /**
   * Goes on, or from where the server begins; where it tells no value there, by the client's own.
   * @param last The number of the last line: what was counted beyond it goes on nowhere.
   */
  #begin(
    start: Event<"chain"> | undefined,
    last: number,
  ): Chain | undefined {
    const before = this.#chain;
    if (!start) return before && before.seq <= last ? before : undefined;
    const { seq } = start;
    const told = toldValue(start.value);
    const goesOn = before?.seq === seq &&
      (!told || equalBytes(told, before.value));
    if (goesOn) return before;
    const value = told ?? before?.at(seq);
    return value && new Chain(seq, value);
  }

  /** The next line has come. */
  take(line: LogEntry): void {
    if (!this.#chain) return;
    this.#waiting.push(line);
    this.#lately++;
    if (this.#waiting.length > MAX_WAITING) this.#count();
  }

  /** A second has passed: there may be time to count. */
  tick(): void {
    if (this.#lately < FEW) this.#countSome();
    this.#lately = 0;
    this.#questions.tick();
  }

  /** Counts for a short while. */
  #countSome(): void {
    const end = performance.now() + TICK;
    while (this.#waiting.length > 0 && performance.now() < end) {
      this.#count(PIECE);
    }
  }

  /** Counts the next lines. @param most How many. Default: all. */
  #count(most = Infinity): void {
    for (const line of this.#waiting.splice(0, most)) this.#chain?.add(line);
  }

  /** The server has answered. */
  agreed(event: Event<"agreed">): void {
    this.#questions.agreed(event);
  }

  /** The client is no longer in the room. */
  parted(): void {
    this.#questions.parted();
    this.#countSome();
    if (this.#isSure) this.#remember();
  }

  // ── What it makes of it ──────────────────────────────────────────────────────────────────────────────

  /** What the server says is taken for the history from now on. @returns Whether it was in doubt. */
  accept(): boolean {
    const isInDoubt = this.#difference !== undefined || this.#isBlind;
    if (!isInDoubt || !this.#chain) return false;
    this.#count();
    this.#round++;
    this.#open = [];
    this.#difference = undefined;
    this.#isBlind = false;
    this.#isLinked = this.#isSure = true;
    this.#remember();
    return true;
  }

  /** What the server says now of the past isn't what this client saw. @param from The first line of which that is known. */
  doubt(from: number): void {
    this.#isSure = false;
    this.#differ({ from, exact: false });
  }

  #remember(): void {
    const chain = this.#chain;
    if (chain) this.#options.remember({ seq: chain.seq, value: chain.value });
  }

  /** Compares all that isn't compared yet. @param last The number of the server's last line. */
  async #compareAll(last: number): Promise<void> {
    const round = ++this.#round;
    this.#isSure = false;
    const isOver = (verdict: Verdict, seq: number) =>
      round !== this.#round || !this.#judge(verdict, seq);
    for (let own; (own = this.#open[0]);) {
      const verdict = await compare(own, last, this.#ask);
      if (isOver(verdict, own.seq)) return;
      this.#open.shift();
    }
    const chain = this.#chain;
    if (chain && !this.#isTold) {
      const insist: Ask = (seq) => this.#questions.insist(seq);
      if (isOver(await compare(chain, last, insist), last)) return;
    }
    const seen = this.#isLinked ? undefined : this.#options.remembered();
    if (seen && isOver(await this.#link(seen, last), seen.seq)) return;
    this.#isLinked = chain !== undefined;
    this.#isSure = !this.#difference && !this.#isBlind;
    if (this.#isSure) this.#remember();
  }

  /** The value by the lines that the server told over this connection, or by what it says. */
  readonly #ask: Ask = async (seq) => {
    const value = this.at(seq);
    if (value) return value;
    if (seq >= this.#begins) return await this.#questions.insist(seq);
    const told = await this.#questions.ask(seq);
    return told === "untold" ? "begins" : told;
  };

  /** Compares what an earlier run saw with where this one began. */
  async #link(seen: Seen, last: number): Promise<Verdict> {
    const { seq, value } = seen;
    if (last < seq) return { from: last + 1, exact: false };
    const differs = { from: seq, exact: seq <= 1 };
    const questions = this.#questions;
    const origin = this.#origin;
    if (origin && origin.seq > seq) {
      const { remember: reached, left } = this.#options;
      const verdict = await follow(seen, origin, { questions, reached, left });
      if (verdict !== "begins") return verdict;
      const told = await questions.ask(seq);
      if (told === "untold") return verdict;
      // Another person of this machine may not read what is between: what was remembered stays.
      return told === "gone" || equalBytes(told, value) ? "gone" : differs;
    }
    const told = this.at(seq) ?? await questions.insist(seq);
    if (typeof told === "string") return told;
    return equalBytes(told, value) ? "same" : differs;
  }

  /** Says what is to be said. @param seq Up to where was compared. @returns Whether there is a verdict. */
  #judge(verdict: Verdict, seq: number): boolean {
    if (verdict === "gone") return false;
    if (verdict === "begins") {
      if (!this.#isBlind) this.#options.begins(seq);
      this.#isBlind = true;
    } else if (verdict === "untold") {
      this.#differ({ from: seq, exact: false, untold: true });
    } else if (verdict !== "same") this.#differ(verdict);
    return true;
  }

  #differ(difference: Difference): void {
    const known = this.#difference;
    if (!known || difference.from <= known.from) this.#difference = difference;
    this.#options.differs(difference);
  }
}
