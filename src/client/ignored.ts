/**
 * Whom a person, or a program, doesn't want to read, by the person's id: another name doesn't help. A person's list is
 * kept between runs, and all clients of that person share it.
 *
 * @module
 */

import { byName, byNameOrId, type Person, type Somebody } from "./person.ts";
import type { News, RoomNews } from "./view.ts";
import type { Document } from "../base/document.ts";
import type { DocumentStore } from "../base/document_store.ts";
import { reasonOf } from "../base/error_reason.ts";
import { shortId } from "../crypto/person_id.ts";

/** Somebody who is ignored, by the name that they go by now, as far as that is known. */
export interface IgnoredPerson extends Person {
  /** The name by which they were ignored. */
  readonly formerly: string;
}

/** Who did something. */
type Deed = Pick<RoomNews, "person" | "own">;

/** The persons that are ignored. */
export class Ignored {
  readonly #note: (text: string) => void;
  #store: DocumentStore | undefined;
  #people = new Map<string, IgnoredPerson>(); // by short id
  /** Settles when every change is kept; never rejects. */
  kept: Promise<void> = Promise.resolve();

  /**
   * Nobody, kept nowhere.
   * @param note Told, one sentence at a time, what can't be read or kept.
   */
  constructor(note: (text: string) => void = () => {}) {
    this.#note = note;
  }

  /** Those in a store. One that can't be used is named in a note and left alone. */
  static async load(
    store: DocumentStore,
    note: (text: string) => void,
  ): Promise<Ignored> {
    const ignored = new Ignored(note);
    ignored.#store = store;
    await ignored.refresh();
    return ignored;
  }

  /** Takes up what another client of the same person has changed. */
  refresh(): Promise<void> {
    return this.#inTurn(async (store) => this.#adopt(await store.read()));
  }

  /** All of them. @param present Who is in the room, by its present name. */
  members(present: readonly Somebody[] = []): readonly IgnoredPerson[] {
    return [...this.#people.values()].map((it) => {
      const here = present.find(({ person }) => person === it.person);
      return { ...it, name: here?.name ?? it.name };
    });
  }

  /** Ignores somebody. */
  add({ id, name, person }: Person): void {
    const formerly = this.#people.get(person)?.formerly ?? name;
    this.#change((people) =>
      people.set(person, { id, name, person, formerly })
    );
  }

  /** Ignores somebody no longer. */
  remove({ person }: Somebody): void {
    this.#change((people) => people.delete(person));
  }

  /**
   * One who is ignored, by its id, by the name that it goes by now, or by one that it had. A name that somebody else
   * goes by now is that one's.
   * @param present Who is in the room.
   */
  find(
    text: string,
    present: readonly Somebody[] = [],
  ): IgnoredPerson | undefined {
    const members = this.members(present);
    const here = byNameOrId(present, text);
    if (here) return members.find(({ person }) => person === here.person);
    const former = members.map((it) => ({ ...it, name: it.formerly }));
    const found = byNameOrId(members, text) ?? byName(former, text);
    return members.find(({ person }) => person === found?.person);
  }

  /** The news without what ignored members did, nor what others answered to; null if nothing is left. */
  filter(news: News): News | null {
    if (news.type === "found") {
      const lines = news.lines.filter((line) =>
        line.type === "warning" || !this.#hides(line)
      );
      return {
        ...news,
        lines: lines.map((line) =>
          line.type === "warning" ? line : this.#unquoted(line)
        ),
      };
    }
    if (!("own" in news)) return news;
    if (!this.#hides(news)) {
      return "seq" in news ? this.#unquoted(news) : news;
    }
    this.#named(news.person, news.type === "renamed" ? news.text : news.name);
    return null;
  }

  #hides({ person, own }: Deed): boolean {
    return !own && this.#people.has(person);
  }

  /** The line without what ignored members said and did in it, as if this client hadn't seen that. */
  #unquoted(line: RoomNews): RoomNews {
    const { quoted, changed, ...rest } = line;
    const isShown = ({ person }: { readonly person: string }) =>
      !this.#people.has(person);
    const reactions = changed?.reactions.filter(isShown) ?? [];
    return {
      ...rest,
      ...(quoted && isShown(quoted) ? { quoted } : {}),
      ...(changed ? { changed: { ...changed, reactions } } : {}),
    };
  }

  /** An ignored member goes by a name. */
  #named(person: string, name: string): void {
    const known = this.#people.get(person);
    if (known) this.#people.set(person, { ...known, name });
  }

  /** Changes who is ignored, here at once and in the store as it is then: another client may have changed it. */
  #change(change: (people: Map<string, IgnoredPerson>) => void): void {
    change(this.#people);
    this.#inTurn((store) =>
      store.change((now) => {
        this.#adopt(now);
        change(this.#people);
        const names = [...this.#people.values()].map(({ id, formerly }) =>
          [id, formerly] as const
        );
        return { ...now, people: Object.fromEntries(names) };
      })
    );
  }

  #adopt({ people }: Document = {}): void {
    const before = this.#people;
    this.#people = new Map();
    for (const [id, formerly] of Object.entries(people ?? {})) {
      if (!isFullId(id) || typeof formerly !== "string") continue;
      const person = shortId(id);
      const name = before.get(person)?.name ?? formerly;
      this.#people.set(person, { id, person, name, formerly });
    }
  }

  /** One thing at a time with the store. Once it can't be used, this client does without it. */
  #inTurn(task: (store: DocumentStore) => Promise<void>): Promise<void> {
    this.kept = this.kept.then(async () => {
      if (this.#store) await task(this.#store);
    }).catch((error: unknown) => {
      this.#store = undefined;
      this.#note(`${reasonOf(error)}. Whom you ignore is not saved`);
    });
    return this.kept;
  }
}

function isFullId(text: string): boolean {
  return /^[\w-]{43}$/.test(text);
}
