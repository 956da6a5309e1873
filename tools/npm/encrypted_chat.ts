/**
 * The command of the npm package, which Node runs: `encrypted-chat server`, `client`, `invite`, `log`. It starts the
 * program by the Deno that npm has installed beside it, with the permissions of the task, and is not noticed from then
 * on: the terminal is the program's, signals are passed on, and it ends as the program does.
 *
 * `tools/pack.ts` bundles it to plain JavaScript, and puts in how each program is run.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { constants } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { didYouMean } from "../../src/base/nearest.ts";
import {
  packageCommand,
  usageSentence,
  VERSION,
} from "../../src/base/program.ts";
import type { TaskRun } from "../run_flags.ts";

/** What `encrypted-chat WORD` runs. */
export interface PackedTask extends TaskRun {
  /** What it does, for the help. */
  readonly about: string;
}

/** By their words; the programs' files are paths from the package's folder. */
declare const TASKS: Readonly<Record<string, PackedTask>>;

/** What ends a program, or tells it something, and doesn't reach it by itself where it is sent to this process alone. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;
/** Exit codes: something is missing; wrong usage. */
const FAILED = 1;
const MISUSED = 2;
/** How often to look whether the shell of npx is there, ms. */
const LOOK_EVERY = 500;
/** A shell's exit code for a program that a signal has ended, less the signal's number. */
const SIGNALLED = 128;

function help(): string {
  const width = Math.max(...Object.keys(TASKS).map((word) => word.length)) + 2;
  const rows = Object.entries(TASKS).map(([word, { about }]) =>
    `  ${word.padEnd(width)}${about}\n`
  );
  const command = packageCommand(process.env["npm_command"]);
  return `Usage: ${command} COMMAND [ARGUMENTS]\n\n` +
    "An encrypted group chat for people who run their own server.\n\n" +
    `Commands:\n${rows.join("")}\n` +
    `${command} COMMAND --help shows what each takes.\n`;
}

/** Says why nothing is started, or what could be. @returns The exit code. */
function refuse(text: string, code: number): number {
  process.stderr.write(`${text}\n`);
  return code;
}

/** The Deno that npm has installed. @throws {Error} if it has none for this system, or left it out. */
function findDeno(): string {
  const require = createRequire(import.meta.url);
  return require("deno/install_api.cjs").runInstall();
}

/** In quotes, and without what stands after a "#": in a link that is a key. */
function quoted(text: string): string {
  return JSON.stringify(text.replace(/#.+/s, "#…"));
}

function cannotStart(reason: unknown): string {
  const [why = ""] = String(reason instanceof Error ? reason.message : reason)
    .split("\n");
  const { platform, arch } = process;
  return `Cannot start Deno, which this package needs and has for Linux with glibc, macOS and Windows, on x64 and arm64: npm has installed none that runs here, on ${platform} ${arch} (${why}).`;
}

/** Passes signals on. Ctrl-C at a terminal, and all that Windows has, goes to every process by itself. */
function passSignals(child: ChildProcess): void {
  for (const signal of SIGNALS) {
    const isShared = process.platform === "win32" ||
      signal === "SIGINT" && process.stdin.isTTY;
    process.on(signal, () => isShared || child.kill(signal));
  }
}

/**
 * Ends the program when the shell is gone in which npx runs this command: where npx is told to end, its shell does so
 * and passes nothing on.
 */
function followShell(child: ChildProcess): void {
  const { env, ppid: shell } = process;
  if (env["npm_command"] !== "exec") return; // a shell of one's own may end, and leave this behind
  const look = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(look);
    child.kill("SIGTERM");
  }, LOOK_EVERY);
  look.unref();
}

/** Ends as the program has ended. */
function endAs(code: number | null, signal: NodeJS.Signals | null): void {
  if (signal === null) process.exit(code ?? FAILED);
  process.exitCode = SIGNALLED + constants.signals[signal]; // where the signal ends nothing
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/**
 * What the environment is to Deno. It asks its own site for a newer version otherwise, and says so, though npm brings another
 * when there is one; and what Node loads at its start, it would load, too, with the program's permissions.
 */
const SET = { DENO_NO_UPDATE_CHECK: "1", NODE_OPTIONS: "" };

/** Starts a program. @param args What it is told. */
function start({ flags, file, args: first }: PackedTask, args: string[]): void {
  const program = fileURLToPath(new URL(file, import.meta.url));
  const child = spawn(
    findDeno(),
    ["run", ...flags, program, ...first, ...args],
    { stdio: "inherit", env: { ...process.env, ...SET } },
  );
  passSignals(child);
  followShell(child);
  child.on("error", (error) => {
    process.exitCode = refuse(cannotStart(error), FAILED);
  });
  child.on("exit", endAs);
}

function main([word = "", ...args]: string[]): number | undefined {
  const task = Object.hasOwn(TASKS, word) ? TASKS[word] : undefined;
  if (word === "--version") process.stdout.write(`encrypted-chat ${VERSION}\n`);
  else if (word === "--help") process.stdout.write(help());
  else if (word === "") return refuse(help().trimEnd(), MISUSED);
  else if (task) {
    try {
      start(task, args);
    } catch (error) {
      return refuse(cannotStart(error), FAILED);
    }
    return undefined;
  } else {
    const near = didYouMean(word, Object.keys(TASKS));
    const sentence = `Unknown command ${quoted(word)}${near}`;
    return refuse(usageSentence(sentence), MISUSED);
  }
  return 0;
}

process.exitCode = main(process.argv.slice(2));
