/**
 * One client's connection, from its first byte to its last: what comes in goes to the room, what the room
 * says to this client alone goes out. Knows nothing of other connections, names or files.
 *
 *     handshake ──▶ guest ── join ──▶ member ── say, say, … ──▶ ┐
 *         └───────────┴──────────────────┴── bye, lost, silent, slow, misused, replaced, stopped ──▶ closed
 *
 * @module
 */

import {
  type Bytes,
  DecryptionError,
  fingerprint,
} from "../../crypto_utils.ts";
import { type Channel, directSize, type Stream } from "../protocol/channel.ts";
import type { Shared } from "./broadcaster.ts";
import type { FileRelay } from "./file_relay.ts";
import { diagnostics } from "./diagnostics.ts";
import {
  encodeEvent,
  type Event,
  EventError,
  packEvents,
} from "../protocol/events.ts";
import { TokenBucket } from "./rate_limits.ts";
import { type Count, type Measures, UNMEASURED } from "./measures.ts";
import { parseName } from "../protocol/names.ts";
import { parseOffer } from "../protocol/offer.ts";
import type { Room } from "./room.ts";
import { RecordType, WireError, type WireRecord } from "../protocol/records.ts";
import {
  type Goodbye,
  GOODBYES,
  type Refusal,
  textRefusal,
} from "../protocol/reasons.ts";
import { LogError } from "../log/file.ts";
import { type Line, pastEvent, saidLine } from "../protocol/line.ts";
import type { Guest, Member } from "./batch.ts";
import { within } from "../base/timing.ts";
import { Notify } from "../base/notify.ts";
import { Outlet } from "./outlet.ts";
import type { Ring } from "./ring.ts";

/** Bytes of direct records that may wait for a client: a long catching-up and its answers. */
const DIRECT_LIMIT = 8 * 1_048_576;
/** A guest that lacks more events than this reads them from the log before it is let in. */
const NEAR = 256;
/** Seconds until a silent client is asked whether it is there, and until it counts as gone. */
const PING_AFTER = 30;
const SILENT_AFTER = 90;
/** Seconds that a write may stand still. */
const STALLED_AFTER = 10;
/** How many lines something counts for that the server has to look up, or that is told to everybody by itself. */
const HEAVY_COST = 20;
/** Records that are opened at a time: others come first again before the next. */
const MAX_AT_ONCE = 64;
/** Lines that one search may give. */
const MAX_FOUND = 200;
/** How long a goodbye may take to get out and be heard, ms. */
const GOODBYE_TIME = 1_000;

const logger = diagnostics("connection");

/** A stream of which this side can be ended alone. */
export interface HalfClosable extends Stream {
  /** Ends what this side writes; what the other side writes can still be read. */
  closeWrite(): Promise<void>;
}

/** How fast a member may go. */
export interface Rates {
  /** Messages at once. */
  readonly burst: number;
  /** Messages a second after that; 0 for as many as come. */
  readonly perSecond: number;
  /** Bytes that come with the right to say a message. */
  readonly bytesPerMessage: number;
}

/** What a connection leads to, and how fast. */
export interface ConnectionOptions {
  /** Where its client wants to be. */
  readonly room: Room;
  /** What the room says to everybody. */
  readonly ring: Ring;
  /** What passes files on. */
  readonly relay: FileRelay;
  /** How fast its client may go. */
  readonly rates: Rates;
  /** What is counted. */
  readonly measures?: Measures;
}

const now = () => performance.now(); // one for all

/** A connection whose handshake is done. */
export class Connection implements Guest {
  readonly key: string;
  readonly outlet: Outlet;
  readonly #stream: HalfClosable;
  readonly #channel: Channel;
  readonly #room: Room;
  readonly #received: Count;
  readonly #relay: FileRelay;
  #member: Member | undefined;
  #lastN = 0;
  #ended: Goodbye | undefined;
  #closing: Promise<void> | undefined;
  #quiet = 0; // seconds since the client was last heard, while we listened
  #stalled = 0; // seconds since a write last moved
  #moved = 0;
  #listening = false;
  readonly #lines: TokenBucket;
  readonly #bytes: TokenBucket;
  #said = 0; // lines since the buckets were last asked, and all else that costs as much
  #ordered = 0; // bytes since then that the client was asked for
  #answers: Event[] = []; // to what is being carried out: told together
  #slowed = false; // whether the client was told of it
  readonly #hurry = new Notify(); // ends a pause
  #deaf = false; // nothing more is read
  #deafened: (() => void) | undefined; // there while somebody waits for that

  private constructor(
    key: string,
    stream: HalfClosable,
    channel: Channel,
    {
      room,
      ring,
      relay,
      rates,
      measures = UNMEASURED,
    }: ConnectionOptions,
  ) {
    this.key = key;
    this.#stream = stream;
    this.#channel = channel;
    this.#room = room;
    this.#received = measures.receivedBytes;
    this.#relay = relay;
    const tooSlow = () => {
      this.dismiss("slow");
      this.#channel.close(); // at once, even where a goodbye is on its way: the room may be waiting
    };
    const limit = DIRECT_LIMIT;
    this.outlet = new Outlet(ring, stream, { limit, tooSlow });
    const { burst, perSecond, bytesPerMessage: bytes } = rates;
    this.#lines = new TokenBucket(burst, perSecond, now);
    this.#bytes = new TokenBucket(burst * bytes, perSecond * bytes, now);
  }

  /** Takes over a stream after its handshake. */
  static create(
    stream: HalfClosable,
    channel: Channel,
    options: ConnectionOptions,
  ): Connection {
    const key = fingerprint(channel.remoteKey);
    return new Connection(key, stream, channel, options);
  }

  /** Serves the client until its connection is closed, and says why it was. */
  async run(): Promise<Goodbye> {
    try {
      // While nothing is said, no function waits here but this one: there are thousands of it.
      for (;;) {
        this.#listening = true;
        const records = await this.#channel.read();
        if (!records) break;
        if (!this.#ended) await this.#serve(records); // else read only so that the goodbye is heard
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#deaf = true;
    this.#deafened?.();
    this.dismiss("lost");
    await this.#closing;
    return this.#ended ?? "lost";
  }

  tell(...events: Event[]): void {
    this.pass(packEvents(events.map(encodeEvent)));
  }

  /** Tells the client what was packed before. */
  pass(plaintexts: readonly Bytes[]): void {
    for (const plaintext of plaintexts) {
      const size = directSize(plaintext.length);
      this.outlet.direct(size, this.#channel.seal(plaintext));
    }
  }

  share({ key, records }: Shared): void {
    this.tell(key);
    for (const record of records) {
      this.outlet.direct(record.length, Promise.resolve(record));
    }
  }

  dismiss(reason: Goodbye, words: string = reason): void {
    if (this.#ended) return;
    this.#ended = reason;
    this.#hurry.notify();
    this.#relay.release(this);
    if (this.#member) this.#room.leave(this.#member, words);
    const tell = reason === "slow" ? logger.info : logger.debug; // one of the limits, and the others are told
    tell("{key}: {why}", { key: this.key, why: GOODBYES[reason] });
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
    await within(GOODBYE_TIME, this.#heard());
    await this.#close();
  }

  /**
   * Resolves when the client has all that it was told, and has closed. To close on what it sent meanwhile
   * would reset the connection, and the goodbye might be lost with it.
   */
  async #heard(): Promise<void> {
    await this.outlet.drained();
    await this.#stream.closeWrite().catch(() => {}); // gone already: its reader says so
    if (this.#deaf) return;
    await new Promise<void>((resolve) => this.#deafened = resolve);
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

  /** Carries out what has arrived. */
  async #serve(records: readonly WireRecord[]): Promise<void> {
    this.#quiet = 0;
    const size = records.reduce(
      (sum, { header, body }) => sum + header.length + body.length,
      0,
    );
    this.#received.add(size);
    this.#listening = false;
    for (let at = 0; at < records.length && !this.#ended; at += MAX_AT_ONCE) {
      const some = records.slice(at, at + MAX_AT_ONCE);
      const opened = await Promise.all(some.map((it) => this.#open(it)));
      await this.#carryOut(opened.flat());
    }
    await this.#slowDown(size);
  }

  /** Reads no more until what was read is paid for: who floods is slowed, not dropped. */
  async #slowDown(bytes: number): Promise<void> {
    const unasked = Math.max(0, bytes - this.#ordered);
    const pause = Math.max(
      this.#lines.take(this.#said),
      this.#bytes.take(unasked),
    );
    this.#said = 0;
    this.#ordered = 0;
    if (pause === 0 || this.#ended) return;
    if (!this.#slowed) {
      this.tell({ kind: "slowed" });
      logger.info("{key}: says more than it may, and is read more slowly", {
        key: this.key,
      });
    }
    this.#slowed = true;
    await within(pause, this.#hurry.wait());
  }

  /** Rejects and never throws: a throw would leave records that are being opened without anybody to hear of it. */
  async #open(record: WireRecord): Promise<Event[]> {
    if (record.type === RecordType.direct) {
      const events = await this.#channel.open(record);
      if (events.length === 0) this.#said++; // one with nothing in it is work, too
      return events;
    }
    throw new WireError("Cannot take from a client what only a server seals");
  }

  async #carryOut(events: readonly Event[]): Promise<void> {
    const lines: Line[] = [];
    for (const event of events) {
      if (this.#ended) return;
      const line = saidLine(event);
      if (line) this.#take(line, lines);
      else {
        await this.#say(lines.splice(0));
        await this.#handle(event);
      }
    }
    await this.#say(lines);
    this.#answer();
  }

  /** Tells the answers so far, many in one record: who asks a thousand times costs little more than who asks once. */
  #answer(): void {
    if (this.#answers.length > 0 && !this.#ended) this.tell(...this.#answers);
    this.#answers = [];
  }

  #take(line: Line, lines: Line[]): void {
    const { n, text, to = null } = line;
    if (!this.#member) throw new EventError("Cannot speak outside the room");
    if (n <= this.#lastN) throw new EventError(`Cannot say line ${n} again`);
    this.#lastN = n;
    this.#said++;
    const unknown = to !== null && (to < 1 || to > this.#room.head);
    const reason = textRefusal(text) ?? this.#offerRefusal(line) ??
      (unknown && "reply-unknown");
    if (reason) this.#answers.push({ kind: "refused", n, reason });
    else lines.push(line);
  }

  async #say(lines: Line[]): Promise<void> {
    if (lines.length > 0 && this.#member) {
      this.#answer(); // there may be no place for these for a while
      await this.#room.say(this.#member, lines);
    }
  }

  async #handle(event: Event): Promise<void> {
    switch (event.kind) {
      case "join":
        return await this.#join(event);
      case "ping":
        this.#said++; // an answer costs as much as a line
        this.#answers.push({ kind: "pong" });
        return;
      case "pong":
        this.#said++;
        return;
      case "bye":
        this.#answer();
        return this.dismiss("left", event.reason);
      case "rename":
        return this.#rename(event);
      case "away":
        this.#said += HEAVY_COST;
        if (this.#member) this.#room.away(this.#member, event.text);
        return;
      case "find":
        return await this.#find(event);
      case "hold":
        return await this.#hold(event);
      case "fetch":
        return this.#fetch(event);
      case "piece":
        return this.#piece(event);
      case "missing":
        this.#said++;
        return this.#relay.missing(this, event);
      default:
        throw new EventError(`Cannot take "${event.kind}" from a client`);
    }
  }

  #piece(event: Event<"piece">): void {
    const ordered = this.#relay.piece(this, event);
    this.#ordered += ordered;
    if (ordered === 0) this.#said++;
  }

  #rename(event: Event<"rename">): void {
    if (!this.#member) throw new EventError("Cannot rename outside the room");
    this.#said += HEAVY_COST;
    const name = parseName(event.name);
    if (typeof name !== "string") return this.#room.rename(this.#member, name);
    this.#refuse(name);
  }

  /** Nothing else of this client is read meanwhile, so that it has one search at a time. */
  async #find({ id, words, before, count }: Event<"find">): Promise<void> {
    if (!this.#member) throw new EventError("Cannot search outside the room");
    this.#said += HEAVY_COST;
    this.#answer();
    const limit = Math.min(count, MAX_FOUND);
    try {
      const { entries, more } = await this.#room.find(words, before, limit);
      this.tell(...entries.map(pastEvent), { kind: "found", id, more });
    } catch (error) {
      this.#refuse(unreadable(error));
    }
  }

  #refuse(reason: Refusal): void {
    const { key } = this;
    if (reason === "room-full") logger.warn("{key}: the room is full", { key });
    this.#said += HEAVY_COST;
    this.#answers.push({ kind: "refused", n: null, reason });
  }

  #offerRefusal({ what, text }: Line): Refusal | undefined {
    if (what !== "offered") return undefined;
    const size = parseOffer(text)?.size ?? Infinity;
    return size > this.#relay.maxFileSize ? "file-too-large" : undefined;
  }

  /** Only who made an offer can say where its file is; anything else is a client's mistake, without effect. */
  async #hold({ offer }: Event<"hold">): Promise<void> {
    if (!this.#member) throw new EventError("Cannot hold outside the room");
    this.#said += HEAVY_COST;
    this.#answer();
    try {
      const entry = await this.#room.entry(offer);
      const isOwn = entry?.what === "offered" && entry.key === this.key;
      const file = isOwn ? parseOffer(entry.text) : null;
      if (!file || file.size > this.#relay.maxFileSize || this.#ended) return;
      this.#relay.hold(this, offer, file.size);
    } catch (error) {
      this.#refuse(unreadable(error));
    }
  }

  #fetch(event: Event<"fetch">): void {
    if (!this.#member) throw new EventError("Cannot fetch outside the room");
    this.#said++;
    const answer = this.#relay.fetch(this, event);
    if (answer) this.#answers.push(answer);
  }

  async #join(event: Event<"join">): Promise<void> {
    if (this.#member) throw new EventError("Cannot join twice");
    const name = parseName(event.name);
    if (typeof name === "string") return this.#refuse(name);
    const { n } = event;
    const wish = { guest: this as Guest, name, n, back: event.after !== null };
    let after = this.#room.start(event.after);
    for (;;) {
      const refusal = this.#room.refusal(wish);
      if (refusal) return this.#refuse(refusal);
      try {
        after = await this.#catchUp(after);
      } catch (error) {
        return this.#refuse(unreadable(error));
      }
      const admission = await this.#room.join({ ...wish, after });
      if (admission === "behind") continue;
      if (typeof admission === "string") return this.#refuse(admission);
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

/** What a client is told of a log that can't be read, as without descriptors. @throws any other error. */
function unreadable(error: unknown): Refusal {
  if (!(error instanceof LogError)) throw error;
  logger.warn("{why}", { why: error.message });
  return "log-unreadable";
}
