/**
 * What is made of a line that a person typed: a command that is carried out, or a text to be said.
 *
 * @module
 */

import { quote } from "../../base/safe_text.ts";
import { type Command, type CommandContext, usage } from "./command.ts";
import type { CommandTable } from "./command_table.ts";

/**
 * Runs the line if it is a command. A line that begins with two slashes is a text that begins with one.
 * A mistyped command is told to the person and never sent.
 * @returns The text to send, null if there is none.
 */
export async function interpret<C extends CommandContext>(
  line: string,
  commands: CommandTable<C>,
  context: C,
): Promise<string | null> {
  if (line.startsWith("//")) return line.slice(1);
  if (!line.startsWith("/")) return line;
  const [, word = "", rest = ""] = /^(\S+)\s*(.*)$/s.exec(line) ?? [];
  const command = commands.find(word);
  if (!command) {
    context.note(unknownCommand(word, commands.nearest(word)));
    return null;
  }
  const match = command.takes.exec(rest.trimEnd());
  if (match) await command.run(context, ...match.slice(1));
  else context.note(rightUsage(command));
  return null;
}

/** How a command is typed, for who typed it wrongly. */
function rightUsage(command: Omit<Command, "run">): string {
  const { name, args, example } = command;
  const right = args === ""
    ? `${name}, with nothing after it`
    : `${usage(command)}, as in ${example}`;
  return `Usage: ${right}. /help ${name.slice(1)} tells more`;
}

/** What may have been meant; the line may have been a text, too. */
function unknownCommand(word: string, meant: string | undefined): string {
  const advice = meant ? `Did you mean ${meant}?` : "/help shows them all.";
  return `Unknown command ${
    quote(word)
  }. ${advice} To send that line, begin it with two slashes`;
}
