/**
 * Reads a log from its first line to its last, of an open room or a sealed one: each line as it was said, or with why not,
 * and what doesn't fit between them.
 *
 *     files ──▶ numbered as members know them ──▶ opened, some pieces ahead ──▶ judged, in order ──▶ told
 *
 * @module
 */

import { equalBytes } from "../../../crypto_utils.ts";
import type { LogFile } from "../../log/file.ts";
import type { ReadFiles } from "../../log/read_files.ts";
import type { HeardLine } from "../../protocol/changes.ts";
import { isChange, type LogEntry, mayChange } from "../../protocol/line.ts";
import { RecentLines } from "../../protocol/recent_lines.ts";
import type { ControlRecord } from "../../sealed/control_record.ts";
import { LineReader } from "../../sealed/line_reader.ts";
import type { Opened } from "../../sealed/opener.ts";
import type { RoomKeys } from "../../sealed/room_keys.ts";
import { StayNumbers } from "../../sealed/stay_numbers.ts";
import { LogChain, type Unseen } from "./log_chain.ts";

/** Pieces that are opened ahead. */
const AHEAD = 4;

/** What is read. */
export type Read =
  | { readonly kind: "line"; readonly line: HeardLine }
  /** Lines aren't what `name`, who said a later one, saw. */
  | Unseen & { readonly kind: "unseen"; readonly name: string }
  | Moved
  /** A file begins after other lines than those that are before it. */
  | { readonly kind: "broken"; readonly path: string; readonly first: number };

/** By the control lines, so many lines are missing before one; or, below 0, were put in. */
export interface Moved {
  /** Tells it from the others. */
  readonly kind: "moved";
  /** The number of that line. */
  readonly line: number;
  /** How many. */
  readonly by: number;
}

/** A sealed room's control lines and keys. */
export interface SealedLog {
  /** The control lines, checked. */
  readonly record: ControlRecord;
  /** The content keys. */
  readonly keys: RoomKeys;
}

/** Some lines that are being opened. */
interface Piece {
  /** What the first of them shows. */
  readonly moved: Moved | undefined;
  readonly lines: readonly LogEntry[];
  readonly opened: Promise<readonly (Opened | undefined)[]>;
}

/** A log. */
export class LogLines {
  readonly #files: ReadFiles;
  readonly #sealed: SealedLog | undefined;
  readonly #reader: LineReader | undefined;
  readonly #stays = new StayNumbers();
  readonly #recent = new RecentLines();
  readonly #control = new Map<string, number>(); // the numbers of control lines, by their texts
  #chain = new LogChain(undefined);
  #shift = 0; // how many lines are missing
  #shiftBefore = 0; // how many were, before the last known control line
  #lastRuled = 0; // the number of the last known control line that was read: what is known as it, or one before, is a copy

  /**
   * Nothing is read yet.
   * @param files The log's. @param sealed What a sealed room's lines are opened with; undefined for an open room.
   */
  constructor(files: ReadFiles, sealed: SealedLog | undefined) {
    this.#files = files;
    this.#sealed = sealed;
    if (!sealed) return;
    this.#reader = new LineReader(sealed.record, sealed.keys);
    for (const { seq, text } of sealed.record.entries) {
      this.#control.set(text, seq);
    }
  }

  /** The lines that were said lately, as they are by now. */
  get recent(): RecentLines {
    return this.#recent;
  }

  /** Reads all of it, to be told in that order before the next is read. @throws {LogError} if a file can't be read. */
  async *read(): AsyncGenerator<Iterable<Read>> {
    for (const [at, file] of this.#files.list.entries()) {
      yield this.#begin(file, at === 0);
      yield* this.#readFile(file);
    }
  }

  /** The line of that number, opened; undefined if there is none, or it doesn't fit. @throws {LogError} */
  async line(seq: number): Promise<HeardLine | undefined> {
    const raw = await this.#files.line(seq);
    if (!raw || !this.#reader) return raw;
    const [line] = await this.#reader.read([raw], {
      fits: () => true,
      seenDiffers: () => undefined,
    });
    return line?.wrong === undefined ? line : undefined;
  }

  #begin(
    { first, valueBefore: value, path }: LogFile,
    isFirst: boolean,
  ): Read[] {
    const seq = first - 1;
    const before = this.#chain.valueBefore(first);
    this.#shift = this.#shiftBefore = 0;
    if (!value && !isFirst) return [];
    this.#chain = new LogChain(value && { seq, value }, seq);
    const isBroken = before && value && !equalBytes(before, value);
    return isBroken ? [{ kind: "broken", path, first }] : [];
  }

  async *#readFile(file: LogFile): AsyncGenerator<Iterable<Read>> {
    const ahead: Piece[] = [];
    for await (const lines of this.#files.lines(file)) {
      for (const some of this.#apart(lines)) {
        const moved = await this.#ruled(some[0]);
        const numbered = this.#shift === 0
          ? some
          : some.map((line) => ({ ...line, seq: line.seq + this.#shift }));
        const opened = this.#reader?.open(numbered) ?? Promise.resolve([]);
        opened.catch(() => {}); // whoever waits for it is told
        ahead.push({ moved, lines: numbered, opened });
        if (ahead.length > AHEAD) yield await this.#tell(ahead.shift());
      }
    }
    while (ahead[0]) yield await this.#tell(ahead.shift());
  }

  /** Lines in runs, each of which may begin with a control line. */
  #apart(lines: readonly LogEntry[]): LogEntry[][] {
    const runs: LogEntry[][] = [];
    for (const line of lines) {
      const last = runs.at(-1);
      if (last && line.what !== "ruled") last.push(line);
      else runs.push([line]);
    }
    return runs;
  }

  /** Takes a control line: its number is known, or it is the next. @returns Where lines turn out to be missing. */
  async #ruled(line: LogEntry | undefined): Promise<Moved | undefined> {
    if (line?.what !== "ruled" || !this.#sealed) return undefined;
    const entry = { ...line, seq: line.seq + this.#shift };
    const known = this.#control.get(line.text);
    if (known === undefined) {
      await this.#sealed.record.follow(entry); // comes after all that are known
      return undefined;
    }
    const isSame = this.#sealed.record.find(known)?.at === line.at;
    if (!isSame || known < this.#lastRuled) return undefined;
    let by = known - entry.seq;
    if (known === this.#lastRuled) {
      // The one before was a copy, if this one stands where the line belongs but for that.
      const shift = this.#shiftBefore - 1;
      const isIt = this.#shift !== this.#shiftBefore &&
        line.seq + shift === known;
      if (!isIt) return undefined;
      by = shift - this.#shift;
    } else this.#shiftBefore = this.#shift;
    this.#lastRuled = known;
    if (by === 0) return undefined;
    this.#shift += by;
    return { kind: "moved", line: known, by };
  }

  async #tell(piece: Piece | undefined): Promise<Iterable<Read>> {
    return piece ? this.#told(piece, await piece.opened) : [];
  }

  /** One after the other, each once the one before is told: it may change that. */
  *#told(
    { moved, lines }: Piece,
    opened: readonly (Opened | undefined)[],
  ): Generator<Read> {
    if (moved) {
      this.#chain.renumbered(moved.by);
      yield moved;
    }
    for (const [at, raw] of lines.entries()) {
      const unseen: Read[] = [];
      const line = this.#judge(raw, opened[at], unseen);
      this.#chain.add(raw);
      yield* unseen;
      yield { kind: "line", line };
      if (line.wrong === undefined) this.#recent.add({ line });
    }
  }

  /** @param unseen Takes what its sender saw otherwise. */
  #judge(raw: LogEntry, opened: Opened | undefined, unseen: Read[]): HeardLine {
    if (!this.#reader) return this.#changed(raw);
    const line = this.#reader.judge(raw, opened, {
      fits: (it) => {
        if (!this.#stays.fits(it)) return false;
        this.#stays.note(it);
        return true;
      },
      seenDiffers: (seen) => {
        const other = this.#chain.check(seen, raw);
        const { name } = opened?.state === "opened" ? opened.line : raw;
        if (other) unseen.push({ kind: "unseen", name, ...other });
        return false; // it is what its sender said, whatever became of others
      },
    });
    return this.#changed(line);
  }

  /** A line, if it changes one that its author may change, as far as that one is known. */
  #changed(line: HeardLine): HeardLine {
    if (line.wrong !== undefined || !isChange(line)) return line;
    const about = this.#recent.find(line.to)?.line;
    const isWrong = about && !mayChange(line, about);
    return isWrong ? { ...line, wrong: "change-wrong" } : line;
  }
}
