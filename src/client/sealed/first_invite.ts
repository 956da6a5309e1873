/**
 * The first invite, which a founder needs for others: it is made before the founder is in, and told.
 *
 * @module
 */

import type { Bytes } from "../../../crypto_utils.ts";
import { isLocal, linkOf } from "../invite_link.ts";
import { entryRefused } from "../join_error.ts";
import { greet, type View } from "../view.ts";
import { type InviteMaker, makeInvite } from "./invites.ts";

/** How many persons it lets in, and for how long, days. */
const FIRST_INVITE = { uses: 100, days: 7, note: "" };

/** Where it is made, and told. */
export interface FirstInviteOptions {
  /** When it is made. */
  readonly when: "never" | "if none is open" | "always";
  /** Where it is told. */
  readonly view: View;
  /** How the server is called, `HOST:PORT`. */
  readonly address: string;
  /** The server's key, 32 bytes. */
  readonly serverKey: Bytes;
}

/**
 * Makes it, where this client is a keeper's.
 * @returns Whether the connection still stands. @throws {JoinError} if the server refuses it.
 */
export async function makeFirstInvite(
  maker: InviteMaker,
  { when, view, address, serverKey }: FirstInviteOptions,
): Promise<boolean> {
  const { membership, isKeeper } = maker.room;
  if (when === "never" || !isKeeper) return true;
  const isOpen = membership.openInvites(Date.now()).length > 0;
  if (when === "if none is open" && isOpen) return true;
  const made = await makeInvite(maker, FIRST_INVITE, true);
  if (made === "lost") return false;
  if (made === "key-missing") return true; // which is said, and asked for, once it is in
  if (typeof made === "string") {
    throw entryRefused({ reason: made, detail: "" }, "");
  }
  const link = linkOf({ ...made, address }, serverKey, address);
  const { uses, until, note } = made;
  view.show({ type: "invited", link, uses, until, note, founding: true });
  const { days } = FIRST_INVITE;
  const local = isLocal(address)
    ? `. In place of ${address}, write an address by which they reach this machine`
    : "";
  greet(
    view,
    `That link is for the others: it lets in ${uses} persons within ${days} days${local}. /invite makes one for one person`,
  );
  return true;
}
