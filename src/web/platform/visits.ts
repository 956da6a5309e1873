/**
 * What a browser remembers of visits to rooms for its own sake: under which name the person was there last, and how far
 * they have read.
 *
 * @module
 */

import { type Bytes, toBase64url } from "../../../crypto_utils.ts";
import { reasonOf } from "../../base/error_reason.ts";
import type { Database } from "./database.ts";

/** The document in which they are. */
const DOCUMENT = "visits";

/** A room as it was visited last. */
export interface Visit {
  /** The name that the person went by. */
  readonly name?: string;
  /** The number of the last line that they have seen. */
  readonly read?: number;
}

type Rooms = Readonly<Record<string, Visit>>; // by the server's key

/** The visits. */
export class Visits {
  readonly #database: Database | undefined;
  readonly #note: (text: string) => void;
  #rooms: Rooms = {};

  private constructor(
    database: Database | undefined,
    note: (text: string) => void,
  ) {
    this.#database = database;
    this.#note = note;
  }

  /** Those in a database; undefined: those until the page is closed. @param note Told what can't be kept. */
  static async load(
    database: Database | undefined,
    note: (text: string) => void,
  ): Promise<Visits> {
    const visits = new Visits(database, note);
    visits.#rooms = await database?.read<Rooms | undefined>(
      "documents",
      (table) => table.get(DOCUMENT),
    ) ?? {};
    return visits;
  }

  /** What is remembered of a room. @param serverKey 32 bytes. */
  of(serverKey: Bytes): Visit {
    return this.#rooms[toBase64url(serverKey)] ?? {};
  }

  /** Remembers something of a room, beside what is remembered already. */
  async remember(serverKey: Bytes, visit: Visit): Promise<void> {
    const key = toBase64url(serverKey);
    const add = (rooms: Rooms = {}): Rooms => ({
      ...rooms,
      [key]: { ...rooms[key], ...visit },
    });
    this.#rooms = add(this.#rooms);
    try {
      await this.#database?.change("documents", DOCUMENT, add);
    } catch (error) {
      this.#note(reasonOf(error));
    }
  }
}
