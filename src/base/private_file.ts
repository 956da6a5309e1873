/**
 * Small private files: whole texts and JSON documents that nobody else may read, written so that they are
 * there whole or not at all. Knows nothing of what is in them.
 *
 * @module
 */

import { type Bytes, fromBase64url, randomBytes } from "../../crypto_utils.ts";
import { reasonOf } from "./error_reason.ts";

/** For the owner alone. */
const PRIVATE_FILE = 0o600;
/** For the owner alone. */
const PRIVATE_FOLDER = 0o700;
/** Anything that somebody else may do. */
const OTHERS = 0o077;
/** The version of the documents; a new layout is a new version. */
const VERSION = 1;

/** A file can't be used; the message says which, and why. */
export class FileError extends Error {
  /** "FileError". */
  override readonly name = "FileError";
}

/**
 * A `FileError` that wraps what the system said.
 * @param action "read", "write" or "create".
 */
export function fileError(
  action: string,
  path: string,
  cause: unknown,
): FileError {
  return new FileError(`Cannot ${action} "${path}": ${reasonOf(cause)}`, {
    cause,
  });
}

/**
 * The text of a private file, undefined where there is none.
 * @throws {FileError} for a file that others can read or write, or that can't be read.
 */
export async function readPrivate(path: string): Promise<string | undefined> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw fileError("read", path, cause);
  }
  using opened = file; // what is checked is what is read, whatever the path leads to meanwhile
  requirePrivate(path, await opened.stat());
  try {
    return await new Response(opened.readable).text();
  } catch (cause) {
    throw fileError("read", path, cause);
  }
}

function requirePrivate(
  path: string,
  { isFile, isDirectory, mode }: Deno.FileInfo,
) {
  if (!isFile) {
    const kind = isDirectory ? "a folder" : "not an ordinary file";
    throw new FileError(`Cannot read "${path}": it is ${kind}`);
  }
  if (Deno.build.os === "windows" || mode === null) return; // its access lists don't show as modes
  if ((mode & OTHERS) !== 0) {
    const shown = (mode & 0o777).toString(8).padStart(3, "0");
    throw new FileError(
      `Cannot use "${path}": others can read it (mode ${shown}); run: chmod 600 ${path}`,
    );
  }
}

/**
 * Puts a private file in place of the one that may be there: another reader sees the old text or the new.
 * @throws {FileError} where it can't be written; the old text is still there.
 */
export async function writePrivate(path: string, text: string): Promise<void> {
  try {
    await withDraft(path, text, (draft) => Deno.rename(draft, path));
  } catch (cause) {
    throw fileError("write", path, cause);
  }
}

/**
 * Makes a private file, if there is none: of two that try at once, one succeeds, and nobody ever sees half
 * of the text.
 * @returns Whether it was this call that made it.
 * @throws {FileError} where it can't be made.
 */
export async function createPrivate(
  path: string,
  text: string,
): Promise<boolean> {
  try {
    await withDraft(path, text, (draft) => linkOrWrite(draft, path, text));
    return true;
  } catch (cause) {
    if (cause instanceof Deno.errors.AlreadyExists) return false;
    throw fileError("create", path, cause);
  }
}

/** A link appears whole, and never in place of another; some file systems have none, and get a copy. */
async function linkOrWrite(draft: string, path: string, text: string) {
  try {
    await Deno.link(draft, path);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw error;
    await writeNew(path, text);
  }
}

/** Writes the text beside its place, has it put there, and leaves nothing else behind. */
async function withDraft(
  path: string,
  text: string,
  place: (draft: string) => Promise<void>,
): Promise<void> {
  const draft = `${path}.${randomBytes(8).toHex()}.tmp`;
  try {
    await writeNew(draft, text);
    await place(draft);
  } finally {
    // It is gone already after a rename, and where it could not be written in the first place.
    await Deno.remove(draft).catch(() => {});
  }
}

async function writeNew(path: string, text: string): Promise<void> {
  using file = await Deno.open(path, {
    write: true,
    createNew: true,
    mode: PRIVATE_FILE,
  });
  const bytes = new TextEncoder().encode(text);
  for (let written = 0; written < bytes.length;) {
    written += await file.write(bytes.subarray(written));
  }
  await file.sync(); // or a power cut could leave the name without the text
}

/**
 * Makes a private folder and those it is in, where there are none.
 * @throws {FileError} where it can't be made.
 */
export async function ensureFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true, mode: PRIVATE_FOLDER });
  } catch (cause) {
    throw fileError("create", path, cause);
  }
}

/** A JSON object in a private file. */
export type Document = Readonly<Record<string, unknown>>;

/**
 * The document in a private file, undefined where there is none.
 * @throws {FileError} for a damaged one, and one of another version.
 */
export async function readDocument(
  path: string,
): Promise<Document | undefined> {
  const text = await readPrivate(path);
  return text === undefined ? undefined : parseDocument(path, text);
}

function parseDocument(path: string, text: string): Document {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw damaged(path, "not JSON"); // without its cause, which quotes the text: there are keys in it
  }
  if (typeof document !== "object" || document === null) {
    throw damaged(path, "not a JSON object");
  }
  const { version } = document as Document;
  if (version === undefined) throw damaged(path, "no version");
  if (version !== VERSION) {
    const shown = JSON.stringify(version).slice(0, 12); // a key in its place is not for others to see
    throw new FileError(
      `Cannot use "${path}": it has version ${shown}, and this program reads version ${VERSION}`,
    );
  }
  return document as Document;
}

/** A `FileError` for a document of which something is wrong. */
export function damaged(path: string, what: string): FileError {
  return new FileError(`Cannot use "${path}": it is damaged (${what})`);
}

/**
 * The bytes that a document has, in base64url, under a name.
 * @param size How many bytes there must be.
 * @throws {FileError} where there is no such field, or it is something else.
 */
export function bytesField(
  path: string,
  document: Document,
  name: string,
  size: number,
): Bytes {
  const text = document[name];
  if (text === undefined) throw damaged(path, `no ${name}`);
  let bytes: Bytes | undefined;
  try {
    if (typeof text === "string") bytes = fromBase64url(text);
  } catch {
    // Neither the text nor what the decoder said of it is for others to see.
  }
  if (bytes?.length !== size) {
    throw damaged(path, `${name} is not ${size} bytes of base64url`);
  }
  return bytes;
}

/**
 * Puts a document in place of the one that may be there.
 * @throws {FileError} where it can't be written.
 */
export async function writeDocument(
  path: string,
  fields: Document,
): Promise<void> {
  await writePrivate(path, documentText(fields));
}

/**
 * The document in a private file, made fresh where there is none. Of two programs that start at once, one
 * makes it and both get the same.
 * @throws {FileError} where it can't be used or made.
 */
export async function readOrCreateDocument(
  path: string,
  fresh: () => Document,
): Promise<{ document: Document; created: boolean }> {
  const present = await readDocument(path);
  if (present) return { document: present, created: false };
  const created = await createPrivate(path, documentText(fresh()));
  const document = await readDocument(path);
  if (document) return { document, created };
  throw new FileError(
    `Cannot use "${path}": it is a link to a file that is not there`,
  );
}

function documentText(fields: Document): string {
  return JSON.stringify({ version: VERSION, ...fields }, null, 2) + "\n";
}
