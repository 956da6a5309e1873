/**
 * Times as the panels show them.
 *
 * @module
 */

import { clockTime, dayName } from "../room/moments.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A time, with its day where that isn't today: `17:05`, `Yesterday, 17:05`. @param at ms since 1970. */
export function dayTime(
  at: number,
  hour12: boolean | undefined,
  now: number = Date.now(),
): string {
  const isToday = new Date(at).toDateString() === new Date(now).toDateString();
  const time = clockTime(at, hour12);
  return isToday ? time : `${dayName(at, now)}, ${time}`;
}

/** How long ago something was, in its greatest unit, rounded down: `3 min`, `2 h`; empty within a minute. */
export function idleFor(at: number, now: number = Date.now()): string {
  const time = now - at;
  if (time < MINUTE) return "";
  if (time >= DAY) return `${Math.floor(time / DAY)} d`;
  if (time >= HOUR) return `${Math.floor(time / HOUR)} h`;
  return `${Math.floor(time / MINUTE)} min`;
}
