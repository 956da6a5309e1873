/**
 * The servers of a benchmark, each in a process and a temporary folder of its own, and on which processors they and
 * the load run.
 *
 * @module
 */

import { complain } from "../../src/base/output.ts";
import { type Invite, parseInvite } from "../../src/keys/invite.ts";
import type { ChatPlace, Place } from "./job.ts";
import { succeeds } from "../../tests/kit/command.ts";
import { Folder } from "../../tests/kit/folder.ts";
import { cacheFolder } from "../../tests/kit/program.ts";
import { Server, type ServerOptions } from "../../tests/kit/server.ts";

/** When a server is ended at the latest, ms: no part of a benchmark takes as long. */
const DEADLINE = 1_800_000;

/** Which processors the two sides use: words to put before a command. */
export interface Pinning {
  readonly server: readonly string[];
  readonly load: readonly string[];
  /** The same for people. */
  readonly description: string;
}

/** What is to be measured, and on which processors. */
export interface Plan {
  /** Sizes of rooms, ascending. */
  readonly members: readonly number[];
  /** How often each is measured. */
  readonly runs: number;
  readonly pins: Pinning;
  /** Ends everything. */
  readonly stop: AbortSignal;
}

/** Everything on any processor. */
export const UNPINNED: Pinning = {
  server: [],
  load: [],
  description: "server and load on any processor: they aren't pinned",
};

/** The server on processor 0 and the load on the others, where the system can do that. */
export async function pinning(): Promise<Pinning> {
  const last = navigator.hardwareConcurrency - 1;
  const others = last > 1 ? `1-${last}` : "1";
  const pinned = ["taskset", "--cpu-list"];
  const possible = last > 0 &&
    await succeeds("taskset", "--cpu-list", `0,${others}`, "true");
  if (!possible) return UNPINNED;
  return {
    server: [...pinned, "0"],
    load: [...pinned, others],
    description: `server pinned to processor 0, load to ${others} (by taskset)`,
  };
}

/** How a server is to be started. */
export interface StartOptions {
  /** What its log holds before. */
  readonly log?: ReadableStream<Uint8Array> | undefined;
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

/** Our server, with a temporary folder of its own. */
export class ServerProcess implements Target {
  /** From the start of its process until it listened, ms. */
  listenTime = NaN;
  readonly #folder: Folder;
  readonly #options: ServerOptions;
  readonly #isHeard: boolean;
  #server: Server | undefined;

  private constructor(
    folder: Folder,
    options: ServerOptions,
    isHeard: boolean,
  ) {
    this.#folder = folder;
    this.#options = options;
    this.#isHeard = isHeard;
  }

  /**
   * Starts a server with its defaults, but for these flags.
   * @param signal Ends the wait for it. @throws {Error} if it doesn't come to listen.
   */
  static async start(
    { server: prefix }: Pinning,
    args: readonly string[],
    signal: AbortSignal,
    { log, key, unheard = false }: StartOptions = {},
  ): Promise<ServerProcess> {
    await cacheFolder(); // asked for once, and not to be measured
    signal.throwIfAborted();
    await using stack = new AsyncDisposableStack();
    const folder = await Folder.make();
    const options = { args, prefix, deadline: DEADLINE };
    const process = stack.use(new ServerProcess(folder, options, !unheard));
    if (log) {
      await Deno.writeFile(folder.file("chat.log"), log, { mode: 0o600 });
    }
    if (key !== undefined) await folder.write("chat.key", key);
    await process.#start();
    stack.move();
    return process;
  }

  async #start(place: { readonly port?: number } = {}): Promise<void> {
    const start = performance.now();
    const options = { ...this.#options, ...place };
    this.#server = await Server.open(this.#folder, options);
    this.listenTime = performance.now() - start;
  }

  get #running(): Server {
    if (this.#server) return this.#server;
    throw new Error("Cannot measure the server: it doesn't run");
  }

  /** Kills it, and starts it again with the same files on the same port. */
  async restart(): Promise<void> {
    const { port } = this.invite;
    await this.#end();
    await this.#start({ port });
  }

  get place(): ChatPlace {
    const { invite } = this.#running;
    const { args = [] } = this.#options;
    const kind = args.includes("--sealed") ? "sealed" : "chat";
    const isWeb = args.includes("--web");
    return { kind, invite, webPort: isWeb ? this.#running.webPort : undefined };
  }

  /** The invite to its room. */
  get invite(): Invite {
    return parseInvite(this.#running.invite);
  }

  /** The number of its process; taskset becomes what it starts. */
  get pid(): number {
    return this.#running.pid;
  }

  get pids(): readonly number[] {
    return [this.pid];
  }

  /** What a file in its folder holds. */
  read(name: string): Promise<string> {
    return Deno.readTextFile(this.#folder.file(name));
  }

  async #end(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.[Symbol.asyncDispose]();
    const said = this.#isHeard ? server?.stderr ?? [] : [];
    for (const line of said) complain(`${line}\n`);
  }

  /** Ends it and removes its folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
    await this.#folder[Symbol.asyncDispose]();
  }
}
