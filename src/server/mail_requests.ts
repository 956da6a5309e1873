/**
 * What one client asks for about private messages: others' cards, to have a message passed on, and its own.
 *
 * @module
 */

import type { Event } from "../protocol/events.ts";
import type { Seat } from "./batch.ts";
import type { Mailbox, Posted, Recipient } from "./mailbox.ts";
import { findAnybody, type People } from "./people/people.ts";
import { isBanned } from "./people/person.ts";
import type { Allowance } from "./rate_limits.ts";

/** How many lines a request counts for: it is written to a file, or its answer is far longer than itself. */
const COST = 20;
/** Characters of letters that count for a line. */
const LENGTH_PER_LINE = 1_024;

/** What a client may ask for about private messages. */
export type MailRequest = Event<"look" | "private" | "collect" | "got">;

/** What such requests lead to. */
export interface MailOptions {
  /** Who has been here. */
  readonly people: People;
  /** Where messages are kept. */
  readonly mailbox: Mailbox;
  /** What they cost. */
  readonly allowance: Allowance;
}

/** One client's requests about private messages. */
export class MailRequests {
  readonly #client: Recipient;
  readonly #options: MailOptions;

  /** None so far. */
  constructor(client: Recipient, options: MailOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** Carries out a request of a client that is in. @returns What it is answered. */
  carryOut({ member: { person }, stay }: Seat, event: MailRequest): Event[] {
    const { mailbox, allowance } = this.#options;
    switch (event.kind) {
      case "look":
        allowance.spend(COST);
        return [this.#look(event)];
      case "private": {
        allowance.spend(COST);
        const state = this.#post(person.id, stay, event);
        return [{ kind: "privately", n: event.n, state }];
      }
      case "collect": {
        const { id } = person;
        const now = Date.now();
        const length = mailbox.collect(id, this.#client, event.after, now);
        allowance.spend(COST + Math.ceil(length / LENGTH_PER_LINE));
        return [];
      }
      case "got":
        allowance.spend(COST);
        mailbox.got(person.id, event.id);
        return [];
    }
  }

  /** The client is there no longer. */
  leave({ member: { person } }: Seat): void {
    this.#options.mailbox.leave(person.id, this.#client);
  }

  #look({ id, who }: Event<"look">): Event {
    const { people } = this.#options;
    const person = findAnybody(people, who);
    if (!person) return { kind: "nobody", id };
    const name = people.names.nameOf(person);
    return { kind: "card", id, name, card: person.card };
  }

  #post(
    from: string,
    stay: string,
    { n, to, data, own }: Event<"private">,
  ): Posted {
    const { people, mailbox } = this.#options;
    const recipient = people.persons.find(to);
    if (!recipient) return "nobody-known";
    if (to === from) return "private-self";
    if (isBanned(recipient)) return "person-banned";
    const posting = { from, stay, n, to, data, own };
    return mailbox.post(posting, this.#client, Date.now());
  }
}
