/**
 * Texts that remind of a message.
 *
 * @module
 */

import { escapeText } from "../../../base/safe_text.ts";

/** The longest reminder, characters. */
const MAX_LENGTH = 200;

/** The first words of a text on one line, escaped. */
export function shortened(text: string): string {
  const start = text.slice(0, MAX_LENGTH * 2).replace(/\s+/gu, " ");
  const words = [...start];
  const isCut = words.length > MAX_LENGTH || text.length > MAX_LENGTH * 2;
  return escapeText(words.slice(0, MAX_LENGTH).join("")) + (isCut ? "…" : "");
}
