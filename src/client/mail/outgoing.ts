/**
 * Private messages that this client sends: each is sealed to its recipient's card, sent, and kept until the server
 * says what became of it. What has no answer when a connection breaks goes out again, byte for byte, over the next.
 *
 *     send ──▶ unsent ── sealed ──▶ sent ── privately ──▶ delivered, waiting: shown
 *                 ▲                   │          └──────▶ refused: said
 *                 └── another ────────┘
 *                   connection
 *
 * @module
 */

import { HandshakeError, toBase64url } from "../../../crypto_utils.ts";
import {
  fullId,
  parseShortId,
  shortId,
  spokenId,
} from "../../crypto/person_id.ts";
import { Notify } from "../../base/notify.ts";
import { within } from "../../base/timing.ts";
import type { Event } from "../../protocol/events.ts";
import { foldedName } from "../../protocol/names.ts";
import { type Refusal, textRefusal } from "../../protocol/reasons.ts";
import { sealPrivate } from "../../sealed/private_message.ts";
import { byNameOrId, type Person } from "../person.ts";
import type { RequestId } from "../view.ts";
import type { Holder } from "./cards.ts";
import type { IncomingOptions } from "./incoming.ts";
import type { MailRoom } from "./mail_room.ts";
import { nameOf } from "./naming.ts";
import { seenKey } from "./seen.ts";

/** Messages that may wait before the next must wait to be sent. */
const MAX_WAITING = 1_024;

/** What outgoing messages need. */
export interface OutgoingOptions extends IncomingOptions {
  /** Is told whenever the number of messages that have no answer changes. */
  readonly changed: () => void;
}

/** A message that has no answer yet. */
interface Unanswered {
  readonly n: number;
  /** To whom, as it was typed. */
  readonly typed: string;
  readonly text: string;
  readonly id: RequestId | undefined;
  /** As it is sent, once it was sealed. */
  sealed?: Sealed;
}

interface Sealed {
  /** Its recipient, and the name by which it goes. */
  readonly to: Person;
  readonly time: number;
  readonly event: Event<"private">;
}

/** Why a message isn't sent. */
interface Refused {
  readonly reason: Refusal;
  readonly detail?: string;
}

/** The messages that this client sends. */
export class Outgoing {
  readonly #options: OutgoingOptions;
  readonly #messages = new Map<number, Unanswered>(); // by number
  readonly #changed = new Notify();
  #unsent: Unanswered[] = []; // of those, what is to go out over this connection
  #room: MailRoom | undefined; // that the connection leads into
  #n = 0;
  #isSending = false;
  #isClosed = false;
  #failedAny = false;

  /** None so far. */
  constructor(options: OutgoingOptions) {
    this.#options = options;
  }

  /** How many have no answer yet. */
  get size(): number {
    return this.#messages.size;
  }

  /** Those, as they may be typed. */
  get typed(): string[] {
    return [...this.#messages.values()].map(typedMessage);
  }

  /** Whether any was refused. */
  get failedAny(): boolean {
    return this.#failedAny;
  }

  /** Sends a message, when there is room for the next. @param typed A name, or a short id. @param id What the request is called. */
  async send(typed: string, words: string, id?: RequestId): Promise<void> {
    const text = words.toWellFormed(); // half a surrogate pair is no UTF-8
    const reason = textRefusal(text) ??
      (this.#isSelf(typed) ? "private-self" : undefined);
    if (reason) return this.#refuse({ typed, text, id }, { reason });
    while (this.size >= MAX_WAITING && !this.#isClosed) {
      await this.#changed.wait();
    }
    const message = { n: ++this.#n, typed, text, id };
    this.#messages.set(message.n, message);
    this.#unsent.push(message);
    this.#options.changed();
    this.#send();
  }

  /** The client is in a room: all that has no answer goes out. */
  joined(room: MailRoom): void {
    this.#room = room;
    this.#unsent = [...this.#messages.values()];
    this.#send();
  }

  /** The connection is gone. */
  parted(): void {
    this.#room = undefined;
    this.#unsent = [];
    this.#changed.notify();
  }

  /** The server says what became of a message. */
  heard({ n, state }: Event<"privately">): void {
    const message = this.#messages.get(n);
    if (!message?.sealed) return;
    this.#settle(message);
    if (state !== "delivered" && state !== "waiting") {
      return this.#refuse(message, { reason: state as Refusal });
    }
    const { view, identity, name, seen, stay } = this.#options;
    const { text, id, sealed: { to, time } } = message;
    const self = fullId(identity().id);
    view.show({
      type: "private",
      at: time,
      name: name(),
      person: shortId(self),
      to: { name: to.name, person: to.person },
      text,
      own: true,
      state,
      id,
    });
    // Only now: where this program is killed before, the next run shows the copy, so that one knows it was sent.
    seen.add(seenKey(self, self, { stay, n }), time);
  }

  /** Makes nobody wait any more. */
  close(): void {
    this.#isClosed = true;
    this.#changed.notify();
  }

  /** Resolves when every message has its answer, or after `close`. */
  async settled(): Promise<void> {
    while (this.size > 0 && !this.#isClosed) await this.#changed.wait();
  }

  /** Resolves when every message has its answer, or the connection is gone. @param patience For that, ms. */
  async flush(patience: number): Promise<void> {
    await within(patience, this.#settledHere());
  }

  async #settledHere(): Promise<void> {
    while (this.#room && this.size > 0) await this.#changed.wait();
  }

  /** Seals and sends what is unsent, one after the other. */
  async #send(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    for (;;) {
      const room = this.#room;
      const [message] = this.#unsent;
      if (!room || !message) break;
      const sealed = message.sealed ?? await this.#seal(room, message);
      if (room !== this.#room) continue;
      this.#unsent.shift();
      if ("reason" in sealed) {
        this.#settle(message);
        this.#refuse(message, sealed);
      } else {
        message.sealed = sealed;
        room.ask(sealed.event);
      }
    }
    this.#isSending = false;
  }

  /** Seals a message to whom it was typed for. */
  async #seal(
    room: MailRoom,
    { n, typed, text }: Unanswered,
  ): Promise<Sealed | Refused> {
    const { identity, stay } = this.#options;
    const found = await this.#find(room, typed);
    if ("reason" in found) return found;
    const self = identity();
    const { card, id, name } = found;
    if (id === fullId(self.id)) return { reason: "private-self" };
    const time = Date.now();
    try {
      const message = { stay, n, time, text };
      const { data, own } = await sealPrivate(self, card, room.id, message);
      const event = {
        kind: "private",
        n,
        to: id,
        data: toBase64url(data),
        own: toBase64url(own),
      } as const;
      return { to: { name, id, person: shortId(id) }, time, event };
    } catch (error) {
      // A card that was signed, with keys to which nothing can be sealed.
      if (!(error instanceof RangeError || error instanceof HandshakeError)) {
        throw error;
      }
      return { reason: "keys-wrong" };
    }
  }

  /**
   * Whom a name means: the one who goes by it in the room; else, away, who was known by it, if that is still so. A card
   * counts only for the id that is expected.
   */
  async #find(room: MailRoom, typed: string): Promise<Holder | Refused> {
    const { known } = this.#options;
    const here = byNameOrId(room.present, typed);
    const expected = here ?? known?.find(typed);
    const who = here ? here.person : typed;
    let holder = await room.cards.find(who);
    // The name may have been given up, and the person be there all the same.
    if (!holder && expected) holder = await room.cards.find(expected.person);
    if (!holder) return { reason: "nobody-known" };
    if (holder === "wrong") return { reason: "keys-wrong" };
    if (expected && holder.id !== expected.id) {
      if (here || parseShortId(typed) !== undefined) {
        return { reason: "keys-wrong" };
      }
      const [now, before] = [holder, expected].map(({ id }) =>
        spokenId(shortId(id))
      );
      const detail = `it is ${now} now, and you knew ${before}. ` +
        `To write to either, give the id in place of the name`;
      return { reason: "person-changed", detail };
    }
    return { ...holder, name: nameOf(room, known, holder) };
  }

  #isSelf(typed: string): boolean {
    const { identity, name } = this.#options;
    const person = shortId(fullId(identity().id));
    return parseShortId(typed) === person ||
      foldedName(typed) === foldedName(name());
  }

  #settle({ n }: Unanswered): void {
    this.#messages.delete(n);
    this.#options.changed();
    this.#changed.notify();
  }

  #refuse(
    message: Pick<Unanswered, "typed" | "text" | "id">,
    { reason, detail = "" }: Refused,
  ): void {
    this.#failedAny = true;
    const text = typedMessage(message);
    const { id } = message;
    this.#options.view.show({ type: "refused", text, reason, detail, id });
  }
}

/** A message as it may be typed. */
function typedMessage(
  { typed, text }: Pick<Unanswered, "typed" | "text">,
): string {
  return `/msg ${typed} ${text}`;
}
