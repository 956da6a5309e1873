/**
 * The program's own streams, as a view without a terminal takes them.
 *
 * @module
 */

import { canAsk } from "../terminal_questions.ts";
import type { PipeOptions } from "./pipe_view.ts";

/** Standard input, which is taken over, output and error. */
export function ownPipes(): PipeOptions {
  return {
    input: Deno.stdin.readable,
    output: Deno.stdout,
    errors: Deno.stderr,
    questions: canAsk() ? Deno.stderr : undefined,
  };
}
