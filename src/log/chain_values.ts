/**
 * The chain's values for the lines of the log. They are counted beside all else, so that nothing that is said waits for
 * them: when somebody asks for one, and in short slices with long rests when there are many to count.
 *
 *     chat.log.2 … chat.log ── counted over once after a start ──▶ chat.log.chain, every 1,024th value
 *     append ── the last 1,024 lines, in memory ──▶ the last 4,096 values ──▶ at(seq)
 *
 * All comes of what the files say now: where somebody changed them, so do the values, and those who saw the lines as
 * they were are warned by their clients.
 *
 * @module
 */

import { type Bytes, equalBytes } from "../../crypto_utils.ts";
import { messageOf } from "../base/error_reason.ts";
import { Notify } from "../base/notify.ts";
import { within } from "../base/timing.ts";
import { Chain } from "../protocol/chain.ts";
import type { LogEntry } from "../protocol/line.ts";
import { ChainFile, MARK_EVERY } from "./chain_file.ts";
import { LogError } from "./file.ts";

/** Lines that wait in memory until somebody asks for their values, or there are more of them. */
const MAX_UNCOUNTED = 256;
/** How long is counted at a time, ms; and how long not after that: so many times as long, and at least for a while. */
const SLICE = 1;
const RESTS = 60;
const LEAST_REST = 20;
/** How long it goes on without rest after a start, and how long somebody waits for that, ms. */
const HEAD_START = 1_000;
/** How long somebody waits for a value, ms: more would keep a client from coming in. */
const PATIENCE = 5_000;
/** How long it waits where a file can't be read, ms. */
const RETRY_PAUSE = 1_000;

/** Lines in files. */
export interface FiledLines {
  /** The number before the oldest line that is in a file, and its value, 32 bytes. */
  readonly start: readonly [number, Bytes];
  /** The lines after a number and up to another, in pieces. */
  past(after: number, upTo: number): AsyncGenerator<LogEntry[]>;
}

/** The lines for which values are counted. */
export interface ChainLines extends FiledLines {
  /** The number of the last line. */
  readonly head: number;
  /** The smallest number that `recent` takes. */
  readonly oldest: number;
  /** The lines after a number that are in memory. */
  recent(after: number): readonly LogEntry[];
  /** The last number up to `seq` whose value is in a file's heading, and that, 32 bytes; undefined for none. */
  heading(seq: number): readonly [number, Bytes] | undefined;
  /** Whether all files are there that have them. */
  have(after: number, upTo: number): Promise<boolean>;
}

/** Goes on along the lines in files. @returns The value for line `seq`, 32 bytes. @throws {LogError} */
export async function countTo(
  chain: Chain,
  lines: FiledLines,
  seq: number,
): Promise<Bytes> {
  for await (const entries of lines.past(chain.seq, seq)) {
    for (const entry of entries) chain.add(entry);
  }
  chain.skipTo(seq);
  return chain.value;
}

/**
 * The value for the last line of files, of which some are in `PATH.chain`.
 * @param last Its number. @throws {LogError} if a file can't be read.
 */
export async function lastValue(
  path: string,
  lines: FiledLines,
  last: number,
): Promise<Bytes> {
  const [first, value] = lines.start;
  const ignored = () => {}; // it is counted without
  const file = await ChainFile.load(`${path}.chain`, first + 1, last, ignored);
  const marked = file.at(file.last);
  const chain = marked ? new Chain(file.last, marked) : new Chain(first, value);
  return await countTo(chain, lines, last);
}

/** Lines in files that are to be counted. */
interface Work {
  readonly from: number;
  readonly chain: Chain;
  readonly upTo: number;
  readonly pieces: AsyncGenerator<LogEntry[]>;
}

/** The values of a log. */
export class ChainValues {
  readonly #path: string;
  readonly #lines: ChainLines;
  readonly #file: ChainFile;
  readonly #notice: (text: string) => void;
  readonly #woken = new Notify(); // when there is more to count, or it is over
  readonly #counted = new Notify(); // when there are more values
  readonly #begun = Promise.withResolvers<void>(); // once the head start is over
  #live: Chain; // to the last line
  #check: Work | undefined; // over what was only read in the file
  #behind: Work | undefined; // towards the lines that are in memory
  #changedAt: number | undefined; // the number for which what was counted isn't what the file says
  #isPressed = false;
  #waiting = 0; // who waits for a value
  #running: Promise<void> | undefined;
  #hurry = () => {}; // ends a rest
  #isOver = false;

  private constructor(
    path: string,
    lines: ChainLines,
    file: ChainFile,
    notice: (text: string) => void,
  ) {
    this.#path = path;
    this.#lines = lines;
    this.#file = file;
    this.#notice = notice;
    const mark = file.last;
    const marked = file.at(mark);
    const [first, value] = lines.start;
    const all = this.#chain(first, value);
    this.#live = marked ? this.#chain(mark, marked) : all;
    if (marked) this.#check = this.#work(all, mark);
  }

  /**
   * The values of a log, of which some are in `PATH.chain`. Nothing is counted yet.
   * @param notice Is told, in one sentence each, what is wrong.
   */
  static async load(
    path: string,
    lines: ChainLines,
    notice: (text: string) => void,
  ): Promise<ChainValues> {
    const [first] = lines.start;
    const failed = (error: unknown) => {
      const what = new LogError("use", `${path}.chain`, error).message;
      notice(`${what}; the next start takes longer for it`);
    };
    const { head } = lines;
    const file = await ChainFile.load(
      `${path}.chain`,
      first + 1,
      head,
      failed,
    );
    return new ChainValues(path, lines, file, notice);
  }

  #chain(seq: number, value: Bytes): Chain {
    return new Chain(seq, value, (seq, it) => this.#mark(seq, it));
  }

  #work(chain: Chain, upTo: number): Work {
    const { seq: from } = chain;
    return { from, chain, upTo, pieces: this.#lines.past(from, upTo) };
  }

  #mark(seq: number, value: Bytes): void {
    if (seq % MARK_EVERY !== 0) return;
    const known = this.#file.at(seq);
    if (!known) this.#file.add(seq, value);
    else if (!equalBytes(known, value)) this.#changedAt ??= seq;
  }

  /** There are more lines. */
  wake(): void {
    if (this.#isDone) return;
    this.#running ??= this.#run();
    this.#woken.notify();
  }

  /** Whether lines are yet to be counted that are no longer in memory. */
  get isBehind(): boolean {
    return !this.#isOver && !this.#countMemory();
  }

  /** Whether nothing reads on in files for the lines that were there at the start, or that are no longer in memory. */
  get isCounted(): boolean {
    return this.#isOver || !this.#check && !this.isBehind;
  }

  /** The value for the last line, 32 bytes, if it can be told at once. */
  get last(): Bytes | undefined {
    if (this.#isOver || this.isBehind) return undefined;
    this.#isPressed = false;
    return this.#live.value;
  }

  /** Somebody can't go on without the value for the last line: it is counted without rest. */
  press(): void {
    this.#isPressed = true;
    this.wake();
    this.#hurry();
  }

  /**
   * The value for a line, 32 bytes; 32 zero bytes for number 0. Undefined where it can't be told: for a line that there
   * isn't yet, or isn't any more, and while so much is to be counted that it would take too long.
   */
  async at(seq: number): Promise<Bytes | undefined> {
    if (seq > this.#lines.head) return undefined;
    if (this.#check) {
      this.wake();
      await this.#begun.promise;
    }
    try {
      if (seq > this.#live.seq && !await this.#reach(seq)) return undefined;
      return this.#live.at(seq) ?? await this.#countTo(seq);
    } catch (error) {
      if (error instanceof LogError) return undefined; // for now
      throw error;
    }
  }

  /** Waits until the lines up to a number are counted. @returns Whether they are. */
  async #reach(seq: number): Promise<boolean> {
    return this.#countMemory() ||
      await this.#until(() => this.#countMemory() || this.#live.seq >= seq);
  }

  /**
   * Waits until the lines that were in files at the start are counted over, for some seconds. Before that a value may be
   * the one that was noted, and not the one of what the files say now.
   * @returns Whether they are.
   */
  async checked(): Promise<boolean> {
    return await this.#until(() => this.#check === undefined);
  }

  /** Has it count without rest until something holds. @returns Whether it does, in time. */
  async #until(holds: () => boolean): Promise<boolean> {
    const end = performance.now() + PATIENCE;
    this.#waiting++;
    this.wake();
    this.#hurry();
    try {
      while (!holds()) {
        const left = end - performance.now();
        if (this.#isOver || left <= 0) return false;
        await within(left, this.#counted.wait());
      }
      return true;
    } finally {
      this.#waiting--;
    }
  }

  /** The value for a line that was counted once, from the one that is noted before it. */
  async #countTo(seq: number): Promise<Bytes | undefined> {
    const [first, value] = this.#lines.start;
    const mark = seq - seq % MARK_EVERY;
    const marked = mark > first ? this.#file.at(mark) : undefined;
    return await this.#countFrom(marked ? mark : first, marked ?? value, seq) ??
      await this.#countFrom(
        ...this.#lines.heading(seq) ?? [seq + 1, value],
        seq,
      ); // where older files are gone
  }

  async #countFrom(
    start: number,
    value: Bytes,
    seq: number,
  ): Promise<Bytes | undefined> {
    if (seq < start || !await this.#lines.have(start, seq)) return undefined;
    const counted = await countTo(new Chain(start, value), this.#lines, seq);
    // A file that was deleted meanwhile may have been left out.
    return await this.#lines.have(start, seq) ? counted : undefined;
  }

  /** Counts up to the last line, if all that are missing are in memory. @returns Whether they are. */
  #countMemory(): boolean {
    const { head, oldest } = this.#lines;
    const live = this.#live;
    if (live.seq < oldest) return false;
    if (live.seq < head) {
      for (const entry of this.#lines.recent(live.seq)) live.add(entry);
      live.skipTo(head);
    }
    return true;
  }

  async #run(): Promise<void> {
    const end = performance.now() + HEAD_START;
    while (!this.#isOver) {
      const begin = performance.now();
      const isEarly = this.#check !== undefined && begin < end;
      const failed = await this.#slice().then(() => false, (error) => {
        this.#recover(error);
        return true;
      });
      if (!isEarly || !this.#check) this.#begun.resolve();
      this.#counted.notify();
      const took = performance.now() - begin;
      if (this.#isDone && !this.#isOver) await this.#woken.wait();
      const rest = isEarly ? 0 : Math.max(LEAST_REST, RESTS * took);
      await this.#rest(failed ? RETRY_PAUSE : rest, failed);
    }
    this.#begun.resolve();
    this.#counted.notify();
    for (const work of [this.#behind, this.#check]) {
      await work?.pieces.return(undefined);
    }
  }

  /** Whether there is nothing to do but what can be done when somebody asks. */
  get #isDone(): boolean {
    const { head, oldest } = this.#lines;
    const { seq } = this.#live;
    return !this.#check && seq >= oldest && head - seq <= MAX_UNCOUNTED;
  }

  /** Counts for a millisecond or so. */
  async #slice(): Promise<void> {
    if (!this.#countMemory()) {
      this.#behind ??= this.#work(this.#live, this.#lines.oldest);
      if (!await this.#advance(this.#behind)) return;
      this.#behind = undefined;
    }
    const check = this.#check;
    if (!check) return;
    const isOver = await this.#advance(check);
    const changed = this.#changedAt;
    if (changed === undefined && !isOver) return;
    // Where somebody has deleted a file meanwhile, there is nothing to compare with.
    if (changed !== undefined) {
      const isWhole = await this.#lines.have(check.from, changed);
      if (isWhole) this.#adopt(check.chain, changed);
    }
    this.#changedAt = this.#check = undefined;
    await check.pieces.return(undefined);
  }

  /** Goes on with what the log says now, from a value on that isn't as it was noted. */
  #adopt(chain: Chain, changed: number): void {
    this.#notice(
      `"${this.#path}" isn't as it was: it was changed before event ${changed}. Those who saw it as it was are warned`,
    );
    this.#file.cut(changed);
    for (let seq = changed; seq <= chain.seq; seq += MARK_EVERY) {
      const value = chain.at(seq);
      if (value) this.#file.add(seq, value);
    }
    this.#live = chain;
  }

  /** Counts lines in files. @returns Whether all of them are counted. */
  async #advance({ chain, upTo, pieces }: Work): Promise<boolean> {
    const start = performance.now();
    while (
      chain.seq >= upTo || // all but the end is read, which closes the file
      performance.now() - start < SLICE && this.#changedAt === undefined
    ) {
      const { done, value } = await pieces.next();
      if (done) {
        chain.skipTo(upTo);
        return true;
      }
      for (const entry of value) chain.add(entry);
    }
    return false;
  }

  /** Goes on after an error, where that is possible. */
  #recover(error: unknown): void {
    const why = messageOf(error);
    this.#notice(`Cannot count the chain's values: ${why}`);
    this.#behind = undefined;
    // What can't be read now may be later.
    if (!(error instanceof LogError)) this.#isOver = true;
    else if (this.#check) {
      this.#check = this.#work(this.#check.chain, this.#check.upTo);
    }
  }

  async #rest(ms: number, whole: boolean): Promise<void> {
    if (this.#isOver) return;
    const isHurried = this.#waiting > 0 || this.#isPressed;
    await new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(end, isHurried && !whole ? 0 : ms);
      this.#hurry = end;
    });
  }

  /** Counts no more. */
  async close(): Promise<void> {
    this.#isOver = true;
    this.#hurry();
    this.#woken.notify();
    await this.#running;
  }
}
