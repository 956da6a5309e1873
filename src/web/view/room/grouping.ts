/**
 * Which messages stand together as one person's.
 *
 * @module
 */

import type { Row } from "../../rows.ts";

/** How long after the one before a message still goes on with it, ms. */
const PAUSE = 300_000;

/** Whether a row goes on with what the same person said right before it. */
export function goesOn(previous: Row | undefined, row: Row): boolean {
  if (row.kind !== "message" || previous?.kind !== "message") return false;
  const isPlain = row.form !== "acted" && previous.form !== "acted";
  return isPlain && previous.person === row.person &&
    previous.name === row.name && row.at - previous.at < PAUSE;
}
