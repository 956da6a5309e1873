/**
 * Who is in the room, as rows for a person.
 *
 * @module
 */

import type { Somebody } from "../person.ts";
import { PLAIN_AWAY } from "../../protocol/reasons.ts";
import type { Present } from "../view.ts";
import { escapeText } from "../../base/safe_text.ts";
import { spokenId } from "../../crypto/person_id.ts";
import type { CommandContext, TableRow } from "./command.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Who said something within this time isn't called idle, ms. */
const NOT_IDLE = MINUTE;

/**
 * A row for each member: name, and whether that is oneself, id, since when, how long idle, by how many connections, why
 * away.
 * @param isSelf Whether somebody is who asks. @param now ms since 1970.
 * @param zone IANA name. Default: the machine's.
 */
export function whoIsHere(
  present: readonly Present[],
  isSelf: CommandContext["isSelf"],
  now: number,
  zone?: string,
): TableRow[] {
  if (present.length === 0) return [["Not connected: member list unknown"]];
  // The Swedish way to write a time is ISO 8601's, with a space: 2026-11-23 17:05.
  const times = new Intl.DateTimeFormat("sv-SE", {
    dateStyle: "short",
    timeStyle: "short",
    timeZone: zone,
  });
  const rows = present.map((member) => {
    const { name, person, since, active, away, connections } = member;
    const idle = now - active;
    return [
      `${escapeText(name)}${isSelf(member) ? " (you)" : ""}`,
      spokenId(escapeText(person)),
      `since ${times.format(since)}`,
      idle >= NOT_IDLE ? `idle ${span(idle)}` : "",
      connections > 1 ? `${connections} connections` : "",
      away === "" || away === PLAIN_AWAY ? away : `away: ${escapeText(away)}`,
    ] as const;
  });
  return rows;
}

/**
 * Which kind of room it is, and who its keepers are.
 * @param keepers Those of a sealed room; undefined for an open one.
 */
export function roomKind(keepers: readonly Somebody[] | undefined): string {
  if (!keepers) return "An open room: its server reads what is said";
  const names = keepers.map(({ name }) => escapeText(name)).join(", ");
  return `A sealed room: its server cannot read what is said. ${
    keepers.length === 1 ? "Keeper" : "Keepers"
  }: ${names}`;
}

/** A span of time (ms) in its greatest unit, rounded down: `3 min`, `2 h`. */
export function span(time: number): string {
  if (time >= DAY) return `${Math.floor(time / DAY)} d`;
  if (time >= HOUR) return `${Math.floor(time / HOUR)} h`;
  return `${Math.floor(time / MINUTE)} min`;
}
