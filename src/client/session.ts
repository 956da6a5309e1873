/**
 * A client's stay in the room, across as many connections as it takes: keeps what was typed until it is in
 * the log, comes back after a loss, and sees to it that each line arrives once. Knows nothing of sockets,
 * files or terminals.
 *
 *     joining ──▶ in the room ── connection lost ──▶ disconnected ── pause, growing and jittered ──▶ joining again
 *        │             └── leave ──▶ left              └── leave ──▶ left
 *        └── refused ──▶ JoinError
 *
 * @module
 */

import { nextPause, reach } from "./reconnect.ts";
import {
  type ConnectOptions,
  RefusedError,
  type Stream,
} from "../protocol/channel.ts";
import { type Bytes, fingerprint } from "../../crypto_utils.ts";
import type { Event } from "../protocol/events.ts";
import { ROOM_INVITE_ID } from "../keys/invite.ts";
import { entryRefused, handshakeRefused, JoinError } from "./join_error.ts";
import {
  type FileEvent,
  type FileRequest,
  Link,
  type LinkListener,
} from "./link.ts";
import type { Present, RoomNews, View } from "./view.ts";
import { PendingSearches } from "./pending_searches.ts";
import { reasonOf } from "../base/error_reason.ts";
import { RecentLines } from "./recent_lines.ts";
import { WaitingLines } from "./outbox.ts";
import {
  GOODBYES,
  REFUSALS,
  textRefusal,
  wording,
} from "../protocol/reasons.ts";
import { isSpoken, type Line, type LogEntry } from "../protocol/line.ts";
import { Notify } from "../base/notify.ts";
import { within } from "../base/timing.ts";

/** Lines that go out at once. */
const CHUNK = 256;
/** How long what was said may take to go out before a goodbye, ms. */
const LEAVE_TIME = 5_000;
/**
 * How long it may take after that to be in the log, ms: a line that went just before a goodbye may get lost with
 * it.
 */
const SETTLE_TIME = 1_000;

/** What can be told something about files. */
export interface FileRoom {
  /** Tells the server something about files, where the client is in. */
  askAboutFile(event: FileRequest): void;
}

/** What deals with files for whoever is in a session. */
export interface FileListener {
  /** The client is in the room, or in it again. */
  joined(room: FileRoom): void;
  /** It is there no longer. */
  parted(): void;
  /** Somebody has offered a file, or had when the client came. */
  offered(line: LogEntry, own: boolean): void;
  /** The server said something about files. */
  heard(event: FileEvent): void;
}

/** What a session needs. */
export interface SessionOptions {
  /** How the server is called, `HOST:PORT`. */
  readonly address: string;
  /** The name to go by; one that `parseName` has accepted. */
  readonly name: string;
  /** Opens a connection to the server. */
  readonly dial: () => Promise<Stream>;
  /** The client's key, its invite, and what it knows of the server. */
  readonly handshake: ConnectOptions;
  /** Where news go. */
  readonly view: View;
  /** What deals with files, where anybody does. */
  readonly files?: FileListener;
  /** Asks for another name after that sentence; null where there is nobody to ask. */
  readonly askName: (sentence: string) => Promise<string | null>;
}

/** A client's stay. */
export class Session implements LinkListener, FileRoom {
  readonly #options: SessionOptions;
  readonly #view: View;
  readonly #waiting = new WaitingLines();
  readonly #recent = new RecentLines();
  readonly #searches = new PendingSearches();
  readonly #renaming: string[] = []; // names that were asked for and aren't answered yet, in order
  readonly #leaving = Promise.withResolvers<void>();
  #name: string;
  #after: number | null = null;
  #fingerprint = "";
  #link: Link | undefined; // the connection that stands
  #inside = false; // whether it has led into the room
  #failure: JoinError | undefined;
  #left = false;
  #goodbye: Promise<void> | undefined;
  #failedAny = false;
  #sending = false;
  readonly #sent = new Notify(); // whenever sending pauses
  #attempts = 0;
  #awayText = "";
  #newKey: Bytes | undefined; // of the room, since it was given another
  #parting: string | undefined;
  readonly #settling = new Notify(); // whenever a waiting line is settled

  /** A stay that begins with `run`. */
  constructor(options: SessionOptions) {
    this.#options = options;
    this.#view = options.view;
    this.#name = options.name;
  }

  /** Everybody in the room, this client included; nobody while it is not connected. */
  get present(): readonly Present[] {
    return this.#inside ? this.#link?.present ?? [] : [];
  }

  /** Lines that are not yet in the server's log. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Whether any line was refused, or lost at the end. */
  get failedAny(): boolean {
    return this.#failedAny;
  }

  /**
   * Stays until `leave`.
   * @throws {JoinError} where the client can't get in, or is sent away for good.
   */
  async run(): Promise<void> {
    this.#fingerprint = fingerprint(this.#options.handshake.keyPair.publicKey);
    this.#stand();
    try {
      await this.#stay();
    } finally {
      for (const text of this.#waiting.texts) {
        this.#failedAny = true;
        this.#view.show({ type: "lost", text });
      }
    }
  }

  /** One visit after the other, until the client leaves. */
  async #stay(): Promise<void> {
    while (!this.#left) {
      const reason = await this.#visit();
      if (this.#left) return await this.#goodbye;
      if (this.#after === null) {
        throw new JoinError(
          `Cannot join ${this.#options.address}: ${reason}`,
          "Check that the server runs and can be reached from here",
        );
      }
      const pause = nextPause(this.#attempts++);
      const seconds = Math.max(1, Math.round(pause / 1_000));
      this.#view.show({ type: "disconnected", reason, seconds });
      await this.#rest(pause);
    }
  }

  /** Says something; resolves when there is place for the next line. */
  async say(text: string): Promise<void> {
    await this.#speak({ what: "said", to: null, text });
  }

  /** Says something in the third person. */
  async act(text: string): Promise<void> {
    await this.#speak({ what: "acted", to: null, text });
  }

  /** Answers the event with that number. */
  async reply(to: number, text: string): Promise<void> {
    await this.#speak({ what: "replied", to, text });
  }

  /** Offers a file, described as `formatOffer` does it. @returns The client's own number for the line, null for none. */
  offer(text: string): Promise<number | null> {
    return this.#speak({ what: "offered", to: null, text });
  }

  /** Tells the server something about files, where the client is in. */
  askAboutFile(event: FileRequest): void {
    this.#ask(event);
  }

  /** Takes another name, now or, if the client is not connected, when it comes back. */
  rename(name: string): void {
    if (!this.#inside) {
      this.#name = name;
      return this.#stand();
    }
    this.#renaming.push(name);
    this.#ask({ kind: "rename", name });
  }

  /**
   * Tells everybody, now or once it is back, that this client is away from the keyboard; with an empty text, no
   * longer.
   */
  away(text: string): void {
    this.#awayText = text;
    this.#ask({ kind: "away", text });
  }

  /** Asks for the last lines that have all the words; for any where there are none. What is open is asked again. */
  search(words: string, count: number): void {
    const find = this.#searches.open(words, count);
    if (!find) {
      return this.#view.note("Cannot search: too many answers are waited for");
    }
    if (!this.#inside) {
      this.#view.note("Not connected: the server is asked when it is back");
    }
    this.#ask(find);
  }

  /** @returns The line's own number, null where it can't be said. */
  async #speak(typed: Omit<Line, "n">): Promise<number | null> {
    const text = typed.text.toWellFormed(); // half a surrogate pair is no UTF-8
    const reason = textRefusal(text);
    if (reason) {
      this.#showRefused(text, reason);
      return null;
    }
    while (this.#waiting.full && !this.#left) {
      await this.#settling.wait();
    }
    const { n } = this.#waiting.add({ ...typed, text });
    this.#stand();
    this.#send();
    return n;
  }

  /** Resolves when the client has been in and every line is settled, or when it has left. */
  async settled(): Promise<void> {
    const done = () => this.#after !== null && this.#waiting.size === 0;
    while (!done() && !this.#left) await this.#settling.wait();
  }

  /** Leaves; what was said before goes out first, where there is a connection. */
  leave(words?: string): void {
    if (this.#left) return;
    this.#parting = words;
    this.#left = true;
    this.#leaving.resolve();
    this.#settle();
    if (this.#link) this.#goodbye = this.#bye(this.#link);
  }

  /** The link has led into the room. */
  entered(welcome: Event<"welcome">, missed: readonly LogEntry[]): void {
    const again = this.#after !== null;
    const said = missed.filter(isSpoken);
    for (const { key, n } of said) {
      if (key === this.#fingerprint) this.#waiting.settle(n); // under whatever name it was said
    }
    this.#after = Math.max(welcome.seq, missed.at(-1)?.seq ?? 0);
    this.#attempts = 0;
    this.#inside = true;
    this.#view.show({
      type: "entered",
      address: this.#options.address,
      name: this.#name,
      others: this.present.length - 1,
      seq: welcome.seq,
      at: welcome.at,
      fingerprint: this.#fingerprint,
      earlier: said.filter((line) => !again || !this.#isOwn(line)).length,
      again,
      waiting: this.#waiting.size,
    });
    for (const line of missed) this.#showLine(line, this.#isOwn(line), true);
    this.#view.show({ type: "current" });
    this.#options.files?.joined(this);
    this.#waiting.sendAgain();
    if (this.#awayText !== "") this.away(this.#awayText);
    for (const find of this.#searches) this.#ask(find);
    this.#settle();
    this.#send();
  }

  /** A line came over the link. */
  happened(line: LogEntry, own: boolean): void {
    this.#after = line.seq;
    if (own && line.what === "renamed") {
      this.#renaming.shift();
      this.#name = line.text;
      this.#stand();
    }
    this.#showLine(line, own, false);
    if (line.what === "joined" || line.what === "left") this.#stand();
    if (own && this.#waiting.settle(line.n)) this.#settle();
  }

  /** The server took a line, or the client itself, not in. */
  refused(n: number | null, reason: string): void {
    if (n === null && this.#inside) {
      if (reason !== "log-unreadable") {
        return this.#showRefused(this.#renaming.shift() ?? "", reason);
      }
      this.#searches.closeFirst(); // it has no other answer
      return this.#view.note(wording(REFUSALS, reason));
    }
    if (n === null) return this.#refusedEntry(reason);
    const line = this.#waiting.settle(n);
    if (line === undefined) return;
    this.#showRefused(line.text, reason);
    this.#settle();
  }

  /** Somebody went away from the keyboard, or came back. */
  absent({ name, fingerprint }: Present, text: string, own: boolean): void {
    this.#view.show({ type: "away-message", name, fingerprint, text, own });
  }

  /** The server reads this client no faster than it may go. */
  slowed(): void {
    this.#view.note(
      "You are sending faster than the server takes it; it goes on more slowly",
    );
  }

  /** The room has another key. */
  rekeyed(key: Bytes): void {
    this.#newKey = key;
    this.#view.note(
      "The room has a new key; you stay in. Whoever joins from now on needs a new link",
    );
  }

  /** The server said something about files. */
  file(event: FileEvent): void {
    this.#options.files?.heard(event);
  }

  /** A search has its answer. */
  found(id: number, lines: readonly LogEntry[], more: boolean): void {
    const words = this.#searches.close(id);
    if (words === undefined) return;
    const news = lines.map((line) => this.#news(line, this.#isOwn(line), true));
    for (const line of lines) this.#noteOffer(line);
    this.#view.show({ type: "found", words, lines: news, more });
  }

  #refusedEntry(reason: string): void {
    const link = this.#link;
    if (!link) return;
    if (reason.startsWith("name-")) {
      // Its own task: the link must go on listening while somebody thinks. It ends the link if it fails.
      this.#rename(link, reason).catch(() => link.close());
      return;
    }
    if (this.#after === null) this.#failure = entryRefused(reason);
    link.close();
  }

  async #rename(link: Link, reason: string): Promise<void> {
    const name = await this.#options.askName(wording(REFUSALS, reason));
    if (name === null) {
      this.#failure = entryRefused(reason);
      return link.close();
    }
    this.#name = name;
    this.#stand();
    await this.#askIn(link);
  }

  async #bye(link: Link): Promise<void> {
    const timer = setTimeout(() => link.close(), LEAVE_TIME);
    try {
      while (this.#sending) await this.#sent.wait();
      await this.#settledSoon();
      await link.bye(this.#parting);
    } catch {
      // The connection went before the goodbye could: the client is gone either way.
      link.close();
    } finally {
      clearTimeout(timer);
    }
  }

  /** Resolves when every line that was sent is settled, at the latest when that took too long. */
  async #settledSoon(): Promise<void> {
    const settled = async () => {
      while (this.#inside && this.#waiting.size > 0) {
        await this.#settling.wait();
      }
    };
    await within(SETTLE_TIME, settled());
  }

  /** One connection, from dialling to its end. @returns Why it ended. */
  async #visit(): Promise<string> {
    try {
      const { dial } = this.#options;
      const leaving = this.#leaving.promise;
      const channel = await reach(dial, this.#handshake, leaving);
      if (!channel) return GOODBYES.left;
      const link = new Link(channel, this.#fingerprint, this);
      this.#link = link;
      if (this.#left) return GOODBYES.left; // while the handshake's last steps were taken
      await this.#askIn(link);
      const reason = await link.run();
      if (this.#failure) throw this.#failure;
      if (reason === "replaced" || reason === "misused") {
        throw new JoinError(
          `The server ended the connection: ${GOODBYES[reason]}`,
          "Close the other client that goes by this name, or choose another",
        );
      }
      return GOODBYES[reason];
    } catch (error) {
      if (error instanceof JoinError) throw error;
      if (error instanceof RefusedError) {
        // A refusal isn't sealed: anybody on the way can send one, so it doesn't end a stay that has begun.
        if (this.#after === null) throw handshakeRefused(error);
      }
      return reasonOf(error);
    } finally {
      this.#link?.close();
      this.#link = undefined;
      if (this.#inside) this.#options.files?.parted();
      this.#inside = false;
      this.#waiting.hold();
      this.#renaming.length = 0;
      this.#settle();
    }
  }

  /** As it was given, but for the key where the room has another by now. */
  get #handshake(): ConnectOptions {
    const { handshake } = this.#options;
    const key = this.#newKey;
    if (!key) return handshake;
    return { ...handshake, inviteId: ROOM_INVITE_ID, inviteKey: () => key };
  }

  #askIn(link: Link): Promise<void> {
    // The server takes only numbers above the one that it is told here.
    return link.join(this.#name, this.#waiting.before, this.#after);
  }

  /** Sends what is in the outbox, in order; one sender at a time. */
  async #send(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    try {
      while (this.#inside) {
        const lines = this.#waiting.send(CHUNK);
        if (lines.length === 0) break;
        await this.#link?.say(lines);
      }
    } catch {
      // The connection is gone; its reader says so, and the lines are still among those that wait.
      this.#link?.close();
    } finally {
      this.#sending = false;
      this.#sent.notify();
    }
  }

  #isOwn({ key, name }: LogEntry): boolean {
    return key === this.#fingerprint && name === this.#name;
  }

  #news(line: LogEntry, own: boolean, past: boolean): RoomNews {
    const { seq, at, what: type, to, name, key: fingerprint, text } = line;
    const quoted = to === null ? undefined : this.#recent.find(to);
    const news = { type, seq, at, to, name, fingerprint, text, own, past };
    return quoted ? { ...news, quoted } : news;
  }

  #noteOffer(line: LogEntry): void {
    // Under another name, too, it is this client's own number that tells its own offers.
    const own = line.key === this.#fingerprint;
    if (line.what === "offered") this.#options.files?.offered(line, own);
  }

  #showLine(line: LogEntry, own: boolean, past: boolean): void {
    this.#noteOffer(line);
    this.#recent.add(line);
    this.#view.show(this.#news(line, own, past));
  }

  /** Asks the server for something, where there is one: what must survive the connection is kept elsewhere. */
  #ask(event: Event<"rename" | "away" | "find"> | FileRequest): void {
    if (!this.#inside || !this.#link) return;
    const link = this.#link;
    // A connection that can't be written to ends for its reader, too, which says so.
    link.ask(event).catch(() => link.close());
  }

  #showRefused(text: string, reason: string): void {
    this.#failedAny = true;
    this.#view.show({ type: "refused", text, reason });
  }

  #settle(): void {
    this.#settling.notify();
    this.#stand();
  }

  #stand(): void {
    const { size: waiting } = this.#waiting;
    const connected = this.#inside;
    const members = connected ? this.#link?.count ?? 0 : 0;
    this.#view.stand({ name: this.#name, connected, members, waiting });
  }

  /** Waits before the next attempt, unless the client leaves. */
  async #rest(pause: number): Promise<void> {
    await within(pause, this.#leaving.promise);
  }
}
