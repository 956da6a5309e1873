/**
 * How a tool is run by its task: flags, help, what is wrong with the command, and the exit code.
 *
 * @module
 */

import { type Flag, type FlagValues, parseFlags } from "../src/base/flags.ts";
import { helpText } from "../src/base/help.ts";
import { complain, isUnread, print } from "../src/base/output.ts";
import { usageSentence } from "../src/base/program.ts";
import { UsageError } from "../src/base/usage_error.ts";

/** A tool, as its user sees it. */
export interface Tool<T extends readonly Flag[]> {
  /** The task by which it is run. */
  readonly task: string;
  /** What it does, a sentence. */
  readonly about: string;
  /** Its flags, `help` among them. */
  readonly flags: T;
  /** What else may be said, in this order. Default: nothing. */
  readonly positionals?: readonly string[];
}

/**
 * Runs a tool with the arguments of the command.
 * @param run Does what the tool is for. @returns The exit code: what `run` says, 0 for help, 2 for wrong usage.
 */
export async function runTool<const T extends readonly Flag[]>(
  { task, about, flags, positionals = [] }: Tool<T>,
  run: (values: FlagValues<T>, given: readonly string[]) => Promise<number>,
): Promise<number> {
  return await exitCode(async () => {
    const most = { positionals: positionals.length };
    const { values, positionals: given } = parseFlags(Deno.args, flags, most);
    if (!("help" in values && values.help === true)) {
      return await run(values, given);
    }
    const usage = [...positionals.map((it) => `[${it}]`), "[FLAGS]"].join(" ");
    print(helpText(`deno task ${task} ${usage}`, about, flags));
    return 0;
  });
}

/**
 * Runs what a tool is for. @param run Does it.
 * @returns The exit code: what `run` says, 0 where its reader has enough, as `head` has, 2 for wrong usage.
 */
export async function exitCode(run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    if (isUnread(error)) return 0;
    if (!(error instanceof UsageError)) throw error;
    complain(`${usageSentence(error.message)}\n`);
    return 2;
  }
}
