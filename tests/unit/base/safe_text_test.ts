/**
 * What is escaped, what isn't, and that lines give back the text they were made from.
 *
 * @module
 */

import {
  escapeLine,
  escapeText,
  unescapeLine,
} from "../../../src/base/safe_text.ts";
import { assert, assertEquals, assertThrows } from "../../kit/assert.ts";

/** Text that attacks, and what a person is shown of it. */
const ATTACKS = [
  ["line break", "a\nb\r\nc", String.raw`a\nb\r\nc`],
  ["tab", "a\tb", String.raw`a\tb`],
  ["escape sequence", "\x1b[2J\x1b[31m", String.raw`\u001b[2J\u001b[31m`],
  ["OSC 52", "\x1b]52;c;aGk=\x07", String.raw`\u001b]52;c;aGk=\u0007`],
  ["C1 CSI and OSC", "\x9b2J\x9d0;x\x9c", String.raw`\u009b2J\u009d0;x\u009c`],
  ["delete and NUL", "\x7f\0", String.raw`\u007f\u0000`],
  ["next line", "a\x85b", String.raw`a\u0085b`],
  ["line separators", "a\u2028b\u2029c", String.raw`a\u2028b\u2029c`],
  ["bidi override", "\u202etxt.exe\u202c", String.raw`\u202etxt.exe\u202c`],
  ["bidi isolate", "\u2066x\u2069\u200f", String.raw`\u2066x\u2069\u200f`],
  ["lone surrogates", "\ud83d x \ude00", String.raw`\ud83d x \ude00`],
  ["byte order mark", "\ufeffa", String.raw`\ufeffa`],
  ["zero-width space", "a\u200bb\u2060c", String.raw`a\u200bb\u2060c`],
  ["joiner between letters", "a\u200db", String.raw`a\u200db`],
  ["Hangul fillers", "\u3164\u115f\uffa0", String.raw`\u3164\u115f\uffa0`],
  ["blank Braille", "\u2800", String.raw`\u2800`],
  ["grapheme joiner", "a\u034f", String.raw`a\u034f`],
  ["selector on a letter", "a\ufe0f", String.raw`a\ufe0f`],
  ["two selectors", "\u2764\ufe0f\ufe0f", "\u2764\ufe0f" + String.raw`\ufe0f`],
  ["far selector", "a\u{e0100}", String.raw`a\u{e0100}`],
  ["tags", "\u{e0001}\u{e0041}", String.raw`\u{e0001}\u{e0041}`],
  ["private use", "\ue000\u{f0000}", String.raw`\ue000\u{f0000}`],
  ["unassigned", "\u0378\uffff\u{10ffff}", String.raw`\u0378\uffff\u{10ffff}`],
] as const;

const HARMLESS = [
  "",
  "Kaise ho bro",
  "naïve – “quoted” £5 …",
  "हिन्दी العربية עברית 한국어 漢字 ไทย",
  "a\u00a0b\u3000c",
  "❤️ 👍🏽 👩‍💻 👩🏽‍💻 👨‍👩‍👧‍👦 🏳️‍🌈 👁️‍🗨️ 🏴‍☠️ 🏃🏽‍♀️ 🐦‍⬛",
  "1️⃣ #️⃣ 🇮🇳 🇫🇷",
];

for (const [what, text, shown] of ATTACKS) {
  Deno.test(`escapeText() shows an attack: ${what}`, () => {
    assertEquals(escapeText(text), shown);
    assertEquals(escapeText(`👩‍💻 ${text} é`), `👩‍💻 ${shown} é`);
  });

  Deno.test(`escapeLine() keeps an attack on its line: ${what}`, () => {
    assertEquals(escapeLine(text), shown);
    assertEquals(unescapeLine(escapeLine(text)), text);
  });
}

Deno.test("escapeText() and escapeLine() leave harmless text and emoji as they are", () => {
  for (const text of HARMLESS) {
    assertEquals(escapeText(text), text);
    assertEquals(escapeLine(text), text);
    assertEquals(unescapeLine(text), text);
  }
});

Deno.test("escapeText() leaves backslashes as they are", () => {
  assertEquals(escapeText("C:\\new\n"), "C:\\new\\n");
});

Deno.test("escapeText() and escapeLine() show at most 8 combining marks in a row", () => {
  const eight = "z" + "\u0301".repeat(8);
  assertEquals(escapeText(eight), eight);
  assertEquals(
    escapeText(`${eight}\u0302\u0303 ${eight}`),
    `${eight}\\u0302\\u0303 ${eight}`,
  );
  assertEquals(escapeLine(eight), eight);
  const flood = `${eight}\u0302\u0303\\u0302`;
  const line = String.raw`${eight}\u0302\u0303\\u0302`;
  assertEquals(escapeLine(flood), line);
  assertEquals(unescapeLine(line), flood);
});

Deno.test("escapeLine() doubles the backslash", () => {
  assertEquals(escapeLine("\\n"), "\\\\n");
  assertEquals(unescapeLine("\\\\n"), "\\n");
  assertEquals(unescapeLine(escapeLine("\\\n\\\\u001b\\")), "\\\n\\\\u001b\\");
});

Deno.test("escapeLine() is undone for every code point", () => {
  const hidden = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/u;
  for (let code = 0; code <= 0x10ffff; code++) {
    const char = String.fromCodePoint(code);
    const line = escapeLine(char);
    assert(!hidden.test(line), `U+${code.toString(16)} is hidden`);
    assert(unescapeLine(line) === char, `U+${code.toString(16)} is lost`);
  }
});

Deno.test("unescapeLine() refuses what is no escape", () => {
  const lines = [
    "\\",
    "a\\",
    "\\q",
    "\\u12",
    "\\u{}",
    "\\u{110000}",
    "\\U0041",
  ];
  for (const line of [...lines, "\\u{12", "\\x41", "\\\n", "\\u00g0"]) {
    assertThrows(
      () => unescapeLine(line),
      SyntaxError,
      "Cannot read the escape",
    );
  }
});
