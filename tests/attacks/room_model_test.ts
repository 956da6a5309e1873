/**
 * A model of a sealed room against the real programs: steps of five persons, two keepers and a hostile server at random.
 * Whatever they do, all members are shown the same lines, nothing that is false and nothing that they must not read, and
 * what the hostile server did is warned of. Three faults that are put in on purpose are found by the same steps.
 *
 * @module
 */

import fc from "fast-check";
import { assertMatch, assertRejects } from "../kit/assert.ts";
import { type Fault, FaultyCopy } from "../kit/faulty_copy.ts";
import { ModelledRoom } from "../kit/modelled_room.ts";
import { roomCommands } from "../kit/room_steps.ts";

/** How long each program may run, ms: longer than any run of the model takes. */
const DEADLINE = 120_000;
/** Steps in a run at the most, and runs. `deno task model` makes more. */
const STEPS = 30;
const RUNS = 5;

/** Runs the model. @param root The folder of the programs, where not this project's. */
async function run(seed: number, runs: number, root?: URL): Promise<void> {
  const property = fc.asyncProperty(roomCommands(STEPS), async (commands) => {
    await using room = await ModelledRoom.found({ root, deadline: DEADLINE });
    const { model } = room;
    await fc.asyncModelRun(() => ({ model, real: room }), commands);
    await room.checkAgreement();
  });
  // A run takes seconds: the steps that lead to a failure are told as they are, not made fewer.
  await fc.assert(property, { seed, numRuns: runs, endOnFailure: true });
}

Deno.test("all that five persons, two keepers and a hostile server do to a sealed room leaves it as its model", async () => {
  await run(1, RUNS);
});

/** Faults that are put in, by what they do. */
const FAULTS: Readonly<Record<string, Fault & { readonly finds: RegExp }>> = {
  "clients that take a line again which was said before": {
    file: "src/sealed/stay_numbers.ts",
    right: "return seq > end.seq ? n > end.n : n < end.n;",
    wrong: "return true;",
    finds: /believes|, again/,
  },
  "clients that don't compare what others had seen with their own history": {
    file: "src/client/sealed/sealed_room.ts",
    right: "if (!isMine && this.seam.seenDiffers(seen, seq)) {",
    wrong: "if (!isMine && this.seam.seenDiffers(seen, seq) === null) {",
    finds: /believes/,
  },
  "a server that keeps the first content key for each member in place of the newest":
    {
      file: "src/server/sealed/sealed_room.ts",
      right: `if (it.kind === "wrap") this.#wraps.set(it.wrap.to, it.wrap);`,
      wrong:
        `if (it.kind === "wrap" && !this.#wraps.has(it.wrap.to)) this.#wraps.set(it.wrap.to, it.wrap);`,
      finds: /key has not come/,
    },
};

for (const [what, { finds, ...fault }] of Object.entries(FAULTS)) {
  Deno.test(`the model finds ${what}`, async () => {
    await using copy = await FaultyCopy.make(fault);
    const error = await assertRejects(() => run(1, RUNS, copy.root), Error);
    const causes: string[] = [];
    for (let it: unknown = error; it instanceof Error; it = it.cause) {
      causes.push(it.message);
    }
    assertMatch(causes.join("\n"), finds);
  });
}
