/**
 * Finding words in the log, backwards from a given entry.
 *
 * @module
 */

import type { LogFile } from "./file.ts";
import type { LogFiles } from "./files.ts";
import { MAX_LINE_SIZE, parseEntry } from "./line_format.ts";
import { escapeLine } from "../base/safe_text.ts";
import type { LogEntry } from "../protocol/line.ts";
import type { Stretch } from "./line_index.ts";

/** The most entries that one search finds. */
const MAX_FOUND = 200;
/** How far back one search reads unless told otherwise, bytes. */
const REACH = 67_108_864;
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
  /** The last that match, oldest first. */
  readonly entries: readonly LogEntry[];
  /** Whether there are more before them, or might be: then the search gave up. */
  readonly more: boolean;
  /** No entries from this number on were left out: to go on, search before it. */
  readonly from: number;
}

const ascii = /^[\0-\x7f]*$/;

/** Text without case and without variants of characters that mean the same: for comparing, never for showing. */
export function fold(text: string): string {
  if (ascii.test(text)) return text.toLowerCase();
  // In capitals first, which makes two letters of ß; a sigma is small in two ways, by where it stands.
  return text.normalize("NFKC").toUpperCase().toLowerCase()
    .replaceAll("ς", "σ");
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
    .map((part) => part.replace(/^\p{M}+/u, ""))
    .filter((part) => part !== "");
}

/** Finds entries by their words. */
class Matcher {
  readonly #words: readonly string[];
  readonly #parts: readonly string[];
  /** How many lines were parsed in vain. */
  misses = 0;

  constructor(words: string) {
    this.#words = fold(words).split(/\s+/u).filter((word) => word !== "");
    this.#parts = partsOf(this.#words);
  }

  #has(entry: LogEntry): boolean {
    // Why somebody left is a code, not words.
    const text = entry.what === "left" ? "" : fold(entry.text);
    const name = fold(entry.name);
    return this.#words.every((it) => name.includes(it) || text.includes(it));
  }

  /** The entries with seq < `end` among the lines of a stretch, last first. */
  *find(text: string, before: number, end: number): Generator<LogEntry> {
    // Most stretches are done with here: nothing of them is cut up or parsed.
    const folded = fold(text);
    if (!this.#parts.every((part) => folded.includes(part))) return;
    const lines = text.split("\n");
    const foldedLines = folded.split("\n");
    // What stands behind the last line break is no line.
    const last = Math.min(lines.length - 2, end - before - 2);
    for (let index = last; index >= 0; index--) {
      const [line = "", foldedLine = ""] = [lines[index], foldedLines[index]];
      if (!this.#mayMatch(foldedLine) || line.length > MAX_LINE_SIZE) continue;
      const entry = parseEntry(line, before + index + 1);
      if (entry && this.#has(entry)) yield entry;
      else this.misses++;
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
  let count = 0;
  while (count < bytes.length) {
    const more = await file.read(bytes.subarray(count));
    if (more === null) break;
    count += more;
  }
  return decoder.decode(bytes.subarray(0, count));
}

/** The stretches of all files with lines before `end`, the last first. */
async function* backwards(files: LogFiles, end: number) {
  const newestFirst: LogFile[] = [...files.list].reverse();
  for (const file of newestFirst) {
    if (file.first >= end) continue;
    using opened = await files.reader(file);
    if (!opened) continue;
    await file.count(opened);
    for (const stretch of file.index.back(end)) {
      yield { stretch, end, opened };
    }
    end = file.first;
  }
}

/**
 * The last entries whose name or text has each of the words, in any order, whatever the case.
 * @throws {LogError} if a file can't be read.
 * @throws the signal's reason.
 */
export async function searchFiles(
  files: LogFiles,
  words: string,
  { before = Infinity, after = 0, limit, reach = REACH, signal }: SearchOptions,
): Promise<Found> {
  const matcher = new Matcher(words);
  const most = Math.min(limit, MAX_FOUND);
  const buffer = new Uint8Array(MAX_STRETCH);
  const entries: LogEntry[] = [];
  const result = (more: boolean, from: number): Found => ({
    entries: entries.reverse(),
    more,
    from,
  });
  let from = before;
  let size = 0;
  for await (const { stretch, end, opened } of backwards(files, before)) {
    signal?.throwIfAborted();
    const cost = size + stretch.size + matcher.misses * MISS_COST;
    if (size > 0 && cost > reach) return result(true, from);
    size += stretch.size;
    const text = await readStretch(opened, stretch, buffer);
    for (const entry of matcher.find(text, stretch.before, end)) {
      if (entry.seq <= after) return result(false, after + 1);
      if (entries.length >= most) return result(true, from);
      entries.push(entry);
      from = entry.seq;
    }
    from = stretch.before + 1;
    if (stretch.before <= after) break;
  }
  return result(false, from);
}
