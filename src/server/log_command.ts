/**
 * `deno task log`: looks into a log, whether or not a server runs, and changes nothing.
 *
 *     log --agree N [chat.log]                        what to compare with members for the history up to line N
 *     log --key LINK-OR-FILE [chat.log]               all that was said in a sealed room
 *     log [--key …] --search WORDS [--json] [chat.log]   what was said with these words
 *
 * @module
 */

import { AdvisedError } from "../base/advised_error.ts";
import { type FlagValues, parseFlags } from "../base/flags.ts";
import { UsageError } from "../base/usage_error.ts";
import { helpText } from "../base/help.ts";
import { complain, print } from "../base/output.ts";
import { givenPath } from "../base/paths.ts";
import { logCommand } from "../base/program.ts";
import { agreementOf } from "../log/agree.ts";
import { agreement } from "../protocol/chain.ts";
import { DEFAULT_LOG } from "./flags.ts";
import { besideLog } from "../log/beside.ts";
import { readLog } from "./reading/read_log.ts";

const ABOUT = [
  `An encrypted group chat: its log. Looks into FILE (${DEFAULT_LOG}) and the older parts beside it, or into all FILEs`,
  "that are given, whether or not a server runs, and changes nothing.",
].join(" ");
/** More files than a log has. */
const MAX_FILES = 1_000;

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
  {
    name: "key",
    kind: "string",
    value: "KEY",
    help:
      "Read a sealed room's log by the file of a member's identity, or by a link; - asks for a link on standard input",
  },
  {
    name: "search",
    kind: "string",
    value: "WORDS",
    help:
      "Show only the lines that have all WORDS, by what they say in the end",
  },
  {
    name: "json",
    kind: "boolean",
    help: "Show JSON, an object a line, as a client does",
  },
  {
    name: "control",
    kind: "path",
    value: "FILE",
    help: "A sealed room's keys (default beside the log: chat.control)",
  },
  { name: "help", kind: "boolean", help: "Show this help" },
] as const;

type Values = FlagValues<typeof FLAGS>;

/**
 * Does what the arguments say.
 * @returns The exit code: 1 where something in the log doesn't fit.
 * @throws {UsageError} | {AdvisedError} | {LogError}
 */
export async function log(args: readonly string[]): Promise<number> {
  const options = { positionals: MAX_FILES };
  const { values, positionals } = parseFlags(args, FLAGS, options);
  const given = positionals.map((path) => givenPath(path));
  const [first = givenPath(DEFAULT_LOG), ...others] = given;
  const { agree: line, key, search, json } = values;
  const reads = key !== undefined || search !== undefined || json;
  if (values.help || !reads && line === undefined) {
    print(helpText(`${logCommand()} [FLAGS] [FILE…]`, ABOUT, FLAGS));
    return 0;
  }
  if (!reads) {
    if (others.length > 0) {
      throw new UsageError(
        "Give one FILE: the older parts are found beside it",
      );
    }
    await agree(values, first);
    return 0;
  }
  if (line !== undefined) {
    throw new UsageError(
      "Give --agree alone, without --key, --search or --json",
    );
  }
  const paths = [first, ...others];
  const control = values.control ?? besideLog(first, "control");
  return await readLog({ paths, control, key, search, json }) ? 0 : 1;
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
