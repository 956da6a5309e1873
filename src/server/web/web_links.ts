/**
 * Links to the web page, and what a server's owner is told of them.
 *
 * @module
 */

import { formatAddress } from "../../keys/invite.ts";
import type { RoomKeys } from "../../keys/key_file.ts";
import { formatWebLink, webAddress } from "../../keys/web_link.ts";
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
  const isLocal = isLoopback(host) || host === "localhost";
  const outside = isLocal ? undefined : outsideAddress(address);
  const elsewhere = outside && withHost(url, outside.host);
  const isAll = linkAddress(address).host !== host;
  // Here a page may encrypt without a certificate; and always by one name, since by that goes what a browser keeps.
  const here = isLocal || isAll ? withHost(url, "localhost") : undefined;
  if (url.protocol === "http:") return { here, elsewhere };
  // Only by the name in its certificate.
  return { here: elsewhere ? undefined : origin, elsewhere };
}

function withHost({ protocol, port }: URL, host: string): string {
  const whole = formatAddress(host, 0).replace(/:0$/, "");
  return `${protocol}//${whole}${port === "" ? "" : `:${port}`}`;
}

/**
 * The links to the web page, with which one comes in: that for this machine, if it has one of its own, and that for
 * others, if they can reach it. None for a server that serves none.
 * @param keys The server's. @param link The same as a `chat:` link.
 */
export function webLinksOf(keys: RoomKeys, link: string): string[] {
  if (keys.web === undefined) return [];
  const { here, elsewhere } = placesOf(keys.web);
  return [here ?? [], elsewhere ?? []].flat().map((place) =>
    formatWebLink(link, place)
  );
}

/** That of the links to send to somebody; undefined for a server that serves no page. */
export function webLink(keys: RoomKeys, link: string): string | undefined {
  return webLinksOf(keys, link).at(-1);
}

/** What is known of a server that says how to open its page. */
export interface WebHints {
  /**
   * The room's own link as a `chat:` link, where it may be shown; false where it may not, or everybody needs an invite;
   * undefined for a sealed room that is founded.
   */
  readonly link: string | false | undefined;
  /** Where somebody gets a link otherwise: `the link that COMMAND prints`. */
  readonly source: string;
  /** Whether the room is sealed. */
  readonly isSealed: boolean;
  /** How wide what stands before a link is, columns. */
  readonly width: number;
}

/** How to open the page, for the server's owner. */
export interface WebLines {
  /** Where it is. */
  readonly links: readonly string[];
  /** What is to be known of that. */
  readonly notes: readonly string[];
  /** Whether browsers on other machines can use it as it is. */
  readonly isReachable: boolean;
}

/** How to open the page, for the server's owner; nothing for a server that serves none. */
export function webLines(keys: RoomKeys, hints: WebHints): WebLines {
  if (keys.web === undefined) {
    return { links: [], notes: [], isReachable: false };
  }
  const { here, elsewhere } = placesOf(keys.web);
  const line = (label: string, text: string) =>
    label.padEnd(hints.width) + text;
  const place = `${elsewhere ?? here}`;
  const file = `${place}/chat.html`;
  const { link } = hints;
  if (hints.isSealed) {
    const links = link === undefined
      ? [line("In a browser:", `save ${file}, and open that file`)]
      : [
        line("In a browser:", `save ${file}, open that file, and give it`),
        line("", link ? formatWebLink(link, place) : hints.source),
      ];
    return {
      links,
      notes: [SEALED_NOTE],
      isReachable: elsewhere !== undefined,
    };
  }
  const isPlain = keys.web.startsWith("http:");
  const isReachable = elsewhere !== undefined && !isPlain;
  return {
    links: [
      ...(here ? [line("In a browser here:", whole(here, hints))] : []),
      ...(isReachable ? [line("In a browser:", whole(elsewhere, hints))] : []),
    ],
    notes: elsewhere !== undefined && isPlain
      ? ["", ...plainNotes(file, hints.source)]
      : [],
    isReachable,
  };
}

/** The page's address with the invite, or with where to get it. */
function whole(place: string, { link, source }: WebHints): string {
  return link ? formatWebLink(link, place) : `${place}/ (newcomers: ${source})`;
}

/** Why a sealed room's own server can't be where the page comes from. */
const SEALED_NOTE =
  "A page that this server delivers refuses to work: who delivers it could read the room.";

/** What others have to do with a page that comes over plain HTTP. @param source Where they get a link. */
function plainNotes(file: string, source: string): string[] {
  return [
    `Browsers on other machines need HTTPS (--web-cert), or to save ${file},`,
    `open that file, and give it ${source}.`,
  ];
}
