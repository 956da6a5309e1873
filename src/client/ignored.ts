/**
 * Whom a person, or a program, doesn't want to read, by the person's id: another name doesn't help.
 *
 * @module
 */

import type { News, RoomNews } from "./view.ts";

/** Somebody, by the name that it goes by, or went by when it was ignored. */
export interface Somebody {
  /** The name. */
  readonly name: string;
  /** The short id of the member's person, 16 characters. */
  readonly person: string;
}

/** Who did something. */
type Deed = Pick<RoomNews, "person" | "own">;

/** The members that are ignored. */
export class Ignored {
  readonly #names = new Map<string, string>(); // by the person's short id

  /** Who they are. */
  get members(): readonly Somebody[] {
    return [...this.#names].map(([person, name]) => ({
      name,
      person,
    }));
  }

  /** Ignores a member. */
  add({ name, person }: Somebody): void {
    this.#names.set(person, name);
  }

  /** Ignores a member no longer. */
  remove({ person }: Somebody): void {
    this.#names.delete(person);
  }

  /** One who was ignored by this name, in either case. */
  find(name: string): Somebody | undefined {
    return byName(this.members, name);
  }

  /** The news without what ignored members did; null if nothing is left. */
  filter(news: News): News | null {
    if (news.type === "found") {
      return {
        ...news,
        lines: news.lines.filter((line) => !this.#hides(line)),
      };
    }
    return "own" in news && this.#hides(news) ? null : news;
  }

  #hides({ person, own }: Deed): boolean {
    return !own && this.#names.has(person);
  }
}

/** The one of that name, in either case. */
export function byName<T extends Somebody>(
  members: readonly T[],
  name: string,
): T | undefined {
  const wanted = name.toLowerCase();
  return members.find((member) => member.name.toLowerCase() === wanted);
}
