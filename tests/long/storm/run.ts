/**
 * `deno task storm`: real clients talk while the server is killed, again and again.
 *
 * @module
 */

import { parseFlags } from "../../../src/base/flags.ts";
import { complain, print } from "../../../src/base/output.ts";
import { runTask } from "../../kit/task.ts";
import { Network } from "../../kit/network/network.ts";
import { storm } from "./storm.ts";
import { Folder } from "../../kit/folder.ts";

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
    help: "Then stop the server for so long, and continue it",
  },
  {
    name: "stop-client",
    kind: "integer",
    value: "SECONDS",
    min: 0,
    max: 1_000,
    default: 0,
    help: "Then stop a client for so long, and continue it",
  },
  {
    name: "delay",
    kind: "integer",
    value: "MS",
    min: 0,
    max: 10_000,
    help: "Over a network that takes so long there and back",
  },
  {
    name: "loss",
    kind: "integer",
    value: "PERCENT",
    min: 0,
    max: 90,
    help: "Over a network that loses so many packets",
  },
  {
    name: "cut",
    kind: "integer",
    value: "SECONDS",
    min: 0,
    max: 1_000,
    help: "Then cut the network for so long",
  },
] as const;

/** A network where one is asked for; for the superuser of a Linux. */
async function networkFor(
  delay: number | undefined,
  loss: number | undefined,
  cut: number | undefined,
): Promise<Network | undefined> {
  if (delay === undefined && loss === undefined && cut === undefined) return;
  return await Network.make({ delay: (delay ?? 0) / 2, loss: loss ?? 0 });
}

async function main(): Promise<number> {
  const { values } = parseFlags(Deno.args, FLAGS, { positionals: 0 });
  const { clients, kills, stop, delay, loss, cut = 0 } = values;
  await using network = await networkFor(delay, loss, values.cut);
  await using folder = await Folder.make();
  const { faults, lines, typed, deliveries, interrupted, losses, mended } =
    await storm({
      folder,
      clients,
      kills,
      signal: "SIGKILL",
      stop: stop * 1_000,
      stopClient: values["stop-client"] * 1_000,
      network,
      cut: cut * 1_000,
      watch: (report) => print(`${report}\n`),
    });
  print(
    `${kills} kills, ${interrupted} of them while lines were under way; ` +
      `${losses} times a client lost its server; ` +
      `${mended} times the log was mended\n` +
      `${lines} lines, of which ${typed} were typed, shown ${deliveries} times\n`,
  );
  for (const fault of faults) complain(`${fault}\n`);
  return faults.length === 0 ? 0 : 1;
}

await runTask(main);
