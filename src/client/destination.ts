/**
 * Where a client goes and how it knows that it is there: by a link, which names the server's key.
 *
 * @module
 */

import { JoinError } from "./join_error.ts";
import type { View } from "./view.ts";
import { type Bytes, equalBytes } from "../../crypto_utils.ts";
import { firstLine } from "../base/first_line.ts";
import { UsageError } from "../base/flags.ts";
import { clientCommand } from "../base/program.ts";
import {
  type Address,
  admissionKey,
  formatAddress,
  type Invite,
  parseInvite,
} from "../keys/invite.ts";
import { findLocalInvite } from "../keys/key_file.ts";
import type { ConnectOptions } from "../protocol/handshake.ts";

/** Where a server keeps its key: in its folder no link is needed. */
const KEY_FILE = "chat.key";

/** Where to go and how to get in. */
export interface Destination extends Address {
  /** What of the handshake is known before there is an identity. */
  readonly handshake: Omit<ConnectOptions, "keyPair">;
}

/**
 * The link that was given: as an argument, or on the first line of `--link`'s file. Undefined for none.
 * @throws {UsageError} for both. @throws {FileError} | {RangeError} for a file without one.
 */
export async function givenLink(
  argument: string | undefined,
  file: string | undefined,
): Promise<string | undefined> {
  if (file === undefined) return argument;
  if (argument !== undefined) {
    throw new UsageError("Give a link or --link, not both");
  }
  return await firstLine(file);
}

/**
 * The server that a link names: the one given, that of a server in this folder, or the one that a person types.
 * @param view Where a person can be asked; left out if there is nobody.
 * @throws {UsageError} if there is none, or none that can be read. @throws {FileError}
 */
export async function findDestination(
  link: string | undefined,
  view?: View,
): Promise<Destination | null> {
  if (link !== undefined) return readLink(link);
  const local = await findLocalInvite(KEY_FILE);
  if (local) return byInvite(local);
  if (view) return await ask(view);
  throw new UsageError(
    `No link was given, and no server's ${KEY_FILE} is here: ${clientCommand()} --link FILE`,
  );
}

/** Asks until something can be read; null if the input ends. */
async function ask(view: View): Promise<Destination | null> {
  for (;;) {
    const typed = await view.ask("Link: ");
    if (typed === null) return null;
    try {
      return readLink(typed);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      view.note(error.message);
    }
  }
}

function readLink(text: string): Destination {
  try {
    return byInvite(parseInvite(text));
  } catch (error) {
    if (error instanceof SyntaxError) throw new UsageError(error.message);
    throw error;
  }
}

function byInvite({ host, port, serverKey, id, secret }: Invite): Destination {
  const address = formatAddress(host, port);
  const checkServer = (presented: Bytes) => {
    if (equalBytes(presented, serverKey)) return;
    throw new JoinError(
      `${address} is not the server that your link names (an old or a wrong link?)`,
      "Somebody may be between you and it. Nothing was sent. If the server was set up anew, ask for a new link",
    );
  };
  const inviteKey = admissionKey(secret);
  return { host, port, handshake: { inviteId: id, inviteKey, checkServer } };
}
