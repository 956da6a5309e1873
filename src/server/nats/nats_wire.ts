/**
 * The wire between the servers of a room, by NATS.
 *
 *     chat_ROOM            the stream
 *     chat.ROOM.entries    its subject
 *     chat.ROOM.m.SUBJECT  messages
 *
 * @module
 */

import type { Bytes } from "../../../crypto_utils.ts";
import { AdvisedError } from "../../base/advised_error.ts";
import { pause } from "../../base/timing.ts";
import type { StreamEntry, StreamState, Wire } from "../cluster/wire.ts";
import { diagnostics } from "../diagnostics.ts";
import { Connection } from "./nats_connection.ts";
import { isNotReady, streamError } from "./nats_errors.ts";
import { follow } from "./nats_follow.ts";
import type { NatsOptions } from "./nats_options.ts";
import { requireJetStream, RoomStream } from "./nats_stream.ts";

/** What NATS counts of a message beside its data at most, bytes: its id and what it expects. */
const HEADERS_SIZE = 1_024;
/**
 * How long JetStream may take until it is ready, ms: a cluster that starts elects a leader first (measured: up to 7 s for
 * one of three servers that starts anew). And the pause before it is asked again.
 */
const READY_TIME = 20_000;
const READY_PAUSE = 250;

const logger = diagnostics("nats");

/**
 * Connects to NATS, and finds or makes the stream of a room.
 * @param room Its name there: letters and digits. @throws {AdvisedError}
 */
export async function connectNats(
  options: NatsOptions,
  room: string,
): Promise<Wire> {
  const connection = await Connection.open(options);
  try {
    const stream = await onceReady(
      connection,
      () => RoomStream.open(connection, room, options.replicas),
    );
    connection.endTrying();
    return new NatsWire(stream);
  } catch (error) {
    const { url } = connection;
    await connection.close();
    if (error instanceof AdvisedError) throw error;
    throw streamError(url, options, error);
  }
}

/**
 * Looks whether a room could be kept in NATS; changes nothing.
 * @param room As for `connectNats`; undefined where it isn't known yet.
 * @returns Where NATS is, and the name of the room's stream there. @throws {AdvisedError}
 */
export async function checkNats(
  options: NatsOptions,
  room: string | undefined,
): Promise<{ readonly url: string; readonly stream: string | undefined }> {
  const connection = await Connection.open(options);
  const { url } = connection;
  try {
    await onceReady(connection, () => requireJetStream(connection));
    const stream = room === undefined
      ? undefined
      : await RoomStream.tryRights(connection, room);
    return { url, stream };
  } catch (error) {
    throw streamError(url, options, error);
  } finally {
    await connection.close();
  }
}

/** Asks JetStream for something, again for as long as it is only starting. @throws what `ask` rejects with. */
async function onceReady<T>(
  connection: Connection,
  ask: () => Promise<T>,
): Promise<T> {
  const start = performance.now();
  for (let attempt = 1;; attempt++) {
    try {
      return await ask();
    } catch (error) {
      const isLate = performance.now() - start > READY_TIME;
      const mayBe = connection.mayHaveJetStream && isNotReady(error);
      if (isLate || !mayBe) throw error;
      if (attempt === 1) {
        logger.info("NATS is there, and its JetStream isn't ready yet: waits");
      }
      await pause(READY_PAUSE);
    }
  }
}

/** A room's wire. */
class NatsWire implements Wire {
  changed: (isUp: boolean) => void = () => {};
  readonly #stream: RoomStream;
  readonly #connection: Connection;

  constructor(stream: RoomStream) {
    this.#stream = stream;
    this.#connection = stream.connection;
    this.#connection.changed = (isUp) => this.changed(isUp);
  }

  get isUp(): boolean {
    return this.#connection.isUp;
  }

  get maxSize(): number {
    return this.#connection.maxPayload - HEADERS_SIZE;
  }

  state(): Promise<StreamState> {
    return this.#stream.state();
  }

  publish(id: string, data: Bytes): Promise<number> {
    return this.#stream.publish(id, data);
  }

  entry(seq: number): Promise<StreamEntry | undefined> {
    return this.#stream.entry(seq);
  }

  follow(
    from: number,
    made: string,
    signal: AbortSignal,
  ): AsyncIterable<StreamEntry> {
    return follow(this.#stream, from, made, signal);
  }

  send(subject: string, data: Bytes): void {
    this.#connection.send(this.#stream.messages(subject), data);
  }

  listen(
    subject: string,
    heard: (data: Bytes) => void,
    signal: AbortSignal,
  ): void {
    this.#connection.hear(this.#stream.messages(subject), heard, signal);
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }
}
