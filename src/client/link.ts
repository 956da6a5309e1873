/**
 * One connection as a client sees it: asks to be let in, follows the room's epochs, and turns what arrives into
 * lines in their order.
 *
 * @module
 */

import type { Bytes } from "../../crypto_utils.ts";
import { type Channel, PING_AFTER, SILENT_AFTER } from "../protocol/channel.ts";
import { epochReader } from "../protocol/epoch_event.ts";
import { type Event, EventError, unpackEvents } from "../protocol/events.ts";
import type { FileEvent, FileRequest, FileRoom } from "./file_room.ts";
import type { MailEvent, MailRequest, MailRoom } from "./mail/mail_room.ts";
import { LineNumbers } from "./line_numbers.ts";
import { Members } from "./members.ts";
import type { Somebody } from "./person.ts";
import type { Present } from "./view.ts";
import {
  RecordType,
  type SealedRecord,
  WireError,
} from "../protocol/records.ts";
import {
  type Goodbye,
  GOODBYES,
  isGoodbye,
  OPERATION_REFUSALS,
} from "../protocol/reasons.ts";
import {
  type Line,
  type LogEntry,
  pastEntry,
  sayEvent,
} from "../protocol/line.ts";
import type { HeardLine } from "../protocol/changes.ts";
import type { EpochReader } from "../crypto/epoch.ts";
import { isDisconnect } from "../base/error_reason.ts";

/** How long the server has to answer a goodbye, ms. */
const GOODBYE_TIME = 1_000;
/** Seconds that the server has for a sign of life when somebody has come back to a client and looks. */
const SIGN_TIME = 10;

/** Who joins. */
export interface Self {
  /** The full id of its person. */
  readonly id: string;
  /** The short id of its person. */
  readonly person: string;
  /** Its card, base64url. */
  readonly card: string;
  /** This run of the client, 8 bytes in base64url. */
  readonly stay: string;
}

/** What a client asks the server for besides saying lines. */
export type ServerRequest =
  | Event<
    "rename" | "away" | "find" | "page" | "agree" | "release" | "operate"
  >
  | FileRequest
  | MailRequest;

/** What a client says in a sealed room besides lines. */
export type SealedRequest = Event<
  "follow" | "enter" | "rule" | "wrap" | "admit" | "need"
>;

/** What the server tells of a sealed room besides lines. */
export type SealedNews = Event<"followed" | "wrapped" | "needed">;

/** What the server tells a client besides lines and members. */
export type Told = Event<"motd" | "room" | "servers" | "waiting">;

/** What the server answers a wish with. */
export type WishAnswer = Event<"notice" | "invited" | "refused">;

/** What the server tells of the past when it lets a client in. */
export interface Past {
  /** The chain's value before the lines, undefined if the server told none. */
  readonly start: Event<"chain"> | undefined;
  /** The lines, oldest first. */
  readonly lines: readonly LogEntry[];
}

/** What a link reports, one thing after the other. */
export interface LinkListener {
  /**
   * The client is in; `missed` are the lines it was owed, oldest first, without its own joining, which is line
   * `joining`: null where it had not left, as far as others saw. `past` are these with it, and the value before them.
   */
  entered(
    link: RoomLink,
    welcome: Event<"welcome">,
    missed: readonly HeardLine[],
    joining: number | null,
    past: Past,
  ): void;
  /** The next line of the log has come, as it stands there; what it says is told after it. */
  took(line: LogEntry): void;
  /** Somebody said something, came or went. @param own Whether this client's person did, by whatever connection. @param member Who, if it is there now. */
  happened(line: HeardLine, own: boolean, member?: Present): void;
  /** Somebody went away from the keyboard, or, if the text is empty, came back. */
  absent(member: Present, text: string, own: boolean): void;
  /**
   * What was searched for, oldest first.
   * @param backTo The number from which on no line was left out, where the server can't search.
   */
  found(
    id: number,
    lines: readonly HeardLine[],
    more: boolean,
    backTo?: number,
  ): void;
  /** A second has passed. */
  ticked(): void;
  /** The chain's value that was asked for. */
  agreed(event: Event<"agreed">): void;
  /** The page that was asked for by that number. */
  paged(id: number, past: Past, more: boolean): void;
  /** The server said something about files. */
  file(event: FileEvent): void;
  /** The server said something about private messages. */
  mail(event: MailEvent): void;
  /** The server tells something else. */
  told(event: Told): void;
  /** What `operate` or `release` asked for by that number is done, or refused. */
  answered(number: number, answers: readonly WishAnswer[]): void;
  /** The client says more than it may, and is slowed down. */
  slowed(): void;
  /** A line was refused or, if `n` is null, something that was asked for. */
  refused(n: number | null, reason: string, detail: string): void;
  /** The server tells something of a sealed room; left out where none is expected. @param lines What `followed` follows. */
  sealed?(news: SealedNews, lines: readonly LogEntry[]): void;
  /** Resolves when there is place for more; left out where there always is. */
  ready?(): Promise<void>;
}

/** What leads into the room, once the client is in. */
export interface RoomLink extends
  Pick<
    Link,
    "present" | "count" | "serverKey" | "join" | "say" | "ask" | "close"
  > {
  /** The keepers of a sealed room, the most senior first; left out in an open one. */
  readonly keepers?: readonly Somebody[];
  /** Through what private messages go; left out in an open room. */
  mailRoom?(ask: (request: MailRequest) => void): MailRoom;
  /** Through what files go; left out in an open room. */
  fileRoom?(ask: FileRoom["ask"]): FileRoom;
  /**
   * Resolves when all that was asked for is done, or the connection has ended; left out in an open room, whose server
   * answers all before it lets go.
   */
  idle?(): Promise<void>;
  /** History is taken for what the server has now; left out in an open room. */
  accepted?(): void;
  /** Ends a search that this side does, with what it has found; left out in an open room, whose server searches. */
  endSearch?(id: number): void;
  /**
   * The line of that number, however old, undefined if there is none; or that it can't be had. Left out in an open room,
   * whose server knows them.
   */
  recall?(seq: number): Promise<HeardLine | "unreadable" | undefined>;
}

/** Why the client isn't let in: a key of `REFUSALS`, and what else there is to know of it. */
export type Refused = Pick<Event<"refused">, "reason" | "detail">;

/** A connection that stands. */
export class Link {
  readonly #channel: Channel;
  readonly #listener: LinkListener;
  readonly #members = new Members();
  readonly #self: Self;
  readonly #numbers = new LineNumbers();
  #missed: LogEntry[] = [];
  #start: Event<"chain"> | undefined; // the value before the lines of \`missed\`
  #early = 0; // of these, lines from before that, which a sealed room's server tells
  #answers: WishAnswer[] = []; // to what `answered` will say
  #reader: EpochReader | undefined;
  #sharedReader: EpochReader | undefined;
  #unsaid = 0; // seconds since the server was last told anything
  #unheard = 0; // seconds since the server's last direct record
  #isHurried = false; // since that record
  #ended: Goodbye | undefined;
  #closed = false;
  #pings = 0; // that were sent
  readonly #fences = new Map<number, (held: boolean) => void>(); // by the ping whose answer they wait for
  #pongs = 0; // that came
  #leaving: ReturnType<typeof setTimeout> | undefined;
  #entry: PromiseWithResolvers<Refused | undefined> | undefined; // while the client asks to be let in

  /** Takes over a channel. @param self Who this client is. */
  constructor(channel: Channel, self: Self, listener: LinkListener) {
    this.#channel = channel;
    this.#self = self;
    this.#listener = listener;
  }

  /** Everybody in the room, this client included. */
  get present(): readonly Present[] {
    return this.#members.present;
  }

  /** The server's key, as the handshake proved it, 32 bytes. */
  get serverKey(): Bytes {
    return this.#channel.remoteKey;
  }

  /** How many are in the room, this client included. */
  get count(): number {
    return this.#members.count;
  }

  /**
   * Asks to be let in; `run` hears the answer.
   * @param n The client's lines follow this number. @param after The number of the last line seen, null for none.
   * @returns Why the server refuses; undefined once the client is in, or the connection ends.
   */
  async join(
    name: string,
    n: number,
    after: number | null,
  ): Promise<Refused | undefined> {
    const { stay, card } = this.#self;
    this.#entry = Promise.withResolvers();
    await this.#send({ kind: "join", name, stay, n, after, card });
    return await this.#entry.promise;
  }

  /** Sends lines, in order; resolves when they are out, not when they are taken. */
  say(lines: readonly Line[]): Promise<void> {
    return this.#send(...lines.map(sayEvent));
  }

  /** Asks the server for something, in that order. */
  ask(...requests: readonly (ServerRequest | SealedRequest)[]): Promise<void> {
    return this.#send(...requests);
  }

  /**
   * Resolves when all that was asked for before is answered: the server takes one thing after the other, and this is a
   * ping behind them.
   * @returns Whether it is; not where the connection ends before.
   */
  async fence(): Promise<boolean> {
    if (this.#closed) return false;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#fences.set(this.#pings + 1, resolve);
    // A connection that can't be written to ends for its reader, too.
    this.#ping().catch(() => resolve(false));
    return await promise;
  }

  #ping(): Promise<void> {
    this.#pings++;
    return this.#send({ kind: "ping" });
  }

  #pong(): void {
    this.#fences.get(++this.#pongs)?.(true);
    this.#fences.delete(this.#pongs);
  }

  /** Takes leave; `run` ends when the server has answered, or soon after. */
  async bye(words: string = GOODBYES.left): Promise<void> {
    if (this.#closed) return;
    this.#leaving = setTimeout(() => this.#channel.close(), GOODBYE_TIME);
    await this.#send({ kind: "bye", reason: words });
  }

  /** Finds out soon whether the connection still stands, even if no time was counted lately. */
  async hurry(): Promise<void> {
    const unheard = SILENT_AFTER - SIGN_TIME;
    if (this.#closed || this.#unheard >= unheard) return; // it was asked already
    this.#unheard = unheard;
    this.#isHurried = true;
    await this.#ping();
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
   * @throws {RefusedError} if the handshake turns out to be refused.
   */
  async run(): Promise<Goodbye> {
    const ticking = setInterval(() => this.#tick(), 1_000);
    try {
      for (;;) {
        const records = await this.#channel.read();
        if (!records) return this.#ended ?? "lost";
        for (const record of records) {
          if (this.#listener.ready) await this.#listener.ready();
          await this.#take(record);
        }
      }
    } catch (error) {
      if (isDisconnect(error)) return this.#ended ?? "lost";
      throw error;
    } finally {
      clearInterval(ticking);
      this.#entry?.resolve(undefined);
      this.close();
      for (const resolve of this.#fences.values()) resolve(false);
    }
  }

  #send(...events: Event[]): Promise<void> {
    this.#unsaid = 0;
    return this.#channel.send(...events);
  }

  #tick(): void {
    this.#listener.ticked();
    if (++this.#unsaid >= PING_AFTER) {
      // A connection that can't be written to ends for its reader, too, which says so.
      this.#ping().catch(() => {});
    }
    if (++this.#unheard >= SILENT_AFTER) {
      this.#ended = this.#isHurried ? "lost" : "silent";
      this.#channel.close();
    }
  }

  async #take(record: SealedRecord): Promise<void> {
    if (record.type === RecordType.direct) {
      const events = await this.#channel.open(record);
      this.#unheard = 0;
      this.#isHurried = false;
      for (const event of events) await this.#takeTold(event);
      return;
    }
    const isShared = record.type === RecordType.shared;
    const reader = isShared ? this.#sharedReader : this.#reader;
    if (!reader) throw new WireError("Cannot read a record yet: it has no key");
    const plaintext = await reader.open(record.body, record.header);
    this.#numbers.startRecord();
    for (const event of unpackEvents(plaintext)) {
      await (isShared ? this.#takeTold(event) : this.#takeBroadcast(event));
    }
  }

  /** What the server tells this client, alone or with others. */
  async #takeTold(event: Event): Promise<void> {
    switch (event.kind) {
      case "chain":
        this.#start = event;
        this.#early = this.#missed.length;
        return;
      case "past":
        this.#missed.push(pastEntry(event));
        return;
      case "sharing":
        this.#sharedReader = await epochReader(this.#channel.remoteKey, event);
        return;
      case "here":
        return this.#members.met(event);
      case "beside":
        return this.#members.beside(event);
      case "found":
        return this.#found(event);
      case "paged":
        return this.#paged(event);
      case "agreed":
        return this.#listener.agreed(event);
      case "fetch":
      case "limits":
      case "missing":
      case "piece":
      case "took":
        return this.#listener.file(event);
      case "card":
      case "letter":
      case "nobody":
      case "privately":
        return this.#listener.mail(event);
      case "motd":
      case "room":
      case "servers":
      case "waiting":
        return this.#listener.told(event);
      case "notice":
      case "invited":
        this.#answers.push(event);
        return;
      case "answered":
        return this.#listener.answered(event.id, this.#answers.splice(0));
      case "slowed":
        return this.#listener.slowed();
      case "epoch":
        this.#reader = await epochReader(this.#channel.remoteKey, event);
        return;
      case "welcome":
        return this.#enter(event);
      case "refused":
        return this.#refused(event);
      case "ping":
        return await this.#send({ kind: "pong" });
      case "pong":
        return this.#pong();
      case "followed":
        return this.#sealed(event, this.#missed.splice(0));
      case "wrapped":
      case "needed":
        return this.#sealed(event);
      case "bye":
        this.#ended = isGoodbye(event.reason) ? event.reason : "lost";
        return;
      default:
        throw new EventError(`Cannot take "${event.kind}" outside a broadcast`);
    }
  }

  #enter(event: Event<"welcome">): void {
    const { person, stay } = this.#self;
    const isOwnJoining = (line: LogEntry) =>
      line.what === "joined" && line.person === person && line.stay === stay;
    const joining = this.#missed.findLast(isOwnJoining); // told otherwise
    const missed = this.#missed.filter((line) => line !== joining);
    const lines = this.#missed.slice(this.#early);
    const past = { start: this.#start, lines };
    this.#early = 0;
    this.#missed = [];
    this.#start = undefined;
    this.#sharedReader = undefined;
    this.#members.entered(event.id);
    this.#numbers.startAfter(event.seq);
    this.#listener.entered(this, event, missed, joining?.seq ?? null, past);
    this.#entry?.resolve(undefined);
    this.#entry = undefined;
  }

  #refused(event: Event<"refused">): void {
    const { n, reason, detail } = event;
    const entry = n === null ? this.#entry : undefined;
    if (!entry && OPERATION_REFUSALS.has(reason)) {
      return void this.#answers.push(event);
    }
    if (n === null) { // what it was told so far will be told again
      this.#missed = [];
      this.#start = undefined;
    }
    if (entry) entry.resolve({ reason, detail });
    else this.#listener.refused(n, reason, detail);
  }

  #sealed(news: SealedNews, lines: readonly LogEntry[] = []): void {
    if (!this.#listener.sealed) {
      throw new EventError(`Cannot take "${news.kind}" in an open room`);
    }
    this.#listener.sealed(news, lines);
  }

  #found({ id, more }: Event<"found">): void {
    const lines = this.#missed;
    this.#missed = [];
    this.#listener.found(id, lines, more);
  }

  #paged({ id, more }: Event<"paged">): void {
    const past = { start: this.#start, lines: this.#missed };
    this.#missed = [];
    this.#start = undefined;
    this.#early = 0;
    this.#listener.paged(id, past, more);
  }

  async #takeBroadcast(event: Event): Promise<void> {
    if (event.kind === "ratchet") {
      this.#reader = await this.#reader?.ratchet();
      return;
    }
    if (event.kind === "batch") return this.#numbers.announce(event);
    this.#numbers.check();
    if (event.kind === "beside") return this.#members.beside(event);
    if (event.kind === "parted") return this.#members.parted(event);
    if (
      event.kind === "room" || event.kind === "servers" ||
      event.kind === "waiting"
    ) return this.#listener.told(event);
    const own = this.#members.isOwn(event);
    if (event.kind === "absent") {
      const member = this.#members.absent(event);
      return this.#listener.absent(member, event.text, own);
    }
    const { seq, at } = this.#numbers.next();
    const line = this.#members.line(event, seq, at);
    this.#listener.took(line);
    this.#listener.happened(line, own, this.#members.find(event));
  }
}
