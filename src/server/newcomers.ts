/**
 * What those are told who come in: who is there, what they missed, and how to read what is said from then on.
 *
 * @module
 */

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

/**
 * Tells newcomers of a batch, those who are connected here; they read from the next broadcast on. What many are told in
 * the same words is packed once, or even sealed once; the rest is little:
 *
 *     direct: chain, past …, sharing, epoch, greeting, room │ shared: here, beside … │ direct: welcome, wrapped, needed …
 *
 * A past of several records comes shared before that, to several who missed the same.
 */
export async function welcome(
  { entries, at, first }: Batch,
  joined: readonly Joining[],
  { members, broadcaster, people, greeting, sealed, needs }: Entered,
): Promise<void> {
  const epoch = broadcaster.describe();
  const logged = entries.map((it, index) => numberEntry(it, first + index));
  const here = await broadcaster.share(packEvents(hereTexts(members)));
  const settings = { kind: "room", ...people.settings } as const;
  const same = [here.key, epoch, ...greeting, settings].map(encodeEvent);
  for (const group of Map.groupBy(joined, missedBy).values()) {
    const [{ request: { chain }, missed }] = group as [Joining];
    const past = [
      ...chain ? [chain] : [],
      ...[...missed, ...logged].map(pastEvent),
    ].map(encodeEvent);
    const whole = packEvents([...past, ...same]);
    const isLong = whole.length > 1 && group.length > 1;
    const long = isLong ? await broadcaster.share(packEvents(past)) : undefined;
    const before = long ? packEvents(same) : whole;
    for (const { seat, answer } of group) {
      answer(seat);
      if (!members.has(seat)) continue; // it came once more in this batch: that one is in
      const { guest, id, member } = seat;
      guest.outlet.attach();
      if (long) {
        guest.tell(long.key);
        guest.share(long);
      }
      guest.pass(before);
      guest.share(here);
      const seq = first + entries.length - 1;
      const name = member.name.shown;
      const wrap = sealed?.wrapFor(member.person.id);
      const isKeeper = sealed?.membership.isKeeper(member.person.id);
      guest.tell(
        { kind: "welcome", id, seq, at, name },
        ...wrap ? [{ kind: "wrapped", ...wrap } as const] : [],
        ...isKeeper ? needs : [],
      );
    }
  }
}

/** Who missed the same is told the same. */
function missedBy({ request: { after, chain } }: Joining): string {
  return `${after} ${chain?.value}`;
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
