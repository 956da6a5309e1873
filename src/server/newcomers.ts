/**
 * What those are told who come in: who is there, what they missed, and how to read what is said from then on.
 *
 * @module
 */

import type { Bytes } from "../../crypto_utils.ts";
import { encodeEvent, type Event, packEvents } from "../protocol/events.ts";
import { numberEntry, pastEvent } from "../protocol/line.ts";
import type { Batch, Joining, Member } from "./batch.ts";
import type { Broadcaster } from "./broadcaster.ts";
import type { People } from "./people/people.ts";
import type { Roster } from "./roster.ts";
import type { SealedRoom } from "./sealed/sealed_room.ts";

/** What newcomers come into. */
export interface Entered {
  /** Who is in, they among them. */
  readonly members: Roster;
  /** What tells everybody, by the key that they are to have. */
  readonly broadcaster: Broadcaster;
  /** Says what the room has set. */
  readonly people: People;
  /** What all of them are told beside. */
  readonly greeting: readonly Event[];
  /** What is known of a sealed room. */
  readonly sealed: SealedRoom | undefined;
  /** Who lacks a content key there; for keepers. */
  readonly needs: readonly Event<"needed">[];
}

/** Tells newcomers of a batch, those who are connected here; they read from the next broadcast on. */
export async function welcome(
  { entries, at, first }: Batch,
  joined: readonly Joining[],
  { members, broadcaster, people, greeting, sealed, needs }: Entered,
): Promise<void> {
  const epoch = broadcaster.describe();
  const logged = entries.map((it, index) => numberEntry(it, first + index));
  // What many are told in the same words is packed once, and sealed once if it is the same for all.
  const here = await broadcaster.share(packEvents(hereTexts(members)));
  const packed = new Map<string, Bytes[]>();
  for (const { request, seat, missed, answer } of joined) {
    answer(seat);
    if (!members.has(seat)) continue; // it came once more in this batch: that one is in
    const { guest, id, member } = seat;
    const { after, chain } = request;
    const key = `${after} ${chain?.value}`;
    const past = packed.get(key) ??
      packEvents([
        ...chain ? [chain] : [],
        ...[...missed, ...logged].map(pastEvent),
      ].map(encodeEvent));
    packed.set(key, past);
    guest.outlet.attach();
    guest.share(here);
    guest.pass(past);
    guest.tell(epoch, ...greeting, { kind: "room", ...people.settings }, {
      kind: "welcome",
      id,
      seq: first + entries.length - 1,
      at,
      name: member.name.shown,
    });
    const wrap = sealed?.wrapFor(member.person.id);
    if (wrap) guest.tell({ kind: "wrapped", ...wrap });
    if (sealed?.membership.isKeeper(member.person.id)) guest.tell(...needs);
  }
}

/** What newcomers are told of all members: who they are, and by which other connections they are there. */
function hereTexts(members: Iterable<Member>): string[] {
  const texts: string[] = [];
  for (const { person, name, seats, since, active, away } of members) {
    let of: number | undefined;
    for (const { id, stay } of seats) {
      texts.push(encodeEvent(
        of === undefined
          ? {
            kind: "here",
            id,
            name: name.shown,
            person: person.id,
            stay,
            since,
            active,
            away,
          }
          : { kind: "beside", id, of, stay },
      ));
      of ??= id;
    }
  }
  return texts;
}
