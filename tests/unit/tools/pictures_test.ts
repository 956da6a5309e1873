/**
 * Tests of how a terminal's screen becomes a picture, and of the pictures that the README shows.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
  assertThrows,
} from "../../kit/assert.ts";
import { runToEnd } from "../../kit/command.ts";
import { readScreen } from "../../../tools/pictures/cells.ts";
import { drawSvg } from "../../../tools/pictures/svg.ts";

/** What a picture may take, bytes: everybody who looks at the README loads it. */
const MAX_PICTURE = 100_000;

/** The texts of a picture: the cell in which each begins or, if it is centred, has its middle; how it is placed. */
function texts(captured: string): [number, string, string?][] {
  const rows = readScreen(captured);
  const svg = drawSvg({ title: "", columns: 20, rows, cursor: [0, 0] });
  const found = svg.matchAll(
    /<text x="([\d.]+)" (textLength="[\d.]+"(?: lengthAdjust="\w+")?|text-anchor="middle")?[^>]*>([^<]*)</g,
  );
  return Array.from(found, ([, x, placed, text = ""]) => {
    const at = Math.round((Number(x) - 14) / 4.2) / 2;
    return placed === undefined ? [at, text] : [at, text, placed];
  });
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
    [0, "12:00", 'textLength="42"'],
    [9, "3"],
    [13, "日", 'text-anchor="middle"'],
    [15, "本", 'text-anchor="middle"'],
    [17, "x"],
    [1, "bold", 'textLength="33.6"'],
    [6, "plain", 'textLength="42"'],
  ]);
});

Deno.test("drawSvg() stretches no letter: what not every font has as wide stands alone", () => {
  assertEquals(texts("* \x1b[34mRahul\x1b[0m up 🎉!\ncafé नम ✓ ok"), [
    [0, "*"],
    [2, "Rahul", 'textLength="42"'],
    [8, "up", 'textLength="16.8"'],
    [12, "🎉", 'text-anchor="middle"'],
    [13, "!"],
    [0, "caf", 'textLength="25.2"'],
    [3.5, "é", 'text-anchor="middle"'],
    [5.5, "न", 'text-anchor="middle"'],
    [6.5, "म", 'text-anchor="middle"'],
    [8.5, "✓", 'text-anchor="middle"'],
    [10, "ok", 'textLength="16.8"'],
  ]);
});

Deno.test("drawSvg() draws a rule and a bar without gaps", () => {
  const stretched = 'lengthAdjust="spacingAndGlyphs"';
  assertEquals(texts("── now ───\n▓▓░"), [
    [0, "──", `textLength="16.8" ${stretched}`],
    [3, "now", 'textLength="25.2"'],
    [7, "───", `textLength="25.2" ${stretched}`],
    [0, "▓▓", `textLength="16.8" ${stretched}`],
    [2, "░", `textLength="8.4" ${stretched}`],
  ]);
});

Deno.test("drawSvg() gives reversed text one ground, spaces included", () => {
  const rows = readScreen("\x1b[7ma  b\x1b[0m");
  const svg = drawSvg({ title: "", columns: 20, rows, cursor: [9, 0] });
  const ground =
    `<rect x="14" y="14" width="33.6" height="18" fill="#d7dae0"/>`;
  assertEquals(svg.split(ground).length, 2);
  assertEquals(svg.match(/<text [^>]*fill="#16191f">/g)?.length, 2);
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
  assertMatch(
    draw("\x1b[32;7mx"),
    /fill="#8fc36b"\/>\n<text [^>]*fill="#16191f">x/,
  );
});

Deno.test("the README's pictures are there, and are pictures", async () => {
  const root = new URL("../../../", import.meta.url);
  const readme = await Deno.readTextFile(new URL("README.md", root));
  const links = [
    ...readme.matchAll(/!\[([^\]]+)\]\(([^)]+)\)/g),
    ...readme.matchAll(/<img (?=[^>]*alt="([^"]*)")[^>]*src="([^"]*)"/g),
  ];
  assert(links.length >= 3);
  for (const [, words = "", path = ""] of links) {
    assert(words.length > 10, "nothing for who can't see it");
    if (path.endsWith(".png")) {
      const bytes = await Deno.readFile(new URL(path, root));
      assertEquals(bytes.subarray(1, 4), new TextEncoder().encode("PNG"), path);
      assert(bytes.length < MAX_PICTURE, `${path}: ${bytes.length} bytes`);
      continue;
    }
    const svg = await Deno.readTextFile(new URL(path, root));
    assert(svg.startsWith("<svg ") && svg.endsWith("</svg>\n"), path);
    // As drawSvg() writes them: formatting leaves them alone.
    assertMatch(svg, /^(<(svg|title|rect|g|text|\/g|\/svg)\b[^\n]*>\n)+$/);
  }
  const check = [Deno.execPath(), "fmt", "--check", "--permit-no-files"];
  const { code, stderr } = await runToEnd([...check, "docs/pictures"], {
    cwd: root,
  });
  assertEquals(code, 0, stderr);
});
