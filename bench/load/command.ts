/**
 * How a benchmark is asked for, and what it exits with.
 *
 * @module
 */

import { UsageError } from "../../src/base/usage_error.ts";
import { complain } from "../../src/base/output.ts";

/** Runs a benchmark. @returns Its exit code: 2 for flags that can't be, 1 for what else went wrong. */
export async function exitCodeOf(bench: () => Promise<void>): Promise<number> {
  try {
    await bench();
    return 0;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof UsageError) {
      complain(`${message}. See --help.\n`);
      return 2;
    }
    complain(`${message}.\n`);
    return 1;
  }
}
