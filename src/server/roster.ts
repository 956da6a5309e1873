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

  /** How many there are. */
  get size(): number {
    return this.#byPerson.size;
  }

  /** The member that a person is. */
  of(person: Person): Member | undefined {
    return this.#byPerson.get(person);
  }

  /** Whether this connection is in. */
  has(seat: Seat): boolean {
    const { member } = seat;
    return this.of(member.person) === member && member.seats.includes(seat);
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
