/**
 * Times, days and stretches of time as a person reads them.
 *
 * @module
 */

import { span } from "../../../client/commands/who.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;

const formats = new Map<string, Intl.DateTimeFormat>();

/** A format, made once: that takes longer than using it. */
function format(
  name: string,
  options: Intl.DateTimeFormatOptions,
): Intl.DateTimeFormat {
  const known = formats.get(name);
  if (known) return known;
  const made = new Intl.DateTimeFormat("en-GB", options);
  formats.set(name, made);
  return made;
}

/** Hours and minutes of a time (ms since 1970). @param hour12 Undefined: as the system has it. */
export function clockTime(at: number, hour12: boolean | undefined): string {
  const cycle = hour12 ?? prefersTwelve();
  return format(`time ${cycle}`, {
    hour: cycle ? "numeric" : "2-digit",
    minute: "2-digit",
    hour12: cycle,
  }).format(at);
}

/** A day, as "Today", "Yesterday", "Monday 23 November", or with the year if it is another. */
export function dayName(at: number, now: number): string {
  const days = daysBetween(at, now);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  const isThisYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  const day = { weekday: "long", day: "numeric", month: "long" } as const;
  const parts = isThisYear
    ? format("day", day)
    : format("day of year", { ...day, year: "numeric" });
  return parts.formatToParts(at).filter(({ type }) => type !== "literal")
    .map(({ value }) => value).join(" ");
}

/** All of a time, for who wants to know exactly. */
export function fullTime(at: number): string {
  return format("full", { dateStyle: "full", timeStyle: "medium" }).format(at);
}

/** A time, with its day where that isn't today: `17:05`, `Yesterday, 17:05`. @param at ms since 1970. */
export function dayTime(
  at: number,
  hour12: boolean | undefined,
  now: number = Date.now(),
): string {
  const time = clockTime(at, hour12);
  return daysBetween(at, now) === 0 ? time : `${dayName(at, now)}, ${time}`;
}

/** When something was, in days: `today`, `yesterday`, `5 days ago`. @param at ms since 1970. @param now The same. */
export function daysAgo(at: number, now: number): string {
  const days = daysBetween(at, now);
  if (days <= 0) return "today";
  return days === 1 ? "yesterday" : `${days} days ago`;
}

/** How long ago something was, in its greatest unit, rounded down: `3 min`, `2 h`; empty within a minute. */
export function idleFor(at: number, now: number = Date.now()): string {
  const time = now - at;
  return time < MINUTE ? "" : span(time);
}

/** Days from one time to another, by the calendar. */
function daysBetween(at: number, now: number): number {
  return Math.round((startOfDay(now) - startOfDay(at)) / DAY);
}

function startOfDay(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0);
}

let twelve: boolean | undefined;

/** Whether the system's language has hours up to twelve. */
function prefersTwelve(): boolean {
  twelve ??= new Intl.DateTimeFormat(undefined, { hour: "numeric" })
    .resolvedOptions().hour12 === true;
  return twelve;
}
