/**
 * The processes of a benchmark: the server, with its folder and its processor, and the load with the others.
 * Knows what they are called with, and nothing of what they do.
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };
import { parseInvite } from "../../src/keys/invite.ts";
import { TextLineStream } from "../../src/base/std.ts";
import type { Findings, Job, Place } from "./job.ts";

/** How long a server may take to listen, and to stop, ms. */
const START_TIME = 30_000;
const STOP_TIME = 5_000;

/** Which processors the two sides use: words to put before a command. */
export interface Pinning {
  readonly server: readonly string[];
  readonly load: readonly string[];
  /** The same for people. */
  readonly description: string;
}

/** Whether a command is there and ends well. */
export async function succeeds(
  command: string,
  args: string[],
): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(command, { args }).output();
    return success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The server on processor 0 and the load on the others, where the system can do that. */
export async function pinning(): Promise<Pinning> {
  const last = navigator.hardwareConcurrency - 1;
  const others = last > 1 ? `1-${last}` : "1";
  const pinned = ["taskset", "--cpu-list"];
  const possible = last > 0 &&
    await succeeds("taskset", ["--cpu-list", `0,${others}`, "true"]);
  if (!possible) {
    const description = "server and load on any processor: they aren't pinned";
    return { server: [], load: [], description };
  }
  return {
    server: [...pinned, "0"],
    load: [...pinned, others],
    description: `server pinned to processor 0, load to ${others} (by taskset)`,
  };
}

/** The command that words are, as `Deno.Command` wants it. */
export function command(words: readonly string[]): [string, string[]] {
  const [program = "", ...args] = words;
  return [program, args];
}

/** The words of one of the two programs' tasks, as deno.json has them, to be run from anywhere. */
export function taskWords(task: "server" | "client"): string[] {
  const program = `${task}.ts`;
  const { href } = new URL(`../../${program}`, import.meta.url);
  const [, ...words] = config.tasks[task].command.split(" ");
  return [
    Deno.execPath(),
    ...words.map((word) => word === program ? href : word),
  ];
}

function serverWords(folder: string, flags: readonly string[]): string[] {
  return [
    ...taskWords("server"),
    ...["--host", "127.0.0.1", "--port", "0"],
    ...["--log", `${folder}/chat.log`, "--key-file", `${folder}/chat.key`],
    ...flags,
  ];
}

/** How else a server is to be started. */
export interface StartOptions {
  /** What its log holds before. */
  readonly log?: ReadableStream<Uint8Array>;
  /** Whether what it tells its owner goes nowhere. */
  readonly unheard?: boolean;
}

/** A server that is to be measured, in a process and a temporary folder of its own. */
export class Measured implements AsyncDisposable {
  /** Where its room is. */
  readonly place: Place;
  /** From the start of its process until it listened, ms. */
  readonly listenTime: number;
  readonly #child: Deno.ChildProcess;
  readonly #folder: string;

  /** Takes over a process and its folder. */
  constructor(
    child: Deno.ChildProcess,
    folder: string,
    place: Place,
    listenTime: number,
  ) {
    this.#child = child;
    this.#folder = folder;
    this.place = place;
    this.listenTime = listenTime;
  }

  /** The number of its process; taskset becomes what it starts. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Stops it and removes its folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    await end(this.#child);
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** Our server. */
export class ServerProcess extends Measured {
  /**
   * Starts a server with its defaults, but for these flags.
   * @param signal Ends it at once.
   * @throws {Error} where it doesn't come to listen.
   */
  static async start(
    { server: prefix }: Pinning,
    flags: readonly string[],
    signal: AbortSignal,
    { log, unheard = false }: StartOptions = {},
  ): Promise<ServerProcess> {
    const folder = await Deno.makeTempDir({ prefix: "chat-bench-" });
    const words = [...prefix, ...serverWords(folder, flags)];
    const [program, args] = command(words);
    if (log) await Deno.writeFile(`${folder}/chat.log`, log, { mode: 0o600 });
    const start = performance.now();
    const child = new Deno.Command(program, {
      args,
      signal,
      stdin: "null",
      stdout: "piped",
      stderr: unheard ? "null" : "inherit",
    }).spawn();
    try {
      const { link, at } = await readLink(child, signal);
      const place: Place = { kind: "chat", invite: link };
      return new ServerProcess(child, folder, place, at - start);
    } catch (error) {
      await end(child);
      await Deno.remove(folder, { recursive: true });
      throw error;
    }
  }
}

/** The link that a server prints, and when it said that it listens. */
async function readLink(
  child: Deno.ChildProcess,
  signal: AbortSignal,
): Promise<{ link: string; at: number }> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(START_TIME)]);
  const lines = child.stdout
    .pipeThrough(new TextDecoderStream(), { signal: limit })
    .pipeThrough(new TextLineStream());
  let at: number | undefined;
  for await (const line of lines) {
    if (line.startsWith("Listening")) at = performance.now();
    const link = /chat:\/\/[^']+/.exec(line)?.[0];
    if (at === undefined || link === undefined) continue;
    parseInvite(link);
    return { link, at };
  }
  throw new Error("Cannot start the server: it has ended");
}

/** Ends a process: asks, and where that doesn't help, doesn't ask. */
export async function end(child: Deno.ChildProcess): Promise<void> {
  const timer = setTimeout(() => kill(child, "SIGKILL"), STOP_TIME);
  kill(child, "SIGTERM");
  await child.status;
  clearTimeout(timer);
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // It has ended already.
  }
}

/** What the load process may do: on Linux it brings its own sockets. */
const LOAD_PERMISSIONS = Deno.build.os === "linux"
  ? ["--allow-ffi", "--allow-run=cat"]
  : ["--allow-net=127.0.0.1", "--allow-run=ps"];

/**
 * Does a job in a process of its own.
 * @param signal Ends it at once. @throws {Error} where it doesn't get to its end.
 */
export async function load(
  { load: prefix }: Pinning,
  job: Job,
  signal: AbortSignal,
): Promise<Findings> {
  const [program, args] = command([
    ...prefix,
    Deno.execPath(),
    "run",
    "--no-prompt",
    ...LOAD_PERMISSIONS,
    new URL("./driver.ts", import.meta.url).href,
    JSON.stringify(job),
  ]);
  const child = new Deno.Command(program, {
    args,
    signal,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const { success, stdout } = await child.output();
  signal.throwIfAborted();
  if (!success) throw new Error("Cannot go on: the load has failed");
  return JSON.parse(new TextDecoder().decode(stdout));
}
