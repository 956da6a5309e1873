/**
 * What is left of the log's files by an end or a failure at any step of a rotation, or at any byte of a line.
 *
 * @module
 */

import { assert, assertEquals } from "../../kit/assert.ts";
import {
  appendEach,
  assertHolds,
  heading,
  linesOf,
  MAX_SIZE,
  said,
  saidUpTo,
  withEachSecond,
} from "../../kit/log_files.ts";
import {
  namesBeside,
  numbered,
  openLog,
  pastOf,
  said as saidShort,
  testWithPath,
  windows,
  withMethod,
} from "../../kit/log_kit.ts";

// What a rotation does, one step after the other; `open` must get over an end after any of them.
const NEW_HEADING = heading(7);
const steps: readonly [string, (path: string) => Promise<void>][] = [
  ["nothing", () => Promise.resolve()],
  ["PATH.new is there", (path) => Deno.writeTextFile(`${path}.new`, "")],
  [
    "half the heading",
    (path) => Deno.writeTextFile(`${path}.new`, NEW_HEADING.slice(0, 9)),
  ],
  ["the heading", (path) => Deno.writeTextFile(`${path}.new`, NEW_HEADING)],
  ["the oldest is deleted", (path) => Deno.remove(`${path}.3`)],
  ["PATH.2 is moved", (path) => Deno.rename(`${path}.2`, `${path}.3`)],
  ["PATH.1 is moved", (path) => Deno.rename(`${path}.1`, `${path}.2`)],
  ["PATH is moved", (path) => Deno.rename(path, `${path}.1`)],
  ["PATH.new is moved", (path) => Deno.rename(`${path}.new`, path)],
];

for (const [at, [name]] of steps.entries()) {
  testWithPath(
    `open() gets over a rotation that ended after this: ${name}`,
    async (path) => {
      const options = { maxSize: MAX_SIZE, keep: 3 };
      {
        await using log = await openLog(path, options);
        await appendEach(log, 1, 6); // 1-2, 3-4, 5-6 and an empty one
      }
      // As it was before the last rotation, with an older file to delete.
      await Deno.remove(path);
      await Deno.rename(`${path}.1`, path);
      await Deno.rename(`${path}.2`, `${path}.1`);
      await Deno.rename(`${path}.3`, `${path}.2`);
      await Deno.writeTextFile(`${path}.3`, "an old remark\n");
      for (const [, step] of steps.slice(0, at + 1)) await step(path);
      {
        await using log = await openLog(path, options);
        // The remark is no part of the log: both it and the file after it begin with event 1.
        await assertHolds(log, 6);
        await appendEach(log, 7, 7);
        await assertHolds(log, 7, log.head - 6);
        const names = await namesBeside(path);
        assert(!names.includes("chat.log.new"));
      }
      await using log = await openLog(path, { ...options, keep: 9 });
      await appendEach(log, 8, 12);
      await assertHolds(log, 12);
      const names = await namesBeside(path);
      assertEquals(
        names,
        names.map((_, at) => at ? `chat.log.${at}` : "chat.log"),
      );
    },
  );
}

testWithPath(
  "append() loses nothing where a rotation fails at any step",
  async (path) => {
    const notices: string[] = [];
    const onNotice = (text: string) => notices.push(text);
    await using log = await openLog(path, { maxSize: MAX_SIZE, onNotice });
    await appendEach(log, 1, 5); // two older files: four renamings come next
    let left = 0;
    const fail =
      (rename: typeof Deno.renameSync): typeof Deno.renameSync => (...args) => {
        if (left-- === 0) throw new Error("Input/output error");
        rename(...args);
      };
    await withEachSecond(() =>
      withMethod(Deno, "renameSync", fail, async () => {
        for (let n = 6; n < 40; n++) {
          left = n % 5;
          await appendEach(log, n, n);
          assertEquals(await pastOf(log), numbered(saidUpTo(n)));
        }
      })
    );
    await assertHolds(log, 39);
    assert(notices.includes(`Cannot rotate "${path}": Input/output error`));
    assert(
      notices.some((it) => it.startsWith(`Began a new "${path}" at event`)),
    );
    assert(!(await namesBeside(path)).includes("chat.log.new"));
  },
);

testWithPath(
  "open() goes on after PATH.1 where PATH was moved, or has half a heading",
  async (path) => {
    for (let size = -1; size <= heading(4).length - 1; size++) {
      await Deno.writeTextFile(`${path}.1`, linesOf(saidUpTo(3)), {
        mode: 0o600,
      });
      const half = heading(4).slice(0, size);
      if (size >= 0) await Deno.writeTextFile(path, half, { mode: 0o600 });
      await using log = await openLog(path);
      assertEquals(log.notices, [
        `Began a new "${path}" at event 4: there was none, or an empty one`,
      ]);
      assertEquals(await pastOf(log), numbered(saidUpTo(3)));
      await appendEach(log, 4, 4);
      assertEquals(
        await Deno.readTextFile(path),
        heading(4) + linesOf([said(4)]),
      );
      await Deno.remove(path);
    }
  },
  windows,
);

testWithPath(
  "open() drops a line torn at any byte after a heading",
  async (path) => {
    const next = saidShort(9);
    const start = heading(8) + linesOf([said(8)]);
    const torn = linesOf([next]);
    for (let size = 1; size < torn.length; size++) {
      await Deno.writeTextFile(path, start + torn.slice(0, size), {
        mode: 0o600,
      });
      await using log = await openLog(path);
      assertEquals([log.head, log.notices.length], [8, 1]);
      assertEquals(await log.append([next]), 9);
      assertEquals(await Deno.readTextFile(path), start + torn);
      assertEquals(await pastOf(log), numbered([said(8), next], 8));
    }
  },
  windows,
);

testWithPath(
  "append() loses nothing where the last step of rotations fails, and only one older file is kept",
  async (path) => {
    const still = () => () => 0; // nobody looks whether PATH is there
    const fail = (rename: typeof Deno.renameSync): typeof Deno.renameSync =>
    (
      from,
      to,
    ) => {
      if (to === path) throw new Error("Input/output error");
      rename(from, to);
    };
    await using log = await openLog(path, { maxSize: MAX_SIZE, keep: 1 });
    await withMethod(
      performance,
      "now",
      still,
      () =>
        withMethod(Deno, "renameSync", fail, async () => {
          for (let n = 1; n < 9; n++) {
            await appendEach(log, n, n);
            assertEquals(await pastOf(log), numbered(saidUpTo(n)));
          }
        }),
    );
    assertEquals(await namesBeside(path), ["chat.log.1"]);
    await withEachSecond(() => appendEach(log, 9, 9));
    assertEquals(await namesBeside(path), ["chat.log", "chat.log.1"]);
    await assertHolds(log, 9);
  },
);
