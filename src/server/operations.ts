/**
 * What operators do: invites, removing persons, the topic, slow mode. Operators are persons whom the server's owner
 * or another operator has made so.
 *
 * @module
 */

import { type Bytes, toBase64url } from "../../crypto_utils.ts";
import { ROOM_INVITE_ID } from "../keys/invite.ts";
import type { Event } from "../protocol/events.ts";
import {
  MAX_DAYS,
  MAX_NOTE,
  MAX_SLOW,
  MAX_TOPIC,
  type Operation,
  OPERATIONS,
  type Refusal,
} from "../protocol/reasons.ts";
import type { Seat } from "./batch.ts";
import { describeInvite, MAX_USES } from "./people/invites.ts";
import {
  findAnybody,
  type People,
  type Settings,
  shownPerson,
} from "./people/people.ts";
import { banEnd, type Person, term } from "./people/person.ts";
import type { Room } from "./room.ts";
import type { SealedRoom } from "./sealed/sealed_room.ts";

/** A day, ms. */
const DAY = 86_400_000;

/** What operations change. */
export interface OperationsOptions {
  /** Who may come in. */
  readonly people: People;
  /** Who is there. */
  readonly room: Room;
  /** What is known of a sealed room, whose keepers are its operators; left out for an open one. */
  readonly sealed?: SealedRoom | undefined;
  /** Where others find the room, as `formatPlace` writes it. */
  readonly address: () => string;
  /** Replaces the standing link. @returns Its new secret, 32 bytes. */
  readonly replaceLink: () => Promise<Bytes>;
}

/** What comes of one: events for who asked, or why it isn't done. */
export type Outcome = readonly Event[] | Refusal;

/** The deeds of operators. */
export class Operations {
  readonly #options: OperationsOptions;

  /** Operations on a room. */
  constructor(options: OperationsOptions) {
    this.#options = options;
  }

  /** Does what a member asks for, if it may. @returns What it is told, or why it isn't done. */
  async carryOut(
    { member: { person, name } }: Seat,
    event: Event<"operate">,
  ): Promise<Outcome> {
    const what = OPERATIONS.find((known) => known === event.what);
    const { sealed } = this.#options;
    if (sealed) {
      if (!sealed.membership.isKeeper(person.id)) return "not-keeper";
      if (what === "topic") return "topic-sealed";
      if (what !== "slow") return "keepers-own";
    } else if (!person.isOperator) return "not-operator";
    if (!what) return "operation-wrong";
    return await this.#do(what, event, person, name.shown);
  }

  async #do(
    what: Operation,
    { who, text, count }: Event<"operate">,
    by: Person,
    name: string,
  ): Promise<Outcome> {
    const { people } = this.#options;
    switch (what) {
      case "invite":
        return this.#invite(text, count, Number(who), by);
      case "invites":
        return notice(
          people.access.openInvites.map(describeInvite),
          "No invite is open",
        );
      case "revoke":
        return people.access.revoke(Number(who))
          ? notice([`Invite ${who} opens the room to nobody any more`])
          : "operation-wrong";
      case "bans":
        return notice(
          people.persons.banned.map((it) => this.#banned(it)),
          "Nobody is banned",
        );
      case "topic":
        return this.#set({ topic: text }, text.length <= MAX_TOPIC);
      case "slow":
        return this.#set({ slow: count }, count <= MAX_SLOW);
      default: {
        const person = findAnybody(people, who);
        if (!person) return "nobody-known";
        return await this.#about(what, person, count, by, name);
      }
    }
  }

  /** Does something about a person. */
  async #about(
    what: "kick" | "ban" | "unban" | "op" | "deop",
    person: Person,
    days: number,
    by: Person,
    name: string,
  ): Promise<Outcome> {
    const { people, room } = this.#options;
    const shown = shownPerson(people, person);
    if (person === by && (what === "kick" || what === "ban")) {
      return "operation-self";
    }
    switch (what) {
      case "kick":
        room.remove(person, `removed by ${name}`);
        return notice([`${shown} was removed, and may come back`]);
      case "ban":
        return await this.#ban(person, days, by, name);
      case "unban":
        people.unban(person);
        return notice([`${shown} may come in again`]);
      case "op":
      case "deop":
        if (what === "deop" && people.persons.isLastOperator(person)) {
          return "operator-last";
        }
        people.setOperator(person, what === "op");
        return notice([
          `${shown} is ${
            what === "op" ? "an operator now" : "no operator any more"
          }`,
        ]);
    }
  }

  /** Closes its invite, bans its id and ends its connections, and replaces a standing link that it knows. */
  async #ban(
    person: Person,
    days: number,
    by: Person,
    name: string,
  ): Promise<Outcome> {
    if (days > MAX_DAYS) return "operation-wrong";
    const { people, room, replaceLink, address } = this.#options;
    const until = days === 0 ? null : people.now() + days * DAY;
    const knowsLink = people.ban(person, until, by.id);
    room.remove(person, `removed by ${name}`);
    const answer = notice([
      `${shownPerson(people, person)} is banned ${banTerm(until)}`,
    ]);
    if (!knowsLink) return answer;
    const secret = toBase64url(await replaceLink());
    const id = ROOM_INVITE_ID;
    const link = { address: address(), id, secret, uses: 0, until: null };
    return [
      ...answer,
      {
        kind: "invited",
        ...link,
        note: "the room's new link; the old one lets nobody in",
      },
    ];
  }

  #invite(note: string, uses: number, days: number, by: Person): Outcome {
    const isRight = uses >= 1 && uses <= MAX_USES && days >= 0 &&
      days <= MAX_DAYS && Number.isFinite(days) && note.length <= MAX_NOTE;
    if (!isRight) return "operation-wrong";
    const { people, address } = this.#options;
    const until = days === 0 ? null : people.now() + Math.round(days * DAY);
    const wish = { uses, until, note, by: by.id };
    const { id, secret } = people.access.invite(wish);
    return [
      {
        kind: "invited",
        address: address(),
        id,
        secret: toBase64url(secret),
        uses,
        until,
        note,
      },
    ];
  }

  #set(
    change: Partial<Settings>,
    isRight: boolean,
  ): Outcome {
    if (!isRight) return "operation-wrong";
    const { people, room } = this.#options;
    people.set(change);
    room.tellSettings();
    return [];
  }

  #banned(person: Person): string {
    const shown = shownPerson(this.#options.people, person);
    return `${shown} ${banTerm(banEnd(person))}`;
  }
}

/** Until when a ban lasts, in words. @param until ms since 1970; null: for good. */
function banTerm(until: number | null): string {
  return until === null ? "for good" : term(until);
}

/** Sentences for who asked. @param none What is said where there is none. */
function notice(lines: readonly string[], none = ""): Event[] {
  const all = lines.length === 0 ? [none] : lines;
  return all.map((text) => ({ kind: "notice", text }));
}
