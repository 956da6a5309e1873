/**
 * Founding a sealed room: who opens its founding link first is asked, and is its first keeper.
 *
 * @module
 */

import { quote } from "../../base/safe_text.ts";
import { UsageError } from "../../base/flags.ts";
import type { Invite } from "../../keys/invite.ts";
import { FOUNDING_ID } from "../../sealed/membership.ts";
import { ask, type Asker, canAsk } from "../ask.ts";
import { JoinError } from "../join_error.ts";
import type { Known } from "../known.ts";

/**
 * Asks whether to found the room of a link, where that is a founding link and the room isn't known.
 * @param isDecided Whether `--found` says so. @returns Whether to go on.
 * @throws {JoinError} where nobody can be asked.
 */
export async function mayFound(
  view: Asker,
  invite: Invite | undefined,
  known: Known,
  isDecided: boolean,
): Promise<boolean> {
  const isFounding = invite?.id === FOUNDING_ID;
  if (!isFounding || isDecided || known.sealedRoom(invite.serverKey)) {
    return true;
  }
  if (!canAsk()) {
    throw new JoinError(
      "The link founds a room, and nobody can be asked here whether to",
      "Run it at a terminal, or with --found",
    );
  }
  return await confirm(view, "Found this room? (yes/no) ");
}

/** Asks a person until the answer is yes or no; no where nobody can be asked, or the person leaves instead. */
export async function confirm(view: Asker, words: string): Promise<boolean> {
  if (!canAsk()) return false;
  const answer = await ask(view, {
    words,
    help:
      "Who founds a sealed room is its first keeper: invites others, and can remove them. Its server cannot read what is said.",
    read: (typed) => {
      const word = typed.trim().toLowerCase();
      if (["y", "yes"].includes(word)) return true;
      if (["n", "no"].includes(word)) return false;
      throw new UsageError(`Cannot take ${quote(typed)}: answer yes or no`);
    },
  });
  return answer === true;
}
