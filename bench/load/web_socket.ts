/**
 * A WebSocket over one of the load's sockets: what a browser's members cost the server. Frames are masked with zeros,
 * which costs the server what any mask does, and the load nothing.
 *
 * @module
 */

import { concat } from "../../crypto_utils.ts";
import type { EpollNetwork } from "./epoll_network.ts";
import type { Receiver, Socket } from "./socket.ts";

const REQUEST = new TextEncoder().encode([
  "GET /chat HTTP/1.1",
  "Host: 127.0.0.1",
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "",
  "",
].join("\r\n"));
const [CR, LF] = [13, 10];

/** Opens one at the server's port for browsers. */
export async function openWebSocket(
  network: EpollNetwork,
  port: number,
  receiver: Receiver,
): Promise<Socket> {
  const frames = new FrameReceiver(receiver);
  const socket = await network.connect(port, frames);
  socket.send(REQUEST);
  await frames.opened;
  return {
    send: (bytes) => {
      const length = bytes.length < 126
        ? [0x80 | bytes.length]
        : [0x80 | 126, bytes.length >> 8, bytes.length & 255];
      socket.send(concat(Uint8Array.of(0x82, ...length, 0, 0, 0, 0), bytes));
    },
    close: () => socket.close(),
  };
}

/** Takes a server's answer and its frames apart, and hands on what they carry. */
class FrameReceiver implements Receiver {
  readonly #receiver: Receiver;
  readonly #opened = Promise.withResolvers<void>();
  #ends = 0; // of the four characters that end the answer's head, those that have come
  #head: number[] = [];
  #left = 0; // bytes of the payload

  constructor(receiver: Receiver) {
    this.#receiver = receiver;
  }

  /** Resolves when the server has agreed to a WebSocket, and rejects when it goes before. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  take(bytes: Uint8Array<ArrayBuffer>): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#ends < 4) this.#takeAnswer(bytes[at++] ?? 0);
      else if (this.#left === 0) this.#takeHead(bytes[at++] ?? 0);
      else {
        const end = Math.min(bytes.length, at + this.#left);
        this.#left -= end - at;
        this.#receiver.take(bytes.subarray(at, end));
        at = end;
      }
    }
  }

  #takeAnswer(byte: number): void {
    const expected = this.#ends % 2 === 0 ? CR : LF;
    this.#ends = byte === expected ? this.#ends + 1 : byte === CR ? 1 : 0;
    if (this.#ends === 4) this.#opened.resolve();
  }

  #takeHead(byte: number): void {
    this.#head.push(byte);
    const [first, length = 0, high = 0, low = 0] = this.#head;
    if (this.#head.length < 2) return;
    if (length === 126 && this.#head.length < 4) return;
    if (first !== 0x82) throw new Error("Cannot go on: a frame isn't binary");
    this.#left = length === 126 ? high << 8 | low : length;
    this.#head = [];
  }

  end(): void {
    this.#opened.reject(new Error("Cannot connect: no WebSocket was opened"));
    this.#receiver.end();
  }
}
