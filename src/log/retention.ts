/**
 * How long the log is kept: its oldest files go, whole, once they are due. Where there is an archive, they are copied there
 * first.
 *
 *     chat.log.3     chat.log.2     chat.log.1     chat.log
 *     ── due ──▶ said, and an hour later ──▶ FOLDER/chat.log.000000001-000005000 ──▶ deleted
 *
 * A clock that is ahead makes all old at once. So what is due by its age is said first, and goes if it still is some time
 * later. Wherever this stops, the log has all lines, or just begins later.
 *
 * @module
 */

import { archiveTo } from "./archive.ts";
import {
  type Due,
  DueFiles,
  type FiledLog,
  type Keep,
  nameOf,
  namesOf,
  PARTS,
  rangeOf,
} from "./due_files.ts";
import { LogError, type LogFile } from "./file.ts";

/** How often is looked, ms. */
const PERIOD = 10_000;
/** How long a file is due before it goes, ms at most. */
const MAX_GRACE = 3_600_000;
/** How long nothing is tried again that failed, ms. */
const RETRY_PAUSE = 600_000;

/** The log, as what deletes of it sees it. */
export interface RetainedLog extends FiledLog {
  /** Has another file begin, if that can be done now. */
  beginAnother(): Promise<void>;
  /** Whether one can be deleted now: not while lines in files are being counted for the chain, which then is seen to. */
  mayDelete(): boolean;
  /** Deletes one, if it is the oldest, and that can be done. @returns Whether it was. @throws {LogError} */
  deleteOldest(file: LogFile): Promise<boolean>;
}

/** What is to be kept, and where the rest goes. */
export interface RetentionOptions {
  /** How much is kept. */
  readonly keep: Keep;
  /** A folder for what is deleted; left out where it isn't wanted any more. */
  readonly archive?: string | undefined;
  /** Is told, in one sentence each, what is due, what was deleted, and what failed. */
  readonly onNotice: (text: string) => void;
  /** The time, ms since 1970. Default: the system's. */
  readonly now?: () => number;
  /** A time that nobody sets, ms. Default: `performance.now`. */
  readonly uptime?: () => number;
}

/** Deletes what is no longer kept of a log. */
export class Retention implements AsyncDisposable {
  readonly #log: RetainedLog;
  readonly #options: RetentionOptions;
  readonly #now: () => number;
  readonly #uptime: () => number;
  readonly #due: DueFiles;
  #since = new Map<LogFile, number>(); // of those that are due, by `#uptime`
  #failedAt = -Infinity; // by `#uptime`
  #looking: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Deletes nothing before `look` is called. */
  constructor(log: RetainedLog, options: RetentionOptions) {
    this.#log = log;
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#due = new DueFiles(log, options.keep, this.#now);
    this.#uptime = options.uptime ?? (() => performance.now());
  }

  /** Looks at once, and then every ten seconds, or more often for a short age, until it is disposed of. */
  watch(): void {
    const { keep } = this.#options;
    const period = "age" in keep
      ? Math.min(PERIOD, keep.age / PARTS / 2)
      : PERIOD;
    void this.look(); // which rejects for a fault of this program alone
    this.#timer = setInterval(() => void this.look(), period);
  }

  /** Looks no more; resolves when nothing is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  /** Begins another file if this one is old enough, and deletes what is due for long enough. What fails is told. */
  look(): Promise<void> {
    return this.#looking = this.#looking.then(() => this.#look()).catch(
      (error) => {
        if (!(error instanceof LogError)) throw error;
        this.#failedAt = this.#uptime();
        this.#options.onNotice(
          `${error.message}. It is tried again in 10 minutes`,
        );
      },
    );
  }

  async #look(): Promise<void> {
    if (this.#uptime() - this.#failedAt < RETRY_PAUSE) return;
    if (await this.#due.isFull()) await this.#log.beginAnother();
    const ripe = this.#ripe(await this.#due.find());
    if (ripe.length === 0 || !this.#log.mayDelete()) return;
    for (const due of ripe) {
      if (!await this.#delete(due)) return;
    }
  }

  /** Those that are due for long enough; says which are due since now. */
  #ripe(all: readonly Due[]): readonly Due[] {
    const { keep, onNotice } = this.#options;
    if (!("age" in keep)) return all;
    const grace = Math.min(MAX_GRACE, keep.age / PARTS);
    const uptime = this.#uptime();
    const fresh = all.filter(({ file }) => !this.#since.has(file));
    this.#since = new Map(
      all.map(({ file }) => [file, this.#since.get(file) ?? uptime]),
    );
    if (fresh.length > 0) {
      const now = new Date(this.#now()).toISOString().replace(/:\d\d\..*/, "Z");
      onNotice(
        `Due to be deleted in ${spanOf(grace)}, by the clock (${now}): ${
          rangeOf(fresh)
        }, in ${
          namesOf(fresh)
        }. If the clock is wrong, set it right or stop the server before`,
      );
    }
    const ripe = (file: LogFile) =>
      uptime - (this.#since.get(file) ?? uptime) >= grace;
    const end = all.findIndex(({ file }) => !ripe(file));
    return end < 0 ? all : all.slice(0, end);
  }

  /** @returns Whether it was deleted. @throws {LogError} if it can't be archived or deleted. */
  async #delete(due: Due): Promise<boolean> {
    const { archive, onNotice } = this.#options;
    const { file, until } = due;
    const target = archive && `${archive}/${archiveName(due)}`;
    if (target) {
      using opened = await this.#log.openFile(file).catch((cause) => {
        throw new LogError("read", file.path, cause);
      });
      if (opened) await archiveTo(opened, target);
    }
    if (!await this.#log.deleteOldest(file)) return false;
    const day = until === undefined
      ? ""
      : `, until ${new Date(until).toISOString().slice(0, 10)}`;
    const copied = target ? `; ${target} has them` : "";
    onNotice(`Deleted ${nameOf(file)}: ${rangeOf([due])}${day}${copied}`);
    return true;
  }
}

/** A span of time in words. @param ms Six seconds to an hour. */
function spanOf(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  return minutes < 1
    ? `${Math.round(ms / 1_000)} s`
    : minutes === 1
    ? "a minute"
    : `${minutes} minutes`;
}

/** What a file is called in the archive: its name changes with each rotation, and the numbers of its lines don't. */
function archiveName({ file, last }: Due): string {
  const name = nameOf(file).replace(/\.\d+$/, "");
  const [from, to] = [file.first, last].map((it) => `${it}`.padStart(9, "0"));
  return `${name}.${from}-${to}`;
}
