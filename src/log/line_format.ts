/**
 * The lines of `chat.log`: entry to text and back. After the time stand the person's short id, the stay in which it
 * was said and the client's number for it there.
 *
 *     2026-11-23T17:06:07.004Z k3df9q2mx7ta41cz.Yk3xQ0p1a2c.1 | Abhii: Kaise ho bro
 *     2026-11-23T17:06:09.120Z k3df9q2mx7ta41cz.Yk3xQ0p1a2c.2 | * Abhii waves
 *     2026-11-23T17:06:12.871Z 8wn0yqp4rv6hs2jb.p0Zr7LkQ2wE.7 | Bilal to 42: Achha hoon
 *     2026-11-23T17:06:31.590Z k3df9q2mx7ta41cz.Yk3xQ0p1a2c.3 | Abhii is now Abhijeet
 *     2026-11-23T17:06:33.004Z k3df9q2mx7ta41cz.Yk3xQ0p1a2c.4 | Abhijeet edits 43: Kaise ho, bro?
 *     2026-11-23T17:06:35.310Z 8wn0yqp4rv6hs2jb.p0Zr7LkQ2wE.8 | Bilal reacts to 43: 👍
 *     2026-11-23T17:06:40.217Z k3df9q2mx7ta41cz.Yk3xQ0p1a2c.5 | Abhijeet offers hut.jpg (81204 bytes, SHA-256 9f86…0a08)
 *     2026-11-23T17:06:44.901Z k3df9q2mx7ta41cz.Yk3xQ0p1a2c.6 | Abhijeet seals 3.AAAAAAAAACrU…
 *
 * @module
 */

import {
  type Escapes,
  isAbout,
  type LogEntry,
  type NewEntry,
  parseSentence,
  sentence,
} from "../protocol/line.ts";
import { parseOffer } from "../protocol/offer.ts";
import { isEmoji } from "../protocol/reaction.ts";
import { MAX_ENTRY_LENGTH, MAX_TEXT_SIZE } from "../protocol/reasons.ts";
import {
  escapeCharacter,
  escapeLine,
  unescapeLine,
} from "../base/safe_text.ts";
import { LINE_BREAK } from "./line_index.ts";

/** How much of the file is read at once, bytes. */
const READ_SIZE = 65_536;
/** The longest line that can be ours, bytes: 6,144 units of text come to at most 36,864 when escaped. */
export const MAX_LINE_SIZE = 65_536;
/** The most entries that are read in one piece. */
const PIECE = 256;
/** The longest name in an entry, UTF-16 units. */
const MAX_NAME_LENGTH = 256;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

// A name has neither a space nor a colon nor an asterisk; if ever one should, it still ends where it ends.
const escapes: Escapes = {
  name: (text) => escapeLine(text).replace(/[ :*]/g, escapeCharacter),
  words: escapeLine,
};

// All lines of a batch have one time, and to put it into words costs more than the rest of a line.
let lastTime = { at: NaN, words: "" };

function formatTime(at: number): string {
  if (at !== lastTime.at) lastTime = { at, words: new Date(at).toISOString() };
  return lastTime.words;
}

/**
 * The entry's line, without the line break: one line whatever was typed.
 * @throws {RangeError} for a time that no date has, and for an answer or a change to no number.
 */
export function formatEntry(entry: NewEntry): string {
  const { what, at, person, stay, n, to } = entry;
  if (isAbout(what) && !(Number.isSafeInteger(to) && Number(to) > 0)) {
    throw new RangeError(`Cannot write what was ${what}: no event ${to}`);
  }
  return `${formatTime(at)} ${person}.${stay}.${n} | ${
    sentence(entry, escapes, " the chat")
  }`;
}

const ours =
  /^(?<time>\S+) (?<person>[0-9a-hjkmnp-tv-z]{16})\.(?<stay>[\w-]{11})\.(?<n>0|[1-9]\d{0,15}) \| (?<told>.*)$/u;

/** Whether it can be told to a client: somebody may have written in the file by hand. */
function isSayable({ what, name, text }: LogEntry): boolean {
  if (what === "offered" && !parseOffer(text)) return false;
  if (what === "reacted" && text !== "" && !isEmoji(text)) return false;
  const isLong = what === "sealed" || what === "ruled";
  const most = isLong ? MAX_ENTRY_LENGTH : MAX_TEXT_SIZE;
  return name.length <= MAX_NAME_LENGTH && text.length <= most;
}

/** The entry that a line without its line break holds, null for a line that is not one of ours. */
export function parseEntry(line: string, seq: number): LogEntry | null {
  const groups = ours.exec(line)?.groups;
  if (!groups) return null;
  const { time = "", person = "", stay = "", told = "" } = groups;
  const at = Date.parse(time);
  const n = Number(groups["n"]);
  // `Date.parse` takes many forms, and a 30 February for 2 March.
  if (Number.isNaN(at) || new Date(at).toISOString() !== time) return null;
  if (!Number.isSafeInteger(n)) return null;
  try {
    const words = parseSentence(told, unescapeLine);
    if (!words) return null;
    const entry = { seq, at, person, stay, n, ...words };
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
