/**
 * The room: the one order in which everything happens, and who is told of it. Knows nothing of
 * sockets, files' formats or terminals.
 *
 *     connections ── join, say, leave ──▶ inbox ── batch ──▶ chat.log ──▶ epoch, signature ──▶ everybody
 *                                            └────────────── one task, one batch at a time ─────────┘
 *
 * @module
 */

import { messageOf } from "../base/error_reason.ts";
import { REFUSALS } from "../protocol/reasons.ts";
import {
  type Admission,
  Batch,
  type Item,
  type Of,
  type Refused,
  type Request,
  type Seat,
} from "./batch.ts";
import type { Broadcaster } from "./broadcaster.ts";
import type { ChatLog } from "../log/chat_log.ts";
import { diagnostics } from "./diagnostics.ts";
import { encodeEvent, type Event } from "../protocol/events.ts";
import { type Measures, UNMEASURED } from "./measures.ts";
import type { Name } from "../protocol/names.ts";
import type { People } from "./people/people.ts";
import type { Person } from "./people/person.ts";
import { welcome } from "./newcomers.ts";
import { RoomState } from "./room_state.ts";
import type { Wrap } from "./sealed/control_file.ts";
import type { SealedRoom } from "./sealed/sealed_room.ts";
import type { Line } from "../protocol/line.ts";
import { Notify } from "../base/notify.ts";

/** Encoded events of one batch, UTF-16 units; whatever is over it waits for the next, so that each fits the ring. */
const MAX_BATCH_SIZE = 1_048_576;
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
  /** What is known of a sealed room; left out for an open one. */
  readonly sealed?: SealedRoom | undefined;
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
  readonly #people: People;
  readonly #state: RoomState;
  #inbox: Item[] = [];
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
    this.#state = new RoomState(options);
    this.#options = options;
    this.#measures = options.measures ?? UNMEASURED;
  }

  /** How many are in. */
  get size(): number {
    return this.#state.members.size;
  }

  /** Whether the last write to the log came off. */
  get healthy(): boolean {
    return this.#healthy;
  }

  /** Why a guest can't be let in, as far as can be said now. */
  refusal(
    request: Pick<Request, "candidate" | "name" | "stay">,
  ): Refused | undefined {
    return this.#state.refusal(request);
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

  /** Gives up a member's names but the one that it goes by, and tells it which. @param id Its number for that. */
  release(seat: Seat, id: number): void {
    this.#submit({ kind: "release", seat, id });
  }

  /** Tells everybody that a member is away from the keyboard, or, with an empty text, back. */
  away(seat: Seat, text: string): void {
    this.#submit({ kind: "away", seat, text });
  }

  /** Says a control line of a sealed room; its connection is told what came of it. */
  rule(wish: Omit<Of<"rule">, "kind">): void {
    this.#submit({ kind: "rule", ...wish });
  }

  /** A member of a sealed room lacks the content key of an epoch. */
  need(seat: Seat, e: number): void {
    this.#submit({ kind: "need", seat, e });
  }

  /** Passes a content key of the present epoch on. */
  give(seat: Seat, wrap: Wrap): void {
    this.#submit({ kind: "give", seat, wrap });
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
        else this.#state.apply(item, batch);
        continue;
      }
      // Others learn of connections that come beside their person's after all that has a number, as leaving has.
      const isComing = removedBy(item).some((id) =>
        batch.joined.some(({ seat }) => seat.member.person.id === id)
      );
      if (item.kind === "remove" || item.kind === "settings") {
        if (full || isComing) this.#inbox.push(item);
        else this.#state.apply(item, batch);
        continue;
      }
      const mustWait = full || isComing || congested && item.kind === "say";
      if (mustWait) waiting.add(item.seat);
      if (waiting.has(item.seat)) this.#inbox.push(item);
      else this.#state.apply(item, batch);
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

  async #carryOut(batch: Batch): Promise<void> {
    let seq = this.#log.head + 1;
    this.#people.journal.begin();
    try {
      this.#options.sealed?.keep();
      if (batch.entries.length > 0) seq = await this.#write(batch);
    } catch (error) {
      const why = messageOf(error);
      logger.error("{why}", { why });
      this.#healthy = false;
      return this.#takeBack(batch);
    }
    this.#options.sealed?.settle();
    this.#ban(batch);
    this.#people.journal.settle(); // nobody waits for it
    this.#state.sealed?.passOn(batch); // before they hear of the lines
    this.#tellAlone(batch);
    await this.#renewEpoch(batch);
    // What has no number comes last: in a batch, a line's place is its number.
    const { length: numbered } = batch.encoded;
    batch.encoded.push(...batch.absent.values());
    for (const { member, encoded } of batch.moves) {
      // Whoever has left is gone with all its connections.
      const isHere = !member ||
        this.#state.members.of(member.person) === member;
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
    this.#answer(batch, (seat) => this.#state.members.has(seat));
    if (!joining) return;
    await this.#broadcaster.ratchet();
    this.#measures.epochs.add(1, "ratchet");
    await welcome(batch, seq, {
      members: this.#state.members,
      broadcaster: this.#broadcaster,
      people: this.#people,
      greeting: this.#options.greeting ?? [],
      sealed: this.#options.sealed,
      needs: this.#state.sealed?.needs ?? [],
    });
  }

  /** Bans that control lines bring about. */
  #ban({ ruled }: Batch): void {
    const known = (id: string) => this.#people.persons.find(id) ?? [];
    for (const { control } of ruled) {
      if (control.verb !== "keys") continue;
      for (const it of control.barred.flatMap(known)) {
        this.#people.ban(it, null, "");
      }
      for (const it of control.freed.flatMap(known)) this.#people.unban(it);
    }
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

  /** Tells those whom a batch concerns alone: who has given up names, and whose connections end. */
  #tellAlone(batch: Batch): void {
    for (const { seat, id, names } of batch.released) {
      const given = names.join(", ");
      const text = given === ""
        ? "You have no other name"
        : `Given up: ${given}`;
      seat.guest.tell({ kind: "notice", text }, { kind: "answered", id });
    }
    const gone = batch.left.length + batch.replaced.length;
    if (gone > 0) this.#broadcaster.expire();
    if (batch.removed.length > 0) this.#broadcaster.expire(true);
    this.#answer(batch, (seat) => batch.removed.includes(seat)); // who removes itself
    for (const { guest } of batch.replaced) guest.dismiss("replaced");
    for (const { guest } of batch.removed) guest.dismiss("removed");
  }

  /** Answers some of those who have said a control line. */
  #answer({ ruled }: Batch, isOne: (seat: Seat) => boolean): void {
    for (const { wish } of ruled) {
      if (!wish || !isOne(wish.seat)) continue;
      wish.seat.guest.tell({ kind: "answered", id: wish.id });
    }
  }

  /** Those who stay are told the new key before anything is sealed with it. */
  async #renewEpoch(batch: Batch): Promise<void> {
    if (!this.#broadcaster.expired) return;
    await this.#broadcaster.renew();
    this.#measures.epochs.add(1, "fresh");
    const event = this.#broadcaster.describe();
    const joining = new Set(batch.joined.map(({ seat }) => seat));
    for (const { seats } of this.#state.members) {
      for (const seat of seats) if (!joining.has(seat)) seat.guest.tell(event);
    }
  }

  /** Nothing of a batch that couldn't be logged has happened, but that those who left are gone. */
  #takeBack(batch: Batch): void {
    this.#options.sealed?.drop();
    for (const undo of batch.undo.reverse()) undo();
    this.#people.journal.settle();
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
    for (const { seat } of batch.renamed) seat.guest.tell(refused(null));
    for (const { wish } of batch.ruled) {
      wish?.seat.guest.tell(refused(null), { kind: "answered", id: wish.id });
    }
    for (const { seat, id } of batch.released) {
      const text = REFUSALS["log-failed"];
      seat.guest.tell({ kind: "notice", text }, { kind: "answered", id });
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

const NOBODY: readonly string[] = [];

/** Full ids of those whom something removes that is asked for. */
function removedBy(item: Item): readonly string[] {
  if (item.kind === "remove") return [item.person.id];
  const control = item.kind === "rule" ? item.line.control : undefined;
  return control?.verb === "keys" ? control.removed : NOBODY;
}
