/**
 * Stands between a connection and the conversation in a sealed room. What comes is taken in order: control lines are
 * followed, sealed lines opened, and what doesn't fit is warned of; the conversation hears of ordinary lines. What the
 * conversation says is sealed.
 *
 *     Link ──▶ queue ──▶ takeLines ──▶ Conversation
 *     Link ◀── sealer ◀── say ─────────────┘
 *
 *     begun ── join: follow, check ──▶ entering ── entered ──▶ in ── the connection ends ──▶ closed
 *
 * @module
 */

import { quote } from "../../base/safe_text.ts";
import { type Bytes, toBase64url } from "../../../crypto_utils.ts";
import type { Event } from "../../protocol/events.ts";
import type { Line, LogEntry } from "../../protocol/line.ts";
import { controlVerb } from "../../protocol/line.ts";
import type { Goodbye } from "../../protocol/reasons.ts";
import { entryRefused, JoinError } from "../join_error.ts";
import type { FileEvent, FileRoom } from "../file_room.ts";
import type { Known } from "../known.ts";
import type { MailEvent, MailRequest, MailRoom } from "../mail/mail_room.ts";
import type {
  Link,
  LinkListener,
  Past,
  Refused,
  RoomLink,
  SealedNews,
  SealedRequest,
  ServerRequest,
  Told as ToldEvent,
  WishAnswer,
} from "../link.ts";
import type { Somebody } from "../person.ts";
import type { PageAnswer } from "../pending_pages.ts";
import { greet, type Present, type View } from "../view.ts";
import {
  comeIn,
  type Entrance,
  type InviteSecret,
  type Told,
} from "./coming_in.ts";
import type { HeardLine } from "../../protocol/changes.ts";
import { Doubts } from "./doubts.ts";
import { makeFirstInvite } from "./first_invite.ts";
import type { InviteMaker } from "./invites.ts";
import { Keeper, notice } from "./keeper.ts";
import { LineQueue } from "./line_queue.ts";
import { PastRoom } from "./past_room.ts";
import { withHolder } from "./name_holder.ts";
import { Rules } from "./rules.ts";
import { sealedFileRoom } from "./sealed_files.ts";
import { sealedMailRoom } from "./sealed_mail.ts";
import { Sealing } from "./sealing.ts";
import type { SealedRoom, Verdict } from "./sealed_room.ts";
import { takeLines, type Taken } from "./take_lines.ts";
import { shownAway } from "../../sealed/unsigned.ts";

/** How often a keeper looks whether something is due, ms. */
const LOOK_EVERY = 3_600_000;

/** What hears of ordinary lines. */
export interface SealedListener extends LinkListener {
  /** Says all lines again that aren't settled. */
  resend(): void;
  /** The last lines before a number, as the server tells them. */
  page(before: number, count: number): Promise<PageAnswer>;
  /** A search can't be done now: the server can't read its log. */
  unsearched(id: number): void;
  /** The connection has ended: no page is told any more. */
  ended(): void;
}

/** What a connection to a sealed room is made of. */
export interface SealedLinkOptions {
  /** What this client knows of the room. */
  readonly room: SealedRoom;
  /** What hears of ordinary lines. */
  readonly listener: SealedListener;
  /** Where warnings and notes go. */
  readonly view: View;
  /** How the server is called, `HOST:PORT`. */
  readonly address: string;
  /** By what the client comes; undefined: by its key. */
  readonly invite: InviteSecret | undefined;
  /** What is remembered of rooms, if anything is. */
  readonly known?: Known | undefined;
  /** Whether the invite for others is made and told that a founder needs, where it is a keeper and none is open. */
  readonly makesInvite: "never" | "if none is open" | "always";
  /** Asks a person; false where nobody can be asked. */
  readonly confirm: (question: string) => Promise<boolean>;
  /** As for `Comer`. */
  readonly founds: () => Promise<boolean>;
}

/** A line, and who did it. */
interface Heard {
  readonly line: LogEntry;
  readonly own: boolean;
  readonly member: Present | undefined;
}

/** What the server answers to who asks for control lines. */
interface Arrival {
  readonly wraps: Event<"wrapped">[];
  followed?: Told;
  refused?: Refused;
}

/** A connection to a sealed room. */
export class SealedLink implements LinkListener, RoomLink {
  readonly #options: SealedLinkOptions;
  readonly #room: SealedRoom;
  readonly #listener: SealedListener;
  readonly #link: Link;
  readonly #queue = new LineQueue<Heard>();
  readonly #rules: Rules;
  readonly #maker: InviteMaker;
  readonly #keeper: Keeper;
  readonly #past: PastRoom;
  #last = 0; // the number of the last line that was taken
  readonly #sealing: Sealing;
  readonly #doubts: Doubts;
  #arrival: Arrival | undefined; // while control lines are asked for
  #entrance: Entrance | undefined;
  #isIn = false;
  #isClosed = false;
  #looking: ReturnType<typeof setInterval> | undefined;
  readonly #passed = new Map<number, WishAnswer[]>(); // what the server was asked for, and what is said once it is done
  #tasks: Promise<void> = Promise.resolve(); // what keepers do, beside the queue

  /**
   * Connects to the server.
   *
   * @param options The room, whom it tells, and where the server is.
   * @param connect Makes the connection, which tells this listener.
   */
  constructor(
    options: SealedLinkOptions,
    connect: (listener: LinkListener) => Link,
  ) {
    this.#options = options;
    this.#room = options.room;
    this.#listener = options.listener;
    this.#link = connect(this);
    const send = (...requests: readonly SealedRequest[]) =>
      this.#link.ask(...requests);
    this.#rules = new Rules(options.room, { send, sync: () => this.#sync() });
    const { room, address, view, listener } = options;
    this.#maker = { room, rules: this.#rules, send };
    this.#keeper = new Keeper({ ...this.#maker, address });
    this.#doubts = new Doubts(room, view);
    this.#sealing = new Sealing({
      room,
      view,
      ask: send,
      resend: () => listener.resend(),
    });
    this.#past = new PastRoom({
      room,
      page: async (before, count) =>
        this.#isClosed ? "gone" : await listener.page(before, count),
      note: (text) => view.note(text),
      found: ({ id }, found) =>
        this.#alone(() => {
          if (found === "untold") listener.unsearched(id);
          else listener.found(id, found.lines, found.more, found.backTo);
        }),
    });
  }

  /** As `Link.run`; ends when all that came is carried out. */
  async run(): Promise<Goodbye> {
    const carryingOut = this.#queue.run((heard) => this.#take(heard))
      .catch((error) => {
        this.#link.close();
        throw error;
      }).finally(() => this.#rules.close()); // what is answered last has been taken
    const staying = this.#link.run().finally(() => this.#end());
    const [stayed, carriedOut] = await Promise.allSettled([
      staying,
      carryingOut,
    ]);
    await this.#tasks;
    this.#room.keep();
    if (carriedOut.status === "rejected") throw carriedOut.reason;
    if (stayed.status === "rejected") throw stayed.reason;
    // Who is removed reads so in a keeper's line; what the server alone says of it is a connection that ended.
    return stayed.value === "removed" ? "lost" : stayed.value;
  }

  #end(): void {
    this.#isClosed = true;
    clearInterval(this.#looking);
    this.#queue.end();
    this.#sealing.close();
    this.#rules.lost();
    this.#listener.ended();
  }

  // ── What the conversation sees of it ─────────────────────────────────────────────────────────────────

  /** The server's key, 32 bytes. */
  get serverKey(): Bytes {
    return this.#link.serverKey;
  }

  /** The members who are there, under the names that they signed. */
  get present(): readonly Present[] {
    return this.#link.present.flatMap((it) => this.#asMember(it) ?? []);
  }

  /** The keepers, whether they are there or not. */
  get keepers(): readonly Somebody[] {
    const { membership } = this.#room;
    return membership.keepers.flatMap((it) => {
      const member = membership.member(it);
      return member
        ? [{ id: it, name: member.name, person: member.short }]
        : [];
    });
  }

  /** Through what private messages go. */
  mailRoom(ask: (request: MailRequest) => void): MailRoom {
    const room = this.#room;
    const present = () => this.present;
    return sealedMailRoom({
      get record() {
        return room.record;
      },
      get present() {
        return present();
      },
    }, ask);
  }

  /** Through what files go. */
  fileRoom(ask: FileRoom["ask"]): FileRoom {
    return sealedFileRoom(this.#room, () => this.#sealing.key(), ask);
  }

  /** How many are there. */
  get count(): number {
    return this.present.length;
  }

  #asMember(present: Present): Present | undefined {
    const member = this.#room.membership.member(present.id);
    const away = shownAway(present.away);
    return member && { ...present, name: member.name, away };
  }

  /**
   * Asks to be let in.
   * @throws {JoinError} if the room isn't the one that it should be, or this client no member.
   */
  async join(
    name: string,
    n: number,
    after: number | null,
  ): Promise<Refused | undefined> {
    const { room, invite, founds, confirm } = this.#options;
    const follow = (after: number) => this.#follow(after);
    const entrance = await comeIn({
      ...{ room, invite, name },
      ...{ founds, confirm, follow },
    });
    if (!entrance) return undefined;
    this.#entrance = entrance;
    await this.#link.ask(...entrance.requests);
    const refused = await this.#link.join(entrance.name, n, after);
    return refused && withHolder(refused, room.membership, name);
  }

  async #follow(after: number): Promise<Told | undefined> {
    this.#arrival = { wraps: [] };
    await this.#link.ask({ kind: "follow", after });
    const isTold = await this.#link.fence();
    const { followed, wraps, refused } = this.#arrival;
    this.#arrival = undefined;
    if (refused) throw notFollowed(refused);
    if (!isTold) return undefined;
    if (followed) return { ...followed, wraps };
    throw notFollowed({ reason: "not-sealed", detail: "" });
  }

  /** Says lines, sealed; waits for the key if it isn't there. */
  async say(lines: readonly Line[]): Promise<void> {
    const { round } = this.#sealing;
    const epoch = await this.#sealing.key();
    if (!epoch) throw new Error("the connection has ended");
    const { sealer, seen } = this.#room;
    const sealed = await Promise.all(
      lines.map((line) => sealer.seal(line, epoch, seen)),
    );
    if (round !== this.#sealing.round) return; // all of them go out anew
    await this.#link.say(sealed);
  }

  /** Asks for something: what the server can't know or may not decide in a sealed room is done here. */
  async ask(...requests: readonly (ServerRequest | SealedRequest)[]) {
    for (const request of requests) await this.#ask(request);
  }

  async #ask(request: ServerRequest | SealedRequest): Promise<void> {
    switch (request.kind) {
      case "rename":
        return this.#begin(() => this.#rename(request.name));
      case "away":
        return await this.#link.ask({
          ...request,
          text: shownAway(request.text),
        });
      case "operate":
        if (request.what !== "slow") {
          return this.#begin(() => this.#operate(request));
        }
        this.#passed.set(request.id, []);
        return await this.#link.ask({ ...request, who: "", text: "" });
      case "release":
        this.#passed.set(request.id, [notice("You have no other name now")]);
        return await this.#link.ask(request);
      case "find":
        this.#past.open(request.id);
        // Once what has come so far is taken: there the search begins.
        return this.#alone(() =>
          this.#begin(() => this.#past.find(request, this.#last))
        );
    }
    await this.#link.ask(request);
  }

  /** Resolves when what keepers were asked for, and other names, are done and told; or the connection has ended. */
  async idle(): Promise<void> {
    let tasks: Promise<void>;
    do {
      tasks = this.#tasks;
      await tasks.catch(() => {}); // `run` throws it
    } while (tasks !== this.#tasks);
    await this.#sync();
  }

  /** History is taken for what the server has now. */
  accepted(): void {
    this.#alone(() => this.#room.restart(this.#last));
  }

  /** Ends a search, with what it has found. */
  endSearch(id: number): void {
    this.#past.end(id);
  }

  /** The line of that number, however old, undefined if there is none; or that it can't be had. */
  async recall(seq: number): Promise<HeardLine | "unreadable" | undefined> {
    const recalling = this.#past.recall(seq, this.#last);
    this.#begin(async () => void await recalling);
    return await recalling.catch(() => undefined); // `run` throws it
  }

  /** Ends the connection. */
  close(): void {
    this.#link.close();
  }

  // ── What the connection tells ────────────────────────────────────────────────────────────────────────

  /** Resolves when there is place for more; at once before the client is in: what it waits for may be behind the rest. */
  async ready(): Promise<void> {
    if (this.#isIn) await this.#queue.ready();
  }

  /** The client is in. */
  entered(
    link: RoomLink,
    welcome: Event<"welcome">,
    missed: readonly LogEntry[],
    joining: number | null,
    past: Past,
  ): void {
    const present = link.present.map((it) => ({ ...it })); // as they are now
    this.#alone(() => this.#enter(welcome, missed, joining, present, past));
  }

  /** The next line of the log has come: it is counted in the queue's order, after what came before the client was in. */
  took(): void {}

  /** Somebody said something, came or went. */
  happened(line: LogEntry, own: boolean, member?: Present): void {
    if (line.what === "ruled") {
      this.#alone(() => this.#take([{ line, own, member }]));
    } else this.#queue.push({ together: { line, own, member } });
  }

  /** Somebody went away from the keyboard, or came back. */
  absent(present: Present, text: string, own: boolean): void {
    this.#alone(() => {
      const member = this.#asMember(present);
      if (member) this.#listener.absent(member, shownAway(text), own);
    });
  }

  /** Something about private messages came. */
  mail(event: MailEvent): void {
    this.#alone(() => this.#listener.mail(event));
  }

  /** A second has passed. */
  ticked(): void {
    this.#listener.ticked();
  }

  /** The chain's value that was asked for. */
  agreed(event: Event<"agreed">): void {
    this.#listener.agreed(event);
  }

  /** The page that was asked for: its lines as they stand in the log. */
  paged(id: number, past: Past, more: boolean): void {
    this.#listener.paged(id, past, more);
  }

  /** Nothing was searched for by the server. */
  found(): void {}

  /** The server said something about files. */
  file(event: FileEvent): void {
    this.#alone(() => this.#file(event));
  }

  #file(event: FileEvent): void {
    if (event.kind !== "took") return this.#listener.file(event);
    const { name, person } = event;
    const member = this.#room.membership.members.get(person);
    if (member) return this.#listener.file({ ...event, name: member.name });
    this.#doubts.stranger({ name, person });
  }

  /** The server tells something else. */
  told(event: ToldEvent): void {
    // Nobody signs a topic.
    const told = event.kind === "room" ? { ...event, topic: "" } : event;
    this.#alone(() => this.#listener.told(told));
  }

  /** What was asked for is done, or refused. */
  answered(number: number, answers: readonly WishAnswer[]): void {
    if (this.#rules.answered(number, answers)) return;
    const done = this.#passed.get(number);
    if (!done) return; // nothing that the server was asked for
    this.#passed.delete(number);
    // No invite is the server's, and no words are shown that only it says.
    const refusals = answers.filter(({ kind }) => kind === "refused");
    const told = refusals.length > 0 ? refusals : done;
    this.#alone(() => this.#listener.answered(number, told));
  }

  /** The client says more than it may. */
  slowed(): void {
    this.#alone(() => this.#listener.slowed());
  }

  /** Something was refused. */
  refused(n: number | null, reason: string, detail: string): void {
    if (this.#arrival) {
      this.#arrival.refused = { reason, detail };
    } else if (
      n === null && reason !== "log-unreadable" && this.#rules.isOpen
    ) {
      this.#rules.refused(reason); // pages are refused otherwise
    } else {
      this.#alone(() => {
        if (n !== null) this.#room.sealer.settle(n);
        this.#listener.refused(n, reason, detail);
      });
    }
  }

  /** The server tells something of the room. */
  sealed(news: SealedNews, lines: readonly LogEntry[]): void {
    const arrival = this.#arrival;
    if (news.kind === "followed") {
      if (arrival) arrival.followed = { ...news, lines, wraps: [] };
    } else if (news.kind === "wrapped") {
      if (arrival) arrival.wraps.push(news);
      else this.#alone(() => this.#wrapped(news));
    } else this.#alone(() => this.#lacks(news.who));
  }

  #lacks(who: string): void {
    if (this.#keeper.lacks(who)) this.#begin(() => this.#keeper.give());
  }

  #alone(act: () => void | Promise<void>): void {
    this.#queue.push({ alone: act });
  }

  /** Resolves when all that the server has told so far is carried out. */
  async #sync(): Promise<boolean> {
    return await this.#link.fence() && await this.#queue.passed();
  }

  /** Does something that takes longer, beside the queue. What it can't send is lost with the connection. */
  #begin(act: () => Promise<void>): void {
    const acting = act().catch((error) => {
      if (!this.#isClosed) throw error;
    });
    // What tasks come to is kept no longer than they are under way.
    this.#tasks = Promise.all([this.#tasks, acting]).then(() => {});
    this.#tasks.catch(() => this.#link.close()); // `run` throws it
  }

  // ── Lines ────────────────────────────────────────────────────────────────────────────────────────────

  async #take(heard: readonly Heard[]): Promise<void> {
    if (!this.#isIn) return; // the connection ended before
    for (const { line } of heard) this.#listener.took(line);
    const taken = await takeLines(this.#room, heard.map(({ line }) => line));
    for (const [at, it] of taken.entries()) {
      this.#last = Math.max(this.#last, it.raw.seq);
      const { own, member } = heard[at] ?? { own: false };
      this.#room.saw(it.raw.seq);
      this.#show(it.verdict, own, member);
      await this.#settle(it);
    }
  }

  #show(verdict: Verdict, own: boolean, present?: Present): void {
    if ("warning" in verdict) return this.#doubts.warn(verdict.warning);
    const { line } = verdict;
    this.#doubts.unchecked(line);
    if (isRename(line)) return; // which the server's own line tells
    const isOwn = own || line.person === this.#room.self.person;
    const member = present && this.#asMember(present);
    this.#listener.happened(line, isOwn, member);
  }

  /** What a line brings about beside being shown. */
  async #settle({ raw, verdict, followed, wrong }: Taken): Promise<void> {
    const { self, sealer } = this.#room;
    const isMine = raw.person === self.person && raw.stay === self.stay;
    const isSaid = raw.what === "sealed" && "line" in verdict;
    if (isSaid && isMine) sealer.settle(raw.n);
    if (!followed) return;
    if (wrong) this.#doubts.key(wrong);
    const { before, after, control } = followed;
    if (before.member(self.id) && !after.member(self.id)) {
      const by = before.members.get(raw.person)?.name ?? "";
      throw after.barred.has(self.id) ? banned(by) : removed(by);
    }
    if (after.epoch > before.epoch && this.#isIn) {
      await this.#doubts.backs();
      await this.#sealing.renew();
    }
    this.#rules.followed();
    const mayBeDue = control.verb === "join" || control.verb === "close";
    if (mayBeDue && this.#isIn && this.#isFirstKeeper) this.#look();
  }

  /** Whether this client's person is the first of the keepers who are there. */
  get #isFirstKeeper(): boolean {
    const here = new Set(this.#link.present.map(({ id }) => id));
    const { keepers } = this.#room.membership;
    return keepers.find((id) => here.has(id)) === this.#room.self.id;
  }

  #look(isLate = false): void {
    this.#begin(() => this.#keeper.look(isLate));
  }

  // ── Coming in ────────────────────────────────────────────────────────────────────────────────────────

  async #enter(
    welcome: Event<"welcome">,
    missed: readonly LogEntry[],
    joining: number | null,
    present: readonly Present[],
    past: Past,
  ): Promise<void> {
    const room = this.#room;
    this.#last = welcome.seq;
    const inOrder = missed.toSorted((a, b) => a.seq - b.seq);
    if (welcome.seq < room.file.last) room.endBy(welcome.seq); // as the chain's watch tells
    room.foresee(past);
    const taken = await takeLines(room, inOrder);
    room.saw(welcome.seq);
    for (const it of taken) await this.#settle(it);
    const { own } = room;
    if (!own) {
      throw new JoinError(
        "The server let you in, and does not show that you are a member",
        "Tell the keepers of the room",
      );
    }
    this.#doubts.strangers(present);
    this.#entrance?.wrong.forEach((wrapped) => this.#doubts.key(wrapped));
    await this.#sealing.begin();
    const { known, view, address, makesInvite: when } = this.#options;
    const { serverKey } = this;
    const isMade = await makeFirstInvite(
      this.#maker,
      { when, view, address, serverKey },
    );
    if (!isMade) return; // the connection has ended
    room.entered();
    const shown = taken.flatMap(({ verdict }) => {
      if ("warning" in verdict) {
        this.#show(verdict, false);
        return [];
      }
      this.#doubts.unchecked(verdict.line);
      return isRename(verdict.line) ? [] : [verdict.line];
    });
    await this.#doubts.backs();
    this.#isIn = true;
    this.#listener.entered(
      this,
      { ...welcome, name: own.name },
      shown,
      joining,
      past,
    );
    const { room: id } = room.membership;
    if (id) known?.seal(toBase64url(id));
    known?.keep();
    if (!this.#sealing.isReady) await this.#sealing.need();
    this.#doubts.clock(welcome.at);
    const advice = this.#keeper.lastKeeperAdvice(view.copying);
    if (advice !== undefined) greet(view, advice);
    this.#look();
    if (this.#isClosed) return; // while its past was opened
    this.#looking = setInterval(() => this.#look(true), LOOK_EVERY);
  }

  // ── Keys ─────────────────────────────────────────────────────────────────────────────────────────────

  /** A wrap came. */
  async #wrapped(wrapped: Event<"wrapped">): Promise<void> {
    const { keys, membership } = this.#room;
    const highest = keys.highest;
    const outcome = await keys.take(wrapped, membership);
    if (outcome === "wrong") return this.#doubts.key(wrapped);
    if (keys.highest === highest || !this.#isIn) return;
    await this.#doubts.backs();
    for (const verdict of await this.#room.unlock()) this.#show(verdict, false);
    if (!this.#sealing.isReady) await this.#sealing.renew();
  }

  // ── Requests ─────────────────────────────────────────────────────────────────────────────────────────

  async #rename(name: string): Promise<void> {
    const refused = await this.#rules.say({ verb: "rename", name });
    if (refused === undefined || refused === "lost") return;
    const { membership } = this.#room;
    const { reason, detail } = withHolder(
      { reason: refused, detail: "" },
      membership,
      name,
    );
    this.#alone(() => this.#listener.refused(null, reason, detail));
  }

  async #operate(request: Event<"operate">): Promise<void> {
    const answers = await this.#keeper.operate(request);
    if (!answers) return; // the connection ended: that is told to who asked
    const answer = () => this.#listener.answered(request.id, answers);
    this.#queue.push({ alone: answer, lost: answer }); // also to what ended the connection
  }
}

function isRename({ what, text }: LogEntry): boolean {
  return what === "ruled" && controlVerb(text) === "rename";
}

/** A keeper has removed this client's person, whatever the server says. */
function removed(by: string): JoinError {
  return new JoinError(
    `You were removed from the room by ${quote(by)}`,
    "Only a new invite from a keeper lets you in again",
  );
}

/** And banned it. */
function banned(by: string): JoinError {
  return new JoinError(
    `You were banned from the room by ${quote(by)}`,
    "No invite lets you in until a keeper takes that back, by /unban",
  );
}

/** The server doesn't tell the control lines. */
function notFollowed({ reason, detail }: Refused): JoinError {
  if (reason === "removed") { // nobody's signature shows it
    return new JoinError(
      "The server says that you were removed from the room",
      "Ask a keeper of the room: with a new invite you can come back",
    );
  }
  if (reason !== "not-sealed") return entryRefused({ reason, detail }, "");
  return new JoinError(
    "The room should be sealed, and the server says that it is not: nothing was said",
    "It may have been set up anew, or somebody reads along there: ask its owner, and the keepers of the room",
  );
}
