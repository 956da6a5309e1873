/**
 * What a browser keeps for this page, over IndexedDB: some tables of values, each by a key. A change is one transaction:
 * tabs that write at once don't lose each other's.
 *
 *     documents    NAME ──▶ a document
 *     identities   SHORT ID ──▶ the seed of an identity, and the name that it goes by
 *     rooms        [ROOM, NUMBER] ──▶ some lines of what is known of a sealed room
 *     seen         KEY OF A PRIVATE MESSAGE ──▶ until when it is remembered, ms since 1970
 *
 * @module
 */

/** The name of the database, and the version of its tables. */
const NAME = "encrypted-chat";
const VERSION = 1;

/** A table. */
export type TableName = "documents" | "identities" | "rooms" | "seen";

const TABLES: readonly TableName[] = [
  "documents",
  "identities",
  "rooms",
  "seen",
];

/** A table within one transaction. */
export type Table = IDBObjectStore;

/** The tables. */
export class Database {
  readonly #database: IDBDatabase;

  private constructor(database: IDBDatabase) {
    this.#database = database;
  }

  /**
   * Opens it, made if it is missing.
   * @param factory Default: the browser's. @throws {Error} where the browser keeps nothing, as in some private windows.
   */
  static async open(
    factory: IDBFactory | undefined = globalThis.indexedDB,
  ): Promise<Database> {
    if (!factory) throw new Error("this browser has no storage for pages");
    const request = factory.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      for (const table of TABLES) request.result.createObjectStore(table);
    };
    const database = await resultOf(request);
    database.onversionchange = () => database.close(); // a newer page in another tab goes before
    return new Database(database);
  }

  /** Looks something up. @param ask Asks for it, at once. */
  read<T>(table: TableName, ask: (table: Table) => IDBRequest<T>): Promise<T> {
    const transaction = this.#database.transaction(table, "readonly");
    return resultOf(ask(transaction.objectStore(table)));
  }

  /**
   * Puts something in the place of what is under a key; resolves when that is on the disk. No other tab's change comes
   * between.
   * @returns What is there now. @throws {Error} if the browser doesn't keep it.
   */
  async change<T>(
    name: TableName,
    key: IDBValidKey,
    how: (now: T | undefined) => T,
  ): Promise<T> {
    let value: T | undefined;
    await this.transact(name, (table) => {
      const asked = table.get(key);
      asked.onsuccess = () => {
        value = how(asked.result);
        table.put(value, key);
      };
    });
    return value as T; // the transaction was carried out
  }

  /**
   * Carries several steps out as one; resolves when they are on the disk.
   * @param steps Asks and puts, at once and in answer to what it has asked. @throws {Error} as `change`.
   */
  async transact(
    name: TableName,
    steps: (table: Table) => void,
  ): Promise<void> {
    const transaction = this.#database.transaction(name, "readwrite", {
      durability: "strict",
    });
    const done = Promise.withResolvers<void>();
    transaction.oncomplete = () => done.resolve();
    transaction.onabort = () =>
      done.reject(
        transaction.error ?? new Error("the browser did not keep it"),
      );
    steps(transaction.objectStore(name));
    await done.promise;
  }

  /** Closes it. */
  close(): void {
    this.#database.close();
  }
}

/** What a request comes to. */
function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
