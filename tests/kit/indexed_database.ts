/**
 * A browser's IndexedDB for tests: what one test keeps no other sees, and several tabs of it can be opened.
 *
 * @module
 */

import { IDBFactory, IDBKeyRange } from "fake-indexeddb";
import { Database } from "../../src/web/platform/database.ts";

Object.assign(globalThis, { IDBKeyRange }); // which modules take from the browser

/** Opens tabs that share what is kept. */
export class Tabs implements Disposable {
  readonly #factory = new IDBFactory();
  readonly #open: Database[] = [];

  /** Another tab's database. */
  async open(): Promise<Database> {
    const database = await Database.open(this.#factory);
    this.#open.push(database);
    return database;
  }

  /** Closes all tabs. */
  [Symbol.dispose](): void {
    for (const database of this.#open) database.close();
  }
}
