/**
 * A real client process that talks without end and holds all that it is shown against what others are shown.
 * Knows nothing of servers, or of why it loses them.
 *
 * @module
 */

import type { RoomNews } from "../../../src/client/view.ts";
import { type Shown, spawnProgram } from "../../kit/harness.ts";
import { Follower, type Ledger } from "../soak/ledger.ts";

/** Lines that are typed at a time, and how many may be under way. */
const BURST = 5;
const MAX_UNDER_WAY = 50;

/** What all talkers of a storm share. */
export interface Surroundings {
  /** The server's link. */
  readonly invite: string;
  /** A folder for each one's own files. */
  readonly folder: string;
  /** A command that starts a client, where not the system. */
  readonly prefix?: readonly string[] | undefined;
  /** What is shown to everybody. */
  readonly ledger: Ledger;
  /** Is called whenever one was shown something. */
  readonly onShown: () => void;
}

/** One of those who talk. */
export class Talker implements AsyncDisposable {
  /** The greatest number that it was shown. */
  last = 0;
  /** Whether it is in the room, as far as it knows. */
  inside = false;
  /** How often it lost its server, and what it said of the last time. */
  losses = 0;
  reason = "";
  /** How many lines it has typed, and how many of them it has seen in the room. */
  typed = 0;
  seen = 0;
  /** What it wrote to its standard error. */
  complaints = "";
  readonly #name: string;
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #follower: Follower;
  readonly #around: Surroundings;
  readonly #reading: Promise<unknown>;
  #talking = true;
  #room = Promise.withResolvers<void>(); // renewed whenever fewer are under way

  private constructor(
    name: string,
    process: Deno.ChildProcess,
    around: Surroundings,
  ) {
    this.#name = name;
    this.#process = process;
    this.#input = process.stdin.getWriter();
    this.#around = around;
    this.#follower = new Follower(name, around.ledger);
    this.#reading = Promise.all([
      this.#eachLine(process.stdout, (line) => this.#take(JSON.parse(line))),
      this.#eachLine(process.stderr, (line) => {
        this.complaints = `${this.complaints}${line}\n`.slice(-10_000);
      }),
    ]);
  }

  /** Starts one. */
  static async start(name: string, around: Surroundings): Promise<Talker> {
    const { invite, folder, prefix } = around;
    const home = `${folder}/${name}`;
    await Deno.mkdir(home);
    const args = [invite, "--name", name, "--json"];
    const options = { args, cwd: home, home, prefix };
    const process = await spawnProgram("client", options);
    return new Talker(name, process, around);
  }

  async #eachLine(
    stream: ReadableStream<Uint8Array<ArrayBuffer>>,
    take: (line: string) => void,
  ): Promise<void> {
    let rest = "";
    for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + piece).split("\n");
      rest = lines.pop() ?? "";
      lines.forEach(take);
    }
  }

  #take(shown: Shown): void {
    const { type, seq, server, name = "", reason = "" } = shown;
    if (type === "away") {
      this.inside = false;
      this.losses++;
      this.reason = reason;
    } else if (server !== undefined) {
      this.inside = true;
      this.#follower.entered(seq ?? 0);
    } else if (type === "refused") {
      this.#around.ledger.fault(`${this.#name} was refused: ${reason}`);
    } else if (seq !== undefined) {
      const what = type as RoomNews["type"];
      const text = shown.text ?? reason;
      this.#follower.show({ type: what, seq, name, text });
      if (type === "said" && name === this.#name) this.#seeOwn();
    }
    this.last = Math.max(this.last, seq ?? 0);
    this.#around.onShown();
  }

  #seeOwn(): void {
    this.seen++;
    this.#room.resolve();
    this.#room = Promise.withResolvers<void>();
  }

  /** Talks until it is told to stop. */
  async talk(): Promise<void> {
    while (this.#talking) {
      const lines = Array.from({ length: BURST }, () => this.#nextLine());
      await this.#input.write(new TextEncoder().encode(lines.join("")));
      while (this.#talking && this.typed - this.seen > MAX_UNDER_WAY) {
        await this.#room.promise;
      }
    }
  }

  #nextLine(): string {
    const text = `${this.#name} ${++this.typed}`;
    this.#around.ledger.settle(text);
    return `${text}\n`;
  }

  /** Ends `talk`. */
  stop(): void {
    this.#talking = false;
    this.#room.resolve();
  }

  /** Sends the process a signal. */
  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** Ends its input, upon which it leaves when all that was typed is in the log. @returns Its exit code. */
  async finish(): Promise<number> {
    await this.#input.close();
    const { code } = await this.#process.status;
    await this.#reading;
    return code;
  }

  /** Ends it at once, if it runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    try {
      this.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.#input.abort().catch(() => {}); // closed already, where it has finished
    await this.#process.status;
    await this.#reading.catch(() => {}); // what it was shown can't be read any more, and was not to be
  }
}
