/**
 * Where a room is, as a person gives it to the page: the link of an invite, or an origin where they were before.
 *
 * No error of this file repeats what was given: there are keys in it.
 *
 * @module
 */

import { type Invite, parseInvite } from "../../keys/invite.ts";
import { parseWebLink } from "../../keys/web_link.ts";

/** Where a page is itself. */
export type PageLocation = Pick<Location, "hostname" | "origin" | "protocol">;

/** A room's server, and what lets one in there: an invite, or else the person's own key. */
export interface Place {
  /** `http://HOST:PORT`. */
  readonly origin: string;
  /** The link's invite. */
  readonly invite?: Invite;
}

/** Whether a page came from a server, rather than from a file. */
export function isServed({ protocol }: Pick<Location, "protocol">): boolean {
  return protocol === "http:" || protocol === "https:";
}

/** An address as people give it by heart: `chat.example:8080`, `localhost:8080/#…`. */
const BARE =
  /^(?:localhost|[\w-]+(?:\.[\w-]+)+|\[[\da-f:.]+\])(?::\d+)?(?:[/#]|$)/i;

/**
 * The place that a person has given.
 * @param here Where the page is. @throws {SyntaxError} with a sentence that says what is wrong.
 */
export function readPlace(typed: string, here: PageLocation): Place {
  const text = typed.replace(/^[\s"'`“”‘’<]+|[\s"'`“”‘’>]+$/g, "");
  if (text === "") throw new SyntaxError("Paste the link of the room");
  if (/^\W*chat:/i.test(text)) return terminalPlace(text, here);
  if (isCode(text)) {
    throw new SyntaxError(
      "A code is for the terminal: a browser needs the web link of the room. Ask the person who invited you for it",
    );
  }
  const url = URL.parse(BARE.test(text) ? `http://${text}` : text);
  if (url === null || !isServed(url)) {
    throw new SyntaxError(
      "Cannot read the link: the web link of a room begins with http:// or https://. Ask the person who invited you for it",
    );
  }
  const { origin, hash } = url;
  if (hash === "") return { origin };
  return { origin, invite: parseWebLink(url) };
}

/**
 * A link that terminals take. It names no port for pages; so the room is looked for where the page came from, and the
 * key in the link tells whether that is its server.
 */
function terminalPlace(link: string, here: PageLocation): Place {
  const invite = parseInvite(link);
  if (isServed(here)) return { origin: here.origin, invite };
  throw new SyntaxError(
    "That link is for the terminal: a saved page needs the web link of the room, which begins with http:// or https://. Ask the person who invited you for it",
  );
}

/** Whether a spoken code is meant, on its own or behind an address: a number, and words behind it. */
function isCode(text: string): boolean {
  return /(?:^|\s)\d+[-\s]+\p{L}+[-\s]+\p{L}+$/u.test(text);
}

/** A host as a URL has it, without brackets. */
function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, "$1");
}

/** Whether a page came from the server of a place: from its host, by whatever port. */
export function isFrom(origin: string, here: PageLocation): boolean {
  return isServed(here) &&
    isSameHost(bare(new URL(origin).hostname), bare(here.hostname));
}

/** Whether two hosts are the same machine, as far as their names tell. */
function isSameHost(one: string, other: string): boolean {
  return one === bare(other) || isLoopback(one) && isLoopback(bare(other));
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
