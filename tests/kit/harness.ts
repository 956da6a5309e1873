/**
 * The real programs as processes, as the tasks in `deno.json` start them, each test's in a temporary folder of
 * its own. Knows the programs by their command lines and their output, and nothing of what a test is about.
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };
import { parseEntry } from "../../src/log/line_format.ts";
import { assert, assertEquals } from "./assert.ts";
import type { LogEntry } from "../../src/protocol/line.ts";

/** The programs that a task starts. */
export type Task = "server" | "client";

/** What a program, or a connection, takes at the most, ms: whatever still waits then fails, and is ended. */
const DEADLINE = 45_000;
/** Ports that are offered: below those that systems hand out by themselves, so that none is taken by chance. */
const FIRST_PORT = 20_000;
const LAST_PORT = 29_999;

const encoder = new TextEncoder();

// ── Waiting ────────────────────────────────────────────────────────────────────────────────────────────

/** Waits for what is found in something that grows, and gives up when that has ended, or at the deadline. */
export class Watch implements Disposable {
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #report: () => string;
  #changed = Promise.withResolvers<void>();
  #end: string | undefined;

  /**
   * Begins the time until the deadline.
   * @param report Says what there is, for a failure's message. @param late Called at the deadline.
   * @param deadline When that is, ms.
   */
  constructor(report: () => string, late: () => void, deadline = DEADLINE) {
    this.#report = report;
    this.#timer = setTimeout(() => {
      this.end(`did not come within ${deadline} ms`);
      late();
    }, deadline);
  }

  /** To be called whenever there is more. */
  changed(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }

  /** To be called when nothing more will come; the first reason counts. */
  end(reason: string): void {
    this.#end ??= reason;
    this.changed();
  }

  /**
   * Looks now, and whenever there is more, until something is found.
   * @param what What is waited for, for a failure's message.
   * @throws {Error} where nothing more will come.
   */
  async until<T>(what: string, find: () => T | undefined): Promise<T> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (this.#end !== undefined) {
        throw new Error(`"${what}" ${this.#end}; there is:\n${this.#report()}`);
      }
      await this.#changed.promise;
    }
  }

  /** Gives up the deadline. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

// ── Folders and ports ──────────────────────────────────────────────────────────────────────────────────

/** A temporary folder, gone at the end. */
export class Folder implements AsyncDisposable {
  private constructor(readonly path: string) {}

  /** Makes an empty one. */
  static async make(): Promise<Folder> {
    return new Folder(await Deno.makeTempDir({ prefix: "chat-test-" }));
  }

  /** The path of something in it. */
  file(name: string): string {
    return `${this.path}/${name}`;
  }

  /** Writes a text that nobody else may read into it. @returns Its path. */
  async write(name: string, text: string, mode = 0o600): Promise<string> {
    const path = this.file(name);
    await Deno.writeTextFile(path, text);
    await Deno.chmod(path, mode);
    return path;
  }

  /** What is in it, in order. */
  async names(): Promise<string[]> {
    const entries = await Array.fromAsync(Deno.readDir(this.path));
    return entries.map(({ name }) => name).sort();
  }

  /** Removes it with all that is in it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/** A port on which nothing listens, and which the system gives to nobody who doesn't ask for it. */
export function freePort(): number {
  for (;;) {
    const span = LAST_PORT - FIRST_PORT + 1;
    const port = FIRST_PORT + Math.floor(Math.random() * span);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

// ── Programs ───────────────────────────────────────────────────────────────────────────────────────────

/** The arguments of the task's own command: the same program with the same permissions. */
export function taskArguments(task: Task): string[] {
  const [deno, ...words] = config.tasks[task].command.split(" ");
  assertEquals(deno, "deno", `the task "${task}" starts something else`);
  const program = new URL(`../../${task}.ts`, import.meta.url).href;
  assert(words.includes(`${task}.ts`), `the task "${task}" runs another file`);
  return words.map((word) => word === `${task}.ts` ? program : word);
}

/** Where the runtime keeps what it has compiled and fetched: found by HOME, which the programs get their own of. */
export const cacheFolder: () => Promise<string> = (() => {
  let folder: Promise<string> | undefined;
  return () => folder ??= findCacheFolder();
})();

async function findCacheFolder(): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["info", "--json"],
  });
  const { stdout } = await command.output();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
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
}

/** Starts a task's program with three pipes. */
export async function spawnProgram(
  task: Task,
  { args = [], cwd, home, prefix = [], runtime = [] }: ProgramOptions,
): Promise<Deno.ChildProcess> {
  const env = {
    HOME: home,
    APPDATA: home,
    XDG_CONFIG_HOME: "",
    NO_COLOR: "1",
    DENO_DIR: await cacheFolder(),
  };
  const [run = "", ...command] = taskArguments(task);
  const words = [Deno.execPath(), run, ...runtime, ...command, ...args];
  const [program = "", ...rest] = [...prefix, ...words];
  return new Deno.Command(program, {
    args: rest,
    cwd,
    env,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** A program that runs, and all that it has written. Ended at the latest when the test is over. */
export class Program implements AsyncDisposable {
  /** Every line so far, without its line feed. */
  readonly stdout: string[] = [];
  /** Every line so far, without its line feed. */
  readonly stderr: string[] = [];
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #watch: Watch;
  readonly #code: Promise<number>;
  #late = false;

  /** Takes over a process with three pipes. @param deadline When it is ended at the latest, ms. */
  protected constructor(process: Deno.ChildProcess, deadline?: number) {
    this.#process = process;
    this.#input = process.stdin.getWriter();
    const late = () => {
      this.#late = true;
      this.kill("SIGKILL");
    };
    this.#watch = new Watch(() => this.transcript, late, deadline);
    this.#code = this.#run();
  }

  /** Starts a task's program. */
  static async run(task: Task, options: ProgramOptions): Promise<Program> {
    return new Program(await spawnProgram(task, options));
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
    const { stdout, stderr, status } = this.#process;
    const reading = [
      this.#read(stdout, this.stdout),
      this.#read(stderr, this.stderr),
    ];
    await Promise.all(reading);
    const { code } = await status;
    this.#watch.end(`never came, and the program has ended with code ${code}`);
    return code;
  }

  async #read(
    stream: ReadableStream<Uint8Array<ArrayBuffer>>,
    lines: string[],
  ): Promise<void> {
    let rest = "";
    for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + piece).split("\n");
      rest = parts.pop() ?? "";
      for (const part of parts) lines.push(part);
      this.#watch.changed();
    }
    if (rest !== "") lines.push(rest);
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
  async write(text: string): Promise<void> {
    await this.#input.write(encoder.encode(text));
  }

  /** Types lines. */
  async type(...lines: readonly string[]): Promise<void> {
    await this.write(lines.map((line) => `${line}\n`).join(""));
  }

  /** Ends its input, as Ctrl-D does. */
  async endInput(): Promise<void> {
    await this.#input.close();
  }

  /** Sends it a signal; nothing happens where it has ended. */
  kill(signal: Deno.Signal): void {
    try {
      this.#process.kill(signal);
    } catch (error) {
      // The only failure of a signal to a child of ours: it has ended by itself.
      if (
        !(error instanceof TypeError || error instanceof Deno.errors.NotFound)
      ) throw error;
    }
  }

  /**
   * Waits for its end. @returns The exit code, when all that it wrote has been read.
   * @throws {Error} where it had to be ended at the deadline.
   */
  async finished(): Promise<number> {
    const code = await this.#code;
    if (!this.#late) return code;
    throw new Error(`Cannot wait for the end any longer\n${this.transcript}`);
  }

  /** Ends it at once, if it runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    using _watch = this.#watch;
    this.kill("SIGKILL");
    // The pipe may be closed already, by the test or by the program's end.
    await this.#input.abort().catch(() => {});
    await this.#code;
  }
}

// ── The server ─────────────────────────────────────────────────────────────────────────────────────────

/** How a server is started. */
export interface ServerOptions {
  /** More arguments; the address is 127.0.0.1 unless they say another. */
  readonly args?: readonly string[];
  /** The port; a free one where it is left out. */
  readonly port?: number;
  /** When it is ended at the latest, ms, where not as every program. */
  readonly deadline?: number;
  /** A command that starts it, in front of its own, where not the system. */
  readonly prefix?: readonly string[] | undefined;
  /** Options of the runtime's, besides the task's. */
  readonly runtime?: readonly string[] | undefined;
}

/** A server, with its files in a folder that outlives it. */
export class Server extends Program {
  /** Where its `chat.key` and `chat.log` are. */
  readonly folder: Folder;

  private constructor(
    process: Deno.ChildProcess,
    folder: Folder,
    deadline?: number,
  ) {
    super(process, deadline);
    this.folder = folder;
  }

  /** Starts a server, which may not get far. */
  static async launch(
    folder: Folder,
    { args = [], port = 0, deadline, prefix, runtime }: ServerOptions = {},
  ): Promise<Server> {
    const host = args.includes("--host") ? [] : ["--host", "127.0.0.1"];
    const process = await spawnProgram("server", {
      args: [...host, "--port", String(port), ...args],
      cwd: folder.path,
      home: folder.path,
      prefix,
      runtime,
    });
    return new Server(process, folder, deadline);
  }

  /** Starts a server and waits until it listens. */
  static async open(folder: Folder, options?: ServerOptions): Promise<Server> {
    const server = await Server.launch(folder, options);
    try {
      await server.line(/^Ctrl-C stops the server\.$/);
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  /** The link that it printed. */
  get invite(): string {
    const link = /'(chat:\/\/[^']+)'/.exec(this.stdout.join("\n"))?.[1];
    assert(link !== undefined, `no invite:\n${this.transcript}`);
    return link;
  }

  /** The port that it printed. */
  get port(): number {
    const port = /^Listening on \S+:(\d+),/m.exec(this.stdout.join("\n"))?.[1];
    assert(port !== undefined, `no port:\n${this.transcript}`);
    return Number(port);
  }

  /** What its log holds, every line of it; fails for a line that isn't one of a log's. */
  async log(name = "chat.log"): Promise<LogEntry[]> {
    return parseLog(await Deno.readTextFile(this.folder.file(name)));
  }
}

/** Runs the server program to its end. @returns Its exit code, and all that it said. */
export async function runServer(folder: Folder, args: readonly string[]) {
  await using program = await Program.run("server", {
    args,
    cwd: folder.path,
    home: folder.path,
  });
  const code = await program.finished();
  return { code, stdout: program.stdout, stderr: program.stderr };
}

/** The lines of a log, every one of which must be an entry. */
export function parseLog(text: string): LogEntry[] {
  const lines = text.split("\n");
  assertEquals(lines.pop(), "", "the log's last line has no line break");
  return lines.map((line, at) => {
    const entry = parseEntry(line, at + 1);
    assert(entry !== null, `line ${at + 1} is no entry: ${line}`);
    return entry;
  });
}

// ── Clients ────────────────────────────────────────────────────────────────────────────────────────────

/** One line of a JSON client's output. */
export interface Shown {
  readonly v: number;
  readonly type: string;
  readonly server?: string;
  readonly seq?: number;
  readonly at?: string;
  readonly name?: string;
  readonly key?: string;
  readonly own?: boolean;
  readonly past?: boolean;
  readonly again?: boolean;
  readonly earlier?: number;
  readonly others?: number;
  readonly waiting?: number;
  readonly seconds?: number;
  readonly text?: string;
  readonly reason?: string;
  readonly to?: number;
  readonly newName?: string;
  readonly message?: string;
}

/** How a client is started. */
export interface ClientOptions {
  /** The link; none where `args` say where to go, or the working folder does. */
  readonly invite?: string;
  /** What it goes by; where it is left out, the first line of its input is its name. */
  readonly name?: string;
  /** More arguments. */
  readonly args?: readonly string[];
  /** Its working folder, where not an empty one. */
  readonly cwd?: string;
  /** A folder for the person's own files, where not one of its own. */
  readonly home?: string;
  /** A command that starts it, in front of its own, where not the system. */
  readonly prefix?: readonly string[] | undefined;
  /** Options of the runtime's, besides the task's. */
  readonly runtime?: readonly string[] | undefined;
}

/** A client on pipes. Each has an identity of its own, unless `home` is given. */
export class Client extends Program {
  readonly #own: Folder;

  /** Takes over a process and the folder it was started in. */
  protected constructor(process: Deno.ChildProcess, own: Folder) {
    super(process);
    this.#own = own;
  }

  /** Starts a plain client. */
  static async plain(options: ClientOptions): Promise<Client> {
    const own = await Folder.make();
    return new Client(await clientProcess(options, own), own);
  }

  /** Ends it at once, if it runs, and removes what it kept. */
  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    await this.#own[Symbol.asyncDispose]();
  }
}

/** A client on pipes that shows JSON. */
export class JsonClient extends Client {
  readonly #shown: Shown[] = [];

  /** Starts one. */
  static async start(options: ClientOptions): Promise<JsonClient> {
    const own = await Folder.make();
    const args = ["--json", ...options.args ?? []];
    return new JsonClient(await clientProcess({ ...options, args }, own), own);
  }

  /** Starts one and waits until it is in the room. */
  static async join(options: ClientOptions): Promise<JsonClient> {
    const client = await JsonClient.start(options);
    try {
      await client.isIn();
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw error;
    }
    return client;
  }

  /** Everything that it has shown so far. */
  get shown(): readonly Shown[] {
    for (const line of this.stdout.slice(this.#shown.length)) {
      this.#shown.push(JSON.parse(line));
    }
    return this.#shown;
  }

  /** Its own ways in: the first, and one for each time that it came back. */
  get entrances(): Shown[] {
    return this.all("joined").filter(({ server }) => server !== undefined);
  }

  /** Waits until it has got in so many times. */
  async isIn(times = 1): Promise<void> {
    await this.until(
      `to be in for time ${times}`,
      () => this.entrances.length >= times ? true : undefined,
    );
  }

  /** What it has shown of one type. */
  all(type: string): Shown[] {
    return this.shown.filter((it) => it.type === type);
  }

  /** Waits until it has shown something with these fields. */
  shows(type: string, fields: Partial<Shown> = {}): Promise<Shown> {
    const wanted = Object.entries({ type, ...fields });
    return this.until(
      `${type} ${JSON.stringify(fields)}`,
      () =>
        this.shown.find((it) =>
          wanted.every(([key, value]) => it[key as keyof Shown] === value)
        ),
    );
  }

  /** Waits until it has shown so many messages. */
  async showsTexts(count: number): Promise<void> {
    await this.until(
      `${count} messages`,
      () => this.texts.length >= count ? true : undefined,
    );
  }

  /** The texts that it has shown, in order. */
  get texts(): string[] {
    return this.all("said").map(({ text = "" }) => text);
  }
}

function clientProcess(
  { invite, name, args = [], cwd, home, prefix, runtime }: ClientOptions,
  own: Folder,
): Promise<Deno.ChildProcess> {
  const link = invite === undefined ? [] : [invite];
  const named = name === undefined ? [] : ["--name", name];
  return spawnProgram("client", {
    args: [...link, ...named, ...args],
    cwd: cwd ?? own.path,
    home: home ?? own.path,
    prefix,
    runtime,
  });
}

// ── What must hold of every run ────────────────────────────────────────────────────────────────────────

/**
 * Fails unless all that a client showed stands in the log under the same number, in order, without a gap
 * from the first to the last, and nothing twice.
 */
export function assertFollows(client: JsonClient, log: readonly LogEntry[]) {
  const events = client.shown.filter(({ seq }) => seq !== undefined);
  for (const event of events) {
    const { type, seq, at, name, key, text, reason, newName } = event;
    const entry = log[(seq ?? 0) - 1];
    assert(entry !== undefined, `line ${seq} was shown and is not in the log`);
    const { n: _n, ...logged } = entry;
    const what = type === "entered" ? "joined" : type;
    const words = text ?? reason ?? newName ?? "";
    const shown = { seq, at: Date.parse(at ?? ""), name, key, what };
    assertEquals({ ...shown, to: event.to ?? null, text: words }, logged);
  }
  // A client is told of its own joining before what it missed; all else comes in order.
  const entrances = client.entrances.map(({ seq }) => seq);
  const others = events.map(({ seq = 0 }) => seq)
    .filter((seq) => !entrances.includes(seq));
  assertEquals(others, others.toSorted((a, b) => a - b), "out of order");
  const all = events.map(({ seq = 0 }) => seq).sort((a, b) => a - b);
  const [first = 0] = all;
  assertEquals(all, all.map((_, at) => first + at), "missing, or doubled");
}

/** Fails unless the log has these texts of a member, each once, in this order, and no other. */
export function assertSaid(
  log: readonly LogEntry[],
  name: string,
  texts: readonly string[],
) {
  const said = log.filter((it) => it.what === "said" && it.name === name);
  assertEquals(said.map(({ text }) => text), texts);
}
