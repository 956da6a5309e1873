/**
 * WebSockets to a server: as a stream, by the runtime's own client; as a bridge, over which any program talks that
 * knows TCP alone; and frame by frame, for what no browser would send.
 *
 * @module
 */

import { type Bytes, concat } from "../../crypto_utils.ts";
import type { Stream } from "../../src/protocol/record_reader.ts";
import { writeAll } from "../../src/base/write_all.ts";
import { assert, assertEquals, assertStringIncludes } from "./assert.ts";
import { Flow } from "./memory_stream.ts";
import { Wire } from "./intruder.ts";

/** The key of RFC 6455, section 1.3, and the lines of a server's answer to it. */
export const SAMPLE_KEY = "dGhlIHNhbXBsZSBub25jZQ==";
export const SAMPLE_ANSWER: readonly string[] = [
  "HTTP/1.1 101 Switching Protocols",
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
];

/** A WebSocket of the runtime's, as a stream. */
export class SocketStream implements Stream {
  readonly #socket: WebSocket;
  readonly #incoming = new Flow();
  /** Resolves with the code with which it was closed. */
  readonly closed: Promise<number>;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) =>
      this.#incoming.inject(new Uint8Array(data as ArrayBuffer));
    const closed = Promise.withResolvers<number>();
    this.closed = closed.promise;
    socket.onclose = ({ code }) => {
      this.#incoming.end();
      closed.resolve(code);
    };
  }

  /** Connects to a server on this machine. @throws {Error} if it opens no WebSocket. */
  static async to(port: number): Promise<SocketStream> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/chat`);
    const stream = new SocketStream(socket);
    const opened = Promise.withResolvers<void>();
    socket.onopen = () => opened.resolve();
    socket.onerror = () => opened.reject(new Error("No WebSocket was opened"));
    await opened.promise;
    return stream;
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#incoming.read(into);
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.#socket.readyState !== WebSocket.OPEN) {
      throw new Deno.errors.BrokenPipe();
    }
    this.#socket.send(bytes.slice());
    return Promise.resolve(bytes.length);
  }

  close(): void {
    this.#incoming.stop();
    this.#socket.close();
  }
}

/** A port at which programs connect by TCP and come to the server by WebSockets. */
export class WebBridge implements AsyncDisposable {
  readonly #target: number;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Stream>();
  readonly #running: Promise<void>;

  /** @param target The server's port for browsers. */
  constructor(target: number) {
    this.#target = target;
    this.#running = this.#run();
  }

  /** Where it listens. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /** Ends everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const stream of this.#open) close(stream);
    await this.#running;
  }

  async #run(): Promise<void> {
    const tasks: Promise<void>[] = [];
    for await (const client of this.#listener) {
      tasks.push(this.#connect(client));
    }
    await Promise.all(tasks);
  }

  async #connect(client: Deno.TcpConn): Promise<void> {
    const socket = await SocketStream.to(this.#target).catch(() => undefined);
    if (!socket) return close(client);
    for (const stream of [client, socket]) this.#open.add(stream);
    await Promise.all([pass(client, socket), pass(socket, client)]);
    await socket.closed;
  }
}

async function pass(from: Stream, to: Stream): Promise<void> {
  const buffer = new Uint8Array(16_384);
  try {
    for (let size; (size = await from.read(buffer)) !== null;) {
      await writeAll(to, buffer.slice(0, size));
    }
  } catch {
    // The other direction has ended, which is this one's end, too.
  }
  for (const stream of [from, to]) close(stream);
}

function close(stream: Stream): void {
  try {
    stream.close();
  } catch {
    // Closed already.
  }
}

// ── Frame by frame ─────────────────────────────────────────────────────────────────────────────────────

/** Types of frames (RFC 6455, 5.2). */
export const TYPE = {
  more: 0,
  text: 1,
  binary: 2,
  close: 8,
  ping: 9,
  pong: 10,
};

/** What is special about a frame. */
export interface Special {
  /** Whether another of the same message follows. */
  readonly goesOn?: boolean;
  /** Whether the payload is as it is. */
  readonly isBare?: boolean;
  /** The three reserved bits. */
  readonly reserved?: number;
  /** The length that it claims, bytes. */
  readonly length?: number;
  /** In how many bits the length stands, where not in as few as it can. */
  readonly lengthBits?: 7 | 16 | 64;
}

const MASK = new Uint8Array([0x37, 0xfa, 0x21, 0x3d]);

/** A frame as a browser sends it, but for what is special about it. */
export function frame(
  type: number,
  payload: Uint8Array = new Uint8Array(0),
  special: Special = {},
): Bytes {
  const { length = payload.length, isBare = false } = special;
  const bits = special.lengthBits ??
    (length < 126 ? 7 : length < 65_536 ? 16 : 64);
  const head = new DataView(new ArrayBuffer(2 + (bits === 7 ? 0 : bits / 8)));
  const first = (special.goesOn ? 0 : 0x80) | (special.reserved ?? 0) << 4;
  head.setUint8(0, first | type);
  head.setUint8(
    1,
    (isBare ? 0 : 0x80) | (bits === 7 ? length : bits === 16 ? 126 : 127),
  );
  if (bits === 16) head.setUint16(2, length);
  if (bits === 64) head.setBigUint64(2, BigInt(length));
  const masked = payload.map((byte, at) => byte ^ (MASK[at % 4] ?? 0));
  return concat(
    new Uint8Array(head.buffer),
    isBare ? payload : concat(MASK, masked),
  );
}

/** Many frames of one byte each. */
export function bytewiseFrames(bytes: Uint8Array): Bytes {
  return concat(
    ...Array.from(bytes, (it) => frame(TYPE.binary, Uint8Array.of(it))),
  );
}

/** A frame as a server sends it. */
export interface ServerFrame {
  readonly type: number;
  readonly payload: Bytes;
}

/** The frames in what a server has sent, all of which must be whole. */
export function framesIn(bytes: Bytes): ServerFrame[] {
  const frames: ServerFrame[] = [];
  for (let at = 0; at < bytes.length;) {
    const [first = 0, second = 0] = bytes.subarray(at);
    assert(first >= 0x80 && second <= 126, "a frame in parts, or too long");
    const view = new DataView(bytes.buffer, bytes.byteOffset + at);
    const start = second === 126 ? at + 4 : at + 2;
    const end = start + (second === 126 ? view.getUint16(2) : second);
    assert(end <= bytes.length, "a frame that is cut off");
    frames.push({ type: first & 15, payload: bytes.slice(start, end) });
    at = end;
  }
  return frames;
}

/** What frames carry that are no control frames. */
export function payloadOf(frames: readonly ServerFrame[]): Bytes {
  return concat(
    ...frames.filter(({ type }) => type < 8).map(({ payload }) => payload),
  );
}

/** The code with which a server has closed, undefined where it has not. */
export function closeCodeOf(
  frames: readonly ServerFrame[],
): number | undefined {
  const payload = frames.find(({ type }) => type === TYPE.close)?.payload;
  return payload && new DataView(payload.buffer).getUint16(0);
}

/** The head of a request for a WebSocket. @param fields In place of, or beside, a browser's; undefined leaves one out. */
export function upgradeRequest(
  fields: Readonly<Record<string, string | undefined>> = {},
  first = "GET /chat HTTP/1.1",
): Bytes {
  const all = {
    host: "127.0.0.1",
    upgrade: "websocket",
    connection: "keep-alive, Upgrade",
    "sec-websocket-version": "13",
    "sec-websocket-key": SAMPLE_KEY,
    origin: "https://elsewhere.example",
    ...fields,
  };
  const lines = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : `${name}: ${value}\r\n`
  );
  return new TextEncoder().encode(`${first}\r\n${lines.join("")}\r\n`);
}

/** Opens a WebSocket by hand, as a browser would. @param deadline When it ends, ms. */
export async function openByHand(
  port: number,
  deadline?: number,
): Promise<Wire> {
  const wire = await Wire.to({ port }, deadline);
  await writeAll(wire.conn, upgradeRequest());
  const answer = await readHead(wire.conn);
  assertEquals(answer.split("\r\n", 1), ["HTTP/1.1 101 Switching Protocols"]);
  // The example of RFC 6455, section 1.3.
  assertStringIncludes(answer, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  return wire;
}

/** The head of an answer, and not a byte of what follows it. */
export async function readHead(stream: Stream): Promise<string> {
  let text = "";
  const byte = new Uint8Array(1);
  while (!text.endsWith("\r\n\r\n")) {
    assert(await stream.read(byte) !== null, `the end came after: ${text}`);
    text += String.fromCharCode(byte[0] ?? 0);
  }
  return text;
}

/** A client's end of a WebSocket by hand: what it writes goes out as the test wants, and it reads when the test does. */
export class HandStream implements Stream {
  readonly #wire: Wire;
  readonly #frames: (bytes: Uint8Array) => Bytes;
  #left = 0; // bytes of the payload under way

  /** @param frames Makes frames of what is written. */
  constructor(
    wire: Wire,
    frames: (bytes: Uint8Array) => Bytes = (bytes) => frame(TYPE.binary, bytes),
  ) {
    this.#wire = wire;
    this.#frames = frames;
  }

  /** Its connection. */
  get conn(): Deno.TcpConn {
    return this.#wire.conn;
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (this.#left === 0) {
      const head = await this.#bytes(2);
      if (!head || head[0] === (0x80 | TYPE.close)) return null;
      const [, length = 0] = head;
      const [high = 0, low = 0] = length < 126
        ? [0, length]
        : await this.#bytes(2) ?? [];
      this.#left = high * 256 + low;
      if (head[0] !== (0x80 | TYPE.pong)) continue;
      await this.#bytes(this.#left);
      this.#left = 0;
    }
    const size = await this.conn.read(into.subarray(0, this.#left));
    this.#left -= size ?? 0;
    return size;
  }

  async #bytes(count: number): Promise<Bytes | undefined> {
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count;) {
      const size = await this.conn.read(bytes.subarray(at));
      if (size === null) return undefined;
      at += size;
    }
    return bytes;
  }

  async write(bytes: Uint8Array): Promise<number> {
    await writeAll(this.conn, this.#frames(bytes));
    return bytes.length;
  }

  close(): void {
    this.#wire[Symbol.dispose]();
  }
}
