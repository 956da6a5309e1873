/**
 * With what a client seals over one connection: the content key of now, as soon as it is here. With each other key, all
 * that isn't settled goes out anew; where the key doesn't come, keepers are asked for it.
 *
 * @module
 */

import { Notify } from "../../base/notify.ts";
import type { Event } from "../../protocol/events.ts";
import type { View } from "../view.ts";
import type { SealedRoom } from "./sealed_room.ts";
import type { SealingEpoch } from "./sealer.ts";

/** What it takes to get the key, and to use it. */
export interface SealingOptions {
  /** The room. */
  readonly room: SealedRoom;
  /** Where notes go. */
  readonly view: View;
  /** Asks the keepers, through the server. */
  readonly ask: (request: Event<"need">) => Promise<void>;
  /** Says all lines again that aren't settled. */
  readonly resend: () => void;
}

/** With what is sealed. */
export class Sealing {
  readonly #options: SealingOptions;
  readonly #changed = new Notify(); // the key, or the end
  #now: SealingEpoch | undefined;
  #round = 0;
  #asked = -1; // the epoch whose key keepers were asked for
  #isClosed = false;

  /** Nothing is sealed until `begin`. */
  constructor(options: SealingOptions) {
    this.#options = options;
  }

  /** The key of now, as soon as it is here; undefined where the connection ends before. */
  async key(): Promise<SealingEpoch | undefined> {
    while (!this.#now && !this.#isClosed) await this.#changed.wait();
    return this.#now;
  }

  /** Whether the key of now is here. */
  get isReady(): boolean {
    return this.#now !== undefined;
  }

  /** How often all lines went out anew: what was sealed before is of no use after. */
  get round(): number {
    return this.#round;
  }

  /** Seals with the key of now, if it is here: nothing was said yet. */
  async begin(): Promise<void> {
    this.#now = await this.#find();
    this.#changed.notify();
  }

  /** Seals with the key of now from here on, and anew what isn't settled; asks for it if it isn't here. */
  async renew(): Promise<void> {
    this.#now = undefined;
    const key = await this.#find();
    if (!key) return await this.need();
    this.#now = key;
    this.#round++;
    this.#changed.notify();
    this.#options.resend();
  }

  async #find(): Promise<SealingEpoch | undefined> {
    const { membership, keys } = this.#options.room;
    const { room, epoch: e } = membership;
    const key = await keys.get(e, membership);
    return room && key && { room, e, key };
  }

  /** Asks for the key of now, once. */
  async need(): Promise<void> {
    const { room, view, ask } = this.#options;
    const { epoch: e } = room.membership;
    if (this.#asked === e) return;
    this.#asked = e;
    view.note(
      "The room's key has not come yet. Until a keeper's client passes it on, new lines can't be read here, and what you say waits",
    );
    await ask({ kind: "need", e }).catch(() => {}); // its reader says why
  }

  /** The connection has ended. */
  close(): void {
    this.#isClosed = true;
    this.#changed.notify();
  }
}
