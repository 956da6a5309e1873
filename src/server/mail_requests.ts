/**
 * What one client asks for about private messages: others' cards, to have a message passed on, and its own.
 *
 * @module
 */

import { Notify } from "../base/notify.ts";
import type { Event } from "../protocol/events.ts";
import type { Refusal } from "../protocol/reasons.ts";
import type { Seat } from "./batch.ts";
import type { Mailbox, Recipient } from "./mailbox.ts";
import { findAnybody, type People } from "./people/people.ts";
import type { Allowance } from "./rate_limits.ts";
import type { Room } from "./room.ts";

/** How many lines a request counts for: it is written to a file, or its answer is far longer than itself. */
const COST = 20;
/** Characters of letters that count for a line. */
const LENGTH_PER_LINE = 1_024;
/** Messages of a client that may be on their way to a place in the room's order; nothing else of it is read meanwhile. */
const MAX_POSTED = 64;

/** What a client may ask for about private messages. */
export type MailRequest = Event<"look" | "private" | "collect" | "got">;

/** What such requests lead to. */
export interface MailOptions {
  /** Who has been here, and who may come in. */
  readonly people: People;
  /** Where the client wants to be; messages are kept and taken in its order. */
  readonly room: Room;
  /** Where private messages are kept. */
  readonly mailbox: Mailbox;
  /** What its requests cost the client. */
  readonly allowance: Allowance;
}

/** One client's requests about private messages. */
export class MailRequests {
  readonly #client: Recipient;
  readonly #options: MailOptions;
  readonly #changed = new Notify(); // whenever a message has its answer, and at the end
  #posted = 0; // messages that have none yet
  #hasLeft = false;

  /** None so far. */
  constructor(client: Recipient, options: MailOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** Carries out a request of a client that is in. @returns What it is answered at once. */
  async carryOut(seat: Seat, event: MailRequest): Promise<Event[]> {
    const { room, people, mailbox, allowance } = this.#options;
    const { id } = seat.member.person;
    allowance.spend(COST);
    switch (event.kind) {
      case "look":
        return [this.#look(event)];
      case "private":
        return await this.#post(seat, event);
      case "collect": {
        const now = people.now(); // of the room
        const length = mailbox.collect(id, this.#client, event.after, now);
        allowance.spend(Math.ceil(length / LENGTH_PER_LINE));
        return [];
      }
      case "got":
        if (mailbox.hasNew(id, event.id)) room.got(id, event.id);
        return [];
    }
  }

  /** The client is there no longer. */
  leave({ member: { person } }: Seat): void {
    this.#hasLeft = true;
    this.#changed.notify();
    this.#options.mailbox.leave(person.id, this.#client);
  }

  #look({ id, who }: Event<"look">): Event {
    const { people } = this.#options;
    const person = findAnybody(people, who);
    if (!person) return { kind: "nobody", id };
    const name = people.names.nameOf(person);
    return { kind: "card", id, name, card: person.card };
  }

  /** Has a message kept, whose answer comes when that has a place in the order; unless it is refused at once. */
  async #post(
    seat: Seat,
    { n, to, data, own }: Event<"private">,
  ): Promise<Event[]> {
    const { member: { person: { id: from } }, stay } = seat;
    const refusal = this.#refusal(from, to);
    if (refusal) return [{ kind: "privately", n, state: refusal }];
    while (this.#posted >= MAX_POSTED && !this.#hasLeft) {
      await this.#changed.wait();
    }
    if (this.#hasLeft) return [];
    this.#posted++;
    const posting = { from, stay, n, to, data, own };
    this.#options.room.post(seat, posting, (state) => {
      this.#posted--;
      this.#changed.notify();
      if (!this.#hasLeft) this.#client.tell({ kind: "privately", n, state });
    });
    return [];
  }

  #refusal(from: string, to: string): Refusal | undefined {
    const recipient = this.#options.people.persons.find(to);
    if (!recipient) return "nobody-known";
    if (to === from) return "private-self";
    const isBanned = this.#options.people.persons.isBanned(recipient);
    return isBanned ? "person-banned" : undefined;
  }
}
