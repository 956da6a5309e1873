/**
 * One room on several servers: real server programs on this machine, each with a folder of its own and the same
 * `chat.key`, which find each other by a nats-server.
 *
 * @module
 */

import {
  formatInvite,
  type Invite,
  parseInvite,
} from "../../src/keys/invite.ts";
import { KeyFile } from "../../src/keys/key_file.ts";
import { parseEntry } from "../../src/log/line_format.ts";
import { assert, assertEquals } from "./assert.ts";
import { Folder, freePort } from "./folder.ts";
import { NatsServer } from "./nats.ts";
import { Passage } from "./passage.ts";
import { runLog, runServer, Server } from "./server.ts";

/** How the servers of a room are started. */
export interface ClusterOptions {
  /** What their `--nats` is. Default: a nats-server of the room's own, to which each has a passage. */
  readonly url?: string;
  /** More arguments, for all of them. */
  readonly args?: readonly string[];
  /** What is special about one of them, by its number. */
  readonly special?: Readonly<Record<number, Special>>;
  /** When its servers, and its nats-server, are ended at the latest, ms. Default: as every program of a test. */
  readonly deadline?: number;
}

/** What is special about a server. */
export interface Special {
  /** More arguments. */
  readonly args?: readonly string[];
  /** Options of the runtime's, besides the task's. */
  readonly runtime?: readonly string[];
  /** A command that starts it, in front of its own. */
  readonly prefix?: readonly string[];
  /** Texts of files that are in its folder when it starts. */
  readonly files?: Readonly<Record<string, string>>;
}

/** One of the room's servers, through all of its processes. */
export class Node implements AsyncDisposable {
  #server: Server | undefined;

  private constructor(
    /** Where its files are. */
    readonly folder: Folder,
    /** Where members reach it. */
    readonly port: number,
    readonly nats: string | Passage,
    readonly args: readonly string[],
    readonly special: Special,
    readonly deadline: number | undefined,
  ) {}

  /** One that isn't started yet. @param key What is in its `chat.key`. @param nats Where NATS is, or a passage to it. */
  static async make(
    key: string,
    nats: string | Passage,
    args: readonly string[],
    special: Special = {},
    deadline?: number,
  ): Promise<Node> {
    const folder = await Folder.make();
    await folder.write("chat.key", key);
    for (const [name, text] of Object.entries(special.files ?? {})) {
      await folder.write(name, text);
    }
    return new Node(folder, freePort(), nats, args, special, deadline);
  }

  /** Its way to NATS. */
  get passage(): Passage {
    assert(typeof this.nats !== "string", "it has no passage");
    return this.nats;
  }

  /** The arguments of its program, without where it listens. */
  get words(): string[] {
    const { nats, args, special } = this;
    const url = typeof nats === "string"
      ? nats
      : `nats://127.0.0.1:${nats.port}`;
    return ["--nats", url, ...args, ...special.args ?? []];
  }

  /** Starts it, again where it has ended, and waits until it listens. @param more Arguments for this time. */
  async start(...more: string[]): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
    this.#server = await Server.open(this.folder, this.#options(more));
  }

  /** As `start`, and doesn't wait: it may not get far. */
  async launch(...more: string[]): Promise<Server> {
    await this.#server?.[Symbol.asyncDispose]();
    return this.#server = await Server.launch(this.folder, this.#options(more));
  }

  #options(more: readonly string[]) {
    const { port, words, deadline, special: { runtime, prefix } } = this;
    const args = [...words, ...more];
    return { port, args, runtime, prefix, deadline };
  }

  /** Its process. */
  get server(): Server {
    assert(this.#server, "the server was not started");
    return this.#server;
  }

  /** Kills it. */
  async kill(): Promise<void> {
    this.server.kill("SIGKILL");
    await this.server.finished();
  }

  /** Asks it to stop, and waits until it has. */
  async end(): Promise<void> {
    this.server.kill("SIGTERM");
    assertEquals(await this.server.finished(), 0, this.server.transcript);
  }

  /** Its log, byte for byte. */
  log(): Promise<string> {
    return Deno.readTextFile(this.folder.file("chat.log"));
  }

  /** Waits until its log has so many lines. */
  async logs(lines: number): Promise<void> {
    await this.holds("chat.log", (text) => countLines(text) >= lines);
  }

  /** Waits until the text of a file of its fits. */
  async holds(file: string, fits: (text: string) => boolean): Promise<void> {
    try {
      await this.folder.holds(file, fits);
    } catch (error) {
      throw new Error(this.server.transcript, { cause: error });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
    if (typeof this.nats !== "string") {
      await this.nats[Symbol.asyncDispose]();
    }
    await this.folder[Symbol.asyncDispose]();
  }
}

function countLines(text: string): number {
  return text.split("\n").length - 1;
}

/** The servers of one room. */
export class Cluster implements AsyncDisposable {
  readonly nodes: Node[] = [];
  readonly #options: ClusterOptions;
  readonly #key: string;

  #added = 0;

  private constructor(
    key: string,
    /** Where what NATS stores is. */
    readonly folder: Folder,
    readonly ownNats: NatsServer | undefined,
    options: ClusterOptions,
  ) {
    this.#key = key;
    this.#options = options;
  }

  /** A room without servers yet. */
  static async make(options: ClusterOptions = {}): Promise<Cluster> {
    const folder = await Folder.make();
    const path = folder.file("chat.key");
    await KeyFile.loadOrCreate(path);
    const key = await Deno.readTextFile(path);
    const { url, deadline } = options;
    const nats = url === undefined
      ? await NatsServer.start(folder.file("nats"), { deadline })
      : undefined;
    return new Cluster(key, folder, nats, options);
  }

  /** A room with so many servers, which are started together. */
  static async open(
    count: number,
    options: ClusterOptions = {},
  ): Promise<Cluster> {
    const cluster = await Cluster.make(options);
    try {
      await cluster.grow(count);
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  /** Its nats-server. */
  get nats(): NatsServer {
    assert(this.ownNats, "the room has no nats-server of its own");
    return this.ownNats;
  }

  /** So many more servers, started together. */
  async grow(count: number): Promise<void> {
    const added = Array.from({ length: count }, () => this.add());
    await Promise.all((await Promise.all(added)).map((it) => it.start()));
  }

  /** One more server, which isn't started yet. */
  async add(): Promise<Node> {
    const { args = [], special = {}, url, deadline } = this.#options;
    const number = this.#added++;
    const nats = url ?? new Passage(this.nats.port);
    const own = special[number];
    const node = await Node.make(this.#key, nats, args, own, deadline);
    this.nodes[number] = node;
    return node;
  }

  /** The server with that number, from 0 on. */
  node(number: number): Node {
    const node = this.nodes[number];
    assert(node, `there is no server ${number}`);
    return node;
  }

  /** The standing link to that server, and to no other. */
  invite(number = 0): string {
    return this.to(number, this.node(number).server.invite);
  }

  /** A link that leads to that server, and to no other. @param link Whose id and secret it has. */
  to(number: number, link: string): string {
    const { port } = this.node(number);
    const { serverKey, id, secret } = parseInvite(link);
    return formatInvite({ host: "127.0.0.1", port, serverKey, id, secret });
  }

  /** Waits until all servers of a sealed room know a link of a keeper's. */
  async know(link: string): Promise<void> {
    const admission = `"invite":${parseInvite(link).id},"key":`;
    for (const node of this.nodes) {
      await node.holds("chat.control", (text) => text.includes(admission));
    }
  }

  /** The parts of the standing link. */
  get parts(): Invite {
    const first = this.nodes.findIndex((it) => it.server.stdout.length > 0);
    return parseInvite(this.invite(first));
  }

  /** A link that leads to all of them. @param link Whose id and secret it has. Default: the standing link. */
  everywhere(link = this.invite()): string {
    const addresses = this.nodes.map(({ port }) => `127.0.0.1:${port}`);
    return link.replace(/\/\/[^/]*\//, `//${addresses.join(",")}/`);
  }

  /** Runs `deno task invite` in a server's folder, with the server's own flags. @returns What it prints. */
  async makeInvite(number: number, ...words: string[]): Promise<string> {
    const node = this.node(number);
    const args = ["invite", ...words];
    const { code, stdout, stderr } = await runServer(node.folder, args);
    assertEquals(code, 0, stderr.join("\n"));
    return stdout.join("\n");
  }

  /**
   * Fails unless the logs of all servers are the same, byte for byte, and what is to be compared with members, too.
   * @param last How many lines they must have at least: it is waited for.
   * @returns The log.
   */
  async agreedLog(last: number): Promise<string> {
    await Promise.all(this.nodes.map((node) => node.logs(last)));
    const [first = "", ...others] = await Promise.all(
      this.nodes.map((node) => node.log()),
    );
    for (const [at, other] of others.entries()) {
      assertSameLog(first, other, `the logs of servers 0 and ${at + 1}`);
    }
    const count = countLines(first);
    const digits = await Promise.all(this.nodes.map(async ({ folder }) => {
      const { code, stdout, stderr } = await runLog(
        folder,
        "--agree",
        String(count),
      );
      assertEquals([code, stderr], [0, []]);
      return stdout.join("\n");
    }));
    for (const other of digits) assertEquals(other, digits[0]);
    return first;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((node) => node[Symbol.asyncDispose]()));
    await this.ownNats?.[Symbol.asyncDispose]();
    await this.folder[Symbol.asyncDispose]();
  }
}

/** Fails at the first line in which two logs differ. */
export function assertSameLog(one: string, other: string, what: string): void {
  if (one === other) return;
  const [ours, theirs] = [one, other].map((text) => text.split("\n"));
  const at = ours?.findIndex((line, index) => line !== theirs?.[index]) ?? 0;
  assertEquals(
    { at: at + 1, line: ours?.[at] },
    { at: at + 1, line: theirs?.[at] },
    what,
  );
  assertEquals(ours?.length, theirs?.length, what);
}

/** Fails unless each sender's texts stand in a log once, in their order, and no others of that sender. */
export function assertTyped(
  log: string,
  typed: ReadonlyMap<string, readonly string[]>,
): void {
  const said = new Map<string, string[]>();
  for (const [at, line] of log.trimEnd().split("\n").entries()) {
    const entry = parseEntry(line, at + 1);
    assert(entry, `line ${at + 1} is none: ${line}`);
    if (entry.what !== "said") continue;
    const texts = said.get(entry.name) ?? [];
    said.set(entry.name, texts);
    texts.push(entry.text);
  }
  for (const [name, texts] of typed) {
    const there = said.get(name) ?? [];
    const wrong = texts.findIndex((text, at) => text !== there[at]);
    if (wrong < 0 && texts.length === there.length) continue;
    const at = wrong < 0 ? texts.length : wrong;
    assertEquals(
      there.slice(at, at + 3),
      texts.slice(at, at + 3),
      `${name}, at text ${at}: ${there.length} in the log, ${texts.length} typed`,
    );
  }
}
