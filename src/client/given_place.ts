/**
 * Where to go, as a person tells the program: on the command line, in a file, in answer to a question; or, where they
 * tell nothing, as a server in this folder has it.
 *
 * @module
 */

import { ask, type Asker } from "./ask.ts";
import { byCode } from "./code_destination.ts";
import { byInvite, byKey, type Destination } from "./destination.ts";
import type { Known } from "./known.ts";
import { canAsk } from "./terminal_questions.ts";
import { firstLine } from "../base/first_line.ts";
import { clientCommand } from "../base/program.ts";
import { UsageError } from "../base/usage_error.ts";
import {
  addressesOf,
  type Invite,
  parseInvite,
  parsePlace,
  type Place,
} from "../keys/invite.ts";
import { findLocalInvite } from "../keys/key_file.ts";
import { isOrigin, parseWebLink } from "../keys/web_link.ts";
import { parseCode } from "../keys/spoken_code.ts";

/** Where a server keeps its key: in its folder no link is needed. */
const KEY_FILE = "chat.key";

/** What stands before a place in a command that was copied whole. */
const COMMAND =
  /^(?:(?:npx (?:-y )?)?encrypted-chat client|deno task (?:-q )?client|\S*chat-client(?:\.exe)?)\s+/;

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
  if (local) {
    const [address, ...others] = addressesOf(local); // that in this folder first
    return byInvite(local, address, others);
  }
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
      "A link begins with chat:// or http and is what the server prints, or what somebody in the room made by /invite. A code is a number and some words that were read to you. Where you were before, HOST:PORT is enough.",
    read: (typed) => readPlace(typed, known),
  });
}

/**
 * The server at a place.
 * @param typed It, or the whole command that the server tells others to type. @throws {UsageError} for what is none.
 */
export function readPlace(typed: string, known: Known): Destination {
  const text = typed.trim().replace(COMMAND, "").replace(/\s*,\s*/g, ",");
  const [first = "", ...rest] = text.split(/\s+/);
  const url = webUrl(first);
  const isAddress = !/^\W*chat:/i.test(first) && /:\d+$/.test(first);
  if (!url && !isAddress && !/[:#/]/.test(first)) {
    throw new UsageError(
      "Cannot read where to go: a link begins with chat://, and HOST:PORT has a port, as in chat.example.org:5000",
    );
  }
  try {
    if (url && url.hash !== "") return byInvite(parseWebLink(url), url.origin);
    if (!url && !isAddress) return byLink(parseInvite(text));
    const [address, others] = url
      ? [url.origin, []] as const
      : inTurn(parsePlace(first));
    if (rest.length === 0) return byKey(known, address, others);
    return byCode(parseCode(rest.join(" ")), address, others);
  } catch (error) {
    if (error instanceof SyntaxError) throw new UsageError(error.message);
    throw error;
  }
}

/** A web page's address, maybe in quotes; undefined for what is none. */
function webUrl(text: string): URL | undefined {
  const bare = text.replace(/^["'`“”‘’<]+|["'`“”‘’>]+$/g, "");
  return isOrigin(bare) ? URL.parse(bare) ?? undefined : undefined;
}

function byLink(invite: Invite): Destination {
  const [address, others] = inTurn(invite);
  return byInvite(invite, address, others);
}

/** A place's addresses in the order in which they are tried: any, so that a room's members spread over its servers. */
function inTurn(place: Place): readonly [string, readonly string[]] {
  const all = addressesOf(place);
  for (let end = all.length - 1; end > 0; end--) { // Fisher and Yates
    const from = Math.floor(Math.random() * (end + 1));
    [all[end], all[from]] = [all[from] ?? "", all[end] ?? ""];
  }
  const [first, ...others] = all;
  return [first, others];
}
