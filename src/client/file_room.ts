/**
 * The seam between a session, which knows the server, and what deals with files for the client.
 *
 * @module
 */

import { type Bytes, fromBase64url, toBase64url } from "../../crypto_utils.ts";
import type { Event } from "../protocol/events.ts";
import type { LogEntry } from "../protocol/line.ts";

/** What the server says about files. */
export type FileEvent = Event<
  "fetch" | "limits" | "missing" | "piece" | "took"
>;
/** What a client says about files, beside offering them. */
export type FileRequest = Event<
  "fetch" | "hold" | "missing" | "piece" | "taken"
>;

/** The line by which a file is offered: whose it is, and which of them. */
export type OfferLine = Pick<LogEntry, "seq" | "person" | "stay" | "n">;

/** Which bytes of which file. */
export interface PiecePlace {
  /** The line by which it is offered. */
  readonly line: OfferLine;
  /** Where they begin, bytes. */
  readonly from: number;
}

/**
 * A piece that came: its bytes, "locked" while the key that it needs isn't here, "wrong" if it isn't from that place of
 * that file.
 */
export type OpenedPiece = Bytes | "locked" | "wrong";

/** A room in which files are offered and taken, over one connection. */
export interface FileRoom {
  /** The number of the epoch in a sealed room; 0 in an open one. */
  readonly epoch: number;
  /** Tells the server something about files, if the client is in the room. */
  ask(event: FileRequest): void;
  /** A piece as it goes over the wire; undefined where the connection ends before it can. Never rejects. */
  seal(piece: Bytes, place: PiecePlace): Promise<string | undefined>;
  /** What is in a piece that came. Never rejects. @param since The epoch in which it was asked for. */
  open(data: string, place: PiecePlace, since: number): Promise<OpenedPiece>;
}

/** An open room, in which pieces are as they are: each connection seals what goes over it. */
export function openFileRoom(ask: FileRoom["ask"]): FileRoom {
  return {
    epoch: 0,
    ask,
    seal: (piece) => Promise.resolve(toBase64url(piece)),
    open: (data) => {
      try {
        return Promise.resolve(fromBase64url(data));
      } catch {
        return Promise.resolve("wrong"); // its holder's client isn't one of ours
      }
    },
  };
}

/** What deals with files for a client. */
export interface FileListener {
  /** The client is in the room, or in it again. */
  joined(room: FileRoom): void;
  /** It is there no longer. */
  parted(): void;
  /** Somebody has offered a file, or had when the client came. */
  offered(line: LogEntry, own: boolean): void;
  /** An offer was taken back. */
  withdrawn(offer: number): void;
  /** The server said something about files. */
  heard(event: FileEvent): void;
}
