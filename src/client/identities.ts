/**
 * Which of this machine's identities a client comes as: the one that last went by its name, a new one, or the one
 * that it is told to use.
 *
 * @module
 */

import { IdentityFile } from "../keys/identity.ts";
import { foldedName } from "../protocol/names.ts";
import type { Who } from "./session.ts";

/** Chooses an identity for a name, and notes the name that it goes by. */
export class Identities {
  readonly #folder: string;
  readonly #given: IdentityFile | undefined;
  #current: IdentityFile | undefined;
  #wasIn = false; // as the current one

  /**
   * Reads the file that is given, if one is.
   * @param folder Where identities are. @param given The file to use, whatever the name.
   * @throws {FileError} if it can't be used.
   */
  static async open(folder: string, given?: string): Promise<Identities> {
    const file = given === undefined
      ? undefined
      : await IdentityFile.open(given);
    return new Identities(folder, file);
  }

  private constructor(folder: string, given: IdentityFile | undefined) {
    this.#folder = folder;
    this.#given = given;
  }

  /** As whom to come under a name. @param name One that `parseName` has accepted. @throws {FileError} */
  async forName(name: string): Promise<Who> {
    const file = await this.#fileFor(name);
    if (file !== this.#current) this.#wasIn = false;
    this.#current = file;
    return { identity: file.identity, name };
  }

  async #fileFor(name: string): Promise<IdentityFile> {
    if (this.#given) return this.#given;
    const known = await findIdentity(this.#folder, name);
    if (known) return known;
    // One that was made for a name which then was taken has been nobody so far.
    const current = this.#current;
    const isNobody = current?.created && !this.#wasIn;
    return isNobody ? current : await IdentityFile.create(this.#folder);
  }

  /** The person is in, and goes by a name. @throws {FileError} if that can't be noted. */
  async named(name: string): Promise<void> {
    this.#wasIn = true;
    if (this.#current?.name !== name) await this.#current?.setName(name);
  }
}

/** The identity that last went by a name, or by one that looks the same. @throws {FileError} */
export async function findIdentity(
  folder: string,
  name: string,
): Promise<IdentityFile | undefined> {
  const folded = foldedName(name);
  const isName = (other: string) => foldedName(other) === folded;
  return await IdentityFile.find(folder, isName);
}
