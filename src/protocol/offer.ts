/**
 * Files that are offered: what is said of one in a line, how it is cut into pieces, and the name that it is saved
 * under.
 *
 *     report.pdf (1258291 bytes, SHA-256 9f86d081884c7d65…)
 *
 * @module
 */

import { escapeText } from "../base/safe_text.ts";

/** A file is passed on in pieces of this size, bytes; small, so that a message never waits long behind one. */
export const PIECE_SIZE = 16_384;
/** What a piece that is sealed, as in a sealed room, is longer, bytes: the number of an epoch, a salt and a tag. */
export const PIECE_OVERHEAD = 40;
/** Pieces that one member may have asked for at a time, of all the files that it takes. */
export const MAX_ASKED = 16;
/** The largest file that any server passes on, bytes. */
export const MAX_OFFER_SIZE: number = 2 ** 40;
/** The longest name of a file, bytes of UTF-8: what file systems take. */
const MAX_NAME_SIZE = 255;
/** The longest name that a file is saved under, bytes of UTF-8: leaves place for a number and an ending. */
const MAX_SAVED_SIZE = 200;
/** The longest ending that is kept when a name is cut, UTF-16 units with its dot. */
const MAX_ENDING = 16;

/** A file as it is offered. */
export interface Offer {
  /** Its name, without any folder: 1 to 255 bytes of UTF-8. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** SHA-256 of all its bytes, 64 hexadecimal digits. */
  readonly digest: string;
}

const encoder = new TextEncoder();
const offered =
  /^(?<name>.+) \((?<size>0|[1-9]\d{0,12}) bytes, SHA-256 (?<digest>[0-9a-f]{64})\)$/u;
const separators = /[/\\\p{Cc}]/u;

/** Whether a text can be a file's name on its own: no folder, no control character, neither `.` nor `..`. */
export function isFileName(name: string): boolean {
  if (name === "" || name === "." || name === "..") return false;
  if (separators.test(name) || !name.isWellFormed()) return false;
  return encoder.encode(name).length <= MAX_NAME_SIZE;
}

/** An offer as the text of its line. */
export function formatOffer({ name, size, digest }: Offer): string {
  return `${name} (${size} bytes, SHA-256 ${digest})`;
}

/** The offer that a text is, null if it is none. */
export function parseOffer(text: string): Offer | null {
  const groups = offered.exec(text)?.groups;
  if (!groups) return null;
  const { name = "", digest = "" } = groups;
  const size = Number(groups["size"]);
  if (!isFileName(name) || size > MAX_OFFER_SIZE) return null;
  return { name, size, digest };
}

/** A size for people: "532 bytes", "1.2 MB". */
export function formatSize(bytes: number): string {
  const units = ["kB", "MB", "GB", "TB"];
  let amount = bytes;
  let unit = "bytes";
  for (const next of units) {
    if (amount < 999.5) break;
    amount /= 1_000;
    unit = next;
  }
  const digits = unit === "bytes" || amount >= 99.95 ? 0 : 1;
  return `${amount.toFixed(digits)} ${unit}`;
}

// What some system takes for more than a part of a name, beside folders' separators.
const special = /["*:<>?|]/g;
const trailing = /[\s.]+$/u;
const device = /^(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/i;

/**
 * The name to save an offered file under, harmless in any folder of any system, and harmless to look at: no
 * hidden file, no option of a command, no device, no folder, at most 200 bytes of UTF-8.
 */
export function safeFileName(name: string): string {
  const visible = [...name.normalize("NFC").toWellFormed()]
    .map((char) => escapeText(char) === char ? char : "_").join("");
  const plain = escapeText(visible) // what is too much only together, as marks are, is escaped by now
    .replace(/[/\\]/g, "_")
    .replace(special, "_")
    .replace(trailing, "")
    .replace(/^[\s.-]+/u, "_")
    .replace(device, "_$&");
  return shorten(plain) || "_";
}

/** A name of at most 200 bytes with the same ending. */
function shorten(name: string): string {
  if (encoder.encode(name).length <= MAX_SAVED_SIZE) return name;
  const dot = name.lastIndexOf(".");
  const ending = name.length - dot <= MAX_ENDING ? name.slice(dot) : "";
  const room = MAX_SAVED_SIZE - encoder.encode(ending).length;
  let kept = "";
  let size = 0;
  for (const char of name) {
    size += encoder.encode(char).length;
    if (size > room) break;
    kept += char;
  }
  return kept.replace(trailing, "") + ending; // it may have been cut there
}
