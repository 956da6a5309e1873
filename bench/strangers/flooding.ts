/**
 * The strangers' process as the benchmark sees it: starts it, waits for what it says, ends it. Knows nothing of
 * what strangers do.
 *
 * @module
 */

import { TextLineStream } from "../../src/base/std.ts";
import type { Flood, Word } from "./flood.ts";
import { command, type Pinning } from "../load/processes.ts";

/** Strangers in a process of their own. */
export class Flooding implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #words: AsyncIterator<string>;

  /** Starts them. @param signal Ends them at once. */
  constructor({ load }: Pinning, flood: Flood, signal: AbortSignal) {
    const [program, args] = command([
      ...load,
      Deno.execPath(),
      ...["run", "--no-prompt", "--allow-net", "--allow-env"],
      new URL("./flood.ts", import.meta.url).href,
      JSON.stringify(flood),
    ]);
    this.#child = new Deno.Command(program, {
      args,
      signal,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#words = this.#child.stdout
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream())[Symbol.asyncIterator]();
  }

  /** Waits until the first connection stands. */
  async begun(): Promise<void> {
    await this.#next("begun");
  }

  /** Waits until all stand where they stop. @throws {Error} where they come to an end before. */
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
    await this.#child.stdin.close();
    return await this.over();
  }

  /** Ends them, whatever they do. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#child.status;
    await this.#words.return?.();
    await this.#child.stdin.close().catch(() => {}); // closed already, or nobody there to read it
  }

  async #next<K extends Word["kind"]>(
    kind: K,
  ): Promise<Extract<Word, { kind: K }>> {
    for (;;) {
      const { done, value } = await this.#words.next();
      if (done) throw new Error("Cannot go on: the strangers have failed");
      const word: Word = JSON.parse(value);
      if (word.kind === kind) return word as Extract<Word, { kind: K }>;
      if (word.kind === "over") {
        throw new Error("Cannot go on: the strangers didn't stay");
      }
    }
  }
}
