/**
 * Who goes by a name that somebody else wants in a sealed room: its server can only say that the name is taken.
 *
 * @module
 */

import { spokenId } from "../../crypto/person_id.ts";
import { parseName } from "../../protocol/names.ts";
import type { Membership } from "../../sealed/membership.ts";
import type { Refused } from "../link.ts";

/** A refusal, with whose the name is, where it is for that. @param wanted The name. */
export function withHolder(
  refused: Refused,
  { members }: Membership,
  wanted: string,
): Refused {
  const name = parseName(wanted);
  if (refused.reason !== "name-taken" || typeof name === "string") {
    return refused;
  }
  for (const { folded, name: shown, short } of members.values()) {
    if (folded !== name.folded) continue;
    return { ...refused, detail: `${shown}, ${spokenId(short)}` };
  }
  return refused;
}
