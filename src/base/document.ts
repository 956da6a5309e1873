/**
 * Small JSON documents in private files, with a version. No error repeats what is in them.
 *
 * @module
 */

import {
  createPrivate,
  FileError,
  readPrivate,
  readPrivateSync,
  writePrivate,
} from "./private_file.ts";

/** The version of the documents; a new layout is a new version. */
const VERSION = 1;

/** A JSON object in a private file. */
export type Document = Readonly<Record<string, unknown>>;

/**
 * The document in a private file, undefined if there is none.
 * @throws {FileError} for a damaged one, and one of another version.
 */
export async function readDocument(
  path: string,
): Promise<Document | undefined> {
  const text = await readPrivate(path);
  return text === undefined ? undefined : parseDocument(path, text);
}

/** As `readDocument`, at once. @throws as `readDocument`. */
export function readDocumentSync(path: string): Document | undefined {
  const text = readPrivateSync(path);
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
 * Puts a document in place of the one that may be there.
 * @throws {FileError} if it can't be written.
 */
export async function writeDocument(
  path: string,
  fields: Document,
): Promise<void> {
  await writePrivate(path, documentText(fields));
}

/**
 * The document in a private file, created if it is missing. Of two programs that start at once, one
 * makes it and both get the same.
 * @throws {FileError} if it can't be used or made.
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
    `Cannot use "${path}": it was removed at once`,
  );
}

function documentText(fields: Document): string {
  return JSON.stringify({ version: VERSION, ...fields }, null, 2) + "\n";
}
