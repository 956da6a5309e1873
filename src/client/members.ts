/**
 * Who is in the room, kept in step with the events that a client is told of.
 *
 * @module
 */

import { type Event, EventError } from "../protocol/events.ts";
import { eventWords, type LogEntry } from "../protocol/line.ts";
import { shortId } from "../crypto/person_id.ts";
import type { Present } from "./view.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A connection that is in. */
interface Seat {
  readonly member: Mutable<Present>;
  readonly stay: string;
}

/** The members in the room, by their connections. */
export class Members {
  readonly #seats = new Map<number, Seat>(); // by the connection's number
  #ownId: number | undefined;
  #count = 0;

  /** All of them, this client's person included. */
  get present(): readonly Present[] {
    return [...new Set([...this.#seats.values()].map(({ member }) => member))];
  }

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** Somebody was there before this client. */
  met({ id, person, stay, name, since, active, away }: Event<"here">): void {
    const times = { since, active, away };
    this.#add(id, stay, { ...newcomer(name, person, since), ...times });
  }

  /** A person is there by another connection, too. @throws {EventError} for one who isn't there. */
  beside({ id, of, stay }: Event<"beside">): void {
    const { member } = this.#seat(of);
    member.connections++;
    this.#seats.set(id, { member, stay });
  }

  /** A connection has ended, but not the last of its person. */
  parted({ id }: Event<"parted">): void {
    const seat = this.#seats.get(id);
    if (seat) seat.member.connections--; // else the person has left in the same batch
    this.#seats.delete(id);
  }

  /** This client is in, by that connection. @throws {EventError} if it wasn't told of it. */
  entered(id: number): Present {
    this.#ownId = id;
    return this.#seat(id).member;
  }

  /** Whether an event tells of what this client's person does, by whatever connection. */
  isOwn(event: Event): boolean {
    const own = this.#seats.get(this.#ownId ?? NaN);
    return own !== undefined && "id" in event &&
      this.#seats.get(event.id as number)?.member === own.member;
  }

  /** Who an event tells of, if it is there. */
  find(event: Event): Present | undefined {
    return "id" in event
      ? this.#seats.get(event.id as number)?.member
      : undefined;
  }

  /** Somebody went away from the keyboard, or came back. @throws {EventError} for one who isn't there. */
  absent({ id, text }: Event<"absent">): Present {
    const { member } = this.#seat(id);
    member.away = text;
    return member;
  }

  /**
   * The line that an event tells, after which its member is there, is gone, or has another name.
   * @param seq The line's number. @param at ms since 1970.
   * @throws {EventError} for an event that is no line, and for somebody who isn't there.
   */
  line(event: Event, seq: number, at: number): LogEntry {
    const words = eventWords(event);
    if (event.kind === "ruled") { // perhaps by somebody who isn't there yet
      const { name, person, stay, n } = event;
      return { seq, at, name, person, stay, n, ...words };
    }
    const { id, n } = event as Event<"said">;
    if (event.kind === "joined") {
      this.#add(id, event.stay, newcomer(event.name, event.person, at));
    }
    const { member, stay } = this.#seat(id);
    const { name, person } = member;
    if (words.what === "left") this.#remove(id, member);
    else if (words.what === "renamed") member.name = words.text;
    else member.active = at;
    return { seq, at, name, person, stay, n, ...words };
  }

  #add(id: number, stay: string, member: Mutable<Present>): void {
    if (this.#seats.has(id)) throw new EventError(`Cannot seat ${id} twice`);
    this.#seats.set(id, { member, stay });
    this.#count++;
  }

  #remove(last: number, gone: Present): void {
    this.#seats.delete(last);
    this.#count--;
    if (gone.connections === 1) return;
    // Others of it ended in the same batch, and that is told after the lines.
    for (const [id, { member }] of this.#seats) {
      if (member === gone) this.#seats.delete(id);
    }
  }

  #seat(id: number): Seat {
    const seat = this.#seats.get(id);
    if (!seat) throw new EventError(`Cannot tell who is connection ${id}`);
    return seat;
  }
}

function newcomer(name: string, id: string, at: number): Mutable<Present> {
  const person = shortId(id);
  const times = { since: at, active: at, away: "" };
  return { id, person, connections: 1, name, ...times };
}
