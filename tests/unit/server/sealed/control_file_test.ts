/**
 * `chat.control` by itself: its marks, what is left of it, and what is done where it can't be written.
 *
 * @module
 */

import { LineFile } from "../../../../src/base/line_file.ts";
import { FileError } from "../../../../src/base/private_file.ts";
import {
  ControlFile,
  type Happened,
  type Kept,
  readControlFile,
  type RuledEntry,
} from "../../../../src/server/sealed/control_file.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
} from "../../../kit/assert.ts";
import { fileTest } from "../../../kit/folder.ts";
import { refusedRenames, withFullDisk } from "../../../kit/full_disk.ts";
import { withMethod } from "../../../kit/log_kit.ts";
import { overhear } from "../../../kit/overhear.ts";
import { madeUpStay } from "../../../kit/people.ts";

/** A control line of that number. */
function ruled(seq: number): Happened {
  const by = { person: "k3df9q2mx7ta41cz", stay: madeUpStay("ana"), n: 0 };
  const place = { seq, at: 1, to: null, name: "ana", text: `line ${seq}` };
  const entry: RuledEntry = { ...by, ...place, what: "ruled" };
  return { kind: "ruled", entry };
}

/** A key for somebody. */
function wrap(to: string): Happened {
  return { kind: "wrap", wrap: { by: "ana", to, e: 0, data: "data" } };
}

/** What a file says, as another process reads it. */
function said(path: string): Kept[] {
  using file = LineFile.open<Kept>(path);
  return file.added();
}

function open(path: string): ControlFile {
  return ControlFile.open(path, () => {});
}

const test = fileTest("chat.control");

test("ControlFile keeps what has happened, drops what hasn't, and tells up to where the log has it", async (path) => {
  {
    using file = open(path);
    assertEquals(file.load(), { kept: [], logged: 0 });
    file.add([]);
    assertEquals(said(path), []);
    file.add([ruled(3), wrap("a")]);
    file.log(3);
    file.add([ruled(7), wrap("b")]);
    file.add([ruled(8), wrap("c")]);
    file.drop(8);
    file.drop(9); // of which there is none
    file.add([wrap("d")]);
    assertEquals(said(path), [
      ...[ruled(3), wrap("a"), { kind: "logged", seq: 3 } as const],
      ...[ruled(7), wrap("b"), ruled(8), wrap("c")],
      ...[{ kind: "dropped", seq: 8 }, { kind: "dropped", seq: 9 }] as const,
      wrap("d"),
    ]);
  }
  const kept = [ruled(3), wrap("a"), ruled(7), wrap("b"), wrap("d")];
  using file = open(path);
  assertEquals(file.load(), { kept, logged: 3 });
  assertEquals(await readControlFile(path), kept);
  file.drop(5);
  assertEquals(await readControlFile(path), kept.slice(0, 2));
  file.drop(1);
  assertEquals(await readControlFile(path), []);
  file.replace([ruled(1), { kind: "logged", seq: 1 }]);
  using again = open(path);
  assertEquals(again.load(), { kept: [ruled(1)], logged: 1 });
});

test("ControlFile waits for the disk with what it adds and drops, and not with the mark of what is logged", async (path) => {
  using file = open(path);
  let syncs = 0;
  const counting = () => () => void syncs++;
  const counts: number[] = [];
  await withMethod(Deno.FsFile.prototype, "syncDataSync", counting, () => {
    for (
      const step of [
        () => file.add([ruled(3)]),
        () => file.log(3),
        () => file.drop(4),
      ]
    ) {
      step();
      counts.push(syncs);
    }
    return Promise.resolve();
  });
  assertEquals(counts, [1, 1, 2]);
});

test("marks that couldn't be written are written before anything else is, the lowest of those that were dropped", async (path) => {
  using file = open(path);
  file.add([ruled(3)]);
  const told = await overhear("warning", () =>
    withFullDisk(() => {
      file.log(3);
      file.drop(8);
      file.drop(7);
      file.drop(9);
      assertThrows(() => file.add([ruled(7)]), FileError, "the disk is full");
      file.add([]); // which needs no disk
    }));
  assertEquals(told.length, 4);
  assertEquals(
    told[0],
    `error room: Cannot write "${path}": the disk is full. That is tried again before anything else changes`,
  );
  file.add([ruled(10)]);
  file.add([ruled(11)]);
  assertEquals(said(path), [
    ruled(3),
    { kind: "logged", seq: 3 },
    { kind: "dropped", seq: 7 },
    ruled(10),
    ruled(11),
  ]);
  await overhear("warning", () =>
    withFullDisk(() => {
      file.log(11);
      file.drop(12);
    }));
  file.replace([ruled(3)]); // which says what counts
  file.add([ruled(4)]);
  assertEquals(said(path), [ruled(3), ruled(4)]);
});

test("ControlFile that can't be written anew is said once to grow, and gone on with", async (path) => {
  using file = open(path);
  let tries = 0;
  const told = await overhear("warning", () => {
    tries = refusedRenames(() => {
      assertThrows(() => file.replace([ruled(1)]), FileError);
      for (const _ of [1, 2]) file.rewrite([ruled(1)]);
      file.add([ruled(2)]);
    });
  });
  assertEquals([tries, told.length, said(path)], [2, 1, [ruled(2)]]);
  assert(
    told[0]?.includes("The server goes on adding to it, so that it grows"),
  );
  assert(told[0]?.startsWith(`warning room: Cannot write "${path}"`), told[0]);
  const wrong = () => () => {
    throw new TypeError("x");
  };
  using other = open(path);
  await withMethod(LineFile.prototype, "rewrite", wrong, () => {
    assertThrows(() => other.rewrite([]), TypeError);
    return Promise.resolve();
  });
  await withMethod(LineFile.prototype, "add", wrong, () => {
    assertThrows(() => other.log(1), TypeError);
    return Promise.resolve();
  });
  other.rewrite([ruled(5)]);
  assertEquals(said(path), [ruled(5)]);
});

test("ControlFile closes its file", async (path) => {
  const file = open(path);
  let closed = 0;
  const counting = (close: Deno.FsFile["close"]) =>
    function (this: Deno.FsFile) {
      closed++;
      close.call(this);
    };
  await withMethod(Deno.FsFile.prototype, "close", counting, () => {
    file[Symbol.dispose]();
    return Promise.resolve();
  });
  assertEquals(closed, 1);
});

test("ControlFile is stale once it is large and most of it no longer counts", (path) => {
  using file = open(path);
  const long = wrap("x".repeat(70_000));
  assertEquals(file.isStale(0), false);
  file.add([long]);
  assertEquals([file.isStale(1), file.isStale(0)], [false, true]);
});

test("readControlFile() reads what is whole, also while a line is being written, and says what is wrong", async (path) => {
  assertEquals(await readControlFile(path), undefined);
  {
    using file = open(path);
    file.add([ruled(3)]);
  }
  await Deno.writeTextFile(path, '{"kind":"ru', { append: true });
  const text = await Deno.readTextFile(path);
  assertEquals(await readControlFile(path), [ruled(3)]);
  assertEquals(await Deno.readTextFile(path), text);
  {
    using file = open(path);
    assertEquals(file.load(false).kept, [ruled(3)]);
    assertEquals(file.notice, undefined);
    assertEquals(file.load().kept, []);
    assert(file.notice?.startsWith("Dropped the last line of"));
  }
  await Deno.writeTextFile(path, "damaged\n", { append: true });
  await assertRejects(
    () => readControlFile(path),
    FileError,
    `Cannot use "${path}": line 2 is damaged`,
  );
  await assertRejects(
    () => readControlFile(path.replace(/[^/]*$/, "")),
    FileError,
    "Cannot read",
  );
});
