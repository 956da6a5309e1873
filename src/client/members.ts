/**
 * Who is in the room, kept in step with the events that a client is told of.
 *
 * @module
 */

import { type Event, EventError } from "../protocol/events.ts";
import { eventWords, type LogEntry } from "../protocol/line.ts";
import type { Present } from "./view.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The members in the room, by their numbers. */
export class Members {
  readonly #present = new Map<number, Mutable<Present>>();
  readonly #fingerprint: string;
  #ownId: number | undefined;

  /** Nobody so far. @param fingerprint That of this client's key. */
  constructor(fingerprint: string) {
    this.#fingerprint = fingerprint;
  }

  /** All of them, this client included. */
  get present(): readonly Present[] {
    return [...this.#present.values()];
  }

  /** How many there are. */
  get count(): number {
    return this.#present.size;
  }

  /** Somebody was there before this client. */
  met({ kind: _kind, id, ...member }: Event<"here">): void {
    this.#present.set(id, member);
  }

  /** This client is in. @param at ms since 1970. */
  entered(id: number, name: string, at: number): void {
    this.#ownId = id;
    this.#present.set(id, newcomer(name, this.#fingerprint, at));
  }

  /** Whether an event tells of what this client does. */
  isOwn(event: Event): boolean {
    return "id" in event && event.id === this.#ownId;
  }

  /** Somebody went away from the keyboard, or came back. @throws {EventError} for one who isn't there. */
  absent({ id, text }: Event<"absent">): Present {
    const member = this.#member(id);
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
    const { id, n } = event as Event<"said">;
    if (event.kind === "joined") {
      this.#present.set(id, newcomer(event.name, event.fingerprint, at));
    }
    const member = this.#member(id);
    const { name, fingerprint } = member;
    if (words.what === "left") this.#present.delete(id);
    else if (words.what === "renamed") member.name = words.text;
    else member.active = at;
    return { seq, at, name, fingerprint, n, ...words };
  }

  #member(id: number): Mutable<Present> {
    const member = this.#present.get(id);
    if (!member) throw new EventError(`Cannot tell who member ${id} is`);
    return member;
  }
}

function newcomer(name: string, fingerprint: string, at: number): Present {
  return { name, fingerprint, since: at, active: at, away: "" };
}
