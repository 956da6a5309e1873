/**
 * The client program, on pipes.
 *
 * @module
 */

import { Folder, namesIn } from "./folder.ts";
import { Program, programCommand } from "./program.ts";

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
  readonly next?: string;
  readonly text?: string;
  readonly reason?: string;
  readonly to?: number;
  readonly state?: string;
  readonly newName?: string;
  readonly message?: string;
  readonly id?: number | string;
  readonly from?: number;
  readonly exact?: boolean;
  readonly digits?: string;
  readonly link?: string;
  readonly verb?: string;
  readonly deleted?: boolean;
  readonly members?: readonly {
    readonly name: string;
    readonly away: string;
    readonly connections: number;
  }[];
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
  /** The folder of the programs, where not this project's. */
  readonly root?: URL | undefined;
  /** When it is ended at the latest, ms, where not as every program. */
  readonly deadline?: number | undefined;
  /** More variables of the environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** A client on pipes. Each has an identity of its own, unless `home` is given. */
export class Client extends Program {
  readonly #own: Folder;

  /** Takes over a process and the folder it was started in. */
  protected constructor({ words, ...start }: Start, own: Folder) {
    super(words, start);
    this.#own = own;
  }

  /** Starts a plain client. */
  static async plain(options: ClientOptions): Promise<Client> {
    const own = await Folder.make();
    return new Client(await clientStart(options, own), own);
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
    const { args: more = [] } = options;
    // All that the server tells, so that a test can look at it.
    const history = more.some((it) => it.endsWith("-history"))
      ? []
      : ["--history", "100000"];
    const args = ["--json", ...history, ...more];
    return new JsonClient(await clientStart({ ...options, args }, own), own);
  }

  /** Starts one and waits until it is in the room, and until the next one of its home comes as the same person. */
  static async join(options: ClientOptions): Promise<JsonClient> {
    const client = await JsonClient.start(options);
    try {
      await client.isIn();
      const { home } = options;
      const [{ name = "" } = {}] = client.entrances;
      if (home !== undefined) await isNamed(home, name);
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

/** How a client's process is started. */
interface Start {
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly deadline: number | undefined;
}

/** Between two looks whether an identity has its name, ms; and how many there are at the most. */
const LOOK_PAUSE = 10;
/** The real one, also where a test's clock stands in its place. */
const { setTimeout: later } = globalThis;
const MAX_LOOKS = 6_000;

/** Waits until an identity of a home goes by a name, as its file says soon after its client is in. */
async function isNamed(home: string, name: string): Promise<void> {
  const folder = `${home}/.config/encrypted-chat/identities`;
  for (let looks = 0; looks < MAX_LOOKS; looks++) {
    const files = await namesIn(folder).catch(() => undefined);
    if (!files) return; // it is somewhere else
    for (const file of files) {
      if (await nameIn(`${folder}/${file}`) === name) return;
    }
    await new Promise((go) => later(go, LOOK_PAUSE));
  }
  throw new Error(`No identity in ${folder} goes by "${name}"`);
}

/** The name in an identity's file; undefined for none, and while it is replaced. */
async function nameIn(path: string): Promise<unknown> {
  try {
    return JSON.parse(await Deno.readTextFile(path)).name;
  } catch {
    return undefined;
  }
}

async function clientStart(
  options: ClientOptions,
  own: Folder,
): Promise<Start> {
  const { invite, name, args = [], prefix, runtime, root } = options;
  const { cwd = own.path, home = own.path } = options;
  const link = invite === undefined ? [] : [invite];
  const named = name === undefined ? [] : ["--name", name];
  const { words, env } = await programCommand("client", {
    env: options.env,
    args: [...link, ...named, ...args],
    cwd,
    home,
    prefix,
    runtime,
    root,
  });
  return { words, env, cwd, deadline: options.deadline };
}
