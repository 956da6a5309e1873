/**
 * Offers as texts, and the names that files are saved under.
 *
 * @module
 */

import {
  formatOffer,
  formatSize,
  isFileName,
  parseOffer,
  safeFileName,
} from "../../../src/protocol/offer.ts";
import { escapeText } from "../../../src/base/safe_text.ts";
import { assert, assertEquals } from "../../kit/assert.ts";

const DIGEST = "0123456789abcdef".repeat(4);

Deno.test("parseOffer() gives back what formatOffer() was given", () => {
  const names = [
    "hut.jpg",
    "a",
    "a (7 bytes)",
    `a (7 bytes, SHA-256 ${DIGEST})`,
    " . ",
    "विषय.pdf",
    "x".repeat(255),
  ];
  for (const name of names) {
    for (const size of [0, 1, 81_204, 2 ** 40]) {
      const offer = { name, size, digest: DIGEST };
      assertEquals(parseOffer(formatOffer(offer)), offer);
    }
  }
});

Deno.test("parseOffer() takes no text that formatOffer() doesn't make", () => {
  const texts = [
    "",
    "hut.jpg",
    `hut.jpg (7 bytes, SHA-256 ${DIGEST}) `,
    `hut.jpg (07 bytes, SHA-256 ${DIGEST})`,
    `hut.jpg (-7 bytes, SHA-256 ${DIGEST})`,
    `hut.jpg (7.5 bytes, SHA-256 ${DIGEST})`,
    `hut.jpg (${2 ** 40 + 1} bytes, SHA-256 ${DIGEST})`,
    `hut.jpg (7 bytes, SHA-256 ${DIGEST.toUpperCase()})`,
    `hut.jpg (7 bytes, SHA-256 ${DIGEST.slice(1)})`,
    ` (7 bytes, SHA-256 ${DIGEST})`.slice(1),
    `.. (7 bytes, SHA-256 ${DIGEST})`,
    `a/b (7 bytes, SHA-256 ${DIGEST})`,
    `a\\b (7 bytes, SHA-256 ${DIGEST})`,
    `a\nb (7 bytes, SHA-256 ${DIGEST})`,
    `${"x".repeat(256)} (7 bytes, SHA-256 ${DIGEST})`,
    `\ud800 (7 bytes, SHA-256 ${DIGEST})`,
  ];
  for (const text of texts) assertEquals(parseOffer(text), null, text);
});

Deno.test("isFileName() takes no folder, nothing unseen, and 255 bytes at most", () => {
  const names = ["a", "...", ".a", " ", "é".repeat(127) + "x"];
  const others = ["", ".", "..", "a/b", "a\\b", "a\x07", "\ud800"];
  for (const name of names) assert(isFileName(name), name);
  for (const name of [...others, "é".repeat(128)]) {
    assert(!isFileName(name), name);
  }
});

/** Names that would do harm, or deceive, and what they are saved as. */
const NAMES: readonly (readonly [string, string])[] = [
  ["hut.jpg", "hut.jpg"],
  ["my hut (2).tar.gz", "my hut (2).tar.gz"],
  ["शिविर 山小屋 🛖.jpg", "शिविर 山小屋 🛖.jpg"],
  // Out of the folder, or into another.
  ["../../.bashrc", "__.._.bashrc"],
  ["..", "_"],
  [".", "_"],
  ["/etc/passwd", "_etc_passwd"],
  ["..\\..\\evil.exe", "__.._evil.exe"],
  ["C:\\Windows\\evil.exe", "C__Windows_evil.exe"],
  ["C:evil.exe", "C_evil.exe"],
  // Hidden, an option of a command, a stream of another file.
  [".bashrc", "_bashrc"],
  ["...", "_"],
  [" .profile", "_profile"],
  ["-rf", "_rf"],
  ["--help", "_help"],
  ["a.txt:hidden", "a.txt_hidden"],
  ["evil.exe. ", "evil.exe"],
  // Devices of Windows.
  ["con", "_con"],
  ["NUL.txt", "_NUL.txt"],
  ["com1.tar.gz", "_com1.tar.gz"],
  ["console", "console"],
  // What a terminal obeys, and what deceives a reader.
  ["\x1b[2Jred", "_[2Jred"],
  ["\x1b]52;c;aGk=\x07", "_]52;c;aGk=_"],
  ["\x9b31m", "_31m"],
  ["a\rb\nc\td\be", "a_b_c_d_e"],
  ["a\0b", "a_b"],
  ["\u202egpj.exe", "_gpj.exe"],
  ["ze\u200bro", "ze_ro"],
  ["\u{e0041}\u115f\ue000", "___"],
  ["\ud800", "\ufffd"],
  // What a shell does.
  ['*?<>|"', "______"],
  ["", "_"],
];

for (const [name, saved] of NAMES) {
  Deno.test(`safeFileName() saves ${JSON.stringify(name)} as ${JSON.stringify(saved)}`, () => {
    assertEquals(safeFileName(name), saved);
  });
}

Deno.test("safeFileName() makes names that are harmless, and stay as they are", () => {
  const long = `${"x".repeat(300)}.tar.gz`;
  const wide = `${"山".repeat(100)}.jpg`;
  const marks = `e${"\u0301".repeat(40)}.txt`;
  const cutAtDots = `${"x".repeat(190)}${". ".repeat(20)}${"x".repeat(20)}`;
  const names = [...NAMES.map(([name]) => name), long, wide, marks, cutAtDots];
  for (const name of names) {
    const saved = safeFileName(name);
    assert(isFileName(saved), name);
    assert(!/[.\s]$/.test(saved), name);
    assertEquals(escapeText(saved), saved, name);
    assertEquals(safeFileName(saved), saved, name);
    assert(new TextEncoder().encode(saved).length <= 200, name);
  }
});

Deno.test("safeFileName() cuts a name to 200 bytes before its ending, if that has 16 units at most", () => {
  const x = (count: number) => "x".repeat(count);
  const cut: readonly (readonly [string, string])[] = [
    [x(200), x(200)],
    [x(201), x(200)],
    [`${x(194)}. .txt`, `${x(194)}. .txt`], // not cut at all
    [`${x(196)}.txt`, `${x(196)}.txt`],
    [`${x(300)}.tar.gz`, `${x(197)}.gz`],
    [`${x(300)}.${"y".repeat(15)}`, `${x(184)}.${"y".repeat(15)}`],
    [`${x(198)}.${"y".repeat(16)}`, `${x(198)}.y`],
    [`${"山".repeat(100)}.jpg`, `${"山".repeat(65)}.jpg`],
    [`${x(199)}.${x(20)}`, x(199)], // cut behind a dot
  ];
  for (const [name, saved] of cut) assertEquals(safeFileName(name), saved);
});

Deno.test("formatSize() rounds to three digits", () => {
  const sizes: readonly (readonly [number, string])[] = [
    [0, "0 bytes"],
    [999, "999 bytes"],
    [1_000, "1.0 kB"],
    [81_204, "81.2 kB"],
    [99_949, "99.9 kB"],
    [99_950, "100 kB"],
    [999_499, "999 kB"],
    [999_500, "1.0 MB"],
    [16 * 2 ** 20, "16.8 MB"],
    [2 ** 40, "1.1 TB"],
  ];
  for (const [size, text] of sizes) assertEquals(formatSize(size), text);
});
