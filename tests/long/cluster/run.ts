/**
 * `deno task storm:cluster`: members of a room on several servers talk while servers, NATS and the ways between them
 * fail.
 *
 * @module
 */

import { parseFlags } from "../../../src/base/flags.ts";
import { print } from "../../../src/base/output.ts";
import { UsageError } from "../../../src/base/usage_error.ts";
import { runTask } from "../../kit/task.ts";
import { clusterStorm, type Fault, FAULTS } from "./storm.ts";

const FLAGS = [
  {
    name: "servers",
    kind: "integer",
    value: "COUNT",
    min: 1,
    max: 20,
    default: 3,
    help: "Number of servers",
  },
  {
    name: "senders",
    kind: "integer",
    value: "COUNT",
    min: 1,
    max: 1_000,
    default: 4,
    help: "Members of each server, who all talk",
  },
  {
    name: "visitors",
    kind: "integer",
    value: "COUNT",
    min: 0,
    max: 1_000,
    default: 5,
    help: "Persons who come and go meanwhile",
  },
  {
    name: "lines",
    kind: "integer",
    value: "COUNT",
    min: 0,
    max: 1_000_000,
    default: 1_000,
    help: "Lines of each after all faults",
  },
  {
    name: "faults",
    kind: "integer",
    value: "COUNT",
    min: 0,
    max: 1_000_000,
    default: 20,
    help: "Number of faults, at random",
  },
  {
    name: "fault",
    kind: "string",
    value: "NAMES",
    help: `Only these, in turn: of ${FAULTS.join(",")}`,
  },
  {
    name: "stop",
    kind: "integer",
    value: "SECONDS",
    min: 1,
    max: 1_000,
    default: 8,
    help: "How long a server or NATS is stopped, or a server cut off",
  },
] as const;

async function main(): Promise<number> {
  const { values } = parseFlags(Deno.args, FLAGS, { positionals: 0 });
  const { servers, senders, visitors, lines, faults: count, fault, stop } =
    values;
  const only = fault?.split(",").map(parseFault);
  const faults = Array.from(
    { length: count },
    (_, at) => only?.[at % only.length] ?? random(),
  );
  const { lines: all, typed, deliveries, losses, visits } = await clusterStorm({
    servers,
    senders,
    visitors,
    lines,
    faults,
    stop,
    watch: (report) => print(`${report}\n`),
  });
  print(
    `${count} faults; ${losses} times a member lost its server; ${visits} visits\n` +
      `${all} lines, of which ${typed} were typed, shown ${deliveries} times; all logs are the same\n`,
  );
  return 0;
}

/** @throws {UsageError} */
function parseFault(name: string): Fault {
  const fault = FAULTS.find((it) => it === name);
  if (fault) return fault;
  throw new UsageError(`Cannot use --fault "${name}": there is no such`);
}

function random(): Fault {
  return FAULTS[Math.floor(Math.random() * FAULTS.length)] ?? FAULTS[0];
}

await runTask(main);
