/**
 * What the benchmark runs on, for its report, and how many members there is place for.
 *
 * @module
 */

import { print } from "../../src/base/output.ts";
import { output } from "../../tests/kit/command.ts";

/** Connections that a server and a load need beside their members. */
export const SPARE_DESCRIPTORS = 600;

/** Where figures come from. */
export interface Machine {
  readonly system: string;
  readonly processor: string;
  readonly processors: number;
  readonly memoryGib: number;
  /** How busy it was when the benchmark began: processes that ran or waited, over the last minute. */
  readonly loadAverage: number;
  readonly deno: string;
  readonly v8: string;
}

/** This machine. */
export async function machine(): Promise<Machine> {
  const { os, arch } = Deno.build;
  const [average = 0] = Deno.loadavg();
  const processors = await output("cat", "/proc/cpuinfo") ?? "";
  return {
    system: `${os} ${Deno.osRelease()} ${arch}`,
    processor: /^model name\s*:\s*(.*\S)/m.exec(processors)?.[1] ?? "unknown",
    processors: navigator.hardwareConcurrency,
    memoryGib: Math.round(Deno.systemMemoryInfo().total / 2 ** 30),
    loadAverage: Number(average.toFixed(2)),
    deno: Deno.version.deno,
    v8: Deno.version.v8,
  };
}

/** Rooms that this system has descriptors for; says which it hasn't. */
export async function possible(members: number[]): Promise<number[]> {
  const text = await output("sh", "-c", "ulimit -H -n") ?? "";
  const limit = parseInt(text) || Infinity; // "unlimited"
  const fits = (it: number) => it + SPARE_DESCRIPTORS <= limit;
  for (const tooMany of members.filter((it) => !fits(it))) {
    print(
      `Left out ${tooMany} members: a process may open ${limit} files (ulimit -n)\n`,
    );
  }
  return members.filter(fits);
}
