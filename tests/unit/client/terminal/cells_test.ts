/**
 * Tests of how many cells of a terminal a text takes.
 *
 * @module
 */

import fc from "fast-check";
import stringWidth from "string-width";
import {
  clusters,
  cut,
  greatestWidth,
  leastWidth,
  padCells,
  width,
} from "../../../../src/client/terminal/cells.ts";
import { escapeText } from "../../../../src/base/safe_text.ts";
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

/** Words of scripts that join characters, and emoji of all kinds. */
const WORDS = [
  ..."क्षत्रिय श्रीनगर ที่นี่ สำนัก বাংলা മലയാളം ខ្មែរ မြန်မာ שָׁלוֹם السَّلَامُ Zoë 한국어 がギ バナナ ﾊﾞﾅﾅ 田中，"
    .split(" "),
  ..."☎ ☎️ ⌚ ⌚︎ ❤ ❤️ #️⃣ 7️⃣ ✓ ⚠ ⚠️ ─ … 🇮 🇮🇳 👍 👍🏽 🏳️‍🌈 🏳‍🌈 👁️‍🗨️ 👩🏿‍🚀 👩‍❤️‍💋‍👨 👨‍👩‍👧‍👦 🏴󠁧󠁢󠁷󠁬󠁳󠁿"
    .split(" "),
];
const WRITTEN = WORDS.flatMap((word) => [word, word.normalize("NFD")]);

Deno.test("width() is string-width's, for each character that is shown and for what is joined of them", () => {
  for (let code = 0; code < 0x20000; code++) {
    const character = String.fromCodePoint(code);
    if (escapeText(character) !== character) continue;
    if (width(character) === stringWidth(character)) continue;
    assertEquals(width(character), stringWidth(character), character);
  }
  const texts = fc.array(fc.constantFrom("a", " ", ...WRITTEN));
  fc.assert(
    fc.property(texts, (pieces) => {
      const text = pieces.join("");
      assertEquals(width(text), stringWidth(text), text);
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("clusters() are those of Intl.Segmenter where no character joins another", () => {
  const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });
  for (let code = 0x20; code < 0xd800; code++) {
    const character = String.fromCharCode(code);
    const text = [..."a1#é中カか한─⌚"].join(character);
    const found = clusters(text);
    const right = [...segmenter.segment(text)];
    const isSame = found.length === right.length &&
      right.every(({ segment }, at) => segment === found[at]);
    if (!isSame) assertEquals(found, right.map(({ segment }) => segment));
  }
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
