/**
 * Who is in the room, as servers tell each other and write down: by numbers, ids and names alone.
 *
 * @module
 */

import type { Batch, Seat } from "../batch.ts";
import type { Roster } from "../roster.ts";

/** A connection that is in, and what is so of its member. */
export interface SeatRecord {
  /** What everybody calls it, the same on all servers. */
  readonly id: number;
  /** The id of the server that it leads to. */
  readonly server: string;
  /** The full id of its person. */
  readonly person: string;
  /** The name that its member goes by, as it writes it. */
  readonly name: string;
  /** Its client's stay, 8 bytes in base64url. */
  readonly stay: string;
  /** The stay's own number for the last thing that was said in it. */
  readonly n: number;
  /** When its member came, ms since 1970. */
  readonly since: number;
  /** When its member last said something, ms since 1970; else when it came. */
  readonly active: number;
  /** Why its member is away from the keyboard; empty if it isn't. */
  readonly away: string;
}

/** A server that shares the room. */
export interface ServerRecord {
  /** 16 bytes in base64url, another one at each start. */
  readonly id: string;
  /** Where members find it, `HOST:PORT`. */
  readonly address: string;
  /** The number of the last of its entries that was carried out; -1 for none. */
  readonly k: number;
}

/** Who is in, and by which servers. */
export interface RosterRecord {
  /** The id of the next connection. */
  readonly nextId: number;
  /** The servers that live, in the order in which they came. */
  readonly servers: readonly ServerRecord[];
  /** The connections that are in, by rising ids. */
  readonly seats: readonly SeatRecord[];
}

/** Nobody. */
export const NOBODY: RosterRecord = { nextId: 1, servers: [], seats: [] };

/** What has changed of who is in: all connections of each person of whom something has, by its full id. */
export type RosterChanges = ReadonlyMap<string, readonly SeatRecord[]>;

/** A connection as it is now. */
function seatRecord(seat: Seat): SeatRecord {
  const { id, server, stay, n, member } = seat;
  const { person, name, since, active, away } = member;
  return {
    id,
    server,
    person: person.id,
    name: name.shown,
    stay,
    n,
    since,
    active,
    away,
  };
}

/** What a batch that has happened has changed. @param members Who is in after it. */
export function changesOf(batch: Batch, members: Roster): RosterChanges {
  const touched = [
    ...batch.joined.map(({ seat }) => seat),
    ...batch.said.map(({ seat }) => seat),
    ...batch.renamed.map(({ seat }) => seat),
    ...batch.away.map(({ seat }) => seat),
    ...batch.ruled.flatMap(({ wish }) => wish?.seat ?? []),
    ...batch.knownSeats.values(), // of those whose connections came or went
  ];
  const persons = new Set(touched.map(({ member }) => member.person));
  return new Map(
    [...persons].map((person) => [
      person.id,
      members.of(person)?.seats.map(seatRecord) ?? [],
    ]),
  );
}
