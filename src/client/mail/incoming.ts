/**
 * Private messages that come: each is opened, held against what was seen, shown once, and then said to be here.
 *
 *     letter ──▶ queue ──▶ opened ──▶ shown ──▶ remembered ──▶ got
 *                             └── altered, too old, seen: not shown
 *
 * @module
 */

import {
  DecryptionError,
  equalBytes,
  fromBase64url,
} from "../../../crypto_utils.ts";
import { type Identity, readCard } from "../../crypto/identity.ts";
import { fullId, shortId } from "../../crypto/person_id.ts";
import type { Event } from "../../protocol/events.ts";
import {
  openPrivate,
  type PrivateMessage,
} from "../../sealed/private_message.ts";
import type { Known } from "../known.ts";
import type { Unreadable, View } from "../view.ts";
import type { Holder } from "./cards.ts";
import type { MailRoom } from "./mail_room.ts";
import { nameOf } from "./naming.ts";
import { MAX_AGE, MAX_AHEAD, type Seen, seenKey, unreadKey } from "./seen.ts";

/** Letters that wait to be opened: far more than a server keeps. */
const MAX_WAITING = 1_000;

/** What incoming messages need. */
export interface IncomingOptions {
  /** Where they are shown. */
  readonly view: View;
  /** What is remembered of who goes by which name, if anything is. */
  readonly known?: Known | undefined;
  /** What was seen before. */
  readonly seen: Seen;
  /** This run of the client, 8 bytes in base64url. */
  readonly stay: string;
  /** This client's person. */
  readonly identity: () => Identity;
  /** The name that it goes by. */
  readonly name: () => string;
}

/** The messages that come. */
export class Incoming {
  readonly #options: IncomingOptions;
  #room: MailRoom | undefined; // that a connection leads into
  #letters: Event<"letter">[] = [];
  #cursor: number | null = null; // the last letter that was dealt with, by any connection
  #isOpening = false;
  #lacks = false; // over this connection, one that didn't fit the queue

  /** None so far. */
  constructor(options: IncomingOptions) {
    this.#options = options;
  }

  /** The client is in a room: asks for what came meanwhile. */
  joined(room: MailRoom): void {
    this.#room = room;
    this.#lacks = false;
    const all = this.#options.seen.isKept ? 0 : null;
    room.ask({ kind: "collect", after: this.#cursor ?? all });
  }

  /** The connection is gone: the next one brings what wasn't dealt with. */
  parted(): void {
    this.#room = undefined;
    this.#letters = [];
  }

  /** A message has come. */
  heard(letter: Event<"letter">): void {
    if (this.#letters.length >= MAX_WAITING) this.#lacks = true;
    if (this.#lacks) return; // the next connection brings it
    this.#letters.push(letter);
    this.#open();
  }

  /** Opens what has come, one after the other. */
  async #open(): Promise<void> {
    if (this.#isOpening) return;
    this.#isOpening = true;
    for (;;) {
      const room = this.#room;
      const [letter] = this.#letters;
      if (!room || !letter) break;
      const take = await this.#read(room, letter);
      if (room !== this.#room) continue; // it comes again
      this.#letters.shift();
      take();
      this.#cursor = letter.id;
      if (this.#letters.length === 0) room.ask({ kind: "got", id: letter.id });
    }
    this.#isOpening = false;
  }

  /** Opens a message. @returns What is to be done with it, at once. */
  async #read(room: MailRoom, letter: Event<"letter">): Promise<() => void> {
    const { from } = letter;
    const self = this.#options.identity();
    const isOwn = from === fullId(self.id);
    const sender = isOwn
      ? { name: this.#options.name(), id: from, card: readCard(self.card) }
      : await room.cards.everFind(shortId(from));
    if (!sender || sender === "wrong" || sender.id !== from) {
      const nobody = { id: from, name: "" };
      return () => this.#refuse(letter, this.#name(room, nobody), "unknown");
    }
    const message = await opened(self, sender, room, letter.data);
    if (!message) {
      return () => this.#refuse(letter, this.#name(room, sender), "altered");
    }
    const to = isOwn ? await this.#recipient(room, message) : undefined;
    return () => this.#take(room, letter, { sender, message, to });
  }

  /** To whom a message of one's own went, by its name, if there is one. */
  async #recipient(room: MailRoom, { to }: PrivateMessage): Promise<string> {
    const isHere = room.present.some(({ id }) => id === to);
    const holder = isHere ? undefined : await room.cards.everFind(shortId(to));
    const isIts = holder && holder !== "wrong" && holder.id === to;
    return this.#name(room, { id: to, name: isIts ? holder.name : "" });
  }

  #name(room: MailRoom, who: Pick<Holder, "id" | "name">): string {
    return nameOf(room, this.#options.known, who);
  }

  /** Shows a message, if it wasn't before, and remembers it. @param to Of one's own: the name of its recipient. */
  #take(
    room: MailRoom,
    letter: Event<"letter">,
    { sender, message, to }: {
      readonly sender: Holder;
      readonly message: PrivateMessage;
      readonly to: string | undefined;
    },
  ): void {
    const { view, seen, stay, identity, name } = this.#options;
    const { time, text } = message;
    const own = to !== undefined;
    if (own && message.stay === stay) return; // which is shown when the server has answered
    const key = seenKey(fullId(identity().id), sender.id, message);
    if (seen.has(key)) return;
    const shown = own ? name() : this.#name(room, sender);
    const age = Date.now() - time;
    if (age > MAX_AGE) return this.#refuse(letter, shown, "old");
    if (age < -MAX_AHEAD) return this.#refuse(letter, shown, "early");
    view.show({
      type: "private",
      at: time,
      name: shown,
      person: shortId(sender.id),
      to: { name: to ?? name(), person: shortId(message.to) },
      text,
      own,
    });
    // Afterwards, and at once: if this program is killed in between, it is shown again rather than never.
    seen.add(key, time);
  }

  /** Says why a message isn't shown: once, but for one that may yet be. */
  #refuse(
    { from, data }: Event<"letter">,
    name: string,
    reason: Unreadable,
  ): void {
    const { view, seen, identity } = this.#options;
    const self = fullId(identity().id);
    const key = unreadKey(self, from, data);
    if (seen.has(key)) return;
    const own = from === self;
    const person = shortId(from);
    view.show({ type: "private-unread", name, person, own, reason });
    if (reason === "altered" || reason === "old") seen.add(key, Date.now());
  }
}

/** What a letter says; undefined for one that its sender hasn't sealed so. */
async function opened(
  self: Identity,
  { card }: Holder,
  room: MailRoom,
  data: string,
): Promise<PrivateMessage | undefined> {
  try {
    const message = await openPrivate(self, card, room.id, fromBase64url(data));
    // Nobody writes to itself: only one's own machines make copies.
    const isToSelf = message.to === fullId(self.id);
    return isToSelf === equalBytes(card.id, self.id) ? undefined : message;
  } catch (error) {
    if (error instanceof DecryptionError || error instanceof SyntaxError) {
      return undefined;
    }
    throw error;
  }
}
