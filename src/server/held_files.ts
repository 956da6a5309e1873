/**
 * The files that only one server may have besides its log, `chat.key` and `chat.people`: another room with the same
 * persons lets them read what isn't theirs, and clients take one under the same key for the same room.
 *
 * @module
 */

import { targetOf } from "../base/file_target.ts";
import {
  freeLock,
  LockedError,
  requireUnlocked,
  takeLock,
} from "../log/lock.ts";
import type { Values } from "./flags.ts";

/** Those of a server. Servers that share a room may have the same key file: they have the same key. */
function heldFiles({ "key-file": keyFile, people, nats }: Values): string[] {
  return nats === undefined ? [keyFile, people] : [people];
}

/**
 * Holds them until it is disposed of. Where none can be locked, as in a folder that is read-only, it goes on without.
 * @param address Where this server listens. @param made Is told the path of each file that was made.
 * @throws {LockedError} if another server holds one of them.
 */
export async function holdFiles(
  values: Values,
  address: string,
  made: (path: string) => void,
): Promise<AsyncDisposable> {
  await using held = new AsyncDisposableStack();
  for (const path of heldFiles(values)) {
    await unlessLocked(async () => {
      const lock = await takeLock(targetOf(path), address, made);
      held.defer(() => freeLock(lock));
    });
  }
  return held.move();
}

/** Looks whether another server holds one of them. @throws {LockedError} if one does. */
export async function requireUnheld(values: Values): Promise<void> {
  for (const path of [values.log, ...heldFiles(values)]) {
    await unlessLocked(() => requireUnlocked(targetOf(path)));
  }
}

/** Does something about a lock. Whatever else is wrong with a file is told when it is opened. @throws {LockedError} */
async function unlessLocked(step: () => Promise<unknown>): Promise<void> {
  try {
    await step();
  } catch (error) {
    if (error instanceof LockedError) throw error;
  }
}
