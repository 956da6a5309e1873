/**
 * Persons, as people name them: by a name that they go by, or by their id.
 *
 * @module
 */

import { parseShortId } from "../crypto/person_id.ts";

/** Somebody, by a name that they go by, or went by. */
export interface Somebody {
  /** The name. */
  readonly name: string;
  /** The short id of the member's person, 16 characters. */
  readonly person: string;
}

/** Somebody with their full id. */
export interface Person extends Somebody {
  /** The full id of the person, 32 bytes in base64url. */
  readonly id: string;
}

/** The one of that name, in either case. */
export function byName<T extends Somebody>(
  members: readonly T[],
  name: string,
): T | undefined {
  const wanted = name.toLowerCase();
  return members.find((member) => member.name.toLowerCase() === wanted);
}

/** The one of that short id, however it is written, or else of that name: nobody hides behind another's id. */
export function byNameOrId<T extends Somebody>(
  members: readonly T[],
  text: string,
): T | undefined {
  const short = parseShortId(text);
  return members.find(({ person }) => person === short) ??
    byName(members, text);
}
