/**
 * The seam between a session, which knows the server, and what deals with files for the client.
 *
 * @module
 */

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

/** A room in which files are offered and taken. */
export interface FileRoom {
  /** Tells the server something about files, if the client is in the room. */
  ask(event: FileRequest): void;
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
