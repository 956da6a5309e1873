/**
 * One connection as a client sees it: asks to be let in, follows the room's epochs, and turns what arrives
 * into lines in their order. Knows nothing of terminals, of typing, or of connections before it.
 *
 * @module
 */

import {
  type Bytes,
  type EpochReader,
  fromBase64url,
} from "../../crypto_utils.ts";
import type { Channel } from "../protocol/channel.ts";
import { epochReader } from "../protocol/epoch_event.ts";
import { type Event, EventError, unpackEvents } from "../protocol/events.ts";
import type { Present } from "./view.ts";
import { RecordType, WireError, type WireRecord } from "../protocol/records.ts";
import { type Goodbye, GOODBYES, isGoodbye } from "../protocol/reasons.ts";
import {
  eventWords,
  type Line,
  type LogEntry,
  pastEntry,
  sayEvent,
} from "../protocol/line.ts";

/** Seconds without a sign of the server until it is asked, and until it counts as gone. */
const PING_AFTER = 30;
const SILENT_AFTER = 90;
/** How long the server has to answer a goodbye, ms. */
const GOODBYE_TIME = 1_000;

/** What the server says about files. */
export type FileEvent = Event<"fetch" | "limits" | "missing" | "piece">;
/** What a client says about files, beside offering them. */
export type FileRequest = Event<"fetch" | "hold" | "missing" | "piece">;

/** What a link reports, one thing after the other. */
export interface LinkListener {
  /** The client is in; `missed` are the lines it was owed, oldest first. */
  entered(welcome: Event<"welcome">, missed: readonly LogEntry[]): void;
  /** Somebody said something, came or went. */
  happened(line: LogEntry, own: boolean): void;
  /** Somebody went away from the keyboard, or, where the text is empty, came back. */
  absent(member: Present, text: string, own: boolean): void;
  /** What was searched for, oldest first. */
  found(id: number, lines: readonly LogEntry[], more: boolean): void;
  /** The server said something about files. */
  file(event: FileEvent): void;
  /** The client says more than it may, and is slowed down. */
  slowed(): void;
  /** Who comes back must come with this key, 32 bytes. */
  rekeyed(key: Bytes): void;
  /** A line was not taken, or, where `n` is null, the client not let in. */
  refused(n: number | null, reason: string): void;
}

/** A connection that stands. */
export class Link {
  readonly #channel: Channel;
  readonly #listener: LinkListener;
  readonly #members = new Map<number, Mutable<Present>>();
  #missed: LogEntry[] = [];
  #reader: EpochReader | undefined;
  #sharedReader: EpochReader | undefined;
  #ownId: number | undefined;
  #seq = 0; // of the last line
  #at = 0;
  #announced = false; // whether a heading came since the record's start
  #quiet = 0;
  #ended: Goodbye | undefined;
  #closed = false;
  #leaving: ReturnType<typeof setTimeout> | undefined;
  #name = "";

  /** Takes over a channel. @param fingerprint That of this client's key. */
  constructor(
    channel: Channel,
    private readonly fingerprint: string,
    listener: LinkListener,
  ) {
    this.#channel = channel;
    this.#listener = listener;
  }

  /** Whoever is in the room, this client included. */
  get present(): readonly Present[] {
    return [...this.#members.values()];
  }

  /** How many are in the room, this client included. */
  get count(): number {
    return this.#members.size;
  }

  /** Asks to be let in. @param n The client's own lines follow this number. @param after The last line seen. */
  join(name: string, n: number, after: number | null): Promise<void> {
    this.#name = name;
    return this.#channel.send({ kind: "join", name, n, after });
  }

  /** Sends lines, in order; resolves when they are out, not when they are taken. */
  say(lines: readonly Line[]): Promise<void> {
    return this.#channel.send(...lines.map(sayEvent));
  }

  /** Asks for something else: another name, to be away, to search. */
  ask(event: Event<"rename" | "away" | "find"> | FileRequest): Promise<void> {
    return this.#channel.send(event);
  }

  /** Takes leave; `run` ends when the server has answered, or soon after. */
  async bye(words: string = GOODBYES.left): Promise<void> {
    if (this.#closed) return;
    this.#leaving = setTimeout(() => this.#channel.close(), GOODBYE_TIME);
    Deno.unrefTimer(this.#leaving);
    await this.#channel.send({ kind: "bye", reason: words });
  }

  /** Ends the connection at once. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#leaving);
    this.#channel.close();
  }

  /**
   * Reads until the end, and says why it came: the server's reason, or "lost".
   * @throws {DecryptionError} | {WireError} | {EventError} for bytes that the server can't have sent.
   * @throws {RefusedError} where the handshake turns out to be refused.
   */
  async run(): Promise<Goodbye> {
    const ticking = setInterval(() => this.#tick(), 1_000);
    try {
      for (;;) {
        const records = await this.#channel.read();
        if (!records) return this.#ended ?? "lost";
        this.#quiet = 0;
        for (const record of records) await this.#take(record);
      }
    } catch (error) {
      if (isEnd(error)) return this.#ended ?? "lost";
      throw error;
    } finally {
      clearInterval(ticking);
      this.close();
    }
  }

  #tick(): void {
    this.#quiet++;
    if (this.#quiet === PING_AFTER) {
      // A connection that can't be written to ends for its reader, too, which says so.
      this.#channel.send({ kind: "ping" }).catch(() => {});
    }
    if (this.#quiet >= SILENT_AFTER) {
      this.#ended = "silent";
      this.#channel.close();
    }
  }

  async #take(record: WireRecord): Promise<void> {
    if (record.type === RecordType.direct) {
      for (const event of await this.#channel.open(record)) {
        await this.#takeDirect(event);
      }
      return;
    }
    const isShared = record.type === RecordType.shared;
    const reader = isShared ? this.#sharedReader : this.#reader;
    if (!reader) throw new WireError("Cannot read a record yet: it has no key");
    const plaintext = await reader.open(record.body, record.header);
    this.#announced = false;
    for (const event of unpackEvents(plaintext)) {
      if (isShared) this.#takeShared(event);
      else await this.#takeBroadcast(event);
    }
  }

  #takeShared(event: Event): void {
    if (event.kind !== "here") {
      throw new EventError(`Cannot take "${event.kind}" in a shared record`);
    }
    const { id, key: fingerprint, ...member } = event;
    this.#members.set(id, { ...member, fingerprint });
  }

  async #takeDirect(event: Event): Promise<void> {
    switch (event.kind) {
      case "past":
        this.#missed.push(pastEntry(event));
        return;
      case "sharing":
        this.#sharedReader = await epochReader(this.#channel.remoteKey, event);
        return;
      case "found":
        return this.#found(event);
      case "fetch":
      case "limits":
      case "missing":
      case "piece":
        return this.#listener.file(event);
      case "slowed":
        return this.#listener.slowed();
      case "rekeyed":
        return this.#listener.rekeyed(fromBase64url(event.key));
      case "epoch":
        this.#reader = await epochReader(this.#channel.remoteKey, event);
        return;
      case "welcome":
        return this.#enter(event);
      case "refused":
        if (event.n === null) this.#missed = []; // what it was told so far will be told again
        return this.#listener.refused(event.n, event.reason);
      case "ping":
        return await this.#channel.send({ kind: "pong" });
      case "pong":
        return;
      case "bye":
        this.#ended = isGoodbye(event.reason) ? event.reason : "lost";
        return;
      default:
        throw new EventError(`Cannot take "${event.kind}" in a direct record`);
    }
  }

  #enter(event: Event<"welcome">): void {
    const missed = this.#missed.filter(({ seq }) => seq !== event.seq);
    this.#missed = [];
    this.#sharedReader = undefined;
    this.#ownId = event.id;
    const { at } = event;
    this.#members.set(event.id, newcomer(this.#name, this.fingerprint, at));
    this.#seq = Math.max(event.seq, missed.at(-1)?.seq ?? 0);
    this.#listener.entered(event, missed);
  }

  #found({ id, more }: Event<"found">): void {
    const lines = this.#missed;
    this.#missed = [];
    this.#listener.found(id, lines, more);
  }

  async #takeBroadcast(event: Event): Promise<void> {
    if (event.kind === "ratchet") {
      this.#reader = await this.#reader?.ratchet();
      return;
    }
    if (event.kind === "batch") {
      if (event.seq !== this.#seq + 1) {
        throw new EventError(`Cannot go on: line ${this.#seq + 1} is missing`);
      }
      this.#at = event.at;
      this.#announced = true;
      return;
    }
    if (!this.#announced) throw new EventError("Cannot read lines unnumbered");
    if (event.kind === "absent") {
      const member = this.#member(event.id);
      member.away = event.text;
      const own = event.id === this.#ownId;
      return this.#listener.absent(member, event.text, own);
    }
    const own = "id" in event && event.id === this.#ownId;
    this.#listener.happened(this.#line(event), own);
  }

  /** The line that an event is; keeps who is there in step with it. */
  #line(event: Event): LogEntry {
    const seq = ++this.#seq;
    const at = this.#at;
    const words = eventWords(event);
    const { id, n } = event as Event<"said">;
    if (event.kind === "joined") {
      this.#members.set(id, newcomer(event.name, event.key, at));
    }
    const member = this.#member(id);
    const { name, fingerprint: key } = member;
    if (words.what === "left") this.#members.delete(id);
    else if (words.what === "renamed") member.name = words.text;
    else member.active = at;
    return { seq, at, name, key, n, ...words };
  }

  #member(id: number): Mutable<Present> {
    const member = this.#members.get(id);
    if (!member) throw new EventError(`Cannot tell who member ${id} is`);
    return member;
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function newcomer(name: string, fingerprint: string, at: number): Present {
  return { name, fingerprint, since: at, active: at, away: "" };
}

/** Whether an error is a connection's end, rather than something wrong with what it carried. */
function isEnd(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.BadResource ||
    error instanceof Deno.errors.TimedOut;
}
