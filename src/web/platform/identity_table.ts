/**
 * The identities that a browser keeps: the seed of each, the name that its person last went by, and when. Where there is
 * no database they are there until the page is closed.
 *
 * @module
 */

import {
  type Bytes,
  fromBase64url,
  KEY_SIZE,
  randomBytes,
  toBase64url,
} from "../../../crypto_utils.ts";
import { identityOf } from "../../crypto/identity.ts";
import { fullId, shortId } from "../../crypto/person_id.ts";
import type { IdentityEntry, IdentityStore } from "../../client/identities.ts";
import type { OwnIdentity } from "../stage.ts";
import type { Database } from "./database.ts";

/** An identity as it is kept. */
interface Row extends OwnIdentity {
  /** 32 bytes, base64url. */
  readonly seed: string;
}

/** All identities that are kept. */
export class IdentityTable implements IdentityStore {
  readonly #database: Database | undefined;
  readonly #memory = new Map<string, Row>(); // where there is no database

  /** Those of a database; undefined: none, kept until the page is closed. */
  constructor(database: Database | undefined) {
    this.#database = database;
  }

  /** All of them, the one that was used last first. */
  async all(): Promise<OwnIdentity[]> {
    const rows = await this.#rows();
    return rows.map(({ person, name, at }) => ({ person, name, at }));
  }

  /** The one of a person. @param person Its short id. */
  async of(person: string): Promise<IdentityEntry | undefined> {
    const row = (await this.#rows()).find((it) => it.person === person);
    return row && await this.#entry(row, false);
  }

  /** The one that last went by a name, undefined if none did. @param isName Whether a name is that one. */
  async find(
    isName: (name: string) => boolean,
  ): Promise<IdentityEntry | undefined> {
    const row = (await this.#rows()).find(({ name }) =>
      name !== undefined && isName(name)
    );
    return row && await this.#entry(row, false);
  }

  /**
   * The one of a seed, made if it is missing.
   * @param seed 32 bytes. Default: a new one. @throws {Error} if it can't be kept.
   */
  async create(seed: Bytes = randomBytes(KEY_SIZE)): Promise<IdentityEntry> {
    const { id } = await identityOf(seed);
    const person = shortId(fullId(id));
    const fresh = { person, seed: toBase64url(seed), name: undefined, at: 0 };
    let created = false;
    const row = await this.#change(person, (now) => {
      created = now === undefined;
      return now ?? fresh;
    });
    return await this.#entry(row, created);
  }

  /** The identity of a person was used. @param person Its short id. */
  async used(person: string): Promise<void> {
    const row = (await this.#rows()).find((it) => it.person === person);
    if (!row) return;
    await this.#change(person, (now = row) => ({ ...now, at: Date.now() }));
  }

  async #entry(row: Row, created: boolean): Promise<IdentityEntry> {
    const seed = fromBase64url(row.seed);
    let { name } = row;
    return {
      identity: await identityOf(seed),
      seed,
      created,
      get name() {
        return name;
      },
      setName: async (next) => {
        name = next;
        await this.#change(row.person, (now = row) => ({
          ...now,
          name: next,
          at: Date.now(),
        }));
      },
    };
  }

  async #rows(): Promise<Row[]> {
    const rows: Row[] = this.#database
      ? await this.#database.read("identities", (table) => table.getAll())
      : [...this.#memory.values()];
    return rows.toSorted((a, b) => b.at - a.at);
  }

  /** @returns It as it is now. */
  async #change(
    person: string,
    how: (now: Row | undefined) => Row,
  ): Promise<Row> {
    if (!this.#database) {
      const row = how(this.#memory.get(person));
      this.#memory.set(person, row);
      return row;
    }
    return await this.#database.change("identities", person, how);
  }
}
