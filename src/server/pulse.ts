/**
 * Signs of life of one connection, looked at once a second.
 *
 * @module
 */

import type { Outlet } from "./outlet.ts";

/** Seconds until a silent client is asked whether it is there, and until it counts as gone. */
const PING_AFTER = 30;
const SILENT_AFTER = 90;
/** Seconds that a write may stand still. */
const STALLED_AFTER = 10;

/** What there is to say of a connection: time to ask, nothing heard for too long, nothing read for too long. */
export type Symptom = "quiet" | "silent" | "stalled";

/** One connection's. */
export class Pulse {
  #quiet = 0; // seconds since the client was last heard, while we listened
  #stalled = 0; // seconds since a write last moved
  #moved = 0;

  /** Something came from the client. */
  heard(): void {
    this.#quiet = 0;
  }

  /** To be called once a second. @param listening Whether the client could have been heard. */
  *tick(listening: boolean, outlet: Outlet): Generator<Symptom> {
    this.#quiet = listening ? this.#quiet + 1 : 0;
    if (this.#quiet === PING_AFTER) yield "quiet";
    if (this.#quiet >= SILENT_AFTER) yield "silent";
    const { moved, writing } = outlet;
    this.#stalled = writing && moved === this.#moved ? this.#stalled + 1 : 0;
    this.#moved = moved;
    if (this.#stalled >= STALLED_AFTER) yield "stalled";
  }
}
