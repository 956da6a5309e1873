/**
 * What a program prints on its standard output, and what becomes of it where that takes no more.
 *
 * @module
 */

import { reasonOf } from "./error_reason.ts";
import { fitted } from "./word_rows.ts";
import { waitIfFull, writeAllSync } from "./write_all.ts";

/** Standard output takes no more. */
export class OutputError extends Error {
  /** "OutputError". */
  override readonly name = "OutputError";

  /** Wraps what the system said. */
  constructor(cause: unknown) {
    const why = cause instanceof Deno.errors.BrokenPipe
      ? "nobody reads it"
      : reasonOf(cause);
    super(`Cannot write to standard output: ${why}`, { cause });
  }

  /** Whether the reader went away, as `head` does when it has enough: then there is nobody to tell. */
  get isUnread(): boolean {
    return this.cause instanceof Deno.errors.BrokenPipe;
  }
}

/** Whether all that went wrong is that the reader of standard output had enough: who looks at something ends quietly then. */
export function isUnread(error: unknown): boolean {
  return error instanceof OutputError && error.isUnread;
}

/** Prints a text, all of it. @throws {OutputError} if that fails: the disk is full, or nobody reads. */
export function print(text: string): void {
  try {
    writeAllSync(Deno.stdout, new TextEncoder().encode(text), waitIfFull);
  } catch (cause) {
    throw new OutputError(cause);
  }
}

/**
 * Says a text on standard error, as far as that takes it: where it takes nothing, nobody can be told. At a terminal its
 * rows end between words.
 */
export function complain(text: string): void {
  try {
    const shown = Deno.stderr.isTerminal() ? fitted(text, columns()) : text;
    writeAllSync(Deno.stderr, new TextEncoder().encode(shown), waitIfFull);
  } catch {
    // The exit code says that something is wrong.
  }
}

/** The width of the terminal; without end where it doesn't tell. */
function columns(): number {
  try {
    return Deno.consoleSize().columns || Infinity;
  } catch {
    return Infinity;
  }
}
