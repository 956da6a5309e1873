/**
 * What it means that a line has the words of a search.
 *
 * @module
 */

import {
  fold,
  hasWords,
  searchWords,
} from "../../../src/protocol/search_words.ts";
import { assertEquals } from "../../kit/assert.ts";

Deno.test("fold() makes one of what differs in case, and in how a character is written", () => {
  const same = [
    ["Hello", "HELLO"],
    ["Straße", "STRASSE"],
    ["ΟΔΟΣ", "οδος", "οδοσ"],
    ["ﬁ", "FI"],
    ["Ａｎｎ", "ann"],
    ["José", "JOSE\u0301"],
  ];
  for (const [first = "", ...others] of same) {
    for (const other of others) assertEquals(fold(other), fold(first));
  }
});

Deno.test("searchWords() are the words between any white space, folded", () => {
  assertEquals(searchWords("  The\tHUT\u3000Ä\n"), ["the", "hut", "ä"]);
  assertEquals(searchWords(" \n"), []);
});

Deno.test("hasWords() wants each word in the name or in what the line says by now", () => {
  const line = { what: "said", name: "Ann" } as const;
  const said = "See the hut";
  const searches = [
    ["hut see"],
    ["ann hut"],
    ["ANN"],
    ["", null],
    ["see ben", said, false],
    ["ann", null, false], // it was deleted
  ] as const;
  for (const [text, words = said, has = true] of searches) {
    assertEquals(hasWords(searchWords(text), line, words), has, text);
  }
});

Deno.test("hasWords() finds who left by the name, and not by the code of the reason", () => {
  const line = { what: "left", name: "Ann" } as const;
  assertEquals(hasWords(["ann"], line, "lost"), true);
  assertEquals(hasWords(["lost"], line, "lost"), false);
});
