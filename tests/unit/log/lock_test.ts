/**
 * The lock beside the log: whom it names, and which file is locked.
 *
 * @module
 */

import {
  freeLock,
  LockedError,
  requireUnlocked,
  takeLock,
} from "../../../src/log/lock.ts";
import { assertEquals, assertRejects } from "../../kit/assert.ts";
import { DrivenClock } from "../../kit/driven_clock.ts";
import {
  ADDRESS,
  leftOpen,
  testWithPath,
  windows,
  withMethod,
} from "../../kit/log_kit.ts";
import { replaced } from "../../kit/replaced.ts";

/** Takes the lock. @returns It, and what was made for it. */
async function take(path: string): Promise<[Deno.FsFile, string[]]> {
  const made: string[] = [];
  const lock = await takeLock(path, ADDRESS, (it) => made.push(it));
  return [lock, made];
}

// What the lock's file says, and how the server is named for it.
const HOLDERS: readonly (readonly [string, string, unknown, unknown])[] = [
  [
    '{"address":"a:1","pid":7}',
    "the server on a:1 (process 7)",
    "a:1",
    7,
  ],
  ['{"address":"a:1"}', "the server on a:1", "a:1", undefined],
  ['{"pid":7}', "another server (process 7)", undefined, 7],
  ['{"address":1,"pid":"7"}', "another server", undefined, undefined],
  ["", "another server", undefined, undefined],
  ["null", "another server", undefined, undefined],
  ['{"address', "another server", undefined, undefined],
];

testWithPath(
  "takeLock() and requireUnlocked() name the server that has the lock, as far as its file tells",
  async (path) => {
    const [lock] = await take(path);
    for (const [text, server, address, pid] of HOLDERS) {
      await Deno.writeTextFile(`${path}.lock`, text);
      for (const attempt of [() => take(path), () => requireUnlocked(path)]) {
        const error = await assertRejects(attempt, LockedError);
        assertEquals(error.message, `Cannot use "${path}": ${server} uses it`);
        assertEquals([error.address, error.pid], [address, pid]);
      }
    }
    await freeLock(lock);
  },
  windows,
);

testWithPath(
  "takeLock() writes who has the lock over what stood there, and says whether it made the file",
  async (path) => {
    const text = JSON.stringify({ address: ADDRESS, pid: Deno.pid });
    const [first, made] = await take(path);
    assertEquals(made, [`${path}.lock`]);
    assertEquals(await Deno.readTextFile(`${path}.lock`), text);
    await freeLock(first);
    assertEquals(await Deno.readTextFile(`${path}.lock`), "");
    await Deno.writeTextFile(`${path}.lock`, "x".repeat(1_000));
    const [second, madeAgain] = await take(path);
    assertEquals(madeAgain, []);
    assertEquals(await Deno.readTextFile(`${path}.lock`), text);
    await freeLock(second);
  },
  windows,
);

for (const other of ["none", "another"]) {
  testWithPath(
    `takeLock() locks the file that is there in the end, where the one that it opened was removed, and ${other} took its place`,
    async (path) => {
      let times = 0;
      const removing = (original: Deno.FsFile["tryLock"]) =>
        function (this: Deno.FsFile, isExclusive?: boolean) {
          if (times++ === 0) {
            Deno.removeSync(`${path}.lock`);
            if (other === "another") Deno.writeTextFileSync(`${path}.lock`, "");
          }
          return original.call(this, isExclusive);
        };
      const { prototype } = Deno.FsFile;
      await withMethod(prototype, "tryLock", removing, async () => {
        const [lock] = await take(path);
        assertEquals(times, 2);
        await assertRejects(() => take(path), LockedError, ADDRESS);
        await freeLock(lock);
      });
    },
    windows,
  );
}

testWithPath(
  "takeLock() gives up after ten times, 10 ms apart, at which nobody says that the lock is held, or its file is gone again",
  async (path) => {
    for (const isHeld of [true, false]) {
      let times = 0;
      const trying = () => () => {
        times++;
        if (!isHeld) Deno.removeSync(`${path}.lock`);
        return Promise.resolve(!isHeld);
      };
      await withMethod(Deno.FsFile.prototype, "tryLock", trying, async () => {
        await DrivenClock.with(async (clock) => {
          const left = await leftOpen(() =>
            assertRejects(
              () => clock.until(take(path)),
              LockedError,
              `Cannot use "${path}": another server uses it`,
            )
          );
          assertEquals([times, left], [10, []]);
          assertEquals(clock.set, Array(9).fill(10));
        });
      });
    }
  },
  windows,
);

testWithPath(
  "takeLock() waits half a second for a lock of its own where the runtime can't simply try, and says what fails",
  async (path) => {
    const asked: unknown[] = [];
    const late = Promise.withResolvers<void>();
    let locked = () => late.promise;
    const wait = (isExclusive?: boolean) => {
      asked.push(isExclusive);
      return locked();
    };
    const { prototype } = Deno.FsFile;
    using _try = replaced(prototype, "tryLock", undefined);
    using _wait = replaced(prototype, "lock", wait);
    await DrivenClock.with(async (clock) => {
      await Deno.writeTextFile(`${path}.lock`, '{"address":"a:1"}');
      await assertRejects(() => clock.until(take(path)), LockedError, "a:1");
      assertEquals([clock.now, asked], [500, [true]]);
      late.reject(new Error("Nobody hears this"));
      locked = () => Promise.resolve();
      const [lock] = await clock.until(take(path));
      await freeLock(lock);
      locked = () => Promise.reject(new Error("No locks available"));
      await assertRejects(() => clock.until(take(path)), Error, "No locks");
    });
  },
);

testWithPath(
  "takeLock() tries again where nobody says that the lock is held, as right after its end",
  async (path) => {
    let times = 0;
    const held = (original: Deno.FsFile["tryLock"]) =>
      function (this: Deno.FsFile, isExclusive?: boolean) {
        if (times++ < 3) return Promise.resolve(false);
        return original.call(this, isExclusive);
      };
    await withMethod(Deno.FsFile.prototype, "tryLock", held, async () => {
      const [lock] = await take(path);
      await freeLock(lock);
    });
    assertEquals(times, 4);
  },
);

testWithPath(
  "takeLock() frees the lock where it can't tell which file is there, and says why",
  async (path) => {
    const fail = () => () => Promise.reject(new Error("Input/output error"));
    await withMethod(Deno, "stat", fail, async () => {
      await assertRejects(() => take(path), Error, "Input/output error");
    });
    const [lock] = await take(path);
    await freeLock(lock);
  },
);

testWithPath(
  "requireUnlocked() tells whether there is a lock file, and leaves it free",
  async (path) => {
    assertEquals(await requireUnlocked(path), false);
    await Deno.writeTextFile(`${path}.lock`, "as it was");
    assertEquals(await requireUnlocked(path), true);
    assertEquals(await Deno.readTextFile(`${path}.lock`), "as it was");
    const [lock] = await take(path);
    await freeLock(lock);
    await Deno.remove(`${path}.lock`);
    await Deno.mkdir(`${path}.lock`);
    await assertRejects(() => requireUnlocked(path), Error, "it is a folder");
  },
);

testWithPath(
  "freeLock() closes the file, and so frees the lock, though it can't be emptied",
  async (path) => {
    const [lock] = await take(path);
    const fail = () => () => Promise.reject(new Error("Read-only"));
    await withMethod(Deno.FsFile.prototype, "truncate", fail, async () => {
      await assertRejects(() => freeLock(lock), Error, "Read-only");
    });
    const [again] = await take(path);
    await freeLock(again);
  },
);
