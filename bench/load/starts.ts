/**
 * A server's starts: how long it takes to listen, and how much memory, with an empty log and with one of 1 GB; and, killed
 * and started again with the same files on the same port under all its members, how long until all are back.
 *
 * @module
 */

import { complain } from "../../src/base/output.ts";
import { type RestartFigures, spreads, type StartFigures } from "./figures.ts";
import type { ReturnFindings, ReturnJob } from "./job.ts";
import { LoadProcess } from "./load_process.ts";
import { SPARE_DESCRIPTORS } from "./machine.ts";
import { type Pinning, type Plan, ServerProcess } from "./processes.ts";
import { usageOf } from "./usage.ts";

/** How often each start is measured. */
const STARTS = 10;
const LARGE_STARTS = 3;
/** The large log, bytes, and a piece of it. */
const LARGE_SIZE = 1_000_000_000;
const PIECE_LINES = 10_000;

/** The longest that one restart may take, ms. */
const RUN_TIME = 300_000;

/** Lines that people might have written: about 115 bytes each, from three members in turn. */
function piece(): Uint8Array<ArrayBuffer> {
  const keys = ["3f9a1c02d417", "5b20aa91c3fe", "7b770c4388f2"];
  const lines = Array.from({ length: PIECE_LINES }, (_, n) => {
    const at = new Date(Date.UTC(2026, 0, 1) + n * 1_000).toISOString();
    const key = keys[n % keys.length];
    return `${at} ${key}.${n} | member-${n}: the quick brown fox jumps over the lazy dog, and back\n`;
  });
  return new TextEncoder().encode(lines.join(""));
}

/** A log of at least that size, bytes, in whole lines. */
function largeLog(size: number): ReadableStream<Uint8Array> {
  const bytes = piece();
  let written = 0;
  return new ReadableStream({
    pull(controller) {
      if (written >= size) return controller.close();
      controller.enqueue(bytes);
      written += bytes.length;
    },
  });
}

async function start(
  starts: number,
  logSize: number,
  pins: Pinning,
  stop: AbortSignal,
): Promise<StartFigures> {
  const runs = [];
  const flags = ["--log-size", "0"]; // or a large log is put aside
  for (let at = 0; at < starts; at++) {
    const log = logSize > 0 ? largeLog(logSize) : undefined;
    await using server = await ServerProcess.start(pins, flags, stop, { log });
    const { memory } = await usageOf(server.pid);
    runs.push({ listenMs: server.listenTime, memoryMb: memory / 1e6 });
  }
  return { logSize, ...spreads(runs) };
}

/** Both kinds of start. The large log has just been written: the system has it in memory. */
export async function measureStarts(
  pins: Pinning,
  stop: AbortSignal,
): Promise<StartFigures[]> {
  return [
    await start(STARTS, 0, pins, stop),
    await start(LARGE_STARTS, LARGE_SIZE, pins, stop),
  ];
}

async function restart(
  members: number,
  pauses: boolean,
  { pins, stop }: Plan,
) {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(RUN_TIME)]);
  // All come from one address, as they never do: what counts those of one would be measured.
  const most = `${members + SPARE_DESCRIPTORS}`;
  const flags = [
    ...["--max-clients", most, "--max-handshakes", most],
    ...["--max-handshakes-per-address", most],
    ...["--failed-per-address", "1000000"],
  ];
  await using server = await ServerProcess.start(pins, flags, signal);
  const { place } = server;
  const job: ReturnJob = { kind: "return", place, members, pauses };
  await using load = new LoadProcess(pins, job, signal);
  await load.until("in");
  await server.restart();
  await load.tell(`${server.pid}`);
  const { values, troubles } = await load.findings<ReturnFindings>();
  return { values: { listenMs: server.listenTime, ...values }, troubles };
}

/** Restarts under rooms of each size, with members that come at once, and with those that wait as clients do. */
export async function measureRestarts(
  plan: Plan,
): Promise<RestartFigures[]> {
  const found: RestartFigures[] = [];
  for (const members of plan.members) {
    for (const pauses of [false, true]) {
      const runs = [];
      const troubles: Record<string, number> = {};
      for (let at = 1; at <= plan.runs; at++) {
        complain(`Restart ${at} of ${plan.runs}, ${members} members\n`);
        const ran = await restart(members, pauses, plan);
        runs.push(ran.values);
        for (const [why, count] of Object.entries(ran.troubles)) {
          troubles[why] = (troubles[why] ?? 0) + count;
        }
      }
      found.push({ members, pauses, ...spreads(runs), troubles });
    }
  }
  return found;
}
