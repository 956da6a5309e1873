/**
 * The past of a sealed room in pages, as its server tells it, the newest first. Each page must end where the one after it
 * begins, and the newest where what this client has itself counted goes on.
 *
 *     ask ──▶ chain, past …, paged ──▶ page ── its last value ──▶ that with which the newer one begins
 *
 * @module
 */

import { type Bytes, equalBytes } from "../../../crypto_utils.ts";
import { Chain, CHAIN_START, toldValue } from "../../protocol/chain.ts";
import { EventError } from "../../protocol/events.ts";
import type { LogEntry } from "../../protocol/line.ts";
import { addLines } from "../chain_compare.ts";
import type { Page } from "../pending_pages.ts";
import type { ChainSeam } from "./sealed_room.ts";

/** Some lines in a row. */
export interface PastPage {
  /** The number of the line before them. */
  readonly after: number;
  /** The lines, oldest first. */
  readonly lines: readonly LogEntry[];
  /** The chain along them; undefined where the server can't tell where it begins. */
  readonly chain: Chain | undefined;
  /** Whether there are older lines that this person may read. */
  readonly more: boolean;
}

/** The lines that a page has. @param before The number before which it was asked for. @throws {EventError} if it has others. */
export function readPage(
  { start, lines, more }: Page,
  before: number,
): PastPage {
  const after = start?.seq ?? -1;
  const last = lines.at(-1)?.seq ?? after;
  const isPage = start && after < before && last < before &&
    (!more || after < before - 1);
  if (!isPage) throw new EventError("Cannot read a page: it is another one");
  const value = toldValue(start.value);
  // Where the value isn't known, the numbers are checked all the same.
  const chain = new Chain(after, value ?? CHAIN_START);
  addLines(chain, lines, before - 1);
  return { after, lines, chain: value && chain, more };
}

/** Goes back page by page, and sees whether they fit together. */
export class PageChain {
  readonly #seam: ChainSeam;
  #next: { readonly seq: number; readonly value: Bytes } | undefined; // where the page after begins

  /** Begins anywhere. @param seam What this client has counted. */
  constructor(seam: ChainSeam) {
    this.#seam = seam;
  }

  /** Takes the next older page. @returns The first line from which on it isn't what it should be, as far as is known. */
  take({ after, chain }: PastPage): number | undefined {
    const next = this.#next;
    this.#next = undefined;
    if (!chain) return undefined;
    const { seq, value } = chain;
    this.#next = { seq: after, value: chain.at(after) ?? value };
    const differs = next?.seq === seq
      ? !equalBytes(next.value, value)
      : this.#seam.seenDiffers({ seq, value }, seq + 1);
    return differs ? this.#firstOther(chain, after) : undefined;
  }

  #firstOther(chain: Chain, after: number): number {
    for (let seq = Math.max(after, chain.oldest); seq <= chain.seq; seq++) {
      const value = chain.at(seq);
      if (value && this.#seam.seenDiffers({ seq, value }, seq + 1)) {
        return Math.max(seq, after + 1);
      }
    }
    return after + 1;
  }
}
