/**
 * Tests of where texts are broken, and of the rows that become of them.
 *
 * @module
 */

import fc from "fast-check";
import { width } from "../../../../src/client/terminal/cells.ts";
import { textLines } from "../../../../src/client/terminal/message_text.ts";
import {
  type Paragraph,
  plainText,
  rowsOf,
} from "../../../../src/client/terminal/paragraph.ts";
import {
  breakHard,
  type Kept,
  type Span,
  wrap,
} from "../../../../src/client/terminal/wrap.ts";
import { escapeText } from "../../../../src/base/safe_text.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";

const parts = (text: string, spans: readonly Span[]) =>
  spans.map(({ start, end }) => text.slice(start, end));

const rows = (text: string, first: number, rest = first) =>
  parts(text, wrap(text, { first, rest }));

Deno.test("wrap() breaks between words, and words that are longer than a row", () => {
  const cases: [string, number, number, string[]][] = [
    ["", 10, 10, [""]],
    ["one", 10, 10, ["one"]],
    ["one two three", 7, 7, ["one two", "three"]],
    ["one two three", 3, 9, ["one", "two three"]],
    ["one two", 2, 7, ["", "one two"]],
    ["one   two", 5, 5, ["one", "two"]],
    ["  one", 5, 5, ["  one"]],
    ["abcdefghij kl", 4, 4, ["abcd", "efgh", "ij", "kl"]],
    ["ab cdefghij", 4, 4, ["ab c", "defg", "hij"]],
    ["k3df-9q2m is hers", 12, 12, ["k3df-9q2m is", "hers"]],
    ["日本語のテキスト。次", 8, 8, ["日本語の", "テキス", "ト。次"]],
    ["a\u00a0b c", 3, 3, ["a\u00a0b", "c"]],
  ];
  for (const [text, first, rest, expected] of cases) {
    assertEquals(rows(text, first, rest), expected, text);
  }
});

Deno.test("wrap() keeps a link whole, on a row of its own if none is wide enough", () => {
  const link = "https://a.example/long";
  const at = (text: string): Kept => {
    const start = text.indexOf(link);
    return { start, end: start + link.length, always: true };
  };
  const cases: [string, number, string[]][] = [
    [`see ${link} now`, 30, [`see ${link} now`]],
    [`see ${link} now`, 23, ["see", link, "now"]],
    [`see ${link} now`, 12, ["see", link, "now"]],
    [`${link} now`, 12, [link, "now"]],
    [`(${link})`, 24, [`(${link})`]],
    [`see (${link})`, 24, ["see", `(${link})`]],
    [`see (${link}).`, 12, ["see (", link, ")."]],
  ];
  for (const [text, cells, expected] of cases) {
    const spans = wrap(text, { first: cells, rest: cells }, [at(text)]);
    assertEquals(parts(text, spans), expected, `${text} ${cells}`);
  }
});

Deno.test("breakHard() fills each row, and keeps all spaces", () => {
  const text = "    if (x)  {";
  assertEquals(parts(text, breakHard(text, { first: 5, rest: 5 })), [
    "    i",
    "f (x)",
    "  {",
  ]);
});

const word = fc.oneof(
  fc.string({ maxLength: 30 }),
  fc.constantFrom(
    "日本語、テスト。",
    "https://a.example/path?q=1#x",
    "(https://a.example/very/long/path/that/fits/nowhere)",
    "`code with spaces`",
    "k3df-9q2m-x7ta-41cz",
    "e\u0301e\u0301",
    "😀😀😀",
    "नमस्ते",
  ),
);
const text = fc.array(word, { maxLength: 12 })
  .map((words) => words.join(" ").replaceAll("\n", " "));
const cells = fc.integer({ min: 4, max: 50 });

Deno.test("wrap() loses no text, makes no row wider than it may be, and keeps words whole where they fit", () => {
  fc.assert(
    fc.property(text, cells, cells, (source, first, rest) => {
      const [line] = textLines(source, { code: "1" });
      assert(line);
      const { text, kept } = line;
      const spans = wrap(text, { first, rest }, kept);
      const shown = parts(text, spans);
      const dense = (it: string) => it.replace(/\s/gu, "");
      assertEquals(dense(shown.join("")), dense(text));
      const links = kept.filter(({ always }) => always)
        .map(({ start, end }) => text.slice(start, end));
      for (const [index, row] of shown.entries()) {
        const room = index === 0 ? first : rest;
        const isLink = links.includes(row.trim());
        assert(width(row) <= room || isLink, `"${row}" is wider than ${room}`);
      }
      for (const link of links) {
        assert(shown.some((row) => row.includes(link)), `${link} is broken`);
      }
      // Words of scripts with spaces; what is kept has its own rule.
      if (kept.length > 0) return;
      const words = text.split(/\s+/u).filter((it) =>
        !/[^\p{ASCII}]/u.test(it)
      );
      for (const it of words.filter((it) => it.length <= rest)) {
        assert(shown.some((row) => row.includes(it)), `"${it}" is broken`);
      }
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("rowsOf() makes rows that a terminal doesn't wrap, from 20 cells on, and plainText() one line", () => {
  const hang = fc.integer({ min: 0, max: 60 });
  fc.assert(
    fc.property(
      text,
      hang,
      fc.integer({ min: 20, max: 100 }),
      fc.boolean(),
      (source, hang, columns, isCode) => {
        const text = escapeText(source);
        const start = [{ text: "12:00 Rahul: " }];
        const paragraph = { start, hang, text, isCode };
        const canvas = { columns, styles: true, links: true };
        for (const row of rowsOf(paragraph, canvas)) {
          assert(width(row) < columns, `"${row}" is wider than ${columns - 1}`);
        }
        assertEquals(plainText(paragraph, columns), `12:00 Rahul: ${text}`);
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("rowsOf() paints what is marked, over row ends and over each other", () => {
  const paragraph: Paragraph = {
    start: [{ text: "a", style: "2" }, { text: " " }],
    hang: 2,
    text: "one https://a.b two",
    marks: [
      { start: 2, end: 9, style: "1" },
      { start: 4, end: 15, link: "https://a.b/" },
    ],
    kept: [{ start: 4, end: 15, always: true }],
  };
  const shown = (styles: boolean, links: boolean) =>
    rowsOf(paragraph, { columns: 16, styles, links });
  assertEquals(shown(true, true), [
    "\x1b[2ma\x1b[0m on\x1b[1me\x1b[0m",
    "  \x1b]8;;https://a.b/\x1b\\\x1b[1mhttps\x1b[0m\x1b]8;;\x1b\\" +
    "\x1b]8;;https://a.b/\x1b\\://a.b\x1b]8;;\x1b\\",
    "  two",
  ]);
  assertEquals(shown(false, false), ["a one", "  https://a.b", "  two"]);
});

Deno.test("rowsOf() moves a link left that would be wider than its row, but never to the margin", () => {
  const link = "https://a.example/0123456789";
  const kept = [{ start: 4, end: 4 + link.length, always: true }];
  const paragraph = { start: [], hang: 12, text: `see ${link}`, kept };
  const shown = (columns: number) =>
    rowsOf(paragraph, { columns, styles: false, links: false });
  assertEquals(shown(60), [`see ${link}`]);
  assertEquals(shown(32), ["see", `   ${link}`]);
  assertEquals(shown(20), ["see", `  ${link}`]);
});
