/**
 * `deno task storm`: real clients talk while the server is killed, again and again. Knows how to ask for it and
 * how to tell what came of it.
 *
 * @module
 */

import { parseFlags, UsageError } from "../../src/flags.ts";
import { write } from "../../src/program.ts";
import { Folder } from "../harness.ts";
import { storm } from "./storm.ts";

const FLAGS = [
  {
    name: "clients",
    kind: "integer",
    value: "COUNT",
    min: 1,
    max: 1_000,
    default: 20,
    help: "So many talk",
  },
  {
    name: "kills",
    kind: "integer",
    value: "COUNT",
    min: 0,
    max: 1_000_000,
    default: 100,
    help: "Kill the server so often",
  },
  {
    name: "stop",
    kind: "integer",
    value: "SECONDS",
    min: 0,
    max: 1_000,
    default: 0,
    help: "Then stop the server for so long, and a client for as long",
  },
] as const;

async function main(): Promise<number> {
  const { values } = parseFlags(Deno.args, FLAGS, { positionals: 0 });
  const { clients, kills, stop } = values;
  await using folder = await Folder.make();
  const { faults, lines, typed, deliveries, interrupted, losses, mended } =
    await storm({
      folder,
      clients,
      kills,
      signal: "SIGKILL",
      stop: stop * 1_000,
      watch: (report) => write(`${report}\n`),
    });
  write(
    `${kills} kills, ${interrupted} of them while lines were under way; ` +
      `${losses} times a client lost its server; ` +
      `${mended} times the log was mended\n` +
      `${lines} lines, of which ${typed} were typed, shown ${deliveries} times\n`,
  );
  for (const fault of faults) write(`${fault}\n`, Deno.stderr);
  return faults.length === 0 ? 0 : 1;
}

try {
  Deno.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  write(`${error.message}\n`, Deno.stderr);
  Deno.exitCode = 2;
}
