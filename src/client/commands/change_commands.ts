/**
 * The commands that change what was said: other words, none any more, an emoji.
 *
 * @module
 */

import { SHORT_NAMES } from "../../protocol/reaction.ts";
import { type Command, type CommandContext, COUNT } from "./command.ts";

/** The rows of the table for them. */
export const CHANGE_COMMANDS: readonly Command[] = [
  {
    name: "/edit",
    args: "[N] TEXT",
    help: "Give your message N, or your last one, other words",
    more:
      "Everybody is shown the new words beside the old ones. The server's log keeps both.",
    example: "/edit 42 at six, not at five",
    takes: new RegExp(String.raw`^(?:${COUNT}\s+)?(.+)$`, "s"),
    offers: ["own", "text"],
    run: edit,
  },
  {
    name: "/delete",
    args: "N",
    help: "Take back your message N, or a file that you offer",
    more:
      "History and search show it no more. Those who have read it have read it, and the server's log keeps it.",
    example: "/delete 42",
    takes: new RegExp(`^${COUNT}$`),
    offers: ["own"],
    run: (context, to) => context.delete(Number(to)),
  },
  {
    name: "/react",
    args: "N [EMOJI]",
    help: "React to message N; without EMOJI: no longer",
    more:
      `It stands in place of your reaction before. These can be typed, too: ${
        Object.keys(SHORT_NAMES).join(", ")
      }.`,
    example: "/react 42 +1",
    takes: new RegExp(String.raw`^${COUNT}(?:\s+(\S+))?$`),
    offers: ["spoken", Object.keys(SHORT_NAMES)],
    run: ({ react }, to, emoji = "") =>
      react(Number(to), SHORT_NAMES[shortName(emoji)] ?? emoji),
  },
];

/** As other programs have it typed, between colons, or without. */
function shortName(typed: string): string {
  return typed.toLowerCase().replace(/^:(.+):$/, "$1");
}

/** A number at the start is a message's if it can be; one that may be is never taken for words of the last message. */
async function edit(
  context: CommandContext,
  number?: string,
  text = "",
): Promise<void> {
  const { note, numbers, lastOwn } = context;
  const own = numbers("own");
  const known = [...own, ...numbers("spoken")];
  const last = lastOwn();
  const isOld = (it: string) => Number(it) <= Math.max(0, ...known);
  if (number === undefined) {
    if (/^\d+$/.test(text) && isOld(text)) {
      return note(`Say what message ${text} should be: /edit ${text} TEXT`);
    }
  } else if (own.length === 0 || known.includes(Number(number))) {
    return await context.edit(Number(number), text);
  } else if (isOld(number) && typeof last === "number") {
    return note(
      `Message ${number} is not known here. If your last message is to begin with that number: /edit ${last} ${number} …`,
    );
  }
  const words = number === undefined ? text : `${number} ${text}`;
  if (typeof last === "number") await context.edit(last, words);
  else if (last === "waiting") {
    note("Your last message has no number yet: edit it when it is sent");
  } else note("You have said nothing that could be edited");
}
