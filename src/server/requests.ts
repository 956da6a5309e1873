/**
 * What one client asks for, carried out in the order in which it came: to be let in, to speak, another name, the
 * past, files.
 *
 *     guest ── join ──▶ member ── say, act, reply, offer, rename, away, find, page, hold, fetch, piece … ──▶ left
 *
 * Answers that are known at once are gathered, and told before anything else is.
 *
 * @module
 */

import {
  type Bytes,
  equalBytes,
  fromBase64url,
  toBase64url,
} from "../../crypto_utils.ts";
import { checkCard, readCard } from "../crypto/identity.ts";
import { LogError } from "../log/file.ts";
import { fullId, shortId } from "../crypto/person_id.ts";
import { type Event, EventError } from "../protocol/events.ts";
import {
  isAbout,
  isSpoken,
  type Line,
  type LogEntry,
  mayChange,
  pastEvent,
  saidLine,
  wordsRefusal,
} from "../protocol/line.ts";
import { parseName } from "../protocol/names.ts";
import { type Offer, parseOffer } from "../protocol/offer.ts";
import { PLAIN_AWAY, type Refusal } from "../protocol/reasons.ts";
import type { Guest, Member, Request, Seat } from "./batch.ts";
import { diagnostics } from "./diagnostics.ts";
import type { FileRelay } from "./file_relay.ts";
import { type History, NEAR, type Piece } from "./history.ts";
import { type MailOptions, MailRequests } from "./mail_requests.ts";
import type { Operations } from "./operations.ts";
import type { Outlet } from "./outlet.ts";
import { type Candidate, isTooSoon } from "./people/person.ts";
import type { Purses } from "./rate_limits.ts";
import { epochOf } from "../sealed/sealed_line.ts";
import {
  type Asker,
  isSealedEvent,
  type SealedEvent,
  SealedRequests,
} from "./sealed/sealed_requests.ts";
import type { SealedRoom } from "./sealed/sealed_room.ts";

/** How many lines something counts for that the server has to look up, or that is told to everybody by itself. */
const HEAVY_COST = 20;
/** Lines of one page. */
const MAX_PAGE = 1_024;

const logger = diagnostics("connection");

/** The one who asks: a connection. */
export interface Client extends Guest {
  /** What writes to it. */
  readonly outlet: Outlet;
  /** Its X25519 key, as the handshake proved it, 32 bytes. */
  readonly key: Bytes;
  /** By which invite it came. */
  readonly inviteId: number;
  /** How logs call it: the short id of its person, once that is known. */
  label: string;
  /** Resolves when what it has spent is paid for. */
  paid(): Promise<void>;
}

/** What requests lead to. */
export interface RequestsOptions extends MailOptions {
  /** What operators may do; left out where nobody may. */
  readonly operations?: Operations | undefined;
  /** What is known of a sealed room; left out for an open one. */
  readonly sealed?: SealedRoom | undefined;
  /** What persons have to spend. */
  readonly purses: Purses;
  /** What the client may ask for of the past. */
  readonly history: History;
  /** What passes files on. */
  readonly relay: FileRelay;
  /** Called when the client asks for something, or answers; not for signs of life. */
  readonly asked?: () => void;
}

function isSignOfLife({ kind }: Event): boolean {
  return kind === "ping" || kind === "pong";
}

/** One client's requests. */
export class Requests {
  readonly #client: Client;
  readonly #options: RequestsOptions;
  readonly #mail: MailRequests;
  readonly #standing: Bytes | undefined; // the standing link's key when it came
  readonly #sealed: SealedRequests | undefined;
  #seat: Seat | undefined;
  #isJoining = false;
  #lastN = 0;
  #answers: Event[] = []; // to what is being carried out: told together

  /** None so far. */
  constructor(client: Client, options: RequestsOptions) {
    this.#client = client;
    this.#options = options;
    this.#mail = new MailRequests(client, options);
    this.#standing = options.people.access.link.key;
    const { sealed, room } = options;
    this.#sealed = sealed && new SealedRequests(sealed, room);
  }

  /** Carries out what has arrived. @throws {EventError} for what this client can't ask for. */
  async carryOut(events: readonly Event[]): Promise<void> {
    if (!events.every(isSignOfLife)) this.#options.asked?.();
    const lines: Line[] = [];
    for (const event of events) {
      if (this.#client.ended) return;
      const line = saidLine(event);
      if (line) {
        const { what = "said" } = line;
        this.#requireWay(what === "sealed");
        const isOther = isAbout(what);
        const refusal = isOther ? await this.#aboutRefusal(line, lines) : null;
        this.#take(line, lines, refusal);
      } else {
        await this.#say(lines.splice(0));
        await this.#handle(event);
      }
    }
    await this.#say(lines);
    this.#answer();
  }

  /** The client goes: it is in the room no longer, and has no files. @param words A key of `GOODBYES`, or its own. */
  leave(words: string): void {
    const { room, relay } = this.#options;
    relay.release(this.#client);
    if (!this.#seat) return;
    this.#mail.leave(this.#seat);
    room.leave(this.#seat, words);
  }

  /** Whether the client is in the room, or about to be. */
  get isIn(): boolean {
    return this.#seat !== undefined || this.#isJoining;
  }

  /** Tells the answers so far, many in one record: who asks a thousand times costs little more than who asks once. */
  #answer(): void {
    if (this.#answers.length > 0 && !this.#client.ended) {
      this.#client.tell(...this.#answers);
    }
    this.#answers = [];
  }

  #spend(lines: number): void {
    this.#options.allowance.spend(lines);
  }

  /** In a sealed room nothing is said openly, in an open one nothing sealed. @throws {EventError} */
  #requireWay(isSealed: boolean): void {
    if (isSealed === (this.#sealed !== undefined)) return;
    throw new EventError("Cannot say that in this kind of room");
  }

  #requireSeat(action: string): Seat {
    if (this.#seat) return this.#seat;
    throw new EventError(`Cannot ${action} outside the room`);
  }

  /** Takes a line for `#say`, or refuses it. @param refusal Why it is refused in any case; null if it isn't. */
  #take(line: Line, lines: Line[], refusal: Refusal | null): void {
    const { n, what = "said", text } = line;
    const { member } = this.#requireSeat("speak");
    // A sealed line may come again, under another key: its number is looked at where it is taken.
    if (n <= this.#lastN && !this.#sealed) {
      throw new EventError(`Cannot say line ${n} again`);
    }
    this.#lastN = n;
    this.#spend(1);
    if (what === "sealed" && epochOf(text) === undefined) {
      throw new EventError("Cannot take a sealed line: it is none");
    }
    const words = what === "sealed" ? undefined : wordsRefusal({ what, text });
    const reason = words ?? this.#offerRefusal(line) ??
      refusal ??
      this.#slowRefusal(member);
    if (reason) this.#answers.push({ kind: "refused", n, reason, detail: "" });
    else lines.push(line);
  }

  /**
   * Why a line about another isn't taken: only what somebody said can be answered or changed, and only by who may
   * read it; edited and deleted only by its author. What isn't in memory any more costs more to look up.
   * @param lines What was said before it, which must not wait for a file to be read.
   */
  async #aboutRefusal(
    { what = "said", to }: Line,
    lines: Line[],
  ): Promise<Refusal | null> {
    const { history } = this.#options;
    const { member: { person: { from, short } } } = this.#requireSeat("speak");
    if (!to || to <= from || to > history.head) return "reply-unknown";
    if (!history.recall(to)) {
      this.#spend(HEAVY_COST);
      await this.#say(lines.splice(0));
    }
    try {
      const entry = await history.entry(to);
      if (!entry || !isSpoken(entry.what)) return "reply-unknown";
      if (what === "replied") return null;
      if (history.isDeleted(to)) return "message-deleted";
      const change = { what, person: short };
      return mayChange(change, entry) ? null : "change-not-yours";
    } catch (error) {
      return unreadable(error);
    }
  }

  async #say(lines: Line[]): Promise<void> {
    if (lines.length > 0 && this.#seat && !this.#client.ended) {
      this.#answer(); // there may be no place for these for a while
      await this.#options.room.say(this.#seat, lines);
    }
  }

  async #handle(event: Event): Promise<void> {
    const { relay } = this.#options;
    if (isSealedEvent(event)) return await this.#handleSealed(event);
    switch (event.kind) {
      case "join":
        return await this.#join(event);
      case "ping":
        this.#spend(1); // an answer costs as much as a line
        this.#answers.push({ kind: "pong" });
        return;
      case "pong":
        return this.#spend(1);
      case "bye":
        this.#answer();
        return this.#client.dismiss(
          "left",
          this.#sealed ? "left" : event.reason, // words that the server could read
        );
      case "rename":
        return this.#rename(event);
      case "release":
        return this.#release(event);
      case "operate":
        return await this.#operate(event);
      case "away":
        return this.#away(event.text);
      case "find":
        return await this.#find(event);
      case "page":
        return await this.#page(event);
      case "agree":
        return await this.#agree(event);
      case "hold":
        return await this.#hold(event);
      case "fetch":
        return this.#fetch(event);
      case "piece":
        return this.#piece(event);
      case "taken":
        return this.#taken(event);
      case "look":
      case "private":
      case "collect":
      case "got": {
        const seat = this.#requireSeat("write to anybody");
        if (event.kind === "private") this.#answer(); // there may be no place for it for a while
        const answers = await this.#mail.carryOut(seat, event);
        this.#answers.push(...answers);
        return;
      }
      case "missing":
        this.#spend(1);
        return relay.missing(this.#client, event);
      default:
        throw new EventError(`Cannot take "${event.kind}" from a client`);
    }
  }

  async #handleSealed(event: SealedEvent): Promise<void> {
    if (event.kind !== "follow") this.#requireWay(true);
    if (!this.#sealed) return this.#refuse("not-sealed");
    this.#isJoining = event.kind === "follow"; // which may take long
    try {
      await this.#sealed.carryOut(event, this.#asker);
    } finally {
      this.#isJoining = false;
    }
  }

  /** This client, as its requests about a sealed room see it. */
  get #asker(): Asker {
    const { people: { persons } } = this.#options;
    const { key, inviteId } = this.#client;
    return {
      known: persons.byKey(toBase64url(key))?.id,
      inviteId,
      seat: this.#seat,
      tellPaid: async (shared, lines) => {
        this.#answer();
        await this.#client.outlet.drained();
        this.#client.tell(shared.key);
        this.#client.share(shared);
        this.#spend(lines);
        await this.#client.paid();
        return !this.#client.ended;
      },
      answer: (...events) => void this.#answers.push(...events),
      spend: (lines) => this.#spend(lines),
    };
  }

  async #join(event: Event<"join">): Promise<void> {
    if (this.#seat) throw new EventError("Cannot join twice");
    const name = parseName(event.name);
    if (typeof name === "string") return this.#refuse(name);
    this.#isJoining = true;
    try {
      const candidate = await this.#candidate(event.card);
      if (!candidate) return this.#refuse("card-wrong");
      await this.#enter(event, { name, candidate });
    } finally {
      this.#isJoining = false;
    }
  }

  /** Who the client is by its card; undefined where that isn't a card, or another's. */
  async #candidate(text: string): Promise<Candidate | undefined> {
    try {
      const card = fromBase64url(text);
      const { id, noiseKey } = readCard(card);
      const full = fullId(id);
      if (!equalBytes(noiseKey, this.#client.key)) return undefined;
      // The id stands for the three keys: who is known by it has shown a card for them that was signed.
      if (!this.#options.people.persons.find(full)) await checkCard(card);
      const { inviteId: invite } = this.#client;
      const key = toBase64url(noiseKey);
      return { id: full, key, card: text, invite, standing: this.#standing };
    } catch (error) {
      if (error instanceof RangeError) return;
      throw error;
    }
  }

  async #enter(
    { stay, n, after: seen }: Event<"join">,
    who: Pick<Request, "candidate" | "name">,
  ): Promise<void> {
    const { room, history, people, purses, allowance } = this.#options;
    const { candidate: { id } } = who;
    this.#client.label = shortId(id);
    allowance.payFor(id, purses);
    // What it has seen of another server may yet come here.
    if (seen !== null && seen > history.head) await room.caughtUp();
    const from = people.persons.find(id)?.from ?? history.newcomerStart;
    let after: number;
    try {
      after = await history.start(seen, from);
    } catch (error) {
      return this.#refuse(unreadable(error));
    }
    const entering = await this.#sealed?.entering(id, after, this.#asker);
    if (typeof entering === "string") return this.#refuse(entering);
    const guest = this.#client;
    const wish = { ...who, guest, stay, n, from, entering };
    let chain: Event<"chain"> | undefined;
    for (;;) {
      const refused = room.refusal(wish);
      if (refused) return this.#refuse(refused.reason, refused.detail);
      try {
        chain ??= await history.chain(after);
        after = await this.#catchUp(after, chain);
      } catch (error) {
        return this.#refuse(unreadable(error));
      }
      if (this.#client.ended) return;
      if (!room.isUp) return this.#client.dismiss("adrift");
      const isTold = after !== chain.seq;
      const rest = { after, chain: isTold ? undefined : chain };
      const admission = await room.join({ ...wish, ...rest });
      if (admission === "behind") continue;
      if ("reason" in admission) {
        return this.#refuse(admission.reason, admission.detail);
      }
      this.#lastN = n;
      this.#seat = admission;
      const { ended } = this.#client;
      if (ended) room.leave(admission, ended);
      return;
    }
  }

  /**
   * Tells the client what the log holds, until little is missing.
   * @param chain What it is told before anything else. @returns Up to where.
   */
  async #catchUp(after: number, chain: Event<"chain">): Promise<number> {
    const { history } = this.#options;
    while (history.head - after > NEAR && !this.#client.ended) {
      const { head } = history;
      if (after === chain.seq) this.#client.tell(chain);
      // At once, as soon as all of it is in memory: where much is said, more comes while anything is waited for.
      const rest = history.packed(after, head);
      const end = rest ? head : head - head % NEAR; // whole blocks, which others are told as well
      if (rest) await this.#tellRest(rest, end - after);
      else await this.#tellPast(after, end);
      after = end;
    }
    // What is left comes with its admission, and costs as much.
    this.#spend(history.head - after);
    await this.#client.paid();
    return after;
  }

  /** Tells the client what stands in memory. @param count Of lines. */
  async #tellRest(plaintexts: readonly Bytes[], count: number): Promise<void> {
    for (const plaintext of plaintexts) {
      await this.#client.outlet.drained(); // all at once may be more than may wait for one
      if (this.#client.ended) return;
      this.#client.pass([plaintext]);
    }
    this.#spend(count);
    await this.#client.paid();
  }

  /** Tells the client the lines after one and up to another, no faster than it takes them and pays for them. */
  async #tellPast(after: number, upTo: number): Promise<void> {
    const { history } = this.#options;
    for (let at = after; at < upTo;) {
      const piece = await history.piece(at, upTo);
      await this.#client.outlet.drained(); // all at once may be more than may wait for one
      if (this.#client.ended) return;
      await this.#tellPiece(piece);
      this.#spend(piece.upTo - at);
      await this.#client.paid();
      at = piece.upTo;
    }
  }

  /** Tells a piece that others have asked for, too, as it was sealed for all of them. */
  async #tellPiece(piece: Piece): Promise<void> {
    if (piece.plaintexts.length === 0) return; // no line there is ours: what is shared may not be empty
    if (!piece.isTold) {
      piece.isTold = true;
      return this.#client.pass(piece.plaintexts);
    }
    piece.shared ??= this.#options.room.share(piece.plaintexts);
    const shared = await piece.shared;
    this.#client.tell(shared.key);
    this.#client.share(shared);
  }

  /** In a sealed room nobody says why: the server could read it. */
  #away(text: string): void {
    this.#spend(HEAVY_COST);
    if (!this.#seat) return;
    const words = this.#sealed && text !== "" ? PLAIN_AWAY : text;
    this.#options.room.away(this.#seat, words);
  }

  #rename(event: Event<"rename">): void {
    this.#requireWay(false);
    const seat = this.#requireSeat("rename");
    this.#spend(HEAVY_COST);
    const name = parseName(event.name);
    if (typeof name === "string") return this.#refuse(name);
    this.#options.room.rename(seat, name);
  }

  /** Nothing else of this client is read meanwhile, so that it has one search at a time. */
  async #find({ id, words, before, count }: Event<"find">): Promise<void> {
    this.#requireWay(false);
    const { member: { person: { from } } } = this.#requireSeat("search");
    this.#spend(HEAVY_COST);
    this.#answer();
    const { history } = this.#options;
    try {
      const { entries, more } = await history.find(words, before, count, from);
      const found: Event = { kind: "found", id, more };
      this.#client.tell(...entries.map(pastEvent), found);
    } catch (error) {
      this.#refuse(unreadable(error));
    }
  }

  /** Tells lines in a row, from the newest that is asked for back to as many, or to the first that it may read. */
  async #page({ id, before, count }: Event<"page">): Promise<void> {
    const { member: { person } } = this.#requireSeat("read");
    const { history } = this.#options;
    const from = Math.min(person.from, history.head); // the log may have been put back
    this.#spend(HEAVY_COST);
    this.#answer();
    const last = Math.max(from, Math.min(before - 1, history.head));
    const wanted = Math.max(from, last - Math.min(count, MAX_PAGE));
    try {
      const after = await history.whole(wanted);
      this.#client.tell(await history.chain(after));
      await this.#tellPast(after, last);
      this.#client.tell({
        kind: "paged",
        id,
        more: after === wanted && after > from,
      });
    } catch (error) {
      this.#refuse(unreadable(error));
    }
  }

  /** The value is no secret: it tells nothing of what was said. */
  async #agree({ id, seq }: Event<"agree">): Promise<void> {
    this.#requireSeat("compare");
    this.#spend(HEAVY_COST);
    this.#answer();
    let value = ""; // none can be told
    try {
      ({ value } = await this.#options.history.chain(seq));
    } catch (error) {
      unreadable(error);
    }
    this.#client.tell({ kind: "agreed", id, seq, value });
  }

  #refuse(reason: Refusal, detail = ""): void {
    const { label: key } = this.#client;
    if (reason === "room-full") {
      logger.warn(
        "{key}: not let in: the room is full. --max-clients lets in more",
        { key },
      );
    }
    this.#spend(HEAVY_COST);
    this.#answers.push({ kind: "refused", n: null, reason, detail });
  }

  /** Slow mode keeps a member, operators aside, from saying too much at once. Sealed lines wait for it where they are taken. */
  #slowRefusal({ person }: Member): Refusal | undefined {
    if (this.#sealed) return undefined;
    const isEarly = isTooSoon(person, this.#options.people.settings.slow);
    return isEarly && !person.isOperator ? "too-soon" : undefined;
  }

  #release({ id }: Event<"release">): void {
    const seat = this.#requireSeat("release names");
    this.#spend(HEAVY_COST);
    this.#options.room.release(seat, id);
  }

  async #operate(event: Event<"operate">): Promise<void> {
    const seat = this.#requireSeat("operate");
    this.#spend(HEAVY_COST);
    this.#answer();
    const { operations, people } = this.#options;
    const outcome = await operations?.carryOut(seat, event) ?? "not-operator";
    people.journal.tryToKeep();
    if (typeof outcome === "string") this.#refuse(outcome);
    else this.#answers.push(...outcome);
    this.#answers.push({ kind: "answered", id: event.id });
  }

  #offerRefusal({ what, text }: Line): Refusal | undefined {
    if (what !== "offered") return undefined;
    const size = parseOffer(text)?.size ?? Infinity;
    const { maxFileSize } = this.#options.relay;
    return size > maxFileSize ? "file-too-large" : undefined;
  }

  /** Only who made an offer can say where its file is; anything else is a client's mistake, without effect. */
  async #hold({ offer }: Event<"hold">): Promise<void> {
    const { member: { person } } = this.#requireSeat("hold");
    this.#spend(HEAVY_COST);
    this.#answer();
    const { history, relay } = this.#options;
    try {
      const entry = await history.entry(offer);
      const isOwn = entry?.person === person.short;
      const file = isOwn ? offerOf(entry) : null;
      if (!file || file.size > relay.maxFileSize || this.#client.ended) return;
      relay.hold(this.#client, offer, this.#sealed ? Infinity : file.size);
    } catch (error) {
      this.#refuse(unreadable(error));
    }
  }

  #fetch(event: Event<"fetch">): void {
    const { member: { person: { from } } } = this.#requireSeat("fetch");
    this.#spend(1);
    const { id, offer, from: start, size } = event;
    const { relay } = this.#options;
    // How large a sealed file is nobody can tell here, but that it isn't larger than it may be.
    const isTooFar = this.#sealed && start + size > relay.maxFileSize;
    // What was offered before its time is nothing that it may know of.
    const answer: Event | undefined = offer > from && !isTooFar
      ? relay.fetch(this.#client, event)
      : { kind: "missing", id, reason: "gone" };
    if (answer) this.#answers.push(answer);
  }

  /** Has the one who holds a file told that this member has it now. */
  #taken({ offer }: Event<"taken">): void {
    const { member: { person, name } } = this.#requireSeat("take");
    this.#spend(HEAVY_COST);
    if (offer <= person.from) return;
    const who = { name: name.shown, person: person.short };
    this.#options.relay.taken(offer, who);
  }

  #piece(event: Event<"piece">): void {
    const { relay, allowance } = this.#options;
    const ordered = relay.piece(this.#client, event);
    if (ordered === 0) allowance.spend(1);
    else allowance.excuse(ordered);
  }
}

/** The size of what a line offers, bytes; null if it is no offer. Of a sealed line nobody can tell. */
function offerOf({ what, text }: LogEntry): Pick<Offer, "size"> | null {
  if (what === "sealed") return { size: 0 };
  return what === "offered" ? parseOffer(text) : null;
}

/** What a client is told of a log that can't be read, as without descriptors. @throws any other error. */
function unreadable(error: unknown): Refusal {
  if (!(error instanceof LogError)) throw error;
  logger.warn("{why}. A member could not be shown what it asked for", {
    why: error.message,
  });
  return "log-unreadable";
}
