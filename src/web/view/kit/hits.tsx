/**
 * A text in which something was searched for.
 *
 * @module
 */

import type { JSX } from "preact";

/** A part of a text. */
export interface TextPart {
  readonly text: string;
  /** Whether it was searched for. */
  readonly isHit: boolean;
}

/** A text cut where something is found in it. @param finder Finds it, all of it: with the flag `g`. */
export function cutAtHits(
  text: string,
  finder: RegExp | undefined,
): TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  for (const { 0: hit, index } of finder ? text.matchAll(finder) : []) {
    if (index > end) parts.push({ text: text.slice(end, index), isHit: false });
    parts.push({ text: hit, isHit: true });
    end = index + hit.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end), isHit: false });
  return parts;
}

/** What a text with marked hits is made of. */
export interface HitsProps {
  /** The text, escaped. */
  readonly text: string;
  /** Finds what was searched for. */
  readonly finder: RegExp | undefined;
}

/** The text, with what was searched for marked. */
export function Hits({ text, finder }: HitsProps): JSX.Element {
  return (
    <bdi>
      {cutAtHits(text, finder).map(({ text, isHit }, at) =>
        isHit ? <mark key={at}>{text}</mark> : text
      )}
    </bdi>
  );
}
