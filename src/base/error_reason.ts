/**
 * Why something failed, in a few words for a person. Knows nothing of what was tried.
 *
 * @module
 */

/** What the system's own codes mean. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "the system does not permit it",
  ECONNRESET: "the connection broke off",
  EEXIST: "it exists already",
  EHOSTUNREACH: "there is no way to that machine",
  EISDIR: "it is a folder",
  ELOOP: "its links lead in a circle",
  EMFILE: "too many files are open",
  ENAMETOOLONG: "its name is too long",
  ENETUNREACH: "there is no way to that network",
  ENOENT: "there is no such file or folder",
  ENOSPC: "the disk is full",
  ENOTDIR: "a part of its path is not a folder",
  EPERM: "the system does not permit it",
  EPIPE: "the connection broke off",
  EROFS: "the file system is read-only",
  ETIMEDOUT: "no answer came",
};

/** Why: what the system's code means, or else what the error says. */
export function reasonOf(error: unknown): string {
  // What Deno says here would have people give it every permission.
  if (error instanceof Deno.errors.NotCapable) {
    return "Deno was not given the permission";
  }
  if (error instanceof Deno.errors.ConnectionRefused) {
    return "nothing listens there";
  }
  if (!(error instanceof Error)) return String(error);
  const { code } = error as { code?: unknown };
  return REASONS[String(code)] ?? error.message;
}
