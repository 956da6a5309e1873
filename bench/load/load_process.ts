/**
 * The load process as the benchmark sees it: starts it, waits for what it says, tells it something, ends it.
 *
 * @module
 */

import { Notify } from "../../src/base/notify.ts";
import { byLines, Process } from "../../tests/kit/process.ts";
import type { Job, Word } from "./job.ts";
import type { Pinning } from "./processes.ts";

/** What members' process may do, which brings its own sockets. */
const MEMBERS_PERMISSIONS = ["--allow-ffi", "--allow-run=cat"];
/** What the strangers' may, whose sockets choose their address. */
const STRANGERS_PERMISSIONS = ["--allow-net", "--allow-env"];

/** A job that is done in a process of its own. */
export class LoadProcess implements AsyncDisposable {
  readonly #process: Process;
  readonly #signal: AbortSignal;
  readonly #words: Word[] = []; // that it has said and nobody has waited for yet
  readonly #said = new Notify(); // also when it has ended
  #ended = false;

  /** Starts it. @param signal Ends it at once. */
  constructor({ load }: Pinning, job: Job, signal: AbortSignal) {
    const take = byLines((line) => this.#words.push(JSON.parse(line)));
    const isMembers = "place" in job;
    this.#signal = signal;
    this.#process = new Process([
      ...load,
      Deno.execPath(),
      ...["run", "--no-prompt"],
      ...isMembers ? MEMBERS_PERMISSIONS : STRANGERS_PERMISSIONS,
      new URL("./driver.ts", import.meta.url).href,
      JSON.stringify(job),
    ], {
      signal,
      stdout: (piece) => {
        take(piece);
        this.#ended = piece === null;
        this.#said.notify();
      },
      stderr: "inherit",
    });
  }

  /** Waits until it says something. @throws {Error} if it comes to its end before. */
  async until(kind: "in" | "begun" | "waiting"): Promise<void> {
    await this.#next(kind);
  }

  /** Tells it something. */
  async tell(text: string): Promise<void> {
    await this.#process.write(`${text}\n`);
  }

  /** Tells it that nothing more will be said, which ends strangers that don't end by themselves. */
  async endInput(): Promise<void> {
    await this.#process.endInput();
  }

  /** Waits until the job is done. @returns What it found. @throws {Error} if it fails. */
  async findings<T>(): Promise<T> {
    return await this.#next("over") as T;
  }

  /** Ends it, whatever it does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }

  async #next(kind: Word["kind"]): Promise<unknown> {
    for (;;) {
      const word = this.#words.shift();
      if (word?.kind === kind) {
        return word.kind === "over" ? word.findings : undefined;
      }
      if (word?.kind === "failed") throw new Error(word.why);
      if (word) continue;
      if (this.#ended) {
        this.#signal.throwIfAborted();
        throw new Error("Cannot go on: the load has failed");
      }
      await this.#said.wait();
    }
  }
}
