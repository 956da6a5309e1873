/**
 * What a client notices of a history that isn't what it saw, with a server of the test's own that tells what it likes.
 *
 * @module
 */

import fc from "fast-check";
import { fromBase64url } from "../../../crypto_utils.ts";
import type {
  Difference,
  Holes,
  Seen,
} from "../../../src/client/chain_compare.ts";
import { ChainWatch } from "../../../src/client/chain_watch.ts";
import { chainEvent } from "../../../src/protocol/chain.ts";
import type { PageAnswer } from "../../../src/client/pending_pages.ts";
import { type Event, EventError } from "../../../src/protocol/events.ts";
import type { LogEntry } from "../../../src/protocol/line.ts";
import { assert, assertEquals, assertThrows } from "../../kit/assert.ts";
import { replaced } from "../../kit/replaced.ts";
import {
  numbered,
  said,
  saidUpTo,
  valueFor,
  withMethod,
} from "../../kit/log_kit.ts";

const ALL = numbered(saidUpTo(6_000));

// Each look at the clock takes a millisecond, however fast the machine is.
let time = 0;
let clock: Disposable | undefined;
Deno.test.beforeEach(() => {
  clock = replaced(performance, "now", () => ++time);
});
Deno.test.afterEach(() => clock?.[Symbol.dispose]());

/** What a log says from line `from` on in a history that went another way. */
const others = (from: number, count: number): LogEntry[] =>
  numbered(Array.from({ length: count }, (_, at) => said(at, "other")), from);

/** What a server does beside telling lines. */
interface Server {
  /** It tells the value of nothing. */
  readonly silent?: boolean;
  /** The number before the first line that it has. */
  readonly start?: number;
  /** The number after which this client may read. */
  readonly from?: number;
  /** Its lines as pages tell them, where they are others. */
  readonly pages?: readonly LogEntry[];
  /** It says that it can't read its log, so many times. */
  readonly unreadable?: number;
  /** It doesn't answer at all. */
  readonly deaf?: boolean;
  /** It tells pages alone. */
  readonly mute?: boolean;
  /** It doesn't say where it begins. */
  readonly bare?: boolean;
}

/** Lets all answers come. */
async function answers(): Promise<void> {
  for (let turn = 0; turn < 400; turn++) await Promise.resolve();
}

/** A client's run, and what it was told. */
class Run {
  readonly told: (Difference | number)[] = [];
  readonly holes: Holes[] = [];
  readonly asked: number[] = [];
  readonly pages: number[] = []; // by the number after which they begin
  seen: Seen | undefined;
  #lines: readonly LogEntry[] = [];
  #server: Server = {};
  readonly watch: ChainWatch;

  constructor(remembered?: Seen) {
    this.seen = remembered;
    this.watch = new ChainWatch({
      ask: (request) => this.#answer(request),
      page: (before, count) => this.#page(before, count),
      remembered: () => this.seen,
      remember: (seen) => void (this.seen = seen),
      differs: (difference) => void this.told.push(difference),
      begins: (seen) => void this.told.push(seen),
      left: (holes) => void this.holes.push(holes),
    });
  }

  /** Comes in where the server has those lines. @param after The line after which it is told. */
  async enter(
    lines: readonly LogEntry[],
    after = 0,
    server: Server = {},
  ): Promise<void> {
    this.#lines = lines;
    this.#server = server;
    const { seq: last = 0 } = lines.at(-1) ?? {};
    const value = server.silent ? undefined : valueFor(lines, after);
    const told = lines.filter(({ seq }) => seq > after);
    const start = server.bare ? undefined : chainEvent(after, value);
    this.watch.entered(start, told, last);
    await answers();
  }

  /** Lets time pass, s. */
  async wait(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      this.watch.tick();
      await answers();
    }
  }

  async #page(before: number, count: number): Promise<PageAnswer> {
    const { deaf, silent, unreadable = 0 } = this.#server;
    const { start = 0, from = start } = this.#server;
    if (deaf) return await new Promise(() => {});
    const lines = this.#server.pages ?? this.#lines;
    const after = Math.max(before - 1 - count, from);
    this.pages.push(before - 1 - count);
    if (unreadable > 0) {
      this.#server = { ...this.#server, unreadable: unreadable - 1 };
      return "untold";
    }
    return {
      start: chainEvent(after, silent ? undefined : valueFor(lines, after)),
      lines: lines.filter(({ seq }) => seq > after && seq < before),
      more: after > from,
    };
  }

  #answer({ id, seq }: Event<"agree">): void {
    this.asked.push(seq);
    const { deaf, mute, silent, start = 0 } = this.#server;
    if (deaf || mute) return;
    const { seq: last = 0 } = this.#lines.at(-1) ?? {};
    const isKnown = !silent && seq <= last && seq >= start;
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
  assertEquals(third.seen?.seq, 320); // nothing is sure yet
  await third.wait(6);
  assertEquals(third.asked, []);
  assertEquals(third.pages, [320, 576, 832, 1_088, 1_344, 1_600, 1_856]);
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
  assertEquals(third.pages, [100]);
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

Deno.test("ChainWatch asks again where the server doesn't tell what it told before, and then warns of that", async () => {
  const untold = { from: 100, exact: false, untold: true } as const;
  const first = new Run();
  await first.enter(ALL.slice(0, 100));
  first.watch.parted();
  const { seen } = first;
  // A new run, which it doesn't tell where it begins.
  const second = again(first);
  await second.enter(ALL.slice(0, 300), 250, { silent: true });
  await second.wait(74);
  assertEquals(second.told, []);
  await second.wait(1);
  second.watch.parted();
  assertEquals([second.told, second.seen], [[untold], seen]);
  assertEquals(second.asked, Array(5).fill(100));
  assertEquals(second.watch.range, undefined);
  // One that it tells of that alone.
  const third = again(second);
  await third.enter(ALL.slice(0, 300), 100, { silent: true });
  await third.wait(75);
  assertEquals(third.told, [untold]);
  // The same run goes on by what it has counted itself.
  const run = new Run();
  await run.enter(ALL.slice(0, 100));
  run.watch.parted();
  await run.enter(ALL.slice(0, 120), 100, { silent: true });
  await run.wait(75);
  assertEquals(run.told, [{ ...untold, from: 120 }]);
  assertEquals(run.watch.at(120), valueFor(ALL, 120));
  assertEquals(run.seen, { seq: 100, value: valueFor(ALL, 100) });
  assertEquals(run.watch.accept(), true);
  assertEquals(run.seen, { seq: 120, value: valueFor(ALL, 120) });
});

Deno.test("ChainWatch warns of nothing where the server was busy, and told what it has later", async () => {
  const run = new Run();
  await run.enter(ALL.slice(0, 100));
  run.watch.parted();
  await run.enter(ALL.slice(0, 120), 100, { silent: true });
  run.watch.parted(); // it comes back before there was an answer
  const asked = run.asked.length;
  await run.wait(75);
  assertEquals([run.asked.length, run.told], [asked, []]); // nobody is there
  await run.enter(ALL.slice(0, 140), 120);
  run.watch.parted();
  assertEquals([run.told, run.seen?.seq], [[], 140]);
  const next = again(run);
  await next.enter(ALL.slice(0, 600), 500, { unreadable: 2 });
  await next.wait(5 + 10 + 1);
  assertEquals(next.pages, [140, 140, 140, 396]);
  assertEquals([next.told, next.seen?.seq], [[], 600]);
});

Deno.test("ChainWatch warns of a history that a server hides behind an unknown value and a lost connection", async () => {
  const now = [...ALL.slice(0, 50), ...others(51, 100)];
  const run = new Run();
  await run.enter(ALL.slice(0, 100));
  run.watch.parted();
  const before = run.seen;
  await run.enter(now, 100, { silent: true });
  run.watch.parted();
  await run.enter(now, 150);
  assertEquals(run.told, [{ from: 51, exact: true }]);
  assertEquals(run.seen, before);
  // One that began elsewhere, and was gone before anything could be compared.
  const other = new Run();
  await other.enter(ALL.slice(0, 100));
  other.watch.parted();
  await other.enter(now, 120, { deaf: true });
  other.watch.parted();
  await other.enter(now, 150);
  assertEquals(other.told, [{ from: 51, exact: true }]);
});

Deno.test("ChainWatch says that a log begins later by now, warns of nothing, and forgets nothing for that", async () => {
  const first = new Run();
  await first.enter(ALL.slice(0, 100));
  first.watch.parted();
  const { seen } = first;
  for (const start of [101, 300]) {
    const later = again(first);
    await later.enter(ALL.slice(0, 600), 500, { start });
    assertEquals([later.told, later.watch.difference], [[100], undefined]);
    later.watch.parted();
    assertEquals(later.seen, seen);
    await later.enter(ALL.slice(0, 620), 600, { start });
    assertEquals(later.told, [100]);
    assertEquals(later.watch.accept(), true);
    assertEquals(later.seen?.seq, 620);
    assertEquals(later.watch.accept(), false); // by now there is nothing in doubt
    later.watch.parted();
    await later.enter(ALL.slice(0, 640), 620, { start });
    assertEquals(later.seen?.seq, 640);
  }
  // In the same run.
  await first.enter(ALL.slice(0, 600), 500, { start: 500 });
  assertEquals([first.told, first.watch.difference], [[100], undefined]);
  assertEquals(first.watch.at(600), valueFor(ALL, 600));
  // Once, of however many connections.
  const often = new Run();
  for (const last of [100, 200]) {
    await often.enter(ALL.slice(0, last), last - 5, { deaf: true });
    often.watch.parted();
  }
  await often.enter(ALL.slice(0, 600), 500, { start: 500 });
  assertEquals(often.told, [100]);
});

Deno.test("ChainWatch says nothing of what another person of the same machine saw and this one may not read, and remembers that on", async () => {
  const first = new Run();
  await first.enter(ALL.slice(0, 100));
  first.watch.parted();
  const { seen } = first;
  const other = again(first);
  await other.enter(ALL.slice(0, 600), 500, { from: 500 });
  other.watch.parted();
  assertEquals([other.told, other.asked, other.seen], [[], [100], seen]);
  assertEquals(other.watch.accept(), false);
  const gone = again(first);
  await gone.enter(ALL.slice(0, 600), 500, { from: 500, mute: true });
  gone.watch.parted(); // before it was told whether that is the same
  await answers();
  assertEquals([gone.told, gone.asked, gone.seen], [[], [100], seen]);
  const lied = again(first);
  const now = [...ALL.slice(0, 80), ...others(81, 600)];
  await lied.enter(now, 500, { from: 500 });
  assertEquals(lied.told, [{ from: 100, exact: false }]);
});

Deno.test("ChainWatch goes along all lines from what an earlier run saw before it remembers anything later", async () => {
  const first = new Run();
  await first.enter(ALL.slice(0, 100));
  first.watch.parted();
  const { seen } = first;
  // The value for line 100 is right, and that for line 900; what leads from the one to the other isn't.
  const fork = [...ALL.slice(0, 400), ...others(401, 300), ...ALL.slice(700)];
  const lied = again(first);
  await lied.enter(ALL.slice(0, 1_000), 900, { pages: fork });
  await lied.wait(10);
  lied.watch.parted();
  assertEquals(lied.told, [{ from: 900, exact: false }]);
  assertEquals(lied.seen, seen);
  // One that is ended meanwhile goes on later from where it was.
  const ended = again(first);
  await ended.enter(ALL, 5_990);
  await ended.wait(15);
  ended.watch.parted();
  assertEquals(ended.seen, { seq: 4_196, value: valueFor(ALL, 4_196) });
  const next = again(ended);
  await next.enter(ALL, 5_990);
  await next.wait(10);
  assertEquals(next.pages[0], 4_196);
  assertEquals([next.told, next.seen?.seq], [[], 6_000]);
});

Deno.test("ChainWatch notices a backup that was restored and has grown again past what it saw", async () => {
  const first = new Run();
  await first.enter(ALL.slice(0, 100));
  first.watch.parted();
  const now = [...ALL.slice(0, 80), ...others(81, 500)];
  const later = again(first);
  await later.enter(now, 550);
  assertEquals(later.told, [{ from: 100, exact: false }]);
  await first.enter(now, 100);
  assertEquals(first.told, [{ from: 81, exact: true }]);
});

Deno.test("ChainWatch tells of lines that were left out, once for all of them", async () => {
  const some = ALL.slice(0, 100).filter(({ seq }) => seq % 40 > 1);
  const run = new Run();
  await run.enter(some, 30);
  assertEquals(run.holes, [{ from: 40, upTo: 81, count: 4 }]);
  run.watch.parted();
  await run.enter(ALL.slice(0, 100), 100);
  assertEquals(run.holes.length, 1);
});

Deno.test("ChainWatch keeps its values when a server leaves numbers out", async () => {
  const run = new Run();
  await run.enter(ALL.slice(0, 20));
  run.watch.parted();
  const jump = { ...said(21), seq: 9_000, to: null };
  await run.enter([...ALL.slice(0, 20), jump], 20);
  assertEquals(run.holes, [{ from: 21, upTo: 8_999, count: 8_979 }]);
  assertEquals(run.watch.at(12), valueFor(ALL, 12));
});

Deno.test("ChainWatch.seenDiffers() knows lines of the past, and none that stands behind the one that is said", async () => {
  const run = new Run();
  const { watch } = run;
  const seen = (seq: number, lines = ALL) => ({
    seq,
    value: valueFor(lines, seq),
  });
  await run.enter(ALL.slice(0, 100), 20);
  const other = [...ALL.slice(0, 59), ...others(60, 100)];
  assertEquals(watch.seenDiffers(seen(60), 100), false);
  assertEquals(watch.seenDiffers(seen(60, other), 100), true);
  assertEquals(watch.seenDiffers(seen(10, other), 100), undefined);
  assertEquals(watch.seenDiffers(seen(101), 120), undefined);
  assertEquals(watch.seenDiffers(seen(60), 60), true);
  assertEquals(watch.seenDiffers(seen(5_000), 61), true);
  watch.parted();
  const past = ALL.slice(100, 150);
  watch.foresee(chainEvent(100, valueFor(ALL, 100)), past);
  assertEquals(watch.seenDiffers(seen(130), 140), false);
  assertEquals(watch.seenDiffers(seen(130, other), 140), true);
  assertEquals(watch.seenDiffers(seen(60), 140), false);
  await run.enter(ALL.slice(0, 150), 100);
  assertEquals(watch.seenDiffers(seen(130), 140), false);
});

Deno.test("ChainWatch has counted all that has come when somebody asks, in its order", async () => {
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

Deno.test("ChainWatch doesn't begin behind the room's last line, whose next one would come again, and goes on afterwards", async () => {
  for (const value of ["A".repeat(43), ""]) {
    const run = new Run();
    await run.enter(ALL.slice(0, 100));
    const enter = (seq: number, lines: readonly LogEntry[]) =>
      run.watch.entered({ kind: "chain", seq, value }, lines, 100);
    assertThrows(() => enter(101, []), EventError, "beyond its last line");
    assertThrows(
      () => enter(100, ALL.slice(100, 102)),
      EventError,
      "beyond its last line",
    );
    await run.enter(ALL.slice(0, 102), 100);
    run.watch.take(ALL[102] as LogEntry);
    assertEquals(run.watch.at(103), valueFor(ALL, 103));
    assertEquals(run.told, []);
  }
});

Deno.test("ChainWatch whose server's log is shorter, and which is told of no beginning, warns, and follows nothing from there on", async () => {
  const run = new Run();
  await run.enter(ALL.slice(0, 100));
  run.watch.entered(undefined, [], 90);
  await answers();
  assertEquals(run.told, [{ from: 91, exact: true }]);
  const before = run.seen;
  run.watch.take(ALL[90] as LogEntry);
  run.watch.tick();
  assertEquals(run.watch.range, undefined);
  run.watch.parted();
  assertEquals(run.seen, before);
  const silent = new Run();
  await silent.enter(ALL.slice(0, 100));
  silent.watch.parted();
  await silent.enter(ALL.slice(0, 90), 90, { bare: true, silent: true });
  await silent.wait(75);
  assertEquals(silent.told, [{ from: 91, exact: false }]);
});

Deno.test("ChainWatch that is told of no beginning compares what an earlier run saw each time that it comes in", async () => {
  const fresh = new Run();
  await fresh.enter(ALL.slice(0, 5), 5, { bare: true });
  fresh.watch.parted();
  assertEquals([fresh.told, fresh.seen], [[], undefined]);
  const first = new Run();
  await first.enter(ALL.slice(0, 100));
  const run = again(first);
  await run.enter(ALL.slice(0, 200), 200, { bare: true });
  run.watch.parted();
  assertEquals([run.told, run.asked], [[], [100]]);
  await run.enter([...ALL.slice(0, 80), ...others(81, 200)], 50);
  assertEquals(run.told, [{ from: 100, exact: false }]);
});

Deno.test("ChainWatch.doubt() tells each time, keeps the first line that is in doubt, and remembers nothing until that is accepted", async () => {
  const run = new Run();
  run.watch.take(ALL[0] as LogEntry); // of a room that it isn't in yet
  await run.enter(ALL.slice(0, 100));
  const seen = { seq: 100, value: valueFor(ALL, 100) };
  assertEquals(run.seen, seen);
  for (const from of [50, 40, 60]) run.watch.doubt(from);
  const doubts = [50, 40, 60].map((from) => ({ from, exact: false }));
  assertEquals([run.told, run.watch.difference], [doubts, doubts[1]]);
  const again = new Run();
  await again.enter(ALL.slice(0, 100));
  again.watch.parted();
  await again.enter([...ALL.slice(0, 50), ...others(51, 60)], 100);
  assertEquals(again.watch.difference, { from: 51, exact: true });
  again.watch.doubt(51); // what was told of it last
  assertEquals(again.watch.difference, { from: 51, exact: false });
  run.watch.take(ALL[100] as LogEntry);
  run.watch.parted();
  assertEquals(run.seen, seen);
  run.watch.take(ALL[101] as LogEntry);
  assertEquals(run.watch.accept(), true); // with all that has come
  assertEquals(run.seen, { seq: 102, value: valueFor(ALL, 102) });
  run.watch.take(ALL[102] as LogEntry);
  run.watch.parted();
  assertEquals(run.seen?.seq, 103);
});

Deno.test("ChainWatch makes nothing of what was asked for before the history was accepted", async () => {
  const run = new Run();
  await run.enter(ALL.slice(0, 100), 100);
  run.watch.parted();
  const now = [...ALL.slice(0, 50), ...others(51, 60)];
  await run.enter(now, 105, { deaf: true });
  assertEquals(run.asked, [100]); // with whose answer all is told
  run.watch.doubt(90);
  assertEquals(run.watch.accept(), true);
  run.watch.agreed({ kind: "agreed", id: 1, seq: 100, value: "A".repeat(43) });
  await answers();
  assertEquals([run.told.length, run.watch.difference], [1, undefined]);
});

Deno.test("ChainWatch compares later what it counted over connections that were lost: the first, and the last three", async () => {
  const run = new Run();
  for (let last = 100; last <= 600; last += 100) {
    await run.enter(ALL.slice(0, last), last - 5, { deaf: true });
    run.watch.parted();
  }
  run.asked.length = 0;
  await run.enter(ALL.slice(0, 700), 550);
  // The value for line 600 it has counted itself.
  assertEquals(run.asked, [100, 400, 500]);
  assertEquals([run.told, run.seen?.seq], [[], 700]);
});

Deno.test("ChainWatch goes on over what has come and isn't counted yet, and without a beginning where nothing is new", async () => {
  const run = new Run();
  await run.enter(ALL.slice(0, 100));
  run.watch.take(ALL[100] as LogEntry);
  assertEquals(run.watch.range?.[1], 101);
  run.watch.take(ALL[101] as LogEntry);
  await run.enter(ALL.slice(0, 103), 102);
  assertEquals(run.watch.at(103), valueFor(ALL, 103));
  run.watch.entered(undefined, [], 103);
  await answers();
  run.watch.take(ALL[103] as LogEntry);
  assertEquals(run.watch.at(104), valueFor(ALL, 104));
  assertEquals([run.asked, run.told], [[103], []]); // whose value it wasn't told
  const { watch } = run;
  const seen = { seq: 110, value: valueFor(ALL, 110) };
  watch.foresee(undefined, []);
  assertEquals(watch.seenDiffers(seen, 120), undefined);
  watch.foresee(chainEvent(104, undefined), ALL.slice(104, 115));
  assertEquals(watch.seenDiffers(seen, 120), false);
});

Deno.test("ChainWatch that doesn't keep a value which the server must know, by what it told, asks for that again and again", async () => {
  const untold = { from: 100, exact: false, untold: true } as const;
  const now = [...ALL.slice(0, 99), ...others(100, 4_901)];
  for (const after of [50, 100]) {
    const run = new Run();
    await run.enter(ALL.slice(0, 100), 95);
    run.watch.parted();
    await run.enter(now, after, { start: 101 });
    assertEquals(run.told, []);
    await run.wait(75);
    assertEquals([run.told, run.asked], [[untold], Array(5).fill(100)]);
  }
});

Deno.test("ChainWatch says whether what an earlier run saw differs from the first line on", async () => {
  for (const [seq, exact] of [[1, true], [2, false]] as const) {
    const run = new Run({ seq, value: valueFor(others(1, 5), seq) });
    await run.enter(ALL.slice(0, 10));
    assertEquals(run.told, [{ from: seq, exact }]);
    const later = new Run(run.seen);
    await later.enter(ALL.slice(0, 10), seq); // which begins right there
    assertEquals(later.told, [{ from: seq, exact }]);
  }
});

Deno.test("ChainWatch counts what has come for 20 ms in a second in which fewer than 2,048 lines came, and all where more than 8,192 wait", async () => {
  const many = numbered(saidUpTo(8_300));
  let [step, looks] = [0, 0];
  /** The last line that was counted, once some have come and time has passed. @param ticks Seconds. */
  const counted = async (lines: number, ticks: number) => {
    const run = new Run();
    await run.enter(many.slice(0, 100));
    step = 0; // all is counted in no time
    const all = many.slice(100, 100 + lines);
    for (const line of all) run.watch.take(line);
    for (let tick = 0; tick < ticks; tick++) run.watch.tick();
    step = 20; // nothing more is
    run.watch.parted();
    return (run.seen?.seq ?? 0) - 100;
  };
  await withMethod(performance, "now", () => () => {
    if (++looks > 1_000) throw new Error("it waits for a clock that stands");
    return time += step;
  }, async () => {
    const cases = [
      ...[[9, 0, 0], [9, 1, 9], [2_047, 1, 2_047], [2_048, 1, 0]],
      ...[[2_048, 2, 2_048], [8_192, 0, 0], [8_193, 0, 8_193]],
    ];
    for (const [lines = 0, ticks = 0, expected] of cases) {
      assertEquals(await counted(lines, ticks), expected, `${lines}, ${ticks}`);
    }
    const run = new Run();
    await run.enter(many.slice(0, 100));
    for (const line of many.slice(100, 300)) run.watch.take(line);
    step = 10; // so that there is time for one piece
    looks = 0;
    run.watch.parted();
    assertEquals([run.seen?.seq, looks], [164, 3]);
    await run.enter(many.slice(0, 300), 300);
    for (const line of many.slice(300, 310)) run.watch.take(line);
    looks = 0;
    run.watch.parted();
    assertEquals([run.seen?.seq, looks], [310, 2]); // and then there is nothing to wait for
  });
});
