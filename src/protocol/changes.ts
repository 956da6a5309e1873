/**
 * Lines as they are by now: what was changed about a line is told with it.
 *
 * @module
 */

import { type Change, isChange, type LogEntry, mayChange } from "./line.ts";

/** What was changed about a line since it was said. */
export interface Changed {
  /** Whether its words are others than they were. */
  readonly edited: boolean;
  /** Whether its author took it back. */
  readonly deleted: boolean;
  /** How people react to it, in the order in which they did. */
  readonly reactions: readonly Reaction[];
}

/** How somebody reacts to a line. */
export interface Reaction {
  /** The name by which it did. */
  readonly name: string;
  /** The short id of its person, 16 characters. */
  readonly person: string;
  /** An emoji. */
  readonly text: string;
}

/** A line as a client hears it. */
export interface HeardLine extends LogEntry {
  /** ruled: what it does, as a sentence. */
  readonly told?: string;
  /** Why it isn't shown as said: a key of `WARNINGS`. */
  readonly wrong?: string;
  /**
   * Set where this client can't tell, as in a sealed room it mostly can, whether its sender saw the same history, or said
   * the line that it changes.
   */
  readonly unchecked?: true;
}

/** A line, with the words that it has by now, and what was changed. */
export interface CurrentLine {
  /** The line; its text is the present one, "" if it was deleted and is no offer. */
  readonly line: HeardLine;
  /** What was changed, undefined for nothing. */
  readonly changed?: Changed | undefined;
}

const UNCHANGED: Changed = { edited: false, deleted: false, reactions: [] };

/** A line after another change; as it was, if it may not be changed so. */
export function change(current: CurrentLine, by: Change): CurrentLine {
  const { line, changed = UNCHANGED } = current;
  if (!mayChange(by, line) || changed.deleted) return current;
  switch (by.what) {
    case "deleted":
      return {
        line: line.what === "offered" ? line : { ...line, text: "" },
        changed: { ...UNCHANGED, deleted: true },
      };
    case "edited":
      return {
        line: { ...line, text: by.text },
        changed: { ...changed, edited: true },
      };
    case "reacted": {
      const { name, person, text } = by;
      const others = changed.reactions.filter((it) => it.person !== person);
      const reactions = text === ""
        ? others
        : [...others, { name, person, text }];
      return { line, changed: { ...changed, reactions } };
    }
  }
}

/** Lines in order, each as it is after the last of them; what changes one among them is told with that alone. */
export function current(lines: readonly HeardLine[]): CurrentLine[] {
  const all = new Map<number, CurrentLine>();
  for (const line of lines) {
    const changed = isChange(line) ? all.get(line.to) : undefined;
    if (changed && isChange(line) && mayChange(line, changed.line)) {
      all.set(line.to, change(changed, line));
    } else all.set(line.seq, { line });
  }
  return [...all.values()];
}
