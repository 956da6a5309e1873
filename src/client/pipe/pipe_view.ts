/**
 * What the views without a terminal share: lines in, lines out, and a quiet end when nobody reads any more.
 *
 * @module
 */

import type { News, Standing, TypedView } from "../view.ts";
import { TextLineStream } from "../../base/std_streams.ts";
import { inputError } from "../../base/first_line.ts";
import { OutputError } from "../../base/output.ts";
import { escapeText } from "../../base/safe_text.ts";
import { waitIfFull, writeAllSync } from "../../base/write_all.ts";

/**
 * The longest line that is read whole, UTF-16 units. The rest of a longer one is dropped as it comes, and
 * what is left is still far longer than a message may be, so that it is refused and never sent in part.
 */
const MAX_LINE_LENGTH = 65_536;

/** Where lines go; `Deno.stdout` and `Deno.stderr` are such. */
export interface Sink {
  /** Writes some of the bytes, at once, and returns how many. */
  writeSync(bytes: Uint8Array): number;
}

/** The streams of a view without a terminal. */
export interface PipeOptions {
  /** UTF-8 text; bytes that aren't become U+FFFD. */
  readonly input: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** For what a program may read on. */
  readonly output: Sink;
  /** For what is about this program. */
  readonly errors: Sink;
  /** For questions, where a person types the input; left out where nobody does. */
  readonly questions?: Sink | undefined;
}

/** A view on streams. */
export abstract class PipeView implements TypedView {
  /** Rejects with an `OutputError` when the output takes no more, but for a reader that has enough. */
  readonly failed: Promise<never>;
  readonly #failure = Promise.withResolvers<never>();
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #output: Sink;
  readonly #errors: Sink;
  readonly #questions: Sink | undefined;
  #closed = false; // reads no more
  #broken = false; // writes no more

  /** Whether anything that was asked for couldn't be done. */
  failedAny = false;

  /** Reads nothing until it is asked. */
  constructor({ input, output, errors, questions }: PipeOptions) {
    this.#lines = input
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(limitLines())
      .pipeThrough(new TextLineStream())
      .getReader();
    this.#output = output;
    this.#errors = errors;
    this.#questions = questions;
    this.failed = this.#failure.promise;
    this.failed.catch(() => {}); // whether or not somebody waits for it by then
  }

  /** Writes a piece of news. */
  abstract show(news: News): void;

  /** Writes something about this program. */
  abstract note(text: string): void;

  /** Does nothing: a pipe has no prompt. */
  stand(_standing: Standing): void {}

  /**
   * The next line of the input; a pipe isn't shown the question.
   * @param preset What an empty line stands for. Default: it doesn't count. @throws {FileError} if the input can't be read.
   */
  async ask(question: string, preset = ""): Promise<string | null> {
    this.#tryToWrite(this.#questions, escapeText(question));
    const answer = await this.#next(preset);
    if (answer === null) this.#tryToWrite(this.#questions, "\n");
    return answer;
  }

  /**
   * The lines of the input that aren't empty, until it ends or the output takes no more.
   * @throws {FileError} if the input can't be read.
   */
  async *lines(): AsyncGenerator<string> {
    for (;;) {
      const line = await this.#next();
      if (line === null) return;
      yield line;
    }
  }

  /** Reads no more. */
  close(): void {
    this.#closed = true;
    // The input may already have failed; nobody is waiting for it now.
    this.#lines.cancel().catch(() => {});
  }

  /** Writes a line to stdout. Where that fails, nothing more is read or written: what is lost is lost in one piece. */
  protected print(line: string): void {
    if (this.#broken) return;
    try {
      write(this.#output, `${line}\n`);
    } catch (cause) {
      this.#broken = true;
      this.close();
      const error = new OutputError(cause);
      if (!error.isUnread) this.#failure.reject(error);
    }
  }

  /** Writes a line to stderr, as far as that takes it: what is said in the room goes on without. */
  protected complain(line: string): void {
    this.#tryToWrite(this.#errors, `${line}\n`);
  }

  #tryToWrite(sink: Sink | undefined, text: string): void {
    if (this.#broken || !sink) return;
    try {
      write(sink, text);
    } catch {
      // There is nobody else to tell.
    }
  }

  /** The next line that isn't empty. @param preset What one that is stands for; empty: nothing. */
  async #next(preset = ""): Promise<string | null> {
    while (!this.#closed) {
      const line = await this.#read();
      if (line === null || line.trim() !== "") return line;
      if (preset !== "") return preset;
    }
    return null;
  }

  async #read(): Promise<string | null> {
    try {
      const { done, value } = await this.#lines.read();
      return done ? null : value;
    } catch (cause) {
      throw inputError(cause);
    }
  }
}

function write(sink: Sink, text: string): void {
  writeAllSync(sink, new TextEncoder().encode(text), waitIfFull);
}

/** Drops what is beyond the greatest length of a line, before anything gathers it. */
function limitLines(): TransformStream<string, string> {
  let length = 0;
  return new TransformStream({
    transform(chunk, controller) {
      const pieces = chunk.split("\n").map((piece, index) => {
        if (index > 0) length = 0;
        const kept = piece.slice(0, MAX_LINE_LENGTH - length);
        length += kept.length;
        return kept;
      });
      controller.enqueue(pieces.join("\n"));
    },
  });
}
