/**
 * Files that are held at other servers of the room, and members there who take those that are held here. To the relay
 * they are holders and takers like its own, under the same limits.
 *
 *     taker ── relay ── FarHolder ── held ──▶ all servers; the one that has it ── fetch ──▶ FarTaker ── relay ── holder
 *        ▲                  ◀────────────────────────────────────────────────── piece, or missing ──┘
 *        └── a server that says "gone" is forgotten, and all are asked once more
 *
 * @module
 */

import { type Event, EventError, isCount } from "../../protocol/events.ts";
import type { Missing } from "../../protocol/reasons.ts";
import type { Passing, Peer, Taken } from "../file_peer.ts";
import type { Message, Siblings } from "./siblings.ts";

/** How long other servers have to say that a file is held there, ms. */
const FIND_TIME = 2_000;
/** How long one has to answer with a piece, ms: longer than the relay waits for it. */
const ANSWER_TIME = 20_000;
/** Files of which it is remembered where they are; the oldest give way. */
const MAX_KNOWN = 1_024;

/** What became of a piece. */
type Answer = Event<"piece" | "missing">;

/** Whoever holds a file at another server. */
class FarHolder implements Peer {
  /** The server, once that is known. */
  server: string | undefined;
  /** Resolves when it is, or when it has been asked for in vain. */
  finding: Promise<void> | undefined;

  constructor(
    readonly offer: number,
    readonly ask: (holder: FarHolder, wanted: Event<"fetch">) => void,
  ) {}

  tell(...events: Event[]): void {
    for (const event of events) {
      if (event.kind === "fetch") this.ask(this, event);
    }
  }
}

/** Somebody at another server who takes files. */
class FarTaker implements Peer {
  readonly #asked = new Map<number, (answer: Message) => void>();
  #nextId = 1;

  /** Whether it waits for nothing. */
  get isIdle(): boolean {
    return this.#asked.size === 0;
  }

  /** Asks the relay for a piece. @returns The answer to its server. */
  fetch(relay: Passing, wanted: Wanted): Promise<Message> {
    const id = this.#nextId++;
    const { promise, resolve } = Promise.withResolvers<Message>();
    this.#asked.set(id, resolve);
    try {
      const known = relay.fetch(this, { kind: "fetch", id, ...wanted });
      if (known) this.tell(known);
    } catch (error) {
      if (!(error instanceof EventError)) throw error;
      this.tell({ kind: "missing", id, reason: "busy" }); // its server has given up what still waits here
    }
    return promise;
  }

  tell(...events: Event[]): void {
    for (const event of events) {
      if (event.kind === "piece") this.#answer(event.id, { data: event.data });
      else if (event.kind === "missing") {
        this.#answer(event.id, { missing: event.reason });
      }
    }
  }

  /** Its server is gone. */
  drop(): void {
    for (const id of [...this.#asked.keys()]) {
      this.#answer(id, { missing: "gone" });
    }
  }

  #answer(id: number, answer: Message): void {
    this.#asked.get(id)?.(answer);
    this.#asked.delete(id);
  }
}

/** The files of other servers, and those who take files there. */
export class FarFiles {
  readonly #relay: Passing;
  readonly #siblings: Siblings;
  readonly #holders = new Map<number, FarHolder>(); // by the offer's number
  readonly #takers = new Map<string, FarTaker>(); // by server and number
  readonly #numbers = new WeakMap<Peer, number>(); // what other servers call this one's takers
  #lastNumber = 0;

  /** None so far. */
  constructor(relay: Passing, siblings: Siblings) {
    this.#relay = relay;
    this.#siblings = siblings;
    siblings.hear("held", ({ offer }) => {
      return relay.holds(Number(offer)) ? {} : undefined;
    });
    siblings.hear("fetch", (message, from) => this.#serve(message, from));
    siblings.hear("taken", (message) => void this.#heardTaken(message));
  }

  /** Whoever holds a file at another server; whether anybody does shows when it is asked. */
  holder(offer: number): Peer {
    const known = this.#holders.get(offer);
    if (known) return known;
    const [oldest] = this.#holders.keys();
    if (this.#holders.size >= MAX_KNOWN && oldest !== undefined) {
      this.#holders.delete(oldest);
    }
    const holder = new FarHolder(offer, (...asked) => void this.#ask(...asked));
    this.#holders.set(offer, holder);
    return holder;
  }

  /** Tells whoever holds a file at another server that somebody has it now. */
  taken(offer: number, { name, person }: Taken): void {
    const message = { offer, name, person };
    this.#siblings.tell("taken", message, this.#holders.get(offer)?.server);
  }

  /** A server is gone: its files are, too, and those who took others. */
  forget(server: string): void {
    for (const holder of this.#holders.values()) {
      if (holder.server === server) {
        holder.server = undefined;
        this.#relay.release(holder);
      }
    }
    for (const [key, taker] of this.#takers) {
      if (!key.startsWith(`${server} `)) continue;
      this.#relay.release(taker);
      taker.drop();
    }
  }

  /** Asks for a piece, and passes the answer on. */
  async #ask(holder: FarHolder, wanted: Event<"fetch">): Promise<void> {
    const relay = this.#relay;
    const taker = this.#numberOf(relay.takerOf(wanted.id));
    const answer = await this.#answer(holder, wanted, taker);
    if (answer.kind === "missing") return relay.missing(holder, answer);
    try {
      relay.piece(holder, answer);
    } catch (error) {
      if (!(error instanceof EventError)) throw error;
      relay.missing(holder, missing(wanted.id, "changed")); // the other server's flags are not the same
    }
  }

  async #answer(
    holder: FarHolder,
    { id, offer, from, size }: Event<"fetch">,
    taker: number,
  ): Promise<Answer> {
    const message = { offer, from, size, taker };
    for (const _ of ["where it was", "where it is"]) {
      const to = await this.#find(holder);
      if (to === undefined) break;
      const options = { time: ANSWER_TIME, to };
      const answered = await this.#siblings.ask("fetch", message, options);
      const answer = answered && answerOf(answered.message, id);
      if (!answer) {
        if (holder.server === to) holder.server = undefined;
        return missing(id, "late");
      }
      const isGone = answer.kind === "missing" && answer.reason === "gone";
      if (!isGone) return answer;
      if (holder.server === to) holder.server = undefined;
    }
    return missing(id, "gone");
  }

  /** The server that has a file; several pieces wait for one question. */
  async #find(holder: FarHolder): Promise<string | undefined> {
    if (holder.server === undefined) {
      holder.finding ??= this.#look(holder);
      await holder.finding;
    }
    return holder.server;
  }

  async #look(holder: FarHolder): Promise<void> {
    const { offer } = holder;
    const options = { time: FIND_TIME };
    const found = await this.#siblings.ask("held", { offer }, options);
    holder.finding = undefined;
    holder.server = found?.from;
    if (!found && this.#holders.get(offer) === holder) {
      this.#holders.delete(offer);
    }
  }

  #numberOf(taker: Peer | undefined): number {
    if (!taker) return 0;
    const number = this.#numbers.get(taker) ?? ++this.#lastNumber;
    this.#numbers.set(taker, number);
    return number;
  }

  /** Answers another server with a piece of a file that is held here. */
  async #serve(message: Message, from: string): Promise<Message | undefined> {
    const { taker } = message;
    const wanted = wantedOf(message);
    if (!wanted || typeof taker !== "number") return undefined;
    if (!this.#relay.holds(wanted.offer)) return { missing: "gone" };
    const key = `${from} ${taker}`;
    const peer = this.#takers.get(key) ?? new FarTaker();
    this.#takers.set(key, peer);
    const answer = await peer.fetch(this.#relay, wanted);
    if (peer.isIdle && this.#takers.get(key) === peer) this.#takers.delete(key);
    return answer;
  }

  #heardTaken({ offer, name, person }: Message): void {
    if (typeof name !== "string" || typeof person !== "string") return;
    this.#relay.tellTaken(Number(offer), { name, person });
  }
}

/** Which bytes of which file are wanted. */
type Wanted = Pick<Event<"fetch">, "offer" | "from" | "size">;

function wantedOf({ offer, from, size }: Message): Wanted | undefined {
  if (!isCount(offer) || !isCount(from) || !isCount(size)) return undefined;
  return { offer, from, size };
}

/** What another server has answered; undefined where that is nothing that one says. */
function answerOf(message: Message, id: number): Answer | undefined {
  const { data, missing: reason } = message;
  if (typeof data === "string") return { kind: "piece", id, data };
  if (typeof reason === "string") return { kind: "missing", id, reason };
  return undefined;
}

function missing(id: number, reason: Missing): Event<"missing"> {
  return { kind: "missing", id, reason };
}
