/**
 * A file of what happened, here to people: what is added is read back; what a crash leaves of it at any byte is mended,
 * and any damage named.
 *
 * @module
 */

import type { Bytes } from "../../../crypto_utils.ts";
import { FileError } from "../../../src/base/private_file.ts";
import {
  type Happening,
  HAPPENING_KINDS,
} from "../../../src/server/people/happening.ts";
import { LineFile } from "../../../src/base/line_file.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
} from "../../kit/assert.ts";
import { utf8 } from "../../kit/bytes.ts";
import { fileTest, Folder, modeOf, namesIn } from "../../kit/folder.ts";
import { ana, at, HAPPENINGS, textOf, there } from "../../kit/happenings.ts";
import { windows, withMethod } from "../../kit/log_kit.ts";
import { diskError } from "../../kit/full_disk.ts";

const LINES: readonly Bytes[] = HAPPENINGS.map((it) => utf8(textOf(it)));
const WHOLE = utf8(HAPPENINGS.map(textOf).join(""));

const LATER: Happening = { kind: "there", person: ana, at: at + 3 };

const test = fileTest("chat.people");

function put(path: string, bytes: Uint8Array) {
  Deno.writeFileSync(path, bytes, { mode: 0o600 });
}

/** All bytes of a file. */
function bytesOf(path: string): Bytes {
  return Deno.readFileSync(path);
}

/** All that a file says to somebody who opens it, and what was repaired for that. */
function contents(path: string): [Happening[], string | undefined] {
  using file = LineFile.open<Happening>(path);
  return [file.added(true), file.notice];
}

type Replacement<K extends keyof Deno.FsFile> = (
  original: Deno.FsFile[K],
) => Deno.FsFile[K];

/** Runs a body while every open file has another method. */
function withFileMethod<K extends keyof Deno.FsFile>(
  name: K,
  replacement: Replacement<K>,
  body: () => void,
): Promise<void> {
  const { prototype } = Deno.FsFile;
  const promised = () => Promise.resolve(body());
  return withMethod(prototype, name, replacement, promised);
}

/** A write that stops after half of the bytes. */
const halfWrite: Replacement<"writeSync"> = (original) =>
  function (this: Deno.FsFile, bytes: Uint8Array): number {
    original.call(this, bytes.subarray(0, bytes.length / 2));
    throw diskError("ENOSPC");
  };

// ── Reading and adding ─────────────────────────────────────────────────────────────────────────────────

test("what is added is read back, by the same and by the next", (path) => {
  {
    using file = LineFile.open<Happening>(path);
    assertEquals(file.added(true), []);
    for (const happening of HAPPENINGS.slice(0, 4)) file.add([happening]);
    file.add([]);
    file.add(HAPPENINGS.slice(4));
    assertEquals(file.added(), []); // they are its own
    assertEquals(file.all(), [...HAPPENINGS]);
    assertEquals(file.added(), []);
    assertEquals(file.notice, undefined);
  }
  assertEquals(bytesOf(path), WHOLE);
  assertEquals(contents(path), [[...HAPPENINGS], undefined]);
});

test("what is added is read back from a file that is kept by fsync", (path) => {
  {
    using file = LineFile.open<Happening>(path, true);
    file.add(HAPPENINGS);
  }
  assertEquals(contents(path), [[...HAPPENINGS], undefined]);
});

test(
  "open() makes a file for its owner alone, and so does rewrite()",
  async (path) => {
    using file = LineFile.open<Happening>(path);
    assertEquals(await modeOf(path), 0o600);
    file.add(HAPPENINGS);
    file.rewrite(HAPPENINGS);
    assertEquals(await modeOf(path), 0o600);
  },
  windows,
);

test(
  "open() and check() refuse a file that others can use, and one that is none",
  async (path) => {
    put(path, WHOLE);
    for (const mode of [0o644, 0o640, 0o620, 0o604, 0o602]) {
      await Deno.chmod(path, mode);
      const words = `Cannot use "${path}": others can read it (mode ${
        mode.toString(8)
      }); run: chmod 600 ${path}`;
      assertThrows(() => LineFile.open<Happening>(path), FileError, words);
      await assertRejects(() => LineFile.check(path), FileError, words);
    }
    const folder = path.replace(/\/[^/]*$/, "");
    assertThrows(
      () => LineFile.open<Happening>(folder),
      FileError,
      `Cannot open "${folder}": it is a folder`,
    );
    await assertRejects(
      () => LineFile.check(folder),
      FileError,
      `Cannot read "${folder}": it is a folder`,
    );
    const nowhere = `${folder}/none/chat.people`;
    assertThrows(
      () => LineFile.open<Happening>(nowhere),
      FileError,
      `Cannot open "${nowhere}": there is no such file or folder`,
    );
  },
  windows,
);

test("check() says whether a file is there, and changes nothing", async (path) => {
  assertEquals(await LineFile.check(path), false);
  await assertRejects(() => Deno.stat(path), Deno.errors.NotFound);
  for (
    const bytes of [utf8(""), WHOLE, WHOLE.slice(0, -1), WHOLE.slice(0, -9)]
  ) {
    put(path, bytes);
    assertEquals(await LineFile.check(path), true);
    assertEquals(bytesOf(path), bytes);
  }
});

// ── What a crash leaves ────────────────────────────────────────────────────────────────────────────────

test("added() gives exactly the whole lines of a file that broke off at any byte, which goes on from there", async (path) => {
  for (let cut = 0; cut <= WHOLE.length; cut++) {
    let [end, whole] = [0, 0];
    for (const { length } of LINES) {
      if (end + length - 1 > cut) break; // a line that lacks its line break alone is whole
      end += length;
      whole++;
    }
    const isBroken = cut > end;
    const expected = HAPPENINGS.slice(0, whole);
    put(path, WHOLE.subarray(0, cut));
    assertEquals(await LineFile.check(path), true);
    {
      using file = LineFile.open<Happening>(path);
      assertEquals(file.added(true), expected, `cut at byte ${cut}`);
      const notice = `Dropped the last line of "${path}": it broke off`;
      assertEquals(file.notice, isBroken ? notice : undefined, `${cut}`);
      assertEquals(bytesOf(path), WHOLE.slice(0, end));
      file.add([LATER]);
      assertEquals(file.added(), []);
    }
    assertEquals(contents(path), [[...expected, LATER], undefined]);
  }
});

test("added() drops zeros that a power cut left in place of a line", (path) => {
  put(path, new Uint8Array([...WHOLE, ...new Uint8Array(100)]));
  const notice = `Dropped the last line of "${path}": it broke off`;
  assertEquals(contents(path), [[...HAPPENINGS], notice]);
  assertEquals(contents(path), [[...HAPPENINGS], undefined]);
});

// ── Damage ─────────────────────────────────────────────────────────────────────────────────────────────

/** The number of the line in which a byte is, its line break included. */
function lineOf(place: number): number {
  let end = 0;
  return 1 + LINES.findIndex(({ length }) => place < (end += length));
}

/** The lowest and the highest bit; 0x80 makes line breaks of bytes of letters. */
const MASKS = [0x01, 0x80];

test("added() and check() name the line in which any byte is damaged, and change nothing", async (path) => {
  for (let place = 0; place < WHOLE.length; place++) {
    const words = `Cannot use "${path}": line ${lineOf(place)} is damaged`;
    for (const mask of MASKS) {
      const damaged = WHOLE.slice();
      damaged[place] = (damaged[place] ?? 0) ^ mask;
      put(path, damaged);
      const why = `byte ${place} ^ ${mask}`;
      const error = assertThrows(() => contents(path), FileError, "", why);
      assertEquals(error.message, words, why);
      const check = () => LineFile.check(path);
      const same = await assertRejects(check, FileError, "", why);
      assertEquals(same.message, words, why);
      assertEquals(bytesOf(path), damaged);
    }
  }
});

test("added() takes no damaged line for another, also where its line break is missing", (path) => {
  const first = HAPPENINGS.slice(0, -1);
  const start = WHOLE.length - (LINES.at(-1)?.length ?? 0);
  const last = `Cannot use "${path}": line ${HAPPENINGS.length} is damaged`;
  for (let place = start; place < WHOLE.length - 1; place++) {
    for (const mask of MASKS) {
      const damaged = WHOLE.slice(0, -1);
      damaged[place] = (damaged[place] ?? 0) ^ mask;
      put(path, damaged);
      try {
        const [happenings, notice] = contents(path);
        assertEquals(happenings, first);
        assert(notice !== undefined);
      } catch (error) {
        if (!(error instanceof FileError)) throw error;
        // A line break where there was none ends the line.
        assertEquals(error.message, last);
      }
    }
  }
});

test("added() names a line that is missing a part, is there twice in one, or was put there by hand", async (path) => {
  const [one = "", two = "", three = ""] = HAPPENINGS.map(textOf);
  const cases: [string, number][] = [
    [`${one}\n${two}`, 2],
    [`${one}${two.trimEnd()}${three}`, 2],
    [`${one}${two.slice(0, 40)}\n${three}`, 2],
    [`${one}${two}{"kind":"operator","person":"${ana}","is":true}\n`, 3],
    [`${one}# a remark\n${two}`, 2],
    [`${one}${two}`.replaceAll("\n", "\r\n"), 1],
    [`${one}${two.replace("}\n", "} ")}`, 2],
  ];
  for (const [text, line] of cases) {
    put(path, utf8(text));
    const words = `Cannot use "${path}": line ${line} is damaged`;
    assertThrows(() => contents(path), FileError, words, text);
    await assertRejects(() => LineFile.check(path), FileError, words, text);
  }
});

test("added() names the same line each time, and reads on where the file was mended by hand", (path) => {
  using file = LineFile.open<Happening>(path);
  file.add(HAPPENINGS.slice(0, 2));
  const [third, fourth] = HAPPENINGS.slice(2, 4).map(textOf);
  const before = bytesOf(path);
  put(path, new Uint8Array([...before, ...utf8(`${third}damaged\n`)]));
  const words = `Cannot use "${path}": line 4 is damaged`;
  for (let n = 0; n < 3; n++) {
    assertThrows(() => file.added(), FileError, words);
  }
  put(path, new Uint8Array([...before, ...utf8(`${third}${fourth}`)]));
  assertEquals(file.added(), HAPPENINGS.slice(2, 4));
});

// ── Two at once ────────────────────────────────────────────────────────────────────────────────────────

test("two that add in turns read each other's lines, and nobody loses any", (path) => {
  using server = LineFile.open<Happening>(path);
  using command = LineFile.open<Happening>(path);
  let n = 0;
  const next = () => there(n++);
  const seen: Happening[][] = [[], []];
  for (const [turn, count] of [1, 2, 1, 3, 0, 1, 1].entries()) {
    const [writer, reader] = turn % 2 ? [command, server] : [server, command];
    for (let left = count; left > 0; left--) writer.add([next()]);
    seen[turn % 2 ? 0 : 1]?.push(...reader.added());
  }
  assertEquals(seen[1], [0, 3, 8].map(there));
  assertEquals(seen[0], [1, 2, 4, 5, 6, 7].map(there));
  const all = Array.from({ length: n }, (_, at) => there(at));
  for (const file of [server, command]) {
    file.added();
    assertEquals(file.added(), []);
    assertEquals(file.all(), all);
  }
  assertEquals(contents(path), [all, undefined]);
});

test("what one adds after somebody else is read together with that", (path) => {
  using server = LineFile.open<Happening>(path);
  using command = LineFile.open<Happening>(path);
  server.add([there(1)]);
  command.added();
  command.add([there(2)]);
  server.add([there(3)]);
  assertEquals(server.added(), [there(2), there(3)]);
  assertEquals(command.added(), [there(3)]);
});

test("two that add at the very same time read all of it", (path) => {
  using server = LineFile.open<Happening>(path);
  using command = LineFile.open<Happening>(path);
  server.add([there(1)]);
  let isFirst = true;
  const second: Replacement<"writeSync"> = (original) =>
    function (this: Deno.FsFile, bytes: Uint8Array): number {
      if (isFirst) {
        isFirst = false;
        command.add([there(2)]);
      }
      return original.call(this, bytes);
    };
  return withFileMethod("writeSync", second, () => {
    server.add([there(33_333_333)]);
    assertEquals(server.added(), [there(2), there(33_333_333)]);
    assertEquals(command.added(), [there(1), there(2), there(33_333_333)]);
  });
});

test("added() waits for the end of a line that somebody is writing", (path) => {
  const line = utf8(textOf(there(2)));
  for (let cut = 0; cut <= line.length; cut++) {
    put(path, utf8(textOf(there(1))));
    using file = LineFile.open<Happening>(path);
    using other = Deno.openSync(path, { append: true });
    assertEquals(file.added(), [there(1)]);
    if (cut > 0) other.writeSync(line.subarray(0, cut));
    const early = file.added();
    if (cut < line.length) other.writeSync(line.subarray(cut));
    const late = file.added();
    assertEquals([...early, ...late], [there(2)], `${cut}`);
    assertEquals(early.length, cut === line.length ? 1 : 0);
    assertEquals(file.notice, undefined);
  }
});

// ── Writing it anew ────────────────────────────────────────────────────────────────────────────────────

test("rewrite() puts a file with other lines in place, and others notice", async (path) => {
  using server = LineFile.open<Happening>(path);
  server.add(HAPPENINGS);
  using command = LineFile.open<Happening>(path);
  command.added();
  assertEquals([server.isInPlace, command.isInPlace], [true, true]);
  const kept = HAPPENINGS.slice(1, 4);
  server.rewrite(kept);
  assertEquals([server.isInPlace, command.isInPlace], [true, false]);
  assertEquals(server.added(), []);
  server.add([LATER]);
  assertEquals(server.added(), []);
  assertEquals(server.all(), [...kept, LATER]);
  assertEquals(contents(path), [[...kept, LATER], undefined]);
  assertEquals(await namesIn(`${path}/..`), ["chat.people"]);
});

test(
  "isInPlace is false where the file was deleted or moved away",
  async (path) => {
    using file = LineFile.open<Happening>(path);
    await Deno.rename(path, `${path}.old`);
    assertEquals(file.isInPlace, false);
    put(path, WHOLE);
    assertEquals(file.isInPlace, false);
    await Deno.rename(`${path}.old`, path);
    assertEquals(file.isInPlace, true);
    await Deno.remove(path);
    assertEquals(file.isInPlace, false);
  },
  windows,
);

test("rewrite() that fails leaves the old file, in use, and nothing beside it", async (path) => {
  using file = LineFile.open<Happening>(path);
  file.add(HAPPENINGS);
  const fails = () => {
    const error = assertThrows(() => file.rewrite([LATER]), FileError);
    assertEquals(error.message, `Cannot write "${path}": the disk is full`);
  };
  const full = () => {
    throw diskError("ENOSPC");
  };
  const promised = () => Promise.resolve(fails());
  await withMethod(Deno, "renameSync", () => full, promised);
  await withFileMethod("writeSync", halfWrite, fails);
  await withFileMethod("syncSync", () => full, fails);
  assertEquals(file.isInPlace, true);
  file.add([LATER]);
  assertEquals(file.added(), []);
  assertEquals(contents(path), [[...HAPPENINGS, LATER], undefined]);
  assertEquals(await namesIn(`${path}/..`), ["chat.people"]);
});

test("isStale() asks for a new file once it is large, and twice as large as what counts", (path) => {
  using file = LineFile.open<Happening>(path);
  const many = Array.from({ length: 500 }, (_, n) => there(at + n));
  file.add(many);
  assert(Deno.statSync(path).size < 65_536);
  assertEquals(file.isStale(1), false); // too small to be worth it
  file.add(many);
  assert(Deno.statSync(path).size > 65_536);
  assertEquals([file.isStale(499), file.isStale(500)], [true, false]);
  using other = LineFile.open<Happening>(path);
  other.added(true);
  assertEquals([other.isStale(499), other.isStale(500)], [true, false]);
  file.rewrite(many);
  assertEquals(file.isStale(1), false);
});

test("lock() and unlock() hold others off, and outlive a rewrite", (path) => {
  using server = LineFile.open<Happening>(path);
  /** Whether somebody else could lock what stands there. */
  const isFree = () => {
    using other = Deno.openSync(path, { write: true });
    return other.tryLockSync(false); // not even with others
  };
  server.lock();
  assertEquals(isFree(), false);
  server.rewrite(HAPPENINGS);
  server.unlock();
  using command = LineFile.open<Happening>(path);
  command.lock(); // or the test would stand still
  assertEquals(isFree(), false);
  command.unlock();
  assertEquals(isFree(), true);
  server.lock();
  server.unlock();
});

// ── Writes that fail ───────────────────────────────────────────────────────────────────────────────────

test("add() that fails leaves no half line, and can be tried again", async (path) => {
  using file = LineFile.open<Happening>(path);
  file.add(HAPPENINGS.slice(0, 3));
  const before = bytesOf(path);
  const some = HAPPENINGS.slice(3, 6);
  await withFileMethod("writeSync", halfWrite, () => {
    for (let n = 0; n < 2; n++) {
      const error = assertThrows(() => file.add(some), FileError);
      assertEquals(error.message, `Cannot write "${path}": the disk is full`);
      assertEquals(bytesOf(path), before);
    }
  });
  file.add(some);
  assertEquals(file.added(), []);
  assertEquals(contents(path), [HAPPENINGS.slice(0, 6), undefined]);
});

test("add() whose lines may not be on the disk takes them back", async (path) => {
  using file = LineFile.open<Happening>(path, true);
  file.add([there(1)]);
  const fails = () => {
    throw new Error("no answer from the disk");
  };
  await withFileMethod("syncDataSync", () => fails, () => {
    const words = `Cannot write "${path}": no answer from the disk`;
    assertThrows(() => file.add([there(2)]), FileError, words);
  });
  file.add([there(3)]);
  assertEquals(contents(path), [[there(1), there(3)], undefined]);
});

test("add() never goes on from a half line that could not be taken back", async (path) => {
  using file = LineFile.open<Happening>(path);
  file.add([there(1)]);
  const refuses = () => {
    throw new Error("it is read-only now");
  };
  const fails = (words: string) =>
    assertThrows(() => file.add([there(2)]), FileError, words);
  await withMethod(
    Deno.FsFile.prototype,
    "truncateSync",
    () => refuses,
    async () => {
      const full = () => void fails("the disk is full");
      await withFileMethod("writeSync", halfWrite, full);
      const torn = bytesOf(path);
      assert(torn.length > textOf(there(1)).length);
      fails("it is read-only now"); // though it could be written again
      assertEquals(bytesOf(path), torn);
    },
  );
  const copy = `${path}.copy`;
  put(copy, bytesOf(path));
  const notice = `Dropped the last line of "${copy}": it broke off`;
  assertEquals(contents(copy), [[there(1)], notice]); // after a crash here
  file.add([there(2)]);
  file.add([there(3)]);
  assertEquals(file.added(), []);
  assertEquals(contents(path), [[1, 2, 3].map(there), undefined]);
});

test("a closed file can be neither read nor written", (path) => {
  const file = LineFile.open<Happening>(path);
  file[Symbol.dispose]();
  assertThrows(() => file.add([LATER]), FileError, `Cannot write "${path}": `);
  assertThrows(() => file.added(), FileError, `Cannot read "${path}": `);
  assertEquals(contents(path), [[], undefined]);
});

Deno.test({
  name: "rewrite() replaces what a link leads to, and leaves the link",
  ignore: windows,
  fn: async () => {
    await using folder = await Folder.make();
    const path = folder.file("chat.people");
    await Deno.mkdir(folder.file("volume"));
    await Deno.symlink("volume/people", path);
    const made: string[] = [];
    {
      using file = LineFile.open<Happening>(path, false, (it) => made.push(it));
      file.add([there(1), there(2)]);
      file.rewrite([there(3)]);
      file.add([there(4)]);
    }
    const target = folder.file("volume/people");
    assertEquals(made, [target]);
    assert((await Deno.lstat(path)).isSymlink);
    const text = [there(3), there(4)].map(textOf).join("");
    assertEquals(await Deno.readTextFile(target), text);
    assertEquals(await folder.names(), ["chat.people", "volume"]);
  },
});

test("a line of a kind that isn't known is refused, also one that comes while the file is open, and everything stays", async (path) => {
  const unknown = { kind: "novelty".repeat(9), person: ana };
  const sentence = `Cannot use "${path}": its line 2 says "${
    unknown.kind.slice(0, 32)
  }", which only a newer version knows: start that one`;
  const open = () =>
    LineFile.open<Happening>(path, false, () => {}, HAPPENING_KINDS);
  using old = open();
  old.add([there(1)]);
  using newer = LineFile.open<object>(path);
  newer.add([unknown, there(2)]);
  const before = bytesOf(path);
  for (let round = 0; round < 2; round++) {
    assertThrows(() => old.added(), FileError, sentence);
  }
  using again = open();
  assertThrows(() => again.added(true), FileError, sentence);
  await assertRejects(
    () => LineFile.check(path, HAPPENING_KINDS),
    FileError,
    sentence,
  );
  assertEquals(await LineFile.check(path), true); // where kinds don't count
  assertEquals(bytesOf(path), before);
});

test("a line without a kind, or whose kind is what every object has, is refused where lines have one", (path) => {
  for (const kind of [undefined, "toString"]) {
    Deno.writeFileSync(path, new Uint8Array(0), { mode: 0o600 });
    {
      using newer = LineFile.open<object>(path);
      newer.add([{ kind, novelty: 1 }]);
    }
    using old = LineFile.open<Happening>(
      path,
      false,
      () => {},
      HAPPENING_KINDS,
    );
    const told = `its line 1 says "${kind}"`;
    assertThrows(() => old.added(), FileError, told);
  }
});

test("rewrite() needs no more than one other file open, and what it has put there is used on", async (path) => {
  using file = LineFile.open<Happening>(path);
  file.add(HAPPENINGS);
  let opened = 0;
  const once =
    (open: typeof Deno.openSync): typeof Deno.openSync => (...it) => {
      if (++opened > 1) throw diskError("ENOSPC");
      return open(...it);
    };
  await withMethod(Deno, "openSync", once, () => {
    file.rewrite([there(3)]);
    file.add([LATER]);
    return Promise.resolve();
  });
  assertEquals(contents(path), [[there(3), LATER], undefined]);
  assertEquals(file.added(), []);
});
