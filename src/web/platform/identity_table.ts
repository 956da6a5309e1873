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
import { reasonOf } from "../../base/error_reason.ts";
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
  readonly #note: (text: string) => void;
  readonly #memory = new Map<string, Row>(); // what no database keeps
  #isUnreadable = false; // which was told

  /**
   * Those of a database; undefined: none, kept until the page is closed.
   * @param note Told what can't be kept. Default: nobody.
   */
  constructor(
    database: Database | undefined,
    note: (text: string) => void = () => {},
  ) {
    this.#database = database;
    this.#note = note;
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
   * The one of a seed, made if it is missing. One that can't be kept is there until the page is closed.
   * @param seed 32 bytes. Default: a new one.
   */
  async create(seed: Bytes = randomBytes(KEY_SIZE)): Promise<IdentityEntry> {
    const { id } = await identityOf(seed);
    const person = shortId(fullId(id));
    const fresh = { person, seed: toBase64url(seed), name: undefined, at: 0 };
    let created = false;
    const make = (now: Row | undefined) => {
      created = now === undefined;
      return now ?? fresh;
    };
    try {
      return await this.#entry(await this.#change(person, make), created);
    } catch (error) {
      this.#note(
        `This browser does not keep who you are: ${
          reasonOf(error)
        }. Once the page is closed, you are somebody new here, unless you export it: Identity, in the menu`,
      );
      this.#memory.set(person, fresh);
      return await this.#entry(fresh, true);
    }
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
    const rows = [...await this.#kept(), ...this.#memory.values()];
    return rows.toSorted((a, b) => b.at - a.at);
  }

  /** Those in the database; none where it can't be read, which is told once. */
  async #kept(): Promise<Row[]> {
    try {
      return await this.#database?.read(
        "identities",
        (table) => table.getAll(),
      ) ?? [];
    } catch (error) {
      if (!this.#isUnreadable) {
        this.#note(
          `This browser cannot read who you were: ${
            reasonOf(error)
          }. You are somebody new here`,
        );
      }
      this.#isUnreadable = true;
      return [];
    }
  }

  /** @returns It as it is now. */
  async #change(
    person: string,
    how: (now: Row | undefined) => Row,
  ): Promise<Row> {
    if (!this.#database || this.#memory.has(person)) {
      const row = how(this.#memory.get(person));
      this.#memory.set(person, row);
      return row;
    }
    return await this.#database.change("identities", person, how);
  }
}
