/**
 * Files in a sealed room: pieces are sealed under the key of now, and those that come opened; the server sees only that a
 * line is of a member who holds something.
 *
 * @module
 */

import {
  DecryptionError,
  fromBase64url,
  toBase64url,
} from "../../../crypto_utils.ts";
import {
  type OfferPlace,
  openPiece,
  sealPiece,
} from "../../sealed/sealed_piece.ts";
import type { FileRoom, OfferLine } from "../file_room.ts";
import type { SealedRoom } from "./sealed_room.ts";
import type { SealingEpoch } from "./sealer.ts";

/**
 * A sealed room.
 * @param epoch With what is sealed now, as soon as it is here; undefined where the connection ends before.
 * @param ask Asks the server.
 */
export function sealedFileRoom(
  room: Pick<SealedRoom, "keys" | "membership" | "record">,
  epoch: () => Promise<SealingEpoch | undefined>,
  ask: FileRoom["ask"],
): FileRoom {
  return {
    get epoch() {
      return room.membership.epoch;
    },
    ask,
    seal: async (piece, { line, from }) => {
      const place = placeOf(room, line);
      const key = await epoch();
      if (!place || !key) return undefined;
      return toBase64url(await sealPiece(piece, from, place, key));
    },
    open: async (data, { line, from }, since) => {
      const { keys, membership } = room;
      const place = placeOf(room, line);
      if (!place) return "wrong";
      let isLocked = false;
      const keyOf = async (e: number) => {
        // Who was removed before it was asked for has no part in it.
        if (e < since || e > membership.epoch) return undefined;
        const key = await keys.get(e, membership);
        isLocked = key === undefined;
        return key;
      };
      try {
        return await openPiece(fromBase64url(data), from, place, keyOf);
      } catch (error) {
        if (error instanceof DecryptionError || error instanceof SyntaxError) {
          return isLocked ? "locked" : "wrong";
        }
        throw error;
      }
    },
  };
}

/** What a file's pieces are bound to; undefined for a line of nobody who was a member there. */
function placeOf(
  { membership: { room }, record: { terms } }: Pick<
    SealedRoom,
    "membership" | "record"
  >,
  { seq, person, stay, n }: OfferLine,
): OfferPlace | undefined {
  const member = terms.at(person, seq);
  if (!room || !member) return undefined;
  const sender = fromBase64url(member.id);
  return { room, sender, stay: fromBase64url(stay), n };
}
