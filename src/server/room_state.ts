/**
 * Who is in the room under which name, and what each thing that is asked for changes in that. All of it happens within
 * a batch, which takes it back if it can't be logged.
 *
 * @module
 */

import { spokenId } from "../crypto/person_id.ts";
import type { ChatLog } from "../log/chat_log.ts";
import type { Line } from "../protocol/line.ts";
import { type Name, parseName } from "../protocol/names.ts";
import type {
  Batch,
  Item,
  Member,
  Of,
  Refused,
  Request,
  Seat,
} from "./batch.ts";
import type { People } from "./people/people.ts";
import { banEnd, type Person, term } from "./people/person.ts";
import { Roster } from "./roster.ts";
import type { SealedRoom } from "./sealed/sealed_room.ts";
import { OTHERS_GUEST } from "./cluster/items.ts";
import type { RosterRecord, SeatRecord } from "./cluster/roster_record.ts";
import { SealedState } from "./sealed/sealed_state.ts";

/** Connections by which one person may be there. */
const MAX_SEATS = 16;

/** What the state of a room hangs on. */
export interface RoomStateOptions {
  /** What was said before. */
  readonly log: ChatLog;
  /** Who may come in, and whose name is whose. */
  readonly people: People;
  /** Members at a time. */
  readonly maxMembers: number;
  /** What is known of a sealed room; left out for an open one. */
  readonly sealed?: SealedRoom | undefined;
  /** The id of this server. */
  readonly server: () => string;
}

/** What may be refused. */
type Decided = "join" | "rename" | "release" | "rule";

/** The state of a room. */
export class RoomState {
  /** Who is in. */
  readonly members = new Roster();
  readonly #log: ChatLog;
  readonly #people: People;
  readonly #maxMembers: number;
  readonly #sealed: SealedState | undefined;
  readonly #server: () => string;
  #nextId = 1;

  /** A room that nobody is in. */
  constructor({ log, people, maxMembers, sealed, server }: RoomStateOptions) {
    this.#log = log;
    this.#server = server;
    this.#people = people;
    this.#maxMembers = maxMembers;
    this.#sealed = sealed && new SealedState(sealed, this.members);
  }

  /** What a sealed room has beside; undefined for an open one. */
  get sealed(): SealedState | undefined {
    return this.#sealed;
  }

  /** The id of the next connection. */
  get nextId(): number {
    return this.#nextId;
  }

  /** Others are in than were. @returns The connections of before. */
  restore({ seats, nextId }: RosterRecord): Seat[] {
    const before = [...this.members].flatMap(({ seats }) => seats);
    for (const { member } of before) this.members.remove(member);
    for (const seat of before) this.members.vacate(seat);
    for (const record of seats) this.#restore(record);
    this.#nextId = nextId;
    return before;
  }

  #restore({ id, server, stay, n, ...record }: SeatRecord): void {
    const person = this.#people.persons.find(record.person);
    const name = parseName(record.name);
    if (!person || typeof name === "string") return;
    const { since, active, away } = record;
    const present = this.members.of(person);
    const member = present ?? { person, name, seats: [], since, active, away };
    if (!present) this.members.add(member);
    this.members.take({ id, member, guest: OTHERS_GUEST, stay, server, n });
  }

  /** Why a guest can't be let in, as far as can be said now. */
  refusal(
    { candidate, name, stay }: Pick<Request, "candidate" | "name" | "stay">,
  ): Refused | undefined {
    const barred = this.#people.access.refusal(candidate);
    const person = this.#people.persons.find(candidate.id);
    if (barred) {
      const until = barred === "removed" && person ? banEnd(person) : null;
      return { reason: barred, detail: until === null ? "" : term(until) };
    }
    const member = person && this.members.of(person);
    if (!member) {
      const isFull = this.members.size >= this.#maxMembers;
      return this.#nameRefusal(person, name) ??
        (isFull ? { reason: "room-full", detail: "" } : undefined);
    }
    // It comes in under the name that it goes by already.
    const isFull = member.seats.length >= MAX_SEATS &&
      member.seats.every((seat) => seat.stay !== stay);
    return isFull ? { reason: "too-often-here", detail: "" } : undefined;
  }

  /** Why a person, or somebody who isn't one yet, can't go by a name. */
  #nameRefusal(person: Person | undefined, name: Name): Refused | undefined {
    const isHere = (owner: Person) => this.members.of(owner) !== undefined;
    const owned = this.#people.names.owner(name.folded, isHere);
    if (!owned || owned.person === person) return undefined;
    const since = new Date(owned.since).toISOString().slice(0, 10);
    const whose = spokenId(owned.person.short);
    return {
      reason: "name-taken",
      detail: `${owned.shown}, ${whose}, since ${since}`,
    };
  }

  /** Those of a member's lines that may be proposed to other servers; it is told of the others. */
  timely(seat: Seat, lines: readonly Line[]): readonly Line[] {
    const { slow } = this.#people.settings;
    return this.#sealed?.timely(seat, lines, slow) ?? lines;
  }

  /**
   * Does what is asked for, if it can be done, as part of a batch; tells who asked if it can't.
   * @returns Whether it is done.
   */
  apply(item: Item, batch: Batch): boolean {
    switch (item.kind) {
      case "join":
        return this.#join(item, batch);
      case "rename":
        return this.#rename(item, batch);
      case "release":
        return this.#release(item, batch);
      case "rule":
        return this.#rule(item, batch);
      default:
        this.#happen(item, batch);
        return true;
    }
  }

  /** What needs no decision. */
  #happen(item: Exclude<Item, Of<Decided>>, batch: Batch): void {
    switch (item.kind) {
      case "say":
        return this.#say(item, batch);
      case "away":
        return this.#away(item, batch);
      case "need":
        return this.#sealed?.need(item);
      case "give":
        return this.#sealed?.give(item, batch);
      case "leave":
        return this.#leave(item, batch);
      case "remove":
        return this.#remove(item, batch);
      case "settings":
        return batch.move({ kind: "room", ...this.#people.settings });
      case "server":
        batch.servers.push(item);
        return this.#desert(item.id, "lost", batch); // it has no connections yet
      case "gone":
        batch.servers.push(item);
        return this.#desert(item.server, item.reason, batch);
      case "post":
        return this.#post(item, batch);
      case "people":
        // At once: somebody may come by an invite in the same entry. It is taken over again where that can't be logged yet.
        this.#people.follow(item.happenings);
        return void batch.others.push(item);
      case "link":
      case "got":
        batch.others.push(item);
    }
  }

  #join(item: Of<"join">, batch: Batch): boolean {
    const { candidate, guest, n, stay, after, from } = item.request;
    const { server = this.#server() } = item;
    const { at, isDecided } = batch;
    const name = this.#sealed?.nameOf(item.request) ?? item.request.name;
    if (!isDecided) {
      const refusal = this.refusal({ ...item.request, name });
      if (refusal) return refuse(item, refusal);
      if (after < this.#log.oldest) return refuse(item, "behind");
    }
    const refused = this.#sealed?.enter(item.request, batch);
    if (refused) return refuse(item, { reason: refused, detail: "" });
    const { person, undo } = this.#people.enrol(candidate, from, at);
    batch.undo.push(undo);
    batch.undo.push(this.#people.saw(person, at));
    const present = this.members.of(person);
    const member = present ?? newMember(person, name, at);
    const id = isDecided && item.id !== undefined ? item.id : this.#nextId;
    item.id = id;
    this.#nextId = Math.max(this.#nextId, id + 1);
    const seat: Seat = { id, member, guest, stay, server, n };
    batch.joined.push({ ...item, seat, missed: [] });
    if (!present) {
      batch.undo.push(this.members.add(member), this.members.take(seat));
      batch.undo.push(this.#people.claim(person, name, at));
      batch.add(seat, { what: "joined", n, text: "" });
      return true;
    }
    const [known = seat] = present.seats;
    const { id: of } = known;
    batch.undo.push(this.members.take(seat));
    if (!batch.knownSeats.has(member)) batch.knownSeats.set(member, known);
    batch.move({ kind: "beside", id: seat.id, of, stay }, member);
    const old = present.seats.find((it) => it !== seat && it.stay === stay);
    if (!old) return true;
    batch.replaced.push(old);
    this.#vacate(old, "replaced", batch);
    return true;
  }

  #leave(item: Of<"leave">, batch: Batch): void {
    if (!this.members.has(item.seat)) return;
    batch.left.push(item);
    this.#vacate(item.seat, item.reason, batch);
  }

  #remove(item: Of<"remove">, batch: Batch): void {
    const { person, words } = item;
    const seats = this.members.seatsBy(person).slice();
    if (seats.length > 0) batch.removing.push(item);
    for (const seat of seats) {
      batch.removed.push(seat);
      this.#vacate(seat, words, batch);
    }
  }

  /** A server is gone with all its connections. @param reason A key of `GOODBYES`. */
  #desert(server: string, reason: string, batch: Batch): void {
    for (const seat of this.members.seatsOf(server)) {
      batch.deserted.push(seat);
      this.#vacate(seat, reason, batch);
    }
  }

  /** A connection gives up its place; with the last one, its member leaves. */
  #vacate(seat: Seat, reason: string, batch: Batch): void {
    const { member } = seat;
    const { seats } = member;
    const { knownSeats } = batch;
    const known = knownSeats.get(member) ?? seat;
    knownSeats.set(member, known);
    if (seats.length === 1) {
      const n = Math.min(known.n + 1, Number.MAX_SAFE_INTEGER); // or nobody could read that it left
      batch.absent.delete(member); // comes after all else, when nobody knows this member any more
      batch.undo.push(this.members.remove(member));
      // The log has it as the others are told it: else the chain would part.
      batch.add(known, { what: "left", n, text: reason });
      batch.undo.push(this.#people.saw(member.person, batch.at));
    } else batch.move({ kind: "parted", id: seat.id }, member);
    batch.undo.push(this.members.vacate(seat));
  }

  #rename(item: Of<"rename">, batch: Batch): boolean {
    const { seat, name } = item;
    const { member } = seat;
    if (!this.members.has(seat)) return false;
    const refused = batch.isDecided
      ? undefined
      : this.#nameRefusal(member.person, name);
    if (refused) {
      seat.guest.tell({ kind: "refused", n: null, ...refused });
      return false;
    }
    batch.renamed.push(item);
    this.#goBy(seat, name, batch);
    return true;
  }

  #goBy(seat: Seat, name: Name, batch: Batch): void {
    const { member } = seat;
    batch.add(seat, { what: "renamed", n: seat.n, text: name.shown });
    batch.undo.push(this.members.rename(member, name));
    batch.undo.push(this.#people.claim(member.person, name, batch.at));
  }

  /** Says a control line: another name, or another key and members who are none any more, come with it. */
  #rule(item: Of<"rule">, batch: Batch): boolean {
    const { seat, line: { control } } = item;
    const { member } = seat;
    if (!this.members.has(seat)) return false;
    const name = control.verb === "rename"
      ? parseName(control.name)
      : undefined;
    const refused = typeof name === "object" && !batch.isDecided
      ? this.#nameRefusal(member.person, name)
      : undefined;
    if (!this.#sealed?.rule(item, batch, refused)) return false;
    if (typeof name === "object") this.#goBy(seat, name, batch);
    if (control.verb !== "keys") return true;
    const words = `removed by ${member.name.shown}`;
    for (const id of control.removed) {
      const person = this.#people.persons.find(id);
      if (person) this.#remove({ kind: "remove", person, words }, batch);
    }
    return true;
  }

  #release({ seat, id }: Of<"release">, batch: Batch): boolean {
    if (!this.members.has(seat)) return false;
    const { person, name: { folded } } = seat.member;
    const { names, undo } = this.#people.release(person, folded);
    batch.released.push({ seat, id, names });
    batch.undo.push(undo);
    return true;
  }

  #away(item: Of<"away">, batch: Batch): void {
    const { seat: { member }, text } = item;
    // What everybody knows is told to nobody again.
    if (!this.members.has(item.seat) || member.away === text) return;
    const before = member.away;
    batch.setAway(item);
    member.away = text;
    batch.undo.push(() => void (member.away = before));
  }

  #say(item: Of<"say">, batch: Batch): void {
    const { seat, lines } = item;
    // Its client will find them missing in the log, and say so, or has said them by another connection.
    if (!this.members.has(seat)) return;
    const { slow } = this.#people.settings;
    const { member } = seat;
    const before = { n: seat.n, active: member.active };
    batch.undo.push(() => {
      seat.n = before.n;
      member.active = before.active;
    });
    const taken = this.#sealed?.taken(item, slow, batch) ??
      lines.filter(({ n }) => n > seat.n);
    batch.said.push({ ...item, lines: taken });
    for (const line of taken) {
      batch.add(seat, { ...line, what: line.what ?? "said" });
      seat.n = line.n;
    }
    member.active = batch.at;
  }

  /** A message of who isn't in any more is dropped: its client sends it again by the connection that it has now. */
  #post(item: Of<"post">, batch: Batch): void {
    if (this.members.has(item.seat)) batch.others.push(item);
    else item.posted("mailbox-failed");
  }
}

function refuse({ answer }: Of<"join">, why: "behind" | Refused): false {
  answer(why);
  return false;
}

function newMember(person: Person, name: Name, at: number): Member {
  return { person, name, seats: [], since: at, active: at, away: "" };
}
