/**
 * Who holds files and takes them, and how another server's are passed on by the relay of this one.
 *
 * @module
 */

import type { Event } from "../protocol/events.ts";

/** Somebody who holds files or takes them. */
export interface Peer {
  /** Tells it something. */
  tell(...events: Event[]): void;
}

/** Who has a file now. */
export interface Taken {
  /** The name by which that one goes. */
  readonly name: string;
  /** Short id. */
  readonly person: string;
}

/** The relay, as other servers' holders and takers see it: as those that are here do, and a little more. */
export interface Passing {
  /** Whether somebody holds the file of an offer here. */
  holds(offer: number): boolean;
  /** Who has asked for a piece that is under way. @param id The number under which its holder was asked. */
  takerOf(id: number): Peer | undefined;
  /** Asks for a piece. @returns The answer if it is known at once. @throws {EventError} */
  fetch(taker: Peer, wanted: Event<"fetch">): Event<"missing"> | undefined;
  /** Passes a piece on to who asked for it. @throws {EventError} */
  piece(holder: Peer, piece: Event<"piece">): number;
  /** Tells who asked for it that a piece doesn't come. */
  missing(holder: Peer, missing: Event<"missing">): void;
  /** Tells who holds a file here that somebody has it now. */
  tellTaken(offer: number, who: Taken): void;
  /** Forgets somebody who goes. */
  release(peer: Peer): void;
}
