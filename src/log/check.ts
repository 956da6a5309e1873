/**
 * Whether a server could use a log: looks at all that `ChatLog.open` needs, and changes nothing.
 *
 * @module
 */

import { targetOf } from "../base/file_target.ts";
import { requireWritableFolder } from "../base/private_file.ts";
import { LogError, LogFile, openToAppend } from "./file.ts";
import { LogFiles } from "./files.ts";
import { LockedError, requireUnlocked } from "./lock.ts";

/** What there is of a log. */
export interface LogState {
  /** Whether its file is there. */
  readonly exists: boolean;
  /** The number of its last whole line, older files included; 0 for none. */
  readonly last: number;
  /** How much of a line stands behind that one, bytes: a server would complete or drop it. */
  readonly broken: number;
}

/**
 * Looks at a log and at its folder.
 * @throws {LockedError} if a server uses it. @throws {LogError} if none could.
 */
export async function checkLog(path: string): Promise<LogState> {
  try {
    path = targetOf(path);
    const hasLock = await requireUnlocked(path);
    const files = new LogFiles(path, "retained");
    using file = await openIfThere(path);
    // What isn't there, a server makes.
    if (!hasLock || !file) await requireWritableFolder(path);
    const found = file && await LogFile.read(path, file);
    if (!file || !found) {
      const last = await files.lastBefore();
      return { exists: file !== undefined, last, broken: 0 };
    }
    await found.count(file);
    const broken = found.broken((await file.stat()).size);
    return { exists: true, last: found.index.last, broken };
  } catch (cause) {
    if (cause instanceof LockedError) throw cause;
    throw new LogError("use", path, cause);
  }
}

async function openIfThere(path: string): Promise<Deno.FsFile | undefined> {
  try {
    return await openToAppend(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
