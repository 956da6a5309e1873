/**
 * The commands that can be typed in the page: those of every front end. For what the terminal's others do it has panels,
 * buttons and the browser itself.
 *
 * @module
 */

import { CommandTable } from "../client/commands/command_table.ts";
import {
  FILE_COMMANDS,
  QUIET_COMMANDS,
  QUIT_COMMAND,
  TALK_COMMANDS,
} from "../client/commands/room_commands.ts";

/** All that can be typed. */
export const PAGE_COMMANDS: CommandTable = new CommandTable([
  ...TALK_COMMANDS,
  ...FILE_COMMANDS,
  ...QUIET_COMMANDS,
  QUIT_COMMAND,
]);
