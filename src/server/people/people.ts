/**
 * The people of a room: who is a member, whose name is whose, and by which invites one may come in. Changes happen at
 * once, and are in `chat.people` after `journal.keep`. Those of a batch can be taken back until it is settled: nothing is
 * written down meanwhile.
 *
 * @module
 */

import { LineFile } from "../../base/line_file.ts";
import { parseShortId, spokenId } from "../../crypto/person_id.ts";
import { ROOM_INVITE_ID } from "../../keys/invite.ts";
import { type Name, parseName } from "../../protocol/names.ts";
import { Access } from "./access.ts";
import type { Reversible, Undo } from "./reversible.ts";
import { type Happening, HAPPENING_KINDS } from "./happening.ts";
import { Invites } from "./invites.ts";
import { Journal, type Written } from "./journal.ts";
import { OwnedNames } from "./owned_names.ts";
import type { Candidate, Person } from "./person.ts";
import { Persons } from "./persons.ts";

/** What the room has set. */
export interface Settings {
  /** What the room is about; empty for nothing. */
  readonly topic: string;
  /** Seconds between two lines of a member. */
  readonly slow: number;
}

const UNSET: Settings = { topic: "", slow: 0 };

/** The people of a room. */
export class People implements Disposable {
  /** All who have been in the room. Changed here alone, where that is written down too. */
  readonly persons: Persons;
  /** Whose name is whose. Changed here alone, where that is written down too. */
  readonly names: OwnedNames;
  /** What has happened, in the file. */
  readonly journal: Journal;
  /** The present time of the room, ms since 1970: bans, invites and names end by it. */
  readonly now: () => number;
  readonly #invites: Invites;
  /** By what one may come in, and who may. */
  readonly access: Access;
  #settings = UNSET;

  private constructor(
    file: LineFile<Written>,
    now: () => number,
    isShared: boolean,
  ) {
    this.now = now;
    this.persons = new Persons(now);
    this.names = new OwnedNames(now);
    this.#invites = new Invites(now);
    this.journal = new Journal(file, {
      apply: (it) => this.#apply(it),
      clear: () => this.#clear(),
      summary: (all) => [...this.#summary(all)],
      lines: () => this.#lines,
    }, isShared);
    this.access = new Access(this.persons, this.#invites, this.journal, now);
  }

  /**
   * The people in a file, made if it is missing.
   * @throws {FileError} for a file that is damaged, that others can read, or that can't be used.
   */
  static open(
    path: string,
    {
      fsync = false,
      mend = true,
      onMade,
      now = () => Date.now(),
      isShared = false,
    }: {
      readonly fsync?: boolean;
      /** Is told the file's path if it was missing. */
      readonly onMade?: (path: string) => void;
      /** Whether what a crash left of a line is dropped. */
      readonly mend?: boolean;
      /** The room's time, ms since 1970. Default: the clock's. */
      readonly now?: () => number;
      /** Whether other servers share the room. */
      readonly isShared?: boolean;
    } = {},
  ): People {
    const people = new People(
      LineFile.open(path, fsync, onMade, HAPPENING_KINDS),
      now,
      isShared,
    );
    try {
      people.journal.load(mend);
      return people;
    } catch (error) {
      people[Symbol.dispose]();
      throw error;
    }
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.journal[Symbol.dispose]();
  }

  // ── Persons ──────────────────────────────────────────────────────────────────────────────────────────

  /** Lets in one who may come in, as a person of its own if it wasn't in before. @param from As in `Person`. */
  enrol(
    candidate: Candidate,
    from: number,
    at: number,
  ): { person: Person; undo: Undo } {
    const { id, invite } = candidate;
    const known = this.persons.find(id);
    if (known) return { person: known, undo: () => {} };
    const enrolled = this.persons.enrol(candidate, from, at);
    const undo = this.#note(enrolled, this.#invites.use(invite, id));
    return { person: enrolled.person, undo };
  }

  /**
   * Bans a person, and closes the invite by which it came.
   * @param until ms since 1970; null: for good. @param by The full id of who does it.
   * @returns Whether it could come again, as somebody else, by the standing link.
   */
  ban({ id, invite }: Person, until: number | null, by: string): boolean {
    this.journal.record({
      kind: "banned",
      person: id,
      until,
      by,
      at: this.now(),
    });
    if (invite === ROOM_INVITE_ID) return this.access.link.key !== undefined;
    this.access.revoke(invite);
    return false;
  }

  /** Lets a person come in again. */
  unban({ id }: Person): void {
    this.journal.record({ kind: "unbanned", person: id });
  }

  /** A control line bars a person, which every server carries out. @param at When, ms since 1970. */
  bar({ id: person }: Person, at: number): void {
    this.journal.note({ kind: "banned", person, until: null, by: "", at });
  }

  /** A control line lets a person come in again, which every server carries out. */
  free({ id: person }: Person): void {
    this.journal.note({ kind: "unbanned", person });
  }

  /** Makes a person an operator, or one no longer. */
  setOperator({ id }: Person, is: boolean): void {
    this.journal.record({ kind: "operator", person: id, is });
  }

  /** A person is there. */
  saw(person: Person, at: number): Undo {
    return this.#note(this.persons.saw(person, at));
  }

  /** What the room has set. */
  get settings(): Settings {
    return this.#settings;
  }

  /** Sets it, or a part of it. */
  set(change: Partial<Settings>): void {
    this.journal.record({ kind: "room", ...change });
  }

  // ── Names ────────────────────────────────────────────────────────────────────────────────────────────

  /** A free name becomes a person's, or is shown otherwise. */
  claim(person: Person, name: Name, at: number): Undo {
    return this.#note(this.names.claim(person, name, at));
  }

  /**
   * A person's other names are nobody's any more.
   * @param kept The one that it goes by, folded. @returns The others, as it writes them.
   */
  release(person: Person, kept: string): { names: string[]; undo: Undo } {
    const released = this.names.release(person, kept);
    return { names: released.names, undo: this.#note(released) };
  }

  // ── The file ─────────────────────────────────────────────────────────────────────────────────────────

  /** Changes that belong together were made. @returns What takes them back. */
  #note(...changes: readonly Reversible[]): Undo {
    const happenings = changes.flatMap((it) => it.happenings);
    this.journal.add(...happenings);
    return () => {
      this.journal.remove(...happenings);
      for (const { undo } of changes.toReversed()) undo();
    };
  }

  /**
   * What has happened by itself at one of the servers that share the room, perhaps this one, in the room's order: the
   * last word counts. To be called by every server at the same place of it.
   */
  follow(happenings: readonly Happening[]): void {
    for (const it of happenings) this.journal.note(it);
  }

  /** All that counts, in as few happenings as it takes: for a server that has been away. @throws {FileError} */
  state(): Happening[] {
    return this.journal.state();
  }

  /**
   * Takes over what `state` of another server gave, in the place of all that is here, but for what the others haven't
   * been told of yet. Nobody may be in.
   * @throws {FileError} if that can't be written down.
   */
  takeOver(state: readonly Happening[]): void {
    this.journal.replace(state);
  }

  /**
   * The log ends at that event, before what some may read: it is another one, which they may all read from there on.
   * @throws {FileError} if what has changed before can't be written down.
   */
  limitFrom(head: number): void {
    if (!this.persons.limitFrom(head)) return;
    this.journal.keep();
    this.journal.rewrite();
  }

  get #lines(): number {
    // A person's line, the one of when it was there, and those of what it may and mayn't.
    return 2 * this.persons.size + this.names.size + this.#invites.lines + 1;
  }

  *#summary(all: readonly Happening[]): Generator<Happening> {
    yield* this.persons.summary(all);
    yield* this.names.summary();
    yield* this.#invites.summary();
    yield { kind: "room", ...this.#settings };
  }

  #apply(happening: Happening): void {
    switch (happening.kind) {
      case "person": {
        const { id, invite } = happening;
        if (this.persons.find(id)) return;
        this.persons.apply(happening);
        // A crash may have cut off the line that says so.
        return this.#invites.apply({ kind: "used", invite, person: id });
      }
      case "there":
      case "banned":
      case "unbanned":
      case "operator":
        return this.persons.apply(happening);
      case "name":
      case "released":
        return this.names.apply(happening, (id) => this.persons.find(id));
      case "invite":
      case "used":
      case "guessed":
      case "revoked":
        return this.#invites.apply(happening);
      case "room": {
        const { kind: _kind, ...change } = happening;
        this.#settings = { ...this.#settings, ...change };
      }
    }
  }

  #clear(): void {
    this.persons.clear();
    this.names.clear();
    this.#invites.clear();
    this.#settings = UNSET;
  }
}

/** The person of a short id as people write it; undefined for nobody's. */
export function findPerson(people: People, id: string): Person | undefined {
  const short = parseShortId(id);
  return short === undefined ? undefined : people.persons.byShort(short);
}

/** A person by its short id, or else by a name that it has or had last. */
export function findAnybody(people: People, who: string): Person | undefined {
  const known = findPerson(people, who);
  if (known) return known;
  const name = parseName(who);
  return typeof name === "string"
    ? undefined
    : people.names.lastOwner(name.folded);
}

/** A person as people are told: the name, if there is one, and the short id. */
export function shownPerson({ names }: People, person: Person): string {
  const id = spokenId(person.short);
  const name = names.nameOf(person);
  return name === "" ? id : `${name} (${id})`;
}
