/**
 * Members of a room who are made up, and connections of theirs.
 *
 * @module
 */

import type { Member, Seat } from "../../src/server/batch.ts";

/** Somebody who is in, by no connection yet. @param id Its full id, and its name. */
export function member(id: string): Member {
  const person = { id } as Member["person"];
  const name = { shown: id, folded: id } as Member["name"];
  return { person, name, seats: [], since: 1, active: 1, away: "" };
}

/** Another connection of a member. */
export function sit(of: Member, id: number): Seat {
  const seat: Seat = {
    id,
    member: of,
    guest: {} as Seat["guest"],
    stay: "Yk3xQ0p1a2c",
    server: "a",
    n: 0,
  };
  of.seats.push(seat);
  return seat;
}
