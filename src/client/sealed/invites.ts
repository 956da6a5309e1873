/**
 * Makes invites of a sealed room: each is a temporary identity, whose seed is the link's secret, and which is given the
 * content key like a person.
 *
 * @module
 */

import { KEY_SIZE, randomBytes, toBase64url } from "../../../crypto_utils.ts";
import { identityOf, readCard } from "../../crypto/identity.ts";
import { fullId } from "../../crypto/person_id.ts";
import { admissionKey } from "../../keys/invite.ts";
import type { Event } from "../../protocol/events.ts";
import { sealBlob, sealWrap } from "../../sealed/content_key.ts";
import { SEALED_INVITE } from "../../sealed/membership.ts";
import type { Rules } from "./rules.ts";
import type { SealedRoom } from "./sealed_room.ts";
import type { SealedRequest } from "../link.ts";

const DAY = 86_400_000;
/** Numbers of invites above the founding link's are drawn from so many. */
const NUMBERS = 0x7fff_ff00;

/** What an invite is to be. */
export interface InviteWish {
  /** How many persons it lets in. */
  readonly uses: number;
  /** How long it lasts, days; 0: without end. */
  readonly days: number;
  /** For whom it is, or what it is. */
  readonly note: string;
}

/** What a link is made of. */
export type MadeInvite = Omit<Event<"invited">, "kind" | "address">;

/** Says what an invite needs. */
export interface InviteMaker {
  /** The room. */
  readonly room: SealedRoom;
  /** Says control lines. */
  readonly rules: Rules;
  /** Sends requests, in order. */
  readonly send: (...requests: readonly SealedRequest[]) => Promise<void>;
}

/**
 * Makes an invite.
 * @param isAlone As for `Rules.say`. @returns It, or why it isn't made: a key of `REFUSALS`, or "lost".
 */
export async function makeInvite(
  { room, rules, send }: InviteMaker,
  { uses, days, note }: InviteWish,
  isAlone = false,
): Promise<MadeInvite | string> {
  if (!isAlone) await rules.keyOfNow();
  const { keys, membership, identity } = room;
  const { room: id, epoch: e, seq, digest } = membership;
  const key = await keys.get(e, membership);
  if (!id || !key) return "key-missing";
  const secret = randomBytes(KEY_SIZE);
  const invite = await identityOf(secret);
  const number = freshNumber();
  const until = days === 0 ? null : Date.now() + days * DAY;
  const { sealKey } = readCard(invite.card);
  const wrapping = { room: id, by: identity.id, to: invite.id };
  const to = fullId(invite.id);
  const data = await sealWrap({ ...wrapping, e }, key, sealKey);
  const blob = await sealBlob({ room: id, seq, digest }, secret);
  const card = toBase64url(invite.card);
  const refused = await rules.say(
    { verb: "invite", invite: number, card, uses, until },
    () =>
      send({
        kind: "admit",
        invite: number,
        key: toBase64url(admissionKey(secret)),
        blob,
      }, { kind: "wrap", to, e, next: false, data }),
    isAlone,
  );
  if (refused !== undefined) return refused;
  room.file.invited(number, note);
  const { epoch } = room.membership;
  const latest = epoch > e ? await keys.get(epoch, room.membership) : undefined;
  if (latest) { // the key was changed in the same instant, by who didn't know of it
    const data = await sealWrap({ ...wrapping, e: epoch }, latest, sealKey);
    await send({ kind: "wrap", to, e: epoch, next: false, data });
  }
  return { id: number, secret: toBase64url(secret), uses, until, note };
}

function freshNumber(): number {
  const [drawn = 0] = crypto.getRandomValues(new Uint32Array(1));
  return SEALED_INVITE + 1 + drawn % NUMBERS;
}
