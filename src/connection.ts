/**
 * One client's connection, from its first byte to its last: what comes in goes to the room, what the room
 * says to this client alone goes out. Knows nothing of other connections, names or files.
 *
 *     handshake ──▶ guest ── join ──▶ member ── say, say, … ──▶ ┐
 *         └───────────┴──────────────────┴── bye, lost, silent, slow, misused, replaced, stopped ──▶ closed
 *
 * @module
 */

import { DecryptionError, fingerprint } from "../crypto_utils.ts";
import { Outlet } from "./broadcast_log.ts";
import type { BroadcastLog } from "./broadcast_log.ts";
import { type Channel, directSize, type Stream } from "./channel.ts";
import { diagnostics } from "./diagnostics.ts";
import {
  encodeEvent,
  type Event,
  EventError,
  type Goodbye,
  GOODBYES,
  packEvents,
  textRefusal,
} from "./events.ts";
import { parseName } from "./names.ts";
import { type Guest, type Line, type Member, pastEvent } from "./room.ts";
import type { Room } from "./room.ts";
import { RecordType, WireError, type WireRecord } from "./wire.ts";

/** Bytes of direct records that may wait for a client: a long catching-up and its answers. */
const DIRECT_LIMIT = 8 * 1_048_576;
/** A guest that lacks more events than this reads them from the log before it is let in. */
const NEAR = 256;
/** Seconds until a silent client is asked whether it is there, and until it counts as gone. */
const PING_AFTER = 30;
const SILENT_AFTER = 90;
/** Seconds that a write may stand still. */
const STALLED_AFTER = 10;
/** How long a goodbye may take to get out, ms. */
const GOODBYE_TIME = 1_000;

const logger = diagnostics("connection");

/** A connection whose handshake is done. */
export class Connection implements Guest {
  readonly key: string;
  readonly outlet: Outlet;
  readonly #channel: Channel;
  readonly #room: Room;
  #member: Member | undefined;
  #lastN = 0;
  #ended: Goodbye | undefined;
  #closing: Promise<void> | undefined;
  #quiet = 0; // seconds since the client was last heard, while we listened
  #stalled = 0; // seconds since a write last moved
  #moved = 0;
  #listening = false;

  private constructor(
    key: string,
    stream: Stream,
    channel: Channel,
    room: Room,
    log: BroadcastLog,
  ) {
    this.key = key;
    this.#channel = channel;
    this.#room = room;
    const tooSlow = () => {
      this.dismiss("slow");
      this.#channel.close(); // at once, even where a goodbye is on its way: the room may be waiting
    };
    this.outlet = new Outlet(log, stream, { limit: DIRECT_LIMIT, tooSlow });
  }

  /** Takes over a stream after its handshake. */
  static async create(
    stream: Stream,
    channel: Channel,
    room: Room,
    log: BroadcastLog,
  ): Promise<Connection> {
    const key = await fingerprint(channel.remoteKey);
    return new Connection(key, stream, channel, room, log);
  }

  /** Serves the client until its connection is closed. */
  async run(): Promise<void> {
    try {
      while (!this.#ended && await this.#serve()) { /* until it has left */ }
    } catch (error) {
      this.#fail(error);
    }
    this.dismiss("lost");
    await this.#closing;
  }

  tell(...events: Event[]): void {
    for (const plaintext of packEvents(events.map(encodeEvent))) {
      const size = directSize(plaintext.length);
      this.outlet.direct(size, this.#channel.seal(plaintext));
    }
  }

  dismiss(reason: Goodbye): void {
    if (this.#ended) return;
    this.#ended = reason;
    if (this.#member) this.#room.leave(this.#member, reason);
    logger.debug("{key}: {why}", { key: this.key, why: GOODBYES[reason] });
    // Nobody hears a goodbye who doesn't read, or is gone.
    const mute = reason === "slow" || reason === "lost" || reason === "misused";
    this.#closing = mute ? this.#close() : this.#sayGoodbye(reason);
  }

  /** To be called once a second: looks for signs of life. */
  tick(): void {
    if (this.#ended) return;
    this.#quiet = this.#listening ? this.#quiet + 1 : 0;
    if (this.#quiet === PING_AFTER) this.tell({ kind: "ping" });
    if (this.#quiet >= SILENT_AFTER) this.dismiss("silent");
    const { moved, writing } = this.outlet;
    this.#stalled = writing && moved === this.#moved ? this.#stalled + 1 : 0;
    this.#moved = moved;
    if (this.#stalled >= STALLED_AFTER) this.outlet.drop();
  }

  async #sayGoodbye(reason: Goodbye): Promise<void> {
    this.tell({ kind: "bye", reason });
    this.outlet.finish();
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, GOODBYE_TIME);
    await Promise.race([this.outlet.drained(), promise]);
    clearTimeout(timer);
    await this.#close();
  }

  async #close(): Promise<void> {
    this.#channel.close();
    this.outlet.abandon();
    await this.outlet.settled();
  }

  #fail(error: unknown): void {
    if (this.#ended) return; // a read that our own closing cut off
    const misused = error instanceof WireError || error instanceof EventError ||
      error instanceof DecryptionError;
    const why = error instanceof Error ? error.message : String(error);
    const properties = { key: this.key, why };
    if (misused) logger.warn("{key}: {why}", properties);
    else logger.debug("{key}: {why}", properties);

    this.dismiss(misused ? "misused" : "lost");
  }

  /** Reads and carries out what has arrived. @returns Whether to go on. */
  async #serve(): Promise<boolean> {
    this.#listening = true;
    const records = await this.#channel.read();
    if (!records) return false;
    this.#quiet = 0;
    const opened = await Promise.all(records.map((it) => this.#open(it)));
    this.#listening = false;
    await this.#carryOut(opened.flat());
    return true;
  }

  /** Rejects and never throws: a throw would leave records that are being opened without anybody to hear of it. */
  async #open(record: WireRecord): Promise<Event[]> {
    if (record.type === RecordType.direct) {
      return await this.#channel.open(record);
    }
    throw new WireError("Cannot take a broadcast from a client");
  }

  async #carryOut(events: readonly Event[]): Promise<void> {
    const lines: Line[] = [];
    for (const event of events) {
      if (this.#ended) return;
      if (event.kind === "say") this.#take(event, lines);
      else {
        await this.#say(lines.splice(0));
        await this.#handle(event);
      }
    }
    await this.#say(lines);
  }

  #take({ n, text }: Event<"say">, lines: Line[]): void {
    if (!this.#member) throw new EventError("Cannot speak outside the room");
    if (n <= this.#lastN) throw new EventError(`Cannot say line ${n} again`);
    this.#lastN = n;
    const reason = textRefusal(text);
    if (reason) this.tell({ kind: "refused", n, reason });
    else lines.push({ n, text });
  }

  async #say(lines: Line[]): Promise<void> {
    if (lines.length > 0 && this.#member) {
      await this.#room.say(this.#member, lines);
    }
  }

  async #handle(event: Event): Promise<void> {
    switch (event.kind) {
      case "join":
        return await this.#join(event);
      case "ping":
        return this.tell({ kind: "pong" });
      case "pong":
        return;
      case "bye":
        return this.dismiss("left");
      default:
        throw new EventError(`Cannot take "${event.kind}" from a client`);
    }
  }

  async #join(event: Event<"join">): Promise<void> {
    if (this.#member) throw new EventError("Cannot join twice");
    const refuse = (reason: string) =>
      this.tell({ kind: "refused", n: null, reason });
    const name = parseName(event.name);
    if (typeof name === "string") return refuse(name);
    const { n } = event;
    const wish = { guest: this as Guest, name, n, back: event.after !== null };
    let after = this.#room.start(event.after);
    for (;;) {
      const refusal = this.#room.refusal(wish);
      if (refusal) return refuse(refusal);
      after = await this.#catchUp(after);
      const admission = await this.#room.join({ ...wish, after });
      if (admission === "behind") continue;
      if (typeof admission === "string") return refuse(admission);
      this.#lastN = n;
      this.#member = admission;
      if (this.#ended) this.#room.leave(admission, this.#ended);
      return;
    }
  }

  /** Tells the client what the log holds, until little is missing. @returns Up to where. */
  async #catchUp(after: number): Promise<number> {
    while (this.#room.head - after > NEAR && !this.#ended) {
      const head = this.#room.head;
      for await (const entries of this.#room.past(after)) {
        if (this.#ended) break;
        await this.outlet.drained();
        this.tell(...entries.map(pastEvent));
      }
      after = head;
    }
    return after;
  }
}
