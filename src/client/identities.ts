/**
 * Which of a person's identities a client comes as: the one that last went by its name, a new one, or the one that it is
 * told to use.
 *
 * @module
 */

import type { Bytes } from "../../crypto_utils.ts";
import type { Identity } from "../crypto/identity.ts";
import { foldedName } from "../protocol/names.ts";
import type { Who } from "./session.ts";

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
  /** The person goes by a name now. @throws {Error} if that can't be noted. */
  setName(name: string): Promise<void>;
}

/** Where identities are kept. */
export interface IdentityStore {
  /**
   * The one that last went by a name, undefined if none did.
   * @param isName Whether a name is that one. @throws {Error} if they can't be read.
   */
  find(isName: (name: string) => boolean): Promise<IdentityEntry | undefined>;
  /** The one of a seed, 32 bytes, made if it is missing. Default: of a new one. @throws {Error} if it can't be kept. */
  create(seed?: Bytes): Promise<IdentityEntry>;
}

/** Chooses an identity for a name, and notes the name that it goes by. */
export class Identities {
  readonly #store: IdentityStore;
  readonly #given: IdentityEntry | undefined;
  #current: IdentityEntry | undefined;
  #wasIn = false; // as the current one

  /** Those of a store. @param given The one to use, whatever the name. */
  constructor(store: IdentityStore, given?: IdentityEntry) {
    this.#store = store;
    this.#given = given;
  }

  /** As whom to come under a name. @param name One that `parseName` has accepted. @throws {Error} as the store. */
  async forName(name: string): Promise<Who> {
    const entry = await this.#entryFor(name);
    if (entry !== this.#current) this.#wasIn = false;
    this.#current = entry;
    return { identity: entry.identity, name };
  }

  async #entryFor(name: string): Promise<IdentityEntry> {
    if (this.#given) return this.#given;
    const known = await findIdentity(this.#store, name);
    if (known) return known;
    // One that was made for a name which then was taken has been nobody so far.
    const current = this.#current;
    const isNobody = current?.created && !this.#wasIn;
    return isNobody ? current : await this.#store.create();
  }

  /** The person is in, and goes by a name. @throws {Error} if that can't be noted. */
  async named(name: string): Promise<void> {
    this.#wasIn = true;
    if (this.#current?.name !== name) await this.#current?.setName(name);
  }
}

/** The identity that last went by a name, or by one that looks the same. @throws {Error} as the store. */
export async function findIdentity(
  store: IdentityStore,
  name: string,
): Promise<IdentityEntry | undefined> {
  const folded = foldedName(name);
  return await store.find((other) => foldedName(other) === folded);
}
