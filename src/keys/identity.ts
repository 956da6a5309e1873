/**
 * Files of identities: who somebody is on this machine, a JSON document each with the seed of the keys, the name that
 * the person last went by, since when, and the names that it went by before. Of those in the folder, the name chooses.
 *
 *     ~/.config/encrypted-chat/identities/k3df9q2mx7ta41cz
 *
 * @module
 */

import {
  type Bytes,
  KEY_SIZE,
  randomBytes,
  toBase64url,
} from "../../crypto_utils.ts";
import {
  type Document,
  readDocument,
  readOrCreateDocument,
  writeDocument,
} from "../base/document.ts";
import { ensureFolder, fileError } from "../base/private_file.ts";
import { type Identity, identityOf } from "../crypto/identity.ts";
import { fullId, isShortId, shortId } from "../crypto/person_id.ts";
import { bytesField } from "./bytes_field.ts";

const FOLDER = "encrypted-chat";
/** How many earlier names are kept of a person, the latest. */
const MAX_EARLIER = 20;

/** The names of an identity's person. */
export interface OwnNames {
  /** The one that it last went by. */
  readonly name: string;
  /** Those that it went by before, the latest last. */
  readonly earlier: readonly string[];
}

/** An identity and the file that it is in. */
export class IdentityFile {
  readonly #path: string;
  #document: Document;

  private constructor(
    path: string,
    document: Document,
    /** The keys. */
    readonly identity: Identity,
    /** Whether the file was made now. */
    readonly created: boolean,
  ) {
    this.#path = path;
    this.#document = document;
  }

  /**
   * The identity in a file, made if it is missing; the file's folder must be there.
   * @throws {FileError} for a file that is damaged, that others can read, or that can't be made.
   */
  static async open(path: string): Promise<IdentityFile> {
    const { document, created } = await readOrCreateDocument(path, fresh);
    const identity = await identityOf(seedOf(path, document));
    return new IdentityFile(path, document, identity, created);
  }

  /**
   * The identity of a folder that last went by a name, undefined if none did.
   * @param folder Made if it is missing. @param isName Whether a name is that one.
   * @throws {FileError} as `open`, for any file of the folder.
   */
  static async find(
    folder: string,
    isName: (name: string) => boolean,
  ): Promise<IdentityFile | undefined> {
    await ensureFolder(folder);
    let newest: { path: string; at: number } | undefined;
    for (const path of await filesOf(folder)) {
      const { name, at = 0 } = await readDocument(path) ?? {};
      if (typeof name !== "string" || !isName(name)) continue;
      if (Number(at) >= (newest?.at ?? 0)) newest = { path, at: Number(at) };
    }
    return newest && await IdentityFile.open(newest.path);
  }

  /**
   * The file of a seed in a folder, made if it is missing.
   * @param seed 32 bytes. Default: a new one. @throws {FileError} if it can't be made.
   */
  static async create(
    folder: string,
    seed: Bytes = randomBytes(KEY_SIZE),
  ): Promise<IdentityFile> {
    await ensureFolder(folder);
    const { id } = await identityOf(seed);
    const path = `${folder}/${shortId(fullId(id))}`;
    const document = { seed: toBase64url(seed) };
    const made = await readOrCreateDocument(path, () => document);
    const identity = await identityOf(seedOf(path, made.document));
    return new IdentityFile(path, made.document, identity, made.created);
  }

  /** Where it is. */
  get path(): string {
    return this.#path;
  }

  /** The seed, 32 bytes. */
  get seed(): Bytes {
    return seedOf(this.#path, this.#document);
  }

  /** The name that its person last went by, if it has gone by any. */
  get name(): string | undefined {
    const { name } = this.#document;
    return typeof name === "string" ? name : undefined;
  }

  /** That name, and those before it; none where it has gone by none. */
  get names(): OwnNames[] {
    const names = namesOf(this.#document);
    return names ? [names] : [];
  }

  /** The person goes by a name now. @throws {FileError} if that can't be noted. */
  async setName(name: string): Promise<void> {
    const { name: last, earlier } = namesOf(this.#document) ??
      { name, earlier: [] };
    const document = {
      ...this.#document,
      name,
      at: Date.now(),
      earlier: [...earlier, last].filter((it) => it !== name)
        .slice(-MAX_EARLIER),
    };
    await writeDocument(this.#path, document);
    this.#document = document;
  }
}

/**
 * What the persons of a folder's identities are called, the one that took its name last first; nobody where there is no
 * folder. @throws {FileError} as `IdentityFile.open`, for any file of the folder.
 */
export async function namesIn(folder: string): Promise<OwnNames[]> {
  const found: (OwnNames & { at: number })[] = [];
  for (const path of await filesOf(folder)) {
    const document = await readDocument(path) ?? {};
    const names = namesOf(document);
    if (names) found.push({ ...names, at: Number(document["at"] ?? 0) });
  }
  return found.sort((a, b) => b.at - a.at);
}

/** Where the identities of a folder are found and made. @throws {FileError} as `IdentityFile`. */
export function identitiesIn(folder: string): {
  readonly find: (
    isName: (name: string) => boolean,
  ) => Promise<IdentityFile | undefined>;
  readonly create: (seed?: Bytes) => Promise<IdentityFile>;
} {
  return {
    find: (isName) => IdentityFile.find(folder, isName),
    create: (seed) => IdentityFile.create(folder, seed),
  };
}

/** The identity in a file, which isn't changed; undefined if it is missing. @throws {FileError} as `IdentityFile.open`. */
export async function readIdentity(
  path: string,
): Promise<Identity | undefined> {
  const document = await readDocument(path);
  return document && await identityOf(seedOf(path, document));
}

function fresh(): Document {
  return { seed: toBase64url(randomBytes(KEY_SIZE)) };
}

function seedOf(path: string, document: Document): Bytes {
  return bytesField(path, document, "seed", KEY_SIZE);
}

/** What a document says of the person's names; undefined where it has had none. */
function namesOf({ name, earlier }: Document): OwnNames | undefined {
  if (typeof name !== "string") return undefined;
  const known: unknown[] = Array.isArray(earlier) ? earlier : [];
  return { name, earlier: known.filter((it) => typeof it === "string") };
}

/** The files of identities in a folder, none where that is missing. */
async function filesOf(folder: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    return entries.filter(({ name }) => isShortId(name))
      .map(({ name }) => `${folder}/${name}`);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return [];
    throw fileError("read", folder, cause);
  }
}

/**
 * The folder for a person's own files: the system's place for them with "/encrypted-chat" added. Undefined
 * if the environment names none.
 * @param env Reads an environment variable.
 */
export function defaultConfigFolder(
  env: (name: string) => string | undefined,
): string | undefined {
  const base = Deno.build.os === "windows" ? env("APPDATA") : unixFolder(env);
  return base ? `${base}/${FOLDER}` : undefined;
}

/** As the XDG base directory specification has it, which lets only absolute paths count. */
function unixFolder(
  env: (name: string) => string | undefined,
): string | undefined {
  const named = env("XDG_CONFIG_HOME");
  if (named?.startsWith("/")) return named;
  const home = env("HOME");
  return home ? `${home}/.config` : undefined;
}
