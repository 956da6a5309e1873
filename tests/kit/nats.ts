/**
 * NATS for tests: one nats-server, or three that share what they store, each with its files in a folder. They can be
 * killed, stopped for a while and started anew on the same port.
 *
 * @module
 */

import { succeeds } from "./command.ts";
import { freePort } from "./folder.ts";
import { byLines, Process } from "./process.ts";
import { Watch } from "./watch.ts";

/** Where Debian puts it, which isn't on every user's path. */
const DEBIAN_PROGRAM = "/usr/sbin/nats-server";
/** How many servers store together. */
const NODES = 3;

/** There is no nats-server on this machine. */
export class NoNatsError extends Error {
  override readonly name = "NoNatsError";
}

/** How a nats-server is started. */
export interface NatsOptions {
  /** More arguments. */
  readonly args?: readonly string[];
  /** More of its configuration, in its own language. */
  readonly config?: string;
  /** Whether it has JetStream. Default: it has. */
  readonly jetstream?: boolean;
  /** Its port; a free one where it is left out. */
  readonly port?: number;
  /** When each of its runs is ended at the latest, ms. Default: as every program of a test. */
  readonly deadline?: number | undefined;
}

/** A nats-server, which outlives its process. */
export class NatsServer implements AsyncDisposable {
  /** Where it listens, on this machine. */
  readonly port: number;
  readonly #folder: string;
  readonly #args: readonly string[];
  readonly #config: string;
  readonly #jetstream: boolean;
  readonly #deadline: number | undefined;
  #run: Run | undefined;

  /** Describes it. @param folder The path of a folder of its own, made if it is missing. */
  constructor(folder: string, options: NatsOptions = {}) {
    const { args = [], config = "", jetstream = true, port, deadline } =
      options;
    this.#jetstream = jetstream;
    this.port = port ?? freePort();
    this.#folder = folder;
    this.#args = args;
    this.#config = config;
    this.#deadline = deadline;
  }

  /** Starts one, and waits until it can be used. @param folder As for the constructor. */
  static async start(
    folder: string,
    options?: NatsOptions,
  ): Promise<NatsServer> {
    const server = new NatsServer(folder, options);
    try {
      await server.run();
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  /** What `--nats` takes. */
  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** The number of its process. */
  get pid(): number {
    if (this.#run) return this.#run.process.pid;
    throw new Error(`No nats-server runs on port ${this.port}`);
  }

  /** What its process has written since it was last started. */
  get output(): readonly string[] {
    return this.#run?.lines ?? [];
  }

  /** Starts its process, and waits until clients can connect. */
  async run(): Promise<void> {
    await Deno.mkdir(this.#folder, { recursive: true });
    const address = ["-a", "127.0.0.1", "-p", String(this.port)];
    const config = `${this.#folder}/nats.conf`;
    await Deno.writeTextFile(config, this.#config);
    const storage = [
      "-c",
      config,
      ...(this.#jetstream ? ["-js"] : []),
      "-sd",
      `${this.#folder}/store`,
    ];
    this.#run = new Run(
      [await program(), ...address, ...storage, ...this.#args],
      this.#deadline,
    );
    await this.line(/Server is ready/);
  }

  /** Waits for a line of its output, of the present run. @param nth Which of those that fit, from 1 on. */
  async line(pattern: RegExp, nth = 1): Promise<string> {
    const run = this.#run;
    if (!run) throw new Error(`No nats-server runs on port ${this.port}`);
    return await run.line(pattern, nth);
  }

  /** Ends its process at once; what it has stored is kept, and its clients lose their connections. */
  async kill(): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    await run?.[Symbol.asyncDispose]();
  }

  /** Stops its process: connections stay, and nothing is answered. */
  stop(): void {
    this.#run?.process.kill("SIGSTOP");
  }

  /** Has it go on after `stop`. */
  cont(): void {
    this.#run?.process.kill("SIGCONT");
  }

  /** Ends its process at once, if it runs, and starts it anew. @param options.empty Without what it had stored. */
  async restart({ empty = false }: { empty?: boolean } = {}): Promise<void> {
    await this.kill();
    if (empty) {
      await Deno.remove(`${this.#folder}/store`, { recursive: true });
    }
    await this.run();
  }

  /** Ends its process. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

/** Three nats-servers that store together what has three replicas. */
export class NatsCluster implements AsyncDisposable {
  private constructor(readonly nodes: readonly NatsServer[]) {}

  /** Starts them, and waits until they have agreed on a leader. @param folder A path; each has a folder below it. */
  static async start(
    folder: string,
    { args = [], deadline }: Pick<NatsOptions, "args" | "deadline"> = {},
  ): Promise<NatsCluster> {
    const ports = Array.from({ length: NODES }, freePort);
    const routes = ports.map((port) => `nats://127.0.0.1:${port}`);
    const nodes = routes.map((route, at) =>
      new NatsServer(`${folder}/node${at + 1}`, {
        deadline,
        args: [
          ...["-n", `node${at + 1}`, "--cluster_name", "test"],
          ...["--cluster", route, "--routes", routes.join(",")],
          ...args,
        ],
      })
    );
    const cluster = new NatsCluster(nodes);
    try {
      await Promise.all(nodes.map((node) => node.run()));
      await Promise.all(nodes.map((node) => node.line(/metadata leader/)));
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  /** What `--nats` takes: all of them. */
  get url(): string {
    return this.nodes.map(({ url }) => url).join(",");
  }

  /** Ends all of them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()));
  }
}

/** One process, and what it writes. */
class Run implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly process: Process;
  readonly #watch: Watch;

  constructor(words: readonly string[], deadline?: number) {
    this.#watch = new Watch(
      () => this.lines.join("\n"),
      () => this.process.kill("SIGKILL"),
      deadline,
    );
    this.process = new Process(words, {
      stderr: byLines((line) => {
        this.lines.push(line);
        this.#watch.changed();
      }),
    });
    this.process.ended.then((code) =>
      this.#watch.end(`did not come: nats-server ended with ${code}`)
    );
  }

  async line(pattern: RegExp, nth: number): Promise<string> {
    return await this.#watch.until(
      String(pattern),
      () => this.lines.filter((line) => pattern.test(line))[nth - 1],
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watch[Symbol.dispose]();
    await this.process[Symbol.asyncDispose]();
  }
}

/** Where nats-server is. @throws {NoNatsError} */
async function program(): Promise<string> {
  for (const name of [DEBIAN_PROGRAM, "nats-server"]) {
    if (await succeeds(name, "--version")) return name;
  }
  throw new NoNatsError("Cannot start nats-server: it is not installed");
}
