/**
 * Who is in the room under which name.
 *
 * @module
 */

import type { Member } from "./batch.ts";
import type { Name } from "../protocol/names.ts";

/** Takes a change back; changes are taken back newest first. */
export type Undo = () => void;

/** The members, one for each name. */
export class Roster {
  readonly #byName = new Map<string, Member>(); // by folded name

  /** How many there are. */
  get size(): number {
    return this.#byName.size;
  }

  /** Who goes by a name, or by one that looks the same. */
  find({ folded }: Name): Member | undefined {
    return this.#byName.get(folded);
  }

  /** Whether this member is there. */
  has(member: Member): boolean {
    return this.find(member.name) === member;
  }

  /** Everybody. */
  [Symbol.iterator](): Iterator<Member> {
    return this.#byName.values();
  }

  /** Lets one in, whose name must be free. */
  add(member: Member): Undo {
    const { folded } = member.name;
    this.#byName.set(folded, member);
    return () => this.#byName.delete(folded);
  }

  /** Lets one out. */
  remove(member: Member): Undo {
    const { folded } = member.name;
    this.#byName.delete(folded);
    return () => this.#byName.set(folded, member);
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
