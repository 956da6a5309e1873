/**
 * The server program: flags in, exit code out.
 *
 *     deno task server [--port PORT] [--passphrase] …
 *
 * Exit codes: 0 stopped by a signal, 1 could not start or go on, 2 wrong usage.
 *
 * @module
 */

import { stopDiagnostics } from "./src/server/diagnostics.ts";
import { FileError } from "./src/base/private_file.ts";
import { parseFlags, UsageError } from "./src/base/flags.ts";
import { helpText } from "./src/base/help.ts";
import { sentence, serverCommand, VERSION, write } from "./src/base/program.ts";
import { FLAGS } from "./src/server/flags.ts";
import { check, rotateKey, serve } from "./src/server/serving.ts";
import { StartError } from "./src/server/starting.ts";
import { LogError } from "./src/log/file.ts";

const ABOUT =
  "An encrypted group chat: the server. Needs no flags; prints what others need to join.";

/** One sentence on what went wrong, and, where there is one, one on what to do. */
function explain(error: unknown): string {
  if (error instanceof StartError) {
    return `${sentence(error.message)}\n${sentence(error.advice)}`;
  }
  if (
    error instanceof FileError || error instanceof LogError ||
    error instanceof RangeError
  ) return sentence(error.message);
  throw error;
}

async function main(args: readonly string[]): Promise<number> {
  try {
    const { values } = parseFlags(args, FLAGS, { positionals: 0 });
    if (values.help) {
      write(helpText(`${serverCommand()} [FLAGS]`, ABOUT, FLAGS));
    } else if (values.version) write(`encrypted-chat ${VERSION}\n`);
    else if (values.check) await check(values);
    else if (values["rotate-key"]) await rotateKey(values);
    else await serve(values);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      write(`${sentence(error.message)} See --help.\n`, Deno.stderr);
      return 2;
    }
    write(`${explain(error)}\n`, Deno.stderr);
    return 1;
  } finally {
    await stopDiagnostics();
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
