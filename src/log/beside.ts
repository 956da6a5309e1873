/**
 * Names of files that belong to a log: one server at a time uses a log, and what is beside it.
 *
 * @module
 */

/** The file beside a log, or an older part of it, with another ending: `chat.control` for `chat.log` or `chat.log.1`. */
export function besideLog(log: string, ending: string): string {
  return `${log.replace(/\.log([.-][^/\\]*)?$/, "")}.${ending}`;
}
