/**
 * By what one may come in, and who may: the standing link, invites and spoken codes, held against who is there already
 * and who is banned. Looks at what other processes have added to `chat.people` whenever it matters.
 *
 * @module
 */

import {
  type Bytes,
  KEY_SIZE,
  randomBytes,
  toBase64url,
} from "../../../crypto_utils.ts";
import { shortId } from "../../crypto/person_id.ts";
import { ROOM_INVITE_ID } from "../../keys/invite.ts";
import type { OpenCode } from "../../protocol/handshake.ts";
import { MEMBER_ID } from "../../protocol/hello.ts";
import { HandshakeRefusal, type Refusal } from "../../protocol/reasons.ts";
import {
  type Invites,
  type NewInvite,
  newInvite,
  type StoredInvite,
} from "./invites.ts";
import type { Journal } from "./journal.ts";
import type { Candidate } from "./person.ts";
import type { Persons } from "./persons.ts";
import { FOUNDING_ID } from "../../sealed/membership.ts";
import { StandingLink } from "./standing_link.ts";

/** What a sealed room says of who may come in: its invites are its own. */
export interface SealedAccess {
  /** What an invite proves in a handshake, 32 bytes. */
  inviteKey(number: number): Bytes | undefined;
  /** Whether somebody may become a member by an invite now. */
  isOpen(number: number): boolean;
}

/** The way into a room. */
export class Access {
  /** Set for a sealed room: then there is no other way in. */
  sealed: SealedAccess | undefined;
  /** The link by which everybody may come in, while there is one. */
  readonly link = new StandingLink();
  readonly #own = new Set<string>(); // full ids
  readonly #persons: Persons;
  readonly #invites: Invites;
  readonly #journal: Journal;
  readonly #now: () => number;

  /** The way into a room of some persons, by invites that stand in a journal. @param now The room's time, ms since 1970. */
  constructor(
    persons: Persons,
    invites: Invites,
    journal: Journal,
    now: () => number,
  ) {
    this.#persons = persons;
    this.#invites = invites;
    this.#journal = journal;
    this.#now = now;
  }

  /** What an invite proves in a handshake, 32 bytes; undefined where there is no such invite. */
  inviteKey(id: number): Bytes | undefined {
    if (this.sealed) {
      if (id === FOUNDING_ID) this.link.look();
      return this.sealed.inviteKey(id);
    }
    if (id === ROOM_INVITE_ID) {
      this.link.look();
      return this.link.key;
    }
    this.#journal.catchUp(); // it may have been made a moment ago
    return this.#invites.find(id)?.key;
  }

  /**
   * Why who has proved that X25519 key, 32 bytes, may not come in by an invite; undefined if it may, or is to be told
   * more of it than a handshake can: `refusal` has the last word.
   */
  turnedAway(invite: number, key: Bytes): number | undefined {
    const isKnown = this.#persons.byKey(toBase64url(key)) !== undefined;
    if (this.sealed && !isKnown) {
      return this.sealed.isOpen(invite) ? undefined : HandshakeRefusal.key;
    }
    if (isKnown || invite === ROOM_INVITE_ID) return undefined;
    this.#journal.catchUp(); // it may have been revoked a moment ago
    return this.#invites.isOpen(invite) ? undefined : HandshakeRefusal.key;
  }

  /** The spoken code of that number, undefined where there is none that is open. */
  openCode(number: number): OpenCode | undefined {
    if (this.sealed) return undefined;
    this.#journal.look();
    return this.#invites.code(number, (guess) => {
      this.#journal.record(guess);
      this.#journal.tryToKeep(); // at once: a restart must give no more tries
    });
  }

  /** A person is a program of the server's owner's, by its full id: it comes by its own key, and needs no invite. */
  letIn(id: string): void {
    this.#own.add(id);
  }

  /** Why a candidate can't be let in; undefined if it can, as far as its name allows. */
  refusal(candidate: Candidate): Refusal | undefined {
    const { id, key, invite } = candidate;
    const person = this.#persons.find(id);
    if (person) return this.#persons.isBanned(person) ? "removed" : undefined;
    const isOwn = invite === MEMBER_ID && this.#own.has(id);
    const isStranger = invite === MEMBER_ID && !isOwn;
    if (this.#persons.byKey(key) || isStranger) return "card-wrong";
    if (this.#persons.byShort(shortId(id))) return "person-twin";
    if (isOwn) return undefined;
    if (this.sealed) return undefined; // its control lines have the last word
    // Whatever was closed since the handshake, by another process too, opens the room no more.
    const { standing = this.link.key } = candidate;
    if (invite === ROOM_INVITE_ID) this.link.look();
    else this.#journal.catchUp();
    const isOpen = invite === ROOM_INVITE_ID
      ? this.link.isStill(standing)
      : this.#invites.isOpen(invite);
    return isOpen ? undefined : "invite-used";
  }

  /** Makes an invite. @returns Its id and its secret, 32 bytes, which is kept nowhere. */
  invite(wish: NewInvite): { id: number; secret: Bytes } {
    const secret = randomBytes(KEY_SIZE);
    const isTaken = (id: number) => this.#invites.find(id) !== undefined;
    const made = newInvite(wish, secret, isTaken, this.#now());
    this.#journal.record(made);
    return { id: made.id, secret };
  }

  /** All that are open, the oldest first. */
  get openInvites(): readonly StoredInvite[] {
    this.#journal.look();
    return this.#invites.open;
  }

  /** Closes an invite. @returns Whether it was open. */
  revoke(id: number): boolean {
    this.#journal.look();
    const wasOpen = this.#invites.isOpen(id);
    if (wasOpen) this.#journal.record({ kind: "revoked", invite: id });
    return wasOpen;
  }
}
