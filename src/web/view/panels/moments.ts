/**
 * Times as the panels show them.
 *
 * @module
 */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The time of a day, with the date where it isn't today: `17:05`, `23 Nov, 17:05`. @param at ms since 1970. */
export function clockTime(
  at: number,
  hour12: boolean | undefined,
  now: number = Date.now(),
): string {
  const isToday = new Date(at).toDateString() === new Date(now).toDateString();
  return new Intl.DateTimeFormat(undefined, {
    ...(isToday ? {} : { day: "numeric", month: "short" }),
    hour: "numeric",
    minute: "2-digit",
    ...(hour12 === undefined ? {} : { hour12 }),
  }).format(at);
}

/** How long ago something was, in its greatest unit, rounded down: `3 min`, `2 h`; empty within a minute. */
export function idleFor(at: number, now: number = Date.now()): string {
  const time = now - at;
  if (time < MINUTE) return "";
  if (time >= DAY) return `${Math.floor(time / DAY)} d`;
  if (time >= HOUR) return `${Math.floor(time / HOUR)} h`;
  return `${Math.floor(time / MINUTE)} min`;
}
