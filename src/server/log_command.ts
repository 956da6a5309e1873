/**
 * `deno task log`: looks into a log, whether or not a server runs, and changes nothing.
 *
 *     log --agree N [chat.log]     what to compare with members for the history up to line N
 *
 * @module
 */

import { AdvisedError } from "../base/advised_error.ts";
import { type FlagValues, parseFlags } from "../base/flags.ts";
import { helpText } from "../base/help.ts";
import { complain, print } from "../base/output.ts";
import { givenPath } from "../base/paths.ts";
import { logCommand } from "../base/program.ts";
import { agreementOf } from "../log/agree.ts";
import { agreement } from "../protocol/chain.ts";
import { DEFAULT_LOG } from "./flags.ts";

const ABOUT = [
  `An encrypted group chat: its log. Looks into FILE (${DEFAULT_LOG}) and the older parts beside it, whether or not a`,
  "server runs, and changes nothing.",
].join("\n");

/** The command's flags. */
const FLAGS = [
  {
    name: "agree",
    kind: "integer",
    value: "N",
    min: 1,
    help:
      "Show the digits for the history up to line N, as /agree N does in a client",
  },
  { name: "help", kind: "boolean", help: "Show this help" },
] as const;

type Values = FlagValues<typeof FLAGS>;

/** Does what the arguments say. @throws {UsageError} | {AdvisedError} | {LogError} */
export async function log(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseFlags(args, FLAGS, { positionals: 1 });
  const [file = DEFAULT_LOG] = positionals;
  const isAsked = values.agree !== undefined;
  if (values.help || !isAsked) {
    return print(helpText(`${logCommand()} [FLAGS] [FILE]`, ABOUT, FLAGS));
  }
  await agree(values, givenPath(file));
}

/** Shows the digits for a line. */
async function agree({ agree: seq = 0 }: Values, path: string): Promise<void> {
  const { range: [first, last], value, broken } = await agreementOf(path, seq);
  if (!value) {
    const what = last < first
      ? "it is empty"
      : `it has those from ${first} to ${last}`;
    throw new AdvisedError(
      `There is no line ${seq} in ${path}: ${what}`,
      "/agree in a client shows the number of the last line that it has",
    );
  }
  print(`History up to line ${seq}: ${agreement(value)}\n`);
  for (const file of broken) {
    complain(
      `WARNING: ${file} was begun after other lines than those that are before it now: one of the older files was changed.\n`,
    );
  }
}
