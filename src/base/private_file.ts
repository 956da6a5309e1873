/**
 * Files that nobody but their owner may read, and small texts in them, which are there whole or not at all.
 *
 * @module
 */

import { FileError, fileError } from "./file_error.ts";
import { kindOf, requireOrdinary, targetOf } from "./file_target.ts";
import { writeAll } from "./write_all.ts";

/** The mode of a file for its owner alone. */
export const PRIVATE_FILE = 0o600;
/** The mode of a folder for its owner alone. */
const PRIVATE_FOLDER = 0o700;
/** Anything that somebody else may do. */
const OTHERS = 0o077;

export { FileError, fileError };

/** Whether there is something at a path. @throws {FileError} if that can't be seen. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw fileError("read", path, error);
  }
}

/**
 * The text of a private file, undefined if there is none.
 * @throws {FileError} for a file that others can read or write, or that can't be read.
 */
export async function readPrivate(path: string): Promise<string | undefined> {
  return await Promise.try(readPrivateSync, path);
}

/** As `readPrivate`, at once: for small files whose text must be the one of now. @throws as `readPrivate`. */
export function readPrivateSync(path: string): string | undefined {
  try {
    requireOrdinary(path);
    using file = Deno.openSync(path); // what is checked is what is read, whatever the path leads to meanwhile
    const info = file.statSync();
    requirePrivate(path, info);
    return readAll(file, info.size);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    if (cause instanceof FileError) throw cause;
    throw fileError("read", path, cause);
  }
}

/** The text of an open file. @param size About how large it is, bytes. */
function readAll(file: Deno.FsFile, size: number): string {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(Math.max(size, 1) + 1); // one more, so that the end shows in the same read
  let text = "";
  for (let count; (count = file.readSync(buffer)) !== null;) {
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
  return text + decoder.decode();
}

/** Checks that a file is an ordinary one, for its owner alone. @throws {FileError} if not. */
export function requirePrivate(
  path: string,
  info: Deno.FileInfo,
) {
  const { isFile, mode } = info;
  if (!isFile) {
    throw new FileError(`Cannot read "${path}": it is ${kindOf(info)}`);
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
 * The text of any file.
 * @param most UTF-16 units. @throws {FileError} if it can't be read, or is longer.
 */
export async function readText(path: string, most: number): Promise<string> {
  let text: string;
  try {
    requireOrdinary(path);
    text = await Deno.readTextFile(path);
  } catch (cause) {
    throw fileError("read", path, cause);
  }
  if (text.length <= most) return text;
  throw new FileError(
    `Cannot use "${path}": it has more than ${most} characters`,
  );
}

/**
 * Puts a private file in place of the one that may be there: another reader sees the old text or the new. Where the
 * path is a link, what it leads to is replaced.
 * @throws {FileError} if it can't be written; the old text is still there.
 */
export async function writePrivate(path: string, text: string): Promise<void> {
  try {
    const target = targetOf(path);
    await withDraft(target, text, (draft) => Deno.rename(draft, target));
  } catch (cause) {
    throw fileError("write", path, cause);
  }
}

/**
 * Makes a private file, if there is none: of two that try at once, one succeeds, and nobody ever sees half
 * of the text. A link that leads nowhere yet is followed.
 * @returns Whether it was this call that made it.
 * @throws {FileError} if it can't be made.
 */
export async function createPrivate(
  path: string,
  text: string,
): Promise<boolean> {
  try {
    const target = targetOf(path);
    await withDraft(target, text, (draft) => linkOrWrite(draft, target, text));
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
  const draft = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    await writeNew(draft, text);
    await place(draft);
  } finally {
    // It is gone already after a rename, and if it could not be written in the first place.
    await Deno.remove(draft).catch(() => {});
  }
}

async function writeNew(path: string, text: string): Promise<void> {
  using file = await Deno.open(path, {
    write: true,
    createNew: true,
    mode: PRIVATE_FILE,
  });
  await writeAll(file, new TextEncoder().encode(text));
  await file.sync(); // or a power cut could leave the name without the text
}

/**
 * Makes a private folder and those it is in, if they are missing.
 * @throws {FileError} if it can't be made.
 */
export async function ensureFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true, mode: PRIVATE_FOLDER });
  } catch (cause) {
    throw fileError("create", path, cause);
  }
}

/** Whether something can be made beside a path, tried with a draft. @throws what the system says if not. */
export async function requireWritableFolder(path: string): Promise<void> {
  await withDraft(targetOf(path), "", () => Promise.resolve());
}
