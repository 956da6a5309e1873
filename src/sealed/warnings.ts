/**
 * What a client of a sealed room finds that doesn't fit: lines that it doesn't show as said, and why, in words for
 * people.
 *
 * @module
 */

import { escapeText } from "../base/safe_text.ts";
import { wording } from "../protocol/reasons.ts";
import { named } from "../protocol/told_line.ts";

/** Why something isn't shown as said, to follow "Line 41, as from bob, is not shown: ". */
export const WARNINGS = {
  "signature-wrong": "that person did not sign it",
  "not-member": "that person was no member of the room there",
  "epoch-wrong": "it is sealed under a key that did not count there",
  "number-repeated": "it was said before, and comes again or in another order",
  "text-wrong": "what is sealed in it cannot be read",
  "seen-differs":
    "that person was shown another history than you. Compare with /agree",
  "change-wrong": "it changes what somebody else said",
  "control-wrong":
    "it would change who is a member, and is not signed by who may do that",
  "control-late":
    "it changes who is a member, and was kept from you while you were there",
  "presence-wrong":
    "no such person, or not by that name, is a member of the room",
  "back-wrong":
    "the key that it makes doesn't lead back to the one before. Who comes later can't read what was said until then",
  "key-wrong": "the key that came from that person is not the room's",
} as const;

/** Of these, those of lines that count all the same. */
const COUNTED: ReadonlySet<string> = new Set(["back-wrong"]);

/** A key of `WARNINGS`. */
export type WarningReason = keyof typeof WARNINGS;

/** Something that doesn't fit. */
export interface Warning {
  /** The number of the line; null where it is no line. */
  readonly line: number | null;
  /** From whom it is said to be. */
  readonly name: string;
  /** The short id of that person. */
  readonly person: string;
  /** A key of `WARNINGS`. */
  readonly reason: string;
}

/** A warning as a sentence. */
export function warningSentence({ line, name, reason }: Warning): string {
  const why = wording(WARNINGS, reason);
  const from = `as from ${escapeText(name)}`;
  if (line === null) {
    return `WARNING: what the server passed on ${from} does not count: ${why}`;
  }
  return COUNTED.has(reason)
    ? `WARNING: line ${line}, by ${escapeText(name)}, counts, but ${why}`
    : `WARNING: line ${line}, ${from}, is not shown: ${why}`;
}

/** The same to a program. */
export function warningFields(warning: Warning): Record<string, unknown> {
  const { line: seq, reason } = warning;
  return { seq, ...named(warning), reason, message: warningSentence(warning) };
}
