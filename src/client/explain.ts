/**
 * Why the client can't go on, in sentences for a person and as an event for a program.
 *
 * @module
 */

import { JoinError } from "./join_error.ts";
import { errorLine } from "./pipe/json_view.ts";
import { UsageError } from "../base/flags.ts";
import { FileError } from "../base/private_file.ts";
import { sentence, usageSentence, write } from "../base/program.ts";

/**
 * Says on stderr why the client can't go on, and on stdout too for a program.
 * @param json Whether a program reads stdout.
 * @returns The exit code.
 * @throws whatever isn't meant for people.
 */
export function explain(error: unknown, json: boolean): number {
  if (json && error instanceof Error) tellProgram(error.message);
  write(`${sentences(error)}\n`, Deno.stderr);
  return error instanceof UsageError ? 2 : 1;
}

function sentences(error: unknown): string {
  if (error instanceof UsageError) {
    return usageSentence(error.message);
  }
  if (error instanceof JoinError) {
    return `${sentence(error.message)}\n${sentence(error.advice)}`;
  }
  if (error instanceof FileError || error instanceof RangeError) {
    return sentence(error.message);
  }
  throw error;
}

function tellProgram(message: string): void {
  try {
    write(`${errorLine(message)}\n`);
  } catch (error) {
    // No program reads any more; a person at the terminal still may.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
