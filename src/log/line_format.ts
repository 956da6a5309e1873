/**
 * The lines of `chat.log`: entry to text and back, and where in the file they are. Knows nothing of appending
 * or locking.
 *
 *     2026-11-23T17:06:07.004Z 3f9a1c02d417.1 | Abhii: Kaise ho bro
 *     2026-11-23T17:06:09.120Z 3f9a1c02d417.2 | * Abhii waves
 *     2026-11-23T17:06:12.871Z 5b20aa91c3fe.7 | Bilal to 42: Achha hoon
 *     2026-11-23T17:06:31.590Z 3f9a1c02d417.3 | Abhii is now Abhijeet
 *     2026-11-23T17:06:40.217Z 3f9a1c02d417.4 | Abhijeet offers hut.jpg (81204 bytes, SHA-256 9f86…0a08)
 *
 * @module
 */

import { GOODBYES, MAX_TEXT_SIZE, wording } from "../protocol/events.ts";
import { parseOffer } from "../protocol/offer.ts";
import {
  escapeCharacter,
  escapeLine,
  unescapeLine,
} from "../base/safe_text.ts";

/** How much of the file is read at once, bytes. */
const READ_SIZE = 65_536;
/** The longest line that can be ours, bytes: 4,096 bytes of text come to at most 24,576 when escaped. */
export const MAX_LINE_SIZE = 65_536;
/** One place is kept for so many bytes: 4,000 of them for a file of 1 GB. */
const STRETCH_SIZE = 262_144;
/** The most entries that are read in one piece. */
const PIECE = 256;
/** The longest name in an entry, UTF-16 units. */
const MAX_NAME_LENGTH = 256;
const LINE_BREAK = 10;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A line of the log that is one of ours. */
export interface LogEntry {
  /** The line's number in the file, from 1 on. */
  readonly seq: number;
  /** When, milliseconds since 1970. */
  readonly at: number;
  /** The fingerprint of the member's key, 12 hexadecimal digits. */
  readonly key: string;
  /** The member's own number for it. */
  readonly n: number;
  /** What the member did. */
  readonly what:
    | "joined"
    | "left"
    | "said"
    | "acted"
    | "replied"
    | "offered"
    | "renamed";
  /** The member's name; renamed: the one it had. */
  readonly name: string;
  /**
   * said, acted, replied: the text; offered: as `formatOffer` makes it; renamed: the new name; left: a key of
   * `GOODBYES`, or the member's own words; joined: "".
   */
  readonly text: string;
  /** replied: the number of the entry that is answered; else null. */
  readonly to: number | null;
}

/** An entry before it has its number. `to` counts for replies alone. */
export type NewEntry = Omit<LogEntry, "seq" | "to"> & {
  /** replied: the number of the entry that is answered. */
  readonly to?: number | null;
};

/** The entry that a new one becomes under a number. */
export function numberEntry(entry: NewEntry, seq: number): LogEntry {
  const to = entry.what === "replied" ? entry.to ?? null : null;
  return { ...entry, seq, to };
}

const reasons = new Map<string, string>(
  Object.entries(GOODBYES).map(([key, words]) => [words, key]),
);

// A name has neither a space nor a colon nor an asterisk; if ever one should, it still ends where it ends.
const formatName = (name: string) =>
  escapeLine(name).replace(/[ :*]/g, escapeCharacter);

function formatReply(to: number | null | undefined): string {
  if (Number.isSafeInteger(to) && Number(to) > 0) return `to ${to}`;
  throw new RangeError(`Cannot write a reply: it answers no event: ${to}`);
}

function formatWords({ what, name, text, to }: NewEntry): string {
  const shown = formatName(name);
  switch (what) {
    case "said":
      return `${shown}: ${escapeLine(text)}`;
    case "acted":
      return `* ${shown} ${escapeLine(text)}`;
    case "replied":
      return `${shown} ${formatReply(to)}: ${escapeLine(text)}`;
    case "offered":
      return `${shown} offers ${escapeLine(text)}`;
    case "renamed":
      return `${shown} is now ${formatName(text)}`;
    case "joined":
      return `${shown} joined the chat`;
    case "left":
      return `${shown} left the chat${formatReason(text)}`;
  }
}

const formatReason = (reason: string) =>
  reason === "left" ? "" : ` (${escapeLine(wording(GOODBYES, reason))})`;

// All lines of a batch have one time, and to put it into words costs more than the rest of a line.
let lastTime = { at: NaN, words: "" };

function formatTime(at: number): string {
  if (at !== lastTime.at) lastTime = { at, words: new Date(at).toISOString() };
  return lastTime.words;
}

/**
 * The entry's line, without the line break: one line whatever was typed.
 * @throws {RangeError} for a time that no date has, and for a reply to no number.
 */
export function formatEntry(entry: NewEntry): string {
  return `${formatTime(entry.at)} ${entry.key}.${entry.n} | ${
    formatWords(entry)
  }`;
}

// What follows a name begins with a colon or a space, and the word after the space tells the kinds apart.
const ours = new RegExp(
  String.raw`^(?<time>\S+) (?<key>[0-9a-f]{12})\.(?<n>0|[1-9]\d{0,15}) \| ` +
    String.raw`(?:\* (?<actor>[^ :*]+) (?<acted>.*)|(?<name>[^ :*]+)(?:` +
    String.raw`: (?<said>.*)|` +
    String.raw` to (?<to>[1-9]\d{0,15}): (?<replied>.*)|` +
    String.raw` offers (?<offered>.*)|` +
    String.raw` is now (?<renamed>[^ :*]+)|` +
    String.raw`(?<joined> joined the chat)|` +
    String.raw` left the chat(?: \((?<reason>.*)\))?))$`,
  "u",
);

const WORDED = ["said", "acted", "replied", "offered", "renamed"] as const;

type Groups = Readonly<Record<string, string | undefined>>;
type Words = Pick<LogEntry, "what" | "text" | "to">;

function parseWords(groups: Groups): Words {
  for (const what of WORDED) {
    const text = groups[what];
    if (text === undefined) continue;
    const to = what === "replied" ? Number(groups["to"]) : null;
    return { what, text: unescapeLine(text), to };
  }
  if (groups["joined"] !== undefined) {
    return { what: "joined", text: "", to: null };
  }
  const words = unescapeLine(groups["reason"] ?? GOODBYES.left);
  return { what: "left", text: reasons.get(words) ?? words, to: null };
}

/** Whether it can be told to a client: somebody may have written in the file by hand. */
function isSayable({ what, name, text }: LogEntry): boolean {
  if (what === "offered" && !parseOffer(text)) return false;
  return name.length <= MAX_NAME_LENGTH && text.length <= MAX_TEXT_SIZE;
}

/** The entry that a line without its line break holds, null for a line that is not one of ours. */
export function parseEntry(line: string, seq: number): LogEntry | null {
  const groups = ours.exec(line)?.groups;
  if (!groups) return null;
  const { time = "", key = "", actor = "", name = actor } = groups;
  const at = Date.parse(time);
  const n = Number(groups["n"]);
  // `Date.parse` takes many forms, and a 30 February for 2 March.
  if (Number.isNaN(at) || new Date(at).toISOString() !== time) return null;
  if (!Number.isSafeInteger(n)) return null;
  try {
    const words = parseWords(groups);
    if (words.to !== null && !Number.isSafeInteger(words.to)) return null;
    const entry = { seq, at, key, n, name: unescapeLine(name), ...words };
    return isSayable(entry) ? entry : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null; // an escape that we never write
    throw error;
  }
}

/** The entry that a line without its line break holds, as bytes; null for one that is not ours. */
export function readEntry(line: Uint8Array, seq: number): LogEntry | null {
  return line.length > MAX_LINE_SIZE
    ? null
    : parseEntry(decoder.decode(line), seq);
}

/** The beginning of a line in a file. */
export interface Place {
  /** The number of the line before. */
  readonly before: number;
  /** Bytes from the beginning of the file. */
  readonly offset: number;
}

/** Some whole lines of a file, in a row. */
export interface Stretch extends Place {
  /** Bytes, with the last line break: about 256 KiB where lines are ours. */
  readonly size: number;
}

/** Where lines are in a file: counts the line breaks of all that it holds, in order. */
export class LineIndex {
  #last: number;
  #end: number;
  #size: number;
  readonly #places: Place[];

  /** An index of the lines that begin at a place. */
  constructor(start: Place) {
    this.#last = start.before;
    this.#end = start.offset;
    this.#size = start.offset;
    this.#places = [start];
  }

  /** The number of the last whole line. */
  get last(): number {
    return this.#last;
  }

  /** Where the last whole line ends, bytes. */
  get end(): number {
    return this.#end;
  }

  /** Takes the next bytes of the file. */
  add(bytes: Uint8Array): void {
    let next = (this.#places.at(-1)?.offset ?? 0) + STRETCH_SIZE;
    let at = bytes.indexOf(LINE_BREAK);
    for (; at >= 0; at = bytes.indexOf(LINE_BREAK, at + 1)) {
      this.#end = this.#size + at + 1;
      this.#last++;
      if (this.#end < next) continue;
      this.#places.push({ before: this.#last, offset: this.#end });
      next = this.#end + STRETCH_SIZE;
    }
    this.#size += bytes.length;
  }

  /** Forgets an unfinished last line. */
  cut(): void {
    this.#size = this.#end;
  }

  /** A place from which to read towards the line after `line`. */
  before(line: number): Place {
    let low = 0;
    let high = this.#places.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#places[middle]?.before ?? Infinity) <= line) low = middle;
      else high = middle;
    }
    return this.#places[low] ?? { before: this.#last, offset: this.#end };
  }

  /** All lines before the line `line`, and some after, the last stretch first. */
  *back(line: number): Generator<Stretch> {
    let end = this.#end;
    for (let at = this.#places.length - 1; at >= 0; at--) {
      const place = this.#places[at];
      if (!place) break;
      const size = end - place.offset;
      if (size > 0 && place.before + 1 < line) yield { ...place, size };
      end = place.offset;
    }
  }
}

/**
 * Our entries with `after` < seq <= `upTo` in pieces of 1 to 256, read from a file that stands behind its line
 * `lines`. A line that no line break ends is none.
 */
export async function* readEntries(
  file: Deno.FsFile,
  lines: number,
  after: number,
  upTo: number,
): AsyncGenerator<LogEntry[]> {
  const buffer = new Uint8Array(READ_SIZE);
  let rest = new Uint8Array(0);
  let entries: LogEntry[] = [];
  while (lines < upTo) {
    const count = await file.read(buffer);
    if (count === null) break;
    const bytes = new Uint8Array(rest.length + count);
    bytes.set(rest);
    bytes.set(buffer.subarray(0, count), rest.length);
    let start = 0;
    while (lines < upTo) {
      const end = bytes.indexOf(LINE_BREAK, start);
      if (end < 0) break;
      const line = bytes.subarray(start, end);
      const entry = ++lines > after ? readEntry(line, lines) : null;
      if (entry) entries.push(entry);
      if (entries.length === PIECE) {
        yield entries;
        entries = [];
      }
      start = end + 1;
    }
    // One byte more than a line of ours can have is enough to know that it isn't one.
    rest = bytes.slice(start, start + MAX_LINE_SIZE + 1);
  }
  if (entries.length > 0) yield entries;
}
