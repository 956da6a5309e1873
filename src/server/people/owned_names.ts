/**
 * Whose name is whose: a name belongs to the person who first used it, until long after that person was last there,
 * or until it gives the name up.
 *
 * @module
 */

import { foldedName, type Name } from "../../protocol/names.ts";
import { type Reversible, UNCHANGED } from "./reversible.ts";
import type { Happening, HappeningOf } from "./happening.ts";
import { isBanned, type Person } from "./person.ts";

/** For how long after its person was last there a name is kept, ms. */
export const NAME_KEPT = 90 * 86_400_000;
/** Names that a person may have; the oldest is given up for a new one. */
const MAX_NAMES = 8;

/** A name that is somebody's. */
export interface OwnedName {
  /** As its owner writes it. */
  readonly shown: string;
  /** Whose it is. */
  readonly person: Person;
  /** Since when, ms since 1970. */
  readonly since: number;
}

/** The names that are somebody's, and with them each person's `names`. */
export class OwnedNames {
  readonly #names = new Map<string, OwnedName>(); // by folded name
  readonly #now: () => number;

  /** None so far. @param now The room's time, ms since 1970. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Forgets all, but for what persons say of it. */
  clear(): void {
    this.#names.clear();
  }

  /** How many there are. */
  get size(): number {
    return this.#names.size;
  }

  /** Who goes by a name, or went by it last. */
  lastOwner(folded: string): Person | undefined {
    return this.#names.get(folded)?.person;
  }

  /** The name that a person claimed last; empty for none. */
  nameOf({ names }: Person): string {
    return this.#names.get(names.at(-1) ?? "")?.shown ?? "";
  }

  /** Whose a name is, or one that looks like it. @param isHere Whether a person is in the room now. */
  owner(
    folded: string,
    isHere: (person: Person) => boolean,
  ): OwnedName | undefined {
    const owned = this.#names.get(folded);
    if (!owned) return undefined;
    const { person } = owned;
    const now = this.#now();
    const isKept = isHere(person) ||
      !isBanned(person, now) && now - person.there < NAME_KEPT;
    return isKept ? owned : undefined;
  }

  /** A free name becomes a person's, or is shown otherwise. */
  claim(person: Person, { shown, folded }: Name, at: number): Reversible {
    const old = this.#names.get(folded);
    const isLast = person.names.at(-1) === folded;
    if (isLast && old?.shown === shown) return UNCHANGED;
    const isOwn = old?.person === person;
    const since = isOwn ? old.since : at;
    const { id, names } = person;
    const before = [...names];
    const isFull = !isOwn && names.length >= MAX_NAMES;
    const [oldest = ""] = names;
    const lost = isFull ? this.#names.get(oldest) : undefined;
    const happenings: Happening[] = [
      { kind: "name", person: id, name: shown, since },
    ];
    if (lost) {
      this.#delete(oldest);
      happenings.unshift({ kind: "released", name: lost.shown });
    }
    this.#set(folded, { shown, person, since });
    const undo = () => {
      this.#delete(folded);
      if (lost) this.#set(oldest, lost);
      if (old) this.#set(folded, old);
      names.splice(0, names.length, ...before);
    };
    return { happenings, undo };
  }

  /**
   * A person's other names are nobody's any more.
   * @param kept The one that it goes by, folded. @returns With the others, as it writes them.
   */
  release(
    person: Person,
    kept: string,
  ): Reversible & { readonly names: string[] } {
    const { names } = person;
    const before = [...names];
    const released: OwnedName[] = [];
    for (const folded of before) {
      const owned = this.#names.get(folded);
      if (folded === kept || !owned) continue;
      released.push(owned);
      this.#delete(folded);
    }
    const undo = () => {
      for (const it of released) this.#set(foldedName(it.shown), it);
      names.splice(0, names.length, ...before);
    };
    const shown = released.map((it) => it.shown);
    const happenings = shown.map((name): Happening => ({
      kind: "released",
      name,
    }));
    return { names: shown, happenings, undo };
  }

  #set(folded: string, name: OwnedName): void {
    this.#delete(folded);
    this.#names.set(folded, name);
    name.person.names.push(folded);
  }

  #delete(folded: string): void {
    const owned = this.#names.get(folded);
    if (!owned) return;
    this.#names.delete(folded);
    const { names } = owned.person;
    names.splice(names.indexOf(folded), 1);
  }

  /** Takes over that a name is somebody's, or nobody's any more. @param find The person of a full id. */
  apply(
    happening: HappeningOf<"name" | "released">,
    find: (id: string) => Person | undefined,
  ): void {
    const folded = foldedName(happening.name);
    if (happening.kind === "released") return this.#delete(folded);
    const { name: shown, since } = happening;
    const person = find(happening.person);
    if (person) this.#set(folded, { shown, person, since });
  }

  /** All that counts, in as few lines as it takes. */
  *summary(): Generator<Happening> {
    for (const { shown: name, person, since } of this.#names.values()) {
      yield { kind: "name", person: person.id, name, since };
    }
  }
}
