/**
 * The next turn of the event loop.
 *
 * @module
 */

import { setImmediate } from "node:timers";

/** Resolves when all else that is ready has had its turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
