/**
 * Files between clients of a sealed room, by a server that alters what it passes on as a test wants.
 *
 * @module
 */

import { Notify } from "../../src/base/notify.ts";
import type { FileRequest } from "../../src/client/file_room.ts";
import { shortId } from "../../src/crypto/person_id.ts";
import type { Event } from "../../src/protocol/events.ts";
import { PIECE_OVERHEAD, PIECE_SIZE } from "../../src/protocol/offer.ts";
import type { Peer } from "../../src/server/file_peer.ts";
import { FileRelay } from "../../src/server/file_relay.ts";
import { assert } from "./assert.ts";
import { Folder } from "./folder.ts";
import type { Seat } from "./sealed_server.ts";
import { type SealedClient, SealedSetup } from "./sealed_setup.ts";

/** Five pieces and a bit. */
export const SIZE: number = 5 * PIECE_SIZE + 7;

/** A client, as the relay knows it. */
class FilePeer implements Peer {
  readonly fetches = new Map<number, Event<"fetch">>();
  #told: Event[] = []; // that isn't sent yet

  constructor(readonly seat: Seat, readonly server: FileServer) {}

  tell(...events: Event[]): void {
    for (const event of events) {
      const fetch = event.kind === "piece"
        ? this.fetches.get(event.id)
        : undefined;
      const told = event.kind === "piece" && fetch
        ? this.server.alter(event, fetch)
        : [event];
      this.#told.push(...told);
    }
  }

  async flush(): Promise<void> {
    await this.seat.tell(...this.#told.splice(0));
  }
}

/** What passes files on. */
export class FileServer {
  readonly #relay = new FileRelay({
    maxFileSize: 2 ** 20,
    maxTransfers: 8,
    pieceOverhead: PIECE_OVERHEAD,
  });
  readonly #peers = new Map<Seat, FilePeer>();
  readonly #changed = new Notify();
  /** What clients said of files. */
  readonly heard: FileRequest[] = [];
  /** What a taker is told in place of a piece. */
  alter: (piece: Event<"piece">, fetch: Event<"fetch">) => Event[] = (
    piece,
  ) => [piece];
  /** What is asked for in place of what a taker asked for. */
  redirect: (fetch: Event<"fetch">) => Event<"fetch"> = (fetch) => fetch;

  /** Carries out what a client asks for. */
  async take(seat: Seat, event: FileRequest): Promise<void> {
    this.heard.push(event);
    this.#carryOut(seat, event);
    this.#changed.notify();
    for (const peer of this.#peers.values()) await peer.flush();
  }

  /** Waits until somebody says that it has the file of an offer. */
  async holds(offer: number): Promise<void> {
    const isHeld = (it: FileRequest) =>
      it.kind === "hold" && it.offer === offer;
    while (!this.heard.some(isHeld)) await this.#changed.wait();
  }

  /** Somebody has gone. */
  async left(seat: Seat): Promise<void> {
    const peer = this.#peers.get(seat);
    if (!peer) return;
    this.#peers.delete(seat);
    this.#relay.release(peer);
    for (const peer of this.#peers.values()) await peer.flush();
  }

  #carryOut(seat: Seat, event: FileRequest): void {
    const relay = this.#relay;
    const peer = this.#peers.get(seat) ?? new FilePeer(seat, this);
    this.#peers.set(seat, peer);
    switch (event.kind) {
      case "hold":
        return relay.hold(peer, event.offer, Infinity);
      case "fetch": {
        peer.fetches.set(event.id, event);
        const answer = relay.fetch(peer, this.redirect(event));
        if (answer) peer.tell(answer);
        return;
      }
      case "piece":
        relay.piece(peer, event);
        return;
      case "missing":
        return relay.missing(peer, event);
      case "taken":
        return relay.taken(event.offer, {
          name: seat.name,
          person: shortId(seat.person),
        });
    }
  }
}

/** A sealed room with files, and the folder where they are. */
export class SealedFiles implements AsyncDisposable {
  readonly setup: SealedSetup = new SealedSetup({ waits: true });
  readonly files: FileServer = new FileServer();

  private constructor(readonly folder: Folder) {
    this.setup.folder = folder.path;
    this.setup.server.files = this.files;
  }

  static async make(): Promise<SealedFiles> {
    return new SealedFiles(await Folder.make());
  }

  /** Makes a file, and has a client offer it, so that it can be taken. @returns The number of the offer. */
  async offer(client: SealedClient, name: string, bytes: Uint8Array) {
    const path = this.folder.file(name);
    await Deno.writeFile(path, bytes);
    const offers = client.view.of("offered").length;
    assert(client.transfers);
    await client.transfers.send(client.session, path);
    const { seq } = await client.view.until("offered", offers);
    await this.files.holds(seq);
    return seq;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.setup[Symbol.asyncDispose]();
    await this.folder[Symbol.asyncDispose]();
  }
}
