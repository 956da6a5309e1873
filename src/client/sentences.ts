/**
 * News in the sentences that a person reads, at a terminal as on a pipe; what others wrote is escaped.
 *
 * @module
 */

import type { Changed } from "./changes.ts";
import type { News, RoomNews } from "./view.ts";
import { escapeText, quote } from "../base/safe_text.ts";
import { formatSize } from "../protocol/offer.ts";
import { type Line, sentence } from "../protocol/line.ts";
import { reasonWords, refusedDeed } from "../protocol/reasons.ts";

/** One kind of news. */
export type NewsOf<T extends News["type"]> = Extract<News, { type: T }>;

/** What stands in place of words that were taken back. */
export const DELETED = "(deleted)";

const escapes = { name: escapeText, words: escapeText };

/**
 * What somebody did: `ann: hello`, `ann: hi (edited) [👍 bob, cy]`, `ann: (deleted)`, `ann reacts to 42: 👍 ("hi")`,
 * `ann joined`.
 */
export function lineSentence(line: RoomNews): string {
  const { changed, name, type, quoted } = line;
  if (changed?.deleted) return `${escapeText(name)}: ${DELETED}`;
  const said = sentence({ ...line, what: type }, escapes);
  if ((type === "deleted" || type === "reacted") && quoted?.text) {
    return `${said} (${quote(quoted.text)})`;
  }
  const edited = changed?.edited ? " (edited)" : "";
  const reactions = changed ? reactionWords(changed) : "";
  return `${said}${edited}${reactions === "" ? "" : ` [${reactions}]`}`;
}

/** Who reacts how: `👍 bob, cy  🎉 ann`; empty if nobody does. */
export function reactionWords({ reactions }: Changed): string {
  const names = Map.groupBy(reactions, ({ text }) => text);
  return [...names].map(([text, by]) =>
    `${escapeText(text)} ${by.map(({ name }) => escapeText(name)).join(", ")}`
  ).join("  ");
}

/** A line that isn't sent, as its sender would know it: its text, or how it is typed. */
export function typedText(
  { what = "said", to, text }: Omit<Line, "n">,
): string {
  if (what === "deleted") return `/delete ${to}`;
  return what === "reacted" ? `/react ${to} ${text}`.trim() : text;
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

/** What may be lost: `May not have been sent: hello`. */
export function lostSentence({ text }: NewsOf<"lost">): string {
  return `May not have been sent: ${escapeText(text)}`;
}

/** How a file that is being taken begins, waits and ends; empty while it comes. */
export function fileSentence(news: NewsOf<"file">): string {
  const { offer, got, size, state, path } = news;
  const name = escapeText(news.name);
  const reason = escapeText(news.reason);
  switch (state) {
    case "begun": {
      const start = got > 0 ? ` from ${formatSize(got)} on` : "";
      return `Downloading ${name} (${formatSize(size)})${start}`;
    }
    case "taking":
      return "";
    case "waiting":
      return `${name} is waiting: ${reason}`;
    case "taken":
      return `Saved ${escapeText(path)}; checksum verified`;
    case "failed":
      return `${name} was not downloaded: ${reason}. /get ${offer} tries again`;
  }
}
