/**
 * The log where its path is a link, and where somebody empties or shortens it while it is written to.
 *
 * @module
 */

import { checkLog } from "../../../src/log/check.ts";
import type { ChatLog } from "../../../src/log/chat_log.ts";
import { LockedError } from "../../../src/log/lock.ts";
import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";
import {
  headingAfter,
  namesBeside,
  numbered,
  openLog,
  pastOf,
  said,
  saidUpTo,
  testWithPath,
  windows,
  withMethod,
} from "../../kit/log_kit.ts";

/** Makes a folder beside the path, and the path a link into it. @returns What the link leads to. */
async function linked(path: string): Promise<string> {
  const target = `${path}.volume/room.log`;
  await Deno.mkdir(`${path}.volume`);
  await Deno.symlink("chat.log.volume/room.log", path);
  return target;
}

const VOLUME = "chat.log.volume";

testWithPath(
  "a log that is a link is made, locked and rotated beside what the link leads to, and stays a link",
  async (path) => {
    const target = await linked(path);
    {
      await using log = await openLog(path, { maxSize: 150 });
      await assertRejects(() => openLog(target), LockedError);
      await assertRejects(() => checkLog(path), LockedError);
      for (const entry of saidUpTo(5)) await log.append([entry]);
      assertEquals(await pastOf(log), numbered(saidUpTo(5)));
    }
    assertEquals(await namesBeside(path), ["chat.log", VOLUME]);
    const names = await namesBeside(target);
    assertEquals(names, ["room.log", "room.log.1", "room.log.2"]);
    assert((await Deno.lstat(path)).isSymlink);
    await using log = await openLog(path);
    assertEquals(await pastOf(log), numbered(saidUpTo(5)));
  },
  windows,
);

testWithPath(
  "links that form a loop are refused",
  async (path) => {
    await Deno.symlink("chat.log", path);
    await assertRejects(
      () => openLog(path),
      Error,
      `Cannot open "${path}": its links form a loop`,
    );
  },
  windows,
);

testWithPath(
  "a log replaced by a link to nothing goes on in the file that the link names",
  async (path) => {
    const notices: string[] = [];
    const onNotice = (notice: string) => notices.push(notice);
    await using log = await openLog(path, { onNotice });
    await log.append(saidUpTo(3));
    await Deno.rename(path, `${path}.1`);
    const target = await linked(path);
    await log.reopen();
    assertEquals(await log.append([said(4)]), 4);
    await assertWhole(log, 4);
    assert((await Deno.lstat(path)).isSymlink);
    const text = await Deno.readTextFile(target);
    assert(text.startsWith(headingAfter(numbered(saidUpTo(3)))));
    assertEquals(((await Deno.stat(target)).mode ?? 0) & 0o777, 0o600);
    assertEquals(notices, [
      `Began a new "${path}" at event 4: the old one was moved, deleted or emptied`,
    ]);
  },
  windows,
);

testWithPath(
  "a lock file that is a link to nothing is made where the link leads",
  async (path) => {
    await Deno.symlink("elsewhere", `${path}.lock`);
    await using log = await openLog(path);
    await assertRejects(() => openLog(path), LockedError);
    assertEquals(await log.append([said(1)]), 1);
    assert((await Deno.stat(`${path}.lock`)).isFile);
  },
  windows,
);

// ── copytruncate ───────────────────────────────────────────────────────────────────────────────────────

/** What `cp chat.log chat.log.1; : >chat.log` does. */
function copyAndEmpty(path: string): void {
  Deno.copyFileSync(path, `${path}.1`);
  Deno.truncateSync(path);
}

/** All lines are there under their numbers, in memory, in the files, and for who searches. */
async function assertWhole(log: ChatLog, count: number): Promise<void> {
  const all = numbered(saidUpTo(count));
  assertEquals(log.head, count);
  assertEquals(await pastOf(log), all);
  assertEquals(log.recent(0), all);
  const { entries } = await log.search("text", { limit: 200 });
  assertEquals(entries, all);
}

testWithPath(
  "lines written right after the log was copied and emptied keep their numbers, and are found",
  async (path) => {
    const notices: string[] = [];
    {
      await using log = await openLog(path, {
        onNotice: (notice) => notices.push(notice),
      });
      for (let n = 1; n <= 20; n++) {
        assertEquals(await log.append([said(n)]), n);
        if (n === 10) copyAndEmpty(path);
      }
      await assertWhole(log, 20);
    }
    assertEquals(notices, [
      `Began a new "${path}" at event 11: the old one was moved, deleted or emptied`,
    ]);
    const text = await Deno.readTextFile(path);
    assert(text.startsWith(headingAfter(numbered(saidUpTo(10)))));
    await using again = await openLog(path);
    await assertWhole(again, 20);
  },
);

testWithPath(
  "a search finds what the copy has before anything is written to the emptied log",
  async (path) => {
    await using log = await openLog(path);
    await log.append(saidUpTo(10));
    copyAndEmpty(path);
    await assertWhole(log, 10);
    await log.append([said(11)]);
    await assertWhole(log, 11);
  },
);

for (const when of ["just before", "just after"] as const) {
  for (const fsync of [false, true]) {
    testWithPath(
      `a line is in the log though that was emptied ${when} it was written${
        fsync ? ", also with fsync" : ""
      }`,
      async (path) => {
        {
          await using log = await openLog(path, { fsync });
          await log.append(saidUpTo(10));
          let times = 1;
          const emptying = (write: Deno.FsFile["writeSync"]) =>
            function (this: Deno.FsFile, bytes: Uint8Array) {
              const isFirst = times-- === 1;
              if (isFirst && when === "just before") copyAndEmpty(path);
              const count = write.call(this, bytes);
              if (isFirst && when === "just after") {
                // The copy was made before: what is written between copying and emptying is in neither.
                Deno.writeFileSync(
                  `${path}.1`,
                  Deno.readFileSync(path).slice(0, -bytes.length),
                );
                Deno.truncateSync(path);
              }
              return count;
            };
          let cuts = 0;
          const count = (cut: Deno.FsFile["truncateSync"]) =>
            function (this: Deno.FsFile, size?: number) {
              cuts++;
              cut.call(this, size);
            };
          const { prototype } = Deno.FsFile;
          await withMethod(
            prototype,
            "writeSync",
            emptying,
            () =>
              withMethod(prototype, "truncateSync", count, async () => {
                assertEquals(await log.append([said(11)]), 11);
              }),
          );
          // An empty file isn't cut: somebody may just be filling it.
          assertEquals(cuts, when === "just before" ? 1 : 0);
          assertEquals(await log.append([said(12)]), 12);
          await assertWhole(log, 12);
        }
        await using again = await openLog(path);
        await assertWhole(again, 12);
      },
    );
  }
}

testWithPath(
  "a write that fails on an emptied log fills nothing up with zeros",
  async (path) => {
    await using log = await openLog(path);
    await log.append(saidUpTo(10));
    const failing = () =>
      function () {
        copyAndEmpty(path);
        throw new Deno.errors.Interrupted("no");
      };
    const { prototype } = Deno.FsFile;
    await withMethod(prototype, "writeSync", failing, async () => {
      await assertRejects(() => log.append([said(11)]), Error, "Cannot write");
    });
    assertEquals(await Deno.readTextFile(path), "");
    await log.append([said(11)]);
    await assertWhole(log, 11);
  },
);

// ── shortened, not emptied ─────────────────────────────────────────────────────────────────────────────

const shortened = (path: string, next: number) =>
  `Began a new "${path}" at event ${next}: the old one was shortened or written over; what is left of it is "${path}.1" now`;

/** Cuts the log after so many of its lines. */
function keepLines(path: string, count: number): void {
  const lines = Deno.readTextFileSync(path).split("\n").slice(0, count);
  Deno.truncateSync(path, lines.join("\n").length + 1);
}

/** The first `kept` of 10 entries and those after them are there; the others are in memory alone. */
async function assertKept(log: ChatLog, kept: number): Promise<void> {
  const left = numbered(saidUpTo(log.head))
    .filter(({ seq }) => seq <= kept || seq > 10);
  assertEquals(await pastOf(log), left);
  const { entries } = await log.search("text", { limit: 200 });
  assertEquals(entries, left);
}

testWithPath(
  "a log that was shortened in place is kept as PATH.1, and numbers go on",
  async (path) => {
    const notices: string[] = [];
    {
      await using log = await openLog(path, {
        onNotice: (notice) => notices.push(notice),
      });
      await log.append(saidUpTo(10));
      keepLines(path, 5);
      const left = await Deno.readTextFile(path);
      assertEquals(await log.append([said(11)]), 11);
      assertEquals(await Deno.readTextFile(`${path}.1`), left);
      assertEquals(log.recent(0), numbered(saidUpTo(11)));
      await assertKept(log, 5);
    }
    assertEquals(notices, [shortened(path, 11)]);
    await using again = await openLog(path);
    await assertKept(again, 5);
  },
);

testWithPath(
  "what `tail` left of a log stays, and is read before anything is written",
  async (path) => {
    await using log = await openLog(path);
    await log.append(saidUpTo(10));
    const left = (await Deno.readTextFile(path)).split("\n").slice(-4);
    await Deno.writeTextFile(path, left.join("\n"));
    const { entries } = await log.search("text", { limit: 200 });
    assertEquals(entries.map(({ n }) => n), [8, 9, 10]);
    assertEquals(await Deno.readTextFile(`${path}.1`), left.join("\n"));
    assertEquals(await log.append([said(11)]), 11);
  },
);

for (const when of ["just before", "just after"] as const) {
  testWithPath(
    `a log shortened ${when} a line was written is kept, and the line is in the log once`,
    async (path) => {
      const notices: string[] = [];
      const onNotice = (notice: string) => notices.push(notice);
      await using log = await openLog(path, { onNotice });
      await log.append(saidUpTo(10));
      let times = 1;
      const shortening = (write: Deno.FsFile["writeSync"]) =>
        function (this: Deno.FsFile, bytes: Uint8Array) {
          const isFirst = times-- === 1;
          if (isFirst && when === "just before") keepLines(path, 9);
          const count = write.call(this, bytes);
          if (isFirst && when === "just after") keepLines(path, 9);
          return count;
        };
      const { prototype } = Deno.FsFile;
      await withMethod(prototype, "writeSync", shortening, async () => {
        assertEquals(await log.append([said(11)]), 11);
      });
      await assertKept(log, 9);
      assertEquals(notices, [shortened(path, 11)]);
    },
  );
}

testWithPath(
  "what is written over the heading of an emptied log is kept",
  async (path) => {
    const notices: string[] = [];
    const onNotice = (notice: string) => notices.push(notice);
    await using log = await openLog(path, { onNotice });
    await log.append(saidUpTo(10));
    const left = (await Deno.readFile(path)).slice();
    {
      // As the shell does it: empties the file first, and `cat` fills it from its beginning.
      using cat = await Deno.open(path, { write: true, truncate: true });
      assertEquals(await log.append([said(11)]), 11);
      await cat.write(left);
    }
    assertEquals(await log.append([said(12)]), 12);
    assertEquals(await Deno.readFile(`${path}.1`), left);
    const text = await Deno.readTextFile(path);
    assert(text.startsWith(headingAfter(numbered(saidUpTo(11)))));
    assertEquals(notices.at(-1), shortened(path, 12));
    assertEquals(await pastOf(log), [
      ...numbered(saidUpTo(10)),
      ...numbered([said(12)], 12),
    ]);
  },
);
