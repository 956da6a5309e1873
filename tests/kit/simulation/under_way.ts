/**
 * What the runtime does for this process on other threads: files and keys. A simulation's time doesn't pass meanwhile, or it
 * would pass faster than on any machine; and nobody who counts turns counts those that pass meanwhile.
 *
 * @module
 */

import { isCryptoBusy } from "../crypto_idle.ts";

const FILE_METHODS = [
  "lock",
  "read",
  "seek",
  "stat",
  "sync",
  "syncData",
  "truncate",
  "tryLock",
  "unlock",
  "write",
] as const;
const FILE_FUNCTIONS = [
  "chmod",
  "copyFile",
  "link",
  "lstat",
  "mkdir",
  "open",
  "readFile",
  "readTextFile",
  "remove",
  "rename",
  "stat",
  "writeFile",
  "writeTextFile",
] as const;

type Method = (...args: unknown[]) => Promise<unknown>;

let count = 0;

/** Counts something until it has ended. */
function counted<T>(result: Promise<T>): Promise<T> {
  const end = () => void count--;
  count++;
  result.then(end, end);
  return result;
}

/** Has calls of some methods counted until they have ended. */
function watch<K extends string>(
  object: Readonly<Record<K, unknown>>,
  names: readonly K[],
): void {
  for (const name of names) {
    const method = object[name] as Method;
    const value = function (this: unknown, ...args: unknown[]) {
      return counted(method.apply(this, args));
    };
    Object.defineProperty(object, name, {
      value,
      configurable: true,
      writable: true,
    });
  }
}

const { readDir } = Deno;
Object.defineProperty(Deno, "readDir", {
  value: async function* (path: string | URL): AsyncGenerator<Deno.DirEntry> {
    yield* await counted(Array.fromAsync(readDir(path)));
  },
  configurable: true,
  writable: true,
});
watch(Deno.FsFile.prototype, FILE_METHODS);
watch(Deno, FILE_FUNCTIONS);

/** Whether something is under way. */
export function isBusy(): boolean {
  return count > 0 || isCryptoBusy();
}
