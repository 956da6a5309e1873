/**
 * The lines of `chat.log`: entry to text and back, and where in the file they are. Knows nothing of appending
 * or locking.
 *
 *     2026-11-23T17:06:07.004Z 3f9a1c02d417.1 | Abhii: Kaise ho bro
 *
 * @module
 */

import { GOODBYES, MAX_TEXT_SIZE, wording } from "./events.ts";
import { escapeCharacter, escapeLine, unescapeLine } from "./text.ts";

/** How much of the file is read at once, bytes. */
const READ_SIZE = 65_536;
/** The longest line that can be ours, bytes: 4,096 bytes of text come to at most 24,576 when escaped. */
export const MAX_LINE_SIZE = 65_536;
/** One offset is kept for so many lines: 20 KB or so for ten million of them. */
const INDEX_STEP = 4_096;
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
  readonly what: "joined" | "left" | "said";
  /** The member's name. */
  readonly name: string;
  /** said: the text; left: a key of `GOODBYES`, "left" where the line gives another reason; joined: "". */
  readonly text: string;
}

/** An entry before it has its number. */
export type NewEntry = Omit<LogEntry, "seq">;

const reasons = new Map<string, string>(
  Object.entries(GOODBYES).map(([key, words]) => [words, key]),
);

function formatWords({ what, name, text }: NewEntry): string {
  // A name has neither a space nor a colon; if ever one should, it still ends where it ends.
  const shown = escapeLine(name).replace(/[ :]/g, escapeCharacter);
  if (what === "said") return `${shown}: ${escapeLine(text)}`;
  if (what === "joined") return `${shown} joined the chat`;
  const reason = text === "left"
    ? ""
    : ` (${escapeLine(wording(GOODBYES, text))})`;
  return `${shown} left the chat${reason}`;
}

/**
 * The entry's line, without the line break: one line whatever was typed.
 * @throws {RangeError} for a time that no date has.
 */
export function formatEntry(entry: NewEntry): string {
  const time = new Date(entry.at).toISOString();
  return `${time} ${entry.key}.${entry.n} | ${formatWords(entry)}`;
}

const ours = new RegExp(
  String.raw`^(?<time>\S+) (?<key>[0-9a-f]{12})\.(?<n>0|[1-9]\d{0,15}) \| ` +
    String.raw`(?<name>[^ :]+)(?:: (?<said>.*)|(?<joined> joined the chat)|` +
    String.raw` left the chat(?: \((?<reason>.*)\))?)$`,
  "u",
);

type Words = Pick<LogEntry, "what" | "text">;

function parseWords(groups: Record<string, string | undefined>): Words {
  const { said, joined, reason } = groups;
  if (said !== undefined) return { what: "said", text: unescapeLine(said) };
  if (joined !== undefined) return { what: "joined", text: "" };
  const words = unescapeLine(reason ?? GOODBYES.left);
  return { what: "left", text: reasons.get(words) ?? "left" };
}

/** Whether it can be told to a client: somebody may have written in the file by hand. */
function isSayable({ name, text }: LogEntry): boolean {
  return name.length <= MAX_NAME_LENGTH && text.length <= MAX_TEXT_SIZE;
}

/** The entry that a line without its line break holds, null for a line that is not one of ours. */
export function parseEntry(line: string, seq: number): LogEntry | null {
  const groups = ours.exec(line)?.groups;
  if (!groups) return null;
  const { time = "", key = "", name = "" } = groups;
  const at = Date.parse(time);
  const n = Number(groups["n"]);
  // `Date.parse` takes many forms, and a 30 February for 2 March.
  if (Number.isNaN(at) || new Date(at).toISOString() !== time) return null;
  if (!Number.isSafeInteger(n)) return null;
  try {
    const words = parseWords(groups);
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

/** Where lines are in the file: counts the line breaks of all that the file holds, in order. */
export class LineIndex {
  /** How many whole lines there are. */
  lines = 0;
  /** Where the last whole line ends, bytes. */
  end = 0;
  #size = 0;
  readonly #offsets = [0];

  /** Takes the next bytes of the file. */
  add(bytes: Uint8Array): void {
    let at = bytes.indexOf(LINE_BREAK);
    for (; at >= 0; at = bytes.indexOf(LINE_BREAK, at + 1)) {
      this.end = this.#size + at + 1;
      this.lines++;
      if (this.lines % INDEX_STEP === 0) this.#offsets.push(this.end);
    }
    this.#size += bytes.length;
  }

  /** Forgets an unfinished last line. */
  cut(): void {
    this.#size = this.end;
  }

  /** A place from which to read towards the line after `line`: the lines before it, and its offset. */
  before(line: number): { lines: number; offset: number } {
    const step = Math.floor(line / INDEX_STEP);
    return {
      lines: step * INDEX_STEP,
      offset: this.#offsets[step] ?? this.end,
    };
  }
}

/**
 * Our entries with `after` < seq <= `upTo` in pieces of 1 to 256, read from a file that stands behind its line
 * `lines`.
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
