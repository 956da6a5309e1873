/**
 * Waiting for what happens by itself, in turns of the event loop.
 *
 * @module
 */

import { nextTurn } from "../../src/server/next_turn.ts";
import { assert } from "./assert.ts";
import { isBusy } from "./simulation/under_way.ts";

/** Whether something has come about once all is done that waits for nothing. */
export async function isDone(something: Promise<unknown>): Promise<boolean> {
  let isDone = false;
  const come = () => void (isDone = true);
  something.then(come, come);
  await nextTurn();
  return isDone;
}

/** Turns in which no file and no key is waited for: what comes at all comes in fewer. */
const MOST_TURNS = 20_000;

/** Waits until something holds, however long files and keys take. */
export async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < MOST_TURNS && !holds();) {
    await nextTurn();
    if (!isBusy()) turn++;
  }
  assert(holds(), "it never came to that");
}
