/**
 * How `chat.people` and what it is about stay the same: what happens is written down, what other processes add is
 * taken over, and what no longer counts is dropped from the file at times.
 *
 *     add ──▶ what isn't in the file yet ── keep, not between begin and settle ──▶ chat.people
 *     apply ◀─────────────────────── refresh, and look ──────────────────────────────┘
 *
 * Where servers share a room, what happens by itself at one of them counts there at once, and reaches all of them in the
 * room's order, in which the last word counts. The file tells what has come back that way by a mark: the rest is shared
 * again after a crash.
 *
 *     record, refresh ──▶ the outlet ──▶ the room's order ──▶ note: with the mark
 *
 * @module
 */

import { messageOf } from "../../base/error_reason.ts";
import { GROWS, type LineFile } from "../../base/line_file.ts";
import { FileError } from "../../base/private_file.ts";
import { diagnostics } from "../diagnostics.ts";
import { type Happening, isApart } from "./happening.ts";

/** So much of what has happened is told to other servers at once: an invite with a note has up to a kilobyte. */
const MAX_SHARED = 256;

/** What is said where the file can't be used. */
const TROUBLE =
  "{why}. Until it can be used, changes of members, names, invites and bans are not kept, or not seen";

const logger = diagnostics("people");

/** A happening as the file has it. */
export type Written = Happening & {
  /** Whether it is known to all servers that share the room: it has come out of the room's order. */
  readonly shared?: true;
};

/** Is told what the other servers of a room are to know. */
export type SharedOutlet = (happenings: readonly Happening[]) => void;

/** What a journal is about. */
export interface Recorded {
  /** Takes over something that happened; it may have before. */
  apply(happening: Happening): void;
  /** Forgets all. */
  clear(): void;
  /** All that counts, in as few lines as it takes. @param all What the file says. */
  summary(all: readonly Happening[]): Happening[];
  /** How many lines that takes, or some more. */
  lines(): number;
}

/** What has happened, in a file. */
export class Journal implements Disposable {
  readonly #file: LineFile<Written>;
  readonly #recorded: Recorded;
  readonly #pending = new Set<Written>(); // not in the file yet
  readonly #unshared: Map<string, Happening> | undefined; // by `identity`; undefined for a server alone
  #outlet: SharedOutlet | undefined;
  #troubles: ReadonlySet<string> = new Set(); // said once, not every second
  #isUnderWay = false;
  #mayRewrite = true;

  /**
   * A journal in a file, of which nothing was read yet. It closes the file at its end.
   * @param isShared Whether other servers share the room.
   */
  constructor(
    file: LineFile<Written>,
    recorded: Recorded,
    isShared: boolean,
  ) {
    this.#file = file;
    this.#recorded = recorded;
    this.#unshared = isShared ? new Map() : undefined;
  }

  /**
   * Takes over all that the file says. @param mend Whether what a crash left of a line is dropped.
   * @throws {FileError} for a file that is damaged, or can't be read.
   */
  load(mend: boolean): void {
    for (const it of this.#file.added(mend)) this.#takeOver(it);
  }

  /** What was repaired when the file was opened. */
  get notice(): string | undefined {
    return this.#file.notice;
  }

  /** Whether all that has happened is in the file. */
  get isKept(): boolean {
    return this.#pending.size === 0;
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }

  /** Something happens, by itself. */
  record(happening: Happening): void {
    this.#recorded.apply(happening);
    this.add(happening);
    this.#track(happening);
    if (this.#unshared && isApart(happening)) this.#outlet?.([happening]);
  }

  /** Something happens that all servers which share the room know of at this place of its order. */
  note(happening: Happening): void {
    this.#recorded.apply(happening);
    this.#unshared?.delete(identity(happening));
    this.add(this.#marked(happening));
  }

  /** Has what happens by itself told to the other servers, first of all what they don't know yet. */
  share(outlet: SharedOutlet): void {
    this.#outlet = outlet;
    this.#hand([...this.#unshared?.values() ?? []]);
  }

  /** Has the other servers told, in pieces that pass between them. */
  #hand(happenings: readonly Happening[]): void {
    for (let at = 0; at < happenings.length; at += MAX_SHARED) {
      this.#outlet?.(happenings.slice(at, at + MAX_SHARED));
    }
  }

  /** Keeps in mind what the other servers are to be told. @returns Whether that is something they weren't to be told yet. */
  #track(written: Written): boolean {
    if (!this.#unshared || !isApart(written)) return false;
    const happening = plain(written);
    const key = identity(happening);
    const wasThere = this.#unshared.delete(key);
    if (written.shared) return false;
    this.#unshared.set(key, happening); // as the last one: their order counts
    return !wasThere;
  }

  /** As the file has it where all servers know it. */
  #marked(happening: Happening): Written {
    const isMarked = this.#unshared !== undefined && isApart(happening);
    return isMarked ? { ...happening, shared: true } : happening;
  }

  /** Something has happened, which is to be written down. */
  add(...happenings: readonly Written[]): void {
    for (const it of happenings) this.#pending.add(it);
  }

  /** It has not happened after all. */
  remove(...happenings: readonly Happening[]): void {
    for (const it of happenings) this.#pending.delete(it);
  }

  /** Something has changed that may yet be taken back: all that changes waits for `settle`. */
  begin(): void {
    this.#isUnderWay = true;
  }

  /** What has changed is as it is; writes it down as `tryToKeep` does. */
  settle(): void {
    this.#isUnderWay = false;
    this.tryToKeep();
  }

  /**
   * Writes down what has happened; between `begin` and `settle` that waits.
   * @throws {FileError} if that fails: the next call tries again.
   */
  keep(): void {
    if (this.#pending.size === 0 || this.#isUnderWay) return;
    this.#file.lock(); // or somebody takes half of it for what a crash left
    try {
      this.catchUp(); // so that none of one's own lines is read later, which would undo what came after it
      this.#file.add([...this.#pending]);
    } finally {
      this.#file.unlock();
    }
    this.#pending.clear();
    if (this.#file.isStale(this.#recorded.lines())) this.rewrite();
  }

  /** As `keep`; what fails is said, and tried again with the next change. */
  tryToKeep(): void {
    try {
      this.keep();
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      logger.error(TROUBLE, { why: error.message });
    }
  }

  /** Writes down what isn't yet, and takes over what another process has added, as far as that can be done. */
  look(): void {
    const keeping = this.#attempt(() => this.keep());
    const reading = this.catchUp();
    this.#troubles = new Set([...keeping, ...reading]);
  }

  /** Takes over what another process has added, if the file can be read. @returns What went wrong, if it did. */
  catchUp(): string[] {
    return this.#attempt(() => this.#refresh());
  }

  /** Tries something, and says what goes wrong. @returns What went wrong, if it did. */
  #attempt(step: () => void): string[] {
    try {
      step();
      return [];
    } catch (error) {
      const why = messageOf(error);
      if (!this.#troubles.has(why)) logger.error(TROUBLE, { why });
      this.#troubles = new Set([...this.#troubles, why]);
      return [why];
    }
  }

  #refresh(): void {
    const added = this.#file.added();
    if (added.length === 0) return;
    const news = added.filter((it) => this.#takeOver(it));
    for (const it of this.#pending) this.#recorded.apply(plain(it)); // will be written after it, and so has the last word
    this.#hand(news.map(plain));
  }

  /** Takes over what the file says. @returns Whether the other servers are to be told. */
  #takeOver(written: Written): boolean {
    this.#recorded.apply(plain(written));
    return this.#track(written);
  }

  /** Writes the file anew. Where its folder is read-only, or it is mounted by itself, it can only be added to, which does too. */
  rewrite(): void {
    if (!this.#mayRewrite) return;
    try {
      this.#replace();
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.#mayRewrite = false;
      logger.warn(
        GROWS,
        { why: error.message },
      );
    }
  }

  #replace(): void {
    this.#file.lock();
    try {
      this.#refresh();
      this.#write(this.#recorded.summary(this.#file.all()));
    } finally {
      this.#file.unlock();
    }
  }

  /** Has the file say a state, and what others are still to be told of it. @throws {FileError} */
  #write(state: readonly Happening[]): void {
    const unshared = this.#unshared?.values() ?? [];
    const marked = state.map((it) => this.#marked(it));
    this.#file.rewrite([...marked, ...unshared]);
  }

  /** All that counts. @throws {FileError} if the file can't be read. */
  state(): Happening[] {
    this.#file.lock();
    try {
      this.#refresh();
      return this.#recorded.summary([...this.#file.all(), ...this.#pending]);
    } finally {
      this.#file.unlock();
    }
  }

  /**
   * Has a state in the place of all that was, but for what the other servers don't know yet.
   * @throws {FileError} if it can't be written down.
   */
  replace(state: readonly Happening[]): void {
    this.#file.lock();
    try {
      this.#refresh();
      this.#write(state);
      this.#pending.clear();
      this.#recorded.clear();
      for (const it of state) this.#recorded.apply(it);
      for (const it of this.#unshared?.values() ?? []) this.#recorded.apply(it);
    } finally {
      this.#file.unlock();
    }
  }
}

/** A happening without its mark. */
function plain({ shared: _shared, ...happening }: Written): Happening {
  return happening;
}

/** What two tellings of the same happening have in common, whatever the order of their fields. */
function identity(happening: Happening): string {
  return JSON.stringify(Object.entries(happening).sort());
}
