/**
 * Private messages in a sealed room: cards come from its control lines, which members signed, not from the server.
 *
 * @module
 */

import { fromBase64url } from "../../../crypto_utils.ts";
import { readCard } from "../../crypto/identity.ts";
import { parseShortId } from "../../crypto/person_id.ts";
import { parseName } from "../../protocol/names.ts";
import type { ControlRecord } from "../../sealed/control_record.ts";
import type { Membership, SealedMember } from "../../sealed/membership.ts";
import type { Holder } from "../mail/cards.ts";
import type { MailRequest, MailRoom } from "../mail/mail_room.ts";
import type { Present } from "../view.ts";

/** What leads into a sealed room. */
export interface SealedPlace {
  /** The control lines: who is a member there, and who was. */
  readonly record: Pick<ControlRecord, "membership" | "terms">;
  /** Who is there. */
  readonly present: readonly Present[];
}

/** A sealed room, once it is founded. @param ask Asks the server. */
export function sealedMailRoom(
  place: SealedPlace,
  ask: (request: MailRequest) => void,
): MailRoom {
  const { room } = place.record.membership;
  if (!room) throw new TypeError("Cannot write in a room that isn't founded");
  return {
    id: room,
    cards: {
      find: (who) => Promise.resolve(find(place.record.membership, who)),
      everFind: (person) => Promise.resolve(everFind(place, person)),
    },
    get present() {
      return place.present;
    },
    ask,
    heard: () => {}, // nothing was asked
    close: () => {},
  };
}

/** A member by a name or a short id. */
function find({ members }: Membership, who: string): Holder | undefined {
  const short = parseShortId(who);
  const member = short === undefined ? undefined : members.get(short);
  if (member) return holderOf(member);
  const name = parseName(who);
  if (typeof name === "string") return undefined;
  for (const it of members.values()) {
    if (it.folded === name.folded) return holderOf(it);
  }
  return undefined;
}

/** Who is a member, or was one last. */
function everFind(
  { record: { terms } }: SealedPlace,
  person: string,
): Holder | undefined {
  const member = terms.before(person, Infinity);
  return member && holderOf(member);
}

function holderOf({ name, id, card }: SealedMember): Holder {
  return { name, id, card: readCard(fromBase64url(card)) };
}
