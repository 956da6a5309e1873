/**
 * A server that is killed and started again, with the same files on the same port, under all its members: how long
 * until all are back.
 *
 * @module
 */

import { complain } from "../../src/base/output.ts";
import { type RestartFigures, spread } from "./figures.ts";
import type { ReturnFindings, ReturnJob } from "./job.ts";
import { LoadProcess } from "./load_process.ts";
import { type Pinning, ServerProcess } from "./processes.ts";

/** Connections that a server needs beside its members'. */
const SPARE = 600;
/** The longest that one run may take, ms. */
const RUN_TIME = 300_000;
/** Joins under way at a time, before the server is killed. */
const JOINS_AT_ONCE = 200;

/** What is to be measured. */
export interface RestartPlan {
  /** Sizes of rooms, ascending. */
  readonly members: readonly number[];
  /** How often each is measured, in both ways. */
  readonly runs: number;
  readonly pins: Pinning;
  /** Ends everything. */
  readonly stop: AbortSignal;
}

async function run(
  members: number,
  pauses: boolean,
  { pins, stop }: RestartPlan,
): Promise<ReturnFindings & { readonly listenMs: number }> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(RUN_TIME)]);
  // All come from one address, as they never do: what counts those of one would be measured.
  const flags = [
    ...["--max-clients", `${members + SPARE}`],
    ...["--max-handshakes", `${members + SPARE}`],
    ...["--max-handshakes-per-address", `${members + SPARE}`],
    ...["--failed-per-address", "1000000"],
  ];
  await using server = await ServerProcess.start(pins, flags, signal);
  const { place } = server;
  const job: ReturnJob = {
    kind: "return",
    place,
    members,
    joinsAtOnce: JOINS_AT_ONCE,
    pauses,
  };
  await using load = new LoadProcess(pins, job, signal);
  await load.until("in");
  await server.restart();
  await load.tell(`${server.pid}`);
  const found = await load.findings<ReturnFindings>();
  return { ...found, listenMs: server.listenTime };
}

/** All runs: of each size with members that come at once, and with those that wait as clients do. */
export async function measureRestarts(
  plan: RestartPlan,
): Promise<RestartFigures[]> {
  const found: RestartFigures[] = [];
  for (const members of plan.members) {
    for (const pauses of [false, true]) {
      const runs = [];
      for (let at = 1; at <= plan.runs; at++) {
        complain(`Restart ${at} of ${plan.runs}, ${members} members\n`);
        runs.push(await run(members, pauses, plan));
      }
      const troubles: Record<string, number> = {};
      for (
        const [why, count] of runs.flatMap((it) => Object.entries(it.troubles))
      ) {
        troubles[why] = (troubles[why] ?? 0) + count;
      }
      found.push({
        members,
        pauses,
        listenMs: spread(runs.map((it) => it.listenMs)),
        backMs: spread(runs.map((it) => it.backMs)),
        servedMs: spread(runs.map((it) => it.servedMs)),
        serverMs: spread(runs.map((it) => it.serverMs)),
        loadMs: spread(runs.map((it) => it.loadMs)),
        troubles,
      });
    }
  }
  return found;
}
