/**
 * What is changed together with a batch of the room, and can be taken back with it.
 *
 * @module
 */

import type { Happening } from "./happening.ts";

/** Takes a change back; changes are taken back newest first. */
export type Undo = () => void;

/** A change that was made. */
export interface Reversible {
  /** What is to be written down, in order. */
  readonly happenings: readonly Happening[];
  /** Takes it back. */
  readonly undo: Undo;
}

/** No change at all. */
export const UNCHANGED: Reversible = { happenings: [], undo: () => {} };
