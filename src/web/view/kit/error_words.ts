/**
 * An error as a person reads it.
 *
 * @module
 */

import { escapeText } from "../../../base/safe_text.ts";

/** What went wrong, as a sentence; what others wrote in it is escaped. */
export function errorWords(error: unknown): string {
  return escapeText(error instanceof Error ? error.message : String(error));
}
