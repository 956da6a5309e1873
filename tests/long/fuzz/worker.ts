/**
 * Fuzzes in a thread of its own, so that another can watch whether it goes on. Says what it has done, and
 * leaves each input where it can be found if it hangs.
 *
 * @module
 */

/// <reference lib="deno.worker" />

import type { Bytes } from "../../../crypto_utils.ts";
import { Fuzzer } from "./fuzzer.ts";
import { allTargets } from "./targets.ts";

/** What it is told. */
export interface Order {
  /** For all that is random. */
  readonly seed: number;
  /** How long. */
  readonly seconds: number;
  /** The one target, all where it is left out. */
  readonly parser: string | undefined;
  /** Where its files may be. */
  readonly folder: string;
  /** Cases so far, the input's size, the target's number; and then the input. */
  readonly shared: SharedArrayBuffer;
}

/** The numbers before the input in the shared memory, and their size, bytes. */
export const SHARED_NUMBERS = 3;
const INPUT_START = SHARED_NUMBERS * 4;

/** What is in use after collecting what isn't, bytes. */
async function heap(): Promise<number> {
  for (let i = 0; i < 2; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return Deno.memoryUsage().heapUsed;
}

declare global {
  /** There where the program was started with `--expose-gc`. */
  var gc: (() => void) | undefined;
}

async function fuzz(order: Order): Promise<void> {
  const { seed, seconds, parser, folder, shared } = order;
  const all = await allTargets(() => Promise.resolve(folder));
  const targets = all.filter(({ name }) => name === (parser ?? name));
  if (targets.length === 0) {
    self.postMessage({ kind: "names", names: all.map(({ name }) => name) });
    return;
  }
  const numbers = new Int32Array(shared, 0, SHARED_NUMBERS);
  const place = new Uint8Array(shared, INPUT_START);
  const namesOf = targets.map(({ name }) => name);
  const watch = (name: string, input: Bytes) => {
    numbers[0] = (numbers[0] ?? 0) + 1;
    numbers[1] = input.length;
    numbers[2] = namesOf.indexOf(name);
    place.set(input);
  };
  const fuzzer = new Fuzzer(targets, seed, watch);
  let stray: unknown;
  self.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    stray ??= event.reason;
  });
  const start = performance.now();
  const until = (share: number) => () =>
    stray !== undefined || performance.now() - start > share * seconds * 1_000;
  const report = (heaps: number[]) =>
    self.postMessage({ kind: "tallies", tallies: fuzzer.tallies, heaps });
  const heaps: number[] = [];
  let failure;
  for (let tenth = 1; tenth <= 10 && !failure && !stray; tenth++) {
    failure = await fuzzer.run(until(tenth / 10));
    if (tenth === 1 || tenth === 10) heaps.push(await heap());
    report(heaps);
  }
  if (stray !== undefined) {
    const { stack = String(stray) } = stray as Error;
    failure ??= {
      where: "a rejection that nobody handled",
      error: stack,
      input: "",
    };
  }
  if (failure === undefined) {
    for (const { close } of targets) await close?.();
  }
  self.postMessage({ kind: "end", failure });
}

self.onmessage = async ({ data }: MessageEvent<Order>) => {
  try {
    await fuzz(data);
  } catch (error) {
    const { stack = String(error) } = error as Error;
    const failure = { where: "the fuzzer itself", error: stack, input: "" };
    self.postMessage({ kind: "end", failure });
  }
};
