/**
 * How long it takes from a typed line to the own screen, through client, server and client again, in a room where
 * nothing else happens.
 *
 * @module
 */

import { type Spread, spread, type TypingFigures } from "./figures.ts";
import { Notify } from "../../src/base/notify.ts";
import { within } from "../../src/base/timing.ts";
import { succeeds } from "../../tests/kit/command.ts";
import { Folder } from "../../tests/kit/folder.ts";
import { Process } from "../../tests/kit/process.ts";
import { taskWords } from "../../tests/kit/program.ts";
import { ServerProcess } from "./processes.ts";

/** Lines that are timed, and those before them. */
const LINES = 200;
const WARMUP = 50;
/** How long a line may take, ms. */
const PATIENCE = 10_000;
const NAME = "typist";

/** A client and what it has shown since it was last asked. */
class Typist implements AsyncDisposable {
  readonly #process: Process;
  readonly #more = new Notify();
  #shown = "";
  #ended = false;

  /** Starts a client in a folder of its own. */
  constructor(words: readonly string[], { path }: Folder, signal: AbortSignal) {
    this.#process = new Process(words, {
      env: { XDG_CONFIG_HOME: path, APPDATA: path },
      signal,
      stdout: (piece) => {
        this.#shown += piece ?? "";
        this.#ended = piece === null;
        this.#more.notify();
      },
    });
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

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop();
  }
}

/** Times lines one after the other. @param enter Ends a line. @param shown How the client shows a text. */
async function timeLines(
  typist: Typist,
  enter: string,
  shown: (text: string) => RegExp,
): Promise<Spread> {
  const times: number[] = [];
  for (let at = -WARMUP; at < LINES; at++) {
    const text = `line-${at + WARMUP}.`;
    await typist.type(text);
    // In a terminal what is typed shows as it is typed; what counts begins with the last key.
    if (enter === "\r") await typist.sees(new RegExp(`${text}$`));
    const start = performance.now();
    await typist.type(enter);
    await typist.sees(shown(text));
    if (at >= 0) times.push(performance.now() - start);
  }
  return spread(times);
}

/** Times typed lines, with everything on any processor, as on a person's machine. */
export async function measureTyping(
  stop: AbortSignal,
): Promise<TypingFigures> {
  const pins = { server: [], load: [], description: "not pinned" };
  await using server = await ServerProcess.start(pins, [], stop);
  if (server.place.kind !== "chat") throw new TypeError("Not our server");
  await using folder = await Folder.make();
  const words = [...taskWords("client"), server.place.invite];
  const named = [...words, "--name", NAME];
  const pipeMs = await piped(named, folder, stop);
  const script = ["script", "--quiet", "--flush", "--return", "--command"];
  if (!await succeeds(...script, "true", "/dev/null")) return { pipeMs };
  const quoted = named.map((word) => `'${word}'`).join(" ");
  const terminal = [...script, quoted, "/dev/null"];
  return { pipeMs, terminalMs: await inTerminal(terminal, folder, stop) };
}

async function piped(
  words: readonly string[],
  folder: Folder,
  stop: AbortSignal,
): Promise<Spread> {
  await using typist = new Typist(words, folder, stop);
  return await timeLines(typist, "\n", (text) => {
    return new RegExp(`${NAME}: ${text}\n`);
  });
}

async function inTerminal(
  words: readonly string[],
  folder: Folder,
  stop: AbortSignal,
): Promise<Spread> {
  await using typist = new Typist(words, folder, stop);
  await typist.sees(new RegExp(`${NAME}> `));
  return await timeLines(typist, "\r", (text) => {
    return new RegExp(`${NAME}[^>].*${text}`);
  });
}
