/**
 * Seals what is said to everybody, once for all, and keeps the epoch and the broadcast log in step.
 *
 * @module
 */

import { type Bytes, concat } from "../../crypto_utils.ts";
import { epochFields } from "../protocol/epoch_event.ts";
import { type Event, packEvents } from "../protocol/events.ts";
import { broadcastHeader, sharedHeader } from "../protocol/records.ts";
import { Ring } from "./ring.ts";
import { Epoch } from "../crypto/epoch.ts";

/** A key that one who left may know is used no longer than this, ms; a second is what the design promises. */
const RENEWAL_PAUSE = 900;
/** The number of what is shared: no epoch of the room has it. */
const SHARED_NUMBER = 0;
/** A key that is older than this is renewed at the next broadcast, ms. */
const EPOCH_TIME = 600_000;
/** A key is retired at the latest after this many records; the cipher state itself refuses after 2^32. */
const MAX_EPOCH_RECORDS = 2 ** 31;

/** What several members are told in the same words, sealed once for all of them. */
export interface Shared {
  /** The key; for each one's own channel only, before the records. */
  readonly key: Event<"sharing">;
  /** Records, one after the other: the same bytes for all of them. */
  readonly bytes: Bytes;
  /** How many records. */
  readonly count: number;
}

/** The room's voice. All its methods but `share` are called by one task, one at a time. */
export class Broadcaster {
  /** What goes to everybody. */
  readonly ring: Ring;
  readonly #serverKey: Bytes;
  #epoch: Epoch;
  #stale = false;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #madeAt = performance.now();

  private constructor(serverKey: Bytes, epoch: Epoch, ring: Ring) {
    this.#serverKey = serverKey;
    this.#epoch = epoch;
    this.ring = ring;
  }

  /**
   * A voice with a fresh epoch.
   * @param serverKey The server's static public key, 32 bytes. @param capacity The ring's size, bytes.
   */
  static async create(
    serverKey: Bytes,
    capacity: number,
  ): Promise<Broadcaster> {
    const epoch = await Epoch.fresh(serverKey, 1);
    return new Broadcaster(serverKey, epoch, new Ring(capacity));
  }

  /** Somebody who knows the key has left. @param atOnce Whether the key is not to be used again at all. */
  expire(atOnce = false): void {
    this.#stale = true;
    if (atOnce) this.#renewedAt = Number.NEGATIVE_INFINITY;
  }

  /** Whether nothing more may be sealed before `renew`. Leaves renew the key once in 900 ms at most. */
  get expired(): boolean {
    const now = performance.now();
    const rested = now - this.#renewedAt >= RENEWAL_PAUSE;
    return this.#stale && rested || now - this.#madeAt >= EPOCH_TIME ||
      this.#epoch.counter >= MAX_EPOCH_RECORDS;
  }

  /** Starts a fresh epoch, which every member must be told of before the next broadcast. */
  async renew(): Promise<void> {
    this.#epoch = await Epoch.fresh(this.#serverKey, this.#epoch.number + 1);
    this.#stale = false;
    this.#renewedAt = this.#madeAt = performance.now();
  }

  /** Moves the epoch forward, so that the next newcomer can't read what was sent before. */
  async ratchet(): Promise<void> {
    this.#epoch = await this.#epoch.ratchet();
  }

  /** What a member must know to read the next broadcast; for its own channel only. */
  describe(): Event<"epoch"> {
    return { kind: "epoch", ...epochFields(this.#epoch) };
  }

  /**
   * Seals events and starts writing them to everybody.
   * @param encoded Events, as `encodeEvent` made them. @param heading As for `packEvents`.
   * @param flush Whether it is written at once; else with what comes next.
   */
  async send(
    encoded: readonly string[],
    heading: (before: number) => string,
    flush = true,
  ): Promise<void> {
    const plaintexts = packEvents(encoded, heading);
    const records = await sealAll(this.#epoch, plaintexts, broadcastHeader);
    await this.ring.makeRoom(
      records.reduce((size, { length }) => size + length, 0),
    );
    for (const record of records) this.ring.append(record);
    if (flush) this.ring.flush();
  }

  /** Seals plaintexts, as `packEvents` made them, for some members, under a key that is used for nothing else. */
  async share(plaintexts: readonly Bytes[]): Promise<Shared> {
    const once = await Epoch.fresh(this.#serverKey, SHARED_NUMBER);
    const key: Event<"sharing"> = { kind: "sharing", ...epochFields(once) };
    const records = await sealAll(once, plaintexts, sharedHeader);
    return { key, bytes: concat(...records), count: records.length };
  }
}

/** Records around plaintexts, in order. */
function sealAll(
  epoch: Epoch,
  plaintexts: readonly Bytes[],
  headerOf: (size: number) => Bytes,
): Promise<Bytes[]> {
  return Promise.all(plaintexts.map(async (plaintext) => {
    const header = headerOf(plaintext.length);
    return concat(header, await epoch.seal(plaintext, header));
  }));
}
