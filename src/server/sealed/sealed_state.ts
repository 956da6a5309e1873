/**
 * What happens in a sealed room within a batch: who enters by which line, control lines, content keys, and which sealed
 * lines are taken.
 *
 * @module
 */

import { shortId } from "../../crypto/person_id.ts";
import type { Event } from "../../protocol/events.ts";
import type { Line, NewEntry } from "../../protocol/line.ts";
import { type Name, parseName } from "../../protocol/names.ts";
import type { Refusal } from "../../protocol/reasons.ts";
import type { ControlLine } from "../../sealed/control_line.ts";
import { epochOf } from "../../sealed/sealed_line.ts";
import type { Batch, Of, Refused, Request, Ruled, Seat } from "../batch.ts";
import { isTooSoon } from "../people/person.ts";
import type { Roster } from "../roster.ts";
import type { SealedRoom, Staged } from "./sealed_room.ts";

/** The state of a sealed room, beside who is there. */
export class SealedState {
  readonly #room: SealedRoom;
  readonly #members: Roster;
  readonly #lacking = new Map<string, number>(); // the epoch whose key somebody lacks, by full id

  /** A room in which nobody lacks anything. */
  constructor(room: SealedRoom, members: Roster) {
    this.#room = room;
    this.#members = members;
  }

  /** The name of who is a member; undefined for one who is none yet. */
  nameOf({ candidate }: Pick<Request, "candidate">): Name | undefined {
    const member = this.#room.next.member(candidate.id);
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
    const by = { person: shortId(id), stay, n, name: name.shown };
    const take = (line: ControlLine) =>
      this.#take(line, by, staged, undefined, batch);
    const { isDecided } = batch;
    if (isDecided && line && this.#room.wasSaid(line, seqIn(batch))) {
      return take(line);
    }
    // Of two machines that came in the same instant, the first made its person a member.
    if (this.#room.next.member(id)) return undefined;
    if (isDecided) return line && take(line);
    if (!line) return "removed";
    const { control } = line;
    if (control.verb === "found" && this.#room.next.room) return "invite-used";
    const named = "name" in control ? control.name : undefined;
    if (named !== name.shown) return "control-wrong";
    const isInvites = control.verb !== "join" ||
      this.#room.next.invites.get(control.invite)?.id === entering.invite;
    if (!isInvites) return "invite-used"; // its number is another's by now
    return take(line);
  }

  /** Says a control line. @param refused Why it isn't said in any case. @returns Whether it is. */
  rule(
    { seat, id, line, staged }: Of<"rule">,
    batch: Batch,
    refused: Refused | undefined,
  ): boolean {
    const { member: { person, name }, stay, n, guest } = seat;
    const by = { person: person.short, stay, n, name: name.shown };
    const reason = refused?.reason ??
      this.#take(line, by, staged, { seat, id }, batch);
    if (reason === undefined) return true;
    const detail = refused?.detail ?? "";
    const event: Event = { kind: "refused", n: null, reason, detail };
    guest.tell(event, { kind: "answered", id });
    return false;
  }

  /** Takes a control line into a batch. @returns Why it isn't said. */
  #take(
    line: ControlLine,
    by: Pick<NewEntry, "person" | "stay" | "n" | "name">,
    staged: Staged,
    wish: Ruled["wish"],
    batch: Batch,
  ): Refusal | undefined {
    const { text, control } = line;
    const entry: NewEntry = { what: "ruled", at: batch.at, text, ...by };
    const seq = seqIn(batch);
    const said = this.#room.take(line, entry, seq, staged, batch.isDecided);
    if (typeof said === "string") return said;
    batch.undo.push(said.undo);
    batch.rule(entry, { control, wish });
    batch.give(said.wraps);
    return undefined;
  }

  /** Keeps a content key, which is passed on once it is kept. */
  give({ wrap }: Of<"give">, batch: Batch): void {
    const undo = this.#room.give(wrap, batch.at);
    if (!undo) return;
    batch.undo.push(undo);
    batch.give([wrap]);
  }

  /**
   * Those of a member's lines that are taken: sealed under the present key, and new. Any other will be said again by its
   * client, or was said. @param slow Seconds between two lines, keepers' aside; what is decided doesn't wait for it.
   */
  taken({ seat, lines }: Of<"say">, slow: number, batch: Batch): Line[] {
    // After a crash, more may be known here than was at that place.
    const epoch = batch.isDecided
      ? this.#room.epochOf(seqIn(batch))
      : this.#room.next.epoch;
    return lines.filter(({ n, text }) => {
      if (epochOf(text) !== epoch || n <= seat.n) return false;
      seat.n = n;
      return batch.isDecided || this.#isTimely(seat, n, slow);
    });
  }

  /** Those of a member's lines that may be proposed to other servers, so far as slow mode goes. @param slow As in `taken`. */
  timely(seat: Seat, lines: readonly Line[], slow: number): Line[] {
    const { epoch } = this.#room.next;
    return lines.filter(({ n, text }) =>
      epochOf(text) !== epoch || n <= seat.n || this.#isTimely(seat, n, slow)
    );
  }

  /** Whether a line doesn't come too soon; tells its member if it does. */
  #isTimely({ member: { person }, guest }: Seat, n: number, slow: number) {
    if (this.#room.next.isKeeper(person.id)) return true;
    if (!isTooSoon(person, slow)) return true;
    guest.tell({ kind: "refused", n, reason: "too-soon", detail: "" });
    return false;
  }

  /** Somebody lacks a content key: the keepers who are there are told. */
  need({ seat, e }: Of<"need">): void {
    if (!this.#members.has(seat) || e > this.#room.next.epoch) return;
    const { id } = seat.member.person;
    this.#lacking.set(id, e);
    for (const { person, seats } of this.#members) {
      if (person.id === id || !this.#room.next.isKeeper(person.id)) continue;
      for (const { guest } of seats) guest.tell({ kind: "needed", who: id, e });
    }
  }

  /** Who is there and lacks a content key. */
  get needs(): Event<"needed">[] {
    if (this.#lacking.size === 0) return [];
    const here = new Set([...this.#members].map(({ person }) => person.id));
    for (const id of this.#lacking.keys()) {
      if (!here.has(id)) this.#lacking.delete(id);
    }
    return [...this.#lacking].map(([who, e]) => ({ kind: "needed", who, e }));
  }

  /** Tells those who are there the content keys of a batch that are for them. Who comes with it is told on coming. */
  passOn({ given, joined }: Batch): void {
    if (given.length === 0) return;
    const coming = new Set(joined.map(({ seat }) => seat));
    const byId = new Map(given.map((wrap) => [wrap.to, wrap]));
    for (const { person, seats } of this.#members) {
      const wrap = byId.get(person.id);
      if (!wrap) continue;
      this.#lacking.delete(person.id);
      for (const seat of seats) {
        if (!coming.has(seat)) seat.guest.tell({ kind: "wrapped", ...wrap });
      }
    }
  }
}

/** The number of a batch's next line. */
function seqIn({ first, entries }: Batch): number {
  return first + entries.length;
}
