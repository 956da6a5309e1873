/**
 * What a process has used: processor time and memory.
 *
 * @module
 */

import { cpuUsage } from "node:process";
import { run } from "../../tests/kit/command.ts";

/** Linux counts in hundredths of a second, whatever its own clock. */
const TICKS = 100;

/** What a process has used so far. */
export interface Usage {
  /** Processor time, seconds. */
  readonly cpu: number;
  /** Resident memory, bytes. */
  readonly memory: number;
}

/** What the process with this id has used. Deno itself reads nothing under /proc without all permissions. */
export async function usageOf(pid: number): Promise<Usage> {
  const text = await run("cat", `/proc/${pid}/stat`, `/proc/${pid}/status`);
  // The name before the last parenthesis may hold anything; user and system time are fields 14 and 15.
  const fields = text.slice(text.lastIndexOf(") ") + 2).split(" ");
  const resident = /^VmRSS:\s+(\d+) kB/m.exec(text)?.[1];
  return {
    cpu: (Number(fields[11]) + Number(fields[12])) / TICKS,
    memory: Number(resident) * 1_024,
  };
}

/** Processor time that this process has used so far, seconds. */
export function ownCpu(): number {
  const { user, system } = cpuUsage();
  return (user + system) / 1e6;
}
