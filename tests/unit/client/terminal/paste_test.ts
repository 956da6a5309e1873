/**
 * Tests of keys and pastes, however the bytes are cut.
 *
 * @module
 */

import {
  cleanPaste,
  PasteSplitter,
} from "../../../../src/client/terminal/paste.ts";
import { assertEquals } from "../../../kit/assert.ts";

/** What comes out for these pieces; keys that come together are one. */
function split(...pieces: (string | Uint8Array)[]): [string, string][] {
  const out: [string, string][] = [];
  const splitter = new PasteSplitter({
    keys(text) {
      const last = out.at(-1);
      if (last?.[0] === "keys") last[1] += text;
      else out.push(["keys", text]);
    },
    paste: (text) => void out.push(["paste", text]),
  });
  for (const piece of pieces) {
    const isText = typeof piece === "string";
    splitter.push(isText ? new TextEncoder().encode(piece) : piece);
  }
  return out;
}

const TYPED =
  "a\x1b[A\x1b[200~one\r日本\n\x1b[Bthree\x1b[201~é\x1b[200~\x1b[201~\r";
const EXPECTED: [string, string][] = [
  ["keys", "a\x1b[A"],
  ["paste", "one\r日本\n\x1b[Bthree"],
  ["keys", "é"],
  ["paste", ""],
  ["keys", "\r"],
];

/** Whether what was typed first ends with so much of the mark of a paste. */
function isCutMark(start: string, much: string): boolean {
  const before = start.slice(0, start.length - much.length);
  return start.endsWith(much) && TYPED.startsWith(`${before}\x1b[200~`);
}

Deno.test("PasteSplitter tells keys and pastes apart", () => {
  assertEquals(split(TYPED), EXPECTED);
});

Deno.test("PasteSplitter does so wherever the bytes are cut after a mark has begun", () => {
  const bytes = new TextEncoder().encode(TYPED);
  for (let at = 0; at <= bytes.length; at++) {
    const pieces = [bytes.subarray(0, at), bytes.subarray(at)];
    const start = new TextDecoder().decode(pieces[0]);
    // The start of the mark that is also a key: it can't be told apart, and isn't held back.
    if (["\x1b", "\x1b["].some((key) => isCutMark(start, key))) continue;
    assertEquals(split(...pieces), EXPECTED, `cut at ${at}`);
  }
});

Deno.test("PasteSplitter passes the Escape key and arrows on at once", () => {
  for (
    const key of ["\x1b", "\x1b[", "\x1b[A", "\x1b[2~", "\x1b[3~", "\x1b[1;5C"]
  ) {
    assertEquals(split(key), [["keys", key]]);
  }
});

Deno.test("PasteSplitter keeps no more of a paste than can be refused", () => {
  const [paste, keys] = split(
    "\x1b[200~",
    ...Array.from({ length: 100 }, () => "x".repeat(1_000)),
    "\x1b[201~y",
  );
  assertEquals(paste?.[1].length, 65_536);
  assertEquals(keys, ["keys", "y"]);
});

Deno.test("cleanPaste() leaves nothing in a text that commands a terminal", () => {
  const cases: [string, string][] = [
    ["one\r\ntwo\rthree\n\n", "one\ntwo\nthree"],
    ["\tx\x1b[31m\x9b\x07\x7f\0", "    x[31m"],
    ["日本 😀", "日本 😀"],
    ["\n", ""],
  ];
  for (const [text, clean] of cases) assertEquals(cleanPaste(text), clean);
});
