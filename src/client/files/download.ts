/**
 * One file being taken: which pieces to ask for, how many at a time, and when to ask again.
 *
 *     waiting ── joined, or a pause is over ──▶ taking ── whole ──▶ taken
 *        ▲                                        │ └── changed, dropped, a wrong checksum ──▶ failed
 *        └── parted, gone, busy, late ────────────┘
 *
 * @module
 */

import type { Event } from "../../protocol/events.ts";
import { FileError } from "../../base/file_error.ts";
import type { OpenedPiece } from "../file_room.ts";
import type { FileNews } from "../view.ts";
import { type Offer, PIECE_SIZE } from "../../protocol/offer.ts";
import type { FileSystem, Target } from "./file_system.ts";
import { MISSING, wording } from "../../protocol/reasons.ts";
import { Notify } from "../../base/notify.ts";

/** Pieces that are asked for at a time, at the most. */
const MAX_WINDOW = 8;
/** A piece that comes within this is fast, and one that takes longer than that is slow, ms. */
const FAST = 100;
const SLOW = 300;

/** Why nothing is asked for, or no more. */
const ALREADY_HERE = "it was here already";
const DROPPED = "you dropped it";
const LOCKED = "the room's key has not come yet";
const WRONG = "a piece of it is not as its sender sent it";

/** What a download needs. */
export interface DownloadOptions {
  /** The offer's number. */
  readonly seq: number;
  /** What was offered. */
  readonly offer: Offer;
  /** Where it is saved. */
  readonly files: Pick<FileSystem<never>, "find" | "target">;
  /**
   * Asks for some bytes.
   * @returns The number under which the answer comes; null if nobody can be asked; "later" where too much is
   * asked for already, by others, and mail says when that is over.
   */
  readonly ask: (from: number, size: number) => number | "later" | null;
  /** Is told how it goes. */
  readonly show: (news: FileNews) => void;
  /** Is told that the file was taken, and is what was offered. */
  readonly taken: () => void;
  /** How long to wait before asking again, ms. */
  readonly pause: number;
  /** The time, ms. */
  readonly now: () => number;
}

/** A piece that was asked for. */
interface Order {
  readonly id: number;
  readonly size: number;
  readonly at: number;
}

/** What concerns a download: an answer, or what became of the connection, the wish, the pause or others' pieces. */
export type Mail =
  | Event<"missing">
  | {
    readonly kind: "piece";
    readonly id: number;
    readonly piece: Promise<OpenedPiece>;
  }
  | {
    readonly kind:
      | "joined"
      | "parted"
      | "dropped"
      | "closed"
      | "rested"
      | "free";
  };

/** A file being taken. */
export class Download {
  readonly #options: DownloadOptions;
  readonly #mail: Mail[] = [];
  readonly #came = new Notify();
  #orders: Order[] = []; // in the order of their bytes
  #window = 1;
  #percent = 0;
  #state: FileNews["state"] = "begun";
  #reason = "";
  #got = 0;
  #end: Pick<FileNews, "again" | "dropped"> = {}; // what else there is to say where it has failed

  /** A download that begins with `run`. */
  constructor(options: DownloadOptions) {
    this.#options = options;
  }

  /** Whether it is under way, and doesn't wait for somebody to come back. */
  get active(): boolean {
    return this.#state === "begun" || this.#state === "taking";
  }

  /** To be called with whatever concerns it. */
  tell(mail: Mail): void {
    this.#mail.push(mail);
    this.#came.notify();
  }

  /** Takes the file, until it is here or can't be had, and says so. Never rejects. */
  async run(): Promise<void> {
    const { files, offer, taken } = this.#options;
    try {
      const here = await files.find(offer);
      if (here !== undefined) {
        this.#got = offer.size;
        return this.#show("taken", ALREADY_HERE, here);
      }
      using file = await files.target(offer);
      this.#got = file.size;
      this.#show("begun");
      if (!await this.#fill(file)) return;
      const path = await file.finish();
      taken();
      this.#show("taken", "", path);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.#show("failed", error.message);
    }
  }

  /** Takes all that is missing. @returns Whether it is all here. */
  async #fill(file: Target): Promise<boolean> {
    const { offer: { size }, pause } = this.#options;
    while (file.size < size) {
      this.#order();
      const mail = await this.#next();
      switch (mail.kind) {
        case "dropped":
        case "closed":
          return this.#stop(mail.kind);
        case "parted":
          this.#orders = [];
          break;
        case "piece":
          if (await this.#take(mail, file)) break;
          this.#show("waiting", LOCKED);
          if (!await this.#rest(pause)) return false;
          break;
        case "missing":
          if (!this.#orders.some(({ id }) => id === mail.id)) break;
          this.#orders = [];
          if (mail.reason === "changed" || mail.reason === "dropped") {
            this.#end = { again: false };
            this.#show("failed", wording(MISSING, mail.reason));
            return false;
          }
          this.#show("waiting", wording(MISSING, mail.reason));
          if (!await this.#rest(pause)) return false;
          break;
        default: // joined, rested, free: there is somebody to ask, perhaps
      }
    }
    return true;
  }

  /** Asks for as much as may be under way. */
  #order(): void {
    const { offer, ask, now } = this.#options;
    let next = this.#got +
      this.#orders.reduce((sum, { size }) => sum + size, 0);
    while (this.#orders.length < this.#window && next < offer.size) {
      const size = Math.min(PIECE_SIZE, offer.size - next);
      const id = ask(next, size);
      if (id === "later") {
        if (this.#state === "waiting") this.#show("taking");
        return;
      }
      if (id === null) {
        this.#show("waiting", "not connected");
        return;
      }
      this.#orders.push({ id, size, at: now() });
      next += size;
    }
  }

  /** @returns Whether it could be opened, or isn't wanted any more. @throws {FileError} */
  async #take(
    { id, piece }: Extract<Mail, { kind: "piece" }>,
    file: Target,
  ): Promise<boolean> {
    const index = this.#orders.findIndex((order) => order.id === id);
    const order = this.#orders[index];
    if (!order) return true; // it was asked for before the connection broke off
    if (index > 0) {
      this.#orders = []; // the holder answers out of turn: ask anew
      return true;
    }
    const bytes = await piece;
    if (bytes === "wrong") throw new FileError(WRONG);
    if (bytes === "locked") {
      this.#orders = [];
      return false;
    }
    if (bytes.length !== order.size) {
      throw new FileError("a piece of it has the wrong size");
    }
    this.#orders.shift();
    await file.append(bytes);
    this.#got = file.size;
    this.#adapt(this.#options.now() - order.at);
    const percent = Math.floor(this.#got / this.#options.offer.size * 100);
    if (percent === this.#percent && this.#state === "taking") return true;
    this.#percent = percent;
    this.#show("taking");
    return true;
  }

  /** More at a time while pieces come fast; fewer if they delay what is said. */
  #adapt(took: number): void {
    if (took < FAST) this.#window = Math.min(MAX_WINDOW, this.#window + 1);
    else if (took > SLOW) this.#window = Math.max(1, this.#window - 1);
  }

  /** The next thing that concerns it. */
  async #next(): Promise<Mail> {
    let mail;
    while (!(mail = this.#mail.shift())) await this.#came.wait();
    return mail;
  }

  /** Waits, unless it is told that it may go on. @returns Whether to go on. */
  async #rest(pause: number): Promise<boolean> {
    const timer = setTimeout(() => this.tell({ kind: "rested" }), pause);
    try {
      for (;;) {
        const { kind } = await this.#next();
        if (kind === "rested" || kind === "joined") return true;
        if (kind === "dropped" || kind === "closed") return this.#stop(kind);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #stop(kind: "dropped" | "closed"): false {
    if (kind === "dropped") {
      this.#end = { dropped: true };
      this.#show("failed", DROPPED);
    }
    return false;
  }

  #show(state: FileNews["state"], reason = "", path = ""): void {
    const again = state === "waiting" && reason === this.#reason;
    this.#state = state;
    this.#reason = reason;
    if (again) return; // every attempt says the same
    const { seq, offer: { name, size }, show } = this.#options;
    const got = this.#got;
    const progress = { got, state, path, reason };
    show({ type: "file", offer: seq, name, size, ...progress, ...this.#end });
  }
}
