/**
 * What one stranger costs a server that lets strangers do what they like: memory while it waits, and the
 * processor's time.
 *
 * @module
 */

import type { Costs } from "../load/figures.ts";
import type { Flood } from "../load/job.ts";
import { LoadProcess } from "../load/load_process.ts";
import { type Pinning, ServerProcess } from "../load/processes.ts";
import { pause } from "../../src/base/timing.ts";
import { usageOf } from "../load/usage.ts";

/** A server that sets strangers no limits. */
const NO_LIMITS = Object.entries({
  "max-connections": 100_000,
  "max-handshakes": 100_000,
  "max-handshakes-per-address": 100_000,
  "failed-per-address": 1_000_000,
  "handshake-time": 600,
}).flatMap(([flag, value]) => [`--${flag}`, `${value}`]);
/** Addresses that those who wait come from. */
const ADDRESSES = 100;
/** Connections at a time while the processor's time is measured. */
const AT_ONCE = 8;

/** How many strangers are measured. */
export interface CostSettings {
  /** Those that wait while memory is measured, on top of those that are there before. */
  readonly waiting: number;
  /** Those that are there before: what is set up once is set up by them. */
  readonly waitingBefore: number;
  /** What a server has to calm down before its memory is read, s. */
  readonly settleTime: number;
  /** Connections while the processor's time is measured. */
  readonly attempts: number;
  /** Connections of the same kind before that, while the code gets fast. */
  readonly attemptsBefore: number;
}

function start(pins: Pinning, signal: AbortSignal): Promise<ServerProcess> {
  return ServerProcess.start(pins, NO_LIMITS, signal, { unheard: true });
}

/** What strangers of a kind keep the server's memory at, each, KiB. */
async function memoryOf(
  kind: "wait" | "hello",
  { waiting, waitingBefore, settleTime }: CostSettings,
  pins: Pinning,
  signal: AbortSignal,
): Promise<number> {
  await using server = await start(pins, signal);
  const flood = { port: server.invite.port, kind, addresses: ADDRESSES };
  const come = async (count: number) => {
    const job = { ...flood, atOnce: count, total: count };
    const strangers = new LoadProcess(pins, job, signal);
    await strangers.until("waiting");
    await pause(settleTime * 1_000);
    return strangers;
  };
  await using _first = await come(waitingBefore);
  const { memory: before } = await usageOf(server.pid);
  await using _others = await come(waiting);
  const { memory: after } = await usageOf(server.pid);
  return (after - before) / waiting / 1_024;
}

/** What one stranger of a kind costs the server, ms of a processor. */
async function timeOf(
  kind: Flood["kind"],
  { invite: { port }, pid }: ServerProcess,
  { attempts, attemptsBefore }: CostSettings,
  pins: Pinning,
  signal: AbortSignal,
): Promise<number> {
  const come = async (total: number) => {
    const flood = { kind, port, atOnce: AT_ONCE, total, addresses: 1 };
    await using strangers = new LoadProcess(pins, flood, signal);
    await strangers.findings();
  };
  await come(attemptsBefore);
  const { cpu: before } = await usageOf(pid);
  await come(attempts);
  const { cpu: after } = await usageOf(pid);
  return (after - before) * 1_000 / attempts;
}

/** Measures them all. @param signal Ends it. */
export async function strangerCosts(
  settings: CostSettings,
  pins: Pinning,
  signal: AbortSignal,
): Promise<Costs> {
  const waitingKib = await memoryOf("wait", settings, pins, signal);
  const halfwayKib = await memoryOf("hello", settings, pins, signal);
  await using server = await start(pins, signal);
  const time = (kind: Flood["kind"]) =>
    timeOf(kind, server, settings, pins, signal);
  return {
    waitingKib,
    halfwayKib,
    leavingMs: await time("leave"),
    garbageMs: await time("garbage"),
    wrongKeyMs: await time("wrong-key"),
  };
}
