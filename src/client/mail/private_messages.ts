/**
 * A client's private messages, across as many connections as it takes: those that it sends, and those that come.
 *
 * @module
 */

import type { RequestId } from "../view.ts";
import { Incoming } from "./incoming.ts";
import type { MailEvent, MailRoom } from "./mail_room.ts";
import { Outgoing, type OutgoingOptions } from "./outgoing.ts";

/** A client's private messages. */
export class PrivateMessages {
  /** Those that it sends. */
  readonly outgoing: Outgoing;
  readonly #incoming: Incoming;
  #room: MailRoom | undefined;

  /** None so far. */
  constructor(options: OutgoingOptions) {
    this.outgoing = new Outgoing(options);
    this.#incoming = new Incoming(options);
  }

  /** Sends a message. @param to A name, or a short id. */
  send(to: string, text: string, id?: RequestId): Promise<void> {
    return this.outgoing.send(to, text, id);
  }

  /** The client is in a room, or in it again. */
  joined(room: MailRoom): void {
    this.#room = room;
    this.#incoming.joined(room);
    this.outgoing.joined(room);
  }

  /** The connection is gone. */
  parted(): void {
    this.#room?.close();
    this.#room = undefined;
    this.#incoming.parted();
    this.outgoing.parted();
  }

  /** The server says something about private messages. */
  heard(event: MailEvent): void {
    if (event.kind === "letter") this.#incoming.heard(event);
    else if (event.kind === "privately") this.outgoing.heard(event);
    else this.#room?.heard(event);
  }
}
