/**
 * The files that a client offers and takes: which of them the server asks for, and which pieces belong to which.
 *
 * @module
 */

import { Download } from "./download.ts";
import type { Event } from "../../protocol/events.ts";
import { FileError } from "../../base/file_error.ts";
import { type RequestId, tellFailure, type View } from "../view.ts";
import { keepNewest } from "../../base/keep_newest.ts";
import {
  formatOffer,
  isFileName,
  MAX_ASKED,
  type Offer,
  parseOffer,
} from "../../protocol/offer.ts";
import type {
  FileEvent,
  FileListener,
  FileRoom,
  OfferLine,
  OpenedPiece,
} from "../file_room.ts";
import { OwnFiles } from "./own_files.ts";
import { type FileSystem, tooLarge } from "./file_system.ts";
import type { LogEntry } from "../../protocol/line.ts";
import { Notify } from "../../base/notify.ts";

/** What a server keeps for itself, which Tab would complete all the same. */
const SECRETS: ReadonlySet<string> = new Set(["chat.key", "chat.people"]);
/** Offers that are remembered, the newest. */
const MAX_OFFERS = 1_000;
/** How long to wait before asking again for a file that can't be had just now, ms. */
const RETRY_PAUSE = 3_000;

/** What transfers need. @typeParam Given How somebody names a file that is to be offered. */
export interface TransfersOptions<Given> {
  /** Where it is told how they go. */
  readonly view: Pick<View, "note" | "show" | "fail">;
  /** Where files are. */
  readonly files: FileSystem<Given>;
  /** How long to wait before asking again, ms. Default: 3,000. */
  readonly pause?: number;
  /** The time, ms. Default: the machine's. */
  readonly now?: () => number;
}

/** Says an offer. @returns The client's own number for the line, null if it can't be said. */
export interface Offering {
  /** Says it. @param id What the request is called. */
  offer(text: string, id?: RequestId): Promise<number | null>;
}

/** A file that was offered. */
interface Offered {
  readonly offer: Offer;
  readonly line: OfferLine;
}

/** A piece that was asked for. */
interface AskedPiece {
  readonly download: Download;
  /** Opens it, as one that was asked for in the epoch of then. */
  readonly open: (data: string) => Promise<OpenedPiece>;
}

/** The files that a client offers and takes. @typeParam Given How somebody names a file that is to be offered. */
export class Transfers<Given = string> implements FileListener {
  readonly #options: TransfersOptions<Given>;
  readonly #offers = new Map<number, Offered>(); // that were made, by number
  readonly #own = new OwnFiles();
  readonly #taken = new Set<number>(); // offers whose files were taken, which nobody could be told yet
  readonly #downloads = new Map<number, Download>(); // by the offer's number
  readonly #asked = new Map<number, AskedPiece>(); // by the number under which it was asked for
  readonly #denied = new Set<Download>(); // that may ask when something that was asked for has come
  readonly #running = new Set<Promise<void>>();
  #room: FileRoom | undefined;
  #maxSize = Infinity;
  #nextId = 1;
  readonly #idle = new Notify(); // whenever a download may have come to rest

  /** No files yet. */
  constructor(options: TransfersOptions<Given>) {
    this.#options = options;
  }

  /** Offers a file to the room. What goes wrong is told to the view. */
  async send(
    session: Offering,
    given: Given,
    id?: RequestId,
  ): Promise<void> {
    try {
      const source = await this.#options.files.source(given, this.#maxSize);
      const { offer, path } = source;
      if (SECRETS.has(offer.name)) {
        throw new FileError(
          `Cannot send "${path}": who has it has the room; to send it all the same, rename a copy`,
        );
      }
      if (!isFileName(offer.name)) {
        throw new FileError(
          `Cannot send "${path}": others could not save it under that name; rename it first`,
        );
      }
      const n = await session.offer(formatOffer(offer), id);
      if (n !== null) this.#own.said(n, source);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.#fail(error.message, id);
    }
  }

  #fail(message: string, id?: RequestId): void {
    tellFailure(this.#options.view, message, id);
  }

  /** Takes the file of an offer, or goes on with it. */
  get(seq: number, id?: RequestId): void {
    const { view, files, pause = RETRY_PAUSE, now = Date.now } = this.#options;
    const offered = this.#offers.get(seq);
    if (!offered) {
      return this.#fail(`No offer ${seq} seen here; try /history`, id);
    }
    const { offer, line } = offered;
    const wrong = this.#own.find(seq)
      ? "That is your own file"
      : this.#downloads.has(seq)
      ? `Already downloading "${offer.name}"`
      : offer.size > this.#maxSize
      ? tooLarge("download", offer.name, offer.size, this.#maxSize)
      : undefined;
    if (wrong !== undefined) return this.#fail(wrong, id);
    const download: Download = new Download({
      seq,
      offer,
      files,
      ask: (from, size) => this.#ask(download, line, from, size),
      show: (news) => {
        const isOver = news.state === "taken" || news.state === "failed";
        if (isOver) this.#downloads.delete(seq); // so that it can be asked for again
        view.show({ ...news, id });
        this.#idle.notify();
      },
      taken: () => {
        this.#taken.add(seq);
        this.#tellTaken();
      },
      pause,
      now,
    });
    this.#downloads.set(seq, download);
    const running = download.run().finally(() => {
      if (this.#downloads.get(seq) === download) this.#downloads.delete(seq);
      this.#running.delete(running);
      this.#idle.notify();
    });
    this.#running.add(running);
  }

  /** Stops taking a file, or no longer offers it. */
  drop(seq: number, id?: RequestId): void {
    const { view } = this.#options;
    const download = this.#downloads.get(seq);
    if (download) return download.tell({ kind: "dropped" });
    const offer = this.#own.find(seq);
    if (!offer) {
      return this.#fail(`No file ${seq} is offered or downloaded here`, id);
    }
    this.withdrawn(seq); // nobody has it any more
    view.note(`No longer offered: "${offer.name}"`, id);
  }

  /** The numbers of offers, newest first: of those that can be downloaded, or of those that can be dropped. */
  numbers(kind: "offered" | "taking"): readonly number[] {
    const busy = [...this.#own.numbers, ...this.#downloads.keys()];
    const numbers = kind === "taking"
      ? busy
      : [...this.#offers.keys()].filter((seq) => !busy.includes(seq));
    return numbers.toSorted((a, b) => b - a);
  }

  /** Resolves when every file that is being taken is here, can't be had, or waits for somebody to come back. */
  async settled(): Promise<void> {
    while (this.#isBusy) await this.#idle.wait();
  }

  get #isBusy(): boolean {
    return [...this.#downloads.values()].some(({ active }) => active);
  }

  /** Stops, when what is read of offered files has been read, and keeps what is here of unfinished ones. */
  async close(): Promise<void> {
    for (const download of this.#downloads.values()) {
      download.tell({ kind: "closed" });
    }
    await Promise.all([...this.#running, this.#own.close()]);
  }

  /** The client is in the room: its offers can be asked for, and it can ask for others'. */
  joined(room: FileRoom): void {
    this.#room = room;
    this.#own.joined(room);
    this.#tellTaken();
    for (const download of this.#downloads.values()) {
      download.tell({ kind: "joined" });
    }
  }

  /** Nothing that was asked for is answered any more. */
  parted(): void {
    this.#room = undefined;
    this.#own.parted();
    this.#asked.clear();
    for (const download of this.#downloads.values()) {
      download.tell({ kind: "parted" });
    }
  }

  /** A file is offered. */
  offered(entry: LogEntry, own: boolean): void {
    const { seq, person, stay, n, text } = entry;
    const offer = parseOffer(text);
    if (!offer) return;
    const line = { seq, person, stay, n };
    this.#offers.set(seq, { offer, line });
    keepNewest(this.#offers, MAX_OFFERS);
    if (own) this.#own.offered(line);
  }

  /** An offer was taken back: it can be taken no more. */
  withdrawn(offer: number): void {
    this.#offers.delete(offer);
    this.#own.drop(offer);
  }

  /** The server said something about files. */
  heard(event: FileEvent): void {
    switch (event.kind) {
      case "limits":
        this.#maxSize = event.fileSize;
        return;
      case "fetch":
        return this.#own.answer(event);
      case "took":
        return this.#took(event);
      case "piece":
      case "missing":
        this.#answered(event);
    }
  }

  /** What was asked for comes, or doesn't. Pieces are opened side by side, and taken in their order. */
  #answered(event: Event<"piece" | "missing">): void {
    const { id } = event;
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    asked?.download.tell(
      event.kind === "missing"
        ? event
        : { kind: "piece", id, piece: asked.open(event.data) },
    );
    this.#invite();
  }

  /** Has those told who offered what was taken, as soon as that can be said. */
  #tellTaken(): void {
    if (!this.#room) return;
    for (const offer of this.#taken) {
      this.#room.ask({ kind: "taken", offer });
    }
    this.#taken.clear();
  }

  /** Somebody has a file of this client's: that is told once. */
  #took(event: Event<"took">): void {
    const file = this.#own.took(event)?.name;
    if (file === undefined) return;
    const { offer, name, person } = event;
    const { view } = this.#options;
    view.show({ type: "taken", offer, file, name, person, own: false });
  }

  #ask(
    download: Download,
    line: OfferLine,
    from: number,
    size: number,
  ): number | "later" | null {
    const room = this.#room;
    if (!room) return null;
    if (this.#asked.size >= MAX_ASKED) {
      this.#denied.add(download);
      return "later";
    }
    const id = this.#nextId++;
    const { epoch } = room;
    const open = (data: string) => room.open(data, { line, from }, epoch);
    this.#asked.set(id, { download, open });
    room.ask({ kind: "fetch", id, offer: line.seq, from, size });
    return id;
  }

  /** Lets those ask again who could not: in their order, and before the one who has just got a piece. */
  #invite(): void {
    for (const download of this.#denied) download.tell({ kind: "free" });
    this.#denied.clear();
  }
}
