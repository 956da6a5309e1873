/**
 * What is wrong with a file, in a sentence for a person.
 *
 * @module
 */

import { reasonOf } from "./error_reason.ts";

/** A file can't be used; the message says which, and why. */
export class FileError extends Error {
  /** The class's name. */
  override readonly name: string = "FileError";
}

/**
 * A `FileError` that wraps what the system said.
 * @param action "read", "write" or "create".
 */
export function fileError(
  action: string,
  path: string,
  cause: unknown,
): FileError {
  return new FileError(`Cannot ${action} "${path}": ${reasonOf(cause)}`, {
    cause,
  });
}
