/**
 * The room: who is there under which name, and the one order in which everything happens. Knows nothing of
 * sockets, files' formats or terminals.
 *
 *     connections ── join, say, leave ──▶ inbox ── batch ──▶ chat.log ──▶ epoch, signature ──▶ everybody
 *                                            └────────────── one task, one batch at a time ─────────┘
 *
 * @module
 */

import {
  type Admission,
  Batch,
  type Guest,
  type Item,
  type Line,
  type Member,
  type Of,
  type Request,
} from "./batch.ts";
import type { Broadcaster } from "./broadcaster.ts";
import { type ChatLog, type LogEntry, numberEntry } from "./chat_log.ts";
import { diagnostics } from "./diagnostics.ts";
import { encodeEvent, type Event, type Goodbye } from "./events.ts";
import type { Refusal } from "./events.ts";

export type { Admission, Guest, Line, Member, Request };

/** Text that one batch may hold, UTF-16 units; what is over it waits for the next. */
const MAX_BATCH_TEXT = 1_048_576;
/** How long a batch waits when everybody is slow, and departures when the log can't be written, ms. */
const CONGESTION_PAUSE = 5;
const LOG_RETRY_PAUSE = 1_000;

/** Limits and places of a room. */
export interface RoomOptions {
  /** Where everything is written before anybody is told of it. */
  readonly log: ChatLog;
  /** What tells everybody. */
  readonly broadcaster: Broadcaster;
  /** Past events that a newcomer is shown. */
  readonly history: number;
  /** Members at a time. */
  readonly maxMembers: number;
}

const logger = diagnostics("room");

/** The room. */
export class Room {
  readonly #log: ChatLog;
  readonly #broadcaster: Broadcaster;
  readonly #options: RoomOptions;
  readonly #members = new Map<string, Member>(); // by folded name
  #inbox: Item[] = [];
  #nextId = 1;
  #stopping = false;
  #woken = Promise.withResolvers<void>();
  #retry: ReturnType<typeof setTimeout> | undefined;

  /** A room that nobody is in; `run` gives it its life. */
  constructor(options: RoomOptions) {
    this.#log = options.log;
    this.#broadcaster = options.broadcaster;
    this.#options = options;
  }

  /** How many are in. */
  get size(): number {
    return this.#members.size;
  }

  /** The number of the last event. */
  get head(): number {
    return this.#log.head;
  }

  /**
   * The event after which a guest begins to read: the one it names, or, where it names none or one that
   * this log doesn't have, as many before the last as a newcomer is shown.
   */
  start(after: number | null): number {
    if (after !== null && after <= this.head) return after;
    return Math.max(0, this.head - this.#options.history);
  }

  /** Lines of the log for one who must catch up: after `after`, in pieces, to where the log ends now. */
  past(after: number): AsyncGenerator<LogEntry[]> {
    return this.#log.past(after, this.head);
  }

  /** Why a guest can't be let in under a name, as far as can be said now. */
  refusal(
    { guest, name, back }: Pick<Request, "guest" | "name" | "back">,
  ): Refusal | undefined {
    const present = this.#members.get(name.folded);
    if (present) {
      // One that comes back takes the place of its own lost connection; a second one is a second one.
      const own = back && present.guest.key === guest.key;
      return own ? undefined : "name-taken";
    }
    return this.size < this.#options.maxMembers ? undefined : "room-full";
  }

  /** Lets a guest in, if that can be; resolves when it is in and everybody is being told. */
  join(request: Request): Promise<Admission> {
    return new Promise((answer) =>
      this.#submit({ kind: "join", request, answer })
    );
  }

  /** Says a member's lines to everybody. Resolves when there is place for more, not when they are said. */
  say(member: Member, lines: readonly Line[]): Promise<void> {
    return new Promise((taken) =>
      this.#submit({ kind: "say", member, lines, taken })
    );
  }

  /** Lets a member go. */
  leave(member: Member, reason: Goodbye): void {
    this.#submit({ kind: "leave", member, reason });
  }

  /** Runs until `stop`. One thing at a time: the order of its batches is the order of everything. */
  async run(): Promise<void> {
    for (;;) {
      const batch = this.#gather();
      if (batch.entries.length > 0) await this.#carryOut(batch);
      else if (this.#stopping && this.#inbox.length === 0) break;
      else await this.#woken.promise;
    }
    clearTimeout(this.#retry);
  }

  /** Ends `run` when all that was submitted is done. */
  stop(): void {
    this.#stopping = true;
    this.#wake();
  }

  #submit(item: Item): void {
    this.#inbox.push(item);
    this.#wake();
  }

  #wake(): void {
    this.#woken.resolve();
  }

  /** A batch of all that can be done now. */
  #gather(): Batch {
    this.#woken = Promise.withResolvers<void>();
    const batch = new Batch(Date.now());
    const congested = this.#broadcaster.log.congested;
    const items = this.#inbox;
    this.#inbox = [];
    let size = 0;
    for (const item of items) {
      if (item.kind === "join") this.#applyJoin(item, batch);
      else if (item.kind === "leave") this.#applyLeave(item, batch);
      else if (congested || size > MAX_BATCH_TEXT) this.#inbox.push(item);
      else size += this.#applySay(item, batch);
    }
    if (congested && this.#inbox.length > 0) {
      setTimeout(() => this.#wake(), CONGESTION_PAUSE);
    }
    return batch;
  }

  #applyJoin(item: Of<"join">, batch: Batch): void {
    const { guest, name, n, after } = item.request;
    const refusal = this.refusal(item.request);
    if (refusal) return item.answer(refusal);
    if (after < this.#log.oldest) return item.answer("behind");
    const missed = this.#log.recent(after);
    const old = this.#members.get(name.folded);
    if (old) {
      this.#remove(old, "replaced", batch);
      batch.replaced.push(old);
    }
    const id = this.#nextId++;
    const member: Member = { id, name, guest, since: batch.at, n };
    this.#members.set(name.folded, member);
    batch.undo.push(() => this.#members.delete(name.folded));
    const index = batch.entries.length;
    batch.joined.push({ ...item, member, index, missed });
    batch.add(member, { what: "joined", n, text: "" }, {
      kind: "joined",
      id,
      name: name.shown,
      key: guest.key,
      n,
    });
  }

  #applyLeave(item: Of<"leave">, batch: Batch): void {
    if (!this.#isPresent(item.member)) return;
    batch.left.push(item);
    this.#remove(item.member, item.reason, batch);
  }

  #remove(member: Member, reason: Goodbye, batch: Batch): void {
    const { id, name } = member;
    this.#members.delete(name.folded);
    batch.undo.push(() => this.#members.set(name.folded, member));
    const n = member.n + 1;
    batch.add(member, { what: "left", n, text: reason }, {
      kind: "left",
      id,
      n,
      reason,
    });
  }

  /** @returns The size of the text, UTF-16 units. */
  #applySay(item: Of<"say">, batch: Batch): number {
    const { member, lines } = item;
    item.taken();
    if (!this.#isPresent(member)) return 0; // its client will find them missing in the log, and say so
    batch.said.push(item);
    let size = 0;
    for (const { n, text } of lines) {
      const event: Event = { kind: "said", id: member.id, n, text };
      batch.add(member, { what: "said", n, text }, event);
      member.n = n;
      size += text.length;
    }
    return size;
  }

  #isPresent(member: Member): boolean {
    return this.#members.get(member.name.folded) === member;
  }

  async #carryOut(batch: Batch): Promise<void> {
    let seq: number;
    try {
      seq = await this.#log.append(batch.entries);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      logger.error("{why}", { why });
      return this.#takeBack(batch);
    }
    const gone = batch.left.length + batch.replaced.length;
    if (gone > 0) this.#broadcaster.expire();
    for (const { guest } of batch.replaced) guest.dismiss("replaced");
    await this.#renewEpoch(batch);
    const joining = batch.joined.length > 0;
    if (joining) batch.encoded.push(encodeEvent({ kind: "ratchet" }));
    await this.#broadcaster.send(
      batch.encoded,
      (before) =>
        encodeEvent({ kind: "batch", seq: seq + before, at: batch.at }),
    );
    if (joining) await this.#admit(batch, seq);
  }

  /** Whoever stays is told the new key before anything is sealed with it. */
  async #renewEpoch(batch: Batch): Promise<void> {
    if (!this.#broadcaster.expired) return;
    await this.#broadcaster.renew();
    const event = this.#broadcaster.describe();
    const joining = new Set(batch.joined.map(({ member }) => member));
    for (const member of this.#members.values()) {
      if (!joining.has(member)) member.guest.tell(event);
    }
  }

  /** Newcomers are told who is there and what they missed, and read from the next broadcast on. */
  async #admit(batch: Batch, seq: number): Promise<void> {
    await this.#broadcaster.ratchet();
    const epoch = this.#broadcaster.describe();
    const logged = batch.entries.map((it, at) => numberEntry(it, seq + at));
    for (const { member, index, missed, answer } of batch.joined) {
      member.guest.outlet.attach();
      member.guest.tell(
        epoch,
        ...this.#hereBut(member),
        ...missed.map(pastEvent),
        ...logged.filter((_, at) => at !== index).map(pastEvent),
        { kind: "welcome", id: member.id, seq: seq + index, at: batch.at },
      );
      answer(member);
    }
  }

  #hereBut(member: Member): Event[] {
    const others = [...this.#members.values()].filter((it) => it !== member);
    return others.map(({ id, name, guest, since }) => ({
      kind: "here",
      id,
      name: name.shown,
      key: guest.key,
      since,
    }));
  }

  /** Nothing of a batch that couldn't be logged has happened, but that those who left are gone. */
  #takeBack(batch: Batch): void {
    for (const undo of batch.undo.reverse()) undo();
    for (const { answer } of batch.joined) answer("log-failed");
    for (const { member, lines } of batch.said) {
      member.guest.tell(...lines.map(({ n }): Event => ({
        kind: "refused",
        n,
        reason: "log-failed",
      })));
    }
    if (batch.left.length === 0) return;
    const retry = () => {
      this.#inbox.unshift(...batch.left);
      this.#wake();
    };
    if (this.#stopping) return; // the log can't be written, and nobody will come to mend it in time
    this.#retry = setTimeout(retry, LOG_RETRY_PAUSE);
  }
}

/** A line of the log as a guest is told of it. */
export function pastEvent(entry: LogEntry): Event<"past"> {
  return { kind: "past", ...entry };
}
