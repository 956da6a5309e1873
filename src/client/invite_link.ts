/**
 * The links of invites that were made for this client.
 *
 * An address here is `HOST:PORT`, several with commas between them, or the origin of a web page, `http://HOST:PORT`, whose
 * port isn't that of `chat://` links.
 *
 * @module
 */

import { type Bytes, fromBase64url } from "../../crypto_utils.ts";
import {
  formatInvite,
  parsePlace,
  type Place,
  placeAt,
} from "../keys/invite.ts";
import { formatWebLink, isOrigin, webAddress } from "../keys/web_link.ts";
import { type Event, EventError } from "../protocol/events.ts";

/** Whether an address, the first of several, leads only to the machine on which it is used. */
export function isLocal(address: string): boolean {
  return /^(127\.|::1$|localhost$)/.test(placeOf(address).host);
}

/**
 * The link of an invite. The way that this client took leads others there, too, unless it is on the server's machine; and
 * where the room is on several servers, so do the addresses that the server knows of the others. A web link where no
 * other address is known.
 * @param address Where the server says that it is, and the room's others. @param own Where this client found it.
 * @throws {EventError} for what no server says.
 */
export function linkOf(
  { address, id, secret }: Pick<Event<"invited">, "address" | "id" | "secret">,
  serverKey: Bytes,
  own: string,
): string {
  try {
    const told = placeOf(address);
    const way = isLocal(own) ? told : placeOf(own);
    const port = isOrigin(own) ? told.port : way.port;
    const keys = { serverKey, id, secret: fromBase64url(secret) };
    const place = placeAt({ host: way.host, port }, told.others);
    const link = formatInvite({ ...place, ...keys });
    return isOrigin(address)
      ? formatWebLink(link, new URL(address).origin)
      : link;
  } catch (cause) {
    throw new EventError("Cannot read an invite", { cause });
  }
}

function placeOf(address: string): Place {
  return isOrigin(address) ? webAddress(new URL(address)) : parsePlace(address);
}
