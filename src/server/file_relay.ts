/**
 * Passes files on between members, piece by piece, on request: keeps nothing of them, and never has more under way
 * than delays a message unnoticeably. A file that nobody holds here may be held at another server of the room.
 *
 *     taker ── fetch ──▶ waiting ── a place is free ──▶ under way ── piece, missing ──▶ taker
 *                           └──── the holder goes ────────┴── the holder goes, or is late ──▶ missing
 *
 * @module
 */

import { type Event, EventError } from "../protocol/events.ts";
import { MAX_ASKED, PIECE_SIZE } from "../protocol/offer.ts";
import { MISSING, type Missing } from "../protocol/reasons.ts";
import { FarFiles } from "./cluster/far_files.ts";
import type { Siblings } from "./cluster/siblings.ts";
import type { Passing, Peer, Taken } from "./file_peer.ts";

/** Pieces that are under way at a time, in all and from one holder: what a message may have to wait for. */
const MAX_UNDER_WAY = 32;
const MAX_PER_HOLDER = 8;
/** Files that one holder can be asked for; the oldest offers are forgotten for new ones. */
const MAX_HELD = 256;
/** Seconds that a holder has to answer. */
const LATE_AFTER = 15;

/** Where a file is. */
interface Holding {
  readonly holder: Peer;
  /** Bytes. */
  readonly size: number;
  /** Who has it by now, by short ids: the holder is told once of each. */
  readonly taken: Set<string>;
}

/** A piece that was asked for. */
interface Fetch {
  readonly taker: Peer;
  readonly wanted: Event<"fetch">;
}

/** A piece that a holder was asked for. */
interface UnderWay extends Fetch {
  readonly holder: Peer;
  seconds: number;
}

/** Limits of a relay. */
export interface FileRelayOptions {
  /** The largest file that is passed on, bytes. */
  readonly maxFileSize: number;
  /** Files that are passed on at a time. */
  readonly maxTransfers: number;
  /** What an answer is longer than what was asked for, bytes: in a sealed room pieces are sealed. Default: 0. */
  readonly pieceOverhead?: number;
  /** The other servers of the room; left out for a server alone. */
  readonly siblings?: Siblings | undefined;
}

/** The one who passes files on. */
export class FileRelay implements Passing {
  readonly #options: FileRelayOptions;
  readonly #far: FarFiles | undefined;
  readonly #holdings = new Map<number, Holding>(); // by the offer's number
  readonly #takers = new Map<Peer, Map<number, number>>(); // pieces asked for, by offer
  readonly #underWay = new Map<number, UnderWay>(); // by the number under which the holder was asked
  #waiting: Fetch[] = [];
  #nextId = 1;

  /** A relay with nothing to do. */
  constructor(options: FileRelayOptions) {
    this.#options = options;
    const { siblings } = options;
    this.#far = siblings && new FarFiles(this, siblings);
  }

  /** The largest file that is passed on, bytes. */
  get maxFileSize(): number {
    return this.#options.maxFileSize;
  }

  /** Files that are being passed on. */
  get transfers(): number {
    let transfers = 0;
    for (const offers of this.#takers.values()) transfers += offers.size;
    return transfers;
  }

  /** The file of an offer, which is this holder's own, can be asked for there. @param size Bytes. */
  hold(holder: Peer, offer: number, size: number): void {
    const held = [...this.#holdings].filter(([, it]) => it.holder === holder);
    const [oldest] = held;
    if (held.length >= MAX_HELD && oldest) this.#holdings.delete(oldest[0]);
    const taken = this.#holdings.get(offer)?.taken ?? new Set();
    this.#holdings.set(offer, { holder, size, taken });
  }

  /** Whether somebody holds the file of an offer here. */
  holds(offer: number): boolean {
    return this.#holdings.has(offer);
  }

  /** Tells the holder of a file, if it is there, that somebody has the file; once of each person. */
  taken(offer: number, who: Taken): void {
    if (this.holds(offer)) this.tellTaken(offer, who);
    else this.#far?.taken(offer, who);
  }

  /** As `taken`, but only where the file is held here. */
  tellTaken(offer: number, { name, person }: Taken): void {
    const holding = this.#holdings.get(offer);
    if (!holding || holding.taken.has(person)) return;
    holding.taken.add(person);
    holding.holder.tell({ kind: "took", offer, name, person });
  }

  /** Who has asked for a piece that is under way. @param id The number under which its holder was asked. */
  takerOf(id: number): Peer | undefined {
    return this.#underWay.get(id)?.taker;
  }

  /**
   * Asks for a piece, whose answer the taker is told later.
   * @returns The answer if it is known at once: that the piece doesn't come.
   * @throws {EventError} for bytes that the file doesn't have, and for too many pieces at once.
   */
  fetch(
    taker: Peer,
    wanted: Event<"fetch">,
  ): Event<"missing"> | undefined {
    const { id, offer, from, size } = wanted;
    if (size < 1 || size > PIECE_SIZE) {
      throw new EventError(`Cannot fetch ${size} bytes at once`);
    }
    const holding = this.#holdings.get(offer);
    if (!holding && !this.#far) return missingEvent(id, "gone");
    if (holding && from + size > holding.size) {
      throw new EventError(`Cannot fetch beyond the end of file ${offer}`);
    }
    const offers = this.#takers.get(taker) ?? new Map<number, number>();
    const asked = [...offers.values()].reduce((sum, count) => sum + count, 0);
    if (asked >= MAX_ASKED) {
      throw new EventError(`Cannot fetch more than ${MAX_ASKED} pieces`);
    }
    if (!offers.has(offer) && this.transfers >= this.#options.maxTransfers) {
      return missingEvent(id, "busy");
    }
    offers.set(offer, (offers.get(offer) ?? 0) + 1);
    this.#takers.set(taker, offers);
    this.#waiting.push({ taker, wanted });
    this.#pump();
    return undefined;
  }

  /**
   * Passes a piece on to who asked for it. One that nobody waits for any more is dropped.
   * @returns How much of it was asked for, characters.
   * @throws {EventError} for one of another size than was asked for.
   */
  piece(holder: Peer, { id, data }: Event<"piece">): number {
    const fetch = this.#underWay.get(id);
    if (fetch?.holder !== holder) return 0;
    const { pieceOverhead = 0 } = this.#options;
    const size = fetch.wanted.size + pieceOverhead;
    if (data.length !== Math.ceil(size * 4 / 3)) {
      throw new EventError("Cannot pass on a piece of another size");
    }
    this.#finish(id, fetch, { kind: "piece", id: fetch.wanted.id, data });
    return data.length;
  }

  /** Tells who asked for it that a piece doesn't come. */
  missing(holder: Peer, { id, reason }: Event<"missing">): void {
    const fetch = this.#underWay.get(id);
    if (fetch?.holder !== holder) return;
    const why = Object.hasOwn(MISSING, reason) ? reason : "changed";
    this.#finish(id, fetch, missingEvent(fetch.wanted.id, why as Missing));
  }

  /** Forgets somebody who goes: what it holds, and what it asked for. */
  release(peer: Peer): void {
    for (const [offer, { holder }] of this.#holdings) {
      if (holder === peer) this.#holdings.delete(offer);
    }
    this.#takers.delete(peer);
    for (const [id, fetch] of this.#underWay) {
      if (fetch.taker === peer) this.#underWay.delete(id);
      else if (fetch.holder === peer) this.#fail(id, fetch, "gone");
    }
    this.#pump();
  }

  /** Another server is gone: what is held there, and who takes files there. @param server Its id. */
  forget(server: string): void {
    this.#far?.forget(server);
  }

  /** To be called once a second: gives up holders that don't answer. */
  tick(): void {
    for (const [id, fetch] of this.#underWay) {
      if (++fetch.seconds > LATE_AFTER) this.#fail(id, fetch, "late");
    }
    this.#pump();
  }

  /** Asks holders for what waits, first come, first served, as far as there are places. */
  #pump(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    const busy = new Map<Peer, number>();
    for (const { holder } of this.#underWay.values()) {
      busy.set(holder, (busy.get(holder) ?? 0) + 1);
    }
    for (const fetch of waiting) {
      const { taker, wanted } = fetch;
      if (!this.#takers.has(taker)) continue; // it has gone
      const holder = this.#holderOf(wanted.offer);
      if (!holder) {
        this.#settle(fetch, missingEvent(wanted.id, "gone"));
        continue;
      }
      const asked = busy.get(holder) ?? 0;
      const full = this.#underWay.size >= MAX_UNDER_WAY;
      if (full || asked >= MAX_PER_HOLDER) {
        this.#waiting.push(fetch);
        continue;
      }
      busy.set(holder, asked + 1);
      const id = this.#nextId++;
      this.#underWay.set(id, { ...fetch, holder, seconds: 0 });
      holder.tell({ ...wanted, id });
    }
  }

  /** Who holds a file, here or, as it may turn out, at another server. */
  #holderOf(offer: number): Peer | undefined {
    return this.#holdings.get(offer)?.holder ?? this.#far?.holder(offer);
  }

  #fail(id: number, fetch: UnderWay, reason: Missing): void {
    this.#underWay.delete(id);
    this.#settle(fetch, missingEvent(fetch.wanted.id, reason));
  }

  #finish(id: number, fetch: UnderWay, answer: Event): void {
    this.#underWay.delete(id);
    this.#settle(fetch, answer);
    this.#pump();
  }

  /** Tells the taker, and counts one piece less. */
  #settle({ taker, wanted: { offer } }: Fetch, answer: Event): void {
    taker.tell(answer);
    const offers = this.#takers.get(taker);
    const left = (offers?.get(offer) ?? 0) - 1;
    if (left > 0) offers?.set(offer, left);
    else offers?.delete(offer);
    if (offers?.size === 0) this.#takers.delete(taker);
  }
}

function missingEvent(id: number, reason: Missing): Event<"missing"> {
  return { kind: "missing", id, reason };
}
