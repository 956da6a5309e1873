/**
 * A client of the test's own, which says any event that a client could, and reads all that it is told.
 *
 * @module
 */

import { type Bytes, fromBase64url } from "../../crypto_utils.ts";
import { EpochReader } from "../../src/crypto/epoch.ts";
import type { Identity } from "../../src/crypto/identity.ts";
import type { Channel } from "../../src/protocol/channel.ts";
import {
  encodeEvent,
  type Event,
  packEvents,
  unpackEvents,
} from "../../src/protocol/events.ts";
import { RecordType, type SealedRecord } from "../../src/protocol/records.ts";
import { assert } from "./assert.ts";
import { joinEvent } from "./people.ts";

/** A client that reads all that it is sent, and says what the test wants. */
export class RoomClient {
  readonly events: Event[] = [];
  /** How many records came. */
  records = 0;
  /** Resolves when the connection has ended. */
  readonly ended: Promise<void>;
  failure: unknown;
  #reader: EpochReader | undefined;
  #sharedReader: EpochReader | undefined;
  #over = false;
  #more = Promise.withResolvers<void>();

  constructor(
    readonly identity: Identity,
    readonly channel: Channel,
  ) {
    this.ended = this.#read();
  }

  send(...events: Event[]): Promise<void> {
    return this.channel.send(...events);
  }

  /** Events, sealed and not yet sent. */
  async seal(...events: Event[]): Promise<Bytes> {
    const [plaintext] = packEvents(events.map(encodeEvent));
    assert(plaintext);
    return await this.channel.seal(plaintext);
  }

  async join(name: string, n = 0, after: number | null = null) {
    await this.send(joinEvent(this.identity, name, { n, after }));
    return await this.until("welcome");
  }

  async #read(): Promise<void> {
    try {
      for (let records; (records = await this.channel.read());) {
        for (const record of records) await this.#take(record);
      }
    } catch (error) {
      this.failure = error;
    }
    this.channel.close();
    this.#over = true;
    this.#more.resolve();
  }

  async #take(record: SealedRecord): Promise<void> {
    this.records++;
    for (const event of await this.#open(record)) {
      this.events.push(event);
      if (event.kind === "ratchet") {
        this.#reader = await this.#reader?.ratchet();
      }
      if (event.kind !== "epoch" && event.kind !== "sharing") continue;
      const reader = await EpochReader.create(this.channel.remoteKey, {
        ...event,
        key: fromBase64url(event.key),
        verifyKey: fromBase64url(event.verifyKey),
      });
      if (event.kind === "epoch") this.#reader = reader;
      else this.#sharedReader = reader;
    }
    this.#more.resolve();
    this.#more = Promise.withResolvers<void>();
  }

  async #open(record: SealedRecord): Promise<Event[]> {
    if (record.type === RecordType.direct) {
      return await this.channel.open(record);
    }
    const isShared = record.type === RecordType.shared;
    const reader = isShared ? this.#sharedReader : this.#reader;
    assert(reader, "a record before its key");
    return unpackEvents(await reader.open(record.body, record.header));
  }

  /** Waits until an event is among those that came, and returns the first. */
  async until<K extends Event["kind"]>(
    kind: K,
    fits: (event: Event<K>) => boolean = () => true,
  ): Promise<Event<K>> {
    for (;;) {
      const found = this.of(kind).find(fits);
      if (found) return found;
      assert(!this.#over, `no "${kind}" came: ${this.failure ?? "the end"}`);
      await this.#more.promise;
    }
  }

  of<K extends Event["kind"]>(kind: K): Event<K>[] {
    return this.events.filter((it) => it.kind === kind) as Event<K>[];
  }
}

/** Waits until the server has dealt with all that was sent, and listens for more. */
export async function quiet(client: RoomClient): Promise<void> {
  const count = client.of("pong").length;
  await client.send({ kind: "ping" });
  while (client.of("pong").length === count) {
    await client.until("pong", () => client.of("pong").length > count);
  }
}
