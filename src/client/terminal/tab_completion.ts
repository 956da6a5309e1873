/**
 * What Tab makes of a line at a terminal.
 *
 * @module
 */

import { complete as completeLine } from "../commands/complete.ts";
import type { Completion, CompletionSources } from "../commands/completion.ts";
import { TERMINAL_COMMANDS } from "./commands.ts";
import { completePath, type FolderEntry } from "./path_completion.ts";
import { SETTINGS } from "./settings.ts";

/** What there is to complete with; what is left out is not completed. */
export interface TabSources
  extends Omit<CompletionSources, "settings" | "path"> {
  /** What is in a folder, by its path as it is typed; nothing where it can't be read. */
  readonly entries?: (folder: string) => readonly FolderEntry[];
}

/** Completes a command, what may follow it, or a name. @param typed What stands before the cursor. */
export function complete(typed: string, sources: TabSources): Completion {
  const { entries, ...others } = sources;
  return completeLine(typed, TERMINAL_COMMANDS, {
    ...others,
    settings: SETTINGS,
    path: (path) => completePath(path, entries),
  });
}
