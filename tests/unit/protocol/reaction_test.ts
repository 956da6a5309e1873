/**
 * Tests of which texts are one emoji.
 *
 * @module
 */

import { isEmoji, SHORT_NAMES } from "../../../src/protocol/reaction.ts";
import { assert } from "../../kit/assert.ts";

/** One of as many UTF-16 units as an emoji may have: 32. */
const FAMILY = "👍" + "\u200d👍".repeat(10);

const EMOJI = ["👍", "👍🏽", "❤️", "👨‍👩‍👧‍👦", "🇮🇳", "1️⃣", "#⃣", "🏳️‍🌈", "☺", FAMILY];
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
  FAMILY + "\ufe0f",
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
