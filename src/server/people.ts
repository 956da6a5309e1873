/**
 * The people of a room: who is a member, whose name is whose, and by which invites one may come in. Changes happen at
 * once, and are in `chat.people` after `keep`. Those of a batch can be taken back until it is settled: nothing is
 * written down meanwhile.
 *
 * @module
 */

import { messageOf } from "../base/error_reason.ts";
import {
  type Bytes,
  equalBytes,
  fromBase64url,
  KEY_SIZE,
  randomBytes,
  toBase64url,
} from "../../crypto_utils.ts";
import { readCard } from "../crypto/identity.ts";
import { admissionKey, ROOM_INVITE_ID } from "../keys/invite.ts";
import { MEMBER_ID, type OpenCode } from "../protocol/handshake.ts";
import { foldedName } from "../protocol/names.ts";
import { shortId } from "../crypto/person_id.ts";
import { parseCode, passwordOf } from "../keys/spoken_code.ts";
import { HandshakeRefusal, type Refusal } from "../protocol/reasons.ts";
import { FileError } from "../base/private_file.ts";
import { diagnostics } from "./diagnostics.ts";
import type { Happening } from "./happening.ts";
import { PeopleFile } from "./people_file.ts";

/** For how long after its person was last there a name is kept, ms. */
export const NAME_KEPT = 90 * 86_400_000;
/** Names that a person may have; the oldest is given up for a new one. */
const MAX_NAMES = 8;
/** Wrong guesses that a spoken code bears. */
const MAX_GUESSES = 3;
/** It is written down no more often than this that a person was there, ms. */
const THERE_STEP = 86_400_000;

const logger = diagnostics("people");

/** Takes a change back; changes are taken back newest first. */
export type Undo = () => void;

/** Somebody who has been in the room. */
export interface Person {
  /** Its full id. */
  readonly id: string;
  /** Its short id. */
  readonly short: string;
  /** Its X25519 key, base64url. */
  readonly key: string;
  /** It may read what came after this event. */
  from: number;
  /** By which invite it came. */
  readonly invite: number;
  /** Its names, folded, the newest last. */
  readonly names: string[];
  /** When it was last there, ms since 1970, to within a day. */
  there: number;
  /** When it last asked for a line of its own to be said, as `performance.now` has it, for slow mode: coming anew changes nothing. */
  spoke: number;
  /** Until when it is banned, ms since 1970 (Infinity: for good); 0 if it isn't. */
  bannedUntil: number;
  /** Whether it is an operator. */
  isOperator: boolean;
}

/** A name that is somebody's. */
export interface OwnedName {
  /** As its owner writes it. */
  readonly shown: string;
  /** Whose it is. */
  readonly person: Person;
  /** Since when, ms since 1970. */
  readonly since: number;
}

/** What opens the room to those who hold its secret. */
export interface StoredInvite {
  /** 31 bits. */
  readonly id: number;
  /** What it proves in a handshake, 32 bytes. */
  readonly key: Bytes;
  /** How many persons it lets in. */
  readonly uses: number;
  /** When it ends, ms since 1970; null: never. */
  readonly until: number | null;
  /** For whom it is. */
  readonly note: string;
  /** The full id of who made it; empty: the server's owner. */
  readonly by: string;
  /** When it was made, ms since 1970. */
  readonly at: number;
  /** A spoken code, `7-crossover-clockwork`; empty: it is a link. */
  readonly code: string;
  /** Full ids of those who came by it. */
  readonly used: Set<string>;
  /** Whether it was closed. */
  isRevoked: boolean;
  /** Guesses at its code that are under way or were wrong. */
  guesses: number;
  /** Those that were wrong. */
  wrong: number;
}

/** An invite that is to be made. */
export interface NewInvite {
  /** How many persons it lets in. */
  readonly uses: number;
  /** When it ends, ms since 1970; null: never. */
  readonly until: number | null;
  /** For whom it is. */
  readonly note: string;
  /** The full id of who makes it; empty: the server's owner. */
  readonly by: string;
}

/** Somebody who wants to be let in, with the card that it showed. */
export interface Candidate {
  /** Its full id. */
  readonly id: string;
  /** Its X25519 key, base64url. */
  readonly key: string;
  /** 1,344 bytes in base64url. */
  readonly card: string;
  /** By which invite it came. */
  readonly invite: number;
  /** The standing link's key when it shook hands. Default: the one of now. */
  readonly standing?: Bytes | undefined;
}

/** The people of a room. */
export class People implements Disposable {
  readonly #file: PeopleFile;
  readonly #persons = new Map<string, Person>(); // by full id
  readonly #byKey = new Map<string, Person>(); // by X25519 key
  readonly #byShort = new Map<string, Person>();
  readonly #names = new Map<string, OwnedName>(); // by folded name
  readonly #invites = new Map<number, StoredInvite>();
  readonly #pending = new Set<Happening>(); // not in the file yet
  #standing: Bytes | undefined;
  #topic = "";
  #slow = 0;
  #troubles: ReadonlySet<string> = new Set(); // said once, not every second
  #isUnderWay = false;
  #mayRewrite = true;
  #lookAtStanding: () => void = () => {};

  private constructor(file: PeopleFile) {
    this.#file = file;
  }

  /**
   * The people in a file, made if it is missing.
   * @param standing The secret of the standing link, 32 bytes; undefined: there is none.
   * @throws {FileError} for a file that is damaged, that others can read, or that can't be used.
   */
  static open(
    path: string,
    standing?: Bytes,
    { fsync = false, mend = true, onMade }: {
      readonly fsync?: boolean;
      /** Is told the file's path if it was missing. */
      readonly onMade?: (path: string) => void;
      /** Whether what a crash left of a line is dropped. */
      readonly mend?: boolean;
    } = {},
  ): People {
    const file = PeopleFile.open(path, fsync, onMade);
    try {
      const people = new People(file);
      people.setStanding(standing);
      for (const it of file.added(mend)) people.#apply(it);
      return people;
    } catch (error) {
      file[Symbol.dispose]();
      throw error;
    }
  }

  /** What was repaired when the file was opened. */
  get notice(): string | undefined {
    return this.#file.notice;
  }

  /** What the standing link proves in a handshake, 32 bytes; undefined: there is none. */
  get standing(): Bytes | undefined {
    return this.#standing;
  }

  /** The standing link has another secret; undefined: there is none. */
  setStanding(secret: Bytes | undefined): void {
    this.#standing = secret && admissionKey(secret);
  }

  /** Has the secret of the standing link looked at, and set if it is another, whenever somebody comes by it. */
  watchStanding(look: () => void): void {
    this.#lookAtStanding = look;
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }

  // ── At the door ──────────────────────────────────────────────────────────────────────────────────────

  /** What an invite proves in a handshake, 32 bytes; undefined where there is no such invite. */
  inviteKey(id: number): Bytes | undefined {
    if (id === ROOM_INVITE_ID) this.#lookAtStanding();
    if (id === ROOM_INVITE_ID) return this.#standing;
    if (!this.#invites.has(id)) this.#catchUp(); // it may have been made a moment ago
    return this.#invites.get(id)?.key;
  }

  /**
   * Why who has proved that X25519 key, 32 bytes, may not come in by an invite; undefined if it may, or is to be told
   * more of it than a handshake can: `refusal` has the last word.
   */
  turnedAway(invite: number, key: Bytes): number | undefined {
    const isKnown = this.#byKey.has(toBase64url(key));
    if (isKnown || invite === ROOM_INVITE_ID) return undefined;
    this.#catchUp(); // it may have been revoked a moment ago
    return this.#isOpen(invite) ? undefined : HandshakeRefusal.key;
  }

  #isOpen(id: number): boolean {
    const invite = this.#invites.get(id);
    if (!invite || invite.isRevoked) return false;
    if (invite.until !== null && invite.until <= Date.now()) return false;
    return invite.used.size < invite.uses;
  }

  /** The spoken code of that number, undefined where there is none that is open. */
  openCode(number: number): OpenCode | undefined {
    this.look();
    for (const invite of this.#invites.values()) {
      if (invite.code === "" || !this.#isOpen(invite.id)) continue;
      const code = parseCode(invite.code);
      if (code.number !== number) continue;
      return {
        inviteId: invite.id,
        password: passwordOf(code),
        guess: () => this.#guess(invite),
        guessed: (wasRight) => this.#guessed(invite, wasRight),
      };
    }
    return undefined;
  }

  /** Counts each guess before it is looked at: of many at once, no more than three are. */
  #guess(invite: StoredInvite): boolean {
    if (!this.#isOpen(invite.id) || invite.guesses >= MAX_GUESSES) return false;
    invite.guesses++;
    return true;
  }

  /** A right one doesn't count; the third wrong one ends the code. */
  #guessed(invite: StoredInvite, wasRight: boolean): void {
    if (wasRight) invite.guesses--;
    else if (++invite.wrong >= MAX_GUESSES) {
      this.revoke(invite.id);
      this.tryToKeep(); // at once: a restart must give no more tries
    }
  }

  // ── Invites ──────────────────────────────────────────────────────────────────────────────────────────

  /** Makes an invite. @returns Its id and its secret, 32 bytes, which is kept nowhere. */
  invite(wish: NewInvite): { id: number; secret: Bytes } {
    const secret = randomBytes(KEY_SIZE);
    const made = newInvite(wish, secret, (id) => this.#invites.has(id));
    this.#record(made);
    return { id: made.id, secret };
  }

  /** All that are open, the oldest first. */
  get openInvites(): readonly StoredInvite[] {
    this.look();
    return [...this.#invites.values()].filter(({ id }) => this.#isOpen(id));
  }

  /** Closes an invite. @returns Whether it was open. */
  revoke(id: number): boolean {
    this.look();
    const wasOpen = this.#isOpen(id);
    if (wasOpen) this.#record({ kind: "revoked", invite: id });
    return wasOpen;
  }

  /** Something happens that is not part of a batch. */
  #record(happening: Happening): void {
    this.#apply(happening);
    this.#pending.add(happening);
  }

  /** Writes down what isn't yet, and takes over what another process has added, as far as that can be done. */
  look(): void {
    const keeping = this.#attempt(() => this.keep());
    const reading = this.#catchUp();
    this.#troubles = new Set([...keeping, ...reading]);
  }

  /** Takes over what another process has added: what `invite` has printed counts when it stands there. */
  #catchUp(): string[] {
    return this.#attempt(() => this.refresh());
  }

  /** Tries something, and says what goes wrong. @returns What went wrong, if it did. */
  #attempt(step: () => void): string[] {
    try {
      step();
      return [];
    } catch (error) {
      const why = messageOf(error);
      if (!this.#troubles.has(why)) logger.error("{why}", { why });
      this.#troubles = new Set([...this.#troubles, why]);
      return [why];
    }
  }

  // ── Persons ──────────────────────────────────────────────────────────────────────────────────────────

  /** The person of a full id. */
  find(id: string): Person | undefined {
    return this.#persons.get(id);
  }

  /** The person of a short id. */
  byShort(short: string): Person | undefined {
    return this.#byShort.get(short);
  }

  /** Whether a person may not come in now. */
  isBanned({ bannedUntil }: Person): boolean {
    return bannedUntil > Date.now();
  }

  /** Why a candidate can't be let in; undefined if it can, as far as its name allows. */
  refusal(candidate: Candidate): Refusal | undefined {
    const { id, key, invite } = candidate;
    const person = this.#persons.get(id);
    if (person) return this.isBanned(person) ? "removed" : undefined;
    if (this.#byKey.has(key) || invite === MEMBER_ID) return "card-wrong";
    if (this.#byShort.has(shortId(id))) return "person-twin";
    // Whatever was closed since the handshake, by another process too, opens the room no more.
    const { standing = this.#standing } = candidate;
    if (invite === ROOM_INVITE_ID) this.#lookAtStanding();
    else this.#catchUp();
    const isOpen = invite === ROOM_INVITE_ID
      ? isSame(standing, this.#standing)
      : this.#isOpen(invite);
    return isOpen ? undefined : "invite-used";
  }

  /** Lets in one who may come in, as a person of its own if it wasn't in before. @param from As in `Person`. */
  enrol(
    { id, key, card, invite }: Candidate,
    from: number,
    at: number,
  ): { person: Person; undo: Undo } {
    const known = this.#persons.get(id);
    if (known) return { person: known, undo: () => {} };
    const enrolled: Happening = { kind: "person", id, card, from, invite, at };
    const used: Happening = { kind: "used", invite, person: id };
    const isInvited = invite !== ROOM_INVITE_ID;
    const person = this.#add({ id, short: shortId(id), key, from, invite, at });
    this.#pending.add(enrolled);
    if (isInvited) {
      this.#pending.add(used);
      this.#invites.get(invite)?.used.add(id);
    }
    const undo = () => {
      this.#persons.delete(id);
      this.#byKey.delete(key);
      this.#byShort.delete(person.short);
      this.#pending.delete(enrolled);
      this.#pending.delete(used);
      this.#invites.get(invite)?.used.delete(id);
    };
    return { person, undo };
  }

  #add(
    { at, ...fields }:
      & Pick<
        Person,
        "id" | "short" | "key" | "from" | "invite"
      >
      & { readonly at: number },
  ): Person {
    const person: Person = {
      ...fields,
      names: [],
      there: at,
      spoke: -Infinity,
      bannedUntil: 0,
      isOperator: false,
    };
    this.#persons.set(person.id, person);
    this.#byKey.set(person.key, person);
    this.#byShort.set(person.short, person);
    return person;
  }

  /** Who goes by a name, or went by it last. */
  byName(folded: string): Person | undefined {
    return this.#names.get(folded)?.person;
  }

  /** The name that a person claimed last; empty for none. */
  nameOf({ names }: Person): string {
    return this.#names.get(names.at(-1) ?? "")?.shown ?? "";
  }

  /** Everybody who is banned now. */
  get banned(): readonly Person[] {
    return [...this.#persons.values()].filter((it) => this.isBanned(it));
  }

  /**
   * Bans a person, and closes the invite by which it came.
   * @param until ms since 1970; null: for good. @param by The full id of who does it.
   * @returns Whether it could come again, as somebody else, by the standing link.
   */
  ban({ id, invite }: Person, until: number | null, by: string): boolean {
    this.#record({ kind: "banned", person: id, until, by, at: Date.now() });
    if (invite === ROOM_INVITE_ID) return this.#standing !== undefined;
    this.revoke(invite);
    return false;
  }

  /** Lets a person come in again. */
  unban({ id }: Person): void {
    this.#record({ kind: "unbanned", person: id });
  }

  /** Makes a person an operator, or one no longer. */
  setOperator({ id }: Person, is: boolean): void {
    this.#record({ kind: "operator", person: id, is });
  }

  /** Whether a person is an operator, and nobody else is. */
  isLastOperator(person: Person): boolean {
    const others = [...this.#persons.values()].filter((it) => it !== person);
    return person.isOperator && !others.some(({ isOperator }) => isOperator);
  }

  /** What the room has set. */
  get settings(): { readonly topic: string; readonly slow: number } {
    return { topic: this.#topic, slow: this.#slow };
  }

  /** Sets it. @param slow Seconds between two lines of a member. */
  set(
    { topic, slow }: { readonly topic: string; readonly slow: number },
  ): void {
    this.#record({ kind: "room", topic, slow });
  }

  /** A person is there. */
  saw(person: Person, at: number): void {
    if (at - person.there < THERE_STEP) return;
    person.there = at;
    this.#pending.add({ kind: "there", person: person.id, at });
  }

  // ── Names ────────────────────────────────────────────────────────────────────────────────────────────

  /** Whose a name is, or one that looks like it. @param isHere Whether a person is in the room now. */
  owner(
    folded: string,
    isHere: (person: Person) => boolean,
  ): OwnedName | undefined {
    const owned = this.#names.get(folded);
    if (!owned) return undefined;
    const { person } = owned;
    const isKept = isHere(person) ||
      !this.isBanned(person) && Date.now() - person.there < NAME_KEPT;
    return isKept ? owned : undefined;
  }

  /** A free name becomes a person's, or is shown otherwise. */
  claim(
    person: Person,
    { shown, folded }: { readonly shown: string; readonly folded: string },
    at: number,
  ): Undo {
    const old = this.#names.get(folded);
    const isLast = person.names.at(-1) === folded;
    if (isLast && old?.shown === shown) return () => {};
    const isOwn = old?.person === person;
    const since = isOwn ? old.since : at;
    const { id, names } = person;
    const before = [...names];
    const isFull = !isOwn && names.length >= MAX_NAMES;
    const [oldest = ""] = names;
    const lost = isFull ? this.#names.get(oldest) : undefined;
    const claimed: Happening[] = [
      { kind: "name", person: id, name: shown, since },
    ];
    if (lost) {
      this.#deleteName(oldest);
      claimed.unshift({ kind: "released", name: lost.shown });
    }
    this.#setName(folded, { shown, person, since });
    for (const it of claimed) this.#pending.add(it);
    return () => {
      for (const it of claimed) this.#pending.delete(it);
      this.#deleteName(folded);
      if (lost) this.#setName(oldest, lost);
      if (old) this.#setName(folded, old);
      names.splice(0, names.length, ...before);
    };
  }

  #setName(folded: string, name: OwnedName): void {
    this.#deleteName(folded);
    this.#names.set(folded, name);
    name.person.names.push(folded);
  }

  #deleteName(folded: string): void {
    const owned = this.#names.get(folded);
    if (!owned) return;
    this.#names.delete(folded);
    const { names } = owned.person;
    names.splice(names.indexOf(folded), 1);
  }

  /**
   * A person's other names are nobody's any more.
   * @param kept The one that it goes by, folded. @returns The others, as it writes them.
   */
  release(person: Person, kept: string): { names: string[]; undo: Undo } {
    const { names } = person;
    const before = [...names];
    const given: OwnedName[] = [];
    const released: Happening[] = [];
    for (const folded of before) {
      const owned = this.#names.get(folded);
      if (folded === kept || !owned) continue;
      given.push(owned);
      released.push({ kind: "released", name: owned.shown });
      this.#deleteName(folded);
    }
    for (const it of released) this.#pending.add(it);
    const undo = () => {
      for (const it of released) this.#pending.delete(it);
      for (const it of given) this.#setName(foldedName(it.shown), it);
      names.splice(0, names.length, ...before);
    };
    return { names: given.map(({ shown }) => shown), undo };
  }

  // ── The file ─────────────────────────────────────────────────────────────────────────────────────────

  /** Something has changed that may yet be taken back: all that changes waits for `settle`. */
  begin(): void {
    this.#isUnderWay = true;
  }

  /** What has changed is as it is; writes it down as `tryToKeep` does. */
  settle(): void {
    this.#isUnderWay = false;
    this.tryToKeep();
  }

  /**
   * Writes down what has changed; between `begin` and `settle` that waits.
   * @throws {FileError} if that fails: the next call tries again.
   */
  keep(): void {
    if (this.#pending.size === 0 || this.#isUnderWay) return;
    this.#file.lock(); // or somebody takes half of it for what a crash left
    try {
      this.#catchUp(); // so that none of one's own lines is read later, which would undo what came after it
      this.#file.add([...this.#pending]);
    } finally {
      this.#file.unlock();
    }
    this.#pending.clear();
    if (this.#file.isStale(this.#count)) this.#tryToRewrite();
  }

  /** As `keep`; what fails is said, and tried again with the next change. */
  tryToKeep(): void {
    try {
      this.keep();
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      logger.error("{why}", { why: error.message });
    }
  }

  /** Takes over what another process has added. @throws {FileError} for a file that can't be read. */
  refresh(): void {
    const added = this.#file.added();
    if (added.length === 0) return;
    for (const it of added) this.#apply(it);
    for (const it of this.#pending) this.#apply(it); // will be written after it, and so has the last word
  }

  get #count(): number {
    let uses = 0;
    for (const { used } of this.#invites.values()) uses += used.size;
    // A person's line, the one of when it was there, and those of what it may and mayn't.
    return 2 * this.#persons.size + this.#names.size + this.#invites.size +
      uses + 1;
  }

  /**
   * The log ends at that event, before what some may read: it is another one, which they may all read from there on.
   * @throws {FileError} if what has changed before can't be written down.
   */
  limitFrom(head: number): void {
    let isChanged = false;
    for (const person of this.#persons.values()) {
      if (person.from <= head) continue;
      person.from = head;
      isChanged = true;
    }
    if (!isChanged) return;
    this.keep();
    this.#tryToRewrite();
  }

  /** Where its folder is read-only, or the file is mounted by itself, it can only be added to, which does too. */
  #tryToRewrite(): void {
    if (!this.#mayRewrite) return;
    try {
      this.#rewrite();
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.#mayRewrite = false;
      logger.warn("{why}. The server goes on adding to it", {
        why: error.message,
      });
    }
  }

  #rewrite(): void {
    this.#file.lock();
    try {
      this.refresh();
      const cards = this.#file.all().flatMap((it) => {
        if (it.kind !== "person") return [];
        const { from = it.from } = this.#persons.get(it.id) ?? {};
        return [{ ...it, from }];
      });
      this.#file.rewrite([...cards, ...this.#summary()]);
    } finally {
      this.#file.unlock();
    }
  }

  /** All but the cards, in as few lines as it takes. */
  *#summary(): Generator<Happening> {
    for (const person of this.#persons.values()) {
      const { id, there, isOperator } = person;
      yield { kind: "there", person: id, at: there };
      if (this.isBanned(person)) {
        const until = banEnd(person);
        yield { kind: "banned", person: id, until, by: "", at: there };
      }
      if (isOperator) yield { kind: "operator", person: id, is: true };
    }
    for (const { shown: name, person, since } of this.#names.values()) {
      yield { kind: "name", person: person.id, name, since };
    }
    for (const stored of this.#invites.values()) {
      const { used, isRevoked, key, id, uses, until, note, by, at, code } =
        stored;
      const invite = { id, uses, until, note, by, code, at };
      yield { kind: "invite", ...invite, key: toBase64url(key) };
      for (const person of used) {
        yield { kind: "used", invite: invite.id, person };
      }
      if (isRevoked) yield { kind: "revoked", invite: invite.id };
    }
    yield { kind: "room", topic: this.#topic, slow: this.#slow };
  }

  #apply(happening: Happening): void {
    switch (happening.kind) {
      case "person": {
        const { id, card, from, invite, at } = happening;
        if (this.#persons.has(id)) return;
        const key = toBase64url(readCard(fromBase64url(card)).noiseKey);
        this.#add({ id, short: shortId(id), key, from, invite, at });
        this.#invites.get(invite)?.used.add(id); // a crash may have cut off the line that says so
        return;
      }
      case "name":
        return this.#applyName(happening);
      case "released":
        return this.#deleteName(foldedName(happening.name));
      case "there":
        return this.#with(happening, (it) => void (it.there = happening.at));
      case "invite": {
        const { kind: _kind, key, ...invite } = happening;
        if (this.#invites.has(invite.id)) return;
        this.#invites.set(invite.id, {
          ...invite,
          key: fromBase64url(key),
          used: new Set(),
          isRevoked: false,
          guesses: 0,
          wrong: 0,
        });
        return;
      }
      case "used":
        this.#invites.get(happening.invite)?.used.add(happening.person);
        return;
      case "revoked": {
        const invite = this.#invites.get(happening.invite);
        if (invite) invite.isRevoked = true;
        return;
      }
      case "banned": {
        const until = happening.until ?? Infinity;
        return this.#with(happening, (it) => void (it.bannedUntil = until));
      }
      case "unbanned":
        return this.#with(happening, (it) => void (it.bannedUntil = 0));
      case "operator":
        return this.#with(
          happening,
          (it) => void (it.isOperator = happening.is),
        );
      case "room":
        this.#topic = happening.topic;
        this.#slow = happening.slow;
    }
  }

  #with(
    { person }: { readonly person: string },
    change: (person: Person) => void,
  ): void {
    const known = this.#persons.get(person);
    if (known) change(known);
  }

  #applyName({ person: id, name, since }: Happening & { kind: "name" }): void {
    const person = this.#persons.get(id);
    if (person) this.#setName(foldedName(name), { shown: name, person, since });
  }
}

/** When a person's ban ends, ms since 1970; null: never. */
export function banEnd({ bannedUntil }: Person): number | null {
  return Number.isFinite(bannedUntil) ? bannedUntil : null;
}

/** Until when a ban or an invite lasts, in words. @param until ms since 1970; null: for good. */
export function term(until: number | null): string {
  if (until === null) return "without an end";
  return `until ${
    new Date(until).toISOString().slice(0, 16).replace("T", " ")
  } UTC`;
}

/**
 * An invite as the file has it.
 * @param secret 32 bytes. @param isTaken Whether there is an invite of an id already.
 */
export function newInvite(
  { uses, until, note, by }: NewInvite,
  secret: Bytes,
  isTaken: (id: number) => boolean,
  code = "",
): Happening & { readonly kind: "invite" } {
  let id = ROOM_INVITE_ID;
  while (id === ROOM_INVITE_ID || isTaken(id)) {
    id = new DataView(randomBytes(4).buffer).getUint32(0) >>> 1; // the upper half stands for other things
  }
  const key = toBase64url(admissionKey(secret));
  const at = Date.now();
  return { kind: "invite", id, key, uses, until, note, by, code, at };
}

/** Whether there is a standing link, and it is still the same. */
function isSame(before: Bytes | undefined, now: Bytes | undefined): boolean {
  return before !== undefined && now !== undefined && equalBytes(before, now);
}
