/**
 * What the tasks that go further than the tests have in common.
 *
 * @module
 */

import { UsageError } from "../../src/base/usage_error.ts";
import { complain, isUnread } from "../../src/base/output.ts";

/** Runs a task; its code, or 2 for flags that can't be, is the process's in the end. One whose reader has enough ends quietly. */
export async function runTask(main: () => Promise<number>): Promise<void> {
  try {
    Deno.exitCode = await main();
  } catch (error) {
    if (isUnread(error)) return;
    if (!(error instanceof UsageError)) throw error;
    complain(`${error.message}\n`);
    Deno.exitCode = 2;
  }
}
