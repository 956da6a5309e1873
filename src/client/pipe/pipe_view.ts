/**
 * What the views without a terminal share: lines in, lines out, and a quiet end when nobody reads any more.
 *
 * @module
 */

import type { News, Standing, View } from "../view.ts";
import { TextLineStream } from "../../base/std.ts";
import { writeAllSync } from "../../base/write_all.ts";

/**
 * The longest line that is read whole, UTF-16 units. The rest of a longer one is dropped as it comes, and
 * what is left is still far longer than a message may be, so that it is refused and never sent in part.
 */
const MAX_LINE_LENGTH = 65_536;
/** How long to wait, ms, before writing again to a pipe that is full and won't block. */
const FULL_PIPE_PAUSE = 5;

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
}

/** A view on streams. */
export abstract class PipeView implements View {
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #output: Sink;
  readonly #errors: Sink;
  #closed = false;

  /** Reads nothing until it is asked. */
  constructor({ input, output, errors }: PipeOptions) {
    this.#lines = input
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(limitLines())
      .pipeThrough(new TextLineStream())
      .getReader();
    this.#output = output;
    this.#errors = errors;
  }

  /** Writes a piece of news. */
  abstract show(news: News): void;

  /** Writes something about this program. */
  abstract note(text: string): void;

  /** Does nothing: a pipe has no prompt. */
  stand(_standing: Standing): void {}

  /** The next line of the input; a pipe isn't shown the question. */
  ask(_question: string): Promise<string | null> {
    return this.#next();
  }

  /** The lines of the input that aren't empty, until it ends or nobody reads the output any more. */
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

  /** Writes a line to stdout. */
  protected print(line: string): void {
    this.#write(this.#output, line);
  }

  /** Writes a line to stderr. */
  protected complain(line: string): void {
    this.#write(this.#errors, line);
  }

  async #next(): Promise<string | null> {
    while (!this.#closed) {
      const { done, value } = await this.#lines.read();
      if (done) return null;
      if (value.trim() !== "") return value;
    }
    return null;
  }

  #write(sink: Sink, line: string): void {
    if (this.#closed) return;
    try {
      writeAllSync(sink, new TextEncoder().encode(`${line}\n`), waitIfFull);
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
      // The reader has enough, as `head` does: leave quietly.
      this.close();
    }
  }
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

/** Waits for a pipe that its other end made non-blocking and reads slowly, as a blocking one would. */
function waitIfFull(error: unknown): void {
  if (!(error instanceof Deno.errors.WouldBlock)) throw error;
  Atomics.wait(
    new Int32Array(new SharedArrayBuffer(4)),
    0,
    0,
    FULL_PIPE_PAUSE,
  );
}
