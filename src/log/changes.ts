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
/** Of each kind, changes of one line that are looked at, the newest. */
const MAX_CHANGES = { edits: 16, deletes: 16, "reacts to": 4_096 };
/** Reactions that are kept at a time, to whatever lines; older ones are not told. */
const MAX_KEPT = 65_536;

/** What stands in a line that changes another; others may have it, too. */
const CHANGE = / (?:edits|deletes|reacts to) [1-9]/g;
/** How such a line begins: no message can, since a name has neither spaces nor colons. */
const CHANGED =
  /^\S+ \S+ \| [^ :*]+ (?<verb>edits|deletes|reacts to) (?<to>[1-9]\d{0,15})/;
const LINE_BREAK = "\n";

/** A line of the log that looks as if it changed another. */
interface Candidate {
  readonly seq: number;
  readonly line: string;
  readonly to: number;
  readonly verb: Verb;
}

/** How a change is told in the log. */
type Verb = keyof typeof MAX_CHANGES;

/** Changes, by the number of the line that they change. */
export class Changes {
  readonly #candidates = new Map<number, Candidate[]>(); // the newest first
  readonly #reworded = new Set<number>(); // what was edited or deleted
  #reactions = 0; // that are kept

  /**
   * Takes the changes in a stretch of the log, before all that stand behind it were taken.
   * @param before The number of the line before the stretch. @param end No line from this number on is taken.
   */
  add(text: string, before: number, end: number): void {
    const found: Candidate[] = [];
    let seq = before + 1;
    let start = 0;
    for (const { index } of text.matchAll(CHANGE)) {
      if (index < start) continue; // its line was looked at
      let next = text.indexOf(LINE_BREAK, start);
      for (
        ;
        next >= 0 && next < index;
        next = text.indexOf(LINE_BREAK, start)
      ) {
        start = next + 1;
        seq++;
      }
      if (next < 0 || seq >= end) break; // what no line break ends is no line
      const line = text.slice(start, next);
      const { verb, to } = CHANGED.exec(line)?.groups ?? {};
      if (verb) found.push({ seq, line, to: Number(to), verb: verb as Verb });
      start = next + 1;
      seq++;
    }
    found.reverse().forEach((candidate) => this.#keep(candidate));
  }

  #keep(candidate: Candidate): void {
    const { to, verb } = candidate;
    const isReaction = verb === "reacts to";
    if (isReaction && this.#reactions >= MAX_KEPT) return;
    const others = this.#candidates.get(to) ?? [];
    const same = others.filter((it) => it.verb === verb).length;
    if (same >= MAX_CHANGES[verb]) return;
    others.push(candidate);
    this.#candidates.set(to, others);
    if (isReaction) this.#reactions++;
    else this.#reworded.add(to);
  }

  /** Whether nothing is known to be changed. */
  get isEmpty(): boolean {
    return this.#candidates.size === 0;
  }

  /** Forgets what was changed about the lines from `first` to `last`, which were all met. */
  forget(first: number, last: number): void {
    for (let seq = first; seq <= last; seq++) {
      const candidates = this.#candidates.get(seq);
      if (!candidates) continue;
      const reactions = candidates.filter(({ verb }) => verb === "reacts to");
      this.#reactions -= reactions.length;
      this.#candidates.delete(seq);
      this.#reworded.delete(seq);
    }
  }

  /** Whether any of the lines from `first` to `last` may say something else by now. */
  areReworded(first: number, last: number): boolean {
    for (let seq = first; seq <= last; seq++) {
      if (this.#reworded.has(seq)) return true;
    }
    return false;
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
