/**
 * Holds the lines of a log against what those who said them had seen: a line that was changed, left out or put in shows in
 * the next line of somebody who saw it. Goes on from there by what that one saw, so that it is said once.
 *
 * @module
 */

import { equalBytes } from "../../../crypto_utils.ts";
import { Chain } from "../../protocol/chain.ts";
import type { LogEntry } from "../../protocol/line.ts";
import type { Seen } from "../../sealed/sealed_line.ts";

/** Lines that are remembered, the last: as many values as a chain keeps. */
const MAX_RECENT = 4_096;
/** What different people saw is remembered of so many: one alone may tell what isn't so. */
const MAX_CHAINS = 3;

/** Lines that aren't what somebody saw. */
export interface Unseen {
  /** The first line that may differ. */
  readonly from: number;
  /** The last. */
  readonly upTo: number;
  /** The number of the line whose sender saw others. */
  readonly line: number;
  /** Whether it stands before a line that its sender had seen already. */
  readonly isAhead: boolean;
}

/** The chain along a log. */
export class LogChain {
  #chains: Chain[]; // the one that fitted last first
  #recent: LogEntry[] = [];
  #shift = 0; // how many lines are missing, as it seems
  #certain: number; // the number of the last line that somebody saw so

  /**
   * Counts from a line on.
   * @param start From where; undefined where the value isn't known: then from what the first one saw.
   */
  constructor(start: Seen | undefined, certain = start?.seq ?? 0) {
    this.#chains = start ? [new Chain(start.seq, start.value)] : [];
    this.#certain = certain;
  }

  /** The value for the last line before a number, 32 bytes; undefined where it isn't known, or is in doubt. */
  valueBefore(seq: number): Uint8Array | undefined {
    const [chain] = this.#chains;
    if (this.#shift !== 0 || !chain || chain.seq >= seq) return undefined;
    chain.skipTo(seq - 1);
    return chain.value;
  }

  /** Lines have numbers from here on that are higher by so many: that is how many are missing. */
  renumbered(by: number): void {
    const isAsSeen = by === this.#shift;
    this.#shift = 0;
    if (!isAsSeen) this.#chains = []; // what the next one saw counts
    this.#recent = isAsSeen
      ? this.#recent.map((line) => ({ ...line, seq: line.seq + by }))
      : [];
  }

  /** Takes the next line, once it is checked. */
  add(line: LogEntry): void {
    const seq = line.seq + this.#shift;
    this.#chains = this.#chains.filter((chain) => chain.seq < seq);
    for (const chain of this.#chains) chain.add({ ...line, seq });
    this.#recent.push(line);
    if (this.#recent.length > MAX_RECENT) this.#recent.shift();
  }

  /** Checks what the sender of the next line had seen. @returns What differs from that. */
  check({ seq, value }: Seen, { seq: line }: LogEntry): Unseen | undefined {
    if (seq === 0) return undefined; // it followed none
    const isAhead = seq >= line + this.#shift;
    if (!isAhead) {
      const known = this.#chains.filter((chain) => chain.at(seq));
      const own = known.find((chain) => isAt(chain, seq, value));
      if (own) {
        this.#certain = Math.max(this.#certain, seq);
        this.#chains = [own, ...this.#chains.filter((it) => it !== own)];
        return undefined;
      }
      if (known.length === 0) {
        if (this.#chains.length === 0) this.#goOnFrom({ seq, value }, line);
        return undefined;
      }
    }
    const from = Math.min(this.#certain + 1, seq, line);
    this.#goOnFrom({ seq, value }, line);
    return { from, upTo: Math.max(from, seq), line, isAhead };
  }

  #goOnFrom({ seq, value }: Seen, line: number): void {
    const shift = Math.max(0, seq + 1 - line);
    const chain = new Chain(seq, value);
    for (const it of this.#recent) if (it.seq > seq) chain.add(it);
    const others = shift === this.#shift ? this.#chains : [];
    this.#chains = [chain, ...others].slice(0, MAX_CHAINS);
    this.#shift = shift;
    this.#certain = Math.max(this.#certain, seq);
  }
}

function isAt(chain: Chain, seq: number, value: Uint8Array): boolean {
  const own = chain.at(seq);
  return own !== undefined && equalBytes(own, value);
}
