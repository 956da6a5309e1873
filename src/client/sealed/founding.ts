/**
 * Questions that only a person may answer before a client goes into a sealed room: whether to found it, and whether to go
 * on with a server that has other control lines than before.
 *
 * @module
 */

import { quote } from "../../base/safe_text.ts";
import { UsageError } from "../../base/usage_error.ts";
import { ask, type Asker } from "../ask.ts";

/** What it means to found a room. */
export const FOUNDING =
  "Who creates a sealed room is its first keeper: invites others, and can remove them. Its server cannot read what is said.";

/** Asks whether to found a room. */
export async function mayFound(view: Asker): Promise<boolean> {
  return await confirm(
    view,
    "This room is new. Create it? (yes/no) ",
    FOUNDING,
  );
}

/** Asks whether to go on with what a server has. @param words What is wrong with that. */
export async function mayGoOn(view: Asker, words: string): Promise<boolean> {
  view.note(words);
  return await confirm(
    view,
    "Go on with what the server has? (yes/no) ",
    "If the server was set up from a backup, as its owner can tell you, yes is right. If nobody knows why, stay away.",
  );
}

/** Asks a person until the answer is yes or no; no where the person leaves instead. */
async function confirm(
  view: Asker,
  words: string,
  help: string,
): Promise<boolean> {
  const answer = await ask(view, {
    words,
    help,
    read: (typed) => {
      const word = typed.trim().toLowerCase();
      if (["y", "yes"].includes(word)) return true;
      if (["n", "no"].includes(word)) return false;
      throw new UsageError(`Cannot take ${quote(typed)}: answer yes or no`);
    },
  });
  return answer === true;
}
