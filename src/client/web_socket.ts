/**
 * A `WebSocket` as a byte stream, like a TCP connection: the payloads of its binary messages one after the other; their
 * borders mean nothing. The page has no other way to a server; a terminal's client takes it where it is given a web link.
 *
 * @module
 */

import type { Bytes } from "../../crypto_utils.ts";
import { Notify } from "../base/notify.ts";
import type { Stream } from "../protocol/record_reader.ts";

/** What may wait in the runtime to be sent, bytes: a large file stays where it is until there is room. */
export const SEND_WINDOW = 262_144;
/** The most that goes into one message, bytes. */
const MAX_MESSAGE = 65_536;
/** What may have come without being read, bytes: more than any server of ours sends unasked. */
export const MAX_UNREAD = 67_108_864;
/** How often to look whether the runtime has sent what waits, ms: it gives no sign of it. */
const LOOK_EVERY = 50;

/** The parts of a `WebSocket` that are used. */
export type Socket = Pick<
  WebSocket,
  | "binaryType"
  | "bufferedAmount"
  | "close"
  | "onclose"
  | "onerror"
  | "onmessage"
  | "onopen"
  | "readyState"
  | "send"
>;

/** The connection is closed: to what reads and writes this is what a lost TCP connection is. */
class ClosedError extends Error {
  override readonly name = "BrokenPipe";
}

const OPEN = 1; // WebSocket.OPEN, RFC 6455 as browsers have it

/**
 * Opens a connection.
 * @param url `ws://` or `wss://`. @param open Makes the socket. Default: the runtime's.
 * @throws {Error} if it can't be opened; a browser doesn't tell why.
 */
export async function dial(
  url: string,
  open: (url: string) => Socket = (url) => new WebSocket(url),
): Promise<Stream> {
  const socket = open(url);
  socket.binaryType = "arraybuffer";
  const opened = Promise.withResolvers<void>();
  socket.onopen = () => opened.resolve();
  socket.onerror = socket.onclose = () =>
    opened.reject(new Error("the server cannot be reached"));
  const stream = new SocketStream(socket); // at once: what comes with the opening is not lost
  await opened.promise;
  stream.opened();
  return stream;
}

/** A socket that is open. */
class SocketStream implements Stream {
  readonly #socket: Socket;
  readonly #unread: Bytes[] = [];
  #size = 0; // of what is unread
  #taken = 0; // of the first of them
  #failure: Error | undefined;
  #isEnded = false;
  readonly #changed = new Notify();

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#came(data);
  }

  /** From here on an end is the end of what can be read. */
  opened(): void {
    this.#socket.onerror = null; // the end follows it
    this.#socket.onclose = () => this.#end();
    if (this.#socket.readyState > OPEN) this.#end();
  }

  #end(): void {
    this.#isEnded = true;
    this.#changed.notify();
  }

  #came(data: unknown): void {
    if (!(data instanceof ArrayBuffer)) {
      return this.#fail("the server sent text instead of bytes");
    }
    if (data.byteLength === 0 || this.#isEnded) return;
    this.#unread.push(new Uint8Array(data));
    this.#size += data.byteLength;
    if (this.#size > MAX_UNREAD) {
      return this.#fail("the server sends more than can be taken");
    }
    this.#changed.notify();
  }

  #fail(message: string): void {
    this.#failure = new Error(message);
    this.close();
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (!this.#unread[0] && !this.#failure && !this.#isEnded) {
      await this.#changed.wait();
    }
    if (this.#failure) throw this.#failure;
    const [first] = this.#unread;
    return first ? this.#take(first, into) : null;
  }

  #take(first: Bytes, into: Uint8Array): number {
    const part = first.subarray(this.#taken, this.#taken + into.length);
    into.set(part);
    this.#taken += part.length;
    this.#size -= part.length;
    if (this.#taken === first.length) {
      this.#unread.shift();
      this.#taken = 0;
    }
    return part.length;
  }

  async write(bytes: Uint8Array): Promise<number> {
    while (this.#isOpen && this.#socket.bufferedAmount >= SEND_WINDOW) {
      await this.#look();
    }
    if (!this.#isOpen) throw new ClosedError("the connection was closed");
    const part = bytes.slice(0, MAX_MESSAGE); // which the caller may change
    this.#socket.send(part);
    return part.length;
  }

  get #isOpen(): boolean {
    return this.#socket.readyState === OPEN;
  }

  /**
   * Waits a little; also until something comes, since a page that isn't shown has its timers slowed down, and what comes
   * is often an answer to what was sent.
   */
  async #look(): Promise<void> {
    const timer = setTimeout(() => this.#changed.notify(), LOOK_EVERY);
    await this.#changed.wait();
    clearTimeout(timer);
  }

  close(): void {
    this.#end();
    this.#unread.length = this.#size = this.#taken = 0;
    this.#socket.close();
  }
}
