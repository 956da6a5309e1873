/**
 * Signs of life of one connection, looked at once a second.
 *
 * @module
 */

import { PING_AFTER, SILENT_AFTER } from "../protocol/channel.ts";
import type { Outlet } from "./outlet.ts";

/** Pings come up to so many seconds earlier, at random, lest all who were told something at once be pinged at once. */
const PING_SPREAD = 10;
/** Seconds that a write may stand still. */
const STALLED_AFTER = 10;

/** What there is to say of a connection: time for a ping, nothing heard for too long, nothing read for too long. */
export type Symptom = "quiet" | "silent" | "stalled";

/** One connection's. */
export class Pulse {
  readonly #pingAfter = PING_AFTER - Math.floor(Math.random() * PING_SPREAD);
  #unsaid = 0; // seconds since the client was last told anything
  #unheard = 0; // seconds since the client was last heard, while we listened
  #stalled = 0; // seconds since a write last moved
  #moved = 0;

  /** Something came from the client. */
  heard(): void {
    this.#unheard = 0;
  }

  /** A direct record goes to the client. */
  told(): void {
    this.#unsaid = 0;
  }

  /** To be called once a second. @param listening Whether the client could have been heard. */
  *tick(listening: boolean, outlet: Outlet): Generator<Symptom> {
    if (++this.#unsaid >= this.#pingAfter) yield "quiet";
    this.#unheard = listening ? this.#unheard + 1 : 0;
    this.#stalled = this.#isStill(outlet) ? this.#stalled + 1 : 0;
    this.#moved = outlet.moved;
    yield* this.wrong(outlet);
  }

  /** What is still wrong of that, whatever has come or gone since. */
  *wrong(outlet: Outlet): Generator<Exclude<Symptom, "quiet">> {
    if (this.#unheard >= SILENT_AFTER) yield "silent";
    if (this.#stalled >= STALLED_AFTER && this.#isStill(outlet)) {
      yield "stalled";
    }
  }

  #isStill({ writing, moved }: Outlet): boolean {
    return writing && moved === this.#moved;
  }
}
