/**
 * How the page knows that it is where it wants to be.
 *
 * @module
 */

import { type Bytes, equalBytes } from "../../../crypto_utils.ts";
import { JoinError } from "../../client/join_error.ts";
import type { Known } from "../../client/known.ts";
import { admissionKey, type Invite } from "../../keys/invite.ts";
import { passwordOf } from "../../keys/spoken_code.ts";
import {
  CODE_ID,
  type ConnectOptions,
  MEMBER_ID,
  MEMBER_KEY,
} from "../../protocol/handshake.ts";
import type { Place } from "./place.ts";

/** Where to go and how to get in. */
export interface Destination {
  readonly address: string;
  readonly handshake: Omit<ConnectOptions, "keyPair">;
  readonly invite?: Invite;
  readonly proven?: () => void;
}

export function destinationOf(place: Place, known: Known): Destination {
  const { origin: address, invite, code } = place;
  if (invite) {
    return {
      address,
      invite,
      handshake: {
        inviteId: invite.id,
        inviteKey: admissionKey(invite.secret),
        checkServer: (key) => requireServer(key, invite.serverKey, address),
      },
    };
  }
  if (code) {
    return {
      address,
      handshake: {
        inviteId: CODE_ID,
        inviteKey: MEMBER_KEY,
        code: { number: code.number, password: passwordOf(code) },
        checkServer: () => {},
      },
    };
  }
  const serverKey = known.serverAt(address);
  if (!serverKey) throw new SyntaxError("Never there");
  return {
    address,
    handshake: {
      inviteId: MEMBER_ID,
      inviteKey: MEMBER_KEY,
      checkServer: (key) => requireServer(key, serverKey, address),
    },
  };
}

function requireServer(one: Bytes, other: Bytes, address: string) {
  if (equalBytes(one, other)) return;
  throw new JoinError(`${address} is not the server`, "Somebody");
}
