/**
 * A front end's table of commands: what it has, and what a typed word means there.
 *
 * @module
 */

import { nearest } from "../../base/nearest.ts";
import { quote } from "../../base/safe_text.ts";
import { type Command, type CommandContext, usage } from "./command.ts";
import { OPERATOR_COMMANDS } from "./operator_commands.ts";

/** All commands that can be typed in a front end. @template C What they may ask and do. */
export class CommandTable<C extends CommandContext = CommandContext> {
  /** Those for everybody, in the order in which `/help` shows them. */
  readonly everybodys: readonly Command<C>[];
  /** They, and those for operators. */
  readonly all: readonly Command<C>[];

  /** A table of these and of those for operators. @param commands Those for everybody, beside `/help`. */
  constructor(commands: readonly Command<C>[]) {
    const help: Command<C> = {
      name: "/help",
      args: "[COMMAND]",
      help: "List the commands; COMMAND: explain it; operators: list theirs",
      more: "/help operators lists what only operators may do.",
      example: "/help re",
      takes: /^(\S*)$/,
      offers: ["commands"],
      run: (context, word = "") => this.#help(context, word),
    };
    this.everybodys = [help, ...commands];
    this.all = [...this.everybodys, ...OPERATOR_COMMANDS];
  }

  /** The command of a name or an alias, in either case. @param word With its slash. */
  find(word: string): Command<C> | undefined {
    const wanted = word.toLowerCase();
    return this.all.find(({ name, aliases = [] }) =>
      name === wanted || aliases.includes(wanted)
    );
  }

  /** The command that a mistyped word was meant to be. @param word With or without a slash. @returns With its slash. */
  nearest(word: string): string | undefined {
    const words = this.all.flatMap(({ name, aliases = [] }) =>
      [name, ...aliases].map((it) => it.slice(1))
    );
    const meant = nearest(word.replace(/^\//, ""), words);
    return meant && `/${meant}`;
  }

  #help(context: CommandContext, word: string): void {
    if (word === "") {
      const literal = ["//…", "Send a text that begins with a slash"] as const;
      return tell(context, [...this.everybodys.map(helpRow), literal]);
    }
    if (word.toLowerCase() === "operators") {
      return tell(context, OPERATOR_COMMANDS.map(helpRow));
    }
    const command = this.find(word.startsWith("/") ? word : `/${word}`);
    if (command) return explain(context, command);
    const meant = this.nearest(word);
    const advice = meant
      ? `Did you mean /help ${meant.slice(1)}?`
      : "/help lists the commands";
    context.note(`Cannot explain ${quote(word)}: it is no command. ${advice}`);
  }
}

/** What tells of a command, whatever it may ask and do. */
type Described = Omit<Command, "run">;

function helpRow(command: Described): readonly [string, string] {
  return [usage(command), command.help];
}

function tell(
  { note, table }: CommandContext,
  rows: readonly (readonly [string, string])[],
): void {
  for (const line of table(rows)) note(line);
}

/** Tells all that there is to know of a command. */
function explain({ note }: CommandContext, command: Described): void {
  const { name, help, more, example, aliases = [] } = command;
  note(usage(command));
  note(`${help}. ${more}`);
  if (example !== name) note(`Example: ${example}`);
  if (aliases.length > 0) note(`Also: ${aliases.join(", ")}`);
}
