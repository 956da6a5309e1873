/**
 * The line of JSON that says what can't be done: by the view for programs, and where there is no view.
 *
 * @module
 */

import type { RequestId } from "../view.ts";
import { jsonObject } from "../../protocol/told_line.ts";

/** What an error is about. */
export interface ErrorFields {
  /** The line of the input. */
  readonly line?: string;
  /** What the request is called. */
  readonly id?: RequestId | undefined;
}

/** A line of type `error`. @param message One sentence, without a full stop. */
export function errorLine(
  message: string,
  { line, id }: ErrorFields = {},
): string {
  return jsonObject("error", { id, message, line });
}
