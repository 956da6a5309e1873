/**
 * The commands that a person can type at a terminal: those of every front end, and those that need a terminal, or this
 * machine's files.
 *
 * @module
 */

import { typedPath } from "../../base/paths.ts";
import { type Command, NOTHING, SOMETHING } from "../commands/command.ts";
import { CommandTable } from "../commands/command_table.ts";
import { interpret as interpretLine } from "../commands/interpret.ts";
import {
  FILE_COMMANDS,
  QUIET_COMMANDS,
  QUIT_COMMAND,
  TALK_COMMANDS,
} from "../commands/room_commands.ts";
import { codeLines } from "./code_lines.ts";
import type { TerminalContext } from "./terminal_context.ts";
import { set, showSettings } from "./settings_commands.ts";
import { table } from "./table.ts";

const SEND: Command<TerminalContext> = {
  name: "/send",
  args: "FILE",
  help: "Offer a file to the room",
  more:
    "It stays where it is until somebody takes it by /get. Tab completes the path.",
  example: "/send ~/hut.jpg",
  takes: SOMETHING,
  offers: ["path"],
  run: ({ send }, path = "") => {
    send(typedPath(path)); // which goes on while other things are said
  },
};

const BELL: Command<TerminalContext> = {
  name: "/bell",
  args: "off|mentions|all",
  help: "Ring the bell: never, on mentions, on every message",
  more: "The same as /set bell.",
  example: "/bell all",
  takes: /^(off|mentions|all)$/,
  offers: [["off", "mentions", "all"]],
  run: (context, bell = "") => set(context, "bell", bell),
};

const SET: Command<TerminalContext> = {
  name: "/set",
  args: "[KEY VALUE]",
  help: "Change a setting; without KEY: list them",
  more: "It is kept for later runs. Tab completes KEY and VALUE.",
  example: "/set times off",
  takes: /^(?:(\S+)\s+(.+))?$/,
  offers: ["settings", "values"],
  run: (context, key, value = "") =>
    key === undefined ? showSettings(context) : set(context, key, value),
};

const SAVE: Command<TerminalContext> = {
  name: "/save",
  args: "FILE",
  help: "Save what was shown here to a new file",
  more: "Only you can read the file. Tab completes the path.",
  example: "/save ~/chat.txt",
  takes: SOMETHING,
  offers: ["path"],
  run: ({ save }, path = "") => save(typedPath(path)),
};

const CLEAR: Command<TerminalContext> = {
  name: "/clear",
  args: "",
  help: "Clear the screen",
  more: "Nothing is lost: /history shows the last lines again.",
  example: "/clear",
  takes: NOTHING,
  run: ({ clear }) => clear(),
};

/** All that can be typed. */
export const TERMINAL_COMMANDS: CommandTable<TerminalContext> =
  new CommandTable([
    ...TALK_COMMANDS,
    SEND,
    ...FILE_COMMANDS,
    ...QUIET_COMMANDS,
    BELL,
    SET,
    SAVE,
    CLEAR,
    QUIT_COMMAND,
  ]);

/** What is given for a terminal: how wide it is, in place of how tables and codes are shown there. */
export interface TypedContext extends Omit<TerminalContext, "table" | "code"> {
  /** The width of the terminal, cells. Default: endless. */
  readonly columns?: () => number;
}

/** What is made of a line that was typed at a terminal. @returns The text to send, null if there is none. */
export async function interpret(
  line: string,
  context: TypedContext,
): Promise<string | null> {
  const { columns } = context;
  return await interpretLine(line, TERMINAL_COMMANDS, {
    ...context,
    table: (rows) => table(rows, columns?.()),
    code: (text) => codeLines(text, columns?.()),
  });
}
