/**
 * What commands may ask and do at a terminal.
 *
 * @module
 */

import type { CommandContext } from "../commands/command.ts";
import type { Settings } from "./settings.ts";

/** What a command may ask and do, at a terminal. */
export interface TerminalContext extends CommandContext {
  /** Offers a file to the room; resolves when it is offered. */
  send(path: string): Promise<void>;
  /** What the person has set. */
  readonly settings: Settings;
  /** Writes what was shown to a new file. */
  save(path: string): Promise<void>;
  /** Clears the screen. */
  clear(): void;
}
