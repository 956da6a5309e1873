/**
 * Holding what a client has counted against what a server says, question by question.
 *
 * @module
 */

import { type Bytes, toBase64url } from "../../../crypto_utils.ts";
import {
  addLines,
  compare,
  type Difference,
  follow,
  type Holes,
  type Seen,
  type Verdict,
} from "../../../src/client/chain_compare.ts";
import { ChainQuestions } from "../../../src/client/chain_questions.ts";
import type { Page, PageAnswer } from "../../../src/client/pending_pages.ts";
import { Chain, chainEvent } from "../../../src/protocol/chain.ts";
import { type Event, EventError } from "../../../src/protocol/events.ts";
import type { LogEntry } from "../../../src/protocol/line.ts";
import { assertEquals, assertRejects, assertThrows } from "../../kit/assert.ts";
import { numbered, said, saidUpTo, valueFor } from "../../kit/log_kit.ts";

const ALL = numbered(saidUpTo(5_000));
const LINES = ALL.slice(0, 12);

/** The chain along some lines, from the value for a number on. */
function chainFrom(seq: number, lines: readonly LogEntry[] = []): Chain {
  const chain = new Chain(seq, valueFor(ALL, seq));
  addLines(chain, lines.filter((line) => line.seq > seq));
  return chain;
}

/** A chain that is looked at some times at the most: who looks for ever must fail. */
class LookedAt extends Chain {
  #looks = 0;

  override at(seq: number): Bytes | undefined {
    if (++this.#looks > 20) throw new Error("it looks on and on");
    return super.at(seq);
  }
}

type Answer = "same" | "other" | "begins" | "untold" | "gone";

/** What comes of comparing the lines behind `start` up to 9, and what is asked. @param answers By numbers; "same" else. */
async function verdict(
  start: number,
  last: number,
  answers: (seq: number) => Answer,
): Promise<[Verdict, asked: number[]]> {
  const asked: number[] = [];
  const own = new LookedAt(start, valueFor(ALL, start));
  addLines(own, LINES.slice(start, 9));
  const result = await compare(own, last, (seq) => {
    asked.push(seq);
    const answer = answers(seq);
    if (answer === "same") return Promise.resolve(valueFor(LINES, seq));
    return Promise.resolve(
      answer === "other" ? new Uint8Array(32).fill(9) : answer,
    );
  });
  return [result, asked];
}

const exactly = (from: number): Difference => ({ from, exact: true });
const about = (from: number): Difference => ({ from, exact: false });
const from = (first: number) => (seq: number): Answer =>
  seq >= first ? "other" : "same";

Deno.test("compare() tells from the server's answers whether the history is the same, and else from where on it isn't", async () => {
  const cases: [
    start: number,
    last: number,
    answers: (seq: number) => Answer,
    verdict: Verdict,
    asked: number[],
  ][] = [
    [3, 9, from(99), "same", [9]],
    [3, 12, from(99), "same", [9]],
    [3, 2, from(99), about(3), []], // it has nothing of what was counted
    [3, 3, from(99), exactly(4), [3]],
    [3, 6, from(99), exactly(7), [6]],
    [3, 6, () => "untold", about(7), [6]],
    ...(["begins", "untold", "gone"] as const).map((
      it,
    ): typeof cases[number] => [3, 9, () => it, it, [9]]),
    [3, 9, from(6), exactly(6), [9, 3, 6, 4, 5]],
    [3, 9, from(4), exactly(4), [9, 3, 6, 4]],
    [3, 9, from(3), about(3), [9, 3]],
    [2, 9, from(2), about(2), [9, 2]],
    [1, 9, from(1), exactly(1), [9, 1]],
    [0, 9, from(0), exactly(0), [9, 0]],
    [9, 9, from(9), about(9), [9]],
    // What it doesn't tell is between.
    [3, 9, (seq) => seq === 3 ? "untold" : from(4)(seq), about(4), [
      9,
      3,
      6,
      4,
    ]],
    [3, 9, (seq) => seq === 3 ? "begins" : from(6)(seq), exactly(6), [
      9,
      3,
      6,
      4,
      5,
    ]],
    [3, 9, (seq) => seq === 6 ? "untold" : from(7)(seq), about(7), [
      9,
      3,
      6,
      7,
    ]],
    [3, 9, (seq) => seq === 6 ? "untold" : from(8)(seq), exactly(8), [
      9,
      3,
      6,
      7,
      8,
    ]],
    [3, 9, (seq) => seq === 6 ? "gone" : from(4)(seq), about(9), [9, 3, 6]],
    [3, 9, (seq) => seq === 4 ? "gone" : from(6)(seq), about(6), [9, 3, 6, 4]],
  ];
  for (const [start, last, answers, expected, asked] of cases) {
    assertEquals(await verdict(start, last, answers), [expected, asked]);
  }
});

Deno.test("compare() asks for nothing deep among numbers that are left out", async () => {
  const own = chainFrom(0);
  addLines(own, [], 9_000);
  const asked: number[] = [];
  const result = await compare(own, 8_000, (seq) => {
    asked.push(seq);
    return Promise.resolve("gone");
  });
  assertEquals([result, asked], [about(8_001), []]);
});

Deno.test("addLines() goes on along lines, over numbers without any and to the last one, and tells which were left out", () => {
  const some = LINES.filter(({ seq }) => ![4, 5, 8].includes(seq));
  const cases: [lines: LogEntry[], last: number, holes: Holes | undefined][] = [
    [LINES, 12, undefined],
    [LINES, 0, undefined],
    [[], 2, undefined],
    [[], 5, { from: 3, upTo: 5, count: 3 }],
    [some, 12, { from: 4, upTo: 8, count: 3 }],
    [some, 14, { from: 4, upTo: 14, count: 5 }],
  ];
  for (const [lines, last, holes] of cases) {
    const chain = chainFrom(2);
    const added = lines.filter(({ seq }) => seq > 2);
    assertEquals(addLines(chain, added, last), holes);
    const end = Math.max(last, added.at(-1)?.seq ?? 2);
    assertEquals(chain.seq, end);
    const expected = new Chain(2, valueFor(ALL, 2));
    for (const line of added) expected.add(line);
    expected.skipTo(end);
    assertEquals(chain.value, expected.value);
  }
  const { cause } = assertThrows(
    () => addLines(chainFrom(2), LINES),
    EventError,
    "Cannot follow the history",
  );
  assertEquals(cause instanceof RangeError, true);
});

/** What a server answers for pages, and what is made of it. */
class Following {
  readonly reached: Seen[] = [];
  readonly holes: Holes[] = [];
  readonly asked: [after: number, count: number][] = [];
  pauses = 0;
  isCut = false;

  async follow(
    seq: number,
    end: number,
    page: (after: number, upTo: number) => PageAnswer,
    endLines: readonly LogEntry[] = ALL,
  ): Promise<Verdict> {
    const questions = {
      page: (after: number, count: number) => {
        this.asked.push([after, count]);
        if (this.asked.length > 20) throw new Error("it asks on and on");
        return Promise.resolve(page(after, after + count));
      },
      pause: (seconds: number) => {
        this.pauses += seconds;
        return Promise.resolve(!this.isCut);
      },
    } as unknown as ChainQuestions;
    const seen = { seq, value: valueFor(ALL, seq) };
    return await follow(seen, { seq: end, value: valueFor(endLines, end) }, {
      questions,
      reached: (it) => void this.reached.push(it),
      left: (it) => void this.holes.push(it),
    });
  }
}

/** A page as a server tells it that has those lines. */
const pageOf = (
  after: number,
  upTo: number,
  lines: readonly LogEntry[] = ALL,
  more: Partial<Page> = {},
): Page => ({
  start: chainEvent(after, valueFor(lines, after)),
  lines: lines.filter(({ seq }) => seq > after && seq <= upTo),
  more: false,
  ...more,
});

Deno.test("follow() goes along pages, a second for each, and tells now and then how far it has got", async () => {
  const it = new Following();
  assertEquals(
    await it.follow(10, 4_200, (after, upTo) => pageOf(after, upTo)),
    "same",
  );
  assertEquals(it.asked.length, 17);
  assertEquals([it.asked[0], it.asked[1], it.asked.at(-1)], [
    [10, 256],
    [266, 256],
    [4_106, 94],
  ]);
  assertEquals(it.pauses, 16);
  assertEquals(it.reached, [{ seq: 4_106, value: valueFor(ALL, 4_106) }]);
  assertEquals(it.holes, []);
  const cut = new Following();
  cut.isCut = true;
  assertEquals(
    await cut.follow(10, 4_200, (after, upTo) => pageOf(after, upTo)),
    "gone",
  );
  assertEquals(cut.asked, [[10, 256]]);
});

Deno.test("follow() makes of a page that doesn't fit what can be made of it", async () => {
  const first = (page: PageAnswer) =>
    new Following().follow(10, 100, () => page);
  const whole = pageOf(10, 100);
  const others = numbered(saidUpTo(200).map((_, at) => said(at, "other")));
  const cases: [page: PageAnswer, verdict: Verdict][] = [
    [whole, "same"],
    ["gone", "gone"],
    ["untold", "untold"],
    [{ ...whole, start: undefined }, "untold"],
    [{ ...whole, start: chainEvent(11, valueFor(ALL, 11)) }, "begins"],
    [{ ...whole, start: chainEvent(9, valueFor(ALL, 9)) }, "untold"],
    [{ ...whole, start: chainEvent(10, undefined) }, "untold"],
    [{ ...whole, start: chainEvent(10, valueFor(others, 10)) }, about(10)],
    [pageOf(10, 101), "untold"],
    [{ ...whole, lines: whole.lines.toReversed() }, "untold"],
    [{ ...whole, lines: [] }, about(100)],
    [{ ...whole, lines: others.slice(10, 100) }, about(100)],
  ];
  for (const [page, expected] of cases) {
    assertEquals(await first(page), expected);
  }
  for (const [seq, isExact] of [[0, true], [1, true], [2, false]] as const) {
    const start = chainEvent(seq, valueFor(others, 5));
    const result = await new Following().follow(seq, 100, () => {
      return { ...whole, start };
    });
    assertEquals(result, { from: seq, exact: isExact });
  }
});

Deno.test("follow() tells of lines that a page leaves out, and goes on", async () => {
  const some = ALL.filter(({ seq }) => seq < 20 || seq > 29);
  const it = new Following();
  const result = await it.follow(
    10,
    100,
    (after, upTo) => pageOf(after, upTo, some),
    some,
  );
  assertEquals(result, "same");
  assertEquals(it.holes, [{ from: 20, upTo: 29, count: 10 }]);
});

Deno.test("follow() takes a fault of ours for no answer of the server's", async () => {
  const it = new Following();
  await assertRejects(
    () =>
      it.follow(10, 100, () => {
        return {
          ...pageOf(10, 100),
          get lines(): readonly LogEntry[] {
            throw new TypeError("ours");
          },
        };
      }),
    TypeError,
    "ours",
  );
});

// ── Questions ──────────────────────────────────────────────────────────────────────────────────────────

/** Questions, and what the server is asked. */
function setUp(
  page: (before: number, count: number) => PageAnswer = () => "untold",
) {
  const asked: Event<"agree">[] = [];
  const pages: [before: number, count: number][] = [];
  const questions = new ChainQuestions({
    ask: (request) => void asked.push(request),
    page: (before, count) => {
      pages.push([before, count]);
      return Promise.resolve(page(before, count));
    },
  });
  const agreed = (id: number, value: Bytes | undefined) =>
    questions.agreed({
      kind: "agreed",
      id,
      seq: 0,
      value: value ? toBase64url(value) : "",
    });
  return { questions, asked, pages, agreed };
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

const VALUE = valueFor(ALL, 5);

Deno.test("ChainQuestions get each its answer, or that it isn't told, or that the connection is gone", async () => {
  const { questions, asked, agreed } = setUp();
  const answers = [5, 6, 7].map((seq) => questions.ask(seq));
  assertEquals(
    asked,
    [5, 6, 7].map((seq, at) => {
      return { kind: "agree", id: at + 1, seq } as const;
    }),
  );
  agreed(99, VALUE); // to nothing that was asked
  agreed(2, undefined);
  agreed(2, VALUE);
  agreed(1, VALUE);
  questions.parted();
  assertEquals(await Promise.all(answers), [VALUE, "untold", "gone"]);
  questions.parted();
});

Deno.test("ChainQuestions.insist() and page() ask again after 5, 10, 20 and 40 s, and take the last answer", async () => {
  for (const what of ["insist", "page"] as const) {
    const { questions, asked, pages, agreed } = setUp(() =>
      pageOf(4, 9, ALL, {
        start: chainEvent(4, undefined),
      })
    );
    const answer = what === "page" ? questions.page(4, 5) : questions.insist(5);
    const times = () => what === "page" ? pages.length : asked.length;
    const refuse = async () => {
      await turns();
      if (what === "insist") agreed(asked.length, undefined);
      await turns();
    };
    for (const [at, seconds] of [5, 10, 20, 40].entries()) {
      await refuse();
      for (let second = 1; second < seconds; second++) questions.tick();
      await turns();
      assertEquals(times(), at + 1);
      questions.tick();
      await turns();
      assertEquals(times(), at + 2);
    }
    await refuse();
    assertEquals(await answer, "untold");
    assertEquals(times(), 5);
    if (what === "page") assertEquals(pages[0], [10, 5]);
  }
});

Deno.test("ChainQuestions.page() gives a page whose value is told, and what else is answered, at once", async () => {
  const page = pageOf(4, 9);
  const cases: [answer: PageAnswer, expected: PageAnswer][] = [
    [page, page],
    ["gone", "gone"],
  ];
  for (const [answer, expected] of cases) {
    assertEquals(await setUp(() => answer).questions.page(4, 5), expected);
  }
  for (const start of [undefined, chainEvent(4, undefined)]) {
    const { questions } = setUp(() => ({ ...page, start }));
    const answer = questions.page(4, 5);
    await turns();
    questions.parted(); // while it waits to ask again
    assertEquals(await answer, "gone");
  }
});

Deno.test("ChainQuestions.pause() ends when its seconds are over, or the connection is", async () => {
  const { questions } = setUp();
  questions.tick();
  const over = questions.pause(2);
  questions.tick();
  let isOver: boolean | undefined;
  void over.then((it) => isOver = it);
  await turns();
  assertEquals(isOver, undefined);
  questions.tick();
  assertEquals(await over, true);
  const cut = questions.pause(2);
  questions.parted();
  assertEquals(await cut, false);
});
