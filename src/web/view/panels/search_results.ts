/**
 * What was found, in several steps back.
 *
 * @module
 */

import type { Found } from "../../room_model.ts";

/** The line before which older ones can be looked for; undefined where there are none. */
export function olderBefore(
  { lines, more, backTo }: Found,
): number | undefined {
  if (!more) return undefined;
  if (backTo !== undefined) return backTo;
  return lines.find((line) => line.type !== "warning")?.seq;
}

/** What was found now before what was found then, if that is of the same words. */
export function withNewer(found: Found, newer: Found | null): Found {
  if (newer?.words !== found.words) return found;
  return { ...found, lines: [...found.lines, ...newer.lines] };
}
