/**
 * The files that the log is in: rotation, numbers that last, files that others move, delete or replace.
 *
 * @module
 */

import type { ChatLog } from "../../../src/log/chat_log.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
} from "../../kit/assert.ts";
import { modeOf } from "../../kit/folder.ts";
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
  happeningsOf,
  lastOf,
  leftOpen,
  namesBeside,
  numbered,
  openLog,
  pastOf,
  testWithPath,
  windows,
  withMethod,
} from "../../kit/log_kit.ts";
import { numberEntry } from "../../../src/protocol/line.ts";
import { formatEntry } from "../../../src/log/line_format.ts";
import { LogError } from "../../../src/log/file.ts";
import { LogFiles } from "../../../src/log/files.ts";

/** What is added to the log's name in those of its files, oldest first. */
const agesOf = (log: ChatLog) =>
  log.files.map((it) => it.path.replace(/.*chat\.log/, ""));

testWithPath(
  "append() begins another file where this one is too large",
  async (path) => {
    await using log = await openLog(path, { maxSize: MAX_SIZE });
    await Deno.writeTextFile(`${path}.new`, "left over");
    await appendEach(log, 1, 5);
    const all = saidUpTo(5);
    const names = ["chat.log", "chat.log.1", "chat.log.2"];
    assertEquals(await namesBeside(path), names);
    const text = (name: string) => Deno.readTextFile(name);
    assertEquals(await text(`${path}.2`), linesOf(all.slice(0, 2)));
    assertEquals(
      await text(`${path}.1`),
      heading(3) + linesOf(all.slice(2, 4)),
    );
    assertEquals(await text(path), heading(5) + linesOf(all.slice(4)));
    await assertHolds(log, 5);
  },
);

testWithPath("append() makes every file private", async (path) => {
  await using log = await openLog(path, { maxSize: MAX_SIZE });
  await appendEach(log, 1, 5);
  for (const name of [path, `${path}.1`, `${path}.2`]) {
    assertEquals(await modeOf(name), 0o600);
  }
}, windows);

for (const fsync of [true, false]) {
  const only = (names: string[]) => fsync ? names : [];
  testWithPath(
    `append() and deleteOldest() ${
      fsync ? "with fsync wait for the disk" : "wait for no disk"
    }, before a file has its name and after it`,
    async (path) => {
      const options = { maxSize: MAX_SIZE, keep: 2, ...(fsync && { fsync }) };
      await using log = await openLog(path, options);
      const happenings = (body: () => Promise<unknown>) =>
        happeningsOf(path, body);
      assertEquals(
        await happenings(() => log.append([said(1)])),
        only(["a file"]),
      );
      assertEquals(await happenings(() => log.append([said(2)])), [
        ...only(["a file", "a file"]),
        "chat.log to chat.log.1",
        "chat.log.new to chat.log",
        ...only(["the folder"]),
      ]);
      await appendEach(log, 3, 3);
      assertEquals(await happenings(() => log.append([said(4)])), [
        ...only(["a file", "a file"]),
        "chat.log.1 to chat.log.2",
        "chat.log to chat.log.1",
        "chat.log.new to chat.log",
        ...only(["the folder"]),
      ]);
      await appendEach(log, 5, 5);
      assertEquals(await happenings(() => log.append([said(6)])), [
        ...only(["a file", "a file"]),
        "no chat.log.2",
        "chat.log.1 to chat.log.2",
        "chat.log to chat.log.1",
        "chat.log.new to chat.log",
        ...only(["the folder"]),
      ]);
      const [oldest] = log.files;
      assert(oldest);
      assertEquals(await happenings(() => log.deleteOldest(oldest)), [
        "no chat.log.2",
        ...only(["the folder"]),
      ]);
      await assertHolds(log, 6, 5);
    },
    windows,
  );
}

testWithPath(
  "append() goes on where the system can't have a folder reach the disk",
  async (path) => {
    await using log = await openLog(path, { maxSize: MAX_SIZE, fsync: true });
    const fail = () => () => Promise.reject(new Error("Invalid argument"));
    await withMethod(Deno.FsFile.prototype, "sync", fail, async () => {
      await appendEach(log, 1, 5);
    });
    await assertHolds(log, 5);
  },
);

testWithPath(
  "deleteOldest() deletes the oldest file alone, and never the newest",
  async (path) => {
    await using log = await openLog(path, { maxSize: MAX_SIZE });
    await appendEach(log, 1, 3);
    const [oldest, newest] = log.files;
    assert(oldest && newest);
    assertEquals(await log.deleteOldest(newest), false);
    await assertHolds(log, 3);
    assertEquals(await log.deleteOldest(oldest), true);
    assertEquals(await log.deleteOldest(oldest), false);
    assertEquals(await log.deleteOldest(newest), false);
    await assertHolds(log, 3, 3);
  },
);

testWithPath(
  "deleteOldest() finds a file wherever others moved it, and one with a name that no new one gets",
  async (path) => {
    {
      await using log = await openLog(path, { maxSize: MAX_SIZE, keep: 3 });
      await appendEach(log, 1, 7);
      await Deno.rename(`${path}.3`, `${path}.mine`);
      const [oldest, second] = log.files;
      assert(oldest && second);
      assertEquals(await log.deleteOldest(oldest), false);
      await Deno.rename(`${path}.2`, `${path}.3`);
      assertEquals(await log.deleteOldest(second), true);
      await assertHolds(log, 7, 5);
    }
    await Deno.rename(`${path}.1`, `${path}.2`);
    await Deno.writeTextFile(`${path}.1`, "");
    await using log = await openLog(path, { keep: 1 });
    const [oldest] = log.files;
    assert(oldest?.path === `${path}.2`);
    assertEquals(await log.deleteOldest(oldest), true);
    assertEquals(await namesBeside(path), [
      "chat.log",
      "chat.log.1",
      "chat.log.mine",
    ]);
  },
  windows,
);

testWithPath(
  "a rotation deletes nothing of a log of which something else deletes, however many names are taken",
  async (path) => {
    for (let age = 1; age <= 130; age++) {
      await Deno.writeTextFile(`${path}.${age}`, "");
    }
    await using log = await openLog(path, { isRetained: true });
    await appendEach(log, 1, 2);
    await log.beginAnother();
    assertEquals((await namesBeside(path)).length, 132);
    await assertHolds(log, 2);
  },
);

for (const isRetained of [true, false]) {
  testWithPath(
    `a log of 100 files ${
      isRetained ? "of which something else deletes grows" : "is rotated"
    } where the last is larger than it may be`,
    async (path) => {
      for (let age = 1; age <= 98; age++) {
        await Deno.writeTextFile(
          `${path}.${age}`,
          `# continues at event ${100 - age}\n`,
        );
      }
      await Deno.writeTextFile(path, "# continues at event 100\n");
      const options = { isRetained, keep: 200, maxSize: 1 };
      await using log = await openLog(path, options);
      assertEquals(log.files.length, 99);
      await log.append([said(100)]);
      assertEquals(log.files.length, 100);
      await log.append([said(101)]);
      assertEquals(log.files.length, isRetained ? 100 : 101);
    },
  );
}

/** Runs a body on a system that doesn't tell files apart, as Windows. */
async function withoutInodes(body: () => Promise<void>) {
  const untold = (info: Deno.FileInfo) => ({ ...info, ino: null, dev: 0 });
  const ofPath = (stat: typeof Deno.stat): typeof Deno.stat => async (name) =>
    untold(await stat(name));
  const ofFile = (stat: Deno.FsFile["stat"]) =>
    async function (this: Deno.FsFile) {
      return untold(await stat.call(this));
    };
  await withMethod(
    Deno,
    "stat",
    ofPath,
    () => withMethod(Deno.FsFile.prototype, "stat", ofFile, body),
  );
}

testWithPath(
  "the log is rotated, read, taken up again and deleted on a system that doesn't tell files apart",
  async (path) => {
    const notices: string[] = [];
    const onNotice = (text: string) => notices.push(text);
    await withoutInodes(() =>
      withEachSecond(async () => {
        const options = { maxSize: MAX_SIZE, keep: 3, onNotice };
        await using log = await openLog(path, options);
        await appendEach(log, 1, 9);
        await log.reopen();
        await assertHolds(log, 9, 3);
        assertEquals(notices, []);
        const [first, oldest] = log.files;
        assert(first && oldest);
        assertEquals(await log.deleteOldest(first), true);
        await Deno.rename(`${path}.2`, `${path}.9`);
        assertEquals(await log.deleteOldest(oldest), false); // its name is gone
        await Deno.remove(path);
        await log.reopen();
        assertEquals(notices, [
          `Began a new "${path}" at event 10: the old one was moved, deleted or emptied`,
        ]);
        await appendEach(log, 10, 10);
        assertEquals(log.recent(0), numbered(saidUpTo(10)));
        await Deno.writeTextFile(path, "# by hand\n", { append: true });
        await appendEach(log, 11, 11);
        assertEquals(notices.length, 1); // more in it makes it no other
        // But nobody can tell where it is opened again.
        await Deno.writeTextFile(path, "# by hand\n", { append: true });
        await log.reopen();
        assertEquals(notices.slice(1), [
          `Began a new "${path}" at event 12: another file took its place, which is "${path}.1" now`,
        ]);
      })
    );
  },
  windows,
);

testWithPath(
  "open() removes what a rotation left over, and needn't where there is nothing",
  async (path) => {
    const refuse = () => () =>
      Promise.reject(new Deno.errors.PermissionDenied("Read-only folder"));
    await withMethod(Deno, "remove", refuse, async () => {
      await (await openLog(path)).close();
      await Deno.writeTextFile(`${path}.new`, "");
      await assertRejects(() => openLog(path), LogError, "Cannot open");
    });
    const gone =
      (remove: typeof Deno.remove): typeof Deno.remove => async (name) => {
        await remove(name);
        await remove(name); // as if another had removed it
      };
    await withMethod(Deno, "remove", gone, async () => {
      await (await openLog(path)).close();
    });
    assertEquals(await namesBeside(path), ["chat.log"]);
  },
);

testWithPath("append() keeps as many older files as it may", async (path) => {
  await using log = await openLog(path, { maxSize: MAX_SIZE, keep: 2 });
  await appendEach(log, 1, 11);
  const names = ["chat.log", "chat.log.1", "chat.log.2"];
  assertEquals(await namesBeside(path), names);
  await assertHolds(log, 11, 7);
  assertEquals(log.start[0], 6);
  assertEquals(log.files.map(({ path }) => path), [
    `${path}.2`,
    `${path}.1`,
    path,
  ]);
});

testWithPath(
  "append() begins another file only where this one is larger than it may be",
  async (path) => {
    const options = { maxSize: linesOf(saidUpTo(2)).length };
    await using log = await openLog(path, options);
    await appendEach(log, 1, 2);
    assertEquals(await namesBeside(path), ["chat.log"]);
    await appendEach(log, 3, 3);
    assertEquals(await namesBeside(path), ["chat.log", "chat.log.1"]);
  },
);

testWithPath("append() removes what an earlier setting kept", async (path) => {
  {
    await using log = await openLog(path, { maxSize: MAX_SIZE });
    await appendEach(log, 1, 11);
    assertEquals((await namesBeside(path)).length, 6);
  }
  await using log = await openLog(path, { maxSize: MAX_SIZE, keep: 2 });
  await assertHolds(log, 11);
  await appendEach(log, 12, 12);
  assertEquals((await namesBeside(path)).length, 3);
  await assertHolds(log, 12, 9);
});

for (const at of [1, 2, 3]) {
  testWithPath(
    `files that are copied newest first while the log is rotated, before the copy of file ${at}, are a log without a hole`,
    async (path) => {
      const copy = await Deno.makeTempDir({ dir: `${path}/..` });
      {
        await using log = await openLog(path, { maxSize: MAX_SIZE });
        await appendEach(log, 1, 7);
        const names = (await namesBeside(path)).filter((it) =>
          /^chat/.test(it)
        );
        assertEquals(names.length, 4); // as a shell has them before it begins
        for (const [index, name] of names.entries()) {
          if (index === at) await appendEach(log, 8, 9);
          await Deno.copyFile(`${path}/../${name}`, `${copy}/${name}`);
        }
      }
      await using log = await openLog(`${copy}/chat.log`);
      await assertHolds(log, 7, 3); // its oldest part had another name by then
      await appendEach(log, 8, 8);
      await assertHolds(log, 8, 3);
    },
  );
}

testWithPath("append() never rotates unless told to", async (path) => {
  await using log = await openLog(path);
  await appendEach(log, 1, 50);
  assertEquals(await namesBeside(path), ["chat.log"]);
});

testWithPath(
  "open() goes on with the numbers after rotations",
  async (path) => {
    for (let n = 1; n <= 9; n++) {
      await using log = await openLog(path, { maxSize: MAX_SIZE, window: 5 });
      assertEquals([log.head, log.notices], [n - 1, []]);
      assertEquals(
        log.recent(log.oldest),
        numbered(saidUpTo(n - 1)).slice(log.oldest),
      );
      await appendEach(log, n, n);
      await assertHolds(log, n);
    }
  },
);

testWithPath(
  "open() keeps the numbers when older files are deleted",
  async (path) => {
    {
      await using log = await openLog(path, { maxSize: MAX_SIZE });
      await appendEach(log, 1, 7);
    }
    await Deno.remove(`${path}.2`);
    {
      await using log = await openLog(path, { maxSize: MAX_SIZE });
      // PATH.2 had 3 and 4; the order of what is left stays right.
      const left = [1, 2, 5, 6, 7].map((n) => numberEntry(said(n), n));
      assertEquals(await pastOf(log), left);
      assertEquals(await lastOf(log, 4), left.slice(1));
    }
    for (const name of [`${path}.1`, `${path}.3`]) await Deno.remove(name);
    await using log = await openLog(path, { maxSize: MAX_SIZE });
    await assertHolds(log, 7, 7);
    await appendEach(log, 8, 8);
  },
);

testWithPath("open() refuses to keep no older file", async (path) => {
  for (const keep of [0, -1, 1.5, NaN]) {
    await assertRejects(
      () => openLog(path, { keep }),
      RangeError,
      "1 is the least",
    );
  }
});

testWithPath(
  "append() goes on in a file that can't be rotated, and says so once for each size",
  async (path) => {
    const notices: string[] = [];
    const onNotice = (text: string) => notices.push(text);
    await using log = await openLog(path, { maxSize: MAX_SIZE, onNotice });
    const fail = () => () => {
      throw new Error("Input/output error");
    };
    await withMethod(Deno, "renameSync", fail, () => appendEach(log, 1, 6));
    assertEquals(
      notices,
      Array(3).fill(`Cannot rotate "${path}": Input/output error`),
    );
    assertEquals(await namesBeside(path), ["chat.log"]);
    await appendEach(log, 7, 8);
    assertEquals(await namesBeside(path), ["chat.log", "chat.log.1"]);
    await assertHolds(log, 8);
  },
);

testWithPath("past() reads on while files are rotated", async (path) => {
  const entries = saidUpTo(2_000);
  await using log = await openLog(path, {
    maxSize: 20_000,
    keep: 20,
    window: 1,
  });
  for (let at = 0; at < 2_000; at += 100) {
    await log.append(entries.slice(at, at + 100));
  }
  const found = [];
  for await (const piece of log.past(0, 2_000)) {
    found.push(...piece);
    await log.append(saidUpTo(300)); // rotates
  }
  assertEquals(found, numbered(entries));
});

testWithPath("open() takes nothing else for a heading", async (path) => {
  const others = [
    "# continues at event 0",
    "# continues at event 05",
    "# continues at event x",
    "# continues at event 5 ",
    " # continues at event 5",
    "# continues at event 99999999999999999",
  ];
  for (const other of others) {
    await Deno.writeTextFile(path, `${other}\n${linesOf([said(1)])}`, {
      mode: 0o600,
    });
    await using log = await openLog(path);
    assertEquals(await pastOf(log), numbered([said(1)], 2));
  }
});

testWithPath(
  "open() passes over what is no file under the name of an older one",
  async (path) => {
    const lines = saidUpTo(3).map((entry) => `${formatEntry(entry)}\n`);
    await Deno.writeTextFile(`${path}.3`, lines.slice(0, 2).join(""));
    await Deno.writeTextFile(path, `# continues at event 3\n${lines[2]}`);
    await Deno.mkdir(`${path}.1`);
    using _listener = Deno.listen({ transport: "unix", path: `${path}.2` });
    await using log = await openLog(path);
    assertEquals(await pastOf(log), numbered(saidUpTo(3)));
  },
  windows,
);

testWithPath(
  "open() passes over a file between the others that is not older",
  async (path) => {
    {
      await using log = await openLog(path, { maxSize: MAX_SIZE });
      await appendEach(log, 1, 5);
    }
    await Deno.rename(`${path}.2`, `${path}.4`);
    await Deno.rename(`${path}.1`, `${path}.2`);
    await Deno.writeTextFile(`${path}.1`, heading(90) + linesOf([said(90)]));
    // Lines that the newest file has, too.
    await Deno.writeTextFile(`${path}.2`, linesOf([said(9)]), { append: true });
    await Deno.writeTextFile(`${path}.3`, heading(3)); // as old as PATH.2
    await Deno.writeTextFile(`${path}.5`, "");
    await using log = await openLog(path, { maxSize: MAX_SIZE });
    assertEquals(agesOf(log), [".4", ".2", ""]);
    await assertHolds(log, 5);
    assertEquals(log.recent(0), numbered(saidUpTo(5)));
  },
);

testWithPath(
  "reopen() goes on in a new file when the old one was moved",
  async (path) => {
    const notices: string[] = [];
    await using log = await openLog(path, {
      onNotice: (text) => notices.push(text),
    });
    await appendEach(log, 1, 3);
    await Deno.rename(path, `${path}.1`);
    await assertHolds(log, 3);
    await log.append([said(4)]); // still to the moved file, or already to the new one
    await log.reopen();
    await appendEach(log, 5, 6);
    await assertHolds(log, 6);
    await Deno.rename(`${path}.1`, `${path}.2`);
    await Deno.rename(path, `${path}.1`);
    await Deno.writeTextFile(path, ""); // as logrotate's "create" does
    await log.reopen();
    assertEquals(agesOf(log), [".2", ".1", ""]);
    await appendEach(log, 7, 7);
    await assertHolds(log, 7);
    assertEquals(
      await Deno.readTextFile(path),
      heading(7) + linesOf([said(7)]),
    );
    if (!windows) assertEquals(await modeOf(path), 0o600);
    assertEquals(
      notices.at(-1),
      `Began a new "${path}" at event 7: the old one was moved, deleted or emptied`,
    );
  },
);

testWithPath(
  "reopen() does nothing where the path names the open file",
  async (path) => {
    const notices: string[] = [];
    await using log = await openLog(path, {
      onNotice: (text) => notices.push(text),
    });
    await log.reopen();
    await appendEach(log, 1, 1);
    await log.reopen();
    await appendEach(log, 2, 2);
    assertEquals([await namesBeside(path), notices], [["chat.log"], []]);
    assertEquals(await Deno.readTextFile(path), linesOf(saidUpTo(2)));
  },
);

testWithPath(
  "reopen() waits for an append, and an append for it",
  async (path) => {
    await using log = await openLog(path, { fsync: true });
    const first = log.append([said(1)]);
    const opened = log.reopen();
    assertEquals(await first, 1);
    const second = log.append([said(2)]);
    await opened;
    assertEquals(await second, 2);
    await assertHolds(log, 2);
  },
);

testWithPath(
  "reopen() fails where nothing can be opened, and the old file stays",
  async (path) => {
    await using log = await openLog(path);
    await appendEach(log, 1, 1);
    await Deno.rename(path, `${path}.1`);
    await Deno.mkdir(path);
    await assertRejects(
      () => log.reopen(),
      LogError,
      `Cannot reopen "${path}": `,
    );
    assertEquals(log.head, 1);
    await Deno.remove(path);
    await log.reopen();
    await appendEach(log, 2, 2);
    await assertHolds(log, 2);
  },
  windows,
);

testWithPath(
  "reopen(), startAfter() and goOnAfter() are refused once the log is closed, and nothing is begun or deleted",
  async (path) => {
    const log = await openLog(path, { maxSize: MAX_SIZE });
    await appendEach(log, 1, 3);
    const [oldest] = log.files;
    assert(oldest);
    assertEquals(log.mayDelete(), true);
    await log.close();
    await assertRejects(() => log.reopen(), LogError, "it is closed");
    const value = new Uint8Array(32);
    await assertRejects(() => log.startAfter(9, value), LogError, "is closed");
    await assertRejects(() => log.goOnAfter(9), LogError, "it is closed");
    await log.beginAnother();
    assertEquals(log.mayDelete(), false);
    assertEquals(await log.deleteOldest(oldest), false);
    assertEquals(await namesBeside(path), ["chat.log", "chat.log.1"]);
  },
);

testWithPath(
  "append() is refused while it can't take up its file again, for which it looks each time, and no longer",
  async (path) => {
    let now = 0;
    const clock = () => () => now;
    await withMethod(performance, "now", clock, async () => {
      await using log = await openLog(path);
      await appendEach(log, 1, 1);
      await Deno.remove(path);
      await Deno.mkdir(path);
      now = 1_000;
      for (let times = 0; times < 2; times++) {
        await assertRejects(
          () => log.append([said(2)]),
          LogError,
          `Cannot reopen "${path}": it is a folder`,
        );
      }
      assertEquals(log.head, 1);
      await Deno.remove(path);
      await appendEach(log, 2, 2);
      assertEquals(await pastOf(log), numbered([said(2)], 2));
    });
  },
  windows,
);

// What others can do to the file of an open log, and what it has then.
const CHANGES: readonly {
  name: string;
  change: (path: string) => Promise<void>;
  notice: (path: string) => string;
  text: string;
  first: number;
}[] = [
  {
    name: "deleted",
    change: (path) => Deno.remove(path),
    notice: (path) =>
      `Began a new "${path}" at event 4: the old one was moved, deleted or emptied`,
    text: heading(4),
    first: 4,
  },
  {
    name: "moved to PATH.1",
    change: (path) => Deno.rename(path, `${path}.1`),
    notice: (path) =>
      `Began a new "${path}" at event 4: the old one was moved, deleted or emptied`,
    text: heading(4),
    first: 1,
  },
  {
    name: "moved and made anew",
    change: async (path) => {
      await Deno.rename(path, `${path}.1`);
      await Deno.writeTextFile(path, "");
    },
    notice: (path) =>
      `Began a new "${path}" at event 4: the old one was moved, deleted or emptied`,
    text: heading(4),
    first: 1,
  },
  {
    name: "copied and emptied",
    change: async (path) => {
      await Deno.copyFile(path, `${path}.1`);
      await Deno.truncate(path);
    },
    notice: (path) =>
      `Began a new "${path}" at event 4: the old one was moved, deleted or emptied`,
    text: heading(4),
    first: 1,
  },
  {
    name: "replaced by a copy",
    change: async (path) => {
      await Deno.copyFile(path, `${path}.copy`);
      await Deno.rename(`${path}.copy`, path);
    },
    notice: (path) =>
      `Opened "${path}" again: another file with as many lines took its place`,
    text: linesOf(saidUpTo(3)),
    first: 1,
  },
  {
    name: "replaced by an older copy",
    change: async (path) => {
      await Deno.writeTextFile(`${path}.copy`, linesOf(saidUpTo(2)));
      await Deno.rename(`${path}.copy`, path);
    },
    notice: (path) =>
      `Began a new "${path}" at event 4: another file took its place, which is "${path}.1" now`,
    text: heading(4),
    first: 1,
  },
  {
    name: "replaced by a copy that breaks off",
    change: async (path) => {
      const torn = linesOf([said(4)]).slice(0, 20);
      await Deno.writeTextFile(`${path}.copy`, linesOf(saidUpTo(3)) + torn);
      await Deno.rename(`${path}.copy`, path);
    },
    notice: (path) =>
      `Began a new "${path}" at event 4: another file took its place, which is "${path}.1" now`,
    text: heading(4),
    first: 1,
  },
  {
    name: "replaced by a file with more lines",
    change: async (path) => {
      await Deno.writeTextFile(`${path}.copy`, linesOf(saidUpTo(9)));
      await Deno.rename(`${path}.copy`, path);
    },
    notice: (path) =>
      `Began a new "${path}" at event 4: another file took its place, which is "${path}.1" now`,
    text: heading(4),
    first: 1,
  },
];

for (const { name, change, notice, text, first } of CHANGES) {
  testWithPath(`append() notices that its file was ${name}`, async (path) => {
    const notices: string[] = [];
    const onNotice = (notice: string) => notices.push(notice);
    await withEachSecond(async () => {
      await using log = await openLog(path, { onNotice });
      await appendEach(log, 1, 3);
      assertEquals(notices, []);
      await change(path);
      await appendEach(log, 4, 5);
      assertEquals(notices, [notice(path)]);
      assertEquals(
        await Deno.readTextFile(path),
        text + linesOf([said(4), said(5)]),
      );
      assertEquals(log.recent(0), numbered(saidUpTo(5)));
      const missing = name === "replaced by an older copy" ? [3] : [];
      const expected = numbered(saidUpTo(5)).slice(first - 1)
        .filter(({ seq }) => !missing.includes(seq));
      assertEquals(await pastOf(log), expected);
      assertEquals(await lastOf(log, 9), expected);
      const { entries } = await log.search("text", { limit: 9 });
      assertEquals(entries, expected);
    });
    await using log = await openLog(path);
    assertEquals([log.head, log.notices], [5, []]);
    await appendEach(log, 6, 6);
  }, windows);
}

testWithPath(
  "append() looks at its path once a second at most",
  async (path) => {
    let now = 0;
    const looks: number[] = [];
    const clock = () => () => now;
    const count = (stat: typeof Deno.stat): typeof Deno.stat => (name) => {
      looks.push(now);
      return stat(name);
    };
    await using log = await openLog(path);
    await withMethod(
      performance,
      "now",
      clock,
      () =>
        withMethod(Deno, "stat", count, async () => {
          for (; now < 2_000; now += 100) {
            await log.append([said(1)]);
          }
        }),
    );
    assertEquals(looks, [0, 1_000]);
  },
);

const refuse = () => () =>
  Promise.reject(new Deno.errors.PermissionDenied("No"));

testWithPath(
  "append() says that it can't look at its path",
  async (path) => {
    await using log = await openLog(path);
    await withMethod(Deno, "stat", refuse, async () => {
      await assertRejects(
        () => log.append([said(1)]),
        LogError,
        `Cannot reopen "${path}": `,
      );
    });
    await appendEach(log, 1, 1);
  },
);

testWithPath(
  "beginAnother() looks at the path first, and has a file without lines be",
  async (path) => {
    const notices: string[] = [];
    const onNotice = (text: string) => notices.push(text);
    await using log = await openLog(path, { onNotice });
    await appendEach(log, 1, 2);
    await Deno.rename(path, `${path}.1`);
    await withEachSecond(() => log.beginAnother());
    assertEquals(notices, [
      `Began a new "${path}" at event 3: the old one was moved, deleted or emptied`,
    ]);
    assertEquals(await namesBeside(path), ["chat.log", "chat.log.1"]);
    await appendEach(log, 3, 3);
    await log.beginAnother();
    assertEquals(
      await namesBeside(path),
      ["chat.log", "chat.log.1", "chat.log.2"],
    );
    await assertHolds(log, 3);
  },
  windows,
);

testWithPath(
  "nothing that befalls the log leaves a file open",
  async (path) => {
    const left = await leftOpen(async () => {
      const options = { maxSize: MAX_SIZE, keep: 3 };
      await using log = await openLog(path, options);
      await appendEach(log, 1, 3);
      await log.reopen();
      const fail = () => () => {
        throw new Error("Input/output error");
      };
      await withMethod(Deno, "renameSync", fail, () => appendEach(log, 4, 4));
      await appendEach(log, 5, 6);
      await Deno.rename(`${path}.2`, `${path}.3`);
      await Deno.rename(`${path}.1`, `${path}.2`);
      await Deno.writeTextFile(`${path}.1`, "another\n");
      await pastOf(log);
      await Deno.remove(`${path}.3`);
      await pastOf(log);
      await Deno.remove(path);
      await log.reopen();
      await Deno.remove(path);
      await Deno.mkdir(path);
      await assertRejects(() => log.reopen(), LogError);
    });
    assertEquals(left, []);
    await Deno.remove(path);
    await Deno.writeFile(path, new Uint8Array(100_000).fill(1));
    for (let times = 0; times < 2; times++) {
      const left = await leftOpen(() =>
        assertRejects(() => openLog(path), LogError, "its last line is longer")
      );
      assertEquals(left, []);
    }
  },
  windows,
);

testWithPath(
  "append() cuts nothing off where nothing went wrong, also after a write that did",
  async (path) => {
    let cuts = 0;
    const count = (cut: Deno.FsFile["truncate"]) =>
      function (this: Deno.FsFile, size?: number) {
        cuts++;
        return cut.call(this, size);
      };
    const fail = () => () => {
      throw new Error("Input/output error");
    };
    const { prototype } = Deno.FsFile;
    await using log = await openLog(path, { maxSize: MAX_SIZE });
    await withMethod(prototype, "truncate", count, async () => {
      await appendEach(log, 1, 3);
      assertEquals(cuts, 0);
      await withMethod(prototype, "writeSync", fail, async () => {
        await assertRejects(() => log.append([said(4)]), LogError);
      });
      assertEquals(cuts, 1);
      await appendEach(log, 4, 5);
      assertEquals(cuts, 1);
    });
    await assertHolds(log, 5);
  },
);

testWithPath(
  "open() looks for older files under as many names as are kept, and further only without a gap",
  async (path) => {
    const all = saidUpTo(6);
    const ages = async () => {
      await using log = await openLog(path, { keep: 2 });
      return agesOf(log);
    };
    await Deno.writeTextFile(path, heading(6) + linesOf(all.slice(5)));
    await Deno.writeTextFile(
      `${path}.3`,
      heading(3) + linesOf(all.slice(2, 3)),
    );
    assertEquals(await ages(), [""]);
    await Deno.writeTextFile(
      `${path}.2`,
      heading(4) + linesOf(all.slice(3, 5)),
    );
    await Deno.writeTextFile(`${path}.5`, linesOf(all.slice(0, 2)));
    assertEquals(await ages(), [".3", ".2", ""]);
  },
);

testWithPath(
  "past() gets over a deleted file without an append",
  async (path) => {
    await withEachSecond(async () => {
      await using log = await openLog(path);
      await appendEach(log, 1, 2);
      await Deno.remove(path);
      assertEquals(await pastOf(log), []);
      assertEquals(log.recent(0), numbered(saidUpTo(2)));
      await appendEach(log, 3, 3);
      assertEquals(await pastOf(log), numbered([said(3)], 3));
    });
  },
  windows,
);

testWithPath(
  "past() leaves out the lines of a file that is gone, and none of the newer ones",
  async (path) => {
    await using log = await openLog(path, { maxSize: MAX_SIZE });
    await appendEach(log, 1, 5);
    const [, middle, newest] = log.files;
    await Deno.remove(`${path}.1`);
    const expected = numbered(saidUpTo(5)).filter(({ seq }) =>
      seq < (middle?.first ?? 0) || seq >= (newest?.first ?? 0)
    );
    assert(expected.length > 1 && expected.length < 5);
    assertEquals(await pastOf(log), expected);
  },
  windows,
);

testWithPath(
  "past() says that the newest file is gone, or why a file can't be looked at",
  async (path) => {
    const still = () => () => 0; // nobody looks at the path again
    await withMethod(performance, "now", still, async () => {
      await using log = await openLog(path, { maxSize: MAX_SIZE });
      await appendEach(log, 1, 3);
      await withMethod(Deno, "stat", refuse, async () => {
        await assertRejects(
          () => pastOf(log),
          LogError,
          `Cannot read "${path}.1": `,
        );
      });
      await Deno.remove(path);
      await assertRejects(
        () => pastOf(log),
        LogError,
        `Cannot read "${path}": it is gone`,
      );
      assertEquals(await pastOf(log, 0, 2), numbered(saidUpTo(2)));
    });
  },
  windows,
);

testWithPath(
  "past() opens no file of which it reads nothing",
  async (path) => {
    await using log = await openLog(path, { maxSize: MAX_SIZE });
    await appendEach(log, 1, 7); // in files of two
    let opened = 0;
    const count = (open: typeof Deno.open): typeof Deno.open => (...args) => {
      opened++;
      return open(...args);
    };
    const openedFor = async (after: number, upTo: number) => {
      opened = 0;
      await withMethod(
        Deno,
        "open",
        count,
        () => pastOf(log, after, upTo).then(() => {}),
      );
      return opened;
    };
    assertEquals(await openedFor(0, 7), 4);
    assertEquals(await openedFor(0, 2), 1);
    assertEquals(await openedFor(2, 3), 1);
    assertEquals(await openedFor(1, 3), 2);
    assertEquals(await openedFor(6, 7), 1);
    assertEquals(await openedFor(7, 7), 0);
  },
  windows,
);

testWithPath("past() reads a file wherever others moved it", async (path) => {
  await using log = await openLog(path, { maxSize: MAX_SIZE, keep: 3 });
  await appendEach(log, 1, 5); // looks at the path; not again within this second
  await Deno.rename(`${path}.2`, `${path}.3`);
  await Deno.rename(`${path}.1`, `${path}.2`);
  assertEquals(await pastOf(log), numbered(saidUpTo(5)));
  await Deno.rename(path, `${path}.1`);
  await Deno.rename(`${path}.3`, path);
  assertEquals(await pastOf(log), numbered(saidUpTo(5)));
}, windows);

testWithPath(
  "have(), whole() and heading() tell which lines are in files that are still there, and what headings say",
  async (path) => {
    {
      await using log = await openLog(path, { maxSize: MAX_SIZE });
      await appendEach(log, 1, 5);
      const [, middle = 0, newest = 0] = log.files.map((it) => it.first);
      const headingBefore = (seq: number) => log.heading(seq)?.[0];
      assertEquals(
        [middle - 2, middle - 1, 5].map(headingBefore),
        [0, middle - 1, newest - 1],
      );
      assertEquals([await log.have(0, 5), await log.whole(0)], [true, 0]);
      await Deno.remove(`${path}.1`);
      assertEquals(await log.have(0, 5), false);
      assertEquals(await log.have(0, middle - 1), true);
      assertEquals(await log.have(0, middle), false);
      assertEquals(await log.have(newest - 1, 5), true);
      assertEquals(await log.have(newest - 2, 5), false);
      assertEquals(await log.whole(0), newest - 1);
      assertEquals(await log.whole(5), 5);
    }
    await Deno.remove(`${path}.2`);
    const newest = `# continues at event 3\n${linesOf([said(3)])}`;
    await Deno.writeTextFile(path, newest);
    {
      await using log = await openLog(path);
      assertEquals([await log.have(0, 3), await log.have(2, 3)], [false, true]);
      assertEquals([await log.whole(0), await log.whole(3)], [2, 3]);
      assertEquals(log.heading(3), undefined);
    }
    await Deno.writeTextFile(`${path}.1`, linesOf(saidUpTo(2)));
    await using log = await openLog(path);
    assertEquals(log.heading(3)?.[0], 0); // the newest tells no value
  },
  windows,
);

testWithPath(
  "what reads older files says so where one can't be opened, or read on",
  async (path) => {
    await using log = await openLog(path, { maxSize: MAX_SIZE });
    await appendEach(log, 1, 5);
    const asked: (() => Promise<unknown>)[] = [
      () => log.whole(0),
      () => log.have(0, 5),
      () => pastOf(log),
      () => log.search("text", { limit: 9 }),
    ];
    const fail = () => () => Promise.reject(new Error("Too many open files"));
    for (const ask of asked) {
      await withMethod(Deno, "open", fail, async () => {
        await assertRejects(ask, LogError, "Too many open files");
      });
    }
    for (const ask of asked.slice(2)) {
      await withMethod(Deno.FsFile.prototype, "read", fail, async () => {
        await assertRejects(ask, LogError, `Cannot read "${path}`);
      });
    }
    assertEquals(await log.whole(0), 0);
    await assertHolds(log, 5);
  },
);

testWithPath(
  "what looks at the newest file says so where the system tells nothing of it",
  async (path) => {
    await using log = await openLog(path);
    await log.append([said(1)]);
    const asked: (() => Promise<unknown>)[] = [
      () => pastOf(log),
      () => log.search("text", { limit: 9 }),
      () => log.beginAnother(),
      () => log.append([said(2)]),
    ];
    const fail = () => () => {
      throw new Error("Stale file handle");
    };
    const standing = performance.now();
    await withMethod(performance, "now", () => () => standing, async () => {
      for (const ask of asked) {
        await pastOf(log); // looks at the path; not again within this second
        await withMethod(Deno.FsFile.prototype, "statSync", fail, async () => {
          await assertRejects(ask, LogError, "Stale file handle");
        });
      }
    });
    await assertHolds(log, 1);
  },
);

Deno.test("LogFiles looks for older files under as many names as it keeps, and no more, and has no newest without one", async () => {
  for (
    const [keep, count] of [[1, 1], [3, 3], [undefined, 9], [
      "retained",
      120,
    ]] as const
  ) {
    const names: unknown[] = [];
    const none = () => (name: string | URL) => {
      if (names.push(name) > count) throw new Error("It looks for more");
      return Promise.reject(new Deno.errors.NotFound());
    };
    const files = new LogFiles("none.log", keep);
    await withMethod(Deno, "stat", none, async () => {
      assertEquals(await files.lastBefore(), 0);
    });
    assertThrows(() => files.newest, TypeError, "there is none");
    const all = Array.from({ length: count }, (_, at) => `none.log.${at + 1}`);
    assertEquals(names, all);
  }
});
