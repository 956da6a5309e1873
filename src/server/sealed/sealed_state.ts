/**
 * What happens in a sealed room within a batch: who enters by which line, control lines, content keys, and which sealed
 * lines are taken.
 *
 * @module
 */

import { messageOf } from "../../base/error_reason.ts";
import { shortId } from "../../crypto/person_id.ts";
import type { ChatLog } from "../../log/chat_log.ts";
import type { Event } from "../../protocol/events.ts";
import type { Line, NewEntry } from "../../protocol/line.ts";
import { type Name, parseName } from "../../protocol/names.ts";
import type { Refusal } from "../../protocol/reasons.ts";
import { epochOf } from "../../sealed/sealed_line.ts";
import type { Batch, Of, Refused, Request, Seat } from "../batch.ts";
import { diagnostics } from "../diagnostics.ts";
import type { Roster } from "../roster.ts";
import type { Wrap } from "./control_file.ts";
import type { SealedRoom } from "./sealed_room.ts";

const logger = diagnostics("room");

/** The state of a sealed room, beside who is there. */
export class SealedState {
  readonly #room: SealedRoom;
  readonly #members: Roster;
  readonly #log: ChatLog;
  readonly #lacking = new Map<string, number>(); // the epoch whose key somebody lacks, by full id

  /** A room in which nobody lacks anything. */
  constructor(room: SealedRoom, members: Roster, log: ChatLog) {
    this.#room = room;
    this.#members = members;
    this.#log = log;
  }

  /** The name of who is a member; undefined for one who is none yet. */
  nameOf({ candidate }: Pick<Request, "candidate">): Name | undefined {
    const member = this.#room.membership.member(candidate.id);
    const name = member && parseName(member.name);
    return typeof name === "object" ? name : undefined;
  }

  /** Takes the line by which somebody becomes a member. @returns Why it can't come in. */
  enter(
    { candidate: { id }, entering, name, n, stay }: Request,
    batch: Batch,
  ): Refusal | undefined {
    if (!entering) return "room-sealed";
    const { line, staged } = entering;
    const isMember = this.#room.membership.member(id) !== undefined;
    // Of two machines that came in the same instant, the first made its person a member.
    if (isMember) return undefined;
    if (!line) return "removed";
    const { control } = line;
    const named = "name" in control ? control.name : undefined;
    if (named !== name.shown) return "control-wrong";
    const entry: NewEntry = {
      what: "ruled",
      at: batch.at,
      person: shortId(id),
      stay,
      n,
      name: name.shown,
      text: line.text,
    };
    const said = this.#room.take(line, entry, this.#next(batch), staged);
    if (typeof said === "string") return said;
    batch.undo.push(said.undo);
    batch.rule(entry, { control, wish: undefined, wraps: said.wraps });
    return undefined;
  }

  /** Says a control line. @param refused Why it isn't said in any case. @returns Whether it is. */
  rule(
    { seat, id, line, staged }: Of<"rule">,
    batch: Batch,
    refused: Refused | undefined,
  ): boolean {
    const { member: { person, name }, stay, n, guest } = seat;
    const entry: NewEntry = {
      what: "ruled",
      at: batch.at,
      person: person.short,
      stay,
      n,
      name: name.shown,
      text: line.text,
    };
    const said = refused?.reason ??
      this.#room.take(line, entry, this.#next(batch), staged);
    if (typeof said === "string") {
      const detail = refused?.detail ?? "";
      guest.tell({ kind: "refused", n: null, reason: said, detail }, {
        kind: "answered",
        id,
      });
      return false;
    }
    batch.undo.push(said.undo);
    const { control } = line;
    batch.rule(entry, { control, wish: { seat, id }, wraps: said.wraps });
    return true;
  }

  /** The number of the next line of a batch. */
  #next({ entries }: Batch): number {
    return this.#log.head + 1 + entries.length;
  }

  /** Whether a line is sealed under the present key and new: any other will be said again by its client, or was said. */
  takes({ n, text }: Line, seat: Seat): boolean {
    return epochOf(text) === this.#room.membership.epoch && n > seat.n;
  }

  /** Somebody lacks a content key: the keepers who are there are told. */
  need({ seat, e }: Of<"need">): void {
    if (!this.#members.has(seat)) return;
    const { id } = seat.member.person;
    this.#lacking.set(id, e);
    for (const { person, seats } of this.#members) {
      if (!this.#room.membership.isKeeper(person.id)) continue;
      const event: Event = { kind: "needed", who: id, e };
      for (const { guest } of seats) guest.tell(event);
    }
  }

  /** Who is there and lacks a content key. */
  get needs(): Event<"needed">[] {
    const here = new Set([...this.#members].map(({ person }) => person.id));
    for (const id of this.#lacking.keys()) {
      if (!here.has(id)) this.#lacking.delete(id);
    }
    return [...this.#lacking].map(([who, e]) => ({ kind: "needed", who, e }));
  }

  /** Keeps a content key, and passes it on. */
  give(wrap: Wrap): void {
    try {
      if (!this.#room.give(wrap)) return;
    } catch (error) {
      logger.error("{why}", { why: messageOf(error) }); // whoever lacks it asks again
      return;
    }
    this.#lacking.delete(wrap.to);
    passOn([wrap], this.#members);
  }
}

/** Tells those who are there the content keys that are for them. */
export function passOn(wraps: readonly Wrap[], members: Roster): void {
  const byId = new Map(wraps.map((wrap) => [wrap.to, wrap]));
  if (byId.size === 0) return;
  for (const { person, seats } of members) {
    const wrap = byId.get(person.id);
    if (!wrap) continue;
    for (const { guest } of seats) guest.tell({ kind: "wrapped", ...wrap });
  }
}
