/**
 * Invites and operators for tests, as the server's owner makes them.
 *
 * @module
 */

import { assertEquals } from "./assert.ts";
import { JsonClient } from "./client.ts";
import { Folder } from "./folder.ts";
import { runServer, Server } from "./server.ts";

/** What `deno task invite` prints with these arguments. */
export async function invite(
  folder: Folder,
  ...args: string[]
): Promise<string> {
  const { code, stdout, stderr } = await runServer(folder, ["invite", ...args]);
  assertEquals(code, 0, stderr.join("\n"));
  return stdout.join("\n");
}

/** A server, and a client of it whose person is an operator. */
export class OperatedRoom implements AsyncDisposable {
  readonly #all: AsyncDisposableStack;

  private constructor(
    all: AsyncDisposableStack,
    /** Where the server's files are. */
    readonly folder: Folder,
    /** The server. */
    readonly server: Server,
    /** The operator's client, which goes by "op". */
    readonly op: JsonClient,
  ) {
    this.#all = all;
  }

  /** Starts one. @param args The server's. */
  static async open(...args: string[]): Promise<OperatedRoom> {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(await Folder.make());
    const home = stack.use(await Folder.make());
    const join = async ({ invite }: Server) =>
      await JsonClient.join({ invite, name: "op", home: home.path });
    let id = "";
    let port = 0;
    {
      await using first = await Server.open(folder);
      await using op = await join(first);
      id = op.entrances[0]?.key ?? "";
      port = first.port;
      await op.endInput();
      assertEquals(await op.finished(), 0); // its identity is noted under its name
      first.kill("SIGTERM");
      await first.finished();
    }
    const operator = ["--operator", id];
    const server = stack.use(
      await Server.open(folder, { port, args: [...operator, ...args] }),
    );
    const op = stack.use(await join(server));
    return new OperatedRoom(stack.move(), folder, server, op);
  }

  /** Ends both. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#all[Symbol.asyncDispose]();
  }
}
