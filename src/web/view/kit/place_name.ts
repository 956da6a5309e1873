/**
 * What places, times and stretches of time are called.
 *
 * @module
 */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A room's place as people say it: `chat.example`, `192.0.2.7:8080`. @param place An origin. */
export function placeName(place: string): string {
  return URL.parse(place)?.host || place;
}

/** When something was, in days: `today`, `yesterday`, `5 days ago`. @param at ms since 1970. @param now The same. */
export function daysAgo(at: number, now: number): string {
  const days = Math.round((startOfDay(now) - startOfDay(at)) / DAY);
  if (days <= 0) return "today";
  return days === 1 ? "yesterday" : `${days} days ago`;
}

function startOfDay(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0);
}
