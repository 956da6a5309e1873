/**
 * A server of a simulation: all that a server has of a room which it shares, over files, but for sockets.
 *
 * @module
 */

import { AdvisedError } from "../../../src/base/advised_error.ts";
import { messageOf } from "../../../src/base/error_reason.ts";
import { KeyFile } from "../../../src/keys/key_file.ts";
import { ChatLog } from "../../../src/log/chat_log.ts";
import { Broadcaster } from "../../../src/server/broadcaster.ts";
import { ClusterKeys } from "../../../src/server/cluster/keys.ts";
import {
  PositionFile,
  positionFile,
} from "../../../src/server/cluster/position.ts";
import { SharedRoom } from "../../../src/server/cluster/shared_room.ts";
import { History } from "../../../src/server/history.ts";
import { Mailbox, waitingFile } from "../../../src/server/mailbox.ts";
import { UNMEASURED_CLUSTER } from "../../../src/server/measures.ts";
import { Operations } from "../../../src/server/operations.ts";
import type { OrderedRoom } from "../../../src/server/order.ts";
import { People } from "../../../src/server/people/people.ts";
import { Room } from "../../../src/server/room.ts";
import { RoomLink } from "../../../src/server/room_link.ts";
import type { MemoryNats, MemoryWire } from "../memory_wire.ts";
import { RING_SIZE, SERVER_KEY } from "../room_setup.ts";

/** How many lines of the log are in memory. */
const WINDOW = 256;

/** A server with its files open. */
export class SimulatedServer {
  readonly wire: MemoryWire;
  readonly log: ChatLog;
  readonly people: People;
  readonly mailbox: Mailbox;
  readonly position: PositionFile;
  readonly link: RoomLink;
  readonly shared: SharedRoom;
  readonly room: Room;
  readonly broadcaster: Broadcaster;
  readonly history: History;
  readonly operations: Operations;
  /** The room, as what orders it sees it. */
  readonly ordered: OrderedRoom;
  /** Rejects when it can't go on. */
  readonly failed: Promise<never>;
  readonly #running: Promise<void>;
  #ended: Promise<void> | undefined;
  /** Whether it lets members in. */
  isIn = false;
  /** Whether it has crashed, or stopped. */
  isOver = false;

  private constructor(
    has: {
      readonly wire: MemoryWire;
      readonly log: ChatLog;
      readonly people: People;
      readonly mailbox: Mailbox;
      readonly position: PositionFile;
      readonly link: RoomLink;
      readonly broadcaster: Broadcaster;
    },
    keys: ClusterKeys,
    clock: { now: () => number },
    address: string,
  ) {
    ({
      wire: this.wire,
      log: this.log,
      people: this.people,
      mailbox: this.mailbox,
      position: this.position,
      link: this.link,
      broadcaster: this.broadcaster,
    } = has);
    const { wire, log, people, mailbox, position, link, broadcaster } = has;
    this.shared = SharedRoom.on(wire, keys, position, {
      log,
      people,
      mailbox,
      sealed: undefined,
      link,
      address,
      measures: UNMEASURED_CLUSTER,
      changed: () => {},
    });
    const { cluster } = this.shared;
    clock.now = () => cluster.now();
    let ordered: OrderedRoom | undefined;
    const attach = cluster.attach.bind(cluster);
    cluster.attach = (room) => attach(ordered = room);
    this.room = new Room({
      log,
      broadcaster,
      people,
      mailbox,
      maxMembers: 100,
      link,
      order: cluster,
    });
    if (!ordered) throw new TypeError("Nothing was attached to the order");
    this.ordered = ordered;
    this.history = new History(log, 20);
    this.operations = new Operations({
      people,
      room: this.room,
      address: () => address,
      replaceLink: () => link.replace(),
    });
    this.#running = this.room.run();
    this.failed = Promise.race([
      this.shared.failed,
      this.#running.then(() => new Promise<never>(() => {})),
    ]);
    this.failed.catch(() => {}); // whoever waits for it is told
  }

  /** Opens the files in a folder, with a key file of the room, and begins to come to the room. */
  static async open(
    nats: MemoryNats,
    folder: string,
    address: string,
  ): Promise<SimulatedServer> {
    const path = `${folder}/chat.log`;
    const log = await ChatLog.open(path, {
      address: "127.0.0.1:5000",
      window: WINDOW,
    });
    const mailbox = Mailbox.open(waitingFile(path));
    const { keyFile } = await KeyFile.loadOrCreate(`${folder}/chat.key`);
    const clock = { now: () => Date.now() };
    const people = People.open(`${folder}/chat.people`, {
      now: () => clock.now(),
      isShared: true,
    });
    const link = new RoomLink({
      keyFile,
      standing: people.access.link,
      isShared: true,
    });
    const { publicKey } = keyFile.keys.keyPair;
    const keys = await ClusterKeys.create(keyFile.clusterSecret, publicKey);
    const position = PositionFile.open(positionFile(path));
    const broadcaster = await Broadcaster.create(SERVER_KEY, RING_SIZE);
    const wire = nats.wire();
    const has = { wire, log, people, mailbox, position, link, broadcaster };
    return new SimulatedServer(has, keys, clock, address);
  }

  /** Comes into the room. */
  async enter(): Promise<void> {
    await Promise.race([this.shared.enter(), this.failed]);
    if (this.isOver) return;
    this.people.journal.share((happenings) => this.room.happen(happenings));
    this.link.share((secret) => this.room.link(secret));
    this.isIn = true;
  }

  /** It has crashed: others hear nothing of it any more, and nobody comes in. */
  crash(): void {
    this.isOver = true;
    this.isIn = false;
    this.wire.cut();
  }

  /** Ends what runs. */
  end(): Promise<void> {
    return this.#ended ??= this.#end();
  }

  async #end(): Promise<void> {
    this.room.stop();
    await this.#running.catch(() => {}); // whoever waits for `failed` is told
    this.isOver = true;
    await this.shared[Symbol.asyncDispose]();
    await this.link[Symbol.asyncDispose]();
    this.mailbox[Symbol.dispose]();
    this.people[Symbol.dispose]();
    await this.log.close();
  }
}

/** Why a server can't go on, in words, and whether that is said to its owner in a sentence. */
export function failureOf(error: unknown): { why: string; isSaid: boolean } {
  const isSaid = error instanceof AdvisedError;
  const stack = error instanceof Error && !isSaid ? `\n${error.stack}` : "";
  return { why: `${messageOf(error)}${stack}`, isSaid };
}
