/**
 * Tests of what is marked in messages.
 *
 * @module
 */

import fc from "fast-check";
import {
  type TextLine,
  textLines,
  withLinks,
} from "../../../../src/client/terminal/message_text.ts";
import { wordFinder } from "../../../../src/client/text/message_lines.ts";
import { rowsOf } from "../../../../src/client/terminal/paragraph.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";
import { ATTACKS } from "../../../kit/terminal_setup.ts";

const CODE = { code: "36" };

/** What is marked in a text, and as what. */
function marked(text: string): string[] {
  return textLines(text, CODE).flatMap(({ text, marks }) =>
    marks.map(({ start, end, style, link }) =>
      `${text.slice(start, end)} ${link ?? style}`
    )
  );
}

Deno.test("textLines() marks links to the web, without what ends the sentence", () => {
  const cases: [string, string[]][] = [
    ["see https://a.example.", ["https://a.example https://a.example/"]],
    ["(http://a.example/x)", ["http://a.example/x http://a.example/x"]],
    [
      "https://a.example/Foo_(bar), yes",
      ["https://a.example/Foo_(bar) https://a.example/Foo_(bar)"],
    ],
    [
      "https://a.example/?q=a&b=c#d",
      ["https://a.example/?q=a&b=c#d https://a.example/?q=a&b=c#d"],
    ],
    [
      "https://bücher.example/käse",
      [
        "https://bücher.example/käse https://xn--bcher-kva.example/k%C3%A4se",
      ],
    ],
    ["HTTPS://A.example/X", ["HTTPS://A.example/X https://a.example/X"]],
    ["https://", []],
    ["javascript:alert(1) file:///etc/passwd ftp://a.example", []],
    // A link of this program is kept in one row, but no other could open it.
    ["chat://192.0.2.7:5000/#abc", []],
  ];
  for (const [text, expected] of cases) {
    assertEquals(marked(text), expected, text);
  }
  const [line] = textLines("chat://192.0.2.7:5000/#abc", CODE);
  assertEquals(line?.kept, [{ start: 0, end: 26, always: true }]);
});

/** What is left of a link when one character after another is taken from its end, as long as one ends a sentence. */
function trimmed(link: string): string {
  const count = (of: string) => link.split(of).length - 1;
  const isUnpaired = link.endsWith(")") && count(")") > count("(") ||
    link.endsWith("]") && count("]") > count("[");
  const endsSentence = /[.,:;!?'*_~]$/.test(link);
  return isUnpaired || endsSentence ? trimmed(link.slice(0, -1)) : link;
}

Deno.test("textLines() takes from a link's end what ends the sentence, and brackets that are not its own", () => {
  const ends = fc.string({
    unit: fc.constantFrom(..."()[].,:;!?'*_~/a"),
    maxLength: 12,
  });
  fc.assert(
    fc.property(ends, (end) => {
      const link = `https://a.example/${end}`;
      const [line] = textLines(link, CODE);
      const { length } = trimmed(link);
      assertEquals(line?.kept, [{ start: 0, end: length, always: true }], link);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("textLines() lets nothing out of a link", () => {
  for (const attack of ATTACKS) {
    const text = `https://a.example/${attack.replaceAll("\n", "")}x`;
    for (const { marks, ...line } of textLines(text, CODE)) {
      for (const { link = "" } of marks) assert(/^[!-~]*$/.test(link), link);
      const canvas = { columns: 2_000, styles: true, links: true };
      const [row = ""] = rowsOf({ start: [], hang: 0, marks, ...line }, canvas);
      const sequences =
        // deno-lint-ignore no-control-regex -- it is what may be in it
        /\x1b\[[\d;]*m|\x1b\]8;;[!-~]*\x1b\\/g;
      // deno-lint-ignore no-control-regex -- it is what may not be left
      assert(!/[\x00-\x1f\x7f-\x9f]/.test(row.replace(sequences, "")));
    }
  }
});

Deno.test("textLines() marks code, in a line and in a block, and keeps its shape", () => {
  assertEquals(marked("run `deno task ok` now"), ["`deno task ok` 36"]);
  assertEquals(marked("``a ` b`` and `c"), ["``a ` b`` 36"]);
  assertEquals(marked("`https://a.example`"), ["`https://a.example` 36"]);
  const lines = textLines("look:\n```ts\nif (x) {\n\t y();\n}\n```\nend", CODE);
  const shown = ({ text, isCode }: TextLine) => [text, isCode];
  assertEquals(lines.map(shown), [
    ["look:", false],
    ["```ts", true],
    ["if (x) {", true],
    ["     y();", true],
    ["}", true],
    ["```", true],
    ["end", false],
  ]);
  // One that isn't ended goes on to the end.
  assertEquals(
    textLines("```\na\n\nb", CODE).every((line) => line.isCode),
    true,
  );
  assertEquals(
    textLines("```\n\x1b[2J\u202e", CODE)[1]?.text,
    "\\u001b[2J\\u202e",
  );
});

Deno.test("textLines() marks what was searched for, in either case, also in code and links", () => {
  const found = (words: string, text: string) =>
    textLines(text, { ...CODE, found: wordFinder(words) })
      .flatMap(({ text, marks }) =>
        marks.filter(({ style }) => style === "1;4")
          .map(({ start, end }) => text.slice(start, end))
      );
  assertEquals(found("hut", "The Hut `hut` https://a.b/hut"), [
    "Hut",
    "hut",
    "hut",
  ]);
  assertEquals(found("a.b (x", "a.b axb (x"), ["a.b", "(x"]);
  assertEquals(found("hut hutch", "hutch"), ["hutch"]);
  assertEquals(found("  ", "any"), []);
});

Deno.test("withLinks() leaves out what ends a sentence, however many brackets that is", () => {
  const cases: [string, string][] = [
    [")".repeat(4_000), ""],
    ["])".repeat(2_000), ""],
    [".)".repeat(2_000), ""],
    ["(b)", "(b)"],
    ["(b)).", "(b)"],
    ["[1]", "[1]"],
    ["?)(", "?)("],
  ];
  for (const [tail, kept] of cases) {
    const [mark] = withLinks(`https://a/x${tail}`).marks;
    assertEquals([mark?.start, mark?.end], [0, 11 + kept.length], tail);
  }
});
