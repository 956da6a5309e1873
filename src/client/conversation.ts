/**
 * What a client says, asks for and hears in the room, across as many connections as it takes: every line arrives
 * once and in the order of the log, and the view is told of it.
 *
 *     say ──▶ Outbox ───────────┐               ┌──▶ happened, found, … ──▶ View
 *     rename ──▶ ServerRequests ┴──▶ Link ──▶ server
 *
 * @module
 */

import type { Difference, Seen } from "./chain_compare.ts";
import { ChainWatch } from "./chain_watch.ts";
import {
  current,
  type CurrentLine,
  type HeardLine,
} from "../protocol/changes.ts";
import {
  type FileEvent,
  type FileListener,
  openFileRoom,
} from "./file_room.ts";
import type { Known } from "./known.ts";
import { type MailEvent, openMailRoom } from "./mail/mail_room.ts";
import type { PrivateMessages } from "./mail/private_messages.ts";
import type {
  LinkListener,
  Past,
  Refused,
  RoomLink,
  Self,
  Told,
  WishAnswer,
} from "./link.ts";
import { formatWebLink, isOrigin } from "../keys/web_link.ts";
import { linkOf } from "./invite_link.ts";
import { Outbox } from "./outbox.ts";
import type { Somebody } from "./person.ts";
import type { PageAnswer } from "./pending_pages.ts";
import { RecentLines } from "../protocol/recent_lines.ts";
import { ServerRequests } from "./server_requests.ts";
import {
  absenceSentence,
  holesSentence,
  laterLogSentence,
  typedText,
  undoneSentence,
} from "./sentences.ts";
import {
  greet,
  type LineWarning,
  type Present,
  type RequestId,
  type RoomNews,
  tellFailure,
  type View,
} from "./view.ts";
import { type Event, MAX_STRING } from "../protocol/events.ts";
import {
  isAbout,
  isSent,
  isSpoken,
  type Line,
  type LogEntry,
  mayBeSpoken,
  mayChange,
  wordsRefusal,
} from "../protocol/line.ts";
import {
  isBlank,
  MAX_TEXT_SIZE,
  type Operation,
  PLAIN_AWAY,
  reasonWords,
  type Refusal,
} from "../protocol/reasons.ts";
import { agreement } from "../protocol/chain.ts";
import { escapeText } from "../base/safe_text.ts";

/** For how long servers keep private messages, ms. */
const LETTERS_KEPT = 7 * 86_400_000;

/** What a conversation needs. */
export interface ConversationOptions {
  /** How the server is called, `HOST:PORT`. */
  readonly address: string;
  /** How the room's other servers are called, in the order in which they are tried. Default: there are none. */
  readonly others?: readonly string[] | undefined;
  /** Where news go. */
  readonly view: View;
  /** What deals with files, if anything does. */
  readonly files?: FileListener;
  /** What deals with private messages, if anything does. */
  readonly mail?: PrivateMessages;
  /** Is told when the client is in. */
  readonly proven?: (() => void) | undefined;
  /** What is remembered of who goes by which name, if anything is. */
  readonly known?: Known | undefined;
  /** Is told where the room's servers are, `HOST:PORT,…`. */
  readonly learned?: ((places: string) => void) | undefined;
  /** How many of the lines from before it came first are shown, the last. Default: all that the server tells. */
  readonly history?: number;
  /** Is told which name this client's person goes by, when it comes in and whenever that changes. */
  readonly named?: (name: string) => void;
}

/** A client's part in the room. */
export class Conversation implements LinkListener {
  readonly #options: ConversationOptions;
  readonly #outbox = new Outbox();
  readonly #requests = new ServerRequests();
  readonly #recent = new RecentLines();
  readonly #watch: ChainWatch;
  readonly #begun = Promise.withResolvers<void>();
  readonly #ids = new Map<number, RequestId>(); // what requests are called that said something, by its number
  #self: Self;
  #name: string; // that it goes by, or will ask for when it is in
  #lastName: string | undefined; // by which it was in last
  #after: number | null = null; // the number of the last line that was seen
  #link: RoomLink | undefined; // the connection that leads into the room
  #room: Event<"room"> | undefined; // what the server last said of it
  #early: Told[] = []; // to be shown once the client is in
  #told = { topic: "", slow: 0 }; // what was shown of that
  #failedAny = false;
  #isSealed = false;
  #isHeld = false; // what is said, at the server, as far as was shown
  #place = ""; // where the client was last
  /** How the server is called to which the present connection leads. */
  address: string;

  /** Nothing is said so far. @param self Who this client is. @param name One that `parseName` has accepted. */
  constructor(options: ConversationOptions, self: Self, name: string) {
    this.#options = options;
    this.address = options.address;
    this.#self = self;
    this.#name = name;
    const { known, view } = options;
    this.#watch = new ChainWatch({
      ask: (request) => this.#requests.ask(request),
      page: (before, count) => this.#requests.page(before, count),
      remembered: () => known?.seen,
      remember: (seen) => {
        known?.saw(seen);
        known?.keep();
      },
      differs: (difference) => this.#differs(difference),
      begins: (seen) => view.note(laterLogSentence(seen)),
      left: (holes) => view.note(holesSentence(holes)),
    });
  }

  /** The name that the client goes by, or asks for. */
  get name(): string {
    return this.#name;
  }

  /** Everybody in the room, this client included; nobody while it is not connected. */
  get present(): readonly Present[] {
    return this.#link?.present ?? [];
  }

  /** Whether the room is sealed. */
  get isSealed(): boolean {
    return this.#isSealed;
  }

  /** The keepers of a sealed room, as far as they are known now; undefined for an open one. */
  get keepers(): readonly Somebody[] | undefined {
    return this.#isSealed ? this.#link?.keepers ?? [] : undefined;
  }

  /** The room is sealed, and stays so. */
  sealed(): void {
    this.#isSealed = true;
    this.#requests.sealed();
    this.stand();
  }

  /** What the room is about; empty for nothing. */
  get topic(): string {
    return this.#room?.topic ?? "";
  }

  /** Lines that are not yet in the server's log. */
  get waiting(): number {
    return this.#outbox.size;
  }

  /** Whether any line or private message was refused, or lost at the end. */
  get failedAny(): boolean {
    return this.#failedAny || this.#options.mail?.outgoing.failedAny === true;
  }

  /** Whether the client has ever been in the room. */
  get hasBegun(): boolean {
    return this.#after !== null;
  }

  // ── What the client says and asks for ────────────────────────────────────────────────────────────────

  /** Asks to be let in. @returns As `Link.join`. */
  join(link: RoomLink): Promise<Refused | undefined> {
    // The server takes only numbers above the one that it is told here.
    return link.join(this.#name, this.#outbox.before, this.#after);
  }

  /**
   * Says something, when there is room for the next line.
   * @param id What the request is called. @returns The line's number, null if it can't be said.
   */
  async say(typed: Omit<Line, "n">, id?: RequestId): Promise<number | null> {
    const text = typed.text.toWellFormed(); // half a surrogate pair is no UTF-8
    const { what = "said" } = typed;
    const known = wordsRefusal({ what, text }) ?? this.#aboutRefusal(typed);
    // What need not be looked up is said at once.
    const reason = known ??
      (this.#isOld(typed) ? await this.#oldRefusal(typed) : undefined);
    if (reason) {
      this.#showRefused(typedText(typed), { reason, detail: "" }, id);
      return null;
    }
    const n = await this.#outbox.add({ ...typed, text }, (n) => {
      if (id !== undefined) this.#ids.set(n, id);
    });
    this.stand();
    return n;
  }

  /** Why a line about another can't be said, as far as this client knows that one. */
  #aboutRefusal(
    { what = "said", to, text }: Omit<Line, "n">,
  ): Refusal | undefined {
    if (!isAbout(what)) return undefined;
    // The server of a sealed room can't say so.
    const isAhead = this.#isSealed && (to ?? 0) > (this.#after ?? Infinity);
    if (isAhead || this.#recent.isNothingSaid(to ?? 0)) return "reply-unknown";
    const about = this.#recent.find(to ?? 0);
    if (!about || what === "replied") return undefined;
    if (about.changed?.deleted) return "message-deleted";
    const { person } = this.#self;
    if (!mayChange({ what, person }, about.line)) return "change-not-yours";
    if (what !== "reacted") return undefined;
    const own = about.changed?.reactions.find((it) => it.person === person);
    if (text !== (own?.text ?? "")) return undefined;
    return text === "" ? "reaction-none" : "reaction-same";
  }

  /** Whether a line is about one that this client has to look up, because the server can't. */
  #isOld({ what = "said", to }: Omit<Line, "n">): boolean {
    return isAbout(what) && this.#link?.recall !== undefined &&
      !this.#recent.find(to ?? 0);
  }

  /** Why a line about such a one can't be said. */
  async #oldRefusal(
    { what = "said", to }: Omit<Line, "n">,
  ): Promise<Refusal | undefined> {
    const about = await this.#link?.recall?.(to ?? 0);
    if (about === "unreadable") return undefined; // those who read it look at it
    const isSaid = about && mayBeSpoken(about.what) && !about.wrong;
    if (!isSaid) return "reply-unknown";
    if (what === "replied" || about.what === "sealed") return undefined;
    const { person } = this.#self;
    return mayChange({ what, person }, about) ? undefined : "change-not-yours";
  }

  /** Comes as somebody else, under another name: the client hasn't been in yet. */
  become(self: Self, name: string): void {
    this.#self = self;
    this.#name = name;
    this.stand();
  }

  /** Takes another name, now or, if the client is not connected, when it comes back. */
  rename(name: string, id?: RequestId): void {
    if (name === this.#name) {
      return this.#fail(`You go by "${name}" already`, id);
    }
    if (this.#link) return this.#requests.rename(name, id);
    this.#name = name;
    this.stand();
  }

  /**
   * The name that the client asked for while it was away is refused: it comes back by the one that it had.
   * @returns Whether it asked for another.
   */
  keepName(refused: Refused): boolean {
    const last = this.#lastName;
    if (last === undefined || this.#name === last) return false;
    this.#showRefused(this.#name, refused);
    this.#name = last;
    this.stand();
    return true;
  }

  /**
   * Tells everybody, now or when it is back, that this client is away from the keyboard; or, with "", no longer.
   * What they know already is told to nobody again.
   */
  away(typed: string, id?: RequestId): void {
    const shown = isBlank(typed) ? "" : typed;
    const text = this.#isSealed
      ? this.#unsaid(shown, id)
      : this.#sendable(shown, "be away with that text", id);
    if (text === null) return;
    if (text !== this.#requests.awayText) return this.#requests.away(text, id);
    this.#fail(
      text === ""
        ? "You are not away"
        : text === PLAIN_AWAY
        ? "You are away already"
        : `You are away already: ${escapeText(text)}`,
      id,
    );
  }

  /** What the server of a sealed room is told in place of why somebody is away. */
  #unsaid(text: string, id?: RequestId): string {
    if (text === "" || text === PLAIN_AWAY) return text;
    this.#options.view.note(
      "The others see that you are away, not why: the server of a sealed room could read it",
      id,
    );
    return PLAIN_AWAY;
  }

  /** Gives up all names of this client's person but the one that it goes by. */
  release(id?: RequestId): void {
    if (this.#link) this.#requests.release(id);
    else this.#fail("Not connected", id);
  }

  /** Asks for what only operators may do. */
  operate(
    what: Operation | "keeper",
    whom: string,
    words: string,
    count: number,
    id?: RequestId,
  ): void {
    const who = this.#sendable(whom, "find anybody of that name", id);
    const text = this.#sendable(words, `send that ${what}`, id, MAX_TEXT_SIZE);
    if (who === null || text === null) return;
    if (what === "keeper" && !this.#isSealed) {
      return this.#fail("Only a sealed room has keepers; here it is /op", id);
    }
    if (this.#link) this.#requests.operate(what, who, text, count, id);
    else this.#fail("Not connected", id);
  }

  /**
   * Asks for the last lines that have all the words; for any if there are none.
   * @param before Only those before the line of that number. Default: all.
   */
  search(
    typed: string,
    count: number,
    id?: RequestId,
    before?: number,
  ): void {
    const words = this.#sendable(typed, "search for that", id);
    if (words === null) return;
    if (!this.#requests.search(words, count, id, before)) {
      this.#fail("Cannot search: too many searches are open", id);
    } else if (!this.#link) {
      this.#options.view.note("Not connected; will be asked on reconnect");
    }
  }

  /** Shows what to compare with others, to be sure that they have the same history up to a line. Default: the last. */
  agree(wanted?: number, id?: RequestId): void {
    const [first, last] = this.#watch.range ?? [];
    const upTo = wanted ?? last ?? 0;
    const value = this.#watch.at(upTo);
    if (value) {
      const digits = agreement(value);
      return this.#options.view.show({ type: "agreement", upTo, digits, id });
    }
    const why = first === undefined
      ? "the server has not told where it begins"
      : `this client knows those from ${first} to ${last}`;
    this.#fail(`Cannot compare the history up to line ${upTo}: ${why}`, id);
  }

  /** Takes what the server says for the history, where that was in doubt. */
  accept(id?: RequestId): void {
    if (!this.#watch.accept()) {
      return this.#fail("There is nothing to accept", id);
    }
    this.#link?.accepted?.();
    const { view } = this.#options;
    view.note("Accepted: history is what the server has from now on", id);
    if (id !== undefined) view.show({ type: "done", id });
    this.stand();
  }

  /** Last words as they can be sent; null, which is told, if they can't: then the client doesn't leave. */
  lastWords(typed: string): string | null {
    if (this.#isSealed) {
      this.#options.view.note(
        "Last words are not sent in a sealed room: its server could read them",
      );
      return "";
    }
    return this.#sendable(typed, "leave with that text");
  }

  /**
   * A text as the server takes it, beside messages: else it would end the connection. Null, which is told, if it is
   * too long.
   * @param deed What can't be done with it then. @param most UTF-16 units.
   */
  #sendable(
    text: string,
    deed: string,
    id?: RequestId,
    most = MAX_STRING,
  ): string | null {
    if (text.length <= most) return text.toWellFormed(); // half a surrogate pair is no UTF-8
    this.#fail(`Cannot ${deed}: it has more than ${most} characters`, id);
    return null;
  }

  #fail(message: string, id?: RequestId): void {
    tellFailure(this.#options.view, message, id);
  }

  /** Resolves when the client has come into the room, and been told what it missed; or when it has left. */
  inRoom(): Promise<void> {
    return this.#begun.promise;
  }

  /**
   * Resolves when the client has been in, every line and private message is settled, and what was asked for is answered;
   * or when it has left.
   */
  async settled(): Promise<void> {
    await this.inRoom();
    await this.#outbox.settled();
    await this.#options.mail?.outgoing.settled();
    await this.#link?.idle?.();
    await this.#requests.settled();
  }

  /** Makes nobody wait any more: the client leaves. */
  leave(): void {
    this.#begun.resolve();
    this.#requests.close();
    this.#outbox.close();
    this.#options.mail?.outgoing.close();
    this.stand();
  }

  /** Sends all lines again that aren't settled: those that went out before don't count. */
  resend(): void {
    if (this.#link) this.#outbox.connected(this.#link);
  }

  /** Resolves when all is sent and settled, as far as it can be. @param patience For the settling, ms. */
  async flush(patience: number): Promise<void> {
    const mail = this.#options.mail?.outgoing;
    await Promise.all([this.#outbox.flush(patience), mail?.flush(patience)]);
  }

  /** Shows which lines may be lost: the client ends. */
  showLost(): void {
    const { view, mail } = this.#options;
    const lines = this.#outbox.lines.map(typedText);
    for (const text of [...lines, ...mail?.outgoing.typed ?? []]) {
      this.#failedAny = true;
      view.show({ type: "lost", text });
    }
  }

  /** The connection is gone. @returns Whether it had led into the room. */
  disconnected(): boolean {
    const hadEntered = this.#link !== undefined;
    this.#early = [];
    if (hadEntered) {
      this.#watch.parted();
      this.#options.files?.parted();
      this.#options.mail?.parted();
    }
    this.#link = undefined;
    this.#outbox.disconnected();
    for (const id of this.#requests.takeWishes()) {
      this.#fail("Perhaps not done: the connection was lost", id);
    }
    this.#name = this.#requests.disconnected() ?? this.#name;
    this.stand();
    return hadEntered;
  }

  /** Tells the view where the client stands. */
  stand(): void {
    this.#options.view.stand({
      name: this.#name,
      connected: this.#link !== undefined,
      members: this.#link?.count ?? 0,
      waiting: this.#unsettled,
      ...(this.#isSealed ? { sealed: true } : {}),
      ...(this.#watch.difference ? { differs: true as const } : {}),
    });
  }

  /** Lines and private messages that have no answer yet. */
  get #unsettled(): number {
    return this.#outbox.size + (this.#options.mail?.outgoing.size ?? 0);
  }

  /** The number of what this client's person said last and can edit, as far as this client knows. */
  get lastOwn(): number | undefined {
    return this.numbers("own").find((seq) =>
      this.#recent.find(seq)?.line.what !== "offered"
    );
  }

  /** The numbers of what was said lately, by anybody or by this client's person, newest first. */
  numbers(kind: "spoken" | "own"): readonly number[] {
    return this.#recent.numbers(kind === "own" ? this.#self.person : undefined);
  }

  // ── What it hears ────────────────────────────────────────────────────────────────────────────────────

  /** The link has led into the room. */
  entered(
    link: RoomLink,
    welcome: Event<"welcome">,
    missed: readonly HeardLine[],
    joining: number | null,
    { start, lines }: Past,
  ): void {
    const { view, files, others = [] } = this.#options;
    const { address } = this;
    const again = this.hasBegun;
    const moved = again && address !== this.#place;
    this.#place = address;
    for (const line of missed) this.#settle(line);
    const { history = Infinity } = this.#options;
    const told = current(missed);
    // What came after its joining is no history, though it comes with it.
    const before = told.filter(({ line }) => line.seq < (joining ?? Infinity));
    const firstShown = again ? 0 : startOfLast(history, before);
    const shown = told.slice(firstShown);
    told.slice(0, firstShown).forEach((line) => this.#remember(line));
    this.#after = welcome.seq;
    this.#link = link;
    const wished = this.#name;
    const self = link.present.find(({ id }) => id === this.#self.id);
    // A member comes into a sealed room by the name that it has there.
    const isNamed = this.#isSealed && self?.connections === 1;
    const isRenamed = again ? wished !== this.#lastName : isNamed;
    this.#name = this.#lastName = welcome.name;
    this.#options.named?.(welcome.name);
    const { known } = this.#options;
    this.#options.proven?.();
    known?.entered(link.serverKey, address, [this.#options.address, ...others]);
    const absence = known?.isHere(Date.now()) ?? 0;
    view.show({
      type: "entered",
      address,
      name: this.#name,
      others: link.count - 1,
      seq: joining ?? welcome.seq,
      at: welcome.at,
      person: this.#self.person,
      earlier: shown.filter(({ line }) =>
        isSpoken(line.what) && (!again || !this.#isOwn(line))
      ).length,
      again,
      ...(moved ? { moved } : {}),
      waiting: this.#unsettled,
    });
    if (joining !== null) this.#recent.addOther(joining);
    for (const line of shown) this.#showLine(line, true);
    view.show({ type: "current" });
    for (const member of link.present) this.#meet(member);
    known?.keep();
    this.#tellRoom((text) => greet(this.#options.view, text));
    const early = this.#early.splice(0);
    early.forEach((event) => this.told(event));
    if (!early.some(({ kind }) => kind === "waiting")) this.#holds(false);
    this.#requests.connected(link);
    this.#watch.entered(start, lines, welcome.seq);
    if (absence > LETTERS_KEPT) view.note(absenceSentence(absence));
    if (self?.away && this.#requests.awayText === "") {
      this.#requests.wasAway(self.away); // by another client of the same person
    }
    // Its person was there still, or by another client: then its name is as it was.
    if (isRenamed && wished !== welcome.name) this.#requests.rename(wished);
    const ask: ServerRequests["ask"] = (request) => this.#requests.ask(request);
    files?.joined(link.fileRoom?.(ask) ?? openFileRoom(ask));
    this.#begun.resolve();
    this.stand();
    this.#outbox.connected(link);
    const room = link.mailRoom?.(ask) ?? openMailRoom(link, ask);
    this.#options.mail?.joined(room);
  }

  /** Somebody else is there. */
  #meet(member: Present): void {
    if (member.id !== this.#self.id) this.#options.known?.met(member);
  }

  /** The last line that this client had, and the chain's value there; undefined where it follows none. */
  get seen(): Seen | undefined {
    const [, seq] = this.#watch.range ?? [];
    const value = seq === undefined ? undefined : this.#watch.at(seq);
    return seq === undefined || !value ? undefined : { seq, value };
  }

  /** What the server says now of the past isn't what this client saw. @param from The first line of which that is known. */
  doubt(from: number): void {
    this.#watch.doubt(from);
  }

  /** The last lines before a number, as the server tells them. */
  page(before: number, count: number): Promise<PageAnswer> {
    return this.#requests.page(before, count);
  }

  /** The connection of a sealed room has ended: no page comes over it any more. */
  ended(): void {
    this.#requests.endPages();
  }

  /** Whether the one who said a line had seen another history, as `ChainWatch.seenDiffers`. */
  seenDiffers(seen: Seen, line: number): boolean | undefined {
    return this.#watch.seenDiffers(seen, line);
  }

  /** The client will come into a sealed room with those lines, once they are opened. */
  foresee({ start, lines }: Past): void {
    this.#watch.foresee(start, lines);
  }

  /** The next line of the log has come. */
  took(line: LogEntry): void {
    this.#watch.take(line);
  }

  /** A line came over the link. */
  happened(line: HeardLine, own: boolean, member?: Present): void {
    this.#after = Math.max(line.seq, this.#after ?? 0); // what is opened late is older
    if (member && !isSent(line.what)) {
      this.#meet(member);
      this.#options.known?.keep();
    }
    let id: RequestId | undefined;
    if (own && line.what === "renamed") {
      if (this.#isMine(line)) id = this.#requests.renamed();
      this.#name = this.#lastName = line.text;
      this.#options.named?.(line.text);
    }
    this.#showLine({ line }, false, id);
    this.#settle(line);
    if (own || !isSent(line.what)) this.stand();
  }

  /** The server has refused a line or, if `n` is null, something that it was asked for. */
  refused(n: number | null, reason: string, detail: string): void {
    const refused = { reason, detail };
    if (n !== null) {
      const line = this.#outbox.settle(n);
      if (!line) return;
      this.#showRefused(typedText(line), refused, this.#takeId(n));
      return this.stand();
    }
    if (reason === "log-unreadable") { // as only searches and pages need it to be
      const id = this.#requests.readRefused();
      if (id === null) return;
      return this.#fail(reasonWords(reason, detail), id);
    }
    const { text, id } = this.#requests.nameRefused();
    this.#showRefused(text, refused, id);
  }

  /** What `operate` or `release` asked for is done, or refused. */
  answered(number: number, answers: readonly WishAnswer[]): void {
    const id = this.#requests.answered(number);
    for (const answer of answers) this.#tellAnswer(answer, id);
    if (id !== undefined) this.#options.view.show({ type: "done", id });
  }

  #tellAnswer(answer: WishAnswer, id: RequestId | undefined): void {
    const { address } = this;
    const { view } = this.#options;
    switch (answer.kind) {
      case "notice":
        return view.note(answer.text, id);
      case "refused":
        return this.#fail(undoneSentence(answer), id);
      case "invited": {
        const { uses, until, note } = answer;
        const serverKey = this.#link?.serverKey;
        if (!serverKey) return;
        const link = linkOf(answer, serverKey, address);
        const web = isOrigin(address) && !isOrigin(link)
          ? { web: formatWebLink(link, address) }
          : {};
        const invite = { link, ...web, uses, until, note };
        return view.show({ type: "invited", ...invite, id });
      }
    }
  }

  /** A second has passed. */
  ticked(): void {
    const { known } = this.#options;
    known?.isHere(Date.now());
    known?.keep();
    this.#watch.tick();
  }

  /** The server has told a value. */
  agreed(event: Event<"agreed">): void {
    this.#watch.agreed(event);
  }

  /** The server has told a page of the log. */
  paged(id: number, past: Past, more: boolean): void {
    this.#requests.paged(id, { ...past, more });
  }

  /** The history isn't what this client saw. */
  #differs(difference: Difference): void {
    this.#options.view.show({ type: "history-differs", ...difference });
    this.stand();
  }

  /** Somebody went away from the keyboard, or came back. */
  absent({ name, person }: Present, text: string, own: boolean): void {
    const id = own ? this.#requests.wasAway(text) : undefined;
    const type = "away-message";
    this.#options.view.show({ type, name, person, text, own, id });
  }

  /** The server reads this client no faster than it may go. */
  slowed(): void {
    this.#options.view.note(
      "You are sending faster than the server accepts; sending more slowly",
    );
  }

  /** The server tells something else. Of the room's settings, only what is new is shown. */
  told(event: Told): void {
    if (event.kind === "servers") return this.#options.learned?.(event.list);
    if (!this.#link && event.kind !== "room") {
      return void this.#early.push(event);
    }
    switch (event.kind) {
      case "motd":
        return event.text.split("\n").forEach((line) =>
          greet(this.#options.view, escapeText(line))
        );
      case "waiting":
        return this.#holds(event.is);
      case "room":
        this.#room = event;
        if (this.#link) {
          this.#tellRoom((text) => this.#options.view.note(text));
        }
    }
  }

  /** Whether what is said waits at the server. */
  #holds(is: boolean): void {
    if (is === this.#isHeld) return;
    this.#isHeld = is;
    const { view } = this.#options;
    if (view.held) return view.held(is);
    view.note(
      is
        ? "The server can't reach the room's other servers: messages wait there"
        : "Messages go out again",
    );
  }

  #tellRoom(note: (text: string) => void): void {
    const { topic, slow } = this.#room ?? this.#told;
    if (topic !== this.#told.topic) {
      note(topic === "" ? "No topic any more" : `Topic: ${escapeText(topic)}`);
    }
    if (slow !== this.#told.slow) {
      note(
        slow === 0
          ? "Slow mode is off"
          : `Slow mode: one message every ${slow} s`,
      );
    }
    this.#told = { topic, slow };
  }

  /** The server said something about files. */
  file(event: FileEvent): void {
    this.#options.files?.heard(event);
  }

  /** The server said something about private messages. */
  mail(event: MailEvent): void {
    this.#options.mail?.heard(event);
  }

  /** A search has its answer. @param backTo As for `LinkListener.found`. */
  found(
    id: number,
    lines: readonly HeardLine[],
    more: boolean,
    backTo?: number,
  ): void {
    const search = this.#requests.found(id);
    if (!search) return;
    const { words, id: request } = search;
    const told = current(lines);
    const news = told.map((line) => warningOf(line) ?? this.#news(line, true));
    for (const line of told) this.#remember(line);
    this.#options.view.show({
      type: "found",
      words,
      lines: news,
      more,
      ...(backTo === undefined ? {} : { backTo }),
      id: request,
    });
  }

  /** A search can't be done now: the server can't read its log. */
  unsearched(id: number): void {
    const search = this.#requests.found(id);
    if (search) this.#fail(reasonWords("log-unreadable", ""), search.id);
  }

  /** Whether this client's person did it, by whatever connection. */
  #isOwn({ person }: LogEntry): boolean {
    return person === this.#self.person;
  }

  /** Whether it was done by this run of the client: then its number is one of this client's. */
  #isMine({ person, stay }: LogEntry): boolean {
    return person === this.#self.person && stay === this.#self.stay;
  }

  /** A line of this client's is in the log. A leaving has a number that the next line takes. */
  #settle(line: LogEntry): void {
    if (isSent(line.what) && this.#isMine(line)) this.#outbox.settle(line.n);
  }

  #news({ line, changed }: CurrentLine, past: boolean): RoomNews {
    const { seq, at, what: type, to, name, person, text, told } = line;
    const own = this.#isOwn(line);
    const about = to === null ? undefined : this.#recent.find(to)?.line;
    const quoted = about &&
      { name: about.name, person: about.person, text: about.text };
    return {
      ...{ type, seq, at, to, name, person, text, own, past },
      ...(quoted ? { quoted } : {}),
      ...(told === undefined ? {} : { told }),
      ...(changed ? { changed } : {}),
      ...(this.#watch.difference ? { doubted: true as const } : {}),
      ...(line.unchecked ? { unchecked: true as const } : {}),
    };
  }

  /** What deals with files learns of those that are offered, and no longer offered. */
  #noteOffer({ line, changed }: CurrentLine): void {
    const { files } = this.#options;
    if (line.what === "offered" && !changed?.deleted) {
      files?.offered(line, this.#isMine(line));
    } else if (line.what === "deleted" && line.to !== null) {
      const about = this.#recent.find(line.to)?.line;
      if (about && mayChange(line, about)) files?.withdrawn(line.to);
    }
  }

  /** Notes a line that isn't shown: its file can be taken, and it can be answered. */
  #remember(told: CurrentLine): void {
    if (told.line.wrong !== undefined) return;
    this.#noteOffer(told);
    this.#recent.add(told);
  }

  /** @param id What the request is called that the line answers, where its number doesn't tell. */
  #showLine(told: CurrentLine, past: boolean, id?: RequestId): void {
    const { line } = told;
    const isMine = this.#isMine(line);
    const news = this.#news(told, past); // which quotes a line as it was
    this.#remember(told);
    const request = id ??
      (isMine && isSent(line.what) ? this.#takeId(line.n) : undefined);
    this.#options.view.show({
      ...news,
      ...(isMine ? { mine: true } : {}),
      id: request,
    });
  }

  /** What the request is called by which a line was said. */
  #takeId(n: number): RequestId | undefined {
    const id = this.#ids.get(n);
    this.#ids.delete(n);
    return id;
  }

  #showRefused(text: string, refused: Refused, id?: RequestId): void {
    this.#failedAny = true;
    const type = "refused";
    this.#options.view.show({ type, text, ...refused, id });
  }
}

/** What is said of a line that doesn't fit, in place of it; undefined for one that does. */
function warningOf(
  { line: { seq, name, person, wrong } }: CurrentLine,
): LineWarning | undefined {
  if (wrong === undefined) return undefined;
  return { type: "warning", line: seq, name, person, reason: wrong };
}

/** Where the last lines begin among which so many were said. @param count How many; 0: behind all lines. */
function startOfLast(count: number, lines: readonly CurrentLine[]): number {
  if (count === 0) return lines.length;
  const said = lines.flatMap(({ line }, at) => isSpoken(line.what) ? [at] : []);
  return said.length <= count ? 0 : said[said.length - count] ?? 0;
}
