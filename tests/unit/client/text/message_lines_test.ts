/**
 * Tests of what is found in the text of a message.
 *
 * @module
 */

import {
  type Finders,
  messageLines,
  wordFinder,
} from "../../../../src/client/text/message_lines.ts";
import { finder } from "../../../../src/client/text/mentions.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";
import { ATTACKS } from "../../../kit/terminal_setup.ts";

/** What is in a text: its stretches with their kinds. */
function spansIn(text: string, finders?: Finders): string[] {
  return messageLines(text, finders).flatMap(({ text, spans }) =>
    spans.map(({ kind, start, end }) => `${kind} ${text.slice(start, end)}`)
  );
}

Deno.test("messageLines() tells code, links, what was searched for and who is meant apart", () => {
  const finders = { found: wordFinder("see"), meant: finder(["ana"]) };
  assertEquals(spansIn("Ana, see `x = ana` at https://a.b/see.", finders), [
    "code `x = ana`",
    "link https://a.b/see",
    "found see",
    "found see",
    "meant Ana",
  ]);
  assertEquals(spansIn("```\nana\n```\nana, ANA", finders), [
    "code ```",
    "code ana",
    "code ```",
    "meant ana",
    "meant ANA",
  ]);
});

Deno.test("messageLines() finds the same again: a finder that is tested with keeps no place", () => {
  const meant = finder(["ana"]);
  assert(meant?.test("ana"));
  const once = spansIn("ana", { meant });
  assertEquals(once, ["meant ana"]);
  assertEquals(spansIn("ana", { meant }), once);
});

Deno.test("messageLines() says how code is quoted, and where a block begins and ends", () => {
  const quotes = (text: string) =>
    messageLines(text).flatMap(({ spans }) =>
      spans.flatMap((span) => span.kind === "code" ? span.quotes : [])
    );
  assertEquals(quotes("`a` ``b`c`` ```d```"), [1, 2, 3]);
  assertEquals(quotes("```\n`a`\n```"), [0, 0, 0]);
  assertEquals(
    messageLines("a\n```ts\nb\n ```\nc").map(({ isCode, isFence }) => [
      isCode,
      isFence,
    ]),
    [[false, false], [true, true], [true, false], [true, true], [false, false]],
  );
});

Deno.test("messageLines() says where a link leads, but not of one that only this program opens", () => {
  const hrefs = (text: string) =>
    messageLines(text).flatMap(({ spans }) =>
      spans.flatMap((span) => span.kind === "link" ? [span.href] : [])
    );
  assertEquals(hrefs("https://bücher.example/x chat://192.0.2.7:5000/#abc"), [
    "https://xn--bcher-kva.example/x",
    undefined,
  ]);
  assertEquals(hrefs("javascript:alert(1) data:text/html,x file:///x"), []);
  for (const attack of ATTACKS) {
    for (const href of hrefs(`https://a.example/${attack}x`)) {
      assert(/^https?:[!-~]*$/.test(href ?? "https:"), href);
    }
  }
});
