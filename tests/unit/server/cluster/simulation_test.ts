import { assert } from "../../../kit/assert.ts";
import { simulate } from "../../../kit/simulation/run.ts";

const STEPS = 120;

/** Fails where hardly anything was said: about nothing all agree. */
function done(seed: number, _entries: number, lines: number): void {
  assert(lines > 10, `${lines} lines with seed ${seed}`);
}

Deno.test("three servers agree, and each line arrives once, whatever goes wrong between them", async () => {
  await simulate({ seed: 1, runs: 2, steps: STEPS, servers: 3, done });
});

Deno.test("two servers agree, and each line arrives once, whatever goes wrong between them", async () => {
  await simulate({ seed: 11, runs: 1, steps: STEPS, servers: 2, done });
});
