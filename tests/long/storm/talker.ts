/**
 * A real client process that talks without end and holds all that it is shown against what others are shown.
 *
 * @module
 */

import type { RoomNews } from "../../../src/client/view.ts";
import { Follower, type Ledger } from "../soak/ledger.ts";
import { Notify } from "../../../src/base/notify.ts";
import { byLines, Process, type ProcessOptions } from "../../kit/process.ts";
import { programCommand } from "../../kit/program.ts";
import type { Shown } from "../../kit/client.ts";

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
  readonly #process: Process;
  readonly #follower: Follower;
  readonly #around: Surroundings;
  #talking = true;
  readonly #room = new Notify(); // whenever fewer are under way

  private constructor(
    name: string,
    words: readonly string[],
    { cwd, env }: Pick<ProcessOptions, "cwd" | "env">,
    around: Surroundings,
  ) {
    this.#name = name;
    this.#around = around;
    this.#follower = new Follower(name, around.ledger);
    this.#process = new Process(words, {
      cwd,
      env,
      stdout: byLines((line) => this.#take(JSON.parse(line))),
      stderr: (piece) => {
        this.complaints = (this.complaints + (piece ?? "")).slice(-10_000);
      },
    });
  }

  /** Starts one. */
  static async start(name: string, around: Surroundings): Promise<Talker> {
    const { invite, folder, prefix } = around;
    const home = `${folder}/${name}`;
    await Deno.mkdir(home);
    const args = [invite, "--name", name, "--json"];
    const options = { args, cwd: home, home, prefix };
    const { words, env } = await programCommand("client", options);
    return new Talker(name, words, { cwd: home, env }, around);
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
    this.#room.notify();
  }

  /** Talks until it is told to stop. */
  async talk(): Promise<void> {
    while (this.#talking) {
      const lines = Array.from({ length: BURST }, () => this.#nextLine());
      await this.#process.write(lines.join(""));
      while (this.#talking && this.typed - this.seen > MAX_UNDER_WAY) {
        await this.#room.wait();
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
    this.#room.notify();
  }

  /** Sends the process a signal. */
  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** Ends its input, upon which it leaves when all that was typed is in the log. @returns Its exit code. */
  async finish(): Promise<number> {
    await this.#process.endInput();
    return await this.#process.ended;
  }

  /** Ends it at once, if it runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await this.#process[Symbol.asyncDispose]();
  }
}
