/**
 * Whether a room's members notice strangers: how long what they say takes, while nothing goes on, and under
 * floods, at a server with its own limits.
 *
 * @module
 */

import type { Delays } from "../load/figures.ts";
import type { Flood } from "../load/job.ts";
import { LoadProcess } from "../load/load_process.ts";
import { type Pinning, ServerProcess } from "../load/processes.ts";
import { Talk } from "./talk.ts";
import { usageOf } from "../load/usage.ts";

/** What gives strangers less right to a processor than the members have. */
const NICE = ["nice", "-n", "10"];

/** How members talk. */
export interface DelaySettings {
  /** Members, each of whom says a message a second. */
  readonly talkers: number;
  /** For so long, s: before anything is measured, under the flood before it is, and while it is. */
  readonly warmUpTime: number;
  readonly settleTime: number;
  readonly talkTime: number;
}

/** Something that goes on while members talk. */
export interface Meanwhile {
  /** What to call it. */
  readonly name: string;
  /** The strangers, who don't stop; none if nothing goes on. */
  readonly flood?: Omit<Flood, "port" | "total">;
}

/** What goes on, one after another. */
export const MEANWHILES: readonly Meanwhile[] = [
  { name: "nothing" },
  {
    name: "10,000 connections that say nothing, from 200 addresses",
    flood: { kind: "wait", atOnce: 10_000, addresses: 200 },
  },
  {
    name: "400 at a time whose handshakes fail, from one address",
    flood: { kind: "bad", atOnce: 400, addresses: 1 },
  },
  {
    name: "400 at a time whose handshakes fail, from 200 addresses",
    flood: { kind: "bad", atOnce: 400, addresses: 200 },
  },
];

/** The value below which that share of all is, or the last one. @throws {RangeError} for none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = Math.min(sorted.length - 1, Math.floor(sorted.length * share));
  const value = sorted[at];
  if (value === undefined) {
    throw new RangeError("Cannot tell a quantile of nothing");
  }
  return value;
}

/** Lets members talk until something has come about. */
async function talkUntil(talk: Talk, event?: Promise<void>): Promise<void> {
  let over = event === undefined;
  const waiting = event?.finally(() => over = true);
  const talking = (async () => {
    while (!over) await talk.talk(1);
  })();
  await Promise.all([waiting, talking]);
}

/** How the room of a fresh server fares. @param signal Ends it. */
export async function strangerDelays(
  { name, flood }: Meanwhile,
  { talkers, warmUpTime, settleTime, talkTime }: DelaySettings,
  pins: Pinning,
  signal: AbortSignal,
): Promise<Delays> {
  const options = { unheard: true };
  await using server = await ServerProcess.start(pins, [], signal, options);
  const { invite } = server;
  using talk = new Talk(invite);
  await talk.enter(talkers);
  await talk.talk(warmUpTime);
  await using strangers = flood &&
    new LoadProcess(
      { ...pins, load: [...pins.load, ...NICE] },
      { ...flood, port: invite.port, total: 0 },
      signal,
    );
  await talkUntil(talk, strangers?.until("begun"));
  const begun = performance.now();
  await talk.talk(settleTime);
  const { cpu: before } = await usageOf(server.pid);
  const start = performance.now();
  const found = await talk.talk(talkTime);
  const end = performance.now();
  const { cpu: after } = await usageOf(server.pid);
  await strangers?.endInput();
  const connected = await strangers?.findings<number>() ?? 0;
  return {
    meanwhile: name,
    count: found.length,
    medianMs: quantile(found, 0.5),
    p99Ms: quantile(found, 0.99),
    maxMs: quantile(found, 1),
    strangersPerSecond: connected / (end - begun) * 1_000,
    serverCpu: (after - before) / (end - start) * 1_000,
  };
}
