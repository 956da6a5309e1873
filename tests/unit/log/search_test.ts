/**
 * Finding words in the log, and the last entries before one: across files, from any place, within limits.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";
import { FileInMemory } from "../../kit/file_in_memory.ts";
import {
  lastOf,
  numbered,
  openLog,
  said,
  saidUpTo,
  testWithPath,
  windows,
  withMethod,
} from "../../kit/log_kit.ts";
import type { LogEntry, NewEntry } from "../../../src/protocol/line.ts";
import { LogFile } from "../../../src/log/file.ts";
import type { LogFiles } from "../../../src/log/files.ts";
import { formatEntry } from "../../../src/log/line_format.ts";
import { type Found, searchFiles } from "../../../src/log/search.ts";

const seqsOf = (entries: readonly LogEntry[]) => entries.map(({ seq }) => seq);

const TEXTS = [
  "The quick brown fox",
  "the QUICK dog",
  "Straße nach Köln",
  "STRASSE NACH KO\u0308LN", // the same in other characters
  "ﬁne ｆｕｌｌ ｗｉｄｔｈ", // ligature and full width
  "ΟΔΟΣ οδοσες",
  "C:\\temp\nnext line\ttab",
  "zero\u200bwidth \u202eturned",
  "👩🏽‍💻 हिन्दी",
  "e\u0301tude \u200e\u0301x",
  "a | b",
  "# continues at event 5",
  "οδοσεως",
  "u" + "\u0308\u0304".repeat(9) + "v", // a flood of marks, some of which compose
  "\u200e\u0302\u0301y", // behind the escape's last letter, both marks compose
];

// Words, and which of the texts have them all.
const WORDS: readonly (readonly [string, readonly number[]])[] = [
  ["quick", [1, 2]],
  ["QUICK the", [1, 2]],
  ["fox the quick", [1]],
  ["qui own", [1]],
  ["quick  \t fox", [1]],
  ["quick\u3000fox", [1]],
  ["quick cat", []],
  ["strasse", [3, 4]],
  ["STRAßE köln", [3, 4]],
  ["fine full width", [5]],
  ["οδος", [6, 13]],
  ["ΟΔΟΣ", [6, 13]],
  ["ΟΔΟΣΕΣ", [6]],
  ["c:\\TEMP", [7]],
  ["\\temp\\n", []],
  ["next tab", [7]],
  ["nnext", []],
  ["zero\u200bwidth", [8]],
  ["zerowidth", []],
  ["\u202e", [8]],
  ["u202e", []],
  ["\u200d", [9]],
  ["👩🏽‍💻", [9]],
  ["हिन्दी", [9]],
  ["étude", [10]],
  ["\u0301x", [10]],
  ["| b", [11]],
  ["continues", [12]],
  ["k3df9q2mx7ta41cz", []],
  ["2026", []],
  ["u" + "\u0308\u0304".repeat(9), [14]],
  ["U" + "\u0308\u0304".repeat(9) + "V", [14]],
  ["\u0302\u0301y", [15]],
  ["", TEXTS.map((_, at) => at + 1)],
  ["abhii", TEXTS.map((_, at) => at + 1)],
  ["ABH fox", [1]],
];

testWithPath("search() finds what has all the words", async (path) => {
  await using log = await openLog(path);
  await log.append(TEXTS.map((text, at) => said(at, text)));
  for (const [words, expected] of WORDS) {
    const { entries, more } = await log.search(words, { limit: 200 });
    assertEquals([words, seqsOf(entries), more], [words, expected, false]);
  }
});

/**
 * Searches files in memory for the last line that has the words, before a number; those that have no lines can't be
 * read.
 */
async function searchIn(
  texts: readonly string[],
  words: string,
  head: number,
  before: number,
): Promise<Found> {
  const opened = new Map<LogFile, FileInMemory>();
  for (const text of texts) {
    const memory = new FileInMemory(text);
    const file = await LogFile.read("chat.log", memory.file);
    assert(file);
    opened.set(file, memory);
    if (file.first >= head) memory.fail();
  }
  const list = [...opened.keys()];
  const reader = (file: LogFile) => Promise.resolve(opened.get(file)?.file);
  const files = { list, reader } as unknown as LogFiles;
  return await searchFiles(files, words, head, { limit: 1, before });
}

Deno.test("searchFiles() goes backwards from a line, takes none behind it for one more, and reads no file that has none", async () => {
  const lines = saidUpTo(3).map((entry) => `${formatEntry(entry)}\n`);
  const texts = [lines.join(""), "# continues at event 4\n"];
  const found = await searchIn(texts, "text", 4, 2);
  const entries = numbered(saidUpTo(1));
  assertEquals(found, { entries, changes: [], more: false, from: 1 });
});

testWithPath("search() finds words in every kind of entry", async (path) => {
  await using log = await openLog(path);
  const entries: NewEntry[] = [
    { ...said(1, ""), what: "joined" },
    { ...said(2, "lost"), what: "left" },
    { ...said(3, "waves"), what: "acted" },
    { ...said(4, "well"), what: "replied", to: 42 },
    { ...said(5, "Abhijeet"), what: "renamed" },
  ];
  await log.append(entries);
  const found = async (words: string) =>
    seqsOf((await log.search(words, { limit: 200 })).entries);
  assertEquals(await found("abhii"), [1, 2, 3, 4, 5]);
  assertEquals(await found("WAVES"), [3]);
  assertEquals(await found("well"), [4]);
  assertEquals(await found("42"), []);
  assertEquals(await found("abhijeet"), [5]);
  // Words of the file's own are nobody's.
  for (const words of ["lost", "joined", "chat", "connection", "now"]) {
    assertEquals(await found(words), []);
  }
  const { entries: [reply] } = await log.search("well", { limit: 1 });
  assertEquals(reply, numbered(entries)[3]);
});

testWithPath(
  "search() finds the last ones, and says whether there are more",
  async (path) => {
    await using log = await openLog(path, { maxSize: 5_000, keep: 100 });
    for (let n = 1; n <= 500; n++) {
      await log.append([said(n, n % 2 === 0 ? `even ${n}` : `odd ${n}`)]);
    }
    const evens = Array.from({ length: 250 }, (_, at) => 2 * at + 2);
    for (const limit of [1, 2, 3, 50, 199, 200, 201, 300]) {
      for (const before of [undefined, 501, 500, 499, 402, 401, 400, 3, 2, 1]) {
        const { entries, more, from } = await log.search("even", {
          limit,
          ...(before === undefined ? {} : { before }),
        });
        const all = evens.filter((n) => n < (before ?? Infinity));
        const expected = all.slice(-Math.min(limit, 200));
        assertEquals(seqsOf(entries), expected);
        assertEquals(more, all.length > expected.length);
        const left = all.at(-expected.length - 1) ?? 0; // the last that was left out
        if (more) assert(left < from && from <= (expected[0] ?? 0));
      }
    }
  },
);

testWithPath("search() goes on where it left off", async (path) => {
  await using log = await openLog(path, { maxSize: 5_000, keep: 100 });
  for (let n = 1; n <= 300; n++) await log.append([said(n)]);
  const found: LogEntry[] = [];
  let before = Infinity;
  for (let more = true; more;) {
    const result = await log.search("text", { limit: 7, before, reach: 1 });
    found.unshift(...result.entries);
    assert(result.from < before);
    ({ more, from: before } = result);
  }
  assertEquals(found, numbered(saidUpTo(300)));
});

/** Writes a file of the log that begins with a number. */
async function writeLines(
  path: string,
  lines: readonly NewEntry[],
  first = 1,
): Promise<void> {
  const heading = first === 1 ? "" : `# continues at event ${first}\n`;
  const text = lines.map((entry) => `${formatEntry(entry)}\n`).join("");
  await Deno.writeTextFile(path, heading + text, { mode: 0o600 });
}

/** A log with a word in its first and last lines, and 2 MB between them. */
async function writeLarge(path: string, between: string) {
  const lines = [said(1, "needle first")];
  for (let n = 2; n < 2_000; n++) lines.push(said(n, between));
  lines.push(said(2_000, "needle last"));
  await writeLines(path, lines);
}

testWithPath("search() gives up when it has read enough", async (path) => {
  await writeLarge(path, "x".repeat(1_000));
  await using log = await openLog(path);
  const search = async (reach?: number) => {
    const { entries, more, from } = await log.search("needle", {
      limit: 5,
      ...(reach === undefined ? {} : { reach }),
    });
    return { seqs: seqsOf(entries), more, from };
  };
  const all = { seqs: [1, 2_000], more: false, from: 1 };
  assertEquals(await search(), all);
  const { size } = await Deno.stat(path);
  assertEquals(await search(size), all);
  assertEquals((await search(size - 1)).more, true);
  const { seqs, more, from } = await search(600_000);
  assertEquals([seqs, more], [[2_000], true]);
  assert(from > 1_000 && from < 1_600, `${from}`);
  // Nothing is read before the piece in which it is to end.
  const after = from - 1;
  for (const last of [after, after + 1]) {
    const ended = await log.search("hay", { limit: 5, after: last });
    assertEquals(ended, { entries: [], changes: [], more: false, from });
  }
  const none = await log.search("", { limit: 0, before: 1_500 });
  assertEquals(none, { entries: [], changes: [], more: true, from: 1_500 });
});

testWithPath(
  "search() gives up when too many lines only look right",
  async (path) => {
    const hay = `${formatEntry(said(1, "hay q z"))}\n`;
    await Deno.writeTextFile(path, hay.repeat(20_000), { mode: 0o600 });
    await using log = await openLog(path);
    const options = { limit: 5, reach: 2_000_000 };
    assertEquals((await log.search("needle", options)).more, false);
    // What only stands before the words of a line isn't even read, nor what has a mark less.
    for (const words of ["2026", "c.1", "q\u0301z"]) {
      assertEquals((await log.search(words, options)).more, false);
    }
    // Nothing but what a line escapes: only reading each tells that it isn't there.
    assertEquals((await log.search("\u200d", options)).more, true);
  },
);

testWithPath(
  "search() says where it ended, also where it found nothing",
  async (path) => {
    await using log = await openLog(path);
    const nothing = { entries: [], changes: [], more: false };
    const search = (options: { before?: number; after?: number }) =>
      log.search("needle", { limit: 5, ...options });
    assertEquals(await search({}), { ...nothing, from: 1 });
    await log.append(saidUpTo(9));
    assertEquals(await search({}), { ...nothing, from: 1 });
    assertEquals(await search({ before: 5 }), { ...nothing, from: 1 });
    assertEquals(await search({ before: 1 }), { ...nothing, from: 1 });
    await log.append([said(10, "needle"), said(11, "needle")]);
    const found = async (before: number, after: number) => {
      const { entries, more, from } = await search({ before, after });
      return [seqsOf(entries), more, from];
    };
    assertEquals(await found(99, 9), [[10, 11], false, 1]);
    assertEquals(await found(99, 10), [[11], false, 11]);
    assertEquals(await found(11, 9), [[10], false, 1]);
    assertEquals(await found(10, 9), [[], false, 1]);
  },
);

testWithPath(
  "search() looks for changes among the 16,384 lines from where it begins",
  async (path) => {
    const edited = { ...said(2, "pin"), what: "edited", to: 1 } as const;
    for (const [lines, isSeen] of [[16_383, true], [16_384, false]] as const) {
      const older = [said(1, "needle"), ...saidUpTo(lines), edited];
      await writeLines(`${path}.1`, older);
      await writeLines(path, saidUpTo(9), lines + 3);
      await using log = await openLog(path);
      const found = async (word: string) =>
        seqsOf((await log.search(word, { limit: 1, before: 2 })).entries);
      assertEquals(await found("pin"), isSeen ? [1] : []);
      assertEquals(await found("needle"), isSeen ? [] : [1]);
    }
  },
);

testWithPath(
  "search() finds what each line says now, also where another piece begins behind it",
  async (path) => {
    const count = 150; // of 4,000 bytes and more: two pieces and a half
    const edits = Array.from({ length: count }, (_, at): NewEntry => ({
      ...said(1, "pin"),
      what: "edited",
      to: at + 1,
    }));
    const lines = Array<NewEntry>(count).fill(said(1, "x".repeat(4_000)));
    await writeLines(path, [...lines, ...edits]);
    await using log = await openLog(path);
    const { entries, changes } = await log.search("pin", { limit: 200 });
    const all = Array.from(edits, (_, at) => at + 1);
    assertEquals(seqsOf(entries), all);
    assertEquals(seqsOf(changes), all.map((seq) => seq + count));
  },
);

Deno.test("searchFiles() looks for changes in the next 8 MiB, and so finds those that are near", async () => {
  const stretch = 256; // lines of 1 KiB that are read at once
  const count = 34 * stretch;
  const line = (entry: NewEntry) =>
    formatEntry(entry).padEnd(1_023, "x") + "\n";
  const edited = (to: number) =>
    line({ ...said(3, "x".repeat(900)), what: "edited", to });
  const lines = Array<string>(count).fill(line(said(3)));
  lines[0] = line(said(1, "needle "));
  lines[1] = line(said(2, "thread "));
  lines[33 * stretch - 1] = edited(1); // ends 8 MiB behind the first stretch
  lines[33 * stretch] = line(said(4, "pin "));
  lines[count - 2] = edited(2);
  lines[count - 1] = edited(33 * stretch + 1);
  const texts = [lines.join("")];
  const found = async (words: string, before: number) =>
    seqsOf((await searchIn(texts, words, count + 1, before)).entries);
  assertEquals(await found("needle", stretch + 1), []);
  assertEquals(await found("thread", stretch + 1), [2]);
  assertEquals(await found("pin", 33 * stretch + 2), []);
});

testWithPath("search() ends when it is told to", async (path) => {
  await using log = await openLog(path);
  await log.append(saidUpTo(3));
  const signal = AbortSignal.abort(new Error("nobody waits"));
  await assertRejects(
    () => log.search("text", { limit: 1, signal }),
    Error,
    "nobody waits",
  );
});

testWithPath("search() ends between two pieces", async (path) => {
  await writeLarge(path, "x".repeat(1_000));
  await using log = await openLog(path);
  const controller = new AbortController();
  let reads = 0;
  const abort = (read: Deno.FsFile["read"]) =>
    function (this: Deno.FsFile, bytes: Uint8Array) {
      if (++reads === 3) controller.abort(new Error("stopped meanwhile"));
      return read.call(this, bytes);
    };
  await withMethod(Deno.FsFile.prototype, "read", abort, async () => {
    await assertRejects(
      () => log.search("nothing", { limit: 1, signal: controller.signal }),
      Error,
      "stopped meanwhile",
    );
  });
  assertEquals(reads, 3);
});

testWithPath(
  "search() sees an append that went before, and none that comes after",
  async (path) => {
    await using log = await openLog(path);
    await log.append([said(1, "needle")]);
    const search = log.search("needle", { limit: 5 });
    const edited = { ...said(3, "pin"), what: "edited", to: 1 } as const;
    const append = log.append([said(2, "needle"), edited]);
    assertEquals(seqsOf((await search).entries), [1]);
    await append;
    const { entries } = await log.search("needle", { limit: 5 });
    assertEquals(seqsOf(entries), [2]);
  },
);

testWithPath(
  "search() finds a line that two files have as the newer one has it, and none of a file that is gone",
  async (path) => {
    const lines = ["needle one", "needle two", "needle more"];
    await writeLines(`${path}.1`, lines.map((text, at) => said(at, text)));
    await writeLines(path, [said(3, "needle three")], 3);
    await using log = await openLog(path);
    const found = async () =>
      (await log.search("needle", { limit: 5 })).entries.map(({ seq, text }) =>
        `${seq} ${text}`
      );
    const newer = "3 needle three";
    assertEquals(await found(), ["1 needle one", "2 needle two", newer]);
    await Deno.remove(`${path}.1`);
    assertEquals(await found(), [newer]);
  },
  windows,
);

testWithPath(
  "search() reads past what is no text and what is no line of ours",
  async (path) => {
    const ours = new TextEncoder().encode(
      `${formatEntry(said(1, "needle"))}\n`,
    );
    const bytes = [
      ours,
      Uint8Array.of(0xff, 0xc3, 0x28, 10),
      new Uint8Array(700_000).fill(0x61), // longer than any stretch
      Uint8Array.of(10, 10),
      ours,
      ours.with(-2, 0xff), // "needl" and what is no text
      ours,
    ];
    for (const part of bytes) {
      await Deno.writeFile(path, part, {
        append: true,
      });
    }
    await using log = await openLog(path);
    const { entries, more } = await log.search("needle", { limit: 5 });
    assertEquals([seqsOf(entries), more], [[1, 5, 7], false]);
    const broken = await log.search("needl\ufffd", { limit: 5 });
    assertEquals(seqsOf(broken.entries), [6]);
  },
);

testWithPath(
  "search() finds in older files that nobody counted",
  async (path) => {
    {
      await using log = await openLog(path, { maxSize: 5_000, keep: 100 });
      for (let n = 1; n <= 300; n++) await log.append([said(n)]);
    }
    await using log = await openLog(path, { keep: 100, window: 1 });
    const { entries } = await log.search("TEXT 17", { limit: 200 });
    const tens = Array.from({ length: 10 }, (_, at) => 170 + at);
    assertEquals(seqsOf(entries), [17, 117, ...tens, 217]);
  },
);

testWithPath(
  "search() without words gives the last before a number",
  async (path) => {
    await using log = await openLog(path, { maxSize: 20_000, keep: 100 });
    const all = numbered(saidUpTo(1_500));
    for (let at = 0; at < 1_500; at += 50) {
      await log.append(saidUpTo(1_500).slice(at, at + 50));
    }
    for (const count of [0, 1, 2, 199, 200]) {
      assertEquals(
        await lastOf(log, count),
        all.slice(Math.max(0, 1_500 - count)),
      );
      for (const before of [1, 2, 3, 300, 700, 1_500, 1_501, 9_999]) {
        const earlier = all.slice(0, before - 1);
        const expected = earlier.slice(Math.max(0, earlier.length - count));
        assertEquals(await lastOf(log, count, before), expected);
      }
    }
  },
);

testWithPath(
  "search() without words looks behind lines that are not ours",
  async (path) => {
    const ours = saidUpTo(3).map((entry) => `${formatEntry(entry)}\n`).join("");
    await Deno.writeTextFile(path, ours + "# a remark\n".repeat(2_000));
    await using log = await openLog(path);
    assertEquals(await lastOf(log, 2), numbered(saidUpTo(3)).slice(1));
  },
);
