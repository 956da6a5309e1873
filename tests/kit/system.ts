/**
 * What tests ask of the system around a program: its limits, what it holds, and other clocks.
 *
 * @module
 */

import { output, run } from "./command.ts";

/** Why a running program's limits can't be changed here, undefined if they can. */
export const unlimitable: string | undefined =
  await output("prlimit", "--version") === undefined
    ? "there is no prlimit here"
    : undefined;

/** Sets a limit for a process that runs, one that can be lifted again. */
export async function limit(
  pid: number,
  what: "nofile" | "data" | "fsize",
  most: number | "unlimited",
): Promise<void> {
  await run("prlimit", "--pid", String(pid), `--${what}=${most}:`);
}

/** How many descriptors a process has open. */
export async function openDescriptors(pid: number): Promise<number> {
  return (await run("ls", `/proc/${pid}/fd`)).trim().split("\n").length;
}

/** How much a process may write to in its memory, used or not, bytes: what the limit "data" is about. */
export async function dataSize(pid: number): Promise<number> {
  const status = await run("cat", `/proc/${pid}/status`);
  return Number(/^VmData:\s*(\d+) kB$/m.exec(status)?.[1]) * 1_024;
}

/** The library of Debian's faketime, undefined if it isn't installed. */
export const fakeTimeLibrary: string | undefined = await findFakeTime();

async function findFakeTime(): Promise<string | undefined> {
  const found = await output("sh", "-c", "ls /usr/lib/*/faketime/*MT.so.1");
  return found?.trim().split("\n")[0];
}

/** A test that is left out, with the reason in its name, if there is one. */
export function testUnless(
  obstacle: string | undefined,
  name: string,
  fn: () => Promise<void>,
) {
  Deno.test({
    name: obstacle === undefined ? name : `${name} (ignored: ${obstacle})`,
    ignore: obstacle !== undefined,
    fn,
  });
}
