/**
 * A member that opens all it receives: follows the epochs, verifies every signature, and checks that events are
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

/** The message that belongs to a number: 100 bytes. */
export function textOf(n: number): string {
  return `${n} `.padEnd(TEXT_SIZE, FILLER);
}

/** What an opener tells its member. */
export interface OpenerListener {
  /** The server has let the member in and calls it by this number. */
  welcome(id: number): void;
  /** A broadcast record is open; `ordinal` is its number among this member's, from 0 on. */
  opened(ordinal: number, events: readonly Event[]): void;
}

/** Reads one member's records in order. */
export class Opener {
  readonly #channel: Channel;
  readonly #listener: OpenerListener;
  readonly #queue: Bytes[] = [];
  readonly #lastN = new Map<number, number>(); // by speaker
  #working: Promise<void> = Promise.resolve();
  #reader: EpochReader | undefined;
  #sharedReader: EpochReader | undefined;
  #seq = 0;
  #ordinal = 0;
  #shared = 0; // shared records so far
  #welcomed = false;

  /** Reads what comes through a channel. */
  constructor(channel: Channel, listener: OpenerListener) {
    this.#channel = channel;
    this.#listener = listener;
  }

  /** Whether the server has welcomed this member. */
  get welcomed(): boolean {
    return this.#welcomed;
  }

  /** Takes a whole record; `work` opens it. */
  push(record: Bytes): void {
    this.#queue.push(record);
  }

  /** Opens all that was pushed. @throws {Error} for anything that isn't as it must be. */
  work(): Promise<void> {
    this.#working = this.#working.then(async () => {
      for (let next; (next = this.#queue.shift());) await this.#open(next);
    });
    return this.#working;
  }

  async #open(bytes: Bytes): Promise<void> {
    const header = bytes.subarray(0, HEADER_SIZE);
    const body = bytes.subarray(HEADER_SIZE);
    if (header[2] === RecordType.direct) {
      const before = { broadcast: this.#ordinal, shared: this.#shared };
      const record = { type: RecordType.direct, header, body, before };
      for (const event of await this.#channel.open(record)) {
        await this.#takeDirect(event);
      }
      return;
    }
    const isShared = header[2] === RecordType.shared;
    const reader = isShared ? this.#sharedReader : this.#reader;
    if (!reader) throw new Error("Cannot read a record yet: it has no key");
    const events = unpackEvents(await reader.open(body, header));
    if (isShared) {
      this.#shared++;
      return;
    }
    for (const event of events) await this.#takeBroadcast(event);
    this.#listener.opened(this.#ordinal++, events);
  }

  async #takeDirect(event: Event): Promise<void> {
    if (event.kind === "epoch") {
      this.#reader = await epochReader(this.#channel.remoteKey, event);
    } else if (event.kind === "sharing") {
      this.#sharedReader = await epochReader(this.#channel.remoteKey, event);
    } else if (event.kind === "welcome") {
      this.#welcomed = true;
      this.#listener.welcome(event.id);
      this.#seq = Math.max(this.#seq, event.seq);
    } else if (event.kind === "past") {
      this.#seq = Math.max(this.#seq, event.seq);
    } else if (event.kind === "ping") {
      await this.#channel.send({ kind: "pong" });
    } else if (event.kind === "refused" || event.kind === "bye") {
      throw new Error(`Cannot go on: the server says "${event.reason}"`);
    }
  }

  async #takeBroadcast(event: Event): Promise<void> {
    if (event.kind === "ratchet") {
      this.#reader = await this.#reader?.ratchet();
      return;
    }
    if (event.kind === "batch") {
      if (event.seq !== this.#seq + 1) {
        throw new Error(`Cannot go on: event ${this.#seq + 1} is missing`);
      }
      return;
    }
    this.#seq++;
    if (event.kind === "said" || event.kind === "sealed") this.#check(event);
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
