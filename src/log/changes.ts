/**
 * The lines of the log that look as if they changed another, found without reading the rest: they are kept as they are,
 * and read only once the line that they change is wanted.
 *
 * @module
 */

import type { Candidate } from "../protocol/past_changes.ts";
import { parseEntry } from "./line_format.ts";

/** What stands in a line that changes another; others may have it, too. */
const CHANGE = / (?:edits|deletes|reacts to) [1-9]/g;
/** How such a line begins: no message can, since a name has neither spaces nor colons. */
const CHANGED =
  /^\S+ (?<person>[^ .]+)\.\S+ \| [^ :*]+ (?<verb>edits|deletes|reacts to) (?<to>[1-9]\d{0,15})/;
const LINE_BREAK = "\n";

/** How a change is told in the log. */
const VERBS = {
  edits: "edited",
  deletes: "deleted",
  "reacts to": "reacted",
} as const;

/**
 * The changes in a stretch of the log, the last first.
 * @param before The number of the line before the stretch. @param end No line from this number on is taken.
 */
export function changesIn(
  text: string,
  before: number,
  end: number,
): Candidate[] {
  const found: Candidate[] = [];
  let seq = before + 1;
  let start = 0;
  for (const { index } of text.matchAll(CHANGE)) {
    if (index < start) continue; // its line was looked at
    const begin = text.lastIndexOf(LINE_BREAK, index) + 1;
    const next = text.indexOf(LINE_BREAK, index);
    seq += countLines(text.slice(start, begin));
    if (next < 0 || seq >= end) break; // what no line break ends is no line
    const candidate = candidateOf(text.slice(begin, next), seq);
    if (candidate) found.push(candidate);
    start = next + 1;
    seq++;
  }
  return found.reverse();
}

/** How many line breaks a text has. */
export function countLines(text: string): number {
  let count = 0;
  let at = -1;
  while ((at = text.indexOf(LINE_BREAK, at + 1)) >= 0) count++;
  return count;
}

function candidateOf(line: string, seq: number): Candidate | undefined {
  const groups = CHANGED.exec(line)?.groups;
  if (!groups) return undefined;
  const { person = "", verb = "", to } = groups;
  const what = VERBS[verb as keyof typeof VERBS];
  return { to: Number(to), what, person, read: () => parseEntry(line, seq) };
}
