/**
 * A sealed room of real programs: the server, a hostile one in front of it, and each member's client on pipes, with files
 * that outlive them.
 *
 * @module
 */

import type { Identity } from "../../src/crypto/identity.ts";
import { formatInvite, parseInvite } from "../../src/keys/invite.ts";
import { IdentityFile } from "../../src/keys/identity.ts";
import { KeyFile } from "../../src/keys/key_file.ts";
import { fullId, shortId } from "../../src/crypto/person_id.ts";
import { assert } from "./assert.ts";
import { JsonClient, type Shown } from "./client.ts";
import { Folder } from "./folder.ts";
import { HostileServer } from "./hostile_server.ts";
import { Server } from "./server.ts";

/** Somebody with a machine of their own. */
export class Person implements AsyncDisposable {
  /** The running client; undefined while there is none. */
  client: JsonClient | undefined;
  /** The name that it goes by. */
  called: string;
  /** What the clients showed that have ended, one after the other. */
  readonly before: (readonly Shown[])[] = [];
  #link = "";

  private constructor(
    readonly name: string,
    readonly home: Folder,
    readonly identity: Identity,
    readonly file: string,
    readonly options: SealedPersonsOptions,
  ) {
    this.called = name;
  }

  /** Somebody new. */
  static async make(
    name: string,
    options: SealedPersonsOptions = {},
  ): Promise<Person> {
    const home = await Folder.make();
    const file = home.file("identity");
    const { identity } = await IdentityFile.open(file);
    return new Person(name, home, identity, file, options);
  }

  /** The short id. */
  get key(): string {
    return shortId(fullId(this.identity.id));
  }

  /** The running client. */
  get here(): JsonClient {
    assert(this.client, `${this.name} is not here`);
    return this.client;
  }

  /** Starts a client; waits for nothing. @param link Default: the one by which it came last. */
  async start(
    link: string = this.#link,
    ...args: readonly string[]
  ): Promise<JsonClient> {
    const { home, file, options: { root, deadline } } = this;
    this.#link = link;
    this.client = await JsonClient.start({
      invite: link,
      name: this.called,
      args: ["--identity", file, ...args],
      home: home.path,
      cwd: home.path,
      root,
      deadline,
    });
    return this.client;
  }

  /** All that its clients knew is gone, but for the identity. */
  async forget(): Promise<void> {
    await Deno.remove(this.home.file(".config"), { recursive: true });
  }

  /** Ends the client at once. */
  async kill(): Promise<void> {
    const { client } = this;
    if (!client) return;
    this.client = undefined;
    client.kill("SIGKILL");
    await client[Symbol.asyncDispose]();
    this.before.push(client.shown);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.home[Symbol.asyncDispose]();
  }
}

/** The types of what is answered last. */
const LAST_ANSWERS = new Set([
  "done",
  "error",
  "refused",
  "agreement",
  "members",
  "renamed",
]);

/** How a room is set up. */
export interface SealedPersonsOptions {
  /** The folder of the programs, where not this project's. */
  readonly root?: URL | undefined;
  /** When each program is ended at the latest, ms, where not as every one. */
  readonly deadline?: number | undefined;
  /** How the first person founds the room, where not at once. */
  readonly founds?: ((room: SealedPersons) => Promise<void>) | undefined;
}

/** The room. */
export class SealedPersons implements AsyncDisposable {
  readonly folder: Folder;
  readonly persons: ReadonlyMap<string, Person>;
  readonly hostile: HostileServer;
  #server: Server;
  /** The link that founds the room. */
  readonly founding: string;
  readonly #options: SealedPersonsOptions;
  #asked = 0;

  private constructor(
    { folder, persons, hostile, server, founding, options }: {
      folder: Folder;
      persons: ReadonlyMap<string, Person>;
      hostile: HostileServer;
      server: Server;
      founding: string;
      options: SealedPersonsOptions;
    },
  ) {
    this.folder = folder;
    this.persons = persons;
    this.hostile = hostile;
    this.#server = server;
    this.founding = founding;
    this.#options = options;
  }

  /** Starts a server for some persons, the first of whom founds the room. The others aren't there yet. */
  static async found(
    names: readonly string[],
    options: SealedPersonsOptions = {},
  ): Promise<SealedPersons> {
    const folder = await Folder.make();
    const server = await openServer(folder, options);
    const keyFile = await KeyFile.load(folder.file("chat.key"));
    assert(keyFile);
    const persons = new Map<string, Person>();
    for (const name of names) {
      persons.set(name, await Person.make(name, options));
    }
    const members = new Map(
      [...persons].map(([name, { identity }]) => [name, identity]),
    );
    const { keyPair } = keyFile.keys;
    const founding = parseInvite(server.invite);
    const hostile = new HostileServer(server.port, keyPair, founding, members);
    const { port } = hostile;
    const room = new SealedPersons({
      folder,
      persons,
      hostile,
      server,
      founding: formatInvite({ ...founding, port }),
      options,
    });
    try {
      await (options.founds ?? foundAtOnce)(room);
    } catch (error) {
      await room[Symbol.asyncDispose]();
      throw error;
    }
    return room;
  }

  /** The real server. */
  get server(): Server {
    return this.#server;
  }

  /** Somebody by name. */
  person(name: string): Person {
    const person = this.persons.get(name);
    assert(person, `nobody is called "${name}"`);
    return person;
  }

  /** The running client of somebody. */
  client(name: string): JsonClient {
    return this.person(name).here;
  }

  /** The link for the others that the founder's client has printed. */
  get link(): string {
    const { client, before } = this.person(this.founder);
    const [shown = client?.shown] = before;
    const link = shown?.find(({ type }) => type === "invite")?.link;
    assert(link !== undefined);
    return link;
  }

  /** The founder's name. */
  get founder(): string {
    const [name = ""] = this.persons.keys();
    return name;
  }

  /** Has somebody's client do something, and waits until it is done. @returns What it answered. */
  async ask(
    name: string,
    request: Readonly<Record<string, unknown>>,
  ): Promise<Shown[]> {
    const id = `asked ${++this.#asked}`;
    const client = this.client(name);
    await client.type(JSON.stringify({ ...request, id }));
    const answers = () => client.shown.filter((it) => it.id === id);
    const isEnd = ({ type }: Shown) => LAST_ANSWERS.has(type);
    await client.until(
      JSON.stringify(request),
      () => answers().some(isEnd) || undefined,
    );
    return answers();
  }

  /** Has a keeper make an invite. @returns The link. */
  async invite(by: string, uses = 1): Promise<string> {
    const answers = await this.ask(by, { type: "invite", uses });
    const link = answers.find(({ type }) => type === "invite")?.link;
    assert(link !== undefined, JSON.stringify(answers));
    return link;
  }

  /** Somebody says something. @returns Its number, as the one who says it is shown. */
  async say(name: string, text: string): Promise<number> {
    const client = this.client(name);
    await client.type(JSON.stringify({ type: "say", text }));
    const { seq } = await client.shows("said", { text, own: true });
    assert(seq !== undefined);
    return seq;
  }

  /** Somebody comes in. @param link Default: the one that the founder's client has printed. */
  async join(name: string, link: string = this.link): Promise<JsonClient> {
    const client = await this.person(name).start(link);
    await client.isIn();
    return client;
  }

  /** All come in, one after the other, and each is known to those before it. */
  static async of(
    names: readonly string[],
    options?: SealedPersonsOptions,
  ): Promise<SealedPersons> {
    const room = await SealedPersons.found(names, options);
    try {
      for (const [at, name] of names.entries()) {
        if (at === 0) continue;
        await room.join(name);
        for (const other of names.slice(0, at)) {
          await room.client(other).shows("joined", { name });
        }
      }
    } catch (error) {
      await room[Symbol.asyncDispose]();
      throw error;
    }
    return room;
  }

  /** Ends the server at once. */
  async killServer(): Promise<void> {
    const server = this.#server;
    server.kill("SIGKILL");
    await server[Symbol.asyncDispose]();
  }

  /** What is in the server's files. */
  async backUp(): Promise<Map<string, Uint8Array>> {
    const files = new Map<string, Uint8Array>();
    for (const name of await this.folder.names()) {
      files.set(name, await Deno.readFile(this.folder.file(name)));
    }
    return files;
  }

  /** Puts back what was in the server's files, and nothing else. */
  async putBack(files: ReadonlyMap<string, Uint8Array>): Promise<void> {
    for (const name of await this.folder.names()) {
      await Deno.remove(this.folder.file(name));
    }
    for (const [name, bytes] of files) {
      await Deno.writeFile(this.folder.file(name), bytes, { mode: 0o600 });
    }
  }

  /** Starts the server again. */
  async startServer(): Promise<void> {
    this.#server = await openServer(this.folder, this.#options);
    this.hostile.target = this.#server.port;
  }

  /** Ends everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const person of this.persons.values()) {
      await person[Symbol.asyncDispose]();
    }
    await this.hostile[Symbol.asyncDispose]();
    await this.#server[Symbol.asyncDispose]();
    await this.folder[Symbol.asyncDispose]();
  }
}

async function foundAtOnce(room: SealedPersons): Promise<void> {
  const client = await room.person(room.founder).start(
    room.founding,
    "--found",
  );
  await client.isIn();
}

async function openServer(
  folder: Folder,
  { root, deadline }: SealedPersonsOptions,
): Promise<Server> {
  return await Server.open(folder, {
    args: ["--sealed", "--history", "100000"], // all, so that a test can look at it
    root,
    deadline,
  });
}
