/**
 * How a benchmark is asked for, and what it exits with.
 *
 * @module
 */

import { UsageError } from "../../src/base/flags.ts";
import { write } from "../../src/base/program.ts";

/** Runs a benchmark. @returns Its exit code: 2 for flags that can't be, 1 for what else went wrong. */
export async function exitCodeOf(bench: () => Promise<void>): Promise<number> {
  try {
    await bench();
    return 0;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof UsageError) {
      write(`${message}. See --help.\n`, Deno.stderr);
      return 2;
    }
    write(`${message}.\n`, Deno.stderr);
    return 1;
  }
}
