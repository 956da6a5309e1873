/**
 * When the chain's values are counted: in slices with rests, at once for who waits, and how long anybody waits for them.
 *
 * @module
 */

import type { Bytes } from "../../../crypto_utils.ts";
import { type ChainLines, ChainValues } from "../../../src/log/chain_values.ts";
import { LogError } from "../../../src/log/file.ts";
import { CHAIN_START } from "../../../src/protocol/chain.ts";
import type { LogEntry } from "../../../src/protocol/line.ts";
import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";
import { DrivenClock } from "../../kit/driven_clock.ts";
import { inFolder } from "../../kit/folder.ts";
import { numbered, saidUpTo, valueFor, valuesFor } from "../../kit/log_kit.ts";

const ALL = numbered(saidUpTo(3_000));
/** More often than any test has the lines looked at. */
const MAX_LOOKS = 500;

/** Lines of which only the last are in memory. They take ill what would never end. */
class Lines implements ChainLines {
  readonly start: readonly [number, Bytes] = [0, CHAIN_START];
  head: number;
  /** Lines that are read at once. */
  piece = 100;
  /** How long that takes, ms. */
  cost = 1;
  error: Error | undefined;
  /** Lines that aren't ours. */
  readonly notOurs = new Set<number>();
  /** After which lines was read, in order. */
  readonly readAfter: number[] = [];
  /** How many are reading now. */
  reading = 0;
  readonly #window: number;
  readonly #clock: DrivenClock;
  #looks = 0;

  constructor(clock: DrivenClock, head: number, window: number) {
    this.#clock = clock;
    this.#window = window;
    this.head = head;
  }

  /** @throws {Error} if it is asked for too often. */
  get oldest(): number {
    if (this.#looks++ >= MAX_LOOKS) throw new Error("This would never end");
    return Math.max(0, this.head - this.#window);
  }

  async *past(after: number, upTo: number): AsyncGenerator<LogEntry[]> {
    this.readAfter.push(after);
    this.reading++;
    try {
      for (let at = after; at < upTo; at += this.piece) {
        await null;
        this.#clock.now += this.cost;
        if (this.error) throw this.error;
        yield this.#ours(at, Math.min(at + this.piece, upTo));
      }
    } finally {
      this.reading--;
    }
  }

  recent(after: number): readonly LogEntry[] {
    if (after < this.oldest) throw new RangeError("They aren't in memory");
    return this.#ours(after, this.head);
  }

  #ours(after: number, upTo: number): LogEntry[] {
    return ALL.slice(after, upTo).filter(({ seq }) => !this.notOurs.has(seq));
  }

  heading(): undefined {}

  have(_after?: number): Promise<boolean> {
    return Promise.resolve(true);
  }
}

interface SetUp {
  readonly clock: DrivenClock;
  readonly lines: Lines;
  readonly values: ChainValues;
  readonly notices: string[];
  readonly path: string;
}

/** A test by a clock of its own, of so many lines of which so many are in memory. */
function chainTest(
  name: string,
  { head = 0, window = 1_024, marks = false },
  test: (set: SetUp) => Promise<void>,
) {
  Deno.test(name, () =>
    inFolder((folder) =>
      DrivenClock.with(async (clock) => {
        const notices: string[] = [];
        const path = `${folder}/chat.log`;
        const load = (lines: Lines) =>
          ChainValues.load(path, lines, (text) => notices.push(text));
        if (marks) {
          const before = new Lines(clock, head, window);
          const values = await load(before);
          await clock.until(values.at(head));
          await clock.until(values.close());
        }
        const lines = new Lines(clock, head, window);
        const values = await load(lines);
        clock.now = 0;
        clock.set.length = 0;
        await test({ clock, lines, values, notices, path });
        await clock.until(values.close());
        assertEquals(lines.reading, 0);
      })
    ));
}

const VALUES = valuesFor(ALL).map((it) => it.toHex());
const last = (seq: number) => VALUES[seq];

chainTest(
  "ChainValues counts lines in files for a millisecond at a time, and rests sixty times as long, and 20 ms at least",
  { head: 1_000, window: 16 },
  async ({ clock, lines, values }) => {
    assertEquals([values.isBehind, values.isCounted], [true, false]);
    assertEquals(values.last, undefined);
    values.wake();
    for (const cost of [2, 0.5, 0.75]) {
      await clock.idle();
      lines.cost = cost;
      await clock.step();
    }
    assertEquals(clock.set, [60, 120, 60, 90]);
    assertEquals([values.isBehind, values.isCounted], [true, false]);
    lines.cost = 0.01;
    await clock.step();
    await clock.step();
    assertEquals(clock.set.length, 4); // nothing more is to be done
    assertEquals([values.isBehind, values.isCounted], [false, true]);
    assertEquals(values.last?.toHex(), last(1_000));
    lines.head = 2_000;
    assertEquals([values.isBehind, values.isCounted], [true, false]);
    values.wake();
    await clock.idle();
    assertEquals(clock.set.slice(4), [20]);
    await clock.step();
    assertEquals(values.last?.toHex(), last(2_000));
  },
);

chainTest(
  "ChainValues counts lines in memory once there are more than 256, or somebody asks",
  {},
  async ({ clock, lines, values }) => {
    let asked = 0;
    const { recent } = lines;
    lines.recent = (after) => {
      asked++;
      return recent.call(lines, after);
    };
    const wake = async () => {
      values.wake();
      await clock.step();
      return asked;
    };
    lines.head = 256;
    assertEquals(await wake(), 0);
    lines.head = 257;
    assertEquals(await wake(), 1);
    lines.head = 513;
    assertEquals(await wake(), 1);
    assertEquals((await clock.until(values.at(300)))?.toHex(), last(300));
    assertEquals(asked, 2);
    assertEquals(values.last?.toHex(), last(513));
    assertEquals(await clock.until(values.at(514)), undefined);
    lines.head = 514;
    assertEquals((await clock.until(values.at(513)))?.toHex(), last(513));
    assertEquals(asked, 2);
    assertEquals(values.last?.toHex(), last(514));
  },
);

chainTest(
  "ChainValues doesn't rest while somebody waits for a value, for five seconds",
  { head: 1_000, window: 16 },
  async ({ clock, lines, values }) => {
    values.wake();
    await clock.idle(); // it rests
    const waits = () => clock.set.filter((ms) => ms === 60 || ms > 5_000);
    const value = values.at(990);
    await clock.idle();
    assertEquals(clock.now, 2); // the rest is over at once
    assertEquals((await clock.until(value))?.toHex(), last(990));
    assertEquals([clock.now, waits()], [10, [60]]);
    lines.head = 2_000;
    lines.cost = 1_000;
    const begin = clock.now;
    const [near, far] = [1_100, 1_990].map((seq) => values.at(seq));
    assert(near && far);
    assertEquals((await clock.until(near))?.toHex(), last(1_100));
    assertEquals(clock.now - begin, 1_000);
    assertEquals(await clock.until(far), undefined);
    assertEquals(clock.now - begin, 5_000);
    lines.cost = 1;
    const left = await clock.until(values.at(1_990));
    assertEquals(left?.toHex(), last(1_990));
    lines.head = 3_000; // for which nobody waits
    values.wake();
    await clock.step();
    assertEquals(clock.set.at(-1), 60);
  },
);

chainTest(
  "ChainValues doesn't rest once somebody can't go on without the last value, until it is told",
  { head: 1_000, window: 16 },
  async ({ clock, lines, values }) => {
    values.wake();
    await clock.idle();
    values.press();
    while (values.isBehind) assert(await clock.step());
    assertEquals(new Set(clock.set.slice(1)), new Set([0]));
    assertEquals(clock.now, 10);
    assertEquals(values.last?.toHex(), last(1_000));
    lines.head = 2_000;
    const { length } = clock.set;
    values.wake();
    await clock.step();
    await clock.step();
    const rests = clock.set.slice(length);
    assertEquals(rests, [60, 60, 60]);
  },
);

chainTest(
  "ChainValues counts over what was noted for a second without rest, and tells no value before that",
  { head: 3_000, window: 16, marks: true },
  async ({ clock, lines, values, notices }) => {
    lines.cost = 100;
    assertEquals(values.isCounted, false);
    const value = values.at(2_990);
    let isTold = false;
    value.then(() => isTold = true);
    while (clock.now < 1_000) {
      assertEquals(isTold, false);
      assert(await clock.step());
    }
    assertEquals(new Set(clock.set), new Set([0]));
    lines.cost = 1;
    assertEquals((await clock.until(value))?.toHex(), last(2_990));
    assert(clock.set.includes(60), `${clock.set}`);
    assertEquals(values.isCounted, false);
    assertEquals(await clock.until(values.checked()), true);
    assertEquals([values.isCounted, notices], [true, []]);
    assertEquals(await clock.until(values.checked()), true);
  },
);

chainTest(
  "ChainValues waits five seconds for what was noted to be counted over, and goes on after that",
  { head: 3_000, window: 16, marks: true },
  async ({ clock, lines, values }) => {
    lines.cost = 1_000;
    assertEquals(await clock.until(values.checked()), false);
    assertEquals([clock.now >= 5_000, clock.now < 7_000], [true, true]);
    lines.cost = 1;
    assertEquals(await clock.until(values.checked()), true);
  },
);

for (
  const [what, options] of [
    ["lines", { head: 3_000, window: 16 }],
    ["lines behind what was noted", { head: 3_000, window: 16, marks: true }],
    ["what was noted", { head: 3_000, marks: true }],
  ] as const
) {
  chainTest(
    `ChainValues says that it can't read ${what}, and tries again a second later, also for who waits`,
    options,
    async ({ clock, lines, values, notices }) => {
      lines.error = new LogError("read", "chat.log", new Error("It is locked"));
      values.press();
      await clock.idle();
      const notice =
        `Cannot count the chain's values: Cannot read "chat.log": It is locked`;
      assertEquals([clock.set, notices], [[1_000], [notice]]);
      await clock.step();
      assertEquals([clock.set, notices], [[1_000, 1_000], [notice, notice]]);
      lines.error = undefined;
      const value = await clock.until(values.at(2_990));
      assertEquals(value?.toHex(), last(2_990));
      assertEquals(await clock.until(values.checked()), true);
      assertEquals(notices.length, 2);
    },
  );
}

chainTest(
  "ChainValues gives up after a fault of the program, and says so",
  { head: 1_000, window: 16 },
  async ({ clock, lines, values, notices }) => {
    lines.error = new TypeError("It is no line");
    assertEquals(await clock.until(values.at(990)), undefined);
    const notice = "Cannot count the chain's values: It is no line";
    assertEquals(notices, [notice]);
    assertEquals([values.last, values.isBehind, values.isCounted], [
      undefined,
      false,
      true,
    ]);
    values.press();
    assertEquals(await clock.until(values.at(990)), undefined);
    assertEquals(notices, [notice]);
  },
);

chainTest(
  "ChainValues tells nothing of a line that it can't read now, or before which some are missing, and passes on a fault of the program",
  { head: 3_000, window: 16, marks: true },
  async ({ clock, lines, values, notices }) => {
    assertEquals(await clock.until(values.checked()), true);
    lines.error = new LogError("read", "chat.log", new Error("It is locked"));
    assertEquals(await clock.until(values.at(5)), undefined);
    lines.error = new TypeError("It is no line");
    await assertRejects(() => clock.until(values.at(5)), TypeError, "no line");
    lines.error = undefined;
    assertEquals((await clock.until(values.at(5)))?.toHex(), last(5));
    lines.have = (after = 0) => Promise.resolve(after >= 4);
    assertEquals(await clock.until(values.at(5)), undefined);
    assertEquals(notices, []);
  },
);

chainTest(
  "ChainValues goes on from what was noted for an older line, leaves nothing open, and reads nothing where there are no lines",
  { head: 3_000, window: 16, marks: true },
  async ({ clock, lines, values }) => {
    assertEquals(await clock.until(values.checked()), true);
    assertEquals(lines.readAfter, [2_048, 0]);
    for (const seq of [2_047, 1_025, 1_024, 1_023, 0]) {
      const value = await clock.until(values.at(seq));
      assertEquals(value?.toHex(), last(seq), `${seq}`);
    }
    assertEquals(lines.readAfter.slice(2), [1_024, 1_024, 1_024, 0, 0]);
    assertEquals(lines.reading, 0);
    lines.notOurs.add(5);
    const ours = ALL.filter(({ seq }) => seq !== 5);
    assertEquals(await clock.until(values.at(5)), valueFor(ours, 5));
    // A log without lines.
    const empty = new Lines(clock, 0, 16);
    const none = await ChainValues.load("none", empty, () => {});
    assertEquals(await clock.until(none.at(0)), CHAIN_START);
    assertEquals(empty.readAfter, []);
  },
);

chainTest(
  "ChainValues counts a line that isn't ours by its number alone, wherever it stands",
  { head: 1_000, window: 16, marks: true },
  async ({ clock, lines, values }) => {
    for (const seq of [5, 984, 1_000]) lines.notOurs.add(seq);
    const ours = ALL.filter(({ seq }) => !lines.notOurs.has(seq));
    for (const seq of [983, 984, 990, 999, 1_000, 5]) {
      const value = await clock.until(values.at(seq));
      assertEquals(value?.toHex(), valueFor(ours, seq).toHex(), `${seq}`);
    }
    assertEquals(values.last, valueFor(ours, 1_000));
    lines.head = 3_000;
    const late = await clock.until(values.at(2_990));
    assertEquals(late?.toHex(), valueFor(ours, 2_990).toHex());
  },
);

chainTest(
  "ChainValues ends without a rest when it is closed, while it counts or rests",
  { head: 1_000, window: 16 },
  async ({ clock, lines, values }) => {
    values.wake();
    await clock.idle();
    assertEquals([clock.set, clock.now, lines.reading], [[60], 1, 1]);
    await clock.until(values.close());
    assertEquals([clock.set, clock.now, lines.reading], [[60], 1, 0]);
    const others = await ChainValues.load("none", lines, () => {});
    others.wake();
    await others.close();
    assertEquals([clock.set, lines.reading], [[60], 0]);
  },
);

for (const isWhole of [true, false]) {
  chainTest(
    `ChainValues ${
      isWhole
        ? "goes on with what lines say now, and says so"
        : "stays with what was noted"
    }, where they come to another value, and ${
      isWhole ? "all of them are" : "one of their files isn't"
    } there`,
    { head: 3_000, window: 1_024, marks: true },
    async ({ clock, path, lines, values, notices }) => {
      lines.notOurs.add(700);
      lines.piece = 2_048; // two marks in one, and the last line of both
      lines.have = () => Promise.resolve(isWhole);
      const before = await Deno.readTextFile(`${path}.chain`);
      assertEquals(await clock.until(values.checked()), true);
      assertEquals(lines.reading, 0);
      assertEquals(
        notices,
        isWhole
          ? [
            `"${path}" isn't as it was: it was changed before event 1024. Those who saw it as it was are warned`,
          ]
          : [],
      );
      lines.have = () => Promise.resolve(true);
      const ours = isWhole ? ALL.filter(({ seq }) => seq !== 700) : ALL;
      const value = await clock.until(values.at(3_000));
      assertEquals(value, valueFor(ours));
      const marks = (await Deno.readTextFile(`${path}.chain`)).split("\n");
      assertEquals(marks.map((it) => it.split(" ")[0]), ["1024", "2048", ""]);
      assertEquals(marks.join("\n") === before, !isWhole);
    },
  );
}

chainTest(
  "ChainValues ends at once when it is closed, whoever waits",
  { head: 3_000, window: 16, marks: true },
  async ({ clock, lines, values }) => {
    lines.cost = 100;
    const asked = [values.at(2_990), values.checked()];
    await clock.idle();
    await clock.until(values.close());
    assertEquals(await clock.until(Promise.all(asked)), [undefined, false]);
    assertEquals(clock.now < 1_000, true);
    await clock.until(values.close());
  },
);
