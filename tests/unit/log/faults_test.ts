/**
 * The log on systems that fail: a disk that is full, files that may grow no further, a file that is deleted or
 * made read-only under an open log, bytes that are no text.
 *
 * @module
 */

import type { ChatLog } from "../../../src/log/chat_log.ts";
import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";
import {
  namesBeside,
  numbered,
  openLog,
  pastOf,
  said,
  saidUpTo,
  testWithPath,
  windows,
} from "../../kit/log_kit.ts";
import { numberEntry } from "../../../src/protocol/line.ts";
import { formatEntry } from "../../../src/log/line_format.ts";
import { LogError } from "../../../src/log/file.ts";
import { run, succeeds } from "../../kit/command.ts";

const mount = (folder: string) =>
  succeeds("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder);

async function canMount(): Promise<boolean> {
  if (Deno.build.os !== "linux") return false;
  const folder = await Deno.makeTempDir();
  const mounted = await mount(folder);
  if (mounted) await succeeds("umount", folder);
  await Deno.remove(folder);
  return mounted;
}

/** A test on a disk of its own, of 64 KiB; left out where nobody may mount one. */
function testOnSmallDisk(
  name: string,
  test: (path: string) => Promise<void>,
  ignore: boolean,
) {
  testWithPath(`${name} (needs the right to mount)`, async (path) => {
    const folder = `${path}.disk`;
    await Deno.mkdir(folder);
    assert(await mount(folder));
    try {
      await test(`${folder}/chat.log`);
    } finally {
      assert(await succeeds("umount", folder));
    }
  }, ignore);
}

/** Appends until that fails, and says how many entries there are. */
async function fill(log: ChatLog): Promise<number> {
  for (let n = log.head + 1;; n++) {
    try {
      assertEquals(await log.append([said(n)]), n);
    } catch (error) {
      assert(error instanceof LogError, `${error}`);
      assertEquals(log.head, n - 1);
      return n - 1;
    }
  }
}

const unmountable = !await canMount();

testOnSmallDisk(
  "append() takes up again when a full disk has room",
  async (path) => {
    const ballast = `${path}.ballast`;
    await Deno.writeFile(ballast, new Uint8Array(40_000));
    let count: number;
    {
      await using log = await openLog(path);
      count = await fill(log);
      assert(count > 100);
      await assertRejects(
        () => log.append(saidUpTo(50)),
        LogError,
        `Cannot write "${path}": the disk is full`,
      );
      assertEquals(await pastOf(log), numbered(saidUpTo(count)));
      await Deno.remove(ballast);
      assertEquals(await log.append([said(count + 1)]), count + 1);
    }
    await using log = await openLog(path);
    assertEquals(log.notices, []);
    assertEquals(await pastOf(log), numbered(saidUpTo(count + 1)));
  },
  unmountable,
);

testOnSmallDisk(
  "append() loses nothing where a disk is too full to rotate",
  async (path) => {
    const ballast = `${path}.ballast`;
    await Deno.writeFile(ballast, new Uint8Array(40_000));
    const notices: string[] = [];
    const onNotice = (text: string) => notices.push(text);
    const options = { maxSize: 4_000, onNotice };
    let count: number;
    {
      await using log = await openLog(path, options);
      count = await fill(log);
      assertEquals(await pastOf(log), numbered(saidUpTo(count)));
      await Deno.remove(ballast);
      for (let n = count + 1; n <= count + 100; n++) {
        assertEquals(await log.append([said(n)]), n);
      }
      assertEquals(await pastOf(log), numbered(saidUpTo(count + 100)));
    }
    assert(
      notices.every((it) =>
        it.startsWith(`Cannot rotate "${path}": the disk is full`)
      ),
      notices.join(),
    );
    await using log = await openLog(path, options);
    assertEquals(await pastOf(log), numbered(saidUpTo(count + 100)));
    assert(!(await namesBeside(path)).includes("chat.log.new"));
  },
  unmountable,
);

testOnSmallDisk(
  "append() is refused while a full disk takes no new file, and no longer",
  async (path) => {
    await using log = await openLog(path);
    await log.append([said(1)]);
    await Deno.rename(path, `${path}.1`);
    const ballast = `${path}.ballast`;
    await Deno.writeFile(ballast, new Uint8Array(100_000)).catch(() => {}); // as much as there is room for
    await assertRejects(() => log.reopen(), LogError, "the disk is full");
    await Deno.remove(ballast);
    await log.reopen();
    assertEquals(await log.append([said(2)]), 2);
    assertEquals(await pastOf(log), numbered(saidUpTo(2)));
  },
  unmountable,
);

testWithPath(
  "append() cuts back what a limit on files broke off",
  async (path) => {
    const module = import.meta.resolve("../../../src/log/chat_log.ts");
    const errors = import.meta.resolve("../../../src/log/file.ts");
    const program = `${path}.ts`;
    await Deno.writeTextFile(
      program,
      `import { ChatLog } from ${JSON.stringify(module)};
      import { LogError } from ${JSON.stringify(errors)};
      const [path = ""] = Deno.args;
      await using log = await ChatLog.open(path, { address: "here:1" });
      const entries = Array.from({ length: 7 }, (_, n) =>
        ({ at: n, person: "k3df9q2mx7ta41cz", stay: "Yk3xQ0p1a2c", n, what: "said", name: "A", text: "x".repeat(500) }));
      for (;;) {
        try {
          await log.append(entries);
        } catch (error) {
          if (!(error instanceof LogError)) throw error;
          const words = JSON.stringify([log.head, error.message]);
          await Deno.stdout.write(new TextEncoder().encode(words));
          break;
        }
      }`,
    );
    const config = new URL(import.meta.resolve("../../../deno.json")).pathname;
    const stdout = await run(
      "bash",
      "-c",
      // Without the trap the system would end the process. 64 KiB.
      'trap "" XFSZ; ulimit -f 64; exec "$@"',
      "bash",
      Deno.execPath(),
      ...["run", "--no-check", "--config", config],
      ...["--allow-read", "--allow-write", program, path],
    );
    const [head, message] = JSON.parse(stdout);
    assert(head > 0 && head % 7 === 0, `${head}`);
    assert(message.startsWith(`Cannot write "${path}": File too large`));
    await using log = await openLog(path);
    assertEquals([log.head, log.notices], [head, []]);
    assertEquals(await log.append([said(1)]), head + 1);
  },
  windows,
);

testWithPath(
  "append() goes on in a file that was made read-only",
  async (path) => {
    await using log = await openLog(path);
    await log.append([said(1)]);
    await Deno.chmod(path, 0o400);
    await log.reopen().catch((error) => {
      // Not for the superuser, who may write what is read-only.
      assert(error instanceof LogError);
    });
    assertEquals(await log.append([said(2)]), 2);
    assertEquals(await pastOf(log), numbered(saidUpTo(2)));
  },
  windows,
);

testWithPath(
  "append() goes on when its folder was deleted and made again",
  async (path) => {
    const folder = `${path}.folder`;
    const inside = `${folder}/chat.log`;
    await Deno.mkdir(folder);
    await using log = await openLog(inside);
    await Deno.remove(folder, { recursive: true });
    await assertRejects(
      () => log.append([said(1)]),
      LogError,
      `Cannot reopen "${inside}": `,
    );
    await Deno.mkdir(folder);
    assertEquals(await log.append([said(1)]), 1);
    assertEquals(await pastOf(log), numbered([said(1)]));
  },
  windows,
);

testWithPath(
  "open() reads past any bytes that are no text, in every file",
  async (path) => {
    const line = new TextEncoder().encode(`${formatEntry(said(1))}\n`);
    const every = Uint8Array.from({ length: 256 }, (_, at) => at); // one line break among them
    const mixed = new Uint8Array([...line, ...every, 10, ...line]);
    await Deno.writeFile(`${path}.1`, mixed, { mode: 0o600 });
    const heading = new TextEncoder().encode("# continues at event 5\n");
    await Deno.writeFile(path, new Uint8Array([...heading, ...mixed]), {
      mode: 0o600,
    });
    await using log = await openLog(path);
    assertEquals([log.head, log.notices], [8, []]);
    const expected = [1, 4, 5, 8].map((seq) => numberEntry(said(1), seq));
    assertEquals(await pastOf(log), expected);
    assertEquals(log.recent(0), expected);
    assertEquals((await log.search("text", { limit: 9 })).entries, expected);
  },
  windows,
);
