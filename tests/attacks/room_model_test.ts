/**
 * A model of a sealed room against the real programs: steps of five persons, two keepers and a hostile server at random.
 * Whatever they do, all members are shown the same lines, nothing that is false and nothing that they must not read, and
 * what the hostile server did is warned of. Three faults that are put in on purpose are found by the same steps.
 *
 * @module
 */

import { assertMatch, assertRejects } from "../kit/assert.ts";
import { type Fault, FaultyCopy } from "../kit/faulty_copy.ts";
import { together } from "../kit/together.ts";
import { reasons, tryModel } from "../long/model/model.ts";

/** What is run each time; `deno task model` goes on for longer, and draws other steps. */
const RUNS = { seed: 3, runs: 2, steps: 30 };

const test = together(
  "a sealed room of five persons, two keepers and a hostile server",
);

for (const seed of [RUNS.seed, 4]) {
  test(`all that they do leaves it as its model (seed ${seed})`, async () => {
    await tryModel({ ...RUNS, seed });
  });
}

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
    right: "!isMine && this.seam.seenDiffers(seen, seq)",
    wrong: "false",
    finds: /believes/,
  },
  "a server that keeps the first content key for each member in place of the newest":
    {
      file: "src/server/sealed/keepings.ts",
      right: "this.#wraps.set(it.wrap.to, it.wrap);",
      wrong:
        "this.#wraps.set(it.wrap.to, this.#wraps.get(it.wrap.to) ?? it.wrap);",
      finds: /key has not come/,
    },
};

for (const [what, { finds, ...fault }] of Object.entries(FAULTS)) {
  test(`the model finds ${what}`, async () => {
    await using copy = await FaultyCopy.make(fault);
    const { root } = copy;
    const error = await assertRejects(() => tryModel({ ...RUNS, root }), Error);
    assertMatch(reasons(error), finds);
  });
}
