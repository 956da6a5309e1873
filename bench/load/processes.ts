/**
 * The processes of a benchmark: the server, with its folder and its processor, and the load with the others.
 *
 * @module
 */

import { formatInvite } from "../../src/keys/invite.ts";
import { findLocalInvite } from "../../src/keys/key_file.ts";
import type { Findings, Job, Place } from "./job.ts";
import { runToEnd, succeeds } from "../../tests/kit/command.ts";
import { Folder } from "../../tests/kit/folder.ts";
import { byLines, Process } from "../../tests/kit/process.ts";
import { taskWords } from "../../tests/kit/program.ts";
import { within } from "../../src/base/timing.ts";

/** How long a server may take to listen, ms. */
const START_TIME = 30_000;

/** Which processors the two sides use: words to put before a command. */
export interface Pinning {
  readonly server: readonly string[];
  readonly load: readonly string[];
  /** The same for people. */
  readonly description: string;
}

/** The server on processor 0 and the load on the others, where the system can do that. */
export async function pinning(): Promise<Pinning> {
  const last = navigator.hardwareConcurrency - 1;
  const others = last > 1 ? `1-${last}` : "1";
  const pinned = ["taskset", "--cpu-list"];
  const possible = last > 0 &&
    await succeeds("taskset", "--cpu-list", `0,${others}`, "true");
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

/**
 * A processor of its own for each of several servers, in turn; the load, and what is between them, on any.
 * @param prefix Words in front of its command.
 */
export function sharedPinning(
  { server }: Pinning,
  at: number,
  prefix: readonly string[] = [],
): Pinning {
  const processor = at % navigator.hardwareConcurrency;
  const pinned = server.length > 0
    ? [...server.slice(0, -1), `${processor}`]
    : [];
  return {
    server: [...prefix, ...pinned],
    load: [],
    description: server.length > 0
      ? "each server pinned to a processor, in turn; load and nats-server on any"
      : "servers, nats-server and load on any processor: they aren't pinned",
  };
}

function serverWords(folder: string, flags: readonly string[]): string[] {
  return [
    ...taskWords("server"),
    ...["--host", "127.0.0.1", "--port", "0"],
    ...["--log", `${folder}/chat.log`, "--key-file", `${folder}/chat.key`],
    ...["--people", `${folder}/chat.people`],
    ...["--control", `${folder}/chat.control`],
    ...flags,
  ];
}

/** How else a server is to be started. */
export interface StartOptions {
  /** What its log holds before. */
  readonly log?: ReadableStream<Uint8Array>;
  /** What its key file holds. Default: it makes one. */
  readonly key?: string | undefined;
  /** Whether what it tells its owner goes nowhere. */
  readonly unheard?: boolean;
}

/** What is to be measured: one server, or several that share a room. */
export interface Target extends AsyncDisposable {
  /** Where the room is. */
  readonly place: Place;
  /** From the start of the process, or of the first one, until it listened, ms. */
  readonly listenTime: number;
  /** The servers' processes. */
  readonly pids: readonly number[];
  /** nats-server's, where they share the room by it. */
  readonly natsPid?: number;
}

/** A server that is to be measured, in a process and a temporary folder of its own. */
export class Measured implements Target {
  /** Where its room is. */
  readonly place: Place;
  /** From the start of its process until it listened, ms. */
  readonly listenTime: number;
  readonly #process: Process;
  readonly #folder: Folder;

  /** Takes over a process and its folder. */
  constructor(
    process: Process,
    folder: Folder,
    place: Place,
    listenTime: number,
  ) {
    this.#process = process;
    this.#folder = folder;
    this.place = place;
    this.listenTime = listenTime;
  }

  /** The number of its process; taskset becomes what it starts. */
  get pid(): number {
    return this.#process.pid;
  }

  get pids(): readonly number[] {
    return [this.pid];
  }

  /** What a file in its folder holds. */
  read(name: string): Promise<string> {
    return Deno.readTextFile(this.#folder.file(name));
  }

  /** Stops it and removes its folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop();
    await this.#folder[Symbol.asyncDispose]();
  }
}

/** Our server. */
export class ServerProcess extends Measured {
  /**
   * Starts a server with its defaults, but for these flags.
   * @param signal Ends it at once.
   * @throws {Error} if it doesn't come to listen.
   */
  static async start(
    { server: prefix }: Pinning,
    flags: readonly string[],
    signal: AbortSignal,
    { log, key, unheard = false }: StartOptions = {},
  ): Promise<ServerProcess> {
    const folder = await Folder.make();
    const words = [...prefix, ...serverWords(folder.path, flags)];
    if (log) {
      await Deno.writeFile(folder.file("chat.log"), log, { mode: 0o600 });
    }
    if (key !== undefined) await folder.write("chat.key", key);
    const greeting = new Greeting();
    const start = performance.now();
    const process = new Process(words, {
      signal,
      stdout: byLines((line) => greeting.take(line)),
      ...(unheard ? {} : { stderr: "inherit" }),
    });
    try {
      const failed = process.ended.then(() => {
        throw new Error("Cannot start the server: it has ended");
      });
      const listening = Promise.race([greeting.done.promise, failed]);
      const invite = await within(START_TIME, listening).then(() =>
        findLocalInvite(folder.file("chat.key"))
      );
      if (!invite) {
        throw new Error("Cannot start the server: it doesn't listen");
      }
      const kind = flags.includes("--sealed") ? "sealed" : "chat";
      const { webPort } = greeting;
      const place: Place = {
        kind,
        invite: formatInvite(invite),
        ...(webPort === undefined ? {} : { webPort }),
      };
      return new ServerProcess(process, folder, place, greeting.at - start);
    } catch (error) {
      await process.stop();
      await folder[Symbol.asyncDispose]();
      throw error;
    }
  }
}

/** What a server says at its start. */
class Greeting {
  /** Resolves when it listens, and its key file says where. */
  readonly done = Promise.withResolvers<void>();
  /** When it said that it listens, as `performance.now` has it. */
  at = NaN;
  /** Where it listens for browsers, if it does. */
  webPort: number | undefined;

  take(line: string): void {
    if (!line.startsWith("Listening")) return;
    this.at = performance.now();
    const [, port] = /for browsers on \S+:(\d+),/.exec(line) ?? [];
    if (port !== undefined) this.webPort = Number(port);
    this.done.resolve();
  }
}

/** What the load process may do: on Linux it brings its own sockets. */
const LOAD_PERMISSIONS = Deno.build.os === "linux"
  ? ["--allow-ffi", "--allow-run=cat"]
  : ["--allow-net=127.0.0.1", "--allow-run=ps"];

/**
 * Does a job in a process of its own.
 * @param signal Ends it at once. @throws {Error} if it doesn't get to its end.
 */
export async function load(
  { load: prefix }: Pinning,
  job: Job,
  signal: AbortSignal,
): Promise<Findings> {
  const { code, stdout } = await runToEnd([
    ...prefix,
    Deno.execPath(),
    "run",
    "--no-prompt",
    ...LOAD_PERMISSIONS,
    new URL("./driver.ts", import.meta.url).href,
    JSON.stringify(job),
  ], { signal, stderr: "inherit" });
  signal.throwIfAborted();
  if (code !== 0) throw new Error("Cannot go on: the load has failed");
  return JSON.parse(stdout);
}
