/**
 * The lock on a file that one server at a time uses, such as `chat.log`: a second one learns of the first.
 *
 * @module
 */

import { isSameFile, requireOrdinary } from "../base/file_target.ts";
import { pause, within } from "../base/timing.ts";
import { openOrMake } from "./file.ts";

/** How long a free lock may take to be had if the runtime can't simply try, milliseconds. */
const LOCK_WAIT = 500;
/** The pause before a lock is tried again that is nobody's by its text, or whose file is gone, ms; and how often it is tried. */
const TRY_PAUSE = 10;
const MAX_TRIES = 10;

/** Another server uses the file. */
export class LockedError extends Error {
  /** "LockedError". */
  override readonly name = "LockedError";
  /** The file's path. */
  readonly path: string;
  /** Where that server listens, undefined if it can't be told. */
  readonly address: string | undefined;
  /** That server's process, undefined if it can't be told. */
  readonly pid: number | undefined;

  /**
   * Names the other server as far as it is known.
   * @param path The file's.
   */
  constructor(path: string, address?: string, pid?: number) {
    const server = address === undefined
      ? "another server"
      : `the server on ${address}`;
    const process = pid === undefined ? "" : ` (process ${pid})`;
    super(`Cannot use "${path}": ${server}${process} uses it`);
    this.path = path;
    this.address = address;
    this.pid = pid;
  }
}

interface Holder {
  readonly address: string;
  readonly pid: number;
}

/** Who holds the lock, as far as its file tells: on Windows a locked file can't be read. */
async function lockHolder(path: string): Promise<Partial<Holder>> {
  try {
    const { address, pid } = JSON.parse(await Deno.readTextFile(path));
    return {
      ...(typeof address === "string" ? { address } : {}),
      ...(typeof pid === "number" ? { pid } : {}),
    };
  } catch {
    return {}; // not readable, or not written yet: the refusal stands without it
  }
}

// `tryLock` is newer than Deno 2.6.
interface Lockable {
  lock(exclusive?: boolean): Promise<void>;
  tryLock?(exclusive?: boolean): Promise<boolean>;
}

async function tryLock(file: Lockable): Promise<boolean> {
  if (file.tryLock) return await file.tryLock(true);
  // When it comes late, the file is closed and nobody waits.
  return await within(LOCK_WAIT, file.lock(true));
}

/**
 * Locks a file by its side file `PATH.lock`, which says who holds it: this process, listening on `address`.
 * Closing the file frees the lock, and so does the end of the process.
 * @param made Is told the file's path if it was made.
 * @throws {LockedError} if another server holds it.
 */
export async function takeLock(
  path: string,
  address: string,
  made: (path: string) => void,
): Promise<Deno.FsFile> {
  const lockPath = `${path}.lock`;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    if (tries > 0) await pause(TRY_PAUSE);
    const { file, isNew } = await openOrMake(lockPath, { write: true });
    try {
      if (!await tryLock(file)) {
        const { address: holder, pid } = await lockHolder(lockPath);
        if ((holder ?? pid) !== undefined) {
          throw new LockedError(path, holder, pid);
        }
        // Somebody takes it just now, or left it and has a child that has it open until it runs another program.
      } else if (await isAt(lockPath, file)) {
        if (isNew) made(lockPath);
        const holder: Holder = { address, pid: Deno.pid };
        await file.truncate();
        await file.write(new TextEncoder().encode(JSON.stringify(holder)));
        return file;
      } // else a start that failed has just removed it: who locks it now, locks nobody out
    } catch (error) {
      file.close();
      throw error;
    }
    file.close();
  }
  throw new LockedError(path);
}

/** Whether a path names an open file; taken for granted where the system doesn't tell files apart. */
async function isAt(path: string, file: Deno.FsFile): Promise<boolean> {
  try {
    const [there, ours] = [await Deno.stat(path), await file.stat()];
    return isSameFile(there, ours);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Looks whether a server holds the lock of a file, and holds it no longer than that takes.
 * @returns Whether there is a lock file.
 * @throws {LockedError} if another server holds it.
 */
export async function requireUnlocked(path: string): Promise<boolean> {
  const lockPath = `${path}.lock`;
  try {
    requireOrdinary(lockPath);
    using file = await Deno.open(lockPath, { write: true });
    if (await tryLock(file)) return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  const holder = await lockHolder(lockPath);
  throw new LockedError(path, holder.address, holder.pid);
}

/** Frees the lock. Its file stays, emptied. */
export async function freeLock(file: Deno.FsFile): Promise<void> {
  try {
    await file.truncate();
  } finally {
    file.close();
  }
}
