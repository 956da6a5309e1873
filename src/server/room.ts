/**
 * The room: who is there under which name, and the one order in which everything happens. Knows nothing of
 * sockets, files' formats or terminals.
 *
 *     connections ── join, say, leave ──▶ inbox ── batch ──▶ chat.log ──▶ epoch, signature ──▶ everybody
 *                                            └────────────── one task, one batch at a time ─────────┘
 *
 * @module
 */

import { messageOf } from "../base/error_reason.ts";
import type { Bytes } from "../../crypto_utils.ts";
import {
  type Admission,
  Batch,
  type Item,
  type Member,
  type Of,
  type Refused,
  type Request,
  type Seat,
} from "./batch.ts";
import type { Broadcaster } from "./broadcaster.ts";
import type { ChatLog } from "../log/chat_log.ts";
import { diagnostics } from "./diagnostics.ts";
import { encodeEvent, type Event, packEvents } from "../protocol/events.ts";
import { type Measures, UNMEASURED } from "./measures.ts";
import type { Name } from "../protocol/names.ts";
import type { People } from "./people/people.ts";
import { banEnd, type Person, term } from "./people/person.ts";
import { spokenId } from "../crypto/person_id.ts";
import { Roster } from "./roster.ts";
import {
  isChange,
  isSpoken,
  type Line,
  numberEntry,
  pastEvent,
} from "../protocol/line.ts";
import { Notify } from "../base/notify.ts";

/** Encoded events of one batch, UTF-16 units; whatever is over it waits for the next, so that each fits the ring. */
const MAX_BATCH_SIZE = 1_048_576;
/** Connections by which one person may be there. */
const MAX_SEATS = 16;
/** How long a batch waits when everybody is slow, and departures when the log can't be written, ms. */
const CONGESTION_PAUSE = 5;
const LOG_RETRY_PAUSE = 1_000;

/** Limits and places of a room. */
export interface RoomOptions {
  /** Where everything is written before anybody is told of it. */
  readonly log: ChatLog;
  /** What tells everybody. */
  readonly broadcaster: Broadcaster;
  /** Who may come in, and whose name is whose. */
  readonly people: People;
  /** Members at a time. */
  readonly maxMembers: number;
  /** How long after an admission the next ones are gathered, ms, by the number of members. Default: 0. */
  readonly admissionPause?: (members: number) => number;
  /** Whether anybody else is on the way in, so that gathering is worth while. Default: always. */
  readonly expecting?: () => boolean;
  /** What every newcomer is told, beside who is there and what was said. */
  readonly greeting?: readonly Event[];
  /** What is counted. */
  readonly measures?: Measures;
}

const logger = diagnostics("room");

/** The room. */
export class Room {
  readonly #log: ChatLog;
  readonly #broadcaster: Broadcaster;
  readonly #options: RoomOptions;
  readonly #measures: Measures;
  readonly #members = new Roster();
  #inbox: Item[] = [];
  readonly #people: People;
  #nextId = 1;
  #admittedAt = Number.NEGATIVE_INFINITY;
  #stopping = false;
  #healthy = true;
  readonly #woken = new Notify(); // when there may be something to do
  readonly #unlogged: Of<"leave" | "remove">[] = []; // who has gone, or shall, since the log can't be written
  #retry: ReturnType<typeof setTimeout> | undefined;
  #pause: ReturnType<typeof setTimeout> | undefined;

  /** A room that nobody is in; `run` gives it its life. */
  constructor(options: RoomOptions) {
    this.#log = options.log;
    this.#broadcaster = options.broadcaster;
    this.#people = options.people;
    this.#options = options;
    this.#measures = options.measures ?? UNMEASURED;
  }

  /** How many are in. */
  get size(): number {
    return this.#members.size;
  }

  /** Whether the last write to the log came off. */
  get healthy(): boolean {
    return this.#healthy;
  }

  /** Why a guest can't be let in, as far as can be said now. */
  refusal(
    { candidate, name, stay }: Pick<Request, "candidate" | "name" | "stay">,
  ): Refused | undefined {
    const barred = this.#people.access.refusal(candidate);
    const person = this.#people.find(candidate.id);
    if (barred) {
      const until = barred === "removed" && person ? banEnd(person) : null;
      return { reason: barred, detail: until === null ? "" : term(until) };
    }
    const member = person && this.#members.of(person);
    if (!member) {
      const isFull = this.size >= this.#options.maxMembers;
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
    const isHere = (owner: Person) => this.#members.of(owner) !== undefined;
    const owned = this.#people.owner(name.folded, isHere);
    if (!owned || owned.person === person) return undefined;
    const since = new Date(owned.since).toISOString().slice(0, 10);
    const whose = spokenId(owned.person.short);
    return {
      reason: "name-taken",
      detail: `${owned.shown}, ${whose}, since ${since}`,
    };
  }

  /** Lets a guest in, if that can be; resolves when it is in and everybody is being told. */
  join(request: Request): Promise<Admission> {
    return new Promise((answer) =>
      this.#submit({ kind: "join", request, answer })
    );
  }

  /** Says a member's lines to everybody. Resolves when there is place for more, not when they are said. */
  say(seat: Seat, lines: readonly Line[]): Promise<void> {
    return new Promise((taken) =>
      this.#submit({ kind: "say", seat, lines, taken })
    );
  }

  /** Gives a member another name, or tells it why not. */
  rename(seat: Seat, name: Name): void {
    this.#submit({ kind: "rename", seat, name });
  }

  /** Gives up a member's names but the one that it goes by, and tells it which. */
  release(seat: Seat): void {
    this.#submit({ kind: "release", seat });
  }

  /** Tells everybody that a member is away from the keyboard, or, with an empty text, back. */
  away(seat: Seat, text: string): void {
    this.#submit({ kind: "away", seat, text });
  }

  /** Lets a connection go. @param reason A key of `GOODBYES`, or the member's own words. */
  leave(seat: Seat, reason: string): void {
    this.#submit({ kind: "leave", seat, reason });
  }

  /** Ends all connections of a person at once. @param words What the others are told. */
  remove(person: Person, words: string): void {
    this.#submit({ kind: "remove", person, words });
  }

  /** Tells everybody what the room has set. */
  tellSettings(): void {
    this.#submit({ kind: "settings" });
  }

  /** Runs until `stop`. One thing at a time: the order of its batches is the order of everything. */
  async run(): Promise<void> {
    for (;;) {
      const batch = this.#gather();
      if (!batch.empty) await this.#carryOut(batch);
      else if (this.#stopping && this.#inbox.length === 0) break;
      else await this.#woken.wait();
    }
    clearTimeout(this.#retry);
    clearTimeout(this.#pause);
  }

  /** Ends `run` when all that was submitted is done. */
  stop(): void {
    this.#stopping = true;
    this.#woken.notify();
  }

  #submit(item: Item): void {
    this.#inbox.push(item);
    this.#woken.notify();
  }

  /** A batch of all that can be done now. */
  #gather(): Batch {
    const batch = new Batch(Date.now());
    const congested = this.#broadcaster.ring.congested;
    const wait = this.#admissionWait();
    const items = this.#inbox;
    this.#inbox = [];
    const waiting = new Set<Seat>(); // something of theirs must wait, and so must all that they do after it
    for (const item of items) {
      const full = batch.size > MAX_BATCH_SIZE;
      if (item.kind === "join") {
        if (wait > 0 || full) this.#inbox.push(item);
        else this.#applyJoin(item, batch);
        continue;
      }
      if (item.kind === "remove" || item.kind === "settings") {
        // Others learn of connections that come beside their person's after all that has a number, as leaving has.
        const isComing = item.kind === "remove" &&
          batch.joined.some(({ seat }) => seat.member.person === item.person);
        if (full || isComing) this.#inbox.push(item);
        else if (item.kind === "remove") this.#applyRemove(item, batch);
        else batch.move({ kind: "room", ...this.#people.settings });
        continue;
      }
      if (full || congested && item.kind === "say") waiting.add(item.seat);
      if (waiting.has(item.seat)) this.#inbox.push(item);
      else this.#apply(item, batch);
    }
    if (batch.joined.length > 0) this.#admittedAt = performance.now();
    if (this.#inbox.length > 0) {
      if (congested) this.#wakeAfter(CONGESTION_PAUSE);
      else if (wait > 0) this.#wakeAfter(wait);
    }
    return batch;
  }

  /** How long those who come right after another wait for more, ms: all of them are announced at once. */
  #admissionWait(): number {
    const { admissionPause, expecting } = this.#options;
    if (!admissionPause || expecting?.() === false) return 0;
    return this.#admittedAt + admissionPause(this.size) - performance.now();
  }

  /** Looks again after a pause, since nobody else may wake the room. */
  #wakeAfter(pause: number): void {
    this.#pause ??= setTimeout(() => {
      this.#pause = undefined;
      this.#woken.notify();
    }, pause);
  }

  #apply(
    item: Exclude<Item, Of<"join" | "remove" | "settings">>,
    batch: Batch,
  ): void {
    if (item.kind === "leave") this.#applyLeave(item, batch);
    else if (item.kind === "rename") this.#applyRename(item, batch);
    else if (item.kind === "release") this.#applyRelease(item, batch);
    else if (item.kind === "away") this.#applyAway(item, batch);
    else this.#applySay(item, batch);
  }

  #applyJoin(item: Of<"join">, batch: Batch): void {
    const { candidate, guest, name, n, stay, after, isNew, from } =
      item.request;
    const refusal = this.refusal(item.request);
    if (refusal) return item.answer(refusal);
    if (after < this.#log.oldest) return item.answer("behind");
    const missed = this.#log.recent(after).filter((line) =>
      !isNew || isSpoken(line) || isChange(line)
    );
    const { at } = batch;
    const { person, undo } = this.#people.enrol(candidate, from, at);
    batch.undo.push(undo);
    this.#people.saw(person, at);
    const present = this.#members.of(person);
    const member = present ?? newMember(person, name, at);
    const seat: Seat = { id: this.#nextId++, member, guest, stay, n };
    batch.joined.push({ ...item, seat, missed });
    if (!present) {
      batch.undo.push(this.#members.add(member), this.#take(seat));
      batch.undo.push(this.#people.claim(person, name, at));
      return batch.add(seat, { what: "joined", n, text: "" });
    }
    const [{ id: of } = seat] = present.seats;
    batch.undo.push(this.#take(seat));
    if (!batch.knownIds.has(member)) batch.knownIds.set(member, of);
    batch.move({ kind: "beside", id: seat.id, of, stay }, member);
    const old = present.seats.find((it) => it !== seat && it.stay === stay);
    if (!old) return;
    batch.replaced.push(old);
    this.#remove(old, "replaced", batch);
  }

  #applyLeave(item: Of<"leave">, batch: Batch): void {
    if (!this.#members.has(item.seat)) return;
    batch.left.push(item);
    this.#remove(item.seat, item.reason, batch);
  }

  #applyRemove(item: Of<"remove">, batch: Batch): void {
    const { person, words } = item;
    const { seats = [] } = this.#members.of(person) ?? {};
    if (seats.length > 0) batch.removing.push(item);
    for (const seat of seats.slice()) {
      batch.removed.push(seat);
      this.#remove(seat, words, batch);
    }
  }

  /** A connection takes its place. */
  #take(seat: Seat): () => void {
    const { seats } = seat.member;
    seats.push(seat);
    return () => void seats.splice(seats.indexOf(seat), 1);
  }

  /** A connection gives up its place; with the last one, its member leaves. */
  #remove(seat: Seat, reason: string, batch: Batch): void {
    const { member } = seat;
    const { seats } = member;
    const place = seats.indexOf(seat);
    const { knownIds } = batch;
    if (!knownIds.has(member)) knownIds.set(member, seat.id);
    if (seats.length === 1) {
      const n = Math.min(seat.n + 1, Number.MAX_SAFE_INTEGER); // or nobody could read that it left
      batch.absent.delete(member); // comes after all else, when nobody knows this member any more
      batch.undo.push(this.#members.remove(member));
      batch.add(seat, { what: "left", n, text: reason }, knownIds.get(member));
      this.#people.saw(member.person, batch.at);
    } else batch.move({ kind: "parted", id: seat.id }, member);
    seats.splice(place, 1);
    batch.undo.push(() => void seats.splice(place, 0, seat));
  }

  #applyRename(item: Of<"rename">, batch: Batch): void {
    const { seat, name } = item;
    const { member } = seat;
    if (!this.#members.has(seat)) return;
    const refused = this.#nameRefusal(member.person, name);
    if (refused) {
      return seat.guest.tell({ kind: "refused", n: null, ...refused });
    }
    batch.renamed.push(item);
    batch.add(seat, { what: "renamed", n: seat.n, text: name.shown });
    batch.undo.push(this.#members.rename(member, name));
    batch.undo.push(this.#people.claim(member.person, name, batch.at));
  }

  #applyRelease({ seat }: Of<"release">, batch: Batch): void {
    if (!this.#members.has(seat)) return;
    const { person, name: { folded } } = seat.member;
    const { names, undo } = this.#people.release(person, folded);
    batch.released.push({ seat, names });
    batch.undo.push(undo);
  }

  #applyAway(item: Of<"away">, batch: Batch): void {
    const { seat: { member }, text } = item;
    // What everybody knows is told to nobody again.
    if (!this.#members.has(item.seat) || member.away === text) return;
    const before = member.away;
    batch.setAway(item);
    member.away = text;
    batch.undo.push(() => void (member.away = before));
  }

  #applySay(item: Of<"say">, batch: Batch): void {
    const { seat, lines } = item;
    item.taken();
    if (!this.#members.has(seat)) return; // its client will find them missing in the log, and say so
    batch.said.push(item);
    for (const line of lines) {
      batch.add(seat, { ...line, what: line.what ?? "said" });
      seat.n = line.n;
    }
    seat.member.active = batch.at;
  }

  async #carryOut(batch: Batch): Promise<void> {
    let seq = this.#log.head + 1;
    this.#people.begin();
    try {
      if (batch.entries.length > 0) seq = await this.#write(batch);
    } catch (error) {
      const why = messageOf(error);
      logger.error("{why}", { why });
      this.#healthy = false;
      return this.#takeBack(batch);
    }
    this.#people.settle(); // nobody waits for it
    for (const { seat, names } of batch.released) {
      const given = names.join(", ");
      const text = given === ""
        ? "You have no other name"
        : `Given up: ${given}`;
      seat.guest.tell({ kind: "notice", text });
    }
    const gone = batch.left.length + batch.replaced.length;
    if (gone > 0) this.#broadcaster.expire();
    if (batch.removed.length > 0) this.#broadcaster.expire(true);
    for (const { guest } of batch.replaced) guest.dismiss("replaced");
    for (const { guest } of batch.removed) guest.dismiss("removed");
    await this.#renewEpoch(batch);
    // What has no number comes last: in a batch, a line's place is its number.
    const { length: numbered } = batch.encoded;
    batch.encoded.push(...batch.absent.values());
    for (const { member, encoded } of batch.moves) {
      // Whoever has left is gone with all its connections.
      const isHere = !member || this.#members.of(member.person) === member;
      if (isHere) batch.encoded.push(encoded);
    }
    const joining = batch.joined.length > 0;
    if (joining) batch.encoded.push(encodeEvent({ kind: "ratchet" }));
    await this.#broadcaster.send(
      batch.encoded,
      (before) =>
        encodeEvent({
          kind: "batch",
          seq: seq + Math.min(before, numbered),
          at: batch.at,
        }),
    );
    if (joining) await this.#admit(batch, seq);
  }

  async #write({ entries, said }: Batch): Promise<number> {
    const { messages, deliveries, batchSize, logWrite } = this.#measures;
    const start = performance.now();
    const seq = await this.#log.append(entries);
    this.#healthy = true;
    logWrite.observe((performance.now() - start) / 1_000);
    batchSize.observe(entries.length);
    const lines = said.reduce((sum, item) => sum + item.lines.length, 0);
    messages.add(lines);
    deliveries.add(lines * this.size);
    return seq;
  }

  /** Those who stay are told the new key before anything is sealed with it. */
  async #renewEpoch(batch: Batch): Promise<void> {
    if (!this.#broadcaster.expired) return;
    await this.#broadcaster.renew();
    this.#measures.epochs.add(1, "fresh");
    const event = this.#broadcaster.describe();
    const joining = new Set(batch.joined.map(({ seat }) => seat));
    for (const { seats } of this.#members) {
      for (const seat of seats) if (!joining.has(seat)) seat.guest.tell(event);
    }
  }

  /** Newcomers are told who is there and what they missed, and read from the next broadcast on. */
  async #admit(batch: Batch, seq: number): Promise<void> {
    await this.#broadcaster.ratchet();
    this.#measures.epochs.add(1, "ratchet");
    const epoch = this.#broadcaster.describe();
    const logged = batch.entries.map((it, index) =>
      numberEntry(it, seq + index)
    );
    // What many are told in the same words is packed once, and sealed once if it is the same for all.
    const here = await this.#broadcaster.share(
      pack([...this.#members].flatMap(hereEvents)),
    );
    const packed = new Map<string, Bytes[]>();
    for (const { request, seat, missed, answer } of batch.joined) {
      answer(seat);
      if (!this.#members.has(seat)) continue; // it came once more in this batch: that one is in
      const { guest, id, member } = seat;
      const same = `${request.after} ${request.isNew}`;
      const past = packed.get(same) ??
        pack([...missed, ...logged].map(pastEvent));
      packed.set(same, past);
      guest.outlet.attach();
      guest.share(here);
      guest.pass(past);
      const room: Event = { kind: "room", ...this.#people.settings };
      guest.tell(epoch, ...this.#options.greeting ?? [], room, {
        kind: "welcome",
        id,
        seq: seq + batch.entries.length - 1,
        at: batch.at,
        name: member.name.shown,
      });
    }
  }

  /** Nothing of a batch that couldn't be logged has happened, but that those who left are gone. */
  #takeBack(batch: Batch): void {
    for (const undo of batch.undo.reverse()) undo();
    this.#people.settle();
    this.#inbox.unshift(...batch.away); // which needs no log
    const failed: Refused = { reason: "log-failed", detail: "" };
    for (const { answer } of batch.joined) answer(failed);
    const refused = (n: number | null): Event => ({
      kind: "refused",
      n,
      ...failed,
    });
    for (const { seat, lines } of batch.said) {
      seat.guest.tell(...lines.map(({ n }) => refused(n)));
    }
    for (const { seat } of [...batch.renamed, ...batch.released]) {
      seat.guest.tell(refused(null));
    }
    if (batch.left.length + batch.removing.length === 0) return;
    this.#broadcaster.expire(); // they read nothing that is said before their leaving can be logged
    if (this.#stopping) return; // the log can't be written, and nobody will come to mend it in time
    this.#unlogged.push(...batch.left, ...batch.removing);
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      this.#inbox.unshift(...this.#unlogged.splice(0));
      this.#woken.notify();
    }, LOG_RETRY_PAUSE);
  }
}

function pack(events: readonly Event[]): Bytes[] {
  return packEvents(events.map(encodeEvent));
}

function newMember(person: Person, name: Name, at: number): Member {
  return { person, name, seats: [], since: at, active: at, away: "" };
}

/** What a newcomer is told of a member: who it is, and by which other connections it is there. */
function hereEvents(
  { person, name, seats, since, active, away }: Member,
): Event<"here" | "beside">[] {
  const [first, ...others] = seats;
  if (!first) return [];
  const { id, stay } = first;
  return [
    {
      kind: "here",
      id,
      name: name.shown,
      person: person.id,
      stay,
      since,
      active,
      away,
    },
    ...others.map((seat) => ({
      kind: "beside" as const,
      id: seat.id,
      of: id,
      stay: seat.stay,
    })),
  ];
}
