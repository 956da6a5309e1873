/**
 * Whom a person doesn't want to read, by the member's key: another name doesn't help. Knows nothing of where
 * they are hidden.
 *
 * @module
 */

import type { News } from "./news.ts";

/** The members that are ignored. */
export class Ignored {
  readonly #nameByKey = new Map<string, string>();

  /** The names by which they were ignored. */
  get names(): readonly string[] {
    return [...this.#nameByKey.values()];
  }

  /** Ignores a member, or doesn't any more. @returns Whether it is ignored now. */
  toggle(
    { name, key }: { readonly name: string; readonly key: string },
  ): boolean {
    if (this.#nameByKey.delete(key)) return false;
    this.#nameByKey.set(key, name);
    return true;
  }

  /** The key of somebody who was ignored by this name, in either case. */
  keyOf(name: string): string | undefined {
    const wanted = name.toLowerCase();
    for (const [key, known] of this.#nameByKey) {
      if (known.toLowerCase() === wanted) return key;
    }
    return undefined;
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
