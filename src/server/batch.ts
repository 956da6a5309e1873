/**
 * What happens in the room together: who asks for what, and the batch that it becomes.
 *
 * @module
 */

import type { Bytes } from "../../crypto_utils.ts";
import type { Shared } from "./broadcaster.ts";
import { encodeEvent, type Event } from "../protocol/events.ts";
import type { Name } from "../protocol/names.ts";
import type { Candidate, Person } from "./people/person.ts";
import type { Goodbye, Refusal } from "../protocol/reasons.ts";
import {
  type Line,
  lineEvent,
  type LogEntry,
  type NewEntry,
} from "../protocol/line.ts";
import type { Outlet } from "./outlet.ts";
import type { Control, ControlLine } from "../sealed/control_line.ts";
import type { Posting } from "./letters.ts";
import type { Posted } from "./mailbox.ts";
import type { Happening } from "./people/happening.ts";
import type { Wrap } from "./sealed/control_file.ts";
import type { Staged } from "./sealed/sealed_room.ts";

/** Somebody at the door, or inside: one connection. */
export interface Guest {
  /** Whether it is connected to this server. */
  readonly isHere: boolean;
  /** Why its connection ends, once it does. */
  readonly ended: Goodbye | undefined;
  /** What writes to it. */
  readonly outlet: Pick<Outlet, "attach">;
  /** Tells it something that is meant for it alone. */
  tell(...events: Event[]): void;
  /** Tells it what `packEvents` made of events; several guests may be told the same. */
  pass(plaintexts: readonly Bytes[]): void;
  /** Tells it what was sealed for it and others, once it was told the key. */
  share(shared: Shared): void;
  /** Sends it away. @param words What the others are told instead of the reason. */
  dismiss(reason: Goodbye, words?: string): void;
}

/** A connection that is in. */
export interface Seat {
  /** What broadcasts call it. */
  readonly id: number;
  /** Whose it is. */
  readonly member: Member;
  /** The connection. */
  readonly guest: Guest;
  /** Its client's stay, 8 bytes in base64url. */
  readonly stay: string;
  /** The id of the server that it leads to; `HERE` for a server alone. */
  readonly server: string;
  /** The stay's own number for the last thing that was said in it. */
  n: number;
}

/** The id of a server that shares its room with no other. */
export const HERE = "";

/** Somebody who is in, by one connection or several. */
export interface Member {
  /** Who it is. */
  readonly person: Person;
  /** Under which name it is in. */
  name: Name;
  /** Its connections, at least one. */
  readonly seats: Seat[];
  /** When it came, ms since 1970. */
  readonly since: number;
  /** When it last said something, ms since 1970; else when it came. */
  active: number;
  /** Why it is away from the keyboard; empty if it isn't. */
  away: string;
}

/** A wish to be let in. */
export interface Request {
  /** Who wishes it, by which connection. */
  readonly guest: Guest;
  /** Who it says that it is. */
  readonly candidate: Candidate;
  /** Its client's stay, 8 bytes in base64url. */
  readonly stay: string;
  /** Under which name. */
  readonly name: Name;
  /** The sender's lines follow this number. */
  readonly n: number;
  /** The last event that it has been told of. */
  readonly after: number;
  /** The event after which its person may read, if it is let in for the first time. */
  readonly from: number;
  /** With what it comes into a sealed room. */
  readonly entering?: Entering | undefined;
  /** The chain's value for line `after`, if it hasn't been told a value yet. */
  readonly chain?: Event<"chain"> | undefined;
}

/** With what a client comes into a sealed room. */
export interface Entering {
  /** The line by which it becomes a member; undefined for one who is. Its signatures are checked. */
  readonly line: ControlLine | undefined;
  /** The full id of the invite that has signed it, for a `join`. */
  readonly invite: string | undefined;
  /** What comes with it. */
  readonly staged: Staged;
}

/** What became of a request: "behind" if the guest must first catch up from the log. */
export type Admission = Seat | "behind" | Refused;

/** Why something was refused. */
export interface Refused {
  /** A key of `REFUSALS`. */
  readonly reason: Refusal;
  /** What else a person should know of it; empty for nothing. */
  readonly detail: string;
}

/** What a connection asks of the room. */
export type Item =
  | {
    readonly kind: "join";
    readonly request: Request;
    readonly answer: (admission: Admission) => void;
    /** The id of its connection, once that is decided. */
    id?: number;
    /** The id of the server that it leads to. Default: this one. */
    readonly server?: string;
  }
  | {
    readonly kind: "say";
    readonly seat: Seat;
    readonly lines: readonly Line[];
    readonly taken: () => void;
  }
  | {
    readonly kind: "rename";
    readonly seat: Seat;
    readonly name: Name;
  }
  | {
    /** Gives up all names but the one that the member goes by. */
    readonly kind: "release";
    readonly seat: Seat;
    /** The member's number for its wish. */
    readonly id: number;
  }
  | {
    readonly kind: "away";
    readonly seat: Seat;
    readonly text: string;
  }
  | {
    /** All connections of a person, at an operator's wish. */
    readonly kind: "remove";
    readonly person: Person;
    /** What the others are told. */
    readonly words: string;
  }
  | {
    /** The room has another topic, or slow mode. */
    readonly kind: "settings";
  }
  | {
    /** Says a control line of a sealed room, whose signature is checked. */
    readonly kind: "rule";
    readonly seat: Seat;
    /** The member's number for its wish. */
    readonly id: number;
    readonly line: ControlLine;
    /** What comes with it. */
    readonly staged: Staged;
  }
  | {
    /** Lacks the content key of an epoch. */
    readonly kind: "need";
    readonly seat: Seat;
    readonly e: number;
  }
  | {
    /** A content key of the present epoch for somebody. */
    readonly kind: "give";
    readonly seat: Seat;
    readonly wrap: Wrap;
  }
  | {
    readonly kind: "leave";
    readonly seat: Seat;
    /** A key of `GOODBYES`, or the member's own words. */
    readonly reason: string;
  }
  | {
    /** Something has happened to the people, which `chat.people` is to say; it may have been applied here before. */
    readonly kind: "people";
    readonly happenings: readonly Happening[];
  }
  | {
    /** The standing link has another secret. */
    readonly kind: "link";
    /** 32 bytes. */
    readonly secret: Bytes;
  }
  | {
    /** A private message is to be kept. */
    readonly kind: "post";
    readonly seat: Seat;
    readonly posting: Posting;
    /** What became of it; for the server that its sender is connected to. */
    readonly posted: (posted: Posted) => void;
  }
  | {
    /** A person has taken its private messages up to a number. */
    readonly kind: "got";
    /** Full id. */
    readonly person: string;
    readonly id: number;
  }
  | {
    /** A server comes, of those that share the room. */
    readonly kind: "server";
    /** 16 bytes in base64url, another one at each start. */
    readonly id: string;
    /** Where members find it, `HOST:PORT`. */
    readonly address: string;
  }
  | {
    /** A server is gone, and with it all its connections. */
    readonly kind: "gone";
    readonly server: string;
    /** A key of `GOODBYES`: what members are told of those who leave with it. */
    readonly reason: string;
  };

/** An item of one kind. */
export type Of<K extends Item["kind"]> = Extract<Item, { kind: K }>;

/** A guest on its way in. */
export interface Joining extends Of<"join"> {
  /** What it will be. */
  readonly seat: Seat;
  /** What it missed before the batch. */
  missed: readonly LogEntry[];
}

/** A control line that was said. */
export interface Ruled {
  /** What it says. */
  readonly control: Control;
  /** Who is to be answered, and its number for the wish; undefined where it is answered by being let in. */
  readonly wish: Pick<Of<"rule">, "seat" | "id"> | undefined;
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
  /** Who gives up names, and which. */
  readonly released: {
    readonly seat: Seat;
    readonly id: number;
    readonly names: string[];
  }[] = [];
  /** Who goes away from the keyboard, or comes back, as `encodeEvent` made it. */
  readonly absent = new Map<Member, string>();
  /** Their wishes, in order. */
  readonly away: Of<"away">[] = [];
  /** Which connections join and leave others of the same person, as `encodeEvent` made it. */
  readonly moves: { readonly member?: Member; readonly encoded: string }[] = [];
  /** For members of whom connections come or go in it: one that the others know, whatever comes of it. */
  readonly knownSeats = new Map<Member, Seat>();
  /** Who comes. */
  readonly joined: Joining[] = [];
  /** Control lines of a sealed room. */
  readonly ruled: Ruled[] = [];
  /** Content keys of it that are to be passed on. */
  readonly given: Wrap[] = [];
  /** Whom an operator removes. */
  readonly removing: Of<"remove">[] = [];
  /** Their connections. */
  readonly removed: Seat[] = [];
  /** Connections of a server that is gone. */
  readonly deserted: Seat[] = [];
  /** What is no line of the log, nor told to everybody. */
  readonly others: Of<"people" | "link" | "post" | "got">[] = [];
  /** Servers that come and go. */
  readonly servers: Of<"server" | "gone">[] = [];
  /** Whose connection is taken over by one that came back. */
  readonly replaced: Seat[] = [];
  /** Takes back what was changed in the room, newest first. */
  readonly undo: (() => void)[] = [];
  readonly #awayBefore = new Map<Member, string>();

  /**
   * An empty batch. @param at Its time, ms since 1970. @param first The number of its first line.
   * @param isDecided Whether all happens that it is given, and nothing is asked that another server has decided.
   */
  constructor(
    readonly at: number,
    readonly first: number,
    readonly isDecided: boolean,
  ) {}

  /** Whether nothing happens in it. */
  get isEmpty(): boolean {
    return this.entries.length === 0 && this.absent.size === 0 &&
      this.moves.length === 0 && this.released.length === 0 &&
      this.given.length === 0 && this.others.length === 0;
  }

  /** Adds something that a member does, by one of its connections that others know, or are just told of. */
  add(
    { member: { person, name: { shown: name } }, stay, id }: Seat,
    words: Pick<NewEntry, "what" | "n" | "text" | "to">,
  ): void {
    const { at } = this;
    const entry = { at, person: person.short, stay, name, ...words };
    this.entries.push(entry);
    this.encoded.push(encodeEvent(lineEvent(id, person.id, entry)));
  }

  /** Adds a control line. */
  rule(entry: NewEntry, ruled: Ruled): void {
    this.entries.push(entry);
    this.encoded.push(encodeEvent(lineEvent(0, "", entry)));
    this.ruled.push(ruled);
  }

  /** Adds content keys. */
  give(wraps: readonly Wrap[]): void {
    this.given.push(...wraps);
  }

  /** Something without a number: a connection joins another of the same person, or leaves it; the room is set. */
  move(event: Event<"beside" | "parted" | "room">, member?: Member): void {
    const encoded = encodeEvent(event);
    this.moves.push(member ? { member, encoded } : { encoded });
  }

  /**
   * Says why a member is away, empty if it isn't, before that is so of the member. The last word counts; who is as it
   * was before the batch is nothing to tell.
   */
  setAway(item: Of<"away">): void {
    const { seat: { member }, text } = item;
    const first = this.#awayBefore.get(member) ?? member.away;
    this.#awayBefore.set(member, first);
    this.away.push(item);
    const [{ id } = { id: 0 }] = member.seats;
    if (text === first) this.absent.delete(member);
    else this.absent.set(member, encodeEvent({ kind: "absent", id, text }));
  }
}
