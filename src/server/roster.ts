/**
 * Who is in the room, under which name and by which connections.
 *
 * @module
 */

import type { Member, Seat } from "./batch.ts";
import type { Person, Undo } from "./people.ts";
import type { Name } from "../protocol/names.ts";

/** The members, one for each person and each name. */
export class Roster {
  readonly #byName = new Map<string, Member>(); // by folded name
  readonly #byPerson = new Map<Person, Member>();

  /** How many there are. */
  get size(): number {
    return this.#byPerson.size;
  }

  /** Who goes by a name, or by one that looks the same. */
  find({ folded }: Name): Member | undefined {
    return this.#byName.get(folded);
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

  /** Lets one in, whose name must be free. */
  add(member: Member): Undo {
    const { name: { folded }, person } = member;
    this.#byName.set(folded, member);
    this.#byPerson.set(person, member);
    return () => {
      this.#byName.delete(folded);
      this.#byPerson.delete(person);
    };
  }

  /** Lets one out. */
  remove(member: Member): Undo {
    const { name: { folded }, person } = member;
    this.#byName.delete(folded);
    this.#byPerson.delete(person);
    return () => {
      this.#byName.set(folded, member);
      this.#byPerson.set(person, member);
    };
  }

  /** Gives one another name, which must be free or its own. */
  rename(member: Member, name: Name): Undo {
    const old = member.name;
    this.#byName.delete(old.folded);
    this.#byName.set(name.folded, member);
    member.name = name;
    return () => {
      this.#byName.delete(name.folded);
      this.#byName.set(old.folded, member);
      member.name = old;
    };
  }
}
