/**
 * What a client notices of a history that isn't what it saw, with a server of the test's own that tells what it likes.
 *
 * @module
 */

import fc from "fast-check";
import { fromBase64url } from "../../../crypto_utils.ts";
import {
  ChainWatch,
  type Difference,
  type Seen,
} from "../../../src/client/chain_watch.ts";
import { chainEvent } from "../../../src/protocol/chain.ts";
import { type Event, EventError } from "../../../src/protocol/events.ts";
import type { LogEntry } from "../../../src/protocol/line.ts";
import { assert, assertEquals, assertThrows } from "../../kit/assert.ts";
import { numbered, said, saidUpTo, valueFor } from "../../kit/log_kit.ts";

const ALL = numbered(saidUpTo(6_000));

/** What a log says from line `from` on in a history that went another way. */
const others = (from: number, count: number): LogEntry[] =>
  numbered(Array.from({ length: count }, (_, at) => said(at, "other")), from);

/** A client's run, and what it was told. */
class Run {
  readonly told: (Difference | number)[] = [];
  readonly asked: number[] = [];
  seen: Seen | undefined;
  #lines: readonly LogEntry[] = [];
  #isSilent = false;
  readonly watch: ChainWatch;

  constructor(remembered?: Seen) {
    this.seen = remembered;
    this.watch = new ChainWatch({
      ask: (request) => this.#answer(request),
      remembered: () => this.seen,
      remember: (seen) => void (this.seen = seen),
      differs: (difference, upTo) => void this.told.push(difference ?? upTo),
    });
  }

  /** Comes in where the server has those lines. @param after The line after which it is told. */
  async enter(
    lines: readonly LogEntry[],
    after = 0,
    { silent = false } = {},
  ): Promise<void> {
    this.#lines = lines;
    this.#isSilent = silent;
    const { seq: last = 0 } = lines.at(-1) ?? {};
    const value = silent ? undefined : valueFor(lines, after);
    const told = lines.filter(({ seq }) => seq > after);
    this.watch.entered(chainEvent(after, value), told, last);
    // Questions are answered at once; each answer takes the search one step on.
    for (let turn = 0; turn < 100; turn++) await Promise.resolve();
  }

  #answer({ id, seq }: Event<"agree">): void {
    this.asked.push(seq);
    const { seq: last = 0 } = this.#lines.at(-1) ?? {};
    const isKnown = !this.#isSilent && seq <= last;
    const value = isKnown ? valueFor(this.#lines, seq) : undefined;
    const { value: text } = chainEvent(seq, value);
    queueMicrotask(() =>
      this.watch.agreed({ kind: "agreed", id, seq, value: text })
    );
  }
}

/** The same person in another run. */
const again = ({ seen }: Run) => new Run(seen);

Deno.test("ChainWatch finds nothing where the history is what it was, and remembers the last value", async () => {
  const first = new Run();
  await first.enter(ALL.slice(0, 100), 50);
  first.watch.take(ALL[100] as LogEntry);
  first.watch.parted();
  assertEquals(first.seen, { seq: 101, value: valueFor(ALL, 101) });
  await first.enter(ALL.slice(0, 300), 101);
  first.watch.parted();
  const second = again(first);
  await second.enter(ALL.slice(0, 320), 270); // which has counted that itself
  assertEquals(second.asked, []);
  second.watch.parted();
  const third = again(second);
  await third.enter(ALL.slice(0, 2_000), 1_950);
  assertEquals(third.asked, [320]);
  assertEquals([...first.told, ...second.told, ...third.told], []);
  assertEquals(third.seen?.seq, 2_000);
});

Deno.test("ChainWatch names the first line that differs, wherever it is among the last 4,096", async () => {
  for (const from of [1, 2, 500, 2_998, 2_999, 3_000]) {
    const run = new Run();
    await run.enter(ALL.slice(0, 3_000));
    run.watch.parted();
    const before = run.seen;
    const now = [...ALL.slice(0, from - 1), ...others(from, 3_100 - from)];
    await run.enter(now, 3_000);
    assertEquals(run.told, [{ from, exact: true }]);
    assert(run.asked.length <= 14, `${run.asked.length} questions`);
    run.watch.parted();
    assertEquals(run.seen, before); // so that the next run warns again
  }
});

Deno.test("ChainWatch tells that lines before may differ, where it has no values for them", async () => {
  const run = new Run();
  await run.enter(ALL.slice(0, 5_000), 4_950);
  run.watch.parted();
  await run.enter([...ALL.slice(0, 100), ...others(101, 4_950)], 5_000);
  assertEquals(run.told, [{ from: 4_950, exact: false }]);
  const late = new Run();
  await late.enter(ALL.slice(0, 5_000));
  late.watch.parted();
  await late.enter([...ALL.slice(0, 100), ...others(101, 4_950)], 5_000);
  assertEquals(late.told, [{ from: 905, exact: false }]);
});

Deno.test("ChainWatch notices lines that are gone: a backup that is restored", async () => {
  // In the same run; the joining is a new line.
  const run = new Run();
  await run.enter(ALL.slice(0, 100));
  run.watch.parted();
  await run.enter([...ALL.slice(0, 80), ...others(81, 1)], 31);
  assertEquals(run.told, [{ from: 81, exact: true }]);
  // By another connection of the same person's, without a joining.
  const beside = new Run();
  await beside.enter(ALL.slice(0, 100));
  beside.watch.parted();
  await beside.enter(ALL.slice(0, 80), 80);
  assertEquals(beside.told, [{ from: 81, exact: true }]);
  // In a new run, of which the first line that differs can't be told.
  const first = new Run();
  await first.enter(ALL.slice(0, 100));
  first.watch.parted();
  const second = again(first);
  await second.enter([...ALL.slice(0, 80), ...others(81, 1)], 31);
  assertEquals(second.told, [{ from: 82, exact: false }]);
  const third = again(second);
  await third.enter([...ALL.slice(0, 80), ...others(81, 99)], 130);
  assertEquals(third.told, [{ from: 100, exact: false }]);
  assertEquals(third.asked, [100]);
});

Deno.test("ChainWatch notices any change of any line in what it saw, and names it", async () => {
  const changes = fc.record({
    at: fc.integer({ min: 1, max: 200 }),
    deed: fc.constantFrom("word", "drop", "swap", "insert", "time", "name"),
    after: fc.integer({ min: 0, max: 199 }),
  });
  await fc.assert(fc.asyncProperty(changes, async ({ at, deed, after }) => {
    const lines = ALL.slice(0, 201);
    const [line, next] = [lines[at - 1], lines[at]];
    assert(line && next);
    let now = lines;
    switch (deed) {
      case "word":
        now = lines.with(at - 1, { ...line, text: `${line.text}!` });
        break;
      case "time":
        now = lines.with(at - 1, { ...line, at: line.at + 1 });
        break;
      case "name":
        now = lines.with(at - 1, { ...line, name: "Abhi" });
        break;
      case "drop":
        now = numbered(lines.toSpliced(at - 1, 1));
        break;
      case "insert":
        now = numbered(lines.toSpliced(at - 1, 0, { ...line, text: "new" }));
        break;
      case "swap":
        now = numbered(lines.with(at - 1, next).with(at, line));
    }
    const run = new Run();
    await run.enter(lines);
    run.watch.parted();
    await run.enter(now, after);
    assertEquals(run.told, [{ from: at, exact: true }]);
  }));
});

Deno.test("ChainWatch takes numbers that are left out for lines that aren't ours", async () => {
  const some = ALL.slice(0, 100).filter(({ seq }) => seq % 7 !== 0);
  const run = new Run();
  await run.enter(some);
  assertEquals(run.watch.at(100), valueFor(some, 100));
  run.watch.parted();
  await run.enter(ALL.slice(0, 100), 100);
  assertEquals(run.told, [{ from: 7, exact: true }]);
});

Deno.test("ChainWatch.accept() takes the server's history, and warns no more", async () => {
  const run = new Run();
  await run.enter(ALL.slice(0, 100));
  assertEquals(run.watch.accept(), false);
  run.watch.parted();
  const now = [...ALL.slice(0, 50), ...others(51, 60)];
  await run.enter(now, 100);
  assertEquals(run.watch.difference, { from: 51, exact: true });
  assertEquals(run.seen?.seq, 100);
  assertEquals(run.watch.accept(), true);
  assertEquals(run.watch.difference, undefined);
  assertEquals(run.seen, { seq: 110, value: valueFor(now, 110) });
  run.watch.parted();
  await run.enter(now, 110);
  const next = again(run);
  await next.enter(now, 60);
  assertEquals([run.told.length, next.told], [1, []]);
});

Deno.test("ChainWatch says so where the server doesn't tell, and forgets nothing for that", async () => {
  const first = new Run();
  await first.enter(ALL.slice(0, 100));
  first.watch.parted();
  const { seen } = first;
  const second = again(first);
  await second.enter(ALL.slice(0, 300), 250, { silent: true });
  second.watch.parted();
  assertEquals([second.told, second.seen], [[100], seen]);
  assertEquals(second.watch.range, undefined);
  const third = again(second);
  await third.enter([...ALL.slice(0, 50), ...others(51, 300)], 330);
  assertEquals(third.told, [{ from: 100, exact: false }]);
  // In the same run it goes on by what it has counted itself.
  const run = new Run();
  await run.enter(ALL.slice(0, 100));
  run.watch.parted();
  await run.enter(ALL.slice(0, 120), 100, { silent: true });
  assertEquals(run.told, []);
  assertEquals(run.watch.at(120), valueFor(ALL, 120));
});

Deno.test("ChainWatch lets lines wait while many come, and counts them when somebody asks or few do", async () => {
  const run = new Run();
  await run.enter(ALL.slice(0, 100));
  for (const line of ALL.slice(100, 5_000)) run.watch.take(line);
  run.watch.tick();
  run.watch.tick();
  for (const line of ALL.slice(5_000)) run.watch.take(line);
  assertEquals(run.watch.at(6_000), valueFor(ALL));
  assertEquals(run.watch.range, [1_905, 6_000]);
  run.watch.parted();
  assertEquals(run.seen, { seq: 6_000, value: valueFor(ALL) });
});

Deno.test("ChainWatch follows no lines that don't rise, and none that are a million numbers on", () => {
  const start = chainEvent(0, fromBase64url("A".repeat(43)));
  const line = (seq: number) => ({ ...said(1), seq, to: null });
  for (const lines of [[2, 2], [3, 2], [0], [2_000_000]]) {
    const { watch } = new Run();
    const enter = () => watch.entered(start, lines.map(line), 5_000_000);
    assertThrows(enter, EventError, "Cannot follow the history");
  }
});
