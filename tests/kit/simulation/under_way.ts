/**
 * What the runtime does for this process on other threads: files and keys. A simulation's time doesn't pass meanwhile, or it
 * would pass faster than on any machine; and nobody who counts turns counts those that pass meanwhile.
 *
 * @module
 */

import { isCryptoBusy } from "../crypto_idle.ts";

const FILE_METHODS = [
  "read",
  "seek",
  "stat",
  "sync",
  "syncData",
  "truncate",
  "write",
] as const;
const FILE_FUNCTIONS = [
  "chmod",
  "link",
  "lstat",
  "mkdir",
  "open",
  "readTextFile",
  "remove",
  "rename",
  "stat",
] as const;

type Method = (...args: unknown[]) => Promise<unknown>;

let count = 0;

/** Has calls of some methods counted until they have ended. */
function watch<K extends string>(
  object: Readonly<Record<K, unknown>>,
  names: readonly K[],
): void {
  for (const name of names) {
    const method = object[name] as Method;
    const value = function (this: unknown, ...args: unknown[]) {
      const result = method.apply(this, args);
      const end = () => void count--;
      count++;
      result.then(end, end);
      return result;
    };
    Object.defineProperty(object, name, {
      value,
      configurable: true,
      writable: true,
    });
  }
}

watch(Deno.FsFile.prototype, FILE_METHODS);
watch(Deno, FILE_FUNCTIONS);

/** Whether something is under way. */
export function isBusy(): boolean {
  return count > 0 || isCryptoBusy();
}
