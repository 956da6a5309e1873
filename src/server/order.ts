/**
 * The order in which everything happens in the room. A server alone has it from its own task; servers that share a room
 * have it from a stream that all of them follow.
 *
 *     items ── propose ──▶ the order ── next ──▶ what happens, on every server the same ── settle ──▶ told to members
 *       ▲                      │
 *       └────── rejected ──────┘ something else was decided first
 *
 * @module
 */

import { type Batch, HERE, type Item, type Seat } from "./batch.ts";
import { sizeOf } from "./cluster/item_size.ts";
import type { RosterRecord } from "./cluster/roster_record.ts";
import type { Roster } from "./roster.ts";

/** What happens together. */
export interface Ordered {
  /** In order. */
  readonly items: readonly Item[];
  /** When, ms since 1970: the same on every server. */
  readonly at: number;
  /**
   * Set where it is decided: all of it happens, since the server that proposed it has looked whether it can, and must be
   * in the log before anything else happens here, behind the line of that number. The log may have its lines already.
   */
  readonly behind?: number;
}

/** The room, as what orders it sees it. */
export interface OrderedRoom {
  /** `isFree` or `next` may give something else now. */
  wake(): void;
  /** Asks for something. */
  submit(item: Item): void;
  /** The connection of that id, if it is in, whichever server it leads to. */
  seat(id: number): Seat | undefined;
  /** Who is in. */
  readonly members: Roster;
  /** The id of the next connection. */
  readonly nextId: number;
  /** Tells everybody here whether what they say waits. */
  tellWaiting(is: boolean): Promise<void>;
  /** Does something between two batches, alone; resolves when it is done. */
  between<T>(task: () => Promise<T> | T): Promise<T>;
  /** Others are in than were: those who are connected here are sent away. To be called between two batches. */
  restore(roster: RosterRecord): void;
}

/** What brings things into an order. All its methods are called by the room's one task. */
export interface Order {
  /** Whether something can be proposed now: one proposal at a time is under way, and none while the order can't be had. */
  readonly isFree: boolean;
  /** Whether what may be refused can be proposed now: else others have their turn. */
  readonly mayDecide: boolean;
  /** Whether the order can be had now, as far as is known. */
  readonly isUp: boolean;
  /** Whether the room has other servers now, to which members may move. */
  readonly hasOthers: boolean;
  /** Whether other servers may follow it: then what is proposed is tried before, and decided by that. */
  readonly isShared: boolean;
  /** The id of this server. */
  readonly server: string;
  /** How much may be proposed at a time, in the unit of `sizeOf`; a single item may be larger. */
  readonly maxSize: number;
  /** How large that may be. */
  readonly maxItemSize: number;
  /** How much an item takes of that. */
  sizeOf(item: Item): number;
  /** Connects it to the room, once. */
  attach(room: OrderedRoom): void;
  /** Proposes things. They come back by `next`, all of them, or, where something else was decided first, by `rejected`. */
  propose(items: readonly Item[]): void;
  /** Items of a proposal that came to nothing since another was faster; empty when asked again. */
  rejected(): readonly Item[];
  /** Whether `next` has something, as far as can be told: then members are told both in one write. */
  readonly hasNext: boolean;
  /** What happens next; undefined where nothing is known of yet. */
  next(): Ordered | undefined;
  /**
   * What `next` gave last is in the log, and nobody was told yet.
   * @param batch What came of it. @param isKept Whether all else that came of it is in its files.
   */
  settle(ordered: Ordered, batch: Batch, isKept: boolean): void;
  /** Resolves when all has happened here that had a place in the order when it was called. */
  caughtUp(): Promise<void>;
  /** The present time of the room, ms since 1970. */
  now(): number;
}

/** What others are told of one who comes, bytes. */
const JOINED_SIZE = 160;

/** The order of a server alone: what is proposed happens. */
export class OwnOrder implements Order {
  readonly isUp = true;
  readonly hasNext = false;
  readonly mayDecide = true;
  readonly hasOthers = false;
  readonly isShared = false;
  readonly server: string = HERE;
  readonly maxSize = 1_048_576; // of what all are told, bytes: it must fit the ring
  readonly maxItemSize: number = Infinity;
  #proposed: Ordered | undefined;

  get isFree(): boolean {
    return this.#proposed === undefined;
  }

  attach(): void {}

  sizeOf(item: Item): number {
    return item.kind === "join" ? JOINED_SIZE : sizeOf(item);
  }

  propose(items: readonly Item[]): void {
    this.#proposed = { items, at: this.now() };
  }

  rejected(): readonly Item[] {
    return [];
  }

  next(): Ordered | undefined {
    const next = this.#proposed;
    this.#proposed = undefined;
    return next;
  }

  settle(): void {}

  caughtUp(): Promise<void> {
    return Promise.resolve();
  }

  now(): number {
    return Date.now();
  }
}
