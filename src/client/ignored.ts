/**
 * Whom a person, or a program, doesn't want to read, by the key's fingerprint: another name doesn't help.
 *
 * @module
 */

import type { News, RoomNews } from "./view.ts";

/** Somebody, by the name that it goes by, or went by when it was ignored. */
export interface Somebody {
  /** The name. */
  readonly name: string;
  /** The fingerprint of the member's key. */
  readonly fingerprint: string;
}

/** Who did something. */
type Deed = Pick<RoomNews, "fingerprint" | "own">;

/** The members that are ignored. */
export class Ignored {
  readonly #names = new Map<string, string>(); // by fingerprint

  /** Who they are. */
  get members(): readonly Somebody[] {
    return [...this.#names].map(([fingerprint, name]) => ({
      name,
      fingerprint,
    }));
  }

  /** Ignores a member. */
  add({ name, fingerprint }: Somebody): void {
    this.#names.set(fingerprint, name);
  }

  /** Ignores a member no longer. */
  remove({ fingerprint }: Somebody): void {
    this.#names.delete(fingerprint);
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

  #hides({ fingerprint, own }: Deed): boolean {
    return !own && this.#names.has(fingerprint);
  }
}

/** The one of that name, in either case. */
export function byName(
  members: readonly Somebody[],
  name: string,
): Somebody | undefined {
  const wanted = name.toLowerCase();
  return members.find((member) => member.name.toLowerCase() === wanted);
}
