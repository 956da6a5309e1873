/**
 * The lines that somebody typed, until they are taken: as answers to questions, or as what is said.
 *
 * @module
 */

import { Notify } from "../../base/notify.ts";

/** How many lines may wait to be taken; more than that at once are a mistake. */
const MAX_TYPED = 1_000;

/** A question that waits for its answer. */
interface Asked {
  readonly question: string;
  readonly preset: string;
  readonly answer: (line: string | null) => void;
}

/** A queue of lines between a person and a program. */
export class TypedLines {
  readonly #lines: string[] = [];
  #asked: Asked | undefined;
  readonly #pushed = new Notify(); // also at the end
  #ended = false;

  /** The question that waits for an answer. */
  get question(): string | undefined {
    return this.#asked?.question;
  }

  /** What an empty line answers to it; empty for nothing. */
  get preset(): string {
    return this.#asked?.preset ?? "";
  }

  /** Adds a line. @returns Whether there was place for it. */
  push(line: string): boolean {
    const asked = this.#asked;
    if (asked) {
      this.#asked = undefined;
      asked.answer(line);
      return true;
    }
    if (this.#lines.length >= MAX_TYPED) return false;
    this.#lines.push(line);
    this.#pushed.notify();
    return true;
  }

  /** The next line, as the answer to a question; null once there are no more. @param preset What an empty line answers. */
  ask(question: string, preset = ""): Promise<string | null> {
    const early = this.#lines.shift();
    if (early !== undefined) return Promise.resolve(early);
    if (this.#ended) return Promise.resolve(null);
    return new Promise((answer) => this.#asked = { question, preset, answer });
  }

  /** The lines, until the end. */
  async *lines(): AsyncGenerator<string> {
    for (;;) {
      const line = this.#lines.shift();
      if (line !== undefined) {
        yield line;
      } else if (this.#ended) {
        return;
      } else {
        await this.#pushed.wait();
      }
    }
  }

  /** Takes no more lines; a question is answered with null. */
  end(): void {
    this.#ended = true;
    this.#asked?.answer(null);
    this.#asked = undefined;
    this.#pushed.notify();
  }
}
