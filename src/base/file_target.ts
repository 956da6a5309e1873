/**
 * What a path leads to, looked at before it is opened: opening a pipe waits until somebody writes into it, which may
 * be never, and replacing a link would leave what it leads to as it was.
 *
 * @module
 */

/** Links that may follow on each other, as on Linux. */
const MAX_LINKS = 40;

/**
 * Where the links at the end of a path lead, whether or not anything is there; the path itself for one that is no
 * link.
 * @throws {Error} for links that form a loop, and for what the system says of one that can't be read.
 */
export function targetOf(path: string): string {
  let target = path;
  for (let count = 0; isLink(target); count++) {
    if (count === MAX_LINKS) throw new Error("its links form a loop");
    const next = Deno.readLinkSync(target);
    const isAbsolute = /^(?:[/\\]|[a-z]:)/i.test(next);
    target = isAbsolute ? next : target.replace(/[^/\\]*$/, "") + next;
  }
  return target;
}

function isLink(path: string): boolean {
  try {
    return Deno.lstatSync(path).isSymlink;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Fails for what is there and is no ordinary file. @throws {Error} which says what it is, or what the system says. */
export function requireOrdinary(path: string): void {
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  if (!info.isFile) throw new Error(`it is ${kindOf(info)}`);
}

/** Whether two are the same file; taken for granted where the system doesn't tell files apart. */
export function isSameFile(a: Deno.FileInfo, b: Deno.FileInfo): boolean {
  return a.ino === b.ino && a.dev === b.dev;
}

/** What something is that is no ordinary file, in words. */
export function kindOf(info: Deno.FileInfo): string {
  if (info.isDirectory) return "a folder";
  const kind = info.isFifo
    ? "a pipe"
    : info.isSocket
    ? "a socket"
    : info.isCharDevice || info.isBlockDevice
    ? "a device"
    : "something else";
  return `${kind}, not an ordinary file`;
}
