/**
 * News in the sentences that a person reads, at a terminal as on a pipe; what others wrote is escaped.
 *
 * @module
 */

import type { Holes } from "./chain_compare.ts";
import type { News, Unreadable } from "./view.ts";
import { inviteCommand } from "../base/program.ts";
import { escapeText, quote } from "../base/safe_text.ts";
import { formatSize } from "../protocol/offer.ts";
import type { Line } from "../protocol/line.ts";
import {
  GOODBYES,
  PLAIN_AWAY,
  reasonWords,
  refusedDeed,
  wording,
} from "../protocol/reasons.ts";

/** One kind of news. */
export type NewsOf<T extends News["type"]> = Extract<News, { type: T }>;

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
  if (text === "") return `${who} is back`;
  return text === PLAIN_AWAY
    ? `${who} is away`
    : `${who} is away: ${escapeText(text)}`;
}

/** What somebody wrote to somebody alone: `ann to bob alone: hello`. */
export function privateSentence(news: NewsOf<"private">): string {
  const { name, to, text } = news;
  const head = `${escapeText(name)} to ${escapeText(to.name)} alone`;
  const kept = keptSentence(news);
  return `${head}: ${escapeText(text)}${kept === "" ? "" : ` (${kept})`}`;
}

/** That a message waits: `kept until bob is back, at most 7 days`; empty where it doesn't. */
export function keptSentence({ state, to }: NewsOf<"private">): string {
  if (state !== "waiting") return "";
  return `kept until ${escapeText(to.name)} is back, at most 7 days`;
}

const UNREAD: Readonly<Record<Unreadable, string>> = {
  altered: "it was altered, or is not theirs",
  old: "it is more than 8 days old",
  early: "by this machine's clock it comes from more than a day ahead",
  unknown: "the server does not show whose it is",
};

/** Why a private message isn't shown: `A private message from ann is not shown: it was altered, or is not theirs`. */
export function unreadSentence(
  { name, own, reason }: NewsOf<"private-unread">,
): string {
  const who = own ? "yourself" : escapeText(name);
  return `A private message from ${who} is not shown: ${UNREAD[reason]}`;
}

/** Who has a file that is offered here: `ann took hut.jpg`. */
export function takenSentence({ name, file }: NewsOf<"taken">): string {
  return `${escapeText(name)} took ${escapeText(file)}`;
}

/** A link that was made: `Invite (Rahul): chat://…`. */
export function inviteSentence(
  { link, web, note }: NewsOf<"invited">,
): string {
  const whose = note === "" ? "" : ` (${escapeText(note)})`;
  const others = web === undefined ? "" : `, in a browser: ${web}`;
  return `Invite${whose}: ${link}${others}`;
}

/** The same with a line for each link, which is easily copied so, and what there is to know of it. */
export function inviteSentences(
  { web, ...news }: NewsOf<"invited">,
): string[] {
  const others = web === undefined ? [] : [`In a browser: ${web}`];
  const local = localLinkSentence(news.link);
  // A founder is told so with what else there is to know of its link.
  const hint = local === undefined || news.founding ? [] : [local];
  return [inviteSentence(news), ...others, ...hint];
}

/** What is to be known of a link that leads only to the machine on which it is used; undefined for another. */
export function localLinkSentence(link: string): string | undefined {
  const [, place = ""] = /^\w+:\/\/([^/#]*)/.exec(link) ?? [];
  const isLocal = place.split(",").every((it) =>
    /^(127\.|\[::1\]|localhost(:|$))/.test(it)
  );
  return isLocal
    ? `That link works on this machine alone: in place of ${place}, write where others find the server. Join by that address yourself, and /invite writes it`
    : undefined;
}

/**
 * Why somebody can't go by a name: `The name "Ann" is taken (ann, k3df-9q2m-x7ta-41cz, since 2026-11-20)`.
 * @param detail Who has it: their name, which has no comma, and after a comma what else there is to know.
 */
export function nameTaken(name: string, detail: string): string {
  const [shown = ""] = detail.split(",");
  const isSame = shown.toLowerCase() === name.toLowerCase();
  const state = isSame ? "is taken" : "looks like one that is taken";
  return `The name ${quote(name)} ${state} (${escapeText(detail)})`;
}

/** What was refused, and why: `Not sent: "hello": The room is full`. */
export function refusalSentence(
  { text, reason, detail }: NewsOf<"refused">,
): string {
  if (reason === "name-taken" && detail !== "") {
    return `${nameTaken(text, detail)}: choose another`;
  }
  const why = escapeText(reasonWords(reason, detail));
  return `${refusedDeed(reason)} ${quote(text)}: ${why}`;
}

/** Why something that was asked for isn't done; where only operators may, who else can help. */
export function undoneSentence(
  { reason, detail }: Pick<NewsOf<"refused">, "reason" | "detail">,
): string {
  const why = reasonWords(reason, detail);
  return reason === "not-operator"
    ? `${why}: the server's owner names them by --operator ID, and invites by ${inviteCommand()}`
    : why;
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
      return reason === ""
        ? `Saved ${escapeText(path)}; checksum verified`
        : `${name} is here already, unchanged: ${escapeText(path)}`;
    case "failed": {
      if (news.dropped) {
        const kept = got > 0 ? ` (${formatSize(got)} are kept)` : "";
        return `Stopped downloading ${name}${kept}. /get ${offer} goes on`;
      }
      const again = got > 0 && got < size ? "goes on with it" : "tries again";
      const next = news.again === false ? "" : `. /get ${offer} ${again}`;
      return `${name} was not downloaded: ${reason}${next}`;
    }
  }
}

/** Where the client is now: `Joined 192.0.2.7:5000 as ann; 2 others are here. /help shows the commands.` */
export function welcomeSentence(
  { address, name, others }: NewsOf<"entered">,
): string {
  const company = others === 0
    ? "nobody else is here"
    : others === 1
    ? "1 other is here"
    : `${others} others are here`;
  const place = `${escapeText(address)} as ${escapeText(name)}`;
  return `Joined ${place}; ${company}. /help shows the commands.`;
}

/**
 * What was missed of others, and what is sent now: `Back. Missed 3 messages and 1 change; sent 1.`; by another server
 * than before: `Back at 192.0.2.8:5000. Missed nothing.`
 */
export function backSentence(
  { address, moved, waiting }: NewsOf<"entered">,
  said: number,
  changes: number,
): string {
  const missed = [
    said > 0 ? counted(said, "message") : "",
    changes > 0 ? counted(changes, "change") : "",
  ].filter((part) => part !== "").join(" and ");
  const sent = waiting > 0 ? `; sent ${waiting}` : "";
  const place = moved ? ` at ${escapeText(address)}` : "";
  return `Back${place}. Missed ${missed || "nothing"}${sent}.`;
}

/** What a person should know where the history isn't what was seen. */
export function differenceSentence(
  { from, exact, untold }: NewsOf<"history-differs">,
): string {
  if (untold) {
    return `WARNING: the server no longer tells what history up to line ${from} was, which it told before: a restored backup, or tampering. /accept goes on`;
  }
  const where = exact ? `line ${from} on` : `line ${from} on, or earlier`;
  return `WARNING: history differs from what you saw, from ${where}: a restored backup, or tampering. /accept goes on`;
}

/** What a person should know where the server's log begins behind what was seen, as it says. */
export function laterLogSentence(seen: number): string {
  return `The server's log begins later by now: it cannot tell whether history is still what you saw up to line ${seen}. /accept goes on`;
}

/** What a person should know of lines that the server left out. */
export function holesSentence({ from, upTo, count }: Holes): string {
  const [lines, isThere, those] = count === 1
    ? [`line ${from}`, "something else is", "it"]
    : [`${count} of the lines ${from} to ${upTo}`, "other things are", "them"];
  return `WARNING: the server does not show ${lines}: ${isThere} in its log there, or it hides ${those}. /agree tells whether others see the same`;
}

/** What to do about something that doesn't fit in a sealed room. */
export const WARNING_ADVICE =
  "The server, or somebody's own client, brings that about, not the network: ask that person by another way, and tell the room's keepers";

/** What a person should know who comes back after more than a week. @param absence ms. */
export function absenceSentence(absence: number): string {
  const days = Math.floor(absence / 86_400_000);
  return `This machine was last here ${days} days ago. Private messages wait for 7 days: older ones did not come to it`;
}

/** What to compare with others: `History up to line 42: 01234 …`. */
export function agreementSentence(
  { upTo, digits }: NewsOf<"agreement">,
): string {
  return `History up to line ${upTo}: ${digits}`;
}

/** Why the connection is gone: `Connection lost. Trying again in 2 s; what you type is kept.` */
export function disconnectedSentence(news: NewsOf<"disconnected">): string {
  const why = wording(GOODBYES, news.reason);
  const sentence = escapeText(why.charAt(0).toUpperCase() + why.slice(1));
  return `${sentence}. ${nextAttempt(news)}; what you type is kept.`;
}

/** What is done about that: `Trying again in 2 s`, `Trying 192.0.2.8:5000`. */
export function nextAttempt(
  { seconds, next = "again" }: NewsOf<"disconnected">,
): string {
  return seconds === 0
    ? `Trying ${escapeText(next)}`
    : `Trying again in ${Math.ceil(seconds)} s`;
}

/** A number of things: `1 line`, `2 lines`. */
export function counted(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? "" : "s"}`;
}
