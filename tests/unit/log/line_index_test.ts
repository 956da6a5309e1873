/**
 * Where the lines of a file are.
 *
 * @module
 */

import { LineIndex } from "../../../src/log/line_index.ts";
import { assertEquals } from "../../kit/assert.ts";

const KIB = 1_024;
/** Behind so many lines of 1 KiB there is a place. */
const STRETCH = 256;
const START = { before: 100, offset: 50 };

/** So many lines of a size, bytes. */
function lines(count: number, size = KIB): Uint8Array {
  const bytes = new Uint8Array(count * size).fill(120);
  for (let at = size - 1; at < bytes.length; at += size) bytes[at] = 10;
  return bytes;
}

/** An index of 600 lines: of two stretches and a part of one. */
function indexOf600(): LineIndex {
  const index = new LineIndex(START);
  const bytes = lines(600);
  // In pieces that don't end where lines do, and of which some begin with a line break.
  for (let at = 0; at < bytes.length; at += 1_023) {
    index.add(bytes.subarray(at, at + 1_023));
  }
  return index;
}

const first = START;
const second = { before: 100 + STRETCH, offset: 50 + STRETCH * KIB };
const third = { before: 100 + 2 * STRETCH, offset: 50 + 2 * STRETCH * KIB };

Deno.test("LineIndex counts whole lines, and tells where the last one ends", () => {
  const index = indexOf600();
  assertEquals([index.last, index.end], [700, 50 + 600 * KIB]);
  index.add(new Uint8Array(9));
  assertEquals([index.last, index.end], [700, 50 + 600 * KIB]);
  index.add(Uint8Array.of(10, 10, 120));
  assertEquals([index.last, index.end], [702, 50 + 600 * KIB + 11]);
});

Deno.test("LineIndex goes on behind the last whole line once what is behind it is cut off", () => {
  const index = indexOf600();
  index.add(new Uint8Array(9));
  index.cut();
  index.add(lines(1));
  assertEquals([index.last, index.end], [701, 50 + 601 * KIB]);
});

Deno.test("LineIndex has a place for every 256 KiB, from which to read towards a line", () => {
  const index = indexOf600();
  for (
    const [line, place] of [
      [0, first],
      [100, first],
      [101, first],
      [second.before - 1, first],
      [second.before, second],
      [third.before - 1, second],
      [third.before, third],
      [9_999, third],
    ] as const
  ) {
    assertEquals(index.before(line), place, `line ${line}`);
  }
});

Deno.test("LineIndex has a place behind each line that is longer than that", () => {
  const index = new LineIndex(START);
  index.add(lines(2, STRETCH * KIB + 1));
  index.add(lines(1, STRETCH * KIB - 1));
  const size = STRETCH * KIB + 1;
  assertEquals(
    [100, 101, 102, 103].map((line) => index.before(line).offset - 50),
    [0, size, 2 * size, 2 * size],
  );
});

Deno.test("LineIndex gives the stretches that have lines before a number, the last first", () => {
  const index = indexOf600();
  const stretches = [
    { ...third, size: 88 * KIB },
    { ...second, size: STRETCH * KIB },
    { ...first, size: STRETCH * KIB },
  ];
  for (
    const [line, left] of [
      [9_999, 0],
      [third.before + 2, 0],
      [third.before + 1, 1],
      [second.before + 2, 1],
      [second.before + 1, 2],
      [102, 2],
      [101, 3],
    ]
  ) {
    assertEquals([...index.back(line ?? 0)], stretches.slice(left), `${line}`);
  }
  assertEquals([...new LineIndex(START).back(9_999)], []);
  const full = new LineIndex(START);
  full.add(lines(STRETCH));
  assertEquals([...full.back(9_999)], [stretches[2]]); // none without lines
});
