/**
 * Who does a handshake's cryptography: the server's own thread as long as that keeps up, and workers in a flood,
 * where there is a processor for them. Strangers' handshakes then take nothing from the members.
 *
 *     in this thread ── as many are worked on as may be, and one more comes ──▶ a worker starts ──▶ all go to workers
 *           ▲                                                                        └── again: one more
 *           └── each ends when it was asked nothing for 5 s; one that fails is the last
 *
 * A client that went while its first message waited for its turn is worked for no more: after a restart under thousands,
 * many have given up by then, and come again.
 *
 * @module
 */

import { messageOf } from "../../base/error_reason.ts";
import { Limiter } from "../../base/limiter.ts";
import type { Secured } from "../../crypto/noise.ts";
import type {
  Answer,
  Halfway,
  PasswordOf,
  Responder,
} from "../../protocol/responder.ts";
import type { Bytes } from "../../../crypto_utils.ts";
import { GoneError } from "../../protocol/record_reader.ts";
import { diagnostics } from "../diagnostics.ts";
import { type Fate, WorkerResponder } from "./worker_responder.ts";

/** Handshakes worked on at a time in this thread: hundreds would keep members waiting, fewer leave threads idle. */
const AT_ONCE = 8;
/** The same for each worker: what comes back at once is written at once, while members wait. */
const AT_ONCE_EACH = 16;
/** Workers at most: four take on more newcomers than the room takes in. */
const MAX_WORKERS = 4;
/**
 * How long a worker stays without work, ms: while it does, its heap is as large as the last flood made it. To start
 * another takes some 10 ms of the members' thread, and as much again of another, whenever a stranger wants it.
 */
const IDLE_TIME = 5_000;

const logger = diagnostics("handshakes");

/** A worker, as far as it is known here. */
export interface PoolWorker extends Responder {
  /** Handshakes that it knows of. */
  readonly held: number;
  /** Ends it, and with it whatever it has in hand. */
  end(): void;
}

/** What there is to do handshakes with. */
export interface RespondersOptions {
  /** The server's static private key, 32 bytes; each copy is wiped. */
  readonly privateKey: () => Bytes;
  /** Processors of this machine that this process may use. Default: what the system says. */
  readonly processors?: number;
  /** The time, ms. */
  readonly now: () => number;
  /** For tests: does it in this thread. */
  readonly local?: Responder;
  /** For tests: starts a worker. */
  readonly start?: (fate: Fate) => PoolWorker;
}

/** A worker, and when it was asked something last, ms. */
interface Slot {
  readonly worker: PoolWorker;
  stands: boolean;
  last: number;
}

/** Who does it, each handshake in its turn. */
export class Responders implements Responder {
  readonly #privateKey: () => Bytes;
  #local: Promise<Responder> | undefined;
  readonly #most: number;
  readonly #now: () => number;
  readonly #turns = new Limiter(AT_ONCE);
  #start: ((fate: Fate) => PoolWorker) | undefined; // undefined from when no more are to start
  #slots: Slot[] = [];

  /** Has no worker yet. */
  constructor(options: RespondersOptions) {
    const { privateKey, now } = options;
    const { processors = navigator.hardwareConcurrency } = options;
    this.#now = now;
    this.#privateKey = privateKey;
    this.#local = options.local && Promise.resolve(options.local);
    this.#start = options.start ??
      ((fate) => new WorkerResponder(privateKey(), fate));
    this.#most = Math.min(processors - 1, MAX_WORKERS);
  }

  /** Workers that stand. */
  get workers(): number {
    return this.#slots.filter(({ stands }) => stands).length;
  }

  async answer(
    first: Bytes,
    passwordOf: PasswordOf,
    isGone = () => false,
  ): Promise<Answer> {
    if (this.#turns.isFull) this.#grow();
    const { reply, halfway } = await this.#turns.run(async () => {
      if (isGone()) throw new GoneError(false);
      const responder = this.#leastBusy() ?? await this.#here();
      return await responder.answer(first, passwordOf);
    });
    return { reply, halfway: new InTurn(halfway, this.#turns) };
  }

  /** This thread's. Loaded when somebody first knocks: `node:crypto` takes 15 ms, for which no command should wait. */
  #here(): Promise<Responder> {
    return this.#local ??= import("./node_key_pair.ts")
      .then(({ nodeResponder }) => nodeResponder(this.#privateKey()))
      .catch((error) => {
        this.#local = undefined; // as without descriptors: the next one tries again
        throw error;
      });
  }

  /** The worker that has least to do, once one stands. */
  #leastBusy(): Responder | undefined {
    const [first, ...others] = this.#slots.filter(({ stands }) => stands);
    if (!first) return undefined;
    const slot = others.reduce(
      (best, it) => it.worker.held < best.worker.held ? it : best,
      first,
    );
    slot.last = this.#now();
    return slot.worker;
  }

  /** Starts a worker, unless one is about to stand, or there are enough. */
  #grow(): void {
    const isStarting = this.workers < this.#slots.length;
    if (!this.#start || isStarting || this.#slots.length >= this.#most) return;
    const ready = () => {
      slot.stands = true;
      this.#changed();
      logger.debug("A worker shakes hands");
    };
    const failed = (why: string) => {
      this.#remove(slot);
      this.#giveUp(why);
    };
    let slot: Slot;
    try {
      const worker = this.#start({ ready, failed });
      this.#slots.push(slot = { worker, stands: false, last: this.#now() });
    } catch (error) {
      this.#giveUp(messageOf(error));
    }
  }

  #giveUp(why: string): void {
    this.#start = undefined;
    logger.warn(
      "The thread for handshakes failed: {why}. The room goes on, slower where many come at a time; a restart brings the thread back",
      { why },
    );
  }

  /** To be called now and then: ends workers that have nothing to do. */
  tick(): void {
    const since = this.#now() - IDLE_TIME;
    for (const slot of this.#slots) {
      if (slot.last > since || slot.worker.held > 0) continue;
      slot.worker.end();
      this.#remove(slot);
    }
  }

  /** Ends all workers. What they have in hand fails, and what comes after that is done in this thread. */
  close(): void {
    this.#start = undefined;
    for (const { worker } of this.#slots) worker.end();
    this.#slots = [];
  }

  #remove(slot: Slot): void {
    this.#slots = this.#slots.filter((it) => it !== slot);
    this.#changed();
  }

  #changed(): void {
    this.#turns.most = Math.max(AT_ONCE, AT_ONCE_EACH * this.workers);
  }
}

/** A handshake whose third message waits for its turn, too. */
class InTurn implements Halfway {
  readonly #halfway: Halfway;
  readonly #turns: Limiter;

  constructor(halfway: Halfway, turns: Limiter) {
    this.#halfway = halfway;
    this.#turns = turns;
  }

  get inviteId(): number {
    return this.#halfway.inviteId;
  }

  finish(third: Bytes, key: Bytes | undefined): Promise<Secured> {
    return this.#turns.run(() => this.#halfway.finish(third, key));
  }

  [Symbol.dispose](): void {
    this.#halfway[Symbol.dispose]();
  }
}
