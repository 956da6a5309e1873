/**
 * `chat.cluster`, beside the log: how far a server that shares its room has carried out the stream, and who was in the
 * room then.
 *
 *     an entry ──▶ chat.control ──▶ chat.log ──▶ chat.people, chat.waiting ──▶ chat.cluster ──▶ members are told
 *
 * It is written last, so after a crash the log may have lines that it doesn't know of: their entry comes out of the stream
 * again, and its lines are compared instead of appended (`ChatLog.appendFrom`). What a start finds, and what it does:
 *
 * | `chat.cluster`       | the log                | what the server does                                                  |
 * | -------------------- | ---------------------- | --------------------------------------------------------------------- |
 * | there                | as long as it says     | goes on in the stream                                                 |
 * | there                | longer                 | goes on; lines that no entry of the stream explains stop it           |
 * | there                | shorter, or gone       | gets the lines from another server; else, alone in the room, leaves   |
 * |                      |                        | their numbers out, and with others stops until one of them runs       |
 * | there                | other lines            | stops where another server's log or an entry shows it                 |
 * | missing              | any                    | takes all over from another server if the log is a part of its log;   |
 * |                      |                        | begins the stream with this log if the stream is empty; else stops    |
 * | broke off at the end | any                    | as it was one entry before                                            |
 * | damaged              | any                    | stops and names the line                                              |
 *
 * A log that the server itself rotates, or that was moved away while it ran, keeps its numbers: nothing changes.
 *
 * @module
 */

import { type Bytes, toBase64url } from "../../../crypto_utils.ts";
import { GROWS, LineFile } from "../../base/line_file.ts";
import { FileError } from "../../base/private_file.ts";
import { besideLog } from "../../log/beside.ts";
import { diagnostics } from "../diagnostics.ts";
import type { StreamPlace } from "./entry.ts";
import type {
  RosterChanges,
  RosterRecord,
  SeatRecord,
  ServerRecord,
} from "./roster_record.ts";

/** So many lines the file may have before it is written anew, which waits for the disk. */
const LEAST_STALE = 10_000;

const logger = diagnostics("cluster");

/** How far a server is. */
export interface Position extends StreamPlace {
  /** What `Wire.state` told of the stream by which it was made. */
  readonly made: string;
  /** Whether the room is a sealed one. */
  readonly sealed: boolean;
  /** The ids of streams before this one, the newest last: their beginnings count for nothing any more. */
  readonly earlier: readonly string[];
  /** The place of the stream's beginning. */
  readonly begun: number;
  /** The number of the log's last line after it. */
  readonly head: number;
  /** The place of the last conditional entry. */
  readonly base: number;
  /** The time of that entry, ms since 1970: what comes after it is no earlier. */
  readonly time: number;
  /** The id under which this server came to the room last; "" for none yet. */
  readonly own: string;
  /** Who is in, and by which servers. */
  readonly roster: RosterRecord;
}

/** An entry that was carried out. */
export interface Step {
  /** Its place in the stream. */
  readonly place: number;
  /** As `digestOf` has it. */
  readonly digest: string;
  /** The number of the log's last line after it. */
  readonly head: number;
  /** The place of the last conditional entry, which may be this one. */
  readonly base: number;
  /** Its time, ms since 1970. */
  readonly time: number;
  /** The id of the next connection. */
  readonly nextId: number;
  /** The id under which this server came to the room, if it has by this entry. */
  readonly own?: string;
  /** Servers of which something has changed: the one whose entry it is, with its k, and one that comes. */
  readonly servers?: readonly ServerRecord[];
  /** The ids of servers that are gone by it. */
  readonly gone?: readonly string[];
  /** What has changed of who is in. */
  readonly changes: RosterChanges;
}

/** A line of the file. */
type PositionLine =
  | {
    /** All before no longer counts; the seats follow, each in a line. */
    readonly kind: "at";
    readonly at: Omit<Position, "roster">;
    readonly nextId: number;
    readonly servers: readonly ServerRecord[];
  }
  | { readonly kind: "seat"; readonly seat: SeatRecord }
  | Omit<Step, "changes"> & {
    /** An entry was carried out. */
    readonly kind: "step";
    /** Of those that were in, what is other now; of others, all. */
    readonly seats?: readonly Partial<SeatRecord>[];
    /** Ids of those that are out. */
    readonly out?: readonly number[];
  };

const KINDS: Readonly<Record<PositionLine["kind"], true>> = {
  at: true,
  seat: true,
  step: true,
};

/** The file that says how far the server of a log is. */
export function positionFile(log: string): string {
  return besideLog(log, "cluster");
}

/** What tells an entry of the stream from all others: its SHA-256, base64url. */
export async function digestOf(data: Bytes): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", data);
  return toBase64url(new Uint8Array(digest));
}

/** How far a server is, in a file. All its work is done before a call returns. */
export class PositionFile implements Disposable {
  readonly #file: LineFile<PositionLine>;
  #at: Omit<Position, "roster"> | undefined;
  #nextId = 1;
  #mayRewrite = true;
  readonly #servers = new Map<string, ServerRecord>();
  readonly #seats = new Map<number, SeatRecord>();
  readonly #byPerson = new Map<string, Set<number>>(); // ids of connections

  private constructor(file: LineFile<PositionLine>) {
    this.#file = file;
  }

  /**
   * Opens the file, made if it is missing.
   * @param made Is told its path if it was made.
   * @throws {FileError} for a file that is damaged, that others can read, or that can't be used.
   */
  static open(
    path: string,
    { fsync = false, onMade }: {
      readonly fsync?: boolean;
      readonly onMade?: (path: string) => void;
    } = {},
  ): PositionFile {
    const file = new PositionFile(LineFile.open(path, fsync, onMade, KINDS));
    try {
      for (const line of file.#file.added(true)) file.#apply(line);
      return file;
    } catch (error) {
      file[Symbol.dispose]();
      throw error;
    }
  }

  /** What was repaired when the file was opened. */
  get notice(): string | undefined {
    return this.#file.notice;
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }

  /** How far the server is; undefined if it has never been in a stream. */
  get position(): Position | undefined {
    return this.#at && { ...this.#at, roster: this.#roster };
  }

  /** The place up to which it is; undefined as `position`. */
  get place(): Omit<Position, "roster"> | undefined {
    return this.#at;
  }

  /** Whether a stream has begun here before, or is the present one. */
  hasMet(stream: string): boolean {
    return this.#at?.stream === stream ||
      this.#at?.earlier.includes(stream) === true;
  }

  get #roster(): RosterRecord {
    const seats = [...this.#seats.values()].sort((a, b) => a.id - b.id);
    const servers = [...this.#servers.values()];
    return { nextId: this.#nextId, servers, seats };
  }

  /**
   * The next entry is carried out, and in the log.
   * @throws {FileError} if that can't be written down: then nothing has changed, and it can be tried again.
   */
  carriedOut(step: Step): void {
    const line = this.#lineOf(step);
    this.#file.add([line]);
    this.#apply(line);
    const count = this.#seats.size + 1;
    if (this.#file.isStale(Math.max(LEAST_STALE, count))) this.#rewrite();
  }

  /** The server is somewhere else. @throws {FileError} if that can't be written down: then nothing has changed. */
  replace(position: Position): void {
    const lines = linesOf(position);
    this.#file.rewrite(lines);
    for (const line of lines) this.#apply(line);
  }

  /** Writes the file anew. Where its folder is read-only, it can only be added to, which does too. */
  #rewrite(): void {
    const { position } = this;
    if (!position || !this.#mayRewrite) return;
    try {
      this.#file.rewrite(linesOf(position));
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.#mayRewrite = false;
      logger.warn(
        GROWS,
        { why: error.message },
      );
    }
  }

  #lineOf({ changes, ...step }: Step): PositionLine {
    const seats: Partial<SeatRecord>[] = [];
    const out: number[] = [];
    for (const [person, present] of changes) {
      const ids = new Set(present.map(({ id }) => id));
      for (const id of this.#byPerson.get(person) ?? []) {
        if (!ids.has(id)) out.push(id);
      }
      for (const seat of present) {
        const changed = difference(this.#seats.get(seat.id), seat);
        if (changed) seats.push(changed);
      }
    }
    return {
      kind: "step",
      ...step,
      ...seats.length > 0 && { seats },
      ...out.length > 0 && { out },
    };
  }

  #apply(line: PositionLine): void {
    switch (line.kind) {
      case "at":
        this.#at = line.at;
        this.#nextId = line.nextId;
        for (const map of [this.#servers, this.#seats, this.#byPerson]) {
          map.clear();
        }
        for (const it of line.servers) this.#servers.set(it.id, it);
        return;
      case "seat":
        return this.#take(line.seat);
      case "step":
        return this.#step(line);
    }
  }

  #step(step: Extract<PositionLine, { kind: "step" }>): void {
    const { place, digest, head, base, time, nextId } = step;
    if (!this.#at) throw new TypeError("Cannot go on: there is no place yet");
    const { own = this.#at.own } = step;
    this.#at = { ...this.#at, place, digest, head, base, time, own };
    this.#nextId = nextId;
    for (const it of step.servers ?? []) this.#servers.set(it.id, it);
    for (const id of step.gone ?? []) this.#servers.delete(id);
    for (const id of step.out ?? []) this.#drop(id);
    for (const changed of step.seats ?? []) {
      const before = this.#seats.get(changed.id ?? 0);
      this.#take({ ...before, ...changed } as SeatRecord); // whole, by `difference`
    }
  }

  #take(seat: SeatRecord): void {
    this.#seats.set(seat.id, seat);
    const ids = this.#byPerson.get(seat.person) ?? new Set();
    this.#byPerson.set(seat.person, ids.add(seat.id));
  }

  #drop(id: number): void {
    const { person = "" } = this.#seats.get(id) ?? {};
    this.#seats.delete(id);
    const ids = this.#byPerson.get(person);
    ids?.delete(id);
    if (ids?.size === 0) this.#byPerson.delete(person);
  }
}

/** What is other in a connection than it was, with its id; undefined for nothing. */
function difference(
  before: SeatRecord | undefined,
  seat: SeatRecord,
): Partial<SeatRecord> | undefined {
  if (!before) return seat;
  const fields = Object.keys(seat) as (keyof SeatRecord)[];
  const changed = fields.filter((it) => seat[it] !== before[it]);
  if (changed.length === 0) return undefined;
  return Object.fromEntries(
    ["id" as const, ...changed].map((it) => [it, seat[it]]),
  );
}

function linesOf({ roster, ...at }: Position): PositionLine[] {
  const { nextId, servers, seats } = roster;
  return [
    { kind: "at", at, nextId, servers },
    ...seats.map((seat): PositionLine => ({ kind: "seat", seat })),
  ];
}
