/**
 * Tests of how a terminal's screen becomes a picture, and of the pictures that the README shows.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "../../kit/assert.ts";
import { readScreen } from "../../../tools/pictures/cells.ts";
import { drawSvg } from "../../../tools/pictures/svg.ts";

/** The texts of a picture with where they begin, in cells. */
function texts(captured: string): [number, string][] {
  const rows = readScreen(captured);
  const svg = drawSvg({ title: "", columns: 20, rows, cursor: [0, 0] });
  return [...svg.matchAll(/<text x="([\d.]+)"[^>]*>([^<]*)</g)]
    .map(([, x, text = ""]) => [Math.round((Number(x) - 14) / 8.4), text]);
}

Deno.test("readScreen() reads cells, their widths and their looks", () => {
  const [first, second] = readScreen(
    "a\x1b[2m日\x1b[0me\u0301\n\x1b[1;7;95mx\x1b[39my\n",
  );
  assertEquals(first, [
    { at: 0, cells: 1, text: "a", look: {} },
    { at: 1, cells: 2, text: "日", look: { dim: true } },
    { at: 3, cells: 1, text: "e\u0301", look: {} },
  ]);
  assertEquals(second?.map(({ look }) => look), [
    { bold: true, reverse: true, colour: 13 },
    { bold: true, reverse: true },
  ]);
  const [third] = readScreen("\x1b[1;38;5;208;4mx\x1b[my");
  assertEquals(third?.map(({ look }) => look), [
    { bold: true, colour: 208, underline: true },
    {},
  ]);
});

Deno.test("readScreen() refuses what the client never sends", () => {
  for (const captured of ["\x1b[2J", "a\rb", "\x1b[48;5;1m", "\x1b]0;x\x07"]) {
    assertThrows(() => readScreen(captured), SyntaxError, "Cannot draw");
  }
});

Deno.test("drawSvg() puts every text into its column, whatever is before it", () => {
  assertEquals(texts("12:00    3  日本 x\n \x1b[1mbold\x1b[0m plain"), [
    [0, "12:00 "],
    [9, "3 "],
    [12, "日"],
    [14, "本"],
    [17, "x"],
    [1, "bold"],
    [6, "plain"],
  ]);
});

Deno.test("drawSvg() shows markup as text, and the looks as attributes", () => {
  const draw = (captured: string) =>
    drawSvg({
      title: "<&>",
      columns: 20,
      rows: readScreen(captured),
      cursor: [0, 0],
    });
  const svg = draw(`</text><script>&amp;`);
  assertStringIncludes(svg, "&lt;/text&gt;&lt;script&gt;&amp;amp;</text>");
  assertStringIncludes(svg, "<title>&lt;&amp;&gt;</title>");
  assertStringIncludes(draw("\x1b[1mx"), `font-weight="bold">x`);
  assertStringIncludes(draw("\x1b[2mx"), `opacity="0.6">x`);
  assertStringIncludes(draw("\x1b[32mx"), `fill="#8fc36b">x`);
  assertStringIncludes(draw("\x1b[38;5;208mx"), `fill="#ff8700">x`);
  assertStringIncludes(draw("\x1b[38;5;12mx"), `fill="#8cc6ff">x`);
  assertStringIncludes(draw("\x1b[4mx"), `text-decoration="underline">x`);
  assertStringIncludes(draw("\x1b[32;7mx"), `fill="#8fc36b"/><text`);
});

Deno.test("the README's pictures are there, and are pictures", async () => {
  const root = new URL("../../../", import.meta.url);
  const readme = await Deno.readTextFile(new URL("README.md", root));
  const links = [...readme.matchAll(/!\[([^\]]+)\]\(([^)]+)\)/g)];
  assert(links.length >= 3);
  for (const [, words = "", path = ""] of links) {
    const svg = await Deno.readTextFile(new URL(path, root));
    assert(svg.startsWith("<svg ") && svg.endsWith("</svg>\n"), path);
    assert(words.length > 20, "nothing for who can't see it");
  }
});
