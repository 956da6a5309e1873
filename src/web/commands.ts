/**
 * The commands that can be typed in the page: those of every front end. For what the terminal's others do it has panels,
 * buttons and the browser itself, to which they lead.
 *
 * @module
 */

import { ANYTHING, type Command } from "../client/commands/command.ts";
import { CommandTable } from "../client/commands/command_table.ts";
import {
  FILE_COMMANDS,
  QUIET_COMMANDS,
  QUIT_COMMAND,
  TALK_COMMANDS,
} from "../client/commands/room_commands.ts";

/** The buttons at a message, or at a file, that do what a command does to the one of a number. */
const BUTTONS: Readonly<Record<string, string>> = {
  "/re": "Reply",
  "/edit": "Edit",
  "/delete": "Delete",
  "/react": "React",
  "/get": "Save",
  "/drop": "Stop",
};

/** Where in the page that is which a command of the terminal's does. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  "/set": "Settings, in the menu",
  "/bell": "Settings, in the menu",
  "/send": "Attach files, beside the box; or drop them on the page",
  "/save": "your browser's own way to save or print a page",
};

/** The page's commands: it knows those of the terminal, too, and says what to use in their place. */
class PageCommands extends CommandTable {
  /** As `CommandTable.find`. */
  override find(word: string): Command | undefined {
    const name = word.toLowerCase();
    const use = Object.hasOwn(ELSEWHERE, name) && ELSEWHERE[name];
    return use ? elsewhere(name, use) : super.find(word);
  }
}

const MORE = "The page has its own way for it";

function elsewhere(name: string, use: string): Command {
  const help = `${name} is for the terminal. Here, use ${use}`;
  return {
    ...{ name, args: "", help, more: MORE, example: name, takes: ANYTHING },
    run: ({ note }) => note(help),
  };
}

/** What a command does, as one can do it in the page. */
function helpHere({ name, help }: Command): string {
  const button = BUTTONS[name];
  return button
    ? `${help}; here: ${button}`
    : help.split(", as Ctrl-")[0] ?? help;
}

/** All that can be typed. */
export const PAGE_COMMANDS: CommandTable = new PageCommands(
  [...TALK_COMMANDS, ...FILE_COMMANDS, ...QUIET_COMMANDS, QUIT_COMMAND].map(
    (command) => ({ ...command, help: helpHere(command) }),
  ),
);
