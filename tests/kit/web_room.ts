/**
 * A server with the port for browsers, and chat pages in a browser that go there.
 *
 * @module
 */

import type { BrowserContextOptions } from "playwright-core";
import type { Profile, Profiles } from "./profile.ts";
import { ChatPage } from "./chat_page.ts";
import { JsonClient } from "./client.ts";
import { type Folder, freePort } from "./folder.ts";
import { Server, type ServerOptions } from "./server.ts";

/** The page as a file. */
export const PAGE_FILE = new URL("../../dist/chat.html", import.meta.url).href;

/** The server, which may be killed and started again. */
export class WebRoom implements AsyncDisposable {
  /** Where browsers go. */
  readonly webPort: number;
  readonly #options: ServerOptions;
  #server: Server;

  private constructor(
    /** Where its files are. */
    readonly folder: Folder,
    server: Server,
    options: ServerOptions,
    webPort: number,
  ) {
    this.#server = server;
    this.#options = options;
    this.webPort = webPort;
  }

  /** Starts a server. @param webPort Where browsers go. Default: any free port. */
  static async open(
    folder: Folder,
    { args = [], ...options }: ServerOptions = {},
    webPort: number = freePort(),
  ): Promise<WebRoom> {
    const web = ["--web", `127.0.0.1:${webPort}`, ...args];
    const all = { ...options, args: web };
    const server = await Server.open(folder, all);
    return new WebRoom(folder, server, { ...all, port: server.port }, webPort);
  }

  /** The server of now. */
  get server(): Server {
    return this.#server;
  }

  /** The link for programs. */
  get invite(): string {
    return this.#server.invite;
  }

  /** What a page's address begins with. @param port Where not the server's own: a proxy's. */
  origin(port: number = this.webPort): string {
    return `http://localhost:${port}`;
  }

  /** The link for browsers. @param port As for `origin`. @param invite Where not the standing one. */
  link(port?: number, invite: string = this.invite): string {
    return `${this.origin(port)}/${invite.slice(invite.indexOf("#"))}`;
  }

  /** Opens the link in a page of its own. */
  async visit(profile: Profile, link: string = this.link()): Promise<ChatPage> {
    return new ChatPage(await profile.open(link), profile);
  }

  /** Somebody new comes into the room by a page of their own. */
  async join(
    profiles: Profiles,
    name: string,
    options?: BrowserContextOptions,
  ): Promise<ChatPage> {
    const page = await this.visit(await profiles.make(options));
    await page.join(name);
    return page;
  }

  /** Somebody new comes into the room by a pipe. */
  pipe(name: string): Promise<JsonClient> {
    return JsonClient.join({ invite: this.invite, name });
  }

  /** Kills it. */
  async kill(): Promise<void> {
    this.#server.kill("SIGKILL");
    await this.#server.finished();
    await this.#server[Symbol.asyncDispose]();
  }

  /** Starts it again, once it was killed, at the same ports. */
  async start(): Promise<void> {
    this.#server = await Server.open(this.folder, this.#options);
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}
