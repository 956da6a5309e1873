/**
 * The client in a real terminal: the command that starts it there, and a room in which somebody else is.
 *
 * @module
 */

import { JsonClient } from "./client.ts";
import { Folder } from "./folder.ts";
import { cacheFolder, shellCommand } from "./program.ts";
import { Terminal } from "./pty.ts";
import { Server } from "./server.ts";

/**
 * Types the command that starts the client; its own files are in the terminal's folder.
 * @param rest What follows the command, as a shell reads it. @param env More for `env`, such as `-u TERM`.
 */
export async function typeClient(
  terminal: Terminal,
  rest: string,
  env = "",
): Promise<void> {
  const { path } = terminal.folder;
  const own = [
    `HOME='${path}' XDG_CONFIG_HOME= TZ=UTC NO_COLOR=`,
    `DENO_DIR='${await cacheFolder()}'`,
  ].join(" ");
  await terminal.line(
    `clear; env -u INIT_CWD ${env} ${own} ${shellCommand("client")} ${rest}`,
  );
}

/** A server, ben who is in its room by a program's client, and a terminal in which nothing runs yet. */
export class Stage implements AsyncDisposable {
  readonly #things: AsyncDisposableStack;

  private constructor(
    things: AsyncDisposableStack,
    readonly folder: Folder,
    readonly server: Server,
    readonly ben: JsonClient,
    readonly terminal: Terminal,
  ) {
    this.#things = things;
  }

  /** Puts everybody in their places. @param columns The terminal's. @param rows The terminal's. */
  static async set(columns: number, rows?: number): Promise<Stage> {
    await using things = new AsyncDisposableStack();
    const folder = things.use(await Folder.make());
    const server = things.use(await Server.open(folder));
    const { invite } = server;
    const ben = things.use(await JsonClient.join({ invite, name: "ben" }));
    const terminal = things.use(await Terminal.open(columns, rows));
    return new Stage(things.move(), folder, server, ben, terminal);
  }

  /** Starts the client in the terminal, with the link. @param args Its flags. @param env As for `typeClient`. */
  async start(args: string, env?: string): Promise<void> {
    await typeClient(this.terminal, `'${this.server.invite}' ${args}`, env);
  }

  /** Has ana come into the room by the terminal. @param env As for `typeClient`. @returns The rows then. */
  async enter(env?: string): Promise<string[]> {
    await this.start("--name ana --no-color", env);
    return await this.terminal.prompts("ana (2 here)>");
  }

  /** Ends all that runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#things[Symbol.asyncDispose]();
  }
}
