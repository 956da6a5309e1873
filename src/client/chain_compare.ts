/**
 * Holds what a client has counted of the history against what the server says: value by value, or along the lines
 * between what an earlier run saw and where this one began.
 *
 * @module
 */

import { type Bytes, equalBytes } from "../../crypto_utils.ts";
import { Chain, toldValue } from "../protocol/chain.ts";
import { EventError } from "../protocol/events.ts";
import type { LogEntry } from "../protocol/line.ts";
import type { ChainQuestions, Untold } from "./chain_questions.ts";

/** Lines that are asked for in a second: half of what a server lets a client ask for. */
const PAGE = 256;
/** Pages after which what was reached is remembered. */
const KEEP_EVERY = 16;

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
  /** Set where the server doesn't tell any more what it told before. */
  readonly untold?: true;
}

/** What came of it: "begins" where the server's log begins later by now, as it says. */
export type Verdict = "same" | "begins" | Untold | Difference;

/** Numbers that a server has told no lines for. */
export interface Holes {
  /** The first of them. */
  readonly from: number;
  /** The last. */
  readonly upTo: number;
  /** How many there are. */
  readonly count: number;
}

/**
 * Goes on along lines that the server told, and to the number up to which it told all.
 * @returns What it left out. @throws {EventError} for lines that nobody can follow.
 */
export function addLines(
  chain: Chain,
  lines: readonly LogEntry[],
  last = 0,
): Holes | undefined {
  let [from, upTo, count] = [0, 0, 0];
  const skipTo = (seq: number) => {
    const left = seq - chain.seq;
    if (left <= 0) return;
    if (count === 0) from = chain.seq + 1;
    chain.skipTo(seq);
    upTo = seq;
    count += left;
  };
  try {
    for (const line of lines) {
      skipTo(line.seq - 1);
      chain.add(line);
    }
    skipTo(last);
  } catch (cause) {
    throw new EventError("Cannot follow the history", { cause });
  }
  return count === 0 ? undefined : { from, upTo, count };
}

/** The server's value for a line. */
export type Ask = (seq: number) => Promise<Bytes | "begins" | Untold>;

/** Compares what was counted with what the server says. @param last The number of its last line. */
export async function compare(
  own: Chain,
  last: number,
  ask: Ask,
): Promise<Verdict> {
  const shared = Math.min(own.seq, last);
  const isSame = await isSameAt(own, shared, ask);
  if (isSame === false) return await search(own, shared, ask);
  if (last < own.seq) return { from: last + 1, exact: isSame === true };
  return isSame === true ? "same" : isSame;
}

/** Finds the first line that differs. @param high One that does. */
async function search(
  own: Chain,
  high: number,
  ask: Ask,
): Promise<Difference> {
  let low = own.oldest;
  const oldest = low === high ? false : await isSameAt(own, low, ask);
  if (oldest === false) return { from: low, exact: low <= 1 };
  let exact = oldest === true;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    const isSame = await isSameAt(own, middle, ask);
    if (isSame === "gone") return { from: high, exact: false };
    if (isSame === false) high = middle;
    else low = middle;
    if (isSame !== false) exact = isSame === true;
  }
  return { from: high, exact };
}

/** Whether the server has the same value for a line. */
async function isSameAt(
  own: Chain,
  seq: number,
  ask: Ask,
): Promise<boolean | "begins" | Untold> {
  const value = own.at(seq);
  if (!value) return "untold"; // deep among numbers that are left out, or before all that is kept
  const told = await ask(seq);
  return typeof told === "string" ? told : equalBytes(told, value);
}

/** What following needs. */
export interface FollowOptions {
  /** Asks the server. */
  readonly questions: ChainQuestions;
  /** Is told how far it has got. */
  readonly reached: (seen: Seen) => void;
  /** The server left out lines. */
  readonly left: (holes: Holes) => void;
}

/**
 * Goes along the lines from what an earlier run saw to where this run began, as gently as is needed for the rest to go on.
 * @param end Where it began, with the value that the server told.
 */
export async function follow(
  { seq, value }: Seen,
  end: Seen,
  { questions, reached, left }: FollowOptions,
): Promise<Verdict> {
  const chain = new Chain(seq, value);
  for (let pages = 0; chain.seq < end.seq; pages++) {
    if (pages > 0 && !await questions.pause(1)) return "gone";
    const { seq: after } = chain;
    const upTo = Math.min(after + PAGE, end.seq);
    const page = await questions.page(after, upTo - after);
    if (typeof page === "string") return page;
    const { start, lines } = page;
    if (!start) return "untold";
    if (start.seq > after) return "begins";
    const told = toldValue(start.value);
    const isInside = (lines.at(-1)?.seq ?? 0) <= upTo;
    if (start.seq < after || !told || !isInside) return "untold";
    if (!equalBytes(told, chain.value)) {
      return { from: after, exact: after <= 1 };
    }
    let holes: Holes | undefined;
    try {
      holes = addLines(chain, lines, upTo);
    } catch (error) {
      if (error instanceof EventError) return "untold"; // lines that nobody can follow
      throw error;
    }
    if (holes) left(holes);
    if (pages % KEEP_EVERY === KEEP_EVERY - 1) {
      reached({ seq: chain.seq, value: chain.value });
    }
  }
  return equalBytes(chain.value, end.value)
    ? "same"
    : { from: end.seq, exact: false };
}
