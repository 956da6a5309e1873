/**
 * The chain's values as the log has them: in memory, from files, across rotations; with a side file or without; and
 * what they are where somebody changed the log.
 *
 * @module
 */

import { CHAIN_START } from "../../../src/protocol/chain.ts";
import type { ChatLog } from "../../../src/log/chat_log.ts";
import { LogError } from "../../../src/log/file.ts";
import { formatEntry } from "../../../src/log/line_format.ts";
import type { NewEntry } from "../../../src/protocol/line.ts";
import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";
import { modeOf } from "../../kit/folder.ts";
import {
  headingAfter,
  namesBeside,
  numbered,
  openLog,
  said,
  saidUpTo,
  testWithPath,
  valueFor,
  valuesFor,
  windows,
  withMethod,
} from "../../kit/log_kit.ts";

const COUNT = 3_000;
const ALL = numbered(saidUpTo(COUNT));
const VALUES = valuesFor(ALL).map((it) => it.toHex());
const linesOf = (entries: readonly NewEntry[]) =>
  entries.map((entry) => `${formatEntry(entry)}\n`).join("");

const valueAt = async (log: ChatLog, seq: number) =>
  (await log.chainAt(seq))?.toHex();

/** Numbers where something begins or ends: of memory, of marks, of the log. */
const PLACES = [
  0,
  1,
  2,
  500,
  1_023,
  1_024,
  1_025,
  1_500,
  2_047,
  2_048,
  2_100,
  2_990,
  2_999,
];

async function assertValues(log: ChatLog, from = 0): Promise<void> {
  for (const seq of PLACES) {
    const expected = seq < from ? undefined : VALUES[seq];
    assertEquals(await valueAt(log, seq), expected, `line ${seq}`);
  }
}

/** Writes a log of all lines as a server would, a few at a time, and lets its values be counted. */
async function writeAll(path: string, options = {}): Promise<void> {
  await using log = await openLog(path, options);
  for (let at = 0; at < COUNT; at += 100) {
    await log.append(ALL.slice(at, at + 100));
    await log.chainAt(at + 100);
  }
}

const marksOf = async (path: string) =>
  (await Deno.readTextFile(`${path}.chain`)).split("\n");

testWithPath(
  "chainAt() tells the value for every line that there is, and none for others",
  async (path) => {
    await using log = await openLog(path, { window: 16 });
    assertEquals(await log.chainAt(0), CHAIN_START);
    assertEquals(await log.chainAt(1), undefined);
    await log.append(ALL);
    assertEquals(await valueAt(log, COUNT), VALUES[COUNT]);
    await assertValues(log);
    assertEquals(await log.chainAt(COUNT + 1), undefined);
    await log.append([said(3_001)]);
    const more = [...ALL, ...numbered([said(3_001)], 3_001)];
    assertEquals(await valueAt(log, 3_001), valueFor(more).toHex());
  },
);

testWithPath(
  "chainAt() tells the same after a start, whatever became of the side file",
  async (path) => {
    await writeAll(path);
    const side = `${path}.chain`;
    assertEquals((await marksOf(path)).length, 3); // two lines, and the end
    if (!windows) assertEquals(await modeOf(side), 0o600);
    const whole = await Deno.readTextFile(side);
    const states: [string, () => Promise<void>][] = [
      ["as it was", () => Promise.resolve()],
      ["deleted", () => Deno.remove(side)],
      ["emptied", () => Deno.writeTextFile(side, "")],
      ["broken off", () => Deno.writeTextFile(side, whole.slice(0, -20))],
      [
        "one line behind",
        () => Deno.writeTextFile(side, whole.slice(0, whole.indexOf("\n") + 1)),
      ],
      [
        "damaged in its first line",
        () => Deno.writeTextFile(side, whole.replace(/ [^ ]{5}/, " AAAAA")),
      ],
      [
        "damaged in its last line",
        () =>
          Deno.writeTextFile(side, whole.replace(/(2048 )[^ ]{5}/, "$1AAAAA")),
      ],
      [
        "without its first line",
        () => Deno.writeTextFile(side, whole.slice(whole.indexOf("\n") + 1)),
      ],
      ["of something else", () => Deno.writeTextFile(side, "\0\n".repeat(99))],
    ];
    for (const [state, make] of states) {
      await Deno.writeTextFile(side, whole);
      await make();
      const notices: string[] = [];
      const onNotice = (text: string) => notices.push(text);
      await using log = await openLog(path, { onNotice });
      assertEquals(await valueAt(log, COUNT), VALUES[COUNT], state);
      await assertValues(log);
      assertEquals(notices, [], state);
      await log.close();
      assertEquals(await Deno.readTextFile(side), whole, state);
    }
  },
);

testWithPath(
  "chainAt() does without a side file that can't be used",
  async (path) => {
    await Deno.mkdir(`${path}.chain`);
    const notices: string[] = [];
    const onNotice = (text: string) => notices.push(text);
    await using log = await openLog(path, { onNotice });
    await log.append(ALL);
    assertEquals(await valueAt(log, COUNT), VALUES[COUNT]);
    await assertValues(log);
    assertEquals(notices, [
      `Cannot use "${path}.chain": it is a folder; the next start takes longer for it`,
    ]);
  },
);

testWithPath(
  "a log that has few lines has no side file",
  async (path) => {
    await using log = await openLog(path);
    await log.append(saidUpTo(1_023));
    await log.chainAt(1_023);
    assertEquals(await namesBeside(path), ["chat.log"]);
  },
);

testWithPath(
  "chainAt() goes on across rotated files, and where older ones are deleted",
  async (path) => {
    await writeAll(path, { maxSize: 80_000 });
    assertEquals(
      (await namesBeside(path)).sort(),
      ["chat.log", "chat.log.1", "chat.log.2", "chat.log.chain"],
    );
    const [, first = "", value = ""] =
      /continues at event (\d+) after (\S+)\n/.exec(
        await Deno.readTextFile(`${path}.1`),
      ) ?? [];
    const before = Number(first) - 1;
    const heading = headingAfter(ALL.slice(0, before), before);
    assert(heading.includes(value));
    for (const withSide of [true, false]) {
      await using log = await openLog(path);
      await assertValues(log);
      await log.close();
      if (withSide) await Deno.remove(`${path}.chain`);
    }
    await Deno.remove(`${path}.2`);
    for (const withSide of [true, false]) {
      await using log = await openLog(path);
      assertEquals(await valueAt(log, before), VALUES[before]);
      await assertValues(log, before);
      await log.close();
      if (withSide) await Deno.remove(`${path}.chain`);
    }
  },
);

testWithPath(
  "chainAt() tells nothing of lines whose file somebody deletes meanwhile",
  async (path) => {
    await writeAll(path, { maxSize: 80_000 });
    await using log = await openLog(path);
    await Deno.remove(`${path}.2`);
    assertEquals(await log.chainAt(500), undefined);
    assertEquals(await valueAt(log, 2_999), VALUES[2_999]);
  },
);

testWithPath(
  "a heading without a value is read, and the chain goes on from the file before",
  async (path) => {
    await Deno.writeTextFile(`${path}.1`, linesOf(ALL.slice(0, 2_000)));
    const rest = linesOf(ALL.slice(2_000));
    await Deno.writeTextFile(path, `# continues at event 2001\n${rest}`);
    {
      await using log = await openLog(path);
      await assertValues(log);
    }
    // Without that file nobody knows the value: the chain begins anew.
    await Deno.remove(`${path}.1`);
    await using log = await openLog(path);
    assertEquals(await log.chainAt(1_999), undefined);
    assertEquals(await log.chainAt(2_000), CHAIN_START);
  },
);

testWithPath(
  "lines written by hand count by their numbers alone, and change nothing before them",
  async (path) => {
    const lines = linesOf(ALL.slice(0, 10)).split("\n");
    const mixed = [
      ...lines.slice(0, 4),
      "# a note",
      "",
      ...lines.slice(4, 10),
      "2026-11-23T17:06:07.004Z somebody said this",
    ];
    await Deno.writeTextFile(path, `${mixed.join("\n")}\n`);
    const ours = [
      ...ALL.slice(0, 4),
      ...ALL.slice(4, 10).map((it) => ({ ...it, seq: it.seq + 2 })),
    ];
    await using log = await openLog(path);
    assertEquals(log.head, 13);
    for (let seq = 0; seq <= 13; seq++) {
      assertEquals(await valueAt(log, seq), valueFor(ours, seq).toHex());
    }
    assertEquals(await log.append([said(11)]), 14);
    const more = [...ours, ...numbered([said(11)], 14)];
    assertEquals(await valueAt(log, 14), valueFor(more).toHex());
  },
);

/** What somebody may do to the lines of a log, and up to which number nothing changes by it. */
const TAMPERING: readonly [string, number, (lines: string[]) => string[]][] = [
  [
    "a changed word",
    699,
    (lines) =>
      lines.with(699, lines[699]?.replace("text 700", "test 700") ?? ""),
  ],
  ["a dropped line", 699, (lines) => lines.toSpliced(699, 1)],
  [
    "two lines in another order",
    699,
    (lines) => lines.with(699, lines[700] ?? "").with(700, lines[699] ?? ""),
  ],
  ["a line more", 699, (lines) => lines.toSpliced(699, 0, lines[698] ?? "")],
];

for (const [deed, last, change] of TAMPERING) {
  testWithPath(
    `chainAt() gives ${deed} away, though the side file is older, and the owner is told`,
    async (path) => {
      await writeAll(path);
      const lines = linesOf(ALL).split("\n");
      await Deno.writeTextFile(path, change(lines).join("\n"));
      const notices: string[] = [];
      const onNotice = (text: string) => notices.push(text);
      await using log = await openLog(path, { onNotice });
      for (const seq of [0, last - 1, last]) {
        assertEquals(await valueAt(log, seq), VALUES[seq]);
      }
      for (const seq of [last + 2, 1_024, 2_048, 2_900]) {
        const value = await valueAt(log, seq);
        assert(value !== undefined && value !== VALUES[seq]);
      }
      assertEquals(notices, [
        `"${path}" isn't as it was: it was changed before event 1024. Those who saw it as it was are warned`,
      ]);
    },
  );
}

testWithPath(
  "a log restored from yesterday's backup has the values that its lines have, whatever the side file says",
  async (path) => {
    await writeAll(path);
    const old = ALL.slice(0, 1_100);
    await Deno.writeTextFile(path, linesOf(old));
    await using log = await openLog(path);
    assertEquals(await log.chainAt(1_101), undefined);
    assertEquals(await valueAt(log, 1_100), valueFor(old).toHex());
    const other = Array.from({ length: 1_000 }, (_, at) => said(at, "new"));
    await log.append(other);
    const now = [...old, ...numbered(other, 1_101)];
    assertEquals(await valueAt(log, 2_048), valueFor(now, 2_048).toHex());
    await log.close();
    await using again = await openLog(path);
    assertEquals(await valueAt(again, 2_100), valueFor(now).toHex());
    assertEquals((await marksOf(path)).length, 3);
  },
);

testWithPath(
  "a log that is copied and emptied keeps its chain, with the copy or without",
  async (path) => {
    await using log = await openLog(path);
    await log.append(ALL.slice(0, 10));
    await Deno.copyFile(path, `${path}.1`);
    await Deno.truncate(path);
    await log.append(ALL.slice(10, 20));
    assertEquals(await valueAt(log, 20), VALUES[20]);
    await Deno.remove(`${path}.1`);
    await Deno.truncate(path);
    await log.append(ALL.slice(20, 30));
    assertEquals(await valueAt(log, 30), VALUES[30]);
    await log.close();
    await using again = await openLog(path);
    assertEquals(await valueAt(again, 30), VALUES[30]);
    assertEquals(await valueAt(again, 20), VALUES[20]);
    assertEquals(await again.chainAt(19), undefined);
  },
);

testWithPath(
  "a log that was moved while no server ran goes on with its chain",
  async (path) => {
    await writeAll(path);
    await Deno.rename(path, `${path}.1`);
    {
      await using log = await openLog(path);
      await log.append([said(3_001)]);
    }
    const text = await Deno.readTextFile(path);
    assert(text.startsWith(headingAfter(ALL)));
    await Deno.remove(`${path}.1`);
    await using log = await openLog(path);
    assertEquals(await valueAt(log, COUNT), VALUES[COUNT]);
  },
);

testWithPath(
  "chainAt() takes no line for a missing one, at whichever moment of its writing it is asked",
  async (path) => {
    await using log = await openLog(path);
    await log.append(ALL.slice(0, 1)); // whether the file is in place isn't looked at again for a second
    for (let at = 1; at < 20; at++) {
      const appending = log.append(ALL.slice(at, at + 1));
      for (let step = 0; step < 50; step++) {
        await null;
        void log.chainAt(log.head);
      }
      await appending;
    }
    const value = valueFor(ALL.slice(0, 20)).toHex();
    assertEquals(await valueAt(log, 20), value);
  },
);

testWithPath(
  "a log is rotated once the value is counted with which the next file begins",
  async (path) => {
    const options = { maxSize: 60_000, window: 16 };
    await using log = await openLog(path, options);
    await log.append(ALL.slice(0, 2_000)); // far more than is in memory
    assertEquals(await namesBeside(path), ["chat.log"]);
    await log.chainAt(2_000);
    await log.append(ALL.slice(2_000, 2_001));
    const text = await Deno.readTextFile(path);
    assertEquals(text, headingAfter(ALL.slice(0, 2_001)));
  },
);

/** Notes how long is rested, ms, and has no rest take any time. @returns Them, and what comes with the third. */
function restsNoted() {
  const rests: number[] = [];
  const { promise: third, resolve } = Promise.withResolvers<void>();
  const note = (start: typeof setTimeout) =>
    ((run: () => void, ms = 0) => {
      if (rests.push(ms) === 3) resolve();
      return start(run, 0);
    }) as typeof setTimeout;
  return { rests, third, note };
}

/** Runs a body by a clock by which one piece is counted at a time. */
async function pieceByPiece(body: () => Promise<void>): Promise<void> {
  let now = 0;
  await withMethod(performance, "now", () => () => now += 0.6, body);
}

testWithPath(
  "mayDelete() has lines in files counted, and allows it once they are",
  async (path) => {
    await Deno.writeTextFile(path, linesOf(ALL.slice(0, 1_000)));
    await using log = await openLog(path, { window: 16 });
    const { third, note } = restsNoted();
    await pieceByPiece(() =>
      withMethod(globalThis, "setTimeout", note, async () => {
        assertEquals(log.mayDelete(), false);
        await third;
        await log.chainAt(1_000);
        assertEquals(log.mayDelete(), true);
      })
    );
  },
);

testWithPath(
  "a log that has more than twice the size at which it is rotated has the value counted without rest",
  async (path) => {
    const size = linesOf(ALL.slice(0, 1_000)).length;
    for (
      const [maxSize, without] of [[size / 2, false], [size / 2 - 1, true]]
    ) {
      const { rests, third, note } = restsNoted();
      await using log = await openLog(path, {
        maxSize: Number(maxSize),
        window: 16,
      });
      await pieceByPiece(() =>
        withMethod(globalThis, "setTimeout", note, async () => {
          await log.append(ALL.slice(0, 1_000));
          await third;
        })
      );
      assertEquals(rests.every((ms) => ms === 0), without, `${rests}`);
      await Deno.remove(path);
    }
  },
);

for (const size of [10, 3_000]) {
  testWithPath(
    `a log of ${size} lines that goes on after a later number begins another file there, and numbers, values and lines go on`,
    async (path) => {
      const lines = ALL.slice(0, size);
      const last = size + 2_000;
      const next = { ...said(last + 1), n: 7 };
      const all = [...lines, ...numbered([next], last + 1)];
      const wanted = valueFor(all).toHex();
      {
        await using log = await openLog(path);
        await log.append(lines);
        await log.goOnAfter(last);
        assertEquals(log.head, last);
        assertEquals(await log.append([next]), last + 1);
        assertEquals(await valueAt(log, last + 1), wanted);
      }
      const text = await Deno.readTextFile(path);
      assertEquals(text, headingAfter(lines, last) + linesOf([next]));
      await using again = await openLog(path);
      assertEquals(await valueAt(again, last + 1), wanted);
      assertEquals(await valueAt(again, size), valueFor(lines).toHex());
      const past: number[] = [];
      for await (const some of again.past(size - 1, again.head)) {
        past.push(...some.map(({ seq }) => seq));
      }
      assertEquals(past, [size, last + 1]);
    },
  );
}

testWithPath(
  "a log goes on after a number to which no chain can be counted, and tells no value then",
  async (path) => {
    await using log = await openLog(path);
    await log.append(ALL.slice(0, 3));
    const last = 5_000_000;
    await log.goOnAfter(last);
    assertEquals(await log.append([said(1)]), last + 1);
    const text = await Deno.readTextFile(path);
    assertEquals(
      text,
      `# continues at event ${last + 1}\n${linesOf([said(1)])}`,
    );
    assertEquals(await log.chainAt(last + 1), undefined);
    await log.goOnAfter(last + 9);
    assertEquals(
      await Deno.readTextFile(path),
      `# continues at event ${last + 10}\n`,
    );
  },
);

testWithPath(
  "a log stays as it was where it can't go on in another file",
  async (path) => {
    await using log = await openLog(path);
    await log.append(ALL.slice(0, 3));
    const fail = () => () => {
      throw new Error("Input/output error");
    };
    await withMethod(Deno, "renameSync", fail, async () => {
      await assertRejects(
        () => log.goOnAfter(9),
        LogError,
        `Cannot go on "${path}": Input/output error`,
      );
    });
    assertEquals(await log.append(ALL.slice(3, 4)), 4);
    assertEquals(await valueAt(log, 4), VALUES[4]);
  },
);

testWithPath(
  "chainAt() tells no value while a file can't be opened, and tells it again then",
  async (path) => {
    await using log = await openLog(path, { window: 16 });
    for (let at = 0; at < 6_000; at += 1_000) {
      await log.append(saidUpTo(at + 1_000).slice(at));
      await log.chainAt(log.head);
    }
    const fail = () => () => Promise.reject(new Error("Too many open files"));
    await withMethod(Deno, "open", fail, async () => {
      assertEquals(await log.chainAt(500), undefined);
    });
    assertEquals(await valueAt(log, 500), VALUES[500]);
  },
);
