/**
 * Links to the web page, and what a server's owner is told of them.
 *
 * @module
 */

import { formatAddress } from "../../keys/invite.ts";
import type { RoomKeys } from "../../keys/key_file.ts";
import { formatWebLink, webAddress } from "../../keys/web_link.ts";
import { serverCommand } from "../../base/program.ts";
import { linkAddress, outsideAddress } from "../addresses.ts";
import { isLoopback } from "../rate_limits.ts";

/** Where browsers find the page; each ends without a "/". */
interface Places {
  /** On this machine, undefined where that is the same place as for others, or none. */
  readonly here: string | undefined;
  /** On others, undefined if none can reach it. */
  readonly elsewhere: string | undefined;
}

/** Where browsers find the page of a server. @param origin As `RoomKeys` has it. */
function placesOf(origin: string): Places {
  const url = new URL(origin);
  const address = webAddress(url);
  const { host } = address;
  const outside = outsideAddress(address);
  const elsewhere = outside && withHost(url, outside.host);
  const isAll = linkAddress(address).host !== host;
  const isHere = isAll || isLoopback(host) || host === "localhost";
  // To browsers this name alone is encryption enough, and a name is what their storage goes by.
  const here = isHere ? withHost(url, "localhost") : undefined;
  return url.protocol === "https:" && elsewhere !== undefined
    ? { here: undefined, elsewhere }
    : { here, elsewhere };
}

function withHost({ protocol, port }: URL, host: string): string {
  const whole = formatAddress(host, 0).replace(/:0$/, "");
  return `${protocol}//${whole}${port === "" ? "" : `:${port}`}`;
}

/**
 * A link to the web page, with which one comes in; undefined for a server that serves none.
 * @param keys The server's. @param link The same as a `chat:` link.
 */
export function webLink(keys: RoomKeys, link: string): string | undefined {
  if (keys.web === undefined) return undefined;
  const { here, elsewhere } = placesOf(keys.web);
  return formatWebLink(link, `${elsewhere ?? here}`);
}

/** What is known of a server that says how to open its page. */
export interface WebHints {
  /** The room's own link as a `chat:` link, where it may be shown; false where it may not; undefined where there is none. */
  readonly link: string | false | undefined;
  /** Whether the room is sealed. */
  readonly isSealed: boolean;
  /** How wide what stands before a link is, columns. */
  readonly width: number;
}

/** How to open the page, for the server's owner; no lines for a server that serves none. */
export function webLines(keys: RoomKeys, hints: WebHints): string[] {
  if (keys.web === undefined) return [];
  const { here, elsewhere } = placesOf(keys.web);
  const isPlain = keys.web.startsWith("http:");
  const line = (label: string, text: string) =>
    label.padEnd(hints.width) + text;
  const file = `${elsewhere ?? here}/chat.html`;
  if (hints.isSealed) {
    return [
      line("To use a browser:", `save ${file}, and open that file`),
      "Whoever delivers the page could read the room: in one that this server delivers, it refuses to work.",
    ];
  }
  const { link } = hints;
  const whole = (place: string) =>
    link === false
      ? `${place}/ with what ${serverCommand()} --link prints`
      : formatWebLink(link ?? "", place);
  return [
    ...(here === undefined ? [] : [line("In a browser here:", whole(here))]),
    ...(elsewhere === undefined
      ? []
      : isPlain
      ? plainLines(file)
      : [line("In a browser:", whole(elsewhere))]),
  ];
}

/** What others have to do with a page that comes over plain HTTP. */
function plainLines(file: string): string[] {
  return [
    "",
    "Browsers on other machines refuse encryption in a page that comes by plain HTTP. Either give",
    "the server a certificate (--web-cert, --web-key), or put Caddy in front of it (--web-url),",
    `or have people save ${file} and open that file.`,
  ];
}
