/**
 * Tests of how many cells of a terminal a text takes.
 *
 * @module
 */

import {
  cut,
  greatestWidth,
  leastWidth,
  padCells,
  width,
} from "../../../../src/client/terminal/cells.ts";
import { assertEquals } from "../../../kit/assert.ts";

const FLAG = "🇮🇳";
const FAMILY = "👨‍👩‍👧‍👦";
const HEART = "❤️";

Deno.test("width() counts cells", () => {
  const cases: [string, number][] = [
    ["", 0],
    ["ana", 3],
    ["Zoë", 3],
    ["Zoe\u0308", 3],
    ["田中", 4],
    ["한글", 4],
    ["ａ", 2],
    ["ｱ", 1],
    ["😀", 2],
    ["✓⚠─…", 4],
    ["राहुल", 4],
  ];
  for (const [text, cells] of cases) assertEquals(width(text), cells, text);
});

Deno.test("width() counts by what a person takes for a character", () => {
  const cases: [string, number][] = [
    [FLAG, 2],
    [FAMILY, 2],
    [HEART, 2],
    ["👍🏽", 2],
    ["राहुल", 4],
    [`a${FLAG}b${FAMILY}`, 6],
  ];
  for (const [text, cells] of cases) assertEquals(width(text), cells, text);
});

Deno.test("cut() leaves no part of a character", () => {
  assertEquals(cut(FAMILY.repeat(5), 6), `${FAMILY.repeat(2)}…`);
});

Deno.test("padCells() fills up to a width in cells, and cuts nothing", () => {
  assertEquals(padCells("田中", 6), "田中  ");
  assertEquals(padCells("longer", 3), "longer");
});

Deno.test("leastWidth() and greatestWidth() are as narrow and as wide as terminals are", () => {
  const cases: [string, number, number][] = [
    ["a", 1, 1],
    ["日", 2, 2],
    ["e\u0301", 1, 1],
    [FLAG, 2, 4],
    [FAMILY, 2, 8],
    [HEART, 1, 2],
    ["👍🏽", 2, 4],
    ["🏳️‍🌈", 1, 3],
  ];
  for (const [text, least, greatest] of cases) {
    assertEquals([leastWidth(text), greatestWidth(text)], [least, greatest]);
  }
});
