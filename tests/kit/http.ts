/**
 * Programs that come by HTTP: single requests, byte for byte as a test wants them, and streams of events.
 *
 * @module
 */

import { writeAll } from "../../src/base/write_all.ts";
import { assert } from "./assert.ts";
import { Notify } from "../../src/base/notify.ts";

/** A request. */
export interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly token?: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** An answer. */
export interface Answered {
  readonly status: number;
  readonly fields: Headers;
  /** What the body's JSON says. */
  readonly said: {
    readonly seq?: number;
    readonly all?: readonly number[];
    readonly error?: string;
    readonly reason?: string;
    readonly said?: readonly number[];
  };
}

/** A request as it is sent. */
export function requestBytes(
  { method = "POST", path = "/say", token, fields = {}, body = "" }: Asked,
): Uint8Array {
  const encoder = new TextEncoder();
  const bytes = typeof body === "string" ? encoder.encode(body) : body;
  const all: Record<string, string> = {
    host: "127.0.0.1",
    "content-length": String(bytes.length),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...fields,
  };
  const lines = Object.entries(all).map(([name, value]) =>
    `${name}: ${value}\r\n`
  );
  const head = encoder.encode(
    `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`,
  );
  const whole = new Uint8Array(head.length + bytes.length);
  whole.set(head);
  whole.set(bytes, head.length);
  return whole;
}

/** Sends bytes, and reads until the other side has closed. */
export async function exchange(
  port: number,
  bytes: Uint8Array,
): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await writeAll(conn, bytes);
  return await readToEnd(conn);
}

/** All that comes. */
export async function readToEnd(conn: Deno.Conn): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(65_536);
  let text = "";
  for (let read; (read = await conn.read(buffer)) !== null;) {
    text += decoder.decode(buffer.subarray(0, read), { stream: true });
  }
  return text;
}

/** Asks for something. */
export async function ask(port: number, asked: Asked): Promise<Answered> {
  return answerIn(await exchange(port, requestBytes(asked)));
}

/** What an answer says. */
export function answerIn(text: string): Answered {
  const [head = "", body = ""] = text.split(/\r\n\r\n(.*)/s);
  const [first = "", ...lines] = head.split("\r\n");
  const [, status] = /^HTTP\/1\.1 (\d{3}) \S/.exec(first) ?? [];
  assert(status !== undefined, `no answer: ${JSON.stringify(text)}`);
  const fields = new Headers(
    lines.map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]),
  );
  return { status: Number(status), fields, said: JSON.parse(body || "{}") };
}

/** An event of a stream. */
export interface StreamEvent {
  readonly id: number;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A request for a stream of events. @param after The last event that was seen. */
export function eventsRequest(token?: string, after?: number | string): Asked {
  return {
    method: "GET",
    path: "/events",
    ...(token === undefined ? {} : { token }),
    fields: after === undefined ? {} : { "last-event-id": `${after}` },
  };
}

/** A stream of events that is read. */
export class EventStream implements AsyncDisposable {
  readonly #conn: Pick<Deno.Conn, "read" | "close">;
  readonly #came = new Notify();
  readonly #reading: Promise<void>;
  #text = "";
  #hasEnded = false;

  private constructor(conn: Pick<Deno.Conn, "read" | "close">) {
    this.#conn = conn;
    this.#reading = this.#read();
  }

  /** Asks for one, and waits until it has begun. @param after The last event that was seen. */
  static async open(
    port: number,
    token: string,
    after?: number,
  ): Promise<EventStream> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    await writeAll(conn, requestBytes(eventsRequest(token, after)));
    return await EventStream.over(conn);
  }

  /** One that was asked for over a connection; waits until it has begun. */
  static async over(
    conn: Pick<Deno.Conn, "read" | "close">,
  ): Promise<EventStream> {
    const stream = new EventStream(conn);
    try {
      await stream.until(() => stream.#text.includes("\r\n\r\n:\n\n"));
      return stream;
    } catch (error) {
      await stream[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** What came so far. */
  get events(): StreamEvent[] {
    const [, body = ""] = this.#text.split(/\r\n\r\n(.*)/s);
    return body.split("\n\n").slice(0, -1).flatMap((block) => {
      const { id, event, data } = Object.fromEntries(
        block.split("\n").map((line) => line.split(/: ?(.*)/s).slice(0, 2)),
      );
      if (id === undefined) return [];
      return [{ id: Number(id), type: event, data: JSON.parse(data) }];
    });
  }

  /** The texts of what was said, in order. */
  get texts(): unknown[] {
    return this.events.filter(({ type }) => type === "said")
      .map(({ data }) => data["text"]);
  }

  /** The number of the last event that has come whole; 0 for none. */
  get last(): number {
    const end = this.#text.lastIndexOf("\n\n");
    const start = this.#text.lastIndexOf("\nid: ", end);
    return start < 0 ? 0 : Number.parseInt(this.#text.slice(start + 5));
  }

  /** All that came, with its head. */
  get text(): string {
    return this.#text;
  }

  /** Whether the server has ended it. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Waits until something is so. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      assert(!this.#hasEnded, `the stream has ended: ${this.#text}`);
      await this.#came.wait();
    }
  }

  /** Waits until the server has ended it. */
  async ended(): Promise<void> {
    await this.#reading;
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(65_536);
    try {
      for (let read; (read = await this.#conn.read(buffer)) !== null;) {
        this.#text += decoder.decode(buffer.subarray(0, read), {
          stream: true,
        });
        this.#came.notify();
      }
    } catch {
      // Reset, or closed here.
    }
    this.#hasEnded = true;
    this.#came.notify();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#conn.close();
    } catch {
      // Closed already.
    }
    await this.#reading;
  }
}
