/**
 * A room's stream in NATS: made if it is missing, added to, looked into.
 *
 * @module
 */

import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerInfo,
  DeliverPolicy,
  DiscardPolicy,
  jetstream,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from "@nats-io/jetstream";
import {
  createInbox,
  nanos,
  type NatsConnection,
  nuid,
} from "@nats-io/transport-node";
import { type Bytes, EMPTY } from "../../../crypto_utils.ts";
import { messageOf } from "../../base/error_reason.ts";
import {
  type StreamEntry,
  StreamError,
  type StreamState,
} from "../cluster/wire.ts";
import { diagnostics } from "../diagnostics.ts";
import { ANSWER_TIME, bytesOf, type Connection } from "./nats_connection.ts";
import { isStorageRefused } from "./nats_errors.ts";

/** How long entries are kept, ms: a server that was away for longer gets the room from another one. */
const MAX_AGE = 7 * 24 * 60 * 60 * 1_000;
/** In which time the same id is recognised, ms. */
const DUPLICATES = 2 * 60 * 1_000;
/**
 * The most that a stream may take of NATS's disk, bytes, largest first: NATS sets it aside when the stream is made, and
 * one that has less refuses it. Four gibibytes are four million lines; what is older is in every server's log, and a
 * server that needs it gets it from there. The least holds what a busy room says in some minutes.
 */
const SIZES = [4_096, 1_024, 256, 64].map((mebibytes) => mebibytes * 1_048_576);

/** What all subjects of all rooms begin with. */
const SUBJECTS = "chat";

/**
 * How often it is tried to add to a stream at the start, with the library's pauses: in a cluster, not all know at once
 * where one is that was just made.
 */
const TRIES = 6;

const logger = diagnostics("nats");

/** The stream. */
export class RoomStream {
  /** Its name in NATS. */
  readonly name: string;
  /** By which it is reached. */
  readonly connection: Connection;
  readonly #prefix: string;
  readonly #nats: NatsConnection;
  readonly #client: JetStreamClient;
  readonly #manager: JetStreamManager;
  readonly #replicas: number;

  private constructor(
    connection: Connection,
    room: string,
    replicas: number,
    manager: JetStreamManager,
  ) {
    this.name = streamName(room);
    this.#prefix = `${SUBJECTS}.${room}`;
    this.connection = connection;
    this.#replicas = replicas;
    this.#manager = manager;
    this.#nats = connection.library as NatsConnection;
    this.#client = jetstream(this.#nats, { timeout: ANSWER_TIME });
  }

  /**
   * Finds a room's stream, or makes it.
   * @param room Letters and digits. @param replicas How many servers of NATS keep it, where it is made.
   * @throws what the library says, or {StreamError}.
   */
  static async open(
    connection: Connection,
    room: string,
    replicas: number,
  ): Promise<RoomStream> {
    const manager = await managerOf(connection, false);
    const stream = new RoomStream(connection, room, replicas, manager);
    const { config } = await stream.#ask(
      "find the stream",
      () => stream.#get(),
    );
    if (config.num_replicas < replicas) {
      logger.warn(
        "The stream {name} has {count} replicas, not {replicas}: change it by NATS's own tools",
        { name: stream.name, count: config.num_replicas, replicas },
      );
    }
    await stream.#ask("try the stream", () => stream.#requireUsable());
    return stream;
  }

  /**
   * Tries whether all is allowed that a room needs, and changes nothing: NATS refuses empty requests.
   * @param room As for `open`. @returns The stream's name, whether it is there or not. @throws what the library says.
   */
  static async tryRights(
    connection: Connection,
    room: string,
  ): Promise<string> {
    const manager = await managerOf(connection, false);
    const stream = new RoomStream(connection, room, 1, manager);
    const { name } = stream;
    await stream.#find();
    await connection.tryHearing(stream.messages(`try.${nuid.next()}`));
    for (
      const asked of [
        `STREAM.CREATE.${name}`,
        `STREAM.MSG.GET.${name}`,
        `CONSUMER.CREATE.${name}`,
        `CONSUMER.DELETE.${name}.try`,
      ]
    ) await connection.trySending(`$JS.API.${asked}`);
    await connection.trySending(`$JS.FC.${name}.try`);
    return name;
  }

  /** Where messages of a subject go, which the stream doesn't take. */
  messages(subject: string): string {
    return `${this.#prefix}.m.${subject}`;
  }

  get #subject(): string {
    return `${this.#prefix}.entries`;
  }

  /** What it holds; makes it if it is missing. @throws {StreamError} */
  async state(): Promise<StreamState> {
    return stateOf(
      await this.#translated("find the stream", () => this.#get()),
    );
  }

  /** What it holds; undefined if it is missing. @throws {StreamError} */
  async look(): Promise<StreamState | undefined> {
    const info = await this.#translated(
      "look at the stream",
      () => this.#find(),
    );
    return info && stateOf(info);
  }

  /** Adds an entry. @param id As for `Wire`. @returns Its place. @throws {StreamError} */
  async publish(id: string, data: Bytes): Promise<number> {
    const { seq } = await this.#translated(
      "add to the stream",
      () =>
        this.#client.publish(this.#subject, data, {
          msgID: id,
          expect: { streamName: this.name },
        }),
    );
    return seq;
  }

  /** The entry of a place, undefined if it has none. @throws {StreamError} */
  async entry(seq: number): Promise<StreamEntry | undefined> {
    const message = await this.#translated(
      "read the stream",
      () =>
        found(
          this.#manager.streams.getMessage(this.name, { seq }),
          JetStreamApiCodes.NoMessageFound,
        ),
    );
    return message
      ? { seq, at: message.time.getTime(), data: bytesOf(message) }
      : undefined;
  }

  /** Tries whether entries can be added and followed, and messages heard; leaves nothing behind. @throws what the library says. */
  async #requireUsable(): Promise<void> {
    await this.connection.tryHearing(this.messages(`try.${nuid.next()}`));
    await this.connection.trySending(`$JS.FC.${this.name}.try`);
    const { name } = await this.#addConsumer(createInbox(), {
      deliver_policy: DeliverPolicy.New,
    });
    this.endPush(name);
    try {
      // Its number is never the last, so that it is only looked at.
      await this.#client.publish(this.#subject, EMPTY, {
        expect: {
          streamName: this.name,
          lastSequence: Number.MAX_SAFE_INTEGER,
        },
        retries: TRIES,
      });
    } catch (error) {
      const code = error instanceof JetStreamApiError ? error.code : undefined;
      if (code !== JetStreamApiCodes.StreamWrongLastSequence) throw error;
    }
  }

  /**
   * Has the entries from a place on pushed to a subject, with heartbeats, and as fast as they are consumed.
   * @param heartbeat How long it may be silent, ms. @returns The consumer's name. @throws {StreamError}
   */
  async push(
    subject: string,
    from: number,
    heartbeat: number,
  ): Promise<string> {
    const { name } = await this.#translated(
      "follow the stream",
      () =>
        this.#addConsumer(subject, {
          deliver_policy: DeliverPolicy.StartSequence,
          opt_start_seq: from,
          flow_control: true,
          idle_heartbeat: nanos(heartbeat),
        }),
    );
    return name;
  }

  #addConsumer(
    subject: string,
    config: Partial<ConsumerConfig>,
  ): Promise<ConsumerInfo> {
    return this.#manager.consumers.add(this.name, {
      deliver_subject: subject,
      ack_policy: AckPolicy.None,
      mem_storage: true,
      num_replicas: 1,
      ...config,
    });
  }

  /** Ends a consumer. NATS does so by itself a little later, if this fails. */
  endPush(consumer: string): void {
    if (!this.connection.isUp) return;
    this.#manager.consumers.delete(this.name, consumer).catch(() => {});
  }

  async #get(): Promise<StreamInfo> {
    return await this.#find() ?? await this.#make();
  }

  #find(): Promise<StreamInfo | undefined> {
    return found(
      this.#manager.streams.info(this.name),
      JetStreamApiCodes.StreamNotFound,
    );
  }

  /** Makes it, as large as NATS allows. Another server may be faster: then it is as that one made it. */
  async #make(): Promise<StreamInfo> {
    let refused: unknown;
    for (const size of SIZES) {
      try {
        const info = await this.#manager.streams.add(this.#config(size));
        logger.info("Made the stream {name}, of up to {size} MiB", {
          name: this.name,
          size: size / 1_048_576,
        });
        return info;
      } catch (error) {
        const there = await this.#find();
        if (there) return there;
        if (!isStorageRefused(error)) throw error;
        refused = error;
      }
    }
    throw refused;
  }

  #config(size: number): Partial<StreamConfig> & { name: string } {
    return {
      name: this.name,
      subjects: [this.#subject],
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
      storage: StorageType.File,
      max_age: nanos(MAX_AGE),
      max_bytes: size,
      duplicate_window: nanos(DUPLICATES),
      num_replicas: this.#replicas,
    };
  }

  #ask<T>(action: string, ask: () => Promise<T>): Promise<T> {
    return this.connection.ask(action, ask);
  }

  /** As `Connection.ask`, but whatever goes wrong is a `StreamError`. */
  async #translated<T>(action: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await this.#ask(action, ask);
    } catch (error) {
      if (error instanceof StreamError) throw error;
      throw new StreamError(`Cannot ${action}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
}

/** Looks whether there is JetStream. @throws what the library says, if not. */
export async function requireJetStream(connection: Connection): Promise<void> {
  await managerOf(connection, true);
}

function managerOf(
  { library }: Connection,
  checkAPI: boolean,
): Promise<JetStreamManager> {
  const options = { timeout: ANSWER_TIME, checkAPI };
  return jetstreamManager(library as NatsConnection, options);
}

/** What a room's stream is called in NATS. */
function streamName(room: string): string {
  return `${SUBJECTS}_${room}`;
}

/** What is asked for; undefined where the answer is that it isn't there. */
async function found<T>(
  asked: Promise<T>,
  missing: number,
): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === missing) {
      return undefined;
    }
    throw error;
  }
}

function stateOf({ created, state }: StreamInfo): StreamState {
  const { messages, first_seq: first, last_seq: last } = state;
  return { made: created, first: messages === 0 ? last + 1 : first, last };
}
