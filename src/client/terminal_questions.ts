/**
 * The questions of the terminal's program: somebody may be at a keyboard to answer them, or not.
 *
 * @module
 */

import { type Asker, askName, NAME_PROMPT, requireName } from "./ask.ts";
import { JoinError } from "./join_error.ts";
import { mayFound, mayGoOn } from "./sealed/founding.ts";

/** Whether there is a person at a keyboard who can be asked. */
export function canAsk(): boolean {
  return Deno.stdin.isTerminal();
}

/**
 * Asks for a name; null if there is none. On a pipe the next line is the name.
 * @throws {UsageError} for one that can't be used, where nobody can be asked again.
 */
export async function nameOf(view: Asker): Promise<string | null> {
  if (canAsk()) return await askName(view);
  const line = await view.ask(NAME_PROMPT);
  return line === null ? null : requireName(line);
}

/** Asks whether to found a room. @throws {JoinError} where nobody can be asked. */
export async function isToFound(view: Asker): Promise<boolean> {
  if (canAsk()) return await mayFound(view);
  throw new JoinError(
    "The link founds a room, and nobody can be asked here whether to",
    "Run it at a terminal, or with --found",
  );
}

/** Asks whether to go on with what a server has. @returns False where nobody can be asked. */
export async function isToGoOn(view: Asker, words: string): Promise<boolean> {
  return canAsk() && await mayGoOn(view, words);
}
