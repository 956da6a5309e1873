/**
 * Errors that tell a person what to do.
 *
 * @module
 */

/** The program can't go on. The message says what happened, the advice what to do. */
export class AdvisedError extends Error {
  /** The class's name. */
  override readonly name: string = "AdvisedError";
  /** Says what happened. @param advice One sentence for the person at the keyboard. */
  constructor(message: string, readonly advice: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
  }
}
