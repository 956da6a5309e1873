/**
 * Somebody who has been in the room, or wants to be let in.
 *
 * @module
 */

import type { Bytes } from "../../../crypto_utils.ts";

/** Somebody who has been in the room. */
export interface Person {
  /** Its full id. */
  readonly id: string;
  /** Its short id. */
  readonly short: string;
  /** Its X25519 key, base64url. */
  readonly key: string;
  /** It may read what came after this event. */
  from: number;
  /** 1,344 bytes in base64url. */
  readonly card: string;
  /** By which invite it came. */
  readonly invite: number;
  /** Its names, folded, the newest last. */
  readonly names: string[];
  /** When it was last there, ms since 1970, to within a day. */
  there: number;
  /** When it last asked for a line of its own to be said, as `performance.now` has it, for slow mode: coming anew changes nothing. */
  spoke: number;
  /** Until when it is banned, ms since 1970 (Infinity: for good); 0 if it isn't. */
  bannedUntil: number;
  /** Whether it is an operator. */
  isOperator: boolean;
}

/** Somebody who wants to be let in, with the card that it showed. */
export interface Candidate {
  /** Its full id. */
  readonly id: string;
  /** Its X25519 key, base64url. */
  readonly key: string;
  /** 1,344 bytes in base64url. */
  readonly card: string;
  /** By which invite it came. */
  readonly invite: number;
  /** The standing link's key when it shook hands. Default: the one of now. */
  readonly standing?: Bytes | undefined;
}

/** Whether a person may not come in. @param now The room's time, ms since 1970. */
export function isBanned({ bannedUntil }: Person, now: number): boolean {
  return bannedUntil > now;
}

/** When a person's ban ends, ms since 1970; null: never. */
export function banEnd({ bannedUntil }: Person): number | null {
  return Number.isFinite(bannedUntil) ? bannedUntil : null;
}

/** Until when a ban or an invite lasts, in words. @param until ms since 1970; null: for good. */
export function term(until: number | null): string {
  if (until === null) return "without an end";
  return `until ${
    new Date(until).toISOString().slice(0, 16).replace("T", " ")
  } UTC`;
}

/** Whether a person says a line sooner after its last than slow mode allows; else the time counts from now. @param slow Seconds. */
export function isTooSoon(person: Person, slow: number): boolean {
  const now = performance.now(); // which no change of the clock moves
  const isEarly = now - person.spoke < slow * 1_000;
  if (!isEarly) person.spoke = now;
  return isEarly;
}
