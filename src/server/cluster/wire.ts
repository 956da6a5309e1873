/**
 * What servers of one room need between them: a stream of entries that all of them read in one order, and messages that
 * pass from one to the others. `src/server/nats` has it from NATS, tests from memory. All bytes are sealed by then.
 *
 * @module
 */

import type { Bytes } from "../../../crypto_utils.ts";

/** An entry of the stream. */
export interface StreamEntry {
  /** Its place in the stream, from 1 on. */
  readonly seq: number;
  /** When the stream took it, ms since 1970, by the stream's clock. */
  readonly at: number;
  /** What `publish` was given. */
  readonly data: Bytes;
}

/** What the stream holds. */
export interface StreamState {
  /** Another one whenever the stream was made anew. */
  readonly made: string;
  /** The place of its oldest entry; `last + 1` where it holds none. */
  readonly first: number;
  /** The place of its newest entry, or of the last that it held; 0 for none ever. */
  readonly last: number;
}

/** The stream can't be reached, or doesn't answer in time; what was asked may have happened all the same. */
export class StreamError extends Error {
  /** The class's name. */
  override readonly name = "StreamError";
}

/** The stream is another one than before, or lacks the entries that were asked for. */
export class StreamLostError extends Error {
  /** The class's name. */
  override readonly name = "StreamLostError";
}

/** What leads to other servers. */
export interface Wire {
  /** Whether the stream can be reached now. */
  readonly isUp: boolean;
  /** How large an entry may be, bytes. */
  readonly maxSize: number;
  /** Is called with `isUp` whenever that changes. */
  changed: (isUp: boolean) => void;
  /** What the stream holds; makes it if it is missing. @throws {StreamError} */
  state(): Promise<StreamState>;
  /**
   * Adds an entry. While the stream can't be reached, it waits for a few seconds before it fails.
   * @param id Tells it from all others: where it comes again within two minutes, the stream has it once.
   * @returns Its place, once the stream has it. @throws {StreamError} It may get there all the same.
   */
  publish(id: string, data: Bytes): Promise<number>;
  /** The entry of that place; undefined where the stream doesn't have it. @throws {StreamError} */
  entry(seq: number): Promise<StreamEntry | undefined>;
  /**
   * The entries from a place on, in order and without a gap, also those that come later, until the signal.
   * While the stream can't be reached, it waits.
   * @param from The place; at least 1. @param made Which stream: as `state` has it.
   * @throws {StreamLostError} where there would be a gap, or the stream is another.
   */
  follow(
    from: number,
    made: string,
    signal: AbortSignal,
  ): AsyncIterable<StreamEntry>;
  /** Sends a message to all servers that listen to a subject; it may get lost, and does while `isUp` is false. */
  send(subject: string, data: Bytes): void;
  /** Hears the messages of a subject, this server's own included, until the signal. */
  listen(
    subject: string,
    heard: (data: Bytes) => void,
    signal: AbortSignal,
  ): void;
  /** Ends all. */
  close(): Promise<void>;
}
