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
import { type Identity, identityOf } from "../../crypto/identity.ts";
import { fullId, shortId } from "../../crypto/person_id.ts";
import type { Who } from "../../client/session.ts";
import { foldedName } from "../../protocol/names.ts";
import type { OwnIdentity } from "../stage.ts";
import type { Database } from "./database.ts";

/** An identity as it is kept. */
interface Row extends OwnIdentity {
  /** 32 bytes, base64url. */
  readonly seed: string;
}

/** An identity that is kept. */
export interface IdentityEntry {
  /** The keys. */
  readonly identity: Identity;
  /** 32 bytes. */
  readonly seed: Bytes;
  /** Whether it was made now. */
  readonly created: boolean;
  /** The name that its person last went by, if it has gone by any. */
  readonly name: string | undefined;
  /** The person goes by a name now. @throws {Error} if that can't be kept. */
  setName(name: string): Promise<void>;
}

/** All identities that are kept. */
export class IdentityTable {
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

  #current: IdentityEntry | undefined;
  #wasIn = false; // as the current one

  /** As whom to come under a name. */
  async forName(name: string): Promise<Who> {
    const folded = foldedName(name);
    const known = await this.find((other) => foldedName(other) === folded);
    const current = this.#current;
    const isNobody = current?.created && !this.#wasIn;
    const entry = known ?? (isNobody ? current : await this.create());
    if (entry !== current) this.#wasIn = false;
    this.#current = entry;
    return { identity: entry.identity, name };
  }

  /** The person is in, and goes by a name. */
  async named(name: string): Promise<void> {
    this.#wasIn = true;
    await this.#current?.setName(name);
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
