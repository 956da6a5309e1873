/**
 * Somebody with access to a room's NATS, who has none of its keys: reads what is stored, publishes, and deletes.
 *
 * @module
 */

import {
  jetstream,
  type JetStreamManager,
  jetstreamManager,
  type StreamInfo,
} from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import type { Bytes } from "../../crypto_utils.ts";
import { assert } from "./assert.ts";

/** The intruder. */
export class NatsIntruder implements AsyncDisposable {
  private constructor(
    readonly connection: NatsConnection,
    readonly manager: JetStreamManager,
  ) {}

  /** Connects. @param servers Where NATS is. */
  static async connect(servers: string): Promise<NatsIntruder> {
    const connection = await connect({ servers: servers.split(",") });
    return new NatsIntruder(connection, await jetstreamManager(connection));
  }

  /** All streams that there are. */
  streams(): Promise<StreamInfo[]> {
    return this.manager.streams.list().next();
  }

  /** The one stream that there is. */
  async stream(): Promise<StreamInfo> {
    const [stream, ...others] = await this.streams();
    assert(stream && others.length === 0, "there isn't one stream");
    return stream;
  }

  /** All entries of the stream, oldest first. */
  async entries(): Promise<Bytes[]> {
    const { config: { name }, state } = await this.stream();
    const entries: Bytes[] = [];
    for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
      const found = await this.manager.streams.getMessage(name, { seq });
      if (found) entries.push(new Uint8Array(found.data));
    }
    return entries;
  }

  /** Publishes an entry of its own. */
  async publish(data: Bytes): Promise<void> {
    const { config: { subjects: [subject = ""] } } = await this.stream();
    await jetstream(this.connection).publish(subject, data);
  }

  /** Deletes all entries of the stream. */
  async purge(): Promise<void> {
    const { config: { name } } = await this.stream();
    await this.manager.streams.purge(name);
  }

  /** Deletes the stream. */
  async delete(): Promise<void> {
    const { config: { name } } = await this.stream();
    await this.manager.streams.delete(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.close();
  }
}
