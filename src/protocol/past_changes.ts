/**
 * What was changed about lines, as a search meets it that goes backwards: all of a line before the line itself.
 *
 * @module
 */

import {
  type Change,
  type ChangeKind,
  isChange,
  type LogEntry,
  mayChange,
} from "./line.ts";

/** Reactions to one line that are told, the newest. */
const MAX_REACTIONS = 100;
/** Of each kind, changes of one line by one person that are looked at, the newest: nobody's push out another's. */
const MAX_CHANGES = 16;
/** Reactions that are kept at a time, to whatever lines; older ones are not told. */
const MAX_KEPT = 65_536;

/** What looks as if it changed a line. */
export interface Candidate {
  /** The number of the line that it would change. */
  readonly to: number;
  /** How. */
  readonly what: ChangeKind;
  /** The short id of whose it is. */
  readonly person: string;
  /** What it is, once the line that it would change is wanted; null where it is none. */
  readonly read: () => LogEntry | null;
}

/** Changes, by the number of the line that they change. */
export class PastChanges {
  readonly #candidates = new Map<number, Candidate[]>(); // the newest first
  readonly #reworded = new Set<number>(); // what was edited or deleted
  #reactions = 0; // that are kept

  /** Takes one, after all that are newer. */
  keep(candidate: Candidate): void {
    const { to, what, person } = candidate;
    const isReaction = what === "reacted";
    if (isReaction && this.#reactions >= MAX_KEPT) return;
    const others = this.#candidates.get(to) ?? [];
    const same = others.filter((it) =>
      it.what === what && it.person === person
    );
    if (same.length >= MAX_CHANGES) return;
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
      const reactions = candidates.filter(({ what }) => what === "reacted");
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

  /** All that change a line, the newest first. */
  #all(line: LogEntry): Change[] {
    return (this.#candidates.get(line.seq) ?? []).map(({ read }) => read())
      .filter((entry): entry is Change =>
        entry !== null && isChange(entry) && entry.to === line.seq &&
        mayChange(entry, line)
      );
  }
}
