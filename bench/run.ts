/**
 * The benchmark: a real server, a load of real members, and a table. Flags in, exit code out. README.md beside this file
 * says what each figure is, and which file makes it.
 *
 *     deno task bench [--quick] [--sealed] [--web] [--cluster] [--hold PERCENT] [--unpinned] [--peers]
 *       [--json FILE] [--members LIST] [--runs COUNT] [--parts LIST]
 *
 * @module
 */

import { messageOf } from "../src/base/error_reason.ts";
import { type FlagValues, parseFlags } from "../src/base/flags.ts";
import { UsageError } from "../src/base/usage_error.ts";
import { helpText } from "../src/base/help.ts";
import { complain, isUnread, print } from "../src/base/output.ts";
import { VERSION } from "../src/base/program.ts";
import { machine, possible } from "./load/machine.ts";
import { installedPeers, type Peer } from "./peers/servers.ts";
import { pinning, UNPINNED } from "./load/processes.ts";
import { sharedPinning } from "./load/shared.ts";
import { type Report, summary, table } from "./report.ts";
import { measureRooms, settings } from "./load/rooms.ts";
import { measureSealedCosts } from "./load/sealed_costs.ts";
import { measureRestarts, measureStarts } from "./load/starts.ts";
import { measureClients } from "./load/clients.ts";
import { measureStrangers } from "./strangers/measure.ts";

/** What can be measured, in this order. */
const PARTS = ["rooms", "start", "restart", "client"];
/** What else can be, which has a task of its own. */
const OTHER_PARTS = ["strangers", "page"];

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
  {
    name: "sealed",
    kind: "boolean",
    help: "Do the same in a sealed room",
  },
  {
    name: "web",
    kind: "boolean",
    help: "Do the same with members that come by WebSockets",
  },
  {
    name: "cluster",
    kind: "boolean",
    help:
      "Do the same with 1, 2 and 3 servers that share a room by NATS (needs nats-server); default 1000 members, rooms alone",
  },
  {
    name: "hold",
    kind: "integer",
    value: "PERCENT",
    min: 1,
    max: 100,
    help:
      "Hold each server to so much of a processor, so that the load has the rest (Linux, as the superuser)",
  },
  {
    name: "unpinned",
    kind: "boolean",
    help: "Let server and load share all processors",
  },
  {
    name: "peers",
    kind: "boolean",
    help: "Do the same with nats-server and InspIRCd, where they are installed",
  },
  {
    name: "parts",
    kind: "string",
    value: "LIST",
    help:
      "Measure these, of rooms, start, restart, client (default these; --quick: rooms), strangers and page",
  },
  { name: "help", kind: "boolean", help: "Show this help" },
] as const;

type Values = FlagValues<typeof FLAGS>;

const QUICK_MEMBERS = "100,1000";
const CLUSTER_MEMBERS = "1000";
const RESTART_MEMBERS = [1_000];
const MEMBERS = "10,30,100,300,1000,3000,10000";

function sizes(list: string): number[] {
  const members = list.split(",").map(Number);
  if (members.every((it) => Number.isSafeInteger(it) && it >= 4)) {
    return members.sort((a, b) => a - b);
  }
  const words = "it is a list of numbers from 4 on";
  throw new UsageError(`Cannot use --members "${list}": ${words}`);
}

function parts(list: string): string[] {
  const wanted = list.split(",");
  const all = [...PARTS, ...OTHER_PARTS];
  if (wanted.every((it) => all.includes(it))) return wanted;
  const words = `there are ${all.join(", ")}`;
  throw new UsageError(`Cannot use --parts "${list}": ${words}`);
}

/** The other servers that are there; says so where there are none. */
async function wantedPeers(wanted: boolean): Promise<Map<string, Peer>> {
  if (!wanted) return new Map();
  const found = await installedPeers();
  if (found.size < 2) {
    const names = [...found.keys()].join(", ") || "none";
    print(`Peers that are installed: ${names}\n`);
  }
  return found;
}

async function measure(values: Values, stop: AbortSignal): Promise<Report> {
  const { quick, sealed, web, cluster, hold } = values;
  const { runs = quick ? cluster ? 1 : 2 : 3 } = values;
  const all = quick || cluster ? "rooms" : PARTS.join(",");
  const wanted = parts(values.parts ?? all);
  const is = (part: string) => wanted.includes(part);
  const sizesOf = cluster ? CLUSTER_MEMBERS : quick ? QUICK_MEMBERS : MEMBERS;
  const members = await possible(sizes(values.members ?? sizesOf));
  const peers = await wantedPeers(values.peers);
  const here = await machine();
  const alone = values.unpinned ? UNPINNED : await pinning();
  const pins = cluster ? sharedPinning(alone, 0) : alone;
  print(
    `encrypted-chat ${VERSION}, Deno ${here.deno}, ${here.processors} × ${here.processor}, ` +
      `load average ${here.loadAverage}\n\n`,
  );
  const plan = { members, runs, pins, stop };
  const contest = { quick, peers, sealed, web, cluster, hold };
  const rooms = is("rooms") && await measureRooms({ ...plan, ...contest });
  const restarting = values.members === undefined ? RESTART_MEMBERS : members;
  return {
    date: new Date().toISOString(),
    version: VERSION,
    machine: here,
    pinning: hold === undefined
      ? pins.description
      : `${pins.description}; each server held to ${hold} % of a processor`,
    settings: settings(quick),
    summary: summary(rooms ? rooms.rooms : []),
    ...rooms,
    ...rooms && sealed && { sealedCosts: await measureSealedCosts(members) },
    ...is("start") && { starts: await measureStarts(pins, stop) },
    ...is("restart") && {
      restarts: await measureRestarts({ ...plan, members: restarting }),
    },
    ...is("client") && { clients: await measureClients(stop) },
    ...is("strangers") && await measureStrangers(pins, stop),
    // Loaded only if wanted: it needs other permissions.
    ...is("page") &&
      await (await import("./web/measure.ts")).measurePage(stop),
  };
}

async function bench(values: Values, stop: AbortSignal): Promise<void> {
  if (Deno.build.os !== "linux") {
    throw new Error("Cannot measure here: the load makes Linux's own calls");
  }
  const report = await measure(values, stop);
  const { pinning } = report;
  print(`${table(report)}\n${pinning[0]?.toUpperCase()}${pinning.slice(1)}.\n`);
  if (values.json !== undefined) {
    const text = `${JSON.stringify(report, null, 2)}\n`;
    await Deno.writeTextFile(values.json, text);
  }
  if (values.quick) print(`${JSON.stringify(report.summary)}\n`);
}

/** Aborts when the user or the system wants the benchmark to end. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = () => controller.abort(new Error("Stopped by a signal"));
  Deno.addSignalListener("SIGINT", stop);
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", stop);
  return controller.signal;
}

async function main(args: readonly string[]): Promise<void> {
  const { values } = parseFlags(args, FLAGS, { positionals: 0 });
  if (values.help) {
    const about = "Measures the server with hundreds and thousands of members.";
    print(helpText("deno task bench [FLAGS]", about, FLAGS));
  } else await bench(values, stopSignal());
}

/** @returns The exit code: 2 for flags that can't be, 1 for what else went wrong. */
async function exitCode(): Promise<number> {
  try {
    await main(Deno.args);
    return 0;
  } catch (error) {
    if (isUnread(error)) return 0;
    const isUsage = error instanceof UsageError;
    complain(`${messageOf(error)}${isUsage ? ". See --help" : ""}.\n`);
    return isUsage ? 2 : 1;
  }
}

if (import.meta.main) Deno.exit(await exitCode());
