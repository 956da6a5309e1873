/**
 * The views for pipes and files: plain lines for a person's `grep`, JSON lines for a program. They know
 * nothing of terminals, and take no commands: every line of the input is a text.
 *
 * Output rules: nothing is coloured and nothing is redrawn. In the plain view what happens in the room goes
 * to stdout, one event a line, and what is about this program goes to stderr. In the JSON view everything
 * goes to stdout, one object a line.
 *
 * @module
 */

import { quote } from "./colours.ts";
import { GOODBYES, REFUSALS, wording } from "./events.ts";
import type { News, Standing, View } from "./news.ts";
import { TextLineStream } from "./std.ts";
import { escapeText } from "./text.ts";

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
    if ("key" in news) this.print(plainEvent(news));
    else this.complain(plainRemark(news));
  }

  /** Writes the lines of the text to stderr. */
  override note(text: string): void {
    for (const line of text.split("\n")) this.complain(escapeText(line));
  }
}

/** JSON lines, each an object with `"v": 1`. Texts are as others wrote them, once the JSON is parsed. */
export class JsonView extends PipeView {
  /** Writes a piece of news. */
  override show(news: News): void {
    // To a program, the client's own joining is a joining like any other, with more to it.
    const type = news.type === "entered" ? "joined" : news.type;
    this.print(safeJson({ v: 1, type, ...jsonFields(news) }));
  }

  /** Writes an object of type `note`. */
  override note(text: string): void {
    this.print(safeJson({ v: 1, type: "note", text }));
  }
}

type RoomNews = Extract<News, { type: "joined" | "left" | "said" }>;

function plainEvent({ type, at, name, text }: RoomNews): string {
  const start = `${new Date(at).toISOString()} ${escapeText(name)}`;
  if (type === "said") return `${start}: ${escapeText(text)}`;
  if (type === "joined") return `${start} joined`;
  const why = escapeText(wording(GOODBYES, text));
  return text === "left" ? `${start} left` : `${start} left (${why})`;
}

function plainRemark(news: Exclude<News, RoomNews>): string {
  switch (news.type) {
    case "entered": {
      const place = `${escapeText(news.address)} as ${escapeText(news.name)}`;
      return `${news.again ? "Back in" : "Joined"} ${place}`;
    }
    case "refused": {
      const reason = escapeText(wording(REFUSALS, news.reason));
      return `Not sent: ${quote(news.text)}: ${reason}`;
    }
    case "away": {
      const reason = escapeText(wording(GOODBYES, news.reason));
      const seconds = Math.ceil(news.seconds);
      return `Not connected: ${reason}. Trying again in ${seconds} s`;
    }
  }
}

function jsonFields(news: News): Record<string, unknown> {
  switch (news.type) {
    case "joined":
    case "left":
    case "said": {
      const { seq, at, name, key, own, past, text } = news;
      const fields = { seq, at: iso(at), name, key, own, past };
      if (news.type === "said") return { ...fields, text };
      if (news.type === "left") return { ...fields, reason: text };
      return fields;
    }
    case "entered": {
      const { address, name, ownKey, others, seq, earlier, again, waiting } =
        news;
      return {
        seq,
        at: iso(news.at),
        name,
        key: ownKey,
        own: true,
        past: false,
        server: address,
        others,
        earlier,
        again,
        waiting,
      };
    }
    case "refused":
      return {
        text: news.text,
        reason: news.reason,
        message: wording(REFUSALS, news.reason),
      };
    case "away":
      return { reason: news.reason, seconds: news.seconds };
  }
}

function iso(at: number): string {
  return new Date(at).toISOString();
}

/** JSON that is harmless to look at; it parses to the same value as plain JSON would. */
function safeJson(value: unknown): string {
  // A run without ASCII has no backslash: every escape in it is a new one.
  return JSON.stringify(value).replace(
    /[^ -~]+/g,
    (run) => escapeText(run).replace(/\\u\{(\w+)\}/g, jsonEscape),
  );
}

/** Two escapes: JSON writes a character beyond U+FFFF as its surrogates. */
function jsonEscape(_escape: string, hex: string): string {
  const units = String.fromCodePoint(parseInt(hex, 16)).split("");
  return units.map((unit) => `\\u${unit.charCodeAt(0).toString(16)}`).join("");
}

/** Drops what is beyond the greatest length of a line, before anything gathers it. */
function limitLines(): TransformStream<string, string> {
  let length = 0;
  return new TransformStream({
    transform(chunk, controller) {
      const pieces = chunk.split("\n").map((piece, at) => {
        if (at > 0) length = 0;
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
