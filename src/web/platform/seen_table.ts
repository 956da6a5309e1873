/**
 * A memory of private messages in the browser's database, which all tabs share.
 *
 * What other tabs add while this one is open doesn't count here: each of them shows what comes.
 *
 * @module
 */

import { reasonOf } from "../../base/error_reason.ts";
import { MAX_AGE, type Seen } from "../../client/mail/seen.ts";
import type { Database } from "./database.ts";

/** A memory that outlives the page. */
export class SeenTable implements Seen {
  readonly #database: Database;
  readonly #keys: Set<string>;
  readonly #note: (text: string) => void;
  #isKept = true;

  private constructor(
    database: Database,
    keys: Set<string>,
    note: (text: string) => void,
  ) {
    this.#database = database;
    this.#keys = keys;
    this.#note = note;
  }

  /**
   * The memory of a database; what is of no use any more is dropped.
   * @param note Told what can't be kept. @param now ms since 1970. @throws {Error} where it can't be read.
   */
  static async load(
    database: Database,
    note: (text: string) => void,
    now: number = Date.now(),
  ): Promise<SeenTable> {
    await database.transact("seen", (table) => {
      const asked = table.openCursor();
      asked.onsuccess = () => {
        const cursor = asked.result;
        if (!cursor) return;
        if (Number(cursor.value) < now) cursor.delete();
        cursor.continue();
      };
    });
    const keys = await database.read("seen", (table) => table.getAllKeys());
    return new SeenTable(database, new Set(keys.map(String)), note);
  }

  /** Whether the page remembers them the next time, too. */
  get isKept(): boolean {
    return this.#isKept;
  }

  /** Whether a message was seen. */
  has(key: string): boolean {
    return this.#keys.has(key);
  }

  /** A message was seen. */
  add(key: string, time: number): void {
    this.#keys.add(key);
    if (!this.#isKept) return;
    this.#database.transact(
      "seen",
      (table) => void table.put(time + MAX_AGE, key),
    )
      .catch((error) => this.#fail(error));
  }

  #fail(error: unknown): void {
    if (!this.#isKept) return;
    this.#isKept = false;
    this.#note(`${reasonOf(error)}. Private messages may come twice`);
  }
}
