/**
 * The files that only one server may have besides its log, `chat.key`, `chat.people` and a sealed room's own: another
 * room with the same persons lets them read what isn't theirs, and clients take one under the same key for the same
 * room.
 *
 * @module
 */

import { reasonOf } from "../base/error_reason.ts";
import { targetOf } from "../base/file_target.ts";
import { isThere } from "../base/private_file.ts";
import {
  freeLock,
  LockedError,
  requireUnlocked,
  takeLock,
} from "../log/lock.ts";
import type { Values } from "./flags.ts";

/** Those of a server. Servers that share a room may have the same key file: they have the same key. */
function heldFiles(
  { "key-file": keyFile, people, nats, sealed, control }: Values,
): string[] {
  return [
    ...(nats === undefined ? [keyFile] : []),
    people,
    ...(sealed && control !== undefined ? [control] : []), // else it is beside the log, and so under its lock
  ];
}

/**
 * Holds them until it is disposed of. Where none can be locked, as in a folder that is read-only, it goes on without.
 * @param address Where this server listens. @param made Is told the path of each file that was made.
 * @param note Is told where a lock is there and can't be had.
 * @throws {LockedError} if another server holds one of them.
 */
export async function holdFiles(
  values: Values,
  address: string,
  made: (path: string) => void,
  note: (notice: string) => void,
): Promise<AsyncDisposable> {
  await using held = new AsyncDisposableStack();
  for (const path of heldFiles(values)) {
    const target = targetOf(path);
    const why = await unlessLocked(async () => {
      const lock = await takeLock(target, address, made);
      held.defer(() => freeLock(lock));
    });
    if (why !== undefined && await isThere(`${target}.lock`)) {
      note(
        `Nothing keeps another server from using "${path}" as well: ${why}`,
      );
    }
  }
  return held.move();
}

/** Looks whether another server holds one of them, or the log. @throws {LockedError} if one does. */
export async function requireUnheld(values: Values): Promise<void> {
  for (const path of [values.log, ...heldFiles(values)]) {
    await unlessLocked(() => requireUnlocked(targetOf(path)));
  }
}

/** Does something about a lock. @returns Why that can't be done. @throws {LockedError} */
async function unlessLocked(
  step: () => Promise<unknown>,
): Promise<string | undefined> {
  try {
    await step();
    return undefined;
  } catch (error) {
    if (error instanceof LockedError) throw error;
    return reasonOf(error);
  }
}
