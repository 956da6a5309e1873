/**
 * How long the log is kept: by age and by size, by clocks that are wrong, with an archive; and what an end at any step of
 * it leaves.
 *
 * @module
 */

import { checkLog } from "../../../src/log/check.ts";
import type { ChatLog, ChatLogOptions } from "../../../src/log/chat_log.ts";
import { dueOf, type Keep, rangeOf } from "../../../src/log/due_files.ts";
import { formatEntry } from "../../../src/log/line_format.ts";
import { ReadFiles } from "../../../src/log/read_files.ts";
import { Retention } from "../../../src/log/retention.ts";
import type { NewEntry } from "../../../src/protocol/line.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../../kit/assert.ts";
import { runToEnd } from "../../kit/command.ts";
import { modeOf } from "../../kit/folder.ts";
import {
  lastOf,
  namesBeside,
  numbered,
  openLog,
  pastOf,
  said as saidShort,
  testWithPath,
  valueFor,
  windows,
  withMethod,
} from "../../kit/log_kit.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const BEGIN = Date.UTC(2026, 0, 1);

/** A line of some day, of 130 bytes or so. */
const said = (n: number, day: number): NewEntry => ({
  ...saidShort(n, `text ${n} ${"x".repeat(60)}`),
  at: BEGIN + day * DAY,
});

const linesOf = (entries: readonly NewEntry[]) =>
  entries.map((entry) => `${formatEntry(entry)}\n`).join("");

/** A log that is looked at by clocks of the test's own. */
class Kept implements AsyncDisposable {
  readonly notices: string[] = [];
  now = BEGIN;
  uptime = 0;
  readonly retention: Retention;

  private constructor(
    readonly log: ChatLog,
    keep: Keep,
    archive: string | undefined,
  ) {
    this.retention = new Retention(log, {
      keep,
      archive,
      onNotice: (text) => this.notices.push(text),
      now: () => this.now,
      uptime: () => this.uptime,
    });
  }

  static async open(
    path: string,
    keep: Keep,
    { archive, ...options }: Partial<ChatLogOptions> & { archive?: string } =
      {},
  ): Promise<Kept> {
    const log = await openLog(path, { isRetained: true, ...options });
    return new Kept(log, keep, archive);
  }

  /** Time passes, with a look after each hour. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= HOUR) {
      const step = Math.min(left, HOUR);
      this.now += step;
      this.uptime += step;
      await this.retention.look();
    }
  }

  /** Has files of two lines each, of a day each, after which the clock stands there. */
  async fill(days: number): Promise<void> {
    for (let day = 0; day < days; day++) {
      const n = 2 * day + 1;
      await this.log.append([said(n, day), said(n + 1, day)]);
      await this.log.beginAnother();
    }
    this.now = BEGIN + (days - 1) * DAY;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.retention[Symbol.asyncDispose]();
    await this.log.close();
  }
}

const seqsIn = async (log: ChatLog) => (await pastOf(log)).map((it) => it.seq);

testWithPath(
  "Retention keeps each line as long as it should, and none for much more than a tenth longer",
  async (path) => {
    await using kept = await Kept.open(path, { age: 30 * DAY });
    const { log } = kept;
    let most = 0;
    for (let day = 0; day < 100; day++) {
      await log.append([said(day + 1, day)]);
      await kept.pass(DAY);
      const times = (await pastOf(log)).map(({ at }) => at);
      const [oldest = 0] = times;
      assert(oldest >= kept.now - 33 * DAY - 2 * HOUR, `day ${day}`);
      const young = Math.min(day + 1, 30);
      assert(times.length >= young, `day ${day}: ${times.length} lines`);
      most = Math.max(most, (await namesBeside(path)).length);
    }
    assert(most <= 13, `${most} files`);
    assertEquals(log.head, 100);
    // Where nobody says anything more, all goes but the last file, which then is empty.
    await kept.pass(40 * DAY);
    assertEquals(await pastOf(log), []);
    assertEquals([log.head, log.start[0]], [100, 100]);
    assertEquals(await log.append([said(101, 140)]), 101);
  },
);

testWithPath(
  "Retention says what is due by its age, and deletes it an hour later, oldest first",
  async (path) => {
    await using kept = await Kept.open(path, { age: 3 * DAY });
    const { log, notices } = kept;
    await kept.fill(6); // the clock stands on day 5
    await kept.retention.look();
    assertEquals(notices, [
      "Due to be deleted in 60 minutes, by the clock (2026-01-06T00:00Z): events 1 to 4, in chat.log.6 and chat.log.5. If the clock is wrong, set it right or stop the server before",
    ]);
    kept.uptime += HOUR - 1;
    await kept.retention.look();
    assertEquals((await seqsIn(log))[0], 1);
    kept.uptime += 1;
    await kept.retention.look();
    assertEquals(notices.slice(1), [
      "Deleted chat.log.6: events 1 to 2, until 2026-01-01",
      "Deleted chat.log.5: events 3 to 4, until 2026-01-02",
    ]);
    assertEquals((await seqsIn(log))[0], 5); // of day 2, and so just as old as may be
    assertEquals(log.start[0], 4);
    assertEquals((await lastOf(log, 200)).length, 8);
    assertEquals(await pastOf(log, 0, 6), await pastOf(log, 4, 6));
    assert(!(await namesBeside(path)).includes("chat.log.5"));
  },
);

testWithPath(
  "Retention deletes nothing by a clock that is ahead for less than an hour, or behind",
  async (path) => {
    await using kept = await Kept.open(path, { age: 30 * DAY });
    const { log, notices } = kept;
    await kept.fill(20);
    const all = await seqsIn(log);
    const right = kept.now;
    kept.now = right + 365 * DAY;
    await kept.retention.look();
    assertStringIncludes(notices[0] ?? "", "events 1 to 40, in chat.log.20 to");
    kept.uptime += HOUR - 1;
    await kept.retention.look();
    kept.now = right; // it was set right
    await kept.retention.look();
    kept.uptime += 2 * HOUR;
    await kept.retention.look();
    kept.now = right + 365 * DAY; // and jumps again, for which it begins anew
    await kept.retention.look();
    kept.now = 0;
    kept.uptime += 2 * HOUR;
    await kept.retention.look();
    assertEquals(await seqsIn(log), all);
    assertEquals(notices.length, 2);
    kept.now = right + 365 * DAY;
    for (let looks = 0; looks < 2; looks++) {
      await kept.retention.look();
      kept.uptime += HOUR;
    }
    await kept.retention.look();
    assertEquals(await seqsIn(log), []);
  },
);

testWithPath(
  "Retention isn't kept for ever from deleting by lines of a time that is yet to come",
  async (path) => {
    await using kept = await Kept.open(path, { age: 3 * DAY });
    const { log } = kept;
    const days = [0, 1, 400, 2, 3, 4];
    for (const [at, day] of days.entries()) {
      await log.append([said(at + 1, day)]);
      await log.beginAnother();
    }
    kept.now = BEGIN + 4.5 * DAY;
    await kept.pass(3 * HOUR);
    // The third is as old as the fourth.
    assertEquals(await seqsIn(log), [3, 4, 5, 6]);
    await kept.pass(DAY);
    assertEquals(await seqsIn(log), [5, 6]);
    // One with such a line at its beginning is rotated by those that follow.
    await log.append([said(7, 500), said(8, 5)]);
    const before = (await namesBeside(path)).length;
    await kept.pass(12 * HOUR);
    assert((await namesBeside(path)).length > before - 2);
    assertMatch(await Deno.readTextFile(path), /^# continues at event 9 /);
  },
);

testWithPath(
  "Retention by size deletes the oldest files while all are larger",
  async (path) => {
    const size = 20_000;
    const options = { maxSize: size / 10 };
    await using kept = await Kept.open(path, { size }, options);
    const { log, notices } = kept;
    for (let n = 1; n <= 600; n++) {
      await log.append([said(n, 0)]);
      await kept.retention.look();
      let sum = 0;
      for (const name of await namesBeside(path)) {
        sum += (await Deno.stat(path.replace("chat.log", name))).size;
      }
      assert(sum <= size + 300, `${sum}`);
      if (n > 200) assert(sum > 0.8 * size, `${sum}`);
    }
    assert((await namesBeside(path)).length <= 12);
    const [first = 0] = await seqsIn(log);
    assertEquals(await seqsIn(log), numbers(first, 600));
    assert(notices.length > 20, notices.join());
    assertMatch(
      notices[0] ?? "",
      /^Deleted chat\.log\.\d+: events 1 to \d+, until 2026-01-01$/,
    );
  },
);

testWithPath(
  "Retention by size leaves a large file from before until enough has followed it",
  async (path) => {
    await Deno.writeTextFile(
      path,
      linesOf(numbers(1, 400).map((n) => said(n, 0))),
    );
    const size = 20_000;
    await using kept = await Kept.open(path, { size }, { maxSize: size / 10 });
    const { log } = kept;
    for (let n = 401; n <= 500; n++) {
      await log.append([said(n, 0)]);
      await kept.retention.look();
      assertEquals((await seqsIn(log))[0], 1, `line ${n}`);
    }
    for (let n = 501; n <= 540; n++) {
      await log.append([said(n, 0)]);
      await kept.retention.look();
    }
    assertEquals(await seqsIn(log), numbers(402, 540)); // with line 401 it was too large
  },
);

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}

testWithPath(
  "a rotation deletes nothing of a log that is kept by its age, and doesn't make more files than there may be",
  async (path) => {
    const options = { isRetained: true, maxSize: 240 };
    {
      await using log = await openLog(path, options);
      for (let n = 1; n <= 300; n++) await log.append([said(n, 0)]);
      assertEquals((await namesBeside(path)).length, 100);
      assertEquals(await seqsIn(log), numbers(1, 300));
      // By their age there may be some more.
      await log.beginAnother();
      await log.append([said(301, 1)]);
      await log.beginAnother();
      await log.beginAnother(); // of an empty file there need be no other
      assertEquals((await namesBeside(path)).length, 102);
    }
    await using log = await openLog(path, options);
    assertEquals(await seqsIn(log), numbers(1, 301));
  },
);

/** The renamings of a rotation of so many files, the first of them done, and PATH.new left over. */
async function leaveHalfRotated(path: string, count: number, done: number) {
  const names = [path, ...numbers(1, count).map((age) => `${path}.${age}`)];
  for (let age = count; age > count - done; age--) {
    await Deno.rename(names[age - 1] ?? "", names[age] ?? "");
  }
  await Deno.writeTextFile(`${path}.new`, "# continues at event 41");
}

// Near both ends, and where there are as many before or after as others keep.
for (const done of [0, 1, 2, 9, 10, 11, 12, 18, 19, 20]) {
  testWithPath(
    `a rotation of twenty files that ended after ${done} renamings hides none from anybody`,
    async (path) => {
      {
        await using kept = await Kept.open(path, { age: 30 * DAY });
        await kept.fill(19);
        await kept.log.append([said(39, 19), said(40, 19)]);
      }
      await leaveHalfRotated(path, 20, done);
      if (done < 20) assertEquals((await checkLog(path)).last, 40);
      if (done < 20) {
        const { list } = await ReadFiles.open([path]);
        assertEquals([list.length, list[0]?.first], [20, 1]);
      }
      await using kept = await Kept.open(path, { age: 30 * DAY });
      assertEquals(await seqsIn(kept.log), numbers(1, 40));
      kept.now = BEGIN + 35.5 * DAY;
      await kept.pass(2 * HOUR);
      assertEquals(await seqsIn(kept.log), numbers(13, 40));
      assertEquals(await kept.log.append([said(41, 36)]), 41);
      const value = valueFor(
        numbered(numbers(1, 40).map((n) => said(n, Math.ceil(n / 2) - 1))),
      );
      assertEquals(await kept.log.chainAt(40), value);
    },
  );
}

testWithPath(
  "Retention leaves alone what somebody has put in a file's place, and forgets one that is gone",
  async (path) => {
    const archive = path.replace("chat.log", "old");
    await Deno.mkdir(archive);
    await using kept = await Kept.open(path, { age: 3.5 * DAY }, { archive });
    await kept.fill(8);
    await Deno.rename(`${path}.8`, `${path}.mine`);
    await Deno.writeTextFile(`${path}.8`, "mine, too\n");
    await Deno.remove(`${path}.7`);
    await Deno.rename(`${path}.6`, `${path}.9`);
    await kept.pass(4 * HOUR);
    assertEquals((await seqsIn(kept.log))[0], 9);
    assertEquals(kept.notices.slice(1), [
      `Deleted chat.log.6: events 5 to 6, until 2026-01-03; ${archive}/chat.log.000000005-000000006 has them`,
      `Deleted chat.log.5: events 7 to 8, until 2026-01-04; ${archive}/chat.log.000000007-000000008 has them`,
    ]);
    assert(!(await namesBeside(path)).includes("chat.log.9"));
    assertEquals(await Deno.readTextFile(`${path}.8`), "mine, too\n");
    assertEquals((await Deno.readTextFile(`${path}.mine`)).length, 266);
  },
  windows,
);

testWithPath(
  "Retention says what it can't delete, goes on, and tries again later",
  async (path) => {
    await using kept = await Kept.open(path, { age: 3.5 * DAY });
    const { log, notices } = kept;
    await kept.fill(8);
    const fail = () => () =>
      Promise.reject(new Deno.errors.PermissionDenied("Read-only folder"));
    await withMethod(Deno, "remove", fail, async () => {
      await kept.retention.look();
      for (let looks = 0; looks < 4; looks++) {
        kept.uptime += HOUR / 4;
        kept.now += HOUR / 4;
        await kept.retention.look();
      }
    });
    assertEquals(notices.length, 2, notices.join("\n"));
    assertMatch(
      notices[1] ?? "",
      /^Cannot delete "[^"]+\.8": .*\. It is tried again in 10 minutes$/,
    );
    assertEquals(await seqsIn(log), numbers(1, 16));
    assertEquals(await log.append([said(17, 8)]), 17);
    await kept.retention.look(); // too early
    assertEquals((await seqsIn(log))[0], 1);
    kept.uptime += 10 * MINUTE;
    await kept.retention.look();
    assertEquals((await seqsIn(log))[0], 9);
  },
);

testWithPath(
  "the chain's values are as before where a file is deleted, and no file is while they are counted",
  async (path) => {
    const all = numbered(numbers(1, 4_000).map((n) => said(n, 0)));
    {
      await using log = await openLog(path, { maxSize: 130_000 });
      for (let at = 0; at < all.length; at += 100) {
        await log.append(all.slice(at, at + 100));
        await log.chainAt(at + 100);
      }
    }
    const seqs = [0, 500, 1_024, 1_500, 2_047, 2_900, 3_999, 4_000];
    for (const remake of [false, true]) {
      if (remake) await Deno.remove(`${path}.chain`);
      const options = { isRetained: true, window: 16 };
      await using log = await openLog(path, options);
      const [oldest] = log.files;
      assert(oldest);
      const last = (log.files[1]?.first ?? 0) - 1;
      assertEquals(await log.deleteOldest(oldest), false);
      assertEquals(log.start[0], oldest.first - 1);
      assertEquals(await log.chainChecked(), true);
      await log.chainAt(log.head);
      assertEquals(await log.deleteOldest(oldest), true);
      assertEquals(log.start[0], last);
      for (const seq of seqs) {
        if (seq < last) continue;
        assertEquals(await log.chainAt(seq), valueFor(all, seq), `${seq}`);
      }
      assertEquals(await log.chainAt(last), valueFor(all, last));
    }
    await using log = await openLog(path, { window: 16 });
    const [start] = log.start;
    assert(start > 1_500);
    for (const seq of seqs) {
      const value = seq < start ? undefined : valueFor(all, seq);
      assertEquals(await log.chainAt(seq), value, `${seq}`);
    }
    assertEquals(log.notices, []);
  },
);

// ── What is archived ───────────────────────────────────────────────────────────────────────────────────

const NAME = "chat.log.000000001-000000002";

/** A log of which one file is due, and where that is to go. */
async function withArchive(
  path: string,
  prepare: (archive: string, text: string) => Promise<void>,
  body: (kept: Kept, archived: string, text: string) => Promise<void>,
) {
  const archive = path.replace("chat.log", "old");
  await Deno.mkdir(archive);
  await using kept = await Kept.open(path, { age: 3.5 * DAY }, { archive });
  await kept.fill(5); // four files are young enough
  const text = await Deno.readTextFile(`${path}.5`);
  await prepare(archive, text);
  await kept.pass(2 * HOUR);
  await body(kept, `${archive}/${NAME}`, text);
}

const ATTEMPTS: Record<string, (archive: string, text: string) => unknown> = {
  "nothing was done": () => {},
  "half of it was copied": (archive, text) =>
    Deno.writeTextFile(`${archive}/${NAME}.part`, text.slice(0, 100)),
  "all of it was copied": (archive, text) =>
    Deno.writeTextFile(`${archive}/${NAME}.part`, text),
  "another one was copied, which was longer": (archive, text) =>
    Deno.writeTextFile(`${archive}/${NAME}.part`, text + text),
  "the copy had its name": (archive, text) =>
    Deno.writeTextFile(`${archive}/${NAME}`, text),
};

for (const [name, attempt] of Object.entries(ATTEMPTS)) {
  testWithPath(
    `Retention archives a file whole before it is deleted, where before an end ${name}`,
    async (path) => {
      await withArchive(
        path,
        async (...given) => void await attempt(...given),
        async ({ log, notices }, archived, text) => {
          assertEquals(await Deno.readTextFile(archived), text);
          assertEquals((await seqsIn(log))[0], 3);
          assertEquals(
            notices.at(-1),
            `Deleted chat.log.5: events 1 to 2, until 2026-01-01; ${archived} has them`,
          );
          const folder = archived.replace(/\/[^/]*$/, "");
          const names = await Array.fromAsync(Deno.readDir(folder));
          assertEquals(names.map((it) => it.name), [NAME]);
          if (!windows && name === "nothing was done") {
            assertEquals(await modeOf(archived), 0o600);
          }
          // It is a part of the log still, to whoever names both.
          const { list } = await ReadFiles.open([`${path}.4`, archived]);
          assertEquals(list.map((it) => it.first), [1, 3]);
        },
      );
    },
  );
}

testWithPath(
  "Retention archives a file under the log's own name, whatever numbers that has and however many files there are",
  async (path) => {
    const log = `${path.slice(0, -4)}.2.log`; // chat.2.log
    const archive = path.replace("chat.log", "old");
    await Deno.mkdir(archive);
    await using kept = await Kept.open(log, { age: 3.5 * DAY }, { archive });
    await kept.fill(14);
    await kept.pass(2 * HOUR);
    const names = (await Array.fromAsync(Deno.readDir(archive)))
      .map((it) => it.name).toSorted();
    assertEquals(names.length, 10);
    assertEquals(names[0], "chat.2.log.000000001-000000002");
    assertEquals(names[9], "chat.2.log.000000019-000000020");
  },
);

for (const other of ["not this one\n", "the same and more"]) {
  testWithPath(
    `Retention deletes nothing where the archive has another file of that name: ${other.trim()}`,
    async (path) => {
      let written = "";
      await withArchive(
        path,
        async (archive, text) => {
          written = other.includes("more") ? text + other : other;
          await Deno.writeTextFile(`${archive}/${NAME}`, written);
        },
        async ({ log, notices }, archived) => {
          assertEquals(await Deno.readTextFile(archived), written);
          assertEquals((await seqsIn(log))[0], 1);
          assertEquals(
            notices.at(-1),
            `Cannot archive to "${archived}": another file has that name. It is tried again in 10 minutes`,
          );
        },
      );
    },
  );
}

testWithPath(
  "Retention deletes nothing where the archive is gone",
  async (path) => {
    await withArchive(
      path,
      (archive) => Deno.remove(archive),
      async ({ log, notices }) => {
        assertEquals((await seqsIn(log))[0], 1);
        assertStringIncludes(notices.at(-1) ?? "", "Cannot archive to");
      },
    );
  },
);

/** What others may have put in place of the copy, and what is said of it. */
const TRAPS: Record<string, (archive: string, source: string) => unknown> = {
  "it is a link": (archive, source) =>
    Deno.symlink(source, `${archive}/${NAME}`),
  "it is a pipe, not an ordinary file": (archive) =>
    runToEnd(["mkfifo", `${archive}/${NAME}`]),
};

for (const [why, trap] of Object.entries(TRAPS)) {
  testWithPath(
    `Retention deletes nothing where the copy in the archive is none, because ${why}`,
    async (path) => {
      await withArchive(
        path,
        async (archive) => void await trap(archive, `${path}.5`),
        async ({ log, notices }, archived, text) => {
          assertEquals(
            notices.at(-1),
            `Cannot archive to "${archived}": ${why}. It is tried again in 10 minutes`,
          );
          assertEquals((await seqsIn(log))[0], 1);
          assertEquals(await Deno.readTextFile(`${path}.5`), text);
        },
      );
    },
    windows,
  );
}

testWithPath(
  "Retention writes no copy through a link, and none that others can read",
  async (path) => {
    const victim = path.replace("chat.log", "victim");
    await Deno.writeTextFile(victim, "mine", { mode: 0o644 });
    await withArchive(
      path,
      (archive) => Deno.symlink(victim, `${archive}/${NAME}.part`),
      async (_, archived, text) => {
        assertEquals(await Deno.readTextFile(victim), "mine");
        assertEquals(await Deno.readTextFile(archived), text);
        assertEquals(await modeOf(archived), 0o600);
      },
    );
  },
  windows,
);

testWithPath(
  "Retention says that a file can't be opened to be archived, and goes on",
  async (path) => {
    await withArchive(
      path,
      () => Promise.resolve(),
      async ({ log }) => assertEquals((await seqsIn(log))[0], 3),
    );
    const archive = path.replace("chat.log", "old");
    await using kept = await Kept.open(path, { age: 2.5 * DAY }, { archive });
    kept.now = BEGIN + 4 * DAY;
    await kept.retention.look(); // due
    const none = () => Promise.reject(new Error("Too many open files"));
    let isArchiving = false;
    await withMethod(
      kept.log,
      "mayDelete",
      (original) => () => isArchiving = original.call(kept.log),
      () =>
        withMethod(
          kept.log,
          "openFile",
          (original) => (file) =>
            isArchiving ? none() : original.call(kept.log, file),
          () => kept.pass(HOUR),
        ),
    );
    assertEquals(
      kept.notices.at(-1),
      `Cannot read "${path}.4": Too many open files. It is tried again in 10 minutes`,
    );
    assertEquals((await seqsIn(kept.log))[0], 3);
    await kept.pass(HOUR);
    assertEquals((await seqsIn(kept.log))[0], 5);
  },
);

testWithPath(
  "dueOf() tells what would be deleted, and changes nothing",
  async (path) => {
    {
      await using kept = await Kept.open(path, { size: 1 });
      await kept.fill(5);
    }
    const names = await namesBeside(path);
    const due = await dueOf(path, { age: 1 });
    assertEquals([due.length, rangeOf(due)], [5, "events 1 to 10"]);
    assertEquals(await dueOf(path, { age: 1e13 }), []);
    assertEquals(rangeOf(await dueOf(path, { size: 1_300 })), "events 1 to 4");
    assertEquals(await namesBeside(path), names);
  },
);
