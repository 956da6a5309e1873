/**
 * News in the sentences that a person reads, at a terminal as on a pipe; what others wrote is escaped.
 *
 * @module
 */

import type { News, RoomNews } from "./view.ts";
import { escapeText, quote } from "../base/safe_text.ts";
import { sentence } from "../protocol/line.ts";
import { reasonWords, refusedDeed } from "../protocol/reasons.ts";

/** One kind of news. */
export type NewsOf<T extends News["type"]> = Extract<News, { type: T }>;

const escapes = { name: escapeText, words: escapeText };

/** What somebody did: `ann: hello`, `ann joined`. */
export function lineSentence(line: RoomNews): string {
  return sentence({ ...line, what: line.type }, escapes);
}

/** Who is away from the keyboard, or back: `ann is away: lunch`. */
export function awaySentence({ name, text }: NewsOf<"away-message">): string {
  const who = escapeText(name);
  return text === "" ? `${who} is back` : `${who} is away: ${escapeText(text)}`;
}

/** A link that was made: `Invite for Rahul: chat://…`. */
export function inviteSentence({ link, note }: NewsOf<"invited">): string {
  return `Invite${note === "" ? "" : ` (${escapeText(note)})`}: ${link}`;
}

/** What was refused, and why: `Not sent: "hello": The room is full`. */
export function refusalSentence(
  { text, reason, detail }: NewsOf<"refused">,
): string {
  const why = escapeText(reasonWords(reason, detail));
  return `${refusedDeed(reason)} ${quote(text)}: ${why}`;
}
