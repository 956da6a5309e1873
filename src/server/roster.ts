/**
 * Who is in the room.
 *
 * @module
 */

import type { Member, Seat } from "./batch.ts";
import type { Undo } from "./people/reversible.ts";
import type { Person } from "./people/person.ts";
import type { Name } from "../protocol/names.ts";

/** The members, one for each person. That each has a name of its own is the people's work. */
export class Roster {
  readonly #byPerson = new Map<Person, Member>();
  readonly #seats = new Map<number, Seat>();

  /** How many there are. */
  get size(): number {
    return this.#byPerson.size;
  }

  /** The member that a person is. */
  of(person: Person): Member | undefined {
    return this.#byPerson.get(person);
  }

  /** A person's connections: none where it isn't in. */
  seatsBy(person: Person | undefined): readonly Seat[] {
    const member = person && this.of(person);
    return member?.seats ?? [];
  }

  /** Whether this connection is in. */
  has(seat: Seat): boolean {
    const { member } = seat;
    return this.of(member.person) === member && member.seats.includes(seat);
  }

  /** The connection of that id, if it is in. */
  seat(id: number): Seat | undefined {
    return this.#seats.get(id);
  }

  /** Connections that lead to a server, by their ids: on every server in the same order. */
  seatsOf(server: string): Seat[] {
    return [...this.#seats.values()].filter((seat) => seat.server === server)
      .sort((a, b) => a.id - b.id);
  }

  /** A connection takes its place. */
  take(seat: Seat): Undo {
    const { id, member: { seats } } = seat;
    seats.push(seat);
    this.#seats.set(id, seat);
    return () => {
      seats.splice(seats.indexOf(seat), 1);
      this.#seats.delete(id);
    };
  }

  /** A connection gives up its place. */
  vacate(seat: Seat): Undo {
    const { id, member: { seats } } = seat;
    const place = seats.indexOf(seat);
    seats.splice(place, 1);
    this.#seats.delete(id);
    return () => {
      seats.splice(place, 0, seat);
      this.#seats.set(id, seat);
    };
  }

  /** Everybody. */
  [Symbol.iterator](): Iterator<Member> {
    return this.#byPerson.values();
  }

  /** Lets one in. */
  add(member: Member): Undo {
    this.#byPerson.set(member.person, member);
    return () => this.#byPerson.delete(member.person);
  }

  /** Lets one out. */
  remove(member: Member): Undo {
    this.#byPerson.delete(member.person);
    return () => this.#byPerson.set(member.person, member);
  }

  /** Gives one another name, which must be free or its own. */
  rename(member: Member, name: Name): Undo {
    const old = member.name;
    member.name = name;
    return () => void (member.name = old);
  }
}
