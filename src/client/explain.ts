/**
 * Why the client can't go on, in sentences for a person and as an event for a program.
 *
 * @module
 */

import { errorLine } from "./pipe/error_line.ts";
import { messageOf } from "../base/error_reason.ts";
import { explanation } from "../base/explanation.ts";
import { UsageError } from "../base/usage_error.ts";
import { complain, isUnread, OutputError, print } from "../base/output.ts";

/**
 * Says on stderr why the client can't go on, and on stdout too for a program.
 * @param json Whether a program reads stdout.
 * @returns The exit code: 0 where all that happened is that the reader of stdout had enough.
 */
export function explain(error: unknown, json: boolean): number {
  if (isUnread(error)) return 0;
  if (json && !(error instanceof OutputError)) tellProgram(messageOf(error));
  complain(`${explanation(error, "client")}\n`);
  return error instanceof UsageError ? 2 : 1;
}

function tellProgram(message: string): void {
  try {
    print(`${errorLine(message)}\n`);
  } catch {
    // No program reads any more; a person at the terminal still may.
  }
}

/**
 * Has an error that nobody waits for end the program in the same way, instead of with the runtime's own words.
 * @param end Gives the terminal back, says what is wrong, and ends the program.
 */
export function endAtFaults(end: (error: unknown) => void): void {
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    end(event.reason);
  });
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    end(event.error);
  });
}
