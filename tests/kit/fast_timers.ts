/**
 * A module to preload, or to import: timers end in a quarter of the time for which they are set, so that what happens
 * after 30 s happens after 8. The day's time and `performance.now` go on as ever.
 *
 * @module
 */

const TIMES_FASTER = 4;

type Start = (run: () => void, delay?: number, ...args: unknown[]) => number;

for (const name of ["setTimeout", "setInterval"] as const) {
  const start = globalThis[name] as Start;
  const faster: Start = (run, delay = 0, ...args) =>
    start(run, delay / TIMES_FASTER, ...args);
  Object.defineProperty(globalThis, name, { value: faster });
}
