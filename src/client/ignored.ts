/**
 * Whom a person, or a program, doesn't want to read, by the member's key: another name doesn't help. Knows
 * nothing of where they are hidden.
 *
 * @module
 */

import type { News } from "./view.ts";

/** Somebody, by the name that it goes by, or went by when it was ignored. */
export interface Somebody {
  /** The name. */
  readonly name: string;
  /** The fingerprint of the member's key. */
  readonly key: string;
}

/** The members that are ignored. */
export class Ignored {
  readonly #nameByKey = new Map<string, string>();

  /** Who they are. */
  get members(): readonly Somebody[] {
    return [...this.#nameByKey].map(([key, name]) => ({ name, key }));
  }

  /** Ignores a member. */
  add({ name, key }: Somebody): void {
    this.#nameByKey.set(key, name);
  }

  /** Ignores a member no longer. */
  remove({ key }: Somebody): void {
    this.#nameByKey.delete(key);
  }

  /** One who was ignored by this name, in either case. */
  find(name: string): Somebody | undefined {
    return byName(this.members, name);
  }

  /** The news without what ignored members did; null where nothing is left. */
  filter(news: News): News | null {
    if (news.type === "found") {
      return {
        ...news,
        lines: news.lines.filter((line) => !this.#hides(line)),
      };
    }
    return "key" in news && this.#hides(news) ? null : news;
  }

  #hides({ key, own }: { readonly key: string; readonly own: boolean }) {
    return !own && this.#nameByKey.has(key);
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
