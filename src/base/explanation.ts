/**
 * Why a program can't go on, in sentences for a person.
 *
 * @module
 */

import { AdvisedError } from "./advised_error.ts";
import { UsageError } from "./usage_error.ts";
import { OutputError } from "./output.ts";
import { FileError } from "./private_file.ts";
import { usageSentence } from "./program.ts";
import { sentence } from "./sentence.ts";
import { escapeText } from "./safe_text.ts";

/** Why a program can't go on, and what to do where that is known. */
export function explanation(
  error: unknown,
  program: "client" | "server",
): string {
  if (error instanceof UsageError) return usageSentence(error.message);
  if (error instanceof AdvisedError) {
    return `${sentence(error.message)}\n${sentence(error.advice)}`;
  }
  if (
    error instanceof FileError || error instanceof OutputError ||
    error instanceof RangeError
  ) return sentence(error.message);
  return sentence(
    `The ${program} has a fault and cannot go on: ${escapeText(String(error))}`,
  );
}
