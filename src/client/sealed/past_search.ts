/**
 * Looks for lines in a sealed room's past, whose server can't: page by page from the end backwards, so that what was
 * changed about a line is met before the line, which is found by what it says now.
 *
 *     page ──▶ does it fit the chain ──▶ opened ──▶ has it the words ──▶ found, once there are enough
 *
 * @module
 */

import { controlVerb, isChange } from "../../protocol/line.ts";
import { PastChanges } from "../../protocol/past_changes.ts";
import { hasWords, searchWords } from "../../protocol/search_words.ts";
import type { HeardLine } from "../../protocol/changes.ts";
import type { PageAnswer } from "../pending_pages.ts";
import type { LineReader } from "../../sealed/line_reader.ts";
import { PageChain, type PastPage, readPage } from "./past_pages.ts";
import type { ChainSeam } from "./sealed_room.ts";
import { type Numbered, StayNumbers } from "../../sealed/stay_numbers.ts";
import { keepNewest } from "../../base/keep_newest.ts";
import { equalBytes } from "../../../crypto_utils.ts";
import type { Seen } from "../../sealed/sealed_line.ts";

/** Lines of one page: what is said meanwhile waits behind no more of them. */
const PAGE = 256;
/** How often a search that goes on says how far it is, ms. */
const TELL_EVERY = 5_000;
/** Stays whose oldest line so far is remembered. */
const MAX_STAYS = 4_096;

/** What somebody looks for. */
export interface Wish {
  /** Empty for the last lines. */
  readonly words: string;
  /** How many lines at most. */
  readonly count: number;
  /** Lines with smaller numbers alone. */
  readonly before: number;
}

/** What a search needs. */
export interface PastSource {
  /** Asks for a page. */
  readonly page: (before: number, count: number) => Promise<PageAnswer>;
  /** Opens lines. */
  readonly reader: Pick<LineReader, "read">;
  /** What this client knows of the chain. */
  readonly seam: ChainSeam;
  /** Whether a line can be what it says to be, after what this client has seen. */
  readonly fits: (line: Numbered) => boolean;
  /** Is told of the first line from which on the past isn't what this client saw. */
  readonly doubt: (from: number) => void;
  /** Is told, now and then, how far a search is, and how many lines it has. */
  readonly tell: (backTo: number, found: number) => void;
}

/** What was found. */
export interface PastFound {
  /** The lines and what was changed about them, oldest first. */
  readonly lines: readonly HeardLine[];
  /** Whether there are older ones, or might be. */
  readonly more: boolean;
  /** No line from this number on was left out. */
  readonly backTo: number;
}

/**
 * Searches. What it keeps doesn't grow with the past, but with what it finds and what was changed.
 * @param signal Ends it with what it has found.
 * @returns Or why it can't. @throws {EventError} for lines that are no page.
 */
export async function searchPast(
  source: PastSource,
  { words, count, before }: Wish,
  signal: AbortSignal,
): Promise<PastFound | "untold" | "gone"> {
  const search = new Search(words, count);
  const chain = new PageChain(source.seam);
  const stays = new SinkingNumbers();
  const wanted = words === "" ? Math.min(PAGE, Math.max(count, 16)) : PAGE;
  let isDoubted = false;
  let told = Date.now();
  for (;;) {
    const answer = await source.page(before, wanted);
    if (typeof answer === "string") return answer;
    const page = readPage(answer, before);
    const from = chain.take(page);
    if (from !== undefined && !isDoubted) source.doubt(from);
    isDoubted ||= from !== undefined;
    const lines = await source.reader.read(page.lines, {
      fits: (line) => source.fits(line) && stays.fits(line),
      // Where the page itself is another, all that was said in it later would differ.
      seenDiffers: (seen, { seq }) =>
        from === undefined && differsIn(page, seen, seq),
    });
    stays.turnPage();
    const full = search.take(lines);
    before = full ?? page.after + 1;
    const isOver = full !== undefined || !page.more || signal.aborted;
    const more = full === undefined
      ? page.more
      : full > page.after + 1 || page.more;
    if (isOver) return { lines: search.found, more, backTo: before };
    if (Date.now() - told < TELL_EVERY) continue;
    told = Date.now();
    source.tell(before, search.size);
  }
}

/** Whether somebody saw another value for a line than a page has; undefined for a line that isn't in it. */
function differsIn(
  { chain }: PastPage,
  { seq, value }: Seen,
  line: number,
): boolean | undefined {
  if (seq >= line) return true;
  const own = chain?.at(seq);
  return own && !equalBytes(own, value);
}

/** What was found so far. */
class Search {
  readonly #words: readonly string[];
  readonly #count: number;
  readonly #changes = new PastChanges();
  readonly #found: HeardLine[] = []; // newest first; with what was changed about them
  #size = 0;

  constructor(words: string, count: number) {
    this.#words = searchWords(words);
    this.#count = count;
  }

  /** How many lines were found. */
  get size(): number {
    return this.#size;
  }

  /** They, and what was changed about them, oldest first. */
  get found(): HeardLine[] {
    return this.#found.toSorted((a, b) => a.seq - b.seq);
  }

  /** Takes the next older lines. @returns The number of the line with which there were enough. */
  take(lines: readonly HeardLine[]): number | undefined {
    for (const line of lines.toReversed()) {
      const { seq, wrong } = line;
      if (this.#size >= this.#count) return seq + 1;
      if (isChange(line) && wrong === undefined) {
        const { to, what, person } = line;
        this.#changes.keep({ to, what, person, read: () => line });
      } else if (!isHidden(line)) this.#match(line);
      this.#changes.forget(seq, seq);
    }
    return undefined;
  }

  #match(line: HeardLine): void {
    if (!hasWords(this.#words, line, this.#said(line))) return;
    this.#size++;
    this.#found.push(line, ...this.#changes.of(line));
  }

  /** What a line says by now, to somebody who reads it; nothing where that can't be told. */
  #said(line: HeardLine): string | null {
    if (line.told !== undefined) return line.told;
    const isClosed = line.wrong !== undefined || line.what === "sealed";
    return isClosed ? "" : this.#changes.text(line);
  }
}

/** The server's own line tells of another name. */
function isHidden({ what, text, wrong }: HeardLine): boolean {
  return what === "ruled" && wrong === undefined &&
    controlVerb(text) === "rename";
}

/** The numbers of stays: in a page they grow, and from each page to the one before it they sink. */
class SinkingNumbers {
  #page = new StayNumbers();
  readonly #oldest = new Map<string, number>(); // by person and stay
  #first = new Map<string, number>(); // of the page

  /** Whether the next line of the page fits. */
  fits(line: Numbered): boolean {
    const { person, stay, n } = line;
    const key = `${person}.${stay}`;
    const isOlder = n < (this.#oldest.get(key) ?? Infinity);
    if (!isOlder || !this.#page.fits(line)) return false;
    this.#page.note(line);
    if (!this.#first.has(key)) this.#first.set(key, n);
    return true;
  }

  /** The next page is an older one. */
  turnPage(): void {
    for (const [key, n] of this.#first) {
      this.#oldest.delete(key);
      keepNewest(this.#oldest.set(key, n), MAX_STAYS);
    }
    this.#first = new Map();
    this.#page = new StayNumbers();
  }
}
