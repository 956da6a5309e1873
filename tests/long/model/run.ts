/**
 * `deno task model`: five persons, two keepers and a hostile server in sealed rooms, as often as is told.
 *
 * @module
 */

import { parseFlags } from "../../../src/base/flags.ts";
import { complain, print } from "../../../src/base/output.ts";
import { runTask } from "../../kit/task.ts";
import { reasons, tryModel } from "./model.ts";

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
    max: 1_000,
    default: 40,
    help: "Steps in each at the most",
  },
  {
    name: "seed",
    kind: "integer",
    value: "NUMBER",
    min: 0,
    max: 2 ** 31 - 1,
    help: "What is drawn follows from it",
  },
] as const;

async function main(): Promise<number> {
  const { values } = parseFlags(Deno.args, FLAGS, { positionals: 0 });
  const { runs, steps, seed = Math.floor(Math.random() * 2 ** 31) } = values;
  print(`--seed ${seed}\n`);
  const watch = (step: string) => print(`${step}\n`);
  try {
    await tryModel({ seed, runs, steps, watch });
    return 0;
  } catch (error) {
    complain(`${reasons(error)}\n`);
    return 1;
  }
}

await runTask(main);
