/**
 * `deno task soak`: a server and members for half an hour, or as long as is told.
 *
 * @module
 */

import { parseFlags } from "../../../src/base/flags.ts";
import { complain, print } from "../../../src/base/output.ts";
import { runTask } from "../../kit/task.ts";
import type { Deeds } from "./member.ts";
import { type Sample, soak } from "./soak.ts";
import { Folder } from "../../kit/folder.ts";

const FLAGS = [
  {
    name: "members",
    kind: "integer",
    value: "COUNT",
    min: 1,
    max: 10_000,
    default: 500,
    help: "So many come and go",
  },
  {
    name: "minutes",
    kind: "integer",
    value: "COUNT",
    min: 3,
    max: 100_000,
    default: 30,
    help: "Go on for so long",
  },
] as const;

const MINUTE = 60_000;
/** The mean time between two things that all members together do, ms. */
const COMMON_PACE = 80;

function row({ at, memory, descriptors, threads, members }: Sample): string {
  const megabytes = (memory / 1e6).toFixed(0);
  return `${(at / 1_000).toFixed(0).padStart(6)} s  ${megabytes} MB, ` +
    `${descriptors} descriptors, ${threads} threads, ${members} members`;
}

function deedsRow(deeds: Deeds): string {
  return Object.entries(deeds).map(([what, count]) => `${what} ${count}`)
    .join(", ");
}

async function main(): Promise<number> {
  const { values } = parseFlags(Deno.args, FLAGS, { positionals: 0 });
  const { members, minutes } = values;
  const folder = await Folder.make();
  let told = 0;
  const { faults, deeds, lines, deliveries, empty, early, late, after } =
    await soak({
      members,
      duration: minutes * MINUTE,
      settling: MINUTE,
      window: MINUTE / 2,
      period: 3_000,
      behaviour: { pace: COMMON_PACE * members, stall: 2 * MINUTE },
      folder,
      watch(sample, deeds) {
        if (sample.at - told < MINUTE / 4) return;
        told = sample.at;
        print(`${row(sample)}; ${deedsRow(deeds)}\n`);
      },
    });
  print(
    `\nbefore anybody came\n${row(empty)}\nafter the first minute\n${
      row(early)
    }\nat the end\n${row(late)}\nwhen all were gone\n${row(after)}\n`,
  );
  print(`${deedsRow(deeds)}\n${lines} lines, shown ${deliveries} times\n`);
  if (faults.length === 0) {
    await folder[Symbol.asyncDispose]();
    return 0;
  }
  for (const fault of faults) complain(`${fault}\n`);
  complain(`The server's files are in ${folder.path}\n`);
  return 1;
}

await runTask(main);
