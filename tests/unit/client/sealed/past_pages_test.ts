/**
 * Pages of a sealed room's past: which ones are read, and whether they fit together.
 *
 * @module
 */

import {
  PageChain,
  type PastPage,
  readPage,
} from "../../../../src/client/sealed/past_pages.ts";
import type { Page } from "../../../../src/client/pending_pages.ts";
import { Chain, chainEvent } from "../../../../src/protocol/chain.ts";
import { EventError } from "../../../../src/protocol/events.ts";
import type { LogEntry } from "../../../../src/protocol/line.ts";
import type { Seen } from "../../../../src/sealed/sealed_line.ts";
import { assertEquals, assertThrows } from "../../../kit/assert.ts";
import { equalBytes } from "../../../../crypto_utils.ts";
import { numbered, said, saidUpTo, valueFor } from "../../../kit/log_kit.ts";

const ALL = numbered(saidUpTo(60));

/** A page of lines behind one number and before another. */
const pageOf = (
  after: number,
  before: number,
  more: Partial<Page> = {},
  lines: readonly LogEntry[] = ALL,
): Page => ({
  start: chainEvent(after, valueFor(lines, after)),
  lines: lines.filter(({ seq }) => seq > after && seq < before),
  more: after > 0,
  ...more,
});

Deno.test("readPage() gives a page's lines and the chain along them, up to the number before which it was asked for", () => {
  const { after, lines, chain, more } = readPage(pageOf(10, 20), 20);
  assertEquals([after, lines, more], [10, ALL.slice(10, 19), true]);
  assertEquals([chain?.seq, chain?.value], [19, valueFor(ALL, 19)]);
  const some = ALL.slice(10, 15); // the last of them aren't there
  const short = readPage(pageOf(10, 20, { lines: some }), 20);
  const expected = new Chain(10, valueFor(ALL, 10));
  for (const line of some) expected.add(line);
  expected.skipTo(19);
  assertEquals([short.chain?.seq, short.chain?.value], [19, expected.value]);
  const untold = pageOf(10, 20, { start: chainEvent(10, undefined) });
  assertEquals(readPage(untold, 20).chain, undefined);
  const none = readPage(pageOf(19, 20, { more: false }), 20);
  assertEquals([none.after, none.lines], [19, []]);
});

Deno.test("readPage() reads no page that begins or ends elsewhere, that leads nowhere, or whose lines don't rise", () => {
  const cases: Page[] = [
    pageOf(10, 20, { start: undefined }),
    pageOf(20, 20, { more: false }),
    pageOf(21, 20, { more: false }),
    pageOf(20, 20, { more: false, lines: ALL.slice(10, 12) }),
    pageOf(21, 20, { more: false, lines: ALL.slice(10, 12) }),
    pageOf(10, 21),
    pageOf(19, 20), // older lines, and none of them told
  ];
  for (const page of cases) {
    assertThrows(() => readPage(page, 20), EventError, "it is another one");
  }
  for (const start of [chainEvent(10, undefined), pageOf(10, 20).start]) {
    const page = pageOf(10, 20, { start, lines: ALL.slice(10, 12).reverse() });
    assertThrows(
      () => readPage(page, 20),
      EventError,
      "Cannot follow the history",
    );
  }
});

/** What a client knows that has counted some lines. */
const seamOf = (lines: readonly LogEntry[], from = 0, upTo = 60) => ({
  seen: { seq: 0, value: valueFor(lines, 0) },
  seenDiffers: ({ seq, value }: Seen, line: number) => {
    if (seq >= line) return true;
    const isKnown = seq >= from && seq <= upTo;
    return isKnown ? !equalBytes(value, valueFor(lines, seq)) : undefined;
  },
});

Deno.test("PageChain sees whether each page ends where the one after it began, and the newest where this client counted", () => {
  const others = [
    ...ALL.slice(0, 14),
    ...numbered(ALL.slice(14).map(({ n }) => said(n, "other")), 15),
  ];
  const read = (after: number, before: number, lines = ALL): PastPage =>
    readPage(pageOf(after, before, {}, lines), before);
  const untold = (after: number, before: number) =>
    readPage(
      pageOf(after, before, { start: chainEvent(after, undefined) }),
      before,
    );
  const cases: [
    seam: ReturnType<typeof seamOf>,
    pages: PastPage[],
    found: (number | undefined)[],
  ][] = [
    [seamOf(ALL), [read(20, 30), read(10, 21)], [undefined, undefined]],
    // Where this client has counted it all, it knows the first line that is another.
    [seamOf(ALL), [read(10, 30, others)], [15]],
    [seamOf(others), [read(20, 30)], [21]],
    [seamOf(ALL, 18), [read(10, 30, others)], [18]],
    [seamOf(ALL, 29), [read(10, 30, others)], [29]],
    // One that has counted nothing there sees that they don't fit together.
    [seamOf(ALL, 99), [read(20, 30), read(10, 21, others)], [undefined, 11]],
    [seamOf(ALL, 99), [read(10, 30, others)], [undefined]],
    // One behind a page whose value wasn't told begins anew.
    [seamOf(ALL, 99), [read(20, 30), untold(15, 21), read(10, 16, others)], [
      undefined,
      undefined,
      undefined,
    ]],
    // What isn't the page before is held against what was counted.
    [seamOf(ALL), [read(40, 50), read(10, 30, others)], [undefined, 15]],
    [seamOf(ALL, 99), [read(40, 50), read(10, 30, others)], [
      undefined,
      undefined,
    ]],
  ];
  for (const [seam, pages, found] of cases) {
    const chain = new PageChain(seam);
    assertEquals(pages.map((page) => chain.take(page)), found);
  }
});
