/**
 * How long it takes from a typed line to the own screen, through client, server and client again, in a room
 * where nothing else happens. Knows what the client shows, and nothing of how it does it.
 *
 * @module
 */

import { type Spread, spread } from "./figures.ts";
import {
  command,
  end,
  ServerProcess,
  succeeds,
  taskWords,
} from "./processes.ts";

/** Lines that are timed, and those before them. */
const LINES = 200;
const WARMUP = 50;
/** How long a line may take, ms. */
const PATIENCE = 10_000;
const NAME = "typist";

/** What was found, ms: medians and spread over all lines. */
export interface TypingFigures {
  /** Lines through pipes. */
  readonly pipeMs: Spread;
  /** Lines in a pseudo-terminal, by util-linux's `script`; undefined where there is none. */
  readonly terminalMs?: Spread;
}

/** A client and what it has shown since it was last asked. */
class Typist implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #output: ReadableStreamDefaultReader<string>;
  readonly #signal: AbortSignal;
  #shown = "";

  /** Starts a client in a folder of its own. */
  constructor(words: readonly string[], folder: string, stop: AbortSignal) {
    const [program, args] = command(words);
    this.#signal = stop;
    this.#child = new Deno.Command(program, {
      args,
      env: { XDG_CONFIG_HOME: folder, APPDATA: folder },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#output = this.#child.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
  }

  /** Types. */
  async type(text: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(text));
  }

  /** Waits until it has shown something. @throws {Error} where it ends, or takes too long. */
  async sees(pattern: RegExp): Promise<void> {
    const timeout = AbortSignal.timeout(PATIENCE);
    const limit = AbortSignal.any([this.#signal, timeout]);
    const ended = Promise.withResolvers<never>();
    const giveUp = () =>
      ended.reject(new Error(`Cannot time the client: no ${pattern} came`));
    limit.addEventListener("abort", giveUp);
    while (!pattern.test(this.#shown)) {
      const next = await Promise.race([this.#output.read(), ended.promise]);
      if (next.done) throw new Error("Cannot time the client: it has ended");
      this.#shown += next.value;
    }
    limit.removeEventListener("abort", giveUp);
    this.#shown = "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await end(this.#child);
    await this.#output.cancel();
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
  const folder = await Deno.makeTempDir({ prefix: "chat-bench-" });
  const words = [...taskWords("client"), server.place.invite];
  const named = [...words, "--name", NAME];
  try {
    const pipeMs = await piped(named, folder, stop);
    const script = ["script", "--quiet", "--flush", "--return", "--command"];
    const there = await succeeds("script", [
      ...script.slice(1),
      "true",
      "/dev/null",
    ]);
    if (!there) return { pipeMs };
    const quoted = named.map((word) => `'${word}'`).join(" ");
    const terminal = [...script, quoted, "/dev/null"];
    return { pipeMs, terminalMs: await inTerminal(terminal, folder, stop) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function piped(
  words: readonly string[],
  folder: string,
  stop: AbortSignal,
): Promise<Spread> {
  await using typist = new Typist(words, folder, stop);
  return await timeLines(typist, "\n", (text) => {
    return new RegExp(`${NAME}: ${text}\n`);
  });
}

async function inTerminal(
  words: readonly string[],
  folder: string,
  stop: AbortSignal,
): Promise<Spread> {
  await using typist = new Typist(words, folder, stop);
  await typist.sees(new RegExp(`${NAME}> `));
  return await timeLines(typist, "\r", (text) => {
    return new RegExp(`${NAME}[^>].*${text}`);
  });
}
