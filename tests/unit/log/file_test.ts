/**
 * One file of the log: its heading, what is counted of it, and whether it is still the same.
 *
 * @module
 */

import { type Bytes, toBase64url } from "../../../crypto_utils.ts";
import { CHAIN_START } from "../../../src/protocol/chain.ts";
import {
  fill,
  LogFile,
  openOrMake,
  openToAppend,
} from "../../../src/log/file.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
} from "../../kit/assert.ts";
import { FileInMemory } from "../../kit/file_in_memory.ts";
import { modeOf } from "../../kit/folder.ts";
import { testWithPath, windows, withMethod } from "../../kit/log_kit.ts";
import { replaced } from "../../kit/replaced.ts";

const VALUE: Bytes = new Uint8Array(32).fill(7);
const WORD = toBase64url(VALUE);
const START = "# continues at event ";

const read = (file: FileInMemory) => LogFile.read("chat.log", file.file);

async function logFile(file: FileInMemory): Promise<LogFile> {
  const found = await read(file);
  assert(found);
  return found;
}

Deno.test("fill() reads on until there is no more, or no place", async () => {
  for (const piece of [1, 3, 10, 99]) {
    for (const size of [1, 9, 10, 11, 40]) {
      const bytes = new Uint8Array(size);
      const count = await fill(
        new FileInMemory("0123456789", piece).file,
        bytes,
      );
      assertEquals(count, Math.min(10, size));
      const text = new TextDecoder().decode(bytes.subarray(0, count));
      assertEquals(text, "0123456789".slice(0, count));
    }
  }
});

// What a file has, its first number, the value before that, and its last number.
const FILES: readonly (readonly [string, number, Bytes | undefined, number])[] =
  [
    ["a line\n", 1, CHAIN_START, 1],
    [`${START}5\na line\n`, 5, undefined, 5],
    [`${START}6\na line\n`, 6, undefined, 6],
    [`${START}5 after ${WORD}\na line\n`, 5, VALUE, 5],
    [`${START}9007199254740991\n`, 2 ** 53 - 1, undefined, 2 ** 53 - 2],
    [`${START}9007199254740992\n`, 1, CHAIN_START, 1],
    [`${START}5 after ${WORD}\r\n`, 1, CHAIN_START, 1],
    [`x${START}5\n`, 1, CHAIN_START, 1],
  ];

Deno.test("LogFile.read() tells the number and the value with which a file begins", async () => {
  for (const [text, first, value] of FILES) {
    const file = await logFile(new FileInMemory(text));
    assertEquals([file.first, file.valueBefore], [first, value], text);
  }
  for (const text of ["", "#", START, `${START}5`, `${START}5 after ${WORD}`]) {
    assertEquals(await read(new FileInMemory(text)), null, text);
  }
});

Deno.test("LogFile counts the lines behind its heading, once", async () => {
  for (const [text, , , last] of FILES) {
    const memory = new FileInMemory(text, 200);
    const file = await logFile(memory);
    await file.count(memory.file);
    const { reads } = memory;
    await file.count(memory.file);
    assertEquals(memory.reads, reads);
    assertEquals(file.index.last, last, text);
    assertEquals(file.index.end, text.length);
  }
});

Deno.test("LogFile counts again what it couldn't count", async () => {
  const memory = new FileInMemory("one\ntwo\n");
  const file = await logFile(memory);
  const fail = () => () => Promise.reject(new Error("Input/output error"));
  await withMethod(memory, "read", fail, async () => {
    await assertRejects(() => file.count(memory.file), Error, "Input/output");
  });
  await file.count(memory.file);
  assertEquals(file.index.last, 2);
});

Deno.test("LogFile tells a place for a line before its first without counting, and for others after it", async () => {
  const text = `${START}5\n${`${"x".repeat(999)}\n`.repeat(600)}`;
  const memory = new FileInMemory(text);
  const file = await logFile(memory);
  const { reads } = memory;
  const start = { before: 4, offset: START.length + 2 };
  for (const line of [0, 4]) {
    const { before, offset } = await file.before(line, memory.file);
    assertEquals({ before, offset }, start);
  }
  assertEquals([memory.reads, file.index.last], [reads, 4]);
  assertEquals((await file.before(5, memory.file)).before, 4);
  assertEquals(file.index.last, 604);
  assertEquals((await file.before(604, memory.file)).before, 4 + 2 * 263);
});

Deno.test("LogFile takes no more for an unfinished line than one can have", async () => {
  const memory = new FileInMemory("one\ntwo");
  const file = await logFile(memory);
  await file.count(memory.file);
  assertEquals([file.broken(4), file.broken(7)], [0, 3]);
  assertEquals(file.broken(4 + 65_536), 65_536);
  assertThrows(() => file.broken(4 + 65_537), RangeError, "its last line is");
});

Deno.test("LogFile tells whether it begins as before, by the number and by the length of its heading", async () => {
  const texts = FILES.map(([text]) => text);
  const same = new Set([0, 5, 6, 7]); // those that begin with event 1
  for (const [at, text] of texts.entries()) {
    const file = await logFile(new FileInMemory(text));
    for (const [now, other] of texts.entries()) {
      const isSame = at === now || same.has(at) && same.has(now);
      const memory = new FileInMemory(other);
      assertEquals(await file.beginsAsBefore(memory.file), isSame, other);
    }
    const empty = new FileInMemory("");
    assertEquals(await file.beginsAsBefore(empty.file), same.has(at));
  }
});

Deno.test("LogFile is the file that the system describes, which some systems can't tell", async () => {
  const infos = [[1, 1], [2, 1], [1, 2], [null, 1]] as const;
  const answers: (boolean | undefined)[][] = [];
  for (const info of infos) {
    const [ino, dev] = info;
    const memory = new FileInMemory("", Infinity, { ino, dev });
    const file = await LogFile.begin("chat.log", memory.file, 0);
    answers.push(
      infos.map(([ino, dev]) => file.is({ ino, dev } as Deno.FileInfo)),
    );
  }
  assertEquals(answers, [
    [true, false, false, undefined],
    [false, true, false, undefined],
    [false, false, true, undefined],
    [undefined, undefined, undefined, undefined],
  ]);
});

testWithPath(
  "LogFile.begin() empties a file with half a heading, and touches none that is empty",
  async (path) => {
    let cuts = 0;
    const count = (cut: Deno.FsFile["truncateSync"]) =>
      function (this: Deno.FsFile, size?: number) {
        cuts++;
        return cut.call(this, size);
      };
    await withMethod(Deno.FsFile.prototype, "truncateSync", count, async () => {
      for (
        const [before, value, heading] of [
          [0, undefined, ""],
          [0, CHAIN_START, ""],
          [4, undefined, `${START}5\n`],
          [4, VALUE, `${START}5 after ${WORD}\n`],
        ] as const
      ) {
        for (const text of ["", START]) {
          await Deno.writeTextFile(path, text);
          using file = await openToAppend(path);
          cuts = 0;
          const begun = await LogFile.begin(path, file, before, value);
          assertEquals(cuts, text === "" ? 0 : 1);
          assertEquals(await Deno.readTextFile(path), heading);
          assertEquals([begun.first, begun.index.end], [
            before + 1,
            heading.length,
          ]);
          assertEquals(await begun.beginsAsBefore(file), true);
          await begun.count(file); // what is appended is counted then
          assertEquals(begun.index.end, heading.length);
        }
      }
    });
  },
);

testWithPath(
  "openOrMake() makes a private file, tells whether it did, and makes one that goes meanwhile",
  async (path) => {
    const isMade = async () => {
      const { file, isNew } = await openOrMake(path);
      file.close();
      if (!windows) assertEquals(await modeOf(path), 0o600);
      return isNew;
    };
    assertEquals([await isMade(), await isMade()], [true, false]);
    let isFirst = true;
    const removing =
      (open: typeof Deno.open): typeof Deno.open => async (name, options) => {
        const wasFirst = isFirst;
        isFirst = false;
        try {
          return await open(name, options);
        } finally {
          if (wasFirst) await Deno.remove(path);
        }
      };
    await withMethod(Deno, "open", removing, async () => {
      assertEquals(await isMade(), false);
    });
  },
);

testWithPath(
  "openOrMake() and openToAppend() say why a path can't be opened",
  async (path) => {
    await Deno.mkdir(path);
    await assertRejects(() => openOrMake(path), Error, "it is a folder");
    await assertRejects(() => openToAppend(path), Error, "it is a folder");
    const missing = `${path}/none/x`;
    await assertRejects(() => openOrMake(missing), Deno.errors.NotFound);
    await assertRejects(() => openToAppend(missing), Deno.errors.NotFound);
    let isFirst = true;
    const failOnce =
      (open: typeof Deno.open): typeof Deno.open => (...args) => {
        if (!isFirst) return open(...args);
        isFirst = false;
        return Promise.reject(new Error("Too many open files"));
      };
    await withMethod(Deno, "open", failOnce, async () => {
      await assertRejects(() => openOrMake(`${path}/x`), Error, "Too many");
    });
  },
);

Deno.test("count() counts each line once, though a read has failed before", async () => {
  const text = "a line\n".repeat(9);
  const file = new FileInMemory(text, 10);
  const found = await logFile(file);
  const { file: it } = file;
  const read = it.read.bind(it);
  let reads = 0;
  using _ = replaced(it, "read", (into: Uint8Array) => {
    if (++reads === 4) return Promise.reject(new Error("Input/output error"));
    return read(into);
  });
  await assertRejects(() => found.count(it), Error, "Input/output error");
  await found.count(it);
  assertEquals([found.index.last, found.index.end], [9, text.length]);
  assertEquals(found.broken(text.length), 0);
});
