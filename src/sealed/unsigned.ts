/**
 * What the server of a sealed room tells by itself, and nobody signs: who is away, and who left. That it is so is shown,
 * but no words: they would be the server's.
 *
 * @module
 */

import type { LogEntry } from "../protocol/line.ts";
import { GOODBYES, isGoodbye, PLAIN_AWAY } from "../protocol/reasons.ts";

/** What is shown of why somebody is away; "" for who is there. */
export function shownAway(text: string): string {
  return text === "" ? "" : PLAIN_AWAY;
}

/** A line of the server's own as it is shown: of a leaving only reasons that the protocol knows. */
export function shownPresence(line: LogEntry): LogEntry {
  const { what, text } = line;
  const sentences: readonly string[] = Object.values(GOODBYES);
  const isKnown = what !== "left" || isGoodbye(text) ||
    sentences.includes(text);
  return isKnown ? line : { ...line, text: "left" };
}
