/**
 * A client that types lines without end.
 *
 * @module
 */

import type { JsonClient } from "./client.ts";

/** Lines that one client types at a time, and how many may be under way: more than a client sends ahead. */
const BURST = 20;
const MAX_UNDER_WAY = 1_500;
/** A client that types without end until it is told to stop. */
export class Talker {
  readonly typed: string[] = [];
  stopped = false;

  constructor(readonly name: string, readonly client: JsonClient) {}

  async talk(): Promise<void> {
    while (!this.stopped) {
      const lines = Array.from(
        { length: BURST },
        (_, at) => `${this.name} ${this.typed.length + at}`,
      );
      this.typed.push(...lines);
      await this.client.type(...lines);
      await this.client.until(
        "less under way",
        () => this.stopped || this.#underWay < MAX_UNDER_WAY ? true : undefined,
      );
    }
  }

  get #underWay(): number {
    const own = this.client.all("said").filter(({ name }) =>
      name === this.name
    );
    return this.typed.length - own.length;
  }
}
