/**
 * What steps in a modelled room are made of.
 *
 * @module
 */

import type { ModelledRoom } from "./modelled_room.ts";
import type { RoomModel, Ruling } from "./room_model.ts";

/** Chooses, by numbers that fast-check draws. */
export class Choice {
  readonly #drawn: readonly number[];
  #next = 0;

  /** Chooses by these numbers, one after the other. */
  constructor(drawn: readonly number[]) {
    this.#drawn = drawn;
  }

  /** A number below another. */
  below(count: number): number {
    return (this.#drawn[this.#next++ % this.#drawn.length] ?? 0) % count;
  }

  /** One of some. */
  of<T>(all: readonly T[]): T {
    const chosen = all[this.below(all.length)];
    if (chosen === undefined) {
      throw new RangeError("Cannot choose: none is there");
    }
    return chosen;
  }
}

/** A kind of step. */
export interface Step {
  /** How often it is drawn, beside the others. Default: 1. */
  readonly weight?: number;
  /** Whether it can happen. */
  readonly can: (model: RoomModel) => boolean;
  readonly run: (room: ModelledRoom, choice: Choice) => Promise<void>;
}

/** All changes of who belongs to the room that a keeper may make. */
export function rulings(model: RoomModel, by: string): Ruling[] {
  const whats = ["kick", "ban", "unban", "keeper"] as const;
  return [...model.persons.keys()].flatMap((whom) =>
    whats.map((what): Ruling => ({ what, whom }))
  ).filter((ruling) =>
    model.mayRule(by, ruling) &&
    (ruling.what !== "keeper" || model.keepers.length < 3)
  );
}

/** A change of the key that puts nobody out, where there is one. */
export function gentle(model: RoomModel, by: string): Ruling[] {
  return rulings(model, by).filter(({ what, whom }) =>
    what === "keeper" || what === "unban" ||
    what === "ban" && model.person(whom).standing === "removed"
  );
}

/** The first keeper who is there and may change the key so. */
export function gentleKeeper(model: RoomModel) {
  return model.keepersHere.find(({ id }) => gentle(model, id).length > 0);
}
