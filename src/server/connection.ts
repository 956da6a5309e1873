/**
 * One client's connection, from its handshake to its last byte: opens what comes in and has it carried out, seals
 * what the client is told, and ends.
 *
 *     open ── bye, lost, silent, slow, misused, replaced, stopped ──▶ goodbye, where it can be heard ──▶ closed
 *
 * @module
 */

import { messageOf } from "../base/error_reason.ts";
import { Notify } from "../base/notify.ts";
import { within } from "../base/timing.ts";
import { type Bytes, DecryptionError } from "../../crypto_utils.ts";
import { type Channel, directSize } from "../protocol/channel.ts";
import {
  encodeEvent,
  type Event,
  EventError,
  packEvents,
} from "../protocol/events.ts";
import { type Goodbye, GOODBYES } from "../protocol/reasons.ts";
import {
  RecordType,
  type SealedRecord,
  WireError,
} from "../protocol/records.ts";
import type { Shared } from "./broadcaster.ts";
import { diagnostics } from "./diagnostics.ts";
import type { HalfClosable } from "./linger.ts";
import { type Count, type Measures, UNMEASURED } from "./measures.ts";
import { Outlet } from "./outlet.ts";
import { Pulse } from "./pulse.ts";
import { Allowance, Purse, type Rates } from "./rate_limits.ts";
import { type Client, Requests, type RequestsOptions } from "./requests.ts";
import type { Ring } from "./ring.ts";

/** Bytes of direct records that may wait for a client: a long catching-up and its answers. */
const DIRECT_LIMIT = 8 * 1_048_576;
/** Records that are opened at a time: others come first again before the next. */
const MAX_AT_ONCE = 64;
/** Seconds that a guest has to join: nobody sees it, and it takes a place. */
const GUEST_TIME = 30;
/** How long a goodbye may take to get out and be heard, ms. */
const GOODBYE_TIME = 1_000;

const logger = diagnostics("connection");

/** What a connection leads to, and how fast. */
export interface ConnectionOptions extends Omit<RequestsOptions, "allowance"> {
  /** What the room says to everybody. */
  readonly ring: Ring;
  /** How fast its client may go. */
  readonly rates: Rates;
  /** What is counted. */
  readonly measures?: Measures;
}

const now = () => performance.now(); // one for all

/** A connection whose handshake is done. */
export class Connection implements Client {
  readonly key: Bytes;
  readonly inviteId: number;
  readonly outlet: Outlet;
  readonly isHere = true;
  label = "a guest";
  readonly #stream: HalfClosable;
  readonly #channel: Channel;
  readonly #requests: Requests;
  readonly #allowance: Allowance;
  readonly #received: Count;
  readonly #pulse = new Pulse();
  #hurry: (() => void) | undefined; // ends a pause
  readonly #deafened = new Notify(); // when nothing more is read
  #outside = 0; // seconds that it has been no member
  #listening = false;
  #deaf = false;
  #slowed = false; // whether the client was told of it
  #ended: Goodbye | undefined;
  #closing: Promise<void> | undefined;

  /** Takes over a stream after its handshake. */
  constructor(
    stream: HalfClosable,
    channel: Channel,
    options: ConnectionOptions,
  ) {
    this.key = channel.remoteKey;
    this.inviteId = channel.inviteId;
    this.#stream = stream;
    this.#channel = channel;
    const { ring, rates, measures = UNMEASURED, ...others } = options;
    this.#received = measures.receivedBytes;
    const allowance = new Allowance(new Purse(rates, now));
    this.#allowance = allowance;
    this.#requests = new Requests(this, { ...others, allowance });
    const tooSlow = () => {
      this.dismiss("slow");
      this.#channel.close(); // at once, even where a goodbye is on its way: the room may be waiting
    };
    this.outlet = new Outlet(ring, stream, { limit: DIRECT_LIMIT, tooSlow });
  }

  get ended(): Goodbye | undefined {
    return this.#ended;
  }

  /** Serves the client until its connection is closed, and says why it was. */
  async run(): Promise<Goodbye> {
    try {
      // While nothing is said, no function waits here but this one, and holds nothing: there are thousands of it.
      let records: readonly SealedRecord[] | null;
      while ((records = await this.#listen())) {
        await this.#serve(records);
        records = null;
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#deaf = true;
    this.#deafened.notify();
    this.dismiss("lost");
    await this.#closing;
    return this.#ended ?? "lost";
  }

  #listen(): Promise<readonly SealedRecord[] | null> {
    this.#listening = true;
    return this.#channel.read();
  }

  tell(...events: Event[]): void {
    this.pass(packEvents(events.map(encodeEvent)));
  }

  /** Tells the client what was packed before. */
  pass(plaintexts: readonly Bytes[]): void {
    this.#pulse.told();
    for (const plaintext of plaintexts) {
      const sealing = this.#channel.seal(plaintext, this.outlet.before);
      this.outlet.direct(directSize(plaintext.length), sealing);
    }
  }

  share({ bytes, count }: Shared): void {
    this.outlet.share(bytes, count);
  }

  dismiss(reason: Goodbye, words: string = reason): void {
    if (this.#ended) return;
    this.#ended = reason;
    this.#hurry?.();
    this.#requests.leave(words);
    const tell = reason === "slow" ? logger.info : logger.debug; // one of the limits, and the others are told
    tell("{key}: {why}", { key: this.label, why: GOODBYES[reason] });
    // A client that doesn't read, or is gone, can't hear a goodbye.
    const mute = reason === "slow" || reason === "lost" || reason === "misused";
    this.#closing = mute ? this.#close() : this.#sayGoodbye(reason);
  }

  async paid(): Promise<void> {
    await this.#wait(this.#allowance.settle(0));
  }

  /**
   * To be called once a second: looks for signs of life.
   * @returns Whether `judge` is to be called, once all that has come was read and written that there is place for.
   */
  tick(): boolean {
    if (this.#ended) return false;
    if (this.#requests.isIn) this.#outside = 0;
    else this.#outside++;
    let isInDoubt = this.#outside > GUEST_TIME || this.#isDeserted;
    for (const symptom of this.#pulse.tick(this.#listening, this.outlet)) {
      if (symptom === "quiet") this.tell({ kind: "ping" });
      else isInDoubt = true;
    }
    return isInDoubt;
  }

  /** Whether its client is gone, and nothing is read that would say so, for as long as the room takes nothing. */
  get #isDeserted(): boolean {
    return this.outlet.isGone && !this.#listening && !this.#hurry;
  }

  /** Ends a connection whose client still shows no life. */
  judge(): void {
    if (this.#ended) return;
    if (this.#isDeserted) return this.dismiss("lost");
    const isGuest = !this.#requests.isIn;
    if (isGuest && this.#outside > GUEST_TIME) return this.dismiss("late");
    for (const symptom of this.#pulse.wrong(this.outlet)) {
      if (symptom === "silent") this.dismiss("silent");
      else this.outlet.drop();
    }
  }

  async #sayGoodbye(reason: Goodbye): Promise<void> {
    this.tell({ kind: "bye", reason });
    this.outlet.finish();
    await within(GOODBYE_TIME, this.#heard());
    await this.#close();
  }

  /**
   * Resolves when the client has all that it was told, and has closed. To close on what it sent meanwhile
   * would reset the connection, and the goodbye might be lost with it.
   */
  async #heard(): Promise<void> {
    await this.outlet.drained();
    await this.#stream.closeWrite().catch(() => {}); // gone already: its reader says so
    if (!this.#deaf) await this.#deafened.wait();
  }

  async #close(): Promise<void> {
    this.#channel.close();
    this.outlet.abandon();
    await this.outlet.settled();
  }

  #fail(error: unknown): void {
    if (this.#ended) return; // a read that our own closing cut off
    const misused = error instanceof EventError;
    // Anybody on the network can make a record that doesn't open; only its member one that does.
    const altered = error instanceof WireError ||
      error instanceof DecryptionError;
    const why = messageOf(error);
    const properties = { key: this.label, why };
    if (misused || altered) {
      logger.warn("{key}: disconnected: {why}", properties);
    } else logger.debug("{key}: {why}", properties);
    this.dismiss(misused ? "misused" : "lost");
  }

  /** Carries out what has arrived; from the end on it is read only so that the goodbye is heard. */
  async #serve(records: readonly SealedRecord[]): Promise<void> {
    this.#pulse.heard();
    const size = records.reduce(
      (sum, { header, body }) => sum + header.length + body.length,
      0,
    );
    this.#received.add(size);
    this.#listening = false;
    for (
      let start = 0;
      start < records.length && !this.#ended;
      start += MAX_AT_ONCE
    ) {
      const some = records.slice(start, start + MAX_AT_ONCE);
      const opened = await Promise.all(some.map((it) => this.#open(it)));
      await this.#requests.carryOut(opened.flat());
    }
    await this.#slowDown(this.#allowance.settle(size));
  }

  /** Reads no more until what was read is paid for: who floods is slowed, not dropped. @param wait ms */
  async #slowDown(wait: number): Promise<void> {
    if (wait === 0 || this.#ended) return;
    if (!this.#slowed) {
      this.tell({ kind: "slowed" });
      logger.info("{key}: says more than it may, and is read more slowly", {
        key: this.label,
      });
    }
    this.#slowed = true;
    await this.#wait(wait);
  }

  /** Waits, ms, unless the connection ends meanwhile. */
  async #wait(time: number): Promise<void> {
    if (time === 0 || this.#ended) return;
    const { promise: hurry, resolve } = Promise.withResolvers<void>(); // its own: one for all would grow with each
    this.#hurry = resolve;
    await within(time, hurry);
    this.#hurry = undefined;
  }

  /** Rejects and never throws: a throw would leave records that are being opened without anybody to hear of it. */
  async #open(record: SealedRecord): Promise<Event[]> {
    if (record.type === RecordType.direct) {
      const events = await this.#channel.open(record);
      if (events.length === 0) this.#allowance.spend(1); // one with nothing in it is work, too
      return events;
    }
    throw new WireError("Cannot take from a client what only a server seals");
  }
}
