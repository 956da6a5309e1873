/**
 * What strangers cost a server, and whether its members notice them.
 *
 * @module
 */

import { messageOf } from "../../src/base/error_reason.ts";
import { complain } from "../../src/base/output.ts";
import { run } from "../../tests/kit/command.ts";
import type { Pinning } from "../load/processes.ts";
import type { Costs, Delays } from "../load/figures.ts";
import { strangerCosts } from "./costs.ts";
import { MEANWHILES, strangerDelays } from "./delays.ts";

/** Longer than any part takes, ms: one that stands still ends there. */
const COSTS_TIME = 120_000;
const DELAYS_TIME = 60_000;
const COSTS = {
  waiting: 4_000,
  waitingBefore: 1_000,
  settleTime: 2,
  attempts: 2_000,
  attemptsBefore: 500,
};
const DELAYS = { talkers: 100, warmUpTime: 2, settleTime: 3, talkTime: 10 };

/** Does one part of the work. @throws {Error} that names it where it fails or isn't done in time. */
async function part<T>(
  what: string,
  time: number,
  stop: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  complain(`Measuring ${what}\n`);
  const limit = AbortSignal.timeout(time); // ends the processes, and so whatever waits for them
  try {
    return await work(AbortSignal.any([stop, limit]));
  } catch (cause) {
    const why = limit.aborted
      ? `it wasn't done in ${time / 1_000} s`
      : messageOf(cause);
    throw new Error(`Cannot measure ${what}: ${why}`, { cause });
  }
}

/** Keeps this process, whose members measure, off the server's processor. */
async function pinSelf({ load }: Pinning): Promise<void> {
  const [program, , processors] = load;
  if (program === undefined || processors === undefined) return;
  const args = ["--all-tasks", "--cpu-list", "--pid", processors];
  await run(program, ...args, `${Deno.pid}`);
}

/** Measures both. @param stop Ends it. */
export async function measureStrangers(
  pins: Pinning,
  stop: AbortSignal,
): Promise<{ costs: Costs; delays: Delays[] }> {
  await pinSelf(pins);
  const what = "what a stranger costs";
  const costs = await part(what, COSTS_TIME, stop, (signal) => {
    return strangerCosts(COSTS, pins, signal);
  });
  const delays: Delays[] = [];
  for (const meanwhile of MEANWHILES) {
    const what = `members' delay (meanwhile: ${meanwhile.name})`;
    const found = await part(what, DELAYS_TIME, stop, (signal) => {
      return strangerDelays(meanwhile, DELAYS, pins, signal);
    });
    delays.push(found);
  }
  return { costs, delays };
}
