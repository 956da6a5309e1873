/**
 * The view for pipes and files: plain lines for a person's `grep`, and what it shares with the view for
 * programs. Knows nothing of terminals, and takes no commands: every line of the input is a text.
 *
 * Output rules: nothing is coloured and nothing is redrawn. What happens in the room goes to stdout, one event
 * a line, and what is about this program goes to stderr.
 *
 * @module
 */

import type { News, RoomNews, Standing, View } from "../view.ts";
import { TextLineStream } from "../../base/std.ts";
import { escapeText, quote } from "../../base/safe_text.ts";
import {
  GOODBYES,
  REFUSALS,
  refusedDeed,
  wording,
} from "../../protocol/reasons.ts";
import { sentence } from "../../protocol/line.ts";

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

/** What both views share: lines in, lines out, and a quiet end when nobody reads any more. */
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
      writeAll(sink, new TextEncoder().encode(`${line}\n`));
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
      // Whoever read this has enough of it, as `head` does: leave, and make no noise about it.
      this.close();
    }
  }
}

/** Plain text. Others' names and texts are escaped, so that the lines are safe on a terminal too. */
export class PlainView extends PipeView {
  /** Writes a piece of news: to stdout what happened in the room, to stderr the rest. */
  override show(news: News): void {
    if (news.type === "file") return; // only who can take a file hears of it
    if ("seq" in news && news.type !== "entered") this.print(plainEvent(news));
    else if (news.type === "current") return; // each line has its time
    else if (news.type !== "found") this.complain(plainRemark(news));
    else for (const line of news.lines) this.print(plainEvent(line));
  }

  /** Writes the lines of the text to stderr. */
  override note(text: string): void {
    for (const line of text.split("\n")) this.complain(escapeText(line));
  }
}

const escapes = { name: escapeText, words: escapeText };

function plainEvent(news: RoomNews): string {
  const time = new Date(news.at).toISOString();
  return `${time} ${sentence({ ...news, what: news.type }, escapes)}`;
}

function plainRemark(
  news: Exclude<News, RoomNews | { type: "current" | "file" | "found" }>,
): string {
  switch (news.type) {
    case "entered": {
      const place = `${escapeText(news.address)} as ${escapeText(news.name)}`;
      return `${news.again ? "Back in" : "Joined"} ${place}`;
    }
    case "refused": {
      const reason = escapeText(wording(REFUSALS, news.reason));
      return `${refusedDeed(news.reason)} ${quote(news.text)}: ${reason}`;
    }
    case "lost":
      return `Perhaps not sent: ${quote(news.text)}`;
    case "disconnected": {
      const reason = escapeText(wording(GOODBYES, news.reason));
      const seconds = Math.ceil(news.seconds);
      return `Not connected: ${reason}. Trying again in ${seconds} s`;
    }
    case "away-message": {
      const who = escapeText(news.name);
      const away = escapeText(news.text);
      return away === "" ? `${who} is back` : `${who} is away: ${away}`;
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

function writeAll(sink: Sink, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) {
    try {
      written += sink.writeSync(bytes.subarray(written));
    } catch (error) {
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      // The other end made this pipe non-blocking and is slow: wait for it, as a blocking one would.
      Atomics.wait(
        new Int32Array(new SharedArrayBuffer(4)),
        0,
        0,
        FULL_PIPE_PAUSE,
      );
    }
  }
}
