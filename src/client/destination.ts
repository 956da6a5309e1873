/**
 * Where a client goes and how it knows that it is there: by a link, which names the server's key; by a spoken code,
 * which proves it; or by the address alone, where it was before.
 *
 * @module
 */

import { ask, type Asker, canAsk } from "./ask.ts";
import { JoinError } from "./join_error.ts";
import { type Bytes, equalBytes } from "../../crypto_utils.ts";
import { firstLine } from "../base/first_line.ts";
import { UsageError } from "../base/usage_error.ts";
import { clientCommand } from "../base/program.ts";
import {
  type Address,
  admissionKey,
  formatAddress,
  type Invite,
  parseAddress,
  parseInvite,
} from "../keys/invite.ts";
import { findLocalInvite } from "../keys/key_file.ts";
import { parseCode, passwordOf, type SpokenCode } from "../keys/spoken_code.ts";
import type { Known } from "./known.ts";
import {
  CODE_ID,
  type ConnectOptions,
  MEMBER_ID,
  MEMBER_KEY,
} from "../protocol/handshake.ts";

/** Where a server keeps its key: in its folder no link is needed. */
const KEY_FILE = "chat.key";

/** What stands before a place in a command that was copied whole. */
const COMMAND = /^(?:deno task (?:-q )?client|\S*chat-client(?:\.exe)?)\s+/;

/** Where to go and how to get in. */
export interface Destination extends Address {
  /** What of the handshake is known before there is an identity. */
  readonly handshake: Omit<ConnectOptions, "keyPair">;
  /** The link's invite, where there is a link. */
  readonly invite?: Invite;
  /** To be called when the client is in: then the server's key is proven. */
  readonly proven?: () => void;
}

/**
 * What was given: a link, HOST:PORT, or HOST:PORT CODE, as arguments, or on the first line of `--link`'s file.
 * Undefined for nothing.
 * @throws {UsageError} for both. @throws {FileError} | {RangeError} for a file without one.
 */
export async function givenPlace(
  args: readonly string[],
  file: string | undefined,
): Promise<string | undefined> {
  if (file === undefined) return args.length === 0 ? undefined : args.join(" ");
  if (args.length > 0) throw new UsageError("Give a link or --link, not both");
  return await firstLine(file);
}

/**
 * The server at a place: the one given, or that of a server in this folder; undefined if somebody can be asked.
 * @throws {UsageError} if there is none, and nobody to ask, or none that can be read. @throws {FileError}
 */
export async function findDestination(
  place: string | undefined,
  known: Known,
): Promise<Destination | undefined> {
  if (place !== undefined) return readPlace(place, known);
  const local = await findLocalInvite(KEY_FILE);
  if (local) return byInvite(local);
  if (canAsk()) return undefined;
  throw new UsageError(
    `No link was given, and no server's ${KEY_FILE} is here: ${clientCommand()} --link FILE`,
  );
}

/** Asks for the place until it can be read; null if the person leaves instead. */
export async function askDestination(
  view: Asker,
  known: Known,
): Promise<Destination | null> {
  return await ask(view, {
    words: "Link, or HOST:PORT and a code: ",
    help:
      "A link begins with chat:// and is what the server prints, or what somebody in the room made by /invite. A code is a number and some words that were read to you. Where you were before, HOST:PORT is enough.",
    read: (typed) => readPlace(typed, known),
  });
}

/** @param typed It, or the whole command that the server tells others to type. */
function readPlace(typed: string, known: Known): Destination {
  const text = typed.trim().replace(COMMAND, "");
  const [first = "", ...rest] = text.split(/\s+/);
  const isAddress = !/^\W*chat:/i.test(first) && /:\d+$/.test(first);
  try {
    if (!isAddress) return byInvite(parseInvite(text));
    const address = parseAddress(first);
    if (rest.length > 0) return byCode(address, parseCode(rest.join(" ")));
    return byKey(address, known);
  } catch (error) {
    if (error instanceof SyntaxError) throw new UsageError(error.message);
    throw error;
  }
}

/** By a spoken code: who knows it is the server, and from then on only who has the same key. */
function byCode(address: Address, code: SpokenCode): Destination {
  let shown: Bytes | undefined;
  let pinned: Bytes | undefined;
  const { number } = code;
  return {
    ...address,
    handshake: {
      inviteId: CODE_ID,
      inviteKey: MEMBER_KEY, // has no part in it
      code: { number, password: passwordOf(code) },
      checkServer: (key) => {
        shown = key;
        if (pinned) requireServer(key, pinned, address);
      },
    },
    proven: () => pinned ??= shown,
  };
}

/** By the own key: the client was in before. @throws {UsageError} if it wasn't. */
function byKey(address: Address, known: Known): Destination {
  const place = formatAddress(address.host, address.port);
  const serverKey = known.serverAt(place);
  if (!serverKey) {
    throw new UsageError(
      `You were never in a room at ${place}: to come in you need its link, or a code`,
    );
  }
  return {
    ...address,
    handshake: {
      inviteId: MEMBER_ID,
      inviteKey: MEMBER_KEY,
      checkServer: (key) => requireServer(key, serverKey, address),
    },
  };
}

function byInvite(invite: Invite): Destination {
  const { host, port, serverKey, id, secret } = invite;
  const named = "that your link names (an old or a wrong link?)";
  const checkServer = (key: Bytes) =>
    requireServer(key, serverKey, { host, port }, named);
  const inviteKey = admissionKey(secret);
  const handshake = { inviteId: id, inviteKey, checkServer };
  return { host, port, handshake, invite };
}

/** @param which Which server it should be. @throws {JoinError} if a key isn't the server's. */
function requireServer(
  presented: Bytes,
  serverKey: Bytes,
  { host, port }: Address,
  which = "that you know",
): void {
  if (equalBytes(presented, serverKey)) return;
  throw new JoinError(
    `${formatAddress(host, port)} is not the server ${which}`,
    "Somebody may be between you and it. Nothing was sent. If the server was set up anew, ask for a new link",
  );
}
