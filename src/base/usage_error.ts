/**
 * What is wrong with what a person typed.
 *
 * @module
 */

/** A person has typed what can't be used. On a command line the program exits with 2. */
export class UsageError extends Error {
  /** "UsageError". */
  override readonly name = "UsageError";
}
