/**
 * The links of invites that were made for this client.
 *
 * @module
 */

import { type Bytes, fromBase64url } from "../../crypto_utils.ts";
import { formatInvite, parseAddress } from "../keys/invite.ts";
import { type Event, EventError } from "../protocol/events.ts";

/** Whether an address leads only to the machine on which it is used. @param address `HOST:PORT`. */
export function isLocal(address: string): boolean {
  return /^(127\.|\[::1\]|localhost:)/.test(address);
}

/**
 * The link of an invite. The way that this client took leads others there, too, unless it is on the server's machine.
 * @param own Where this client found the server. @throws {EventError} for what no server says.
 */
export function linkOf(
  { address, id, secret }: Pick<Event<"invited">, "address" | "id" | "secret">,
  serverKey: Bytes,
  own: string,
): string {
  try {
    const place = parseAddress(isLocal(own) ? address : own);
    return formatInvite({
      ...place,
      serverKey,
      id,
      secret: fromBase64url(secret),
    });
  } catch (cause) {
    throw new EventError("Cannot read an invite", { cause });
  }
}
