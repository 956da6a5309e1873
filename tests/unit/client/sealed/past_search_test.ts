/**
 * A search in a sealed room's past of any length: what it keeps, what it asks for, and where it ends.
 *
 * @module
 */

import { randomBytes } from "../../../../crypto_utils.ts";
import {
  type PastSource,
  searchPast,
} from "../../../../src/client/sealed/past_search.ts";
import { NO_CHAIN } from "../../../../src/client/sealed/sealed_room.ts";
import type { LogEntry } from "../../../../src/protocol/line.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";

/** A past of so many lines, all different, of which some have a word. */
class LongPast {
  readonly asked: number[] = [];
  /** The most memory that the heap took while pages were asked for, bytes. */
  peak = 0;
  /** Is called for each page. */
  onPage = () => {};

  constructor(readonly last: number, readonly needles: readonly number[]) {}

  #line(seq: number): LogEntry {
    const said = randomBytes(450).toHex();
    return {
      seq,
      at: seq,
      person: "k3df9q2mx7ta41cz",
      stay: "Yk3xQ0p1a2c",
      n: seq,
      what: "said",
      name: "ana",
      text: this.needles.includes(seq) ? `needle ${said}` : said,
      to: null,
    };
  }

  get source(): PastSource {
    return {
      page: (before, count) => {
        this.asked.push(count);
        this.peak = Math.max(this.peak, Deno.memoryUsage().heapUsed);
        this.onPage();
        const after = Math.max(0, before - 1 - count);
        const length = before - 1 - after;
        const lines = Array.from(
          { length },
          (_, at) => this.#line(after + 1 + at),
        );
        const start = { kind: "chain", seq: after, value: "" } as const;
        return Promise.resolve({ start, lines, more: after > 0 });
      },
      reader: { read: (lines) => Promise.resolve([...lines]) },
      seam: NO_CHAIN,
      fits: () => true,
      doubt: () => {},
      tell: () => {},
    };
  }
}

Deno.test("searchPast() goes through 100,000 lines in the memory of a few pages", async () => {
  const past = new LongPast(100_000, [3, 50_000]);
  const before = Deno.memoryUsage().heapUsed;
  const { signal } = new AbortController();
  const wish = { words: "needle", count: 100, before: 100_001 };
  const found = await searchPast(past.source, wish, signal);
  assert(typeof found === "object");
  assertEquals(found.lines.map(({ seq }) => seq), [3, 50_000]);
  assertEquals([found.more, found.backTo], [false, 1]);
  assertEquals(past.asked.length, Math.ceil(100_000 / 256));
  // All lines have 90 MB of text.
  assert(past.peak - before < 48_000_000, `${past.peak - before} bytes`);
});

Deno.test("searchPast() ends when it is told to, and says how far it looked", async () => {
  const past = new LongPast(10_000, [9_900]);
  const end = new AbortController();
  past.onPage = () => {
    if (past.asked.length === 3) end.abort();
  };
  const wish = { words: "needle", count: 100, before: 10_001 };
  const found = await searchPast(past.source, wish, end.signal);
  assert(typeof found === "object");
  assertEquals(found.lines.map(({ seq }) => seq), [9_900]);
  assertEquals([found.more, found.backTo], [true, 10_001 - 3 * 256]);
});
