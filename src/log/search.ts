/**
 * Finding words in the log, backwards from its end: what was changed about a line is met before the line, which is
 * found by what it says now.
 *
 * @module
 */

import { changesIn, countLines } from "./changes.ts";
import { fill, type LogFile, reading } from "./file.ts";
import type { LogFiles } from "./files.ts";
import { parseEntry } from "./line_format.ts";
import { escapeLine } from "../base/safe_text.ts";
import { isChange, type LogEntry } from "../protocol/line.ts";
import { PastChanges } from "../protocol/past_changes.ts";
import { fold, hasWords, searchWords } from "../protocol/search_words.ts";
import type { Stretch } from "./line_index.ts";

/** The most entries that one search finds. */
const MAX_FOUND = 200;
/** How far back one search reads unless told otherwise, bytes. */
const REACH = 67_108_864;
/** How far behind `before` changes are looked for, lines and bytes. */
const CHANGES_AFTER = 16_384;
const CHANGES_REACH = 8_388_608;
/** What a line costs that has the words somewhere, but not as an entry: in bytes read. */
const MISS_COST = 512;
/** The most that is read of one stretch: one is longer only by a last line that can't be ours. Bytes. */
const MAX_STRETCH = 524_288;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Where a search ends. */
export interface SearchOptions {
  /** Entries with smaller numbers alone. Default: all. */
  readonly before?: number;
  /** Entries with larger numbers alone; nothing before is read or counted. Default: 0. */
  readonly after?: number;
  /** How many entries at most, up to 200. */
  readonly limit: number;
  /** How far back it reads, bytes; at least 256 KiB or so. Default: 64 MiB. */
  readonly reach?: number;
  /** Ends the search. */
  readonly signal?: AbortSignal;
}

/** What a search found. */
export interface Found {
  /** The last that match, oldest first, as they were first said. */
  readonly entries: readonly LogEntry[];
  /** What was last changed about these, oldest first. */
  readonly changes: readonly LogEntry[];
  /** Whether there are more before them, or might be: then the search gave up. */
  readonly more: boolean;
  /** No entries from this number on were left out: to go on, search before it. */
  readonly from: number;
}

/**
 * Parts of the words that must stand in the line itself of an entry that has the words: without what a line
 * escapes, and without marks that in a line might join what stands before.
 */
function partsOf(words: readonly string[]): string[] {
  const plain = (char: string) => escapeLine(char) === char ? char : "\n";
  // Of many marks in a row, a line escapes the last; how many that are, composing them may have changed.
  const floods = /\p{M}{4,}/gu;
  return words.map((word) => word.replace(floods, "\n"))
    .flatMap((word) => [...word].map(plain).join("").split("\n"))
    .map((part) => part.replace(/^\p{M}+/u, ""));
}

/** An entry, and what was last changed about it. */
interface Hit {
  readonly entry: LogEntry;
  readonly changes: readonly LogEntry[];
}

/** Finds entries by their words, of all if there are none; is to be shown the log from its end on. */
class Matcher {
  readonly #words: readonly string[];
  readonly #parts: readonly string[];
  readonly #changes = new PastChanges();
  /** How many lines were parsed in vain. */
  misses = 0;

  constructor(words: string) {
    this.#words = searchWords(words);
    this.#parts = partsOf(this.#words);
  }

  #has(entry: LogEntry): boolean {
    return hasWords(this.#words, entry, this.#changes.text(entry));
  }

  /**
   * What is found with seq < `end` among the lines of a stretch, last first; lines that change others are none.
   * @param before The number of the line before the stretch. @param head No line from this number on is read.
   */
  *find(
    text: string,
    before: number,
    end: number,
    head: number,
  ): Generator<Hit> {
    for (const change of changesIn(text, before, head)) {
      this.#changes.keep(change);
    }
    // Most stretches are done with here: nothing of them is cut up or parsed.
    const folded = fold(text);
    const hasParts = this.#parts.every((part) => folded.includes(part));
    // Lines are counted only where that is needed.
    const last = before + (this.#changes.isEmpty ? 0 : countLines(text));
    if (hasParts || this.#changes.areReworded(before + 1, last)) {
      yield* this.#findIn(text, folded, before, end);
    }
    this.#changes.forget(before + 1, last);
  }

  /** As `find`. @param folded The stretch without case. */
  *#findIn(
    text: string,
    folded: string,
    before: number,
    end: number,
  ): Generator<Hit> {
    const lines = text.split("\n");
    const foldedLines = folded.split("\n");
    // What stands behind the last line break is no line.
    const last = Math.min(lines.length - 2, end - before - 2);
    for (let index = last; index >= 0; index--) {
      const [line = "", foldedLine = ""] = [lines[index], foldedLines[index]];
      const seq = before + index + 1;
      const isRead = this.#mayMatch(foldedLine) ||
        this.#changes.isReworded(seq);
      if (!isRead) continue;
      const entry = parseEntry(line, seq);
      if (entry && !isChange(entry) && this.#has(entry)) {
        yield { entry, changes: this.#changes.of(entry) };
      } else this.misses++;
    }
  }

  #mayMatch(line: string): boolean {
    const start = line.indexOf(" | ") + 3;
    return this.#parts.every((part) => line.includes(part, start));
  }
}

async function readStretch(
  file: Deno.FsFile,
  { offset, size }: Stretch,
  buffer: Uint8Array,
): Promise<string> {
  const bytes = buffer.subarray(0, size);
  await file.seek(offset, Deno.SeekMode.Start);
  const count = await fill(file, bytes);
  return decoder.decode(bytes.subarray(0, count));
}

/** The stretches of all files with lines before `head`, the last first. */
async function* backwards(files: LogFiles, head: number) {
  const newestFirst: LogFile[] = [...files.list].reverse();
  for (const file of newestFirst) {
    if (file.first >= head) continue;
    using opened = await files.reader(file);
    if (!opened) continue;
    await reading(file.path, () => file.count(opened));
    for (const stretch of file.index.back(head)) {
      yield { stretch, end: head, opened, path: file.path };
    }
    head = file.first;
  }
}

/** How much there is of stretches that begin behind a line, and have lines before `head`, bytes. */
async function sizeBeyond(
  files: LogFiles,
  head: number,
  line: number,
): Promise<number> {
  let size = 0;
  for await (const { stretch } of backwards(files, head)) {
    if (stretch.before + 1 < line) break;
    size += stretch.size;
  }
  return size;
}

/**
 * The last entries whose name or text, as it is by now, has each of the words, in any order, whatever the case. What
 * was changed about them is looked for up to the end of the log, or for 16,384 lines from `before` on.
 * @param head The number after the last line's.
 * @throws {LogError} if a file can't be read.
 * @throws the signal's reason.
 */
export async function searchFiles(
  files: LogFiles,
  words: string,
  head: number,
  { before = head, after = 0, limit, reach = REACH, signal }: SearchOptions,
): Promise<Found> {
  const matcher = new Matcher(words);
  const most = Math.min(limit, MAX_FOUND);
  const buffer = new Uint8Array(MAX_STRETCH);
  const hits: Hit[] = [];
  const result = (more: boolean, from: number): Found => ({
    entries: hits.map(({ entry }) => entry).reverse(),
    changes: hits.flatMap(({ changes }) => changes)
      .sort((a, b) => a.seq - b.seq),
    more,
    from,
  });
  let from = before;
  let size = 0;
  const start = Math.min(head, before + CHANGES_AFTER);
  let beyond = await sizeBeyond(files, start, before);
  for await (const it of backwards(files, start)) {
    const { stretch, end, opened, path } = it;
    signal?.throwIfAborted();
    const isBeyond = stretch.before + 1 >= before;
    if (isBeyond) {
      const isNear = beyond <= CHANGES_REACH;
      beyond -= stretch.size;
      if (!isNear) continue;
    } else {
      const cost = size + stretch.size + matcher.misses * MISS_COST;
      if (size > 0 && cost > reach) return result(true, from);
      size += stretch.size;
    }
    const text = await reading(
      path,
      () => readStretch(opened, stretch, buffer),
    );
    const last = Math.min(before, end);
    for (const hit of matcher.find(text, stretch.before, last, end)) {
      const { seq } = hit.entry;
      if (seq <= after) return result(false, after + 1);
      if (hits.length >= most) return result(true, from);
      hits.push(hit);
      from = seq;
    }
    if (!isBeyond) from = stretch.before + 1;
    if (stretch.before <= after) break;
  }
  return result(false, from);
}
