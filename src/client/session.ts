/**
 * A client's stay in the room, across as many connections as it takes: connects, asks to be let in, comes back
 * after a loss, and leaves. What is said and heard meanwhile is the conversation's.
 *
 *     joining ──▶ in the room ── connection lost ──▶ disconnected ── pause, growing and jittered ──▶ joining again
 *        │             └── leave ──▶ left              └── leave ──▶ left
 *        └── refused ──▶ JoinError
 *
 * Where the room is on several servers, each is tried in turn, and the pause is after all of them.
 *
 * @module
 */

import { Conversation, type ConversationOptions } from "./conversation.ts";
import {
  entryRefused,
  handshakeRefused,
  JoinError,
  refusedEntry,
} from "./join_error.ts";
import {
  Link,
  type LinkListener,
  type Refused,
  type RoomLink,
  type Self,
} from "./link.ts";
import { PrivateMessages } from "./mail/private_messages.ts";
import { type Seen, SeenHere } from "./mail/seen.ts";
import { nextPause, reach } from "./reconnect.ts";
import { Turns } from "./turns.ts";
import type { Handshake } from "./destination.ts";
import type { SealedLink } from "./sealed/sealed_link.ts";
import type { RoomStores } from "./sealed/room_file.ts";
import type { ChainSeam, SealedRoom } from "./sealed/sealed_room.ts";
import type { RequestId } from "./view.ts";
import { type Bytes, randomBytes, toBase64url } from "../../crypto_utils.ts";
import type { InviteSecret } from "./sealed/coming_in.ts";
import { isSealedInvite } from "../sealed/membership.ts";
import type { Identity } from "../crypto/identity.ts";
import { fullId, shortId } from "../crypto/person_id.ts";
import { reasonOf } from "../base/error_reason.ts";
import type { ChangeKind } from "../protocol/line.ts";
import { within } from "../base/timing.ts";
import { CHAIN_START } from "../protocol/chain.ts";
import {
  type Goodbye,
  GOODBYES,
  HandshakeRefusal,
} from "../protocol/reasons.ts";
import { RefusedError, type Stream } from "../protocol/record_reader.ts";
import type { ConnectOptions } from "../protocol/handshake.ts";
import { MEMBER_ID, MEMBER_KEY } from "../protocol/hello.ts";

/** What tells a run of the client from others of the same person, bytes. */
const STAY_SIZE = 8;
/** How long what was said may take to go out before a goodbye, ms. */
const LEAVE_TIME = 5_000;
/**
 * How long it may take after that to be in the log, ms: a line that went just before a goodbye may get lost with
 * it.
 */
const SETTLE_TIME = 1_000;

/** How long a connection stands, at least, before all servers are tried at once where it is lost, ms. */
const STEADY_TIME = 10_000;
/** Why a server doesn't let somebody in whom the room's others may let in. */
const ELSEWHERE = /^(room-full|log-(failed|unreadable))$/;

/** As whom a client comes, and under which name. */
export interface Who {
  /** Its keys. */
  readonly identity: Identity;
  /** One that `parseName` has accepted. */
  readonly name: string;
}

/** What a session knows of sealed rooms. */
export interface Sealing {
  /** The link's invite, where the client has a link; a high number says that its room is sealed. */
  readonly invite?: InviteSecret | undefined;
  /** Where what is known of rooms is kept; undefined: nowhere. */
  readonly stores?: RoomStores | undefined;
  /** Whether the invite for others that a founder needs is made and told. Default: never. */
  readonly makesInvite?: "never" | "if none is open" | "always";
  /** Asks a person whether to found the room of a founding link. Default: it is founded. */
  readonly founds?: (() => Promise<boolean>) | undefined;
  /** Asks a person, who says yes or no; false where nobody can be asked. Default: no. */
  readonly confirm?: (question: string) => Promise<boolean>;
  /** What is known of the chain of all lines. Default: what the conversation counts. */
  readonly chain?: ChainSeam;
}

/** What a session needs. */
export interface SessionOptions extends Omit<ConversationOptions, "mail"> {
  /** What it knows of sealed rooms. */
  readonly sealing?: Sealing;
  /** As whom the client comes. */
  readonly who: Who;
  /** Which private messages were seen by clients before. Default: none. */
  readonly seen?: Seen;
  /** Says which addresses are listed, `HOST:PORT,…`, where a client can go to others than it came by. Default: it can't. */
  readonly placesIn?: (list: string) => readonly string[];
  /** Opens a connection to the server at that address. */
  readonly dial: (address: string) => Promise<Stream>;
  /** The client's invite, and what it knows of the server. */
  readonly handshake: Handshake;
  /** Whether it comes by its own key, since its invite lets in nobody any more. Default: by its invite. */
  readonly comesAsMember?: boolean;
  /** Asks for another name after that sentence; null if there is nobody to ask. */
  readonly askName: (sentence: string) => Promise<Who | null>;
}

/** A client's stay. */
export class Session {
  /** What is said and heard, whichever connection leads into the room. */
  readonly conversation: Conversation;
  readonly #mail: PrivateMessages;
  readonly #options: SessionOptions;
  readonly #stay = toBase64url(randomBytes(STAY_SIZE));
  #leaving = Promise.withResolvers<void>(); // another for each visit: a race for all would keep their connections
  #who: Who;
  #comesAsMember: boolean; // rather than by its invite
  #isRetrying = false; // by its key, since its link was refused at first
  #refused: Refused | undefined; // the name, by the connection before
  #left = false;
  #resume: (() => void) | undefined; // ends the pause before the next attempt
  #link: Link | undefined; // the connection that stands
  #founds: boolean | undefined; // what a person said to that
  #room: SealedRoom | undefined; // that it leads to, where that is sealed
  #goodbye: Promise<void> | undefined;
  readonly #turns: Turns;
  #pauses = 0; // since the last connection that led into the room
  #wasIn = false; // by the connection before
  #notIn: string | undefined; // why the server whose turn it is lets nobody in

  /** A stay that begins with `run`. */
  constructor(options: SessionOptions) {
    this.#options = options;
    this.#who = options.who;
    this.#turns = new Turns(options.address, options.others);
    this.#comesAsMember = options.comesAsMember === true ||
      options.handshake.inviteId === MEMBER_ID;
    const { view, known, seen = new SeenHere(), who: { name } } = options;
    this.#mail = new PrivateMessages({
      view,
      known,
      seen,
      stay: this.#stay,
      identity: () => this.#who.identity,
      name: () => this.conversation.name,
      changed: () => this.conversation.stand(),
    });
    const { placesIn, others: given = [] } = options;
    const others = [...given];
    const learned = placesIn && ((list: string) => {
      const places = placesIn(list);
      this.#turns.add(places);
      others.push(...places); // remembered whenever the client comes in
    });
    const all = { ...options, others, mail: this.#mail, learned };
    this.conversation = new Conversation(all, this.#self, name);
  }

  get #self(): Self {
    const { id, card } = this.#who.identity;
    const full = fullId(id);
    const stay = this.#stay;
    return { id: full, person: shortId(full), card: toBase64url(card), stay };
  }

  /**
   * Stays until `leave`. What may be lost is told by `conversation.showLost`, when it is said why it ended.
   * @throws {JoinError} if the client can't get in, or is sent away for good.
   */
  async run(): Promise<void> {
    this.conversation.stand();
    await this.#visits();
  }

  /**
   * Leaves; what was said before goes out first, if there is a connection.
   * @param typed The last words; where they are too long, that is told, and the client stays.
   */
  leave(typed?: string): void {
    const words = typed && this.conversation.lastWords(typed);
    if (this.#left || words === null) return;
    this.#left = true;
    this.#leaving.resolve();
    this.#resume?.();
    this.conversation.leave();
    if (this.#link) this.#goodbye = this.#bye(this.#link, words || undefined);
  }

  /** Says something; resolves when there is room for the next line. */
  async say(text: string, id?: RequestId): Promise<void> {
    await this.conversation.say({ what: "said", to: null, text }, id);
  }

  /** Says something in the third person. */
  async act(text: string, id?: RequestId): Promise<void> {
    await this.conversation.say({ what: "acted", to: null, text }, id);
  }

  /** Answers the event with that number. */
  async reply(to: number, text: string, id?: RequestId): Promise<void> {
    await this.conversation.say({ what: "replied", to, text }, id);
  }

  /** Changes the event with that number: other words, none any more, or an emoji. */
  async change(
    what: ChangeKind,
    to: number,
    text: string,
    id?: RequestId,
  ): Promise<void> {
    await this.conversation.say({ what, to, text }, id);
  }

  /** Offers a file, described as `formatOffer` does it. @returns The client's number for the line, null for none. */
  offer(text: string, id?: RequestId): Promise<number | null> {
    return this.conversation.say({ what: "offered", to: null, text }, id);
  }

  /** Writes to somebody alone, by name or short id; resolves when there is room for the next message. */
  async write(to: string, text: string, id?: RequestId): Promise<void> {
    await this.#mail.send(to, text, id);
  }

  /** The full id of this client's person. */
  get id(): string {
    return this.#self.id;
  }

  /** One visit after the other, until the client leaves. */
  async #visits(): Promise<void> {
    const { view } = this.#options;
    const turns = this.#turns;
    const failures: string[] = []; // before it was in
    while (!this.#left) {
      const address = turns.now;
      const reason = await this.#visit();
      if (this.#left) return await this.#goodbye;
      if (this.#isRetrying || await this.#takeAnotherName()) {
        this.#isRetrying = false;
        continue;
      }
      const isAtOnce = turns.next();
      if (!this.conversation.hasBegun) {
        failures.push(`${address}: ${reason}`);
        if (isAtOnce) continue;
        throw new JoinError(
          `Cannot join ${failures.join("; ")}`,
          "Check that the server runs and can be reached from here",
        );
      }
      if (isAtOnce) {
        const next = turns.all.length > 1 ? { next: turns.now } : {};
        if (this.#wasIn) {
          view.show({ type: "disconnected", reason, seconds: 0, ...next });
        }
        continue;
      }
      const pause = nextPause(this.#pauses++);
      const seconds = Math.round(pause / 1_000);
      view.show({ type: "disconnected", reason, seconds });
      await this.#rest(pause);
    }
  }

  /** Waits, ms, unless the client leaves or somebody is in a hurry. */
  async #rest(pause: number): Promise<void> {
    if (this.#left) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#resume = resolve;
    await within(pause, promise);
    this.#resume = undefined;
  }

  /**
   * Somebody looks again, or the network is back: the next attempt to come back is made at once, and a connection that
   * stands has to show soon that it does.
   */
  hurry(): void {
    this.#resume?.();
    this.#link?.hurry().catch(() => {}); // its reader is told, too, and says why
  }

  /**
   * Asks for another name, if the last one was refused: while nobody is connected, for a guest that hesitates takes a
   * place.
   * @returns Whether there is another. @throws {JoinError} if a client that hasn't been in yet has none.
   */
  async #takeAnotherName(): Promise<boolean> {
    const refused = this.#refused;
    if (!refused) return false;
    this.#refused = undefined;
    if (this.conversation.keepName(refused)) return true;
    const { askName } = this.#options;
    const { name } = this.conversation;
    const who = await Promise.race([
      askName(`${refusedEntry(refused, name)}. Choose another`),
      this.#leaving.promise, // nobody answers any more
    ]);
    if (this.#left) return true;
    const isFirst = !this.conversation.hasBegun;
    if (!who) {
      if (isFirst) throw entryRefused(refused, name);
      return false; // the name may be free again when the client comes next
    }
    if (isFirst) {
      this.#who = who;
      this.#room = undefined; // which is another's
      this.conversation.become(this.#self, who.name);
    } else this.conversation.rename(who.name);
    return true;
  }

  /** One connection, from dialling to its end. @returns Why it ended. */
  async #visit(): Promise<string> {
    const turns = this.#turns;
    const begun = performance.now();
    let isAdrift = false;
    this.conversation.address = turns.now;
    this.#notIn = undefined;
    try {
      const leaving = (this.#leaving = Promise.withResolvers()).promise;
      const channel = await reach(
        () => this.#options.dial(turns.now),
        this.#handshake,
        leaving,
        turns.goesOn,
      );
      if (!channel) return GOODBYES.left;
      const room = await this.#sealedRoom(channel.remoteKey);
      const connect = (listener: LinkListener) =>
        this.#link = new Link(channel, this.#self, listener);
      const link = room
        ? await this.#sealedLink(room, connect)
        : connect(this.conversation);
      if (this.#left) return GOODBYES.left; // while the handshake's last steps were taken
      const staying = link.run();
      const entering = this.#enter(link).then(() => staying);
      const end = await Promise.race([staying, entering]);
      isAdrift = end === "adrift";
      return this.#notIn ?? farewell(end);
    } catch (error) {
      // Once the client has been in, nothing ends its stay that somebody on the way can say: a refusal, since it
      // isn't sealed, or another server's key.
      const isProven = this.#link !== undefined;
      const isFirst = !this.conversation.hasBegun;
      if (turns.goesOn && !isProven) {
        // Another server may be the right one, or have room.
        if (error instanceof JoinError) this.#options.view.note(error.message);
        const isKeyRefused = error instanceof RefusedError &&
          error.code === HandshakeRefusal.key;
        if (!isKeyRefused) return reasonOf(error);
      }
      if (error instanceof RefusedError) this.#comeOtherwise(error);
      if (error instanceof JoinError && (isFirst || isProven)) throw error;
      return reasonOf(error);
    } finally {
      this.#link?.close();
      this.#link = undefined;
      this.#wasIn = this.conversation.disconnected();
      if (this.#wasIn) {
        this.#comesAsMember = true;
        this.#pauses = 0;
        if (performance.now() - begun >= STEADY_TIME) turns.stood(isAdrift);
      }
    }
  }

  /** What is known of the room there, if the link or the memory says that it is sealed: then it is never entered openly. */
  async #sealedRoom(serverKey: Bytes): Promise<SealedRoom | undefined> {
    const { known: rooms, sealing = {}, view } = this.#options;
    const { invite, stores, chain } = sealing;
    const known = rooms?.sealedRoom(serverKey);
    if (known === undefined && !isSealedInvite(invite?.id ?? 0)) {
      return undefined;
    }
    this.conversation.sealed();
    // Loaded when it is needed, as the link below: most clients are never in a sealed room.
    return this.#room ??= await (await import("./sealed/sealed_room.ts"))
      .SealedRoom.open({
        identity: this.#who.identity,
        self: this.#self,
        stores,
        known,
        note: (text) => view.note(text),
        chain: chain ?? this.#chain,
      });
  }

  /** What the conversation knows of the chain of all lines. */
  get #chain(): ChainSeam {
    const { conversation } = this;
    return {
      get seen() {
        return conversation.seen ?? { seq: 0, value: CHAIN_START };
      },
      seenDiffers: (seen, line) => conversation.seenDiffers(seen, line),
      foresee: (past) => conversation.foresee(past),
      doubt: (from) => conversation.doubt(from),
    };
  }

  async #sealedLink(
    room: SealedRoom,
    connect: (listener: LinkListener) => Link,
  ): Promise<SealedLink> {
    const { view, known, sealing = {} } = this.#options;
    const { invite, makesInvite = "never", founds, confirm } = sealing;
    return new (await import("./sealed/sealed_link.ts")).SealedLink({
      room,
      listener: this.conversation,
      view,
      address: this.#turns.all.join(","),
      invite: this.#comesAsMember ? undefined : invite,
      known,
      makesInvite: this.conversation.hasBegun ? "never" : makesInvite,
      founds: async () => this.#founds ??= !founds || await founds(),
      confirm: confirm ?? (() => Promise.resolve(false)),
    }, connect);
  }

  /** Resolves when what is known of a sealed room is in its file. */
  async kept(): Promise<void> {
    await this.#room?.file.kept;
  }

  /**
   * Comes by its key where its invite is refused, and by its invite where its key is: a link may be used up or
   * replaced and its owner a member all the same, and the server's memory may be new.
   * @throws {JoinError} if the client hasn't been in yet, and there is nothing else to try.
   */
  #comeOtherwise(refused: RefusedError): void {
    const isKeyRefused = refused.code === HandshakeRefusal.key;
    if (this.conversation.hasBegun) {
      if (isKeyRefused) this.#comesAsMember = !this.#comesAsMember;
      return;
    }
    const { code } = this.#options.handshake; // which alone proves the server: nothing else is tried there
    if (!isKeyRefused || code || this.#comesAsMember) {
      const { handshake: { inviteId }, sealing } = this.#options;
      const name = inviteId === MEMBER_ID ? this.#who.name : undefined;
      throw handshakeRefused(refused, sealing?.invite?.id, name);
    }
    this.#comesAsMember = this.#isRetrying = true;
  }

  /**
   * Asks to be let in. Ends the connection if the client can't be let in now.
   * @throws {JoinError} if it can't be let in at all.
   */
  async #enter(link: RoomLink): Promise<void> {
    const refused = await this.conversation.join(link);
    if (refused === undefined) return;
    if (refused.reason.startsWith("name-")) this.#refused = refused;
    else if (this.#turns.goesOn && ELSEWHERE.test(refused.reason)) {
      this.#notIn = refusedEntry(refused, this.conversation.name);
    } else if (!this.conversation.hasBegun) {
      throw entryRefused(refused, this.conversation.name);
    }
    link.close();
  }

  async #bye(link: Link, words?: string): Promise<void> {
    const timer = setTimeout(() => link.close(), LEAVE_TIME);
    try {
      await this.conversation.flush(SETTLE_TIME);
      await link.bye(words);
    } catch {
      // The connection went before the goodbye could: the client is gone either way.
      link.close();
    } finally {
      clearTimeout(timer);
    }
  }

  /** By its invite, or by its own key once it is a member. */
  get #handshake(): ConnectOptions {
    const { keyPair } = this.#who.identity;
    const { handshake } = this.#options;
    const { now } = this.#turns;
    const checkServer = (key: Bytes) => handshake.checkServer(key, now);
    const invited = { ...handshake, checkServer, keyPair };
    return this.#comesAsMember
      ? {
        ...invited,
        inviteId: MEMBER_ID,
        inviteKey: MEMBER_KEY,
        code: undefined,
      }
      : invited;
  }
}

/** Why a connection ended, in words. @throws {JoinError} if the client may not come back. */
function farewell(reason: Goodbye): string {
  if (reason === "removed") {
    throw new JoinError(
      "You were removed from the room",
      "You may come back, unless an operator has banned you",
    );
  }
  if (reason !== "replaced" && reason !== "misused") return GOODBYES[reason];
  throw new JoinError(
    `The server ended the connection: ${GOODBYES[reason]}`,
    "The same run of a client is in by another connection",
  );
}
