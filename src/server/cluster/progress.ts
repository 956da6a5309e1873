/**
 * How far this server has carried out the stream, and by which servers the room is there; and what of that `chat.cluster`
 * doesn't say yet. It is written after each entry that counts, and now and then after others.
 *
 * @module
 */

import { FileError } from "../../base/private_file.ts";
import type { Batch } from "../batch.ts";
import { diagnostics } from "../diagnostics.ts";
import type { OrderedRoom } from "../order.ts";
import type { Position, PositionFile } from "./position.ts";
import {
  changesOf,
  type SeatRecord,
  type ServerRecord,
} from "./roster_record.ts";

/** The pause before it is written down again that entries don't count, ms. */
const SKIPPED_PAUSE = 1_000;

const logger = diagnostics("cluster");

/** What has changed and isn't in `chat.cluster` yet. */
class Unwritten {
  readonly changes = new Map<string, readonly SeatRecord[]>();
  readonly servers = new Map<string, ServerRecord>();
  readonly gone = new Set<string>();
}

/** How far this server is. */
export class Progress implements Disposable {
  readonly #file: Pick<PositionFile, "carriedOut">;
  readonly #own: string;
  readonly #wake: () => void;
  readonly #servers = new Map<string, ServerRecord>();
  #stream = "";
  #place = 0;
  #digest = "";
  #base = 0;
  #head = 0;
  #time = 0;
  #unwritten = new Unwritten();
  #isKept = true; // whether all that came of the last one is in the files
  #written = 0; // the place up to which the file says all
  #trouble = ""; // said once
  #skippedAt = -Infinity; // performance.now(), when it was last written that entries don't count
  #skippedTimer: ReturnType<typeof setTimeout> | undefined;

  /** Nowhere yet. @param own This server's id. @param wake Is called when `writeSkipped` may have something to do. */
  constructor(
    file: Pick<PositionFile, "carriedOut">,
    own: string,
    wake: () => void,
  ) {
    this.#file = file;
    this.#own = own;
    this.#wake = wake;
  }

  /** Which beginning the stream had; "" before the first. */
  get stream(): string {
    return this.#stream;
  }

  /** The place up to which all is carried out. */
  get place(): number {
    return this.#place;
  }

  /** The place of the last entry on which decisions rest. */
  get base(): number {
    return this.#base;
  }

  /** The number of the last line that came of it. */
  get head(): number {
    return this.#head;
  }

  /** The time of what happened last, ms since 1970, behind which none goes back. */
  get time(): number {
    return this.#time;
  }

  /** Live servers of the room, this one among them once it is in. */
  get servers(): ReadonlyMap<string, ServerRecord> {
    return this.#servers;
  }

  /** Whether that place is in the stream that is carried out, and no further than it is: the file may say less. */
  hasPassed({ stream, place }: Pick<Position, "stream" | "place">): boolean {
    return stream === this.#stream && place <= this.#place;
  }

  /** Goes on from a place of the file's. */
  goOn(at: Position): void {
    this.#stream = at.stream;
    this.#place = this.#written = at.place;
    this.#digest = at.digest;
    this.#base = at.base;
    this.#head = at.head;
    this.#time = at.time;
    this.#unwritten = new Unwritten(); // the file says all of it
    this.#servers.clear();
    for (const it of at.roster.servers) this.#servers.set(it.id, it);
  }

  /** An entry has come. @param digest As `digestOf` has it. */
  passed(place: number, digest: string): void {
    this.#place = place;
    this.#digest = digest;
  }

  /** What is tried from now on has that place for its base. */
  rebase(place: number): void {
    this.#base = place;
  }

  /** A server comes, or has had another entry carried out. */
  note(record: ServerRecord): void {
    this.#unwritten.gone.delete(record.id);
    this.#servers.set(record.id, record);
    this.#unwritten.servers.set(record.id, record);
  }

  /** A server is gone. @returns What was known of it, if it was in. */
  drop(server: string): ServerRecord | undefined {
    const known = this.#servers.get(server);
    if (!known) return undefined;
    this.#servers.delete(server);
    this.#unwritten.servers.delete(server);
    this.#unwritten.gone.add(server);
    return known;
  }

  /**
   * The entry that has come is carried out. @param room As it is after that.
   * @param isKept Whether all that came of it is in its files: else it isn't written down before the next one is.
   */
  carriedOut(
    batch: Batch,
    room: Pick<OrderedRoom, "members" | "nextId">,
    isKept: boolean,
  ): void {
    this.#head = batch.first - 1 + batch.entries.length;
    this.#time = batch.at;
    for (const [person, seats] of changesOf(batch, room.members)) {
      this.#unwritten.changes.set(person, seats);
    }
    this.#isKept = isKept;
    if (isKept) this.#write(room.nextId);
  }

  /** Writes down that what came last counts for nothing, now and then: strangers may add a lot of that. */
  writeSkipped(nextId: number): void {
    if (!this.#isKept || this.#written >= this.#place) return;
    const wait = this.#skippedAt + SKIPPED_PAUSE - performance.now();
    if (wait <= 0) {
      this.#skippedAt = performance.now();
      return this.#write(nextId);
    }
    this.#skippedTimer ??= setTimeout(() => {
      this.#skippedTimer = undefined;
      this.#wake();
    }, wait);
  }

  /** Has the file say all that is carried out. @throws {FileError} if it can't be written. */
  keep(nextId: number): void {
    if (this.#written >= this.#place) return;
    this.#write(nextId);
    if (this.#written < this.#place) throw new FileError(this.#trouble);
  }

  /** Wakes nobody any more. The file stays open. */
  [Symbol.dispose](): void {
    clearTimeout(this.#skippedTimer);
  }

  #write(nextId: number): void {
    const { changes, servers, gone } = this.#unwritten;
    try {
      this.#file.carriedOut({
        place: this.#place,
        digest: this.#digest,
        head: this.#head,
        base: this.#base,
        time: this.#time,
        nextId,
        own: this.#own,
        servers: [...servers.values()],
        gone: [...gone],
        changes,
      });
      this.#written = this.#place;
      this.#unwritten = new Unwritten();
      this.#trouble = "";
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      const why = error.message;
      if (why !== this.#trouble) {
        logger.error("{why}. The room goes on; mend that before a restart", {
          why,
        });
      }
      this.#trouble = why; // it is tried again with the next entry
    }
  }
}
