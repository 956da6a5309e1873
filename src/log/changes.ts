/**
 * What was changed about lines, as a search meets it that goes backwards: all of a line before the line itself. Lines
 * of the log that change others are kept as they are, and read only once the one that they change is wanted.
 *
 * @module
 */

import { parseEntry } from "./line_format.ts";
import {
  type Change,
  isChange,
  type LogEntry,
  mayChange,
} from "../protocol/line.ts";

/** Reactions to one line that are told, the newest. */
const MAX_REACTIONS = 100;
/** Changes of one line that are looked at, the newest. */
const MAX_CHANGES = 4_096;

/** How a line looks that changes another; others may, too. */
const CHANGE = / (edits|deletes|reacts to) ([1-9]\d{0,15})/g;
const LINE_BREAK = "\n";

/** A line of the log that looks as if it changed another. */
interface Candidate {
  readonly seq: number;
  readonly line: string;
}

/** Changes, by the number of the line that they change. */
export class Changes {
  readonly #candidates = new Map<number, Candidate[]>(); // the newest first
  readonly #reworded = new Set<number>(); // what was edited or deleted

  /**
   * Takes the changes in a stretch of the log, before all that stand behind it were taken.
   * @param before The number of the line before the stretch. @param end No line from this number on is taken.
   */
  add(text: string, before: number, end: number): void {
    const found: (Candidate & { readonly to: number })[] = [];
    let seq = before + 1;
    let start = 0;
    for (const { index, 1: verb, 2: to } of text.matchAll(CHANGE)) {
      for (;;) {
        const next = text.indexOf(LINE_BREAK, start);
        if (next < 0 || seq >= end) return this.#keep(found); // what no line break ends is no line
        if (next > index) {
          const line = text.slice(start, next);
          if (found.at(-1)?.seq === seq) break; // the line was taken
          found.push({ seq, line, to: Number(to) });
          if (verb !== "reacts to") this.#reworded.add(Number(to));
          break;
        }
        start = next + 1;
        seq++;
      }
    }
    this.#keep(found);
  }

  #keep(found: readonly (Candidate & { readonly to: number })[]): void {
    for (const { to, seq, line } of found.toReversed()) {
      const others = this.#candidates.get(to);
      if (!others) this.#candidates.set(to, [{ seq, line }]);
      else if (others.length < MAX_CHANGES) others.push({ seq, line });
    }
  }

  /** Forgets what was changed about lines after `seq`, which were all met. */
  forget(seq: number): void {
    for (const to of this.#candidates.keys()) {
      if (to > seq) this.#candidates.delete(to);
    }
    for (const to of this.#reworded) if (to > seq) this.#reworded.delete(to);
  }

  /** Whether there may be lines that say something else by now. */
  get areReworded(): boolean {
    return this.#reworded.size > 0;
  }

  /** Whether the line of that number may say something else by now. */
  isReworded(seq: number): boolean {
    return this.#reworded.has(seq);
  }

  /** What a line says by now: null if it was deleted. */
  text(line: LogEntry): string | null {
    if (!this.#reworded.has(line.seq)) return line.text;
    const changes = this.#all(line);
    if (changes.some(({ what }) => what === "deleted")) return null;
    return changes.find(({ what }) => what === "edited")?.text ?? line.text;
  }

  /** What still counts of what was changed about a line, oldest first. */
  of(line: LogEntry): Change[] {
    const changes = this.#all(line);
    const deleted = changes.find(({ what }) => what === "deleted");
    if (deleted) return [deleted];
    const edited = changes.find(({ what }) => what === "edited");
    const reacted = new Map<string, Change>(); // by person, the last one of each
    for (const change of changes) {
      const { what, person } = change;
      if (what === "reacted" && !reacted.has(person)) {
        reacted.set(person, change);
      }
    }
    const reactions = [...reacted.values()]
      .filter(({ text }) => text !== "").slice(0, MAX_REACTIONS);
    return [...(edited ? [edited] : []), ...reactions]
      .sort((a, b) => a.seq - b.seq);
  }

  /** All that may change a line, the newest first. */
  #all(line: LogEntry): Change[] {
    return (this.#candidates.get(line.seq) ?? []).flatMap((candidate) => {
      const entry = parseEntry(candidate.line, candidate.seq);
      const isMeant = entry && isChange(entry) && entry.to === line.seq;
      return isMeant && mayChange(entry, line) ? [entry] : [];
    });
  }
}
