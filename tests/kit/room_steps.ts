/**
 * All that can happen in a sealed room: steps of five persons, two keepers and a hostile server, which fast-check puts
 * together at random. Each is done to the real programs and to the model, and says what must have been seen of it.
 *
 * @module
 */

import fc from "fast-check";
import { HOSTILE_STEPS } from "./hostile_steps.ts";
import type { ModelledRoom } from "./modelled_room.ts";
import { PEOPLE_STEPS } from "./people_steps.ts";
import type { RoomModel } from "./room_model.ts";
import { Choice, type Step } from "./room_step.ts";

const STEPS = { ...PEOPLE_STEPS, ...HOSTILE_STEPS };

/** A step, and what it chooses by. */
class RoomCommand implements fc.AsyncCommand<RoomModel, ModelledRoom> {
  readonly #name: string;
  readonly #step: Step;
  readonly #drawn: readonly number[];

  constructor(name: string, step: Step, drawn: readonly number[]) {
    this.#name = name;
    this.#step = step;
    this.#drawn = drawn;
  }

  check(model: Readonly<RoomModel>): boolean {
    return this.#step.can(model as RoomModel);
  }

  async run(_: RoomModel, room: ModelledRoom): Promise<void> {
    const choice = new Choice(this.#drawn);
    try {
      room.watch(this.toString());
      await this.#step.run(room, choice);
      const { here } = room.model;
      if (here.length > 0) await room.settle(choice.of(here).id);
    } catch (cause) {
      throw new Error(`${this} fails`, { cause });
    }
  }

  toString(): string {
    return `${this.#name}(${this.#drawn.join(",")})`;
  }
}

/** Steps, at random. @param count How many at the most. */
export function roomCommands(count: number) {
  const drawn = fc.array(fc.nat(997), { minLength: 6, maxLength: 6 });
  const all = Object.entries(STEPS).flatMap(([name, step]) =>
    Array<fc.Arbitrary<RoomCommand>>(step.weight ?? 1).fill(
      drawn.map((numbers) => new RoomCommand(name, step, numbers)),
    )
  );
  return fc.commands(all, { maxCommands: count, size: "max" });
}
