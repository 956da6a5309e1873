/**
 * What keeps a client out of the room, or sends it away, with advice.
 *
 * @module
 */

import { AdvisedError } from "../base/advised_error.ts";
import { inviteCommand } from "../base/program.ts";
import { quote } from "../base/safe_text.ts";
import { nameTaken } from "./sentences.ts";
import { HandshakeRefusal, reasonWords } from "../protocol/reasons.ts";
import { FOUNDING_ID, isSealedInvite } from "../sealed/membership.ts";
import type { RefusedError } from "../protocol/record_reader.ts";

/** The client can't be in the room. */
export class JoinError extends AdvisedError {
  /** "JoinError". */
  override readonly name = "JoinError";
}

/** How a link is made. */
const HOW = `In the server's folder, make one: ${inviteCommand()}`;
const ADVICE: Readonly<Record<number, string>> = {
  [HandshakeRefusal.version]: "Use the client that belongs to the server",
  [HandshakeRefusal.key]:
    `It was miscopied, replaced or used up, has ended, or newcomers need an invite each. ${HOW}`,
  [HandshakeRefusal.busy]: "Try again in a minute",
};

const SEALED_ADVICE =
  "It was used up or closed, or has ended. Ask a keeper for another, by /invite";
const FOUNDED_ADVICE =
  "Ask a keeper of the room for an invite, and come by its link";

/**
 * The server went no further than the handshake.
 * @param invite The number of the invite by which the client came. @param name Its name, where it came by its key alone.
 */
export function handshakeRefused(
  error: RefusedError,
  invite = 0,
  name?: string,
): JoinError {
  const { message, code } = error;
  if (code === HandshakeRefusal.key && name !== undefined) {
    return new JoinError(
      `The room does not know you as ${quote(name)}`,
      `A new name needs the room's link, or an invite: ask for one. ${HOW}`,
      error,
    );
  }
  if (code !== HandshakeRefusal.key || !isSealedInvite(invite)) {
    return new JoinError(message, ADVICE[code] ?? "Try again", error);
  }
  return invite === FOUNDING_ID
    ? new JoinError("Somebody has founded the room already", FOUNDED_ADVICE)
    : new JoinError(message, SEALED_ADVICE, error);
}

const ENTRY_ADVICE: Readonly<Record<string, string>> = {
  removed: "Ask an operator of the room, or in a sealed one a keeper",
  "invite-used": "Ask for another invite",
  "room-sealed": "Come by that link",
  "person-barred": "Ask a keeper of the room",
  "card-wrong": "Come as another person: --identity FILE",
  "person-twin": "Come as another person: --identity FILE",
  "too-often-here": "Close one of your other clients",
};

/** Why the server refuses the client. */
export interface EntryRefusal {
  /** A key of `REFUSALS`. */
  readonly reason: string;
  /** What else there is to know of it; empty for nothing. */
  readonly detail: string;
}

/** Why the server refuses to let a client in under a name, as one sentence. */
export function refusedEntry(
  { reason, detail }: EntryRefusal,
  name: string,
): string {
  return reason === "name-taken" && detail !== ""
    ? nameTaken(name, detail)
    : reasonWords(reason, detail);
}

/** What one does who can't come in by a name. */
export const CHOOSE_NAME = "Choose another: --name NAME";

/** The server refused to let the client in under a name. */
export function entryRefused(refusal: EntryRefusal, name: string): JoinError {
  const { reason } = refusal;
  const advice = reason.startsWith("name-")
    ? CHOOSE_NAME
    : ENTRY_ADVICE[reason] ?? "Try again later";
  return new JoinError(refusedEntry(refusal, name), advice);
}
