/**
 * What private messages need of the room that a connection leads into.
 *
 * @module
 */

import type { Bytes } from "../../../crypto_utils.ts";
import type { Event } from "../../protocol/events.ts";
import type { Present } from "../view.ts";
import { type CardAnswer, type Cards, ServerCards } from "./cards.ts";

/** What a client asks for about private messages. */
export type MailRequest = Event<"look" | "private" | "collect" | "got">;
/** What the server says about them. */
export type MailEvent = Event<"letter" | "privately"> | CardAnswer;

/** A room through which private messages go, over one connection. */
export interface MailRoom {
  /** What the signatures of messages name: an open room's server key, a sealed room's id; 32 bytes. */
  readonly id: Bytes;
  /** Where cards come from. */
  readonly cards: Cards;
  /** Who is there. */
  readonly present: readonly Present[];
  /** Asks the server. */
  ask(request: MailRequest): void;
  /** The server has answered what `cards` asked it. */
  heard(answer: CardAnswer): void;
  /** The connection is gone. */
  close(): void;
}

/** An open room, whose server tells the cards. @param link What leads into it. */
export function openMailRoom(
  link: {
    readonly serverKey: Bytes;
    readonly present: readonly Present[];
  },
  ask: (request: MailRequest) => void,
): MailRoom {
  const cards = new ServerCards(ask);
  return {
    id: link.serverKey,
    cards,
    get present() {
      return link.present;
    },
    ask,
    heard: (answer) => cards.heard(answer),
    close: () => cards.close(),
  };
}
