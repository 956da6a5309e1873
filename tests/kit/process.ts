/**
 * A process that runs: its input, its output as it comes, its end. The one way in which tests, benchmarks and the
 * demonstration start something that goes on.
 *
 * @module
 */

/** How long a process that is asked to end may take, ms, before it is ended. */
const END_TIME = 5_000;

const encoder = new TextEncoder();

/** Takes what a process writes, piece by piece; null at the end. */
export type Listener = (piece: string | null) => void;

/** Hands over whole lines, without their line feeds; at the end what is left. */
export function byLines(take: (line: string) => void): Listener {
  let rest = "";
  return (piece) => {
    if (piece === null) {
      if (rest !== "") take(rest);
      return;
    }
    const lines = (rest + piece).split("\n");
    rest = lines.pop() ?? "";
    lines.forEach(take);
  };
}

/** How a process is started. */
export interface ProcessOptions {
  /** The working folder. */
  readonly cwd?: string | undefined;
  /** Variables of the environment, beside this process's own. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Ends it at once. */
  readonly signal?: AbortSignal | undefined;
  /** Takes stdout; without it, stdout goes nowhere. */
  readonly stdout?: Listener | undefined;
  /** Takes stderr; without it, stderr goes nowhere; or this process's own. */
  readonly stderr?: Listener | "inherit" | undefined;
}

/** A process. */
export class Process implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #code: Promise<number>;

  /** Starts a command. */
  constructor(words: readonly string[], options: ProcessOptions = {}) {
    const [program = "", ...args] = words;
    const { cwd, env, signal, stdout, stderr } = options;
    this.#child = new Deno.Command(program, {
      args,
      ...(cwd === undefined ? {} : { cwd }),
      ...(env === undefined ? {} : { env }),
      ...(signal === undefined ? {} : { signal }),
      stdin: "piped",
      stdout: stdout ? "piped" : "null",
      stderr: stderr === "inherit" ? stderr : stderr ? "piped" : "null",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#code = this.#run(stdout, stderr === "inherit" ? undefined : stderr);
  }

  /** Its number. */
  get pid(): number {
    return this.#child.pid;
  }

  async #run(stdout?: Listener, stderr?: Listener): Promise<number> {
    await Promise.all([
      stdout && read(this.#child.stdout, stdout),
      stderr && read(this.#child.stderr, stderr),
    ]);
    return (await this.#child.status).code;
  }

  /** Writes a text to its input; resolves when the pipe has taken all of it. */
  async write(text: string): Promise<void> {
    await this.#input.write(encoder.encode(text));
  }

  /** Ends its input. */
  async endInput(): Promise<void> {
    await this.#input.close();
  }

  /** Sends it a signal; does nothing if it has ended. */
  kill(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch (error) {
      // The only failure of a signal to a child of ours: it has ended by itself.
      if (
        !(error instanceof TypeError || error instanceof Deno.errors.NotFound)
      ) throw error;
    }
  }

  /** Its exit code, when it has ended and all that it wrote has been read. */
  get ended(): Promise<number> {
    return this.#code;
  }

  /** Asks it to end, and ends it if that doesn't help. @returns Its exit code. */
  async stop(): Promise<number> {
    const timer = setTimeout(() => this.kill("SIGKILL"), END_TIME);
    this.kill("SIGTERM");
    const code = await this.#code;
    clearTimeout(timer);
    await this.#closeInput();
    return code;
  }

  /** Ends it at once, if it runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await this.#closeInput();
    await this.#code;
  }

  async #closeInput(): Promise<void> {
    await this.#input.abort().catch(() => {}); // closed already, by us or by its end
  }
}

async function read(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  listener: Listener,
): Promise<void> {
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
    listener(piece);
  }
  listener(null);
}
