/**
 * The benchmark: a real server, a load of real members, and a table. Flags in, exit code out.
 *
 *     deno task bench [--quick] [--json FILE] [--members LIST] [--runs COUNT]
 *
 * @module
 */

import { type Figures, figures, spread } from "./figures.ts";
import { type FlagValues, helpText, parseFlags } from "../src/flags.ts";
import { UsageError } from "../src/flags.ts";
import { VERSION, write } from "../src/program.ts";
import type { Findings, Job } from "./job.ts";
import { descriptorLimit, machine } from "./machine.ts";
import { load, type Pinning, pinning, ServerProcess } from "./processes.ts";
import { summary, table } from "./report.ts";

/** Connections that a server and a load need beside their members. */
const SPARE_DESCRIPTORS = 600;
/** A quick benchmark begins no further round after this, ms; it is to end within a minute. */
const QUICK_TIME = 25_000;
/** The longest that one run may take, ms, and in a quick benchmark. */
const RUN_TIME = 300_000;
const QUICK_RUN_TIME = 25_000;

const FLAGS = [
  {
    name: "quick",
    kind: "boolean",
    help: "End within a minute, with one line of JSON",
  },
  { name: "json", kind: "string", value: "FILE", help: "Write all figures" },
  {
    name: "members",
    kind: "string",
    value: "LIST",
    help: "Measure rooms of these sizes, like 10,100,1000",
  },
  {
    name: "runs",
    kind: "integer",
    value: "COUNT",
    min: 1,
    max: 100,
    help: "Measure each so many times, with a fresh server",
  },
  { name: "help", kind: "boolean", help: "Show this" },
] as const;

type Values = FlagValues<typeof FLAGS>;

const QUICK_MEMBERS = "100,1000";
const MEMBERS = "10,30,100,300,1000,3000,10000";

/** What every run does, but for its room's size. */
function settings(quick: boolean): Omit<Job, "invite" | "pid" | "members"> {
  return {
    warmupMembers: 0, // set for each room
    loneMessages: quick ? 60 : 200,
    loneWarmup: 20,
    windows: 3,
    windowTime: quick ? 700 : 3_000,
    warmupTime: quick ? 500 : 1_500,
    settleTime: quick ? 300 : 2_000,
  };
}

function sizes(list: string): number[] {
  const members = list.split(",").map(Number);
  if (members.every((it) => Number.isSafeInteger(it) && it >= 4)) {
    return members.sort((a, b) => a - b);
  }
  throw new UsageError(
    `Cannot use --members "${list}": it is a list of numbers from 4 on`,
  );
}

/** One room: a fresh server, a fresh load. */
async function run(
  members: number,
  quick: boolean,
  pins: Pinning,
  stop: AbortSignal,
): Promise<{ findings: Findings; listenTime: number }> {
  const limit = AbortSignal.timeout(quick ? QUICK_RUN_TIME : RUN_TIME);
  const signal = AbortSignal.any([stop, limit]);
  const maxClients = members + SPARE_DESCRIPTORS;
  await using server = await ServerProcess.start(pins, maxClients, signal);
  const { invite, pid, listenTime } = server;
  const warmupMembers = Math.min(100, Math.ceil(members / 4));
  const job = { ...settings(quick), invite, pid, members, warmupMembers };
  return { findings: await load(pins, job, signal), listenTime };
}

/** Rooms that this system has descriptors for. */
async function possible(members: number[]): Promise<number[]> {
  const limit = await descriptorLimit();
  const fits = (it: number) => it + SPARE_DESCRIPTORS <= limit;
  for (const tooMany of members.filter((it) => !fits(it))) {
    write(`Left out ${tooMany} members: a process may open ${limit} files\n`);
  }
  return members.filter(fits);
}

/** All runs, a round of all sizes after another, so that a busy minute doesn't fall on one size alone. */
async function measure(
  members: readonly number[],
  { quick, runs = quick ? 2 : 3 }: Values,
  pins: Pinning,
  stop: AbortSignal,
) {
  const found = new Map(members.map((it): [number, Findings[]] => [it, []]));
  const listening: number[] = [];
  const start = performance.now();
  for (let round = 1; round <= runs; round++) {
    const late = performance.now() - start > QUICK_TIME;
    if (quick && late && round > 1) break;
    for (const size of members) {
      write(`Run ${round} of ${runs}, ${size} members\n`, Deno.stderr);
      const { findings, listenTime } = await run(size, quick, pins, stop);
      listening.push(listenTime);
      found.get(size)?.push(findings);
    }
  }
  return {
    listening: spread(listening),
    all: [...found.values()].map(figures),
  };
}

function notes(all: readonly Figures[], pins: Pinning): string {
  const sockets = [...new Set(all.map((it) => it.sockets))].join(", ");
  return [
    `${pins.description[0]?.toUpperCase()}${pins.description.slice(1)}.`,
    "Every message has 100 bytes, is sealed, signed and logged; CPU is a share of one processor.",
    "The server runs with its defaults, but for --max-clients and --rate 0 (no limit on one sender).",
    `The load reads its sockets by ${sockets}; every member compares every record, and 3 open all of them.`,
    "",
  ].join("\n");
}

async function bench(values: Values, stop: AbortSignal): Promise<void> {
  const { quick, json } = values;
  const list = values.members ?? (quick ? QUICK_MEMBERS : MEMBERS);
  const members = await possible(sizes(list));
  const here = await machine();
  const pins = await pinning();
  write(
    `encrypted-chat ${VERSION}, Deno ${here.deno}, ${here.processors} × ${here.processor}, ` +
      `load average ${here.loadAverage}\n\n`,
  );
  const { listening, all } = await measure(members, values, pins, stop);
  write(`${table(listening, all)}\n${notes(all, pins)}`);
  const short = summary(all);
  if (json !== undefined) {
    const report = {
      date: new Date().toISOString(),
      version: VERSION,
      machine: here,
      pinning: pins.description,
      settings: settings(quick),
      summary: short,
      listenMs: listening,
      rooms: all,
    };
    await Deno.writeTextFile(json, `${JSON.stringify(report, null, 2)}\n`);
  }
  if (quick) write(`${JSON.stringify(short)}\n`);
}

/** Aborts when the user or the system wants the benchmark to end. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = () => controller.abort(new Error("Stopped by a signal"));
  Deno.addSignalListener("SIGINT", stop);
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", stop);
  return controller.signal;
}

async function main(args: readonly string[]): Promise<number> {
  try {
    const { values } = parseFlags(args, FLAGS, { positionals: 0 });
    if (values.help) {
      const about =
        "Measures the server with hundreds and thousands of members.";
      write(helpText("deno task bench [FLAGS]", about, FLAGS));
    } else await bench(values, stopSignal());
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      write(`${error.message}. See --help.\n`, Deno.stderr);
      return 2;
    }
    const message = error instanceof Error ? error.message : String(error);
    write(`${message}.\n`, Deno.stderr);
    return 1;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
