/**
 * When files of the log are deleted, to the millisecond: how long they are due before, how often is looked, and what is
 * said of it.
 *
 * @module
 */

import type { Keep } from "../../../src/log/due_files.ts";
import { LogError, type LogFile } from "../../../src/log/file.ts";
import { type RetainedLog, Retention } from "../../../src/log/retention.ts";
import { assertEquals, assertRejects } from "../../kit/assert.ts";
import { at, FilesInMemory, NOW } from "../../kit/files_in_memory.ts";
import { withMethod } from "../../kit/log_kit.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** A log that only notes what is asked of it. */
class NotingLog implements RetainedLog {
  readonly notices: string[] = [];
  readonly deleted: number[] = [];
  files: LogFile[];
  begun = 0;
  /** How often it was asked whether files can be deleted. */
  asked = 0;
  isFree = true;
  deletes: (file: LogFile) => Promise<boolean> = () => Promise.resolve(true);
  now = NOW;
  uptime = 0;
  readonly #memory: FilesInMemory;

  constructor(memory: FilesInMemory) {
    this.#memory = memory;
    this.files = memory.files;
  }

  openFile(file: LogFile): Promise<Deno.FsFile | undefined> {
    return this.#memory.openFile(file);
  }

  beginAnother(): Promise<void> {
    this.begun++;
    return Promise.resolve();
  }

  mayDelete(): boolean {
    this.asked++;
    return this.isFree;
  }

  async deleteOldest(file: LogFile): Promise<boolean> {
    const isDeleted = await this.deletes(file);
    if (isDeleted) {
      this.deleted.push(file.first);
      this.files = this.files.filter((it) => it !== file);
    }
    return isDeleted;
  }
}

async function setUp(keep: Keep, ...texts: string[]) {
  const log = new NotingLog(await FilesInMemory.of(...texts));
  const retention = new Retention(log, {
    keep,
    onNotice: (text) => log.notices.push(text),
    now: () => log.now,
    uptime: () => log.uptime,
  });
  return { log, retention };
}

Deno.test("Retention deletes a file when it has been due for a tenth of the age, an hour at most, and says so before", async () => {
  for (
    const [age, grace, words] of [
      [MINUTE, 6 * SECOND, "6 s"],
      [299 * SECOND, 29_900, "30 s"],
      [300 * SECOND, 30 * SECOND, "a minute"],
      [899 * SECOND, 89_900, "a minute"],
      [20 * MINUTE, 2 * MINUTE, "2 minutes"],
      [9 * HOUR, 54 * MINUTE, "54 minutes"],
      [10 * HOUR, HOUR, "60 minutes"],
      [11 * HOUR, HOUR, "60 minutes"],
    ] as const
  ) {
    const { log, retention } = await setUp({ age }, at(-age - 1), at(0));
    await retention.look();
    assertEquals(log.notices, [
      `Due to be deleted in ${words}, by the clock (2026-11-23T00:00Z): event 1, in chat.log.2. If the clock is wrong, set it right or stop the server before`,
    ]);
    log.uptime += grace - 1;
    await retention.look();
    assertEquals([log.deleted, log.asked], [[], 0]);
    log.uptime += 1;
    await retention.look();
    assertEquals([log.deleted, log.notices.length], [[1], 2], words);
  }
});

Deno.test("Retention goes by the system's clocks where it is told no others", async () => {
  const age = HOUR;
  const log = new NotingLog(await FilesInMemory.of(at(-age - 1), at(0)));
  const onNotice = (text: string) => log.notices.push(text);
  const retention = new Retention(log, { keep: { age }, onNotice });
  await withMethod(
    Date,
    "now",
    () => () => log.now,
    () =>
      withMethod(performance, "now", () => () => log.uptime, async () => {
        await retention.look();
        log.uptime += 6 * MINUTE;
        await retention.look();
      }),
  );
  assertEquals([log.deleted, log.notices.length], [[1], 2]);
});

Deno.test("Retention has each file due for as long, and says of each once that it is", async () => {
  const age = 100 * HOUR;
  const { log, retention } = await setUp(
    { age },
    at(-age - 1),
    at(-age + HOUR / 2),
    at(0),
  );
  await retention.look();
  log.now += HOUR / 2 + 1;
  log.uptime += HOUR / 2;
  await retention.look();
  assertEquals(
    log.notices.map((it) => /\): (.*)\. If/.exec(it)?.[1]),
    ["event 1, in chat.log.3", "event 2, in chat.log.2"],
  );
  log.uptime += HOUR / 2;
  await retention.look();
  assertEquals(log.deleted, [1]);
  log.uptime += HOUR / 2;
  await retention.look();
  assertEquals([log.deleted, log.notices.length], [[1, 2], 4]);
});

Deno.test("Retention deletes what is too much at once, and as much of it as it may", async () => {
  const text = "x".repeat(1_000);
  const { log, retention } = await setUp({ size: 1 }, text, text, text);
  log.isFree = false;
  await retention.look();
  assertEquals([log.deleted, log.notices], [[], []]);
  log.isFree = true;
  log.deletes = ({ first }) => Promise.resolve(first !== 1);
  await retention.look();
  assertEquals([log.deleted, log.notices], [[], []]);
  log.deletes = ({ first }) => Promise.resolve(first === 1);
  await retention.look();
  assertEquals([log.deleted, log.notices], [[1], [
    "Deleted chat.log.3: event 1",
  ]]);
  assertEquals(log.begun, 0);
});

Deno.test("Retention has another file begin once the newest has lines of a tenth of the age", async () => {
  const { log, retention } = await setUp({ age: HOUR }, at(-6 * MINUTE));
  await retention.look();
  assertEquals(log.begun, 0);
  log.now++;
  await retention.look();
  assertEquals(log.begun, 1);
});

Deno.test("Retention tries again ten minutes after something failed, and not before", async () => {
  const { log, retention } = await setUp({ size: 1 }, "text", "text");
  const { openFile } = log;
  const locked = new LogError(
    "delete",
    "chat.log.2",
    new Error("It is locked"),
  );
  log.deletes = () => Promise.reject(locked);
  await retention.look();
  assertEquals(log.notices, [
    `Cannot delete "chat.log.2": It is locked. It is tried again in 10 minutes`,
  ]);
  log.deletes = () => Promise.resolve(true);
  let looks = 0;
  log.openFile = (file) => {
    looks++;
    return openFile.call(log, file);
  };
  log.uptime += 10 * MINUTE - 1;
  await retention.look();
  assertEquals([looks, log.deleted], [0, []]);
  log.uptime += 1;
  await retention.look();
  assertEquals(log.deleted, [1]);
});

Deno.test("Retention keeps no fault of the program to itself", async () => {
  const { log, retention } = await setUp({ size: 1 }, "text", "text");
  log.deletes = () => Promise.reject(new TypeError("It is no file"));
  await assertRejects(() => retention.look(), TypeError, "It is no file");
  assertEquals(log.notices, []);
});

Deno.test("Retention looks at once and every ten seconds, or every twentieth of a short age, until it is disposed of", async () => {
  for (
    const [keep, period, deletions] of [
      [{ size: 1 }, 10_000, 2],
      [{ age: HOUR }, 10_000, 0],
      [{ age: 200 * SECOND }, 10_000, 0],
      [{ age: 199 * SECOND }, 9_950, 0],
      [{ age: MINUTE }, 3_000, 0],
    ] as const
  ) {
    const { log, retention } = await setUp(keep, "text", "text");
    let asked = 0;
    log.deletes = () => {
      asked++;
      return Promise.resolve(false);
    };
    const timers: unknown[] = [];
    const start = (look: () => void, ms: number) => {
      timers.push(ms);
      look(); // as if that time had passed
      return 7;
    };
    const end = (timer: number) => timers.push(`not ${timer}`);
    await withMethod(
      globalThis,
      "setInterval",
      () => start as never,
      () =>
        withMethod(
          globalThis,
          "clearInterval",
          () => end as never,
          async () => {
            retention.watch();
            await retention[Symbol.asyncDispose]();
          },
        ),
    );
    assertEquals([timers, asked], [[period, "not 7"], deletions]);
  }
});
