/**
 * The strangers' process as the benchmark sees it: starts it, waits for what it says, ends it.
 *
 * @module
 */

import { Notify } from "../../src/base/notify.ts";
import { byLines, Process } from "../../tests/kit/process.ts";
import type { Flood, Word } from "./flood.ts";
import type { Pinning } from "../load/processes.ts";

/** Strangers in a process of their own. */
export class Flooding implements AsyncDisposable {
  readonly #process: Process;
  readonly #words: Word[] = []; // that it has said and nobody has waited for yet
  readonly #said = new Notify(); // also when it has ended
  #ended = false;

  /** Starts them. @param signal Ends them at once. */
  constructor({ load }: Pinning, flood: Flood, signal: AbortSignal) {
    const take = byLines((line) => this.#words.push(JSON.parse(line)));
    this.#process = new Process([
      ...load,
      Deno.execPath(),
      ...["run", "--no-prompt", "--allow-net", "--allow-env"],
      new URL("./flood.ts", import.meta.url).href,
      JSON.stringify(flood),
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

  /** Waits until the first connection stands. */
  async begun(): Promise<void> {
    await this.#next("begun");
  }

  /** Waits until all stand where they stop. @throws {Error} if they come to an end before. */
  async waiting(): Promise<void> {
    await this.#next("waiting");
  }

  /** Waits until all have done what they came for. @returns How many connections stood at some time. */
  async over(): Promise<number> {
    const { connected } = await this.#next("over");
    return connected;
  }

  /** Ends them. @returns How many connections stood at some time. */
  async stop(): Promise<number> {
    await this.#process.endInput();
    return await this.over();
  }

  /** Ends them, whatever they do. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }

  async #next<K extends Word["kind"]>(
    kind: K,
  ): Promise<Extract<Word, { kind: K }>> {
    for (;;) {
      const word = this.#words.shift();
      if (word?.kind === kind) return word as Extract<Word, { kind: K }>;
      if (word?.kind === "over") {
        throw new Error("Cannot go on: the strangers didn't stay");
      }
      if (word) continue;
      if (this.#ended) {
        throw new Error("Cannot go on: the strangers have failed");
      }
      await this.#said.wait();
    }
  }
}
