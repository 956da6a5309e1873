/**
 * What a client takes, by pipes and in a terminal: from its start until it is in, by the clock; from a typed line to the
 * own screen, through client, server and client again, in a room where nothing else happens; and in memory, right after
 * as much was said as in a day, but as fast as the server takes it: then V8 has the most garbage. It is the resident
 * size, with those parts of the runtime's own program that are in use, which the kernel shares among clients.
 *
 * @module
 */

import { type ClientFigures, type Spread, spread } from "./figures.ts";
import { Chatter } from "./chatter.ts";
import { formatInvite } from "../../src/keys/invite.ts";
import { Notify } from "../../src/base/notify.ts";
import { within } from "../../src/base/timing.ts";
import { output, succeeds } from "../../tests/kit/command.ts";
import { Folder } from "../../tests/kit/folder.ts";
import { Process } from "../../tests/kit/process.ts";
import { taskWords } from "../../tests/kit/program.ts";
import { ServerProcess, UNPINNED } from "./processes.ts";
import { usageOf } from "./usage.ts";

/** How often a client is started. */
const STARTS = 15;
/** Lines that are timed, and those before them. */
const LINES = 200;
const WARMUP = 50;
/** What is said in a day. */
const DAY_LINES = 100_000;
/** How long the client may take to show something, ms. */
const PATIENCE = 60_000;
/** What is looked at of what it has shown, characters: the last of it. */
const KEPT = 65_536;
const NAME = "typist";

/** How a client is started, and what it shows. */
interface Way {
  readonly kind: "pipe" | "terminal";
  readonly words: readonly string[];
  /** What it shows once it is in. */
  readonly joined: RegExp;
  /** What ends a line. */
  readonly enter: string;
}

/** A client and what it has shown since it was last asked. */
class Typist implements AsyncDisposable {
  readonly #process: Process;
  readonly #more = new Notify();
  #shown = "";
  #ended = false;

  private constructor(
    words: readonly string[],
    { path }: Folder,
    signal: AbortSignal,
  ) {
    this.#process = new Process(words, {
      env: { XDG_CONFIG_HOME: path, APPDATA: path },
      signal,
      stdout: (piece) => {
        this.#shown = (this.#shown + (piece ?? "")).slice(-KEPT);
        this.#ended = piece === null;
        this.#more.notify();
      },
    });
  }

  /** Starts a client whose own files are in a folder, and waits until it is in. */
  static async in(
    { words, joined }: Way,
    folder: Folder,
    signal: AbortSignal,
  ): Promise<Typist> {
    const typist = new Typist(words, folder, signal);
    await typist.sees(joined);
    return typist;
  }

  /** Types. */
  type(text: string): Promise<void> {
    return this.#process.write(text);
  }

  /** Waits until it has shown something. @throws {Error} if it ends, or takes too long. */
  async sees(pattern: RegExp): Promise<void> {
    if (!await within(PATIENCE, this.#shows(pattern))) {
      throw new Error(`Cannot time the client: no ${pattern} came`);
    }
    this.#shown = "";
  }

  async #shows(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.#shown)) {
      if (this.#ended) throw new Error("Cannot time the client: it has ended");
      await this.#more.wait();
    }
  }

  /** Its resident memory, bytes. */
  async memory(): Promise<number> {
    const { pid } = this.#process; // in a terminal, the client is its child
    const child = await output("pgrep", "--parent", `${pid}`);
    return (await usageOf(Number(child ?? pid))).memory;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop();
  }
}

/** The ways to start a client: by pipes and, where there is util-linux's `script`, in a terminal. */
async function ways(invite: string): Promise<Way[]> {
  const words = [...taskWords("client"), invite, "--name", NAME];
  // As programs have it: only they are told of their own lines by a pipe.
  const pipe = {
    kind: "pipe",
    words: [...words, "--json"],
    joined: /"type":"joined"/,
    enter: "\n",
  } as const;
  const script = ["script", "--quiet", "--flush", "--return", "--command"];
  if (!await succeeds(...script, "true", "/dev/null")) return [pipe];
  const quoted = words.map((word) => `'${word}'`).join(" ");
  return [pipe, {
    kind: "terminal",
    words: [...script, `exec ${quoted}`, "/dev/null"],
    joined: new RegExp(`${NAME}> `),
    enter: "\r",
  }];
}

/** Times clients that start; the first, which makes an identity, doesn't count. */
async function timeStarts(
  way: Way,
  folder: Folder,
  stop: AbortSignal,
): Promise<Spread> {
  const times: number[] = [];
  for (let at = 0; at <= STARTS; at++) {
    const start = performance.now();
    await using _ = await Typist.in(way, folder, stop);
    if (at > 0) times.push(performance.now() - start);
  }
  return spread(times);
}

/** Times lines one after the other. */
async function timeLines(
  way: Way,
  folder: Folder,
  stop: AbortSignal,
): Promise<Spread> {
  await using typist = await Typist.in(way, folder, stop);
  const isPipe = way.kind === "pipe";
  const times: number[] = [];
  for (let at = -WARMUP; at < LINES; at++) {
    const text = `line-${at + WARMUP}.`;
    const request = JSON.stringify({ type: "say", text });
    await typist.type(isPipe ? request : text);
    // In a terminal what is typed shows as it is typed; what counts begins with the last key.
    if (!isPipe) await typist.sees(new RegExp(text));
    const start = performance.now();
    await typist.type(way.enter);
    const shown = isPipe ? `"text":"${text}"` : `${NAME}[^>].*${text}`;
    await typist.sees(new RegExp(shown));
    if (at >= 0) times.push(performance.now() - start);
  }
  return spread(times);
}

/** The memory of a client that has just been told a day's lines at full speed, MB. */
async function memoryAfterDay(
  way: Way,
  folder: Folder,
  link: string,
  stop: AbortSignal,
): Promise<Spread> {
  await using typist = await Typist.in(way, folder, stop);
  using chatter = await Chatter.in(link, `by-${way.kind}`);
  await chatter.talk(DAY_LINES);
  await typist.sees(new RegExp(`message ${DAY_LINES} `));
  return spread([await typist.memory() / 1e6]);
}

/** Measures clients, with everything on any processor, as on a person's machine. */
export async function measureClients(
  stop: AbortSignal,
): Promise<ClientFigures[]> {
  const found: ClientFigures[] = [];
  const flags = ["--rate", "0"];
  await using server = await ServerProcess.start(UNPINNED, flags, stop);
  await using folder = await Folder.make();
  const link = formatInvite(server.invite);
  for (const way of await ways(link)) {
    found.push({
      kind: way.kind,
      joinMs: await timeStarts(way, folder, stop),
      lineMs: await timeLines(way, folder, stop),
      memoryMb: await memoryAfterDay(way, folder, link, stop),
    });
  }
  return found;
}
