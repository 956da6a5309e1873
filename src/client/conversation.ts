/**
 * What a client says, asks for and hears in the room, across as many connections as it takes: every line arrives
 * once and in the order of the log, and the view is told of it.
 *
 *     say ──▶ Outbox ───────────┐               ┌──▶ happened, found, … ──▶ View
 *     rename ──▶ ServerRequests ┴──▶ Link ──▶ server
 *
 * @module
 */

import type { Bytes } from "../../crypto_utils.ts";
import type { FileEvent, FileListener } from "./file_room.ts";
import type { Link, LinkListener } from "./link.ts";
import { Outbox } from "./outbox.ts";
import { RecentLines } from "./recent_lines.ts";
import { ServerRequests } from "./server_requests.ts";
import type { Present, RoomNews, View } from "./view.ts";
import type { Event } from "../protocol/events.ts";
import { isSpoken, type Line, type LogEntry } from "../protocol/line.ts";
import { REFUSALS, textRefusal, wording } from "../protocol/reasons.ts";

/** What a conversation needs. */
export interface ConversationOptions {
  /** How the server is called, `HOST:PORT`. */
  readonly address: string;
  /** The name to go by; one that `parseName` has accepted. */
  readonly name: string;
  /** Where news go. */
  readonly view: View;
  /** What deals with files, if anything does. */
  readonly files?: FileListener;
}

/** A client's part in the room. */
export class Conversation implements LinkListener {
  readonly #options: ConversationOptions;
  readonly #fingerprint: string;
  readonly #outbox = new Outbox();
  readonly #requests = new ServerRequests();
  readonly #recent = new RecentLines();
  readonly #begun = Promise.withResolvers<void>();
  #name: string;
  #after: number | null = null; // the number of the last line that was seen
  #link: Link | undefined; // the connection that leads into the room
  #newKey: Bytes | undefined;
  #failedAny = false;

  /** Nothing is said so far. @param fingerprint That of this client's key. */
  constructor(options: ConversationOptions, fingerprint: string) {
    this.#options = options;
    this.#fingerprint = fingerprint;
    this.#name = options.name;
  }

  /** Everybody in the room, this client included; nobody while it is not connected. */
  get present(): readonly Present[] {
    return this.#link?.present ?? [];
  }

  /** Lines that are not yet in the server's log. */
  get waiting(): number {
    return this.#outbox.size;
  }

  /** Whether any line was refused, or lost at the end. */
  get failedAny(): boolean {
    return this.#failedAny;
  }

  /** Whether the client has ever been in the room. */
  get hasBegun(): boolean {
    return this.#after !== null;
  }

  /** The room's key, 32 bytes, if it was given another since the client is in. */
  get newKey(): Bytes | undefined {
    return this.#newKey;
  }

  // ── What the client says and asks for ────────────────────────────────────────────────────────────────

  /** Asks to be let in. @returns As `Link.join`. */
  join(link: Link): Promise<string | undefined> {
    // The server takes only numbers above the one that it is told here.
    return link.join(this.#name, this.#outbox.before, this.#after);
  }

  /** Says something, when there is room for the next line. @returns The line's number, null if it can't be said. */
  async say(typed: Omit<Line, "n">): Promise<number | null> {
    const text = typed.text.toWellFormed(); // half a surrogate pair is no UTF-8
    const reason = textRefusal(text);
    if (reason) {
      this.#showRefused(text, reason);
      return null;
    }
    const n = await this.#outbox.add({ ...typed, text });
    this.stand();
    return n;
  }

  /** Takes another name, now or, if the client is not connected, when it comes back. */
  rename(name: string): void {
    if (this.#link) return this.#requests.rename(name);
    this.#name = name;
    this.stand();
  }

  /** Tells everybody, now or when it is back, that this client is away from the keyboard; or, with "", no longer. */
  away(text: string): void {
    this.#requests.away(text);
  }

  /** Asks for the last lines that have all the words; for any if there are none. */
  search(words: string, count: number): void {
    const { view } = this.#options;
    if (!this.#requests.search(words, count)) {
      view.note("Cannot search: too many searches are open");
    } else if (!this.#link) {
      view.note("Not connected; will be asked on reconnect");
    }
  }

  /** Resolves when the client has been in and every line is settled, or when it has left. */
  async settled(): Promise<void> {
    await this.#begun.promise;
    await this.#outbox.settled();
  }

  /** Makes nobody wait any more: the client leaves. */
  leave(): void {
    this.#begun.resolve();
    this.#outbox.close();
    this.stand();
  }

  /** Resolves when all is sent and settled, as far as it can be. @param patience For the settling, ms. */
  async flush(patience: number): Promise<void> {
    await this.#outbox.flush(patience);
  }

  /** Shows which lines may be lost: the client ends. */
  showLost(): void {
    for (const text of this.#outbox.texts) {
      this.#failedAny = true;
      this.#options.view.show({ type: "lost", text });
    }
  }

  /** The connection is gone. @returns Whether it had led into the room. */
  disconnected(): boolean {
    const hadEntered = this.#link !== undefined;
    if (hadEntered) this.#options.files?.parted();
    this.#link = undefined;
    this.#outbox.disconnected();
    this.#requests.disconnected();
    this.stand();
    return hadEntered;
  }

  /** Tells the view where the client stands. */
  stand(): void {
    this.#options.view.stand({
      name: this.#name,
      connected: this.#link !== undefined,
      members: this.#link?.count ?? 0,
      waiting: this.#outbox.size,
    });
  }

  // ── What it hears ────────────────────────────────────────────────────────────────────────────────────

  /** The link has led into the room. */
  entered(
    link: Link,
    welcome: Event<"welcome">,
    missed: readonly LogEntry[],
  ): void {
    const { address, view, files } = this.#options;
    const again = this.hasBegun;
    const said = missed.filter(isSpoken);
    for (const { fingerprint, n } of said) {
      if (fingerprint === this.#fingerprint) this.#outbox.settle(n); // under whatever name it was said
    }
    this.#after = Math.max(welcome.seq, missed.at(-1)?.seq ?? 0);
    this.#link = link;
    view.show({
      type: "entered",
      address,
      name: this.#name,
      others: link.count - 1,
      seq: welcome.seq,
      at: welcome.at,
      fingerprint: this.#fingerprint,
      earlier: said.filter((line) => !again || !this.#isOwn(line)).length,
      again,
      waiting: this.#outbox.size,
    });
    for (const line of missed) this.#showLine(line, this.#isOwn(line), true);
    view.show({ type: "current" });
    this.#requests.connected(link);
    files?.joined(this.#requests);
    this.#begun.resolve();
    this.stand();
    this.#outbox.connected(link);
  }

  /** A line came over the link. */
  happened(line: LogEntry, own: boolean): void {
    this.#after = line.seq;
    if (own && line.what === "renamed") {
      this.#requests.renamed();
      this.#name = line.text;
    }
    this.#showLine(line, own, false);
    if (own) this.#outbox.settle(line.n);
    if (own || !isSpoken(line)) this.stand();
  }

  /** The server has refused a line or, if `n` is null, something that it was asked for. */
  refused(n: number | null, reason: string): void {
    if (n !== null) {
      const line = this.#outbox.settle(n);
      if (!line) return;
      this.#showRefused(line.text, reason);
      return this.stand();
    }
    const name = this.#requests.refused(reason);
    if (name !== undefined) this.#showRefused(name, reason);
    else this.#options.view.note(wording(REFUSALS, reason));
  }

  /** Somebody went away from the keyboard, or came back. */
  absent({ name, fingerprint }: Present, text: string, own: boolean): void {
    const type = "away-message";
    this.#options.view.show({ type, name, fingerprint, text, own });
  }

  /** The server reads this client no faster than it may go. */
  slowed(): void {
    this.#options.view.note(
      "You are sending faster than the server accepts; sending more slowly",
    );
  }

  /** The room has another key. */
  rekeyed(key: Bytes): void {
    this.#newKey = key;
    this.#options.view.note(
      "The room has a new key. You stay in; new members need a new link",
    );
  }

  /** The server said something about files. */
  file(event: FileEvent): void {
    this.#options.files?.heard(event);
  }

  /** A search has its answer. */
  found(id: number, lines: readonly LogEntry[], more: boolean): void {
    const words = this.#requests.found(id);
    if (words === undefined) return;
    const news = lines.map((line) => this.#news(line, this.#isOwn(line), true));
    for (const line of lines) this.#noteOffer(line);
    this.#options.view.show({ type: "found", words, lines: news, more });
  }

  #isOwn({ fingerprint, name }: LogEntry): boolean {
    return fingerprint === this.#fingerprint && name === this.#name;
  }

  #news(line: LogEntry, own: boolean, past: boolean): RoomNews {
    const { seq, at, what: type, to, name, fingerprint, text } = line;
    const quoted = to === null ? undefined : this.#recent.find(to);
    const news = { type, seq, at, to, name, fingerprint, text, own, past };
    return quoted ? { ...news, quoted } : news;
  }

  #noteOffer(line: LogEntry): void {
    // Under another name, too, it is this client's number for the line that tells its own offers.
    const own = line.fingerprint === this.#fingerprint;
    if (line.what === "offered") this.#options.files?.offered(line, own);
  }

  #showLine(line: LogEntry, own: boolean, past: boolean): void {
    this.#noteOffer(line);
    this.#recent.add(line);
    this.#options.view.show(this.#news(line, own, past));
  }

  #showRefused(text: string, reason: string): void {
    this.#failedAny = true;
    this.#options.view.show({ type: "refused", text, reason });
  }
}
