/**
 * What one client asks for in a sealed room beside saying lines: the control lines, to become a member, to say a control
 * line, content keys.
 *
 *     follow ──▶ past, wrapped, followed      wrap, admit ──▶ staged ──▶ with enter and join, or with rule
 *
 * @module
 */

import { shortId } from "../../crypto/person_id.ts";
import { type Event, EventError } from "../../protocol/events.ts";
import type { Refusal } from "../../protocol/reasons.ts";
import { parseControl } from "../../sealed/control_line.ts";
import type { Entering, Seat } from "../batch.ts";
import type { Shared } from "../broadcaster.ts";
import type { Room } from "../room.ts";
import type { Admission, Wrap } from "./control_file.ts";
import type { Sharing } from "./control_lines.ts";
import type { SealedRoom, Staged } from "./sealed_room.ts";

/** Content keys that may be staged beyond one for each member and open invite; all that others than keepers may stage. */
const SPARE_WRAPS = 2;
/** How often a client may ask for the control lines: it needs to once for each try to come in. */
const MAX_FOLLOWS = 16;
/** How many lines something counts for that is checked, or told to others, by itself. */
const HEAVY_COST = 20;
/** How many lines a content key of somebody outside counts for. */
const GUEST_WRAP_COST = 4;

/** The events that are about a sealed room. */
export type SealedEvent = Event<
  "follow" | "enter" | "rule" | "wrap" | "admit" | "need"
>;

/** Whether an event is about a sealed room. */
export function isSealedEvent(event: Event): event is SealedEvent {
  return ["follow", "enter", "rule", "wrap", "admit", "need"].includes(
    event.kind,
  );
}

/** Who asks. */
export interface Asker {
  /** Its person's full id as far as the server knows it by its key; undefined for a guest that it doesn't know. */
  readonly known: string | undefined;
  /** By which invite it came. */
  readonly inviteId: number;
  /** Its place in the room, once it has one. */
  readonly seat: Seat | undefined;
  /**
   * Tells it lines, when there is place for them, and waits until they are paid for.
   * @param shared As `Room.share` seals them. @param lines How many. @returns Whether it is still there.
   */
  tellPaid(shared: Shared, lines: number): Promise<boolean>;
  /** Tells it something with what else it is told. */
  answer(...events: Event[]): void;
  /** Counts so many lines. */
  spend(lines: number): void;
}

/** One client's requests. */
export class SealedRequests {
  readonly #sealed: SealedRoom;
  readonly #room: Room;
  #wraps = new Map<string, Wrap>(); // staged, by recipient
  #admission: Admission | undefined; // staged
  #followed: number | undefined; // the number of the last control line that it was told
  #wasMember = false; // then
  #follows = 0;
  #entering: string | undefined; // the text of its `enter`

  /** None so far. */
  constructor(sealed: SealedRoom, room: Room) {
    this.#sealed = sealed;
    this.#room = room;
  }

  /** Carries out a request. @throws {EventError} for what this client can't ask for. */
  async carryOut(event: SealedEvent, asker: Asker): Promise<void> {
    switch (event.kind) {
      case "follow":
        return await this.#follow(event.after, asker);
      case "enter":
        if (asker.seat) throw new EventError("Cannot enter twice");
        asker.spend(1);
        this.#entering = event.text;
        return;
      case "rule":
        return await this.#rule(event, asker);
      case "wrap":
        return this.#wrap(event, asker);
      case "admit": {
        this.#require(asker);
        asker.spend(1);
        const { invite, key, blob } = event;
        this.#admission = { invite, key, blob };
        return;
      }
      case "need":
        asker.spend(HEAVY_COST);
        return this.#room.need(this.#require(asker), event.e);
    }
  }

  /**
   * With what a client joins; or why it can't. It is told the control lines that came since it followed them, up to where
   * its past begins, in which the others are.
   * @param id Its full id. @param start The line after which its past begins.
   */
  async entering(
    id: string,
    start: number,
    asker: Asker,
  ): Promise<Entering | Refusal> {
    if (this.#followed === undefined) return "room-sealed";
    const refused = await this.#tellLines(this.#followed, asker, start);
    if (refused) return refused;
    this.#followed = Math.max(this.#followed, start);
    const line = await this.#entrance(id);
    if (typeof line === "string") return line;
    return { ...line, staged: this.#staged(id) }; // which stays, for another try
  }

  /** The line by which somebody becomes a member, undefined for one who is; or why it can't. */
  async #entrance(id: string): Promise<Omit<Entering, "staged"> | Refusal> {
    const { membership } = this.#sealed;
    // Perhaps by another of its machines, since it followed.
    if (membership.member(id)) return { line: undefined, invite: undefined };
    const text = this.#entering;
    if (text === undefined) return this.#wasMember ? "removed" : "not-member";
    const line = parseControl(text);
    const { control } = line ?? {};
    if (control?.verb === "join" && !this.#sealed.isOpen(control.invite)) {
      return "invite-used";
    }
    const isRight = line &&
      (line.control.verb === "found" || line.control.verb === "join") &&
      await membership.isSigned(line, shortId(id));
    if (!isRight) return "control-wrong";
    const invite = control?.verb === "join"
      ? membership.invites.get(control.invite)?.id
      : undefined;
    return { line, invite };
  }

  /** Tells control lines after one number, up to another. @returns Why it is told no more of them. */
  async #tellLines(
    after: number,
    asker: Asker,
    upTo?: number,
  ): Promise<Refusal | undefined> {
    const share: Sharing = (plaintexts) => this.#room.share(plaintexts);
    for (;;) {
      const refused = this.#outsider(asker);
      if (refused) return refused;
      const piece = this.#sealed.nextLines(share, after, upTo);
      if (!piece) return undefined;
      if (!await asker.tellPaid(await piece.shared, piece.count)) {
        return undefined;
      }
      after = piece.last;
    }
  }

  #require({ seat }: Asker): Seat {
    if (seat) return seat;
    throw new EventError("Cannot do that outside the room");
  }

  /** What was staged, as its person's. */
  #staged(by: string): Staged {
    const wraps = new Map<string, Wrap>();
    for (const [to, wrap] of this.#wraps) wraps.set(to, { ...wrap, by });
    return { wraps, admission: this.#admission };
  }

  async #follow(after: number, asker: Asker): Promise<void> {
    if (asker.seat) throw new EventError("Cannot follow inside the room");
    if (++this.#follows > MAX_FOLLOWS) {
      throw new EventError("Cannot follow that often");
    }
    asker.spend(HEAVY_COST);
    const digest = this.#sealed.digestAt(after);
    const reason = await this.#tellLines(after, asker);
    if (reason) {
      return asker.answer({ kind: "refused", n: null, reason, detail: "" });
    }
    // At once, so that all of it is of the same moment.
    const { known, inviteId } = asker;
    const isMember = known !== undefined &&
      this.#sealed.membership.member(known) !== undefined;
    this.#wasMember = isMember;
    const wraps = [
      known === undefined ? undefined : this.#sealed.wrapFor(known),
      isMember ? undefined : this.#sealed.wrapForInvite(inviteId),
    ];
    for (const wrap of wraps) {
      if (wrap) asker.answer({ kind: "wrapped", ...wrap });
    }
    const { seq } = this.#sealed.membership;
    this.#followed = seq;
    const blob = this.#sealed.blobOf(inviteId);
    asker.answer({ kind: "followed", seq, digest, blob });
  }

  /** Why somebody is told nothing of the room: it is neither a member nor comes by an invite that is open. */
  #outsider({ known, inviteId }: Asker): Refusal | undefined {
    const { membership } = this.#sealed;
    if (known !== undefined) {
      if (membership.member(known)) return undefined;
      if (membership.barred.has(known)) return "removed";
    }
    if (this.#sealed.isOpen(inviteId)) return undefined;
    return known === undefined ? "invite-used" : "removed";
  }

  async #rule({ id, text }: Event<"rule">, asker: Asker): Promise<void> {
    const seat = this.#require(asker);
    const { person } = seat.member;
    asker.spend(HEAVY_COST);
    const staged = this.#staged(person.id);
    this.#wraps = new Map();
    this.#admission = undefined;
    const line = parseControl(text);
    const { verb } = line?.control ?? {};
    const isRight = line && verb !== "found" && verb !== "join" &&
      await this.#sealed.membership.isSigned(line, person.short);
    if (isRight) return this.#room.rule({ seat, id, line, staged });
    const reason = "control-wrong";
    asker.answer(
      { kind: "refused", n: null, reason, detail: "" },
      { kind: "answered", id },
    );
  }

  /** Stages a content key, or passes one of the present epoch on. */
  #wrap({ to, e, next, data }: Event<"wrap">, asker: Asker): void {
    const { seat } = asker;
    const { membership } = this.#sealed;
    asker.spend(seat ? 1 : GUEST_WRAP_COST);
    const by = seat?.member.person.id ?? "";
    // Another keeper's `keys` line came first: with that, this key is nobody's.
    if (next && e !== membership.epoch + 1) return;
    const isPresent = e === membership.epoch;
    if (seat && isPresent && this.#sealed.isRecipient(to)) {
      return this.#room.give(seat, { by, to, e, data });
    }
    const most = membership.members.size + membership.invites.size +
      SPARE_WRAPS;
    const isKeeper = membership.isKeeper(by);
    if (this.#wraps.size >= (isKeeper ? most : SPARE_WRAPS)) return;
    this.#wraps.set(to, { by, to, e, data });
  }
}
