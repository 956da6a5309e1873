/**
 * The real programs as processes, as the tasks in `deno.json` start them: what they have written, and waiting for
 * more of it.
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };
import { assert, assertEquals } from "./assert.ts";
import { runToEnd } from "./command.ts";
import { byLines, Process } from "./process.ts";
import { Watch } from "./watch.ts";

/** The programs that a task starts. */
export type Task = "server" | "client" | "log";

const PROJECT = new URL("../../", import.meta.url);

/** What the runtime is given so that it loads one of the modules beside this one first. */
function preload(file: string): readonly string[] {
  return ["--preload", new URL(file, import.meta.url).href];
}

/** A program goes by the clock of its folder. */
export const OTHER_CLOCK: readonly string[] = preload("other_clock.ts");

/** A program's timers end early. */
export const FAST_TIMERS: readonly string[] = preload("fast_timers.ts");

/** A program's disk is as slow as its folder says. */
export const SLOW_DISK: readonly string[] = preload("slow_disk.ts");

/** A client offers a file no further than its folder says. */
export const HELD_FILE: readonly string[] = preload("held_file.ts");

/**
 * The words that start a task's program from anywhere, as `deno.json` has them: with the same permissions.
 * @param root The folder of the programs, where not this project's.
 */
export function taskWords(task: Task, root: URL = PROJECT): string[] {
  const [deno, ...words] = config.tasks[task].command.split(" ");
  assertEquals(deno, "deno", `the task "${task}" starts something else`);
  const file = task === "client" ? "client.ts" : "server.ts";
  const program = new URL(file, root).href;
  assert(words.includes(file), `the task "${task}" runs another file`);
  return [
    Deno.execPath(),
    ...words.map((word) => word === file ? program : word),
  ];
}

/** The same for a shell: each word in quotes. */
export function shellCommand(task: Task): string {
  return taskWords(task).map((word) => `'${word}'`).join(" ");
}

/** Where the runtime keeps what it has compiled and fetched: found by HOME, which the programs get their own of. */
export const cacheFolder: () => Promise<string> = (() => {
  let folder: Promise<string> | undefined;
  return () => folder ??= findCacheFolder();
})();

async function findCacheFolder(): Promise<string> {
  const { stdout } = await runToEnd([Deno.execPath(), "info", "--json"]);
  return JSON.parse(stdout).denoDir;
}

/** How a program is started. */
export interface ProgramOptions {
  /** What follows the task's command. */
  readonly args?: readonly string[];
  /** The working folder. */
  readonly cwd: string;
  /** The folder below which the person's own files are; programs that share it share an identity. */
  readonly home: string;
  /** A command that starts it, in front of its own, where not the system. */
  readonly prefix?: readonly string[] | undefined;
  /** Options of the runtime's, besides the task's. */
  readonly runtime?: readonly string[] | undefined;
  /** The folder of the programs, where not this project's. */
  readonly root?: URL | undefined;
  /** When it is ended at the latest, ms. Default: as `Watch` has it. */
  readonly deadline?: number | undefined;
  /** More variables of the environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** The words that start a task's program, and its environment. */
export async function programCommand(
  task: Task,
  { args = [], cwd, home, prefix = [], runtime = [], root, env }:
    ProgramOptions,
): Promise<{ words: string[]; env: Record<string, string> }> {
  const [deno = "", run = "", ...command] = taskWords(task, root);
  return {
    words: [...prefix, deno, run, ...runtime, ...command, ...args],
    env: {
      HOME: home,
      APPDATA: home,
      XDG_CONFIG_HOME: "",
      NO_COLOR: "1",
      INIT_CWD: cwd, // or paths would count from where the tests were called
      DENO_DIR: await cacheFolder(),
      "ALL_PROXY": "",
      "all_proxy": "",
      ...env,
    },
  };
}

/** A program that runs, and all that it has written. Ended at the latest when the test is over. */
export class Program implements AsyncDisposable {
  /** Every line so far, without its line feed. */
  readonly stdout: string[] = [];
  /** Every line so far, without its line feed. */
  readonly stderr: string[] = [];
  readonly #process: Process;
  readonly #watch: Watch;
  readonly #code: Promise<number>;
  #late = false;

  /** Starts a command. */
  constructor(
    words: readonly string[],
    { cwd, env, deadline }: {
      readonly cwd?: string;
      readonly env?: Readonly<Record<string, string>>;
      readonly deadline?: number | undefined;
    } = {},
  ) {
    const late = () => {
      this.#late = true;
      this.kill("SIGKILL");
    };
    this.#watch = new Watch(() => this.transcript, late, deadline);
    const keep = (lines: string[]) => {
      const split = byLines((line) => lines.push(line));
      return (piece: string | null) => {
        split(piece);
        this.#watch.changed();
      };
    };
    const [stdout, stderr] = [keep(this.stdout), keep(this.stderr)];
    this.#process = new Process(words, { cwd, env, stdout, stderr });
    this.#code = this.#run();
  }

  /** Starts a task's program. */
  static async run(task: Task, options: ProgramOptions): Promise<Program> {
    const { words, env } = await programCommand(task, options);
    const { cwd, deadline } = options;
    return new Program(words, { cwd, env, deadline });
  }

  /** The process's number. */
  get pid(): number {
    return this.#process.pid;
  }

  /** All that it wrote, for messages. */
  get transcript(): string {
    const [out, err] = [this.stdout, this.stderr].map((lines) =>
      lines.slice(-20).map((line) => `    ${line}\n`).join("")
    );
    return `  on stdout (the last of ${this.stdout.length} lines):\n${out}` +
      `  on stderr (the last of ${this.stderr.length} lines):\n${err}`;
  }

  async #run(): Promise<number> {
    const code = await this.#process.ended;
    this.#watch.end(`never came, and the program has ended with code ${code}`);
    return code;
  }

  /** Waits until something is found in what it has written. @param what For the message of a failure. */
  until<T>(what: string, find: () => T | undefined): Promise<T> {
    return this.#watch.until(what, find);
  }

  /** Waits for a line, on stdout or stderr, that matches. */
  line(pattern: RegExp): Promise<RegExpExecArray> {
    return this.until(String(pattern), () => {
      for (const line of [...this.stdout, ...this.stderr]) {
        const match = pattern.exec(line);
        if (match) return match;
      }
      return undefined;
    });
  }

  /** Writes a text to its input; resolves when the pipe has taken all of it. */
  write(text: string): Promise<void> {
    return this.#process.write(text);
  }

  /** Types lines. */
  async type(...lines: readonly string[]): Promise<void> {
    await this.write(lines.map((line) => `${line}\n`).join(""));
  }

  /** Ends its input, as Ctrl-D does. */
  endInput(): Promise<void> {
    return this.#process.endInput();
  }

  /** Sends it a signal; does nothing if it has ended. */
  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /**
   * Waits for its end. @returns The exit code, when all that it wrote has been read.
   * @throws {Error} if it had to be ended at the deadline.
   */
  async finished(): Promise<number> {
    const code = await this.#code;
    if (!this.#late) return code;
    throw new Error(`Cannot wait for the end any longer\n${this.transcript}`);
  }

  /** Ends it at once, if it runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    using _watch = this.#watch;
    await this.#process[Symbol.asyncDispose]();
    await this.#code;
  }
}
