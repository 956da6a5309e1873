/**
 * Texts in rows that end between words.
 *
 * @module
 */

import { fitted, wordRows } from "../../../src/base/word_rows.ts";
import { assertEquals } from "../../kit/assert.ts";

Deno.test("wordRows() breaks between words, and leaves whole what no row is wide enough for", () => {
  assertEquals(wordRows("one two three", 8), ["one two", "three"]);
  assertEquals(wordRows("one two three", 13), ["one two three"]);
  assertEquals(wordRows("a chat://192.0.2.7:5000 b", 8), [
    "a",
    "chat://192.0.2.7:5000",
    "b",
  ]);
  assertEquals(wordRows("", 8), [""]);
});

Deno.test("fitted() breaks the lines that are too long, and no other", () => {
  const text = "one  two   three\n  four five six\n\nseven\n";
  assertEquals(fitted(text, 16), text);
  assertEquals(
    fitted(text, 12),
    "one  two  \nthree\n  four five\nsix\n\nseven\n",
  );
  assertEquals(fitted(text, Infinity), text);
});

Deno.test("fitted() keeps a command at the end whole, in a row of its own where it doesn't fit", () => {
  const command = "mkdir room && deno task server --port 5001";
  assertEquals(
    fitted(`It serves already; for another room: ${command}\nDone`, 20),
    `It serves already;\nfor another room:\n${command}\nDone`,
  );
  assertEquals(
    fitted(`It serves already: ${command}`, 62),
    `It serves already: ${command}`,
  );
});
