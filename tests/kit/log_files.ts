/**
 * What the tests of a log in several files share: lines of which two fill a file, and what a log is to hold.
 *
 * @module
 */

import type { ChatLog } from "../../src/log/chat_log.ts";
import { formatEntry } from "../../src/log/line_format.ts";
import type { NewEntry } from "../../src/protocol/line.ts";
import { assertEquals } from "./assert.ts";
import {
  headingAfter,
  lastOf,
  numbered,
  pastOf,
  said as saidShort,
  withMethod,
} from "./log_kit.ts";

/** Less than two lines, so that every second append rotates. */
export const MAX_SIZE = 240;

/** Lines that are longer than a heading, so that each file has as many. */
export const said = (
  n: number,
  text = `text ${n} ${"x".repeat(60)}`,
): NewEntry => saidShort(n, text);

export const saidUpTo = (count: number): NewEntry[] =>
  Array.from({ length: count }, (_, at) => said(at + 1));

export const linesOf = (entries: readonly NewEntry[]) =>
  entries.map((entry) => `${formatEntry(entry)}\n`).join("");

export const heading = (first: number) =>
  headingAfter(numbered(saidUpTo(first - 1)));

/** Appends `text FIRST` to `text LAST`, one at a time, and checks their numbers. */
export async function appendEach(log: ChatLog, first: number, last: number) {
  for (let n = first; n <= last; n++) {
    assertEquals(await log.append([said(n)]), n);
  }
}

export async function assertHolds(log: ChatLog, count: number, first = 1) {
  assertEquals(log.head, count);
  const all = numbered(saidUpTo(count));
  for (let after = 0; after <= count; after++) {
    const expected = all.slice(Math.max(after, first - 1));
    assertEquals(await pastOf(log, after), expected);
    assertEquals(await lastOf(log, count - after), expected);
  }
}

/** Lets every look at the path count, whatever the time. */
export async function withEachSecond(body: () => Promise<void>) {
  let now = Math.ceil(performance.now());
  const later = () => () => now += 1_000;
  await withMethod(performance, "now", later, body);
}
