/**
 * The commands that only operators may use: a table, as in `commands.ts`.
 *
 * @module
 */

import { quote } from "../../base/safe_text.ts";
import {
  MAX_DAYS,
  MAX_NOTE,
  MAX_SLOW,
  MAX_TOPIC,
} from "../../protocol/reasons.ts";
import {
  ANYTHING,
  type Command,
  type CommandContext,
  COUNT,
  NOTHING,
} from "./command.ts";

/** How many days an invite lasts that is made here. */
const INVITE_DAYS = 7;

/** What operators may do, in the order in which `/help operators` shows it. */
export const OPERATOR_COMMANDS: readonly Command[] = [
  {
    name: "/invite",
    args: "[NOTE]",
    help: "Make a link that lets in one person within 7 days",
    more:
      `You are shown the link: send it by a way that you trust. NOTE, as for whom it is, of at most ${MAX_NOTE} characters, stands beside it in /invites.`,
    example: "/invite Rahul",
    takes: /^(?:for\s+)?(.*)$/is,
    run: invite,
  },
  {
    name: "/invites",
    args: "",
    help: "List the invites that are open",
    more: "The number of an invite is for /revoke.",
    example: "/invites",
    takes: NOTHING,
    run: ({ operate }) => operate("invites"),
  },
  {
    name: "/revoke",
    args: "N",
    help: "Close invite N",
    more:
      "It lets in nobody more; those who came by it stay. /invites shows the numbers.",
    example: "/revoke 460243745",
    takes: new RegExp(`^${COUNT}$`),
    run: ({ operate }, id) => operate("revoke", id),
  },
  {
    name: "/kick",
    args: "NAME",
    help: "Remove NAME, who may come back",
    more:
      "It ends all connections of that person. In a sealed room NAME comes back by a new invite alone, and reads nothing that is said from then on; all open invites end. NAME may be an id.",
    example: "/kick eve",
    takes: /^(\S+)$/,
    offers: ["names"],
    run: (context, who = "") => {
      if (!isOneself(context, "remove", who)) context.operate("kick", who);
    },
  },
  {
    name: "/ban",
    args: "NAME [DAYS]",
    help: "Remove NAME, for DAYS or for good, and replace NAME's link",
    more:
      `Where that person came by the room's link, the room gets a new one. DAYS are 1 to ${MAX_DAYS}. In a sealed room it is as /kick, and no invite lets NAME in again: leave out DAYS. NAME may be an id.`,
    example: "/ban eve 30",
    takes: new RegExp(String.raw`^(\S+)(?:\s+${COUNT})?$`),
    offers: ["names"],
    run: ban,
  },
  {
    name: "/unban",
    args: "NAME",
    help: "Let NAME come in again",
    more: "/bans shows the names, and the ids, which may be given instead.",
    example: "/unban eve",
    takes: /^(\S+)$/,
    run: ({ operate }, who) => operate("unban", who),
  },
  {
    name: "/bans",
    args: "",
    help: "List who is banned",
    more: "It shows until when, too.",
    example: "/bans",
    takes: NOTHING,
    run: ({ operate }) => operate("bans"),
  },
  {
    name: "/op",
    args: "NAME",
    help: "Make NAME an operator",
    more:
      "Operators may do all that you may. In a sealed room it is as /keeper. NAME may be an id.",
    example: "/op Rahul",
    takes: /^(\S+)$/,
    offers: ["names"],
    run: ({ operate }, who) => operate("op", who),
  },
  {
    name: "/deop",
    args: "NAME",
    help: "Make NAME an operator no longer",
    more:
      "NAME may be an id; for yourself, add yes: /deop Abhii yes. In a sealed room it is for yourself alone: it removes you, while there is another keeper, who can invite you again.",
    example: "/deop Rahul",
    takes: /^(\S+)(?:\s+(yes))?$/,
    offers: ["names"],
    run: deop,
  },
  {
    name: "/keeper",
    args: "NAME",
    help: "Make NAME a keeper, in a sealed room",
    more:
      "Keepers invite and remove members, and see to it that each has the room's key. If a room has one alone and that identity is lost, nobody can be invited or removed any more. NAME may be an id.",
    example: "/keeper Rahul",
    takes: /^(\S+)$/,
    offers: ["names"],
    run: ({ operate }, who) => operate("keeper", who),
  },
  {
    name: "/topic",
    args: "[TEXT]",
    help: "Set the topic; without TEXT: none",
    more:
      `Everybody sees it now, and newcomers when they come. It has at most ${MAX_TOPIC} characters.`,
    example: "/topic Rehearsal at five",
    takes: ANYTHING,
    offers: ["text"],
    run: topic,
  },
  {
    name: "/slow",
    args: "SECONDS",
    help: "Slow mode: one message of a member every SECONDS; 0: off",
    more: `SECONDS are at most ${MAX_SLOW}. Operators are not slowed.`,
    example: "/slow 30",
    takes: /^(\d{1,15})$/,
    run: slow,
  },
];

function invite({ operate, note }: CommandContext, about = ""): void {
  if (about.length <= MAX_NOTE) {
    return operate("invite", String(INVITE_DAYS), about, 1);
  }
  note(`Cannot make an invite: NOTE has more than ${MAX_NOTE} characters`);
}

function ban(context: CommandContext, who = "", days = "0"): void {
  if (Number(days) > MAX_DAYS) {
    context.note(`Cannot ban ${quote(who)}: DAYS are 1 to ${MAX_DAYS}`);
  } else if (!isOneself(context, "ban", who)) {
    context.operate("ban", who, "", Number(days));
  }
}

function topic({ operate, note }: CommandContext, text = ""): void {
  if (text.length <= MAX_TOPIC) return operate("topic", "", text);
  note(`Cannot set the topic: it has more than ${MAX_TOPIC} characters`);
}

function slow({ operate, note }: CommandContext, seconds?: string): void {
  if (Number(seconds) <= MAX_SLOW) {
    return operate("slow", "", "", Number(seconds));
  }
  note(`Cannot set slow mode: SECONDS are 0 to ${MAX_SLOW}`);
}

/** Whether somebody is the one who asks, who is told that it can't be done. */
function isOneself(
  { find, isSelf, note }: CommandContext,
  deed: string,
  who: string,
): boolean {
  const person = find(who);
  if (!person || !isSelf(person)) return false;
  note(`Cannot ${deed} ${quote(who)}: that is you. /quit leaves the room`);
  return true;
}

/** Makes somebody no operator, but who asks only if that is meant. */
function deop(
  { find, isSelf, keepers, operate, note }: CommandContext,
  who = "",
  yes?: string,
): void {
  const person = find(who);
  if (yes !== undefined || !person || !isSelf(person)) {
    return operate("deop", who);
  }
  const what = keepers()
    ? "it removes you from the room, and only another keeper could invite you again"
    : "only another operator, or the server's owner, could undo it";
  note(`That is you: ${what}. If you mean it: /deop ${who} yes`);
}
