/**
 * How a keeper changes the content key of a sealed room: a fresh one is wrapped for everybody first, and then the `keys`
 * line says that it counts; of two keepers who do it in the same instant one is first, and the other tries again.
 *
 *     fresh key ──▶ wraps, in parallel ──▶ keys ──┬── said ──▶ wraps for who came meanwhile
 *         ▲                                       └── keys-late ──┐
 *         └───────────────────────────────────────────────────────┘
 *
 * @module
 */

import {
  type Bytes,
  fromBase64url,
  toBase64url,
} from "../../../crypto_utils.ts";
import { type Identity, readCard } from "../../crypto/identity.ts";
import {
  commitment,
  freshContentKey,
  sealBack,
  sealWrap,
} from "../../sealed/content_key.ts";
import type { Keys } from "../../sealed/control_line.ts";
import type { Membership } from "../../sealed/membership.ts";
import type { SealedRequest } from "../link.ts";
import type { InviteMaker } from "./invites.ts";

/** Wraps that are made at a time. */
const CHUNK = 64;
/** How often a keeper tries, if others come first: more often than the server lets them. */
const MAX_TRIES = 32;

/** Who changes with the key. Full ids. */
export type Change = Pick<Keys, "made" | "removed" | "barred" | "freed">;

/** A change of the key alone. */
export const NO_CHANGE: Change = {
  made: [],
  removed: [],
  barred: [],
  freed: [],
};

/** Who gives the key. */
export interface Giver {
  /** The room, and as whom. */
  readonly room: {
    readonly membership: Pick<Membership, "room">;
    readonly identity: Identity;
  };
  /** Sends requests, in order. */
  readonly send: InviteMaker["send"];
}

/** Somebody who gets the key. */
export interface Recipient {
  /** Its full id. */
  readonly id: string;
  /** Its card, base64url. */
  readonly card: string;
}

/**
 * Changes the key.
 * @param isStillDue Whether it is to be tried again where another keeper came first. Default: always.
 * @returns Why it isn't done: a key of `REFUSALS`, or "lost"; undefined once it is.
 */
export async function rekey(
  maker: InviteMaker,
  change: Change,
  isStillDue: () => boolean = () => true,
): Promise<string | undefined> {
  const { room, rules } = maker;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    await rules.keyOfNow();
    const { membership, keys } = room;
    // Where the key of now never came, the latest that did: else one keeper could keep all others from going on.
    const backTo = keys.highest;
    const before = await keys.get(backTo, membership);
    const left = leftOf(change, membership);
    if (!left || tries > 0 && !isStillDue()) return undefined;
    const { room: id, epoch, lastKeys: prev } = membership;
    if (!id || !before) return "key-missing";
    const { seq: seen } = membership;
    const digest = toBase64url(membership.digest);
    const e = epoch + 1;
    const key = freshContentKey();
    const commit = commitment({ room: id, e }, key);
    keys.made(commit, key);
    const back = await sealBack({ room: id, e }, before, key);
    const recipients = recipientsOf(membership, left);
    const refused = await rules.say({
      verb: "keys",
      e,
      prev,
      seen,
      digest,
      commit,
      back,
      backTo,
      ...left,
    }, () => wrapFor(maker, recipients, e, key, true));
    const isNext = () => room.membership.epoch >= e;
    if (refused === "keys-late") {
      if (!await rules.until(isNext)) return "lost";
      continue;
    }
    if (refused !== undefined) return refused;
    if (!await rules.until(isNext)) return "lost";
    const known = new Set(recipients.map(({ id }) => id));
    const late = recipientsOf(room.membership, NO_CHANGE)
      .filter(({ id }) => !known.has(id));
    if (room.membership.epoch === e) await wrapFor(maker, late, e, key);
    return undefined;
  }
  return "keys-late";
}

/** What is left to do of a change after what others did; undefined for nothing. */
function leftOf(
  { made, removed, barred, freed }: Change,
  membership: Membership,
): Change | undefined {
  const left: Change = {
    made: made.filter((id) =>
      membership.member(id) && !membership.isKeeper(id)
    ),
    removed: removed.filter((id) => membership.member(id)),
    barred: barred.filter((id) => !membership.barred.has(id)),
    freed: freed.filter((id) => membership.barred.has(id)),
  };
  const count = (it: Change) =>
    Object.values(it).reduce((sum, ids) => sum + ids.length, 0);
  const isDone = count(left) === 0 &&
    count({ made, removed, barred, freed }) > 0;
  return isDone ? undefined : left;
}

/** Who gets the next key: all members, and the open invites, which end with a removal. */
function recipientsOf(membership: Membership, change: Change): Recipient[] {
  const { removed } = change;
  const members = [...membership.members.values()]
    .filter(({ id }) => !removed.includes(id));
  const invites = removed.length > 0 ? [] : membership.openInvites(Date.now());
  return [...members, ...invites];
}

/** Gives a content key to some. @param next Whether it is the one with which this client begins the next epoch. */
export async function wrapFor(
  { room, send }: Giver,
  recipients: readonly Recipient[],
  e: number,
  key: Bytes,
  next = false,
): Promise<void> {
  const { room: id } = room.membership;
  if (!id) return;
  for (let at = 0; at < recipients.length; at += CHUNK) {
    const wraps = recipients.slice(at, at + CHUNK).map(
      async (it): Promise<SealedRequest> => {
        const { sealKey } = readCard(fromBase64url(it.card));
        const to = fromBase64url(it.id);
        const by = room.identity.id;
        const data = await sealWrap({ room: id, e, by, to }, key, sealKey);
        return { kind: "wrap", to: it.id, e, next, data };
      },
    );
    await send(...await Promise.all(wraps));
  }
}
