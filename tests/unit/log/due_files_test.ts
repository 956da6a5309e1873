/**
 * Which files of a log are due: by ages and sizes to the millisecond and to the byte, and how they are told.
 *
 * @module
 */

import {
  type Due,
  DueFiles,
  type Keep,
  namesOf,
  rangeOf,
} from "../../../src/log/due_files.ts";
import { LogError, type LogFile } from "../../../src/log/file.ts";
import { assertEquals, assertRejects } from "../../kit/assert.ts";
import { at, FilesInMemory, NOW } from "../../kit/files_in_memory.ts";

/** A file's size in the tests of sizes, bytes. */
const SIZE = 1_000;

const find = (files: FilesInMemory, keep: Keep) =>
  new DueFiles(files, keep, () => NOW).find();

/** The numbers of the files that are due. */
const numbersOf = async (files: FilesInMemory, keep: Keep) =>
  (await find(files, keep)).map(({ file }) => file.first);

Deno.test("DueFiles finds files whose last line is older than an age, and never the newest", async () => {
  const age = 100;
  const none = await FilesInMemory.of();
  assertEquals(await numbersOf(none, { age }), []);
  const files = await FilesInMemory.of(
    at(-103),
    at(-102),
    at(-101),
    at(-100),
    at(-99),
  );
  assertEquals(await numbersOf(files, { age }), [1, 2, 3]);
  assertEquals(await numbersOf(files, { age: 99 }), [1, 2, 3, 4]);
  assertEquals(await numbersOf(files, { age: 1 }), [1, 2, 3, 4]);
  assertEquals(await numbersOf(files, { age: 103 }), []);
});

Deno.test("DueFiles takes a file's latest line for its age, and tells it", async () => {
  const files = await FilesInMemory.of(
    at(-300) + at(-200) + at(-250) + "# a note\n" + at(0).trim(),
    at(-100),
  );
  const [due, ...others] = await find(files, { age: 199 });
  assertEquals([due?.file.first, due?.last, due?.until, others.length], [
    1,
    1,
    NOW - 200,
    0,
  ]);
  assertEquals(await find(files, { age: 200 }), []);
  const many = await FilesInMemory.of(at(-300).repeat(40) + at(-200), at(-100));
  assertEquals((await find(many, { age: 199 }))[0]?.until, NOW - 200);
});

Deno.test("DueFiles takes the age of the next file for one that has no line of ours, or one of a time to come", async () => {
  const age = 100;
  const others = ["", "# a note\n", at(1), "gone", at(-300) + at(1)];
  for (const other of others) {
    const old = await FilesInMemory.of(other, at(-101), at(0));
    const [first, second, third] = await find(old, { age });
    const until = other.startsWith("2026") ? first?.until : undefined;
    assertEquals([first?.until, second?.until], [until, NOW - 101], other);
    assertEquals(third, undefined);
    const young = await FilesInMemory.of(at(-101), other, at(-100), at(0));
    assertEquals(await numbersOf(young, { age }), [1], other);
    const alone = await FilesInMemory.of(other, at(-101));
    assertEquals(await numbersOf(alone, { age }), [], other);
  }
  const now = await FilesInMemory.of(at(0), at(-101), at(0));
  assertEquals(await numbersOf(now, { age }), []); // no time to come
});

Deno.test("DueFiles reads an older file's last lines once, however long the file", async () => {
  const long = at(-300, "x".repeat(4_000)).repeat(40);
  const files = await FilesInMemory.of(at(0) + long, at(-200) + long, at(0));
  const due = new DueFiles(files, { age: 250 }, () => NOW);
  for (let times = 0; times < 3; times++) {
    assertEquals((await due.find()).length, 2); // nothing is read of their first lines
  }
  assertEquals(files.opened, [1, 1, 0]);
});

Deno.test("DueFiles finds the oldest files while all are larger than a size, and four fifths of it are left", async () => {
  const text = "x".repeat(SIZE);
  const files = await FilesInMemory.of(text, text, text, text, text);
  for (
    const [size, due] of [
      [5_000, []],
      [4_999, [1]],
      [4_000, [1]],
      [3_999, [1]],
      [3_751, [1]], // 3,000 bytes would be too few
      [3_750, [1, 2]],
      [1, [1, 2, 3, 4]],
    ] as readonly [number, number[]][]
  ) {
    assertEquals(await numbersOf(files, { size }), due, `${size}`);
  }
  const gone = await FilesInMemory.of(text, "gone", text, text);
  assertEquals(await numbersOf(gone, { size: 2_999 }), []);
  assertEquals(await numbersOf(gone, { size: 2_500 }), [1]);
  assertEquals(await numbersOf(gone, { size: 1_999 }), [1, 2]);
});

Deno.test("DueFiles finds the newest file full once its first line of a time that was is a tenth of the age old", async () => {
  const isFull = async (text: string, keep: Keep = { age: 1_000 }) => {
    const files = await FilesInMemory.of(at(-5_000), at(-5_000), text);
    const isFull = await new DueFiles(files, keep, () => NOW).isFull();
    assertEquals(files.opened, [0, 0, "age" in keep ? 1 : 0]);
    return isFull;
  };
  assertEquals(await isFull(at(-101)), true);
  assertEquals(await isFull(at(-100)), false);
  assertEquals(await isFull(at(5) + at(-99) + at(-101)), true);
  assertEquals(await isFull(at(0) + at(1)), false);
  assertEquals(await isFull(""), false);
  assertEquals(await isFull("# a note\n" + at(-101)), true);
  assertEquals(await isFull(at(0).repeat(31) + at(-101)), true);
  assertEquals(await isFull(at(0).repeat(32) + at(-101)), false);
  const long = at(0, "x".repeat(4_000)).repeat(40);
  assertEquals(await isFull(at(-101) + long), true);
  assertEquals(await isFull(at(-101), { size: 1 }), false);
  const none = new DueFiles(await FilesInMemory.of(), { age: 1 }, () => NOW);
  assertEquals(await none.isFull(), false);
});

Deno.test("DueFiles says which file it can't open or read", async () => {
  for (const text of ["locked", "broken"]) {
    const files = await FilesInMemory.of(at(-300), text, at(0));
    for (const keep of [{ age: 1 }, { size: 1 }]) {
      await assertRejects(
        () => find(files, keep),
        LogError,
        `Cannot read "/srv/log.d/chat.log.2": `,
      );
    }
    const newest = await FilesInMemory.of(at(-300), text);
    await assertRejects(
      () => find(newest, { size: 1 }),
      LogError,
      `Cannot read "/srv/log.d/chat.log.1": `,
    );
  }
});

Deno.test("rangeOf() and namesOf() tell files that follow each other in words", async () => {
  const { files } = await FilesInMemory.of("", "", "");
  const due = (first: number, last: number, file = first): Due => ({
    file: files[file - 1] ?? files[0] as LogFile,
    last,
    until: undefined,
  });
  assertEquals(rangeOf([due(1, 1)]), "event 1");
  assertEquals(rangeOf([due(1, 2)]), "events 1 to 2");
  assertEquals(rangeOf([due(2, 2), due(3, 9)]), "events 2 to 9");
  assertEquals(namesOf([due(1, 1)]), "chat.log.3");
  assertEquals(namesOf([due(1, 1), due(2, 2)]), "chat.log.3 and chat.log.2");
  assertEquals(
    namesOf([due(1, 1), due(2, 2), due(3, 9)]),
    "chat.log.3 to chat.log.1",
  );
});
