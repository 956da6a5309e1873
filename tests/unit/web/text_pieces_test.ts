/**
 * Tests of how the text of a message is cut into what looks one way.
 *
 * @module
 */

import type { Finders } from "../../../src/client/text/message_lines.ts";
import { textBlocks } from "../../../src/web/view/room/text_pieces.ts";
import { assertEquals } from "../../kit/assert.ts";

/** The blocks in short: code in backquotes, links in angle brackets, hits in braces, meant in stars. */
function blocks(text: string, finders?: Finders): string[] {
  return textBlocks(text, finders).map(({ isCode, pieces }) =>
    (isCode ? "code: " : "") + pieces.map((piece) => {
      const { text, link, isFound, isMeant } = piece;
      const marked = isFound ? `{${text}}` : isMeant ? `*${text}*` : text;
      if (link !== undefined) return `<${marked} ${link}>`;
      return piece.isCode && !isCode ? `\`${marked}\`` : marked;
    }).join("")
  );
}

Deno.test("a message keeps its lines, and code stands apart without its fences", () => {
  assertEquals(blocks("one\n\ntwo"), ["one\n\ntwo"]);
  assertEquals(blocks("see\n```ts\nlet a;\n\nlet b;\n```\nso"), [
    "see",
    "code: let a;\n\nlet b;",
    "so",
  ]);
});

Deno.test("code within a line loses the backquotes around it, and no others", () => {
  assertEquals(blocks("run `a` or ``b`c``."), ["run `a` or `b`c`."]);
  assertEquals(blocks("a ` b"), ["a ` b"]);
});

Deno.test("only web links are links, as addresses that are ASCII", () => {
  assertEquals(blocks("(https://a.example/b), javascript:alert(1)"), [
    "(<https://a.example/b https://a.example/b>), javascript:alert(1)",
  ]);
  assertEquals(blocks("`https://a.example/`"), ["`https://a.example/`"]);
});

Deno.test("hits and the own name are marked, also where both meet a link", () => {
  const found = /hut/giu;
  const meant = /ana/iv;
  assertEquals(blocks("Ana: the Hut, `ana`", { found, meant }), [
    "*Ana*: the {Hut}, `ana`",
  ]);
  assertEquals(blocks("https://hut.example/", { found }), [
    "<https:// https://hut.example/><{hut} https://hut.example/><.example/ https://hut.example/>",
  ]);
});

Deno.test("what could deceive a reader is escaped in every piece", () => {
  assertEquals(blocks("a\u202eb\n```\n\u001b[31m\n```"), [
    "a\\u202eb",
    "code: \\u001b[31m",
  ]);
});

Deno.test("a message has only so many marked pieces; the rest stands there as it was written", () => {
  const cases = ["`a` ", "http://a ", "ana "];
  for (const each of cases) {
    const text = each.repeat(400);
    const [block] = textBlocks(text, { meant: /ana/iv });
    const { pieces = [] } = block ?? {};
    assertEquals(pieces.length <= 130, true, `${pieces.length} pieces`);
    const marked = pieces.filter((it) => it.isCode || it.link || it.isMeant);
    assertEquals(marked.length, 64);
    assertEquals(pieces.at(-1)?.text.endsWith(each.repeat(300)), true);
  }
  const code = "```\n" + "x\n".repeat(200) + "```";
  assertEquals(textBlocks(code)[0]?.isCode, true);
});
