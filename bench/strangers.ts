/**
 * What strangers cost a server, and whether its members notice them. Flags in, exit code out.
 *
 *     deno task strangers [--json FILE]
 *
 * @module
 */

import { importKeyPair, randomBytes } from "../crypto_utils.ts";
import { connectChannel, RefusedError } from "../src/channel.ts";
import { helpText, parseFlags, UsageError } from "../src/flags.ts";
import { type Invite, parseInvite } from "../src/invite.ts";
import { write } from "../src/program.ts";
import type { Flood } from "./flood.ts";
import { type Pinning, pinning, ServerProcess } from "./processes.ts";
import { pause, Talk } from "./talk.ts";
import { usageOf } from "./usage.ts";

/** Strangers that wait while memory is measured, and connections while processor time is. */
const WAITING = 4_000;
const ATTEMPTS = 1_000;
/** Handshakes before anything is measured. */
const WARM_UP = 300;
/** Members that talk, and for how long each time, s. */
const TALKERS = 100;
const TALK_TIME = 10;
/** What a flood has to build itself up, and a server to calm down, ms. */
const SETTLE_TIME = 3_000;
/** For a server that is to let strangers do what they like. */
const NO_LIMITS = Object.entries({
  "max-handshakes": 100_000,
  "max-handshakes-per-address": 100_000,
  "failed-per-address": 1_000_000,
  "handshake-time": 600,
}).flatMap(([flag, value]) => [`--${flag}`, `${value}`]);

const FLAGS = [
  { name: "json", kind: "string", value: "FILE", help: "Write all figures" },
  { name: "help", kind: "boolean", help: "Show this" },
] as const;

/** Strangers in a process of their own, with less right to a processor than the members. */
class FloodProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #ended: Promise<Deno.CommandOutput>;

  constructor({ load }: Pinning, flood: Flood) {
    const words = [
      ...load,
      ...(Deno.build.os === "windows" ? [] : ["nice", "-n", "19"]),
      Deno.execPath(),
      ...["run", "--no-prompt", "--allow-net", "--allow-env"],
      new URL("./flood.ts", import.meta.url).href,
      JSON.stringify(flood),
    ];
    const [program = "", ...args] = words;
    this.#child = new Deno.Command(program, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#ended = this.#child.output();
  }

  /** Waits until all have done what they came for. @returns How many connections there were. */
  async finished(): Promise<number> {
    const { success, stdout } = await this.#ended;
    if (!success) throw new Error("Cannot go on: the strangers have failed");
    return JSON.parse(new TextDecoder().decode(stdout)).begun;
  }

  /** Ends them. @returns How many connections there were. */
  async stop(): Promise<number> {
    await this.#child.stdin.close();
    return await this.finished();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#ended;
  }
}

/** What strangers cost, each. */
interface Costs {
  /** Resident memory for one that says nothing, and one that stopped half-way through its handshake, KiB. */
  readonly waitingKib: number;
  readonly halfwayKib: number;
  /** Processor time for one that leaves at once, talks rubbish, or has a wrong key, ms. */
  readonly leavingMs: number;
  readonly garbageMs: number;
  readonly wrongKeyMs: number;
}

/** How long what members say takes to reach one of them. */
interface Delays {
  /** What goes on meanwhile. */
  readonly meanwhile: string;
  /** Connections of strangers a second. */
  readonly strangersPerSecond: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

async function flood(pins: Pinning, flood: Flood): Promise<void> {
  await using strangers = new FloodProcess(pins, flood);
  await strangers.finished();
}

/** What strangers of a kind keep the server's memory at, each, KiB. */
async function memoryOf(
  kind: Flood["kind"],
  pins: Pinning,
  signal: AbortSignal,
): Promise<number> {
  await using server = await start(pins, signal, NO_LIMITS);
  const { port } = inviteTo(server);
  const one = { port, addresses: 1 };
  await flood(pins, { ...one, kind: "bad", atOnce: 8, total: WARM_UP });
  const { memory: before } = await usageOf(server.pid);
  await using _strangers = new FloodProcess(pins, {
    ...{ ...one, kind, atOnce: WAITING, total: WAITING },
    addresses: 100,
  });
  await pause(2 * SETTLE_TIME);
  const { memory: after } = await usageOf(server.pid);
  return (after - before) / WAITING / 1_024;
}

/** What a connection costs the server, ms of a processor. */
async function timeOf(
  server: ServerProcess,
  attempts: () => Promise<void>,
): Promise<number> {
  const { cpu: before } = await usageOf(server.pid);
  await attempts();
  const { cpu: after } = await usageOf(server.pid);
  return (after - before) * 1_000 / ATTEMPTS;
}

/** Shakes hands to the end with a key that opens nothing. */
async function wrongKey({ port, id: inviteId }: Invite): Promise<void> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  try {
    const channel = await connectChannel(conn, {
      keyPair: await importKeyPair(randomBytes(32)),
      inviteId,
      inviteKey: () => randomBytes(32),
      checkServer: () => {},
    });
    await channel.read();
    throw new Error("Cannot go on: the server let a stranger in");
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
  } finally {
    conn.close();
  }
}

async function wrongKeys(invite: Invite, count: number): Promise<void> {
  let left = count;
  const work = async () => {
    while (left-- > 0) await wrongKey(invite);
  };
  await Promise.all(Array.from({ length: 8 }, work));
}

async function costs(pins: Pinning, signal: AbortSignal): Promise<Costs> {
  const waitingKib = await memoryOf("wait", pins, signal);
  const halfwayKib = await memoryOf("hello", pins, signal);
  await using server = await start(pins, signal, NO_LIMITS);
  const invite = inviteTo(server);
  const some = { port: invite.port, atOnce: 8, total: ATTEMPTS, addresses: 1 };
  await wrongKeys(invite, WARM_UP);
  const wrongKeyMs = await timeOf(server, () => wrongKeys(invite, ATTEMPTS));
  const leavingMs = await timeOf(
    server,
    () => flood(pins, { ...some, kind: "leave" }),
  );
  const garbageMs = await timeOf(
    server,
    () => flood(pins, { ...some, kind: "garbage" }),
  );
  return { waitingKib, halfwayKib, leavingMs, garbageMs, wrongKeyMs };
}

function start(
  pins: Pinning,
  signal: AbortSignal,
  flags: readonly string[] = [],
): Promise<ServerProcess> {
  const more = [
    "--max-clients",
    "10000",
    "--rate",
    "0",
    "--log-level",
    "error",
  ];
  return ServerProcess.start(pins, [...more, ...flags], signal);
}

function inviteTo({ place }: ServerProcess): Invite {
  if (place.kind !== "chat") throw new TypeError("Cannot join: not our server");
  return parseInvite(place.invite);
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[
    Math.min(sorted.length - 1, Math.floor(sorted.length * share))
  ] ??
    Number.NaN;
}

/** A flood, and what to call it. */
type Meanwhile = readonly [
  string,
  Omit<Flood, "port" | "total"> | undefined,
];

const MEANWHILES: readonly Meanwhile[] = [
  ["nothing", undefined],
  [
    "10,000 connections that say nothing, from 200 addresses",
    { kind: "wait", atOnce: 10_000, addresses: 200 },
  ],
  [
    "400 at a time whose handshakes fail, from one address",
    { kind: "bad", atOnce: 400, addresses: 1 },
  ],
  [
    "400 at a time whose handshakes fail, from 200 addresses",
    { kind: "bad", atOnce: 400, addresses: 200 },
  ],
];

/** How a room of a fresh server fares under the server's own limits. */
async function delays(
  [meanwhile, strangers]: Meanwhile,
  pins: Pinning,
  signal: AbortSignal,
): Promise<Delays> {
  await using server = await start(pins, signal);
  const invite = inviteTo(server);
  using talk = new Talk(invite);
  await talk.enter(TALKERS);
  await talk.talk(2);
  const { port } = invite;
  await using process = strangers &&
    new FloodProcess(pins, { ...strangers, port, total: 0 });
  const begun = performance.now();
  await pause(SETTLE_TIME);
  const found = (await talk.talk(TALK_TIME)).sort((a, b) => a - b);
  const seconds = (performance.now() - begun) / 1_000;
  const count = await process?.stop() ?? 0;
  return {
    meanwhile,
    strangersPerSecond: count / seconds,
    medianMs: quantile(found, 0.5),
    p99Ms: quantile(found, 0.99),
    maxMs: quantile(found, 1),
  };
}

/** Keeps this process, whose members measure, off the server's processor. */
async function pinSelf({ load }: Pinning): Promise<void> {
  const [program, , processors] = load;
  if (program === undefined || processors === undefined) return;
  const args = [
    "--all-tasks",
    "--cpu-list",
    "--pid",
    processors,
    `${Deno.pid}`,
  ];
  await new Deno.Command(program, { args }).output();
}

async function bench(json: string | undefined): Promise<void> {
  const signal = AbortSignal.timeout(400_000);
  const pins = await pinning();
  await pinSelf(pins);
  const cost = await costs(pins, signal);
  write(`A stranger costs the server, each:
  ${cost.waitingKib.toFixed(1)} KiB while it says nothing
  ${cost.halfwayKib.toFixed(1)} KiB while it is half-way through its handshake
  ${cost.leavingMs.toFixed(2)} ms where it leaves at once
  ${cost.garbageMs.toFixed(2)} ms where it talks rubbish
  ${cost.wrongKeyMs.toFixed(2)} ms where it has a wrong key

${TALKERS} members say a message a second each; it reaches one of them after, in ms:
`);
  const all: Delays[] = [];
  for (const meanwhile of MEANWHILES) {
    const found = await delays(meanwhile, pins, signal);
    const { medianMs, p99Ms, maxMs, strangersPerSecond } = found;
    write(
      `  median ${medianMs.toFixed(1)}, 99th percentile ${
        p99Ms.toFixed(1)
      }, most ${maxMs.toFixed(1)}: ${found.meanwhile} (${
        strangersPerSecond.toFixed(0)
      }/s)\n`,
    );
    all.push(found);
  }
  if (json === undefined) return;
  const figures = { pinning: pins.description, costs: cost, delays: all };
  await Deno.writeTextFile(json, `${JSON.stringify(figures, null, 2)}\n`);
}

async function main(args: readonly string[]): Promise<number> {
  try {
    const { values } = parseFlags(args, FLAGS, { positionals: 0 });
    if (values.help) {
      const about = "Measures what strangers cost a server and its members.";
      write(helpText("deno task strangers [FLAGS]", about, FLAGS));
    } else await bench(values.json);
    return 0;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof UsageError) {
      write(`${message}. See --help.\n`, Deno.stderr);
      return 2;
    }
    write(`${message}.\n`, Deno.stderr);
    return 1;
  }
}

if (import.meta.main) {
  // Without a listener, an interrupt would leave a server running.
  Deno.addSignalListener("SIGINT", () => {});
  Deno.exit(await main(Deno.args));
}
