/**
 * A member that opens what it receives: follows the epochs, verifies every signature, and checks that events are
 * numbered without a gap and say what was said.
 *
 * @module
 */

import type { Bytes } from "../../crypto_utils.ts";
import type { Channel } from "../../src/protocol/channel.ts";
import { epochReader } from "../../src/protocol/epoch_event.ts";
import { type Event, unpackEvents } from "../../src/protocol/events.ts";
import { HEADER_SIZE, RecordType } from "../../src/protocol/records.ts";
import type { EpochReader } from "../../src/crypto/epoch.ts";
import { TEXT_SIZE } from "./job.ts";

const FILLER = "the quick brown fox jumps over the lazy dog and ";

/** What is told to everybody and is no event of the log. */
const UNNUMBERED = ["servers", "waiting", "room"];

/** The message that belongs to a number: 100 bytes. */
export function textOf(n: number): string {
  return `${n} `.padEnd(TEXT_SIZE, FILLER);
}

/** What an opener tells its member. */
export interface OpenerListener {
  /** The server has let the member in and calls it by this number. */
  welcome(id: number): void;
  /** Whether keys may change with any record, as where somebody joins. */
  readonly keysChange: boolean;
  /** A broadcast record is open; `ordinal` is its number among this member's, from 0 on. */
  opened(ordinal: number, events: readonly Event[]): void;
}

/** What an opener needs of its member's channel. */
export type OpenerChannel = Pick<Channel, "remoteKey" | "open" | "send">;

/** Reads one member's records in order. */
export class Opener {
  /** Why the server ends the connection, once it has said so. */
  goodbye: string | undefined;
  /** The number of the last event that it was told; undefined before the first. */
  seq: number | undefined;
  /** Whether the server has welcomed this member. */
  welcomed = false;
  readonly #channel: OpenerChannel;
  readonly #listener: OpenerListener;
  readonly #after: number | null;
  readonly #queue: Bytes[] = [];
  readonly #lastN = new Map<number, number>(); // by speaker
  #working: Promise<void> = Promise.resolve();
  #reader: EpochReader | undefined;
  #sharedReader: EpochReader | undefined;
  #ordinal = 0;
  #shared = 0; // shared records so far

  /** Reads what comes through a channel. @param after The last event that was seen before, if there was one. */
  constructor(
    channel: OpenerChannel,
    listener: OpenerListener,
    after: number | null = null,
  ) {
    this.#channel = channel;
    this.#after = after;
    this.#listener = listener;
  }

  /** Takes a whole record; `work` opens it. */
  push(record: Bytes): void {
    this.#queue.push(record);
  }

  /** Opens all that was pushed. @throws {Error} for anything that isn't as it must be. */
  work(): Promise<void> {
    this.#working = this.#working.then(async () => {
      while (this.#queue.length > 0) await this.#openNext();
    });
    return this.#working;
  }

  /**
   * Opens the next record, and with it, while no key changes, the broadcasts right behind it: one after the other, each
   * would wait for a turn of the event loop, and the load would be slower than the clients whose place it takes.
   */
  async #openNext(): Promise<void> {
    const { keysChange } = this.#listener;
    const end = this.#queue.findIndex((it) => keysChange || !isBroadcast(it));
    const count = end < 0 ? this.#queue.length : Math.max(1, end);
    const records = this.#queue.splice(0, count);
    const opened = await Promise.allSettled(
      records.map((it) => this.#open(it)),
    );
    for (const [at, bytes] of records.entries()) {
      const result = opened[at];
      if (result?.status !== "fulfilled") throw result?.reason;
      await this.#take(bytes, result.value);
    }
  }

  /** Events of a record; changes nothing but the counter of its key, at once. */
  async #open(bytes: Bytes): Promise<Event[]> {
    const header = bytes.subarray(0, HEADER_SIZE);
    const body = bytes.subarray(HEADER_SIZE);
    if (bytes[2] === RecordType.direct) {
      const before = { broadcast: this.#ordinal, shared: this.#shared };
      const record = { type: RecordType.direct, header, body, before };
      return await this.#channel.open(record);
    }
    const isShared = bytes[2] === RecordType.shared;
    const reader = isShared ? this.#sharedReader : this.#reader;
    if (!reader) throw new Error("Cannot read a record: it has no key");
    return unpackEvents(await reader.open(body, header));
  }

  async #take(bytes: Bytes, events: readonly Event[]): Promise<void> {
    if (isBroadcast(bytes)) {
      for (const event of events) await this.#takeBroadcast(event);
      this.#listener.opened(this.#ordinal++, events);
      return;
    }
    if (bytes[2] === RecordType.shared) this.#shared++;
    for (const event of events) await this.#takeAlone(event);
  }

  /** What is told to some alone. */
  async #takeAlone(event: Event): Promise<void> {
    if (event.kind === "epoch") {
      this.#reader = await epochReader(this.#channel.remoteKey, event);
    } else if (event.kind === "sharing") {
      this.#sharedReader = await epochReader(this.#channel.remoteKey, event);
    } else if (event.kind === "chain") {
      if (event.seq !== (this.#after ?? event.seq)) {
        throw new Error(`Cannot go on: not all is told after ${this.#after}`);
      }
      this.seq = event.seq;
    } else if (event.kind === "past") {
      // What a sealed room's server tells before the chain's value was told for its own sake.
      if (this.seq === undefined) return;
      this.#expect(event.seq);
      this.seq = event.seq;
    } else if (event.kind === "welcome") {
      this.welcomed = true;
      this.#listener.welcome(event.id);
      this.#expect(event.seq + 1);
    } else if (event.kind === "ping") {
      await this.#channel.send({ kind: "pong" });
    } else if (event.kind === "bye") {
      this.goodbye = event.reason;
    } else if (event.kind === "refused") {
      throw new Error(`Cannot go on: the server says "${event.reason}"`);
    }
  }

  async #takeBroadcast(event: Event): Promise<void> {
    if (event.kind === "ratchet") {
      this.#reader = await this.#reader?.ratchet();
      return;
    }
    if (event.kind === "batch") return this.#expect(event.seq);
    if (UNNUMBERED.includes(event.kind)) return;
    this.seq = (this.seq ?? 0) + 1;
    if (event.kind === "said" || event.kind === "sealed") this.#check(event);
  }

  #expect(seq: number): void {
    const next = (this.seq ?? NaN) + 1;
    if (seq === next) return;
    throw new Error(`Cannot go on: event ${seq} comes instead of ${next}`);
  }

  #check({ kind, id, n, text }: Event<"said" | "sealed">): void {
    const last = this.#lastN.get(id);
    if (last !== undefined && n !== last + 1) {
      throw new Error(`Cannot go on: message ${n} follows message ${last}`);
    }
    this.#lastN.set(id, n);
    if (kind === "said" && text !== textOf(n)) {
      throw new Error(`Cannot go on: message ${n} isn't what was said`);
    }
  }
}

function isBroadcast(bytes: Bytes): boolean {
  return bytes[2] === RecordType.broadcast;
}
