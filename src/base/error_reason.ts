/**
 * Why something failed, in a few words for a person. Errors of the runtime are told apart by their names, so that
 * a browser runs this as well.
 *
 * @module
 */

/** What the system's own codes mean. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EBUSY: "it is in use, or mounted by itself",
  ECONNRESET: "the connection was reset",
  EEXIST: "it already exists",
  EHOSTUNREACH: "no route to that host",
  EISDIR: "it is a folder",
  ELOOP: "its links form a loop",
  EMFILE: "too many files are open",
  ENAMETOOLONG: "its name is too long",
  ENETUNREACH: "that network cannot be reached",
  ENOENT: "there is no such file or folder",
  ENOSPC: "the disk is full",
  ENOTDIR: "part of its path is not a folder",
  EPERM: "permission denied",
  EPIPE: "the connection was closed",
  EROFS: "the file system is read-only",
  ETIMEDOUT: "timed out",
};

/** Errors of the runtime that say more by their names than by their messages. */
const NAMED: Readonly<Record<string, string>> = {
  // What Deno says here would have people give it every permission.
  NotCapable: "Deno was not given the permission",
  ConnectionRefused: "connection refused",
  // What browsers say here is often nothing.
  QuotaExceededError: "there is no room left for it",
};

/** How a connection's end shows itself in the runtime's errors, whichever side ended it. */
const DISCONNECTED: ReadonlySet<string> = new Set([
  "BadResource",
  "BrokenPipe",
  "ConnectionAborted",
  "ConnectionReset",
  "Interrupted",
  "TimedOut",
]);

/** Why: what the error's name or the system's code means, else what the error says; never empty. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as { code?: unknown };
  return NAMED[error.name] ?? REASONS[String(code)] ??
    (error.message || error.name);
}

/** What an error says itself, for the server's owner. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether an error is a connection's end, rather than something wrong with what it carried. */
export function isDisconnect(error: unknown): boolean {
  return error instanceof Error && DISCONNECTED.has(error.name);
}
