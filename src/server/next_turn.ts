/**
 * Turns of the event loop.
 *
 * @module
 */

import { setImmediate } from "node:timers";

/** Resolves when all else that is ready has had its turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** Connections that the runtime serves at a time, where it is busy, and how many turns later others (PROFILE.md). */
const SERVED_AT_ONCE = 128;
const TURNS_BETWEEN = 61;

/**
 * Resolves when what so many connections have sent was read, and what was begun to be written to them was written as far
 * as there is place, however busy the server is. Takes 30 ms of one that rests, at 10,000.
 */
export async function allServed(connections: number): Promise<void> {
  const times = 1 + Math.ceil(2 * connections / SERVED_AT_ONCE);
  for (let turn = times * TURNS_BETWEEN; turn > 0; turn--) await nextTurn();
}
