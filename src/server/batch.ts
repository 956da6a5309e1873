/**
 * What happens in the room together: who asks for what, and the batch that it becomes.
 *
 * @module
 */

import type { Bytes } from "../../crypto_utils.ts";
import type { Shared } from "./broadcaster.ts";
import { encodeEvent, type Event } from "../protocol/events.ts";
import type { Name } from "../protocol/names.ts";
import type { Goodbye, Refusal } from "../protocol/reasons.ts";
import {
  type Line,
  lineEvent,
  type LogEntry,
  type NewEntry,
} from "../protocol/line.ts";
import type { Outlet } from "./outlet.ts";

/** Somebody at the door, or inside: one connection. */
export interface Guest {
  /** The fingerprint of its key. */
  readonly fingerprint: string;
  /** What writes to it. */
  readonly outlet: Outlet;
  /** Tells it something that is meant for it alone. */
  tell(...events: Event[]): void;
  /** Tells it what `packEvents` made of events; several guests may be told the same. */
  pass(plaintexts: readonly Bytes[]): void;
  /** Tells it what was sealed for it and others. */
  share(shared: Shared): void;
  /** Sends it away. @param words What the others are told instead of the reason. */
  dismiss(reason: Goodbye, words?: string): void;
}

/** Somebody who is in. */
export interface Member {
  /** What broadcasts call it. */
  readonly id: number;
  /** Under which name it is in. */
  name: Name;
  /** Its connection. */
  readonly guest: Guest;
  /** When it came, ms since 1970. */
  readonly since: number;
  /** Its own number for the last thing it said. */
  n: number;
  /** When it last said something, ms since 1970; else when it came. */
  active: number;
  /** Why it is away from the keyboard; empty if it isn't. */
  away: string;
}

/** A wish to be let in. */
export interface Request {
  /** Who wishes it. */
  readonly guest: Guest;
  /** Under which name. */
  readonly name: Name;
  /** The sender's lines follow this number. */
  readonly n: number;
  /** The last event that it has been told of. */
  readonly after: number;
  /** Whether it was in before and lost its connection. */
  readonly back: boolean;
}

/** What became of a request: "behind" if the guest must first catch up from the log. */
export type Admission = Member | Refusal | "behind";

/** What a connection asks of the room. */
export type Item =
  | {
    readonly kind: "join";
    readonly request: Request;
    readonly answer: (admission: Admission) => void;
  }
  | {
    readonly kind: "say";
    readonly member: Member;
    readonly lines: readonly Line[];
    readonly taken: () => void;
  }
  | {
    readonly kind: "rename";
    readonly member: Member;
    readonly name: Name;
  }
  | {
    readonly kind: "away";
    readonly member: Member;
    readonly text: string;
  }
  | {
    readonly kind: "leave";
    readonly member: Member;
    /** A key of `GOODBYES`, or the member's own words. */
    readonly reason: string;
  };

/** An item of one kind. */
export type Of<K extends Item["kind"]> = Extract<Item, { kind: K }>;

/** A guest on its way in. */
export interface Joining extends Of<"join"> {
  /** What it will be. */
  readonly member: Member;
  /** Where its joining stands in the batch. */
  readonly index: number;
  /** What it missed before the batch. */
  readonly missed: readonly LogEntry[];
}

/** What happens together: one write to the log, one broadcast. */
export class Batch {
  /** For the log, in order. */
  readonly entries: NewEntry[] = [];
  /** The same for everybody in the room, as `encodeEvent` made them. */
  readonly encoded: string[] = [];
  /** Whose lines are in it. */
  readonly said: Of<"say">[] = [];
  /** Who leaves. */
  readonly left: Of<"leave">[] = [];
  /** Who changes its name. */
  readonly renamed: Of<"rename">[] = [];
  /** Who goes away from the keyboard, or comes back, as `encodeEvent` made it. */
  readonly absent = new Map<Member, string>();
  /** Who comes. */
  readonly joined: Joining[] = [];
  /** Whose connection is taken over by one that came back. */
  readonly replaced: Member[] = [];
  /** Takes back what was changed in the room, newest first. */
  readonly undo: (() => void)[] = [];
  /** What `encoded` and `absent` come to at most, UTF-16 units. */
  size = 0;

  /** An empty batch. @param at Its time, ms since 1970. */
  constructor(readonly at: number) {}

  /** Whether nothing happens in it. */
  get empty(): boolean {
    return this.entries.length === 0 && this.absent.size === 0;
  }

  /** Adds something that a member does. */
  add(
    { id, name: { shown: name }, guest: { fingerprint } }: Member,
    words: Pick<NewEntry, "what" | "n" | "text" | "to">,
  ): void {
    const entry = { at: this.at, fingerprint, name, ...words };
    this.entries.push(entry);
    const encoded = encodeEvent(lineEvent(id, entry));
    this.encoded.push(encoded);
    this.size += encoded.length;
  }

  /** Says why a member is away, empty if it isn't; the last word counts. */
  setAway(member: Member, text: string): void {
    const encoded = encodeEvent({ kind: "absent", id: member.id, text });
    this.absent.set(member, encoded);
    this.size += encoded.length;
  }
}
