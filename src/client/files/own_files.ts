/**
 * The files that a client offers: which offer is whose file, and the pieces that others ask for.
 *
 *     send ──▶ said, without a number ── its line comes ──▶ held: others may fetch it ── drop, deleted ──▶ gone
 *
 * @module
 */

import type { Event } from "../../protocol/events.ts";
import { type Offer, PIECE_SIZE } from "../../protocol/offer.ts";
import type { FileRoom, OfferLine } from "../file_room.ts";
import type { Source } from "./file_system.ts";

/** Answers that others wait for at a time; more than any server of ours asks for. */
const MAX_ANSWERS = 64;

/** A file, and the line by which it is offered. */
interface Held {
  readonly file: Source;
  readonly line: OfferLine;
}

/** A client's own files, across connections. */
export class OwnFiles {
  readonly #said = new Map<number, Source>(); // by the client's number for the line, until that has one of the room
  readonly #held = new Map<number, Held>(); // by the offer's number
  readonly #takers = new Map<number, Set<string>>(); // who has them, by the offer's number and short id
  #room: FileRoom | undefined;
  #answering: Promise<void> = Promise.resolve(); // one after the other; never rejects
  #answers = 0; // that others wait for

  /** The numbers of what is offered, oldest first. */
  get numbers(): readonly number[] {
    return [...this.#held.keys()];
  }

  /** What is offered by that number; undefined if it isn't one of these. */
  find(offer: number): Offer | undefined {
    return this.#held.get(offer)?.file.offer;
  }

  /** A file's offer was said. @param n The client's own number for the line. */
  said(n: number, file: Source): void {
    this.#said.set(n, file);
  }

  /** A line of this run of the client offers a file, perhaps one of these. */
  offered(line: OfferLine): void {
    const file = this.#said.get(line.n);
    if (!file) return;
    this.#said.delete(line.n);
    this.#held.set(line.seq, { file, line });
    this.#room?.ask({ kind: "hold", offer: line.seq });
  }

  /** Offers it no longer. */
  drop(offer: number): void {
    this.#held.delete(offer);
  }

  /** The client is in the room: its files can be asked for. */
  joined(room: FileRoom): void {
    this.#room = room;
    for (const offer of this.#held.keys()) room.ask({ kind: "hold", offer });
  }

  /** Nobody waits for an answer any more. */
  parted(): void {
    this.#room = undefined;
  }

  /** Resolves when what is being read has been read. */
  close(): Promise<void> {
    return this.#answering;
  }

  /** Somebody has a file. @returns Which, where it is one of these and that wasn't told before. */
  took({ offer, person }: Event<"took">): Offer | undefined {
    const file = this.find(offer);
    const takers = this.#takers.get(offer) ?? new Set();
    if (!file || takers.has(person)) return undefined;
    this.#takers.set(offer, takers.add(person));
    return file;
  }

  /** Somebody wants a piece. */
  answer(fetch: Event<"fetch">): void {
    if (this.#answers >= MAX_ANSWERS) return; // who asks for more than that won't wait for all
    this.#answers++;
    const room = this.#room;
    this.#answering = this.#answering.then(() => this.#answer(fetch, room))
      .finally(() => this.#answers--);
  }

  /** @param room Over whose connection it is wanted: by the next one, nobody waits for it. */
  async #answer(
    { id, offer, from, size }: Event<"fetch">,
    room: FileRoom | undefined,
  ): Promise<void> {
    if (!room || room !== this.#room) return;
    const { file, line } = this.#held.get(offer) ?? {};
    const bytes = size <= PIECE_SIZE ? await file?.read(from, size) : null;
    if (bytes && line) {
      const data = await room.seal(bytes, { line, from });
      if (data !== undefined && room === this.#room) {
        room.ask({ kind: "piece", id, data });
      }
    } else if (room === this.#room) {
      const reason = file ? "changed" : "dropped";
      room.ask({ kind: "missing", id, reason });
    }
  }
}
