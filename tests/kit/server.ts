/**
 * The server program, with its files in a folder.
 *
 * @module
 */

import { formatInvite } from "../../src/keys/invite.ts";
import { findLocalInvite } from "../../src/keys/key_file.ts";
import { parseEntry } from "../../src/log/line_format.ts";
import type { LogEntry } from "../../src/protocol/line.ts";
import { assert, assertEquals } from "./assert.ts";
import { type Folder, freePort } from "./folder.ts";
import { Program, programCommand, type Task } from "./program.ts";

/** How a server is started. */
export interface ServerOptions {
  /** More arguments; the address is 127.0.0.1 unless they say another. */
  readonly args?: readonly string[];
  /** The port; a free one where it is left out. */
  readonly port?: number;
  /** When it is ended at the latest, ms, where not as every program. */
  readonly deadline?: number | undefined;
  /** A command that starts it, in front of its own, where not the system. */
  readonly prefix?: readonly string[] | undefined;
  /** Options of the runtime's, besides the task's. */
  readonly runtime?: readonly string[] | undefined;
  /** The folder of the programs, where not this project's. */
  readonly root?: URL | undefined;
}

/** A server, with its files in a folder that outlives it. */
export class Server extends Program {
  /** Where its `chat.key` and `chat.log` are. */
  readonly folder: Folder;
  #link: string | undefined;

  private constructor(
    words: readonly string[],
    folder: Folder,
    env: Readonly<Record<string, string>>,
    deadline?: number,
  ) {
    super(words, { cwd: folder.path, env, deadline });
    this.folder = folder;
  }

  /** Starts a server, which may not get far. */
  static async launch(
    folder: Folder,
    options: ServerOptions = {},
  ): Promise<Server> {
    const { args = [], deadline, prefix, runtime, root } = options;
    // No other's while it is started again: systems give away ports above by themselves, also to who looks for it.
    const { port = freePort() } = options;
    const host = args.includes("--host") ? [] : ["--host", "127.0.0.1"];
    const { words, env } = await programCommand("server", {
      args: [...host, "--port", String(port), ...args],
      cwd: folder.path,
      home: folder.path,
      prefix,
      runtime,
      root,
    });
    return new Server(words, folder, env, deadline);
  }

  /** Starts a server and waits until it listens. */
  static async open(folder: Folder, options?: ServerOptions): Promise<Server> {
    const { args = [] } = options ?? {};
    const server = await Server.launch(folder, options);
    try {
      await server.line(/^Ctrl-C stops the server\.$/);
      server.#link = await linkOf(folder, args);
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  /** The standing link, by the address at which it listens. */
  get invite(): string {
    const link = this.#link;
    assert(link !== undefined, `no link:\n${this.transcript}`);
    return link;
  }

  /** The port that it printed. */
  get port(): number {
    const port = /^Listening on \S+:(\d+),/m.exec(this.stdout.join("\n"))?.[1];
    assert(port !== undefined, `no port:\n${this.transcript}`);
    return Number(port);
  }

  /** The port for browsers that it printed. */
  get webPort(): number {
    const printed = /, for browsers on \S+:(\d+),/m;
    const port = printed.exec(this.stdout.join("\n"))?.[1];
    assert(port !== undefined, `no page:\n${this.transcript}`);
    return Number(port);
  }

  /** Waits until somebody of a name has joined, as its log has it. */
  async hasJoined(name: string): Promise<void> {
    await this.logs((log) =>
      log.some((it) => it.what === "joined" && it.name === name)
    );
  }

  /** Waits until its log is as it should be. @returns It. */
  async logs(
    isRight: (log: readonly LogEntry[]) => boolean,
  ): Promise<LogEntry[]> {
    const whole = (text: string) => text.slice(0, text.lastIndexOf("\n") + 1);
    const parsed = (text: string) => text === "" ? [] : parseLog(text);
    const text = await this.folder.holds(
      "chat.log",
      (text) => isRight(parsed(whole(text))),
    );
    return parsed(whole(text));
  }

  /** What its log holds, every line of it; fails for a line that isn't one of a log's. */
  async log(name = "chat.log"): Promise<LogEntry[]> {
    return parseLog(await Deno.readTextFile(this.folder.file(name)));
  }
}

/** The standing link of a server that has listened, by `--link`. */
async function linkOf(folder: Folder, args: readonly string[]) {
  const at = args.indexOf("--key-file");
  const path = at < 0 ? "chat.key" : args[at + 1] ?? "";
  const invite = await findLocalInvite(
    path.startsWith("/") ? path : folder.file(path),
  );
  return invite && formatInvite(invite);
}

/** Runs a task's program to its end, in a folder. @returns Its exit code, and all that it said. */
async function run(task: Task, { path }: Folder, args: readonly string[]) {
  await using program = await Program.run(task, {
    args,
    cwd: path,
    home: path,
  });
  const code = await program.finished();
  return { code, stdout: program.stdout, stderr: program.stderr };
}

/** Runs the server program to its end. @returns Its exit code, and all that it said. */
export function runServer(folder: Folder, args: readonly string[]) {
  return run("server", folder, args);
}

/** Runs `deno task log` in a folder. @returns Its exit code, and all that it said. */
export function runLog(folder: Folder, ...args: string[]) {
  return run("log", folder, args);
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
