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

/** What is there in the page in place of a command, or beside it, where that is what the terminal doesn't have. */
const HELP: Readonly<Record<string, string>> = {
  "/re": "Answer message N; here: Reply, at the message",
  "/edit":
    "Give your last message other words; here also: Edit, at the message",
  "/delete": "Take back your message N; here: Delete, at the message",
  "/react": "React to message N; here: React, at the message",
  "/get": "Download the file of offer N; here: Save, at the file",
  "/drop": "Stop downloading or offering file N; here: Stop, at the file",
  "/quit": "Leave the room",
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

/** All that can be typed. */
export const PAGE_COMMANDS: CommandTable = new PageCommands(
  [...TALK_COMMANDS, ...FILE_COMMANDS, ...QUIET_COMMANDS, QUIT_COMMAND].map((
    command,
  ) => ({ ...command, help: HELP[command.name] ?? command.help })),
);
