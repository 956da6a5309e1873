/**
 * Who is in the room under which name, and what each thing that is asked for changes in that. All of it happens within
 * a batch, which takes it back if it can't be logged.
 *
 * @module
 */

import { spokenId } from "../crypto/person_id.ts";
import type { ChatLog } from "../log/chat_log.ts";
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
import type { Undo } from "./people/reversible.ts";
import type { People } from "./people/people.ts";
import { banEnd, type Person, term } from "./people/person.ts";
import { Roster } from "./roster.ts";
import type { SealedRoom } from "./sealed/sealed_room.ts";
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
}

/** The state of a room. */
export class RoomState {
  /** Who is in. */
  readonly members = new Roster();
  readonly #log: ChatLog;
  readonly #people: People;
  readonly #maxMembers: number;
  readonly #sealed: SealedState | undefined;
  #nextId = 1;

  /** A room that nobody is in. */
  constructor({ log, people, maxMembers, sealed }: RoomStateOptions) {
    this.#log = log;
    this.#people = people;
    this.#maxMembers = maxMembers;
    this.#sealed = sealed && new SealedState(sealed, this.members, log);
  }

  /** What a sealed room has beside; undefined for an open one. */
  get sealed(): SealedState | undefined {
    return this.#sealed;
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

  /** Does what is asked for, if it can be done, as part of a batch; tells who asked if it can't. */
  apply(item: Item, batch: Batch): void {
    switch (item.kind) {
      case "join":
        return this.#join(item, batch);
      case "say":
        return this.#say(item, batch);
      case "rename":
        return this.#rename(item, batch);
      case "release":
        return this.#release(item, batch);
      case "away":
        return this.#away(item, batch);
      case "rule":
        return this.#rule(item, batch);
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
    }
  }

  #join(item: Of<"join">, batch: Batch): void {
    const { candidate, guest, n, stay, after, from } = item.request;
    const name = this.#sealed?.nameOf(item.request) ?? item.request.name;
    const refusal = this.refusal({ ...item.request, name });
    if (refusal) return item.answer(refusal);
    if (after < this.#log.oldest) return item.answer("behind");
    const missed = this.#log.recent(after);
    const { at } = batch;
    const refused = this.#sealed?.enter(item.request, batch);
    if (refused) return item.answer({ reason: refused, detail: "" });
    const { person, undo } = this.#people.enrol(candidate, from, at);
    batch.undo.push(undo);
    this.#people.saw(person, at);
    const present = this.members.of(person);
    const member = present ?? newMember(person, name, at);
    const seat: Seat = { id: this.#nextId++, member, guest, stay, n };
    batch.joined.push({ ...item, seat, missed });
    if (!present) {
      batch.undo.push(this.members.add(member), this.#take(seat));
      batch.undo.push(this.#people.claim(person, name, at));
      return batch.add(seat, { what: "joined", n, text: "" });
    }
    const [known = seat] = present.seats;
    const { id: of } = known;
    batch.undo.push(this.#take(seat));
    if (!batch.knownSeats.has(member)) batch.knownSeats.set(member, known);
    batch.move({ kind: "beside", id: seat.id, of, stay }, member);
    const old = present.seats.find((it) => it !== seat && it.stay === stay);
    if (!old) return;
    batch.replaced.push(old);
    this.#vacate(old, "replaced", batch);
  }

  #leave(item: Of<"leave">, batch: Batch): void {
    if (!this.members.has(item.seat)) return;
    batch.left.push(item);
    this.#vacate(item.seat, item.reason, batch);
  }

  #remove(item: Of<"remove">, batch: Batch): void {
    const { person, words } = item;
    const { seats = [] } = this.members.of(person) ?? {};
    if (seats.length > 0) batch.removing.push(item);
    for (const seat of seats.slice()) {
      batch.removed.push(seat);
      this.#vacate(seat, words, batch);
    }
  }

  /** A connection takes its place. */
  #take(seat: Seat): Undo {
    const { seats } = seat.member;
    seats.push(seat);
    return () => void seats.splice(seats.indexOf(seat), 1);
  }

  /** A connection gives up its place; with the last one, its member leaves. */
  #vacate(seat: Seat, reason: string, batch: Batch): void {
    const { member } = seat;
    const { seats } = member;
    const place = seats.indexOf(seat);
    const { knownSeats } = batch;
    const known = knownSeats.get(member) ?? seat;
    knownSeats.set(member, known);
    if (seats.length === 1) {
      const n = Math.min(known.n + 1, Number.MAX_SAFE_INTEGER); // or nobody could read that it left
      batch.absent.delete(member); // comes after all else, when nobody knows this member any more
      batch.undo.push(this.members.remove(member));
      // The log has it as the others are told it: else the chain would part.
      batch.add(known, { what: "left", n, text: reason });
      this.#people.saw(member.person, batch.at);
    } else batch.move({ kind: "parted", id: seat.id }, member);
    seats.splice(place, 1);
    batch.undo.push(() => void seats.splice(place, 0, seat));
  }

  #rename(item: Of<"rename">, batch: Batch): void {
    const { seat, name } = item;
    const { member } = seat;
    if (!this.members.has(seat)) return;
    const refused = this.#nameRefusal(member.person, name);
    if (refused) {
      return seat.guest.tell({ kind: "refused", n: null, ...refused });
    }
    batch.renamed.push(item);
    this.#goBy(seat, name, batch);
  }

  #goBy(seat: Seat, name: Name, batch: Batch): void {
    const { member } = seat;
    batch.add(seat, { what: "renamed", n: seat.n, text: name.shown });
    batch.undo.push(this.members.rename(member, name));
    batch.undo.push(this.#people.claim(member.person, name, batch.at));
  }

  /** Says a control line: another name, or another key and members who are none any more, come with it. */
  #rule(item: Of<"rule">, batch: Batch): void {
    const { seat, line: { control } } = item;
    const { member } = seat;
    if (!this.members.has(seat)) return;
    const name = control.verb === "rename"
      ? parseName(control.name)
      : undefined;
    const refused = typeof name === "object"
      ? this.#nameRefusal(member.person, name)
      : undefined;
    if (!this.#sealed?.rule(item, batch, refused)) return;
    if (typeof name === "object") this.#goBy(seat, name, batch);
    if (control.verb !== "keys") return;
    const words = `removed by ${member.name.shown}`;
    for (const id of control.removed) {
      const person = this.#people.persons.find(id);
      if (person) this.#remove({ kind: "remove", person, words }, batch);
    }
  }

  #release({ seat, id }: Of<"release">, batch: Batch): void {
    if (!this.members.has(seat)) return;
    const { person, name: { folded } } = seat.member;
    const { names, undo } = this.#people.release(person, folded);
    batch.released.push({ seat, id, names });
    batch.undo.push(undo);
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
    item.taken();
    if (!this.members.has(seat)) return; // its client will find them missing in the log, and say so
    const { slow } = this.#people.settings;
    const taken = this.#sealed?.taken(item, slow) ?? lines;
    batch.said.push(taken === lines ? item : { ...item, lines: taken });
    for (const line of taken) {
      batch.add(seat, { ...line, what: line.what ?? "said" });
      seat.n = line.n;
    }
    seat.member.active = batch.at;
  }
}

function newMember(person: Person, name: Name, at: number): Member {
  return { person, name, seats: [], since: at, active: at, away: "" };
}
