/**
 * A line of a file that is only ever added to: a JSON object with a checksum.
 *
 *     {"kind":"name","person":"…","name":"ana","since":1764061567004,"sum":"9f86d081884c"}
 *
 * @module
 */

import { sha256 } from "@noble/hashes/sha2.js";

/** Hexadecimal digits of a line's checksum. */
const SUM_LENGTH = 12;
const SUM = new RegExp(`^(.*),"sum":"([0-9a-f]{${SUM_LENGTH}})"\\}$`, "s");
/** What only the end of a line has. */
const ENDED = /"sum":"[0-9a-f]*"\}/;
/** What ends a line. */
export const LF = 0x0a;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

function sumOf(bytes: Uint8Array): string {
  return sha256(bytes).toHex().slice(0, SUM_LENGTH);
}

/** A line with its line break. @param value An object with at least one field, none of them "sum". */
export function formatLine(value: object): string {
  const text = JSON.stringify(value).slice(0, -1);
  return `${text},"sum":"${sumOf(encoder.encode(text))}"}\n`;
}

/** What a line without its line break says; undefined for one that is damaged. */
export function parseLine(line: string): object | undefined {
  const [, text, sum] = SUM.exec(line) ?? [];
  if (text === undefined) return undefined;
  if (sumOf(encoder.encode(text)) !== sum) return undefined;
  return JSON.parse(`${text}}`); // whole, so it is one that `formatLine` made
}

/** What lines say, each of which has its line break, UTF-8; undefined for one that is damaged. */
export function* parseLines(
  bytes: Uint8Array,
): Generator<object | undefined> {
  let start = 0;
  for (let end; (end = bytes.indexOf(LF, start)) >= 0; start = end + 1) {
    yield parseBytes(bytes.subarray(start, end));
  }
}

function parseBytes(line: Uint8Array): object | undefined {
  try {
    return parseLine(decoder.decode(line));
  } catch {
    return undefined; // not UTF-8
  }
}

/** Whether what follows the last line break is neither a line nor what a crash left of one. */
export function isDamagedEnd(rest: string): boolean {
  return !parseLine(rest) && ENDED.test(rest);
}
