/**
 * A room that several servers share, put together: NATS, the keys that they have in common, what this server has of the
 * room, and the order in which everything happens.
 *
 * @module
 */

import type { KeyFile } from "../../keys/key_file.ts";
import type { ChatLog } from "../../log/chat_log.ts";
import { diagnostics } from "../diagnostics.ts";
import type { Mailbox } from "../mailbox.ts";
import type { ClusterMeasures } from "../measures.ts";
import type { NatsOptions } from "../nats/nats_options.ts";
import type { Order } from "../order.ts";
import type { People } from "../people/people.ts";
import type { RoomLink } from "../room_link.ts";
import type { SealedRoom } from "../sealed/sealed_room.ts";
import { Agreement } from "./agreement.ts";
import { type Begun, Cluster } from "./cluster.ts";
import { type Beginning, EntryError, EntrySealer, openEntry } from "./entry.ts";
import { ClusterKeys } from "./keys.ts";
import { Messages } from "./messages.ts";
import { PositionFile, positionFile } from "./position.ts";
import type { Siblings } from "./siblings.ts";
import { type Footing, Standing } from "./standing.ts";
import type { RoomParts } from "./state.ts";
import type { StreamEntry, Wire } from "./wire.ts";

const logger = diagnostics("cluster");

/** What this server has of the room. */
export interface SharedRoomOptions {
  /** Its keys. */
  readonly keyFile: KeyFile;
  /** What was said. */
  readonly log: ChatLog;
  /** Its path. */
  readonly logPath: string;
  /** Whether it waits for the disk. */
  readonly fsync: boolean;
  /** Who has been in the room. */
  readonly people: People;
  /** The private messages that it keeps. */
  readonly mailbox: Mailbox;
  /** Undefined for an open room. */
  readonly sealed: SealedRoom | undefined;
  /** The standing link, or the founding link. */
  readonly link: RoomLink;
  /** Where members find this server, `HOST:PORT`. */
  readonly address: string;
  /** Is told the path of a file that was made. */
  readonly onMade: (path: string) => void;
  /** What is counted. */
  readonly measures: ClusterMeasures;
  /** The servers of the room are others than before. @param gone The id of one that is gone. */
  readonly changed: (addresses: readonly string[], gone?: string) => void;
}

/** What is needed of that where there is a wire, and a position. */
export type OnWireOptions = Omit<
  SharedRoomOptions,
  "keyFile" | "logPath" | "fsync" | "onMade"
>;

/** A room that several servers share. */
export class SharedRoom implements AsyncDisposable {
  /** The order in which everything happens. */
  readonly cluster: Cluster;
  /** The other servers, spoken to outside the order. */
  readonly siblings: Siblings;
  readonly #wire: Wire;
  readonly #messages: Messages;
  readonly #position: PositionFile;
  readonly #agreement: Agreement;

  private constructor(
    wire: Wire,
    keys: ClusterKeys,
    position: PositionFile,
    options: OnWireOptions,
  ) {
    const sealer = new EntrySealer(keys);
    const messages = new Messages(wire, keys, sealer.server);
    const { people, mailbox, sealed, link, log, address, changed } = options;
    const parts = { log, position, people, mailbox, sealed, link } as RoomParts;
    const standing = new Standing({
      wire,
      siblings: messages,
      parts,
      between: (task) => this.#between(task),
      publish: async (beginning) => {
        const { id, data } = await sealer.seal(beginning);
        return await wire.publish(id, data);
      },
      open: (entry) => openBeginning(keys, entry),
      note: (notice, isNew) =>
        isNew
          ? logger.info("{notice}", { notice })
          : logger.warn("{notice}", { notice }),
    });
    this.#agreement = new Agreement({
      log,
      siblings: messages,
      note: (notice) => logger.warn("{notice}", { notice }),
    });
    this.#wire = wire;
    this.#messages = messages;
    this.#position = position;
    this.siblings = messages;
    this.cluster = new Cluster({
      wire,
      keys,
      sealer,
      siblings: messages,
      address,
      position,
      people,
      logHead: () => log.head,
      agreement: this.#agreement,
      find: (begun) => find(standing, begun),
      measures: options.measures,
      changed,
    });
  }

  /**
   * Connects to NATS. @throws {AdvisedError} where it can't be used. @throws {FileError} for `chat.cluster`.
   */
  static async connect(
    nats: NatsOptions,
    options: SharedRoomOptions,
  ): Promise<SharedRoom> {
    const { keyFile, logPath, fsync, onMade } = options;
    const { connectNats } = await import("../nats/nats_wire.ts");
    const { publicKey } = keyFile.keys.keyPair;
    const keys = await ClusterKeys.create(keyFile.clusterSecret, publicKey);
    const position = PositionFile.open(positionFile(logPath), {
      fsync,
      onMade,
    });
    try {
      if (position.notice !== undefined) {
        logger.warn("{notice}", { notice: position.notice });
      }
      const wire = await connectNats(nats, keys.room);
      return SharedRoom.on(wire, keys, position, options);
    } catch (error) {
      position[Symbol.dispose]();
      throw error;
    }
  }

  /** A room by what leads to the other servers already. It closes the wire and the position in the end. */
  static on(
    wire: Wire,
    keys: ClusterKeys,
    position: PositionFile,
    options: OnWireOptions,
  ): SharedRoom {
    return new SharedRoom(wire, keys, position, options);
  }

  /** See `Cluster`. */
  get order(): Order {
    return this.cluster;
  }

  /** Comes into the room. Resolves when this server is up to date. @throws {AdvisedError} where it can't be in it. */
  enter(): Promise<void> {
    return this.cluster.enter();
  }

  /** Rejects when this server can't go on in the room. */
  get failed(): Promise<never> {
    return this.cluster.failed;
  }

  /** Tells the others that this server stops. */
  leave(): void {
    this.cluster.leave();
  }

  /** Follows and says nothing any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#agreement[Symbol.dispose]();
    await this.cluster[Symbol.asyncDispose]();
    await this.#messages[Symbol.asyncDispose]();
    await this.#wire.close();
    this.#position[Symbol.dispose]();
  }

  #between<T>(task: () => Promise<T> | T): Promise<T> {
    return this.cluster.between(task);
  }
}

function find(
  standing: Standing,
  begun: Begun | undefined,
): Promise<Footing> {
  return begun ? standing.meet(begun.entry, begun.beginning) : standing.find();
}

/** The beginning that an entry is, if it is one. */
async function openBeginning(
  keys: ClusterKeys,
  { data }: StreamEntry,
): Promise<Beginning | undefined> {
  try {
    const { content } = await openEntry(keys, data);
    return content.kind === "beginning" ? content : undefined;
  } catch (error) {
    if (error instanceof EntryError) return undefined;
    throw error;
  }
}
