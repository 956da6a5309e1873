/**
 * What strangers cost a server, and whether its members notice them. Flags in, exit code out.
 *
 *     deno task strangers [--json FILE]
 *
 * @module
 */

import { parseFlags } from "../../src/base/flags.ts";
import { helpText } from "../../src/base/help.ts";
import { print } from "../../src/base/output.ts";
import { exitCodeOf } from "../load/command.ts";
import { type Pinning, pinning } from "../load/processes.ts";
import { type Costs, strangerCosts } from "./costs.ts";
import { type Delays, MEANWHILES, strangerDelays } from "./delays.ts";
import { run } from "../../tests/kit/command.ts";

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

const FLAGS = [
  { name: "json", kind: "string", value: "FILE", help: "Write all figures" },
  { name: "help", kind: "boolean", help: "Show this help" },
] as const;

/** Does one part of the work. @throws {Error} that names it where it fails or isn't done in time. */
async function part<T>(
  what: string,
  time: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const signal = AbortSignal.timeout(time); // ends the processes, and so whatever waits for them
  try {
    return await work(signal);
  } catch (cause) {
    const why = signal.aborted
      ? `it wasn't done in ${time / 1_000} s`
      : cause instanceof Error
      ? cause.message
      : String(cause);
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

function costTable(costs: Costs): string {
  return `A stranger costs the server:
  ${costs.waitingKib.toFixed(1)} KiB while it says nothing
  ${costs.halfwayKib.toFixed(1)} KiB while it is half-way through its handshake
  ${costs.leavingMs.toFixed(2)} ms of a processor where it leaves at once
  ${costs.garbageMs.toFixed(2)} ms where it talks rubbish
  ${costs.wrongKeyMs.toFixed(2)} ms where it has a wrong key

`;
}

const HEADING =
  `${DELAYS.talkers} members say a message a second each; ms until it is at one of them:
  median   99 %    most   server's CPU   connections/s   meanwhile
`;

function delayRow(delays: Delays): string {
  const { medianMs, p99Ms, maxMs, serverCpu, strangersPerSecond } = delays;
  const cells = [
    medianMs.toFixed(1).padStart(8),
    p99Ms.toFixed(1).padStart(6),
    maxMs.toFixed(1).padStart(7),
    `${(serverCpu * 100).toFixed(0)} %`.padStart(14),
    strangersPerSecond.toFixed(0).padStart(15),
    `  ${delays.meanwhile}`,
  ];
  return `${cells.join(" ")}\n`;
}

async function bench(json: string | undefined): Promise<void> {
  const pins = await pinning();
  await pinSelf(pins);
  const costs = await part(
    "what a stranger costs",
    COSTS_TIME,
    (signal) => strangerCosts(COSTS, pins, signal),
  );
  print(costTable(costs));
  print(HEADING);
  const delays: Delays[] = [];
  for (const meanwhile of MEANWHILES) {
    const found = await part(
      `members' delay (meanwhile: ${meanwhile.name})`,
      DELAYS_TIME,
      (signal) => strangerDelays(meanwhile, DELAYS, pins, signal),
    );
    print(delayRow(found));
    delays.push(found);
  }
  if (json === undefined) return;
  const figures = { pinning: pins.description, costs, delays };
  await Deno.writeTextFile(json, `${JSON.stringify(figures, null, 2)}\n`);
}

async function main(args: readonly string[]): Promise<void> {
  const { values } = parseFlags(args, FLAGS, { positionals: 0 });
  if (values.help) {
    const about = "Measures what strangers cost a server and its members.";
    print(helpText("deno task strangers [FLAGS]", about, FLAGS));
  } else await bench(values.json);
}

if (import.meta.main) {
  // Without a listener, an interrupt would leave a server running.
  Deno.addSignalListener("SIGINT", () => {});
  Deno.exit(await exitCodeOf(() => main(Deno.args)));
}
