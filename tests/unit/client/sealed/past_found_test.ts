/**
 * What a search in a sealed room's past finds, what it takes for wrong there, and what it tells meanwhile.
 *
 * @module
 */

import {
  type PastFound,
  searchPast,
  type Wish,
} from "../../../../src/client/sealed/past_search.ts";
import type { PageAnswer } from "../../../../src/client/pending_pages.ts";
import type { HeardLine } from "../../../../src/protocol/changes.ts";
import { chainEvent } from "../../../../src/protocol/chain.ts";
import type { LogEntry } from "../../../../src/protocol/line.ts";
import type { Seen } from "../../../../src/sealed/sealed_line.ts";
import { equalBytes } from "../../../../crypto_utils.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";
import { lineOf, valueFor, valuesFor } from "../../../kit/log_kit.ts";
import { madeUpStay } from "../../../kit/people.ts";
import { replaced } from "../../../kit/replaced.ts";

const linesUpTo = (last: number, first = 1) =>
  Array.from({ length: last - first + 1 }, (_, at) => lineOf(first + at));

/** A server with some lines, and a client that searches there. */
class Searching {
  readonly asked: [before: number, count: number][] = [];
  readonly told: [backTo: number, found: number][] = [];
  readonly doubts: number[] = [];
  /** What comes in place of the next pages. */
  readonly answers: PageAnswer[] = [];
  /** What senders say that they saw, by the numbers of their lines. */
  readonly seen = new Map<number, Seen>();
  /** What this client has counted itself. */
  counted: readonly LogEntry[] | undefined;
  /** Whether the server tells values. */
  isTold = true;
  fits = (_: number) => true;
  onPage = () => {};
  readonly #end = new AbortController();

  constructor(readonly lines: readonly HeardLine[], readonly start = 0) {}

  end(): void {
    this.#end.abort();
  }

  /** What the server has. */
  page(before: number, count: number): PageAnswer {
    const after = Math.max(this.start, before - 1 - count);
    const { isTold, lines } = this;
    return {
      start: chainEvent(after, isTold ? valueFor(lines, after) : undefined),
      lines: lines.filter(({ seq }) => seq > after && seq < before),
      more: after > this.start,
    };
  }

  async search(wish: Partial<Wish>): Promise<PastFound> {
    const found = await this.ask(wish);
    assert(typeof found === "object");
    return found;
  }

  ask(wish: Partial<Wish>): Promise<PastFound | "untold" | "gone"> {
    const values = this.counted && valuesFor(this.counted);
    const last = this.lines.at(-1)?.seq ?? 0;
    return searchPast(
      {
        page: (before, count) => {
          this.asked.push([before, count]);
          assert(this.asked.length < 50, "it asks on and on");
          this.onPage();
          return Promise.resolve(
            this.answers.shift() ?? this.page(before, count),
          );
        },
        reader: {
          read: (lines, { fits, seenDiffers }) =>
            Promise.resolve(lines.map((line): HeardLine => {
              if (!fits(line)) return { ...line, wrong: "number-repeated" };
              const seen = this.seen.get(line.seq);
              const differs = seen && seenDiffers(seen, line);
              return differs ? { ...line, wrong: "seen-differs" } : line;
            })),
        },
        seam: {
          seen: { seq: 0, value: new Uint8Array(32) },
          seenDiffers: ({ seq, value }) =>
            values && !equalBytes(value, values[seq] ?? value),
        },
        fits: ({ seq }) => this.fits(seq),
        doubt: (from) => void this.doubts.push(from),
        tell: (backTo, found) => void this.told.push([backTo, found]),
      },
      { words: "", count: 100, before: last + 1, ...wish },
      this.#end.signal,
    );
  }
}

const seqs = ({ lines }: PastFound) => lines.map(({ seq }) => seq);
const wrongs = ({ lines }: PastFound) =>
  lines.flatMap(({ seq, wrong }) => wrong === undefined ? [] : [[seq, wrong]]);

Deno.test("searchPast() asks for 256 lines at a time, and for the last ones for as many as are wanted, from 16 to 256", async () => {
  const cases: [wish: Partial<Wish>, count: number][] = [
    [{ count: 1 }, 16],
    [{ count: 17 }, 17],
    [{ count: 300 }, 256],
    [{ count: 1, words: "text" }, 256],
  ];
  for (const [wish, count] of cases) {
    const it = new Searching(linesUpTo(400));
    await it.search(wish);
    assertEquals(it.asked[0], [401, count]);
  }
});

Deno.test("searchPast() ends with enough lines, or at the beginning, and says whether there are more and how far it looked", async () => {
  const cases: [
    last: number,
    wish: Partial<Wish>,
    more: boolean,
    backTo: number,
  ][] = [
    [600, { count: 3 }, true, 598],
    [3, { count: 3 }, false, 1],
    [4, { count: 3 }, true, 2],
    [17, { count: 16 }, true, 2],
    [40, { count: 9, before: 10 }, false, 1],
  ];
  for (const [last, wish, more, backTo] of cases) {
    const found = await new Searching(linesUpTo(last)).search(wish);
    const { count = 0, before = last + 1 } = wish;
    const expected = linesUpTo(before - 1, before - count);
    assertEquals(seqs(found), expected.map(({ seq }) => seq));
    assertEquals([found.more, found.backTo], [more, backTo]);
  }
  // From line 21 on this person may read: the page with enough is the first.
  const late = await new Searching(linesUpTo(40), 20).search({ count: 19 });
  assertEquals([late.more, late.backTo], [true, 22]);
  const whole = await new Searching(linesUpTo(40), 20).search({ count: 20 });
  assertEquals([whole.more, whole.backTo], [false, 21]);
  // One more page, in which nothing is looked at.
  const more = await new Searching(linesUpTo(40)).search({ count: 20 });
  assertEquals([more.more, more.backTo], [true, 21]);
});

Deno.test("searchPast() ends where the server can't tell, or the connection is gone, and with what it has where it is told to", async () => {
  for (const answer of ["untold", "gone"] as const) {
    const it = new Searching(linesUpTo(40));
    it.answers.push(answer);
    assertEquals(await it.ask({}), answer);
  }
  const it = new Searching(linesUpTo(1_000));
  it.onPage = () => it.end();
  const found = await it.search({ words: "text", count: 999 });
  assertEquals([found.lines.length, found.more, found.backTo], [
    256,
    true,
    745,
  ]);
});

Deno.test("searchPast() finds lines by what they say now, with what was changed about them, and shows nothing twice", async () => {
  const changeOf = (
    seq: number,
    what: "edited" | "deleted" | "reacted",
    to: number,
    text: string,
  ) => lineOf(seq, { what, to, text });
  const lines = [
    lineOf(1, { text: "red" }),
    lineOf(2, { text: "blue" }),
    changeOf(3, "edited", 1, "green"),
    lineOf(4, { text: "red red" }),
    changeOf(5, "deleted", 4, ""),
    changeOf(6, "reacted", 2, "👍"),
    lineOf(7, { what: "sealed", text: "0.red" }),
    lineOf(8, { text: "red", wrong: "signature-wrong" }),
    lineOf(9, { what: "ruled", text: "found red", told: "ana did red things" }),
    lineOf(10, { what: "ruled", text: "rename {}", told: "ana has a name" }),
    lineOf(11, { what: "ruled", text: "rename {}", wrong: "control-wrong" }),
    { ...changeOf(12, "edited", 2, "red"), wrong: "signature-wrong" },
    lineOf(13, { text: "rename {}" }),
  ];
  const found = async (words: string, count = 100) =>
    seqs(await new Searching(lines).search({ words, count }));
  assertEquals(await found("red"), [9]);
  assertEquals(await found("green"), [1, 3]);
  assertEquals(await found("blue"), [2, 6]);
  assertEquals(await found("has"), []); // the server's own line tells that
  assertEquals(await found(""), [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13]);
  assertEquals(await found("", 5), [8, 9, 11, 12, 13]);
  assertEquals(await found("", 8), [2, 4, 5, 6, 7, 8, 9, 11, 12, 13]); // changes don't count
});

Deno.test("searchPast() takes no number of a sender's that comes again, in a page or in an older one, nor what this client knows better", async () => {
  const numbers = new Map([[5, 12], [20, 19], [9, 17]]);
  const lines = linesUpTo(32)
    .map((it) => ({ ...it, n: numbers.get(it.seq) ?? it.n }));
  lines.push(lineOf(33, { n: 1, stay: madeUpStay("other") }));
  const it = new Searching(lines.slice(0, 32));
  it.fits = (seq) => seq !== 30;
  assertEquals(wrongs(await it.search({ count: 16 })), [
    [20, "number-repeated"],
    [30, "number-repeated"],
  ]);
  const both = new Searching(lines);
  const page = (after: number, before: number): PageAnswer => ({
    start: chainEvent(after, undefined),
    lines: lines.filter(({ seq }) => seq > after && seq < before),
    more: after > 0,
  });
  both.answers.push(page(16, 34), page(8, 17), page(0, 9));
  assertEquals(wrongs(await both.search({})), [
    ...[5, 9, 20].map((seq) => [seq, "number-repeated"]),
  ]);
});

Deno.test("searchPast() doubts the past once, where pages come to other values than this client counted, and then holds nobody's word against them", async () => {
  const lines = linesUpTo(600);
  const counted = lines.with(299, lineOf(300, { text: "as it was" }));
  const it = new Searching(lines);
  it.counted = counted;
  // The page after the first is another again.
  it.answers.push(it.page(601, 256), new Searching(counted).page(345, 256));
  it.seen.set(500, { seq: 490, value: new Uint8Array(32) });
  const found = await it.search({ count: 600 });
  assertEquals(it.doubts, [345]); // the first line of the first page
  assertEquals(wrongs(found), []);
  const late = new Searching(lines);
  late.counted = lines;
  late.answers.push(it.page(601, 256), new Searching(counted).page(345, 256));
  await late.search({ count: 600 });
  assertEquals(late.doubts, [300]); // in the second page, by its number
  const same = new Searching(lines);
  same.counted = lines;
  const other = new Uint8Array(32);
  for (
    const [line, seen] of [
      [500, { seq: 490, value: other }],
      [501, { seq: 490, value: valueFor(lines, 490) }],
      [502, { seq: 502, value: valueFor(lines, 502) }], // itself
      [503, { seq: 504, value: valueFor(lines, 504) }],
      [504, { seq: 300, value: other }], // of another page: who knows
    ] as const
  ) same.seen.set(line, seen);
  const wrong = wrongs(await same.search({ count: 600 }));
  assertEquals(wrong.map(([seq]) => seq), [500, 502, 503]);
  assertEquals(same.doubts, []);
  const untold = new Searching(lines);
  untold.isTold = false;
  untold.seen.set(500, { seq: 490, value: other });
  assertEquals(wrongs(await untold.search({ count: 600 })), []);
});

Deno.test("searchPast() says how far it is after 5 s, and after 5 more, while it goes on", async () => {
  let now = 1_000_000;
  using _ = replaced(Date, "now", () => now);
  const it = new Searching([
    ...linesUpTo(1_400),
    lineOf(1_401, { text: "zebra" }),
  ]);
  const steps = [4_999, 1, 4_999, 1, 9_999, 9_999];
  it.onPage = () => void (now += steps.shift() ?? 0);
  const found = await it.search({ words: "zebra", count: 5 });
  assertEquals([seqs(found), it.asked.length], [[1_401], 6]);
  assertEquals(it.told, [[890, 1], [378, 1], [122, 1]]);
});
