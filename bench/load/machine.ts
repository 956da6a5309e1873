/**
 * What the benchmark runs on, for its report.
 *
 * @module
 */

import { output } from "../../tests/kit/command.ts";
import type { Machine } from "./figures.ts";

async function processor(): Promise<string> {
  const text = Deno.build.os === "linux"
    ? /^model name\s*:\s*(.*)$/m.exec(
      await output("cat", "/proc/cpuinfo") ?? "",
    )
      ?.[1]
    : await output("sysctl", "-n", "machdep.cpu.brand_string");
  return text?.trim() || "unknown";
}

/** This machine. */
export async function machine(): Promise<Machine> {
  const { os, arch } = Deno.build;
  const [average = 0] = Deno.loadavg();
  return {
    system: `${os} ${Deno.osRelease()} ${arch}`,
    processor: await processor(),
    processors: navigator.hardwareConcurrency,
    memoryGib: Math.round(Deno.systemMemoryInfo().total / 2 ** 30),
    loadAverage: Number(average.toFixed(2)),
    deno: Deno.version.deno,
    v8: Deno.version.v8,
  };
}

/** How many files and sockets one process may have open. */
export async function descriptorLimit(): Promise<number> {
  const text = await output("sh", "-c", "ulimit -H -n") ?? "";
  const limit = text.trim() === "unlimited" ? Infinity : parseInt(text);
  return Number.isNaN(limit) ? Infinity : limit;
}
