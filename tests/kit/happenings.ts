/**
 * What happens to the people of a room, for tests: one of every kind, and the line that says so.
 *
 * @module
 */

import { formatLine } from "../../src/base/checked_line.ts";
import type { Happening } from "../../src/server/people/happening.ts";
import { madeUpId } from "./people.ts";

/** A line, as text. */
export function textOf(happening: Happening): string {
  return formatLine(happening);
}

/** The full id of the person that they are about. */
export const ana = madeUpId("ana");
/** When they happen, ms since 1970. */
export const at = 1_764_061_567_004;

/** One of every kind, and what could be taken for a line's end. */
export const HAPPENINGS: readonly Happening[] = [
  {
    kind: "invite",
    id: 7,
    key: madeUpId("key"),
    uses: 3,
    until: at + 1,
    note:
      'for "ana" \\ and\nco.\r\u2028 ÊÄ 名 🙂 \ud800 \ufffd","sum":"0123456789ab"}',
    by: "",
    code: "crossover-clockwork",
    at,
  },
  { kind: "person", id: ana, card: "Q0FSRA", from: 12, invite: 7, at },
  { kind: "used", invite: 7, person: ana },
  { kind: "name", person: ana, name: "Åna", since: at },
  { kind: "there", person: ana, at: at + 2 },
  { kind: "operator", person: ana, is: true },
  { kind: "banned", person: ana, until: null, by: ana, at },
  { kind: "unbanned", person: ana },
  { kind: "released", name: "Åna" },
  { kind: "room", topic: 'on "topic"', slow: 5 },
  { kind: "guessed", invite: 7, guess: "Z3Vlc3M_" },
  { kind: "revoked", invite: 7 },
];

/** She was there. @param n When, ms since 1970. */
export function there(n: number): Happening {
  return { kind: "there", person: ana, at: n };
}
