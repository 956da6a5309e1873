/**
 * All who have been in the room: by their ids and keys, and what they may and mayn't.
 *
 * @module
 */

import { fromBase64url, toBase64url } from "../../../crypto_utils.ts";
import { readCard } from "../../crypto/identity.ts";
import { shortId } from "../../crypto/person_id.ts";
import { type Reversible, UNCHANGED } from "./reversible.ts";
import type { Happening, HappeningOf } from "./happening.ts";
import { banEnd, type Candidate, isBanned, type Person } from "./person.ts";

/** It is written down no more often than this that a person was there, ms. */
const THERE_STEP = 86_400_000;

/** The persons. */
export class Persons {
  readonly #byId = new Map<string, Person>(); // by full id
  readonly #byKey = new Map<string, Person>(); // by X25519 key
  readonly #byShort = new Map<string, Person>();
  readonly #now: () => number;

  /** None so far. @param now The room's time, ms since 1970. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Forgets everybody. */
  clear(): void {
    this.#byId.clear();
    this.#byKey.clear();
    this.#byShort.clear();
  }

  /** How many there are. */
  get size(): number {
    return this.#byId.size;
  }

  /** The person of a full id. */
  find(id: string): Person | undefined {
    return this.#byId.get(id);
  }

  /** The person of a short id. */
  byShort(short: string): Person | undefined {
    return this.#byShort.get(short);
  }

  /** The person of an X25519 key, base64url. */
  byKey(key: string): Person | undefined {
    return this.#byKey.get(key);
  }

  /** Whether a person may not come in now. */
  isBanned(person: Person): boolean {
    return isBanned(person, this.#now());
  }

  /** Everybody who is banned now. */
  get banned(): Person[] {
    return [...this.#byId.values()].filter((it) => this.isBanned(it));
  }

  /** Whether a person is an operator, and nobody else is. */
  isLastOperator(person: Person): boolean {
    const others = [...this.#byId.values()].filter((it) => it !== person);
    return person.isOperator && !others.some(({ isOperator }) => isOperator);
  }

  /** Makes a person of somebody who isn't one yet. @param from As in `Person`. */
  enrol(
    { id, key, card, invite }: Candidate,
    from: number,
    at: number,
  ): Reversible & { readonly person: Person } {
    const enrolled: Happening = { kind: "person", id, card, from, invite, at };
    const person = this.#add(enrolled, key);
    const undo = () => {
      this.#byId.delete(id);
      this.#byKey.delete(key);
      this.#byShort.delete(person.short);
    };
    return { person, happenings: [enrolled], undo };
  }

  #add(
    { id, card, from, invite, at }: HappeningOf<"person">,
    key: string,
  ): Person {
    const person: Person = {
      id,
      short: shortId(id),
      key,
      card,
      from,
      invite,
      names: [],
      there: at,
      spoke: -Infinity,
      bannedUntil: 0,
      isOperator: false,
    };
    this.#byId.set(id, person);
    this.#byKey.set(key, person);
    this.#byShort.set(person.short, person);
    return person;
  }

  /** A person is there. */
  saw(person: Person, at: number): Reversible {
    const { id, there } = person;
    if (at - there < THERE_STEP) return UNCHANGED;
    person.there = at;
    return {
      happenings: [{ kind: "there", person: id, at }],
      undo: () => void (person.there = there),
    };
  }

  /** Nobody may read less than what comes after an event. @returns Whether that changes anything. */
  limitFrom(head: number): boolean {
    let isChanged = false;
    for (const person of this.#byId.values()) {
      if (person.from <= head) continue;
      person.from = head;
      isChanged = true;
    }
    return isChanged;
  }

  /** Takes over what happened to a person. One that is there already is not made again. */
  apply(
    happening: HappeningOf<
      "person" | "there" | "banned" | "unbanned" | "operator"
    >,
  ): void {
    if (happening.kind === "person") {
      if (this.#byId.has(happening.id)) return;
      const { noiseKey } = readCard(fromBase64url(happening.card));
      this.#add(happening, toBase64url(noiseKey));
      return;
    }
    const person = this.#byId.get(happening.person);
    if (!person) return;
    switch (happening.kind) {
      case "there":
        person.there = happening.at;
        break;
      case "banned":
        person.bannedUntil = happening.until ?? Infinity;
        break;
      case "unbanned":
        person.bannedUntil = 0;
        break;
      case "operator":
        person.isOperator = happening.is;
    }
  }

  /**
   * All that counts, in as few lines as it takes.
   * @param all What the file says: when a person came first is kept nowhere else.
   */
  *summary(all: readonly Happening[]): Generator<Happening> {
    for (const it of all) {
      if (it.kind !== "person") continue;
      const { from = it.from } = this.#byId.get(it.id) ?? {};
      yield { ...it, from };
    }
    for (const person of this.#byId.values()) {
      const { id, there, isOperator } = person;
      yield { kind: "there", person: id, at: there };
      if (this.isBanned(person)) {
        const until = banEnd(person);
        yield { kind: "banned", person: id, until, by: "", at: there };
      }
      if (isOperator) yield { kind: "operator", person: id, is: true };
    }
  }
}
