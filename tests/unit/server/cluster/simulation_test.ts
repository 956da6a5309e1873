import { simulate } from "../../../kit/simulation/run.ts";

const STEPS = 120;

Deno.test("three servers agree, and each line arrives once, whatever goes wrong between them", async () => {
  await simulate({ seed: 1, runs: 2, steps: STEPS, servers: 3 });
});

Deno.test("two servers agree, and each line arrives once, whatever goes wrong between them", async () => {
  await simulate({ seed: 11, runs: 1, steps: STEPS, servers: 2 });
});
