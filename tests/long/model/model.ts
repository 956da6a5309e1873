/**
 * Runs of the model of a sealed room against the real programs, with steps that fast-check draws.
 *
 * @module
 */

import fc from "fast-check";
import { ModelledRoom } from "../../kit/modelled_room.ts";
import { roomCommands } from "../../kit/room_steps.ts";

/** How long each program may run, ms: longer than any run of the model takes. */
const DEADLINE = 300_000;

/** Which runs, and of what. */
export interface ModelOptions {
  /** What is drawn follows from it. */
  readonly seed: number;
  /** How many rooms are founded. */
  readonly runs: number;
  /** Steps in each at the most. */
  readonly steps: number;
  /** The folder of the programs, where not this project's. */
  readonly root?: URL | undefined;
  /** Told of each step, as it begins. */
  readonly watch?: (step: string) => void;
}

/** Runs the model. @throws {Error} for what isn't as the model has it; its causes say what. */
export async function tryModel(
  { seed, runs, steps, root, watch }: ModelOptions,
): Promise<void> {
  const property = fc.asyncProperty(roomCommands(steps), async (commands) => {
    const options = { root, deadline: DEADLINE };
    await using room = await ModelledRoom.found(options, watch);
    const { model } = room;
    await fc.asyncModelRun(() => ({ model, real: room }), commands);
    await room.checkAgreement();
  });
  // A run takes seconds: the steps that lead to a failure are told as they are, not made fewer.
  await fc.assert(property, { seed, numRuns: runs, endOnFailure: true });
}

/** What an error and its causes say. */
export function reasons(error: unknown): string {
  const messages: string[] = [];
  for (let it = error; it instanceof Error; it = it.cause) {
    messages.push(it.message);
  }
  return messages.join("\n");
}
