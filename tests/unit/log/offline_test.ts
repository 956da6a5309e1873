/**
 * A log that is read without a server: its lines, the chain's value for one of them, and whether a server could use it.
 *
 * @module
 */

import { agreementOf } from "../../../src/log/agree.ts";
import { checkLog } from "../../../src/log/check.ts";
import { LogError } from "../../../src/log/file.ts";
import { formatEntry } from "../../../src/log/line_format.ts";
import { LockedError } from "../../../src/log/lock.ts";
import { ReadFiles } from "../../../src/log/read_files.ts";
import type { LogEntry } from "../../../src/protocol/line.ts";
import { assertEquals, assertRejects } from "../../kit/assert.ts";
import {
  ADDRESS,
  headingAfter,
  namesBeside,
  numbered,
  openLog,
  said,
  saidUpTo,
  testWithPath,
  valueFor,
  windows,
  withMethod,
} from "../../kit/log_kit.ts";

const ALL = numbered(saidUpTo(9));

const linesOf = (from: number, to: number) =>
  ALL.slice(from - 1, to).map((entry) => `${formatEntry(entry)}\n`).join("");

/** Lines 1 to 3, 4 to 6, and 7 to 9, of which the last is broken off by some characters. */
async function writeFiles(path: string, broken = 0): Promise<void> {
  const after = (last: number) => headingAfter(ALL.slice(0, last));
  await Deno.writeTextFile(`${path}.2`, linesOf(1, 3));
  await Deno.writeTextFile(`${path}.1`, after(3) + linesOf(4, 6));
  const newest = after(6) + linesOf(7, 9);
  await Deno.writeTextFile(path, newest.slice(0, newest.length - broken));
}

const seqsOf = (entries: readonly LogEntry[]) => entries.map(({ seq }) => seq);

async function allOf(files: ReadFiles): Promise<number[][]> {
  const found: number[][] = [];
  for (const file of files.list) {
    found.push((await Array.fromAsync(files.lines(file))).flatMap(seqsOf));
  }
  return found;
}

// ── ReadFiles ──────────────────────────────────────────────────────────────────────────────────────────

testWithPath(
  "ReadFiles reads one file with the older ones beside it, and of several those alone, oldest first",
  async (path) => {
    await writeFiles(path);
    const read = async (...names: string[]) =>
      await allOf(await ReadFiles.open(names));
    const [first, second, third] = [[1, 2, 3], [4, 5, 6], [7, 8, 9]];
    assertEquals(await read(path), [first, second, third]);
    assertEquals(await read(`${path}.1`), [second]);
    assertEquals(await read(path, `${path}.2`), [first, third]);
    assertEquals(await read(`${path}.1`, path), [second, third]);
    await Deno.writeTextFile(path, "# continues at ev");
    assertEquals(await read(path), [first, second]);
    assertEquals(await read(path, `${path}.1`), [second]);
  },
);

testWithPath(
  "ReadFiles gives a line that is in two files once, as the newer one has it",
  async (path) => {
    await writeFiles(path);
    const more = linesOf(1, 2).replaceAll("text", "other");
    await Deno.writeTextFile(`${path}.1`, more, { append: true });
    const files = await ReadFiles.open([path]);
    assertEquals(await allOf(files), [[1, 2, 3], [4, 5, 6], [7, 8, 9]]);
    assertEquals(await files.line(7), ALL[6]);
  },
);

testWithPath(
  "ReadFiles finds a line by its number, and none that isn't there or isn't ours",
  async (path) => {
    await writeFiles(path);
    await Deno.writeTextFile(path, "# a note\n", { append: true });
    const files = await ReadFiles.open([path]);
    for (const entry of ALL) assertEquals(await files.line(entry.seq), entry);
    for (const seq of [-1, 0, 10, 11]) {
      assertEquals(await files.line(seq), undefined);
    }
    const later = await ReadFiles.open([`${path}.1`]);
    assertEquals(await later.line(3), undefined);
  },
);

testWithPath(
  "ReadFiles says which file it can't read",
  async (path) => {
    await assertRejects(
      () => ReadFiles.open([path]),
      LogError,
      `Cannot read "${path}": there is no such file`,
    );
    await writeFiles(path);
    const files = await ReadFiles.open([path]);
    await Deno.remove(`${path}.1`);
    const why = `Cannot read "${path}.1": there is no such file`;
    await assertRejects(() => allOf(files), LogError, why);
    await assertRejects(() => files.line(5), LogError, why);
  },
);

// ── agreementOf() ──────────────────────────────────────────────────────────────────────────────────────

testWithPath(
  "agreementOf() counts the value for a line of any file, and has none for others",
  async (path) => {
    await writeFiles(path);
    const range = [1, 9] as const;
    for (let seq = 0; seq <= 9; seq++) {
      const value = valueFor(ALL, seq);
      assertEquals(await agreementOf(path, seq), { range, value, broken: [] });
    }
    for (const seq of [-1, 10]) {
      const none = { range, value: undefined, broken: [] };
      assertEquals(await agreementOf(path, seq), none);
    }
    await Deno.remove(`${path}.2`);
    const left = { range: [4, 9] as const, broken: [] };
    for (const seq of [3, 5, 9]) {
      const value = valueFor(ALL, seq);
      assertEquals(await agreementOf(path, seq), { ...left, value });
    }
    const none = { ...left, value: undefined };
    assertEquals(await agreementOf(path, 2), none);
    await Deno.writeTextFile(path, "");
    assertEquals((await agreementOf(path, 6)).value, valueFor(ALL, 6));
  },
);

testWithPath(
  "agreementOf() names the files that begin with another value than the lines before them come to",
  async (path) => {
    await writeFiles(path);
    const changed = linesOf(1, 3).replace("text 2", "test 2");
    await Deno.writeTextFile(`${path}.2`, changed);
    const brokenAt = async (seq: number) =>
      (await agreementOf(path, seq)).broken;
    assertEquals(await brokenAt(2), []);
    assertEquals(await brokenAt(3), [`${path}.1`]);
    assertEquals(await brokenAt(5), [`${path}.1`]);
    assertEquals(await brokenAt(6), [`${path}.1`, path]);
    assertEquals(await brokenAt(9), [`${path}.1`, path]);
    // Where it tells none, nothing is wrong.
    const untold = `# continues at event 4\n${linesOf(4, 6)}`;
    await Deno.writeTextFile(`${path}.1`, untold);
    assertEquals(await brokenAt(9), [path]);
  },
);

testWithPath(
  "agreementOf() says what it can't read",
  async (path) => {
    await assertRejects(
      () => agreementOf(path, 1),
      LogError,
      `Cannot read "${path}": there is no such file`,
    );
    await writeFiles(path);
    const fail = () => () => Promise.reject(new Error("Input/output error"));
    await withMethod(Deno, "stat", fail, async () => {
      await assertRejects(() => agreementOf(path, 9), LogError);
    });
  },
);

// ── checkLog() ─────────────────────────────────────────────────────────────────────────────────────────

testWithPath(
  "checkLog() tells what there is of a log, and changes nothing",
  async (path) => {
    const missing = { exists: false, last: 0, broken: 0 };
    assertEquals(await checkLog(path), missing);
    assertEquals(await namesBeside(path), []);
    await writeFiles(path);
    assertEquals(await checkLog(path), { exists: true, last: 9, broken: 0 });
    await writeFiles(path, 1);
    const line = formatEntry(ALL[8] ?? said(9));
    const broken = line.length;
    assertEquals(await checkLog(path), { exists: true, last: 8, broken });
    await Deno.writeTextFile(path, "# continues at ev");
    assertEquals(await checkLog(path), { exists: true, last: 6, broken: 0 });
    await Deno.remove(path);
    assertEquals(await checkLog(path), { ...missing, last: 6 });
    assertEquals(await namesBeside(path), ["chat.log.1", "chat.log.2"]);
  },
);

testWithPath(
  "checkLog() tries whether a server could make the log or its lock, where one of them is missing",
  async (path) => {
    let drafts = 0;
    const count = (open: typeof Deno.open): typeof Deno.open => (name, how) => {
      if (`${name}`.endsWith(".tmp")) drafts++;
      return open(name, how);
    };
    const draftsFor = async (...names: string[]) => {
      drafts = 0;
      for (const name of names) await Deno.writeTextFile(name, "");
      await withMethod(
        Deno,
        "open",
        count,
        () => checkLog(path).then(() => {}),
      );
      for (const name of names) await Deno.remove(name);
      return drafts;
    };
    assertEquals(await draftsFor(), 1);
    assertEquals(await draftsFor(path), 1);
    assertEquals(await draftsFor(`${path}.lock`), 1);
    assertEquals(await draftsFor(path, `${path}.lock`), 0);
  },
);

testWithPath(
  "checkLog() says why no server could use a log",
  async (path) => {
    const inNone = `${path}/chat.log`;
    await assertRejects(
      () => checkLog(inNone),
      LogError,
      `Cannot use "${inNone}": there is no such file or folder`,
    );
    await Deno.mkdir(path);
    await assertRejects(
      () => checkLog(path),
      LogError,
      `Cannot use "${path}": it is a folder`,
    );
    await Deno.remove(path);
    await Deno.writeTextFile(path, "x".repeat(65_537));
    await assertRejects(() => checkLog(path), LogError, "its last line is");
    await Deno.remove(path);
    await using _log = await openLog(path);
    await assertRejects(
      () => checkLog(path),
      LockedError, // as it is: who asks says where that server listens
      `the server on ${ADDRESS}`,
    );
  },
  windows,
);
