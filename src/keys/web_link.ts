/**
 * Web links: the address of a server's web page, and behind the "#" what a `chat://` link has there.
 *
 *     http://HOST:PORT/#BASE64URL   the same invite as   chat://HOST:PORT/#BASE64URL
 *
 * No error of this file repeats a key, nor any text that could hold one.
 *
 * @module
 */

import {
  type Address,
  formatAddress,
  type Invite,
  parseInvite,
} from "./invite.ts";

/** Whether an address is a web page's origin, `http://HOST:PORT`, rather than `HOST:PORT`. */
export function isOrigin(address: string): boolean {
  return /^https?:\/\//i.test(address);
}

/** The URL of the WebSocket beside a web page. @param origin The page's. */
export function socketUrl(origin: string): string {
  return `${origin.replace("http", "ws")}/chat`;
}

/** The host and the port of a web page's server. @param url Its origin, or a page of it. */
export function webAddress({ hostname, port, protocol }: URL): Address {
  const usual = protocol === "https:" ? 443 : 80;
  const host = hostname.replace(/[[\]]/g, "");
  return { host, port: port === "" ? usual : Number(port) };
}

/** The web link of an invite. @param link As `formatInvite` makes it. @param origin The page's. */
export function formatWebLink(link: string, origin: string): string {
  return `${origin}/${link.slice(link.indexOf("#"))}`;
}

/** The invite of a web link, with the page's address in place of the server's own. @throws {SyntaxError} as `parseInvite`. */
export function parseWebLink(url: URL): Invite {
  const { host, port } = webAddress(url);
  return parseInvite(`chat://${formatAddress(host, port)}/${url.hash}`);
}
