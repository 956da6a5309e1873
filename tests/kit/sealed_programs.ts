/**
 * A sealed room of real programs: its server, and the client of who founds it.
 *
 * @module
 */

import { type ClientOptions, JsonClient, type Shown } from "./client.ts";
import type { Folder } from "./folder.ts";
import { Server, type ServerOptions } from "./server.ts";

/** How a server of a sealed room is started, with more arguments. */
export function sealed(options: ServerOptions = {}): ServerOptions {
  return { ...options, args: ["--sealed", ...options.args ?? []] };
}

/** A room that somebody has founded. */
export class SealedPrograms implements AsyncDisposable {
  readonly #clients: JsonClient[] = [];

  private constructor(
    /** Its server. */
    readonly server: Server,
    /** The client of who founded it. */
    readonly keeper: JsonClient,
    /** A link by which others come: at first one for a hundred persons. */
    public link: string,
  ) {}

  /** Starts a server in a folder, and a client that founds the room. */
  static async found(
    folder: Folder,
    name: string,
    options: ServerOptions = {},
    client: ClientOptions = {},
  ): Promise<SealedPrograms> {
    await using stack = new AsyncDisposableStack();
    const server = stack.use(await Server.open(folder, sealed(options)));
    const { invite } = server;
    const args = ["--found", ...client.args ?? []];
    const keeper = stack.use(
      await JsonClient.join({ ...client, invite, name, args }),
    );
    const link = linkIn(await keeper.shows("invite"));
    stack.move();
    return new SealedPrograms(server, keeper, link);
  }

  /** Somebody comes in by the link, and is known there. */
  async bring(name: string, options: ClientOptions = {}): Promise<JsonClient> {
    const client = await JsonClient.join({
      ...options,
      name,
      invite: this.link,
    });
    this.#clients.push(client);
    await this.keeper.shows("joined", { name });
    return client;
  }

  /** Ends them all. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) await client[Symbol.asyncDispose]();
    await this.keeper[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}

/** The link that a client has shown. */
function linkIn(shown: Shown): string {
  return "link" in shown ? String(shown.link) : "";
}
