/**
 * A room of real programs, open or sealed, in which a file is offered.
 *
 * @module
 */

import { assert } from "./assert.ts";
import { type ClientOptions, JsonClient, type Shown } from "./client.ts";
import { Folder, freePort } from "./folder.ts";
import { FAST_TIMERS, HELD_FILE } from "./program.ts";
import { sealed, SealedPrograms } from "./sealed_programs.ts";
import { Server } from "./server.ts";

/** What a client shows of a file that it takes. */
export type FileShown = Omit<Shown, "own"> & {
  readonly offer?: number;
  readonly file?: string;
  readonly size?: number;
  readonly got?: number;
  readonly state?: string;
  readonly path?: string;
};

/** So large that half of it is more than is asked for ahead, bytes. */
export const LARGE = 16_000_000;
/** So much of it that it is under way, bytes. */
export const LARGE_ENOUGH = 1_000_000;
/** In every file, and nowhere else. */
export const MARK = "only in the file";

/** Bytes that no part of the file repeats. */
export function contents(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  const words = new Uint32Array(bytes.buffer, 0, size >> 2);
  for (let at = 0; at < words.length; at++) {
    words[at] = Math.imul(at, 2654435761);
  }
  bytes.set(new TextEncoder().encode(MARK), size >> 1);
  return bytes;
}

/** Has a client do something. */
export async function ask(client: JsonClient, request: unknown): Promise<void> {
  await client.type(JSON.stringify(request));
}

/** Who offers files, of which no more than half is passed on until it is told so. */
export class HeldFiles implements AsyncDisposable {
  private constructor(readonly folder: Folder) {}

  /** Nothing is held yet. */
  static async make(): Promise<HeldFiles> {
    return new HeldFiles(await Folder.make());
  }

  /** How that client is started. */
  get options(): Pick<ClientOptions, "cwd" | "runtime"> {
    return { cwd: this.folder.path, runtime: HELD_FILE };
  }

  /** Half of a large file is passed on from now on, and no more: it is on its way until `release`. */
  async hold(): Promise<void> {
    const draft = await this.folder.write("draft", String(LARGE / 2));
    await Deno.rename(draft, this.folder.file("held")); // in one go: the client looks at any time
  }

  /** Waits until somebody has asked for more than that. */
  async asked(): Promise<void> {
    await this.folder.holds("holding", (offset) => offset !== "");
  }

  /** The rest is passed on. */
  async release(): Promise<void> {
    await Deno.remove(this.folder.file("held"));
  }

  /** Removes its folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.folder[Symbol.asyncDispose]();
  }
}

/** What a client has shown of the files that it takes. */
export function files(client: JsonClient): FileShown[] {
  return client.all("file") as FileShown[];
}

/** Waits until a file that a client takes has come so far. */
export function reaches(
  client: JsonClient,
  state: string,
  least = 0,
): Promise<FileShown> {
  return client.until(`a file that is ${state}, ${least}`, () => {
    const all = files(client);
    const failed = all.find((it) => it.state === "failed");
    assert(!failed || state === "failed", `failed: ${failed?.reason}`);
    return all.find((it) => it.state === state && (it.got ?? 0) >= least);
  });
}

/** A server, a member with a file that it has offered, and one who was told. */
export class FileCompany implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;

  private constructor(
    stack: AsyncDisposableStack,
    readonly kind: RoomKind,
    readonly folder: Folder,
    readonly server: Server,
    /** A link for others. */
    readonly invite: string,
    /** What is in the file that ana has offered. */
    readonly bytes: Uint8Array<ArrayBuffer>,
    readonly ana: JsonClient,
    readonly ben: JsonClient,
    /** The number of that offer. */
    readonly offer: number,
    /** How far ana's files are passed on. */
    readonly held: HeldFiles,
  ) {
    this.#stack = stack;
  }

  /** Has ana offer a file of so many bytes. */
  static async gather(
    kind: RoomKind,
    size: number,
    args: readonly string[] = [],
  ): Promise<FileCompany> {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(await Folder.make());
    const path = folder.file("hut.jpg");
    const bytes = contents(size);
    await Deno.writeFile(path, bytes);
    const held = stack.use(await HeldFiles.make());
    const { server, invite, ana } = await open(
      kind,
      folder,
      args,
      held.options,
      stack,
    );
    const ben = stack.use(
      await JsonClient.join({
        invite,
        name: "ben",
        args: ["--downloads", folder.file("taken")],
        runtime: FAST_TIMERS, // it asks again soon
      }),
    );
    await ask(ana, { type: "send", path });
    const { seq = 0 } = await ben.shows("offered", { name: "ana" });
    await ana.shows("offered", { seq });
    return new FileCompany(
      stack.move(),
      kind,
      folder,
      server,
      invite,
      bytes,
      ana,
      ben,
      seq,
      held,
    );
  }

  /** Starts the server again, which has ended, on its files and its port. */
  async restart(): Promise<void> {
    const options = { port: this.server.port };
    const server = await Server.open(
      this.folder,
      this.kind === "sealed" ? sealed(options) : options,
    );
    this.#stack.use(server);
  }

  /** Ends them all. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

/** Whether the server can read what is said. */
export type RoomKind = "open" | "sealed";

/** A server, and the one who comes first. */
async function open(
  kind: RoomKind,
  folder: Folder,
  args: readonly string[],
  client: ClientOptions,
  stack: AsyncDisposableStack,
) {
  const options = { args, port: freePort() };
  if (kind === "sealed") {
    const room = stack.use(
      await SealedPrograms.found(folder, "ana", options, client),
    );
    return { server: room.server, invite: room.link, ana: room.keeper };
  }
  const server = stack.use(await Server.open(folder, options));
  const { invite } = server;
  const ana = stack.use(
    await JsonClient.join({ ...client, invite, name: "ana" }),
  );
  return { server, invite, ana };
}
