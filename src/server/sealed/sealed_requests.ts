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
import { pastEvent } from "../../protocol/line.ts";
import type { Refusal } from "../../protocol/reasons.ts";
import { parseControl } from "../../sealed/control_line.ts";
import { FOUNDING_ID } from "../../sealed/membership.ts";
import type { Entering, Seat } from "../batch.ts";
import type { Room } from "../room.ts";
import type { Admission, Wrap } from "./control_file.ts";
import type { SealedRoom, Staged } from "./sealed_room.ts";

/** Control lines that are told in one step. */
const PIECE = 16;
/** Content keys that may be staged beyond one for each member and open invite. */
const SPARE_WRAPS = 2;

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
  /** Tells it something, when there is place for it and it is paid for. */
  tellPaid(events: readonly Event[]): Promise<void>;
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
        const { invite, key, blob, note } = event;
        this.#admission = { invite, key, blob, note };
        return;
      }
      case "need":
        asker.spend(1);
        return this.#room.need(this.#require(asker), event.e);
    }
  }

  /** With what a client joins; or why it can't. @param id Its full id. @param invite By which it came. */
  async entering(
    id: string,
  ): Promise<Entering | Refusal> {
    const followed = this.#followed;
    if (followed === undefined) return "room-sealed";
    const text = this.#entering;
    if (text === undefined) {
      return this.#sealed.membership.member(id)
        ? { followed, line: undefined, staged: this.#staged(id) }
        : "not-member";
    }
    const line = parseControl(text);
    const { control } = line ?? {};
    if (control?.verb === "join" && !this.#sealed.isOpen(control.invite)) {
      return "invite-used";
    }
    const isRight = line &&
      (line.control.verb === "found" || line.control.verb === "join") &&
      await this.#sealed.membership.isSigned(line, shortId(id));
    if (!isRight) return "control-wrong";
    return { followed, line, staged: this.#staged(id) };
  }

  #require({ seat }: Asker): Seat {
    if (seat) return seat;
    throw new EventError("Cannot do that outside the room");
  }

  /** What was staged, as its person's; nothing is from here on. */
  #staged(by: string): Staged {
    const wraps = new Map<string, Wrap>();
    for (const [to, wrap] of this.#wraps) wraps.set(to, { ...wrap, by });
    const staged = { wraps, admission: this.#admission };
    this.#wraps = new Map();
    this.#admission = undefined;
    return staged;
  }

  async #follow(after: number, asker: Asker): Promise<void> {
    if (asker.seat) throw new EventError("Cannot follow inside the room");
    const { known, inviteId } = asker;
    const { membership } = this.#sealed;
    const isMember = known !== undefined && membership.member(known);
    if (!isMember && !this.#sealed.isOpen(inviteId)) {
      const reason = known === undefined ? "not-member" : "removed";
      return asker.answer({ kind: "refused", n: null, reason, detail: "" });
    }
    const entries = this.#sealed.entries(after, membership.seq);
    for (let at = 0; at < entries.length; at += PIECE) {
      const piece = entries.slice(at, at + PIECE);
      asker.spend(piece.length);
      await asker.tellPaid(piece.map(pastEvent));
    }
    const wraps = [
      known === undefined ? undefined : this.#sealed.wrapFor(known),
      isMember ? undefined : this.#sealed.wrapForInvite(inviteId),
    ];
    for (const wrap of wraps) {
      if (wrap) asker.answer({ kind: "wrapped", ...wrap });
    }
    this.#followed = membership.seq;
    const blob = inviteId === FOUNDING_ID ? "" : this.#sealed.blobOf(inviteId);
    asker.answer({ kind: "followed", seq: membership.seq, blob });
  }

  async #rule({ id, text }: Event<"rule">, asker: Asker): Promise<void> {
    const seat = this.#require(asker);
    const { person } = seat.member;
    asker.spend(1 + this.#wraps.size / 8); // about as many bytes
    const staged = this.#staged(person.id);
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
  #wrap({ to, e, data }: Event<"wrap">, asker: Asker): void {
    const { seat } = asker;
    const { membership } = this.#sealed;
    asker.spend(seat ? 1 : 4);
    const by = seat?.member.person.id ?? "";
    const isKnown = membership.member(to) !== undefined ||
      membership.openInvites(Date.now()).some(({ id }) => id === to);
    if (seat && e === membership.epoch && isKnown) {
      return this.#room.give(seat, { by, to, e, data });
    }
    const most = membership.members.size + membership.invites.size +
      SPARE_WRAPS;
    const isKeeper = membership.isKeeper(by);
    if (this.#wraps.size >= (isKeeper ? most : SPARE_WRAPS)) return;
    this.#wraps.set(to, { by, to, e, data });
  }
}
