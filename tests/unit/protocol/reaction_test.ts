/**
 * Tests of which texts are one emoji.
 *
 * @module
 */

import { isEmoji, SHORT_NAMES } from "../../../src/protocol/reaction.ts";
import { assert } from "../../kit/assert.ts";

const EMOJI = ["👍", "👍🏽", "❤️", "👨‍👩‍👧‍👦", "🇮🇳", "1️⃣", "#⃣", "🏳️‍🌈", "☺"];
const OTHERS = [
  "",
  "a",
  "1",
  "yes",
  "👍👍",
  "👍 ",
  " 👍",
  "a⃣",
  "\u060099",
  "\u0600👍",
  "Z" + "\u0336".repeat(28) + "\u20e3",
  "🇮",
  "👍" + "\u200d👍".repeat(20),
];

Deno.test("isEmoji() takes one emoji, and nothing else", () => {
  for (const text of EMOJI) assert(isEmoji(text), text);
  for (const text of OTHERS) assert(!isEmoji(text), JSON.stringify(text));
});

Deno.test("every short name is an emoji's", () => {
  for (const [name, text] of Object.entries(SHORT_NAMES)) {
    assert(isEmoji(text), name);
  }
});
