/**
 * Where a client goes and how it knows that it is there: by a link, which names the server's key, or by the address
 * alone, where it was before.
 *
 * @module
 */

import { JoinError } from "./join_error.ts";
import type { Known } from "./known.ts";
import { type Bytes, equalBytes } from "../../crypto_utils.ts";
import { UsageError } from "../base/usage_error.ts";
import { admissionKey, type Invite } from "../keys/invite.ts";
import type { ConnectOptions } from "../protocol/handshake.ts";
import { MEMBER_ID, MEMBER_KEY } from "../protocol/hello.ts";

/** How a client shakes hands, but for its own key. */
export interface Handshake
  extends Omit<ConnectOptions, "keyPair" | "checkServer"> {
  /** Looks whether a server is the right one. @throws {JoinError} if the key, 32 bytes, isn't that of the room. */
  readonly checkServer: (key: Bytes, address: string) => void;
}

/** Where to go and how to get in. */
export interface Destination {
  /** The server that is tried first: `HOST:PORT`, and for the page its origin, `http://HOST:PORT`. */
  readonly address: string;
  /** The room's other servers, in the order in which they are tried. */
  readonly others?: readonly string[];
  /** What of the handshake is known before there is an identity. */
  readonly handshake: Handshake;
  /** The link's invite, where there is a link. */
  readonly invite?: Invite;
  /** To be called when the client is in: then the server's key is proven. */
  readonly proven?: () => void;
}

/** By a link. @param address Where its server is. @param others Where the room's others are. */
export function byInvite(
  invite: Invite,
  address: string,
  others: readonly string[] = [],
): Destination {
  const { serverKey, id, secret } = invite;
  const named = "that your link names (an old or a wrong link?)";
  const checkServer = (key: Bytes, at: string) =>
    requireServer(key, serverKey, at, named);
  const inviteKey = admissionKey(secret);
  const handshake = { inviteId: id, inviteKey, checkServer };
  return { address, others, handshake, invite };
}

/**
 * By the own key: the client was in before, at one of these addresses; or, where none of them is known, in a room that has
 * moved there, which its server's key proves.
 * @throws {UsageError} if it was never in a room.
 */
export function byKey(
  known: Known,
  address: string,
  more: readonly string[] = [],
): Destination {
  const given = [address, ...more];
  const room = given.map((it) => known.roomAt(it)).find((it) => it);
  if (known.rooms.length === 0) {
    throw new UsageError(
      `You were never in a room at ${given}: to come in you need its link, or a code: ask who runs the server`,
    );
  }
  const others = new Set([...more, ...room?.addresses ?? []]);
  others.delete(address);
  return {
    address,
    others: [...others],
    handshake: {
      inviteId: MEMBER_ID,
      inviteKey: MEMBER_KEY,
      checkServer: (key, at) =>
        requireServer(key, room?.serverKey ?? known.moved(key, at), at),
    },
  };
}

/** Says so where a server isn't the one that it should be. @param which Which that is. @throws {JoinError} if a key isn't the server's. */
export function requireServer(
  presented: Bytes,
  serverKey: Bytes,
  address: string,
  which = "that you know",
): void {
  if (equalBytes(presented, serverKey)) return;
  throw new JoinError(
    `${address} is not the server ${which}`,
    "Somebody may be between you and it. Nothing was sent. If the server was set up anew, ask for a new link",
  );
}
