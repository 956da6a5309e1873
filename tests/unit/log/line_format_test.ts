/**
 * Reading entries from a file: between which numbers, in which pieces, however the system gives the bytes.
 *
 * @module
 */

import { formatEntry, readEntries } from "../../../src/log/line_format.ts";
import type { LogEntry } from "../../../src/protocol/line.ts";
import { assert, assertEquals, assertThrows } from "../../kit/assert.ts";
import { FileInMemory } from "../../kit/file_in_memory.ts";
import { numbered, said, saidUpTo } from "../../kit/log_kit.ts";

const linesOf = (count: number) =>
  saidUpTo(count).map((entry) => `${formatEntry(entry)}\n`).join("");

/** The pieces that are read of a file, up to a number that is far enough. */
function piecesOf(
  file: FileInMemory,
  { lines = 0, after = 0, upTo = 1_000 } = {},
): Promise<LogEntry[][]> {
  return Array.fromAsync(readEntries(file.file, lines, after, upTo));
}

Deno.test("formatEntry() writes no answer and no change to what is no number of a line", () => {
  for (const what of ["replied", "edited", "deleted", "reacted"] as const) {
    for (const to of [null, 0, -1, 1.5, NaN, 2 ** 53]) {
      assertThrows(
        () => formatEntry({ ...said(1), what, to }),
        RangeError,
        `Cannot write what was ${what}: no event ${to}`,
      );
    }
  }
});

Deno.test("readEntries() reads the same in pieces of any size, up to the last line break", async () => {
  const text = `\n${linesOf(3)}# a note\n\n${linesOf(1)}${
    formatEntry(said(9))
  }`;
  const expected = [
    ...numbered(saidUpTo(3), 2),
    ...numbered([said(1)], 7),
  ];
  for (const size of [1, 2, 7, 64, 100, text.length - 1, text.length]) {
    const pieces = await piecesOf(new FileInMemory(text, size));
    assertEquals(pieces, [expected], `pieces of ${size}`);
  }
});

Deno.test("readEntries() gives the lines between two numbers, and reads no further", async () => {
  const text = linesOf(9);
  const all = numbered(saidUpTo(9), 101);
  for (let after = 100; after <= 109; after++) {
    for (let upTo = after; upTo <= 110; upTo++) {
      const file = new FileInMemory(text, text.length / 9);
      const pieces = await piecesOf(file, { lines: 100, after, upTo });
      assertEquals(pieces.flat(), all.slice(after - 100, upTo - 100));
      assertEquals(file.reads, upTo - 100);
      const whole = new FileInMemory(text);
      const same = await piecesOf(whole, { lines: 100, after, upTo });
      assertEquals(same, pieces);
    }
  }
});

Deno.test("readEntries() gives pieces of 256, and none that is empty", async () => {
  for (const count of [0, 1, 255, 256, 257, 512, 513]) {
    const pieces = await piecesOf(new FileInMemory(linesOf(count)));
    const sizes = pieces.map(({ length }) => length);
    const whole = Array(Math.floor(count / 256)).fill(256);
    assertEquals(sizes, count % 256 > 0 ? [...whole, count % 256] : whole);
    assertEquals(pieces.flat(), numbered(saidUpTo(count)));
  }
});

Deno.test("readEntries() keeps no more of a line than tells that it isn't ours", async () => {
  const long = linesOf(1).trim() + "x".repeat(300_000);
  const file = new FileInMemory(`${long}\n${linesOf(1)}`, 50_000);
  const { slice } = Uint8Array.prototype;
  let most = 0;
  Uint8Array.prototype.slice = function (...range) {
    const some = slice.apply(this, range);
    most = Math.max(most, some.length);
    return some as Uint8Array<ArrayBuffer>;
  };
  try {
    assertEquals(await piecesOf(file), [numbered([said(1)], 2)]);
  } finally {
    Uint8Array.prototype.slice = slice;
  }
  assert(most > 50_000 && most < 70_000, `${most}`);
});
