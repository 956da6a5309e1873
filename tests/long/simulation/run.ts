/**
 * `deno task simulate`: rooms on several servers in one process, with all that can go wrong between them, as often as is told.
 *
 * @module
 */

import { parseFlags } from "../../../src/base/flags.ts";
import { complain, print } from "../../../src/base/output.ts";
import { simulate } from "../../kit/simulation/run.ts";
import { runTask } from "../../kit/task.ts";

const FLAGS = [
  {
    name: "runs",
    kind: "integer",
    value: "COUNT",
    min: 1,
    max: 1_000_000,
    default: 100,
    help: "So many rooms",
  },
  {
    name: "steps",
    kind: "integer",
    value: "COUNT",
    min: 1,
    max: 100_000,
    default: 300,
    help: "Steps in each",
  },
  {
    name: "seed",
    kind: "integer",
    value: "NUMBER",
    min: 0,
    max: 2 ** 31 - 1,
    help: "What is drawn follows from it",
  },
  {
    name: "servers",
    kind: "integer",
    value: "COUNT",
    min: 1,
    max: 8,
    default: 3,
    help: "Servers of each room",
  },
  {
    name: "losses",
    kind: "boolean",
    help: "The stream may be emptied, or put back to an older state",
  },
  { name: "watch", kind: "boolean", help: "Print each step" },
] as const;

async function main(): Promise<number> {
  const { values } = parseFlags(Deno.args, FLAGS, { positionals: 0 });
  const { runs, steps, servers, losses, watch } = values;
  const { seed = Math.floor(Math.random() * 2 ** 30) } = values;
  print(`--seed ${seed}\n`);
  try {
    await simulate({
      seed,
      runs,
      steps,
      servers,
      losesEntries: losses,
      ...watch ? { watch: (what) => print(`${what}\n`) } : {},
      done: (seed, entries, lines) =>
        print(`seed ${seed}: ${entries} entries, ${lines} lines\n`),
    });
    return 0;
  } catch (error) {
    complain(`${error instanceof Error ? error.message : error}\n`);
    return 1;
  }
}

await runTask(main);
