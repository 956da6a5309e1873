/**
 * Persons who come to a room's servers and go again without end: by any server, under other names, by several connections
 * at once, away from the keyboard and back, writing to each other.
 *
 * @module
 */

import type { Crowd, Roamer } from "../../kit/crowd.ts";
import { newIdentity } from "../../kit/people.ts";

/** Connections of one visitor at a time. */
const MOST_CONNECTIONS = 2;
/** How long one visit's lines may take, ms: as long as any fault lasts. */
const PATIENCE = 180_000;

/** Lets so many visitors come and go until they are told to stop. */
export class Visitors {
  /** How often one has come. */
  visits = 0;
  #isOver = false;
  readonly #crowd: Crowd;
  readonly #running: Promise<void>[];

  /** They begin at once. */
  constructor(crowd: Crowd, count: number) {
    this.#crowd = crowd;
    this.#running = Array.from({ length: count }, (_, nth) => this.#live(nth));
  }

  /** Resolves when all have left for good. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#running);
  }

  async #live(nth: number): Promise<void> {
    const identity = await newIdentity();
    const name = `visitor${nth}`;
    while (!this.#isOver) {
      const count = 1 + Math.floor(Math.random() * MOST_CONNECTIONS);
      const stays = Array.from({ length: count }, () => {
        const { length } = this.#crowd.cluster.nodes;
        const at = Math.floor(Math.random() * length);
        return this.#crowd.visit({ name, at, identity, mayFail: true });
      });
      await Promise.all(stays.map((stay) => this.#stay(stay)));
    }
  }

  async #stay(coming: Promise<Roamer>): Promise<void> {
    const visitor = await coming;
    if (visitor.refusal !== undefined) return; // no server ran, or it came too often
    const number = ++this.visits;
    const { conversation } = visitor.session;
    const chance = Math.random();
    await visitor.talk(1, ` of visit ${number}`);
    if (chance < 0.3) conversation.rename(`${visitor.name}-${number % 7}`);
    else if (chance < 0.5) conversation.away(chance < 0.4 ? "tea" : "");
    else if (chance < 0.7) {
      await visitor.session.write(`visitor${number % 5}`, "hush");
    }
    await visitor.talk(2, ` of visit ${number}`);
    await this.#crowd.until(
      `all of visit ${number} is said`,
      () => visitor.seen === visitor.typed.length,
      PATIENCE,
    );
    visitor.session.leave();
    await visitor.ended;
  }
}
