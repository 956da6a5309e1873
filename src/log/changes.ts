/**
 * What was changed about lines, as a search meets it that goes backwards: the last change first, and all of a line
 * before the line itself.
 *
 * @module
 */

import { type Change, type LogEntry, mayChange } from "../protocol/line.ts";

/** Reactions to one line that are told, the newest. */
const MAX_REACTIONS = 100;

/** What was last changed about a line. */
interface Changed {
  edited?: Change;
  deleted?: Change;
  readonly reacted: Map<string, Change>; // by the person's short id
}

/** Changes, by the number of the line that they change. */
export class Changes {
  readonly #changed = new Map<number, Changed>();

  /** Takes a change that is older than all before it. */
  add(change: Change): void {
    const changed: Changed = this.#changed.get(change.to) ??
      { reacted: new Map() };
    this.#changed.set(change.to, changed);
    if (change.what !== "reacted") changed[change.what] ??= change;
    else if (!changed.reacted.has(change.person)) {
      changed.reacted.set(change.person, change);
    }
  }

  /** Whether none is left. */
  get isEmpty(): boolean {
    return this.#changed.size === 0;
  }

  /** Forgets what was changed about lines after `seq`, which were all met. */
  forget(seq: number): void {
    for (const to of this.#changed.keys()) {
      if (to > seq) this.#changed.delete(to);
    }
  }

  /** Whether anything was changed about the line of that number. */
  has(seq: number): boolean {
    return this.#changed.has(seq);
  }

  /** What a line says by now: null if it was deleted. */
  text(line: LogEntry): string | null {
    const { edited, deleted } = this.#changed.get(line.seq) ?? {};
    if (deleted && mayChange(deleted, line)) return null;
    return edited && mayChange(edited, line) ? edited.text : line.text;
  }

  /** What still counts of what was changed about a line, oldest first. */
  of(line: LogEntry): Change[] {
    const { edited, deleted, reacted } = this.#changed.get(line.seq) ?? {};
    if (deleted && mayChange(deleted, line)) return [deleted];
    const reactions = [...reacted?.values() ?? []]
      .filter(({ text }) => text !== "").slice(0, MAX_REACTIONS);
    const all = edited ? [edited, ...reactions] : reactions;
    return all.filter((change) => mayChange(change, line))
      .sort((a, b) => a.seq - b.seq);
  }
}
