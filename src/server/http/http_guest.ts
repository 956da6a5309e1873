/**
 * A program's place in the room: a connection like any other to the room, but without a client at its end. What it asks
 * for goes the way that all requests of members go, so that the same limits and refusals hold. What everybody is told it
 * learns from the log, not from the sealed records: its outlet leads nowhere, and only says that there is something new.
 *
 *     say ──▶ requests ──▶ the room ──▶ chat.log ──▶ the ring ──▶ an outlet that leads nowhere ──▶ changed
 *      ▲                                   └───────────── which number each line has ◀────────────────┘
 *      └── seq, or why not
 *
 * @module
 */

import { type Bytes, randomBytes, toBase64url } from "../../../crypto_utils.ts";
import { messageOf } from "../../base/error_reason.ts";
import { Notify } from "../../base/notify.ts";
import { pause } from "../../base/timing.ts";
import type { Identity } from "../../crypto/identity.ts";
import { MEMBER_ID } from "../../protocol/hello.ts";
import type { Event } from "../../protocol/events.ts";
import type { LogEntry } from "../../protocol/line.ts";
import type { Goodbye } from "../../protocol/reasons.ts";
import type { Refused } from "../batch.ts";
import type { ConnectionOptions } from "../connection.ts";
import { diagnostics } from "../diagnostics.ts";
import type { HttpRoom } from "./http_room.ts";
import { UNMEASURED } from "../measures.ts";
import { Outlet } from "../outlet.ts";
import { Allowance, Purse } from "../rate_limits.ts";
import { type Client, Requests } from "../requests.ts";

/** What tells a place in the room from others of the same person, bytes. */
const STAY_SIZE = 8;
/** Numbers of lines that are apart by this stand for the same mark. */
export const MARKS = 2 ** 32;
/** Numbers with a mark of their own that are left when another place takes over. */
const SPARE = 2 ** 14;
/** Why it is away from the keyboard: what members see of its being none of them. */
const ABSENCE = "a program, by HTTP";

const logger = diagnostics("http");
const now = () => performance.now();

/** What a program says. */
export interface ToSay {
  /** At most 4,096 bytes of UTF-8. */
  readonly text: string;
  /** What its number is to be, modulo `MARKS`; undefined: whatever comes next. */
  readonly mark: number | undefined;
}

/** What became of a line: its number in the log, why it was refused, or why the place in the room ended before. */
export type Outcome =
  | { readonly seq: number }
  | { readonly refused: Refused }
  | { readonly ended: Goodbye };

/** A place in the room. */
export class HttpGuest implements Client {
  readonly isHere = true;
  readonly inviteId: number = MEMBER_ID;
  readonly key: Bytes;
  readonly outlet: Outlet;
  label = "a program";
  readonly #stay = toBase64url(randomBytes(STAY_SIZE));
  readonly #identity: Identity;
  readonly #room: HttpRoom;
  readonly #requests: Requests;
  readonly #allowance: Allowance;
  readonly #changed = new Notify();
  readonly #waiting = new Map<number, (outcome: Outcome) => void>(); // by its own number for the line
  #n = 0;
  #found = 0; // the log is looked through up to here
  #isLooking = false;
  #refused: Refused | undefined; // the wish to be let in
  #ended: Goodbye | undefined;

  /** A place that is asked for by `enter`. */
  constructor(identity: Identity, room: HttpRoom) {
    this.#identity = identity;
    this.#room = room;
    this.key = identity.keyPair.publicKey;
    const { ring, rates, ...others }: ConnectionOptions = room.options;
    this.#allowance = new Allowance(new Purse(rates, now));
    this.#requests = new Requests(this, {
      ...others,
      allowance: this.#allowance,
    });
    const nowhere = {
      write: (bytes: Uint8Array) => {
        this.#hear();
        return Promise.resolve(bytes.length);
      },
    };
    const tooSlow = () => this.dismiss("slow");
    this.outlet = new Outlet(ring, nowhere, { limit: 0, tooSlow });
  }

  get ended(): Goodbye | undefined {
    return this.#ended;
  }

  /** Whether so many numbers are used up that another place must take over. */
  get isSpent(): boolean {
    return this.#n > Number.MAX_SAFE_INTEGER - SPARE * MARKS;
  }

  /** Resolves at the next sign that something may have changed: a line, the end, a second that has passed. */
  changed(): Promise<void> {
    return this.#changed.wait();
  }

  /** To be called once a second. */
  tick(): void {
    this.#changed.notify();
  }

  /** Asks to be let in. @returns Why not, if that is so; see `ended`, too. */
  async enter(name: string): Promise<Refused | undefined> {
    const { card } = this.#identity;
    await this.#requests.carryOut([{
      kind: "join",
      name,
      stay: this.#stay,
      n: 0,
      after: this.#room.options.history.head, // what was before, who wants to read it gets from the log
      card: toBase64url(card),
    }]);
    if (this.#requests.isIn) {
      await this.#requests.carryOut([{ kind: "away", text: ABSENCE }]);
    }
    return this.#refused;
  }

  /**
   * Says lines, one after the other. Not to be called again before it resolves, which is when the room has taken them.
   * @param size What the request had, bytes. @returns What becomes of each.
   */
  async say(
    lines: readonly ToSay[],
    size: number,
  ): Promise<Promise<Outcome>[]> {
    const { options: { history, measures = UNMEASURED } } = this.#room;
    measures.receivedBytes.add(size);
    if (this.#waiting.size === 0) this.#found = history.head;
    const outcomes: Promise<Outcome>[] = [];
    const events: Event[] = [];
    for (const { text, mark } of lines) {
      const n = this.#n = numberAfter(this.#n, mark);
      const { promise, resolve } = Promise.withResolvers<Outcome>();
      this.#waiting.set(n, resolve);
      outcomes.push(promise);
      events.push({ kind: "say", n, text });
    }
    await this.#requests.carryOut(events);
    if (this.#ended) this.#finish(this.#ended);
    return outcomes;
  }

  /** Pays for all that was spent. @param size Bytes that came. @returns How long to wait until that is paid, ms. */
  pay(size: number): number {
    return this.#allowance.settle(size);
  }

  /** Only who comes in again waits for that, of whom the room doesn't know yet: nothing can end the wait. */
  paid(): Promise<void> {
    return pause(this.pay(0));
  }

  tell(...events: Event[]): void {
    for (const event of events) {
      if (event.kind !== "refused") continue;
      const { n, reason, detail } = event;
      const refused = { reason, detail } as Refused; // as this server writes it
      if (n === null) this.#refused = refused;
      else this.#settle(n, { refused });
    }
  }

  /** What it missed stands in the log. */
  pass(): void {}

  /** The same. */
  share(): void {}

  dismiss(reason: Goodbye, words: string = reason): void {
    if (this.#ended) return;
    this.#ended = reason;
    this.#requests.leave(words);
    this.outlet.abandon();
    this.#changed.notify();
    this.#finish(reason);
  }

  /** Answers all that waits, once it is known what of that is in the log. */
  async #finish(reason: Goodbye): Promise<void> {
    await this.#look();
    this.#end(reason);
  }

  #end(ended: Goodbye): void {
    for (const n of [...this.#waiting.keys()]) this.#settle(n, { ended });
  }

  #settle(n: number, outcome: Outcome): void {
    this.#waiting.get(n)?.(outcome);
    this.#waiting.delete(n);
  }

  /** Something was told to everybody. */
  #hear(): void {
    this.#changed.notify();
    if (!this.#isLooking) this.#look();
  }

  /** Looks for what it has said in what was added to the log. Never rejects. */
  async #look(): Promise<void> {
    const { history } = this.#room.options;
    this.#isLooking = true;
    try {
      while (this.#waiting.size > 0 && this.#found < history.head) {
        const { head } = history;
        for await (const entries of this.#room.lines(this.#found, head)) {
          for (const entry of entries) this.#take(entry);
        }
        this.#found = head;
      }
    } catch (error) {
      logger.error(
        "{why}. Programs that said something could not be told its number",
        { why: messageOf(error) },
      );
      const refused: Refused = { reason: "log-unreadable", detail: "" };
      for (const n of [...this.#waiting.keys()]) this.#settle(n, { refused });
    } finally {
      this.#isLooking = false;
    }
  }

  #take({ stay, n, seq, what }: LogEntry): void {
    if (stay === this.#stay && what === "said") this.#settle(n, { seq });
  }
}

/** The next number after one, or the next that stands for a mark. */
export function numberAfter(n: number, mark: number | undefined): number {
  const next = n + 1;
  if (mark === undefined) return next;
  const ahead = (mark - next) % MARKS;
  return next + (ahead < 0 ? ahead + MARKS : ahead);
}
